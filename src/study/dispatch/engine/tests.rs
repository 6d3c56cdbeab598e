use super::*;
use crate::study::{
    devices::{Device, Name},
    dispatch::executors::{
        MessageKind, WorkerExecutor, WorkerMessage, WorkerPlace,
        fake::{Attempt, FakeExecutor},
    },
};
use std::path::Path;
use visavis_core::domain::{
    Digest,
    stage::{IndexImages, Input, Location, Order, Task, Work},
    study::DeviceClass,
};

/// A run in memory: the engine, workers that go as they are told, and jobs that need no other.
struct Bench {
    engine: Engine,
    workers: FakeExecutor,
    jobs: Vec<(String, Task)>,
    notes: Vec<EventKind>,
    given_up: Vec<String>,
    done: HashSet<Key>,
    failed: HashSet<Key>,
    news: PlanNews,
    /// Results that do not show before this time.
    shows_at: Option<Duration>,
    refused: bool,
    /// The programs that workers were, in the order of their starts.
    spawned: Vec<Option<WorkerProgram>>,
    /// What was asked back.
    recalled: Vec<(u64, Vec<Key>)>,
    /// Workers that were to go on as another program.
    changed: Vec<(u64, WorkerProgram)>,
}

const LIMITS: Limits =
    Limits { attempts: 3, silence: Duration::from_secs(60), silence_joined: Duration::from_secs(600), attempt: None };

fn device(class: DeviceClass, slots: usize) -> Device {
    Device { name: Name { class, number: 0 }, slots, threads: 1 }
}

impl Bench {
    fn new(slots: usize, labels: &[&str]) -> Self {
        Self::with(vec![device(DeviceClass::Cpu, slots)], LIMITS, labels)
    }

    fn with(devices: Vec<Device>, limits: Limits, labels: &[&str]) -> Self {
        let task = |label: &str| Task {
            work: Work::Index(IndexImages { take: None }),
            inputs: vec![Input { role: label.to_owned(), digest: Digest::of(b""), at: Location::Object }],
        };
        let mut bench = Bench {
            engine: Engine::new(devices, limits, JobRequests::default(), false),
            workers: FakeExecutor::default(),
            jobs: labels.iter().map(|label| ((*label).to_owned(), task(label))).collect(),
            notes: vec![],
            given_up: vec![],
            done: HashSet::new(),
            failed: HashSet::new(),
            news: PlanNews::default(),
            shows_at: None,
            refused: false,
            spawned: vec![],
            recalled: vec![],
            changed: vec![],
        };
        let planned = |label: &&str| {
            (PlannedJob { job: job(label), stage: visavis_core::domain::stage::Kind::Index, label: (*label).to_owned() }, true)
        };
        bench.news.jobs = labels.iter().map(planned).collect();
        bench.news.ready = bench.ready();
        bench.handle(DispatchEvent::Planned(std::mem::take(&mut bench.news.clone())));
        bench.news = PlanNews::default();
        bench
    }

    /// How the attempts at a job go.
    fn play(mut self, label: &str, attempts: &[Attempt]) -> Self {
        self.workers.play(label, attempts);
        self
    }

    /// The jobs that could start now.
    fn ready(&self) -> Vec<Waiting> {
        let is_open = |key: &Key| !self.done.contains(key) && !self.failed.contains(key);
        let aside = self.engine.requests.aside();
        let waiting = |(place, (label, task)): (usize, &(String, Task))| Waiting {
            key: task.key(),
            step: Step::Train { model: place.into() },
            job: job(label),
            seed: None,
            class: if label.starts_with("card") { DeviceClass::Cuda } else { DeviceClass::Cpu },
            program: label.starts_with("onnx").then_some(WorkerProgram::Onnx),
            upward_rank: 1.0,
            seconds: if label.starts_with("short") { 0.01 } else { 1.0 },
        };
        let all = self.jobs.iter().enumerate().map(waiting);
        all.filter(|of| is_open(&of.key) && !aside.contains_key(&of.job)).collect()
    }

