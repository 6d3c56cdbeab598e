//! The worker: tasks in, one JSON value a line; answers out, likewise. What happens on the way goes into a journal of its
//! own. It cannot outlive the dispatcher that started it: the kernel ends it, and its input ends.

use super::{
    Caches, Listener, StageOutput, carry_out, fault_injection,
    post::{Post, work_by_post},
};
use crate::{
    dataset::{self, DigestCache},
    domain::{
        Digest, Ending, Fault, Key, Result,
        event::{EventKind, WorkerAnswer},
        job::Cause,
        machine::WorkerMachine,
        result::{Manifest, Output, Provenance},
        stage::{Input, Location, Order, Task},
    },
    numeric::pulse,
    store::{Journal, RecordFlusher, Recorder, Workspace, now, origin},
};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::{
    io::{BufRead, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often it says that it lives: on the dispatcher's machine, and through a shared folder.
const BEAT: Duration = Duration::from_millis(500);
const POSTED_BEAT: Duration = Duration::from_secs(10);

/// What is recorded waits for so long on a folder that is shared with a dispatcher.
const POSTED_RECORDS: Duration = Duration::from_secs(5);

/// A stage that has not done a round of its work for so long does none any more. Every long loop counts its rounds
/// ([`crate::numeric::pulse`]); what lies between two of them, such as reading one file, takes less.
const QUIET: Duration = Duration::from_secs(600);

/// Whether the work of a worker goes on. Only then it says that it lives, so that a stage that waits or loops for ever is ended as one that
/// is silent.
struct Progress {
    rounds: u64,
    since: Instant,
}

impl Progress {
    fn new(now: Instant) -> Self {
        Progress { rounds: 0, since: now }
    }

    fn goes_on(&mut self, is_busy: bool, rounds: u64, now: Instant) -> bool {
        if !is_busy || rounds != self.rounds {
            *self = Progress { rounds, since: now };
        }
        now.saturating_duration_since(self.since) < QUIET
    }
}

/// Where a worker is put to work.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The journal of the run it works for.
    pub run: String,
    /// Such as `cpu` or `cuda:0`.
    pub device: String,
    /// Which of the device's slots, from 0.
    pub slot: usize,
    /// Threads to compute with.
    pub threads: usize,
    /// Where its letters are, if it is not a child of its dispatcher.
    pub post: Option<Post>,
}

/// What became of a stage, or why nothing did.
pub type Outcome<T> = std::result::Result<T, (Cause, Fault)>;

/// Carries tasks out: `visavis` those that need no libtorch, `visavis-torch` all.
pub trait StageExecutor {
    /// The name of its program.
    fn program(&self) -> &'static str {
        "visavis"
    }

    /// # Errors
    /// Why the stage ended without a result.
    fn carry_out(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<StageOutput>;

    /// The stage's result is published: what was kept on the way is needless.
    fn published(&self, _key: Key) {}

    /// Was it asked to stop?
    fn stops(&self) -> bool {
        false
    }

    /// Is set while it is at something of which it keeps nothing when it is asked to stop; `None`: it never keeps anything.
    fn keeps_nothing(&self) -> Option<Arc<AtomicBool>> {
        None
    }
}

/// The torch-free stages, which share what a workspace keeps.
pub struct CoreExecutor<'a>(pub &'a Workspace);

impl StageExecutor for CoreExecutor<'_> {
    fn carry_out(&self, task: &Task, read: &dyn Fn(&Input) -> Result<Vec<u8>>, listener: &dyn Listener) -> Outcome<StageOutput> {
        carry_out(task, read, Some(&Caches::of(self.0)), listener).map_err(because)
    }
}

/// Has the kernel end this process with the dispatcher that started it; `false` when that has gone already.
///
/// # Errors
/// A kernel that cannot.
pub fn ends_with(parent: Option<u32>) -> Result<bool> {
    let Some(parent) = parent else { return Ok(true) };
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| Fault::unexpected(format!("cannot end with the dispatcher: {error}")))?;
    // It may have gone before that was asked.
    Ok(getppid().map(|pid| pid.as_raw_nonzero().get() as u32) == Some(parent))
}

/// Works off what comes on standard input, or by post, until nothing more comes.
///
/// # Errors
/// A line that is no task, a dispatcher that no longer listens, a disk that takes no journal; a folder that is not the run's workspace.
pub fn serve(workspace: &Workspace, settings: &WorkerSettings, executor: &dyn StageExecutor) -> Result<()> {
    match &settings.post {
        Some(post) => work_by_post(workspace, settings, post, executor),
        None => work(workspace, settings, executor, (std::io::stdin().lock(), std::io::stdout()), &OnceLock::new()),
    }
}

