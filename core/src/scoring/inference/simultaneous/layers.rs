//! Layers of one model held against each other on half B, in the same replicates of identities: the layer that half A prefers on a
//! comparison less each other one.
//!
//! It is the difference of contrasts, with each layer where a model stands there.

use super::{ProjectionScores, StudyScores, candidates, designs, resampled::ResampledStudy, set_q_values};
use crate::{
    domain::{
        comparison::Question,
        contrast::ContrastSides,
        index::{ComparisonIx, LayerIx, ModelIx},
        layer_difference::LayerDifference,
        ledger::{Candidate, CellId},
        score::{Scores, Statistics},
        stage::ScoreSlot,
    },
    numeric::Matrix,
    scoring::{design::members::Setting, selection::ranking},
};
use std::collections::BTreeMap;
use typed_index_collections::TiSlice;

/// The scores of one model at all its layers.
pub struct LayerStudy<'a> {
    /// The images, labels and identities.
    pub setting: &'a Setting<'a>,
    /// By comparison.
    pub questions: &'a TiSlice<ComparisonIx, Question>,
    /// Of every layer, projection and comparison: scores, and ranks as [`ProjectionScores`] has them; ranks may be missing of what
    /// [`preferred`] does not name.
    pub scores: Vec<(ScoreSlot, Scores, Matrix)>,
    /// How many replicates there are.
    pub statistics: &'a Statistics,
    /// Of halves, folds and replicates; the same that the scores were made with.
    pub seed: u64,
}

/// Per layer and comparison the view that is best on half A, in the order of layers.
pub fn preferred<'s>(scores: impl Iterator<Item = (ScoreSlot, &'s Scores)>) -> Vec<CellId> {
    let model = |cell: CellId, of: ModelIx| CellId { model: of, ..cell };
    let scores: Vec<(ScoreSlot, &Scores)> = scores.collect();
    let own = scores.first().map(|(slot, _)| slot.model).unwrap_or_default();
    let candidates = candidates(scores.into_iter().map(|(slot, scores)| (as_model(slot), scores)));
    ranking::chosen(&candidates).into_iter().map(|cell| model(cell, own)).collect()
}

/// Every layer that half A does not prefer, less the one that it does, on every comparison.
pub fn differences(study: LayerStudy) -> Vec<LayerDifference> {
    let (designs, intervals) = designs(study.setting, study.questions, study.statistics, study.seed);
    let projections: Vec<ProjectionScores> = study
        .scores
        .into_iter()
        .map(|(slot, scores, ranks)| ProjectionScores { slot: as_model(slot), scores, ranks, permuted: Matrix::default() })
        .collect();
    let candidates = candidates(projections.iter().map(|projection| (projection.slot, &projection.scores)));
    let chosen = ranking::chosen(&candidates);
    let best = best_layers(&candidates, &chosen);
    let pairs = pairs(&chosen, &best);
    let held: Vec<ContrastSides> = pairs.iter().map(|(_, best, other)| sides(*best, *other)).collect();
    let study = StudyScores {
        setting: study.setting,
        questions: study.questions,
        projections: &projections,
        features: &[],
        contrasts: &held,
        statistics: study.statistics,
        seed: study.seed,
    };
    let resampled = ResampledStudy::new(&study, &designs, &intervals, &chosen);
    let difference = |(&(comparison, best, other), sides): (&(ComparisonIx, LayerIx, LayerIx), &ContrastSides)| {
        let of = resampled.difference(0, sides, comparison)?;
        Some(LayerDifference { comparison, best, other, difference: of.difference, p: of.p, q: 1.0 })
    };
    let mut differences: Vec<LayerDifference> = pairs.iter().zip(&held).filter_map(difference).collect();
    set_q_values(&mut differences, |of| (of.p, &mut of.q));
    differences
}

/// The slot with its layer where its model stands.
fn as_model(slot: ScoreSlot) -> ScoreSlot {
    ScoreSlot { model: ModelIx(slot.layer.0), ..slot }
}

