//! Scores: a number with its interval, or without one where there are too few to say; never a bare float.

use super::{claim::NumberForm, projection::View};
use serde::{Deserialize, Serialize};

/// A value with its 95 % interval, where there are enough to say one: an interval that cannot be believed is not there, so that
/// nothing can print it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The observed score.
    pub value: f64,
    /// In JSON `low` and `high` stand beside `value`, or are missing.
    #[serde(flatten)]
    pub interval: Option<Interval>,
}

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, not below the lower one.
    pub high: f64,
}

impl Estimate {
    /// With an interval.
    pub fn new(value: f64, low: f64, high: f64) -> Self {
        Estimate { value, interval: Some(Interval { low, high }) }
    }

    /// Of too few to say an interval.
    pub fn bare(value: f64) -> Self {
        Estimate { value, interval: None }
    }

    /// As seen from the other side: what was less is now more.
    pub fn turned(self) -> Self {
        let turned = |Interval { low, high }| Interval { low: -high, high: -low };
        Estimate { value: -self.value, interval: self.interval.map(turned) }
    }

    /// The lower end, where there is an interval.
    pub fn low(self) -> Option<f64> {
        self.interval.map(|interval| interval.low)
    }

    /// The upper end, where there is an interval.
    pub fn high(self) -> Option<f64> {
        self.interval.map(|interval| interval.high)
    }

    /// Value, and interval in parentheses, as tables show them.
    pub fn show(self, form: NumberForm) -> String {
        let Some(Interval { low, high }) = self.interval else { return format!("{} ({TOO_FEW})", form.show(self.value)) };
        let between = if form == NumberForm::Difference { " to " } else { "–" };
        format!("{} ({}{between}{})", form.show(self.value), form.show(low), form.show(high))
    }
}

/// Of fewer identities of a class no interval of an AUC is believed, and nothing is ranked: simulated, with its coverage near 1
/// (docs/statistics.md).
pub const LEAST_IDENTITIES: usize = 20;

/// What stands where an interval would, of too few.
pub const TOO_FEW: &str = "too few to say";

/// Why scores of a supervised projection are not ranked.
pub const SUPERVISED: &str = "supervised: the projection has learned from labels, so it is not held against those that have not";

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
    /// Images that take part and are in no class.
    pub none: usize,
}

/// One view's scores on one comparison. `whole` is over all images; `a` chooses; `b` is what is quoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewScore {
    /// Which view it is.
    pub view: View,
    /// Balanced kNN AUC; with several classes the mean over their pairs. `None` where a class is too small to have one.
    pub whole: Option<Estimate>,
    /// The same on the selection half.
    pub a: Option<Estimate>,
    /// The same on the evaluation half.
    pub b: Option<Estimate>,
    /// With three classes or more: the pair that separates least, over all images.
    pub least: Option<Estimate>,
    /// Mann–Whitney AUC along one axis (two classes), or |Spearman's ρ| (a quantity): a gradient. Over all images.
    pub monotone: Option<Estimate>,
}

/// What a `score` stage leaves: every view of one projection (or the features themselves) on one comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// No later than [`Self::FORMAT`].
    pub format: u32,
    /// Over all images.
    pub counts: Counts,
    /// On the selection half.
    pub counts_a: Counts,
    /// On the evaluation half.
    pub counts_b: Counts,
    /// Why these scores are shown but not ranked; `None` when they are ranked.
    pub unranked: Option<String>,
    /// Projection seeds that were scored.
    pub seeds: usize,
    /// On half B: identities that labels are permuted among, and those of them whose labels no permutation can move, for nobody else has as
    /// many images.
    #[serde(default)]
    pub permuted: [usize; 2],
    /// On half B: the images that labels were permuted among, and all, of the pair of classes with the least share; `None` where they were
    /// permuted among all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permuted_sample: Option<[usize; 2]>,
    /// One a view of the projection, in its order.
    pub views: Vec<ViewScore>,
}

impl Scores {
    /// Of `scores.json`: the latest that this program reads.
    pub const FORMAT: u32 = 1;
}

/// A linear probe of features on one question: logistic, balanced, cross-fitted in each half over folds of identities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeScore {
    /// AUC within half and fold; with several classes the mean over their pairs.
    pub whole: Option<Estimate>,
    /// The same on the selection half.
    pub a: Option<Estimate>,
    /// The same on the evaluation half.
    pub b: Option<Estimate>,
    /// Of two classes: the mean of both classes' shares right, the share right where the prior is known too, and the share of
    /// the larger class, which takes no probe.
    pub balanced_accuracy: Option<f64>,
    /// From 0 to 1.
    pub accuracy: Option<f64>,
    /// From a half to 1.
    pub majority: Option<f64>,
}

/// What the features themselves hold of one question: the yardstick for their projections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureScore {
    /// Of one view, the features.
    pub scores: Scores,
    /// `None` for a quantity.
    pub probe: Option<ProbeScore>,
}

/// What a `space` stage leaves: the features at one layer, on every question whose labels are there, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureScores {
    /// 1.
    pub format: u32,
    /// One a question.
    pub answers: Vec<FeatureScore>,
}

