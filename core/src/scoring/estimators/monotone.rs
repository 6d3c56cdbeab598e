//! Gradients along one axis: the Mann–Whitney AUC of two classes, Spearman's ρ of a quantity.
//!
//! The direction of an axis means nothing, so a value is reported as if it were above chance. The *signed* statistic is bootstrapped: if
//! its interval holds chance, the low end is chance and the high end the farther of both sides; else it is reflected. (The percentile
//! interval of a reflected statistic never covers chance.)

use super::{
    auc::{Sorted, auc_in_replicates},
    knn::effective_identities_of_losses,
};
use crate::{
    domain::score::{Estimate, Interval, LEAST_IDENTITIES},
    scoring::{
        design::resample::Resampler,
        inference::{bootstrap::interval, interval::AucInterval},
    },
};

/// The AUC along an axis, at least ½. `axis`: by member; `positive`: by member, `None` for members of both classes or of neither. `None`
/// where a class is empty.
pub(crate) fn auc(
    axis: &[f32],
    positive: &[Option<bool>],
    interval: AucInterval,
    resampler: &Resampler,
    replicates: usize,
) -> Option<Estimate> {
    let scored = axis
        .iter()
        .zip(positive)
        .enumerate()
        .filter_map(|(i, (value, positive))| Some((i as u32, f64::from(*value), (*positive)?)));
    let sorted = Sorted::new(scored.collect());
    let value = sorted.u_statistic(|_| 1).auc()?;
    let folds = [sorted];
    let [resampled] = resampler.distributions_of_many(replicates, |weights| [auc_in_replicates(&folds, weights)]);
    let effective = effective_identities_of_losses(&folds, resampler.identities(), |member| resampler.identity(member));
    interval.within(1).interval(value, &resampled, effective).map(|signed| reflect(signed, 0.5))
}

/// |Spearman's ρ| of the axis and the quantity, both by member: Pearson's r of their mid-ranks, which replicates weight and do not take
/// anew. `None` where one side does not vary.
pub(crate) fn spearman(axis: &[f32], quantity: &[f64], resampler: &Resampler, replicates: usize) -> Option<Estimate> {
    let x = ranks(&axis.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
    let y = ranks(quantity);
    let statistic = |weights: &[u32]| {
        let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
        let mean = |values: &[f64]| values.iter().zip(weights).map(|(value, w)| value * f64::from(*w)).sum::<f64>() / total;
        let (mean_x, mean_y) = (mean(&x), mean(&y));
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for ((x, y), w) in x.iter().zip(&y).zip(weights) {
            let (dx, dy, w) = (x - mean_x, y - mean_y, f64::from(*w));
            xy += w * dx * dy;
            xx += w * dx * dx;
            yy += w * dy * dy;
        }
        [(xx > 0.0 && yy > 0.0).then(|| xy / (xx * yy).sqrt())]
    };
    let [value] = statistic(&resampler.sample_weights());
    let [sorted] = resampler.distributions(replicates, statistic);
    let signed = if resampler.identities() < LEAST_IDENTITIES { Some(Estimate::bare(value?)) } else { interval(value?, &sorted) };
    signed.map(|signed| reflect(signed, 0.0))
}

/// The estimate as if the axis pointed the other way where it is below chance.
pub(super) fn reflect(signed: Estimate, chance: f64) -> Estimate {
    let mirror = |x: f64| 2.0 * chance - x;
    let value = if signed.value < chance { mirror(signed.value) } else { signed.value };
    let reflected = |Interval { low, high }| {
        if low <= chance && chance <= high {
            Interval { low: chance, high: high.max(mirror(low)) }
        } else if signed.value < chance {
            Interval { low: mirror(high), high: mirror(low) }
        } else {
            Interval { low, high }
        }
    };
    Estimate { value, interval: signed.interval.map(reflected) }
}

/// Ranks from 1, ties sharing their mean.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut ranks = vec![0.0; values.len()];
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&i| values[i] < values[run[0]]);
        run.iter().for_each(|&i| ranks[i] = first as f64 + (run.len() + 1) as f64 / 2.0);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_holds_chance_starts_there_and_others_are_reflected() {
        let reflect = |value, low, high| super::reflect(Estimate::new(value, low, high), 0.5);
        assert_eq!(reflect(0.45, 0.38, 0.53), Estimate::new(0.55, 0.5, 0.62));
        assert_eq!(reflect(0.25, 0.125, 0.375), Estimate::new(0.75, 0.625, 0.875));
        assert_eq!(reflect(0.75, 0.625, 0.875), Estimate::new(0.75, 0.625, 0.875));
        assert_eq!(super::reflect(Estimate::bare(0.25), 0.5), Estimate::bare(0.75));
    }

    #[test]
    fn ties_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }
}
