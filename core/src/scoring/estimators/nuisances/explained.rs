//! R²: the share of a nuisance's variance that the nearest images of other folds tell.
//!
//! Resamples draw identities. An image that is drawn twice counts twice, and moves what is predicted of the images that it is near to. How
//! far it moves their squared errors is taken to the first order (the infinitesimal jackknife; Efron 1982): of an image i with error
//! eᵢ and k neighbours, of which j has the value yⱼ, by −2 eᵢ (yⱼ − pᵢ) / k, where pᵢ is their mean. Neighbours themselves stay.
//! The interval is the percentile interval of log(1 − R²), with the median of the replicates moved to the value.
//!
//! Where the view knows nothing, the interval is about half as wide again as it need be: that two images are each other's neighbours
//! counts for both of them (Efron and Stein 1981).

use super::NuisanceDesign;
use crate::{
    domain::score::{Estimate, LEAST_IDENTITIES},
    scoring::{
        design::{
            resample::{Multiplicities, REPLICATES, ReplicateWeights, weighted_sums},
            split::Pool,
        },
        estimators::out_of_fold::OutOfFold,
        inference::bootstrap::{interval, median},
    },
};

/// Sums over the images of one identity in which a column is predicted: their number, values, squares, and squared errors. The last: how
/// far all squared errors move when the identity is drawn once more. Over all identities that is nought: neighbours lie about their mean.
type Sums = [f64; 5];

/// R² of one nuisance in one pool: the median over projection seeds. `columns`: by column, by image.
pub(super) fn explained(design: &NuisanceDesign, neighbours: &[OutOfFold], columns: &[Vec<f64>], pool: Pool) -> Option<Estimate> {
    let resampler = &design.resamplers[pool.index()];
    // By seed, by column, by identity.
    let sums: Vec<Vec<Vec<Sums>>> = neighbours
        .iter()
        .map(|of_seed| columns.iter().map(|column| sums_by_identity(design, of_seed, column, pool)).collect())
        .collect();
    let once = vec![[1u8; REPLICATES]; resampler.identities()];
    let of_seeds = |multiplicities: &[Multiplicities]| -> [Option<f64>; REPLICATES] {
        let seeds: Vec<[Option<f64>; REPLICATES]> = sums.iter().map(|columns| r_squared(columns, multiplicities)).collect();
        std::array::from_fn(|replicate| median(seeds.iter().map(|seed| seed[replicate])))
    };
    let value = of_seeds(&once)[0]?;
    if resampler.identities() < LEAST_IDENTITIES {
        return Some(Estimate::bare(value));
    }
    let [distribution] =
        resampler.distributions_of_many(design.bootstraps, |weights: ReplicateWeights| [of_seeds(weights.multiplicities)]);
    interval(value, &centred(value, &distribution)).or(Some(Estimate::bare(value)))
}

fn sums_by_identity(design: &NuisanceDesign, neighbours: &OutOfFold, column: &[f64], pool: Pool) -> Vec<Sums> {
    let resampler = &design.resamplers[pool.index()];
    let mut sums = vec![[0.0; 5]; resampler.identities()];
    let list = usize::from(pool != Pool::Whole);
    for (image, nearest) in neighbours.iter().enumerate().filter(|(image, _)| pool.holds(design.split.half[*image])) {
        let value = column[image];
        let defined = || nearest[list].iter().map(|&j| (j as usize, column[j as usize])).filter(|(_, near)| !near.is_nan());
        let known = defined().count() as f64;
        if value.is_nan() || known == 0.0 {
            continue;
        }
        let predicted = defined().map(|(_, near)| near).sum::<f64>() / known;
        let error = value - predicted;
        let of_image = [1.0, value, value * value, error * error, 0.0];
        sums[resampler.identity(image)].iter_mut().zip(of_image).for_each(|(sum, of)| *sum += of);
        for (j, near) in defined() {
            sums[resampler.identity(j)][4] -= 2.0 * error * (near - predicted) / known;
        }
    }
    sums
}

