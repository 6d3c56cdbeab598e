//! Runs whose workers Slurm starts: with a pretended Slurm (`tests/slurm/fake`), whose jobs are processes of this machine and whose commands
//! can be made to behave oddly. The real one is in `tests/slurm/rig`, see `docs/slurm.md`.

use crate::desk::{Desk, Said, wait_until};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

mod patience;

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
        assert_eq!(results(made(self.desk.path(""))), results(made(here.path(""))));
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
    let screen = cluster.run(&["tui", "--screen", "runs", "--json"]).out;
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

/// The results of a desk's workspace, without halves.
fn results(of: &Desk) -> BTreeSet<String> {
    made(of.path("")).into_iter().filter(|name| !name.contains(".part-")).collect()
}

/// Which slots of which device attempts were made in, as the journals say.
fn slots(desk: &Desk) -> BTreeSet<(String, u64)> {
    let attempts = desk.succeed(&["export", MICRO, "--what", "attempts", "--format", "jsonl"]);
    let attempts = attempts.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    attempts.map(|of| (of["device"].as_str().unwrap().to_owned(), of["slot"].as_u64().unwrap_or(0))).collect()
}

#[test]
fn networks_go_to_the_cluster_while_the_rest_is_made_here() {
    let (here, cluster) = (Desk::with_pretence(), Cluster::of(Desk::with_pretence()));
    here.succeed(&["run", MICRO, "--quiet"]);
    let said = cluster.run(&["run", MICRO, "--on", "local,slurm", "--jobs", "2"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(results(&cluster.desk), results(&here));
    let devices: BTreeSet<String> = slots(&cluster.desk).into_iter().map(|(device, _)| device).collect();
    assert_eq!(devices, ["cpu", "pretend:0"].map(str::to_owned).into(), "both places did something");
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
    let here = Desk::with_digits();
    let cluster = with_dispatcher_in_a_job();
    here.succeed(&["run", SMALL, "--quiet"]);
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
    let done = format!("{}|N/A|COMPLETED|", told["job"]);
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
