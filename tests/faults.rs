//! What machines do: signals, two runs at once, lost and damaged files. `mounted_disk.rs` has full and read-only disks. One clear error, and nothing that was finished
//! is lost.

use crate::desk::{Desk, Inject};
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

const STUDY: &str = "experiments/small.yaml";

#[test]
fn an_interrupted_run_exits_130_and_goes_on_to_the_same_results() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "bootstraps: 60", "bootstraps: 20000");
    let mut run = desk.command(&["run", STUDY, "--quiet", "--threads", "1"]);
    let mut child = run.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    let finished = || {
        fs::read_dir(desk.path("data/results"))
            .is_ok_and(|folder| folder.flatten().any(|entry| entry.path().extension().is_some()))
    };
    while !finished() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let before = fs::read_dir(desk.path("data/results")).unwrap().count();
    assert!(before >= 1);
    desk.succeed(&["store", "check"]);
    // The rest, with fewer resamples so that the test is short: what was finished of the first stages is found again.
    desk.edit(STUDY, "bootstraps: 20000", "bootstraps: 60");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let undisturbed = Desk::with_digits();
    undisturbed.succeed(&["run", STUDY, "--quiet"]);
    assert_eq!(desk.json(&["show", STUDY])["results"], undisturbed.json(&["show", STUDY])["results"]);
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "bootstraps: 60", "bootstraps: 4000");
    let children: Vec<_> =
        (0..2).map(|_| desk.command(&["run", STUDY, "--quiet"]).stderr(std::process::Stdio::piped()).spawn().unwrap()).collect();
    let mut codes: Vec<(Option<i32>, String)> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .map(|output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
        .collect();
    codes.sort();
    assert_eq!(codes[0].0, Some(0), "{codes:?}");
    assert!(
        codes[1].0 == Some(0)
            || (codes[1].0 == Some(5) && codes[1].1.contains("another visavis is at work in this workspace: process")),
        "{codes:?}"
    );
    desk.succeed(&["store", "check"]);
}

#[test]
fn a_worker_that_dies_fails_its_stage_and_no_other() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "bootstraps: 60", "bootstraps: 100000");
    let mut run = desk.command(&["run", STUDY, "--threads", "1", "--jobs", "1"]);
    let child = run.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    let worker = loop {
        let found = Command::new("pgrep").args(["-P", &child.id().to_string()]).output().unwrap();
        let text = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        if !text.is_empty() && desk.path("data/results").exists() {
            break text.lines().next().unwrap().to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no worker came");
        std::thread::sleep(Duration::from_millis(5));
    };
    std::thread::sleep(Duration::from_millis(200));
    let status = desk.json(&["status"]);
    assert!(status["jobs"]["running"] == 1 && status["jobs"]["done"].as_u64() > Some(0), "status follows a run: {status}");
    Command::new("kill").args(["-9", &worker]).status().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("the worker ended before the stage did (signal: 9"), "{err}");
    desk.succeed(&["store", "check"]);
}

#[test]
fn a_damaged_or_later_store_is_told_and_results_are_kept() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let results = desk.json(&["show", STUDY]);
    for name in ["visavis.db", "visavis.db-wal", "visavis.db-shm"] {
        fs::remove_file(desk.path(&format!("data/{name}"))).ok();
    }
    desk.write("data/visavis.db", &[b'x'; 8192]);
    let said = desk.visavis(&["status"]);
    assert!(
        said.code == 1 && said.err.contains("the store cannot be used") && said.err.contains("visavis store rebuild"),
        "{}",
        said.err
    );
    assert!(desk.succeed(&["store", "rebuild"]).contains("made again: "));
    assert!(desk.json(&["status"])["jobs"]["done"].as_u64() > Some(10));
    desk.succeed(&["store", "check"]);
    assert_eq!(desk.json(&["show", STUDY]), results);
}

