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

const SMALL: &str = "experiments/small.yaml";

/// A desk with a pretended Slurm.
struct Cluster {
    desk: Desk,
}

impl Cluster {
    fn new() -> Self {
        let desk = Desk::with_digits();
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
pub(crate) fn made(root: PathBuf) -> BTreeSet<String> {
    let names = |folder: PathBuf| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let results = names(root.join("data/results"));
    let objects = names(root.join("data/objects")).into_iter().filter(|path| path.is_dir()).flat_map(names);
    results.into_iter().chain(objects).map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect()
}

#[test]
fn a_study_on_slurm_gives_the_results_of_a_run_here() {
    let (here, cluster) = (Desk::with_digits(), Cluster::new());
    here.succeed(&["run", SMALL, "--quiet"]);
    // Banners of a site, and a variable that would change what `squeue` prints.
    cluster.odd("sbatch", "echo '*** Welcome ***'");
    let said: Said = cluster.command(&["run", SMALL, "--on", "slurm"]).env("SQUEUE_FORMAT", "%u").output().unwrap().into();
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let results = |of: BTreeSet<String>| of.into_iter().filter(|name| !name.contains(".part-")).collect::<BTreeSet<_>>();
    assert_eq!(results(made(cluster.desk.path(""))), results(made(here.path(""))));
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
fn a_partition_that_is_not_there_is_told_in_slurms_words_at_its_line() {
    let cluster = Cluster::new();
    let lines = cluster.desk.read(SMALL).lines().count();
    cluster.desk.write(SMALL, (cluster.desk.read(SMALL) + "run:\n  slurm:\n    partition: nowhere\n").as_bytes());
    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains("invalid partition specified: nowhere"), "{}", said.err);
    assert!(said.err.contains(&format!("small.yaml:{}:", lines + 3)), "{}", said.err);
}

#[test]
fn workers_that_end_before_they_say_hello_stop_the_run_with_their_last_words() {
    let cluster = Cluster::new();
    let text = cluster.desk.read(SMALL) + "run: { slurm: { prologue: [\"echo no such module >&2\", exit 7] } }\n";
    cluster.desk.write(SMALL, text.as_bytes());
    let said = cluster.run(&["run", SMALL]);
    assert_eq!(said.code, 5, "{}", said.err);
    assert!(said.err.contains("before they said hello") && said.err.contains("no such module"), "{}", said.err);
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
