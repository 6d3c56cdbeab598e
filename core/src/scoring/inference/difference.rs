//! The interval of a difference, from those of its two sides: by the squares of their arms (MOVER: Newcombe 1998, method 10; Zou and
//! Donner 2008), with the correlation of both over the same replicates. Near 1, or where rates are the same in every replicate, the
//! sides' intervals still have a width, and replicates do not: two perfect sides may differ.

use super::{
    bootstrap::{deviation, interval_and_p},
    student,
};
use crate::{
    domain::score::{Estimate, Interval},
    numeric::sum,
    scoring::design::resample::sorted,
};

/// Right − left with its interval, and the two-sided p-value of no difference: the greater of the replicates' and the interval's. `left` and
/// `right`: in the sample, with their intervals; `resampled`: both in every replicate in which both are defined. Without intervals of both
/// sides there is no interval and no p-value.
pub(crate) fn difference(left: Estimate, right: Estimate, resampled: &[[f64; 2]]) -> (Estimate, Option<f64>) {
    let value = right.value - left.value;
    let (Some(left_ends), Some(right_ends)) = (left.interval, right.interval) else { return (Estimate::bare(value), None) };
    let (l, r) = (
        [left.value - left_ends.low, left_ends.high - left.value],
        [right.value - right_ends.low, right_ends.high - right.value],
    );
    let correlation = correlation(resampled);
    let arm = |own: f64, other: f64| (own * own + other * other - 2.0 * correlation * own * other).max(0.0).sqrt();
    let estimate = Estimate::new(value, value - arm(r[0], l[1]), value + arm(r[1], l[0]));
    let differences = sorted(resampled.iter().map(|[left, right]| right - left).collect());
    let p = interval_and_p(value, &differences).map_or(1.0, |(_, p)| p).max(p_of_interval(estimate));
    (estimate, Some(p))
}

/// The two-sided p-value of a value of 0, from an interval of 95 %, as if its arms were normal.
fn p_of_interval(estimate: Estimate) -> f64 {
    let Some(Interval { low, high }) = estimate.interval else { return 1.0 };
    let arm = if estimate.value > 0.0 { estimate.value - low } else { high - estimate.value };
    if arm <= 0.0 {
        return if estimate.value == 0.0 { 1.0 } else { 0.0 };
    }
    student::two_sided(estimate.value / arm * student::Z, f64::INFINITY)
}

/// Pearson's r over replicates; 0 where a side does not vary.
pub(super) fn correlation(pairs: &[[f64; 2]]) -> f64 {
    let side = |side: usize| pairs.iter().map(|pair| pair[side]).collect::<Vec<f64>>();
    let sides = [side(0), side(1)];
    let (means, deviations) = (sides.each_ref().map(|side| sum::mean(side)), sides.each_ref().map(|side| deviation(side)));
    let products: Vec<f64> = pairs.iter().map(|[a, b]| (a - means[0]) * (b - means[1])).collect();
    let scale = deviations[0] * deviations[1] * pairs.len() as f64;
    if scale > 0.0 { (sum::sum(&products) / scale).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe (1998), table II: 56/70 less 48/80 by method 10 is .0524 to .3339; 10/10 less 0/10 is .6075 to 1.
    #[test]
    fn two_proportions_are_those_of_the_published_table() {
        let share = |yes: f64, n: f64| {
            let (low, high) = crate::scoring::inference::proportion::wilson(yes / n, n).unwrap();
            Estimate::new(yes / n, low, high)
        };
        let interval = |left, right| difference(left, right, &[]).0.interval.unwrap();
        let found = interval(share(48.0, 80.0), share(56.0, 70.0));
        assert!((found.low - 0.0524).abs() < 1e-4 && (found.high - 0.3339).abs() < 1e-4, "{found:?}");
        let found = interval(share(0.0, 10.0), share(10.0, 10.0));
        assert!((found.low - 0.6075).abs() < 1e-4 && (found.high - 1.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn two_perfect_sides_may_differ_and_do_not_significantly() {
        let perfect = Estimate::new(1.0, 0.94, 1.0);
        let (estimate, p) = difference(perfect, perfect, &[[1.0, 1.0]; 50]);
        assert_eq!((estimate.value, p), (0.0, Some(1.0)));
        assert!(estimate.low().unwrap() < -0.05 && estimate.high().unwrap() > 0.05, "{estimate:?}");
    }

    #[test]
    fn correlated_sides_make_a_narrower_interval() {
        let side = |value: f64| Estimate::new(value, value - 0.05, value + 0.05);
        let both: Vec<[f64; 2]> =
            (0..200).map(|i| [0.8 + 0.02 * f64::sin(f64::from(i)), 0.84 + 0.02 * f64::sin(f64::from(i))]).collect();
        let (paired, p) = difference(side(0.8), side(0.84), &both);
        let (apart, _) = difference(side(0.8), side(0.84), &[]);
        assert!(paired.low().unwrap() > 0.03 && p.unwrap() < 0.02 && apart.low().unwrap() < 0.0, "{paired:?} {apart:?}");
        assert_eq!(difference(side(0.8), Estimate::bare(0.84), &both).1, None);
    }
}
