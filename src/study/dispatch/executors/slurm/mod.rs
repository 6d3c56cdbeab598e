//! Workers that Slurm starts. Slurm only starts and ends them: what they do is told by letters in a folder that they share with the
//! dispatcher (`store/mailbox/` in core), and a stage counts as done by its checked result alone.
//!
//! [`fleet`] decides how many workers are submitted and when Slurm is asked; it is pure, as are [`script`] (what is submitted), [`outputs`]
//! and [`job_state`] (what Slurm says), [`presence`] (what it says no more) and [`pace`] (how often it may be asked). This file carries out
//! what they say: it runs Slurm's commands, and reads and writes the letters.

mod commands;
mod environment;
mod files;
mod fleet;
mod job_state;
mod outputs;
mod pace;
mod presence;
mod refusal;
mod script;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use super::{MessageKind, WorkerExecutor, WorkerExit, WorkerMessage, WorkerPlace};
use crate::study::cluster::SettingPlace;
use commands::{CommandEnd, run};
use fleet::{Fleet, FleetCommand, Gone};
use outputs::ArrayTask;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Fault, Result,
        event::WorkerAnswer,
        post::{ANSWERS, DispatcherLetter, Hello, ORDERS, WorkerLetter},
        stage::Order,
        text::{count, quoted},
    },
    store::{MailReader, MailWriter, clear_letters, letters_in, make_folder, tail},
};

pub(crate) use environment::handed_on;
pub(crate) use script::{WorkerJob, why_not_named};

/// The end of the name of the file that says that a run's workers may still be there.
const OPEN: &str = ".open";

/// How soon a worker's letters are looked for after one came, and how seldom where none comes.
const SOONEST: Duration = Duration::from_millis(250);
const LATEST: Duration = Duration::from_secs(5);

/// As `WorkerLetter` writes a sign of life.
const BEAT_LETTER: &[u8] = br#"{"answer":"beat"}"#;

/// How often new workers are looked for.
const LIST: Duration = Duration::from_secs(1);

/// A worker that is silent for so long is doubted, six beats and what a shared folder may be late by: Slurm is asked what became of it.
const DOUBT: Duration = Duration::from_secs(75);

/// Bytes that do not become a letter within this time are damage.
const STUCK: Duration = Duration::from_secs(60);

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
}

/// A command of Slurm has ended.
struct Done {
    command: FleetCommand,
    end: CommandEnd,
}

struct PostedWorker {
    token: String,
    answers: MailReader,
    orders: Option<MailWriter>,
    hello: Option<Box<Hello>>,
    /// When its letters are to be looked for next, and how long after that.
    due: Instant,
    wait: Duration,
    heard: Instant,
    stuck: Option<Instant>,
}

impl PostedWorker {
    fn task(&self) -> Option<ArrayTask> {
        let place = self.hello.as_ref()?.slurm?;
        Some(ArrayTask { array: place.array, index: place.index })
    }
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
        files::make_room(job.settings.workers)?;
        make_folder(&job.post)?;
        make_folder(&job.logs)?;
        end_earlier_runs(&job);
        MailWriter::create(&job.post, OPEN, job.name.as_bytes())?;
        let (sender, done) = mpsc::channel();
        let max_array = outputs::max_array(&config.out);
        Ok(SlurmExecutor {
            fleet: Fleet::new(job.settings.workers, max_array),
            job,
            places,
            started: Instant::now(),
            workers: BTreeMap::new(),
            seen: BTreeSet::new(),
            listed: None,
            looked: None,
            next: 1 << 32,
            messages: VecDeque::new(),
            done,
            sender,
            has_submitted: false,
        })
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

    /// # Errors
    /// A first submission that Slurm refuses.
    fn ended(&mut self, Done { command, end }: Done) -> Result<()> {
        let now = self.started.elapsed();
        match command {
            FleetCommand::Submit { workers, .. } => {
                match outputs::submitted(&end.out).filter(|_| end.is_well) {
                    Some(array) => {
                        self.has_submitted = true;
                        self.fleet.submitted(array, workers, now);
                    }
                    None => {
                        self.fleet.refused(workers, now);
                        // One that may have gone through is looked for; one that Slurm refuses for good ends the run.
                        let why = refusal::reason(&end.err);
                        let is_doubtful = why.to_lowercase().contains("timed out") || why.contains("did not end");
                        if !self.has_submitted && !is_doubtful {
                            return Err(self.refused(&end, &why));
                        }
                    }
                }
            }
            FleetCommand::Query => {
                let rows = end.is_well.then(|| outputs::queue(&end.out));
                for Gone { task, why, is_taken_away } in self.fleet.shown(rows, now) {
                    let workers: Vec<u64> =
                        self.workers.iter().filter(|(_, of)| of.task() == Some(task)).map(|(worker, _)| *worker).collect();
                    workers.into_iter().for_each(|worker| self.end(worker, &why, is_taken_away));
                }
            }
            FleetCommand::Cancel(_) => {}
        }
        Ok(())
    }

