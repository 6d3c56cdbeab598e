//! How a cell stands now: what its matrix snapshot knew, and what its jobs have come to since.

use crate::study::matrix_snapshot::CellStatus;
use visavis_core::domain::job::JobState;

/// How a cell stands now.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    NotRun,
    Queued,
    /// About how much of it is done, where anything is known of that.
    Running(Option<f32>),
    Done,
    Verified,
    Failed(String),
    Stale,
    Waits(String),
    Paused,
    Cancelled,
}

impl CellState {
    pub fn word(&self) -> &'static str {
        match self {
            CellState::NotRun => "not run",
            CellState::Queued => "queued",
            CellState::Running(_) => "running",
            CellState::Done => "done",
            CellState::Verified => "verified",
            CellState::Failed(_) => "failed",
            CellState::Stale => "stale",
            CellState::Waits(_) => "waits",
            CellState::Paused => "paused",
            CellState::Cancelled => "cancelled",
        }
    }

    /// Of several cells in one place the most urgent is shown.
    pub fn urgency(&self) -> u8 {
        match self {
            CellState::Running(_) => 9,
            CellState::Failed(_) => 8,
            CellState::Stale => 7,
            CellState::Queued => 6,
            CellState::Paused => 5,
            CellState::Cancelled => 4,
            CellState::NotRun => 3,
            CellState::Waits(_) => 2,
            CellState::Done => 1,
            CellState::Verified => 0,
        }
    }
}

/// A job that a cell needs, as the latest run and what people asked left it.
pub(super) struct CellJob<'a> {
    pub state: JobState,
    /// Of a run that goes on.
    pub is_live: bool,
    /// About how much of it is done, of one that runs.
    pub progress: Option<f32>,
    /// Why it failed.
    pub why: Option<&'a str>,
}

/// The state of a cell, from that of its score when the matrix snapshot was made: of its jobs, the most urgent state is the cell's.
/// `is_scored`: its score was made since, and its matrix snapshot is not made anew yet.
pub(super) fn cell_state<'a>(status: &CellStatus, is_scored: bool, jobs: impl IntoIterator<Item = CellJob<'a>>) -> CellState {
    let settled = match status {
        CellStatus::Done => return CellState::Done,
        CellStatus::Verified => return CellState::Verified,
        _ if is_scored => return CellState::Done,
        CellStatus::Stale => CellState::Stale,
        CellStatus::Open => CellState::NotRun,
        CellStatus::Waits(why) => CellState::Waits(why.clone()),
        CellStatus::Cancelled => CellState::Cancelled,
    };
    let state = |job: CellJob| match job.state {
        JobState::Running if job.is_live => Some(CellState::Running(job.progress)),
        JobState::Queued if job.is_live => Some(CellState::Queued),
        JobState::Failed => Some(CellState::Failed(job.why.unwrap_or_default().to_owned())),
        JobState::Paused => Some(CellState::Paused),
        JobState::Cancelled => Some(CellState::Cancelled),
        JobState::Running | JobState::Queued | JobState::Done => None,
    };
    let more_urgent = |urgent: CellState, state: CellState| if state.urgency() > urgent.urgency() { state } else { urgent };
    jobs.into_iter().filter_map(state).fold(settled, more_urgent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: JobState) -> CellJob<'static> {
        CellJob { state, is_live: true, progress: Some(0.5), why: Some("no room") }
    }

    #[test]
    fn a_cell_whose_score_is_there_is_done_whatever_its_jobs_do() {
        for (status, state) in [(CellStatus::Done, CellState::Done), (CellStatus::Verified, CellState::Verified)] {
            assert_eq!(cell_state(&status, false, [job(JobState::Failed)]), state);
        }
        assert_eq!(cell_state(&CellStatus::Open, true, [job(JobState::Running)]), CellState::Done, "its score came meanwhile");
        assert_eq!(cell_state(&CellStatus::Verified, true, []), CellState::Verified);
    }

    #[test]
    fn the_most_urgent_of_a_cells_jobs_is_shown() {
        let of = |states: &[JobState]| cell_state(&CellStatus::Open, false, states.iter().map(|state| job(*state)));
        use JobState::{Cancelled, Done, Failed, Paused, Queued, Running};
        assert_eq!(of(&[]), CellState::NotRun);
        assert_eq!(of(&[Done, Queued, Failed, Running]), CellState::Running(Some(0.5)));
        assert_eq!(of(&[Queued, Failed, Paused]), CellState::Failed("no room".to_owned()));
        assert_eq!(of(&[Cancelled, Paused, Queued]), CellState::Queued);
        assert_eq!(of(&[Cancelled, Done]), CellState::Cancelled);
    }

    #[test]
    fn a_stale_score_is_more_urgent_than_jobs_that_wait() {
        let of = |state| cell_state(&CellStatus::Stale, false, [job(state)]);
        assert_eq!((of(JobState::Queued), of(JobState::Failed)), (CellState::Stale, CellState::Failed("no room".to_owned())));
    }

    #[test]
    fn of_a_run_that_ended_nothing_runs_or_is_queued() {
        for state in [JobState::Running, JobState::Queued] {
            let job = CellJob { is_live: false, ..job(state) };
            assert_eq!(cell_state(&CellStatus::Open, false, [job]), CellState::NotRun);
        }
        let job = CellJob { is_live: false, ..job(JobState::Failed) };
        assert_eq!(cell_state(&CellStatus::Open, false, [job]), CellState::Failed("no room".to_owned()));
    }
}
