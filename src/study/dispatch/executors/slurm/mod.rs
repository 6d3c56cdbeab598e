//! Workers that Slurm starts. Slurm only starts and ends them: what they do is told by letters in a folder that they share with the
//! dispatcher (`store/mailbox/` in core), and a stage counts as done by its checked result alone.
//!
//! [`fleet`] decides how many workers are submitted and when Slurm is asked; it is pure, as are [`script`] (what is submitted), [`outputs`]
//! and [`job_state`] (what Slurm says), [`presence`] (what it says no more) and [`pace`] (how often it may be asked). This file carries out
//! what they say: it runs Slurm's commands, and reads and writes the letters.

mod adoption;
mod commands;
mod dispatcher;
mod environment;
mod files;
mod fleet;
mod job_state;
mod logs;
mod outputs;
mod pace;
mod posted_worker;
mod presence;
mod refusal;
mod script;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use super::{FIRST_OF_CLUSTER, MessageKind, WorkerExecutor, WorkerExit, WorkerMessage, WorkerPlace};
use crate::study::{cluster::SettingPlace, programs::WorkerProgram};
pub(crate) use adoption::end_earlier_runs;
use adoption::{OpenPost, adopt_or_end, close};
use commands::{CommandEnd, PATIENCE, run};
use fleet::{EarlyEnd, Fleet, FleetCommand, Gone};
use outputs::ArrayTask;
use posted_worker::{LATEST, PostedWorker, SOONEST};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Fault, Key, Result,
        event::{WorkerAnswer, WorkersStanding},
        post::{ANSWERS, DispatcherLetter, Hello, WorkerLetter},
        stage::Order,
        text::quoted,
    },
    store::{letters_in, make_folder},
};

pub use dispatcher::{DispatcherJob, SubmittedDispatcher};
pub(crate) use environment::{handed_on, own_variables};
pub(crate) use script::{JobProgram, WorkerJob, why_not_named};

/// How often new workers are looked for.
const LIST: Duration = Duration::from_secs(1);

/// A folder that cannot be listed for so long ends the run.
const BLIND: Duration = Duration::from_secs(120);

/// When so many workers in a row do not come back as another program, none will.
const MOST_NOT_CHANGED: usize = 3;

/// Starts workers by arrays of jobs, for one run in one workspace.
pub(crate) struct SlurmExecutor {
    job: WorkerJob,
    places: BTreeMap<String, SettingPlace>,
    fleet: Fleet,
    started: Instant,
    workers: BTreeMap<u64, PostedWorker>,
    /// Starts of workers that were seen, by their random names.
    seen: BTreeSet<String>,
    listed: Option<Instant>,
    /// When letters were looked for.
    looked: Option<Instant>,
    /// Workers are numbered from here, apart from those of the dispatcher's own machine.
    next: u64,
    messages: VecDeque<WorkerMessage>,
    done: Receiver<Done>,
    sender: Sender<Done>,
    /// A submission has gone well once: later ones may fail and be tried again.
    has_submitted: bool,
    /// Workers of a dispatcher before this one that go on.
    adopted: usize,
    /// Why Slurm took no workers when it was last asked to.
    refusal: Option<String>,
    /// Why the run cannot go on.
    fatal: Option<Fault>,
    /// Since when the folder of letters cannot be listed.
    blind: Option<Instant>,
    /// Jobs that could not be cancelled.
    uncancelled: Vec<ArrayTask>,
    /// Another dispatcher has the run.
    is_abandoned: bool,
    /// What a person has to do when the run's jobs could not be cancelled at its end.
    left_over: Option<String>,
    /// Workers that ended before they said hello.
    silent: usize,
    /// Workers in a row that were to go on as another program and did not come back.
    not_changed: usize,
}

/// A command of Slurm has ended.
struct Done {
    command: FleetCommand,
    end: CommandEnd,
}

