//! The dispatcher on this machine: hands ready jobs to workers, notes what becomes of them, does what people ask, and stops
//! cleanly.

mod late;
mod people;
mod run_journal;
mod worker;

use super::{
    cost::Costs,
    devices::Device,
    graph::Step,
    job_requests::Acts,
    plan::{Plan, StageStatus},
    queue::{StageQueue, Waiting},
};
use late::Late;
use run_journal::RunJournal;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Fault, Key, Result,
        event::{Event, EventKind, RunOrigin, Slots, WorkerAnswer},
        job::{Cause, JobId, JobState, PlannedJob},
        stage::{Kind, Order},
    },
    store::{Aside, Lock, MOST_LINES, Workspace},
};
use worker::{MessageKind, WorkerChannel, WorkerMessage, WorkerProcess};

/// How a study is run.
pub struct Dispatch<'a> {
    pub workspace: &'a Workspace,
    /// The program that is its own worker: `PROGRAM work …`.
    pub program: PathBuf,
    /// The one that also runs networks, where the study has some that can run.
    pub torch: Option<PathBuf>,
    pub devices: Vec<Device>,
    /// The study file's path and text.
    pub file: String,
    pub text: &'a str,
    pub origin: RunOrigin,
    /// How often a job is tried whose attempts end in a way that another may not.
    pub attempts: u32,
    /// A worker that is silent for so long hangs.
    pub patience: Duration,
    /// What an attempt may take.
    pub limit: Option<Duration>,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
    /// Told what keeps it waiting before it begins.
    pub remark: &'a dyn Fn(&str),
}

/// What a face is told while a run goes on.
pub struct Notice<'a> {
    pub event: &'a Event,
    /// The job that the event is about.
    pub job: Option<(Kind, String)>,
    pub done: usize,
    pub left: usize,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSummary {
    pub ran: usize,
    pub stored: usize,
    pub failed: usize,
    pub paused: usize,
    pub cancelled: usize,
    pub interrupted: bool,
    /// A person asked it to finish what ran and to start nothing more, and something was left.
    pub drained: bool,
    /// Stages that wait for a kind of device that the run had none of.
    pub homeless: usize,
    /// Results that the store could not take in, of whatever study.
    pub set_aside: Vec<Aside>,
    /// Stages that could have run and did not: never, unless the run was stopped or people stepped in.
    pub left: usize,
}

/// How long a worker that is asked to stop may take to keep what it has.
const GRACE: Duration = Duration::from_secs(10);

/// How often the journals of others are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Runs what the plan lacks until nothing more can run.
///
/// # Errors
/// Another dispatcher in this workspace, or a workspace that cannot be written. A failed stage is no error: see [`RunSummary`].
pub fn dispatch(plan: &mut Plan, how: &Dispatch, tell: &mut dyn FnMut(&Notice)) -> Result<RunSummary> {
    if !plan.is_ready() {
        return Ok(RunSummary { stored: plan.stored(), ..RunSummary::default() });
    }
    let lock = how.workspace.lock_or_say(&format!("running {}", plan.study.name), how.remark)?;
    let mut run = Run::start(plan, how, tell, lock)?;
    let outcome = run.go();
    run.close(outcome)
}

struct Run<'a> {
    plan: &'a mut Plan,
    how: &'a Dispatch<'a>,
    tell: &'a mut dyn FnMut(&Notice),
    diary: RunJournal,
    queue: StageQueue,
    costs: Costs,
    urgencies: HashMap<Step, f64>,
    /// The steps that people call by these names.
    jobs: HashMap<JobId, Step>,
    /// Jobs that were noted as queued, and not yet as anything else.
    queued: HashSet<JobId>,
    /// Jobs that wait for a kind of device that this run has none of.
    homeless: HashSet<Key>,
    acts: Acts,
    draining: bool,
    hands: BTreeMap<u64, WorkerSlot>,
    started: u64,
    heard: Receiver<WorkerMessage>,
    sender: Sender<WorkerMessage>,
    attempts: HashMap<Key, u32>,
    /// Attempts that ended badly since a person last asked for another; what people or the run itself ended does not count.
    spent: HashMap<Key, u32>,
    /// Lines that workers printed in the attempt they are at.
    printed: HashMap<u64, usize>,
    looked: Instant,
    /// Results that workers have made and that are not seen here yet.
    late: Late,
    ran: usize,
    lock: Lock,
}

