//! The measures over all groups of one set of attributes, each with how many groups carry it or why it is undefined.

use super::{
    dispersion::{differential_fairness, entropy_between_groups, theil},
    gaps::{least_to_greatest_ratio, worst_to_geometric_mean_ratio},
    rates::{Confusion, RateOf},
};
use crate::domain::{
    dispersion::{Dispersion, GroupDispersion, Undefined},
    fairness::Support,
};

/// AIF360's defaults: the α of the generalised entropy, and the concentration of differential fairness.
const ALPHA: f64 = 2.0;
const CONCENTRATION: f64 = 1.0;

/// All measures over these groups. Entropies heed a group's size, and take every group. Rates do not: a group with too few images of
/// those that carry the rate is left out. `counts`: by group, in images; `groups`: places in them.
pub(super) fn over_groups(attributes: Vec<String>, groups: Vec<usize>, counts: &[Confusion]) -> GroupDispersion {
    let present: Vec<Confusion> = groups.iter().map(|group| counts[*group]).filter(|of| of.n() > 0.0).collect();
    let enough = |carriers: fn(&Confusion) -> f64| -> Vec<Confusion> {
        present.iter().copied().filter(|of| Support::of(carriers(of) as usize) > Support::TooFew).collect()
    };
    let with_images = enough(Confusion::n);
    let rates =
        |carriers: fn(&Confusion) -> f64, rate_of: RateOf| -> Vec<f64> { enough(carriers).iter().filter_map(rate_of).collect() };
    let tpr = rates(Confusion::positives, Confusion::tpr);
    let fnr = rates(Confusion::positives, Confusion::fnr);
    let fpr = rates(Confusion::negatives, Confusion::fpr);
    let without_benefit = if present.is_empty() { Undefined::NoImages } else { Undefined::AllMissed };
    let of_labels = differential_fairness(&with_images, Confusion::positives, CONCENTRATION);
    let of_predictions = differential_fairness(&with_images, Confusion::predicted_positives, CONCENTRATION);
    GroupDispersion {
        attributes,
        groups,
        theil: measure(theil(&whole(&present)), present.len(), without_benefit),
        entropy_between_groups: between(entropy_between_groups(&present, ALPHA), present.len(), Undefined::AllMissed),
        label_differential_fairness: between(of_labels, with_images.len(), Undefined::OneGroup),
        prediction_differential_fairness: between(of_predictions, with_images.len(), Undefined::OneGroup),
        tpr_ratio: between(least_to_greatest_ratio(&tpr), tpr.len(), Undefined::AllRatesZero),
        fpr_ratio: between(least_to_greatest_ratio(&fpr), fpr.len(), Undefined::AllRatesZero),
        fnr_to_geometric_mean: between(worst_to_geometric_mean_ratio(&fnr), fnr.len(), Undefined::SomeRateZero),
        fpr_to_geometric_mean: between(worst_to_geometric_mean_ratio(&fpr), fpr.len(), Undefined::SomeRateZero),
    }
}

/// A value over so many groups; `otherwise` is why there is none.
fn measure(value: Option<f64>, groups: usize, otherwise: Undefined) -> Dispersion {
    value.map_or(Dispersion::Undefined(otherwise), |value| Dispersion::Defined { value, groups })
}

/// The same of a measure that takes two groups.
fn between(value: Option<f64>, groups: usize, otherwise: Undefined) -> Dispersion {
    if groups < 2 { Dispersion::Undefined(Undefined::OneGroup) } else { measure(value, groups, otherwise) }
}

/// All groups as one.
fn whole(groups: &[Confusion]) -> Confusion {
    groups.iter().fold(Confusion::default(), |all, of| Confusion {
        true_positives: all.true_positives + of.true_positives,
        false_positives: all.false_positives + of.false_positives,
        true_negatives: all.true_negatives + of.true_negatives,
        false_negatives: all.false_negatives + of.false_negatives,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 positives and 100 negatives, of which so many are in error.
    fn group(false_negatives: f64, false_positives: f64) -> Confusion {
        let (true_positives, true_negatives) = (100.0 - false_negatives, 100.0 - false_positives);
        Confusion { true_positives, false_positives, true_negatives, false_negatives }
    }

    fn over(counts: &[Confusion]) -> GroupDispersion {
        over_groups(vec!["race".to_owned()], (0..counts.len()).collect(), counts)
    }

    fn is_near(found: Dispersion, expected: f64, over: usize) -> bool {
        matches!(found, Dispersion::Defined { value, groups } if groups == over && (value - expected).abs() < 1e-12)
    }

    #[test]
    fn every_measure_is_over_the_groups_that_carry_it() {
        let small = Confusion { true_positives: 2.0, false_positives: 40.0, true_negatives: 40.0, false_negatives: 8.0 };
        let found = over(&[group(10.0, 20.0), Confusion::default(), group(40.0, 20.0), small]);
        assert!(is_near(found.tpr_ratio, 0.6 / 0.9, 2), "the third has ten positives only: {found:?}");
        assert!(is_near(found.fnr_to_geometric_mean, 2.0, 2), "0.4 of a geometric mean of 0.2: {found:?}");
        assert!(is_near(found.fpr_ratio, 0.4, 3), "{found:?}");
        let Dispersion::Defined { groups: 3, .. } = found.entropy_between_groups else { panic!("{found:?}") };
        let Dispersion::Defined { groups: 3, .. } = found.label_differential_fairness else { panic!("{found:?}") };
        assert_eq!(found.groups, [0, 1, 2, 3]);
    }

    #[test]
    fn equal_groups_are_at_parity() {
        let found = over(&[group(25.0, 25.0); 3]);
        assert!(is_near(found.entropy_between_groups, 0.0, 3) && is_near(found.prediction_differential_fairness, 0.0, 3));
        assert!(is_near(found.tpr_ratio, 1.0, 3) && is_near(found.fpr_to_geometric_mean, 1.0, 3));
        assert!(
            matches!(found.theil, Dispersion::Defined { value, .. } if value > 0.0),
            "errors are not spread evenly over images"
        );
    }

    #[test]
    fn what_is_undefined_says_why() {
        let why = |of: Dispersion| if let Dispersion::Undefined(why) = of { Some(why) } else { None };
        let nobody = over(&[Confusion::default(); 2]);
        assert_eq!((why(nobody.theil), why(nobody.tpr_ratio)), (Some(Undefined::NoImages), Some(Undefined::OneGroup)));
        let alone = over(&[group(10.0, 10.0)]);
        assert_eq!((why(alone.theil), why(alone.entropy_between_groups)), (None, Some(Undefined::OneGroup)));
        assert_eq!(why(alone.label_differential_fairness), Some(Undefined::OneGroup));
        let without_false_positives = over(&[group(10.0, 0.0), group(10.0, 0.0)]);
        assert_eq!(why(without_false_positives.fpr_ratio), Some(Undefined::AllRatesZero));
        assert_eq!(why(without_false_positives.fpr_to_geometric_mean), Some(Undefined::SomeRateZero));
        let all_missed = over(&[Confusion { false_negatives: 50.0, ..Confusion::default() }; 2]);
        assert_eq!(
            (why(all_missed.theil), why(all_missed.entropy_between_groups)),
            (Some(Undefined::AllMissed), Some(Undefined::AllMissed))
        );
        assert_eq!(why(all_missed.tpr_ratio), Some(Undefined::AllRatesZero));
        assert_eq!(why(all_missed.fpr_ratio), Some(Undefined::OneGroup), "there are no negatives");
    }
}
