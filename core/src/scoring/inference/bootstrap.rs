//! Intervals and tests from the bootstrap over identities (Efron and Tibshirani 1993): identities are drawn with replacement, and
//! their multiplicities weight scores that stay fixed ([`crate::scoring::design::resample`]). Neighbours are never rebuilt in a
//! replicate: rebuilt ones see copies of an image as its neighbours and turn a null AUC of .487 into .581.

use crate::{domain::score::Estimate, numeric::sum};

/// The estimate with its percentile interval: the central 95 % of a sorted distribution. `None` of no number or of no replicates.
pub(crate) fn interval(value: f64, sorted: &[f64]) -> Option<Estimate> {
    let finite = value.is_finite() && !sorted.is_empty();
    finite.then(|| Estimate::new(value, quantile(sorted, 0.025), quantile(sorted, 0.975)))
}

/// The same with a two-sided p-value of no difference from 0: twice the share of replicates on the rarer side of 0, itself counted.
pub(crate) fn interval_and_p(value: f64, sorted: &[f64]) -> Option<(Estimate, f64)> {
    let below = sorted.partition_point(|value| *value <= 0.0);
    let above = sorted.len() - sorted.partition_point(|value| *value < 0.0);
    let p = (2.0 * (1 + below.min(above)) as f64 / (1 + sorted.len()) as f64).min(1.0);
    Some((interval(value, sorted)?, p))
}

/// The standard deviation (population).
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = sum::mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// A quantile of sorted numbers, linear between order statistics (Hyndman and Fan's type 7, NumPy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// The median of the values that are defined.
pub(crate) fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile(&values, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.5), 3.0);
        assert!((quantile(&sorted, 0.975) - 7.7).abs() < 1e-12);
        assert_eq!(quantile(&[5.0], 0.025), 5.0);
    }
}
