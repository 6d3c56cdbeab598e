//! The area under the ROC curve as the Mann–Whitney statistic, ties counting half, with whole-number weights.
//!
//! Sums of halves below 2⁵² are exact in `f64`, so the order of summation cannot change a bit.

/// Scored members of one fold, sorted once, weighted often.
pub struct Sorted {
    /// By ascending score: the member, whether it is positive, and whether it ends a run of equal scores.
    order: Vec<(u32, bool, bool)>,
}

/// Σ w⁺w⁻ [s⁺ > s⁻] + ½ [s⁺ = s⁻], and Σ w⁺ · Σ w⁻.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wins {
    pub won: f64,
    pub played: f64,
}

impl std::ops::Add for Wins {
    type Output = Wins;

    fn add(self, other: Wins) -> Wins {
        Wins { won: self.won + other.won, played: self.played + other.played }
    }
}

impl Wins {
    /// `None` when one class is empty.
    pub fn auc(self) -> Option<f64> {
        (self.played > 0.0).then(|| self.won / self.played)
    }
}

impl Sorted {
    /// `scored`: member, score, positive?
    pub fn new(mut scored: Vec<(u32, f64, bool)>) -> Self {
        scored.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        let ends = |i: usize| scored.get(i + 1).is_none_or(|next| next.1 != scored[i].1);
        Sorted { order: (0..scored.len()).map(|i| (scored[i].0, scored[i].2, ends(i))).collect() }
    }

    pub fn wins(&self, weight: impl Fn(usize) -> u32) -> Wins {
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
        Wins { won, played: positives * negatives }
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
            prop_assert_eq!(sorted.wins(|i| scored[i].2), Wins { won, played });
        }
    }
}