    fn handle(&mut self, event: DispatchEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for command in self.engine.handle(event, self.workers.now()) {
                events.extend(self.carry_out(command));
            }
        }
    }

    fn carry_out(&mut self, command: DispatchCommand) -> Option<DispatchEvent> {
        match command {
            DispatchCommand::Spawn { worker, slot, program, .. } => {
                self.spawned.push(program);
                let place = WorkerPlace { program: Path::new("none"), device: "cpu".to_owned(), slot, threads: 1 };
                self.workers.spawn(worker, &place).unwrap();
            }
            DispatchCommand::Assign { worker, step: Step::Train { model }, attempt } => {
                let (label, task) = self.jobs[usize::from(model)].clone();
                self.workers.assign(worker, &Order { task, label, attempt, clock: 0, again: false }).unwrap();
            }
            DispatchCommand::Assign { step, .. } => panic!("{step:?} is no job here"),
            DispatchCommand::Recall { worker, keys } => self.recalled.push((worker, keys)),
            DispatchCommand::GoOnAs { worker, program } => self.changed.push((worker, program)),
            DispatchCommand::Dismiss { worker } => self.workers.dismiss(worker),
            DispatchCommand::Terminate { worker } => self.workers.terminate(worker),
            DispatchCommand::Kill { worker } => self.workers.kill(worker),
            DispatchCommand::EndAll { grace } => drop(self.workers.end_all(grace)),
            DispatchCommand::Note(what) => self.notes.push(what),
            DispatchCommand::ReadJournal(_) | DispatchCommand::Learn { .. } => {}
            DispatchCommand::LookUp { key, made } => {
                let is_there = self.shows_at.is_none_or(|at| self.workers.now() >= at);
                if is_there {
                    self.done.insert(key);
                }
                return Some(DispatchEvent::LookedUp { key, made, is_there });
            }
            DispatchCommand::GiveUp { key, why } => {
                self.failed.insert(key);
                self.given_up.push(why);
            }
            DispatchCommand::Replan { forgiven, .. } => {
                self.failed.retain(|key| !forgiven.contains(key));
                self.news.ready = self.ready();
            }
            DispatchCommand::TakeNews => return Some(DispatchEvent::Planned(std::mem::take(&mut self.news))),
            DispatchCommand::RefuseBuild { .. } => self.refused = true,
        }
        None
    }

    /// Goes on for so many seconds, or until nothing is left.
    fn go(&mut self, seconds: u64) -> &mut Self {
        let until = self.workers.now() + Duration::from_secs(seconds);
        loop {
            self.handle(DispatchEvent::Fill);
            if self.engine.is_over() || self.refused || self.workers.now() >= until {
                return self;
            }
            let left = until.saturating_sub(self.workers.now()).min(Duration::from_millis(100));
            if let Some(WorkerMessage { worker, what }) = self.workers.next_message(left).unwrap() {
                self.handle(match what {
                    MessageKind::Joined { slot, program, holds } => {
                        DispatchEvent::Joined { worker, device: 0, slot, program, holds }
                    }
                    MessageKind::Answer(answer) => DispatchEvent::Answered { worker, answer },
                    MessageKind::Line(line) => DispatchEvent::Printed { worker, line },
                    MessageKind::Exited(exit) => DispatchEvent::Exited { worker, exit },
                });
            }
            self.handle(DispatchEvent::Tick);
        }
    }

    fn ask(&mut self, requests: &[PersonRequest]) -> &mut Self {
        let failed = self.jobs.iter().filter(|(_, task)| self.failed.contains(&task.key()));
        let failed = failed.map(|(label, task)| (job(label), task.key())).collect();
        self.handle(DispatchEvent::Asked { requests: requests.to_vec(), failed });
        self
    }

    /// How the attempts at a job ended, in their order.
    fn endings(&self, label: &str) -> Vec<&str> {
        let of = |what: &EventKind| match what {
            EventKind::Finished { job: of, .. } if *of == job(label) => Some("done"),
            EventKind::Failed { job: of, cause, .. } if *of == job(label) => Some(cause.word()),
            _ => None,
        };
        self.notes.iter().filter_map(of).collect()
    }

    /// How many times each of these jobs was noted as paused, cancelled or taken up again.
    fn noted(&self, label: &str) -> Vec<&str> {
        let of = |what: &EventKind| match what {
            EventKind::Paused { jobs } if jobs.contains(&job(label)) => Some("paused"),
            EventKind::Cancelled { jobs } if jobs.contains(&job(label)) => Some("cancelled"),
            EventKind::Resumed { jobs } if jobs.contains(&job(label)) => Some("resumed"),
            _ => None,
        };
        self.notes.iter().filter_map(of).collect()
    }

    fn started(&self) -> usize {
        self.notes.iter().filter(|what| matches!(what, EventKind::Started { .. })).count()
    }
}

fn job(label: &str) -> JobId {
    JobId::of("s", label)
}

fn cancel(label: &str) -> PersonRequest {
    PersonRequest::Cancel { job: job(label) }
}

fn pause(label: &str) -> PersonRequest {
    PersonRequest::Pause { job: Some(job(label)) }
}

fn retry(label: &str) -> PersonRequest {
    PersonRequest::Retry { job: Some(job(label)) }
}

const EVER: u64 = 5_000;

#[test]
fn a_slot_gets_a_worker_of_another_program_when_a_job_needs_it_and_that_one_stays() {
    let mut bench = Bench::new(1, &["a", "onnx b", "c", "onnx d"]);
    bench.go(60);
    assert_eq!(bench.done.len(), 4);
    assert_eq!(bench.spawned, [None, Some(WorkerProgram::Onnx)]);
}

#[test]
fn what_may_end_otherwise_is_tried_again_and_what_cannot_is_not() {
    use Attempt::{Done, Exits, Fails};
    let memory = Exits("memory allocation of 8589934592 bytes failed");
    let mut bench = Bench::new(2, &["crash", "memory", "diverged", "input", "bug", "machine", "fine"])
        .play("crash", &[Exits("error: no such tensor"), Done(1)])
        .play("memory", &[memory, memory, Done(1)])
        .play("diverged", &[Fails(Cause::Diverged)])
        .play("input", &[Fails(Cause::Input)])
        .play("bug", &[Fails(Cause::Bug)])
        .play("machine", &[Fails(Cause::Machine)]);
    bench.go(EVER);
    assert_eq!(bench.endings("crash"), ["crash", "done"]);
    assert_eq!(bench.endings("memory"), ["memory", "memory", "done"]);
    for label in ["diverged", "input", "bug", "machine"] {
        assert_eq!(bench.endings(label), [label]);
    }
    assert_eq!(bench.endings("fine"), ["done"], "what fails stops no other");
    assert_eq!((bench.engine.ran(), bench.given_up.len(), bench.engine.left()), (3, 4, 0));
    let crash = bench.notes.iter().find_map(|what| match what {
        EventKind::Failed { cause: Cause::Crash, why, exit, log, again, .. } => Some((why, exit, log, *again)),
        _ => None,
    });
    let (why, exit, log, again) = crash.unwrap();
    assert_eq!(why, "the worker ended before the stage did (signal: 9 (SIGKILL)): no such tensor");
    assert_eq!((exit.as_deref(), log.len(), again), (Some("signal: 9 (SIGKILL)"), 1, true));
}