impl SlurmExecutor {
    /// # Errors
    /// No Slurm on this machine; a workspace whose path Slurm cannot be told; a folder that cannot be made.
    pub(crate) fn new(job: WorkerJob, places: BTreeMap<String, SettingPlace>) -> Result<Self> {
        let config = run("scontrol", &["show", "config"].map(str::to_owned), "");
        if config.is_missing {
            return Err(Fault::missing("there is no Slurm on this machine: no `scontrol`")
                .next("run this where `sbatch` is, such as a login node; or here: --on local"));
        }
        if let Some(why) = why_not_named(&job.workspace) {
            return Err(Fault::asked(format!("a run on Slurm cannot be in this folder: {why}")).in_file(&job.workspace));
        }
        let earlier = adopt_or_end(&job);
        let is_adopting = earlier.is_some();
        let job = match earlier {
            // What is submitted from now on joins what is there.
            Some(OpenPost { folder, name, .. }) => WorkerJob { name, logs: folder.join("logs"), post: folder, ..job },
            None => job,
        };
        files::make_room(job.settings.workers)?;
        make_folder(&job.post)?;
        make_folder(&job.logs)?;
        if !is_adopting {
            OpenPost::open(&job)?;
        }
        let mut fleet = Fleet::new(job.settings.workers, job.settings.throttle, outputs::max_array(&config.out));
        if is_adopting {
            fleet.resume();
        }
        let mut executor = SlurmExecutor::of(job, places, fleet);
        if is_adopting {
            executor.has_submitted = true;
            executor.adopt()?;
        }
        Ok(executor)
    }

    fn of(job: WorkerJob, places: BTreeMap<String, SettingPlace>, fleet: Fleet) -> Self {
        let (sender, done) = mpsc::channel();
        SlurmExecutor {
            fleet,
            job,
            places,
            started: Instant::now(),
            workers: BTreeMap::new(),
            seen: BTreeSet::new(),
            listed: None,
            looked: None,
            next: FIRST_OF_CLUSTER,
            messages: VecDeque::new(),
            done,
            sender,
            has_submitted: false,
            adopted: 0,
            refusal: None,
            fatal: None,
            blind: None,
            left_over: None,
            uncancelled: vec![],
            is_abandoned: false,
            silent: 0,
            not_changed: 0,
        }
    }

    /// How many workers of a dispatcher before this one go on with what they are at.
    pub(crate) fn adopted(&self) -> usize {
        self.adopted
    }

    fn say(&mut self, worker: u64, what: MessageKind) {
        self.messages.push_back(WorkerMessage { worker, what });
    }

    /// Carries out what the fleet decides, each command in a thread of its own.
    fn command(&mut self, command: FleetCommand) {
        let (job, done) = (self.job.clone(), self.sender.clone());
        std::thread::spawn(move || {
            let end = match &command {
                FleetCommand::Submit { workers, barred } => {
                    let job = WorkerJob { barred: barred.clone(), ..job };
                    run("sbatch", &job.arguments(*workers), &job.script())
                }
                FleetCommand::Query => run("squeue", &outputs::queue_arguments(&job.name), ""),
                FleetCommand::Cancel(tasks) => run("scancel", &tasks.iter().map(ToString::to_string).collect::<Vec<_>>(), ""),
            };
            done.send(Done { command, end }).ok();
        });
    }

    fn ended(&mut self, Done { command, end }: Done) {
        let now = self.started.elapsed();
        match command {
            FleetCommand::Submit { workers, .. } => match outputs::submitted(&end.out).filter(|_| end.is_well) {
                Some(array) => {
                    (self.has_submitted, self.refusal) = (true, None);
                    self.fleet.submitted(array, workers, now);
                }
                None => {
                    self.fleet.refused(now);
                    self.refuse(&end);
                }
            },
            FleetCommand::Query => {
                let rows = end.is_well.then(|| outputs::queue(&end.out));
                // The controller answers again: what it did not cancel, it may cancel now.
                let uncancelled = if end.is_well { std::mem::take(&mut self.uncancelled) } else { vec![] };
                if !uncancelled.is_empty() {
                    self.command(FleetCommand::Cancel(uncancelled));
                }
                for Gone { task, why, is_taken_away, said_hello } in self.fleet.shown(rows, now) {
                    if !said_hello {
                        self.tell_of_silent(task, &why);
                    }
                    self.workers_of(task).into_iter().for_each(|worker| self.end(worker, &why, is_taken_away));
                }
            }
            FleetCommand::Cancel(tasks) => {
                if !end.is_well && !end.is_missing {
                    self.uncancelled.extend(tasks);
                }
            }
        }
    }

