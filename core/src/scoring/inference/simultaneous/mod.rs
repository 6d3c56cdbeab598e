//! The whole grid on half B: every cell under the same permutations of labels, every chosen view in the same resamples of
//! identities. So "separates" holds beside all other chosen cells, and models are compared on the same people.
//!
//! Two families: the cells that half A chose, which are what is claimed, and the whole grid, where another cell is spoken of. A and B share
//! no identity, so beside the chosen cells nothing of half B was looked at: they pay for each other, and for nothing more.

mod permuted;
mod resampled;

use super::interval::AucInterval;
use crate::{
    domain::{
        comparison::Question,
        contrast::ContrastSides,
        ledger::{Candidate, CellId},
        projection::View,
        score::{Estimate, Scores, Spread, Statistics},
        simultaneous::{CellTest, Detectable, Family, Familywise, SimultaneousTests},
        stage::Slot,
    },
    numeric::Matrix,
    scoring::{
        design::{EvaluationDesign, members::Setting, split::Half},
        selection::ranking,
    },
};
use permuted::{Luckiest, Permuted, Studentised};
use rayon::prelude::*;
use resampled::Resampled;
use std::collections::BTreeMap;

/// How often a grid without signal may show one that separates.
const FAMILY: f64 = 0.05;

/// Standard errors of a difference that four samples in five show, two-sided at .05: the normal deviates of .975 and .8 (Cohen 1988).
const FOUR_IN_FIVE: f64 = 1.959_964 + 0.841_621;

/// The scores of one projection on one question, as [`crate::scoring::estimators::score::Scored`] has them.
pub struct ProjectionScores {
    pub slot: Slot,
    pub scores: Scores,
    pub ranks: Matrix,
    /// One row a view, one column a permutation.
    pub permuted: Matrix,
}

/// The features at a layer on one question: rows of pairs for the nearest neighbours, then for the probe.
pub struct LayerScores {
    pub model: usize,
    pub layer: usize,
    pub comparison: usize,
    pub ranks: Matrix,
}

/// All that is resampled together.
pub struct StudyScores<'a> {
    pub setting: &'a Setting<'a>,
    pub questions: &'a [Question],
    pub projections: &'a [ProjectionScores],
    pub features: &'a [LayerScores],
    pub held: &'a [ContrastSides],
    pub statistics: &'a Statistics,
    pub seed: u64,
}

pub fn grid(given: &StudyScores) -> SimultaneousTests {
    let asked: Vec<EvaluationDesign> = given
        .questions
        .par_iter()
        .map(|question| EvaluationDesign::new(given.setting, question, given.statistics, given.seed))
        .collect();
    let candidates = candidates(given.projections.iter().map(|of| (of.slot, &of.scores)));

    let chosen = ranking::chosen(&candidates);
    let mut permuted = Permuted::new(given.statistics.permutations, chosen.iter().copied().collect());
    given.projections.iter().for_each(|of| permuted.meet(of));
    let [of_chosen, of_all] = permuted.families().map(|of| Family { cells: of.cells(), critical: of.critical(FAMILY) });
    let by_cell: BTreeMap<CellId, Estimate> =
        candidates.iter().filter_map(|candidate| Some((candidate.cell, candidate.b?))).collect();
    let scales: Vec<AucInterval> = asked.iter().map(|asked| asked.scale(Half::B)).collect();
    let mut cells: Vec<CellTest> = permuted
        .cells()
        .filter_map(|Studentised { cell, z, p, chosen, .. }| {
            let b = by_cell.get(&cell)?;
            let [luckiest_chosen, luckiest] = permuted.families();
            let beside = |of: &Luckiest, family: Family| {
                let low = scales[cell.comparison].stretched(*b, family.critical?)?;
                Some(Familywise { adjusted: of.adjusted(z), low })
            };
            let chosen = if chosen { Some(beside(luckiest_chosen, of_chosen)?) } else { None };
            Some(CellTest { cell, z, p, q: 1.0, all: beside(luckiest, of_all)?, chosen })
        })
        .collect();
    cells.sort_by_key(|of| of.cell);
    discover(&mut cells, |of| (of.p, &mut of.q));

    let resampled = Resampled::new(given, &asked, &chosen);
    let mut differences = resampled.differences(given.held);
    discover(&mut differences, |of| (of.p, &mut of.q));
    let mut interactions = resampled.interactions(given.held, &within(given.questions));
    discover(&mut interactions, |of| (of.p, &mut of.q));
    let detectable = Detectable {
        auc: of_chosen.critical.and_then(|critical| {
            Spread::of(permuted.cells().filter(|of| of.chosen).map(|of| 0.5 + critical * of.deviation).collect())
        }),
        // Two perfect sides differ by nothing in every sample: that says nothing of others.
        difference: Spread::of(differences.iter().filter(|of| of.error > 0.0).map(|of| FOUR_IN_FIVE * of.error).collect()),
    };
    SimultaneousTests {
        format: 1,
        permutations: given.statistics.permutations,
        chosen: of_chosen,
        all: of_all,
        cells,
        differences,
        interactions,
        beside: resampled.kept(),
        detectable,
    }
}

/// Comparisons that are asked within some images, each with the same over all.
fn within(questions: &[Question]) -> Vec<(usize, usize)> {
    let whole = |of: &Question| questions.iter().position(|other| other.within.is_none() && other.measured == of.measured);
    let inner = questions.iter().enumerate().filter(|(_, of)| of.within.is_some());
    inner.filter_map(|(place, of)| Some((place, whole(of)?))).collect()
}

/// Per model and comparison the view that is best on half A: what is resampled.
pub fn chosen<'a>(scores: impl Iterator<Item = (Slot, &'a Scores)>) -> Vec<CellId> {
    ranking::chosen(&candidates(scores))
}

/// Every view of every score as a candidate for a figure, the features aside.
pub fn candidates<'a>(scores: impl Iterator<Item = (Slot, &'a Scores)>) -> Vec<Candidate> {
    let of = |(slot, scores): (Slot, &'a Scores)| {
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
    scores.flat_map(of).collect()
}

/// Writes every q beside its p.
fn discover<T>(all: &mut [T], of: impl Fn(&mut T) -> (f64, &mut f64)) {
    let p: Vec<f64> = all.iter_mut().map(|one| of(one).0).collect();
    all.iter_mut().zip(discoveries(&p)).for_each(|(one, q)| *of(one).1 = q);
}

/// Benjamini and Hochberg's (1995) step-up, as q-values: the least rate of false discoveries at which each is one.
pub fn discoveries(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]).then(i.cmp(&j)));
    let (mut q, mut least) = (vec![1.0; p.len()], 1.0f64);
    for (place, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * p.len() as f64 / (place + 1) as f64);
        q[i] = least;
    }
    q
}

/// The rows of ranks of one view and projection seed: one a pair of classes.
fn rows(of: &ProjectionScores, view: usize, seed: usize, pairs: usize) -> std::ops::Range<usize> {
    let first = (view * of.scores.seeds + seed) * pairs;
    first..first + pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_are_those_of_the_published_example() {
        // Benjamini and Hochberg (1995), section 3.2: fifteen p-values, four rejected at .05.
        let p =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0];
        let q = discoveries(&p);
        assert_eq!(q.iter().filter(|q| **q <= 0.05).count(), 4);
        assert!((q[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12 && q[14] == 1.0);
    }
}