#[test]
fn attempts_are_bounded_and_a_person_may_ask_for_more() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Exits(""); 4]);
    bench.go(EVER);
    assert_eq!(bench.endings("a"), ["crash"; 3]);
    assert_eq!(bench.given_up.len(), 1);
    bench.ask(&[retry("a")]).go(EVER);
    assert_eq!(bench.endings("a"), ["crash", "crash", "crash", "crash", "done"]);
    assert_eq!(bench.noted("a"), ["resumed"]);
}

#[test]
fn a_worker_that_never_starts_is_not_spawned_for_ever() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::ExitsFirst("error: no libtorch"); 9]);
    bench.go(EVER);
    assert_eq!((bench.endings("a"), bench.started(), bench.workers.spawned), (vec!["crash"; 3], 3, 3));
}

#[test]
fn a_worker_that_hangs_is_found_by_its_silence() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Hangs, Attempt::Done(1)]);
    bench.go(59);
    assert_eq!((bench.endings("a").len(), bench.workers.killed), (0, 0));
    bench.go(2);
    assert_eq!((bench.endings("a"), bench.workers.killed), (vec!["silence"], 1));
    bench.go(EVER);
    assert_eq!(bench.endings("a"), ["silence", "done"]);
}

#[test]
fn a_worker_that_gives_signs_of_life_is_let_be_unless_it_exceeds_its_limit() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Stalls]);
    bench.go(500);
    assert_eq!((bench.endings("a").len(), bench.workers.killed), (0, 0));
    let limits = Limits { attempt: Some(Duration::from_secs(30)), ..LIMITS };
    let mut bench =
        Bench::with(vec![device(DeviceClass::Cpu, 1)], limits, &["a"]).play("a", &[Attempt::Stalls, Attempt::Done(9)]);
    bench.go(EVER);
    assert_eq!(bench.endings("a"), ["timeout", "done"]);
}

#[test]
fn a_cancelled_job_ends_its_worker_and_another_job_takes_its_place() {
    let mut bench = Bench::new(1, &["a", "b"]).play("a", &[Attempt::Done(1000)]);
    bench.go(5);
    bench.ask(&[cancel("a")]).go(EVER);
    assert_eq!((bench.endings("a"), bench.noted("a")), (vec!["cancelled"], vec!["cancelled"]));
    assert_eq!((bench.endings("b"), bench.workers.terminated, bench.workers.killed), (vec!["done"], 1, 0));
    // It is asked for again, and made.
    bench.ask(&[retry("a")]).go(EVER);
    assert_eq!((bench.endings("a"), bench.noted("a")), (vec!["cancelled", "done"], vec!["cancelled", "resumed"]));
}

#[test]
fn a_cancelled_job_that_does_not_stop_is_killed_after_a_while() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Hangs]);
    bench.go(5);
    bench.ask(&[cancel("a")]).go(9);
    assert_eq!(bench.workers.killed, 0);
    bench.go(3);
    assert_eq!((bench.workers.killed, bench.endings("a")), (1, vec!["cancelled"]));
}

#[test]
fn what_is_cancelled_and_asked_for_again_at_once_is_made() {
    for at_once in [true, false] {
        let mut bench = Bench::new(2, &["a", "b"]).play("a", &[Attempt::Done(1000)]);
        bench.go(5);
        if at_once {
            bench.ask(&[cancel("a"), retry("a")]);
        } else {
            bench.ask(&[cancel("a")]).ask(&[retry("a")]);
        }
        bench.go(EVER);
        assert_eq!(bench.endings("a"), ["cancelled", "done"], "{at_once}");
        assert_eq!((bench.engine.ran(), bench.noted("a").contains(&"cancelled")), (2, false), "{at_once}");
    }
}

#[test]
fn of_a_batch_only_what_the_worker_was_on_counts_as_an_attempt() {
    // So short that both are given to one worker.
    let mut bench = Bench::new(1, &["short a", "short b", "short c", "short d"]).play("short a", &[Attempt::Exits("")]);
    bench.go(EVER);
    assert_eq!(bench.endings("short a"), ["crash", "done"]);
    for label in ["short b", "short c", "short d"] {
        assert_eq!(bench.endings(label), ["done"]);
    }
}

