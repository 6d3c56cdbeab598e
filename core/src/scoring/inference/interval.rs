//! The interval of an AUC, by the score method (Wilson 1927 of a proportion; Newcombe 2006, method 5, of an AUC): an AUC is in it if
//! the value found is no farther away than so many of the standard errors that there would be if it were the true one. So an
//! AUC of 1 has a low end that says how few may be behind it, where resamples that never vary say nothing.
//!
//! How the standard error depends on the AUC is Hanley and McNeil's (1982) formula, its two class sizes averaged as Newcombe does, within
//! folds, of identities. By what factor the variance is another than by the formula is what the bootstrap over identities
//! says, as far as there is something to say: near 1 a handful of identities carry all mistakes, and a variance that a handful carry
//! is mostly luck. So the factor is a mean: the bootstrap's, which weighs as many as carry it, and what is usual, which weighs one.
//!
//! Near 1 the far end cannot be wrong, for even a perfect sample's reaches below the truth. So of the 5 % that an interval may miss,
//! the near end has more there: 2.5 % at .5, 4 % at 1. Coverage stands in docs/statistics.md.

use super::student;
use crate::{
    domain::score::{Counts, Estimate, LEAST_IDENTITIES},
    numeric::sum,
};

/// As many identities does the usual factor weigh.
const USUAL: f64 = 1.0;
/// The share that an interval misses on either side, and what one side takes over from the other, at the most.
const TAIL: f64 = 0.025;
const MOVED: f64 = 0.015;

#[derive(Clone, Copy, Debug)]
pub struct AucInterval {
    /// Identities of the two classes.
    classes: [f64; 2],
    folds: f64,
    /// By what factor the variance is another than of identities with one image each, as far as nothing is known of it. Were the images
    /// of an identity copies of one, it would be 1; had they nothing in common, the share of identities to images: it is between.
    usual: f64,
    /// By what factor a variance that so few identities tell is too small for normal deviates: Student's t.
    few: f64,
}

impl AucInterval {
    /// `images` and `identities` of two classes, which are compared within so many folds.
    pub fn new(images: [usize; 2], identities: [usize; 2], folds: usize) -> Self {
        let share = |class: usize| identities[class].max(1) as f64 / images[class].max(1) as f64;
        let share = (share(0) * share(1)).sqrt();
        // To the power of three quarters.
        let usual = share.sqrt() * share.sqrt().sqrt();
        let degrees = identities[0].min(identities[1]).max(2) as f64 - 1.0;
        let few = (student::quantile(TAIL, degrees) / student::Z).powi(2);
        AucInterval { classes: identities.map(|n| n as f64), folds: folds as f64, usual, few }
    }

    /// The same, compared within so many folds.
    pub fn within(self, folds: usize) -> Self {
        AucInterval { folds: folds as f64, ..self }
    }

    /// Of several classes the two smallest.
    pub fn of(counts: &Counts, folds: usize) -> Self {
        let mut classes: Vec<(usize, usize)> = counts.identities.iter().copied().zip(counts.exclusive.iter().copied()).collect();
        classes.sort_unstable();
        let at = |class: usize| classes.get(class).copied().unwrap_or((0, 0));
        AucInterval::new([at(0).1, at(1).1], [at(0).0, at(1).0], folds)
    }

    /// Whether an interval can be believed (simulated: docs/statistics.md).
    pub fn enough(self) -> bool {
        self.classes.iter().all(|identities| *identities >= LEAST_IDENTITIES as f64)
    }

    /// From the AUC, those of resamples, and how many identities carry its mistakes; of too few the value alone. `None` of no number.
    pub fn interval(self, value: f64, resampled: &[f64], carried: f64) -> Option<Estimate> {
        if !value.is_finite() {
            return None;
        }
        if resampled.is_empty() || !self.enough() {
            return Some(Estimate::bare(value));
        }
        let formula = self.variance(value, SampledFrom::Resampled);
        let (found, carried) = if formula > 0.0 { (self.few * variance(resampled) / formula, carried) } else { (0.0, 0.0) };
        let factor = (carried * found + USUAL * self.usual) / (carried + USUAL);
        let [low, high] = reaches(value).map(|errors| errors * errors * factor);
        Some(Estimate::new(value, self.end(value, low, 0.0), self.end(value, high, 1.0)))
    }

    /// How seldom a true AUC of `mark` would come out as high, one-sided, going by the low end of its interval. `None` without one.
    pub fn above(self, of: Estimate, mark: f64) -> Option<f64> {
        let beyond = of.value - mark;
        let error = (self.factor(of)? * self.variance(mark, SampledFrom::Once)).sqrt();
        Some(if error > 0.0 { student::above(beyond / error, f64::INFINITY) } else { 1.0 })
    }

    /// The low end if the interval reached so many standard errors, but no higher than it is. `None` without one.
    pub fn stretched(self, of: Estimate, errors: f64) -> Option<f64> {
        let factor = self.factor(of)?;
        Some(self.end(of.value, factor * errors * errors, 0.0).min(of.low()?))
    }

    /// The factor of the variance, from the low end.
    fn factor(self, of: Estimate) -> Option<f64> {
        let low = of.low()?;
        let [reach, _] = reaches(of.value);
        let variance = reach * reach * self.variance(low, SampledFrom::Once);
        Some(if variance > 0.0 { (of.value - low).powi(2) / variance } else { 0.0 })
    }