#[test]
fn output_that_is_lost_is_told_and_a_reader_that_leaves_changes_no_exit_code() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let full = || std::process::Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for command in [&["plan", STUDY][..], &["export", STUDY, "--what", "scores"]] {
        let output = desk.command(command).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("not everything could be written"));
    }
    desk.succeed(&["report", STUDY, "--quiet"]);
    desk.edit("reports/small.html", "<h2>Summary</h2>", "<h2>Summery</h2>");
    let mut child = desk
        .command(&["audit", "reports/small.html", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(4));
    // A run goes on without its reader.
    let other = Desk::with_digits();
    let mut child = other.command(&["run", STUDY, "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(other.ran(STUDY).1, 0);
}

#[test]
fn an_object_taken_away_is_made_again_by_the_next_run() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let before = desk.json(&["show", STUDY])["results"].clone();
    let project = before.as_array().unwrap().iter().find(|result| result["kind"] == "project").unwrap();
    let digest = project["outputs"][0]["digest"].as_str().unwrap();
    fs::remove_file(desk.path(&format!("data/objects/{}/{}", &digest[..2], &digest[2..]))).unwrap();
    assert_eq!(desk.ran(STUDY), (vec!["project".to_owned()], 1), "the same bits: nothing after it runs again");
    assert_eq!(desk.json(&["show", STUDY])["results"], before);
}

const MICRO: &str = "experiments/micro.yaml";

#[test]
fn a_torn_or_flipped_journal_is_named_and_the_rest_is_kept() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    let mut journals: Vec<_> = fs::read_dir(desk.path("data/journals")).unwrap().map(|entry| entry.unwrap().path()).collect();
    journals.sort();
    let points = desk.json(&["store", "rebuild"])["points"].as_u64().unwrap();
    // A byte flipped in the middle of one, the end torn off another.
    let mut bytes = fs::read(&journals[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journals[0], &bytes).unwrap();
    let bytes = fs::read(&journals[1]).unwrap();
    fs::write(&journals[1], &bytes[..bytes.len() - 5]).unwrap();
    let said = desk.visavis(&["store", "check"]);
    for journal in &journals[..2] {
        assert!(said.out.contains(journal.file_name().unwrap().to_str().unwrap()), "{}", said.out);
    }
    assert!(
        said.code == 4 && said.out.matches("is damaged").count() == 2 && said.out.contains("around them are kept"),
        "{}",
        said.out
    );
    let rebuilt = desk.json(&["store", "rebuild"]);
    assert!(rebuilt["points"].as_u64().unwrap() + 64 > points && rebuilt["events"].as_u64() > Some(100), "{rebuilt}");
    assert_eq!(desk.ran(MICRO).1, 0, "results are what they were");
}

#[test]
fn a_result_that_is_torn_is_made_again() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    let before = desk.json(&["show", MICRO])["results"].clone();
    let path = fs::read_dir(desk.path("data/results")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert_eq!(desk.visavis(&["store", "check"]).code, 4);
    let (rebuilt, key) = (desk.succeed(&["store", "rebuild"]), path.file_name().unwrap().to_str().unwrap()[..8].to_owned());
    for words in ["1 result set aside", &key, "the result is damaged"] {
        assert!(rebuilt.contains(words), "{words}: {rebuilt}");
    }
    assert_eq!(desk.ran(MICRO).1, 1);
    assert_eq!(desk.json(&["show", MICRO])["results"], before);
    desk.succeed(&["store", "check"]);
}

#[test]
fn a_folder_of_results_that_cannot_be_listed_is_not_an_empty_one() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    let (there, aside) = (desk.path("data/results"), desk.path("aside"));
    fs::rename(&there, &aside).unwrap();
    fs::write(&there, b"not a folder").unwrap();
    let objects = || walk(&desk.path("data/objects"));
    let before = objects();
    assert_ne!(desk.visavis(&["store", "gc", "--yes"]).code, 0);
    assert_eq!(objects(), before);
    fs::remove_file(&there).unwrap();
    fs::rename(&aside, &there).unwrap();
    assert_eq!(desk.ran(MICRO).1, 0);
    // What nothing refers to is removed, and what something does is kept.
    desk.write(&format!("data/objects/{}/{}", "ab", "c".repeat(62)), b"an orphan");
    assert!(desk.succeed(&["store", "gc"]).contains("--yes removes"));
    assert!(desk.succeed(&["store", "gc", "--yes"]).contains("removed 0 results, 1 object"));
    assert_eq!(objects(), before);
    assert_eq!(desk.ran(MICRO).1, 0);
}

