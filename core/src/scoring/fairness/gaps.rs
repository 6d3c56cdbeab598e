//! Distances between the rates of groups: AIF360's of two groups (Bellamy et al. 2018), Fairlearn's of several (Weerts et al. 2023),
//! and NIST's of the error rates of several (NIST IR 8429, Grother 2022).
//!
//! An infinite ratio is undefined, `None`, where peers write ∞.

use super::rates::{Confusion, RateOf, share};
use crate::numeric::special::{exp, ln};

/// A group and the group it is compared with: differences are group − reference, ratios group / reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupPair {
    /// AIF360's "unprivileged" group.
    pub group: Confusion,
    /// AIF360's "privileged" group.
    pub reference: Confusion,
}

impl GroupPair {
    /// Rate of the group − rate of the reference, from −1 to 1; 0 is parity.
    pub fn difference(&self, rate_of: RateOf) -> Option<f64> {
        Some(rate_of(&self.group)? - rate_of(&self.reference)?)
    }

    /// Rate of the group / rate of the reference; 1 is parity. `None` where the reference has 0.
    pub fn ratio(&self, rate_of: RateOf) -> Option<f64> {
        share(rate_of(&self.group)?, rate_of(&self.reference)?)
    }

    /// Statistical parity difference of the labels: P(label | group) − P(label | reference).
    pub fn statistical_parity_of_labels(&self) -> Option<f64> {
        self.difference(Confusion::base_rate)
    }

    /// Disparate impact of the labels: P(label | group) / P(label | reference).
    pub fn disparate_impact_of_labels(&self) -> Option<f64> {
        self.ratio(Confusion::base_rate)
    }

    /// Average odds difference: the mean of the differences of both rates. Opposite ones cancel.
    pub fn average_odds(&self) -> Option<f64> {
        let [fpr, tpr] = self.odds()?;
        Some(f64::midpoint(fpr, tpr))
    }

    /// Equalized odds difference: the greater absolute difference of both rates (Hardt, Price and Srebro 2016). `None` where one
    /// rate is undefined: AIF360 goes on with the other.
    pub fn equalized_odds(&self) -> Option<f64> {
        let [fpr, tpr] = self.odds()?;
        Some(fpr.abs().max(tpr.abs()))
    }

    /// Differences of false and of true positive rates.
    fn odds(&self) -> Option<[f64; 2]> {
        Some([self.difference(Confusion::fpr)?, self.difference(Confusion::tpr)?])
    }
}

/// The greatest rate − the least, from 0 to 1. `None` below two groups. `rates` are the defined ones: a caller that leaves out an
/// undefined rate says so.
pub fn range(rates: &[f64]) -> Option<f64> {
    let (least, most) = extremes(rates)?;
    Some(most - least)
}

/// The least rate / the greatest, from 0 to 1; 1 is parity: Fairlearn's ratio between groups. `None` below two groups, and where all
/// rates are 0.
pub fn least_to_greatest_ratio(rates: &[f64]) -> Option<f64> {
    let (least, most) = extremes(rates)?;
    share(least, most)
}

/// The greatest error rate / the geometric mean of all, at least 1; 1 is parity. It is the measure "Max/GeoMean" with which NIST
/// IR 8429 summarises false match and false non-match rates of groups. Every group counts alike, whatever its size. `None` below two
/// groups, and where an error rate is 0: the geometric mean is then 0.
pub fn worst_to_geometric_mean_ratio(error_rates: &[f64]) -> Option<f64> {
    let (_, worst) = extremes(error_rates)?;
    let mean_of_logs = error_rates.iter().map(|rate| ln(*rate)).sum::<f64>() / error_rates.len() as f64;
    // It is never below 1, but for rounding.
    share(worst, exp(mean_of_logs)).map(|ratio| ratio.max(1.0))
}