#[test]
fn a_drained_run_finishes_what_runs_and_starts_nothing_more() {
    let mut bench = Bench::new(1, &["a", "b", "c"]).play("a", &[Attempt::Done(20)]);
    bench.go(5);
    bench.ask(&[PersonRequest::Drain]).go(EVER);
    assert_eq!((bench.endings("a"), bench.started()), (vec!["done"], 1));
    assert!(bench.engine.is_over() && bench.engine.is_drained());
    assert_eq!(bench.engine.left(), 2);
}

#[test]
fn a_paused_run_starts_nothing_and_waits_until_it_is_taken_up_again() {
    let mut bench = Bench::new(1, &["a", "b"]).play("a", &[Attempt::Done(20)]);
    bench.go(5);
    bench.ask(&[PersonRequest::Pause { job: None }]).go(1000);
    assert_eq!((bench.endings("a"), bench.started(), bench.engine.is_over()), (vec!["done"], 1, false));
    bench.ask(&[PersonRequest::Retry { job: None }]).go(EVER);
    assert_eq!((bench.endings("b"), bench.engine.is_over()), (vec!["done"], true));
}

#[test]
fn a_paused_run_can_be_drained() {
    let mut bench = Bench::new(1, &["a", "b"]);
    bench.ask(&[PersonRequest::Pause { job: None }]).go(10);
    assert!(!bench.engine.is_over());
    bench.ask(&[PersonRequest::Drain]).go(10);
    assert!(bench.engine.is_over() && bench.engine.is_drained() && bench.started() == 0);
}

#[test]
fn a_paused_job_is_not_started_and_one_that_runs_goes_on() {
    let mut bench = Bench::new(1, &["a", "b", "c"]).play("a", &[Attempt::Done(20)]);
    bench.go(5);
    bench.ask(&[pause("a"), pause("b")]).go(EVER);
    assert_eq!((bench.endings("a"), bench.noted("a")), (vec!["done"], vec![]));
    assert_eq!((bench.endings("b"), bench.noted("b")), (vec![], vec!["paused"]));
    assert_eq!(bench.endings("c"), ["done"]);
}

#[test]
fn a_job_paused_while_it_runs_is_not_tried_again() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Hangs]);
    bench.go(5);
    bench.ask(&[pause("a")]).go(EVER);
    assert_eq!((bench.endings("a"), bench.engine.is_over()), (vec!["silence"], true));
}

#[test]
fn jobs_without_a_device_are_counted_and_hold_nothing_up() {
    let mut bench = Bench::new(1, &["card a", "b"]);
    bench.go(EVER);
    assert_eq!((bench.engine.homeless(), bench.engine.ran(), bench.engine.left()), (1, 1, 0));
}

#[test]
fn every_slot_of_a_device_has_a_worker_that_stays() {
    let mut bench = Bench::new(2, &["a", "b", "c", "d", "e", "f"]);
    bench.go(EVER);
    assert_eq!((bench.engine.ran(), bench.workers.spawned), (6, 2));
    assert_eq!(bench.workers.now().as_secs(), 3, "six seconds of work on two slots");
}

#[test]
fn a_result_that_was_there_already_counts_as_found_not_as_run() {
    let mut bench = Bench::new(1, &["a", "b"]).play("a", &[Attempt::FoundDone]);
    bench.go(EVER);
    assert_eq!((bench.endings("a"), bench.endings("b")), (vec!["done"], vec!["done"]));
    assert_eq!(bench.engine.ran(), 1);
}

#[test]
fn a_result_that_a_shared_folder_does_not_show_yet_is_waited_for() {
    let shared = |shows_at: u64| {
        let mut bench = Bench::new(1, &["a"]);
        bench.engine.late = LateResults::new(true);
        bench.shows_at = Some(Duration::from_secs(shows_at));
        bench.go(EVER);
        (bench.given_up.len(), bench.done.len(), bench.workers.now().as_secs())
    };
    assert_eq!(shared(31), (0, 1, 31));
    assert_eq!(shared(1000), (1, 0, 91), "one that does not show in time has failed");
}

#[test]
fn a_result_that_vanishes_from_a_local_disk_has_failed() {
    let mut bench = Bench::new(1, &["a"]);
    bench.shows_at = Some(Duration::from_secs(1000));
    bench.go(EVER);
    assert_eq!(bench.given_up, ["its result vanished as soon as it was there"]);
}

#[test]
fn a_worker_of_another_build_is_refused() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::TakesUpAnother]);
    bench.go(EVER);
    assert!(bench.refused);
}

#[test]
fn a_run_that_is_stopped_notes_what_it_interrupted() {
    let mut bench = Bench::new(2, &["a", "b", "c"]).play("a", &[Attempt::Done(100)]).play("b", &[Attempt::Done(100)]);
    bench.go(5);
    bench.handle(DispatchEvent::Stop);
    assert!(bench.engine.is_over());
    bench.go(5);
    bench.handle(DispatchEvent::Close { dismiss: false });
    assert_eq!((bench.endings("a"), bench.endings("b"), bench.endings("c")), (vec!["stopped"], vec!["stopped"], vec![]));
    assert_eq!((bench.started(), bench.workers.terminated), (2, 2));
}

#[test]
fn at_its_end_a_run_lets_idle_workers_end_by_themselves_where_that_is_asked() {
    let mut bench = Bench::new(2, &["a", "b"]).play("a", &[Attempt::Done(100)]);
    bench.go(5);
    let commands = bench.engine.handle(DispatchEvent::Close { dismiss: true }, Duration::from_secs(5));
    assert!(
        commands.contains(&DispatchCommand::Terminate { worker: 1 })
            && commands.contains(&DispatchCommand::Dismiss { worker: 2 })
    );
}