fn walk(folder: &std::path::Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[test]
fn a_clock_that_jumps_changes_no_order() {
    let desk = Desk::with_pretence();
    let day = 86_400_000_i64;
    // A run in the future that fails, one in the past that mends it, one today that finds it mended.
    let at = |jump: i64, mishaps: &str| {
        let mut run = desk.command(&["run", MICRO, "--quiet"]);
        run.inject(Injection::ClockJump, jump.to_string()).inject(Injection::Mishaps, mishaps).output().unwrap().status.code()
    };
    assert_eq!(at(400 * day, "score=input"), Some(3));
    assert!(desk.json(&["status"])["jobs"]["failed"].as_u64() > Some(0));
    // One in between that ends before it has made anything.
    assert_eq!(at(-5000 * day, "index=input; score=input; train=crash"), Some(3));
    assert!(desk.succeed(&["store", "rebuild"]).contains("equal to the one before"));
    assert_eq!(at(-4000 * day, ""), Some(0));
    let status = desk.json(&["status"]);
    assert!(
        status["jobs"]["failed"] == 0 && status["jobs"]["done"].as_u64() > Some(20),
        "the later run is the later one: {status}"
    );
    assert_eq!(desk.ran(MICRO).1, 0);
    assert!(desk.succeed(&["store", "rebuild"]).contains("equal to the one before"));
    assert_eq!(desk.json(&["status"])["jobs"], status["jobs"]);
}

#[test]
fn a_store_of_a_later_visavis_is_left_alone() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    desk.succeed(&["store", "rebuild"]);
    // It is refused by everything, also by what would make it again.
    // `user_version` is the 32 bits at byte 60 of the file's head (sqlite.org/fileformat2.html).
    let mut bytes = fs::read(desk.path("data/visavis.db")).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(desk.path("data/visavis.db"), &bytes).unwrap();
    for command in [&["status"][..], &["run", MICRO, "--force"], &["logs"], &["store", "rebuild"]] {
        let said = desk.visavis(command);
        assert!(said.code == 2 && said.err.contains("written by a later visavis"), "{command:?}: {}", said.err);
    }
    assert!(fs::read(desk.path("data/visavis.db")).unwrap() == bytes, "not one byte was changed");
}

#[test]
fn a_store_stays_off_a_network_file_system() {
    let desk = Desk::with_pretence();
    let run = |arguments: &[&str]| -> crate::desk::Said {
        let network = format!("{}=26985", desk.path(".").canonicalize().unwrap().display());
        let mut command = desk.command(arguments);
        command.inject(Injection::FileSystem, network).env("XDG_STATE_HOME", desk.path("state")).output().unwrap().into()
    };
    // The tests' folder is said to be NFS; the state folder is below it here, which only a test can do.
    let said = run(&["run", MICRO, "--store", "data/visavis.db"]);
    assert!(said.code == 2 && said.err.contains("cannot be on NFS") && said.err.contains("local disk"), "{}", said.err);
    let said = run(&["run", MICRO]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!desk.path("data/visavis.db").exists() && desk.path("state/visavis").is_dir());
    let said = run(&["status"]);
    assert!(said.err.contains("the workspace is on NFS: its store is") && said.out.contains("done"), "{}{}", said.err, said.out);
}

#[test]
fn fifty_thousand_files_in_a_folder_do_not_matter() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", MICRO, "--quiet"]);
    let journal = fs::read_dir(desk.path("data/journals")).unwrap().next().unwrap().unwrap().path();
    let head = &fs::read(&journal).unwrap()[..18];
    let few = if std::env::var_os("VISAVIS_LONG").is_some() { 50_000 } else { 5_000 };
    for i in 0..few {
        fs::write(desk.path(&format!("data/journals/{i:015}-1.journal")), head).unwrap();
        fs::write(desk.path(&format!("data/results/stray-{i}")), b"").unwrap();
        fs::write(desk.path(&format!("data/journals/stray-{i}")), b"").unwrap();
    }
    desk.succeed(&["status"]);
    assert_eq!(desk.ran(MICRO).1, 0);
    desk.edit(MICRO, "bootstraps: 20", "bootstraps: 21");
    desk.succeed(&["run", MICRO, "--quiet"]);
    assert!(desk.succeed(&["store", "rebuild"]).contains("equal to the one before"));
}