    fn workers_of(&self, task: ArrayTask) -> Vec<u64> {
        self.workers.iter().filter(|(_, of)| of.task() == Some(task)).map(|(worker, _)| *worker).collect()
    }

    /// Slurm took no workers. One submission that may have gone through is looked for; if the first of a run is refused for good, the run ends.
    fn refuse(&mut self, end: &CommandEnd) {
        let why = refusal::reason(&end.err);
        let is_doubtful = why.to_lowercase().contains("timed out") || why.contains("did not end");
        if !self.has_submitted && !is_doubtful && !self.fleet.is_submitting() {
            self.fatal = Some(refusal::fault("workers of this study", end, &self.places));
        }
        self.refusal = Some(why);
    }

    /// A worker is given up: whatever it still says is not heard, its job is cancelled and another may take its place.
    fn give_up(&mut self, worker: u64, why: &str) {
        if let Some(task) = self.workers.get(&worker).and_then(PostedWorker::task) {
            self.fleet.left(task);
            self.command(FleetCommand::Cancel(vec![task]));
        }
        self.end(worker, why, false);
    }

    fn end(&mut self, worker: u64, why: &str, is_taken_away: bool) {
        let Some(mut of) = self.workers.remove(&worker) else { return };
        if let Some(program) = of.becomes.take().filter(|_| !is_taken_away) {
            self.not_changed += 1;
            if self.not_changed >= MOST_NOT_CHANGED {
                let what = format!("{MOST_NOT_CHANGED} workers in a row could not go on as {program}: {why}");
                let next = "`make` builds it; the nodes must see it, and what it loads, where this machine does";
                self.fatal = Some(Fault::missing(what).next(next));
            }
        }
        // It may live, and must not wait for more. For a dispatcher after this one the letter says that it was given up.
        of.write(&self.job.post, &DispatcherLetter::End).ok();
        let log = of.task().map_or(vec![], |task| self.log(task));
        self.say(worker, MessageKind::Exited(WorkerExit { status: why.to_owned(), log, is_taken_away }));
    }

    /// Looks for new workers, and for letters of those that are known.
    fn look(&mut self) {
        let now = Instant::now();
        // Letters of a thousand workers come at any time: they are taken together.
        if self.looked.is_some_and(|looked| now - looked < SOONEST) {
            return;
        }
        self.looked = Some(now);
        if self.listed.is_none_or(|listed| now - listed >= LIST) {
            self.listed = Some(now);
            match letters_in(&self.job.post, ANSWERS) {
                Ok(tokens) => {
                    self.blind = None;
                    for token in tokens {
                        if self.seen.insert(token.clone()) {
                            self.workers.insert(self.next, PostedWorker::new(&self.job.post, token, now));
                            self.next += 1;
                        }
                    }
                }
                // A server that is away for a moment is waited for.
                Err(fault) => {
                    if now - *self.blind.get_or_insert(now) >= BLIND {
                        self.fatal = Some(fault);
                    }
                }
            }
        }
        let due: Vec<u64> = self.workers.iter().filter(|(_, of)| of.is_due(now)).map(|(worker, _)| *worker).collect();
        due.into_iter().for_each(|worker| self.read(worker, now));
    }

    fn read(&mut self, worker: u64, now: Instant) {
        let Some(of) = self.workers.get_mut(&worker) else { return };
        let letters = match of.read(now) {
            Ok(letters) => letters,
            // A server that is away for a moment: a worker that stays silent is doubted in time.
            Err(_) if !of.is_doubted(now) => return,
            Err(fault) => return self.give_up(worker, &fault.what),
        };
        let (is_damaged, is_doubted) = (of.is_damaged(now), of.is_doubted(now));
        if let Some(task) = of.task() {
            self.fleet.doubt(task, is_doubted);
        }
        for bytes in letters {
            match serde_json::from_slice(&bytes) {
                Ok(WorkerLetter::Hello(hello)) => self.greet(worker, hello, vec![]),
                Ok(WorkerLetter::Answer(answer)) => {
                    if matches!(answer, WorkerAnswer::Ready { .. })
                        && let Some(of) = self.workers.get_mut(&worker)
                    {
                        of.is_ready = true;
                        self.fleet.settled();
                    }
                    self.say(worker, MessageKind::Answer(answer));
                }
                Ok(WorkerLetter::Left { why, stopped }) => return self.leave(worker, why.as_deref(), stopped),
                Err(_) => return self.refuse_build(worker),
            }
        }
        if is_damaged {
            self.give_up(worker, "its letters are damaged");
        }
    }

