//! Nodes that are lost, drained or behind the clock, and a controller that is away.

use super::Rig;
use std::time::Duration;

/// As many workers as the nodes have room for.
const EIGHT: &str = "run: { slurm: { workers: 8, memory: 100M } }";

#[test]
fn a_controller_that_is_away_for_a_minute_stops_nobody() {
    let rig = Rig::start();
    let study = rig.study("away", 2000, "run: { slurm: { workers: 2, memory: 400M } }");
    // At once, before it has saved that it started them: it starts them again, and does not say so.
    let run = study.start("login");
    study.wait(60, "a worker", || study.given() >= 1);
    rig.do_it(&["ctld", "kill"]);
    std::thread::sleep(Duration::from_secs(60));
    rig.do_it(&["ctld", "start"]);
    study.ends_as_here(run);
}

#[test]
fn orphans_of_a_lost_node_do_no_harm() {
    let rig = Rig::start();
    let study = rig.study("orphans", 4000, EIGHT);
    let run = study.start_with(4);
    let before = study.worker_processes().len();
    rig.do_it(&["node", "n1", "lose-slurmd"]);
    study.wait(90, "Slurm gives the node up", || {
        rig.slurm(&["sinfo", "-h", "-N", "-n", "n1", "-p", "main", "-o", "%T"]).contains("down")
    });
    assert_eq!(study.worker_processes().len(), before, "the workers of the lost node live on");
    study.ends_as_here(run);
}

#[test]
fn the_stages_of_a_node_without_power_are_made_elsewhere_and_by_it_when_it_is_back() {
    let rig = Rig::start();
    let study = rig.study("power", 1000, EIGHT);
    let run = study.start_with(4);
    rig.do_it(&["node", "n2", "off"]);
    std::thread::sleep(Duration::from_secs(30));
    rig.do_it(&["node", "n2", "on"]);
    study.ends_as_here(run);
}

#[test]
fn a_node_that_is_drained_finishes_what_it_is_at() {
    let rig = Rig::start();
    let study = rig.study("drained", 500, EIGHT);
    let run = study.start_with(4);
    rig.slurm(&["scontrol", "update", "nodename=n1", "state=drain", "reason=test"]);
    study.ends_as_here(run);
}

#[test]
fn workers_whose_clocks_are_ten_minutes_off_are_believed() {
    let rig = Rig::start();
    for (name, jump) in [("ahead", "600000"), ("behind", "-600000")] {
        let run = format!("run: {{ slurm: {{ workers: 2, memory: 400M, prologue: [\"export VISAVIS_JUMP={jump}\"] }} }}");
        let study = rig.study(name, 200, &run);
        study.ends_as_here(study.start("login"));
    }
}
