//! What every view of one question is scored by: its AUC in the whole and in both halves, its gradient along an axis, and the ranks
//! that the simultaneous tests resample.

use super::{
    knn::{self, ScoredPools},
    monotone,
    nearest::{FifthNeighborDistances, NeighborQuery},
};
use crate::{
    domain::{
        comparison::Question,
        projection::View,
        score::{Counts, Estimate, LEAST_IDENTITIES, Scores, TOO_FEW, ViewScore},
    },
    numeric::Matrix,
    scoring::{
        design::{
            EvaluationDesign,
            resample::{REPLICATES, ReplicateWeights},
            split::{FOLDS, Half, Pool},
        },
        inference::{bootstrap::median, interval::AucInterval},
    },
};

/// Scores views of one question.
pub(crate) struct ViewScorer<'a> {
    pub design: &'a EvaluationDesign<'a>,
    /// By pool.
    intervals: [AucInterval; 3],
}

impl<'a> ViewScorer<'a> {
    /// For all views of the design's question.
    pub(crate) fn new(design: &'a EvaluationDesign<'a>) -> Self {
        ViewScorer { design, intervals: Pool::ALL.map(|pool| AucInterval::of(&design.counts(pool), FOLDS)) }
    }

    /// The neighbours that scores need.
    pub(crate) fn neighbor_query(&self) -> NeighborQuery<'a> {
        NeighborQuery { rows: &self.design.members.rows, sets: &self.design.pairs.sets, split: &self.design.split }
    }

    /// Members' scores from their neighbours' distances.
    pub(crate) fn score_members(&self, fifths: &FifthNeighborDistances) -> ScoredPools {
        knn::score_members(fifths, &self.design.pairs, &self.design.split)
    }

    /// Scores that were made in each half by itself: by pair, by member.
    pub(crate) fn sort_held_out(&self, scores: &[Vec<f64>]) -> ScoredPools {
        knn::sort_held_out(scores, &self.design.pairs, &self.design.split)
    }

    /// All views' scores with what they rest on. `seeds`: projection seeds.
    pub(crate) fn scores(&self, question: &Question, seeds: usize, views: Vec<ViewScore>) -> Scores {
        let [counts, counts_a, counts_b] = Pool::ALL.map(|pool| self.design.counts(pool));
        Scores {
            format: 1,
            unranked: unranked(question, &counts_a, &counts_b, self.design.statistics.min_positives),
            counts,
            counts_a,
            counts_b,
            seeds,
            permuted: [0; 2],
            permuted_sample: None,
            views,
        }
    }

    /// `scored`: one a projection seed; empty where the view is undefined, and for a quantity. `points`: the members' points in the view
    /// under the first seed; a gradient is taken along them if the view is an axis.
    pub(crate) fn view_score(&self, view: View, scored: &[ScoredPools], points: Option<&Matrix>) -> ViewScore {
        let mut score = ViewScore { view, whole: None, a: None, b: None, least: None, monotone: None };
        let axis = points.filter(|_| matches!(view, View::Axis(_))).map(Matrix::values);
        let (resampler, replicates) = (self.design.resampler(Pool::Whole), self.design.statistics.bootstraps);
        if let Some(quantity) = &self.design.members.quantity {
            score.monotone = axis.and_then(|axis| monotone::spearman(axis, quantity, resampler, replicates));
            return score;
        }
        let [whole, a, b] = Pool::ALL.map(|pool| self.mean_and_least(scored, pool));
        (score.whole, score.a, score.b) = (whole[0], a[0], b[0]);
        if self.design.members.classes.len() > 2 {
            score.least = whole[1];
        } else {
            let positive = &self.design.targets()[0];
            let interval = self.intervals[Pool::Whole.index()];
            score.monotone = axis.and_then(|axis| monotone::auc(axis, positive, interval, resampler, replicates));
        }
        score
    }

    /// Appends the view's rows of ranks on half B to `rows`: one for every seed and pair, by member, NaN where the view is undefined.
    pub(crate) fn append_ranks(&self, scored: &[ScoredPools], seeds: usize, rows: &mut Vec<Vec<f32>>) {
        let members = self.design.members.rows.len();
        for seed in 0..seeds {
            match scored.get(seed) {
                Some(pools) => rows.extend(pools[Pool::Half(Half::B).index()].ranks(members)),
                None => rows.extend(self.design.pairs.pairs.iter().map(|_| vec![f32::NAN; members])),
            }
        }
    }

    /// Rows over all members, as a matrix over the members of half B.
    pub(crate) fn columns_of_half_b(&self, rows: &[Vec<f32>]) -> Matrix {
        let b = self.design.split.members_of(Half::B);
        let values = rows.iter().flat_map(|row| b.iter().map(|&i| row[i])).collect();
        Matrix::new(rows.len(), b.len(), values).unwrap_or_default()
    }

    /// The members' points in the view, one row a member; `None` when `points` (one row an image) lack one of its axes, or are not finite
    /// there.
    pub(crate) fn points_in_view(&self, view: View, points: &Matrix) -> Option<Matrix> {
        let columns = view.columns(points.columns());
        if columns.iter().any(|&column| column >= points.columns()) {
            return None;
        }
        let in_view = points.select(&columns).take(&self.design.members.rows);
        Some(in_view).filter(|in_view| in_view.first_not_finite().is_none())
    }

    /// The mean AUC over pairs in one pool, of scores under one seed. `resampled`: its values in replicates, sorted.
    pub(crate) fn mean_of(&self, scored: &ScoredPools, pool: Pool, resampled: &[f64]) -> Option<Estimate> {
        let (folds, resampler) = (&scored[pool.index()], self.design.resampler(pool));
        let value = folds.mean_and_least()[0]?;
        let effective = folds.effective_identities_of_losses(resampler.identities(), |member| resampler.identity(member));
        self.intervals[pool.index()].within(folds.usable_folds()).interval(value, resampled, effective)
    }

    /// The mean and the least AUC over pairs in one pool, each the median over projection seeds, with intervals.
    pub(crate) fn mean_and_least(&self, scored: &[ScoredPools], pool: Pool) -> [Option<Estimate>; 2] {
        let pool = pool.index();
        let resampler = self.design.resampler(Pool::ALL[pool]);
        let seeds: Vec<[Option<f64>; 2]> = scored.iter().map(|pools| pools[pool].mean_and_least()).collect();
        let values: [Option<f64>; 2] = std::array::from_fn(|k| median(seeds.iter().map(|seed| seed[k])));
        let median_of_seeds = |weights: ReplicateWeights| {
            let seeds: Vec<[[Option<f64>; 2]; REPLICATES]> =
                scored.iter().map(|pools| pools[pool].mean_and_least_in_replicates(weights)).collect();
            std::array::from_fn(|k| std::array::from_fn(|replicate| median(seeds.iter().map(|seed| seed[replicate][k]))))
        };
        let distributions: [Vec<f64>; 2] = resampler.distributions_of_many(self.design.statistics.bootstraps, median_of_seeds);
        let effective = |pools: &ScoredPools| {
            pools[pool].effective_identities_of_losses(resampler.identities(), |member| resampler.identity(member))
        };
        let effective = scored.iter().map(effective).min_by(f64::total_cmp).unwrap_or(0.0);
        let folds = scored.iter().map(|pools| pools[pool].usable_folds()).max().unwrap_or(FOLDS);
        let interval = self.intervals[pool].within(folds);
        std::array::from_fn(|k| values[k].and_then(|value| interval.interval(value, &distributions[k], effective)))
    }
}

/// Why the scores are shown but not ranked; `None` if they are ranked. `least`: images that a class needs in each half.
fn unranked(question: &Question, a: &Counts, b: &Counts, least: usize) -> Option<String> {
    if question.width() < 2 {
        return Some("a quantity is shown as a gradient, not ranked".into());
    }
    for (half, counts) in [("A", a), ("B", b)] {
        for (class, (&images, &identities)) in counts.exclusive.iter().zip(&counts.identities).enumerate() {
            let class = class + 1;
            let too_few = |n: usize, what: &str, needed: usize| {
                (n < needed).then(|| format!("{TOO_FEW}: class {class} has {n} {what} in half {half}, {needed} are needed"))
            };
            let reason =
                too_few(images, "images", least).or_else(|| too_few(identities, "identities", least.max(LEAST_IDENTITIES)));
            if reason.is_some() {
                return reason;
            }
        }
    }
    None
}