/// Left is the other layer, right the best: differences are right less left.
fn sides(best: LayerIx, other: LayerIx) -> ContrastSides {
    ContrastSides { contrast: 0, left: vec![ModelIx(other.0)], right: vec![ModelIx(best.0)] }
}

/// By comparison the layer whose chosen view is best on half A; of equals the first.
fn best_layers(candidates: &[Candidate], chosen: &[CellId]) -> BTreeMap<ComparisonIx, LayerIx> {
    let scores: BTreeMap<CellId, f64> =
        candidates.iter().filter_map(|candidate| Some((candidate.cell, candidate.a?.value))).collect();
    let mut best: BTreeMap<ComparisonIx, &CellId> = BTreeMap::new();
    for cell in chosen {
        let leader = best.entry(cell.comparison).or_insert(cell);
        if scores[cell] > scores[*leader] {
            *leader = cell;
        }
    }
    best.into_iter().map(|(comparison, cell)| (comparison, cell.layer)).collect()
}

/// By comparison the best layer with each other one.
fn pairs(chosen: &[CellId], best: &BTreeMap<ComparisonIx, LayerIx>) -> Vec<(ComparisonIx, LayerIx, LayerIx)> {
    let mut pairs: Vec<_> = chosen
        .iter()
        .map(|cell| (cell.comparison, best[&cell.comparison], cell.layer))
        .filter(|(_, best, other)| best != other)
        .collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            comparison::Measured,
            image::{Column, Images, Labels},
            index::ProjectionIx,
            projection::View,
        },
        numeric::PhiloxStream,
        scoring::score,
    };

    /// Three layers: the second shows the class strongly, the first weakly, the third is noise.
    #[test]
    fn the_layer_that_shows_most_is_higher_than_one_that_shows_nothing() {
        let id = |i: usize| format!("{i:04}");
        let images = Images((0..400).map(|i| (id(i), None)).collect());
        let column: Column = (0..400).map(|i| (id(i), u8::from(i % 2 == 0).to_string())).collect();
        let labels: Labels = [("x".to_owned(), column)].into_iter().collect();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let classes = ["x", "not x"].map(|class| class.parse().unwrap()).to_vec();
        let question = Question { measured: Measured::Classes(classes), within: None };
        let mut rng = PhiloxStream::for_test(3, 1);
        let mut layer = |shift: f64| {
            let values = (0..400).map(|i| (rng.normals(1.0)[0] + if i % 2 == 0 { shift } else { 0.0 }) as f32).collect();
            Matrix::new(400, 1, values).unwrap()
        };
        let points = [layer(1.0), layer(3.0), layer(0.0)];
        let statistics = Statistics { bootstraps: 200, permutations: 20, min_positives: 10, ..Statistics::default() };
        let scored = points.iter().enumerate().map(|(place, points)| {
            let of = score(&setting, std::slice::from_ref(points), &question, &[View::Axis(1)], &statistics, 1);
            let (layer, projection, comparison) = (LayerIx(place), ProjectionIx(0), ComparisonIx(0));
            (ScoreSlot { model: ModelIx(5), layer, projection, comparison }, of.scores, of.ranks)
        });
        let scores: Vec<(ScoreSlot, Scores, Matrix)> = scored.collect();
        let named = preferred(scores.iter().map(|(slot, scores, _)| (*slot, scores)));
        assert!(named.len() == 3 && named.iter().all(|cell| cell.model == ModelIx(5)), "one a layer, of this model");
        let questions = TiSlice::from_ref(std::slice::from_ref(&question));
        let differences = differences(LayerStudy { setting: &setting, questions, scores, statistics: &statistics, seed: 1 });
        let of: Vec<(usize, usize, bool)> = differences.iter().map(|of| (of.best.0, of.other.0, of.is_shown())).collect();
        assert_eq!(of, [(1, 0, true), (1, 2, true)]);
        assert!(differences[1].difference.value > 0.35 && differences[1].difference.low().unwrap() > 0.2, "{differences:?}");
        assert!(differences[0].difference.value < differences[1].difference.value);
    }
}
