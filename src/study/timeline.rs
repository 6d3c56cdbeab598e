//! The timeline: what happened, folded from events. Live and replayed alike, the fold is the same.

use crate::domain::{
    Key,
    event::{Event, What},
    stage::Kind,
};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The study of the latest run.
    pub study: Option<String>,
    /// When the latest run started, and how it ended if it did; milliseconds since 1970.
    pub started: Option<u64>,
    pub ended: Option<u64>,
    pub slots: usize,
    /// The jobs of the latest run.
    pub jobs: BTreeMap<Key, Job>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub stage: Kind,
    pub label: String,
    pub slot: usize,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Running {
        since: u64,
    },
    Done {
        seconds: f64,
    },
    Failed {
        why: String,
    },
    /// The run ended before it did.
    Stopped,
}

impl Timeline {
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut timeline = Timeline::default();
        events.into_iter().for_each(|event| timeline.take(event));
        timeline
    }

    pub fn take(&mut self, event: &Event) {
        match &event.what {
            What::RunStarted { study, slots, .. } => {
                *self = Timeline { study: Some(study.clone()), started: Some(event.at), slots: *slots, ..Timeline::default() }
            }
            What::Started { key, stage, label, slot } => {
                self.jobs.insert(
                    *key,
                    Job { stage: *stage, label: label.clone(), slot: *slot, state: State::Running { since: event.at } },
                );
            }
            What::Finished { key, seconds, .. } => self.set(key, State::Done { seconds: *seconds }),
            What::Failed { key, why } => self.set(key, State::Failed { why: why.clone() }),
            What::RunFinished { .. } => {
                self.ended = Some(event.at);
                for job in self.jobs.values_mut().filter(|job| matches!(job.state, State::Running { .. })) {
                    job.state = State::Stopped;
                }
            }
        }
    }

    fn set(&mut self, key: &Key, state: State) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.state = state;
        }
    }

    pub fn count(&self, is: impl Fn(&State) -> bool) -> usize {
        self.jobs.values().filter(|job| is(&job.state)).count()
    }
}
