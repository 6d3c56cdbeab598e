//! The matrix snapshot: a whole study with what each cell found, for whoever shows it. Made from a plan; how the cells stand
//! while a run goes on is [`super::watch`]'s to say.

use super::{
    OpenedStudy,
    names::StudyNames,
    offers::Offers,
    plan::{Plan, StageStatus},
    results::{ModelTraining, ScoreCache, ScoreOf, ScoreSource, StudyOutcome, StudyResults, StudyVisibility},
    steps::{Step, features},
};
use crate::config::{Levels, StudyFile};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};
use typed_index_collections::TiVec;
use visavis_core::domain::{
    Key, Result,
    contrast::ContrastSides,
    image::Column,
    index::{ComparisonIx, LayerIx, ModelIx, PairSetIx, ProjectionIx},
    job::{JobId, JobState},
    ledger::{CellId, Ledger, ShownAs},
    made_of::MadeOf,
    model::{Network, Source, Weights},
    nuisance::AdjustedScores,
    pairs::PairVerification,
    pin::Pinned,
    projection::View,
    score::{Estimate, ProbeScore, Scores, Verification},
    simultaneous::{DifferenceVerdict, SimultaneousTests},
    study::Study,
};

/// Everything of a study that does not change while nothing is made.
pub struct MatrixSnapshot {
    pub study: Study,
    pub file: PathBuf,
    /// The study file's text, and its lists as they are written.
    pub text: String,
    pub levels: Levels,
    pub warnings: Vec<String>,
    /// Input, where it is expected, and how many cells wait for it.
    pub missing: Vec<(String, String, usize)>,
    /// Attributes that the evaluation has labels of, and where they are not binary their values, if these are few.
    pub attributes: Vec<(String, Vec<String>)>,
    /// Model by model: its layers.
    pub layers: TiVec<ModelIx, TiVec<LayerIx, String>>,
    /// Model by model: what its trainings have in common, and which of them it is, from 1.
    pub families: TiVec<ModelIx, (String, usize)>,
    /// Model × layer × projection × comparison, in the study's order.
    pub cells: Vec<SnapshotCell>,
    /// Scores of the features themselves.
    pub features: BTreeMap<ScoreOf, ScoreSource>,
    pub verified: HashMap<ModelIx, Verification>,
    /// Verification sets, by model.
    pub pairs: BTreeMap<(ModelIx, PairSetIx), PairVerification>,
    /// Of what was trained here: the share right on its training set, epoch by epoch.
    pub accuracy: HashMap<ModelIx, Vec<f64>>,
    pub found: Option<StudyFindings>,
    /// Which attributes lie outside of whose crop.
    pub visibility: StudyVisibility,
    /// What forms may offer: what could be run here.
    pub offers: Offers,
    pub pins: Vec<Pinned>,
    /// Figures that the report shows, picked ones first, as it shows them.
    pub shown: Vec<(CellId, Vec<ShownAs>)>,
    /// What remains of the scores of those figures while nuisances are held.
    pub adjusted: HashMap<CellId, AdjustedScores>,
    /// What a report of it would be made of now.
    pub made_of: MadeOf,
    /// Stages that a run here would make, and those that wait for what is missing.
    pub to_run: usize,
    pub waiting: usize,
    /// Of these, what figures in the report lack.
    pub undrawn: usize,
    pub seconds: f64,
    /// The job of each stage.
    pub jobs: HashMap<Step, JobId>,
}

/// What the whole grid came to.
pub struct StudyFindings {
    pub ledger: Ledger,
    pub grid: SimultaneousTests,
    pub held: Vec<ContrastSides>,
    /// What is said of each difference of the grid.
    pub verdicts: Vec<DifferenceVerdict>,
    /// Why each row of the ledger is where it is, for people.
    pub reasons: Vec<String>,
    /// The row of each cell.
    pub rows: HashMap<CellId, usize>,
}

