//! What a dispatcher decides: events and the time in, commands out. It does no I/O, reads no clock and never waits, so its tests do not
//! either. Whoever drives it carries the commands out in their order, and tells what came of those that ask something.

mod attempts;
mod joined;
mod late;
mod places;
mod reckoned;
mod requests;
#[cfg(test)]
mod tests;

use super::executors::WorkerExit;
use crate::study::{
    devices::Device,
    job_requests::JobRequests,
    programs::WorkerProgram,
    queue::{StageQueue, Waiting},
    steps::Step,
};
use attempts::AttemptEnd;
use late::LateResults;
use places::Wanted;
use reckoned::Reckoned;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::Duration,
};
use visavis_core::domain::{
    Key,
    event::{EventKind, PersonRequest, WorkerAnswer},
    job::{Cause, JobId, JobState, PlannedJob},
};

/// Something that happened.
pub(crate) enum DispatchEvent {
    /// The plan has news.
    Planned(PlanNews),
    /// A worker has come by itself to a device whose workers do ([`Engine::with_joining`]).
    /// `holds`: what a dispatcher before this one gave it, and which attempt that was, if it has not answered.
    Joined { worker: u64, device: usize, slot: usize, program: Option<WorkerProgram>, holds: Vec<(Key, u32)> },
    /// A worker answered.
    Answered { worker: u64, answer: WorkerAnswer },
    /// A worker printed a line on its standard error.
    Printed { worker: u64, line: String },
    /// A worker ended, whatever the reason.
    Exited { worker: u64, exit: WorkerExit },
    /// What became of [`DispatchCommand::LookUp`].
    LookedUp { key: Key, made: bool, is_there: bool },
    /// People asked something. `failed`: the jobs of the plan that have failed, and their keys.
    Asked { requests: Vec<PersonRequest>, failed: Vec<(JobId, Key)> },
    /// Time has passed.
    Tick,
    /// All that has happened is told: free slots may be given work.
    Fill,
    /// The run is to end now: start nothing more.
    Stop,
    /// The run ends. `dismiss`: workers that have nothing to do end by themselves.
    Close { dismiss: bool },
}

/// What has changed in the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanNews {
    /// Jobs that were not there before, and whether anything is still to become of them.
    pub jobs: Vec<(PlannedJob, bool)>,
    /// Results that turned up.
    pub found: Vec<(JobId, Key)>,
    /// Tasks that have become ready.
    pub ready: Vec<Waiting>,
}

/// Something to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum DispatchCommand {
    /// Start a worker in a slot of the device at a place; without a program named, visavis itself.
    Spawn { worker: u64, device: usize, slot: usize, program: Option<WorkerProgram> },
    /// Give a worker the task of a step.
    Assign { worker: u64, step: Step, attempt: u32 },
    /// Ask a worker to give back what makes these, unless it has begun it.
    Recall { worker: u64, keys: Vec<Key> },
    /// Have a worker that has nothing to do go on as another program; it joins anew.
    GoOnAs { worker: u64, program: WorkerProgram },
    /// Let it end by itself.
    Dismiss { worker: u64 },
    /// Ask it to stop.
    Terminate { worker: u64 },
    /// End it.
    Kill { worker: u64 },
    /// Wait until all workers have ended, at most so long.
    EndAll { grace: Duration },
    /// Write an event into the run's journal.
    Note(EventKind),
    /// A worker's journal has grown: take in what it says.
    ReadJournal(String),
    /// A step took so many seconds: learn from it.
    Learn { step: Step, seconds: f64 },
    /// Tell the plan that a task is done, if its result is there; [`DispatchEvent::LookedUp`] answers. `made`: this run made it.
    LookUp { key: Key, made: bool },
    /// Tell the plan that a task failed for good.
    GiveUp { key: Key, why: String },
    /// Let the plan look anew, with what people asked of jobs and what failed with these keys forgiven.
    Replan { aside: HashMap<JobId, JobState>, forgiven: Vec<Key> },
    /// Ask the plan for its news; [`DispatchEvent::Planned`] answers.
    TakeNews,
    /// The workers of a program are of another build: the run cannot go on.
    RefuseBuild { program: Option<WorkerProgram> },
}

/// What attempts may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How often a job is tried whose attempts end in a way that another may not.
    pub attempts: u32,
    /// A worker that is silent for so long hangs.
    pub silence: Duration,
    /// One that came by itself is given up only then: it is seen through a shared folder, and is harmless if it lives.
    pub silence_joined: Duration,
    /// What an attempt may take.
    pub attempt: Option<Duration>,
}

/// How long a worker that is asked to stop may take to keep what it has.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

