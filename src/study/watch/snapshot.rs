//! What screens show at one moment. Nothing in it changes.

use super::{CellState, DeviceSeen};
use crate::study::{
    labelling::WorkspaceLabels,
    matrix_snapshot::MatrixSnapshot,
    standing::StudyStanding,
    time_left::{Progress, TimeLeft},
    timeline::{Phase, Timeline},
};
use std::sync::Arc;
use visavis_core::{
    domain::machine::WorkerMachine,
    store::{JobRow, LastAudit, WrittenPage},
};

/// A job of the latest run.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSeen {
    pub row: JobRow,
    /// Device and slot of what runs, and which attempt it is.
    pub on: Option<(String, usize, u32)>,
    /// The machine that it runs on, where its worker wrote it down.
    pub machine: Option<WorkerMachine>,
    /// How far it has come, where it says so.
    pub progress: Option<Progress>,
}

/// What screens show. Nothing in it changes.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// The studies of the workspace.
    pub studies: Vec<StudyStanding>,
    pub matrix_snapshot: Option<Arc<MatrixSnapshot>>,
    /// How each cell of the matrix snapshot stands.
    pub states: Arc<Vec<CellState>>,
    pub run: Option<Timeline>,
    pub jobs: Arc<Vec<JobSeen>>,
    /// How many runs there were.
    pub runs: usize,
    pub devices: Vec<DeviceSeen>,
    /// What is wrong with the study file or its data.
    pub trouble: Option<visavis_core::domain::Fault>,
    /// What is odd about the store, or wrong with it; it is tried again.
    pub store: Option<String>,
    /// Why the store cannot be read, if it cannot.
    pub unread: Option<String>,
    /// What annotators labelled in the workspace.
    pub labels: Arc<WorkspaceLabels>,
    pub audit: Option<LastAudit>,
    /// The report as it was written.
    pub report: Option<WrittenPage>,
    /// What is left of the run that goes on.
    pub left: Option<TimeLeft>,
    /// The study is being read.
    pub reading: bool,
}

impl Snapshot {
    pub fn is_live(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.phase() == Phase::Running)
    }
}
