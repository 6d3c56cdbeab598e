//! The interval of a difference, from those of its two sides: by squares of their arms (MOVER: Newcombe 1998, method 10; Zou and Donner
//! 2008), with the correlation of both over the same resamples. Near 1, or of rates that are the same in every resample, the sides'
//! intervals know what resamples do not: two perfect sides may differ.

use super::{
    bootstrap::{deviation, sorted, tested},
    student,
};
use crate::{
    domain::score::{Estimate, Interval},
    numeric::sum,
};

/// `left` and `right` in the sample, with their intervals; `resampled` both in those resamples in which both are defined. Right less
/// left, and how seldom it would be on the other side of nought, two-sided: the greater of what resamples say and what the
/// interval says. Without intervals of both sides there is none, and nothing is tested.
pub fn less(left: Estimate, right: Estimate, resampled: &[[f64; 2]]) -> (Estimate, Option<f64>) {
    let value = right.value - left.value;
    let (Some(of_left), Some(of_right)) = (left.interval, right.interval) else { return (Estimate::bare(value), None) };
    let (l, r) =
        ([left.value - of_left.low, of_left.high - left.value], [right.value - of_right.low, of_right.high - right.value]);
    let together = correlation(resampled);
    let arm = |own: f64, other: f64| (own * own + other * other - 2.0 * together * own * other).max(0.0).sqrt();
    let estimate = Estimate::new(value, value - arm(r[0], l[1]), value + arm(r[1], l[0]));
    let differences = sorted(resampled.iter().map(|[left, right]| right - left).collect());
    let p = tested(value, &differences).map_or(1.0, |(_, p)| p).max(beyond(estimate));
    (estimate, Some(p))
}

/// The two-sided p of an interval of 95 %, as if its arms were normal.
fn beyond(of: Estimate) -> f64 {
    let Some(Interval { low, high }) = of.interval else { return 1.0 };
    let arm = if of.value > 0.0 { of.value - low } else { high - of.value };
    if arm <= 0.0 {
        return if of.value == 0.0 { 1.0 } else { 0.0 };
    }
    student::two_sided(of.value / arm * student::Z, f64::INFINITY)
}

/// Pearson's r; 0 where a side does not vary.
fn correlation(pairs: &[[f64; 2]]) -> f64 {
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
        let of = |left, right| less(left, right, &[]).0.interval.unwrap();
        let found = of(share(48.0, 80.0), share(56.0, 70.0));
        assert!((found.low - 0.0524).abs() < 1e-4 && (found.high - 0.3339).abs() < 1e-4, "{found:?}");
        let found = of(share(0.0, 10.0), share(10.0, 10.0));
        assert!((found.low - 0.6075).abs() < 1e-4 && (found.high - 1.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn two_perfect_sides_may_differ_and_are_not_shown_to() {
        let perfect = Estimate::new(1.0, 0.94, 1.0);
        let (of, p) = less(perfect, perfect, &[[1.0, 1.0]; 50]);
        assert_eq!((of.value, p), (0.0, Some(1.0)));
        assert!(of.low().unwrap() < -0.05 && of.high().unwrap() > 0.05, "{of:?}");
    }

    #[test]
    fn what_varies_together_differs_more_surely() {
        let side = |value: f64| Estimate::new(value, value - 0.05, value + 0.05);
        let both: Vec<[f64; 2]> =
            (0..200).map(|turn| [0.8 + 0.02 * f64::sin(f64::from(turn)), 0.84 + 0.02 * f64::sin(f64::from(turn))]).collect();
        let (paired, p) = less(side(0.8), side(0.84), &both);
        let (apart, _) = less(side(0.8), side(0.84), &[]);
        assert!(paired.low().unwrap() > 0.03 && p.unwrap() < 0.02 && apart.low().unwrap() < 0.0, "{paired:?} {apart:?}");
        assert_eq!(less(side(0.8), Estimate::bare(0.84), &both).1, None);
    }
}