#[test]
fn a_line_of_a_log_is_of_what_its_worker_is_at_and_there_are_only_so_many() {
    let mut bench = Bench::new(1, &["a"]).play("a", &[Attempt::Done(100)]);
    bench.handle(DispatchEvent::Printed { worker: 1, line: "early".into() });
    bench.go(5);
    for line in 0..20_000 {
        bench.handle(DispatchEvent::Printed { worker: 1, line: line.to_string() });
    }
    let of = |what: &EventKind| match what {
        EventKind::Logged { key, attempt, .. } => Some((key.is_some(), *attempt)),
        _ => None,
    };
    let logged: Vec<(bool, u32)> = bench.notes.iter().filter_map(of).collect();
    assert_eq!((logged[0], logged[1], logged.len()), ((false, 0), (true, 1), 1 + visavis_core::store::MOST_LINES));
}

/// A run whose workers come by themselves to some of its devices.
fn with_joining(devices: &[(DeviceClass, usize)], joining: &[bool], labels: &[&str]) -> Bench {
    let devices: Vec<Device> = devices.iter().map(|(class, slots)| device(*class, *slots)).collect();
    let mut bench = Bench::with(devices.clone(), LIMITS, &[]);
    bench.engine = Engine::new(devices, LIMITS, JobRequests::default(), false).with_joining(joining.to_vec());
    let with_jobs = Bench::new(1, labels);
    bench.jobs = with_jobs.jobs;
    let ready = bench.ready();
    bench.handle(DispatchEvent::Planned(PlanNews { ready, ..PlanNews::default() }));
    bench
}

/// A run whose workers come by themselves to a card's device.
fn cluster(labels: &[&str]) -> Bench {
    with_joining(&[(DeviceClass::Cuda, 8)], &[true], labels)
}

#[test]
fn on_a_cluster_no_worker_is_spawned_and_each_that_comes_is_given_work() {
    let mut bench = cluster(&["card 1", "plain"]);
    bench.handle(DispatchEvent::Fill);
    assert!(bench.spawned.is_empty() && !bench.engine.is_over(), "both wait for a worker");
    [71, 72].into_iter().for_each(|worker| _ = bench.joins(worker, 0));
    bench.handle(DispatchEvent::Fill);
    assert!(bench.spawned.is_empty() && bench.engine.left() == 0, "a card's worker also takes what needs none");
}

