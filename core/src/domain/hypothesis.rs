//! Sentences that a study tests (its section `claims`), and what is said of them: supported, refuted or inconclusive.
//!
//! Sentences are written before the study runs, so the interval of each part counts by itself at the upper end. At the lower end the bound
//! is the one that findings use, corrected for all cells tested together.

use super::{
    alteration::Cue,
    index::{ComparisonIx, ModelIx, ProjectionIx},
    nuisance::Nuisance,
};

/// A sentence, and the test that decides on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// As somebody wrote it.
    pub sentence: String,
    /// What is tested.
    pub test: HypothesisTest,
}

/// What of a study's results decides on a sentence.
#[derive(Clone, Debug, PartialEq)]
pub enum HypothesisTest {
    /// Each of the models separates each of the comparisons.
    Separates(Separation),
    /// None of the models separates any of the comparisons.
    Misses(Separation),
    /// One level of a contrast's factor, or one model of its pair, scores higher than what it is held against.
    Higher {
        /// Which contrast of the study, from 0.
        contrast: usize,
        /// The level or the model.
        level: String,
        /// On which comparisons; all where there are none.
        on: Vec<ComparisonIx>,
    },
    /// A view of each of the models holds that much of a nuisance.
    Follows {
        /// At least one.
        models: Vec<ModelIx>,
        /// What might explain a cluster instead of an attribute.
        nuisance: Nuisance,
        /// The least R² that counts, from 0 to 1.
        at_least: f64,
    },
    /// Each of the models attends to a cue: at least this share of what it knows is lost without it.
    Attends {
        /// At least one.
        models: Vec<ModelIx>,
        /// What is taken away.
        cue: Cue,
        /// The least share that counts, from 0 to 1.
        at_least: f64,
    },
    /// One level of a contrast's factor, or one model of its pair, loses a greater share without a cue than what it is held against.
    AttendsMore {
        /// Which contrast of the study, from 0.
        contrast: usize,
        /// The level or the model.
        level: String,
        /// What is taken away.
        cue: Cue,
    },
    /// A projection separates more pairs of a model and a comparison than each of the others does.
    BetterThan {
        /// The projection.
        projection: ProjectionIx,
        /// Those that it is held against; at least one.
        others: Vec<ProjectionIx>,
    },
    /// A projection separates some pair that none of the others' views does: by each of the others counted by itself.
    Rescues {
        /// The projection.
        projection: ProjectionIx,
        /// Those that it is held against; at least one.
        others: Vec<ProjectionIx>,
    },
}

/// Models and comparisons, and which of their cells are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separation {
    /// At least one.
    pub models: Vec<ModelIx>,
    /// At least one.
    pub comparisons: Vec<ComparisonIx>,
    /// Cells at this layer alone.
    pub layer: Option<String>,
    /// Cells of this projection alone.
    pub projection: Option<ProjectionIx>,
}

/// What is said of a sentence, or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HypothesisVerdict {
    /// The numbers show it.
    Supported,
    /// The numbers show the opposite.
    Refuted,
    /// Neither, or there are no numbers.
    Inconclusive,
}

