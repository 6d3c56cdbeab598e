//! Workers that are killed, cancelled, queued again, preempted or out of time; and many of them.

use super::Rig;
use crate::desk::Said;
use std::process::Command;

/// Two workers, in a cluster that forgets a job some seconds after its end.
const TWO: &str = "run: { slurm: { workers: 2, memory: 400M } }";

#[test]
fn a_worker_that_is_killed_in_a_stage_costs_that_stage_only() {
    let rig = Rig::start();
    let study = rig.study("killed", 500, TWO);
    let run = study.start_with(2);
    let workers = study.worker_processes();
    assert_eq!(workers.len(), 2);
    Command::new("kill").args(["-KILL", &workers[0]]).status().unwrap();
    study.ends_as_here(run);
}

#[test]
fn a_running_worker_that_is_cancelled_and_forgotten_costs_its_stage_only() {
    let rig = Rig::start();
    let study = rig.study("cancelled", 500, TWO);
    let run = study.start_with(2);
    rig.slurm(&["scancel", &study.tasks("RUNNING")[0].0]);
    study.wait(60, "Slurm forgets it", || study.tasks("all").len() == 1);
    study.ends_as_here(run);
}

#[test]
fn a_waiting_worker_that_is_cancelled_is_done_without() {
    let rig = Rig::start();
    let study = rig.study("waiting", 500, "run: { slurm: { workers: 3, throttle: 1, memory: 400M } }");
    let run = study.start_with(1);
    for (task, _) in study.tasks("PENDING") {
        rig.slurm(&["scancel", &task]);
    }
    assert!(study.tasks("PENDING").is_empty());
    study.ends_as_here(run);
}

#[test]
fn a_worker_is_not_queued_again_unless_somebody_insists_and_then_it_joins_again() {
    let rig = Rig::start();
    let study = rig.study("requeued", 500, TWO);
    let run = study.start_with(2);
    let task = &study.tasks("RUNNING")[0].0;
    let refused: Said = rig.command(&["run", "scontrol", "requeue", task]).output().unwrap().into();
    assert!(refused.code != 0 && refused.err.contains("disabled"), "{}{}", refused.out, refused.err);
    rig.slurm(&["scontrol", "update", &format!("jobid={task}"), "requeue=1"]);
    rig.slurm(&["scontrol", "requeue", task]);
    study.wait(60, "its second start", || study.given() == 3);
    study.ends_as_here(run);
}

#[test]
fn workers_that_are_preempted_are_replaced() {
    let rig = Rig::start();
    let study = rig.study("preempted", 500, TWO);
    let run = study.start_with(2);
    let node = study.tasks("RUNNING")[0].1.clone();
    rig.slurm(&["sbatch", "-p", "urgent", "-w", &node, "--exclusive", "-o", "/dev/null", "--wrap", "sleep 20"]);
    study.wait(90, "the preemption", || study.tasks("RUNNING").iter().all(|(_, on)| *on != node));
    study.ends_as_here(run);
}

#[test]
fn workers_whose_time_is_up_are_replaced() {
    let rig = Rig::start();
    // A minute, and half a minute of grace, for stages of more than a minute and a half.
    let study = rig.study("late", 1200, "run: { slurm: { workers: 1, time: '1', memory: 400M } }");
    let run = study.start_with(1);
    study.ends_as_here(run);
}

#[test]
fn more_workers_than_an_array_may_have_are_several_arrays() {
    let rig = Rig::start();
    // MaxArraySize of the rig is 11, and its nodes have room for eight.
    let study = rig.study("many", 200, "run: { slurm: { workers: 25, memory: 100M } }");
    let run = study.start_with(4);
    let arrays: std::collections::BTreeSet<String> =
        study.tasks("all").into_iter().map(|(task, _)| task.split_once('_').unwrap().0.to_owned()).collect();
    assert_eq!(arrays.len(), 3, "{arrays:?}");
    assert_eq!(study.tasks("all").len(), 25);
    study.ends_as_here(run);
}
