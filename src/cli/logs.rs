//! `visavis logs [JOB]`

use super::{
    Context, open_store,
    output::{remark, say, say_json},
};
use crate::study::Timeline;
use std::collections::HashMap;
use visavis_core::{
    domain::{
        Fault, Key, Result,
        job::{Cause, JobId, JobState},
        text::printable,
    },
    store::{AttemptRow, Index, LogRow},
};

#[derive(clap::Args)]
pub(crate) struct LogsCommand {
    /// The job's eight digits, or words of its label (default: the latest lines of all)
    #[arg(value_name = "JOB")]
    job: Vec<String>,
    /// Go on as long as the run does
    #[arg(long, short)]
    follow: bool,
    /// How many lines of all jobs
    #[arg(long, short = 'n', default_value_t = 50)]
    lines: usize,
}

impl LogsCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(index) = open_store::store(context)? else {
            return Err(Fault::missing("nothing was run in this workspace yet").next("`visavis run STUDY` runs a study"));
        };
        let words = self.job.join(" ");
        let (mut told, mut place) = (0, None);
        loop {
            let lines = if words.trim().is_empty() {
                let (lines, last) = latest(&index, place, self.lines)?;
                place = last;
                lines
            } else {
                let lines = of_job(&index, &words)?;
                let new = lines.into_iter().skip(told).collect::<Vec<_>>();
                told += new.len();
                new
            };
            if lines.is_empty() && !self.follow {
                remark(context, "nothing was logged");
            }
            for line in &lines {
                if context.json { say_json(&line.0) } else { say(&line.1) }
            }
            let runs = Timeline::goes_on(&index, &context.workspace)?;
            if !self.follow || !runs && lines.is_empty() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

/// A line as JSON and as text.
type LogLine = (serde_json::Value, String);

/// `of`: the job that it is of, and its label; `None` of a line of no job that is known.
fn line(of: Option<&(JobId, String)>, row: &LogRow, named: bool) -> LogLine {
    let (job, label) = of.map_or((None, ""), |(job, label)| (Some(job), label.as_str()));
    let json = serde_json::json!({
        "at": row.at, "job": job, "label": label, "key": row.key, "attempt": row.attempt, "line": row.line,
    });
    let whose = if named && !label.is_empty() { format!("{label} · ") } else { String::new() };
    (json, printable(&format!("{}  {whose}{}", open_store::moment(row.at), row.line)))
}

fn latest(index: &Index, place: Option<i64>, most: usize) -> Result<(Vec<LogLine>, Option<i64>)> {
    let (rows, last) = index.log_since(place, most)?;
    if rows.is_empty() {
        return Ok((vec![], last));
    }
    let jobs: HashMap<Key, (JobId, String)> =
        index.jobs()?.into_iter().filter_map(|job| Some((job.key?, (job.id, job.label)))).collect();
    let of = |row: &LogRow| row.key.and_then(|key| jobs.get(&key));
    Ok((rows.iter().map(|row| line(of(row), row, true)).collect(), last))
}

/// Every attempt at a job: what it logged, and how it ended.
fn of_job(index: &Index, words: &str) -> Result<Vec<LogLine>> {
    let (_, label, job) = open_store::one(words, &open_store::known(index.jobs()?), "say more of its label")?;
    let (of, mut lines) = ((job.id, label), Vec::new());
    for attempt in index.attempts_at(job.id)? {
        let machine = index.machine_of(&attempt.worker)?.map_or(String::new(), |machine| format!(", {}", machine.told()));
        let head = format!("attempt {} on {}, slot {}{machine}", attempt.number, attempt.device, attempt.slot + 1);
        let row = |at: u64, line: String| LogRow { at, key: Some(attempt.key), attempt: attempt.number, line };
        lines.push(line(Some(&of), &row(attempt.started, format!("── {head}, journal {}", attempt.worker)), false));
        lines.extend(index.log_of(&attempt)?.iter().map(|row| line(Some(&of), row, false)));
        if let Some(at) = attempt.ended {
            lines.push(line(Some(&of), &row(at, format!("── {}", ending(&attempt))), false));
        } else if job.state != JobState::Running {
            lines.push(line(Some(&of), &row(attempt.started, "── its run ended without a word".to_owned()), false));
        }
    }
    Ok(lines)
}

fn ending(attempt: &AttemptRow) -> String {
    let seconds = attempt.seconds.map_or(String::new(), |seconds| format!(" after {seconds:.2} s"));
    match attempt.cause {
        None => format!("done{seconds}"),
        Some(cause) => {
            let why: Vec<&str> = attempt.why.as_deref().unwrap_or("").lines().map(str::trim).collect();
            if why.is_empty() {
                format!("{}{seconds}", Cause::words(cause))
            } else {
                format!("failed{seconds}: {}", why.join("; "))
            }
        }
    }
}
