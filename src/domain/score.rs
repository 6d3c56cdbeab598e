//! Scores: a number with its interval and counts; never a bare float.

use super::projection::View;
use serde::{Deserialize, Serialize};

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Who took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Images with every label the comparison needs, and in at least one class.
    pub n: usize,
    /// Images in each class, in the comparison's order (one entry for a quantity).
    pub classes: Vec<usize>,
    /// Images of each class that are in no other: what pairs compare. The least over the other classes, where there are
    /// several.
    pub exclusive: Vec<usize>,
    /// Identities of those.
    pub identities: Vec<usize>,
    /// Identities in all.
    pub people: usize,
    /// Images in more than one class, and labelled images in none.
    pub several: usize,
    pub none: usize,
}

/// One view's scores on one comparison. `whole` is over all images; `a` chooses; `b` is what is quoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewScore {
    pub view: View,
    /// Balanced kNN AUC; with several classes the mean over their pairs. `None` where a class is too small to have one.
    pub whole: Option<Estimate>,
    pub a: Option<Estimate>,
    pub b: Option<Estimate>,
    /// With three classes or more: the pair that separates least, over all images.
    pub least: Option<Estimate>,
    /// Mann–Whitney AUC along one axis (two classes), or |Spearman's ρ| (a quantity): a gradient. Over all images.
    pub monotone: Option<Estimate>,
}

/// What a `score` stage leaves: every view of one projection (or the features themselves) on one comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    pub format: u32,
    pub counts: Counts,
    pub counts_a: Counts,
    pub counts_b: Counts,
    /// Why these scores are shown but not ranked; `None` when they are ranked.
    pub unranked: Option<String>,
    pub seeds: usize,
    pub views: Vec<ViewScore>,
}

/// How well features tell whether two pictures are of the same person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    pub format: u32,
    pub people: usize,
    /// Pairs of one person, and of two.
    pub same: usize,
    pub different: usize,
    /// The share of different pairs that are accepted by mistake, at which `tar` is taken.
    pub far: f64,
    pub auc: Estimate,
    /// The share of same pairs accepted.
    pub tar: Estimate,
}

/// Over projection seeds, or pairs of them: the middle one, and the range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    /// `None` of nothing. Of an even number the median is the mean of the two in the middle.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Spread { median, low, high })
    }
}

/// How faithful one view is to its features: all from 0 or −1 to 1, and 1 is best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewQuality {
    pub view: View,
    /// Are its neighbours neighbours in the features?
    pub trustworthiness: Option<Spread>,
    /// Are the features' neighbours still neighbours?
    pub continuity: Option<Spread>,
    /// The share of the features' nearest that are among its nearest.
    pub recall: Option<Spread>,
    /// Spearman's ρ of distances.
    pub distances: Option<Spread>,
    /// What two seeds' pictures have in common; `None` for one seed.
    pub stability: Option<Spread>,
}

/// Every view of one projection beside the features it was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub format: u32,
    /// How many neighbours were asked for, and of how many images.
    pub neighbours: usize,
    pub asked: usize,
    pub seeds: usize,
    pub views: Vec<ViewQuality>,
}

/// How intervals are made and what may be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    pub bootstraps: usize,
    pub permutations: usize,
    pub min_positives: usize,
    pub separates_at: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics { bootstraps: 1000, permutations: 1000, min_positives: 30, separates_at: 0.70 }
    }
}