/// Works off the tasks on `tasks` until it ends. `flusher` is set to what has its records kept. Errors as those of [`serve`].
pub(super) fn work(
    workspace: &Workspace,
    settings: &WorkerSettings,
    executor: &dyn StageExecutor,
    (tasks, answers): (impl BufRead, impl Write + Send + 'static),
    flusher: &OnceLock<RecordFlusher>,
) -> Result<()> {
    let answers = AnswerWriter(Arc::new(Mutex::new(answers)));
    let journal = Journal::start(&workspace.journals(), now())?;
    let name = journal.name();
    let kept = {
        let answers = answers.clone();
        move || _ = answers.say(&WorkerAnswer::Kept)
    };
    let recorder = match &settings.post {
        Some(_) => Recorder::start_with(journal, POSTED_RECORDS, kept),
        None => Recorder::start(journal, kept),
    };
    flusher.set(recorder.flusher()).ok();
    let machine = origin::machine(&settings.device);
    recorder.event(EventKind::WorkerStarted {
        run: settings.run.clone(),
        pid: std::process::id(),
        device: settings.device.clone(),
        slot: settings.slot,
        threads: settings.threads,
        machine: Some(Box::new(machine.clone())),
    });
    answers.say(&WorkerAnswer::Ready { journal: name.clone() })?;
    let busy = Arc::new(AtomicBool::new(false));
    let is_posted = settings.post.is_some();
    let beat = if is_posted { POSTED_BEAT } else { BEAT };
    std::thread::spawn({
        let answers = answers.clone();
        let busy = Arc::clone(&busy);
        move || {
            let mut progress = Progress::new(Instant::now());
            loop {
                let is_busy = busy.load(Ordering::Relaxed);
                let goes_on = progress.goes_on(is_busy, pulse::rounds(), Instant::now());
                // A shared folder that takes no letter now may take the next; a pipe that is closed stays closed.
                if goes_on && answers.say(&WorkerAnswer::Beat).is_err() && !is_posted {
                    return;
                }
                std::thread::sleep(beat);
            }
        }
    });
    let worker = Worker { workspace, settings, executor, machine, journal: name, recorder: &recorder };
    for line in tasks.lines() {
        let line = line.map_err(|error| Fault::unexpected(format!("cannot read tasks: {error}")))?;
        let order: Order = serde_json::from_str(&line).map_err(|error| Fault::asked(format!("not a task: {error}")))?;
        answers.say(&WorkerAnswer::Begun { key: order.task.key() })?;
        // The time without a round is this stage's own.
        pulse::beat();
        busy.store(true, Ordering::Relaxed);
        let answer = worker.answer(&order);
        busy.store(false, Ordering::Relaxed);
        answers.say(&answer)?;
        if executor.stops() {
            return Ok(());
        }
        if recorder.is_broken() {
            // Another process may have a journal again; this one's is closed for good.
            return Err(Fault::unexpected("the worker's journal was refused by the disk"));
        }
    }
    Ok(())
}

/// Answers of several threads, a line each.
struct AnswerWriter<W>(Arc<Mutex<W>>);

impl<W> Clone for AnswerWriter<W> {
    fn clone(&self) -> Self {
        AnswerWriter(Arc::clone(&self.0))
    }
}

impl<W: Write> AnswerWriter<W> {
    fn say(&self, answer: &WorkerAnswer) -> Result<()> {
        let line = serde_json::to_string(answer).map_err(|error| Fault::unexpected(error.to_string()))? + "\n";
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(line.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| Fault::unexpected(format!("nobody listens: {error}")))
    }
}

impl Listener for Recorder {
    fn point(&self, series: &str, step: u64, value: f64) {
        Recorder::point(self, series, step, value);
    }

    fn line(&self, line: &str) {
        self.log(line);
    }
}

struct Worker<'a> {
    workspace: &'a Workspace,
    settings: &'a WorkerSettings,
    executor: &'a dyn StageExecutor,
    machine: WorkerMachine,
    journal: String,
    recorder: &'a Recorder,
}

