//! The timeline: how the latest run stands, as the store's fold of the events has it.

use crate::{
    domain::{Result, job::State},
    store::{Index, JobRow, RunRow, Workspace},
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub run: RunRow,
    /// Its dispatcher is at work now.
    pub live: bool,
    /// What people asked of the whole of it: it starts nothing.
    pub held: Option<Held>,
    counts: BTreeMap<State, usize>,
}

/// Why a run that goes on starts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Paused,
    Draining,
}

impl Held {
    pub fn word(self) -> &'static str {
        match self {
            Held::Paused => "paused",
            Held::Draining => "draining",
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
            Some("drain") => Some(Held::Draining),
            Some("pause") => Some(Held::Paused),
            _ => None,
        };
        let counts = index.tally(&run.journal)?.into_iter().collect();
        Ok(Timeline { run, live, held, counts })
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

    /// How many jobs of the run are in a state. What ran when its dispatcher vanished waits for the next run.
    pub fn count(&self, state: State) -> usize {
        let of = |state: State| self.counts.get(&state).copied().unwrap_or(0);
        match (state, self.phase()) {
            (State::Running, Phase::Lost) => 0,
            (State::Queued, Phase::Lost) => of(State::Queued) + of(State::Running),
            _ => of(state),
        }
    }

    /// The jobs in a state, the longest in it first.
    pub fn jobs(&self, index: &Index, state: State, most: usize) -> Result<Vec<JobRow>> {
        index.jobs_in(&self.run.journal, state, most)
    }
}
