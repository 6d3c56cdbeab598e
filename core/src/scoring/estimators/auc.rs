//! The area under the ROC curve as the Mann–Whitney statistic, ties counting half, with whole-number weights.
//!
//! Sums of halves below 2⁵² are exact in `f64`, so the order of summation cannot change a bit.

use crate::{
    numeric::multiversion::multiversion,
    scoring::design::resample::{REPLICATES, ReplicateWeights},
};

/// Scored members of one fold, sorted once, weighted often.
pub(crate) struct Sorted {
    /// By ascending score: the member, whether it is positive, and whether it ends a run of equal scores.
    order: Vec<(u32, bool, bool)>,
}

/// The Mann–Whitney statistic of weighted scores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct UStatistic {
    /// Σ w⁺w⁻ ([s⁺ > s⁻] + ½ [s⁺ = s⁻]) over all pairs of a positive and a negative.
    pub u: f64,
    /// Σ w⁺ · Σ w⁻: the number of pairs.
    pub pairs: f64,
}

impl std::ops::Add for UStatistic {
    type Output = UStatistic;

    fn add(self, other: UStatistic) -> UStatistic {
        UStatistic { u: self.u + other.u, pairs: self.pairs + other.pairs }
    }
}

impl UStatistic {
    /// u / pairs; `None` when one class is empty.
    pub(crate) fn auc(self) -> Option<f64> {
        (self.pairs > 0.0).then(|| self.u / self.pairs)
    }
}

/// The AUC within folds in [`REPLICATES`] replicates.
pub(crate) fn auc_in_replicates(folds: &[Sorted], weights: ReplicateWeights) -> [Option<f64>; REPLICATES] {
    let mut statistics = [UStatistic::default(); REPLICATES];
    folds.iter().for_each(|fold| add_u(&fold.order, weights, &mut statistics));
    statistics.map(UStatistic::auc)
}

impl Sorted {
    /// `scored`: member, score, whether it is positive. Scores are not NaN.
    pub(crate) fn new(mut scored: Vec<(u32, f64, bool)>) -> Self {
        scored.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let ends = |i: usize| scored.get(i + 1).is_none_or(|next| next.1 != scored[i].1);
        Sorted { order: (0..scored.len()).map(|i| (scored[i].0, scored[i].2, ends(i))).collect() }
    }

    /// With a whole-number weight for each member.
    pub(crate) fn u_statistic(&self, weight: impl Fn(usize) -> u32) -> UStatistic {
        let (mut u, mut positives, mut negatives) = (0.0, 0.0, 0.0);
        let (mut tied_positives, mut tied_negatives) = (0.0, 0.0);
        for &(member, positive, ends) in &self.order {
            let weight = f64::from(weight(member as usize));
            if positive {
                tied_positives += weight;
            } else {
                tied_negatives += weight;
            }
            if ends {
                u += tied_positives * (negatives + 0.5 * tied_negatives);
                positives += tied_positives;
                negatives += tied_negatives;
                (tied_positives, tied_negatives) = (0.0, 0.0);
            }
        }
        UStatistic { u, pairs: positives * negatives }
    }

    /// The number of members of a class.
    pub(crate) fn count(&self, positive: bool) -> usize {
        self.order.iter().filter(|(_, class, _)| *class == positive).count()
    }

    /// Calls `visit` with every member, whether it is positive, and how many of its pairs are ordered wrongly, a tie counting half.
    pub(crate) fn for_each_loss(&self, mut visit: impl FnMut(usize, bool, f64)) {
        let all = self.count(false) as f64;
        let (mut positives, mut negatives, mut first) = (0.0, 0.0, 0);
        for (place, &(.., ends)) in self.order.iter().enumerate() {
            if !ends {
                continue;
            }
            let tied = &self.order[first..=place];
            let tied_positives = tied.iter().filter(|(_, positive, _)| *positive).count() as f64;
            let tied_negatives = tied.len() as f64 - tied_positives;
            for &(member, positive, _) in tied {
                let lost = if positive { all - negatives - 0.5 * tied_negatives } else { positives + 0.5 * tied_positives };
                visit(member as usize, positive, lost);
            }
            positives += tied_positives;
            negatives += tied_negatives;
            first = place + 1;
        }
    }

    /// Writes every member's rank in the fold, from 1, ties sharing their mean: `out` is by member.
    pub(crate) fn ranks(&self, out: &mut [f32]) {
        let mut first = 0;
        for (place, &(.., ends)) in self.order.iter().enumerate() {
            if ends {
                let rank = (first + place + 2) as f32 / 2.0;
                self.order[first..=place].iter().for_each(|(member, ..)| out[*member as usize] = rank);
                first = place + 1;
            }
        }
    }
}

