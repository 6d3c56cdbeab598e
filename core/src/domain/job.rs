//! Jobs: stages in a queue, with a name that is there before their keys are; and how an attempt at one can end.

use super::{Digest, stage::Kind};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// What a person calls a job by: sixteen digits made of its study's name and its own label, the same in every run. Any
/// beginning that no other job shares will do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(u64);

impl JobId {
    /// By the study's name and the job's label in it.
    pub fn of(study: &str, label: &str) -> Self {
        let digest = Digest::of(format!("{study}\n{label}").as_bytes());
        JobId(u64::from_be_bytes(std::array::from_fn(|place| digest.as_bytes()[place])))
    }

    /// The first eight digits, for people.
    pub fn short(self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {self}")
    }
}

/// The text was not sixteen hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not a job (sixteen hexadecimal digits)")]
pub struct NotAJob;

impl FromStr for JobId {
    type Err = NotAJob;

    fn from_str(text: &str) -> Result<Self, NotAJob> {
        let plain = text.len() == 16 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        u64::from_str_radix(text, 16).ok().filter(|_| plain).map(JobId).ok_or(NotAJob)
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A job that a run took into its queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedJob {
    /// What people call it by.
    pub job: JobId,
    /// The kind of its stage.
    pub stage: Kind,
    /// What it is, in words: unique in its study.
    pub label: String,
}

/// Where a job stands, as the latest run that knew it left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// In the queue: waits for what it consumes, or for a slot.
    Queued,
    /// A worker is at it.
    Running,
    /// Its result is there.
    Done,
    /// Its last attempt ended badly, and no other follows by itself.
    Failed,
    /// A person said not now.
    Paused,
    /// A person said no.
    Cancelled,
}

impl JobState {
    /// Every state, in the order that screens count them.
    pub const ALL: [JobState; 6] =
        [JobState::Queued, JobState::Running, JobState::Done, JobState::Failed, JobState::Paused, JobState::Cancelled];

    /// As people and the store write it.
    pub fn word(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Paused => "paused",
            JobState::Cancelled => "cancelled",
        }
    }

    /// The inverse of [`Self::word`].
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Why an attempt did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The data cannot be worked on.
    Input,
    /// A loss that is no longer a number.
    Diverged,
    /// Out of memory.
    Memory,
    /// The worker ended before the stage did.
    Crash,
    /// It took longer than it was given.
    Timeout,
    /// The worker gave no sign of life.
    Silence,
    /// The disk or the system refused.
    Machine,
    /// A bug in Visavis.
    Bug,
    /// A person cancelled it.
    Cancelled,
    /// The run ended first.
    Stopped,
}

impl Cause {
    /// Every cause, in the order of the variants.
    pub const ALL: [Cause; 10] = [
        Cause::Input,
        Cause::Diverged,
        Cause::Memory,
        Cause::Crash,
        Cause::Timeout,
        Cause::Silence,
        Cause::Machine,
        Cause::Bug,
        Cause::Cancelled,
        Cause::Stopped,
    ];

    /// Another attempt may end otherwise. Bad input, a bug and a divergence come again with the same bytes; a full disk needs
    /// a person.
    pub fn worth_another_try(self) -> bool {
        matches!(self, Cause::Memory | Cause::Crash | Cause::Timeout | Cause::Silence)
    }

    /// As people and the store write it.
    pub fn word(self) -> &'static str {
        match self {
            Cause::Input => "input",
            Cause::Diverged => "diverged",
            Cause::Memory => "memory",
            Cause::Crash => "crash",
            Cause::Timeout => "timeout",
            Cause::Silence => "silence",
            Cause::Machine => "machine",
            Cause::Bug => "bug",
            Cause::Cancelled => "cancelled",
            Cause::Stopped => "stopped",
        }
    }

    /// The inverse of [`Self::word`].
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Cause::Input => "its input cannot be used",
            Cause::Diverged => "it diverged",
            Cause::Memory => "out of memory",
            Cause::Crash => "the worker ended before the stage did",
            Cause::Timeout => "it took longer than its limit",
            Cause::Silence => "the worker gave no sign of life",
            Cause::Machine => "the machine refused",
            Cause::Bug => "a bug in visavis",
            Cause::Cancelled => "cancelled",
            Cause::Stopped => "the run ended first",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_the_same_name_in_every_run_and_survives_its_text() {
        let job = JobId::of("small", "score pixels · embedding · pca · ink");
        assert_eq!(job, JobId::of("small", "score pixels · embedding · pca · ink"));
        assert_ne!(job, JobId::of("other", "score pixels · embedding · pca · ink"));
        assert_eq!(job.to_string().parse::<JobId>().unwrap(), job);
        assert!("ABCDEF0123456789".parse::<JobId>().is_err() && "+123456789abcdef".parse::<JobId>().is_err());
    }

    #[test]
    fn words_are_read_back() {
        assert!(JobState::ALL.into_iter().all(|state| JobState::of_word(state.word()) == Some(state)));
        assert!(Cause::ALL.into_iter().all(|cause| Cause::of_word(cause.word()) == Some(cause)));
    }
}