/// A worker at its place.
struct WorkerSlot {
    device: usize,
    slot: usize,
    worker: WorkerProcess,
    journal: String,
    /// Jobs it was given and has not answered; it works on the first.
    given: VecDeque<AssignedJob>,
    /// When it began the first.
    begun: Option<Instant>,
    heard: Instant,
    /// Why this dispatcher ended it, and because of which job.
    ended: Option<(Key, Cause, String)>,
    /// When it was asked to.
    asked: Option<Instant>,
}

#[derive(Clone)]
struct AssignedJob {
    waiting: Waiting,
    job: JobId,
    attempt: u32,
    /// It was noted as started.
    noted: bool,
}

/// How an attempt ended badly: with its worker's exit and last lines, if that ended too.
struct Bad {
    cause: Cause,
    why: String,
    exit: Option<String>,
    log: Vec<String>,
}

impl Bad {
    /// As the worker, or this dispatcher, says.
    fn told(cause: Cause, why: String) -> Self {
        Bad { cause, why, exit: None, log: vec![] }
    }
}

impl<'a> Run<'a> {
    fn start(plan: &'a mut Plan, how: &'a Dispatch, tell: &'a mut dyn FnMut(&Notice), lock: Lock) -> Result<Self> {
        how.workspace.sweep();
        plan.store_sources()?;
        let text = how.workspace.objects().put(how.text.as_bytes())?;
        let diary = RunJournal::start(how.workspace)?;
        let acts = Acts::standing(diary.index())?;
        let costs = Costs::learn(Some(diary.index()))?;
        let (sender, heard) = mpsc::channel();
        let mut run = Run {
            plan,
            how,
            tell,
            diary,
            queue: StageQueue::default(),
            costs,
            urgencies: HashMap::new(),
            jobs: HashMap::new(),
            queued: HashSet::new(),
            homeless: HashSet::new(),
            acts,
            draining: false,
            hands: BTreeMap::new(),
            started: 0,
            heard,
            sender,
            attempts: HashMap::new(),
            spent: HashMap::new(),
            printed: HashMap::new(),
            looked: Instant::now(),
            late: Late::new(how.workspace.is_shared()),
            ran: 0,
            lock,
        };
        let slots = |device: &Device| Slots { device: device.name.to_string(), slots: device.slots, threads: device.threads };
        run.diary.note(EventKind::RunStarted {
            study: run.plan.study.name.clone(),
            file: how.file.clone(),
            text,
            devices: how.devices.iter().map(slots).collect(),
            origin: Box::new(how.origin.clone()),
        });
        run.plan.replan(run.acts.aside().clone(), &[])?;
        run.take_up()?;
        run.note_aside();
        Ok(run)
    }

    fn go(&mut self) -> Result<()> {
        loop {
            self.fill()?;
            self.keep()?;
            if self.over() {
                return Ok(());
            }
            self.hear()?;
            self.obey()?;
            self.look_for_late()?;
            self.watch();
            if self.lock.is_lost() {
                let who = self.how.workspace.holder().map_or(String::new(), |holder| format!(": {}", holder.told()));
                return Err(Fault::missing(format!(
                    "this run stood still for so long that another visavis took the workspace over{who}"
                ))
                .next("what was finished is kept; follow the other one with `visavis attach`"));
            }
        }
    }

    fn over(&self) -> bool {
        let running = self.hands.values().any(|hand| !hand.given.is_empty()) || !self.late.is_empty();
        let held = self.acts.paused_all && !self.draining && !self.queue.is_empty();
        self.how.stop.load(Ordering::SeqCst) || !running && !held && (self.draining || self.queue.is_empty())
    }

