//! Confidence intervals of a proportion of images, which come in clusters: the images of an identity are not independent.

use super::student::Z;

/// The effective number of images: how many independent ones would leave the proportion as uncertain. `identities`: (positives, images)
/// each. From 1 to the number of images; 0 without images.
///
/// Two identities of mean size are added, one all positive, one all negative (as Agresti and Coull, 1998, add to a plain proportion).
/// Without them the coverage of Wilson's 95 % interval of a rare share is 85 to 93 % where identities are few and alike; with them it is
/// never below 92.7, mostly 95 to 99 % (simulated: beta-binomial labels, shares of .02 to .5, 10 to 200 identities of 1 to 20 images,
/// correlation within them up to .8).
pub fn effective_images(identities: &[(usize, usize)]) -> f64 {
    let present: Vec<(f64, f64)> =
        identities.iter().filter(|(_, n)| *n > 0).map(|(positives, n)| (*positives as f64, *n as f64)).collect();
    let (m, n) = (present.len() as f64, present.iter().map(|(_, n)| n).sum::<f64>());
    if present.is_empty() {
        return 0.0;
    }
    let added = [(n / m, n / m), (0.0, n / m)];
    (clustered(&[present, added.to_vec()].concat()) * m / (m + 2.0)).clamp(1.0, n)
}

/// The same without the two: p(1 − p) over the variance of the proportion of clusters (Kish 1965, the ratio estimator; Korn and Graubard
/// 1998, for intervals). From 1 to the number of images. The number of identities where nothing varies, and with one identity.
fn clustered(identities: &[(f64, f64)]) -> f64 {
    let m = identities.len() as f64;
    let positives: f64 = identities.iter().map(|(positives, _)| positives).sum();
    let n: f64 = identities.iter().map(|(_, n)| n).sum();
    let p = positives / n;
    if m < 2.0 || positives == 0.0 || positives == n {
        return m;
    }
    let squares: f64 = identities.iter().map(|(positives, n)| (positives - p * n).powi(2)).sum();
    // Identities of equal shares leave no variance; then the limit n applies.
    (p * (1.0 - p) * (n * n) * (m - 1.0) / (m * squares)).clamp(1.0, n)
}

/// Wilson's 95 % score interval (1927; Newcombe 1998, method 3) of a share of so many independent images, which need not be a whole number.
/// `None` where there are none, or the share is not from 0 to 1.
pub fn wilson(share: f64, n: f64) -> Option<(f64, f64)> {
    let defined = (0.0..=1.0).contains(&share) && n > 0.0 && n.is_finite();
    if !defined {
        return None;
    }
    let scale = 1.0 + Z * Z / n;
    let centre = (share + Z * Z / (2.0 * n)) / scale;
    let reach = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Exactly 0 and 1 at the ends, whatever the rounding.
    let low = if share == 0.0 { 0.0 } else { (centre - reach).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { (centre + reach).min(1.0) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::peers::{assert_agrees, fixture};
    use proptest::prelude::*;

    fn real(identities: &[(usize, usize)]) -> Vec<(f64, f64)> {
        identities.iter().map(|(positives, n)| (*positives as f64, *n as f64)).collect()
    }

    #[test]
    fn effective_is_statsmodels_and_wilson_is_scipys() {
        let fixture = fixture();
        for case in fixture["clustered"].as_array().unwrap() {
            let identities: Vec<(usize, usize)> = serde_json::from_value(case["identities"].clone()).unwrap();
            assert_agrees("effective", Some(clustered(&real(&identities)) / case["effective"].as_f64().unwrap()), &1.0.into());
        }
        for case in fixture["wilson"].as_array().unwrap() {
            let number = |key: &str| case[key].as_f64().unwrap();
            let (low, high) = wilson(number("positives") / number("n"), number("n")).unwrap();
            assert_agrees("low", Some(low), &case["low"]);
            assert_agrees("high", Some(high), &case["high"]);
        }
    }

    #[test]
    fn wilsons_interval_is_the_published_one() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20.
        let (low, high) = wilson(81.0 / 263.0, 263.0).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
        let (low, high) = wilson(0.0, 20.0).unwrap();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5);
        for effective in 1..1000 {
            let [none, all] = [0.0, 1.0].map(|share| wilson(share, f64::from(effective) / 3.0).unwrap());
            assert_eq!((none.0, all.1), (0.0, 1.0));
        }
        for (share, effective) in [(0.5, 0.0), (f64::NAN, 5.0), (0.5, f64::NAN), (1.1, 5.0), (0.5, f64::INFINITY)] {
            assert_eq!(wilson(share, effective), None);
        }
    }

    #[test]
    fn the_effective_number_is_of_identities_where_their_images_are_alike_and_of_images_where_not() {
        // Identities of one label each: one less than their number, however many images each has.
        assert!((clustered(&real(&[(7, 7), (0, 7), (7, 7), (0, 7), (0, 7)])) - 4.0).abs() < 1e-12);
        assert!((clustered(&real(&[(1, 1), (0, 1), (1, 1), (0, 1), (0, 1)])) - 4.0).abs() < 1e-12);
        assert_eq!(clustered(&real(&[(2, 4), (2, 4), (1, 2)])), 10.0, "never above the images");
        assert_eq!(clustered(&real(&[(100, 100), (0, 100)])), 1.0);
        assert_eq!(clustered(&real(&[(0, 9), (0, 9)])), 2.0, "nothing varies");
        assert_eq!(
            (clustered(&real(&[(9, 9), (4, 4)])), clustered(&real(&[(4, 9)])), effective_images(&[(0, 0)])),
            (2.0, 1.0, 0.0)
        );
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_the_effective_number_is_at_most_that_of_images(
            identities in prop::collection::vec((0usize..10).prop_flat_map(|n| (0..=n, Just(n))), 1..20),
        ) {
            let (positives, n) = identities.iter().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
            let n_effective = effective_images(&identities);
            prop_assert_eq!(n == 0, n_effective == 0.0);
            prop_assert!(n_effective <= n as f64 && (n == 0 || n_effective >= 1.0));
            if n > 0 {
                let share = positives as f64 / n as f64;
                let (low, high) = wilson(share, n_effective).unwrap();
                prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            }
        }
    }
}
