//! Events: the append-only facts of what was tried, by whom, and how it ended. What `status` shows is a fold over them.

use super::{
    Digest, Key,
    annotation::Annotation,
    job::{Cause, JobId, PlannedJob},
    machine::WorkerMachine,
    metric::{self, Chunk},
    text,
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
    /// The fact itself.
    pub what: EventKind,
}

/// The facts there are, by who states them: dispatchers, workers, people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    // What a dispatcher does.
    /// It took up a study. `text` is the study file, kept as an object.
    RunStarted {
        /// The study's name.
        study: String,
        /// The study file's path, as it was given.
        file: String,
        /// Digest of the study file's text.
        text: Digest,
        /// What jobs may run on.
        devices: Vec<Slots>,
        /// The program, machine and commit of the run.
        origin: Box<RunOrigin>,
    },
    /// Jobs it will run.
    Queued {
        /// In the order of the plan.
        jobs: Vec<PlannedJob>,
    },
    /// A worker took up a job. `worker` is the journal that holds what happened there.
    Started {
        /// The job that was taken up.
        job: JobId,
        /// The result that it is to leave.
        key: Key,
        /// From 1 for each job.
        attempt: u32,
        /// Such as `cpu` or `cuda:0`.
        device: String,
        /// Which of the device's slots, from 0.
        slot: usize,
        /// Threads that the worker computes with.
        threads: usize,
        /// The seed of the task, if it draws.
        seed: Option<u64>,
        /// The name of the worker's journal.
        worker: String,
    },
    /// The result is there; `first` is false when another process had finished it before.
    Finished {
        /// The job that ended.
        job: JobId,
        /// The result that it left.
        key: Key,
        /// From 1 for each job.
        attempt: u32,
        /// Time of the computation, without the wait for a slot.
        seconds: f64,
        /// The result was not there before.
        first: bool,
    },
    /// Results of these jobs turned up without running them here.
    Found {
        /// Each with the result that it would have left.
        jobs: Vec<(JobId, Key)>,
    },
    /// The attempt ended badly. `log`: its last lines. `again`: it will be tried again.
    Failed {
        /// The job whose attempt ended.
        job: JobId,
        /// The result that is still missing.
        key: Key,
        /// From 1 for each job.
        attempt: u32,
        /// The kind of fault, which decides whether it is tried again.
        cause: Cause,
        /// A sentence for people.
        why: String,
        /// How the worker's process ended, if it did: an exit code or a signal.
        exit: Option<String>,
        /// The last lines that the worker wrote.
        log: Vec<String>,
        /// Another attempt follows without anybody asking.
        again: bool,
    },
    /// Jobs that start no more; what runs goes on.
    Paused {
        /// They start no more until they are retried.
        jobs: Vec<JobId>,
    },
    /// Jobs that were stopped and start no more until they are retried.
    Cancelled {
        /// They ran or waited.
        jobs: Vec<JobId>,
    },
    /// Jobs that may start again.
    Resumed {
        /// They were paused, cancelled or failed.
        jobs: Vec<JobId>,
    },
    /// The run ended. A run without this ended without a word.
    RunFinished {
        /// Jobs that ran and finished.
        ran: usize,
        /// Jobs whose results were there already.
        stored: usize,
        /// Jobs that ended badly and were not tried again.
        failed: usize,
        /// Somebody stopped the run before all was done.
        interrupted: bool,
    },

    /// How workers stand that come by themselves, as those that a cluster starts; told when it changes.
    Workers(WorkersStanding),

    // What a worker does.
    /// A worker is up. Its journal is the one that holds this event.
    WorkerStarted {
        /// The run whose dispatcher started it.
        run: String,
        /// The process number, on its own machine.
        pid: u32,
        /// Such as `cpu` or `cuda:0`.
        device: String,
        /// Which of the device's slots, from 0.
        slot: usize,
        /// Threads that it computes with.
        threads: usize,
        /// The machine it is on; `None` in journals of earlier releases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        machine: Option<Box<WorkerMachine>>,
    },
    /// The worker took up a task.
    Begun {
        /// The result that it is to leave.
        key: Key,
        /// From 1 for each job.
        attempt: u32,
    },
    /// The worker wrote a line for people.
    Logged {
        /// The result that it was working at, if any.
        key: Option<Key>,
        /// From 1 for each job; 0 outside a task.
        attempt: u32,
        /// Without its line end.
        line: String,
    },
    /// `cause: None`: it ended well.
    Ended {
        /// The result that was worked at.
        key: Key,
        /// From 1 for each job.
        attempt: u32,
        /// The kind of fault.
        cause: Option<Cause>,
    },

    // What people do.
    /// Somebody asked something of the dispatcher.
    Asked {
        /// What was asked.
        act: PersonRequest,
        /// The name of the user who asked.
        by: String,
    },
    /// A figure of a study is to be in its report, or no more (`note: None`).
    Pinned {
        /// The study's name.
        study: String,
        /// The figure's name in the study.
        figure: String,
        /// What people wrote beside it; empty without words.
        note: Option<String>,
        /// The name of the user who pinned it.
        by: String,
        /// What the figure is, whatever it is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        definition: Option<Digest>,
    },
    /// An annotator said what a picture shows, or took it back.
    Labelled(Annotation),
}