#[test]
fn a_worker_behind_a_shared_folder_is_given_more_before_it_runs_out_of_work() {
    let labels: Vec<String> = (0..40).map(|number| format!("card {number}")).collect();
    let mut bench = cluster(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    bench.joins(71, 0);
    bench.handle(DispatchEvent::Fill);
    assert_eq!(bench.at(71).len(), 4, "stages of a second each, four seconds at a time");
    bench.handle(DispatchEvent::Fill);
    assert_eq!(bench.at(71).len(), 8, "four seconds are soon over");
    bench.handle(DispatchEvent::Fill);
    assert_eq!(bench.at(71).len(), 8);
    assert_eq!(bench.engine.left(), 32);
}

#[test]
fn what_a_worker_has_not_begun_is_taken_back_for_one_that_has_nothing_to_do() {
    let labels = ["card 0", "card 1", "card 2", "card 3", "card 4", "card 5"];
    let mut bench = cluster(&labels);
    bench.joins(71, 0);
    (0..3).for_each(|_| bench.handle(DispatchEvent::Fill));
    assert_eq!(bench.at(71).len(), 6);
    bench.answers(71, WorkerAnswer::Ready { journal: "j".into() });
    bench.answers(71, WorkerAnswer::Begun { key: bench.key("card 0") });
    bench.joins(72, 0);
    bench.handle(DispatchEvent::Fill);
    let asked = ["card 5", "card 4", "card 3"].map(|label| bench.key(label)).to_vec();
    assert_eq!(bench.recalled, [(71, asked.clone())]);
    bench.handle(DispatchEvent::Fill);
    assert_eq!(bench.recalled.len(), 1, "it has not answered yet");
    // The last of them it has begun meanwhile.
    bench.answers(71, WorkerAnswer::Returned { keys: asked[..2].to_vec() });
    bench.handle(DispatchEvent::Fill);
    assert_eq!((bench.at(71).len() + bench.at(72).len(), bench.engine.left()), (6, 0));
    assert!(!bench.at(72).is_empty());
}

#[test]
fn what_a_worker_holds_since_before_is_its_own_and_what_nobody_waits_for_is_stopped() {
    let mut bench = cluster(&["card 0", "card 1"]);
    bench.joins_with(71, 0, &["card 0", "gone"]);
    assert_eq!(bench.at(71), ["card 0"]);
    assert_eq!(bench.recalled, [(71, vec![bench.key("gone")])]);
    bench.answers(71, WorkerAnswer::Ready { journal: "j".into() });
    bench.answers(71, WorkerAnswer::Begun { key: bench.key("card 0") });
    assert!(!bench.refused);
    bench.joins_with(72, 0, &["gone", "card 1"]);
    bench.handle(DispatchEvent::Fill);
    assert_eq!((bench.at(72).len(), bench.engine.left()), (0, 1), "it is asked to stop, and given nothing");
    bench.answers(72, WorkerAnswer::Begun { key: bench.key("gone") });
    assert!(!bench.refused, "it is of no other build");
}

#[test]
fn a_job_that_was_not_begun_is_given_back_when_it_is_cancelled() {
    let mut bench = cluster(&["card 0", "card 1"]);
    bench.joins(71, 0);
    (0..2).for_each(|_| bench.handle(DispatchEvent::Fill));
    bench.answers(71, WorkerAnswer::Ready { journal: "j".into() });
    let first = bench.at(71)[0].to_owned();
    let second = bench.at(71)[1].to_owned();
    bench.answers(71, WorkerAnswer::Begun { key: bench.key(&first) });
    let requests = vec![PersonRequest::Cancel { job: job(&second) }];
    bench.handle(DispatchEvent::Asked { requests, failed: vec![] });
    assert_eq!(bench.recalled, [(71, vec![bench.key(&second)])]);
    bench.answers(71, WorkerAnswer::Returned { keys: vec![bench.key(&second)] });
    assert_eq!((bench.at(71).len(), bench.engine.left()), (1, 0), "it is not started anew");
}

impl Bench {
    /// A worker comes by itself to a device.
    fn joins(&mut self, worker: u64, device: usize) -> &mut Self {
        self.joins_with(worker, device, &[])
    }

    /// And with what a dispatcher before this one gave it.
    fn joins_with(&mut self, worker: u64, device: usize, holds: &[&str]) -> &mut Self {
        self.joins_as(worker, device, None, holds)
    }

    /// And is this program.
    fn joins_as(&mut self, worker: u64, device: usize, program: Option<WorkerProgram>, holds: &[&str]) -> &mut Self {
        let place = WorkerPlace { program: Path::new("none"), device: String::new(), slot: 0, threads: 1 };
        self.workers.spawn(worker, &place).unwrap();
        let holds = holds.iter().map(|label| (self.key(label), 2)).collect();
        self.handle(DispatchEvent::Joined { worker, device, slot: 0, program, holds });
        self
    }

    fn key(&self, label: &str) -> Key {
        self.jobs.iter().find(|(of, _)| of == label).map_or_else(|| Key(Digest::of(label.as_bytes())), |(_, task)| task.key())
    }

    fn answers(&mut self, worker: u64, answer: WorkerAnswer) {
        self.handle(DispatchEvent::Answered { worker, answer });
    }

    /// The labels of what a worker was assigned and has not answered.
    fn at(&self, worker: u64) -> Vec<&str> {
        let slot = self.engine.slots.get(&worker);
        let keys = slot.into_iter().flat_map(|slot| &slot.assigned).map(|of| of.waiting.key);
        let label = |key| self.jobs.iter().find(|(_, task)| task.key() == key).map_or("?", |(label, _)| label.as_str());
        keys.map(label).collect()
    }
}

/// The first worker that was spawned here, and one that comes by itself.
const HERE: u64 = 1;
const COMES: u64 = 1 << 32;

#[test]
fn in_a_mixed_run_networks_wait_for_the_cluster_and_the_rest_is_made_here() {
    for class in [DeviceClass::Cpu, DeviceClass::Cuda] {
        let network = if class == DeviceClass::Cpu { "onnx a" } else { "card a" };
        let mut bench = with_joining(&[(DeviceClass::Cpu, 1), (class, 4)], &[false, true], &[network, "b", "c"]);
        let program = Some(WorkerProgram::Onnx);
        bench.go(30);
        assert_eq!(bench.endings("b"), ["done"]);
        assert_eq!((bench.endings(network).len(), bench.engine.homeless(), bench.engine.is_over()), (0, 0, false));
        assert_eq!(bench.spawned, [None], "no slot of this machine becomes a network's worker");
        bench.joins_as(COMES, 1, program, &[]).go(EVER);
        assert_eq!((bench.endings(network), bench.engine.ran()), (vec!["done"], 3));
    }
}

#[test]
fn a_worker_of_the_cluster_takes_no_stage_that_the_slots_here_soon_do() {
    let mut bench = with_joining(&[(DeviceClass::Cpu, 2), (DeviceClass::Cuda, 4)], &[false, true], &["a", "b", "c", "d"]);
    bench.joins(COMES, 1).handle(DispatchEvent::Fill);
    assert_eq!((bench.at(COMES).len(), bench.at(HERE).len(), bench.engine.unbearable()), (0, 1, 0));
    bench.go(EVER);
    assert_eq!((bench.engine.ran(), bench.spawned.len()), (4, 2));
}

#[test]
fn a_worker_of_the_cluster_without_a_network_helps_where_the_slots_here_have_too_much() {
    let labels: Vec<String> = (0..60).map(|number| number.to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).chain(["card"]).collect();
    let mut bench = with_joining(&[(DeviceClass::Cpu, 1), (DeviceClass::Cuda, 4)], &[false, true], &labels);
    bench.joins(COMES, 1).joins(COMES + 1, 1).handle(DispatchEvent::Fill);
    assert_eq!(bench.at(COMES), ["card"], "networks first");
    assert_eq!(bench.at(COMES + 1).len(), 4, "as long as a letter is worth");
    // A minute of work less what is here and there, of which the slot bears twenty seconds.
    assert_eq!(bench.engine.unbearable(), 60 - 1 - 4 - 20);
    bench.go(EVER);
    assert_eq!(bench.engine.ran(), 61);
    let of_the_cluster = |what: &&EventKind| matches!(what, EventKind::Started { device, .. } if device == "cuda:0");
    let there = bench.notes.iter().filter(of_the_cluster).count();
    assert!((10..60).contains(&there), "{there}");
}

#[test]
fn a_worker_of_the_cluster_is_given_more_patience_than_one_of_this_machine() {
    let mut bench = with_joining(&[(DeviceClass::Cpu, 1), (DeviceClass::Cuda, 1)], &[false, true], &["a", "card"])
        .play("a", &[Attempt::Hangs, Attempt::Done(1)])
        .play("card", &[Attempt::Hangs, Attempt::Done(1)]);
    bench.joins(COMES, 1).go(100);
    assert_eq!((bench.endings("a"), bench.endings("card").len()), (vec!["silence", "done"], 0));
    bench.go(600);
    assert_eq!(bench.endings("card"), ["silence"]);
}

#[test]
fn workers_of_a_cluster_that_nothing_comes_for_are_let_go_and_those_that_are_wanted_stay() {
    let mut bench = with_joining(&[(DeviceClass::Cpu, 1), (DeviceClass::Cuda, 4)], &[false, true], &["a", "card"])
        .play("a", &[Attempt::Done(500)])
        .play("card", &[Attempt::Done(200)]);
    let of_the_cluster = |bench: &Bench| bench.engine.slots.keys().filter(|worker| **worker >= COMES).count();
    bench.joins(COMES, 1).joins(COMES + 1, 1).joins(COMES + 2, 1).go(5);
    bench.engine.want(2);
    bench.go(50);
    assert_eq!(of_the_cluster(&bench), 3, "something may become ready");
    bench.go(20);
    assert_eq!((of_the_cluster(&bench), bench.at(COMES)), (2, vec!["card"]));
    bench.engine.want(0);
    bench.go(100);
    assert_eq!((of_the_cluster(&bench), bench.at(COMES)), (1, vec!["card"]), "what it is at is not taken from it");
    bench.go(100);
    assert_eq!((of_the_cluster(&bench), bench.at(HERE)), (0, vec!["a"]));
    bench.go(EVER);
    assert_eq!((bench.engine.ran(), bench.workers.terminated, bench.workers.killed), (2, 0, 0));
}

#[test]
fn how_long_stages_take_is_learned_and_nothing_waits_behind_one_that_takes_too_long() {
    let labels: Vec<String> = (0..40).map(|number| format!("card {number}")).collect();
    let mut bench = cluster(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    bench.joins(71, 0);
    bench.handle(DispatchEvent::Fill);
    bench.answers(71, WorkerAnswer::Ready { journal: "j".into() });
    let first = bench.at(71)[0].to_owned();
    bench.answers(71, WorkerAnswer::Begun { key: bench.key(&first) });
    // A tenth of what was reckoned: more of them are given at a time.
    bench.answers(71, WorkerAnswer::Finished { key: bench.key(&first), seconds: 0.1, first: true });
    (0..3).for_each(|_| bench.handle(DispatchEvent::Fill));
    assert_eq!(bench.at(71).len(), 11, "more than the eight that last as long if each takes a second");
    let second = bench.at(71)[0].to_owned();
    bench.answers(71, WorkerAnswer::Begun { key: bench.key(&second) });
    let waiting = bench.at(71).len() - 1;
    let now = bench.workers.now() + Duration::from_secs(11);
    let commands = bench.engine.handle(DispatchEvent::Fill, now);
    let recalled = commands.iter().find_map(|command| match command {
        DispatchCommand::Recall { worker: 71, keys } => Some(keys.len()),
        _ => None,
    });
    assert_eq!(recalled, Some(waiting), "it takes a hundred times as long, and may take hours");
}

#[test]
fn a_worker_without_work_for_its_program_goes_on_as_another_that_something_waits_for() {
    let mut bench = cluster(&["card 0", "onnx 1", "onnx 2"]);
    bench.joins_as(71, 0, Some(WorkerProgram::Torch), &[]);
    bench.handle(DispatchEvent::Fill);
    assert_eq!((bench.at(71), bench.changed.len()), (vec!["card 0"], 0), "what it can do comes first");
    bench.joins_as(72, 0, Some(WorkerProgram::Torch), &[]).joins_as(73, 0, None, &[]).joins_as(74, 0, None, &[]);
    (0..3).for_each(|_| bench.handle(DispatchEvent::Fill));
    let onnx = |worker| (worker, WorkerProgram::Onnx);
    assert_eq!(bench.changed, [onnx(72), onnx(73)], "as many as jobs, and each once");
    let gone = WorkerExit { status: "it went on as visavis-onnx".into(), log: vec![], is_taken_away: true };
    bench.handle(DispatchEvent::Exited { worker: 72, exit: gone });
    bench.joins_as(75, 0, Some(WorkerProgram::Onnx), &[]);
    bench.handle(DispatchEvent::Fill);
    assert_eq!((bench.at(75), bench.changed.len()), (vec!["onnx 1"], 2));
}

#[test]
fn one_that_does_not_come_back_as_another_program_is_ended_in_time() {
    let mut bench = cluster(&["onnx 1"]);
    bench.joins_as(71, 0, Some(WorkerProgram::Torch), &[]).go(590);
    assert_eq!((bench.changed.len(), bench.workers.killed), (1, 0));
    bench.go(30);
    assert_eq!(bench.workers.killed, 1);
}

/// What the run's log says of a job.
fn logged(bench: &Bench, label: &str) -> Vec<String> {
    let of = |what: &EventKind| match what {
        EventKind::Logged { key: Some(key), line, .. } if *key == bench.key(label) => Some(line.clone()),
        _ => None,
    };
    bench.notes.iter().filter_map(of).collect()
}

#[test]
fn a_stage_that_a_living_worker_does_not_begin_is_taken_back_and_goes_to_another() {
    let mut bench = cluster(&["card 0"]);
    bench.joins(71, 0);
    let at = |seconds| Duration::from_secs(seconds);
    let take_back = |bench: &mut Bench, seconds| {
        let beat = DispatchEvent::Answered { worker: 71, answer: WorkerAnswer::Beat };
        let mut commands = bench.engine.handle(beat, at(seconds));
        commands.extend(bench.engine.handle(DispatchEvent::Tick, at(seconds)));
        commands.into_iter().filter_map(|command| bench.carry_out(command)).count()
    };
    bench.engine.handle(DispatchEvent::Fill, at(10));
    take_back(&mut bench, 189);
    assert!(bench.recalled.is_empty(), "it has three minutes");
    take_back(&mut bench, 190);
    take_back(&mut bench, 200);
    let key = bench.key("card 0");
    assert_eq!(bench.recalled, [(71, vec![key])], "once");
    assert!(logged(&bench, "card 0")[0].contains("has not begun it in 180 s: it is taken back"), "{:?}", bench.notes);
    bench.engine.handle(DispatchEvent::Answered { worker: 71, answer: WorkerAnswer::Returned { keys: vec![key] } }, at(201));
    assert_eq!((bench.at(71).len(), bench.engine.left()), (0, 1));
    assert_eq!(bench.started(), 0, "no attempt is counted");
}

#[test]
fn a_worker_that_does_not_give_back_what_it_has_not_begun_is_given_up() {
    let mut bench = cluster(&["card 0", "card 1"]);
    bench.joins(71, 0);
    let at = |seconds| Duration::from_secs(seconds);
    (0..2).for_each(|_| _ = bench.engine.handle(DispatchEvent::Fill, at(0)));
    let mut commands = Vec::new();
    for seconds in (0..=360).step_by(10) {
        commands.extend(bench.engine.handle(DispatchEvent::Answered { worker: 71, answer: WorkerAnswer::Beat }, at(seconds)));
        commands.extend(bench.engine.handle(DispatchEvent::Tick, at(seconds)));
    }
    let killed = commands.iter().filter(|command| matches!(command, DispatchCommand::Kill { worker: 71 })).count();
    assert_eq!((killed, bench.at(71).len(), bench.engine.left()), (1, 0, 2), "others have both stages");
    commands.into_iter().for_each(|command| _ = bench.carry_out(command));
    assert!(logged(&bench, "card 0").last().unwrap().contains("goes to another, and the worker is ended"));
    // One that is silent is given up for that, and later: it may be cut off for a while.
    let mut bench = cluster(&["card 0"]);
    bench.joins(71, 0);
    let silent = (0..590).step_by(10).flat_map(|seconds| {
        let mut commands = bench.engine.handle(DispatchEvent::Fill, at(seconds));
        commands.extend(bench.engine.handle(DispatchEvent::Tick, at(seconds)));
        commands
    });
    let acts = silent.filter(|of| matches!(of, DispatchCommand::Kill { .. } | DispatchCommand::Recall { .. })).count();
    assert_eq!(acts, 0);
    // A worker that begins what it was given is left alone, however long that takes.
    let mut bench = cluster(&["card 0"]).play("card 0", &[Attempt::Done(1000)]);
    bench.joins(71, 0).go(EVER);
    assert_eq!((bench.recalled.len(), bench.workers.killed, bench.engine.ran()), (0, 0, 1));
}

#[test]
fn of_workers_that_are_too_many_those_that_have_waited_for_long_are_let_go() {
    let mut bench = with_joining(&[(DeviceClass::Cpu, 1), (DeviceClass::Cuda, 4)], &[false, true], &["a", "card"])
        .play("a", &[Attempt::Done(500)])
        .play("card", &[Attempt::Done(70)]);
    bench.joins(COMES, 1).joins(COMES + 1, 1).go(5);
    bench.engine.want(0);
    bench.go(63);
    let there = |bench: &Bench| bench.engine.slots.keys().copied().filter(|worker| *worker >= COMES).collect::<Vec<_>>();
    assert_eq!((there(&bench), bench.at(COMES)), (vec![COMES], vec!["card"]), "one has waited for a minute");
    // The other has only just finished: something may come for it.
    bench.go(30);
    assert_eq!((there(&bench), bench.at(COMES).len()), (vec![COMES], 0));
    bench.go(60);
    assert!(there(&bench).is_empty());
}
