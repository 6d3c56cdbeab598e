//! A run on a cluster in simulated time: the engine and the fleet as they are, with workers, a shared folder and a Slurm that are pretended.
//! Nothing sleeps. What the executor does with letters is done here by the same clock that the real one goes by: they are looked for after a
//! quarter of a second, and then more and more seldom, to five seconds.

mod cluster;
mod study;
mod workers;

use super::{
    LIST,
    fleet::{Fleet, FleetCommand, Gone},
    outputs::{self, ArrayTask},
    posted_worker::{DOUBT, LATEST, SOONEST},
};
use crate::study::{
    devices::{Device, Name},
    dispatch::{
        engine::{DispatchCommand, DispatchEvent, Engine, Limits, PlanNews},
        executors::WorkerExit,
    },
    job_requests::JobRequests,
    steps::Step,
};
use cluster::Cluster;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};
use study::Study;
use visavis_core::{
    domain::{
        event::{EventKind, WorkerAnswer},
        study::DeviceClass,
    },
    numeric::PhiloxStream,
};
use workers::{Fate, Letter, PretendedWorker};

/// How often the dispatcher looks around, as `dispatch::CLUSTER_WAIT` has it.
const ROUND: Duration = Duration::from_millis(250);

/// A run that is not over by then never will be.
const TOO_LONG: Duration = Duration::from_secs(48 * 3600);

struct Draw(PhiloxStream);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.0.uniform()
    }

    fn normal(&mut self) -> f64 {
        self.0.normals(1.0)[0]
    }
}

/// What goes wrong, as shares.
#[derive(Clone, Copy)]
struct Faults {
    /// Arrays that wait for minutes.
    waits: f64,
    /// Workers whose node is lost; of a quarter of them Slurm does not notice it.
    lost: f64,
    preempted: f64,
    /// Workers that end with an error, in the middle of whatever they are at.
    crashed: f64,
    /// Workers that end before they say hello.
    silent: f64,
    /// Submissions that end with an error. Half of them went through.
    refused: f64,
    /// Queries that end with an error.
    unanswered: f64,
    /// Results that a shared folder shows five seconds late.
    late: f64,
}

const NONE: Faults =
    Faults { waits: 0.0, lost: 0.0, preempted: 0.0, crashed: 0.0, silent: 0.0, refused: 0.0, unanswered: 0.0, late: 0.0 };
const MANY: Faults =
    Faults { waits: 0.4, lost: 0.08, preempted: 0.15, crashed: 0.02, silent: 0.02, refused: 0.2, unanswered: 0.1, late: 0.1 };

/// What comes to pass at a time.
enum Happening {
    /// Slurm starts a job.
    Starts(ArrayTask),
    /// A worker is up.
    Up(usize),
    Beats(usize),
    /// A worker looks for its letters; the number tells a look from one that was put off.
    Fetches(usize),
    /// A worker has done the stage that it was at, at its so manieth beginning.
    Does(usize, usize),
    Meets(usize, Fate),
    /// The dispatcher reads a worker's letters.
    Reads(usize, u64),
    /// A command of Slurm has ended.
    Ends(FleetCommand, Option<u64>, Option<String>),
}

struct World {
    draw: Draw,
    faults: Faults,
    now: Duration,
    happenings: BTreeMap<(Duration, u64), Happening>,
    written: u64,
    study: Study,
    /// How often each stage was done, and when its result can be seen.
    made: Vec<(u32, Duration)>,
    engine: Engine,
    fleet: Fleet,
    cluster: Cluster,
    workers: Vec<PretendedWorker>,
    /// The last start of each job.
    by_task: HashMap<ArrayTask, usize>,
    /// Jobs of which nothing is known yet: their workers have said no hello, and nobody has said that they are gone.
    unknown: BTreeSet<ArrayTask>,
    /// A submission has failed, and nobody has looked since whether it went through.
    is_unsure: bool,
    news: PlanNews,
    told: Told,
}

/// What is counted.
#[derive(Debug, Default)]
struct Told {
    commands: BTreeMap<&'static str, usize>,
    queries: Vec<Duration>,
    submissions: Vec<Duration>,
    arrays: usize,
    /// Queries while every worker that was submitted was there and gave signs of life.
    needless: usize,
    starts: usize,
    fates: BTreeMap<&'static str, usize>,
    /// Attempts that ended badly, by cause.
    failures: BTreeMap<&'static str, usize>,
    given_up: usize,
    letters: usize,
    /// How often each side asked for a file, in a time.
    looks: usize,
    engine: Duration,
    fleet: Duration,
    rounds: usize,
    /// Megabytes of this process: when the study was there, and the most until the end.
    memory: [f64; 2],
}

