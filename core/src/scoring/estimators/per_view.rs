//! What every view of one question is scored by: its AUC in the whole and in both halves, its gradient along an axis, the ranks
//! that the simultaneous tests resample.

use super::{
    auc::{REPLICATES, ReplicateWeights},
    knn::{self, Prepared},
    monotone,
    nearest::{FifthNeighborDistances, Sought},
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
            split::{FOLDS, Half},
        },
        inference::bootstrap::median,
    },
};

impl EvaluationDesign<'_> {
    pub fn sought(&self) -> Sought<'_> {
        Sought { rows: &self.members.rows, sets: &self.pairs.sets, split: &self.split }
    }

    pub fn prepare(&self, fifths: &FifthNeighborDistances) -> [Prepared; 3] {
        knn::prepare(fifths, &self.pairs, &self.split)
    }

    /// Of scores that were made in each half by itself: by pair, by member.
    pub fn held_out(&self, scores: &[Vec<f64>]) -> [Prepared; 3] {
        knn::held_out(scores, &self.pairs, &self.split)
    }

    pub fn scores(&self, question: &Question, seeds: usize, views: Vec<ViewScore>) -> Scores {
        let counts =
            |half: Option<Half>| self.members.counts(&self.group, |i| half.is_none_or(|half| self.split.half[i] == half));
        let (counts_a, counts_b) = (counts(Some(Half::A)), counts(Some(Half::B)));
        Scores {
            format: 1,
            unranked: unranked(question, &counts_a, &counts_b, self.statistics.min_positives),
            counts: counts(None),
            counts_a,
            counts_b,
            seeds,
            permuted: [0; 2],
            views,
        }
    }

    /// `prepared`: one a projection seed; none where the view is undefined, or a quantity is asked for.
    pub fn view(&self, view: View, prepared: &[[Prepared; 3]], axis: Option<&Matrix>) -> ViewScore {
        let mut score = ViewScore { view, whole: None, a: None, b: None, least: None, monotone: None };
        let axis = axis.filter(|_| matches!(view, View::Axis(_))).map(Matrix::values);
        let (resampler, turns) = (&self.resamplers[0], self.statistics.bootstraps);
        if let Some(quantity) = &self.members.quantity {
            score.monotone = axis.and_then(|axis| monotone::spearman(axis, quantity, resampler, turns));
            return score;
        }
        let [whole, a, b] = std::array::from_fn(|pool| self.estimate(prepared, pool));
        (score.whole, score.a, score.b) = (whole[0], a[0], b[0]);
        if self.members.classes.len() > 2 {
            score.least = whole[1];
        } else {
            let positive = &self.targets()[0];
            score.monotone = axis.and_then(|axis| monotone::auc(axis, positive, self.scales[0], resampler, turns));
        }
        score
    }

    /// Adds the view's rows of ranks: as many as there are seeds and pairs, whether it is defined or not.
    pub fn rank(&self, prepared: &[[Prepared; 3]], seeds: usize, rows: &mut Vec<Vec<f32>>) {
        let members = self.members.rows.len();
        for seed in 0..seeds {
            match prepared.get(seed) {
                Some([.., b]) => rows.extend(b.ranks(members)),
                None => rows.extend(self.pairs.pairs.iter().map(|_| vec![f32::NAN; members])),
            }
        }
    }

    /// Rows over all members, as a matrix over those of half B.
    pub fn ranks(&self, rows: &[Vec<f32>]) -> Matrix {
        let b = self.split.of(Half::B);
        let values = rows.iter().flat_map(|row| b.iter().map(|&i| row[i])).collect();
        Matrix::new(rows.len(), b.len(), values).unwrap_or_default()
    }

    /// The members' points in the view; `None` when the points lack one of its axes, or hold no numbers there.
    pub fn seen(&self, view: View, points: &Matrix) -> Option<Matrix> {
        let columns = view.columns(points.columns());
        if columns.iter().any(|&column| column >= points.columns()) {
            return None;
        }
        Some(points.select(&columns).take(&self.members.rows)).filter(|seen| seen.first_not_finite().is_none())
    }

    /// Mean and least over pairs in one pool; each resample takes the median over projection seeds.
    pub fn estimate(&self, prepared: &[[Prepared; 3]], pool: usize) -> [Option<Estimate>; 2] {
        let seeds: Vec<[Option<f64>; 2]> = prepared.iter().map(|pools| pools[pool].mean_and_least()).collect();
        let values: [Option<f64>; 2] = std::array::from_fn(|k| median(seeds.iter().map(|seed| seed[k])));
        let sorted: [Vec<f64>; 2] =
            self.resamplers[pool].distributions_of_many(self.statistics.bootstraps, |weights: ReplicateWeights| {
                let seeds: Vec<[[Option<f64>; 2]; REPLICATES]> =
                    prepared.iter().map(|pools| pools[pool].resampled(weights)).collect();
                std::array::from_fn(|k| std::array::from_fn(|turn| median(seeds.iter().map(|seed| seed[turn][k]))))
            });
        let resampler = &self.resamplers[pool];
        let carried = |pools: &[Prepared; 3]| pools[pool].carried(resampler.people(), |member| resampler.identity(member));
        let carried = prepared.iter().map(carried).min_by(f64::total_cmp).unwrap_or(0.0);
        let scale = self.scales[pool].within(prepared.iter().map(|pools| pools[pool].folds()).max().unwrap_or(FOLDS));
        std::array::from_fn(|k| values[k].and_then(|value| scale.interval(value, &sorted[k], carried)))
    }
}

/// Why the scores are shown but not ranked.
fn unranked(question: &Question, a: &Counts, b: &Counts, least: usize) -> Option<String> {
    if question.width() < 2 {
        return Some("a quantity is shown as a gradient, not ranked".into());
    }
    for (half, counts) in [("A", a), ("B", b)] {
        for (class, (&images, &identities)) in counts.exclusive.iter().zip(&counts.identities).enumerate() {
            let place = class + 1;
            let of = |n: usize, what: &str, needed: usize| {
                (n < needed).then(|| format!("{TOO_FEW}: class {place} has {n} {what} in half {half}, {needed} are needed"))
            };
            let few = of(images, "images", least).or_else(|| of(identities, "identities", least.max(LEAST_IDENTITIES)));
            if few.is_some() {
                return few;
            }
        }
    }
    None
}
