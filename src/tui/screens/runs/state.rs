//! Jobs of the latest run: which are listed, and how their curves are drawn.

use crate::{
    study::watch::{JobSeen, Snapshot},
    tui::{
        filter::Filter,
        table::{ScreenTable, TableValue},
    },
};
use std::collections::BTreeSet;
use visavis_core::domain::job::{JobId, JobState};

#[derive(Default)]
pub(crate) struct RunsState {
    pub cursor: usize,
    pub filter: String,
    /// Places in the snapshot's jobs, as they are listed.
    pub order: Vec<usize>,
    /// Jobs whose curves lie over each other.
    pub marked: BTreeSet<JobId>,
    /// Which series is drawn, of those there are.
    pub series: usize,
    pub logarithmic: bool,
    /// How smooth curves are: a place in [`SMOOTHING`].
    pub smoothing: usize,
    /// The job's curves and log by themselves.
    pub alone: bool,
}

/// The weight of the past in an exponential mean.
pub(crate) const SMOOTHING: [f64; 4] = [0.0, 0.6, 0.9, 0.97];

pub(crate) const FIELDS: [&str; 6] = ["state", "job", "stage", "device", "node", "why"];

impl RunsState {
    pub(crate) fn rebuild(&mut self, seen: &Snapshot) {
        let filter = Filter::parse(&self.filter, &FIELDS).unwrap_or_default();
        let holds = |place: &usize| filter.holds(&seen.jobs[*place].row.label, &|name| field(&seen.jobs[*place], name));
        self.order = (0..seen.jobs.len()).filter(holds).collect();
        self.cursor = self.cursor.min(self.order.len().saturating_sub(1));
        // A job that is not listed cannot be paused or cancelled by its mark.
        self.marked.retain(|id| self.order.iter().any(|&place| seen.jobs[place].row.id == *id));
    }

    pub(crate) fn at<'a>(&self, seen: &'a Snapshot) -> Option<&'a JobSeen> {
        seen.jobs.get(*self.order.get(self.cursor)?)
    }

    /// The jobs whose histories are shown: those that are marked, and last the one under the cursor.
    pub(crate) fn shown(&self, seen: &Snapshot) -> Vec<JobId> {
        let here = self.at(seen).map(|job| job.row.id);
        self.marked.iter().copied().filter(|id| Some(*id) != here).chain(here).collect()
    }
}

fn field(job: &JobSeen, name: &str) -> TableValue {
    match name {
        "state" => job.row.state.word().into(),
        "job" => job.row.label.as_str().into(),
        "stage" => job.row.stage.word().into(),
        "node" => TableValue::of(job.machine.as_ref().map(|machine| machine.host.as_str())),
        "device" => TableValue::of(job.on.as_ref().map(|(device, ..)| device.as_str())),
        _ => TableValue::of(job.row.why.as_deref()),
    }
}

pub(crate) fn table(seen: &Snapshot) -> ScreenTable {
    let row = |job: &JobSeen| {
        vec![
            job.row.id.to_string().into(),
            job.row.state.word().into(),
            job.row.label.as_str().into(),
            field(job, "device"),
            TableValue::of(job.on.as_ref().map(|(_, _, attempt)| *attempt as usize)),
            TableValue::of(job.progress.map(|progress| f64::from(progress.share()))),
            TableValue::of(job.row.seconds),
            TableValue::of(job.row.why.as_deref().and_then(|why| why.lines().next())),
            field(job, "node"),
            TableValue::of(job.machine.as_ref().and_then(|machine| Some(machine.slurm?.to_string())).as_deref()),
        ]
    };
    ScreenTable {
        title: seen.run.as_ref().map_or("nothing was run in this workspace yet".to_owned(), |run| {
            let counts: Vec<String> = JobState::ALL
                .into_iter()
                .filter(|state| run.count(*state) > 0)
                .map(|state| format!("{} {}", run.count(state), state.word()))
                .collect();
            let workers = run.workers.as_ref().map_or(String::new(), |workers| format!(" · {}", workers.told()));
            format!("{}: {}{workers}", run.run.study, counts.join(" · "))
        }),
        heads: vec!["job", "state", "label", "device", "attempt", "progress", "seconds", "why", "node", "slurm_job"],
        rows: seen.jobs.iter().map(row).collect(),
    }
}

/// An exponential mean, as TensorBoard has it: started without bias.
pub(crate) fn smoothed(points: &[(f64, f64)], past: f64) -> Vec<(f64, f64)> {
    if past == 0.0 {
        return points.to_vec();
    }
    let (mut mean, mut weight) = (0.0, 0.0);
    let mut each = |&(x, y): &(f64, f64)| {
        if y.is_finite() {
            mean = past * mean + (1.0 - past) * y;
            weight = past * weight + (1.0 - past);
        }
        (x, if weight > 0.0 { mean / weight } else { y })
    };
    points.iter().map(&mut each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_starts_where_the_curve_does_and_keeps_a_level() {
        let level: Vec<(f64, f64)> = (0..20).map(|x| (f64::from(x), 3.0)).collect();
        assert!(smoothed(&level, 0.9).iter().all(|(_, y)| (y - 3.0).abs() < 1e-12));
        let broken = [(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)];
        assert!(smoothed(&broken, 0.6).iter().all(|(_, y)| *y == 1.0));
    }
}
