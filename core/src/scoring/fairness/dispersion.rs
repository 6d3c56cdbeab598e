//! Measures of inequality over all groups at once: Theil's index and the generalised entropy between groups (Speicher et al. 2018),
//! differential fairness (Foulds et al. 2020).

use super::{
    gaps::range,
    rates::{Confusion, share},
};
use crate::numeric::special::{exp, ln};

/// Theil's index of the images' benefits b = prediction − label + 1 (0 for a missed positive, 1 for a right prediction, 2 for a false
/// positive): 0 where all images benefit equally. The generalised entropy at α = 1. `None` where the mean benefit is 0.
pub fn theil(all: &Confusion) -> Option<f64> {
    generalised_entropy(all, 1.0)
}

/// The part of the generalised entropy at this α (> 0; AIF360's default is 2) that lies between groups: every image has the mean
/// benefit of its group. 0 where all groups have the same.
pub fn entropy_between_groups(groups: &[Confusion], alpha: f64) -> Option<f64> {
    let benefits: Vec<(f64, f64)> = groups.iter().filter_map(|group| Some((mean_benefit(group)?, group.n()))).collect();
    entropy(&benefits, alpha)
}

/// Smoothed empirical differential fairness (Foulds et al. 2020): the greatest |Δ ln rate| or |Δ ln(1 − rate)| of two groups, the
/// rate being (positives + c/2) / (n + c). 0 where all are equal, ln 2 where one rate is twice another. `positives` is
/// `Confusion::positives` for labels, `Confusion::predicted_positives` for predictions; the concentration c ≥ 0 is 1 in AIF360, which
/// leaves empty groups out too. `None` below two groups.
pub fn differential_fairness(groups: &[Confusion], positives: fn(&Confusion) -> f64, concentration: f64) -> Option<f64> {
    let present = || groups.iter().filter(|group| group.n() > 0.0);
    let log_rate = |part: f64, n: f64| ln((part + concentration / 2.0) / (n + concentration));
    let positive: Vec<f64> = present().map(|group| log_rate(positives(group), group.n())).collect();
    let negative: Vec<f64> = present().map(|group| log_rate(group.n() - positives(group), group.n())).collect();
    Some(range(&positive)?.max(range(&negative)?))
}

/// The generalised entropy of the images' benefits.
fn generalised_entropy(counts: &Confusion, alpha: f64) -> Option<f64> {
    let right = counts.true_positives + counts.true_negatives;
    entropy(&[(1.0, right), (2.0, counts.false_positives), (0.0, counts.false_negatives)], alpha)
}

/// From 0 to 2.
fn mean_benefit(counts: &Confusion) -> Option<f64> {
    share(counts.true_positives + counts.true_negatives + 2.0 * counts.false_positives, counts.n())
}

