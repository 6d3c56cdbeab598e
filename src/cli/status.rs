//! `visavis status`

use super::{
    Context,
    output::{Grid, say, say_json},
};
use crate::{
    domain::{Result, text::printable},
    store::Index,
    study::{State, Timeline},
};

pub fn status(context: &Context) -> Result<()> {
    // When nobody dispatches, this face takes in what the journals say; otherwise the dispatcher does.
    let mut running_now = false;
    if context.workspace.journals().is_dir() {
        match context.workspace.lock() {
            Ok(Some(_lock)) => Index::open(context.workspace.store())?.ingest(&context.workspace.journals())?,
            Ok(None) => running_now = true,
            // A workspace that cannot be written can still be looked at.
            Err(_) => {}
        }
    }
    let events = Index::look(context.workspace.store())?.map_or(Ok(vec![]), |index| index.events())?;
    let timeline = Timeline::fold(&events);
    let count = |is: &dyn Fn(&State) -> bool| timeline.count(is);
    let running = count(&|state| matches!(state, State::Running { .. }));
    let done = count(&|state| matches!(state, State::Done { .. }));
    let failed = count(&|state| matches!(state, State::Failed { .. }));
    let stopped = count(&|state| *state == State::Stopped);
    if context.json {
        let devices: Vec<_> = (0..timeline.slots.min(1))
            .map(|_| serde_json::json!({ "device": "cpu", "slots": timeline.slots, "busy": running }))
            .collect();
        say_json(&serde_json::json!({
            "format": 1, "study": timeline.study, "started": timeline.started, "ended": timeline.ended,
            "jobs": { "queued": stopped, "running": running, "done": done, "failed": failed }, "devices": devices,
        }));
        return Ok(());
    }
    let Some(study) = &timeline.study else {
        say("nothing was run in this workspace yet; `visavis run STUDY` runs a study");
        return Ok(());
    };
    let state = match (timeline.ended, running_now) {
        (Some(_), _) => "ended",
        (None, true) => "running",
        (None, false) => "stopped without a word; run the study again to go on",
    };
    say(format!("{}: {state} · {done} done, {running} running, {stopped} stopped, {failed} failed", printable(study)));
    let mut grid = Grid::new(&["", "stage", ""]);
    for job in timeline.jobs.values() {
        let (sign, remark) = match &job.state {
            State::Running { .. } => ("◐", format!("on cpu, slot {}", job.slot + 1)),
            State::Failed { why } => ("✕", why.lines().next().unwrap_or("").to_owned()),
            State::Stopped => ("○", "stopped with its run; the next run makes it".to_owned()),
            State::Done { .. } => continue,
        };
        grid.row(&[sign.to_owned(), job.label.clone(), remark]);
    }
    if running + failed + stopped > 0 {
        grid.print("  ");
    }
    Ok(())
}