/// 1 − squared errors over squared distances from the mean, over all columns.
fn r_squared(columns: &[Vec<Sums>], multiplicities: &[Multiplicities]) -> [Option<f64>; REPLICATES] {
    let (mut errors, mut total) = ([0.0; REPLICATES], [0.0; REPLICATES]);
    for column in columns {
        let sums = weighted_sums(column, multiplicities);
        for replicate in 0..REPLICATES {
            let [n, value, square, error, moved] = [0, 1, 2, 3, 4].map(|part: usize| sums[part][replicate]);
            errors[replicate] += error + moved;
            total[replicate] += if n > 0.0 { square - value * value / n } else { 0.0 };
        }
    }
    std::array::from_fn(|replicate| (total[replicate] > 0.0).then(|| 1.0 - errors[replicate] / total[replicate]))
}

/// The same replicates with the median of log(1 − R²) at that of the value. `sorted`: ascending.
fn centred(value: f64, sorted: &[f64]) -> Vec<f64> {
    // To the first order a replicate may leave less than nothing unexplained: a hundredth of the value's share is the least that is taken.
    let least = (0.01 * (1.0 - value)).max(f64::MIN_POSITIVE);
    let unexplained = |of: f64| (1.0 - of).max(least).ln();
    let Some(middle) = median(sorted.iter().map(|of| Some(*of))) else { return Vec::new() };
    let moved = unexplained(value) - unexplained(middle);
    sorted.iter().map(|of| 1.0 - (unexplained(*of) + moved).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::out_of_fold::out_of_fold,
            tests::{normals, points, with},
        },
        *,
    };

    use crate::scoring::design::split::Half;

    const B: Pool = Pool::Half(Half::B);

    /// Squared errors of half B when one identity weighs more: predictions are weighted means, made anew.
    fn squared_errors(design: &NuisanceDesign, neighbours: &OutOfFold, column: &[f64], weight: impl Fn(usize) -> f64) -> f64 {
        let resampler = &design.resamplers[B.index()];
        let weight = |image: usize| weight(resampler.identity(image));
        let of_image = |image: usize| {
            let near = || neighbours[image][1].iter().map(|&j| j as usize);
            let weights: f64 = near().map(weight).sum();
            let predicted = near().map(|j| weight(j) * column[j]).sum::<f64>() / weights;
            weight(image) * (column[image] - predicted).powi(2)
        };
        (0..column.len()).filter(|&image| B.holds(design.split.half[image])).map(of_image).sum()
    }

    #[test]
    fn what_an_identity_moves_is_the_slope_of_the_squared_errors() {
        let n = 400;
        let (axis, noise) = (normals(n, 11), normals(n, 12));
        let column: Vec<f64> = axis.iter().zip(&noise).map(|(axis, noise)| axis + noise).collect();
        with(n, |setting| {
            let design = NuisanceDesign::new(setting, 10, 7);
            let neighbours = out_of_fold(&points(&[&axis]), &design.split);
            let sums = sums_by_identity(&design, &neighbours, &column, B);
            let step = 1e-4;
            let slope = |of: usize, by: f64| {
                squared_errors(&design, &neighbours, &column, |identity| if identity == of { 1.0 + by } else { 1.0 })
            };
            let slopes: Vec<f64> = (0..sums.len()).map(|of| (slope(of, step) - slope(of, -step)) / (2.0 * step)).collect();
            for (of, (sums, slope)) in sums.iter().zip(&slopes).enumerate() {
                assert!((sums[3] + sums[4] - slope).abs() < 1e-5, "identity {of}: {} + {}, {slope}", sums[3], sums[4]);
            }
        });
    }

    #[test]
    fn a_column_that_is_told_whole_has_no_spread_and_one_told_to_a_hair_has_a_finite_one() {
        assert_eq!(centred(1.0, &[1.0, 1.0, 1.0]), [1.0, 1.0, 1.0]);
        let centred = centred(0.99, &[0.98, 1.0, 1.5]);
        assert!(centred.is_sorted() && centred.iter().all(|of| of.is_finite() && *of < 1.0), "{centred:?}");
    }

    #[test]
    fn the_median_of_replicates_is_the_value() {
        let moved = centred(0.5, &[0.2, 0.4, 0.46]);
        assert!((moved[1] - 0.5).abs() < 1e-12 && (moved[0] - (1.0 - 0.8 * 0.5 / 0.6)).abs() < 1e-12, "{moved:?}");
    }
}
