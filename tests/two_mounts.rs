//! Two machines indeed: two mounts of one folder by bindfs, where locks, sizes and names of the one are not those of the other.
//! `scripts/tests-left-out` leaves this file out where bindfs cannot mount.

use crate::{
    desk::{Desk, Inject, Said, program, wait_until},
    nodes::{Running, SMALL, json, results},
};
use std::{
    fs,
    process::{Command, Stdio},
};
use visavis_core::store::Injection;

/// Two mounts of one folder, with caches of some seconds: locks, sizes and names of the one are not those of the other.
struct Pair<'a>(&'a Desk);

impl<'a> Pair<'a> {
    fn mount(desk: &'a Desk, seconds: u32) -> Self {
        let pair = Pair(desk);
        for node in ["a", "b"] {
            fs::create_dir_all(desk.path(node)).unwrap();
            let options = format!("attr_timeout={seconds},entry_timeout={seconds},negative_timeout={seconds}");
            let mut bindfs = Command::new("bindfs");
            let mounted = bindfs.args(["-o", &options]).arg(desk.path("real")).arg(desk.path(node)).output();
            assert!(
                mounted.is_ok_and(|output| output.status.success()),
                "this test mounts a folder with bindfs, and cannot here: `make test` leaves it out where that is so (scripts/tests-left-out)"
            );
        }
        pair
    }

    fn command(&self, node: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.env("XDG_CACHE_HOME", self.0.cache());
        command.args(arguments).current_dir(self.0.path(node)).env("XDG_STATE_HOME", self.0.path(&format!("state-{node}")));
        command
    }

    fn on(&self, node: &str, arguments: &[&str]) -> Said {
        self.command(node, arguments).output().unwrap().into()
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        for node in ["a", "b"] {
            Command::new("fusermount3").args(["-u", "-z"]).arg(self.0.path(node)).stderr(Stdio::null()).status().ok();
        }
    }
}

#[test]
fn of_two_mounts_of_one_folder_one_dispatches_and_status_is_right_on_both() {
    let desk = Desk::empty();
    let digits = Desk::with_digits();
    digits.edit(SMALL, "bootstraps: 60", "bootstraps: 600");
    for name in ["labels.csv", "images.txt", "pixels.npy", "blocks.npy"] {
        let name = format!("data/digits/{name}");
        desk.write(&format!("real/{name}"), &fs::read(digits.path(&name)).unwrap());
    }
    desk.write(&format!("real/{SMALL}"), digits.read(SMALL).as_bytes());
    let pair = Pair::mount(&desk, 5);

    // However fast it is built, it is still at work when the second one comes.
    let mut first = pair.command("a", &["run", SMALL, "--quiet"]);
    let first = Running::start(first.inject(Injection::Mishaps, "project=slow; score=slow; rank=slow; draw=slow"));
    wait_until("a result", || results(&desk.path("real")) > 0);
    let second = pair.on("b", &["run", SMALL]);
    let who = format!("another visavis is at work in this workspace: process {} on ", first.0.id());
    assert!(second.code == 5 && second.err.contains(&who), "{} {}", second.code, second.err);
    for node in ["a", "b"] {
        let status = json(&pair.on(node, &["status", "--json"]));
        assert_eq!((&status["state"], &status["process"]), (&"running".into(), &first.0.id().into()), "{node}: {status}");
    }
    let first = first.ends();
    assert_eq!(first.code, 0, "{}", first.err);
    let status = json(&pair.on("a", &["status", "--json"]));
    assert_eq!((&status["state"], &status["jobs"]["queued"]), (&"ended".into(), &0.into()), "{status}");
    assert!(status["jobs"]["done"].as_u64() > Some(20), "{status}");
    let checked = pair.on("a", &["store", "check"]);
    assert!(checked.code == 0 && !checked.out.contains("ends within"), "{}", checked.out);
    // The other mount finds everything made.
    let second = pair.on("b", &["run", SMALL]);
    assert!(second.code == 0 && second.out.contains("0 stages ran"), "{}{}", second.out, second.err);
    assert_eq!(pair.on("b", &["report", SMALL, "--quiet"]).code, 0);
    let audit = pair.on("b", &["audit", "reports/small.html"]);
    assert!(audit.code == 0, "{}{}", audit.out, audit.err);
}
