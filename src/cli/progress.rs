//! How a run is told while it goes on: a bar on a terminal, lines elsewhere, events as JSON when asked.

use super::{
    Context,
    output::{remark, say_json},
};
use crate::study::Notice;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    time::Duration,
};
use visavis_core::{
    domain::{
        event::{EventKind, WorkersStanding},
        job::JobState,
        text::printable,
    },
    store::JobRow,
};

pub(crate) enum RunProgress {
    Bar(ProgressBar),
    Lines,
    Json,
    Silent,
}

/// A line on standard error; a terminal that is gone is no reason to stop a run.
macro_rules! tell {
    ($($line:tt)*) => {{ writeln!(std::io::stderr().lock(), $($line)*).ok(); }};
}

impl RunProgress {
    pub(crate) fn new(context: &Context, study: &str, about: &str) -> Self {
        if context.json {
            return RunProgress::Json;
        }
        if context.quiet {
            return RunProgress::Silent;
        }
        remark(context, printable(&format!("{study}: {about}")));
        if !std::io::stderr().is_terminal() {
            return RunProgress::Lines;
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("  {bar:28} {pos:>4} of {len} · {elapsed} · {wide_msg}") {
            bar.set_style(style.progress_chars("━━╌"));
        }
        // Time is seen to pass while a long stage says nothing.
        bar.enable_steady_tick(Duration::from_secs(1));
        RunProgress::Bar(bar)
    }

    /// What this process's own dispatcher says.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        let label = notice.job.as_ref().map_or(String::new(), |(_, label)| printable(label));
        match (&mut *self, &notice.event.what) {
            (_, EventKind::Workers(standing)) => self.workers(standing),
            (RunProgress::Json, what) => tell_json(notice, what),
            (RunProgress::Bar(bar), EventKind::Failed { why, again, attempt, .. }) => {
                let again = if *again { format!(" · attempt {attempt}, to be tried again") } else { String::new() };
                bar.println(format!("  ✕ {label}{again}\n    {}", indented(why)));
            }
            (RunProgress::Bar(bar), what) => {
                bar.set_length((notice.done + notice.left) as u64);
                bar.set_position(notice.done as u64);
                if let EventKind::Started { .. } = what {
                    bar.set_message(label);
                }
            }
            (RunProgress::Lines, EventKind::Finished { seconds, .. }) => tell!("  ● {label} · {seconds:.2} s"),
            (RunProgress::Lines, EventKind::Failed { why, again, attempt, .. }) => {
                let again = if *again { format!(" · attempt {attempt}, to be tried again") } else { String::new() };
                tell!("  ✕ {label}{again}\n    {}", indented(why));
            }
            (RunProgress::Lines, EventKind::Paused { jobs }) => tell!("  ‖ {} paused by a person", jobs.len()),
            (RunProgress::Lines, EventKind::Cancelled { jobs }) => tell!("  – {} cancelled by a person", jobs.len()),
            (RunProgress::Silent, EventKind::Failed { why, again: false, .. }) => tell!("error: {}", indented(why)),
            _ => {}
        }
    }

    /// A job of another process's run has changed.
    pub(crate) fn job(&mut self, job: &JobRow) {
        let (label, why) = (printable(&job.label), indented(job.why.as_deref().unwrap_or("")));
        match (&mut *self, job.state) {
            (RunProgress::Json, state) => say_json(&serde_json::json!({
                "event": "job", "at": job.at, "job": job.id, "kind": job.stage.word(), "label": job.label, "state": state.word(), "why": job.why,
            })),
            (RunProgress::Bar(bar), JobState::Running) => bar.set_message(label),
            (RunProgress::Bar(bar), JobState::Failed) => bar.println(format!("  ✕ {label}\n    {why}")),
            (RunProgress::Lines, JobState::Done) => tell!("  ● {label} · {:.2} s", job.seconds.unwrap_or(0.0)),
            (RunProgress::Lines, JobState::Failed) => tell!("  ✕ {label}\n    {why}"),
            _ => {}
        }
    }

    /// How workers stand that a cluster starts.
    pub(crate) fn workers(&mut self, standing: &WorkersStanding) {
        let told = printable(&standing.told());
        match self {
            RunProgress::Json => say_json(&serde_json::json!({
                "event": "workers", "by": standing.by, "here": standing.here, "waiting": standing.waiting, "why": standing.why,
            })),
            RunProgress::Bar(bar) => bar.println(format!("  {told}")),
            RunProgress::Lines => tell!("  {told}"),
            RunProgress::Silent => {}
        }
    }

    pub(crate) fn stand(&mut self, done: usize, open: usize) {
        if let RunProgress::Bar(bar) = self {
            bar.set_length((done + open) as u64);
            bar.set_position(done as u64);
        }
    }

    pub(crate) fn close(self) {
        if let RunProgress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn indented(why: &str) -> String {
    why.lines().map(printable).collect::<Vec<_>>().join("\n    ")
}

fn tell_json(notice: &Notice, what: &EventKind) {
    let at = notice.event.at;
    let (kind, label) = notice.job.as_ref().map_or(("", ""), |(kind, label)| (kind.word(), label.as_str()));
    let value = match what {
        EventKind::RunStarted { study, devices, .. } => {
            serde_json::json!({ "event": "started", "at": at, "study": study, "devices": devices })
        }
        EventKind::Started { job, key, attempt, device, slot, .. } => serde_json::json!({
            "event": "stage_started", "at": at, "job": job, "key": key, "kind": kind, "label": label, "attempt": attempt,
            "device": device, "slot": slot,
        }),
        EventKind::Finished { job, key, attempt, seconds, first } => serde_json::json!({
            "event": "stage_finished", "at": at, "job": job, "key": key, "kind": kind, "label": label, "attempt": attempt,
            "seconds": seconds, "first": first,
        }),
        EventKind::Failed { job, key, attempt, cause, why, again, .. } => serde_json::json!({
            "event": "stage_failed", "at": at, "job": job, "key": key, "kind": kind, "label": label, "attempt": attempt,
            "cause": cause, "why": why, "again": again,
        }),
        EventKind::Paused { jobs } => serde_json::json!({ "event": "paused", "at": at, "jobs": jobs }),
        EventKind::Cancelled { jobs } => serde_json::json!({ "event": "cancelled", "at": at, "jobs": jobs }),
        EventKind::Resumed { jobs } => serde_json::json!({ "event": "resumed", "at": at, "jobs": jobs }),
        // The last line is printed when the run is concluded; what is left is told by `logs` and `status`.
        _ => return,
    };
    say_json(&value);
}
