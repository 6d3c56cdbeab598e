//! A run that goes on: what people ask of it, what it tries again, what they are told. What a dispatcher decides by the time is tested in
//! memory (`study/dispatch/engine/tests.rs`); here are the processes.

use crate::desk::{Desk, Inject, Said, wait_until};
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

const STUDY: &str = "experiments/micro.yaml";

/// A study whose networks take so long to pretend that one can step in.
fn long(epochs: usize) -> Desk {
    let desk = Desk::with_pretence();
    desk.edit(STUDY, "epochs: 4", &format!("epochs: {epochs}"));
    desk
}

/// Runs with mishaps; the attempts that were made.
fn run_with(desk: &Desk, mishaps: &str, arguments: &[&str]) -> (Said, Vec<serde_json::Value>) {
    let said =
        desk.command(&[&["run", STUDY][..], arguments].concat()).inject(Injection::Mishaps, mishaps).output().unwrap().into();
    (said, attempts(desk))
}

fn attempts(desk: &Desk) -> Vec<serde_json::Value> {
    let out = desk.succeed(&["export", STUDY, "--what", "attempts", "--format", "jsonl"]);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The endings of the attempts at one job, in their order.
fn endings(attempts: &[serde_json::Value], label: &str) -> Vec<String> {
    let of = attempts.iter().filter(|attempt| attempt["label"] == label);
    of.map(|attempt| attempt["ending"].as_str().unwrap().to_owned()).collect()
}

/// What `status` says as soon as this holds of it.
fn wait(desk: &Desk, what: &str, holds: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    let mut status = serde_json::Value::Null;
    wait_until(what, || {
        status = desk.json(&["status"]);
        holds(&status)
    });
    status
}

/// Whether a process has a handler for SIGINT: the second bit of the mask that the kernel shows (proc(5)).
fn catches_interrupts(process: u32) -> bool {
    let about = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = about.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 0b10 != 0
}

fn jobs(status: &serde_json::Value, state: &str) -> u64 {
    status["jobs"][state].as_u64().unwrap()
}

/// A run in the background that ends with the test.
struct Detached<'a>(&'a Desk);

impl<'a> Detached<'a> {
    fn start(desk: &'a Desk) -> Self {
        desk.succeed(&["run", STUDY, "--detach"]);
        Detached(desk)
    }
}

impl Drop for Detached<'_> {
    fn drop(&mut self) {
        let status = self.0.visavis(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.out).unwrap_or_default();
        if status["state"] == "running" {
            Command::new("kill").args(["-9", &status["process"].to_string()]).status().ok();
        }
    }
}

