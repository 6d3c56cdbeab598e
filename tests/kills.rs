//! Kills: workers, dispatchers and both, at random moments and at every write, sync, rename and link; disks that refuse
//! there. No acknowledged record is lost, and what comes out in the end equals an undisturbed run.
//!
//! A test process writes down what was acknowledged by itself ([`Injection::Acknowledged`]).

use crate::desk::{Desk, Inject, Said};
use std::{
    collections::BTreeSet,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};
use visavis_core::store::Injection;

const STUDY: &str = "experiments/micro.yaml";

/// The stages of this study that make do with what is there, in the words of findings.
const GATHER: [&str; 3] = ["rank", "score grid", "score layers"];

/// Twenty kills every day, a thousand when asked.
fn kills() -> usize {
    if std::env::var_os("VISAVIS_LONG").is_some() { 1000 } else { 20 }
}

/// What an undisturbed run finds, and how long it takes.
struct Undisturbed {
    findings: String,
    results: serde_json::Value,
    took: Duration,
}

fn undisturbed() -> &'static Undisturbed {
    static ONCE: OnceLock<Undisturbed> = OnceLock::new();
    ONCE.get_or_init(|| {
        let desk = Desk::with_pretence();
        let clock = Instant::now();
        desk.succeed(&["run", STUDY, "--quiet"]);
        let took = clock.elapsed();
        Undisturbed { findings: findings(&desk), results: desk.json(&["show", STUDY])["results"].clone(), took }
    })
}

fn findings(desk: &Desk) -> String {
    let found = desk.succeed(&["store", "dump", "--findings"]);
    assert!(found.contains("point\t") && found.contains("result\t"));
    found
}

/// A generator of no pretension (Marsaglia's xorshift, 2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn start(desk: &Desk) -> Child {
    let mut run = desk.command(&["run", STUDY, "--quiet"]);
    run.inject(Injection::Acknowledged, desk.path("acknowledged")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn workers(dispatcher: u32) -> Vec<u32> {
    let found = Command::new("pgrep").args(["-P", &dispatcher.to_string()]).output().unwrap();
    String::from_utf8_lossy(&found.stdout).lines().filter_map(|pid| pid.parse().ok()).collect()
}

fn kill(pids: &[u32]) {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    Command::new("kill").arg("-9").args(pids).stderr(Stdio::null()).status().unwrap();
}

fn alive(pid: u32) -> bool {
    // A zombie is no longer alive; its parent has only not looked.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

/// Records that were acknowledged, and those of them that the store does not hold.
fn accounts(desk: &Desk) -> (usize, Vec<String>) {
    let held: BTreeSet<String> = desk
        .succeed(&["store", "dump"])
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let table = fields.next()?;
            ["event", "metric", "log", "act"].contains(&table).then(|| Some(format!("{}\t{}", fields.next()?, fields.next()?)))?
        })
        .collect();
    let acknowledged = std::fs::read_to_string(desk.path("acknowledged")).unwrap_or_default();
    let lost = acknowledged.lines().filter(|line| !held.contains(*line)).map(str::to_owned).collect();
    (acknowledged.lines().count(), lost)
}

/// Whatever happened, in the end all is there, once, and as it should be.
fn comes_out_right(desk: &Desk, what: &str) -> usize {
    let said = run_with(desk, Injection::DiskFault, "");
    assert_eq!(said.code, 0, "{what}: {}", said.err);
    // Where a job failed for good, its run compared and ranked the others: what it made of them is there beside what is whole.
    let found = findings(desk);
    let held: BTreeSet<&str> = found.lines().collect();
    let lacks: Vec<&str> = undisturbed().findings.lines().filter(|line| !held.contains(line)).take(5).collect();
    assert_eq!(lacks, Vec::<&str>::new(), "{what}: findings of an undisturbed run are missing");
    let wanted: BTreeSet<&str> = undisturbed().findings.lines().collect();
    let results = |lines: &BTreeSet<&str>, stage| lines.iter().filter(|line| line.contains(&format!("\t{stage}\t"))).count();
    let partly = GATHER.iter().any(|stage| results(&held, stage) > results(&wanted, stage));
    let beyond: Vec<&str> = found.lines().filter(|line| !wanted.contains(line)).take(5).collect();
    assert!(
        partly || beyond.is_empty() && found == undisturbed().findings,
        "{what}: findings beyond an undisturbed run's: {beyond:?}"
    );
    assert_eq!(desk.json(&["show", STUDY])["results"], undisturbed().results, "{what}");
    let checked = desk.visavis(&["store", "check"]);
    // A record that was cut by a kill is named; nothing else may be wrong.
    let defects = checked.out.lines().filter(|line| line.starts_with('✕') && !line.contains("the journal"));
    assert_eq!(defects.collect::<Vec<_>>(), Vec::<&str>::new(), "{what}");
    assert!(desk.succeed(&["store", "rebuild"]).contains("equal to the one before"), "{what}");
    let (acknowledged, lost) = accounts(desk);
    assert!(acknowledged > 0, "{what}: nobody wrote down what was acknowledged");
    assert_eq!(lost, Vec::<String>::new(), "{what}: acknowledged and lost");
    acknowledged
}

