//! The balanced nearest-neighbour AUC. An image's score is ln(distance to its 5th-nearest negative) − ln(distance to its 5th-nearest
//! positive) among the other folds; the AUC is taken within folds and averaged by n⁺n⁻. Balanced, because each class is asked for its
//! own fifth: a rare class is not outvoted.

use super::{
    auc::{Sorted, UStatistic, auc_in_replicates},
    nearest::FifthNeighborDistances,
};
use crate::scoring::design::{
    pairs::ClassPairs,
    resample::{REPLICATES, ReplicateWeights},
    split::{FOLDS, Pool, Split},
};

/// The scored members of one pool: per pair of classes, per fold.
pub(crate) struct ScoredFolds(pub Vec<Vec<Sorted>>);

/// One for each of [`Pool::ALL`].
pub(crate) type ScoredPools = [ScoredFolds; 3];

/// Scores every member once in the whole and once in its half. Resamples only weight these out-of-fold scores.
pub(crate) fn score_members(fifths: &FifthNeighborDistances, pairs: &ClassPairs, split: &Split) -> ScoredPools {
    Pool::ALL.map(|pool| {
        let score = |pair: usize, i: usize| {
            let (p, q) = pairs.pairs[pair];
            let distances = &fifths[i][usize::from(pool != Pool::Whole)];
            distances[q] - distances[p]
        };
        scored_folds(pairs, split, pool, FOLDS, |i| split.fold[i], score)
    })
}

/// The same for scores that were made elsewhere, in each half by itself: by pair, by member. Scores of two halves are not compared
/// with each other.
pub(crate) fn sort_held_out(scores: &[Vec<f64>], pairs: &ClassPairs, split: &Split) -> ScoredPools {
    Pool::ALL.map(|pool| scored_folds(pairs, split, pool, 2 * FOLDS, |i| split.half_and_fold(i), |pair, i| scores[pair][i]))
}

fn scored_folds(
    pairs: &ClassPairs,
    split: &Split,
    pool: Pool,
    folds: usize,
    fold_of: impl Fn(usize) -> usize,
    score: impl Fn(usize, usize) -> f64,
) -> ScoredFolds {
    let of_pair = |(pair, &(p, q)): (usize, &(usize, usize))| {
        let mut scored = vec![vec![]; folds];
        let in_pair = |i: &usize| (pairs.sets[p][*i] || pairs.sets[q][*i]) && pool.holds(split.half[*i]);
        for i in (0..split.fold.len()).filter(in_pair) {
            let score = score(pair, i);
            if !score.is_nan() {
                scored[fold_of(i)].push((i as u32, score, pairs.sets[p][i]));
            }
        }
        scored.into_iter().map(Sorted::new).collect()
    };
    ScoredFolds(pairs.pairs.iter().enumerate().map(of_pair).collect())
}

impl ScoredFolds {
    /// The mean and the least AUC over pairs, in the sample; `None` when no pair has both classes.
    pub(crate) fn mean_and_least(&self) -> [Option<f64>; 2] {
        mean_and_least(self.0.iter().map(|folds| u_statistic(folds).auc()))
    }

    /// The same in [`REPLICATES`] replicates.
    pub(crate) fn mean_and_least_in_replicates(&self, weights: ReplicateWeights) -> [[Option<f64>; 2]; REPLICATES] {
        let pairs: Vec<[Option<f64>; REPLICATES]> = self.0.iter().map(|folds| auc_in_replicates(folds, weights)).collect();
        std::array::from_fn(|replicate| mean_and_least(pairs.iter().map(|pair| pair[replicate])))
    }

    /// The number of folds that hold both classes, of the pair that has most; at least 1.
    pub(crate) fn usable_folds(&self) -> usize {
        let both = |fold: &&Sorted| fold.count(true) > 0 && fold.count(false) > 0;
        self.0.iter().map(|folds| folds.iter().filter(both).count()).max().unwrap_or(0).max(1)
    }

