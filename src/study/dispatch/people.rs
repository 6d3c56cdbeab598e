//! What people ask of a run: pause, cancel, retry, drain.

use super::{LOOK, Run};
use crate::study::{plan::StageStatus, queue::StageQueue, steps::Step};
use std::{collections::HashSet, time::Instant};
use visavis_core::domain::{
    Key, Result,
    event::{EventKind, PersonRequest},
    job::{Cause, JobId, JobState},
};

impl Run<'_> {
    /// Does what people asked since it last looked: all of it, then one new look at the plan.
    pub(super) fn obey(&mut self) -> Result<()> {
        if self.looked.elapsed() < LOOK {
            return Ok(());
        }
        self.looked = Instant::now();
        let acts: Vec<PersonRequest> = self
            .diary
            .read()?
            .into_iter()
            .filter_map(|taken| match taken.event.what {
                EventKind::Asked { act, .. } => Some(act),
                _ => None,
            })
            .collect();
        if acts.is_empty() {
            return Ok(());
        }
        let before = self.acts.aside().clone();
        let mut forgiven = Vec::new();
        for act in &acts {
            match act {
                PersonRequest::Drain => self.draining = true,
                PersonRequest::Retry { job } => forgiven.extend(self.forgive(*job)),
                PersonRequest::Cancel { .. } | PersonRequest::Pause { .. } => {}
            }
            self.acts.take(act);
        }
        let cancelled: Vec<JobId> = acts
            .iter()
            .filter_map(|act| match act {
                PersonRequest::Cancel { job } => Some(*job),
                _ => None,
            })
            .collect();
        cancelled.into_iter().for_each(|job| self.stop_job(job));
        let lifted = before.keys().filter(|job| !self.acts.aside().contains_key(job) && self.jobs.contains_key(job));
        let resumed: Vec<JobId> = lifted.copied().chain(forgiven.iter().map(|(job, _)| *job)).collect();
        for (_, key) in &forgiven {
            self.spent.remove(key);
        }
        self.plan.replan(self.acts.aside().clone(), &forgiven.iter().map(|(_, key)| *key).collect::<Vec<_>>())?;
        self.queue = StageQueue::default();
        if !resumed.is_empty() {
            self.queued.extend(&resumed);
            self.diary.note(EventKind::Resumed { jobs: resumed });
        }
        self.note_aside();
        self.take_up()
    }

    /// Notes which of this run's jobs people have set aside, unless they still run.
    pub(super) fn note_aside(&mut self) {
        let running: HashSet<JobId> = self.hands.values().flat_map(|hand| &hand.given).map(|given| given.job).collect();
        let aside = self.acts.aside();
        let of = |wanted: JobState| {
            let mut jobs: Vec<JobId> = aside
                .iter()
                .filter(|(job, state)| **state == wanted && self.queued.contains(job) && !running.contains(job))
                .map(|(job, _)| *job)
                .collect();
            jobs.sort();
            jobs
        };
        let (paused, cancelled) = (of(JobState::Paused), of(JobState::Cancelled));
        for job in paused.iter().chain(&cancelled) {
            self.queued.remove(job);
        }
        if !paused.is_empty() {
            self.diary.note(EventKind::Paused { jobs: paused });
        }
        if !cancelled.is_empty() {
            self.diary.note(EventKind::Cancelled { jobs: cancelled });
        }
    }

    /// Ends the worker that was given a job. What else it was given goes back to the queue.
    fn stop_job(&mut self, job: JobId) {
        for hand in self.hands.values_mut() {
            if let Some(given) = hand.given.iter().find(|given| given.job == job) {
                hand.ended = Some((given.waiting.key, Cause::Cancelled, "a person cancelled it".to_owned()));
                hand.asked = Some(Instant::now());
                hand.worker.ask();
            }
        }
    }

    /// The failed jobs that a retry is meant for.
    fn forgive(&self, job: Option<JobId>) -> Vec<(JobId, Key)> {
        let steps: Vec<Step> = match job {
            Some(job) => self.jobs.get(&job).copied().into_iter().collect(),
            None => self.jobs.values().copied().collect(),
        };
        let failed = |step: &Step| match (self.plan.status(*step), self.plan.task(*step)) {
            (Some(StageStatus::Failed(_)), Some((key, _))) => Some((self.plan.job(*step), *key)),
            _ => None,
        };
        steps.iter().filter_map(failed).collect()
    }
}
