//! `visavis plan STUDY`

use super::{
    Context, open_store,
    output::{TextColumns, duration, say, say_json, tell_about},
};
use crate::study::{self, ClusterRun, CostEstimate, Costs, NetworkPrograms, Pins, RunPlaces, Step, WorkerProgram};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};
use visavis_core::{
    domain::{
        Result,
        stage::Kind,
        study::{DeviceClass, RunOn},
        text::{count, printable, size, thousands},
    },
    store::Index,
};

#[derive(clap::Args)]
pub(crate) struct PlanCommand {
    /// The study file
    study: PathBuf,
    /// Where it would run: local, slurm, or both, local,slurm (default: as the study file says, else local)
    #[arg(long, value_delimiter = ',', value_name = "PLACES", value_parser = ["local", "slurm"])]
    on: Vec<String>,
}

impl PlanCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let on = |place: &str| self.on.iter().any(|on| on == place);
        let places = RunPlaces::of(on("local"), on("slurm"));
        let opened = study::open_for(&self.study, &context.workspace, places)?;
        tell_about(context, &opened);
        let index = open_store::store(context)?;
        let pins = Pins::read(index.as_ref(), &opened.file.study.name);
        let mut plan = study::Plan::new(&opened, &context.workspace, pins)?;
        // There may be a card, and a libtorch that is for processors only. Of processors nobody needs to ask: every libtorch has them.
        // onnxruntime is opened only when a model runs: it may be absent.
        // What the nodes of a cluster have is not known here.
        let is_here = plan.study.run == RunOn::Local;
        if is_here && (plan.study.numerics.device == DeviceClass::Cuda || plan.programs().contains(&WorkerProgram::Onnx)) {
            for missing in NetworkPrograms::ask(&plan).unable {
                plan.lack(missing)?;
            }
        }
        let costs = Costs::learn(index.as_ref())?;
        let is_slurm = !is_here;
        let cluster = is_slurm.then(|| ClusterRun::of(&opened.file));
        let (slots, place) = match &cluster {
            Some(cluster) => {
                let own = if places == RunPlaces::Both { plan.study.resources.cpu_slots.min(context.threads) } else { 0 };
                let here =
                    if own > 0 { format!("{} here for what needs no network, ", count(own, "slot")) } else { String::new() };
                (own + cluster.device(&plan.study).slots, here + &printable(&cluster.told(&plan.study)))
            }
            None => {
                let slots = plan.study.resources.cpu_slots.min(context.threads);
                (slots, count(slots, "slot"))
            }
        };
        let estimate = plan.estimate(&costs, slots);
        let stale = stale(&plan, index.as_ref())?;
        if context.json {
            self.as_json(
                &opened,
                &plan,
                &estimate,
                (
                    match places {
                        RunPlaces::Both => "local,slurm",
                        _ if is_slurm => "slurm",
                        _ => "local",
                    },
                    slots,
                ),
                &stale,
            );
        } else {
            self.as_text(&opened, &plan, &estimate, &place, &stale);
        }
        Ok(())
    }

    /// `on`: where it would run, and on how many slots or workers.
    fn as_json(
        &self,
        opened: &study::OpenedStudy,
        plan: &study::Plan,
        estimate: &CostEstimate,
        on: (&str, usize),
        stale: &BTreeMap<Kind, usize>,
    ) {
        let CostEstimate { seconds, low, high, bytes, .. } = *estimate;
        let stages: Vec<_> = plan
            .tally()
            .into_iter()
            .map(|(kind, tally)| {
                let stale = stale.get(&kind).copied().unwrap_or(0);
                serde_json::json!({ "kind": kind.word(), "stored": tally.stored, "to_run": tally.to_run, "waiting": tally.waiting, "stale": stale })
            })
            .collect();
        let missing: Vec<_> = plan
            .missing
            .iter()
            .map(|m| serde_json::json!({ "input": m.input, "expected_at": m.expected_at, "cells": m.cells }))
            .collect();
        say_json(
            &serde_json::json!({ "format": 1, "study": plan.study.name, "cells": plan.cells(), "waiting": plan.cells_waiting(), "stages": stages, "missing": missing, "on": on.0, "slots": on.1, "seconds": seconds, "seconds_low": low, "seconds_high": high, "bytes": bytes.round(), "warnings": opened.warnings, "notes": opened.notes }),
        );
    }

    fn as_text(
        &self,
        opened: &study::OpenedStudy,
        plan: &study::Plan,
        estimate: &CostEstimate,
        place: &str,
        stale: &BTreeMap<Kind, usize>,
    ) {
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
        let tally = plan.tally();
        let waits = tally.iter().any(|(_, tally)| tally.waiting > 0);
        let heads =
            if waits { &["stage", ">stored", ">to run", ">waiting", ""][..] } else { &["stage", ">stored", ">to run", ""] };
        let mut grid = TextColumns::new(heads);
        for (kind, tally) in tally {
            let remark = match kind {
                Kind::Draw if tally.to_run > 0 && plan.result(study::Step::Rank).is_none() => "at most: the ledger decides",
                Kind::Rank if tally.to_run > 0 => "when its scores are there",
                _ if stale.contains_key(&kind) => "stale: `visavis explain JOB` says what changed",
                _ => "",
            };
            let waiting = waits.then(|| thousands(tally.waiting));
            let counts = [Some(thousands(tally.stored)), Some(thousands(tally.to_run)), waiting];
            let row = std::iter::once(kind.word().to_owned()).chain(counts.into_iter().flatten()).chain([remark.to_owned()]);
            grid.row(&row.collect::<Vec<_>>());
        }
        grid.print("  ");
        say("");
        let to_run = plan.to_run();
        if to_run == 0 && plan.missing.is_empty() {
            say("everything is there: nothing would run");
        } else if to_run == 0 {
            say("nothing would run here: what is not there waits for what is missing");
        } else {
            say(format!(
                "{} to run, {} ({}) on {place}, {} of disk",
                count(to_run, "stage"),
                duration(estimate.seconds),
                if estimate.high < 1.0 {
                    "measured here".to_owned()
                } else if estimate.guessed {
                    "guessed: nothing like it has run here".to_owned()
                } else {
                    between(estimate)
                },
                size(estimate.bytes as u64)
            ));
            if let Some(room) = plan.workspace().room().filter(|room| (*room as f64) < estimate.bytes * 1.2) {
                say(format!("the disk has only {} left", size(room)));
            }
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
        let mut grid = TextColumns::new(&["input", "expected at", ">cells that wait"]);
        for missing in &plan.missing {
            grid.row(&[missing.input.clone(), missing.expected_at.clone(), thousands(missing.cells)]);
        }
        grid.print("  ");
    }
}

/// How many stages of each kind have a result that was made from something else.
fn stale(plan: &study::Plan, index: Option<&Index>) -> Result<BTreeMap<Kind, usize>> {
    let mut stale = BTreeMap::new();
    let open: Vec<Step> = plan.open_steps().collect();
    let Some(index) = index.filter(|_| !open.is_empty()) else { return Ok(stale) };
    let former: HashMap<_, _> = index.jobs_of(&plan.study.name)?.into_iter().filter_map(|row| Some((row.id, row.key?))).collect();
    for step in open {
        if plan.stale(step, former.get(&plan.job(step)).copied())?.is_some() {
            *stale.entry(step.kind()).or_default() += 1;
        }
    }
    Ok(stale)
}

/// An interval that holds four times in five.
fn between(estimate: &CostEstimate) -> String {
    let show = |seconds: f64| match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    };
    format!("{} to {}, four times in five", show(estimate.low), show(estimate.high))
}