    /// A worker said its last words.
    fn leave(&mut self, worker: u64, why: Option<&str>, stopped: bool) {
        let Some(of) = self.workers.get(&worker) else { return };
        let (task, is_ready) = (of.task(), of.is_ready);
        let words = match why {
            Some(why) => format!("error: {}", quoted(why)),
            None if stopped => "it was asked to stop".to_owned(),
            None => "it left".to_owned(),
        };
        match task {
            Some(task) if why.is_some() && !is_ready => self.fleet.left_at_once(task, EarlyEnd::Said(words.clone())),
            Some(task) => self.fleet.left(task),
            None => {}
        }
        self.end(worker, &words, why.is_none());
    }

    /// A worker's letter cannot be read. Of one that has not even said who it is all are like it: the run cannot go on.
    fn refuse_build(&mut self, worker: u64) {
        if self.workers.get(&worker).is_some_and(|of| of.hello.is_none()) {
            let fault = Fault::missing("a worker is of another build than visavis: its first letter cannot be read");
            let next = "build all programs from one source (`make build` or `make install`), then run again";
            self.fatal = Some(self.in_program(fault).next(next));
        }
        self.give_up(worker, "it is of another build: its letters cannot be read");
    }

    /// A fault of the program that workers begin as.
    fn in_program(&self, fault: Fault) -> Fault {
        match self.job.programs.first() {
            Some(program) => fault.in_file(&program.path),
            None => fault,
        }
    }

    fn greet(&mut self, worker: u64, hello: Box<Hello>, holds: Vec<(Key, u32)>) {
        let Some(of) = self.workers.get_mut(&worker) else { return };
        let slot = hello.slurm.map_or(0, |place| place.index as usize);
        let program = WorkerProgram::named(hello.program_name());
        of.hello = Some(hello);
        if let Some(task) = of.task() {
            // Slurm started this job again, and did not say so: the one before is gone, or an orphan that is not listened to.
            let others: Vec<u64> = self.workers_of(task).into_iter().filter(|other| *other != worker).collect();
            if others.iter().any(|other| !self.workers[&worker].is_later_than(&self.workers[other])) {
                // It may live, holds a card, and must not wait for more.
                self.workers.remove(&worker).map(|mut orphan| orphan.write(&self.job.post, &DispatcherLetter::End));
                return;
            }
            for other in others {
                let becomes = self.workers.get_mut(&other).and_then(|of| of.becomes.take());
                let why = becomes.map_or("Slurm started its job again".to_owned(), |program| {
                    self.not_changed = 0;
                    format!("it went on as {program}")
                });
                self.end(other, &why, true);
            }
            self.fleet.greeted(task);
        }
        self.say(worker, MessageKind::Joined { slot, program, holds });
    }

    /// Writes to a worker; one that cannot be written to is given up.
    fn write(&mut self, worker: u64, letter: &DispatcherLetter) {
        if self.is_abandoned {
            return;
        }
        let written = self.workers.get_mut(&worker).map_or(Ok(()), |of| of.write(&self.job.post, letter));
        if let Err(fault) = written {
            self.give_up(worker, &format!("it cannot be written to: {}", fault.what));
        }
    }
}

impl WorkerExecutor for SlurmExecutor {
    fn spawn(&mut self, _: u64, _: &WorkerPlace) -> Result<()> {
        Err(Fault::unexpected("workers of a cluster come by themselves"))
    }

    fn want(&mut self, stages: usize) {
        self.fleet.want(stages);
    }

