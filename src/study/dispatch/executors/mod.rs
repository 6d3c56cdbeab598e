//! Who starts workers and talks to them. Workers are numbered by the dispatcher.

#[cfg(test)]
pub(crate) mod fake;
mod local;
mod mixed;
pub(crate) mod slurm;

pub(crate) use local::LocalExecutor;
pub(crate) use mixed::MixedExecutor;
pub(crate) use slurm::SlurmExecutor;

use crate::study::programs::WorkerProgram;
use std::{path::Path, time::Duration};
use visavis_core::domain::{
    Key, Result,
    event::{WorkerAnswer, WorkersStanding},
    stage::Order,
};

/// Workers that come by themselves are numbered from here on, those that are spawned below: a number says whose a worker is.
pub(crate) const FIRST_OF_CLUSTER: u64 = 1 << 32;

/// Where a worker runs, and which program it is.
pub(crate) struct WorkerPlace<'a> {
    pub program: &'a Path,
    /// As devices are named: `cpu`, `cuda:0`.
    pub device: String,
    pub slot: usize,
    pub threads: usize,
}

/// Something that a worker said or did.
#[derive(Debug)]
pub(crate) struct WorkerMessage {
    pub worker: u64,
    pub what: MessageKind,
}

#[derive(Debug)]
pub(crate) enum MessageKind {
    /// It was not spawned by the dispatcher, and is there now.
    Joined {
        slot: usize,
        /// Which program it is; `None`: visavis itself.
        program: Option<WorkerProgram>,
        /// What a dispatcher before this one gave it and which attempt that was, if it has not answered.
        holds: Vec<(Key, u32)>,
    },
    Answer(WorkerAnswer),
    /// A line on its standard error.
    Line(String),
    /// It has ended and will say nothing more.
    Exited(WorkerExit),
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkerExit {
    /// As the system tells it: `exit status: 1`.
    pub status: String,
    /// The last lines of its standard error.
    pub log: Vec<String>,
    /// It was taken away, whatever it was at: its node failed, say. The stage is not to blame.
    pub is_taken_away: bool,
}

pub(crate) trait WorkerExecutor {
    /// # Errors
    /// A worker that cannot be started.
    fn spawn(&mut self, worker: u64, place: &WorkerPlace) -> Result<()>;

    /// So many stages are still to be made: whoever has workers come by themselves sees to it that enough do.
    fn want(&mut self, _stages: usize) {}

    /// How workers stand that come by themselves, and what those wait for that have not come; `None` where none do.
    fn waits_for(&self) -> Option<WorkersStanding> {
        None
    }

    /// Another dispatcher has taken the run over: workers that come by themselves are its own now, and are not spoken to any more.
    fn abandon(&mut self) {}

    /// What is left for a person to do after [`Self::end_all`], in words.
    fn left_over(&self) -> Option<&str> {
        None
    }

    /// Gives a worker one more task. One that has ended says so by [`MessageKind::Exited`].
    ///
    /// # Errors
    /// An order that cannot be written as JSON.
    fn assign(&mut self, worker: u64, order: &Order) -> Result<()>;

    /// Asks a worker to give back what makes these, unless it has begun it; [`WorkerAnswer::Returned`] answers.
    fn recall(&mut self, _worker: u64, _keys: Vec<Key>) {}

    /// Has a worker that has nothing to do go on as another program, in the same job; it then comes anew.
    fn go_on_as(&mut self, _worker: u64, _program: &'static str) {}

    /// Lets a worker that has nothing to do end by itself: its journal then says that nothing follows.
    fn dismiss(&mut self, worker: u64);

    /// Asks a worker to stop: one that trains keeps what it has learned, others just end.
    fn terminate(&mut self, worker: u64);

    fn kill(&mut self, worker: u64);

    /// The next message, waited for as long as `patience`.
    ///
    /// # Errors
    /// No message can come any more.
    fn next_message(&mut self, patience: Duration) -> Result<Option<WorkerMessage>>;

    /// Waits until every worker has ended, at most for `grace`; then none is left. What they answered on the way.
    fn end_all(&mut self, grace: Duration) -> Vec<WorkerAnswer>;
}
