//! Principal component analysis (Pearson 1901; Hotelling 1933), exact: the eigenvectors of the covariance matrix in
//! `f64`, or of the images' products with each other where features have more columns than rows. Shares of variance are over
//! the full spectrum, not over the axes kept. Sign: each axis's largest loading is positive (the first of equals), so an axis
//! is the same on all machines.
//!
//! Of many images the covariance is summed in `f32` blocks ([`single::scatter`]) and only says *where* the axes lie: some more axes than
//! wanted are found in it, the images are placed along them in `f64`, and the products of these coordinates, a small matrix, give values and
//! axes again (Rayleigh and Ritz). A direction that is off by ε leaves a value off by ε². Where an eigenvalue is so small that the `f32` sums cannot
//! tell it from none, all is done in `f64`.

use super::{
    Placement, Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterSpec},
    placement::{LinearMap, in_single},
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{Matrix, eigen, leading, single, sum, tiled},
};
use rayon::prelude::*;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "pca",
    title: "PCA",
    about: "Eigenvectors of the covariance matrix in double precision (of many images: its sums in single precision, then values and axes again in double from the coordinates along them); shares of variance over the full spectrum; each axis’s largest loading is positive.",
    version: 2,
    parameters: &[ParameterSpec::AXES],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(Pca::new(of.count(Method::AXES)?)?)),
};

struct Pca {
    axes: usize,
}

impl Pca {
    fn new(axes: usize) -> Result<Self> {
        if axes > 0 { Ok(Pca { axes }) } else { Err(Fault::asked("PCA takes one axis or more")) }
    }
}

impl Projector for Pca {
    /// At most `axes` axes: no more than the features' rank. Facts: `explained` (share of variance an axis), `rank`.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let principal = principal(given.features, self.axes)?;
        let facts = [("explained".to_owned(), principal.explained()), ("rank".to_owned(), vec![principal.rank as f64])];
        Ok(Projected { coordinates: principal.coordinates(given.features), facts: facts.into() })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let Principal { means, loadings, .. } = principal(given.features, self.axes)?;
        Ok(Some(Box::new(LinearMap { means, axes: loadings })))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        operations(n, d, self.axes)
    }
}

/// Products of the shorter side, its eigenvalues, and the coordinates.
pub(super) fn operations(n: f64, d: f64, axes: usize) -> f64 {
    let (short, long) = (n.min(d), n.max(d));
    short * short * long + 4.0 * short.powi(3) + 2.0 * n * d * axes as f64
}

/// Directions of greatest variance.
pub(super) struct Principal {
    /// Of the columns: where axes meet.
    pub means: Vec<f64>,
    /// Unit vectors, one a row of D loadings.
    pub loadings: Vec<f64>,
    /// Sums of squares along the axes kept.
    pub values: Vec<f64>,
    /// The same over all axes.
    pub total: f64,
    pub rank: usize,
    /// The images' coordinates, where they are known already.
    placed: Option<Vec<f64>>,
}

/// The directions themselves.
///
/// # Errors
/// Fewer than two images, or features that are all the same.
pub(super) fn principal(features: &Matrix, axes: usize) -> Result<Principal> {
    let (n, d) = (features.rows(), features.columns());
    if n < 2 {
        return Err(Fault::asked(format!("PCA needs two images or more, there is {n}")));
    }
    let is_large = d <= n && d > 1 && n as f64 * (d * d) as f64 >= MANY;
    if is_large && let Some(principal) = of_many(features, axes.min(d)) {
        return Ok(principal);
    }
    about(features, tiled::column_means(features), axes)
}

/// Directions of the greatest sums of squares about this point.
///
/// # Errors
/// Features that are all at the point.
pub(super) fn about(features: &Matrix, means: Vec<f64>, axes: usize) -> Result<Principal> {
    let (n, d) = (features.rows(), features.columns());
    let unsolved = || Fault::unexpected("the covariance of the features has no eigenvectors: are all values finite?");
    let spectrum = if d <= n {
        eigen::leading(tiled::scatter(features, &means), d, axes.min(d))
    } else {
        eigen::leading(tiled::gram(features, &means), n, axes.min(n))
    };
    let spectrum = spectrum.ok_or_else(unsolved)?;
    // Below the floor an eigenvalue is rounding (as NumPy's matrix_rank: the largest × size × ε).
    let floor = spectrum.values[0] * n.max(d) as f64 * f64::EPSILON;
    let rank = spectrum.values.iter().take_while(|value| **value > floor).count();
    if rank == 0 {
        return Err(all_the_same(n));
    }
    let kept = axes.min(rank);
    let mut loadings = if d <= n {
        spectrum.vectors[..kept * d].to_vec()
    } else {
        spectrum.vectors[..kept * n].par_chunks(n).flat_map(|along| direction(features, &means, along)).collect()
    };
    loadings.chunks_exact_mut(d).for_each(|axis| {
        fix_sign(axis);
    });
    let total = sum::sum(&spectrum.values);
    Ok(Principal { means, loadings, values: spectrum.values[..kept].to_vec(), total, rank, placed: None })
}

/// Products of a covariance from which on it is summed in single precision: 4,096 images of 512 columns.
const MANY: f64 = 1_073_741_824.0;
/// Relative to the greatest eigenvalue, what sums in single precision cannot tell from 0: about 32 times their error.
const SINGLE_FLOOR: f64 = 3.8e-6;
/// Axes beyond those wanted, at least: what is wanted mixes with what lies beyond them, not with its neighbours.
const MORE_AXES: usize = 4;

