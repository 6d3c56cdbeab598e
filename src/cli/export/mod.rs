//! `visavis export STUDY --what …`

mod claims;
mod clicks;
mod clusters;
mod contrasts;
mod fairness;
mod nuisances;
mod quality;
mod retained;
mod retrieval;
pub(super) mod table;
mod verification;

use super::{
    Context,
    chosen::{self, UnnamedLayer},
    open_store,
    output::{remark, say_json, write_out},
};
use crate::study::{self, NamedScore, Step, StudyOutcome, StudyResults, text_of};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use table::{ExportFormat, ExportTable};
use visavis_core::{
    dataset::array,
    domain::{
        Fault, Key, Result,
        image::Images,
        job::JobId,
        ledger::CellId,
        metric::MetricPoint,
        score::{Counts, Estimate, TOO_FEW},
        simultaneous::CellTest,
        stage::ProjectFeatures,
    },
    store::{AttemptRow, write_out as write_out_whole},
};

#[derive(clap::Args)]
pub(crate) struct ExportCommand {
    /// The study file
    study: PathBuf,
    /// What to write
    #[arg(long, value_parser = ["scores", "coordinates", "features", "quality", "clusters", "claims", "nuisances", "retained", "retrieval", "clicks", "ledger", "fairness", "contrasts", "verification", "metrics", "attempts"])]
    what: String,
    /// The model (coordinates, features)
    #[arg(long)]
    model: Option<String>,
    /// The layer (coordinates, features; default: the model's only one)
    #[arg(long)]
    layer: Option<String>,
    /// The projection (coordinates; default: the study's only one)
    #[arg(long)]
    projection: Option<String>,
    /// Which projection seed, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    seed: u16,
    /// How to write it (npy: coordinates and features only; default: csv, with --json jsonl)
    #[arg(long, value_parser = ["csv", "parquet", "jsonl", "npy"])]
    format: Option<String>,
    /// Where to (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ExportCommand {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let opened = study::open(&self.study, &context.workspace)?;
        let plan = study::plan(&opened, &context.workspace)?.as_it_stands()?;
        let format = self.format.as_deref().unwrap_or(if context.json { "jsonl" } else { "csv" });
        let bytes = self.bytes(context, &plan, format)?;
        match &self.output {
            None => write_out(&bytes),
            Some(file) => {
                write_out_whole(file, &bytes)?;
                if context.json {
                    say_json(&serde_json::json!({
                        "format": 1, "written": file.display().to_string(), "as": format, "bytes": bytes.len(),
                    }));
                }
                remark(context, format!("wrote {}", file.display()));
            }
        }
        Ok(())
    }

    fn bytes(&self, context: &Context, plan: &study::Plan, format: &str) -> Result<Vec<u8>> {
        let table = |table: &ExportTable| self.table(table, format);
        match self.what.as_str() {
            "scores" => table(&scores(&StudyOutcome::load(plan)?)),
            "quality" => table(&quality::quality(&StudyResults::of(plan))?),
            "clusters" => table(&clusters::clusters(plan, || self.images(plan))?),
            "claims" => table(&claims::claims(&StudyOutcome::load(plan)?)?),
            "clicks" => table(&clicks::clicks(&StudyResults::of(plan))?),
            "retrieval" => table(&retrieval::retrieval(&StudyResults::of(plan))?),
            "nuisances" => table(&nuisances::nuisances(&StudyOutcome::load(plan)?)?),
            "retained" => table(&retained::retained(plan)?),
            "ledger" => table(&ledger(&StudyOutcome::load(plan)?)),
            "fairness" => table(&fairness::fairness(&StudyOutcome::load(plan)?)?),
            "verification" => {
                let evaluated = plan.study.evaluation.dataset.as_deref().unwrap_or("evaluation");
                table(&verification::verification(&StudyResults::of(plan), evaluated)?)
            }
            "contrasts" => table(&contrasts::contrasts(&StudyOutcome::load(plan)?)),
            "coordinates" | "features" => self.matrix(plan, format),
            "attempts" => table(&attempts(context, plan)?),
            _ => table(&metrics(context, plan)?),
        }
    }

    fn table(&self, table: &ExportTable, format: &str) -> Result<Vec<u8>> {
        table.write(match format {
            "csv" => ExportFormat::Csv,
            "jsonl" => ExportFormat::JsonLines,
            "parquet" => ExportFormat::Parquet,
            _ => return Err(Fault::asked(format!("{} are no single array", self.what)).next("--format csv, jsonl or parquet")),
        })
    }

    fn absent(&self) -> Fault {
        Fault::missing(format!("there are no such {} yet", self.what)).next("run the study first")
    }

    /// The images of the study, in the order of their rows.
    fn images(&self, plan: &study::Plan) -> Result<Images> {
        plan.listed_images()?.ok_or_else(|| self.absent())
    }

    fn matrix(&self, plan: &study::Plan, format: &str) -> Result<Vec<u8>> {
        let study = &plan.study;
        let model = chosen::model(study, "--model", self.model.as_deref())?;
        let layer = chosen::layer(study, model, self.layer.as_deref(), UnnamedLayer::Only)?;
        let (step, output) = if self.what == "features" {
            (study::features(study, model, layer), study::features_name(study, model, layer))
        } else {
            let projection = chosen::projection(study, self.projection.as_deref())?;
            (
                Step::Project { model, layer, projection, seed: usize::from(self.seed) - 1 },
                ProjectFeatures::COORDINATES.to_owned(),
            )
        };
        let bytes = plan.bytes(step, &output)?.ok_or_else(|| self.absent())?;
        if format == "npy" {
            return Ok(bytes);
        }
        let images = self.images(plan)?;
        let matrix = array::from_npy(&bytes, Path::new(&output))?;
        let mut table = ExportTable::default();
        table.text("image", images.ids().map(|id| Some(id.to_owned())));
        table.axes(&matrix);
        self.table(&table, format)
    }
}