fn extremes(rates: &[f64]) -> Option<(f64, f64)> {
    let least = rates.iter().copied().reduce(f64::min)?;
    let most = rates.iter().copied().reduce(f64::max)?;
    (rates.len() > 1 && rates.iter().all(|rate| rate.is_finite())).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::peers::{PeerTable, RATES, assert_agrees, assert_rates_agree, confusion, fixture};
    use proptest::prelude::*;

    #[test]
    fn gaps_of_two_groups_are_those_of_aif360() {
        for table in fixture()["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["aif360"]);
            let table = PeerTable::read(table);
            let groups = table.by_group(table.weights.as_deref());
            assert_rates_agree(name, &table.confusion(|_| true, table.weights.as_deref()), &peer["groups"]["all"]);
            assert_rates_agree(name, &groups[0], &peer["groups"]["0"]);
            assert_rates_agree(name, &groups[1], &peer["groups"]["1"]);

            let pair = GroupPair { group: groups[0], reference: groups[1] };
            for (measure, found) in [
                ("statistical_parity_of_labels", pair.statistical_parity_of_labels()),
                ("disparate_impact_of_labels", pair.disparate_impact_of_labels()),
                ("average_odds", pair.average_odds()),
                ("equalized_odds", pair.equalized_odds()),
                ("equal_opportunity", pair.difference(Confusion::tpr)),
                ("fpr_difference", pair.difference(Confusion::fpr)),
                ("fpr_ratio", pair.ratio(Confusion::fpr)),
            ] {
                let peer = peer["pair"].get(measure).unwrap_or_else(|| panic!("{measure} is not in the fixture"));
                assert_agrees(&format!("{name}: {measure}"), found, peer);
            }
        }
    }

    #[test]
    fn gaps_of_several_groups_are_those_of_fairlearn() {
        for table in fixture()["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["fairlearn"]);
            let table = PeerTable::read(table);
            let groups = table.by_group(table.weights.as_deref());
            assert_rates_agree(name, &table.confusion(|_| true, table.weights.as_deref()), &peer["groups"]["all"]);
            for (place, group) in groups.iter().enumerate() {
                assert_rates_agree(name, group, &peer["groups"][place.to_string()]);
            }
            let rates = |rate_of: RateOf| groups.iter().map(rate_of).collect::<Option<Vec<f64>>>();
            let range_of = |rate_of| range(&rates(rate_of)?);
            let ratio_of = |rate_of| least_to_greatest_ratio(&rates(rate_of)?);
            for (rate, rate_of) in [("fnr", Confusion::fnr as RateOf), ("fpr", Confusion::fpr)] {
                let found = rates(rate_of).and_then(|rates| worst_to_geometric_mean_ratio(&rates));
                assert_agrees(&format!("{name}: worst {rate}"), found, &peer["worst_to_geometric_mean"][rate]);
            }
            let has = |what: &str| RATES.iter().any(|(rate, _)| peer[what].get(rate).is_some());
            assert!(has("range") && has("least_ratio"), "{name}: the peer says nothing");
            for (rate, rate_of) in RATES {
                if let Some(peer) = peer["range"].get(rate) {
                    assert_agrees(&format!("{name}: range of {rate}"), range_of(rate_of), peer);
                }
                if let Some(peer) = peer["least_ratio"].get(rate) {
                    assert_agrees(&format!("{name}: ratio of {rate}"), ratio_of(rate_of), peer);
                }
            }
            let (tpr, fpr) = (Confusion::tpr as RateOf, Confusion::fpr as RateOf);
            assert_agrees(name, range_of(tpr).zip(range_of(fpr)).map(|(a, b)| a.max(b)), &peer["equalized_odds_difference"]);
            assert_agrees(name, ratio_of(tpr).zip(ratio_of(fpr)).map(|(a, b)| a.min(b)), &peer["equalized_odds_ratio"]);
        }
    }

    #[test]
    fn a_gap_to_an_empty_group_and_an_infinite_ratio_are_undefined() {
        let empty = Confusion::default();
        let some = Confusion { true_positives: 3.0, false_positives: 1.0, true_negatives: 4.0, false_negatives: 2.0 };
        for pair in [GroupPair { group: empty, reference: some }, GroupPair { group: some, reference: empty }] {
            assert!(RATES.iter().all(|(_, rate_of)| pair.difference(*rate_of).is_none() && pair.ratio(*rate_of).is_none()));
            assert_eq!((pair.average_odds(), pair.equalized_odds()), (None, None));
        }
        let without_errors = Confusion { true_positives: 1.0, true_negatives: 1.0, ..empty };
        assert_eq!(GroupPair { group: some, reference: without_errors }.ratio(Confusion::fpr), None);
        assert_eq!((range(&[0.5]), least_to_greatest_ratio(&[]), least_to_greatest_ratio(&[0.0, 0.0])), (None, None, None));
        assert_eq!(range(&[f64::NAN, 0.1, 0.2]), None);
    }

    #[test]
    fn the_worst_error_rate_is_held_against_the_geometric_mean() {
        let ratio = worst_to_geometric_mean_ratio(&[0.01, 0.04, 0.02]).unwrap();
        assert!((ratio - 2.0).abs() < 1e-12, "0.04 of a geometric mean of 0.02: {ratio}");
        for percent in 1..100 {
            let parity = worst_to_geometric_mean_ratio(&[f64::from(percent) / 100.0; 3]).unwrap();
            assert!((1.0..1.0 + 1e-14).contains(&parity), "whatever ln rounds to: {parity}");
        }
        for undefined in [&[][..], &[0.2], &[0.0, 0.2], &[0.0, 0.0], &[f64::NAN, 0.2]] {
            assert_eq!(worst_to_geometric_mean_ratio(undefined), None, "{undefined:?}");
        }
    }

    proptest! {
        #[test]
        fn swapped_sides_change_the_sign_of_a_difference_and_invert_a_ratio(group in confusion(), reference in confusion()) {
            let (one, other) = (GroupPair { group, reference }, GroupPair { group: reference, reference: group });
            for (_, rate_of) in RATES {
                prop_assert_eq!(one.difference(rate_of), other.difference(rate_of).map(|difference| -difference));
                if let (Some(one), Some(other)) = (one.ratio(rate_of), other.ratio(rate_of)) {
                    prop_assert!((one * other - 1.0).abs() < 1e-9);
                }
            }
            prop_assert_eq!(one.equalized_odds(), other.equalized_odds());
        }
    }
}