impl Worker<'_> {
    /// Tries a task, and says how that ended.
    fn answer(&self, order: &Order) -> WorkerAnswer {
        let key = order.task.key();
        self.recorder.begin(key, order.attempt, order.clock);
        self.recorder.event(EventKind::Begun { key, attempt: order.attempt });
        // A panic is a bug, but it is this task's: the others still deserve their turn.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            fault_injection::befall(order)?;
            self.attempt(order, key)
        }));
        let bug = || Fault::unexpected("a bug in visavis stopped this stage; please report it with the study file");
        let outcome = outcome.unwrap_or_else(|_| Err((Cause::Bug, bug())));
        let ended = outcome.as_ref().err().map(|(cause, _)| *cause);
        self.recorder.event(EventKind::Ended { key, attempt: order.attempt, cause: ended });
        let kept = self.recorder.flush();
        match (outcome, kept) {
            (Err((cause, fault)), _) => WorkerAnswer::Failed { key, cause, why: fault.to_string() },
            (Ok(_), Err(fault)) => WorkerAnswer::Failed { key, cause: Cause::Machine, why: fault.to_string() },
            (Ok((seconds, first)), Ok(())) => WorkerAnswer::Finished { key, seconds, first },
        }
    }

    /// A file outside that a stage found something wrong with is read anew by the next plan, whatever its times say.
    fn doubt(&self, task: &Task, fault: &Fault) {
        let Some(place) = &fault.place else { return };
        let cache = self.workspace.digests();
        for input in &task.inputs {
            match &input.at {
                Location::File(path) if place.file == *path => DigestCache::doubt(&cache, path),
                Location::Pictures(at) => dataset::doubt(&cache, at, &place.file),
                Location::File(_) | Location::Object => {}
            }
        }
    }

    /// Carries the task out and publishes its result; says how long it took, and whether it was the first.
    fn attempt(&self, Order { task, again, attempt, .. }: &Order, key: Key) -> Outcome<(f64, bool)> {
        let (results, objects) = (self.workspace.results(), self.workspace.objects());
        if !again && results.get(key).map_err(because)?.is_some() {
            return Ok((0.0, false));
        }
        let (clock, started) = (Instant::now(), now());
        let located = task.from_root(self.workspace.root());
        let made = self.executor.carry_out(&located, &|input| read(self.workspace, input), self.recorder);
        let made = made.inspect_err(|(_, fault)| self.doubt(&located, fault))?;
        // A result says which attempt made it, so what that recorded is kept before the result is.
        self.recorder.flush().map_err(because)?;
        let mut outputs = Vec::new();
        for (name, bytes) in &made.outputs {
            outputs.push(Output { name: name.clone(), digest: objects.put(bytes).map_err(because)?, bytes: bytes.len() as u64 });
        }
        let seconds = clock.elapsed().as_secs_f64();
        let card = self.machine.card.as_ref().filter(|_| task.work.needs_card());
        let manifest = Manifest {
            format: 1,
            key,
            stage: task.work.kind(),
            version: task.work.version(),
            work: task.work.clone(),
            inputs: task.inputs.clone(),
            outputs,
            facts: made.facts,
            provenance: Provenance {
                program: concat!("visavis ", env!("CARGO_PKG_VERSION")).to_owned(),
                host: self.machine.host.clone(),
                cpu: self.machine.cpu.clone(),
                card: card.map(|card| card.model.clone()),
                driver: card.and_then(|card| card.driver.clone()),
                system: origin::system(),
                threads: self.settings.threads,
                worker: self.journal.clone(),
                attempt: *attempt,
                started,
                seconds,
            },
        };
        let first = if *again { results.replace(&manifest).map(|()| true) } else { results.publish(&manifest) };
        let first = first.map_err(because)?;
        self.executor.published(key);
        Ok((seconds, first))
    }
}

/// A fault of the data will be there again; one of the machine may not.
pub fn because(fault: Fault) -> (Cause, Fault) {
    let cause = if fault.ending == Ending::Asked { Cause::Input } else { Cause::Machine };
    (cause, fault)
}

/// An input's bytes, verified against what the key says they are.
pub fn read(workspace: &Workspace, input: &Input) -> Result<Vec<u8>> {
    let path = match &input.at {
        Location::Object | Location::Pictures(_) => return workspace.objects().get(input.digest),
        Location::File(path) => path.clone(),
    };
    let bytes = crate::files::read(&path).map_err(|error| Fault::io("read", &path, &error))?;
    let found = Digest::of(&bytes);
    if found == input.digest { Ok(bytes) } else { Err(Fault::changed(path, input.digest, found)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_lives_while_its_work_goes_on_or_there_is_none() {
        let start = Instant::now();
        let after = |seconds: u64| start + Duration::from_secs(seconds);
        let mut progress = Progress::new(start);
        assert!(progress.goes_on(false, 0, after(5000)), "it waits for work");
        assert!(progress.goes_on(true, 0, after(5001)) && progress.goes_on(true, 0, after(5599)));
        assert!(progress.goes_on(true, 1, after(5600)), "a round is done");
        assert!(progress.goes_on(true, 1, after(6199)) && !progress.goes_on(true, 1, after(6200)));
        assert!(progress.goes_on(true, 2, after(6300)), "it was only slow");
    }
}
