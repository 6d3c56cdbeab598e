//! The area under the ROC curve as the Mann–Whitney statistic, ties counting half, with whole-number weights.
//!
//! Sums of halves below 2⁵² are exact in `f64`, so the order of summation cannot change a bit.

use crate::numeric::multiversion::multiversion;

/// Resamples that are weighed at once.
pub const REPLICATES: usize = 16;

/// How often an identity was drawn in each of them. Of n identities nobody is drawn more than n times, and of more than 255 nobody
/// ever so often. In bytes, and of identities, they are few enough for the processor's nearest cache.
pub type Times = [u8; REPLICATES];

/// What members weigh in resamples: each as much as its identity was drawn often.
#[derive(Clone, Copy)]
pub struct ReplicateWeights<'a> {
    pub times: &'a [Times],
    /// By member, whose times those are.
    pub identity: &'a [u32],
}

impl<'a> ReplicateWeights<'a> {
    #[inline(always)]
    pub fn of(self, member: usize) -> &'a Times {
        &self.times[self.identity[member] as usize]
    }
}

/// Scored members of one fold, sorted once, weighted often.
pub struct Sorted {
    /// By ascending score: the member, whether it is positive, and whether it ends a run of equal scores.
    order: Vec<(u32, bool, bool)>,
}

/// Σ w⁺w⁻ [s⁺ > s⁻] + ½ [s⁺ = s⁻], and Σ w⁺ · Σ w⁻.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UStatistic {
    pub won: f64,
    pub played: f64,
}

impl std::ops::Add for UStatistic {
    type Output = UStatistic;

    fn add(self, other: UStatistic) -> UStatistic {
        UStatistic { won: self.won + other.won, played: self.played + other.played }
    }
}

impl UStatistic {
    /// `None` when one class is empty.
    pub fn auc(self) -> Option<f64> {
        (self.played > 0.0).then(|| self.won / self.played)
    }
}

/// The AUC within folds in several resamples, by weights of members.
pub fn resampled(folds: &[Sorted], weights: ReplicateWeights) -> [Option<f64>; REPLICATES] {
    let mut wins = [UStatistic::default(); REPLICATES];
    folds.iter().for_each(|fold| add_wins(&fold.order, weights, &mut wins));
    wins.map(UStatistic::auc)
}

impl Sorted {
    /// `scored`: member, score, positive?
    pub fn new(mut scored: Vec<(u32, f64, bool)>) -> Self {
        scored.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let ends = |i: usize| scored.get(i + 1).is_none_or(|next| next.1 != scored[i].1);
        Sorted { order: (0..scored.len()).map(|i| (scored[i].0, scored[i].2, ends(i))).collect() }
    }

    pub fn wins(&self, weight: impl Fn(usize) -> u32) -> UStatistic {
        let (mut won, mut positives, mut negatives) = (0.0, 0.0, 0.0);
        let (mut tied_positives, mut tied_negatives) = (0.0, 0.0);
        for &(member, positive, ends) in &self.order {
            let weight = f64::from(weight(member as usize));
            if positive {
                tied_positives += weight;
            } else {
                tied_negatives += weight;
            }
            if ends {
                won += tied_positives * (negatives + 0.5 * tied_negatives);
                positives += tied_positives;
                negatives += tied_negatives;
                (tied_positives, tied_negatives) = (0.0, 0.0);
            }
        }
        UStatistic { won, played: positives * negatives }
    }

    /// Members of a class.
    pub fn count(&self, positive: bool) -> usize {
        self.order.iter().filter(|(_, of, _)| *of == positive).count()
    }

    /// What every member lost of its pairs, a tie by half.
    pub fn lost(&self, mut tell: impl FnMut(usize, bool, f64)) {
        let all = self.count(false) as f64;
        let (mut positives, mut negatives, mut first) = (0.0, 0.0, 0);
        for (place, &(.., ends)) in self.order.iter().enumerate() {
            if !ends {
                continue;
            }
            let tied = &self.order[first..=place];
            let of_positive = tied.iter().filter(|(_, positive, _)| *positive).count() as f64;
            let of_negative = tied.len() as f64 - of_positive;
            for &(member, positive, _) in tied {
                let lost = if positive { all - negatives - 0.5 * of_negative } else { positives + 0.5 * of_positive };
                tell(member as usize, positive, lost);
            }
            positives += of_positive;
            negatives += of_negative;
            first = place + 1;
        }
    }