#[test]
fn nothing_is_lost_however_often_workers_and_dispatchers_are_killed() {
    let took = undisturbed().took.as_micros() as u64;
    let seed = std::env::var("VISAVIS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2019);
    let mut dice = Dice(seed);
    let (mut killed, mut of_each, mut acknowledged, mut studies) = (0, [0; 3], 0, 0);
    while killed < kills() {
        let desk = Desk::with_pretence();
        loop {
            let mut child = start(&desk);
            std::thread::sleep(Duration::from_micros(dice.roll(took * 11 / 10)));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            let (dispatcher, workers) = (child.id(), workers(child.id()));
            let whom = dice.roll(3) as usize;
            match (whom, workers.is_empty()) {
                (0, false) => kill(&[workers[dice.roll(workers.len() as u64) as usize]]),
                (1, _) => kill(&[dispatcher]),
                _ => kill(&[workers.clone(), vec![dispatcher]].concat()),
            }
            killed += 1;
            of_each[whom] += 1;
            let code = child.wait().unwrap().code();
            if whom == 0 && !workers.is_empty() {
                assert_eq!(code, Some(0), "seed {seed}, kill {killed}: a run outlives its worker");
            } else {
                let since = Instant::now();
                while workers.iter().any(|worker| alive(*worker)) {
                    assert!(since.elapsed() < Duration::from_secs(5), "seed {seed}: workers outlived their dispatcher");
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        acknowledged += comes_out_right(&desk, &format!("seed {seed}, study {studies}"));
        studies += 1;
    }
    println!("| kills | of a worker | of the dispatcher | of both | studies | acknowledged records | lost | equal |");
    println!("|{}", "---|".repeat(8));
    println!("| {killed} | {} | {} | {} | {studies} | {acknowledged} | 0 | yes |", of_each[0], of_each[1], of_each[2]);
}

fn run_with(desk: &Desk, injection: Injection, value: &str) -> Said {
    let mut run = desk.command(&["run", STUDY, "--quiet"]);
    run.inject(injection, value).inject(Injection::Acknowledged, desk.path("acknowledged")).output().unwrap().into()
}

/// The turns at which an operation fails: all of them when there is time, a few spread out when not.
fn turns(last: usize) -> Vec<usize> {
    if std::env::var_os("VISAVIS_LONG").is_some() { (1..=last).collect() } else { vec![1, 2, 3, last / 7, last / 3, last - 2] }
}

#[test]
fn a_process_killed_at_any_write_sync_rename_or_link_leaves_nothing_broken() {
    for (role, last) in [("dispatcher", 110), ("worker", 140)] {
        for turn in turns(last) {
            let desk = Desk::with_pretence();
            let what = format!("{role}:any@{turn}=kill");
            let said = run_with(&desk, Injection::DiskFault, &what);
            assert!(!said.err.contains("panicked"), "{what}: {}", said.err);
            // The first turns come in every run: a fail point that never failed would prove nothing.
            match role {
                "dispatcher" if turn <= 3 => assert_eq!(said.code, -1, "{what} did not kill it"),
                "worker" if turn <= 3 => assert!(ended_badly(&desk, "crash"), "{what} killed no worker"),
                _ => {}
            }
            comes_out_right(&desk, &what);
        }
    }
}

fn ended_badly(desk: &Desk, ending: &str) -> bool {
    let attempts = desk.succeed(&["export", STUDY, "--what", "attempts", "--format", "jsonl"]);
    attempts.contains(&format!("\"ending\":\"{ending}\""))
}

/// A result that is made again takes the place of the first; the store must not keep the first for it.
#[test]
fn a_kill_while_everything_is_made_again_leaves_a_store_that_can_be_made_again() {
    for turn in [5, 9, 15, 22, 28] {
        let desk = Desk::with_pretence();
        desk.succeed(&["run", STUDY, "--quiet"]);
        let mut run = desk.command(&["run", STUDY, "--quiet", "--force"]);
        let what = format!("dispatcher:write@{turn}=kill");
        let ended =
            run.inject(Injection::DiskFault, &what).inject(Injection::Acknowledged, desk.path("acknowledged")).output().unwrap();
        assert_eq!(ended.status.code(), None, "{what} did not kill it");
        comes_out_right(&desk, &what);
    }
}

#[test]
fn a_disk_that_refuses_any_operation_is_told_and_nothing_is_broken() {
    for (op, last) in [("write", 60), ("sync", 90), ("rename", 20), ("link", 14)] {
        for how in ["enospc", "eio"] {
            for (role, turn) in turns(last).into_iter().enumerate() {
                let desk = Desk::with_pretence();
                let what = format!("{}:{op}@{turn}={how}", ["dispatcher", "worker"][role % 2]);
                let said = run_with(&desk, Injection::DiskFault, &what);
                assert!(!said.err.contains("panicked") && !said.err.contains("a bug in visavis"), "{what}: {}", said.err);
                let words = if how == "eio" { "input/output error" } else { "no space left" };
                let told = said.err.contains(words);
                // A turn that never comes is no failure; one that comes is told, unless another attempt made up for it.
                assert!(said.code == 0 || told, "{what} ended {}: {}", said.code, said.err);
                // The first turns come in every run.
                let came = said.code != 0 || ended_badly(&desk, "crash") || ended_badly(&desk, "machine");
                assert!(turn > 2 || op == "rename" || came, "{what} refused nothing");
                comes_out_right(&desk, &what);
            }
        }
    }
}