pub(crate) struct Engine {
    devices: Vec<Device>,
    /// Which program a worker of each device is that no job asks for: one start serves whatever comes.
    usual: Vec<Option<WorkerProgram>>,
    /// Of each device: its workers come by themselves, as a cluster starts them, and also take what needs a processor only.
    joining: Vec<bool>,
    wanted: Wanted,
    limits: Limits,
    queue: StageQueue,
    requests: JobRequests,
    is_draining: bool,
    is_stopping: bool,
    /// Workers that had nothing to do were let go.
    has_dismissed: bool,
    slots: BTreeMap<u64, WorkerSlot>,
    /// How many workers were started; they are numbered by that.
    started: u64,
    /// Every job of the plan that was told.
    known: HashSet<JobId>,
    /// Jobs that were noted as queued, and not yet as anything else.
    queued: HashSet<JobId>,
    /// Tasks for a kind of device that this run has none of.
    homeless: HashSet<Key>,
    attempts: HashMap<Key, u32>,
    /// Attempts that ended badly since a person last asked for another; what people or the run itself ended does not count.
    spent: HashMap<Key, u32>,
    reckoned: Reckoned,
    /// How often a worker was taken away while it was at something of which nothing is kept.
    taken: HashMap<Key, u32>,
    late: LateResults,
    ran: usize,
    commands: Vec<DispatchCommand>,
}

/// A worker at its place.
struct WorkerSlot {
    device: usize,
    slot: usize,
    program: Option<WorkerProgram>,
    /// As it called it.
    journal: String,
    /// Jobs it was assigned and has not answered; it works on the first.
    assigned: VecDeque<AssignedJob>,
    /// When it began the first.
    begun: Option<Duration>,
    /// When it last gave a sign of life.
    heard: Duration,
    /// What it holds since before this run and what this run does not wait for.
    foreign: HashSet<Key>,
    /// It was asked to give something back, and has not answered.
    is_recalled: bool,
    /// The program as which it was asked to go on.
    becomes: Option<WorkerProgram>,
    /// Since when it has had something to begin, of a worker that came by itself and has begun nothing.
    unbegun: Option<Duration>,
    /// Since when it has had nothing to do, of a worker that came by itself.
    idle: Option<Duration>,
    /// Why the dispatcher ends it.
    ending: Option<WorkerEnding>,
    /// Lines that it printed in the attempt it is at.
    printed: usize,
}

/// Why a worker is ended, and because of which job.
struct WorkerEnding {
    key: Key,
    cause: Cause,
    why: String,
    /// When it is to be killed, if it was asked to stop first.
    kill_at: Option<Duration>,
}

#[derive(Clone)]
struct AssignedJob {
    waiting: Waiting,
    attempt: u32,
    /// It was noted as started.
    noted: bool,
}

impl Engine {
    /// `acts`: what people asked before. `is_shared`: results may show late.
    pub(crate) fn new(devices: Vec<Device>, limits: Limits, requests: JobRequests, is_shared: bool) -> Self {
        Engine {
            usual: vec![None; devices.len()],
            joining: vec![false; devices.len()],
            wanted: Wanted::default(),
            devices,
            limits,
            queue: StageQueue::default(),
            requests,
            is_draining: false,
            is_stopping: false,
            has_dismissed: false,
            slots: BTreeMap::new(),
            started: 0,
            known: HashSet::new(),
            queued: HashSet::new(),
            homeless: HashSet::new(),
            attempts: HashMap::new(),
            spent: HashMap::new(),
            reckoned: Reckoned::default(),
            taken: HashMap::new(),
            late: LateResults::new(is_shared),
            ran: 0,
            commands: vec![],
        }
    }

    /// With the programs that workers of each device usually are.
    pub(crate) fn with_usual(mut self, usual: Vec<Option<WorkerProgram>>) -> Self {
        self.usual = usual;
        self
    }

    /// With the devices whose workers are not spawned here: they come by themselves.
    pub(crate) fn with_joining(mut self, joining: Vec<bool>) -> Self {
        if Self::is_mixed(&joining) {
            self.queue = StageQueue::with_networks_apart();
        }
        self.joining = joining;
        self
    }

    /// Takes an event in; what is to be done because of it. `now`: the time since the run began.
    pub(crate) fn handle(&mut self, event: DispatchEvent, now: Duration) -> Vec<DispatchCommand> {
        match event {
            DispatchEvent::Planned(news) => self.take_news(news),
            DispatchEvent::Joined { worker, device, slot, program, holds } => {
                self.join(worker, (device, slot), program, &holds, now);
            }
            DispatchEvent::Answered { worker, answer } => self.answered(worker, answer, now),
            DispatchEvent::Printed { worker, line } => self.printed(worker, line),
            DispatchEvent::Exited { worker, exit } => self.exited(worker, exit),
            DispatchEvent::LookedUp { key, made, is_there } => self.looked_up(key, made, is_there, now),
            DispatchEvent::Asked { requests, failed } => self.obey(&requests, &failed, now),
            DispatchEvent::Tick => self.tick(now),
            DispatchEvent::Fill => self.fill(now),
            DispatchEvent::Stop => self.is_stopping = true,
            DispatchEvent::Close { dismiss } => self.close(dismiss),
        }
        std::mem::take(&mut self.commands)
    }

