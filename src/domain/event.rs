//! Events: the append-only facts of what was tried, by whom, and how it ended. Screens and `status` are folds over them.

use super::{Key, stage::Kind};
use serde::{Deserialize, Serialize};

/// One journal record. A changed meaning needs a new variant: old journals are read for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since 1970, UTC.
    pub at: u64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A dispatcher took up a study.
    RunStarted {
        study: String,
        slots: usize,
        threads: usize,
    },
    /// A stage was handed to a worker.
    Started {
        key: Key,
        stage: Kind,
        label: String,
        slot: usize,
    },
    /// The stage's result is there; `first` is false when another process had finished it before.
    Finished {
        key: Key,
        seconds: f64,
        first: bool,
    },
    Failed {
        key: Key,
        why: String,
    },
    /// The run ended; `finished` says how.
    RunFinished {
        ran: usize,
        stored: usize,
        failed: usize,
        interrupted: bool,
    },
}

/// What a worker answers, one JSON value a line, to a task on its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Finished { key: Key, seconds: f64, first: bool },
    Failed { key: Key, ending: i32, why: String },
}
