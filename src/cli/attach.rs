//! `visavis attach`: follow a run that another process dispatches. Leaving stops nothing.

use super::{
    Context, open_store,
    output::{say, say_json},
    progress::RunProgress,
};
use crate::study::{self, Phase, Timeline};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use visavis_core::domain::{Fault, Result, job::JobState, text::count};

pub(crate) fn attach(context: &Context) -> Result<()> {
    let nothing = || Fault::asked("nothing runs in this workspace").next("`visavis run STUDY` runs a study");
    let index = open_store::store(context)?.ok_or_else(nothing)?;
    let mut timeline = Timeline::read(&index, &context.workspace)?.ok_or_else(nothing)?;
    if timeline.phase() != Phase::Running {
        return Err(nothing());
    }
    let left = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&left))
        .map_err(|error| Fault::unexpected(format!("cannot listen for signals: {error}")))?;
    let mut progress = RunProgress::new(context, &timeline.run.study, "Ctrl-C leaves; the run goes on");
    let (run, mut seen) = (timeline.run.journal.clone(), 0);
    let mut looked = Instant::now();
    let mut told = None;
    loop {
        // A store of this machine's own is brought up to date here, where another machine dispatches.
        if context.workspace.moved().is_some() && looked.elapsed() > Duration::from_secs(1) {
            study::open_store(&context.workspace)?;
            looked = Instant::now();
        }
        for job in index.jobs_since(&run, seen)? {
            seen = seen.max(job.clock);
            progress.job(&job);
        }
        let Some(row) = index.run_of(&run)? else { return Err(nothing()) };
        timeline = Timeline::of(row, &index, &context.workspace)?;
        if timeline.workers.is_some() && timeline.workers != told {
            told.clone_from(&timeline.workers);
            told.iter().for_each(|workers| progress.workers(workers));
        }
        let (done, open) = (timeline.count(JobState::Done), timeline.count(JobState::Queued) + timeline.count(JobState::Running));
        progress.stand(done, open);
        if timeline.phase() != Phase::Running || left.load(Ordering::SeqCst) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    progress.close();
    let (done, failed) = (timeline.count(JobState::Done), timeline.count(JobState::Failed));
    if left.load(Ordering::SeqCst) {
        if context.json {
            say_json(&serde_json::json!({ "event": "left" }));
        } else {
            say("left; the run goes on. Come back with: visavis attach");
        }
        return Ok(());
    }
    if context.json {
        say_json(&serde_json::json!({ "event": "finished", "ran": done, "stored": 0, "failed": failed }));
    }
    match timeline.phase() {
        Phase::Ended if failed > 0 => {
            Err(Fault::failed(format!("{} failed", count(failed, "job"))).next("visavis status says which, and why"))
        }
        Phase::Ended => {
            if !context.json && !context.quiet {
                say(format!("{} done", count(done, "job")));
            }
            Ok(())
        }
        Phase::Interrupted => Err(Fault::interrupted()),
        _ => Err(Fault::failed("the run ended without a word; what it finished is kept").next("run the study again to go on")),
    }
}