/// Scores that are shown beside those that rank, of two classes. `None` where undefined: fewer than two images in a class, all points equal, a coordinate that is not finite, or a ratio to 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterValidity {
    /// The share of images nearer to their own class's centroid than to the other's, balanced (Sips et al. 2009).
    pub distance_consistency: Option<f64>,
    /// The share of an image's ten nearest others that are of its class, balanced.
    pub purity: Option<f64>,
    /// The mean silhouette, balanced (Rousseeuw 1987): −1 to 1.
    pub silhouette: Option<f64>,
    /// Sum of the classes' mean distances to their centroids, over the centroids' distance (Davies and Bouldin 1979): 0 is best.
    pub davies_bouldin: Option<f64>,
    /// Variance between the classes over variance within, each by its degrees of freedom (Caliński and Harabasz 1974).
    pub calinski_harabasz: Option<f64>,
    /// |m₁ − m₂|² / (trace S₁ + trace S₂), S the classes' population covariances: on one axis Fisher's ratio (1936).
    pub fisher: Option<f64>,
    /// √(mean variance within a class / variance of both, each class weighing half): 0 when every class is one point, 1 when
    /// classes are as spread as everything. With two classes it is 1 / √(1 + fisher / 2): the same order, turned round.
    pub compactness: Option<f64>,
    /// The area under precision and recall of the score for the first class, by steps and without interpolation.
    pub average_precision: Option<f64>,
    /// The first class's share of the scored images: average precision by chance.
    pub prevalence: Option<f64>,
    /// Inverse Simpson's index of the classes of an image's thirty nearest others, averaged over images (Korsunsky et al. 2019,
    /// but with equal weights in place of a perplexity): 1 is pure, 2 is mixed.
    pub lisi: Option<f64>,
    /// What the score, in ten bins of equally many images, tells of the class: mutual information over the class's entropy
    /// (Cover and Thomas 2006), 0 to 1. Not corrected for chance, of which some 9 / 2n nats are expected
    /// (Miller 1955).
    pub mutual_information: Option<f64>,
}

/// What a shown figure has beside its score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureRobustness {
    /// 1.
    pub format: u32,
    /// Measures that rank nothing, where the question has two classes and the view its points.
    pub beside: Option<ClusterValidity>,
    /// Its AUC on half B when it is projected again, from so many subsamples of four people in five.
    pub times: usize,
    /// `None` where no subsample has an AUC.
    pub again: Option<Spread>,
    /// Of many images: no more than so many were projected again at once, in subsamples and by other settings. Fewer images make AUCs
    /// vary more, by the root of what is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// Its AUC on half B where half B was not in the fit; `None` where the method cannot place images that were not in the fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOut>,
    /// Its AUC on half B by methods that are next to its own.
    pub other: Vec<OtherSettings>,
    /// Its AUC on half B when so many of a hundred labels are wrong, at random, where it is.
    pub mislabelled: Vec<LabelNoise>,
}

/// A figure's score when the images that are scored were not in the fit, but placed in its coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Images to which the method was fitted: all but those of half B's identities.
    pub fitted: usize,
    /// Images of half B, which were placed.
    pub placed: usize,
    /// On half B.
    pub auc: f64,
}

/// A figure's score when its method has another setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherSettings {
    /// `perplexity 15`, `cosine`.
    pub method: String,
    /// On half B.
    pub auc: f64,
}

/// A figure's score when some labels are replaced at random.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelNoise {
    /// The share of labels replaced, from 0 to 1.
    pub share: f64,
    /// Over draws of which labels are replaced.
    pub again: Spread,
}

/// How well features tell whether two pictures are of the same person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// 1.
    pub format: u32,
    /// Identities with two images or more.
    pub people: usize,
    /// Pairs of one person, and of two.
    pub same: usize,
    /// Pairs of two identities.
    pub different: usize,
    /// The share of different pairs that are accepted by mistake, at which `tar` is taken.
    pub far: f64,
    /// Of the cosine of features, same pairs against different ones.
    pub auc: Estimate,
    /// The share of same pairs accepted.
    pub tar: Estimate,
}

/// Over projection seeds, or pairs of them: the middle one, and the range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
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
    /// Which view it is.
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
    /// 1.
    pub format: u32,
    /// How many neighbours were asked for, and of how many images.
    pub neighbours: usize,
    /// Images that were asked for their neighbours.
    pub asked: usize,
    /// Projection seeds that were looked at.
    pub seeds: usize,
    /// One a view of the projection.
    pub views: Vec<ViewQuality>,
}

/// How intervals are made and what may be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Replicates of the bootstrap over identities.
    pub bootstraps: usize,
    /// Permutations of the labels.
    pub permutations: usize,
    /// Fewer images or identities of a class, in either half, are not ranked.
    pub min_positives: usize,
    /// The AUC that a lower bound must reach for a cell to separate.
    pub separates_at: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics { bootstraps: 1000, permutations: 1000, min_positives: 30, separates_at: 0.70 }
    }
}