    /// Nothing is left to be done, or to be waited for.
    pub(crate) fn is_over(&self) -> bool {
        let is_running = self.slots.values().any(|slot| !slot.assigned.is_empty()) || !self.late.is_empty();
        let is_held = self.requests.paused_all && !self.is_draining && !self.queue.is_empty();
        self.is_stopping || !is_running && !is_held && (self.is_draining || self.queue.is_empty())
    }

    /// What waits is not started: people paused everything, or the run ends.
    pub(crate) fn starts_nothing(&self) -> bool {
        self.requests.paused_all || self.is_draining || self.is_stopping
    }

    /// Jobs whose results this run made.
    pub(crate) fn ran(&self) -> usize {
        self.ran
    }

    /// As many workers have something to do, or will have soon, when so many stages are left. Once workers were let go because they had
    /// nothing to do, only what is assigned or could be counts.
    pub(crate) fn demand(&self, left: usize) -> usize {
        match (self.starts_nothing(), self.has_dismissed) {
            (true, _) => self.assigned().count(),
            (false, true) => self.assigned().count() + self.queue.len(),
            (false, false) => left,
        }
    }

    /// Jobs that wait in the queue.
    pub(crate) fn left(&self) -> usize {
        self.queue.len()
    }

    /// Jobs that wait for a kind of device that the run has none of.
    pub(crate) fn homeless(&self) -> usize {
        self.homeless.len()
    }

    /// A person asked it to finish what ran and to start nothing more, and something was left.
    pub(crate) fn is_drained(&self) -> bool {
        self.is_draining && !self.queue.is_empty()
    }

    fn note(&mut self, what: EventKind) {
        self.commands.push(DispatchCommand::Note(what));
    }

    /// Notes jobs that are new or that were found done, and puts what has become ready into the queue.
    fn take_news(&mut self, PlanNews { jobs, found, ready }: PlanNews) {
        self.known.extend(jobs.iter().map(|(of, _)| of.job));
        let jobs: Vec<PlannedJob> = jobs.into_iter().filter(|(_, is_open)| *is_open).map(|(of, _)| of).collect();
        if !jobs.is_empty() {
            self.queued.extend(jobs.iter().map(|of| of.job));
            self.note(EventKind::Queued { jobs });
        }
        let found: Vec<(JobId, Key)> = found.into_iter().filter(|(job, _)| self.queued.remove(job)).collect();
        if !found.is_empty() {
            self.note(EventKind::Found { jobs: found });
        }
        // Few become ready at a time: a set of all that a thousand workers are at would take longer than all the rest.
        let is_asked = |key: &Key| ready.len() > 16 || ready.iter().any(|of| of.key == *key);
        let busy: HashSet<Key> = self.assigned().map(|of| of.waiting.key).chain(self.late.keys()).filter(is_asked).collect();
        for waiting in ready {
            let line = self.queue.line_of(&waiting);
            if !(0..self.devices.len()).any(|place| self.lines(place).contains(&line)) {
                self.homeless.insert(waiting.key);
            } else if !busy.contains(&waiting.key) {
                self.queue.push(waiting);
            }
        }
        self.note_aside();
    }

    fn assigned(&self) -> impl Iterator<Item = &AssignedJob> {
        self.slots.values().flat_map(|slot| &slot.assigned)
    }

    /// Gives every free slot something to do.
    fn fill(&mut self, now: Duration) {
        if self.starts_nothing() {
            return;
        }
        for place in (0..self.devices.len()).filter(|place| !self.joining[*place]).collect::<Vec<_>>() {
            let class = self.devices[place].name.class;
            let slots: usize = self.devices.iter().filter(|other| other.name.class == class).map(|device| device.slots).sum();
            for slot in 0..self.devices[place].slots {
                let here = self.slots.iter().find(|(_, of)| of.device == place && of.slot == slot);
                if here.is_some_and(|(_, of)| !of.assigned.is_empty() || of.ending.is_some()) {
                    continue;
                }
                let here = here.map(|(worker, _)| *worker);
                let batch = self.queue.batch(class, slots);
                if batch.is_empty() {
                    break;
                }
                let needed = batch.iter().find_map(|of| of.program);
                let worker = self.suitable(here, needed).unwrap_or_else(|| self.spawn(place, slot, needed, now));
                batch.into_iter().for_each(|waiting| self.assign(worker, waiting, now));
            }
        }
        // What is left of what the slots of this machine can do is for others.
        self.fill_joined(now);
    }