    fn refused(&self, end: &CommandEnd, why: &str) -> Fault {
        if end.is_missing {
            return Fault::missing("there is no `sbatch` on this machine").next("run it where it is; or here: --on local");
        }
        let why = if why.is_empty() { "and does not say why".to_owned() } else { format!("and says: {why}") };
        let mut fault = Fault::missing(format!("Slurm takes no workers of this study, {why}"));
        let key = refusal::blamed(&end.err);
        if let Some((key, (file, line, column))) = key.and_then(|key| Some((key, self.places.get(key)?))) {
            fault = fault.at(file, *line, *column).next(format!("see `run.slurm.{key}`; `sinfo` shows what there is"));
        } else {
            fault = fault.next("see `run.slurm` in the study file; `--print-script` shows what is submitted");
        }
        fault
    }

    /// A worker is gone: whatever it still says is not heard.
    fn lose(&mut self, worker: u64, why: &str) {
        self.end(worker, why, false);
    }

    fn end(&mut self, worker: u64, why: &str, is_taken_away: bool) {
        let Some(of) = self.workers.remove(&worker) else { return };
        let log = of.task().map_or(vec![], |task| self.log(task));
        self.say(worker, MessageKind::Exited(WorkerExit { status: why.to_owned(), log, is_taken_away }));
    }

    /// The last lines that a worker printed.
    fn log(&self, task: ArrayTask) -> Vec<String> {
        tail(&self.job.logs.join(format!("{task}.log")), 4000).lines().map(quoted).collect()
    }

