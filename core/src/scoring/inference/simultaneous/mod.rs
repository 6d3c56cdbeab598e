//! Tests of all cells of a study together, on half B: every cell under the same permutations of labels, every chosen view in the same
//! replicates of identities. So "separates" is simultaneous over all chosen cells, and models are compared on the same identities.
//!
//! There are two families: the cells that half A chose, which are claimed, and all cells, where another cell is mentioned. A and B share no
//! identity, so the choice used nothing of half B: the first family is corrected for its own cells alone.

pub mod layers;
mod permuted;
mod resampled;

use super::{fdr, interval::AucInterval};
use crate::{
    domain::{
        comparison::Question,
        contrast::ContrastSides,
        index::{ComparisonIx, LayerIx, ModelIx},
        ledger::{Candidate, CellId},
        projection::View,
        score::{Estimate, Scores, Spread, Statistics},
        simultaneous::{CellTest, Detectable, Family, Familywise, SimultaneousTests},
        stage::ScoreSlot,
    },
    numeric::Matrix,
    scoring::{
        design::{
            EvaluationDesign,
            members::Setting,
            split::{FOLDS, Half, Pool},
        },
        selection::ranking,
    },
};
use permuted::{MaxT, PermutationTests, Studentised};
use rayon::prelude::*;
use resampled::ResampledStudy;
use std::collections::BTreeMap;
use typed_index_collections::{TiSlice, TiVec};

/// The familywise error rate: how often a study without signal may show a cell that separates.
const FAMILYWISE_RATE: f64 = 0.05;

/// A difference of so many standard errors is significant in four samples in five (power .8), two-sided at .05: the sum of the normal
/// quantiles of .975 and .8 (Cohen 1988).
const DETECTABLE_ERRORS: f64 = 1.959_964 + 0.841_621;

/// The scores of one projection on one question, as [`crate::scoring::estimators::score::Scored`] has them.
pub struct ProjectionScores {
    /// The projection and the question.
    pub slot: ScoreSlot,
    /// One score a view.
    pub scores: Scores,
    /// One row a view, seed and pair of classes, one column a member of half B.
    pub ranks: Matrix,
    /// One row a view, one column a permutation.
    pub permuted: Matrix,
}

/// The scores of the features of a layer on one question.
pub struct LayerScores {
    /// Index of the model.
    pub model: ModelIx,
    /// Index of the layer.
    pub layer: LayerIx,
    /// Index of the question.
    pub comparison: ComparisonIx,
    /// One row a pair of classes by nearest neighbours, then one a pair by the probe; one column a member of half B.
    pub ranks: Matrix,
}

/// All scores of a study, which are tested together.
pub struct StudyScores<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// By comparison.
    pub questions: &'a TiSlice<ComparisonIx, Question>,
    /// Of every model, layer, projection and comparison.
    pub projections: &'a [ProjectionScores],
    /// Of every model, layer and comparison.
    pub features: &'a [LayerScores],
    /// The sides of every contrast of models.
    pub contrasts: &'a [ContrastSides],
    /// How many permutations and replicates there are.
    pub statistics: &'a Statistics,
    /// Of halves, folds and replicates; the same that the scores were made with.
    pub seed: u64,
}

/// Tests every ranked cell, every contrast of models on every comparison, and every interaction.
pub fn simultaneous_tests(study: &StudyScores) -> SimultaneousTests {
    let (designs, intervals) = designs(study.setting, study.questions, study.statistics, study.seed);
    let candidates = candidates(study.projections.iter().map(|projection| (projection.slot, &projection.scores)));
    let chosen = ranking::chosen(&candidates);
    let mut permuted = PermutationTests::new(study.statistics.permutations, chosen.iter().copied().collect());
    study.projections.iter().for_each(|projection| permuted.add(projection));
    let families = permuted.families().map(|family| Family { cells: family.cells(), critical: family.critical(FAMILYWISE_RATE) });
    let cells = cell_tests(&permuted, families, &candidates, &intervals);

    let resampled = ResampledStudy::new(study, &designs, &intervals, &chosen);
    let mut differences = resampled.differences(study.contrasts);
    set_q_values(&mut differences, |difference| (difference.p, &mut difference.q));
    let mut interactions = resampled.interactions(study.contrasts, &within_and_whole(study.questions));
    set_q_values(&mut interactions, |interaction| (interaction.p, &mut interaction.q));
    let [of_chosen, of_all] = families;
    let detectable = Detectable {
        auc: of_chosen.critical.and_then(|critical| {
            Spread::of(permuted.cells().filter(|cell| cell.chosen).map(|cell| 0.5 + critical * cell.deviation).collect())
        }),
        // Two perfect sides do not differ in any sample: their error of 0 says nothing of other contrasts.
        difference: Spread::of(differences.iter().filter(|of| of.error > 0.0).map(|of| DETECTABLE_ERRORS * of.error).collect()),
    };
    SimultaneousTests {
        format: 1,
        permutations: study.statistics.permutations,
        chosen: of_chosen,
        all: of_all,
        cells,
        differences,
        interactions,
        beside: resampled.views_and_features(),
        detectable,
    }
}

