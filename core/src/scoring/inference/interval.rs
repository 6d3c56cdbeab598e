//! The interval of an AUC, by the score method (Wilson 1927 for a proportion; Newcombe 2006, method 5, for an AUC): it holds every AUC θ
//! from which the estimate is no farther away than a number of standard errors, each taken as if θ were the true AUC. So the low end of an
//! AUC of 1 depends on how many identities it rests on, where replicates never vary.
//!
//! The standard error follows Hanley and McNeil's (1982) formula, with both class sizes averaged as Newcombe does, within folds, counting
//! identities. The formula's variance is multiplied by a factor, which the bootstrap over identities estimates. Near 1 a handful of
//! identities carry all errors, and a variance that a handful carries is mostly luck. So the factor is a weighted mean: of the bootstrap's,
//! with the effective number of identities that carry errors as weight, and of the usual one, with weight 1.
//!
//! Near 1 the high end is never below the truth. So of the 5 % that an interval may miss, more belong to the low end there: 2.5 % at .5,
//! 4 % at 1. The coverage, simulated, is in docs/statistics.md.

use super::student;
use crate::{
    domain::score::{Counts, Estimate, LEAST_IDENTITIES},
    numeric::sum,
};

/// The weight of the usual factor, in identities.
const USUAL_WEIGHT: f64 = 1.0;
/// The share that an interval may miss on each side at an AUC of .5.
const TAIL: f64 = 0.025;
/// What one side takes over from the other at an AUC of 0 or 1.
const MOVED: f64 = 0.015;

/// Makes intervals of AUCs of two classes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AucInterval {
    /// Identities of the two classes.
    classes: [f64; 2],
    /// Positives and negatives are compared within so many folds.
    folds: f64,
    /// The factor of the variance, relative to identities with one image each, that is taken before anything is known of it. It would be 1
    /// if the images of an identity were copies of one, and identities / images if they were independent: it is in between.
    usual_factor: f64,
    /// The factor by which a variance estimated from so few identities is too small for normal quantiles: Student's t.
    small_sample_factor: f64,
}

impl AucInterval {
    /// `images` and `identities` by class; the classes are compared within so many folds.
    pub(crate) fn new(images: [usize; 2], identities: [usize; 2], folds: usize) -> Self {
        let share = |class: usize| identities[class].max(1) as f64 / images[class].max(1) as f64;
        let share = (share(0) * share(1)).sqrt();
        // share^¾
        let usual_factor = share.sqrt() * share.sqrt().sqrt();
        let degrees = identities[0].min(identities[1]).max(2) as f64 - 1.0;
        let small_sample_factor = (student::quantile(TAIL, degrees) / student::Z).powi(2);
        AucInterval { classes: identities.map(|n| n as f64), folds: folds as f64, usual_factor, small_sample_factor }
    }

    /// The same classes, compared within so many folds.
    pub(crate) fn within(self, folds: usize) -> Self {
        AucInterval { folds: folds as f64, ..self }
    }

    /// For the counts of a question; of several classes the two smallest.
    pub(crate) fn of(counts: &Counts, folds: usize) -> Self {
        let mut classes: Vec<(usize, usize)> = counts.identities.iter().copied().zip(counts.exclusive.iter().copied()).collect();
        classes.sort_unstable();
        let at = |class: usize| classes.get(class).copied().unwrap_or((0, 0));
        AucInterval::new([at(0).1, at(1).1], [at(0).0, at(1).0], folds)
    }

    /// Whether there are enough identities for an interval (simulated: docs/statistics.md).
    pub(crate) fn has_enough_identities(self) -> bool {
        self.classes.iter().all(|identities| *identities >= LEAST_IDENTITIES as f64)
    }

