//! Events: the append-only facts of what was tried, by whom, and how it ended. What `status` shows is a fold over them.

use super::{
    Digest, Key,
    job::{Cause, JobId, PlannedJob},
    metric::{self, Chunk},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact. A changed meaning needs a new variant: old journals are read for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Lamport's clock (1978): greater than that of every event its writer had seen. Orders events whatever the time of day
    /// does.
    pub clock: u64,
    /// Milliseconds since 1970, UTC; for people.
    pub at: u64,
    pub what: EventKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    // What a dispatcher does.
    /// It took up a study. `text` is the study file, kept as an object.
    RunStarted {
        study: String,
        file: String,
        text: Digest,
        devices: Vec<Slots>,
        origin: Box<RunOrigin>,
    },
    /// Jobs it will run.
    Queued {
        jobs: Vec<PlannedJob>,
    },
    /// A worker took up a job. `worker` is the journal that holds what happened there.
    Started {
        job: JobId,
        key: Key,
        attempt: u32,
        device: String,
        slot: usize,
        threads: usize,
        seed: Option<u64>,
        worker: String,
    },
    /// The result is there; `first` is false when another process had finished it before.
    Finished {
        job: JobId,
        key: Key,
        attempt: u32,
        seconds: f64,
        first: bool,
    },
    /// Results of these jobs turned up without running them here.
    Found {
        jobs: Vec<(JobId, Key)>,
    },
    /// The attempt ended badly. `log`: its last lines. `again`: it will be tried again.
    Failed {
        job: JobId,
        key: Key,
        attempt: u32,
        cause: Cause,
        why: String,
        exit: Option<String>,
        log: Vec<String>,
        again: bool,
    },
    /// What people asked was done to these jobs.
    Paused {
        jobs: Vec<JobId>,
    },
    Cancelled {
        jobs: Vec<JobId>,
    },
    Resumed {
        jobs: Vec<JobId>,
    },
    /// The run ended. A run without this ended without a word.
    RunFinished {
        ran: usize,
        stored: usize,
        failed: usize,
        interrupted: bool,
    },

    // What a worker does.
    WorkerStarted {
        run: String,
        pid: u32,
        device: String,
        slot: usize,
        threads: usize,
    },
    Begun {
        key: Key,
        attempt: u32,
    },
    Logged {
        key: Option<Key>,
        attempt: u32,
        line: String,
    },
    /// `cause: None`: it ended well.
    Ended {
        key: Key,
        attempt: u32,
        cause: Option<Cause>,
    },

    // What people do.
    Asked {
        act: PersonRequest,
        by: String,
    },
    /// A figure of a study is to be in its report, or no more (`note: None`).
    Pinned {
        study: String,
        figure: String,
        note: Option<String>,
        by: String,
        /// What the figure is, whatever it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        definition: Option<Digest>,
    },
}

/// What a person asks of the dispatcher, now or when one comes. `job: None` means all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequest {
    /// Start it no more until it is retried; what runs goes on.
    Pause { job: Option<JobId> },
    /// Stop it, and start it no more until it is retried.
    Cancel { job: JobId },
    /// Take it up again: paused, cancelled or failed.
    Retry { job: Option<JobId> },
    /// Finish what runs, start nothing more, and end.
    Drain,
}

/// A device with room for some jobs at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slots {
    pub device: String,
    pub slots: usize,
    /// Threads of each worker.
    pub threads: usize,
}

/// Where a run came from: enough to do it again, or to say why it cannot be done again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOrigin {
    pub program: String,
    /// BLAKE3 of the program's file.
    pub program_digest: Option<Digest>,
    /// The commit of the repository that the study lies in, if it lies in one.
    pub commit: Option<String>,
    /// It had changes that were not committed.
    pub dirty: bool,
    pub host: String,
    pub user: String,
    pub pid: u32,
    pub cpu: String,
    pub system: String,
    pub driver: Option<String>,
    /// Variables that can change what is computed or where.
    pub environment: BTreeMap<String, String>,
}

/// What a worker says, one JSON value a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerAnswer {
    /// It is up, and this is its journal.
    Ready {
        journal: String,
    },
    /// It took up the task.
    Begun {
        key: Key,
    },
    /// Its journal has grown, and what it has grown by is synced.
    Kept,
    /// It lives.
    Beat,
    Finished {
        key: Key,
        seconds: f64,
        first: bool,
    },
    Failed {
        key: Key,
        cause: Cause,
        why: String,
    },
}

/// A process that writes into a workspace: on which machine, and through which mount. What a lock says of it hangs on both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    pub host: String,
    /// The kernel's boot identifier: another one is another kernel, or the same after a restart.
    pub boot: String,
    /// Host, boot and process namespace as one short name: where the process number means something.
    pub machine: String,
    pub pid: u32,
    /// Random; tells two processes of one number apart.
    pub token: String,
    /// The mount's device number, as this process sees it.
    pub device: u64,
    /// The folder is on a disk of this machine alone.
    pub local: bool,
    /// The file system takes locks (flock).
    pub locks: bool,
}

/// What a journal's record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Event(Event),
    Metrics(Chunk),
    /// The first record: who writes the journal.
    Opened(Writer),
    /// The last record: nothing follows. A writer that was killed does not say so.
    Closed,
    /// Of a later visavis: kept, and not understood here.
    Later,
}

impl Record {
    pub fn of_bytes(payload: &[u8]) -> Self {
        let later = || Record::Later;
        match payload.first() {
            Some(&metric::TAG) => Chunk::of_bytes(payload).map_or_else(later, Record::Metrics),
            _ => serde_json::from_slice(payload)
                .map_or_else(|_| JournalBound::of_bytes(payload).unwrap_or_else(later), Record::Event),
        }
    }

    /// `None` for [`Record::Later`], whose bytes are another's.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Record::Event(event) => serde_json::to_vec(event).ok(),
            Record::Metrics(chunk) => Some(chunk.to_bytes()),
            Record::Opened(writer) => serde_json::to_vec(&JournalBound::Opened(writer.clone())).ok(),
            Record::Closed => serde_json::to_vec(&JournalBound::Closed {}).ok(),
            Record::Later => None,
        }
    }
}

/// A journal's first and last record, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JournalBound {
    Opened(Writer),
    Closed {},
}

impl JournalBound {
    fn of_bytes(payload: &[u8]) -> Option<Record> {
        Some(match serde_json::from_slice(payload).ok()? {
            JournalBound::Opened(writer) => Record::Opened(writer),
            JournalBound::Closed {} => Record::Closed,
        })
    }
}