    /// Every member's rank among them, from 1, ties sharing their mean: `out` is by member.
    pub fn ranks(&self, out: &mut [f32]) {
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

multiversion! { fn add_wins(order: &[(u32, bool, bool)], weights: ReplicateWeights, wins: &mut [UStatistic; REPLICATES]) = add_wins_kernel }

#[inline(always)]
fn add_wins_kernel(order: &[(u32, bool, bool)], weights: ReplicateWeights, wins: &mut [UStatistic; REPLICATES]) {
    let (mut won, mut negatives, mut positives) = ([0.0; REPLICATES], [0.0; REPLICATES], [0.0; REPLICATES]);
    let mut first = 0;
    while first < order.len() {
        let (member, positive, ends) = order[first];
        first += 1;
        let weight = weights.of(member as usize);
        // Most scores are nobody else's. Whose they are cannot be guessed, so nothing branches on it.
        if ends {
            let is = f64::from(u8::from(positive));
            for turn in 0..REPLICATES {
                let weight = f64::from(weight[turn]);
                let of_positive = weight * is;
                won[turn] += of_positive * negatives[turn];
                positives[turn] += of_positive;
                negatives[turn] += weight - of_positive;
            }
        } else {
            let mut tied = [[0.0; REPLICATES]; 2];
            first -= 1;
            loop {
                let (member, positive, ends) = order[first];
                first += 1;
                let (tied, weight) = (&mut tied[usize::from(positive)], weights.of(member as usize));
                for turn in 0..REPLICATES {
                    tied[turn] += f64::from(weight[turn]);
                }
                if ends {
                    break;
                }
            }
            for turn in 0..REPLICATES {
                won[turn] += tied[1][turn] * (negatives[turn] + 0.5 * tied[0][turn]);
                negatives[turn] += tied[0][turn];
                positives[turn] += tied[1][turn];
            }
        }
    }
    for turn in 0..REPLICATES {
        wins[turn] = wins[turn] + UStatistic { won: won[turn], played: negatives[turn] * positives[turn] };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs_won(scored in prop::collection::vec((0u8..6, any::<bool>(), 0u32..4), 1..40)) {
            let sorted = Sorted::new(scored.iter().enumerate().map(|(i, s)| (i as u32, f64::from(s.0), s.1)).collect());
            let (mut won, mut played) = (0.0, 0.0);
            for (p, _, wp) in scored.iter().filter(|s| s.1) {
                for (n, _, wn) in scored.iter().filter(|s| !s.1) {
                    let weight = f64::from(wp * wn);
                    played += weight;
                    won += weight * if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                }
            }
            prop_assert_eq!(sorted.wins(|i| scored[i].2), UStatistic { won, played });
            let times: Vec<Times> = scored.iter().map(|s| std::array::from_fn(|turn| (s.2 as usize * turn) as u8)).collect();
            let mut many = [UStatistic::default(); REPLICATES];
            let identity: Vec<u32> = (0..scored.len() as u32).collect();
            add_wins(&sorted.order, ReplicateWeights { times: &times, identity: &identity }, &mut many);
            for (turn, many) in many.into_iter().enumerate() {
                prop_assert_eq!(many, sorted.wins(|i| scored[i].2 * turn as u32));
            }
            let (mut lost_positives, mut lost_negatives) = (0.0, 0.0);
            sorted.lost(|member, positive, lost| {
                assert_eq!(positive, scored[member].1);
                *(if positive { &mut lost_positives } else { &mut lost_negatives }) += lost;
            });
            let once = sorted.wins(|_| 1);
            prop_assert_eq!((lost_positives, lost_negatives), (once.played - once.won, once.played - once.won));
            // Wins are the sum of the positives' ranks, less what it is at the least (Mann and Whitney, 1947).
            let mut ranks = vec![0.0; scored.len()];
            sorted.ranks(&mut ranks);
            let positives = scored.iter().filter(|s| s.1).count() as f64;
            let sum: f64 = scored.iter().zip(&ranks).filter(|(s, _)| s.1).map(|(_, rank)| f64::from(*rank)).sum();
            prop_assert_eq!(sum - positives * (positives + 1.0) / 2.0, sorted.wins(|_| 1).won);
        }
    }
}
