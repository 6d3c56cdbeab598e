//! Workers in memory, for tests: each attempt at a job goes as it is written down. Time passes only while somebody waits for a message.

use super::{MessageKind, WorkerExecutor, WorkerExit, WorkerMessage, WorkerPlace};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};
use visavis_core::domain::{Result, event::WorkerAnswer, job::Cause, stage::Order};

/// How an attempt goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attempt {
    /// It is done after so many seconds.
    Done(u64),
    /// Its result was there already.
    FoundDone,
    /// It fails after a second.
    Fails(Cause),
    /// Its worker ends after a second, with this as its last line.
    Exits(&'static str),
    /// Its worker ends before it takes the job up.
    ExitsFirst(&'static str),
    /// Its worker says nothing more and does not end when it is asked to.
    Hangs,
    /// Its worker gives signs of life, and does nothing else.
    Stalls,
    /// Its worker takes up another job than it was given.
    TakesUpAnother,
}

/// What a worker prints, or does not, is not played.
#[derive(Default)]
pub(crate) struct FakeExecutor {
    now: Duration,
    /// By label, the attempts to come. Where none is written down, an attempt is done after a second.
    attempts: HashMap<String, VecDeque<Attempt>>,
    workers: BTreeMap<u64, FakeWorker>,
    /// By time, and in the order they were written down.
    messages: BTreeMap<(Duration, u64), WorkerMessage>,
    written: u64,
    /// How many workers were killed, and asked to stop.
    pub killed: usize,
    pub terminated: usize,
    pub spawned: usize,
}

#[derive(Default)]
struct FakeWorker {
    orders: VecDeque<Order>,
    hangs: bool,
}

impl FakeExecutor {
    pub(crate) fn play(&mut self, label: &str, attempts: &[Attempt]) {
        self.attempts.insert(label.to_owned(), attempts.iter().copied().collect());
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    fn write(&mut self, after: Duration, worker: u64, what: MessageKind) {
        self.written += 1;
        self.messages.insert((self.now + after, self.written), WorkerMessage { worker, what });
    }

    fn exit(&mut self, after: Duration, worker: u64, status: &str, line: &str) {
        let log = if line.is_empty() { vec![] } else { vec![line.to_owned()] };
        self.write(after, worker, MessageKind::Exited(WorkerExit { status: status.to_owned(), log, is_taken_away: false }));
    }

    /// A worker takes up its next order.
    fn begin(&mut self, worker: u64) {
        let Some(order) = self.workers.get(&worker).and_then(|of| of.orders.front()) else { return };
        let (key, label) = (order.task.key(), order.label.clone());
        let attempt = self.attempts.get_mut(&label).and_then(VecDeque::pop_front).unwrap_or(Attempt::Done(1));
        let second = Duration::from_secs(1);
        let answer = MessageKind::Answer;
        let begun = match attempt {
            Attempt::ExitsFirst(line) => return self.exit(second, worker, "exit status: 1", line),
            Attempt::TakesUpAnother => visavis_core::domain::Key(visavis_core::domain::Digest::of(b"another")),
            _ => key,
        };
        self.write(Duration::ZERO, worker, answer(WorkerAnswer::Begun { key: begun }));
        match attempt {
            Attempt::Done(seconds) => {
                let after = Duration::from_secs(seconds);
                let finished = WorkerAnswer::Finished { key, seconds: after.as_secs_f64(), first: true };
                (1..seconds).for_each(|beat| self.write(second * beat as u32, worker, answer(WorkerAnswer::Beat)));
                self.write(after, worker, answer(finished));
            }
            Attempt::FoundDone => {
                self.write(Duration::ZERO, worker, answer(WorkerAnswer::Finished { key, seconds: 0.0, first: false }));
            }
            Attempt::Fails(cause) => {
                let why = format!("it ended by {}", cause.word());
                self.write(second, worker, answer(WorkerAnswer::Failed { key, cause, why }));
            }
            Attempt::Exits(line) => self.exit(second, worker, "signal: 9 (SIGKILL)", line),
            Attempt::Hangs => self.workers.entry(worker).or_default().hangs = true,
            Attempt::Stalls => {
                (1..1000).for_each(|beat| self.write(second * beat, worker, answer(WorkerAnswer::Beat)));
            }
            Attempt::ExitsFirst(_) | Attempt::TakesUpAnother => {}
        }
    }

    /// A worker ends now: whatever it would have said is not said.
    fn end(&mut self, worker: u64, status: &str) {
        if self.workers.remove(&worker).is_some() {
            self.messages.retain(|_, message| message.worker != worker);
            self.exit(Duration::ZERO, worker, status, "");
        }
    }
}

impl WorkerExecutor for FakeExecutor {
    fn spawn(&mut self, worker: u64, _: &WorkerPlace) -> Result<()> {
        self.spawned += 1;
        self.workers.insert(worker, FakeWorker::default());
        let journal = format!("journal {worker}");
        self.write(Duration::ZERO, worker, MessageKind::Answer(WorkerAnswer::Ready { journal }));
        Ok(())
    }

    fn assign(&mut self, worker: u64, order: &Order) -> Result<()> {
        let Some(of) = self.workers.get_mut(&worker) else { return Ok(()) };
        of.orders.push_back(order.clone());
        if of.orders.len() == 1 {
            self.begin(worker);
        }
        Ok(())
    }

    fn dismiss(&mut self, worker: u64) {
        self.end(worker, "exit status: 0");
    }

    fn terminate(&mut self, worker: u64) {
        self.terminated += 1;
        if self.workers.get(&worker).is_some_and(|of| !of.hangs) {
            self.end(worker, "signal: 15 (SIGTERM)");
        }
    }

    fn kill(&mut self, worker: u64) {
        self.killed += 1;
        self.end(worker, "signal: 9 (SIGKILL)");
    }

    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>> {
        let until = self.now + patience;
        let Some(first) = self.messages.first_entry().filter(|first| first.key().0 <= until) else {
            self.now = until;
            return Ok(None);
        };
        self.now = self.now.max(first.key().0);
        let message = first.remove();
        let worker = message.worker;
        match &message.what {
            MessageKind::Answer(WorkerAnswer::Finished { .. } | WorkerAnswer::Failed { .. }) => {
                if let Some(of) = self.workers.get_mut(&worker) {
                    of.orders.pop_front();
                    self.begin(worker);
                }
            }
            MessageKind::Exited(_) => _ = self.workers.remove(&worker),
            MessageKind::Answer(_) | MessageKind::Line(_) | MessageKind::Joined { .. } => {}
        }
        Ok(Some(message))
    }

    fn end_all(&mut self, _: Duration) -> Vec<WorkerAnswer> {
        self.workers.clear();
        self.messages.clear();
        vec![]
    }
}
