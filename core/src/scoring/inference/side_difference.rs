//! The difference of two sides of a contrast, of any statistic of models that is known in the same replicates of identities.

use super::{
    bootstrap::{deviation, interval_and_p},
    difference::difference,
    student,
};
use crate::{
    domain::{contrast::ContrastSides, index::ModelIx, score::Estimate},
    numeric::sum,
    scoring::design::resample::sorted,
};

/// A statistic in the sample and in every replicate.
#[derive(Clone)]
pub(crate) struct Replicates {
    /// In the sample.
    pub(crate) value: f64,
    /// By replicate; `None` where it is undefined.
    pub(crate) replicates: Vec<Option<f64>>,
    /// The effective number of identities that carry its errors, where it is an AUC.
    pub(crate) effective: f64,
}

impl Replicates {
    /// In the sample (`None`), or in one replicate.
    pub(crate) fn at(&self, replicate: Option<usize>) -> Option<f64> {
        replicate.map_or(Some(self.value), |replicate| self.replicates[replicate])
    }
}

/// How much the trainings of one side vary: the variance of their mean, and its degrees of freedom.
struct TrainingVariance {
    variance: f64,
    degrees: f64,
}

impl TrainingVariance {
    fn of(values: &[f64]) -> Self {
        let (n, mean) = (values.len() as f64, sum::mean(values));
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        TrainingVariance { variance: squares / (n - 1.0) / n, degrees: n - 1.0 }
    }
}

/// A difference of two sides (right − left), and its sources of uncertainty: which identities are in the sample, and, where the contrast names
/// a factor, how the trainings came out.
pub(crate) struct SideDifference {
    replicates: Replicates,
    /// Whether each side varies over replicates.
    both_vary: bool,
    /// Where both sides are AUCs: both with their intervals, and both in every replicate in which both are defined.
    pub(crate) sides: Option<([Estimate; 2], Vec<[f64; 2]>)>,
    trainings: Option<[TrainingVariance; 2]>,
}

impl SideDifference {
    /// The right side's mean of a statistic of models less the left side's. `statistic`: of a model, in the sample (`None`) or in a replicate.
    /// `None` where it is not defined in the sample.
    pub(crate) fn of(
        sides: &ContrastSides,
        replicates: usize,
        statistic: &dyn Fn(ModelIx, Option<usize>) -> Option<f64>,
    ) -> Option<Self> {
        let all =
            |models: &[ModelIx], replicate| models.iter().map(|&model| statistic(model, replicate)).collect::<Option<Vec<f64>>>();
        let at = |replicate| Some(sum::mean(&all(&sides.right, replicate)?) - sum::mean(&all(&sides.left, replicate)?));
        let by_replicate = (0..replicates).map(|replicate| at(Some(replicate))).collect();
        let values = [all(&sides.left, None)?, all(&sides.right, None)?];
        let varies = |models: &[ModelIx]| (1..replicates).any(|replicate| all(models, Some(replicate)) != all(models, Some(0)));
        Some(SideDifference {
            replicates: Replicates { value: at(None)?, replicates: by_replicate, effective: 0.0 },
            both_vary: varies(&sides.left) && varies(&sides.right),
            sides: None,
            trainings: sides.has_trainings().then(|| values.map(|side| TrainingVariance::of(&side))),
        })
    }

    /// The value in every replicate in which it is defined.
    fn defined_replicates(&self) -> Vec<f64> {
        self.replicates.replicates.iter().flatten().copied().collect()
    }

    /// Over identities, plus over trainings if the contrast names a factor; `None` where no replicate has a value.
    pub(crate) fn variance(&self) -> Option<f64> {
        let replicates = self.defined_replicates();
        let over_identities = (!replicates.is_empty()).then(|| deviation(&replicates).powi(2))?;
        // Near 1 replicates vary too little; the sides' own intervals do not.
        let arm = self.of_sides().and_then(|(estimate, _)| estimate.interval);
        let arm = arm.map_or(0.0, |interval| 0.5 * (interval.high - interval.low) / student::Z);
        let over_identities = over_identities.max(arm * arm);
        Some(over_identities + self.trainings.iter().flatten().map(|side| side.variance).sum::<f64>())
    }

    /// The interval and the p-value from both sides' intervals.
    fn of_sides(&self) -> Option<(Estimate, Option<f64>)> {
        let ([left, right], pairs) = self.sides.as_ref()?;
        Some(difference(*left, *right, pairs))
    }

    /// The interval and the two-sided p-value of no difference. A handful of trainings cannot be resampled: their variance is added to that
    /// over identities, and Student's t has Welch's degrees of freedom (Satterthwaite 1946; Welch 1947).
    pub(crate) fn interval_and_p(&self) -> Option<(Estimate, f64)> {
        let value = self.replicates.value;
        let Some(sides) = &self.trainings else {
            if let Some((estimate, p)) = self.of_sides() {
                return Some((estimate, p.unwrap_or(1.0)));
            }
            let sorted = sorted(self.defined_replicates());
            let (estimate, p) = interval_and_p(value, &sorted)?;
            // Where no replicate is on the other side of 0, the p-value follows from their standard deviation, if both sides vary.
            let one_sided = sorted.first()? * sorted.last()? > 0.0;
            let normal_p = student::two_sided(value / deviation(&sorted), f64::INFINITY);
            return Some((estimate, if one_sided && self.both_vary { p.min(normal_p) } else { p }));
        };
        let variance = self.variance()?;
        let denominator: f64 = sides.iter().map(|side| side.variance.powi(2) / side.degrees).sum();
        let degrees = if denominator > 0.0 { variance.powi(2) / denominator } else { f64::INFINITY };
        let reach = student::quantile(0.025, degrees) * variance.sqrt();
        let p = if variance > 0.0 { student::two_sided(value / variance.sqrt(), degrees) } else { 1.0 };
        Some((Estimate::new(value, value - reach, value + reach), p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// Three trainings a side and no true difference: p ≤ .05 in about one run of twenty, not of five.
    #[test]
    fn a_few_trainings_keep_the_error_rate() {
        let mut rng = PhiloxStream::for_test(5, 5);
        let mut normal = || rng.normals(1.0)[0];
        let runs = 2000;
        let significant = (0..runs)
            .filter(|_| {
                let sides = [0, 1].map(|_| [normal(), normal(), normal()]);
                let value = sum::mean(&sides[1]) - sum::mean(&sides[0]);
                let replicates = (0..50).map(|_| Some(value + 0.05 * normal())).collect();
                let replicates = Replicates { value, replicates, effective: 0.0 };
                let trainings = Some(sides.map(|side| TrainingVariance::of(&side)));
                let difference = SideDifference { replicates, both_vary: true, sides: None, trainings };
                difference.interval_and_p().unwrap().1 <= 0.05
            })
            .count();
        assert!((0.02..0.065).contains(&(significant as f64 / f64::from(runs))), "{significant} of {runs}");
    }
}