multiversion! { fn add_u(order: &[(u32, bool, bool)], weights: ReplicateWeights, statistics: &mut [UStatistic; REPLICATES]) = add_u_kernel }

#[inline(always)]
fn add_u_kernel(order: &[(u32, bool, bool)], weights: ReplicateWeights, statistics: &mut [UStatistic; REPLICATES]) {
    let (mut u, mut negatives, mut positives) = ([0.0; REPLICATES], [0.0; REPLICATES], [0.0; REPLICATES]);
    let mut first = 0;
    while first < order.len() {
        let (member, positive, ends) = order[first];
        first += 1;
        let weight = weights.of(member as usize);
        // Most scores are not tied. Their class cannot be predicted, so nothing branches on it.
        if ends {
            let is = f64::from(u8::from(positive));
            for replicate in 0..REPLICATES {
                let weight = f64::from(weight[replicate]);
                let positive_weight = weight * is;
                u[replicate] += positive_weight * negatives[replicate];
                positives[replicate] += positive_weight;
                negatives[replicate] += weight - positive_weight;
            }
        } else {
            let mut tied = [[0.0; REPLICATES]; 2];
            first -= 1;
            loop {
                let (member, positive, ends) = order[first];
                first += 1;
                let (tied, weight) = (&mut tied[usize::from(positive)], weights.of(member as usize));
                for replicate in 0..REPLICATES {
                    tied[replicate] += f64::from(weight[replicate]);
                }
                if ends {
                    break;
                }
            }
            for replicate in 0..REPLICATES {
                u[replicate] += tied[1][replicate] * (negatives[replicate] + 0.5 * tied[0][replicate]);
                negatives[replicate] += tied[0][replicate];
                positives[replicate] += tied[1][replicate];
            }
        }
    }
    for replicate in 0..REPLICATES {
        statistics[replicate] =
            statistics[replicate] + UStatistic { u: u[replicate], pairs: negatives[replicate] * positives[replicate] };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::design::resample::Multiplicities;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn u_counts_pairs_that_are_ordered_rightly(scored in prop::collection::vec((0u8..6, any::<bool>(), 0u32..4), 1..40)) {
            let sorted = Sorted::new(scored.iter().enumerate().map(|(i, s)| (i as u32, f64::from(s.0), s.1)).collect());
            let (mut u, mut pairs) = (0.0, 0.0);
            for (p, _, wp) in scored.iter().filter(|s| s.1) {
                for (n, _, wn) in scored.iter().filter(|s| !s.1) {
                    let weight = f64::from(wp * wn);
                    pairs += weight;
                    u += weight * if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                }
            }
            prop_assert_eq!(sorted.u_statistic(|i| scored[i].2), UStatistic { u, pairs });
            let multiplicities: Vec<Multiplicities> = scored.iter().map(|s| std::array::from_fn(|replicate| (s.2 as usize * replicate) as u8)).collect();
            let mut many = [UStatistic::default(); REPLICATES];
            let identity: Vec<u32> = (0..scored.len() as u32).collect();
            add_u(&sorted.order, ReplicateWeights { multiplicities: &multiplicities, identity: &identity }, &mut many);
            for (replicate, many) in many.into_iter().enumerate() {
                prop_assert_eq!(many, sorted.u_statistic(|i| scored[i].2 * replicate as u32));
            }
            let (mut lost_positives, mut lost_negatives) = (0.0, 0.0);
            sorted.for_each_loss(|member, positive, lost| {
                assert_eq!(positive, scored[member].1);
                *(if positive { &mut lost_positives } else { &mut lost_negatives }) += lost;
            });
            let once = sorted.u_statistic(|_| 1);
            prop_assert_eq!((lost_positives, lost_negatives), (once.pairs - once.u, once.pairs - once.u));
            // U is the sum of the positives' ranks, less what it is at the least (Mann and Whitney, 1947).
            let mut ranks = vec![0.0; scored.len()];
            sorted.ranks(&mut ranks);
            let positives = scored.iter().filter(|s| s.1).count() as f64;
            let sum: f64 = scored.iter().zip(&ranks).filter(|(s, _)| s.1).map(|(_, rank)| f64::from(*rank)).sum();
            prop_assert_eq!(sum - positives * (positives + 1.0) / 2.0, sorted.u_statistic(|_| 1).u);
        }
    }
}
