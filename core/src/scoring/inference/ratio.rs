//! The interval of a ratio, from those of its two sides: every ratio R at which left − R · right may be 0, its interval made from the sides'
//! as that of a difference is (MOVER: Donner and Zou 2012; Newcombe 2016), with the correlation of both over the same replicates. Percentiles
//! of the ratio in replicates would have no width where both sides are perfect.

use super::difference::correlation;
use crate::domain::score::{Estimate, Interval};

/// Enough for all but the last few bits.
const BISECTIONS: usize = 60;
/// No ratio that is asked for is beyond.
const FARTHEST: f64 = 1e6;

/// Left / right with its interval. `left` and `right`: in the sample, with their intervals; `resampled`: both in every replicate in which both
/// are defined. The interval of the right side must lie above 0; otherwise, and where a side has none, there is no interval. `None` where the
/// right side is 0 or the ratio is not finite.
pub(crate) fn ratio(left: Estimate, right: Estimate, resampled: &[[f64; 2]]) -> Option<Estimate> {
    let value = left.value / right.value;
    if !value.is_finite() {
        return None;
    }
    let (Some(l), Some(r)) = (left.interval, right.interval) else { return Some(Estimate::bare(value)) };
    if r.low <= 0.0 {
        return Some(Estimate::bare(value));
    }
    let rho = correlation(resampled);
    let low =
        end(value, -1.0, |ratio| left.value - ratio * right.value - arm(left.value - l.low, ratio, right.value, r, rho, true));
    let high =
        end(value, 1.0, |ratio| ratio * right.value - left.value - arm(l.high - left.value, ratio, right.value, r, rho, false));
    Some(Estimate::new(value, low, high))
}

/// How far the interval of left − ratio · right reaches down, or up. `own`: how far that of the left side does.
fn arm(own: f64, ratio: f64, right: f64, ends: Interval, rho: f64, down: bool) -> f64 {
    // What makes the difference less is more of the right side, if the ratio is above 0.
    let other = if down == (ratio > 0.0) { ends.high - right } else { right - ends.low };
    let moved = ratio * other;
    (own * own + moved * moved - 2.0 * rho * own * moved).max(0.0).sqrt()
}

/// From the value on, the first ratio in a direction at which `beyond` is 0 or more, by doubling and bisection.
fn end(value: f64, direction: f64, beyond: impl Fn(f64) -> f64) -> f64 {
    let mut step = 0.125;
    while step < FARTHEST && beyond(value + direction * step) < 0.0 {
        step *= 2.0;
    }
    let (mut inside, mut outside) = (0.0, step);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(inside, outside);
        if beyond(value + direction * middle) < 0.0 {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    value + direction * f64::midpoint(inside, outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(value: f64, arm: f64) -> Estimate {
        Estimate::new(value, value - arm, value + arm)
    }

    /// Of equal arms and no correlation the ends are Fieller's (1954): (ab ± √(a²b² − (a² − u²)(b² − v²))) / (b² − v²).
    #[test]
    fn without_correlation_the_ends_are_fiellers() {
        for (a, u, b, v) in [(0.2, 0.05, 0.4, 0.06), (0.02, 0.05, 0.3, 0.1), (-0.1, 0.04, 0.4, 0.05), (0.45, 0.01, 0.4, 0.02)] {
            let found: Interval = ratio(side(a, u), side(b, v), &[]).unwrap().interval.unwrap();
            let (a, u, b, v): (f64, f64, f64, f64) = (a, u, b, v);
            let root = (a * a * b * b - (a * a - u * u) * (b * b - v * v)).sqrt();
            let ends = [-1.0, 1.0].map(|sign| (a * b + sign * root) / (b * b - v * v));
            assert!((found.low - ends[0]).abs() < 1e-9 && (found.high - ends[1]).abs() < 1e-9, "{found:?} {ends:?}");
        }
    }

    #[test]
    fn sides_that_move_together_make_a_narrower_interval_and_perfect_ones_still_have_a_width() {
        let together: Vec<[f64; 2]> = (0..100).map(|at| [f64::from(at), f64::from(at)]).collect();
        let of = |pairs: &[[f64; 2]]| ratio(side(0.3, 0.05), side(0.4, 0.05), pairs).unwrap().interval.unwrap();
        assert!(of(&together).high - of(&together).low < 0.5 * (of(&[]).high - of(&[]).low));
        let perfect = Estimate::new(0.5, 0.44, 0.5);
        let found = ratio(perfect, perfect, &vec![[0.5, 0.5]; 50]).unwrap();
        assert!(found.value == 1.0 && found.low().unwrap() < 0.9 && found.high().unwrap() > 1.1, "{found:?}");
    }

    #[test]
    fn a_right_side_that_may_be_nothing_has_no_interval_and_one_that_is_has_no_ratio() {
        assert_eq!(ratio(side(0.1, 0.05), side(0.04, 0.05), &[]), Some(Estimate::bare(2.5)));
        assert_eq!(ratio(side(0.1, 0.05), Estimate::bare(0.2), &[]), Some(Estimate::bare(0.5)));
        assert_eq!(ratio(side(0.1, 0.05), side(0.0, 0.05), &[]), None);
    }
}
