//! Disks that are full or may only be read. Each test mounts one of its own, which needs the right to mount:
//! `scripts/tests-left-out` leaves this file out where it is missing.

use crate::desk::Desk;
use std::{fs, process::Command};

const STUDY: &str = "experiments/small.yaml";
const MICRO: &str = "experiments/micro.yaml";

/// A small file system of its own at `out/` of the desk, until the test ends.
struct Disk<'a>(&'a Desk);

impl<'a> Disk<'a> {
    fn mount(desk: &'a Desk, options: &str) -> Self {
        fs::create_dir_all(desk.path("out")).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(desk.path("out")).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this test mounts a disk, and may not here: `make test` leaves it out where that is so (scripts/tests-left-out)"
        );
        Disk(desk)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.path("out")).status().ok();
    }
}

#[test]
fn a_full_disk_is_told_and_the_run_goes_on_when_there_is_room() {
    let desk = Desk::with_digits();
    let _disk = Disk::mount(&desk, "size=300k");
    let said = desk.visavis(&["run", STUDY, "--workspace", "out"]);
    assert!(said.code == 3 || said.code == 1, "{}: {}", said.code, said.err);
    assert!(
        (said.err.contains("no space left") || said.err.contains("disk is full"))
            && said.err.contains("free some space")
            && !said.err.contains("panicked"),
        "{}",
        said.err
    );
    let remounted = Command::new("mount").args(["-o", "remount,size=64m"]).arg(desk.path("out")).status().unwrap();
    assert!(remounted.success());
    desk.succeed(&["run", STUDY, "--workspace", "out", "--quiet"]);
    desk.succeed(&["store", "check", "--workspace", "out"]);
}

#[test]
fn a_read_only_workspace_can_be_looked_at_and_not_run_in() {
    let desk = Desk::with_digits();
    let _disk = Disk::mount(&desk, "size=64m");
    desk.succeed(&["run", STUDY, "--workspace", "out", "--only", "project pixels", "--quiet"]);
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(desk.path("out")).status().unwrap().success());
    desk.succeed(&["plan", STUDY, "--workspace", "out"]);
    let said = desk.visavis(&["run", STUDY, "--workspace", "out"]);
    assert!(said.code == 1 && said.err.contains("read-only file system") && said.err.contains("--workspace DIR"), "{}", said.err);
    let said = desk.visavis(&["report", STUDY, "--workspace", "out"]);
    assert!(said.code == 5, "{}", said.err);
}

#[test]
fn a_disk_of_sixteen_megabytes_that_fills_anywhere_is_told_and_loses_nothing() {
    let whole = Desk::with_pretence();
    whole.succeed(&["run", MICRO, "--quiet"]);
    let results = whole.json(&["show", MICRO])["results"].clone();
    let rooms: Vec<u64> =
        if std::env::var_os("VISAVIS_LONG").is_some() { (0..140).map(|i| i * 8).collect() } else { vec![0, 48, 160, 400] };
    for room in rooms {
        let desk = Desk::with_pretence();
        let _disk = Disk::mount(&desk, "size=16m");
        // All but so many kB are taken.
        let mut fill = Command::new("dd");
        fill.args(["if=/dev/zero", "bs=1k"]).arg(format!("count={}", 16 * 1024 - room));
        fill.arg(format!("of={}", desk.path("out/filler").display())).stderr(std::process::Stdio::null());
        assert!(fill.status().unwrap().success());
        let run = ["run", MICRO, "--workspace", "out", "--quiet"];
        let said = desk.visavis(&run);
        assert!([1, 3].contains(&said.code), "{room} kB left: {} {}", said.code, said.err);
        let told = said.err.contains("no space left") || said.err.contains("disk is full");
        assert!(told && said.err.contains("free some space") && !said.err.contains("panicked"), "{room} kB left: {}", said.err);
        fs::remove_file(desk.path("out/filler")).unwrap();
        desk.succeed(&run);
        assert_eq!(desk.json(&["show", MICRO, "--workspace", "out"])["results"], results, "{room} kB left");
        desk.succeed(&["store", "check", "--workspace", "out"]);
        assert!(desk.succeed(&["store", "rebuild", "--workspace", "out"]).contains("equal to the one before"), "{room} kB left");
    }
}

