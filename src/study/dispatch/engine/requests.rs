//! What people ask of a run: pause, cancel, retry, drain.

use super::{DispatchCommand, Engine, GRACE, WorkerEnding};
use std::{collections::HashSet, time::Duration};
use visavis_core::domain::{
    Key,
    event::{EventKind, PersonRequest},
    job::{Cause, JobId, JobState},
};

impl Engine {
    /// Does what people asked: all of it, then the plan looks anew once.
    pub(super) fn obey(&mut self, requests: &[PersonRequest], failed: &[(JobId, Key)], now: Duration) {
        if requests.is_empty() {
            return;
        }
        let before = self.requests.aside().clone();
        let mut forgiven: Vec<(JobId, Key)> = Vec::new();
        for request in requests {
            match request {
                PersonRequest::Drain => self.is_draining = true,
                PersonRequest::Retry { job } => {
                    forgiven.extend(failed.iter().filter(|(of, _)| job.is_none_or(|job| *of == job)));
                }
                PersonRequest::Cancel { .. } | PersonRequest::Pause { .. } => {}
            }
            self.requests.take(request);
        }
        for request in requests {
            if let PersonRequest::Cancel { job } = request {
                self.stop_job(*job, now);
            }
        }
        let lifted = before.keys().filter(|job| !self.requests.aside().contains_key(job) && self.known.contains(job));
        let resumed: Vec<JobId> = lifted.copied().chain(forgiven.iter().map(|(job, _)| *job)).collect();
        let forgiven: Vec<Key> = forgiven.into_iter().map(|(_, key)| key).collect();
        for key in &forgiven {
            self.spent.remove(key);
            self.taken.remove(key);
        }
        self.queue.clear();
        self.recall_unwanted();
        self.commands.push(DispatchCommand::Replan { aside: self.requests.aside().clone(), forgiven });
        if !resumed.is_empty() {
            self.queued.extend(&resumed);
            self.note(EventKind::Resumed { jobs: resumed });
        }
        self.note_aside();
        self.commands.push(DispatchCommand::TakeNews);
    }

    /// Notes which of this run's jobs people have set aside, unless they still run.
    pub(super) fn note_aside(&mut self) {
        if self.requests.aside().is_empty() {
            return;
        }
        let running: HashSet<JobId> = self.assigned().map(|of| of.waiting.job).collect();
        let of = |wanted: JobState| {
            let is_new = |job: &JobId| self.queued.contains(job) && !running.contains(job);
            let aside = self.requests.aside().iter();
            let mut jobs: Vec<JobId> =
                aside.filter(|(job, state)| **state == wanted && is_new(job)).map(|(job, _)| *job).collect();
            jobs.sort();
            jobs
        };
        let (paused, cancelled) = (of(JobState::Paused), of(JobState::Cancelled));
        for job in paused.iter().chain(&cancelled) {
            self.queued.remove(job);
        }
        if !paused.is_empty() {
            self.note(EventKind::Paused { jobs: paused });
        }
        if !cancelled.is_empty() {
            self.note(EventKind::Cancelled { jobs: cancelled });
        }
    }

    /// Ends the worker that was assigned a job. What else it was assigned goes back to the queue. One that came by itself and has not begun
    /// it gives it back instead.
    pub(super) fn stop_job(&mut self, job: JobId, now: Duration) {
        for (&worker, slot) in &mut self.slots {
            let is_first = slot.begun.is_some() && slot.assigned.front().is_some_and(|of| of.waiting.job == job);
            if self.joining[slot.device] && !is_first {
                continue;
            }
            if let Some(of) = slot.assigned.iter().find(|of| of.waiting.job == job) {
                let (key, why) = (of.waiting.key, "a person cancelled it".to_owned());
                slot.ending = Some(WorkerEnding { key, cause: Cause::Cancelled, why, kill_at: Some(now + GRACE) });
                self.commands.push(DispatchCommand::Terminate { worker });
            }
        }
    }
}
