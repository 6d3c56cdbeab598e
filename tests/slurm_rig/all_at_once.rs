//! Everything that a cluster does to a study, in one run: networks that really learn from drawn faces are queued again, preempted, cancelled,
//! lose their node and their dispatcher. The scores are those of a run here, bit by bit.

use super::{Rig, Study};
use crate::networks;
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Two workers a node.
const FOUR: &str = "run: { slurm: { workers: 4, memory: 1500M } }\n";

/// Four trainings, each of about a minute and a half of one processor.
const LOSSES: &str = "      - softmax\n      - arcface\n      - cosface\n      - adaface\n";

impl Study<'_> {
    /// How often a worker has written this, in the journals of all.
    fn told(&self, words: &str) -> usize {
        let journals = fs::read_dir(self.real().join("data/journals")).into_iter().flatten().flatten();
        let bytes = journals.filter_map(|journal| fs::read(journal.path()).ok());
        bytes.map(|bytes| bytes.windows(words.len()).filter(|part| *part == words.as_bytes()).count()).sum()
    }

    /// How many trainings have gone on from a checkpoint.
    fn continued(&self) -> usize {
        self.told("goes on from step")
    }

    /// Checkpoints that are there.
    fn checkpoints(&self) -> Vec<PathBuf> {
        fs::read_dir(self.real().join("data/checkpoints")).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }
}

#[test]
fn a_study_that_meets_every_disturbance_in_one_run_has_the_scores_of_a_run_here() {
    let rig = Rig::start();
    let desk = networks::desk();
    desk.edit(networks::STUDY, "      - softmax\n", LOSSES);
    desk.edit(networks::STUDY, "epochs: 4", "epochs: 1000");
    desk.write(networks::STUDY, (desk.read(networks::STUDY) + FOUR).as_bytes());
    let study = Study { rig: &rig, name: "faces".into(), file: networks::STUDY, desk };
    study.copy(&["data/faces", "data/people", networks::STUDY]);
    let begun = Instant::now();
    let say = |what: &str| eprintln!("{:4} s: {what}", begun.elapsed().as_secs());

    let run = study.start_with(4);
    study.wait(120, "trainings", || study.told("epoch ") >= 4);
    say("four networks are trained on two nodes");

    // Queued again: a checkpoint, and the same job joins anew.
    let (task, node) = study.tasks("RUNNING").into_iter().next().unwrap();
    rig.slurm(&["scontrol", "update", &format!("jobid={task}"), "requeue=1"]);
    rig.slurm(&["scontrol", "requeue", &task]);
    study.wait(120, "its second start", || study.given() >= 5);
    study.wait(120, "the training goes on", || study.continued() >= 1);
    say("a worker was queued again, and a training went on from its checkpoint");

    // Preempted: both workers of that node.
    rig.slurm(&["sbatch", "-p", "urgent", "-w", &node, "--exclusive", "-o", "/dev/null", "--wrap", "sleep 20"]);
    study.wait(120, "the preemption", || study.tasks("RUNNING").iter().all(|(_, on)| *on != node));
    say("the workers of a node were preempted");

    // Cancelled: one of the other node.
    let (task, other) = study.tasks("RUNNING").into_iter().next().expect("the other node works on");
    assert_ne!(other, node);
    rig.slurm(&["scancel", &task]);
    study.wait(60, "it is gone", || study.tasks("RUNNING").iter().all(|(running, _)| *running != task));
    say("a worker was cancelled");

    // They are replaced, and go on from what was kept.
    study.wait(240, "they are replaced", || study.tasks("RUNNING").len() >= 3);
    study.wait(120, "trainings go on", || study.continued() >= 3);
    say("others have taken their places");

    // A node without power, with all that is on it.
    let before = study.continued();
    rig.do_it(&["node", &other, "off"]);
    // Long enough for Slurm to give it up.
    std::thread::sleep(Duration::from_secs(45));
    rig.do_it(&["node", &other, "on"]);
    study.wait(240, "its trainings go on", || study.continued() > before);
    say("a node was without power, and what it was at goes on");

    // The dispatcher is killed, and another one adopts its workers through the other mount.
    let (kept, adopts) = (study.results(), study.tasks("RUNNING").len());
    assert!(adopts > 0 && !study.checkpoints().is_empty(), "networks are still trained");
    rig.slurm(&["kill", "-KILL", &study.dispatcher().to_string()]);
    assert_ne!(run.ends().code, 0);
    say("the dispatcher was killed");
    std::thread::sleep(Duration::from_secs(5));
    let run = study.start(&node);
    let said = run.ends();
    say("the run that followed it has ended");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("of the run before, whose dispatcher ended without a word"), "they are adopted: {}", said.err);
    assert!(kept > 0 && study.results() > kept);
    assert!(study.tasks("PENDING,RUNNING").is_empty(), "no worker is left");
    assert!(study.checkpoints().is_empty(), "results make them needless");
    study.is_as_here();
    say("the same study was run here");
    let scores = ["show", study.file, "--results", "--json"];
    assert_eq!(study.said("login", &scores).out, study.desk.succeed(&scores), "the scores are equal, bit by bit");
}