impl StudyFindings {
    fn of(outcome: StudyOutcome) -> Self {
        let reasons = outcome.ledger.rows.iter().map(|row| outcome.reason(row)).collect();
        let StudyOutcome { grid, held, verdicts, ledger, .. } = outcome;
        let rows = ledger.rows.iter().enumerate().map(|(place, row)| (row.candidate.cell, place)).collect();
        StudyFindings { ledger, grid, held, verdicts, reasons, rows }
    }
}

/// Of the figures that are shown, where nuisances were held.
fn adjusted(outcome: &StudyOutcome) -> Result<HashMap<CellId, AdjustedScores>> {
    let of = |cell: CellId| Ok(outcome.results.adjusted(&cell)?.map(|found| (cell, found.value)));
    outcome.shown.iter().filter_map(|(cell, _)| of(*cell).transpose()).collect()
}

/// A cell less its views: what one `score` stage is of.
pub struct SnapshotCell {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub projection: ProjectionIx,
    pub comparison: ComparisonIx,
    pub status: CellStatus,
    pub scores: Option<Arc<Scores>>,
    pub key: Option<Key>,
    /// Its view that is best on half A.
    pub best: Option<Best>,
}

/// The state of a cell's score when the matrix snapshot was made.
#[derive(Clone, Debug, PartialEq)]
pub enum CellStatus {
    Done,
    /// Made again by an audit: the same bits.
    Verified,
    /// There is a score, and it is of other inputs than there are now.
    Stale,
    /// It can be made.
    Open,
    /// It waits for something that is missing, or that failed.
    Waits(String),
    Cancelled,
}

/// Chosen on half A, quoted on half B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    pub view: View,
    /// What it is chosen by.
    pub a: f64,
    pub quoted: Estimate,
    /// Held against the others; small classes are shown and not ranked.
    pub ranked: bool,
    /// `knn_auc`, or `monotone`: |ρ| along an axis, of a quantity.
    pub score: &'static str,
    /// Quoted on people that it was not chosen by.
    pub held_back: bool,
}

impl Best {
    pub fn of(scores: &Scores) -> Option<Self> {
        let ranked = scores.unranked.is_none();
        let of = |view: &visavis_core::domain::score::ViewScore| {
            let halves = view.a.zip(view.b).map(|(a, b)| (a.value, b));
            // Of a quantity there is a gradient only: |ρ|, which ranks nothing.
            let rest = view.whole.or(view.monotone).filter(|_| !ranked || view.whole.is_none());
            let (a, quoted) = halves.or(rest.map(|of| (of.value, of)))?;
            let score = if halves.is_some() || view.whole.is_some() { "knn_auc" } else { "monotone" };
            Some(Best { view: view.view, a, quoted, ranked: ranked && halves.is_some(), score, held_back: halves.is_some() })
        };
        scores.views.iter().filter_map(of).reduce(Best::better)
    }

    /// The one to show of two: chosen on half A, the first of equals.
    pub fn better(self, other: Self) -> Self {
        if (other.ranked, other.a) > (self.ranked, self.a) { other } else { self }
    }
}

/// What is known of a study's jobs beside its plan.
#[derive(Default)]
pub struct Former {
    pub keys: HashMap<JobId, Key>,
    /// Results that an audit made again, to the same bits.
    pub verified: HashSet<Key>,
}