/// How a simulated run ended.
struct Outcome {
    makespan: f64,
    /// The sum of all seconds divided by the workers, and the longest chain.
    share: f64,
    chain: f64,
    stages: usize,
    twice: usize,
    lost: usize,
    told: Told,
}

fn simulate(workers: usize, stages: usize, faults: Faults, seed: u64) -> Outcome {
    let mut world = World::new(workers, stages, faults, seed);
    let (sum, chain) = world.study.seconds();
    let before = megabytes("VmRSS");
    world.run();
    world.told.memory = [before, megabytes("VmHWM")];
    Outcome {
        makespan: world.now.as_secs_f64(),
        share: sum / workers as f64,
        chain,
        stages,
        twice: world.made.iter().filter(|(times, _)| *times > 1).count(),
        lost: world.study.left(),
        told: world.told,
    }
}

/// What the kernel says of this process's memory.
fn megabytes(word: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

impl World {
    fn new(workers: usize, stages: usize, faults: Faults, seed: u64) -> Self {
        let mut draw = Draw(PhiloxStream::for_test(seed, 0));
        let study = Study::draw(stages, &mut draw);
        let device = Device { name: Name { class: DeviceClass::Cpu, number: 0 }, slots: workers, threads: 1 };
        let limits =
            Limits { attempts: 3, silence: Duration::from_secs(600), silence_joined: Duration::from_secs(600), attempt: None };
        let engine = Engine::new(vec![device], limits, JobRequests::default(), true).with_joining(vec![true]);
        let news = PlanNews { jobs: study.jobs(), found: vec![], ready: vec![study.waiting(0)] };
        let mut world = World {
            draw,
            faults,
            now: Duration::ZERO,
            happenings: BTreeMap::new(),
            written: 0,
            made: vec![(0, Duration::ZERO); stages],
            study,
            engine,
            // Four arrays, as many as the workers of a large run are.
            fleet: Fleet::new(workers, None, workers / 4 + 1),
            cluster: Cluster::new(),
            workers: vec![],
            by_task: HashMap::new(),
            unknown: BTreeSet::new(),
            is_unsure: false,
            news: PlanNews::default(),
            told: Told::default(),
        };
        world.handle(DispatchEvent::Planned(news));
        world.fleet.want(stages);
        world
    }

    fn write(&mut self, at: Duration, what: Happening) {
        self.written += 1;
        self.happenings.insert((at, self.written), what);
    }

    /// As `dispatch::Run::go` does: hears, ticks, fills, and lets the fleet say what is due.
    fn run(&mut self) {
        let mut round = Duration::ZERO;
        while !self.engine.is_over() {
            round += ROUND;
            assert!(round < TOO_LONG, "it does not end: {} stages are left, {:?}", self.study.left(), self.told);
            while let Some(first) = self.happenings.first_entry().filter(|first| first.key().0 <= round) {
                self.now = first.key().0;
                let what = first.remove();
                self.happens(what);
            }
            self.now = round;
            self.told.rounds += 1;
            self.handle(DispatchEvent::Tick);
            self.handle(DispatchEvent::Fill);
            if self.told.rounds.is_multiple_of(4) {
                self.doubt();
            }
            let begun = Instant::now();
            self.fleet.want(self.engine.demand(self.study.left()));
            let mut commands = self.fleet.due(self.now);
            commands.extend(self.fleet.superfluous(self.now));
            let is_hopeless = self.fleet.is_hopeless();
            self.told.fleet += begun.elapsed();
            assert!(!is_hopeless, "the run would have been given up: {:?}", self.told);
            if commands.iter().any(|command| matches!(command, FleetCommand::Submit { .. })) {
                self.told.submissions.push(self.now);
            }
            commands.into_iter().for_each(|command| self.command(command));
        }
        self.handle(DispatchEvent::Close { dismiss: true });
    }

    fn handle(&mut self, event: DispatchEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let begun = Instant::now();
            let commands = self.engine.handle(event, self.now);
            self.told.engine += begun.elapsed();
            for command in commands {
                events.extend(self.carry_out(command));
            }
        }
    }

    fn carry_out(&mut self, command: DispatchCommand) -> Option<DispatchEvent> {
        *self.told.commands.entry(word(&command)).or_default() += 1;
        match command {
            DispatchCommand::Assign { worker, step: Step::Train { model }, .. } => {
                self.send(worker, Letter::Order(model.into()));
            }
            DispatchCommand::Recall { worker, keys } => self.send(worker, Letter::Recall(keys)),
            DispatchCommand::Dismiss { worker } => self.send(worker, Letter::End),
            DispatchCommand::Terminate { worker } => self.send(worker, Letter::Stop),
            DispatchCommand::Kill { worker } => {
                let task = self.workers[worker as usize].task;
                self.fleet.left(task);
                self.command(FleetCommand::Cancel(vec![task]));
                return self.gone(worker as usize, "it was cancelled", false);
            }
            DispatchCommand::LookUp { key, made } => {
                let place = self.study.place(key);
                let (times, shows_at) = self.made[place];
                let is_there = times > 0 && shows_at <= self.now;
                if is_there {
                    let ready = self.study.finish(place);
                    self.news.ready.extend(ready);
                }
                return Some(DispatchEvent::LookedUp { key, made, is_there });
            }
            DispatchCommand::TakeNews => return Some(DispatchEvent::Planned(std::mem::take(&mut self.news))),
            DispatchCommand::GiveUp { .. } => self.told.given_up += 1,
            DispatchCommand::Note(EventKind::Failed { cause, .. }) => *self.told.failures.entry(cause.word()).or_default() += 1,
            // Notes, what is learned, journals: whoever drives the engine has nothing to do about them here.
            _ => {}
        }
        None
    }

    /// A command of Slurm is run: it takes a second or so.
    fn command(&mut self, command: FleetCommand) {
        let fails = self.draw.uniform();
        let takes = Duration::from_secs_f64(self.draw.between(0.3, 2.0));
        let (mut array, mut out) = (None, None);
        match &command {
            FleetCommand::Submit { workers, .. } => {
                self.told.arrays += 1;
                let is_refused = fails < self.faults.refused;
                if !is_refused || fails < self.faults.refused / 2.0 {
                    let (number, starts) = self.cluster.submit(*workers, &self.faults, self.now, &mut self.draw);
                    self.unknown.extend(starts.iter().map(|start| start.task));
                    starts.into_iter().for_each(|start| self.write(start.at, Happening::Starts(start.task)));
                    array = Some(number).filter(|_| !is_refused);
                }
            }
            FleetCommand::Query => {
                self.told.queries.push(self.now);
                out = (fails >= self.faults.unanswered).then(|| self.cluster.squeue(self.now));
            }
            FleetCommand::Cancel(tasks) => {
                for task in tasks {
                    self.unknown.remove(task);
                    self.cluster.cancel(*task, self.now);
                    if let Some(worker) = self.by_task.get(task) {
                        self.workers[*worker].is_alive = false;
                    }
                }
            }
        }
        if matches!(command, FleetCommand::Query) && self.all_beat() {
            self.told.needless += 1;
        }
        self.write(self.now + takes, Happening::Ends(command, array, out));
    }

    fn ended(&mut self, command: &FleetCommand, array: Option<u64>, out: Option<&str>) {
        match (command, array, out) {
            (FleetCommand::Submit { .. }, None, _) => self.is_unsure = true,
            (FleetCommand::Query, _, Some(_)) => self.is_unsure = false,
            _ => {}
        }
        let begun = Instant::now();
        let mut gone = vec![];
        match (command, array) {
            (FleetCommand::Submit { workers, .. }, Some(array)) => self.fleet.submitted(array, *workers, self.now),
            (FleetCommand::Submit { .. }, None) => self.fleet.refused(self.now),
            (FleetCommand::Query, _) => gone = self.fleet.shown(out.map(outputs::queue), self.now),
            (FleetCommand::Cancel(_), _) => {}
        }
        self.told.fleet += begun.elapsed();
        for Gone { task, why, is_taken_away, .. } in gone {
            self.unknown.remove(&task);
            if let Some(worker) = self.by_task.get(&task).copied()
                && let Some(event) = self.gone(worker, &why, is_taken_away)
            {
                self.handle(event);
            }
        }
    }

    /// The dispatcher does not listen to a worker any more.
    fn gone(&mut self, worker: usize, why: &str, is_taken_away: bool) -> Option<DispatchEvent> {
        let of = &mut self.workers[worker];
        let was_heard = std::mem::replace(&mut of.is_heard, false);
        let exit = WorkerExit { status: why.to_owned(), log: vec![], is_taken_away };
        was_heard.then_some(DispatchEvent::Exited { worker: worker as u64, exit })
    }

    /// Tells the fleet who is silent.
    fn doubt(&mut self) {
        for of in self.workers.iter().filter(|of| of.is_heard && of.is_known) {
            self.fleet.doubt(of.task, self.now.saturating_sub(of.heard) >= DOUBT);
        }
    }

    /// Is every job that Slurm took known, and every worker heard within the last half minute?
    fn all_beat(&self) -> bool {
        let beats = |of: &PretendedWorker| !of.is_heard || self.now.saturating_sub(of.heard) < Duration::from_secs(30);
        self.unknown.is_empty() && !self.is_unsure && self.workers.iter().all(beats)
    }
}

