//! Measures over all groups of one set of attributes at once, for readers who know them from AIF360, Fairlearn or NIST.

use serde::{Deserialize, Serialize};

/// What one question's probe does over all groups that the values of some attributes make. No measure has an interval. Chance alone
/// moves each of them away from parity, the farther the smaller the groups are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupDispersion {
    /// The attributes whose values make the groups.
    pub attributes: Vec<String>,
    /// The groups, as places among all.
    pub groups: Vec<usize>,
    /// Theil's index of the images' benefits, whatever their groups; 0 is parity.
    pub theil: Dispersion,
    /// The part of the generalised entropy (α = 2) of these benefits that lies between groups; 0 is parity.
    pub entropy_between_groups: Dispersion,
    /// Smoothed empirical differential fairness of the labels, in nats; 0 is parity.
    pub label_differential_fairness: Dispersion,
    /// The same of the predictions.
    pub prediction_differential_fairness: Dispersion,
    /// The least true positive rate / the greatest; 1 is parity.
    pub tpr_ratio: Dispersion,
    /// The least false positive rate / the greatest; 1 is parity.
    pub fpr_ratio: Dispersion,
    /// The greatest false negative rate / the geometric mean of all (NIST IR 8429); 1 is parity.
    pub fnr_to_geometric_mean: Dispersion,
    /// The greatest false positive rate / the geometric mean of all (NIST IR 8429); 1 is parity.
    pub fpr_to_geometric_mean: Dispersion,
}

impl GroupDispersion {
    /// Every measure: the name of its field, what people read, and its value.
    pub fn measures(&self) -> [(&'static str, &'static str, Dispersion); 8] {
        let GroupDispersion {
            attributes: _,
            groups: _,
            theil,
            entropy_between_groups,
            label_differential_fairness,
            prediction_differential_fairness,
            tpr_ratio,
            fpr_ratio,
            fnr_to_geometric_mean,
            fpr_to_geometric_mean,
        } = *self;
        [
            ("theil", "Theil index", theil),
            ("entropy_between_groups", "entropy between groups", entropy_between_groups),
            ("label_differential_fairness", "differential fairness of labels", label_differential_fairness),
            ("prediction_differential_fairness", "differential fairness of predictions", prediction_differential_fairness),
            ("tpr_ratio", "TPR, least to greatest", tpr_ratio),
            ("fpr_ratio", "FPR, least to greatest", fpr_ratio),
            ("fnr_to_geometric_mean", "FNR, greatest to geometric mean", fnr_to_geometric_mean),
            ("fpr_to_geometric_mean", "FPR, greatest to geometric mean", fpr_to_geometric_mean),
        ]
    }
}

/// One measure over groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dispersion {
    /// What it is, and how many groups it is over: those with too few images are left out of what rests on rates.
    Defined {
        /// In the unit of the measure.
        value: f64,
        /// At least two, but for Theil's index, which is over images.
        groups: usize,
    },
    /// Why there is no number.
    Undefined(Undefined),
}

/// Why a measure over groups has no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// Nobody is in any group.
    NoImages,
    /// Fewer than two groups have [`super::fairness::SUPPRESSED`] images that carry it.
    OneGroup,
    /// The mean benefit is 0.
    AllMissed,
    /// The greatest rate is 0.
    AllRatesZero,
    /// A group's error rate is 0, and so is the geometric mean.
    SomeRateZero,
}

impl Undefined {
    /// The reason in words, without digits: on a page every digit is a claim.
    pub fn reason(self) -> &'static str {
        match self {
            Undefined::NoImages => "no image is in a group",
            Undefined::OneGroup => "fewer than two groups have enough images",
            Undefined::AllMissed => "every image is a missed positive",
            Undefined::AllRatesZero => "the rate of every group is zero",
            Undefined::SomeRateZero => "a group has no such error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fairness::QuestionFairness;

    #[test]
    fn a_measure_names_the_field_it_stands_in() {
        let measure = |value: f64| Dispersion::Defined { value, groups: 2 };
        let dispersion = GroupDispersion {
            attributes: vec!["race".to_owned()],
            groups: vec![0, 1],
            theil: measure(0.0),
            entropy_between_groups: measure(1.0),
            label_differential_fairness: measure(2.0),
            prediction_differential_fairness: measure(3.0),
            tpr_ratio: measure(4.0),
            fpr_ratio: measure(5.0),
            fnr_to_geometric_mean: measure(6.0),
            fpr_to_geometric_mean: Dispersion::Undefined(Undefined::SomeRateZero),
        };
        let written = serde_json::to_value(&dispersion).unwrap();
        for (field, _, of) in dispersion.measures() {
            assert_eq!(written[field], serde_json::to_value(of).unwrap(), "{field}");
        }
        assert_eq!(written["theil"]["defined"]["value"], 0.0);
        assert_eq!(written["fpr_to_geometric_mean"]["undefined"], "some_rate_zero");
        assert_eq!(serde_json::from_value::<GroupDispersion>(written).unwrap(), dispersion);
    }

    #[test]
    fn a_result_of_before_is_still_read() {
        let read: QuestionFairness = serde_json::from_str(r#"{"cells":[],"gaps":[],"reweighed":[]}"#).unwrap();
        assert!(read.dispersion.is_empty());
    }
}