impl MatrixSnapshot {
    /// # Errors
    /// Results that are damaged.
    pub fn of(opened: &OpenedStudy, plan: &Plan, former: &Former, seconds: f64, cache: &mut ScoreCache) -> Result<Self> {
        let study = plan.study.clone();
        let StudyFile { text, .. } = &opened.file;
        let layers = study.models.keys().map(|model| StudyNames::of(&study).layers(model)).collect();
        let results = StudyResults::of(plan);
        let mut scores = results.view_scores(cache)?;
        *cache = scores.values().map(|of| (of.key, Arc::clone(&of.scores))).collect();
        let cell = |(step, status): (Step, &StageStatus)| {
            let Step::Score { model, layer, projection, comparison } = step else { return Ok(None) };
            let scored = scores.get(&ScoreOf { model, layer, projection: Some(projection), comparison });
            Ok(Some(SnapshotCell {
                model,
                layer,
                projection,
                comparison,
                status: cell_status(plan, step, status, former)?,
                scores: scored.map(|of| Arc::clone(&of.scores)),
                key: scored.map(|of| of.key),
                best: scored.and_then(|of| Best::of(&of.scores)),
            }))
        };
        // Whether a score is stale is read from a file each: many at once.
        let steps: Vec<(Step, &StageStatus)> = plan.steps().collect();
        let cells: Vec<Option<SnapshotCell>> = steps.into_par_iter().map(cell).collect::<Result<_>>()?;
        let cells: Vec<SnapshotCell> = cells.into_iter().flatten().collect();
        let features = results.feature_scores()?;
        let (training, pairs) = (results.training()?, results.pairs()?);
        let visibility = results.visibility()?;
        let accuracy = |of: &ModelTraining| of.trained.map(|_| (of.model, of.fact("accuracy").to_vec()));
        scores.extend(features.iter().map(|(of, source)| (*of, source.clone())));
        // Before the ledger is there, nothing was picked.
        let is_ranked = results.result(Step::Rank).is_some();
        let outcome = if is_ranked { Some(StudyOutcome::of(plan, results, scores)?) } else { None };
        Ok(MatrixSnapshot {
            families: study.models.iter().map(|model| family(&model.source, &model.name)).collect(),
            file: text.path.clone(),
            text: text.source.clone(),
            levels: Levels::of(text),
            warnings: opened.warnings.iter().chain(&opened.notes).cloned().collect(),
            missing: plan.missing.iter().map(|m| (m.input.clone(), m.expected_at.clone(), m.cells)).collect(),
            attributes: opened.survey.labels.iter().map(|(name, column)| (name.to_owned(), values(column))).collect(),
            verified: training.iter().filter_map(|of| Some((of.model, of.verification()?.clone()))).collect(),
            accuracy: training.iter().filter_map(accuracy).collect(),
            pairs: pairs.into_iter().map(|of| ((of.model, of.set), of.verified.value)).collect(),
            features,
            visibility,
            pins: plan.pinned().to_vec(),
            adjusted: outcome.as_ref().map_or_else(|| Ok(HashMap::new()), adjusted)?,
            shown: outcome.as_ref().map_or(vec![], |outcome| outcome.shown.clone()),
            found: outcome.map(StudyFindings::of),
            made_of: plan.made_of(&text.source),
            undrawn: plan.open_steps().filter(|step| step.is_of_figure()).count(),
            offers: Offers::of(&study),
            to_run: plan.to_run(),
            waiting: plan.tally().iter().map(|(_, tally)| tally.waiting).sum(),
            seconds,
            jobs: plan.steps().map(|(step, _)| (step, plan.job(step))).collect(),
            layers,
            cells,
            study,
        })
    }

    /// The stages that a cell's score is made by, the last first.
    fn stages(&self, cell: &SnapshotCell) -> impl Iterator<Item = Step> {
        let SnapshotCell { model, layer, projection, comparison, .. } = *cell;
        let seeds = self.study.projections[projection].seeds;
        [Step::Score { model, layer, projection, comparison }]
            .into_iter()
            .chain((0..seeds).map(move |seed| Step::Project { model, layer, projection, seed }))
            .chain([features(&self.study, model, layer), Step::Train { model }])
    }

    /// Cells whose score is there, and all of them: views are counted, as a plan does.
    pub fn counted(&self) -> (usize, usize) {
        let views = |cell: &SnapshotCell| self.study.projections[cell.projection].views().len();
        let scored = self.cells.iter().filter(|cell| cell.scores.is_some()).map(views).sum();
        (scored, self.cells.iter().map(views).sum())
    }

    /// The jobs that a cell's score is made by, the last first.
    pub fn jobs(&self, cell: &SnapshotCell) -> impl Iterator<Item = JobId> {
        self.stages(cell).filter_map(|step| self.jobs.get(&step).copied())
    }