fn scores(outcome: &StudyOutcome) -> ExportTable {
    struct ExportRow<'a> {
        names: [String; 6],
        estimate: Estimate,
        counts: &'a Counts,
        seeds: usize,
        visible: Option<(bool, f64)>,
        ranked: bool,
        reason: Option<String>,
        key: String,
    }
    let names = outcome.names();
    let mut rows = Vec::new();
    for (of, scored) in &outcome.scores {
        let scores = &scored.scores;
        for NamedScore { view, name, estimate, counts } in scored.named() {
            let ranked = scores.unranked.is_none() && of.projection.is_some() && name.starts_with("knn_auc");
            // As the ledger and the report say it; what never ranks has none, unless there are too few for its interval.
            let unranked = scores.unranked.as_ref().filter(|_| !ranked).map(|why| text_of(&names.reason(of.comparison, why)));
            rows.push(ExportRow {
                names: [
                    names.model(of.model).to_owned(),
                    names.layer(of.model, of.layer),
                    of.projection.map_or("features", |place| names.projection(place)).to_owned(),
                    view.to_string(),
                    names.comparison(of.comparison).to_owned(),
                    name.to_owned(),
                ],
                reason: unranked.or_else(|| estimate.interval.is_none().then(|| TOO_FEW.to_owned())),
                estimate,
                counts,
                seeds: scores.seeds,
                visible: outcome.visibility.of(of.model, of.comparison).map(|seen| (seen.is_visible, seen.share)),
                ranked,
                key: scored.key.to_string(),
            });
        }
    }
    let mut table = ExportTable::default();
    for (column, name) in ["model", "layer", "projection", "view", "comparison", "score"].iter().enumerate() {
        table.text(name, rows.iter().map(|row| Some(row.names[column].clone())));
    }
    table.number("value", rows.iter().map(|row| Some(row.estimate.value)));
    table.number("low", rows.iter().map(|row| row.estimate.low()));
    table.number("high", rows.iter().map(|row| row.estimate.high()));
    table.whole("n", rows.iter().map(|row| Some(row.counts.n)));
    // The first of two classes; of several the smallest, which is what the score rests on.
    let positives = |counts: &Counts| {
        if counts.exclusive.len() > 2 { counts.exclusive.iter().min().copied() } else { counts.exclusive.first().copied() }
    };
    table.whole("positives", rows.iter().map(|row| positives(row.counts)));
    table.whole("identities", rows.iter().map(|row| Some(row.counts.people)));
    table.whole("seeds", rows.iter().map(|row| Some(row.seeds)));
    table.flag("ranked", rows.iter().map(|row| row.ranked));
    table.text("reason", rows.iter().map(|row| row.reason.clone()));
    table.text("key", rows.iter().map(|row| Some(row.key.clone())));
    visible(&mut table, rows.iter().map(|row| row.visible));
    table
}

