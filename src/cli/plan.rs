//! `visavis plan STUDY`

use super::{
    Context,
    output::{Grid, duration, say, say_json, size, warn},
};
use crate::{
    domain::{
        Result,
        stage::Kind,
        text::{count, printable, thousands},
    },
    study,
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Plan {
    /// The study file
    study: PathBuf,
}

impl Plan {
    pub fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        warn(context, &opened.warnings);
        let plan = study::Plan::new(&opened, &context.workspace)?;
        if context.json {
            self.as_json(&plan);
        } else {
            self.as_text(&opened, &plan);
        }
        Ok(())
    }

    fn as_json(&self, plan: &study::Plan) {
        let (seconds, bytes) = plan.estimate();
        let stages: Vec<_> = plan
            .tally()
            .into_iter()
            .map(|(kind, tally)| serde_json::json!({ "kind": kind.word(), "stored": tally.stored, "to_run": tally.to_run }))
            .collect();
        let missing: Vec<_> = plan
            .missing
            .iter()
            .map(|m| serde_json::json!({ "input": m.input, "expected_at": m.expected_at, "cells": m.cells }))
            .collect();
        say_json(
            &serde_json::json!({ "format": 1, "study": plan.study.name, "cells": plan.cells(), "waiting": plan.cells_waiting(), "stages": stages, "missing": missing, "seconds": seconds, "bytes": bytes }),
        );
    }

    fn as_text(&self, opened: &study::Opened, plan: &study::Plan) {
        let study = &plan.study;
        say(printable(&study.title()));
        let excluded = if opened.file.excluded > 0 { format!(", {} excluded", opened.file.excluded) } else { String::new() };
        say(format!(
            "{}{excluded} · {} · {} → {}, {} scored",
            count(study.models.len(), "model"),
            count(study.projections.len(), "projection"),
            count(study.comparisons.len(), "comparison"),
            count(plan.cells(), "cell"),
            thousands(plan.cells_done()),
        ));
        say("");
        let mut grid = Grid::new(&["stage", ">stored", ">to run", ""]);
        for (kind, tally) in plan.tally() {
            let remark = match kind {
                Kind::Draw if tally.to_run > 0 && plan.result(study::Step::Rank).is_none() => "at most: the ledger decides",
                Kind::Rank if tally.to_run > 0 => "when its scores are there",
                Kind::Train => "needs visavis-torch",
                _ => "",
            };
            grid.row(&[kind.word().to_owned(), thousands(tally.stored), thousands(tally.to_run), remark.to_owned()]);
        }
        grid.print("  ");
        say("");
        let to_run: usize = plan.tally().iter().map(|(_, tally)| tally.to_run).sum();
        let (seconds, bytes) = plan.estimate();
        if to_run == 0 {
            say("everything is there: nothing would run");
        } else if plan.missing.is_empty() {
            say(format!(
                "{} to run, {} on {}, {} of disk",
                count(to_run, "stage"),
                duration(seconds),
                count(study.resources.cpu_slots, "slot"),
                size(bytes)
            ));
        }
        if plan.missing.is_empty() {
            return;
        }
        say(format!(
            "missing: {}; {} of {} wait",
            count(plan.missing.len(), "input"),
            thousands(plan.cells_waiting()),
            count(plan.cells(), "cell")
        ));
        say("");
        let mut grid = Grid::new(&["input", "expected at", ">cells that wait"]);
        for missing in &plan.missing {
            grid.row(&[missing.input.clone(), missing.expected_at.clone(), thousands(missing.cells)]);
        }
        grid.print("  ");
    }
}
