//! Counts of labels and predictions in one group, and the rates that follow from them.
//!
//! A rate with an empty denominator is undefined, `None`. Peers (AIF360, Fairlearn) write 0 or 1 there, and a group without
//! positives then has the worst true positive rate of all. Counts are weighted; a weight is finite and not negative.

/// A confusion table of one group, in sums of weights (in images, where each weighs 1). Collected from (label, prediction, weight)
/// triples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Confusion {
    /// Positives that are predicted positive.
    pub true_positives: f64,
    /// Negatives that are predicted positive.
    pub false_positives: f64,
    /// Negatives that are predicted negative.
    pub true_negatives: f64,
    /// Positives that are predicted negative.
    pub false_negatives: f64,
}

/// One of the rates below, from 0 to 1.
pub type RateOf = fn(&Confusion) -> Option<f64>;

impl FromIterator<(bool, bool, f64)> for Confusion {
    fn from_iter<I: IntoIterator<Item = (bool, bool, f64)>>(rows: I) -> Self {
        let mut counts = Confusion::default();
        for (label, prediction, weight) in rows {
            *match (label, prediction) {
                (true, true) => &mut counts.true_positives,
                (false, true) => &mut counts.false_positives,
                (false, false) => &mut counts.true_negatives,
                (true, false) => &mut counts.false_negatives,
            } += weight;
        }
        counts
    }
}

impl Confusion {
    /// The weight of all images.
    pub fn n(&self) -> f64 {
        self.true_positives + self.false_positives + self.true_negatives + self.false_negatives
    }

    /// The weight of images with the label.
    pub fn positives(&self) -> f64 {
        self.true_positives + self.false_negatives
    }

    /// The weight of images without the label.
    pub fn negatives(&self) -> f64 {
        self.false_positives + self.true_negatives
    }

    /// The weight of images that are predicted positive, whatever their labels.
    pub fn predicted_positives(&self) -> f64 {
        self.true_positives + self.false_positives
    }

    /// P(label).
    pub fn base_rate(&self) -> Option<f64> {
        share(self.positives(), self.n())
    }

    /// True positive rate, or recall: P(prediction | label).
    pub fn tpr(&self) -> Option<f64> {
        share(self.true_positives, self.positives())
    }

    /// False negative rate, or miss rate: P(no prediction | label), which is 1 − TPR.
    pub fn fnr(&self) -> Option<f64> {
        share(self.false_negatives, self.positives())
    }

    /// False positive rate: P(prediction | no label).
    pub fn fpr(&self) -> Option<f64> {
        share(self.false_positives, self.negatives())
    }
}

/// `None` where the denominator is 0.
pub(super) fn share(part: f64, whole: f64) -> Option<f64> {
    Some(part / whole).filter(|share| share.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::peers::{RATES, confusion};
    use proptest::prelude::*;

    #[test]
    fn a_group_without_images_has_no_rates() {
        let empty = Confusion::default();
        assert_eq!((empty.n(), empty.positives(), empty.negatives(), empty.predicted_positives()), (0.0, 0.0, 0.0, 0.0));
        for (name, rate_of) in RATES {
            assert_eq!(rate_of(&empty), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_is_between_0_and_1(counts in confusion()) {
            for (name, rate_of) in RATES {
                prop_assert!(rate_of(&counts).is_none_or(|rate| (0.0..=1.0).contains(&rate)), "{}", name);
            }
        }

        #[test]
        fn a_weight_counts_as_that_many_images(rows in prop::collection::vec((any::<bool>(), any::<bool>(), 0u8..5), 0..30)) {
            let weighted: Confusion =
                rows.iter().map(|(label, prediction, weight)| (*label, *prediction, f64::from(*weight))).collect();
            let repeated: Confusion = rows
                .iter()
                .flat_map(|(label, prediction, times)| vec![(*label, *prediction, 1.0); usize::from(*times)])
                .collect();
            prop_assert_eq!(weighted, repeated);
        }
    }
}
