//! Runs on this machine and on Slurm, and dispatchers in jobs of their own.

use super::{Cluster, MICRO, SMALL, made};
use crate::desk::{Desk, Said, wait_until};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// The results of a desk's workspace, without halves.
fn results(of: &Desk) -> BTreeSet<String> {
    made(&of.path("")).into_iter().filter(|name| !name.contains(".part-")).collect()
}

/// The devices on which attempts were made.
fn devices(desk: &Desk) -> BTreeSet<String> {
    let attempts = desk.succeed(&["export", MICRO, "--what", "attempts", "--format", "jsonl"]);
    let attempts = attempts.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    attempts.map(|of| of["device"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn networks_go_to_the_cluster_while_the_rest_is_made_here() {
    let (here, cluster) = (Desk::with_pretence(), Cluster::of(Desk::with_pretence()));
    here.succeed(&["run", MICRO, "--quiet"]);
    let said = cluster.run(&["run", MICRO, "--on", "local,slurm", "--jobs", "2"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(results(&cluster.desk), results(&here));
    assert_eq!(devices(&cluster.desk), ["cpu", "pretend:0"].map(str::to_owned).into(), "both places did something");
    // Where each was made is told, of either place.
    let explained = |job: &str| cluster.desk.succeed(&[&["explain"][..], &job.split(' ').collect::<Vec<_>>()].concat());
    let (there, own) = (explained("train resnet34-softmax"), explained("rank"));
    assert!(there.contains("Slurm job 1_") && there.contains(" on "), "{there}");
    assert!(own.contains(" on ") && !own.contains("Slurm job"), "{own}");
    // Four networks to train and to look through: no more workers than that are asked for.
    let asked = cluster.desk.read("fake/asked");
    assert!(asked.lines().filter(|line| line.contains(" sbatch ")).all(|line| line.contains("--array=0-3 ")), "{asked}");
    assert_eq!(cluster.run(&["run", MICRO, "--on", "local,slurm", "--print-script"]).code, 0);
    let refused = cluster.run(&["run", MICRO, "--on", "slurm", "--jobs", "2", "--force"]);
    assert!(refused.code == 2 && refused.err.contains("--on local,slurm"), "{}", refused.err);
}

/// A desk with a pretended Slurm, and a study whose dispatcher is to be a job.
fn with_dispatcher_in_a_job() -> Cluster {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL) + "run: { slurm: { workers: 2, account: faces, dispatcher: { job: { time: 1-00 } } } }\n";
    cluster.desk.write(SMALL, text.as_bytes());
    cluster
}

impl Cluster {
    /// The states of all jobs, as `squeue` tells them: settled, and those that wait are started if they may.
    fn states(&self) -> String {
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/fake/squeue");
        let mut squeue = Command::new(fake);
        let said: Said = squeue.env("FAKE_SLURM", self.desk.path("fake")).output().unwrap().into();
        said.out
    }

    /// Waits for a study that a dispatcher in a job makes.
    fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let since = Instant::now();
        while !holds() {
            let log = self.log_of_dispatcher(1) + &self.log_of_dispatcher(2) + &self.log_of_dispatcher(3);
            assert!(since.elapsed() < Duration::from_secs(120), "waited in vain: {what}: {}\n{log}", self.states());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn log_of_dispatcher(&self, job: u64) -> String {
        fs::read_to_string(self.desk.path(&format!("data/post/dispatcher/{job}.log"))).unwrap_or_default()
    }
}

#[test]
fn a_dispatcher_in_a_job_of_its_own_makes_the_study() {
    let (here, cluster) = (Desk::with_digits(), with_dispatcher_in_a_job());
    // The text of a study is an object, too.
    here.write(SMALL, cluster.desk.read(SMALL).as_bytes());
    here.succeed(&["run", SMALL, "--on", "local", "--quiet"]);
    let printed = cluster.run(&["run", SMALL, "--print-script"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    for part in
        ["--time=1-00:00:00", "--account=faces", "--cpus-per-task=1", "--requeue", "--in-job=", "# What the dispatcher then"]
    {
        assert!(printed.out.contains(part), "{part}: {}", printed.out);
    }
    assert!(!cluster.desk.path("fake/asked").exists() && !cluster.desk.path("data/post").exists());

    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("the job 1 of Slurm") && said.out.contains("data/post/dispatcher/1.log"), "{}", said.out);
    cluster.wait_for("the dispatcher's job ends", || cluster.states().contains("1|N/A|COMPLETED|"));
    cluster.is_as(&here);
    assert!(cluster.asked("sbatch") >= 2, "the dispatcher, and its workers");
    let again = cluster.run(&["run", SMALL]);
    assert!(again.code == 0 && again.out.contains("0 stages ran"), "{}{}", again.out, again.err);
}

#[test]
fn a_dispatcher_whose_job_is_ended_ends_its_workers_and_the_next_goes_on() {
    let cluster = with_dispatcher_in_a_job();
    // As soon as workers are submitted, jobs wait in the queue; the dispatcher's has started before.
    cluster.odd("sbatch", "case \"$*\" in *--array*) : > \"$FAKE_SLURM/waits\" ;; esac");
    assert_eq!(cluster.run(&["run", SMALL]).code, 0);
    let second = cluster.run(&["run", SMALL]);
    assert_ne!(second.code, 0);
    let is_there = second.err.contains("job 1 of Slurm dispatches") || second.err.contains("another");
    assert!(is_there, "{}", second.err);
    wait_until("workers are submitted", || cluster.asked("sbatch") >= 2);
    let scancel = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/fake/scancel");
    let ended = Command::new(scancel).arg("1").env("FAKE_SLURM", cluster.desk.path("fake")).status().unwrap();
    assert!(ended.success());
    wait_until("the dispatcher ends", || cluster.log_of_dispatcher(1).contains("interrupted"));
    wait_until("no worker is left", || !cluster.states().contains("PENDING") && !cluster.states().contains("RUNNING"));

    fs::remove_file(cluster.desk.path("fake/odd.sbatch")).unwrap();
    fs::remove_file(cluster.desk.path("fake/waits")).unwrap();
    let said = cluster.run(&["run", SMALL, "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let told: serde_json::Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
    assert_eq!(told["event"], "submitted");
    let done = format!("{}|N/A|COMPLETED|", told["slurm_job"]);
    cluster.wait_for("the next one makes the rest", || cluster.states().contains(&done));
    assert!(cluster.run(&["run", SMALL]).out.contains("0 stages ran"));
}

#[test]
fn a_dispatcher_that_slurm_takes_no_job_of_is_refused_at_its_line() {
    let cluster = Cluster::new();
    let lines = cluster.desk.read(SMALL).lines().count();
    let text = cluster.desk.read(SMALL) + "run:\n  slurm:\n    dispatcher: job\n    partition: nowhere\n";
    cluster.desk.write(SMALL, text.as_bytes());
    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains("invalid partition specified: nowhere"), "{}", said.err);
    assert!(said.err.contains(&format!("small.yaml:{}:", lines + 4)), "{}", said.err);
    let both = cluster.run(&["run", SMALL, "--on", "local,slurm"]);
    assert_eq!(both.code, 2, "{}", both.err);
    assert!(both.err.contains(&format!("small.yaml:{}:", lines + 3)), "{}", both.err);
}