    /// The idle worker of a slot, if it can do what a program is needed for; another is let go.
    fn suitable(&mut self, here: Option<u64>, needed: Option<WorkerProgram>) -> Option<u64> {
        let worker = here?;
        if needed.is_none() || self.slots.get(&worker)?.program == needed {
            return Some(worker);
        }
        self.let_go(worker);
        None
    }

    fn spawn(&mut self, device: usize, slot: usize, needed: Option<WorkerProgram>, now: Duration) -> u64 {
        self.started += 1;
        let program = needed.or_else(|| self.usual.get(device).copied().flatten());
        let started = self.slot(device, slot, program, now);
        self.slots.insert(self.started, started);
        self.commands.push(DispatchCommand::Spawn { worker: self.started, device, slot, program });
        self.started
    }

    fn slot(&self, device: usize, slot: usize, program: Option<WorkerProgram>, now: Duration) -> WorkerSlot {
        WorkerSlot {
            device,
            slot,
            program,
            journal: String::new(),
            assigned: VecDeque::new(),
            begun: None,
            heard: now,
            foreign: HashSet::new(),
            is_recalled: false,
            becomes: None,
            unbegun: None,
            idle: None,
            ending: None,
            printed: 0,
        }
    }

    fn assign(&mut self, worker: u64, waiting: Waiting, now: Duration) {
        let attempt = self.attempts.get(&waiting.key).copied().unwrap_or(0) + 1;
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if slot.assigned.is_empty() {
            slot.heard = now;
            slot.unbegun = Some(now);
        }
        self.commands.push(DispatchCommand::Assign { worker, step: waiting.step, attempt });
        slot.idle = None;
        slot.assigned.push_back(AssignedJob { waiting, attempt, noted: false });
    }

    /// Ends workers that hang and attempts that take too long, and looks for results that come late.
    fn tick(&mut self, now: Duration) {
        self.let_superfluous_go(now);
        self.take_back_unbegun(now);
        for (key, made) in self.late.due(now) {
            self.commands.push(DispatchCommand::LookUp { key, made });
        }
        let Limits { silence, silence_joined, attempt, .. } = self.limits;
        for (&worker, slot) in &mut self.slots {
            if let Some(ending) = &mut slot.ending {
                if ending.kill_at.is_some_and(|at| now > at) {
                    ending.kill_at = None;
                    self.commands.push(DispatchCommand::Kill { worker });
                }
                continue;
            }
            let silence = if self.joining[slot.device] { silence_joined } else { silence };
            if slot.becomes.is_some() && now.saturating_sub(slot.heard) > silence {
                // It did not come back as the other program.
                slot.becomes = None;
                self.commands.push(DispatchCommand::Kill { worker });
            }
            let Some(first) = slot.assigned.front() else { continue };
            let (cause, why) = if now.saturating_sub(slot.heard) > silence {
                (Cause::Silence, format!("the worker gave no sign of life for {} s and was ended", silence.as_secs()))
            } else if let (Some(limit), Some(begun)) = (attempt, slot.begun)
                && now.saturating_sub(begun) > limit
            {
                (Cause::Timeout, format!("it took longer than its limit of {} s and was ended", limit.as_secs()))
            } else {
                continue;
            };
            slot.ending = Some(WorkerEnding { key: first.waiting.key, cause, why, kill_at: None });
            self.commands.push(DispatchCommand::Kill { worker });
        }
    }

    /// A result was looked for that a worker has made.
    fn looked_up(&mut self, key: Key, made: bool, is_there: bool, now: Duration) {
        if is_there {
            self.late.settle(key);
        } else if !self.late.waits_for(key) {
            self.late.wait_for(key, made, now);
            return;
        } else if self.late.is_last_try(key) {
            self.late.settle(key);
            self.commands.push(DispatchCommand::GiveUp { key, why: self.late.why() });
        } else {
            return;
        }
        self.commands.push(DispatchCommand::TakeNews);
    }

    /// Ends the workers; what they were at is noted as stopped.
    fn close(&mut self, dismiss: bool) {
        for (&worker, slot) in &self.slots {
            let is_idle = slot.assigned.is_empty();
            self.commands.push(if dismiss && is_idle {
                DispatchCommand::Dismiss { worker }
            } else {
                DispatchCommand::Terminate { worker }
            });
        }
        self.commands.push(DispatchCommand::EndAll { grace: GRACE });
        for slot in std::mem::take(&mut self.slots).into_values() {
            let Some(first) = slot.assigned.front().filter(|_| slot.begun.is_some()) else { continue };
            let why = "the run ended first; the next one makes it".to_owned();
            self.note_failure(first, AttemptEnd::told(Cause::Stopped, why), true);
        }
    }
}