fn word(command: &DispatchCommand) -> &'static str {
    match command {
        DispatchCommand::Spawn { .. } => "spawn",
        DispatchCommand::Assign { .. } => "assign",
        DispatchCommand::Recall { .. } => "recall",
        DispatchCommand::Dismiss { .. } => "dismiss",
        DispatchCommand::Terminate { .. } => "terminate",
        DispatchCommand::Kill { .. } => "kill",
        DispatchCommand::EndAll { .. } => "end all",
        DispatchCommand::Note(_) => "note",
        DispatchCommand::ReadJournal(_) => "read journal",
        DispatchCommand::Learn { .. } => "learn",
        DispatchCommand::LookUp { .. } => "look up",
        DispatchCommand::GiveUp { .. } => "give up",
        DispatchCommand::TakeNews => "take news",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(name: &str, outcome: &Outcome) {
        let Outcome { makespan, share, chain, stages, twice, lost, told } = outcome;
        let micros = |of: Duration| of.as_secs_f64() * 1e6 / *stages as f64;
        println!(
            "{name}: {makespan:.0} s simulated, bounds {share:.0} s (work by workers) and {chain:.0} s (longest chain)\n\
             engine {:.1} µs and fleet {:.1} µs a stage, {} rounds, {} letters, {} looks\n\
             {} queries, {} submissions, {} arrays, {} needless queries; {} starts, {:?}; attempts that failed: {:?}\n\
             {twice} stages done twice, {lost} lost, {} given up; {:.0} MB with the study, {:.0} MB at most; commands {:?}",
            micros(told.engine),
            micros(told.fleet),
            told.rounds,
            told.letters,
            told.looks,
            told.queries.len(),
            told.submissions.len(),
            told.arrays,
            told.needless,
            told.starts,
            told.fates,
            told.failures,
            told.given_up,
            told.memory[0],
            told.memory[1],
            told.commands,
        );
    }

    /// When rounds of submissions began: the arrays of one follow each other at once.
    fn rounds(told: &Told) -> Vec<Duration> {
        let begins = |(place, at): &(usize, &Duration)| {
            let before = place.checked_sub(1).map(|before| told.submissions[before]);
            before.is_none_or(|before| **at - before > Duration::from_secs(5))
        };
        told.submissions.iter().enumerate().filter(begins).map(|(_, at)| *at).collect()
    }

    fn polite(told: &Told) {
        let apart =
            |times: &[Duration], seconds: u64| times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(seconds));
        assert!(apart(&told.queries, 30), "squeue is asked every 30 s at most: {:?}", told.queries);
        assert!(apart(&rounds(told), 60), "jobs are submitted once a minute at most: {:?}", told.submissions);
        assert_eq!(told.needless, 0, "nothing is asked while all workers beat");
    }

    /// Workers and stages: with `VISAVIS_LONG=1` as many as `docs/slurm.md` tells of.
    fn size() -> (usize, usize) {
        if std::env::var_os("VISAVIS_LONG").is_some() { (1000, 100_000) } else { (100, 5000) }
    }

    #[test]
    fn a_run_without_faults_is_as_long_as_its_work_and_each_stage_is_done_once() {
        let (workers, stages) = size();
        let outcome = simulate(workers, stages, NONE, 1);
        report("calm", &outcome);
        assert_eq!((outcome.twice, outcome.lost, outcome.told.given_up), (0, 0, 0));
        assert_eq!((outcome.told.arrays, rounds(&outcome.told).len()), (4, 1));
        polite(&outcome.told);
        // List scheduling is never longer than the sum of both bounds (Graham 1969); starts, letters and the end cost the rest.
        assert!(outcome.makespan < 1.1 * (outcome.share + outcome.chain) + 60.0);
    }

    #[test]
    fn a_run_with_many_faults_loses_no_stage_and_stays_polite() {
        let (workers, stages) = size();
        let mut fates = BTreeSet::new();
        for seed in 1..4 {
            let outcome = simulate(workers, stages, MANY, seed);
            report("rough", &outcome);
            assert_eq!((outcome.lost, outcome.told.given_up), (0, 0));
            polite(&outcome.told);
            let of = |all: &BTreeMap<&'static str, usize>, word: &str| all.get(word).copied().unwrap_or(0);
            let crashes = (of(&outcome.told.failures, "crash"), of(&outcome.told.fates, "crashed"));
            assert!(crashes.0 <= crashes.1, "only a worker that crashed is held against its stage: {crashes:?}");
            fates.extend(outcome.told.fates.into_keys());
        }
        assert_eq!(fates.len(), 5, "all faults were met: {fates:?}");
    }
}