/// Whether the model's crop holds what is asked, and the share of it that it holds; nothing where that is not known.
fn visible(table: &mut ExportTable, of: impl Iterator<Item = Option<(bool, f64)>> + Clone) {
    let word = |is_visible: bool| if is_visible { "yes" } else { "no" }.to_owned();
    table.text("visible", of.clone().map(|of| of.map(|(is_visible, _)| word(is_visible))));
    table.number("visible_share", of.map(|of| of.map(|(_, share)| share)));
}

fn ledger(outcome: &StudyOutcome) -> ExportTable {
    let names = outcome.names();
    let mut rows: Vec<_> = outcome.ledger.rows.iter().collect();
    rows.sort_by_key(|row| row.rank.unwrap_or(usize::MAX));
    let cells = || rows.iter().map(|row| row.candidate.cell);
    let b = |pick: fn(Estimate) -> Option<f64>| rows.iter().map(move |row| row.candidate.b.and_then(pick));
    let mut table = ExportTable::default();
    table.whole("rank", rows.iter().map(|row| row.rank));
    table.text("model", cells().map(|cell| Some(names.model(cell.model).to_owned())));
    table.text("layer", cells().map(|cell| Some(names.layer(cell.model, cell.layer))));
    table.text("projection", cells().map(|cell| Some(names.projection(cell.projection).to_owned())));
    table.text("view", cells().map(|cell| Some(cell.view.to_string())));
    table.text("comparison", cells().map(|cell| Some(names.comparison(cell.comparison).to_owned())));
    table.number("value", b(|b| Some(b.value)));
    table.number("low", b(Estimate::low));
    table.number("high", b(Estimate::high));
    table.flag("ranked", rows.iter().map(|row| row.rank.is_some()));
    table.flag("picked", rows.iter().map(|row| row.picked));
    table.text(
        "shown_as",
        rows.iter().map(|row| {
            let shown = outcome.shown.iter().find(|(cell, _)| *cell == row.candidate.cell);
            shown.map(|(_, shown_as)| shown_as.iter().map(|shown| shown.word()).collect::<Vec<_>>().join(" "))
        }),
    );
    table.text("reason", rows.iter().map(|row| Some(outcome.reason(row))));
    let tests: HashMap<CellId, CellTest> = outcome.grid.cells.iter().map(|of| (of.cell, *of)).collect();
    let mut tested =
        |name: &str, value: fn(&CellTest) -> f64| table.number(name, cells().map(|cell| tests.get(&cell).map(value)));
    tested("simultaneous_low", |of| of.claimed().low);
    tested("z", |of| of.z);
    tested("p", |of| of.p);
    tested("adjusted_p", |of| of.claimed().adjusted);
    tested("q", |of| of.q);
    // The bound and the adjusted p are simultaneous over so many cells: the chosen ones, or all of a cell that was not chosen.
    table.whole("family", cells().map(|cell| tests.get(&cell).map(|of| outcome.grid.family(of))));
    table.text("key", cells().map(|cell| outcome.cell(&cell).map(|(scored, _)| scored.key.to_string())));
    let seen = |cell: CellId| outcome.visibility.of(cell.model, cell.comparison).map(|seen| (seen.is_visible, seen.share));
    visible(&mut table, cells().map(seen));
    table
}

