//! What the store says of the latest run and of the study's jobs.

use super::{JobSeen, Watch};
use crate::study::{labelling::WorkspaceLabels, open_store, steps::Step, timeline::Timeline};
use std::sync::Arc;
use visavis_core::{
    domain::{Result, job::JobState, text::printable},
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
        let epochs = self.epochs(&row);
        let progress = match (&attempt, epochs) {
            (Some(attempt), Some(epochs)) => {
                Some(index.count_points(attempt.key, "accuracy")? as f32 / epochs as f32).filter(|share| *share > 0.0)
            }
            _ => None,
        };
        let machine = attempt.as_ref().map_or(Ok(None), |attempt| index.machine_of(&attempt.worker))?;
        let on = attempt.map(|attempt| (attempt.device, attempt.slot, attempt.number));
        Ok(JobSeen { row, on, machine, progress: progress.map(|share| share.min(1.0)) })
    }

    /// Of a training: how many epochs it has.
    fn epochs(&self, row: &JobRow) -> Option<usize> {
        let plan = self.plan.as_ref()?;
        let model = plan.study.models.keys().find(|&model| plan.job(Step::Train { model }) == row.id)?;
        plan.study.models[model].recipe().and_then(|recipe| plan.study.recipes.get(recipe)).map(|recipe| recipe.epochs)
    }
}