/// How the workers of a run stand that come by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkersStanding {
    /// Who starts them, as people call it: `Slurm`.
    pub by: String,
    /// At work, or waiting for some.
    pub here: usize,
    /// Asked for, and not here yet.
    pub waiting: usize,
    /// What keeps the first of those that wait, in words; `None` where nobody said so yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl WorkersStanding {
    /// `2 workers of Slurm here, 3 submitted (waiting: Priority (jobs of a higher priority go first))`
    pub fn told(&self) -> String {
        let here = format!("{} of {} here", text::count(self.here, "worker"), self.by);
        match (self.waiting, &self.why) {
            (0, _) => here,
            (waiting, None) => format!("{here}, {waiting} submitted"),
            (waiting, Some(why)) => format!("{here}, {waiting} submitted ({why})"),
        }
    }
}

/// What a person asks of the dispatcher, now or when one comes. `job: None` means all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRequest {
    /// Start it no more until it is retried; what runs goes on.
    Pause {
        /// One job, or all.
        job: Option<JobId>,
    },
    /// Stop it, and start it no more until it is retried.
    Cancel {
        /// Always one job.
        job: JobId,
    },
    /// Take it up again: paused, cancelled or failed.
    Retry {
        /// One job, or all.
        job: Option<JobId>,
    },
    /// Finish what runs, start nothing more, and end.
    Drain,
}

/// A device with room for some jobs at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slots {
    /// Such as `cpu`, `cuda:0` or `pretend:0`.
    pub device: String,
    /// How many jobs run there at a time.
    pub slots: usize,
    /// Threads of each worker.
    pub threads: usize,
}

/// Where a run came from: enough to do it again, or to say why it cannot be done again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOrigin {
    /// The version of visavis.
    pub program: String,
    /// BLAKE3 of the program's file.
    pub program_digest: Option<Digest>,
    /// The commit of the repository that the study lies in, if it lies in one.
    pub commit: Option<String>,
    /// It had changes that were not committed.
    pub dirty: bool,
    /// The machine's name.
    pub host: String,
    /// Who ran it.
    pub user: String,
    /// The dispatcher's process number on its host.
    pub pid: u32,
    /// The processor's model name.
    pub cpu: String,
    /// The operating system and its release.
    pub system: String,
    /// The version of the graphics driver, where there is one.
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
        /// The journal's name.
        journal: String,
    },
    /// It took up the task.
    Begun {
        /// The result that it is to leave.
        key: Key,
    },
    /// Its journal has grown, and what it has grown by is synced.
    Kept,
    /// It lives.
    Beat,
    /// The result is stored.
    Finished {
        /// The result's key.
        key: Key,
        /// Time of the computation.
        seconds: f64,
        /// The result was not there before.
        first: bool,
    },
    /// The attempt ended badly; the worker takes the next task.
    Failed {
        /// The result that is still missing.
        key: Key,
        /// The kind of fault, which decides whether it is tried again.
        cause: Cause,
        /// A sentence for people.
        why: String,
    },
    /// It was asked to give tasks back that it has not begun, and will not do these.
    Returned {
        /// The results that they make.
        keys: Vec<Key>,
    },
}

/// A process that writes into a workspace: on which machine, and through which mount. What a lock says of it hangs on both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// The machine's name.
    pub host: String,
    /// The kernel's boot identifier: another one is another kernel, or the same after a restart.
    pub boot: String,
    /// Host, boot and process namespace as one short name: where the process number means something.
    pub machine: String,
    /// The process number, in its own process namespace.
    pub pid: u32,
    /// Random; tells two processes of one number apart.
    pub token: String,
    /// The mount's device number, as this process sees it.
    pub device: u64,
    /// The folder is on a disk of this machine alone.
    pub local: bool,
    /// The file system takes locks (flock).
    pub locks: bool,
    /// Of a journal: the name its file was given, before anything was put behind it, `#`, and which journal of its process it is. Empty
    /// in journals of earlier releases.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub journal: String,
    /// Of a journal: the random name of the workspace it was started in. Empty where the folder is no workspace's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub workspace: String,
}

/// What a journal's record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A fact with its clock.
    Event(Event),
    /// Points of one series.
    Metrics(Chunk),
    /// The first record: who writes the journal.
    Opened(Writer),
    /// The last record: nothing follows. A writer that was killed does not say so.
    Closed,
    /// Of a later visavis: kept, and not understood here.
    Later,
}

impl Record {
    /// Reads the payload of a record; what is not understood is [`Record::Later`].
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