/// The weighted mean of [(b/μ)^α − 1] / (α(α − 1)) over (b, weight), and its limit (b/μ) ln(b/μ) at α = 1; α > 0.
fn entropy(benefits: &[(f64, f64)], alpha: f64) -> Option<f64> {
    let present = || benefits.iter().filter(|(_, weight)| *weight > 0.0);
    let n: f64 = present().map(|(_, weight)| weight).sum();
    let mean = share(present().map(|(benefit, weight)| benefit * weight).sum(), n)?;
    let term = |benefit: f64| match benefit / mean {
        // 0 · ln 0 = 0.
        0.0 if alpha == 1.0 => 0.0,
        0.0 => -1.0 / (alpha * (alpha - 1.0)),
        relative if alpha == 1.0 => relative * ln(relative),
        relative => (exp(alpha * ln(relative)) - 1.0) / (alpha * (alpha - 1.0)),
    };
    // It is never below 0 (Jensen), but for rounding.
    share(present().map(|(benefit, weight)| weight * term(*benefit)).sum(), n).map(|entropy| entropy.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::peers::{PeerTable, assert_agrees, confusion, fixture, numbers};
    use proptest::prelude::*;

    #[test]
    fn every_measure_is_that_of_aif360() {
        let fixture = fixture();
        let alphas = numbers(&fixture["alphas"]);
        assert!(alphas.contains(&1.0) && alphas.contains(&2.0));
        for table in fixture["tables"].as_array().unwrap() {
            let (name, peer) = (table["name"].as_str().unwrap(), &table["aif360"]);
            let table = PeerTable::read(table);
            // AIF360's entropies do not heed weights.
            let (all, groups) = (table.confusion(|_| true, None), table.by_group(None));
            for (place, alpha) in alphas.iter().enumerate().filter(|(_, alpha)| **alpha > 0.0) {
                let what = format!("{name}: entropy at {alpha}");
                assert_agrees(&what, generalised_entropy(&all, *alpha), &peer["entropy"][place]);
                assert_agrees(&what, entropy_between_groups(&groups, *alpha), &peer["entropy_between"][place]);
            }
            assert_agrees(name, theil(&all), &peer["theil"]);
            let weighted = table.by_group(table.weights.as_deref());
            assert_agrees(name, differential_fairness(&weighted, Confusion::positives, 1.0), &peer["edf"]);
            let of_predictions = differential_fairness(&weighted, Confusion::predicted_positives, 1.0);
            assert_agrees(name, of_predictions, &peer["edf_of_predictions"]);
        }
    }

    #[test]
    fn without_images_or_a_second_group_nothing_is_defined() {
        let empty = Confusion::default();
        let some = Confusion { true_positives: 3.0, false_positives: 1.0, true_negatives: 4.0, false_negatives: 2.0 };
        assert_eq!((theil(&empty), entropy_between_groups(&[], 2.0)), (None, None));
        let all_missed = Confusion { false_negatives: 5.0, ..empty };
        assert_eq!(theil(&all_missed), None, "the mean benefit is 0");
        assert_eq!(entropy_between_groups(&[some, empty], 2.0), entropy_between_groups(&[some], 2.0));
        assert_eq!(differential_fairness(&[some, empty], Confusion::positives, 1.0), None, "one group has no pair");
        let without_positives = Confusion { true_negatives: 5.0, ..empty };
        assert_eq!(differential_fairness(&[some, without_positives], Confusion::positives, 0.0), None, "ln 0");
        assert!(differential_fairness(&[some, without_positives], Confusion::positives, 1.0).is_some());
    }

    #[test]
    fn equal_groups_have_no_entropy_between_them_and_rounding_does_not_make_it_negative() {
        for times in 1..200 {
            let group = |times: f64| Confusion {
                true_positives: 0.3 * times,
                false_positives: 0.1 * times,
                true_negatives: 0.7 * times,
                false_negatives: 0.2 * times,
            };
            for alpha in [0.5, 1.0, 2.0] {
                let between = entropy_between_groups(&[group(1.0), group(f64::from(times))], alpha).unwrap();
                assert!((0.0..1e-14).contains(&between), "{between}");
            }
        }
    }

    proptest! {
        /// Shorrocks 1980: the whole entropy is the part between groups and the part within them.
        #[test]
        fn entropy_decomposes(
            groups in prop::collection::vec(confusion(), 1..5),
            alpha in prop::sample::select(vec![0.5, 1.0, 2.0, 3.0]),
        ) {
            let all = groups.iter().fold(Confusion::default(), |a, b| Confusion {
                true_positives: a.true_positives + b.true_positives,
                false_positives: a.false_positives + b.false_positives,
                true_negatives: a.true_negatives + b.true_negatives,
                false_negatives: a.false_negatives + b.false_negatives,
            });
            if let (Some(whole), Some(between), Some(mean)) =
                (generalised_entropy(&all, alpha), entropy_between_groups(&groups, alpha), mean_benefit(&all))
            {
                let within = groups.iter().filter_map(|group| {
                    let relative = (mean_benefit(group)? / mean).powf(alpha);
                    Some(group.n() / all.n() * relative * generalised_entropy(group, alpha)?)
                });
                prop_assert!((between + within.sum::<f64>() - whole).abs() < 1e-9);
                prop_assert!(between >= 0.0 && whole >= 0.0);
            }
        }

        #[test]
        fn differential_fairness_does_not_depend_on_the_order_of_groups(a in confusion(), b in confusion()) {
            let fairness = |groups: &[Confusion]| differential_fairness(groups, Confusion::predicted_positives, 1.0);
            prop_assert_eq!(fairness(&[a, b]), fairness(&[b, a]));
        }
    }
}