    /// Ends the workers, says how the run ended.
    fn close(mut self, outcome: Result<()>) -> Result<RunSummary> {
        // Machines that do not see locks are told by a worker's last words that it is gone.
        let shared = self.how.workspace.is_shared();
        for hand in self.hands.values_mut() {
            if shared && hand.given.is_empty() { hand.worker.dismiss() } else { hand.worker.ask() }
        }
        let asked = Instant::now();
        for mut hand in std::mem::take(&mut self.hands).into_values() {
            hand.worker.ends_within(GRACE.saturating_sub(asked.elapsed()));
            let Some(given) = hand.given.front().filter(|_| hand.begun.is_some()) else { continue };
            let why = "the run ended first; the next one makes it".to_owned();
            self.note_failure(given, Bad::told(Cause::Stopped, why), true);
        }
        let ended = RunSummary {
            ran: self.ran,
            stored: self.plan.stored(),
            failed: self.plan.failures(),
            paused: self.plan.count_aside(JobState::Paused),
            cancelled: self.plan.count_aside(JobState::Cancelled),
            interrupted: self.how.stop.load(Ordering::SeqCst),
            drained: self.draining && !self.queue.is_empty(),
            homeless: self.homeless.len(),
            set_aside: vec![],
            left: self.queue.len(),
        };
        let RunSummary { ran, stored, failed, interrupted, .. } = ended;
        self.how.workspace.sweep();
        self.diary.read().ok();
        self.diary.note(EventKind::RunFinished { ran, stored, failed, interrupted });
        let kept = self.keep();
        let set_aside = self.diary.index().set_aside().unwrap_or_default();
        outcome.and(kept).map(|()| RunSummary { set_aside, ..ended })
    }

    /// Keeps what was noted, then tells.
    fn keep(&mut self) -> Result<()> {
        let events = self.diary.keep()?;
        let left = if events.is_empty() { 0 } else { self.plan.tally().iter().map(|(_, tally)| tally.to_run).sum() };
        for event in &events {
            let job = match &event.what {
                EventKind::Started { job, .. } | EventKind::Finished { job, .. } | EventKind::Failed { job, .. } => {
                    self.jobs.get(job)
                }
                _ => None,
            };
            let job = job.map(|step| (step.kind(), step.label(&self.plan.study)));
            (self.tell)(&Notice { event, job, done: self.ran, left });
        }
        Ok(())
    }

    /// Puts what has become ready into the queue, and notes jobs that are new or that were found done.
    fn take_up(&mut self) -> Result<()> {
        if self.plan.has_grown() {
            self.note_queued();
        }
        let found: Vec<(JobId, Key)> = self
            .plan
            .newly_found()
            .into_iter()
            .map(|(step, key)| (self.plan.job(step), key))
            .filter(|(job, _)| self.queued.remove(job))
            .collect();
        if !found.is_empty() {
            self.diary.note(EventKind::Found { jobs: found });
        }
        let mut busy: HashSet<Key> = self.hands.values().flat_map(|hand| &hand.given).map(|given| given.waiting.key).collect();
        busy.extend(self.late.keys());
        for (key, step) in self.plan.newly_ready() {
            let waiting = self.plan.waiting(key, step, &self.costs, &self.urgencies);
            if !self.how.devices.iter().any(|device| device.name.class == waiting.class) {
                self.homeless.insert(key);
            } else if !busy.contains(&key) {
                self.queue.push(waiting);
            }
        }
        Ok(())
    }

    /// Notes the steps that this run had not seen yet.
    fn note_queued(&mut self) {
        let new: Vec<Step> = self.plan.steps().map(|(step, _)| step).filter(|step| !self.urgencies.contains_key(step)).collect();
        if new.is_empty() {
            return;
        }
        self.urgencies = self.plan.urgencies(&self.costs);
        let mut planned = Vec::new();
        for step in new {
            let label = step.label(&self.plan.study);
            let job = JobId::of(&self.plan.study.name, &label);
            self.jobs.insert(job, step);
            let open = matches!(self.plan.standing(step), Some(StageStatus::Open | StageStatus::Ready | StageStatus::Aside(_)));
            if open {
                self.queued.insert(job);
                planned.push(PlannedJob { job, stage: step.kind(), label });
            }
        }
        if !planned.is_empty() {
            self.diary.note(EventKind::Queued { jobs: planned });
        }
    }

