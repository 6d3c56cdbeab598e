//! What people asked of jobs, and what of it still stands.

use std::collections::HashMap;
use visavis_core::{
    domain::{
        Result,
        event::PersonRequest,
        job::{JobId, JobState},
    },
    store::Index,
};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobRequests {
    aside: HashMap<JobId, JobState>,
    /// Nothing is started. Of one run only: a run that is started is meant to run.
    pub paused_all: bool,
}

impl JobRequests {
    /// What stands from before: of jobs, not of runs.
    pub fn standing(index: &Index) -> Result<Self> {
        let mut requests = JobRequests::default();
        for (job, act) in index.standing_acts()? {
            match (job, act.as_str()) {
                (Some(job), "pause") => requests.take(&PersonRequest::Pause { job: Some(job) }),
                (Some(job), "cancel") => requests.take(&PersonRequest::Cancel { job }),
                (job, "retry") => requests.take(&PersonRequest::Retry { job }),
                _ => {}
            }
        }
        Ok(requests)
    }

    pub fn take(&mut self, act: &PersonRequest) {
        match act {
            PersonRequest::Pause { job: None } => self.paused_all = true,
            PersonRequest::Pause { job: Some(job) } => _ = self.aside.insert(*job, JobState::Paused),
            PersonRequest::Cancel { job } => _ = self.aside.insert(*job, JobState::Cancelled),
            PersonRequest::Retry { job: Some(job) } => _ = self.aside.remove(job),
            PersonRequest::Retry { job: None } => *self = JobRequests::default(),
            PersonRequest::Drain => {}
        }
    }

    /// Jobs that are not to be started.
    pub fn aside(&self) -> &HashMap<JobId, JobState> {
        &self.aside
    }
}
