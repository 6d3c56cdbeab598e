//! What the queue says that is odd. It is first asked half a minute after a submission, so each of these takes a minute or more: they are of
//! `make test-long` (`scripts/tests-left-out`).

use super::{Cluster, MICRO};
use crate::{desk::Desk, nodes::Running};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A study of networks that pretend to learn, each for so many epochs of a fiftieth of a second, on so many workers.
fn study(epochs: u32, workers: u32) -> (Desk, Cluster) {
    let desk = || {
        let desk = Desk::with_pretence();
        desk.edit(MICRO, "epochs: 4", &format!("epochs: {epochs}"));
        desk.write(MICRO, format!("{}run: {{ slurm: {{ workers: {workers} }} }}\n", desk.read(MICRO)).as_bytes());
        desk
    };
    (desk(), Cluster::of(desk()))
}

impl Cluster {
    fn start(&self) -> Running {
        let mut command = self.command(&["run", MICRO]);
        // What people set to see other columns.
        Running::start(command.env("SQUEUE_FORMAT", "%u").env("SQUEUE_STATES", "RUNNING").env("SLURM_TIME_FORMAT", "relative"))
    }

    fn wait(&self, seconds: u64, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            assert!(since.elapsed() < Duration::from_secs(seconds), "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn has_asked(&self, command: &str) -> usize {
        if self.desk.path("fake/asked").exists() { self.asked(command) } else { 0 }
    }

    /// Jobs wait from here on, or start no longer.
    fn holds_jobs(&self, hold: bool) {
        if hold { self.desk.write("fake/waits", b"") } else { fs::remove_file(self.desk.path("fake/waits")).unwrap() }
    }

    /// Jobs that wait are started when the queue is asked.
    fn nudge(&self) {
        let squeue = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/fake/squeue");
        let ended = Command::new(squeue).env("FAKE_SLURM", self.desk.path("fake")).stdout(Stdio::null()).status().unwrap();
        assert!(ended.success());
    }

    /// Slurm says this of an element of the first array, whatever it does.
    fn says(&self, index: usize, state: &str) {
        self.desk.write(&format!("fake/jobs/1_{index}/state"), format!("{state}\n").as_bytes());
    }
}

/// Every state that says nothing of a worker's end, one that does not exist, and three that are no words.
const NOT_OVER: [&str; 21] = [
    "PENDING",
    "CONFIGURING",
    "COMPLETING",
    "RUNNING",
    "RESV_DEL_HOLD",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "REQUEUED",
    "RESIZING",
    "REVOKED",
    "SIGNALING",
    "SPECIAL_EXIT",
    "STAGE_OUT",
    "STOPPED",
    "SUSPENDED",
    "EXPEDITING",
    "LAUNCH_FAILED",
    "HIBERNATING",
    "",
    "PEND",
    "R|NING",
];

#[test]
fn whatever_the_queue_says_that_is_no_end_workers_are_waited_for() {
    let (here, cluster) = study(4, NOT_OVER.len() as u32);
    cluster.holds_jobs(true);
    // Banners before and after, a line that is cut, and one of somebody else.
    let banners = "echo 'Welcome to the cluster | maintenance on 12 May'; echo 'slurm_load_jobs: warning' >&2; after() { echo '1|3|CANCELL'; echo '1|4|COMPLETED'; echo '9|N/A|COMPLETED|n1|None'; }";
    cluster.odd("squeue", banners);
    let run = cluster.start();
    cluster
        .wait(60, "an array", |cluster| cluster.has_asked("sbatch") == 1 && cluster.desk.path("fake/jobs/1_20/state").exists());
    NOT_OVER.iter().enumerate().for_each(|(index, state)| cluster.says(index, state));
    cluster.wait(90, "two looks", |cluster| cluster.asked("squeue") >= 2);
    assert_eq!(cluster.asked("sbatch"), 1, "none is given up");
    (0..NOT_OVER.len()).for_each(|index| cluster.says(index, "PENDING"));
    cluster.holds_jobs(false);
    cluster.nudge();
    let said = run.ends();
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("waiting"), "{}", said.err);
    assert_eq!(cluster.asked("sbatch"), 1);
    cluster.is_as(&here);
}

#[test]
fn workers_that_ended_in_whatever_way_are_replaced_by_as_many() {
    const OVER: [&str; 9] =
        ["BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT"];
    let (here, cluster) = study(4, OVER.len() as u32);
    cluster.holds_jobs(true);
    let run = cluster.start();
    cluster.wait(60, "an array", |cluster| cluster.desk.path("fake/jobs/1_8/state").exists());
    // None of them ever had a node: no start of a worker went wrong.
    OVER.iter().enumerate().for_each(|(index, state)| cluster.says(index, state));
    cluster.wait(90, "others", |cluster| cluster.asked("sbatch") == 2);
    cluster.wait(10, "as many", |cluster| cluster.desk.path("fake/jobs/2_8/state").exists());
    assert!(!cluster.desk.path("fake/jobs/2_9").exists());
    cluster.holds_jobs(false);
    cluster.nudge();
    let said = run.ends();
    assert_eq!(said.code, 0, "{}", said.err);
    cluster.is_as(&here);
}

#[test]
fn a_queue_that_is_empty_although_all_is_well_ends_nobody_at_once() {
    let (here, cluster) = study(4, 1);
    cluster.holds_jobs(true);
    cluster.odd("squeue", "exit 0");
    let run = cluster.start();
    cluster.wait(90, "two looks", |cluster| cluster.has_asked("squeue") >= 2);
    assert_eq!(cluster.asked("sbatch"), 1);
    fs::remove_file(cluster.desk.path("fake/odd.squeue")).unwrap();
    cluster.holds_jobs(false);
    cluster.nudge();
    let said = run.ends();
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(cluster.asked("sbatch"), 1);
    cluster.is_as(&here);
}

#[test]
fn a_queue_that_hangs_or_is_refused_holds_nobody_up() {
    for (odd, epochs) in
        [("sleep 60", 600), ("echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1", 600)]
    {
        let (here, cluster) = study(epochs, 2);
        cluster.odd("squeue", odd);
        cluster.holds_jobs(true);
        let run = cluster.start();
        cluster.wait(60, "an array", |cluster| cluster.desk.path("fake/jobs/1_1/state").exists());
        // One of two starts, and does all.
        cluster.says(1, "CONFIGURING");
        cluster.holds_jobs(false);
        fs::remove_file(cluster.desk.path("fake/odd.squeue")).unwrap();
        cluster.nudge();
        cluster.odd("squeue", odd);
        let said = run.ends();
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(cluster.asked("squeue") >= 2, "it was asked while it was odd");
        assert_eq!(cluster.asked("sbatch"), 1);
        cluster.is_as(&here);
    }
}