    /// The least of [`effective_identities_of_losses`] over pairs.
    pub(crate) fn effective_identities_of_losses(&self, identities: usize, identity: impl Fn(usize) -> usize) -> f64 {
        let of_pair = |folds: &Vec<Sorted>| effective_identities_of_losses(folds, identities, &identity);
        self.0.iter().map(of_pair).min_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// Per pair, every member's rank in its fold, from 1; NaN for members that the pair does not score.
    pub(crate) fn ranks(&self, members: usize) -> Vec<Vec<f32>> {
        let of_pair = |folds: &Vec<Sorted>| {
            let mut ranks = vec![f32::NAN; members];
            folds.iter().for_each(|fold| fold.ranks(&mut ranks));
            ranks
        };
        self.0.iter().map(of_pair).collect()
    }
}

/// How many identities carry what keeps the AUC from being 1 (or 0, if that is nearer): Kish's (1965) effective number of the pairs that
/// each lost, the lesser of both classes; 0 where none was lost. `identity`: by member, below `identities`.
pub(crate) fn effective_identities_of_losses(folds: &[Sorted], identities: usize, identity: impl Fn(usize) -> usize) -> f64 {
    let statistic = u_statistic(folds);
    let below_half = statistic.u < 0.5 * statistic.pairs;
    let mut losses = [vec![0.0; identities], vec![0.0; identities]];
    for fold in folds {
        let counts = [true, false].map(|class| fold.count(class) as f64);
        fold.for_each_loss(|member, positive, lost| {
            let lost = if below_half { counts[usize::from(positive)] - lost } else { lost };
            losses[usize::from(!positive)][identity(member)] += lost;
        });
    }
    kish(&losses[0]).min(kish(&losses[1]))
}

/// Kish's effective number: (Σ x)² / Σ x²; 0 where all are 0.
pub(crate) fn kish(values: &[f64]) -> f64 {
    let (total, squares) = (values.iter().sum::<f64>(), values.iter().map(|value| value * value).sum::<f64>());
    if squares > 0.0 { total * total / squares } else { 0.0 }
}

/// In the sample, over all folds.
pub(crate) fn u_statistic(folds: &[Sorted]) -> UStatistic {
    folds.iter().map(|fold| fold.u_statistic(|_| 1)).fold(UStatistic::default(), |a, b| a + b)
}

fn mean_and_least(pairs: impl Iterator<Item = Option<f64>>) -> [Option<f64>; 2] {
    let all: Vec<f64> = pairs.flatten().collect();
    let mean = (!all.is_empty()).then(|| crate::numeric::sum::mean(&all));
    [mean, all.iter().copied().min_by(f64::total_cmp)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(scored: &[(f64, bool)]) -> Sorted {
        Sorted::new(scored.iter().enumerate().map(|(i, (score, positive))| (i as u32, *score, *positive)).collect())
    }

    #[test]
    fn losses_that_one_identity_carries_are_effectively_of_one() {
        // Member 0, a positive, lies below both negatives; the other positives lie above.
        let folds = [fold(&[(0.0, true), (1.0, false), (1.5, false), (2.0, true), (3.0, true)])];
        assert_eq!(effective_identities_of_losses(&folds, 5, |member| member), 1.0);
        let perfect = [fold(&[(0.0, false), (1.0, true)])];
        assert_eq!(effective_identities_of_losses(&perfect, 2, |member| member), 0.0);
    }

    #[test]
    fn kishs_number_counts_equal_shares_and_only_them() {
        assert_eq!((kish(&[2.0, 2.0, 2.0, 0.0]), kish(&[5.0]), kish(&[0.0, 0.0])), (3.0, 1.0, 0.0));
    }

    #[test]
    fn the_mean_and_the_least_are_over_pairs_that_have_both_classes() {
        let scored = ScoredFolds(vec![
            vec![fold(&[(0.0, false), (1.0, true)])],
            vec![fold(&[(1.0, false), (0.0, true)])],
            vec![fold(&[(0.0, true)])],
        ]);
        assert_eq!(scored.mean_and_least(), [Some(0.5), Some(0.0)]);
        assert_eq!(scored.usable_folds(), 1);
        assert_eq!(ScoredFolds(vec![]).mean_and_least(), [None, None]);
    }
}