    /// The AUC `value` with its interval. `resampled`: its values in replicates; `effective`: the effective number of identities that carry
    /// its errors. Without an interval where there are too few identities or no replicates; `None` of no number.
    pub(crate) fn interval(self, value: f64, resampled: &[f64], effective: f64) -> Option<Estimate> {
        if !value.is_finite() {
            return None;
        }
        if resampled.is_empty() || !self.has_enough_identities() {
            return Some(Estimate::bare(value));
        }
        let formula = self.variance(value, SampledFrom::Resampled);
        let (found, weight) =
            if formula > 0.0 { (self.small_sample_factor * variance(resampled) / formula, effective) } else { (0.0, 0.0) };
        let factor = (weight * found + USUAL_WEIGHT * self.usual_factor) / (weight + USUAL_WEIGHT);
        let [low, high] = reaches(value).map(|errors| errors * errors * factor);
        Some(Estimate::new(value, self.end(value, low, 0.0), self.end(value, high, 1.0)))
    }

    /// The one-sided p-value of a true AUC of at most `null`, from the low end of the estimate's interval. `None` without an interval.
    pub(crate) fn p_above(self, estimate: Estimate, null: f64) -> Option<f64> {
        let error = (self.factor(estimate)? * self.variance(null, SampledFrom::Once)).sqrt();
        Some(if error > 0.0 { student::upper_tail((estimate.value - null) / error, f64::INFINITY) } else { 1.0 })
    }

    /// The low end of an interval that reaches down by so many standard errors, but no higher than the estimate's own low end. `None`
    /// without an interval.
    pub(crate) fn stretched_low(self, estimate: Estimate, errors: f64) -> Option<f64> {
        let factor = self.factor(estimate)?;
        Some(self.end(estimate.value, factor * errors * errors, 0.0).min(estimate.low()?))
    }

    /// The factor of the variance that an interval was made with, from its low end.
    fn factor(self, estimate: Estimate) -> Option<f64> {
        let low = estimate.low()?;
        let [reach, _] = reaches(estimate.value);
        let variance = reach * reach * self.variance(low, SampledFrom::Once);
        Some(if variance > 0.0 { (estimate.value - low).powi(2) / variance } else { 0.0 })
    }

    /// The θ between the value and a limit (0 or 1) at which (value − θ)² is `reach` times the formula's variance, by bisection.
    fn end(self, value: f64, reach: f64, limit: f64) -> f64 {
        let (mut inside, mut outside) = (value, limit);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(inside, outside);
            if (value - middle).powi(2) > reach * self.variance(middle, SampledFrom::Once) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        f64::midpoint(inside, outside)
    }

    /// The formula's variance of an AUC within folds, for identities with one image each.
    fn variance(self, auc: f64, drawn: SampledFrom) -> f64 {
        let [p, q] = self.classes;
        let others = ((p + q) / (2.0 * self.folds)).max(1.0);
        // The covariance of two pairs that share an identity, relative to the variance of one pair.
        let shared = (1.0 - auc) / (2.0 - auc) + auc / (1.0 + auc);
        let pairs = match drawn {
            SampledFrom::Once => 1.0 - shared,
            SampledFrom::Resampled => 3.0 - shared,
        };
        auc * (1.0 - auc) * self.folds * (others * shared + pairs) / (p * q).max(1.0)
    }
}

/// What a variance is over. Within small folds replicates vary more than samples: the part of the variance that belongs to single pairs
/// counts three times.
#[derive(Clone, Copy)]
enum SampledFrom {
    /// Samples of the population.
    Once,
    /// Replicates of one sample.
    Resampled,
}

/// How many standard errors an interval reaches down, and up.
fn reaches(value: f64) -> [f64; 2] {
    let moved = MOVED * (2.0 * value - 1.0);
    [TAIL - moved, TAIL + moved].map(|tail| student::quantile(tail, f64::INFINITY))
}

/// Enough for all but the last few bits.
const BISECTIONS: usize = 50;