    /// Where (value − θ)² is `reach` times the formula's variance at θ, on the way from the value to a limit, 0 or 1.
    fn end(self, value: f64, reach: f64, limit: f64) -> f64 {
        let (mut inside, mut outside) = (value, limit);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(inside, outside);
            if (value - middle).powi(2) > reach * self.variance(middle, SampledFrom::Once) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        f64::midpoint(inside, outside)
    }

    /// Of an AUC within folds, of identities with one image each.
    fn variance(self, auc: f64, drawn: SampledFrom) -> f64 {
        let [p, q] = self.classes;
        let others = ((p + q) / (2.0 * self.folds)).max(1.0);
        // What a pair's outcome owes to its identities alone, of its own variance.
        let alone = (1.0 - auc) / (2.0 - auc) + auc / (1.0 + auc);
        let pairs = match drawn {
            SampledFrom::Once => 1.0 - alone,
            SampledFrom::Resampled => 3.0 - alone,
        };
        auc * (1.0 - auc) * self.folds * (others * alone + pairs) / (p * q).max(1.0)
    }
}

/// Among samples, or among resamples of one. Within a small fold these vary more: what is left to pairs comes along with both classes
/// and by itself, and either class is held against the same few of the other.
#[derive(Clone, Copy)]
enum SampledFrom {
    Once,
    Resampled,
}

/// So many standard errors does an interval reach, down and up.
fn reaches(value: f64) -> [f64; 2] {
    let moved = MOVED * (2.0 * value - 1.0);
    [TAIL - moved, TAIL + moved].map(|tail| student::quantile(tail, f64::INFINITY))
}

/// To the last bit but a few.
const HALVINGS: usize = 50;

fn variance(values: &[f64]) -> f64 {
    let mean = sum::mean(values);
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    sum::sum(&squares) / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORTY: AucInterval = AucInterval { classes: [40.0, 40.0], folds: 5.0, usual: 1.0, few: 1.0 };
    const Z: f64 = student::Z;

    #[test]
    fn a_perfect_auc_has_a_low_end_that_says_how_few_may_be_behind_it() {
        let low = |n: usize| AucInterval::new([n, n], [n, n], 5).interval(1.0, &[1.0; 20], 0.0).unwrap().low().unwrap();
        // With one pair a fold it is a proportion: Wilson's interval of five in five begins at .566.
        let five = AucInterval { classes: [5.0, 5.0], ..FORTY };
        assert!((five.end(1.0, Z * Z, 0.0) - 0.5655).abs() < 1e-4, "{}", five.end(1.0, Z * Z, 0.0));
        assert!(low(30) < 0.95 && low(30) > 0.85 && low(300) > 0.985 && low(300) < 0.997, "{} {}", low(30), low(300));
    }

    #[test]
    fn a_bootstrap_that_many_carry_decides_and_one_that_nobody_carries_does_not() {
        let resampled = |spread: f64| [0.9 - spread, 0.9 + spread];
        let width = |spread, carried| {
            let of = FORTY.interval(0.9, &resampled(spread), carried).unwrap();
            of.high().unwrap() - of.low().unwrap()
        };
        assert!(width(0.04, 1e6) > 1.6 * width(0.02, 1e6));
        assert!((width(0.04, 0.0) - width(0.02, 0.0)).abs() < 1e-12);
        assert!(width(1e-6, 1.0) > 0.02, "a variance that one identity carries is not believed");
    }

    #[test]
    fn intervals_hold_their_value_and_mirror_each_other() {
        for value in [0.0, 0.03, 0.5, 0.87, 0.999, 1.0] {
            let of = |value: f64| FORTY.interval(value, &[value - 0.01, value + 0.01], 12.0).unwrap().interval.unwrap();
            let (own, mirrored) = (of(value), of(1.0 - value));
            assert!(0.0 <= own.low && own.low <= value && value <= own.high && own.high <= 1.0 && own.low < own.high, "{own:?}");
            assert!((own.low - (1.0 - mirrored.high)).abs() < 1e-9, "{own:?} {mirrored:?}");
        }
    }

    #[test]
    fn a_low_end_stretches_and_says_how_seldom() {
        let of = FORTY.interval(0.9, &[0.85, 0.95, 0.9, 0.88], 10.0).unwrap();
        let low = of.low().unwrap();
        let [reach, _] = reaches(0.9);
        assert!((FORTY.stretched(of, reach).unwrap() - low).abs() < 1e-9 && FORTY.stretched(of, 0.1).unwrap() == low);
        assert!(FORTY.stretched(of, 4.0).unwrap() < low);
        assert!((FORTY.above(of, low).unwrap() - 0.013).abs() < 1e-6);
        assert!(
            FORTY.above(of, 0.5).unwrap() < 1e-6 && FORTY.above(of, 0.95).unwrap() > 0.5 && FORTY.above(of, 1.0) == Some(1.0)
        );
    }

    #[test]
    fn of_too_few_there_is_a_value_and_no_interval() {
        let few = AucInterval::new([300, 300], [LEAST_IDENTITIES - 1, 300], 5);
        let of = few.interval(1.0, &[1.0; 20], 0.0).unwrap();
        assert_eq!((of, few.stretched(of, 4.0), few.above(of, 0.5)), (Estimate::bare(1.0), None, None));
        assert_eq!(FORTY.interval(0.9, &[], 3.0), Some(Estimate::bare(0.9)));
        assert_eq!(FORTY.interval(f64::NAN, &[0.9], 3.0), None);
    }
}