#[test]
fn a_store_that_cannot_be_written_is_told_and_can_be_read() {
    let desk = Desk::with_pretence();
    let _disk = Disk::mount(&desk, "size=64m");
    desk.succeed(&["run", MICRO, "--quiet", "--store", "out/visavis.db", "--only", "project"]);
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(desk.path("out")).status().unwrap().success());
    let said = desk.visavis(&["run", MICRO, "--store", "out/visavis.db"]);
    assert!(said.code == 1 && said.err.contains("out/visavis.db") && said.err.contains("--store FILE"), "{}", said.err);
    assert!(desk.json(&["status", "--store", "out/visavis.db"])["jobs"]["done"].as_u64() > Some(5));
    // Elsewhere, everything goes on.
    desk.succeed(&["run", MICRO, "--quiet"]);
}

#[test]
fn an_export_to_a_place_that_cannot_be_written_says_so_and_leaves_everything_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    let export = |file: &str| ["export", MICRO, "--what", "scores", "--format", "csv", "-o", file].map(str::to_owned);
    let names = |folder: &str| {
        let entries = fs::read_dir(desk.path(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let refused = |mut command: Command, code: i32, words: &[&str]| {
        let said: crate::desk::Said = command.output().unwrap().into();
        assert!(said.code == code && words.iter().all(|word| said.err.contains(word)), "{words:?}: {} {}", said.code, said.err);
        assert!(said.err.contains("\n  at   ") && said.err.contains("\n  next "), "{}", said.err);
    };
    let plain = |file: &str| desk.command(&export(file).each_ref().map(String::as_str));
    {
        let _disk = Disk::mount(&desk, "size=64k");
        desk.write("out/old.csv", b"old");
        let filler = format!("cat /dev/zero > {}", desk.path("out/filler").display());
        Command::new("sh").args(["-c", &filler]).stderr(std::process::Stdio::null()).status().unwrap();
        for file in ["out/old.csv", "out/new.csv"] {
            refused(plain(file), 1, &["no space left", "free some space", file]);
        }
        let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(desk.path("out")).status();
        assert!(remounted.unwrap().success());
        refused(plain("out/old.csv"), 2, &["read-only file system", "out/old.csv"]);
        refused(plain("out/new.csv"), 2, &["read-only file system", "out"]);
        assert_eq!((names("out"), desk.read("out/old.csv")), (vec!["filler".to_owned(), "old.csv".to_owned()], "old".to_owned()));
    }
    refused(plain("nowhere/new.csv"), 2, &["no such folder", "nowhere"]);
    // A folder that may not be written, seen by somebody who has not root's powers.
    for (file, bytes) in [("closed/empty.csv", ""), ("closed/full.csv", "old"), ("closed/fixed.csv", "old")] {
        desk.write(file, bytes.as_bytes());
    }
    let allow = |file: &str, mode: u32| fs::set_permissions(desk.path(file), fs::Permissions::from_mode(mode)).unwrap();
    allow("closed/fixed.csv", 0o444);
    allow("closed", 0o555);
    let powerless = |file: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", &crate::desk::program()]).args(export(file));
        command.current_dir(desk.path("")).env("XDG_CACHE_HOME", desk.cache());
        command
    };
    assert!(powerless("closed/empty.csv").status().unwrap().success(), "nothing is lost where nothing is");
    assert!(desk.read("closed/empty.csv").starts_with("model,"));
    refused(powerless("closed/full.csv"), 2, &["not replaced in its folder", "would be lost", "empty the file first"]);
    refused(powerless("closed/fixed.csv"), 2, &["permission denied"]);
    refused(powerless("closed/new.csv"), 2, &["permission denied"]);
    assert_eq!((desk.read("closed/full.csv"), desk.read("closed/fixed.csv")), ("old".to_owned(), "old".to_owned()));
    assert_eq!(names("closed"), ["empty.csv", "fixed.csv", "full.csv"]);
    allow("closed", 0o755);
    // A limit on the size of files is an error like others, and no signal that ends the program.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", &crate::desk::program()]).args(export("large.csv"));
    limited.current_dir(desk.path("")).env("XDG_CACHE_HOME", desk.cache());
    refused(limited, 1, &["file too large", "ulimit", "large.csv"]);
    assert!(!names(".").iter().any(|name| name.starts_with(".part") || name == "large.csv"), "{:?}", names("."));
}
