//! One worker that is spoken with by letters: when they are looked for, and what is written to it.

use super::outputs::ArrayTask;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use visavis_core::{
    domain::{
        Fault, Result,
        post::{ANSWERS, DispatcherLetter, Hello, ORDERS},
    },
    store::{MailReader, MailWriter},
};

/// How soon a worker's letters are looked for after one came, and how seldom where none comes.
pub(super) const SOONEST: Duration = Duration::from_millis(250);
pub(super) const LATEST: Duration = Duration::from_secs(5);

/// As [`WorkerLetter`](visavis_core::domain::post::WorkerLetter) writes a sign of life.
pub(super) const BEAT_LETTER: &[u8] = br#"{"answer":"beat"}"#;

/// A worker that is silent for so long is doubted, six beats and what a shared folder may be late by: Slurm is asked what became of it.
pub(super) const DOUBT: Duration = Duration::from_secs(75);

/// Bytes that do not become a letter within this time are damage.
const STUCK: Duration = Duration::from_secs(60);

pub(super) struct PostedWorker {
    pub token: String,
    pub hello: Option<Box<Hello>>,
    /// It has said that it is ready to work.
    pub is_ready: bool,
    /// It was asked to stop what it is at.
    pub is_stopping: bool,
    /// The program as which it was asked to go on.
    pub becomes: Option<String>,
    answers: MailReader,
    orders: Option<MailWriter>,
    /// When its letters are to be looked for next, and how long after that.
    due: Instant,
    wait: Duration,
    heard: Instant,
    stuck: Option<Instant>,
}

impl PostedWorker {
    /// One whose first letter was listed.
    pub(super) fn new(post: &Path, token: String, now: Instant) -> Self {
        let answers = MailReader::new(post, &format!("{token}{ANSWERS}"));
        PostedWorker {
            token,
            hello: None,
            is_ready: false,
            is_stopping: false,
            becomes: None,
            answers,
            orders: None,
            due: now,
            wait: SOONEST,
            heard: now,
            stuck: None,
        }
    }

    /// One whose letters so far were read, and to whom a dispatcher before this one wrote.
    pub(super) fn adopted(
        token: String,
        hello: Box<Hello>,
        answers: MailReader,
        orders: Option<MailWriter>,
        now: Instant,
    ) -> Self {
        PostedWorker {
            token,
            hello: Some(hello),
            is_ready: true,
            is_stopping: false,
            becomes: None,
            answers,
            orders,
            due: now,
            wait: SOONEST,
            heard: now,
            stuck: None,
        }
    }

    /// Its place in Slurm, if it has said so.
    pub(super) fn task(&self) -> Option<ArrayTask> {
        let place = self.hello.as_ref()?.slurm?;
        Some(ArrayTask { array: place.array, index: place.index })
    }

    /// Did it start after another worker of the same job?
    pub(super) fn is_later_than(&self, other: &PostedWorker) -> bool {
        let start = |of: &PostedWorker| of.hello.as_ref().map(|hello| (hello.slurm.map(|place| place.restarts), hello.started));
        start(self) > start(other)
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// The letters that have come.
    ///
    /// # Errors
    /// Letters that cannot be read any more.
    pub(super) fn read(&mut self, now: Instant) -> Result<Vec<Vec<u8>>> {
        let letters = self.answers.read()?;
        // A sign of life says that nothing has happened.
        let is_news = letters.iter().any(|bytes| bytes != BEAT_LETTER);
        self.wait = if is_news { SOONEST } else { (self.wait * 3 / 2).min(LATEST) };
        self.due = now + self.wait;
        self.stuck = self.answers.is_stuck().then(|| self.stuck.unwrap_or(now));
        if !letters.is_empty() {
            self.heard = now;
        }
        Ok(letters)
    }

    /// It has been silent for long.
    pub(super) fn is_doubted(&self, now: Instant) -> bool {
        now - self.heard >= DOUBT
    }

    /// Its letters are damaged.
    pub(super) fn is_damaged(&self, now: Instant) -> bool {
        self.stuck.is_some_and(|since| now - since >= STUCK)
    }

    /// Writes to it.
    ///
    /// # Errors
    /// A disk that refuses.
    pub(super) fn write(&mut self, post: &Path, letter: &DispatcherLetter) -> Result<()> {
        let bytes = serde_json::to_vec(letter).map_err(|error| Fault::unexpected(error.to_string()))?;
        // Its answer is looked for soon.
        (self.wait, self.due) = (SOONEST, Instant::now() + SOONEST);
        match &mut self.orders {
            Some(orders) => orders.append([bytes.as_slice()]),
            None => {
                self.orders = Some(MailWriter::create(post, &format!("{}{ORDERS}", self.token), &bytes)?);
                Ok(())
            }
        }
    }
}
