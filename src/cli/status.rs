//! `visavis status`

use super::{
    Context, open_store,
    output::{say, say_json},
};
use crate::study::{HeldBecause, Phase, TimeLeft, Timeline, watch::Watch};
use std::path::Path;
use visavis_core::{
    domain::{
        Result,
        job::JobState,
        machine::WorkerMachine,
        text::{printable, thousands},
    },
    store::{Index, JobRow},
};

#[derive(clap::Args)]
pub(crate) struct StatusCommand {
    /// Show it again whenever it changes, until the run ends
    #[arg(long, short)]
    follow: bool,
}

/// Jobs of one state that are listed before the rest is counted.
const MOST: usize = 20;

impl StatusCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(index) = open_store::store(context)? else { return nothing(context) };
        if self.follow {
            return open_store::follow(context, |index| {
                show(context, index)?;
                Timeline::goes_on(index, &context.workspace)
            });
        }
        show(context, &index)
    }
}

fn nothing(context: &Context) -> Result<()> {
    if context.json {
        let jobs: serde_json::Map<String, serde_json::Value> =
            JobState::ALL.into_iter().map(|state| (state.word().to_owned(), 0.into())).collect();
        say_json(&serde_json::json!({ "format": 1, "study": null, "jobs": jobs, "devices": [] }));
    } else {
        say("nothing was run in this workspace yet; `visavis run STUDY` runs a study");
    }
    Ok(())
}

fn show(context: &Context, index: &Index) -> Result<()> {
    let Some(timeline) = Timeline::read(index, &context.workspace)? else { return nothing(context) };
    let left = time_left(context, &timeline);
    if context.json { as_json(index, &timeline, left) } else { as_text(index, &timeline, left) }
}

/// What is left of a run that goes on; nothing where its study cannot be read any more.
fn time_left(context: &Context, timeline: &Timeline) -> Option<TimeLeft> {
    if timeline.phase() != Phase::Running {
        return None;
    }
    let mut watch = Watch::new(&context.workspace, context.threads);
    watch.choose(&context.workspace.locate(Path::new(&timeline.run.file)));
    watch.refresh()?.left
}

fn as_json(index: &Index, timeline: &Timeline, left: Option<TimeLeft>) -> Result<()> {
    let run = &timeline.run;
    let jobs: serde_json::Map<String, serde_json::Value> =
        JobState::ALL.into_iter().map(|state| (state.word().to_owned(), timeline.count(state).into())).collect();
    let running = running(index, timeline)?;
    let busy = |device: &str| running.iter().filter(|of| of.device == device).count();
    let devices: Vec<_> = run
        .devices
        .iter()
        .map(|device| serde_json::json!({ "device": device.device, "slots": device.slots, "threads": device.threads, "busy": busy(&device.device) }))
        .collect();
    let at_work: Vec<_> = running
        .iter()
        .map(|of| serde_json::json!({ "job": of.job.id, "device": of.device, "slot": of.slot, "machine": of.machine }))
        .collect();
    let mut listed = Vec::new();
    let lists = [JobState::Running, JobState::Failed, JobState::Paused, JobState::Cancelled];
    for state in lists.into_iter().filter(|state| timeline.count(*state) > 0) {
        let job = |job: &JobRow| serde_json::json!({ "job": job.id, "label": job.label, "state": state.word(), "why": job.why });
        listed.extend(timeline.jobs(index, state, 1000)?.iter().map(job));
    }
    let aside = index.set_aside()?;
    let aside: Vec<_> = aside.iter().map(|aside| serde_json::json!({ "result": aside.key, "why": aside.why })).collect();
    let state = match timeline.phase() {
        Phase::Running => "running",
        Phase::Ended => "ended",
        Phase::Interrupted => "interrupted",
        Phase::Lost => "lost",
    };
    say_json(&serde_json::json!({
        "format": 1, "study": run.study, "state": state, "started": run.started, "ended": run.ended, "run": run.journal,
        "process": run.origin.pid, "host": run.origin.host, "held": timeline.held.map(HeldBecause::word), "jobs": jobs, "devices": devices,
        "left": left.map(|of| serde_json::json!({ "seconds": of.seconds, "low": of.low, "high": of.high })), "workers": timeline.workers, "at_work": at_work, "listed": listed, "set_aside": aside,
    }));
    Ok(())
}