/// One row an attempt, with what it takes to do it again.
fn attempts(context: &Context, plan: &study::Plan) -> Result<ExportTable> {
    let index = open_store::store(context)?.ok_or_else(|| Fault::missing("nothing was run yet").next("run the study first"))?;
    let rows = index.attempts_of(&plan.study.name)?;
    let jobs: HashMap<JobId, String> = index.jobs_of(&plan.study.name)?.into_iter().map(|job| (job.id, job.label)).collect();
    let mut runs = HashMap::new();
    for row in &rows {
        if !runs.contains_key(&row.run) {
            runs.insert(row.run.clone(), index.run_of(&row.run)?);
        }
    }
    let run = |row: &AttemptRow| runs.get(&row.run).and_then(Option::as_ref);
    let mut machines = HashMap::new();
    for row in &rows {
        if !machines.contains_key(&row.worker) {
            machines.insert(row.worker.clone(), index.machine_of(&row.worker)?);
        }
    }
    let machine = |row: &AttemptRow| machines.get(&row.worker).and_then(Option::as_ref);
    let ending = |row: &AttemptRow| match (row.ended, row.cause) {
        (None, _) => "unknown".to_owned(),
        (Some(_), None) => "done".to_owned(),
        (Some(_), Some(cause)) => cause.word().to_owned(),
    };
    let mut table = ExportTable::default();
    let mut text = |name: &str, value: &dyn Fn(&AttemptRow) -> Option<String>| table.text(name, rows.iter().map(value));
    text("job", &|row| Some(row.job.to_string()));
    text("label", &|row| jobs.get(&row.job).cloned());
    text("key", &|row| Some(row.key.to_string()));
    text("ending", &|row| Some(ending(row)));
    text("why", &|row| row.why.clone());
    text("exit", &|row| row.exit.clone());
    text("log", &|row| (!row.log.is_empty()).then(|| row.log.join("\n")));
    text("device", &|row| Some(row.device.clone()));
    // A worker may be on another machine than its dispatcher. Journals of earlier releases name the dispatcher's alone.
    text("host", &|row| machine(row).map(|machine| machine.host.clone()).or_else(|| Some(run(row)?.origin.host.clone())));
    text("cpu", &|row| machine(row).map(|machine| machine.cpu.clone()).or_else(|| Some(run(row)?.origin.cpu.clone())));
    text("card", &|row| Some(machine(row)?.card.as_ref()?.model.clone()));
    text("card_uuid", &|row| machine(row)?.card.as_ref()?.uuid.clone());
    text("slurm_job", &|row| Some(machine(row)?.slurm?.to_string()));
    text("system", &|row| Some(run(row)?.origin.system.clone()));
    text("driver", &|row| {
        machine(row).and_then(|machine| machine.card.as_ref()?.driver.clone()).or_else(|| run(row)?.origin.driver.clone())
    });
    text("program", &|row| Some(run(row)?.origin.program.clone()));
    text("program_digest", &|row| Some(run(row)?.origin.program_digest?.to_string()));
    text("commit", &|row| run(row)?.origin.commit.clone());
    text("study_text", &|row| Some(run(row)?.text?.to_string()));
    text("environment", &|row| serde_json::to_string(&run(row)?.origin.environment).ok());
    text("run", &|row| Some(row.run.clone()));
    text("worker", &|row| Some(row.worker.clone()));
    table.flag("dirty", rows.iter().map(|row| run(row).is_some_and(|run| run.origin.dirty)));
    table.whole("attempt", rows.iter().map(|row| Some(row.number as usize)));
    table.whole("slot", rows.iter().map(|row| Some(row.slot)));
    table.whole("threads", rows.iter().map(|row| Some(row.threads)));
    table.whole("slurm_restarts", rows.iter().map(|row| Some(machine(row)?.slurm?.restarts as usize)));
    table.unsigned("seed", rows.iter().map(|row| row.seed));
    table.whole("started", rows.iter().map(|row| Some(row.started as usize)));
    table.whole("ended", rows.iter().map(|row| row.ended.map(|at| at as usize)));
    table.number("seconds", rows.iter().map(|row| row.seconds));
    Ok(table)
}

/// A recorded point, and what it is of.
struct MetricRow {
    job: JobId,
    label: String,
    series: String,
    key: Key,
    point: MetricPoint,
}

/// One row a point that an attempt behind a result recorded.
fn metrics(context: &Context, plan: &study::Plan) -> Result<ExportTable> {
    let index = open_store::store(context)?.ok_or_else(|| Fault::missing("nothing was run yet").next("run the study first"))?;
    let mut rows: Vec<MetricRow> = Vec::new();
    for (step, manifest) in plan.results() {
        let made = &manifest.provenance;
        for series in index.series_of(manifest.key)? {
            if series.worker == made.worker && series.attempt == made.attempt {
                let label = step.label(&plan.study);
                let job = plan.job(step);
                let row = |point: &MetricPoint| MetricRow {
                    job,
                    label: label.clone(),
                    series: series.series.clone(),
                    key: manifest.key,
                    point: *point,
                };
                rows.extend(series.points.iter().map(row));
            }
        }
    }
    let mut table = ExportTable::default();
    table.text("job", rows.iter().map(|row| Some(row.job.to_string())));
    table.text("label", rows.iter().map(|row| Some(row.label.clone())));
    table.text("series", rows.iter().map(|row| Some(row.series.clone())));
    table.whole("step", rows.iter().map(|row| Some(row.point.step as usize)));
    table.number("value", rows.iter().map(|row| Some(row.point.value)));
    table.whole("at", rows.iter().map(|row| Some(row.point.at as usize)));
    table.text("key", rows.iter().map(|row| Some(row.key.to_string())));
    Ok(table)
}

/// The ledger as it goes into a report: numbers to six decimals, without keys.
pub(crate) fn ledger_of_page(outcome: &StudyOutcome) -> Result<Vec<u8>> {
    ledger(outcome).rounded().without("key").write(ExportFormat::Csv)
}