impl HypothesisVerdict {
    /// As pages, screens and exports write it.
    pub fn word(self) -> &'static str {
        match self {
            HypothesisVerdict::Supported => "supported",
            HypothesisVerdict::Refuted => "refuted",
            HypothesisVerdict::Inconclusive => "inconclusive",
        }
    }

    /// Of the opposite sentence.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            HypothesisVerdict::Supported => HypothesisVerdict::Refuted,
            HypothesisVerdict::Refuted => HypothesisVerdict::Supported,
            HypothesisVerdict::Inconclusive => HypothesisVerdict::Inconclusive,
        }
    }

    /// Of the sentence that a number is no less than a threshold: its lower bound reaches it; or the upper end of its own interval is below.
    pub fn of_bounds(low: Option<f64>, high: Option<f64>, threshold: f64) -> Self {
        if low.is_some_and(|low| low >= threshold) {
            HypothesisVerdict::Supported
        } else if high.is_some_and(|high| high < threshold) {
            HypothesisVerdict::Refuted
        } else {
            HypothesisVerdict::Inconclusive
        }
    }

    /// Of the sentence that one of two separates more: `own` and `other` pairs are separated by one of both alone. An exact sign test at 5 %.
    pub fn of_more(own: usize, other: usize) -> Self {
        if two_sided_sign_test(own, other) > 0.05 {
            HypothesisVerdict::Inconclusive
        } else if own > other {
            HypothesisVerdict::Supported
        } else {
            HypothesisVerdict::Refuted
        }
    }

    /// Of a sentence that holds where each of its parts does: one that is refuted refutes it.
    pub fn of_all(parts: impl IntoIterator<Item = Self>) -> Self {
        // Without parts nothing was measured.
        parts.into_iter().max_by_key(|part| part.weight()).unwrap_or(HypothesisVerdict::Inconclusive)
    }

    /// Of a sentence about what is mostly so: some parts show it, and none the opposite.
    pub fn of_most(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<Self> = parts.into_iter().collect();
        let is_any = |verdict| parts.contains(&verdict);
        match (is_any(HypothesisVerdict::Supported), is_any(HypothesisVerdict::Refuted)) {
            (true, false) => HypothesisVerdict::Supported,
            (false, true) => HypothesisVerdict::Refuted,
            _ => HypothesisVerdict::Inconclusive,
        }
    }

    /// What decides on a sentence about all of its parts.
    fn weight(self) -> u8 {
        match self {
            HypothesisVerdict::Supported => 0,
            HypothesisVerdict::Inconclusive => 1,
            HypothesisVerdict::Refuted => 2,
        }
    }
}

/// The p-value of as uneven a division as this one, or a more uneven one, by tosses of a fair coin (Dixon and Mood 1946).
fn two_sided_sign_test(heads: usize, tails: usize) -> f64 {
    let n = heads + tails;
    let fewer = heads.min(tails);
    // Of each number of heads the probability, from that of one fewer.
    let mut probability = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut tail = 0.0;
    for k in 0..=fewer {
        tail += probability;
        probability *= (n - k) as f64 / (k + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::{HypothesisVerdict::*, *};

    #[test]
    fn a_view_separates_by_its_lower_bound_and_does_not_by_its_upper_end() {
        let of = |low, high| HypothesisVerdict::of_bounds(Some(low), Some(high), 0.7);
        assert_eq!([of(0.7, 0.9), of(0.6, 0.8), of(0.4, 0.69), of(0.4, 0.7)], [Supported, Inconclusive, Refuted, Inconclusive]);
        assert_eq!(HypothesisVerdict::of_bounds(None, None, 0.7), Inconclusive, "too few to say");
        assert_eq!([Supported.turned(), Refuted.turned(), Inconclusive.turned()], [Refuted, Supported, Inconclusive]);
    }

    #[test]
    fn more_is_what_a_fair_coin_would_rarely_give() {
        let p = two_sided_sign_test;
        for (heads, tails, expected) in [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (3, 3, 1.0), (9, 1, 0.021_484_375)] {
            assert!((p(heads, tails) - expected).abs() < 1e-12 && (p(tails, heads) - expected).abs() < 1e-12, "{heads} {tails}");
        }
        let more = HypothesisVerdict::of_more;
        assert_eq!([more(6, 0), more(5, 0), more(0, 6), more(9, 1)], [Supported, Inconclusive, Refuted, Supported]);
    }

    #[test]
    fn one_refuted_part_refutes_a_sentence_about_all() {
        let all = |parts: &[HypothesisVerdict]| HypothesisVerdict::of_all(parts.iter().copied());
        assert_eq!(all(&[Supported, Supported]), Supported);
        assert_eq!(all(&[Supported, Inconclusive]), Inconclusive);
        assert_eq!(all(&[Inconclusive, Refuted, Supported]), Refuted);
        assert_eq!(all(&[]), Inconclusive, "nothing was measured");
    }

    #[test]
    fn some_parts_for_it_and_none_against_it_support_a_sentence_about_most() {
        let most = |parts: &[HypothesisVerdict]| HypothesisVerdict::of_most(parts.iter().copied());
        assert_eq!(most(&[Supported, Inconclusive, Inconclusive]), Supported);
        assert_eq!(most(&[Refuted, Inconclusive]), Refuted);
        assert_eq!(most(&[Supported, Refuted]), Inconclusive, "higher on one, lower on another");
        assert_eq!(most(&[Inconclusive]), Inconclusive);
        assert_eq!(most(&[]), Inconclusive);
    }
}