/// By sums in single precision; `None` where they cannot tell how many axes there are.
fn of_many(features: &Matrix, axes: usize) -> Option<Principal> {
    let (_, d) = (features.rows(), features.columns());
    let scatter = single::scatter(features);
    let total = sum::sum(&(0..d).map(|j| scatter.products[j * d + j]).collect::<Vec<_>>());
    let varying = (0..d).filter(|j| scatter.products[j * d + j] != 0.0).count();
    let more = (axes + MORE_AXES).next_multiple_of(tiled::WIDE).min(varying);
    let found = leading::leading(scatter.products, d, more, SINGLE_FLOOR)?;
    if varying == 0 || found.above_floor != varying {
        return None;
    }
    let places = tiled::project(features, &scatter.means, &found.vectors);
    let ritz = eigen::symmetric(&tiled::products_of_rows(&places, more), more)?;
    let kept = axes.min(more);
    let (mut loadings, mut rotation) = (Vec::with_capacity(kept * d), Vec::with_capacity(kept * more));
    for weights in ritz.vectors[..kept * more].chunks_exact(more) {
        let mut axis = vec![0.0; d];
        for (weight, vector) in weights.iter().zip(found.vectors.chunks_exact(d)) {
            axis.iter_mut().zip(vector).for_each(|(sum, loading)| *sum += weight * loading);
        }
        let sign = fix_sign(&mut axis);
        loadings.extend(axis);
        rotation.extend(weights.iter().map(|weight| sign * weight));
    }
    let placed = tiled::rotated(&places, &rotation, more);
    Some(Principal {
        means: scatter.means,
        loadings,
        values: ritz.values[..kept].to_vec(),
        total,
        rank: varying,
        placed: Some(placed),
    })
}

pub(super) fn all_the_same(n: usize) -> Fault {
    Fault::asked(format!("all {n} images have the same features: there is nothing to project"))
}

impl Principal {
    pub(super) fn axes(&self) -> usize {
        self.values.len()
    }

    /// Shares of the full variance.
    pub(super) fn explained(&self) -> Vec<f64> {
        self.values.iter().map(|value| value / self.total).collect()
    }

    /// N × axes.
    pub(super) fn coordinates(&self, features: &Matrix) -> Matrix {
        in_single(features.rows(), &self.exact(features))
    }

    /// The same, not yet rounded, row by row.
    pub(super) fn exact(&self, features: &Matrix) -> Vec<f64> {
        self.placed.clone().unwrap_or_else(|| tiled::project(features, &self.means, &self.loadings))
    }
}

/// The unit vector of loadings of which `along` are the images' coordinates, up to their size.
fn direction(features: &Matrix, means: &[f64], along: &[f64]) -> Vec<f64> {
    let mut loadings = vec![0.0; features.columns()];
    for (row, weight) in along.iter().enumerate() {
        for ((loading, value), mean) in loadings.iter_mut().zip(features.row(row)).zip(means) {
            *loading += weight * (f64::from(*value) - mean);
        }
    }
    let size = sum::dot(&loadings, &loadings).sqrt();
    loadings.iter_mut().for_each(|loading| *loading /= size);
    loadings
}

/// Reflects an axis so that its largest loading is positive; of equals the first decides. −1 where it was reflected, else 1.
pub(super) fn fix_sign(axis: &mut [f64]) -> f64 {
    let largest =
        axis.iter().copied().fold(0.0, |largest: f64, loading| if loading.abs() > largest.abs() { loading } else { largest });
    if largest < 0.0 {
        axis.iter_mut().for_each(|loading| *loading = -*loading);
        return -1.0;
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    fn project(features: &Matrix, axes: usize) -> Result<Projected> {
        Pca { axes }.project(&ProjectionInput::alone(features, 0))
    }

    fn cloud(n: usize, spread: &[f64]) -> Matrix {
        let mut stream = PhiloxStream::for_test(5, 0);
        let values =
            (0..n).flat_map(|_| spread.iter().map(|s| (s * (stream.uniform() - 0.5)) as f32).collect::<Vec<_>>()).collect();
        Matrix::new(n, spread.len(), values).unwrap()
    }

    #[test]
    fn axes_come_in_order_of_variance_and_explain_it_over_the_full_spectrum() {
        let projected = project(&cloud(500, &[1.0, 10.0, 3.0]), 2).unwrap();
        let explained = &projected.facts["explained"];
        assert!(explained[0] > 0.85 && explained[0] > explained[1] && explained.iter().sum::<f64>() < 1.0);
        let variance = |axis: usize| projected.coordinates.column(axis).iter().map(|x| f64::from(x * x)).sum::<f64>();
        assert!(variance(0) > variance(1));
    }

    #[test]
    fn a_dead_channel_is_no_axis_and_equal_images_are_an_error() {
        let projected = project(&cloud(50, &[1.0, 0.0, 2.0]), 10).unwrap();
        assert_eq!(projected.coordinates.columns(), 2);
        assert!(project(&cloud(50, &[0.0, 0.0]), 2).is_err());
        assert!(project(&cloud(1, &[1.0]), 2).is_err());
        assert_eq!(project(&cloud(5, &[1.0; 40]), 40).unwrap().facts["rank"], [4.0]);
    }

    #[test]
    fn turning_the_features_around_turns_nothing_but_signs_kept_by_rule() {
        let features = cloud(80, &[1.0, 5.0]);
        let reflected = Matrix::new(80, 2, features.values().iter().map(|x| -x).collect()).unwrap();
        let (one, other) = (project(&features, 2).unwrap(), project(&reflected, 2).unwrap());
        assert_eq!(one.facts, other.facts);
        assert!(one.coordinates.values().iter().zip(other.coordinates.values()).all(|(a, b)| *a == -*b));
    }
}