    /// Gives every free slot something to do.
    fn fill(&mut self) -> Result<()> {
        if self.acts.paused_all || self.draining || self.how.stop.load(Ordering::SeqCst) {
            return Ok(());
        }
        for (place, device) in self.how.devices.iter().enumerate() {
            let of_class = |other: &&Device| other.name.class == device.name.class;
            let slots: usize = self.how.devices.iter().filter(of_class).map(|device| device.slots).sum();
            for slot in 0..device.slots {
                let here = self.hands.iter().find(|(_, hand)| hand.device == place && hand.slot == slot);
                if here.is_some_and(|(_, hand)| !hand.given.is_empty() || hand.ended.is_some()) {
                    continue;
                }
                let here = here.map(|(number, _)| *number);
                let batch = self.queue.batch(device.name.class, slots);
                if batch.is_empty() {
                    break;
                }
                let number = match here {
                    Some(number) => number,
                    None => self.hire(place, slot)?,
                };
                batch.into_iter().try_for_each(|waiting| self.give(number, waiting))?;
            }
        }
        Ok(())
    }

    fn hire(&mut self, place: usize, slot: usize) -> Result<u64> {
        let device = &self.how.devices[place];
        self.started += 1;
        let run = self.diary.name();
        let post = WorkerChannel {
            program: self.worker_on(place),
            workspace: self.how.workspace,
            run: &run,
            device: device.name.to_string(),
            slot,
            threads: device.threads,
        };
        let worker = WorkerProcess::start(self.started, &post, &self.sender)?;
        let hand = WorkerSlot {
            device: place,
            slot,
            worker,
            journal: String::new(),
            given: VecDeque::new(),
            begun: None,
            heard: Instant::now(),
            ended: None,
            asked: None,
        };
        self.hands.insert(self.started, hand);
        Ok(self.started)
    }

    /// Devices that networks run on have workers that can do all; each start is paid once.
    fn worker_on(&self, place: usize) -> &Path {
        let networks = self.how.devices[place].name.class == self.plan.study.numerics.device;
        self.how.torch.as_ref().filter(|_| networks).unwrap_or(&self.how.program)
    }

    fn give(&mut self, number: u64, waiting: Waiting) -> Result<()> {
        let step = waiting.step;
        let Some((_, task)) = self.plan.task(step) else { return Ok(()) };
        let attempt = self.attempts.get(&waiting.key).copied().unwrap_or(0) + 1;
        let label = step.label(&self.plan.study);
        let job = JobId::of(&self.plan.study.name, &label);
        let order = Order { task: task.clone(), label, attempt, clock: self.diary.clock(), again: self.plan.again(step) };
        let line = serde_json::to_string(&order).map_err(|error| Fault::unexpected(error.to_string()))?;
        if let Some(hand) = self.hands.get_mut(&number) {
            if hand.given.is_empty() {
                hand.heard = Instant::now();
            }
            hand.worker.give(line);
            hand.given.push_back(AssignedJob { waiting, job, attempt, noted: false });
        }
        Ok(())
    }

