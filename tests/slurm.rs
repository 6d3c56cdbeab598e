//! Runs whose workers Slurm starts: with a pretended Slurm (`tests/slurm/fake`), whose jobs are processes of this machine and whose commands
//! can be made to behave oddly. The real one is in `tests/slurm/rig`, see `docs/slurm.md`.

use crate::desk::{Desk, Said, wait_until};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use visavis_core::store::Injection;

mod patience;

mod places;

mod programs;

const SMALL: &str = "experiments/small.yaml";
const MICRO: &str = "experiments/micro.yaml";

/// A desk with a pretended Slurm.
struct Cluster {
    desk: Desk,
}

impl Cluster {
    fn new() -> Self {
        Self::of(Desk::with_digits())
    }

    fn of(desk: Desk) -> Self {
        fs::create_dir(desk.path("fake")).unwrap();
        Cluster { desk }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(arguments);
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm/fake");
        let path = format!("{}:{}", fake.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("FAKE_SLURM", self.desk.path("fake"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// Makes a command of Slurm begin with a piece of shell.
    fn odd(&self, command: &str, shell: &str) {
        self.desk.write(&format!("fake/odd.{command}"), shell.as_bytes());
    }

    /// How often a command of Slurm was run.
    fn asked(&self, command: &str) -> usize {
        let word = format!(" {command} ");
        self.desk.read("fake/asked").lines().filter(|line| line.contains(&word)).count()
    }
}

impl Cluster {
    /// The results are those of a run here.
    fn is_as(&self, here: &Desk) {
        let study = if here.path(MICRO).exists() { MICRO } else { SMALL };
        here.write(study, self.desk.read(study).as_bytes());
        here.succeed(&["run", study, "--on", "local", "--quiet"]);
        let results = |of: BTreeSet<String>| of.into_iter().filter(|name| !name.contains(".part-")).collect::<BTreeSet<_>>();
        assert_eq!(results(made(&self.desk.path(""))), results(made(&here.path(""))));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let fake = self.desk.path("fake/jobs");
        for job in fs::read_dir(fake).into_iter().flatten().flatten() {
            if let Ok(pid) = fs::read_to_string(job.path().join("pid")) {
                Command::new("kill").args(["-KILL", pid.trim()]).stderr(std::process::Stdio::null()).status().ok();
            }
        }
    }
}

/// The names of all results and of all objects: keys, and what results are made of.
pub(crate) fn made(root: &Path) -> BTreeSet<String> {
    let names = |folder: PathBuf| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let results = names(root.join("data/results"));
    let objects = names(root.join("data/objects")).into_iter().filter(|path| path.is_dir()).flat_map(names);
    results.into_iter().chain(objects).map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

#[test]
fn a_study_on_slurm_gives_the_results_of_a_run_here() {
    let (here, cluster) = (Desk::with_digits(), Cluster::new());
    // Banners of a site, and the number of a job with the cluster of a federation.
    cluster.odd("sbatch", "echo '*** Welcome ***'; echo 'Quota: 80 %' >&2");
    cluster.desk.write("fake/cluster", b"east-1");
    let said = cluster.run(&["run", SMALL, "--on", "slurm"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    cluster.is_as(&here);
    assert_eq!(cluster.asked("sbatch"), 1, "one array");
    assert_eq!(cluster.run(&["run", SMALL]).code, 0);
}

#[test]
fn what_would_be_submitted_is_printed_and_nothing_is_run() {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL) + "\nrun: { slurm: { partition: gpu, time: 4:00:00, prologue: [module load cuda] } }\n";
    cluster.desk.write(SMALL, text.as_bytes());
    let said = cluster.run(&["run", SMALL, "--print-script"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for part in ["sbatch --parsable", "--partition=gpu", "--time=04:00:00", "module load cuda", "exec ", "work "] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert!(!cluster.desk.path("fake/asked").exists() && !cluster.desk.path("data/post").exists());
}

#[test]
fn what_the_cluster_does_not_have_is_told_in_slurms_words_at_its_line() {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL);
    for (key, value, words) in [
        ("partition", "nowhere", "invalid partition specified: nowhere"),
        ("account", "nobody", "Invalid account or account/partition combination specified"),
        ("qos", "none", "Invalid qos specification"),
        ("gres", "tpu:1", "Invalid generic resource (gres) specification"),
        ("gres", "gpu:9", "Requested node configuration is not available"),
        ("constraint", "nothing", "Invalid feature specification"),
    ] {
        cluster.desk.write(SMALL, format!("{text}run:\n  slurm:\n    cpus: 1\n    {key}: {value}\n").as_bytes());
        let said = cluster.run(&["run", SMALL]);
        assert_eq!(said.code, 5, "{key}: {}", said.err);
        assert!(said.err.contains(words), "{key}: {}", said.err);
        let line = format!("small.yaml:{}:", text.lines().count() + 4);
        assert!(said.err.contains(&line) && said.err.contains(&format!("run.slurm.{key}")), "{key}: {}", said.err);
    }
}

#[test]
fn a_limit_of_the_cluster_is_told_at_the_line_of_the_workers() {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL);
    cluster.desk.write(SMALL, format!("{text}run:\n  slurm:\n    workers: 50\n").as_bytes());
    let limit = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
    cluster.odd(
        "sbatch",
        &format!("echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; echo \"sbatch: error: Batch job submission failed: {limit}\" >&2; exit 1"),
    );
    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains("QOSMaxSubmitJobPerUserLimit") && said.err.contains("job submit limit"), "{}", said.err);
    assert!(said.err.contains(&format!("small.yaml:{}:", text.lines().count() + 3)), "{}", said.err);
}

#[test]
fn the_workers_within_a_limit_do_the_work_of_those_beyond_it() {
    let (here, cluster) = (Desk::with_digits(), Cluster::new());
    let text = cluster.desk.read(SMALL) + "run: { slurm: { workers: 8 } }\n";
    cluster.desk.write(SMALL, text.as_bytes());
    let refusal = "echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2; echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy' >&2";
    cluster.odd("sbatch", &format!("[ -e \"$FAKE_SLURM/next\" ] && {{ {refusal}; exit 1; }}"));
    let said: Said = cluster.command(&["run", SMALL]).env("FAKE_MAX_ARRAY", "3").output().unwrap().into();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(cluster.asked("sbatch"), 2, "what would follow a refusal is not tried");
    cluster.is_as(&here);
}

#[test]
fn a_machine_without_slurm_says_so() {
    let desk = Desk::with_digits();
    let said: Said = desk.command(&["run", SMALL, "--on", "slurm"]).env("PATH", "/nowhere").output().unwrap().into();
    assert!(said.code == 5 && said.err.contains("there is no Slurm on this machine"), "{} {}", said.code, said.err);
    assert!(said.err.contains("--on local"), "{}", said.err);
}

#[test]
fn a_submission_that_fails_after_it_went_through_is_not_made_twice() {
    let (here, cluster) = (Desk::with_digits(), Cluster::new());
    cluster.desk.write("fake/cluster", b"east-1");
    cluster.odd(
        "sbatch",
        "after() { echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1; }",
    );
    let said = cluster.run(&["run", SMALL, "--on", "slurm"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(cluster.asked("sbatch"), 1);
    cluster.is_as(&here);
}

#[test]
fn workers_that_end_before_they_say_hello_stop_the_run_with_their_last_words() {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL) + "run: { slurm: { prologue: [\"echo no such module >&2\", exit 7] } }\n";
    cluster.desk.write(SMALL, text.as_bytes());
    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains("before they were ready to work") && said.err.contains("no such module"), "{}", said.err);
    assert_eq!(cluster.asked("sbatch"), 1, "not again and again");
    // What the others printed is kept as well.
    let logs = cluster.run(&["logs"]).out;
    assert!(logs.contains("ended before its worker said hello") && logs.contains("1_2 │ no such module"), "{logs}");
}

#[test]
fn where_a_stage_ran_is_told_with_node_and_job() {
    let cluster = Cluster::new();
    let said = cluster.run(&["run", SMALL, "--on", "slurm", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains(r#""event":"workers""#) && said.out.contains(r#""by":"Slurm""#), "{}", said.out);
    for command in [&["explain", "rank"][..], &["logs", "rank"]] {
        assert!(cluster.run(command).out.contains("Slurm job 1_"), "{command:?}: {}", cluster.run(command).out);
    }
    assert!(cluster.desk.succeed(&["plan", SMALL, "--on", "slurm", "--json"]).contains(r#""on":"slurm""#));
}

#[test]
fn while_slurm_starts_no_worker_everybody_is_told_so_and_drain_takes_the_jobs_back() {
    let cluster = Cluster::new();
    cluster.desk.write("fake/waits", b"");
    assert_eq!(cluster.run(&["run", SMALL, "--on", "slurm", "--detach"]).code, 0);
    let status = || cluster.run(&["status"]).out;
    wait_until("the workers are submitted", || status().contains("0 workers of Slurm here, 4 submitted"));
    let explained = cluster.run(&["explain", "index"]).out;
    assert!(explained.contains("It waits for a worker") && explained.contains("Slurm was asked for 4 more"), "{explained}");
    let screen = cluster.run(&["tui", "--screen", "runs", "--plain"]).out;
    assert!(screen.contains("4 submitted"), "{screen}");
    cluster.desk.succeed(&["drain"]);
    wait_until("the run ends", || !status().contains("running, started") && !status().contains("draining"));
    assert!(fs::read_dir(cluster.desk.path("fake/jobs")).unwrap().next().is_none(), "nothing waits any more");
}

#[test]
fn a_job_that_is_cancelled_ends_its_worker_and_the_others_go_on() {
    let cluster = Cluster::new();
    let stall = format!("export {}='project pixels=stall'", Injection::Mishaps.variable());
    let text = cluster.desk.read(SMALL) + &format!("run: {{ slurm: {{ prologue: [\"{stall}\"] }} }}\n");
    cluster.desk.write(SMALL, text.as_bytes());
    assert_eq!(cluster.run(&["run", SMALL, "--detach"]).code, 0);
    let status = || cluster.desk.json(&["status"]);
    let place = |status: &serde_json::Value| {
        let listed = status["listed"].as_array().unwrap().iter();
        let job = listed.clone().find(|job| job["label"].as_str().unwrap().starts_with("project pixels"))?["job"].clone();
        let at_work = status["at_work"].as_array().unwrap().iter().find(|of| of["job"] == job)?;
        let slurm = &at_work["machine"]["slurm"];
        Some(format!("{}_{}", slurm["array"].as_u64()?, slurm["index"].as_u64()?))
    };
    wait_until("the job runs", || place(&status()).is_some());
    let job = place(&status()).unwrap();
    cluster.desk.succeed(&["cancel", "project", "pixels"]);
    wait_until("it is cancelled, and the run ends", || {
        let now = status();
        now["jobs"]["cancelled"] == 1 && now["state"] == "ended"
    });
    let pid = cluster.desk.read(&format!("fake/jobs/{job}/pid"));
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "its worker is gone");
    cluster.desk.succeed(&["retry"]);
    cluster.desk.succeed(&["run", SMALL, "--on", "local"]);
}
