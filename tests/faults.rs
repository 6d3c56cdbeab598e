//! What machines do: full disks, read-only folders, signals, two at once. One clear error, and nothing that was finished
//! is lost.

use crate::desk::Desk;
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

const STUDY: &str = "experiments/small.yaml";

/// A small file system of its own at `data/` of the desk; `None` where only an administrator may mount.
struct Disk<'a>(&'a Desk);

impl<'a> Disk<'a> {
    fn mount(desk: &'a Desk, options: &str) -> Option<Self> {
        fs::create_dir_all(desk.path("out")).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(desk.path("out")).status();
        mounted.is_ok_and(|status| status.success()).then_some(Disk(desk))
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
    let Some(_disk) = Disk::mount(&desk, "size=300k") else { return };
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
    let Some(_disk) = Disk::mount(&desk, "size=64m") else { return };
    desk.succeed(&["run", STUDY, "--workspace", "out", "--only", "project pixels", "--quiet"]);
    assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(desk.path("out")).status().unwrap().success());
    desk.succeed(&["plan", STUDY, "--workspace", "out"]);
    let said = desk.visavis(&["run", STUDY, "--workspace", "out"]);
    assert!(said.code == 1 && said.err.contains("read-only file system") && said.err.contains("--workspace DIR"), "{}", said.err);
    let said = desk.visavis(&["report", STUDY, "--workspace", "out"]);
    assert!(said.code == 5, "{}", said.err);
}

#[test]
fn an_interrupted_run_exits_130_and_goes_on_to_the_same_results() {
    let desk = Desk::with_digits();
    desk.edit(STUDY, "bootstraps: 60", "bootstraps: 20000");
    let mut run = desk.command(&["run", STUDY, "--quiet", "--threads", "1"]);
    let mut child = run.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !desk.path("data/results").exists() && started.elapsed() < Duration::from_secs(20) {
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
    desk.edit("reports/small.html", "What was asked", "What was wanted");
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