    /// Waits for something to be said, and takes everything that was.
    fn hear(&mut self) -> Result<()> {
        let mut next = match self.heard.recv_timeout(LOOK) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Err(Fault::unexpected("all workers are gone")),
        };
        for _ in 0..4096 {
            let Some(WorkerMessage { worker, what }) = next else { break };
            match what {
                MessageKind::Answer(answer) => self.take(worker, answer)?,
                MessageKind::Line(line) => self.log(worker, line),
                MessageKind::Gone => self.gone(worker)?,
            }
            next = self.heard.try_recv().ok();
        }
        Ok(())
    }

    fn take(&mut self, number: u64, answer: WorkerAnswer) -> Result<()> {
        let Some(hand) = self.hands.get_mut(&number) else { return Ok(()) };
        hand.heard = Instant::now();
        match answer {
            WorkerAnswer::Beat => {}
            WorkerAnswer::Ready { journal } => {
                self.diary.grew(&journal);
                hand.journal = journal;
            }
            // Before it has said which journal, there is nothing to read that `Ready` will not bring.
            WorkerAnswer::Kept if hand.journal.is_empty() => {}
            WorkerAnswer::Kept => self.diary.grew(&hand.journal),
            WorkerAnswer::Begun { key } => {
                let place = hand.device;
                self.printed.remove(&number);
                // A stage has one key, whoever works it out: unless the programs were built from different sources.
                let Some(given) = hand.given.iter_mut().find(|given| given.waiting.key == key) else {
                    return Err(Fault::missing("the worker is of another build than visavis: it gives a stage another key")
                        .in_file(self.worker_on(place))
                        .next("build both programs from one source (`make build` or `make install`), then run again"));
                };
                given.noted = true;
                hand.begun = Some(Instant::now());
                let (given, journal, slot) = (given.clone(), hand.journal.clone(), hand.slot);
                self.note_start(&given, journal, place, slot);
            }
            WorkerAnswer::Finished { key, seconds, first } => {
                hand.begun = None;
                let Some(given) = hand.answered(key) else { return Ok(()) };
                self.ran += 1;
                self.queued.remove(&given.job);
                if first {
                    self.costs.note(&given.waiting.step.cost_class(&self.plan.study), given.waiting.step.kind(), seconds);
                }
                self.diary.note(EventKind::Finished { job: given.job, key, attempt: given.attempt, seconds, first });
                match self.plan.finished(key)? {
                    Some(manifest) => self.diary.result(manifest),
                    None => self.late.wait_for(key, Instant::now()),
                }
                self.take_up()?;
            }
            WorkerAnswer::Failed { key, cause, why } => {
                hand.begun = None;
                let Some(given) = hand.answered(key) else { return Ok(()) };
                self.failed(&given, Bad::told(cause, why))?;
            }
        }
        Ok(())
    }

    fn note_start(&mut self, given: &AssignedJob, worker: String, place: usize, slot: usize) {
        let device = &self.how.devices[place];
        let (job, key, attempt) = (given.job, given.waiting.key, given.attempt);
        self.attempts.insert(key, attempt);
        let seed = self.plan.task(given.waiting.step).and_then(|(_, task)| task.work.seed());
        let (name, threads) = (device.name.to_string(), device.threads);
        self.diary.note(EventKind::Started { job, key, attempt, device: name, slot, threads, seed, worker });
    }

    fn log(&mut self, number: u64, line: String) {
        let printed = self.printed.entry(number).or_default();
        *printed += 1;
        if *printed > MOST_LINES {
            return;
        }
        let at = self.hands.get(&number).filter(|hand| hand.begun.is_some()).and_then(|hand| hand.given.front());
        let (key, attempt) = at.map_or((None, 0), |given| (Some(given.waiting.key), given.attempt));
        self.diary.note(EventKind::Logged { key, attempt, line });
    }

    /// A worker has ended: what it was on failed, the rest of its batch goes back.
    fn gone(&mut self, number: u64) -> Result<()> {
        let Some(mut hand) = self.hands.remove(&number) else { return Ok(()) };
        self.printed.remove(&number);
        if !hand.journal.is_empty() {
            self.diary.grew(&hand.journal);
        }
        let (end, at_work) = (hand.worker.end(), hand.begun.is_some());
        let Some(mut first) = hand.given.pop_front() else { return Ok(()) };
        for given in hand.given {
            self.requeue(&given);
        }
        let meant = hand.ended.as_ref().is_some_and(|(key, ..)| *key == first.waiting.key);
        let memory = |line: &String| {
            let line = line.to_lowercase();
            line.contains("out of memory") || line.contains("memory allocation of")
        };
        let (cause, why) = match hand.ended {
            Some((_, cause, why)) if meant => (cause, why),
            // The worker was ended for another job, which it had done by then.
            Some(_) if at_work => (Cause::Stopped, "its worker was ended for another job".to_owned()),
            Some(_) => {
                self.requeue(&first);
                return Ok(());
            }
            None => match end.log.iter().rev().find(|line| memory(line)) {
                Some(line) => (Cause::Memory, line.clone()),
                None => {
                    // A worker that could not go on has said why.
                    let said = end.log.iter().rev().find_map(|line| line.strip_prefix("error: "));
                    let said = said.map_or(String::new(), |said| format!(": {said}"));
                    (Cause::Crash, format!("the worker ended before the stage did ({}){said}", end.exit))
                }
            },
        };
        if !first.noted {
            // It did not come to the job. That counts all the same, or a worker that never starts is hired for ever.
            first.noted = true;
            self.note_start(&first, hand.journal, hand.device, hand.slot);
        }
        self.failed(&first, Bad { cause, why, exit: Some(end.exit), log: end.log })
    }

    /// Back into the queue, unless a person has set it aside.
    fn requeue(&mut self, given: &AssignedJob) {
        if !self.acts.aside().contains_key(&given.job) {
            self.queue.push(given.waiting.clone());
        }
    }

    fn failed(&mut self, given: &AssignedJob, bad: Bad) -> Result<()> {
        let (key, job) = (given.waiting.key, given.job);
        if matches!(bad.cause, Cause::Cancelled | Cause::Stopped) {
            self.note_failure(given, bad, true);
            if self.acts.aside().contains_key(&job) {
                self.queued.remove(&job);
                self.diary.note(EventKind::Cancelled { jobs: vec![job] });
            }
            // Or it was asked for again before its worker had ended.
            self.requeue(given);
            return Ok(());
        }
        let spent = self.spent.entry(key).or_default();
        *spent += 1;
        let again = bad.cause.worth_another_try() && *spent < self.how.attempts;
        let why = bad.why.clone();
        self.note_failure(given, bad, again);
        if again {
            self.requeue(given);
            return Ok(());
        }
        self.queued.remove(&job);
        self.plan.failed(key, &why)?;
        self.take_up()
    }

    fn note_failure(&mut self, given: &AssignedJob, Bad { cause, why, exit, log }: Bad, again: bool) {
        debug_assert!(given.noted, "an attempt ends that was never noted");
        let (job, key, attempt) = (given.job, given.waiting.key, given.attempt);
        self.diary.note(EventKind::Failed { job, key, attempt, cause, why, exit, log, again });
    }

    /// Ends workers that hang, and attempts that take too long.
    fn watch(&mut self) {
        let (patience, limit) = (self.how.patience, self.how.limit);
        for hand in self.hands.values_mut().filter(|hand| hand.asked.is_some_and(|asked| asked.elapsed() > GRACE)) {
            hand.worker.kill();
        }
        for hand in self.hands.values_mut().filter(|hand| hand.ended.is_none() && !hand.given.is_empty()) {
            let reason = if hand.heard.elapsed() > patience {
                (Cause::Silence, format!("the worker gave no sign of life for {} s and was ended", patience.as_secs()))
            } else if let (Some(limit), Some(begun)) = (limit, hand.begun)
                && begun.elapsed() > limit
            {
                (Cause::Timeout, format!("it took longer than its limit of {} s and was ended", limit.as_secs()))
            } else {
                continue;
            };
            let Some(given) = hand.given.front() else { continue };
            hand.ended = Some((given.waiting.key, reason.0, reason.1));
            hand.worker.kill();
        }
    }
}

impl WorkerSlot {
    /// Takes what was answered off what was given.
    fn answered(&mut self, key: Key) -> Option<AssignedJob> {
        let place = self.given.iter().position(|given| given.waiting.key == key)?;
        self.given.remove(place)
    }
}
