//! What a job recorded while it ran: its series, thinned to what a screen can show, and its last words.

use super::watch::Watch;
use visavis_core::{
    domain::{Result, job::JobId, machine::WorkerMachine, metric::MetricPoint},
    store::{AttemptRow, JobRow, LogRow},
};

/// One series of one attempt. No dip and no peak is lost by thinning: of each stretch the least and the greatest stay.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesCurve {
    pub series: String,
    pub attempt: u32,
    /// How many points were recorded.
    pub count: usize,
    pub points: Vec<(f64, f64)>,
    /// The last value, and the best (the least of a loss, the greatest of all else).
    pub last: f64,
    pub best: f64,
}

/// Everything that is known of one job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobHistory {
    pub job: Option<JobRow>,
    pub curves: Vec<SeriesCurve>,
    pub attempts: Vec<AttemptRow>,
    /// The machine of each attempt, where its worker wrote it down.
    pub machines: Vec<Option<WorkerMachine>>,
    pub log: Vec<LogRow>,
}

/// Stretches of a thinned curve: twice as many as any terminal has columns of dots.
const STRETCHES: usize = 1000;
/// Lines of a log that are kept for a screen.
const LINES: usize = 500;

impl Watch {
    /// # Errors
    /// A store that cannot be read.
    pub fn history(&self, id: JobId) -> Result<JobHistory> {
        let Some(index) = self.index() else { return Ok(JobHistory::default()) };
        let attempts = index.attempts_at(id)?;
        let job = index.job(id)?;
        let machines = attempts.iter().map(|attempt| index.machine_of(&attempt.worker)).collect::<Result<_>>()?;
        let mut log = Vec::new();
        for attempt in &attempts {
            log.extend(index.log_of(attempt)?);
        }
        log.drain(..log.len().saturating_sub(LINES));
        let mut curves: Vec<SeriesCurve> = Vec::new();
        // The latest attempt's key is the one whose curves mean something: a job that was made of other inputs is another.
        if let Some(key) = attempts.last().map(|attempt| attempt.key) {
            for series in index.series_of(key)? {
                let numbers = || series.points.iter().map(|point| point.value).filter(|value| value.is_finite());
                // What is made small: losses, and t-SNE's divergence.
                let small = series.series.contains("loss") || series.series == "kl";
                let best = if small { numbers().reduce(f64::min) } else { numbers().reduce(f64::max) };
                curves.push(SeriesCurve {
                    count: series.points.len(),
                    last: series.points.last().map_or(f64::NAN, |point| point.value),
                    best: best.unwrap_or(f64::NAN),
                    points: thinned(&series.points),
                    series: series.series,
                    attempt: series.attempt,
                });
            }
        }
        Ok(JobHistory { job, curves, attempts, machines, log })
    }
}

fn thinned(points: &[MetricPoint]) -> Vec<(f64, f64)> {
    let at = |point: &MetricPoint| (point.step as f64, point.value);
    if points.len() <= 2 * STRETCHES {
        return points.iter().map(at).collect();
    }
    let mut kept = Vec::with_capacity(2 * STRETCHES);
    for stretch in points.chunks(points.len().div_ceil(STRETCHES)) {
        let numbers = || stretch.iter().filter(|point| !point.value.is_nan());
        let least = numbers().min_by(|a, b| a.value.total_cmp(&b.value));
        let greatest = numbers().max_by(|a, b| a.value.total_cmp(&b.value));
        let mut both: Vec<&MetricPoint> = least.into_iter().chain(greatest).collect();
        both.sort_by_key(|point| point.step);
        both.dedup_by_key(|point| point.step);
        kept.extend(both.into_iter().map(at));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_peak() {
        let mut points: Vec<MetricPoint> = (0..100_000).map(|step| MetricPoint { step, at: 0, value: 1.0 }).collect();
        points[77_777].value = 9.0;
        points[12_345].value = -4.0;
        points[50_000].value = f64::NAN;
        let kept = thinned(&points);
        assert!(kept.len() <= 2 * STRETCHES, "{}", kept.len());
        assert!(kept.contains(&(77_777.0, 9.0)) && kept.contains(&(12_345.0, -4.0)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
    }
}