#[test]
fn what_may_end_otherwise_is_tried_again_and_what_cannot_is_not() {
    let desk = Desk::with_pretence();
    let mishaps = "train resnet34-softmax=crash*1; train resnet34-arcface=memory*2; train seresnet34-softmax=diverged; train seresnet34-arcface=input";
    let (said, attempts) = run_with(&desk, mishaps, &[]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(endings(&attempts, "train resnet34-softmax"), ["crash", "done"]);
    assert_eq!(endings(&attempts, "train resnet34-arcface"), ["memory", "memory", "done"]);
    assert_eq!(endings(&attempts, "train seresnet34-softmax"), ["diverged"]);
    assert_eq!(endings(&attempts, "train seresnet34-arcface"), ["input"]);
    let memory = attempts.iter().find(|attempt| attempt["ending"] == "memory").unwrap();
    assert!(memory["log"].as_str().unwrap().contains("memory allocation of 8589934592 bytes failed"), "{memory}");
    assert_eq!(memory["exit"], "exit status: 1", "{memory}");
    for field in ["program_digest", "study_text", "host", "cpu", "system", "worker", "run"] {
        assert!(memory[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {memory}");
    }
    assert!(memory["environment"].as_str().unwrap().contains("VISAVIS_MISHAPS"), "what matters of the environment is kept");
    // What did not depend on the failures was done, and the next run does the rest.
    assert!(desk.json(&["status"])["jobs"]["done"].as_u64() > Some(25));
    desk.succeed(&["run", STUDY, "--quiet"]);
}

#[test]
fn attempts_are_bounded_and_all_of_them_are_kept_and_a_bug_is_told() {
    let desk = Desk::with_pretence();
    let mishaps = "train resnet34-softmax=crash; train resnet34-arcface=bug";
    let (said, attempts) = run_with(&desk, mishaps, &["--attempts", "2"]);
    assert!(said.code == 3 && said.err.contains("a bug in visavis stopped this stage"), "{}", said.err);
    assert_eq!(endings(&attempts, "train resnet34-softmax"), ["crash", "crash"]);
    assert_eq!(endings(&attempts, "train resnet34-arcface"), ["bug"]);
    let told = desk.succeed(&["explain", "train", "resnet34-softmax"]);
    assert!(
        told.contains("failed") && told.contains("Attempt 2") && told.contains("signal: 9") && told.contains("→ visavis run"),
        "{told}"
    );
    let log = desk.succeed(&["logs", "train", "resnet34-softmax"]);
    assert!(log.contains("attempt 2 on pretend:0") && log.contains("the worker ended before the stage did"), "{log}");
}

/// That the engine's decisions reach real processes; which it takes when is tested in memory.
#[test]
fn a_worker_that_hangs_and_one_that_takes_too_long_are_ended_and_tried_again() {
    let desk = Desk::with_pretence();
    let mishaps = "train resnet34-softmax=silence*1; train resnet34-arcface=stall*1";
    let (said, attempts) = run_with(&desk, mishaps, &["--patience", "2", "--limit", "3"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(endings(&attempts, "train resnet34-softmax"), ["silence", "done"]);
    assert_eq!(endings(&attempts, "train resnet34-arcface"), ["timeout", "done"]);
}

#[test]
fn a_detached_run_outlives_its_shell_and_is_seen_steered_and_drained_from_others() {
    let desk = long(400);
    let program = crate::desk::program();
    // The shell that starts it is gone at once, and its terminal with it.
    let shell = Command::new("setsid")
        .args(["bash", "-c", &format!("{program} run {STUDY} --detach --json; kill -HUP 0")])
        .current_dir(desk.path("."))
        .env("XDG_CACHE_HOME", desk.cache())
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let detached: serde_json::Value = serde_json::from_slice(&shell.stdout).unwrap();
    let run = Detached(&desk);
    let status = wait(&desk, "two trainings", |status| status["devices"][1]["busy"] == 2);
    assert_eq!((&status["state"], &status["process"]), (&"running".into(), &detached["process"]));
    assert_eq!(status["devices"][1]["device"], "pretend:0");

    // A second one is told who is there.
    let second = desk.visavis(&["run", STUDY]);
    assert!(second.code == 5 && second.err.contains("running micro") && second.err.contains("visavis attach"), "{}", second.err);

    // One that runs is cancelled: its worker ends, another takes its place.
    desk.succeed(&["cancel", "train", "resnet34-softmax"]);
    let status = wait(&desk, "the cancelled job", |status| jobs(status, "cancelled") == 1 && jobs(status, "running") == 2);
    assert_eq!(status["state"], "running");
    assert!(desk.succeed(&["explain", "train", "resnet34-softmax"]).contains("cancelled"), "said so");
    // It is retried; one that waits is paused.
    desk.succeed(&["retry", "train", "resnet34-softmax"]);
    wait(&desk, "the retried job", |status| jobs(status, "cancelled") == 0);
    desk.succeed(&["pause", "rank"]);
    wait(&desk, "the paused job", |status| jobs(status, "paused") == 1);
    // Attaching follows it, and leaving stops nothing.
    let mut attached: Child = desk.command(&["attach"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("attach listens for Ctrl-C", || catches_interrupts(attached.id()));
    Command::new("kill").args(["-INT", &attached.id().to_string()]).status().unwrap();
    assert_eq!(attached.wait().unwrap().code(), Some(0));
    assert_eq!(desk.json(&["status"])["state"], "running");

    desk.succeed(&["drain"]);
    let status = wait(&desk, "the end", |status| status["state"] == "ended");
    assert!(jobs(&status, "queued") > 0 && jobs(&status, "running") == 0 && jobs(&status, "failed") == 0, "{status}");
    drop(run);

    // What was drained goes on; the pause still stands, until it is lifted.
    desk.edit(STUDY, "epochs: 400", "epochs: 4");
    let said = desk.visavis(&["run", STUDY, "--quiet"]);
    assert!(
        said.code == 3 && said.err.contains("they are paused or cancelled") && said.err.contains("visavis retry"),
        "{}",
        said.err
    );
    desk.succeed(&["retry"]);
    desk.succeed(&["run", STUDY, "--quiet"]);
    assert!(desk.succeed(&["store", "rebuild"]).contains("equal to the one before"));
}

#[test]
fn a_run_that_is_paused_starts_nothing_more_and_waits() {
    let desk = long(100);
    let _run = Detached::start(&desk);
    wait(&desk, "a training", |status| jobs(status, "running") > 0);
    desk.succeed(&["pause"]);
    let status = wait(&desk, "nothing running", |status| jobs(status, "running") == 0);
    assert_eq!(status["held"], "paused");
    assert!(desk.succeed(&["status"]).contains("paused by a person"));
    assert!(desk.succeed(&["explain", "train", "seresnet34-arcface"]).contains("a person paused the run"));
    desk.succeed(&["retry"]);
    wait(&desk, "more running", |status| jobs(status, "running") > 0);
}

#[test]
fn a_run_without_a_device_for_its_networks_does_the_rest_and_says_so() {
    let desk = Desk::with_pretence();
    let said = desk.visavis(&["run", STUDY, "--devices", "cpu"]);
    assert!(said.code == 5 && said.err.contains("4 stages wait for a device"), "{}: {}", said.code, said.err);
    let said = desk.visavis(&["run", STUDY, "--devices", "pretend:0"]);
    assert_eq!(said.code, 0, "the processor is always there: {}", said.err);
}

#[test]
fn a_job_that_is_done_cannot_be_set_aside() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", STUDY, "--quiet"]);
    for act in ["pause", "cancel", "retry"] {
        let said = desk.visavis(&[act, "index", "dots"]);
        assert!(said.code == 2 && said.err.contains("is done: there is nothing to"), "{act}: {}", said.err);
    }
    desk.edit(STUDY, "epochs: 4", "epochs: 5");
    desk.succeed(&["run", STUDY, "--quiet"]);
}

#[test]
fn acts_on_nothing_are_told() {
    let desk = Desk::with_pretence();
    for act in [&["drain"][..], &["pause"], &["attach"], &["cancel", "train"], &["cancel"], &["explain", "train"]] {
        assert_eq!(desk.visavis(act).code, 2, "{act:?}");
    }
    desk.succeed(&["run", STUDY, "--quiet"]);
    let said = desk.visavis(&["cancel", "score"]);
    assert!(said.code == 2 && said.err.contains("means 37 jobs") && said.err.contains("--all"), "{}", said.err);
    assert_eq!(desk.visavis(&["cancel", "no such thing"]).code, 2);
}

#[test]
fn it_explains_what_waits_what_is_stale_and_what_is_done() {
    let desk = Desk::with_digits();
    let study = "experiments/small.yaml";
    desk.succeed(&["run", study, "--quiet"]);
    let told = desk.succeed(&["explain", "rank"]);
    assert!(told.contains("done") && told.contains("Its result is there: key"), "{told}");
    desk.edit("data/digits/labels.csv", "0000.png,0,1", "0000.png,1,0");
    let told = desk.succeed(&["explain", "score", "pixels", "pca", "zero", "or", "one"]);
    assert!(told.contains(": stale") && told.contains("labels/digit was ") && told.contains("visavis run"), "{told}");
    let told = desk.succeed(&["explain", "rank"]);
    assert!(told.contains("stale") && told.contains("is to be made again") && told.contains("not there yet"), "{told}");
    let plan = desk.json(&["plan", study]);
    let score = plan["stages"].as_array().unwrap().iter().find(|stage| stage["kind"] == "score").unwrap();
    assert_eq!((score["stale"].as_u64(), score["to_run"].as_u64()), (Some(9), Some(9)));
    assert!(
        plan["seconds_low"].as_f64() <= plan["seconds"].as_f64() && plan["seconds"].as_f64() <= plan["seconds_high"].as_f64()
    );
    // A changed parameter is named too.
    desk.edit("data/digits/labels.csv", "0000.png,1,0", "0000.png,0,1");
    desk.edit(study, "bootstraps: 60", "bootstraps: 61");
    let told = desk.succeed(&["explain", "score", "pixels", "pca", "ink"]);
    assert!(told.contains("bootstraps was 60 then and is 61 now"), "{told}");
}

#[test]
fn every_signal_that_stops_a_run_saves_its_state_and_ends_its_workers() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let desk = long(300);
        let mut run = desk.command(&["run", STUDY, "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
        wait(&desk, "a training", |status| status["devices"][1]["busy"] == 2);
        let workers = Command::new("pgrep").args(["-P", &run.id().to_string()]).output().unwrap().stdout;
        let clock = Instant::now();
        Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap();
        assert_eq!(run.wait().unwrap().code(), Some(130), "{signal}");
        assert!(clock.elapsed() < Duration::from_secs(3), "{signal} took {:?}", clock.elapsed());
        for worker in String::from_utf8_lossy(&workers).lines() {
            assert!(!std::path::Path::new("/proc").join(worker).exists(), "{signal}: worker {worker} lives");
        }
        let status = desk.json(&["status"]);
        assert_eq!((&status["state"], jobs(&status, "running")), (&"interrupted".into(), 0), "{signal}");
        let stopped = attempts(&desk).iter().filter(|attempt| attempt["ending"] == "stopped").count();
        assert_eq!(stopped, 2, "{signal}");
    }
}

/// Sixty-four networks that learn at once, each in a process with a journal of its own.
#[test]
fn sixty_four_writers_lose_nothing_and_nobody_sees_a_lock() {
    let desk = Desk::with_pretence();
    desk.edit(STUDY, "    train: { recipe: quick }", "    train: { recipe: quick, seeds: 16 }");
    desk.edit(STUDY, "gpu: { slots: 2 }", "gpu: { slots: 64 }");
    desk.edit(STUDY, "epochs: 4", "epochs: 60");
    let mut run = desk.command(&["run", STUDY, "--quiet", "--only", "train", "--patience", "120"]);
    let mut run = run.stderr(Stdio::piped()).spawn().unwrap();
    let (mut looks, mut most) = (0, 0);
    while run.try_wait().unwrap().is_none() {
        let said = desk.visavis(&["status", "--json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(!said.err.contains("lock"), "{}", said.err);
        let status: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        most = most.max(status["jobs"]["running"].as_u64().unwrap_or(0));
        looks += 1;
    }
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(looks > 3 && most >= 32, "{looks} looks saw at most {most} at once");
    // Sixty epochs of ten steps: 600 losses and 60 accuracies each.
    let rebuilt = desk.json(&["store", "rebuild"]);
    assert_eq!((rebuilt["points"].as_u64(), &rebuilt["equal"]), (Some(64 * 660), &true.into()), "{rebuilt}");
    let table = desk.succeed(&["export", STUDY, "--what", "metrics"]);
    assert_eq!(table.lines().count(), 64 * 660 + 1);
}
