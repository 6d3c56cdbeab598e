//! Truncated singular value decomposition (latent semantic analysis: Deerwester et al. 1990): PCA about 0 instead of the mean, so that the
//! first axis is near the mean of the images. As scikit-learn's `TruncatedSVD`, with the house's `axes`; exact, by eigenvectors of XᵀX or XXᵀ in
//! `f64`, where scikit-learn draws random directions. linfa has no such method.

use super::{
    Placement, Projected, ProjectionInput, Projector, memory,
    method::{MethodSpec, ParameterSpec},
    pca::{self, Principal},
    placement::{LinearMap, in_single},
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{sum, tiled},
};

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "truncated_svd",
    title: "Truncated SVD",
    about: "Singular vectors of the features as they are, not centred, in double precision: the first axis is near the mean image. Shares of variance are those of the coordinates in the variance of the features, so the first may be small; each axis’s largest loading is positive.",
    version: 1,
    parameters: &[ParameterSpec::AXES],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(TruncatedSvd::new(of.count(Method::AXES)?)?)),
};

struct TruncatedSvd {
    axes: usize,
}

impl TruncatedSvd {
    fn new(axes: usize) -> Result<Self> {
        if axes > 0 { Ok(TruncatedSvd { axes }) } else { Err(Fault::asked("truncated SVD takes one axis or more")) }
    }

    fn singular(&self, given: &ProjectionInput) -> Result<Principal> {
        let (n, d) = (given.features.rows(), given.features.columns());
        if n < 2 {
            return Err(Fault::asked(format!("truncated SVD needs two images or more, there is {n}")));
        }
        varies(given.features)?;
        // The matrix of products, and two copies while it is decomposed.
        memory::affordable(&format!("truncated SVD of {n} images × {d} columns"), 24.0 * (n.min(d) as f64).powi(2))?;
        pca::about(given.features, vec![0.0; d], self.axes)
    }
}

impl Projector for TruncatedSvd {
    /// At most `axes` axes: no more than the features' rank. Facts: `explained` (variance of an axis in that of the features), `singular`
    /// (singular values), `rank`.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let singular = self.singular(given)?;
        let (n, k) = (given.features.rows(), singular.axes());
        let exact = singular.exact(given.features);
        let means = tiled::column_means(given.features);
        let total = squares_about(given.features, &means);
        let variance = |axis: usize| {
            let along: Vec<f64> = exact.iter().skip(axis).step_by(k).copied().collect();
            let mean = sum::mean(&along);
            sum::sum(&along.iter().map(|value| (value - mean) * (value - mean)).collect::<Vec<_>>())
        };
        let facts = [
            ("explained", (0..k).map(|axis| variance(axis) / total).collect()),
            ("singular", singular.values.iter().map(|value| value.sqrt()).collect()),
            ("rank", vec![singular.rank as f64]),
        ];
        let facts = facts.map(|(name, numbers)| (name.to_owned(), numbers)).into();
        Ok(Projected { coordinates: in_single(n, &exact), facts })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let Principal { means, loadings, .. } = self.singular(given)?;
        Ok(Some(Box::new(LinearMap { means, axes: loadings })))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        pca::operations(n, d, self.axes)
    }
}

/// Σ (x − mean)² over all columns.
fn squares_about(features: &crate::numeric::Matrix, means: &[f64]) -> f64 {
    let of_row = |row: usize| {
        features.row(row).iter().zip(means).fold(0.0, |sum, (x, mean)| sum + (f64::from(*x) - mean) * (f64::from(*x) - mean))
    };
    sum::sum(&(0..features.rows()).map(of_row).collect::<Vec<_>>())
}