/// What runs, and where.
struct RunningJob {
    job: JobRow,
    device: String,
    slot: usize,
    machine: Option<WorkerMachine>,
}

fn running(index: &Index, timeline: &Timeline) -> Result<Vec<RunningJob>> {
    if timeline.phase() != Phase::Running {
        return Ok(vec![]);
    }
    let on = |job: JobRow| {
        let Some(attempt) = index.attempts_at(job.id)?.pop() else {
            return Ok(RunningJob { job, device: String::new(), slot: 0, machine: None });
        };
        let machine = index.machine_of(&attempt.worker)?;
        Ok(RunningJob { job, device: attempt.device, slot: attempt.slot, machine })
    };
    timeline.jobs(index, JobState::Running, 1024)?.into_iter().map(on).collect()
}

fn as_text(index: &Index, timeline: &Timeline, left: Option<TimeLeft>) -> Result<()> {
    let run = &timeline.run;
    let state = match timeline.phase() {
        Phase::Running if timeline.held == Some(HeldBecause::Paused) => {
            "paused by a person; it starts nothing until: visavis retry".to_owned()
        }
        Phase::Running if timeline.held == Some(HeldBecause::Draining) => "draining: it finishes what runs, and ends".to_owned(),
        Phase::Running => {
            let left = left.map_or(String::new(), |left| format!(", {}", left.told()));
            format!("running, started {}{left}, process {} on {}", open_store::ago(run.started), run.origin.pid, run.origin.host)
        }
        Phase::Ended => format!("ended {}", open_store::ago(run.ended.unwrap_or(0))),
        Phase::Interrupted => format!("interrupted {}; run it again to go on", open_store::ago(run.ended.unwrap_or(0))),
        Phase::Lost => "ended without a word; what it finished is kept, run it again to go on".to_owned(),
    };
    say(printable(&format!("{}: {state}", run.study)));
    let counts: Vec<String> =
        [JobState::Done, JobState::Running, JobState::Queued, JobState::Paused, JobState::Cancelled, JobState::Failed]
            .into_iter()
            .filter(|state| timeline.count(*state) > 0 || matches!(state, JobState::Done | JobState::Failed))
            .map(|state| {
                let word = if state == JobState::Queued && timeline.phase() != Phase::Running {
                    "left for the next run"
                } else {
                    state.word()
                };
                format!("{} {word}", thousands(timeline.count(state)))
            })
            .collect();
    say(counts.join(" · "));
    if let Some(workers) = &timeline.workers {
        say(printable(&workers.told()));
    }
    for RunningJob { job, device, slot, machine } in running(index, timeline)?.into_iter().take(MOST) {
        let since = open_store::ago(job.at).replace(" ago", "");
        let place = machine.filter(|machine| machine.slurm.is_some()).map(|machine| machine.told());
        line("◐", &job, &format!("{}, {since}", place.unwrap_or_else(|| format!("{device}, slot {}", slot + 1))));
    }
    for (state, sign) in [(JobState::Failed, "✕"), (JobState::Paused, "‖"), (JobState::Cancelled, "–"), (JobState::Queued, "○")]
    {
        let most = if state == JobState::Queued { 5 } else { MOST };
        let jobs = timeline.jobs(index, state, most)?;
        let more = timeline.count(state).saturating_sub(jobs.len());
        for job in &jobs {
            let why = job.why.as_deref().unwrap_or("").lines().next().unwrap_or("");
            match state {
                JobState::Queued if !why.is_empty() => line(sign, job, &format!("to be tried again: {why}")),
                _ => line(sign, job, why),
            }
        }
        if more > 0 {
            say(format!("     and {} more {}", thousands(more), state.word()));
        }
        if !jobs.is_empty() && matches!(state, JobState::Paused | JobState::Cancelled) {
            say("     `visavis retry JOB` takes one up again, `visavis retry` all");
        }
    }
    open_store::say_set_aside(&index.set_aside()?);
    Ok(())
}

/// A job, and below it what is to be said of it.
fn line(sign: &str, job: &JobRow, remark: &str) {
    say(printable(&format!("  {sign} {}  {}", job.id.short(), job.label)));
    if !remark.is_empty() {
        say(printable(&format!("               {remark}")));
    }
}