    fn assign(&mut self, worker: u64, order: &Order) -> Result<()> {
        self.write(worker, &DispatcherLetter::Order(Box::new(order.clone())));
        Ok(())
    }

    fn recall(&mut self, worker: u64, keys: Vec<Key>) {
        self.write(worker, &DispatcherLetter::Recall { keys });
    }

    fn go_on_as(&mut self, worker: u64, program: &'static str) {
        if let Some(of) = self.workers.get_mut(&worker) {
            of.becomes = Some(program.to_owned());
        }
        self.write(worker, &DispatcherLetter::Become { program: program.to_owned() });
    }

    fn dismiss(&mut self, worker: u64) {
        self.write(worker, &DispatcherLetter::End);
    }

    fn terminate(&mut self, worker: u64) {
        if let Some(of) = self.workers.get_mut(&worker) {
            of.is_stopping = true;
        }
        self.write(worker, &DispatcherLetter::Stop);
    }

    fn kill(&mut self, worker: u64) {
        self.give_up(worker, "it was cancelled");
    }

    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(Some(message));
            }
            let now = self.started.elapsed();
            let commands = self.fleet.due(now);
            let commands = commands.into_iter().chain(self.fleet.superfluous(now)).chain(self.fleet.overdue(now));
            commands.collect::<Vec<_>>().into_iter().for_each(|command| self.command(command));
            if self.fleet.is_hopeless() {
                return Err(self.hopeless());
            }
            self.look();
            if let Some(fault) = self.fatal.take() {
                return Err(fault);
            }
            if !self.messages.is_empty() {
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.done.recv_timeout(left.min(SOONEST)) {
                Ok(done) => self.ended(done),
                Err(RecvTimeoutError::Timeout) if left > SOONEST => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(self.messages.pop_front()),
            }
        }
    }

    fn end_all(&mut self, grace: Duration) -> Vec<WorkerAnswer> {
        if self.is_abandoned {
            return vec![];
        }
        // Those that wait go first. Those that have nothing more to do leave by themselves; where some are at a stage, all are told by Slurm,
        // which is sooner than by letter.
        let named = format!("--name={}", self.job.name);
        let is_stopping = self.workers.values().any(|of| of.is_stopping);
        let first = if is_stopping { vec![named.clone()] } else { vec!["--state=PENDING".to_owned(), named.clone()] };
        run("scancel", &first, "");
        let (asked, mut answers) = (Instant::now(), Vec::new());
        while !self.workers.is_empty() && asked.elapsed() < grace + 4 * LATEST {
            self.look();
            let said = self.messages.drain(..).filter_map(|message| match message.what {
                MessageKind::Answer(answer) => Some(answer),
                MessageKind::Line(_) | MessageKind::Joined { .. } | MessageKind::Exited(_) => None,
            });
            answers.extend(said);
            std::thread::sleep(SOONEST);
        }
        // What is being submitted would come to be after its end.
        while self.fleet.is_submitting()
            && let Ok(done) = self.done.recv_timeout(PATIENCE)
        {
            self.ended(done);
        }
        let cancelled = run("scancel", std::slice::from_ref(&named), "");
        self.workers.clear();
        if cancelled.is_well {
            close(&self.job.post);
        } else {
            // The next run finds by its open post that there may be some.
            let why = refusal::reason(&cancelled.err);
            self.left_over =
                Some(format!("the run's jobs could not be cancelled ({why}): `scancel {named}` does it, or the next run"));
        }
        answers
    }

    fn waits_for(&self) -> Option<WorkersStanding> {
        let (here, waiting) = self.fleet.counts();
        let refused = self.refusal.as_ref().map(|why| format!("Slurm takes no more now, and is asked again later: {why}"));
        Some(WorkersStanding { by: "Slurm".to_owned(), here, waiting, why: refused.or_else(|| self.fleet.why_waiting()) })
    }

    fn abandon(&mut self) {
        self.is_abandoned = true;
    }

    fn left_over(&self) -> Option<&str> {
        self.left_over.as_deref()
    }
}

/// What the jobs of a run are called.
pub(crate) fn name_of(run: &str) -> String {
    format!("visavis-{run}")
}
