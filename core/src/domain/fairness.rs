//! Fairness of a model's probes among groups: rates with their counts, gaps with their intervals, and what reweighing does.

use super::{dispersion::GroupDispersion, score::Estimate};
use serde::{Deserialize, Serialize};

/// Fewer images than this are marked; fewer than `SUPPRESSED` have no interval, and are not shown.
pub const FEW: usize = 100;
pub const SUPPRESSED: usize = 30;

/// What is said of a group's probe, and what carries it: positives a true positive rate, the others a false one, the fewer of both an AUC
/// and the odds of both rates; of the labels all images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupMeasure {
    Tpr,
    Fpr,
    Auc,
    Odds,
    Labels,
}

/// How many carry a measure: what every report, table and screen goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// Nobody: it is undefined.
    None,
    /// No interval is believed, and nothing is tested.
    TooFew,
    /// Marked.
    Few,
    Enough,
}

impl Support {
    pub fn of(images: usize) -> Self {
        match images {
            0 => Support::None,
            n if n < SUPPRESSED => Support::TooFew,
            n if n < FEW => Support::Few,
            _ => Support::Enough,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Support::None => "undefined",
            Support::TooFew => "too few",
            Support::Few => "few",
            Support::Enough => "enough",
        }
    }
}

impl GroupRates {
    pub fn support(&self, measure: GroupMeasure) -> Support {
        Support::of(match measure {
            GroupMeasure::Tpr => self.positives,
            GroupMeasure::Fpr => self.negatives,
            GroupMeasure::Auc | GroupMeasure::Odds => self.positives.min(self.negatives),
            GroupMeasure::Labels => self.n,
        })
    }
}

impl GroupGap {
    /// Of the group and its reference the fewer.
    pub fn support(&self, cells: &[GroupRates], measure: GroupMeasure) -> Support {
        cells[self.group].support(measure).min(cells[self.reference].support(measure))
    }
}

/// What a `fairness` stage leaves: the linear probes of one model's last layer, on every question of two classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    pub format: u32,
    /// Groups and intersections, as (attribute, value) pairs. Those of the same attributes part the images.
    pub groups: Vec<Vec<(String, String)>>,
    /// Gaps that were tested, over all questions: what `q` is adjusted for.
    pub tests: usize,
    /// One a question, in the order of the stage's.
    pub asked: Vec<QuestionFairness>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionFairness {
    /// One a group.
    pub cells: Vec<GroupRates>,
    /// One a group that is not the reference of its part: the part's group with most images.
    pub gaps: Vec<GroupGap>,
    /// One an attribute of groups.
    pub reweighed: Vec<Reweighed>,
    /// One a set of attributes whose values make groups. Empty in results of before version 7.
    #[serde(default)]
    pub dispersion: Vec<GroupDispersion>,
}

/// One group. The first class is positive; predicted are log-odds above 0, by probes of people they did not learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRates {
    pub n: usize,
    pub positives: usize,
    pub negatives: usize,
    pub identities: usize,
    /// True and false positive rate, with Wilson's interval on the effective n; without one of too few. `None`: nobody to have one.
    pub tpr: Option<Estimate>,
    pub fpr: Option<Estimate>,
    /// Within half and fold, with the bootstrap over identities.
    pub auc: Option<Estimate>,
}

/// A group less its reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupGap {
    pub group: usize,
    pub reference: usize,
    /// Of the labels: difference and ratio of base rates (statistical parity difference, disparate impact).
    pub parity: Option<f64>,
    pub impact: Option<f64>,
    /// With intervals from one bootstrap of identities for both groups.
    pub tpr: Option<Estimate>,
    pub fpr: Option<Estimate>,
    pub auc: Option<Estimate>,
    /// The greater of both rates' distances (equalized odds difference), and their mean (average odds difference).
    pub odds: Option<f64>,
    pub average: Option<f64>,
    /// Of the TPR gap, two-sided; and among all gaps of the model (Benjamini and Hochberg 1995).
    pub p: Option<f64>,
    pub q: Option<f64>,
}

/// The same probes, learned with weights under which every group has the same base rate (Kamiran and Calders 2012).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reweighed {
    pub attribute: String,
    /// Why it was not done, if it was not.
    pub refused: Option<String>,
    /// The largest distance of two groups' TPR, before and after, and what it changed by (paired over identities).
    pub before: Option<f64>,
    pub after: Option<f64>,
    pub change: Option<Estimate>,
    /// By group of the attribute: TPR before and after.
    pub levels: Vec<[Option<f64>; 2]>,
    /// The groups of the attribute, as places among all.
    pub groups: Vec<usize>,
    /// The gap shrank, and no group's TPR grew: levelling down.
    pub levelled_down: bool,
}
