//! Fairness of a model's probes among groups: rates with their counts, gaps with their intervals, and what reweighing does.

use super::{dispersion::GroupDispersion, score::Estimate};
use serde::{Deserialize, Serialize};

/// Fewer images than this are marked; fewer than `SUPPRESSED` have no interval, and are not shown.
pub const FEW: usize = 100;
/// Fewer images than this have no interval, are not tested, and are not shown. Words for people say "thirty".
pub const SUPPRESSED: usize = 30;

/// What is said of a group's probe, and what carries it: positives a true positive rate, the others a false one, the fewer of both an AUC
/// and the odds of both rates; of the labels all images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupMeasure {
    /// True positive rate: rests on positives.
    Tpr,
    /// False positive rate: rests on negatives.
    Fpr,
    /// Rests on the fewer of positives and negatives.
    Auc,
    /// Differences of both rates at once: rests on the fewer of positives and negatives.
    Odds,
    /// What is said of the labels alone: rests on all images.
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
    /// At least [`FEW`] images.
    Enough,
}

impl Support {
    /// Of so many images that carry the measure.
    pub fn of(images: usize) -> Self {
        match images {
            0 => Support::None,
            n if n < SUPPRESSED => Support::TooFew,
            n if n < FEW => Support::Few,
            _ => Support::Enough,
        }
    }

    /// As exports write it.
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
    /// How many of the group's images carry the measure.
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
    /// 1.
    pub format: u32,
    /// Groups and intersections, as (attribute, value) pairs. Those of the same attributes part the images.
    pub groups: Vec<Vec<(String, String)>>,
    /// Gaps that were tested, over all questions: what `q` is adjusted for.
    pub tests: usize,
    /// One a question, in the order of the stage's.
    pub asked: Vec<QuestionFairness>,
}

/// One question of two classes.
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
    /// Where the probe tells the classes worst. `None` where fewer than two groups have enough images of both classes, and in results of
    /// before version 8.
    #[serde(default)]
    pub worst_served: Option<WorstServed>,
    /// One a group with enough images of both classes, where the study has a baseline and this is another model.
    #[serde(default)]
    pub beside_baseline: Vec<BesideBaseline>,
}

/// The group in which a probe tells the classes worst: of those with enough images of both classes, the one with the least AUC. Groups of
/// an attribute that is asked are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstServed {
    /// Its place among the groups; of equal ones the first.
    pub group: usize,
    /// How many groups were looked at, at least 2.
    pub among: usize,
    /// In how many of the replicates it is the worst of these groups, from 0 to 1: how sure it is that it is this one. Of equal ones each
    /// has its part.
    pub share: f64,
}

/// A model's probe beside the baseline's, in one group, on the images that both were asked of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BesideBaseline {
    /// The group's place among the groups.
    pub group: usize,
    /// AUC of the model less AUC of the baseline, with the interval of one bootstrap of identities for both.
    pub auc: Estimate,
    /// Two-sided; `None` without an interval.
    pub p: Option<f64>,
    /// Among all of these of the model (Benjamini and Hochberg 1995).
    pub q: Option<f64>,
}

/// One group. The first class is positive; predicted are log-odds above 0, by probes of people they did not learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRates {
    /// Images with a label and a decision.
    pub n: usize,
    /// Images in the first class.
    pub positives: usize,
    /// Images in the second class.
    pub negatives: usize,
    /// Distinct identities of these images.
    pub identities: usize,
    /// True and false positive rate, with Wilson's interval on the effective n; without one of too few. `None`: nobody to have one.
    pub tpr: Option<Estimate>,
    /// Likewise, of negatives.
    pub fpr: Option<Estimate>,
    /// Within half and fold, with the bootstrap over identities.
    pub auc: Option<Estimate>,
}

/// A group less its reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupGap {
    /// Its place among the groups.
    pub group: usize,
    /// The place of the group with most images.
    pub reference: usize,
    /// Of the labels: difference and ratio of base rates (statistical parity difference, disparate impact).
    pub parity: Option<f64>,
    /// The ratio, group to reference; `None` where the reference has no positive.
    pub impact: Option<f64>,
    /// With intervals from one bootstrap of identities for both groups.
    pub tpr: Option<Estimate>,
    /// Group less reference.
    pub fpr: Option<Estimate>,
    /// Group less reference.
    pub auc: Option<Estimate>,
    /// The greater of both rates' distances (equalized odds difference), and their mean (average odds difference).
    pub odds: Option<f64>,
    /// `None` where a rate is undefined, as of `odds`.
    pub average: Option<f64>,
    /// Of the TPR gap, two-sided; and among all gaps of the model (Benjamini and Hochberg 1995).
    pub p: Option<f64>,
    /// From 0 to 1; `None` where `p` is.
    pub q: Option<f64>,
}

/// The same probes, learned with weights under which every group has the same base rate (Kamiran and Calders 2012).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reweighed {
    /// The attribute whose values are the groups.
    pub attribute: String,
    /// Why it was not done, if it was not.
    pub refused: Option<String>,
    /// The largest distance of two groups' TPR, before and after, and what it changed by (paired over identities).
    pub before: Option<f64>,
    /// With weights.
    pub after: Option<f64>,
    /// After less before.
    pub change: Option<Estimate>,
    /// By group of the attribute: TPR before and after.
    pub levels: Vec<[Option<f64>; 2]>,
    /// The groups of the attribute, as places among all.
    pub groups: Vec<usize>,
    /// The gap shrank, and no group's TPR grew: levelling down.
    pub levelled_down: bool,
}
