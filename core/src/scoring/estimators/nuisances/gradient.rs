//! The gradient of a nuisance along an axis: |Spearman's ρ|.

use super::NuisanceDesign;
use crate::{
    domain::score::{Estimate, LEAST_IDENTITIES},
    numeric::Matrix,
    scoring::{
        design::{
            resample::{REPLICATES, ReplicateWeights, weighted_sums},
            split::Pool,
        },
        estimators::monotone::{ranks, reflect},
        inference::bootstrap::interval,
    },
};

/// |Spearman's ρ| of the axis and a nuisance that is one number, over the images in which it is defined: mid-ranks are taken once, and
/// replicates weight them.
pub(super) fn gradient_of(design: &NuisanceDesign, axis: &Matrix, column: &[f64]) -> Option<Estimate> {
    let resampler = &design.resamplers[Pool::Whole.index()];
    let defined: Vec<usize> = (0..column.len()).filter(|&image| column[image].is_finite()).collect();
    let middle = (defined.len() + 1) as f64 / 2.0;
    let scale = defined.len().max(1) as f64;
    // About their mean and of size 1, so that no digits are lost.
    let centred = |values: Vec<f64>| ranks(&values).into_iter().map(|rank| (rank - middle) / scale).collect::<Vec<f64>>();
    let x = centred(defined.iter().map(|&image| f64::from(axis.values()[image])).collect());
    let y = centred(defined.iter().map(|&image| column[image]).collect());
    let mut sums = vec![[0.0; 6]; resampler.identities()];
    for (place, &image) in defined.iter().enumerate() {
        let (x, y) = (x[place], y[place]);
        let of_image = [1.0, x, y, x * y, x * x, y * y];
        sums[resampler.identity(image)].iter_mut().zip(of_image).for_each(|(sum, of)| *sum += of);
    }
    let correlation = |multiplicities: &[[u8; REPLICATES]]| -> [Option<f64>; REPLICATES] {
        let all = weighted_sums(&sums, multiplicities);
        std::array::from_fn(|replicate| {
            let [n, x, y, xy, xx, yy] = [0, 1, 2, 3, 4, 5].map(|part: usize| all[part][replicate]);
            let (xx, yy) = (xx - x * x / n, yy - y * y / n);
            (xx > 0.0 && yy > 0.0).then(|| (xy - x * y / n) / (xx * yy).sqrt())
        })
    };
    let value = correlation(&vec![[1u8; REPLICATES]; resampler.identities()])[0]?;
    if resampler.identities() < LEAST_IDENTITIES {
        return Some(reflect(Estimate::bare(value), 0.0));
    }
    let [distribution] =
        resampler.distributions_of_many(design.bootstraps, |weights: ReplicateWeights| [correlation(weights.multiplicities)]);
    let signed = interval(value, &distribution).unwrap_or(Estimate::bare(value));
    Some(reflect(signed, 0.0))
}