/// The design of every comparison, and how intervals of AUCs on its half B are made.
fn designs<'a>(
    setting: &Setting,
    questions: &TiSlice<ComparisonIx, Question>,
    statistics: &'a Statistics,
    seed: u64,
) -> (TiVec<ComparisonIx, EvaluationDesign<'a>>, TiVec<ComparisonIx, AucInterval>) {
    let designs: TiVec<ComparisonIx, EvaluationDesign> = questions
        .raw
        .par_iter()
        .map(|question| EvaluationDesign::new(setting, question, statistics, seed))
        .collect::<Vec<_>>()
        .into();
    let intervals = designs.iter().map(|design| AucInterval::of(&design.counts(Pool::Half(Half::B)), FOLDS)).collect();
    (designs, intervals)
}

/// The test of every cell, in the order of cells. `families`: the chosen cells, and all; `intervals`: by comparison.
fn cell_tests(
    permuted: &PermutationTests,
    families: [Family; 2],
    candidates: &[Candidate],
    intervals: &TiSlice<ComparisonIx, AucInterval>,
) -> Vec<CellTest> {
    let estimates: BTreeMap<CellId, Estimate> =
        candidates.iter().filter_map(|candidate| Some((candidate.cell, candidate.b?))).collect();
    let [max_t_of_chosen, max_t_of_all] = permuted.families();
    let cell_test = |Studentised { cell, z, p, chosen, .. }| {
        let b = estimates.get(&cell)?;
        let familywise = |max_t: &MaxT, family: Family| {
            let low = intervals[cell.comparison].stretched_low(*b, family.critical?)?;
            Some(Familywise { adjusted: max_t.adjusted(z), low })
        };
        let chosen = if chosen { Some(familywise(max_t_of_chosen, families[0])?) } else { None };
        Some(CellTest { cell, z, p, q: 1.0, all: familywise(max_t_of_all, families[1])?, chosen })
    };
    let mut cells: Vec<CellTest> = permuted.cells().filter_map(cell_test).collect();
    cells.sort_by_key(|test| test.cell);
    set_q_values(&mut cells, |test| (test.p, &mut test.q));
    cells
}

/// The comparisons within some images, each with the same comparison over all images.
fn within_and_whole(questions: &TiSlice<ComparisonIx, Question>) -> Vec<(ComparisonIx, ComparisonIx)> {
    let whole = |within: &Question| questions.position(|other| other.within.is_none() && other.measured == within.measured);
    let within = questions.iter_enumerated().filter(|(_, question)| question.within.is_some());
    within.filter_map(|(index, question)| Some((index, whole(question)?))).collect()
}

/// Per model and comparison the view that is best on half A; these are resampled.
pub fn chosen<'a>(scores: impl Iterator<Item = (ScoreSlot, &'a Scores)>) -> Vec<CellId> {
    ranking::chosen(&candidates(scores))
}

/// Every view of every projection as a candidate for a figure.
pub fn candidates<'a>(scores: impl Iterator<Item = (ScoreSlot, &'a Scores)>) -> Vec<Candidate> {
    let of_projection = |(slot, scores): (ScoreSlot, &'a Scores)| {
        scores.views.iter().filter(|view| view.view != View::Features).map(move |view| Candidate {
            cell: CellId {
                model: slot.model,
                layer: slot.layer,
                projection: slot.projection,
                view: view.view,
                comparison: slot.comparison,
            },
            a: view.a,
            b: view.b,
            unranked: scores.unranked.clone(),
        })
    };
    scores.flat_map(of_projection).collect()
}

/// Sets every test's q-value from all p-values.
fn set_q_values<T>(tests: &mut [T], p_and_q: impl Fn(&mut T) -> (f64, &mut f64)) {
    let p: Vec<f64> = tests.iter_mut().map(|test| p_and_q(test).0).collect();
    tests.iter_mut().zip(fdr::q_values(&p)).for_each(|(test, q)| *p_and_q(test).1 = q);
}

/// The rows of ranks of one view and projection seed: one a pair of classes.
fn rows(projection: &ProjectionScores, view: usize, seed: usize, pairs: usize) -> std::ops::Range<usize> {
    let first = (view * projection.scores.seeds + seed) * pairs;
    first..first + pairs
}