    /// Looks for new workers, and for letters of those that are known.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        // Letters of a thousand workers come at any time: they are taken together.
        if self.looked.is_some_and(|looked| now - looked < SOONEST) {
            return Ok(());
        }
        self.looked = Some(now);
        if self.listed.is_none_or(|listed| now - listed >= LIST) {
            self.listed = Some(now);
            for token in letters_in(&self.job.post, ANSWERS)? {
                if self.seen.insert(token.clone()) {
                    let answers = MailReader::new(&self.job.post, &format!("{token}{ANSWERS}"));
                    let new = PostedWorker {
                        token,
                        answers,
                        orders: None,
                        hello: None,
                        due: now,
                        wait: SOONEST,
                        heard: now,
                        stuck: None,
                    };
                    self.workers.insert(self.next, new);
                    self.next += 1;
                }
            }
        }
        let due: Vec<u64> = self.workers.iter().filter(|(_, of)| of.due <= now).map(|(worker, _)| *worker).collect();
        due.into_iter().for_each(|worker| self.read(worker, now));
        Ok(())
    }

    fn read(&mut self, worker: u64, now: Instant) {
        let Some(of) = self.workers.get_mut(&worker) else { return };
        let letters = match of.answers.read() {
            Ok(letters) => letters,
            Err(fault) => return self.lose(worker, &fault.what),
        };
        // A sign of life says that nothing has happened.
        let is_news = letters.iter().any(|bytes| bytes != BEAT_LETTER);
        of.wait = if is_news { SOONEST } else { (of.wait * 3 / 2).min(LATEST) };
        of.due = now + of.wait;
        of.stuck = of.answers.is_stuck().then(|| of.stuck.unwrap_or(now));
        let is_damaged = of.stuck.is_some_and(|since| now - since >= STUCK);
        if !letters.is_empty() {
            of.heard = now;
        }
        let (task, is_doubted) = (of.task(), now - of.heard >= DOUBT);
        if let Some(task) = task {
            self.fleet.doubt(task, is_doubted);
        }
        for bytes in letters {
            match serde_json::from_slice(&bytes) {
                Ok(WorkerLetter::Hello(hello)) => self.greet(worker, hello),
                Ok(WorkerLetter::Answer(answer)) => self.say(worker, MessageKind::Answer(answer)),
                Ok(WorkerLetter::Left { why }) => {
                    if let Some(task) = self.workers.get(&worker).and_then(PostedWorker::task) {
                        self.fleet.left(task);
                    }
                    // One that gives no reason was told to go: what it had not begun is not to blame.
                    let is_taken_away = why.is_none();
                    let status = why.map_or("it left".to_owned(), |why| format!("error: {}", quoted(&why)));
                    return self.end(worker, &status, is_taken_away);
                }
                Err(_) => return self.lose(worker, "it is of another build: its letters cannot be read"),
            }
        }
        if is_damaged {
            self.lose(worker, "its letters are damaged");
        }
    }

    fn greet(&mut self, worker: u64, hello: Box<Hello>) {
        let Some(of) = self.workers.get_mut(&worker) else { return };
        let slot = hello.slurm.map_or(0, |place| place.index as usize);
        of.hello = Some(hello);
        if let Some(task) = of.task() {
            // Slurm started this job again, and did not say so: the one before is gone, or an orphan that is not listened to.
            let before: Vec<u64> = self
                .workers
                .iter()
                .filter(|(other, of)| **other != worker && of.task() == Some(task))
                .map(|(other, _)| *other)
                .collect();
            before.into_iter().for_each(|other| self.end(other, "Slurm started its job again", true));
            self.fleet.greeted(task);
        }
        self.say(worker, MessageKind::Joined { slot });
    }

    fn write(&mut self, worker: u64, letter: &DispatcherLetter) -> Result<()> {
        let bytes = serde_json::to_vec(letter).map_err(|error| Fault::unexpected(error.to_string()))?;
        let Some(of) = self.workers.get_mut(&worker) else { return Ok(()) };
        // Its answer is looked for soon.
        (of.wait, of.due) = (SOONEST, Instant::now() + SOONEST);
        match &mut of.orders {
            Some(orders) => orders.append([bytes.as_slice()]),
            None => {
                of.orders = Some(MailWriter::create(&self.job.post, &format!("{}{ORDERS}", of.token), &bytes)?);
                Ok(())
            }
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
        self.write(worker, &DispatcherLetter::Order(Box::new(order.clone())))
    }

    fn dismiss(&mut self, worker: u64) {
        self.write(worker, &DispatcherLetter::End).ok();
    }

    fn terminate(&mut self, worker: u64) {
        self.write(worker, &DispatcherLetter::Stop).ok();
    }

    fn kill(&mut self, worker: u64) {
        if let Some(task) = self.workers.get(&worker).and_then(PostedWorker::task) {
            self.fleet.left(task);
            self.command(FleetCommand::Cancel(vec![task]));
        }
        self.lose(worker, "it was cancelled");
    }

    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(Some(message));
            }
            let now = self.started.elapsed();
            let commands = self.fleet.due(now);
            commands.into_iter().chain(self.fleet.superfluous(now)).for_each(|command| self.command(command));
            if self.fleet.is_hopeless() {
                let log = tail(&self.last_log(), 2000);
                let said = log.lines().last().map_or(String::new(), |line| format!("; the last one printed: {}", quoted(line)));
                return Err(Fault::missing(format!("three workers in a row ended before they said hello{said}"))
                    .in_file(&self.job.logs)
                    .next("see their logs there; try the lines of `--print-script` by hand"));
            }
            self.look()?;
            if !self.messages.is_empty() {
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.done.recv_timeout(left.min(SOONEST)) {
                Ok(done) => self.ended(done)?,
                Err(RecvTimeoutError::Timeout) if left > SOONEST => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(self.messages.pop_front()),
            }
        }
    }

    fn end_all(&mut self, grace: Duration) -> Vec<WorkerAnswer> {
        // Those that wait go first; those that run have been asked to stop, and are ended with them when their time is up.
        let named = format!("--name={}", self.job.name);
        run("scancel", &["--state=PENDING".to_owned(), named.clone()], "");
        let (asked, mut answers) = (Instant::now(), Vec::new());
        while !self.workers.is_empty() && asked.elapsed() < grace + 4 * LATEST {
            self.look().ok();
            let said = self.messages.drain(..).filter_map(|message| match message.what {
                MessageKind::Answer(answer) => Some(answer),
                MessageKind::Line(_) | MessageKind::Joined { .. } | MessageKind::Exited(_) => None,
            });
            answers.extend(said);
            std::thread::sleep(SOONEST);
        }
        run("scancel", &[named], "");
        self.workers.clear();
        clear_letters(&self.job.post, &[ANSWERS, ORDERS, OPEN]);
        answers
    }

    fn waits_for(&self) -> Option<String> {
        let (here, waiting) = self.fleet.counts();
        let why = self.fleet.why_waiting().map_or(String::new(), |why| format!(" ({why})"));
        (waiting > 0).then(|| format!("{} here, {} submitted{why}", count(here, "worker"), waiting))
    }
}

/// Ends the workers of runs whose dispatcher did not come to it: this process has the workspace, so no dispatcher of theirs is left.
fn end_earlier_runs(job: &WorkerJob) {
    let Some(posts) = job.post.parent() else { return };
    for name in letters_in(posts, "").unwrap_or_default() {
        let post = posts.join(&name);
        if post != job.post && !letters_in(&post, OPEN).unwrap_or_default().is_empty() {
            let ended = run("scancel", &[format!("--name={}", name_of(&name))], "");
            if ended.is_well {
                clear_letters(&post, &[ANSWERS, ORDERS, OPEN]);
            }
        }
    }
}

/// What the jobs of a run are called.
pub(crate) fn name_of(run: &str) -> String {
    format!("visavis-{run}")
}

impl SlurmExecutor {
    /// The log that was written last.
    fn last_log(&self) -> PathBuf {
        let logs = letters_in(&self.job.logs, ".log").unwrap_or_default();
        self.job.logs.join(format!("{}.log", logs.last().cloned().unwrap_or_default()))
    }
}
