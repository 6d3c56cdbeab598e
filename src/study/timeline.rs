//! The timeline: how the latest run stands, as the store's fold of the events has it.

use super::job_requests::JobRequests;
use std::collections::{BTreeMap, HashMap};
use visavis_core::{
    domain::{
        Result,
        event::WorkersStanding,
        job::{JobId, JobState},
    },
    store::{Index, JobRow, RunRow, Workspace},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub run: RunRow,
    /// Its dispatcher is at work now.
    pub live: bool,
    /// What people asked of the whole of it: it starts nothing.
    pub held: Option<HeldBecause>,
    /// How its workers stand that a cluster starts; `None` of a run that has none, or is over.
    pub workers: Option<WorkersStanding>,
    /// Jobs that people set aside and nobody took up again since: what a run to come will not start.
    aside: HashMap<JobId, JobState>,
    counts: BTreeMap<JobState, usize>,
}

/// Why a run that goes on starts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBecause {
    Paused,
    Draining,
}

impl HeldBecause {
    pub fn word(self) -> &'static str {
        match self {
            HeldBecause::Paused => "paused",
            HeldBecause::Draining => "draining",
        }
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Running,
    Ended,
    Interrupted,
    /// Its dispatcher is gone and never said so.
    Lost,
}

impl Timeline {
    /// Of the latest run; `None`: nothing was run in this workspace yet.
    pub fn read(index: &Index, workspace: &Workspace) -> Result<Option<Self>> {
        index.latest_run()?.map(|run| Self::of(run, index, workspace)).transpose()
    }

    pub fn of(run: RunRow, index: &Index, workspace: &Workspace) -> Result<Self> {
        let at_work = |run: &RunRow| {
            workspace.holder().is_some_and(|holder| holder.pid == run.origin.pid && holder.host == run.origin.host)
        };
        let live = run.ended.is_none() && at_work(&run);
        let asked = if live { index.act_on_all(run.clock)? } else { None };
        let held = match asked.as_deref() {
            Some("drain") => Some(HeldBecause::Draining),
            Some("pause") => Some(HeldBecause::Paused),
            _ => None,
        };
        let counts = index.tally(&run.journal)?.into_iter().collect();
        let aside = if live { HashMap::new() } else { JobRequests::standing(index)?.aside().clone() };
        let workers = if live { index.workers_of(&run.journal)? } else { None };
        let mut timeline = Timeline { run, live, held, workers, aside, counts };
        if !live {
            // What people asked since, nobody has noted in the jobs: the run to come reads it.
            let rows = timeline.open_jobs(index)?;
            timeline.counts.retain(|state, _| *state == JobState::Done);
            for row in rows {
                *timeline.counts.entry(timeline.state(&row)).or_default() += 1;
            }
        }
        Ok(timeline)
    }

    /// Every job of the run that is not done.
    fn open_jobs(&self, index: &Index) -> Result<Vec<JobRow>> {
        let mut rows = Vec::new();
        for state in JobState::ALL.into_iter().filter(|state| *state != JobState::Done) {
            rows.extend(index.jobs_in(&self.run.journal, state, i64::MAX as usize)?);
        }
        Ok(rows)
    }

    /// How a job stands now: as its run left it, and what people asked since. The one answer of `status`, `explain` and screens.
    pub fn state(&self, row: &JobRow) -> JobState {
        state_now(row.state, self.aside.get(&row.id).copied(), self.live)
    }

    /// Does the latest run go on?
    pub fn goes_on(index: &Index, workspace: &Workspace) -> Result<bool> {
        Ok(Self::read(index, workspace)?.is_some_and(|timeline| timeline.phase() == Phase::Running))
    }

    pub fn phase(&self) -> Phase {
        match (self.run.ended, self.live) {
            (Some(_), _) if self.run.interrupted => Phase::Interrupted,
            (Some(_), _) => Phase::Ended,
            (None, true) => Phase::Running,
            (None, false) => Phase::Lost,
        }
    }

    /// How many jobs of the run are in a state.
    pub fn count(&self, state: JobState) -> usize {
        let of = |state: JobState| self.counts.get(&state).copied().unwrap_or(0);
        of(state)
    }

    /// The jobs in a state, the longest in it first.
    pub fn jobs(&self, index: &Index, state: JobState, most: usize) -> Result<Vec<JobRow>> {
        if self.live || state == JobState::Done {
            return index.jobs_in(&self.run.journal, state, most);
        }
        let mut rows = self.open_jobs(index)?;
        for row in &mut rows {
            let now = self.state(row);
            if now != row.state {
                (row.state, row.why) = (now, None);
            }
        }
        rows.retain(|row| row.state == state);
        rows.sort_by_key(|row| (row.at, row.id.to_string()));
        rows.truncate(most);
        Ok(rows)
    }
}

#[cfg(test)]
impl Timeline {
    /// A run whose jobs nobody counted, for tests of what shows it.
    pub fn for_tests(run: RunRow, live: bool) -> Self {
        Timeline { run, live, held: None, workers: None, aside: HashMap::new(), counts: BTreeMap::new() }
    }
}

/// While its run goes on, the dispatcher notes what becomes of a job. Afterwards what people ask stands beside what it left: what
/// they set aside is aside, what they took up again waits for the next run, as does what ran when a dispatcher vanished.
fn state_now(left: JobState, aside: Option<JobState>, live: bool) -> JobState {
    match (left, aside) {
        _ if live => left,
        (JobState::Done, _) => JobState::Done,
        (_, Some(aside)) => aside,
        (JobState::Paused | JobState::Cancelled | JobState::Running, None) => JobState::Queued,
        (JobState::Queued | JobState::Failed, None) => left,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_ask_after_a_run_counts_at_once() {
        use JobState::{Cancelled, Done, Failed, Paused, Queued, Running};
        let after = |left, aside| state_now(left, aside, false);
        assert_eq!(after(Paused, Some(Paused)), Paused);
        assert_eq!([Paused, Cancelled, Running, Queued].map(|left| after(left, None)), [Queued; 4], "retried, or left over");
        assert_eq!((after(Failed, None), after(Done, Some(Cancelled))), (Failed, Done));
        assert_eq!([Queued, Failed].map(|left| after(left, Some(Cancelled))), [Cancelled; 2], "set aside when nothing ran");
        assert_eq!(state_now(Running, Some(Paused), true), Running, "the dispatcher says what becomes of it");
    }
}
