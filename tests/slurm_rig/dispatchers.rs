//! Two dispatchers of one workspace, and one that is killed.

use super::Rig;
use std::time::Instant;

const TWO: &str = "run: { slurm: { workers: 2, memory: 400M } }";

#[test]
fn a_second_dispatcher_on_another_mount_is_told_the_firsts_host() {
    let rig = Rig::start();
    let study = rig.study("two", 500, TWO);
    let run = study.start_with(1);
    let who = format!("another visavis is at work in this workspace: process {} on login, running micro", study.dispatcher());
    for on in ["slurm", "local"] {
        let second = study.said("n1", &["run", study.file, "--on", on]);
        assert!(second.code == 5 && second.err.contains(&who), "{on}: {} {}", second.code, second.err);
    }
    assert_eq!(study.tasks("all").len(), 2, "the second submitted nothing");
    study.ends_as_here(run);
}

#[test]
fn a_dispatcher_that_was_killed_is_followed_by_one_on_the_other_mount() {
    let rig = Rig::start();
    let study = rig.study("followed", 500, TWO);
    let run = study.start_with(2);
    study.wait(60, "a result", || study.results() > 0);
    let name = study.job_name();
    rig.slurm(&["kill", "-KILL", &study.dispatcher().to_string()]);
    assert_ne!(run.ends().code, 0);
    let (kept, begun) = (study.results(), Instant::now());
    let run = study.start("n1");
    let said = study.ends_as_here(run);
    assert!(said.err.contains("on login, running micro") && said.err.contains("has not said that it ended"), "{}", said.err);
    assert!(said.err.contains("2 workers of the run before"), "they are adopted: {}", said.err);
    assert!(kept > 0 && begun.elapsed().as_secs() < 150, "{kept} results, {:?}", begun.elapsed());
    let left = rig.slurm(&["squeue", "-h", "-n", &name, "-t", "PENDING,RUNNING"]);
    assert_eq!(left, "", "no worker of the first run is left");
}
