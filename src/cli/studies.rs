//! `visavis studies`: the studies of a workspace with their states, and the runs of one over time.

use super::{
    Context, open_store,
    output::{TextColumns, say, say_json},
};
use crate::study::{
    self, Phase, Timeline,
    standing::{StudyStanding, StudyState, standings, state_of_run},
};
use std::path::PathBuf;
use visavis_core::{
    domain::{
        Fault, Result,
        text::{printable, thousands},
    },
    store::{RunRow, now},
};

#[derive(clap::Args)]
pub(crate) struct StudiesCommand {
    /// The study file: list its runs, the latest first
    study: Option<PathBuf>,
}

impl StudiesCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let index = open_store::store(context)?;
        let timeline = index.as_ref().map_or(Ok(None), |index| Timeline::read(index, &context.workspace))?;
        let is_live = timeline.is_some_and(|of| of.phase() == Phase::Running);
        let all = standings(&context.workspace, index.as_ref(), is_live)?;
        match &self.study {
            None if context.json => list_as_json(context, &all),
            None => list(context, &all),
            Some(file) => {
                let of_file = all.into_iter().find(|of| of.is_of(file)).ok_or_else(|| {
                    Fault::missing("no study of this workspace is in this file")
                        .in_file(file)
                        .next("`visavis studies` lists them all")
                })?;
                if context.json { runs_as_json(&of_file) } else { runs(&of_file) }
            }
        }
        Ok(())
    }
}

/// How long a run took, or takes until now, in seconds.
fn seconds(run: &RunRow) -> f64 {
    run.ended.unwrap_or_else(now).saturating_sub(run.started) as f64 / 1000.0
}

fn list(context: &Context, all: &[StudyStanding]) {
    if all.is_empty() {
        return say("this workspace has no study yet: `visavis init DIR` or `visavis demo` make one");
    }
    let mut table = TextColumns::new(&["study", "state", "latest run", ">took", ">runs", ""]);
    for of in all {
        let latest = of.runs.first();
        table.row(&[
            of.shown_in(context.workspace.root()),
            of.state.told(),
            latest.map_or(String::new(), |run| open_store::ago(run.started)),
            latest.filter(|run| run.ended.is_some()).map_or(String::new(), |run| study::duration(seconds(run))),
            thousands(of.runs.len()),
            if of.changed { "the file was changed since".to_owned() } else { String::new() },
        ]);
    }
    table.print("");
}

fn list_as_json(context: &Context, all: &[StudyStanding]) {
    let study = |of: &StudyStanding| {
        serde_json::json!({
            "file": of.shown_in(context.workspace.root()), "state": of.state.word(), "before": of.state.before(), "changed": of.changed,
            "runs": of.runs.len(), "latest": of.runs.first().map(|run| run_as_json(run, state_of(of, 0))),
        })
    };
    say_json(&serde_json::json!({ "format": 1, "studies": all.iter().map(study).collect::<Vec<_>>() }));
}

fn runs(of: &StudyStanding) {
    if of.runs.is_empty() {
        return say("it was never run in this workspace");
    }
    let mut table = TextColumns::new(&["began", "state", ">took", ">ran", ">stored", ">failed", "on"]);
    for (place, run) in of.runs.iter().enumerate() {
        let count =
            |of: fn(visavis_core::store::RunCounts) -> usize| run.counts.map_or(String::new(), |counts| thousands(of(counts)));
        let state = state_of(of, place);
        table.row(&[
            open_store::ago(run.started),
            state.told(),
            run.ended.map_or(String::new(), |_| study::duration(seconds(run))),
            count(|of| of.ran),
            count(|of| of.stored),
            count(|of| of.failed),
            printable(&run.origin.host),
        ]);
    }
    table.print("");
}

fn runs_as_json(of: &StudyStanding) {
    let runs: Vec<_> = of.runs.iter().enumerate().map(|(place, run)| run_as_json(run, state_of(of, place))).collect();
    say_json(&serde_json::json!({ "format": 1, "state": of.state.word(), "changed": of.changed, "runs": runs }));
}

/// How one of its runs stands, from the latest: a study that waits again does not run.
fn state_of(of: &StudyStanding, place: usize) -> StudyState {
    state_of_run(&of.runs[place], place == 0 && of.state == StudyState::Running)
}

fn run_as_json(run: &RunRow, state: StudyState) -> serde_json::Value {
    serde_json::json!({
        "run": run.journal, "state": state.word(), "study": run.study, "started": run.started, "ended": run.ended, "interrupted": run.interrupted,
        "ran": run.counts.map(|of| of.ran), "stored": run.counts.map(|of| of.stored), "failed": run.counts.map(|of| of.failed),
        "host": run.origin.host, "process": run.origin.pid,
    })
}