/// Of numbers (population).
fn variance(values: &[f64]) -> f64 {
    let mean = sum::mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    sum::sum(&squares) / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORTY: AucInterval = AucInterval { classes: [40.0, 40.0], folds: 5.0, usual_factor: 1.0, small_sample_factor: 1.0 };
    const Z: f64 = student::Z;

    #[test]
    fn the_low_end_of_a_perfect_auc_depends_on_how_many_identities_there_are() {
        let low = |n: usize| AucInterval::new([n, n], [n, n], 5).interval(1.0, &[1.0; 20], 0.0).unwrap().low().unwrap();
        // With one pair a fold it is a proportion: Wilson's interval of five in five begins at .566.
        let five = AucInterval { classes: [5.0, 5.0], ..FORTY };
        assert!((five.end(1.0, Z * Z, 0.0) - 0.5655).abs() < 1e-4, "{}", five.end(1.0, Z * Z, 0.0));
        assert!(low(30) < 0.95 && low(30) > 0.85 && low(300) > 0.985 && low(300) < 0.997, "{} {}", low(30), low(300));
    }

    #[test]
    fn the_bootstrap_decides_where_many_identities_carry_errors_and_not_where_none_does() {
        let resampled = |spread: f64| [0.9 - spread, 0.9 + spread];
        let width = |spread, effective| {
            let estimate = FORTY.interval(0.9, &resampled(spread), effective).unwrap();
            estimate.high().unwrap() - estimate.low().unwrap()
        };
        assert!(width(0.04, 1e6) > 1.6 * width(0.02, 1e6));
        assert!((width(0.04, 0.0) - width(0.02, 0.0)).abs() < 1e-12);
        assert!(width(1e-6, 1.0) > 0.02, "a variance that one identity carries is not trusted");
    }

    #[test]
    fn intervals_hold_their_value_and_mirror_each_other() {
        for value in [0.0, 0.03, 0.5, 0.87, 0.999, 1.0] {
            let interval = |value: f64| FORTY.interval(value, &[value - 0.01, value + 0.01], 12.0).unwrap().interval.unwrap();
            let (own, mirrored) = (interval(value), interval(1.0 - value));
            assert!(0.0 <= own.low && own.low <= value && value <= own.high && own.high <= 1.0 && own.low < own.high, "{own:?}");
            assert!((own.low - (1.0 - mirrored.high)).abs() < 1e-9, "{own:?} {mirrored:?}");
        }
    }

    #[test]
    fn a_low_end_stretches_and_gives_a_p_value() {
        let estimate = FORTY.interval(0.9, &[0.85, 0.95, 0.9, 0.88], 10.0).unwrap();
        let low = estimate.low().unwrap();
        let [reach, _] = reaches(0.9);
        assert!(
            (FORTY.stretched_low(estimate, reach).unwrap() - low).abs() < 1e-9
                && FORTY.stretched_low(estimate, 0.1).unwrap() == low
        );
        assert!(FORTY.stretched_low(estimate, 4.0).unwrap() < low);
        assert!((FORTY.p_above(estimate, low).unwrap() - 0.013).abs() < 1e-6);
        assert!(
            FORTY.p_above(estimate, 0.5).unwrap() < 1e-6
                && FORTY.p_above(estimate, 0.95).unwrap() > 0.5
                && FORTY.p_above(estimate, 1.0) == Some(1.0)
        );
    }

    #[test]
    fn with_too_few_identities_there_is_a_value_and_no_interval() {
        let few = AucInterval::new([300, 300], [LEAST_IDENTITIES - 1, 300], 5);
        let estimate = few.interval(1.0, &[1.0; 20], 0.0).unwrap();
        assert_eq!((estimate, few.stretched_low(estimate, 4.0), few.p_above(estimate, 0.5)), (Estimate::bare(1.0), None, None));
        assert_eq!(FORTY.interval(0.9, &[], 3.0), Some(Estimate::bare(0.9)));
        assert_eq!(FORTY.interval(f64::NAN, &[0.9], 3.0), None);
    }
}
