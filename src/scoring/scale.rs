//! The scale on which an AUC's interval is made: log-odds, so that it is as wide on both sides where the AUC is near 1, and with
//! Student's t on as many people as the smaller class has, for they carry it. The plain percentile interval of an AUC of .95 with
//! thirty positives has its low end above the truth in nine samples of a hundred; this one in three (docs/statistics.md).
//!
//! So that 1 has log-odds, half of something is added to either side. At the low end it is half of four times the people: where all
//! mistakes are one person's, resamples without it are perfect, and they must not widen the interval without bound. At the
//! high end it is half a pair of people, or an AUC of .99 would be out of reach.

use crate::{
    domain::score::Estimate,
    numeric::special::{exp, ln},
    numeric::sum,
};

/// z of a two-sided 95 % interval.
pub const Z: f64 = 1.959_963_984_540_054;

#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// What half is added of, at the low end and at the high one.
    low: f64,
    high: f64,
    t: f64,
}

impl Scale {
    /// `people`: identities of the smallest class.
    pub fn of(people: usize) -> Self {
        let people = people.max(2) as f64;
        Scale { low: 4.0 * people, high: people * people, t: student(people - 1.0) }
    }

    /// From the AUC and those of resamples.
    pub fn interval(self, value: f64, resampled: &[f64]) -> Option<Estimate> {
        if !value.is_finite() || resampled.is_empty() {
            return None;
        }
        let low = back(odds(value, self.low) - self.t * deviation(resampled, self.low));
        let high = back(odds(value, self.high) + self.t * deviation(resampled, self.high));
        Some(Estimate { value, low: low.min(value), high: high.max(value) })
    }

    /// How seldom a true AUC of `mark` would come out as high, one-sided, going by the low arm of its interval; 1 where no resample
    /// varies, for then nothing is known of that.
    pub fn above(self, of: Estimate, mark: f64) -> f64 {
        let arm = self.low_arm(of);
        let beyond = odds(of.value, self.low) - odds(mark, self.low);
        if arm > 0.0 { 0.5 * libm::erfc(beyond / arm * Z / std::f64::consts::SQRT_2) } else { 1.0 }
    }

    /// The low end if an interval that reaches `Z` standard deviations reached so many.
    pub fn stretched(self, of: Estimate, deviations: f64) -> f64 {
        let value = odds(of.value, self.low);
        back(value - self.low_arm(of) * deviations / Z).min(of.low)
    }

    fn low_arm(self, of: Estimate) -> f64 {
        odds(of.value, self.low) - ln(of.low / (1.0 - of.low))
    }
}

fn odds(auc: f64, of: f64) -> f64 {
    let share = (auc * of + 0.5) / (of + 1.0);
    ln(share / (1.0 - share))
}

fn back(odds: f64) -> f64 {
    1.0 / (1.0 + exp(-odds))
}

fn deviation(aucs: &[f64], of: f64) -> f64 {
    let all: Vec<f64> = aucs.iter().map(|auc| odds(*auc, of)).collect();
    let mean = sum::mean(&all);
    let squares: Vec<f64> = all.iter().map(|odds| (odds - mean) * (odds - mean)).collect();
    (sum::sum(&squares) / all.len() as f64).sqrt()
}

/// The 97.5th percentile of Student's t (Abramowitz and Stegun 26.7.5); of fewer than five degrees the table's, rounded down.
pub fn student(degrees: f64) -> f64 {
    const FEW: [f64; 4] = [12.7062, 4.3027, 3.1824, 2.7764];
    if degrees < 5.0 {
        return FEW[(degrees.floor().max(1.0) as usize - 1).min(3)];
    }
    let [z, z3, z5, z7, z9] = [1, 3, 5, 7, 9].map(|power| Z.powi(power));
    Z + (z3 + z) / (4.0 * degrees)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * degrees.powi(2))
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * degrees.powi(3))
        + (79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92160.0 * degrees.powi(4))
}

/// P(|T| ≥ |t|) of Student's t (Hill 1970, algorithm 395: the normal deviate that is as far out).
pub fn two_sided(t: f64, degrees: f64) -> f64 {
    let z = if degrees.is_finite() {
        let a = degrees - 0.5;
        let b = 48.0 * a * a;
        let square = a * ln(1.0 + t * t / degrees);
        let more = ((-0.4 * square - 3.3) * square - 24.0) * square - 85.5;
        ((more / (0.8 * square * square + 100.0 + b) + square + 3.0) / b + 1.0) * square.sqrt()
    } else {
        t.abs()
    };
    libm::erfc(z / std::f64::consts::SQRT_2).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_is_the_tables() {
        for (degrees, t) in [(2.0, 4.3027), (4.9, 2.7764), (5.0, 2.5706), (10.0, 2.2281), (29.0, 2.0452), (120.0, 1.9799)] {
            assert!((student(degrees) - t).abs() < 2e-3, "{degrees}: {}", student(degrees));
        }
    }

    #[test]
    fn tails_are_the_tables() {
        for (t, degrees, p) in
            [(4.3027, 2.0, 0.05), (2.7764, 4.0, 0.05), (2.2281, 10.0, 0.05), (3.1693, 10.0, 0.01), (1.96, f64::INFINITY, 0.05)]
        {
            assert!((two_sided(t, degrees) - p).abs() < 2e-3, "{t} {degrees}: {}", two_sided(t, degrees));
        }
        assert_eq!(two_sided(0.0, 4.0), 1.0);
    }

    #[test]
    fn intervals_stay_between_nought_and_one_and_hold_their_value() {
        let scale = Scale::of(30);
        let perfect = scale.interval(1.0, &[1.0; 20]).unwrap();
        assert!(perfect.high == 1.0 && perfect.low > 0.995 && scale.stretched(perfect, 4.0) > 0.995);
        let of = scale.interval(0.9, &[0.85, 0.95, 0.9, 0.88]).unwrap();
        assert!(0.75 < of.low && of.low < 0.9 && 0.9 < of.high && of.high < 0.97, "{of:?}");
        assert!((scale.stretched(of, Z) - of.low).abs() < 1e-12 && scale.stretched(of, 4.0) < of.low);
        assert_eq!(scale.interval(0.9, &[]), None);
        // One person makes every mistake there is: without it a resample is perfect.
        let one: Vec<f64> = (0..100).map(|turn| if turn % 3 == 0 { 1.0 } else { 0.994 }).collect();
        let of = Scale::of(175).interval(0.996, &one).unwrap();
        assert!(of.low > 0.96 && Scale::of(175).stretched(of, 4.0) > 0.7, "{of:?}");
    }
}
