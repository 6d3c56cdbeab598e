//! What people asked of jobs, and what of it still stands.

use std::collections::HashMap;
use visavis_core::{
    domain::{
        Result,
        event::Act,
        job::{JobId, State},
    },
    store::Index,
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Acts {
    aside: HashMap<JobId, State>,
    /// Nothing is started. Of one run only: a run that is started is meant to run.
    pub paused_all: bool,
}

impl Acts {
    /// What stands from before: of jobs, not of runs.
    pub fn standing(index: &Index) -> Result<Self> {
        let mut acts = Acts::default();
        for (job, act) in index.standing_acts()? {
            match (job, act.as_str()) {
                (Some(job), "pause") => acts.take(&Act::Pause { job: Some(job) }),
                (Some(job), "cancel") => acts.take(&Act::Cancel { job }),
                (job, "retry") => acts.take(&Act::Retry { job }),
                _ => {}
            }
        }
        Ok(acts)
    }

    pub fn take(&mut self, act: &Act) {
        match act {
            Act::Pause { job: None } => self.paused_all = true,
            Act::Pause { job: Some(job) } => _ = self.aside.insert(*job, State::Paused),
            Act::Cancel { job } => _ = self.aside.insert(*job, State::Cancelled),
            Act::Retry { job: Some(job) } => _ = self.aside.remove(job),
            Act::Retry { job: None } => *self = Acts::default(),
            Act::Drain => {}
        }
    }

    /// Jobs that are not to be started.
    pub fn aside(&self) -> &HashMap<JobId, State> {
        &self.aside
    }
}