    /// The cell's own job.
    pub fn job(&self, cell: &SnapshotCell) -> Option<JobId> {
        self.jobs(cell).next()
    }

    pub fn cell(&self, of: &CellId) -> Option<&SnapshotCell> {
        let holds = |cell: &&SnapshotCell| {
            (cell.model, cell.layer, cell.projection, cell.comparison) == (of.model, of.layer, of.projection, of.comparison)
        };
        self.cells.iter().find(holds)
    }

    /// `model · layer · umap map · comparison`: what a figure is called, wherever it is. Of one that the study has no more, nothing.
    pub fn name(&self, cell: &CellId) -> String {
        if self.has(cell) { StudyNames::of(&self.study).cell(cell) } else { String::new() }
    }

    /// Is it a cell of this study? One from before the file was edited may not be.
    pub fn has(&self, cell: &CellId) -> bool {
        self.layers.get(cell.model).is_some_and(|layers| layers.get(cell.layer).is_some())
            && self.study.projections.get(cell.projection).is_some_and(|of| of.views().contains(&cell.view))
            && self.study.comparisons.get(cell.comparison).is_some()
    }

    /// Every figure that could be shown, those of the ledger in their rank.
    pub fn figures(&self) -> Vec<CellId> {
        let Some(found) = &self.found else { return vec![] };
        let mut rows: Vec<_> = found.ledger.rows.iter().filter(|row| row.rank.is_some() || !row.shown_as.is_empty()).collect();
        rows.sort_by_key(|row| (row.rank.is_none(), row.rank));
        rows.into_iter().map(|row| row.candidate.cell).collect()
    }

    /// Features' own score on half B.
    pub fn space(
        &self,
        model: ModelIx,
        layer: LayerIx,
        comparison: ComparisonIx,
    ) -> Option<(Option<Estimate>, Option<&ProbeScore>)> {
        let of = self.features.get(&ScoreOf { model, layer, projection: None, comparison })?;
        Some((of.scores.views.first().and_then(|view| view.b.or(view.whole)), of.probe.as_ref()))
    }

    /// By family: the models it holds, in the study's order.
    pub fn trainings(&self) -> BTreeMap<ModelIx, Vec<ModelIx>> {
        let mut groups: BTreeMap<ModelIx, Vec<ModelIx>> = BTreeMap::new();
        for (model, (family, _)) in self.families.iter_enumerated() {
            let first = self.families.position(|(other, _)| other == family).unwrap_or(model);
            groups.entry(first).or_default().push(model);
        }
        groups
    }
}

/// `resnet34-arcface@2` → (`resnet34-arcface`, 2), where that is the matrix's own numbering.
fn family(source: &Source, name: &str) -> (String, usize) {
    let seed = match source {
        Source::Network(Network { weights: Weights::Recipe { seed, .. }, .. }) => *seed,
        _ => return (name.to_owned(), 1),
    };
    name.strip_suffix(&format!("@{seed}")).map_or((name.to_owned(), 1), |family| (family.to_owned(), seed))
}

fn values(column: &Column) -> Vec<String> {
    let all = column.values();
    if column.is_binary() || all.len() > 24 { vec![] } else { all.into_iter().map(str::to_owned).collect() }
}

fn cell_status(plan: &Plan, step: Step, status: &StageStatus, former: &Former) -> Result<CellStatus> {
    Ok(match status {
        StageStatus::Done => match plan.result(step) {
            Some(manifest) if former.verified.contains(&manifest.key) => CellStatus::Verified,
            _ => CellStatus::Done,
        },
        StageStatus::Barred => {
            let lacking = plan.lacking(step).first().map(|missing| missing.input.clone());
            CellStatus::Waits(lacking.unwrap_or_else(|| "something it is made from".to_owned()))
        }
        StageStatus::Aside(JobState::Cancelled) => CellStatus::Cancelled,
        _ => {
            let key = former.keys.get(&plan.job(step)).copied();
            if plan.stale(step, key)?.is_some() { CellStatus::Stale } else { CellStatus::Open }
        }
    })
}
