//! What the store says of the latest run and of the study's jobs.

use super::{JobSeen, Watch};
use crate::study::{labelling::WorkspaceLabels, open_store, steps::Step, time_left::Progress, timeline::Timeline};
use std::sync::Arc;
use visavis_core::{
    domain::{Result, job::JobState, metric::MetricPoint, text::printable},
    store::{Index, JobRow},
};

/// Jobs of one state that are shown.
const MOST: usize = 500;
impl Watch {
    /// Brings up to date what the store says; whether any of it is new.
    pub(super) fn read_store(&mut self) -> bool {
        if self.index.is_some() && !self.workspace.store().exists() {
            self.index = None;
        }
        let before = (self.data_version, self.seen.store.clone());
        let outcome = self.read_index();
        if let Err(fault) = &outcome {
            self.index = None;
            self.data_version = None;
            self.seen.store = Some(printable(&fault.to_string().replace("\n  ", " · ")));
        }
        self.seen.unread = outcome.err().map(|fault| printable(&fault.what));
        (self.data_version, &self.seen.store) != (before.0, &before.1)
    }

    fn read_index(&mut self) -> Result<()> {
        if self.index.is_none() {
            let looked = open_store(&self.workspace)?;
            self.seen.store = looked.remark;
            self.index = looked.index;
        }
        let Some(index) = &self.index else { return Ok(()) };
        let data_version = index.data_version()?;
        let lost = self.seen.run.as_ref().is_some_and(|run| run.live) && self.workspace.holder().is_none();
        if self.data_version == Some(data_version) && !lost {
            return Ok(());
        }
        let run = Timeline::read(index, &self.workspace)?;
        let mut jobs = Vec::new();
        if let Some(run) = &run {
            let states =
                [JobState::Running, JobState::Failed, JobState::Queued, JobState::Paused, JobState::Cancelled, JobState::Done];
            let mut rows = Vec::new();
            for state in states {
                rows.extend(run.jobs(index, state, MOST)?);
            }
            // What earlier runs of the study made is there too, and its curves.
            rows.extend(index.jobs_done_before(&run.run.study, &run.run.journal, MOST)?);
            jobs = rows.into_iter().map(|row| self.seen_job(index, row)).collect::<Result<_>>()?;
        }
        let answers = index.answers_state()?;
        if self.labelled != Some(answers) {
            self.seen.labels = Arc::new(WorkspaceLabels::of(&index.answers(None)?));
            self.labelled = Some(answers);
        }
        self.seen.runs = index.count_runs()?;
        self.seen.jobs = Arc::new(jobs);
        let study = self.seen.matrix_snapshot.as_ref().map(|matrix_snapshot| matrix_snapshot.study.name.clone());
        if let Some(study) = study {
            for row in index.jobs_after(&study, self.clock)? {
                self.clock = self.clock.max(row.clock);
                self.jobs.insert(row.id, row);
            }
        }
        self.seen.run = run;
        self.data_version = Some(data_version);
        Ok(())
    }

    fn seen_job(&self, index: &Index, row: JobRow) -> Result<JobSeen> {
        if row.state != JobState::Running {
            return Ok(JobSeen { row, on: None, machine: None, progress: None });
        }
        let attempt = index.attempts_at(row.id)?.pop();
        let progress = match (&attempt, self.steps_of(&row)) {
            (Some(attempt), Some((series, of))) => progress(&index.latest_points(attempt.key, series)?, of),
            _ => None,
        };
        let machine = attempt.as_ref().map_or(Ok(None), |attempt| index.machine_of(&attempt.worker))?;
        let on = attempt.map(|attempt| (attempt.device, attempt.slot, attempt.number));
        Ok(JobSeen { row, on, machine, progress })
    }

    /// Of a stage that says how far it is: in which series, and how far it goes. A training counts steps, others images.
    fn steps_of(&self, row: &JobRow) -> Option<(&'static str, f64)> {
        let plan = self.plan.as_ref()?;
        let (step, _) = self.steps.get(&row.id)?;
        match step.on_own_crop() {
            Step::Train { model } => Some(("loss", plan.training_steps(model)? as f64)),
            Step::Extract { .. } | Step::ExtractAltered { .. } | Step::Nuisances | Step::Thumbnails => {
                Some(("images", plan.images() as f64))
            }
            step => Some(("images", plan.hashed(step)? as f64)),
        }
    }
}

/// How far a stage is by its latest points, which say the pace: several of them, or nobody knows.
fn progress(latest: &[MetricPoint], of: f64) -> Option<Progress> {
    let (first, last) = (latest.first()?, latest.last()?);
    let (steps, seconds) = (last.step.saturating_sub(first.step), last.at.saturating_sub(first.at) as f64 / 1000.0);
    (steps > 0).then(|| Progress { done: (last.step + 1) as f64, of, seconds_a_step: seconds / steps as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_latest_points() {
        let point = |step: u64, at: u64| MetricPoint { step, at, value: 1.0 };
        assert_eq!(progress(&[], 10.0), None);
        assert_eq!(progress(&[point(3, 5000)], 10.0), None, "one point has no pace");
        // After a resume the points of before are another chunk: the hour in between does not count.
        let found = progress(&[point(499, 10_000), point(504, 12_500)], 1000.0).unwrap();
        assert_eq!(found, Progress { done: 505.0, of: 1000.0, seconds_a_step: 0.5 });
        assert!((found.share() - 0.505).abs() < 1e-6);
    }
}
