//! Factor analysis: x = mean + Wᵀ z + noise of its own variance in each column (Spearman 1904), fitted by maximum likelihood with
//! scikit-learn's algorithm and defaults (`FactorAnalysis`: Barber, *Bayesian Reasoning and Machine Learning*, algorithm 21.1; no rotation). A
//! coordinate is the mean of a factor given the image. scikit-learn draws a random start for each decomposition; here the leading eigenvectors of the
//! covariance, scaled by the noise, are found to a residual, and each step starts from those of the one before. Features whose mean variance is
//! not within 10⁻⁴ and 10⁴ are scaled to 1 first, for the start (noise of variance 1) is not free of units. linfa has no such method.

use super::{
    Placement, Projected, ProjectionInput, Projector, memory,
    method::{MethodSpec, ParameterSpec},
    pca::fix_sign,
    placement::LinearMap,
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{
        PhiloxStream, Purpose,
        block_lanczos::{self, SPARE},
        pivoted_cholesky,
        special::ln,
        sum::{self, dot_lanes},
        tiled::{self, Panels, WIDE},
    },
};

/// scikit-learn's.
const MOST_ITERATIONS: usize = 1000;
/// Of the log-likelihood of all images together.
const TOLERANCE: f64 = 1e-2;
/// The least variance of noise.
const LEAST: f64 = 1e-12;
/// Of eigenvectors, of the largest eigenvalue.
const RESIDUAL: f64 = 1e-7;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "factor_analysis",
    title: "Factor analysis",
    about: "Maximum likelihood of a few common factors and noise of its own variance in every column, by scikit-learn’s algorithm, without rotation. Coordinates are the factors’ means given the image. Shares of variance are of the loadings; each factor’s largest loading is positive.",
    version: 1,
    parameters: &[ParameterSpec::AXES],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(FactorAnalysis::new(of.count(Method::AXES)?)?)),
};

struct FactorAnalysis {
    axes: usize,
}

/// Factors of which any noise is taken away.
struct Factors {
    /// k × D.
    loadings: Vec<f64>,
    /// Of the columns.
    noise: Vec<f64>,
    map: LinearMap,
    /// Sum of the columns' variances.
    total: f64,
    /// Mean log-likelihood of an image.
    likelihood: f64,
    iterations: usize,
}

impl FactorAnalysis {
    fn new(axes: usize) -> Result<Self> {
        if axes > 0 { Ok(FactorAnalysis { axes }) } else { Err(Fault::asked("factor analysis takes one axis or more")) }
    }

    fn factors(&self, given: &ProjectionInput) -> Result<Factors> {
        let (n, d) = (given.features.rows(), given.features.columns());
        if n < 2 {
            return Err(Fault::asked(format!("factor analysis needs two images or more, there is {n}")));
        }
        varies(given.features)?;
        memory::affordable(&format!("factor analysis of {d} columns"), 32.0 * (d as f64).powi(2))?;
        let means = tiled::column_means(given.features);
        let mut covariance = tiled::scatter(given.features, &means);
        covariance.iter_mut().for_each(|value| *value /= n as f64);
        let variances: Vec<f64> = (0..d).map(|j| covariance[j * d + j]).collect();
        let typical = sum::mean(&variances);
        let unit = if (1e-4..=1e4).contains(&typical) { 1.0 } else { typical };
        let covariance = Covariance::new(&covariance, d, unit);
        let k = self.axes.min(d).min(n - 1);
        let Fitted { loadings, noise, likelihood, iterations } = covariance.fitted(n, k, given)?;
        let root = unit.sqrt();
        let kept = loadings.chunks_exact(d).filter(|row| row.iter().any(|loading| *loading != 0.0));
        let mut loadings: Vec<f64> = kept.flatten().map(|loading| loading * root).collect();
        if loadings.is_empty() {
            return Err(Fault::asked("factor analysis finds no factor: no two columns vary together")
                .next("use another method, such as PCA, or fewer axes"));
        }
        loadings.chunks_exact_mut(d).for_each(|axis| {
            fix_sign(axis);
        });
        let noise: Vec<f64> = noise.iter().map(|value| value * unit).collect();
        let likelihood = likelihood / n as f64 - 0.5 * d as f64 * ln(unit);
        let map = LinearMap { means, axes: posterior(&loadings, &noise)? };
        Ok(Factors { loadings, noise, map, total: sum::sum(&variances), likelihood, iterations })
    }
}

impl Projector for FactorAnalysis {
    /// At most `axes` axes: only factors that explain more than noise. Facts: `explained` (share of variance by a factor's loadings), `noise`
    /// (share of variance that no factor explains), `likelihood` (mean of the images' logarithms), `turns` (iterations).
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let Factors { loadings, noise, map, total, likelihood, iterations } = self.factors(given)?;
        let explained = loadings.chunks_exact(noise.len()).map(|row| dot_lanes(row, row) / total).collect();
        let facts = [
            ("explained", explained),
            ("noise", vec![sum::sum(&noise) / total]),
            ("likelihood", vec![likelihood]),
            ("turns", vec![iterations as f64]),
        ];
        let facts = facts.map(|(name, numbers)| (name.to_owned(), numbers)).into();
        Ok(Projected { coordinates: map.coordinates(given.features), facts })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        Ok(Some(Box::new(self.factors(given)?.map)))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let (k, iterations, blocks) = (self.axes as f64 + SPARE as f64, 100.0, 3.0);
        n * d * d + iterations * blocks * 2.0 * d * d * k + 2.0 * n * d * k
    }
}

/// (I + W ψ⁻¹ Wᵀ)⁻¹ W ψ⁻¹: what gives a factor's mean, k × D.
fn posterior(loadings: &[f64], noise: &[f64]) -> Result<Vec<f64>> {
    let d = noise.len();
    let k = loadings.len() / d;
    let scaled: Vec<f64> = loadings.chunks_exact(d).flat_map(|row| row.iter().zip(noise).map(|(w, noise)| w / noise)).collect();
    let product = |i: usize, j: usize| f64::from(u8::from(i == j)) + dot_lanes(&scaled[i * d..][..d], &loadings[j * d..][..d]);
    let square: Vec<f64> = (0..k * k).map(|at| product((at / k).max(at % k), (at / k).min(at % k))).collect();
    let factor = pivoted_cholesky::pivoted(&square, k, 0.0);
    if factor.rank() < k {
        return Err(Fault::asked("factor analysis does not settle: its factors cannot be told apart").next("ask for fewer axes"));
    }
    let mut axes = vec![0.0; k * d];
    for column in 0..d {
        let along: Vec<f64> = (0..k).map(|i| scaled[i * d + column]).collect();
        factor.solve(&along).iter().enumerate().for_each(|(i, value)| axes[i * d + column] = *value);
    }
    Ok(axes)
}

/// D × D, in panels.
struct Covariance {
    panels: Panels<f64, WIDE>,
    variances: Vec<f64>,
}

struct Fitted {
    loadings: Vec<f64>,
    noise: Vec<f64>,
    likelihood: f64,
    iterations: usize,
}

impl Covariance {
    fn new(covariance: &[f64], d: usize, unit: f64) -> Self {
        let panels = Panels::new(d, d, |row, column| covariance[row * d + column] / unit);
        Covariance { panels, variances: (0..d).map(|j| covariance[j * d + j] / unit).collect() }
    }

    fn fitted(&self, n: usize, k: usize, given: &ProjectionInput) -> Result<Fitted> {
        let d = self.variances.len();
        let mut stream = PhiloxStream::new(given.seed, Purpose::FactorStart, 0);
        let block = (k + SPARE).min(d);
        let mut start: Vec<Vec<f64>> = (0..block).map(|_| (0..d).map(|_| stream.uniform() - 0.5).collect()).collect();
        let mut noise = vec![1.0; d];
        let mut fitted = Fitted { loadings: vec![], noise: vec![], likelihood: f64::NEG_INFINITY, iterations: 0 };
        for iteration in 1..=MOST_ITERATIONS {
            given.watch.go_on()?;
            let roots: Vec<f64> = noise.iter().map(|value: &f64| value.sqrt() + LEAST).collect();
            let leading = block_lanczos::leading(d, k, start, RESIDUAL, |vectors| self.times(vectors, &roots, given))?;
            let leading = leading.ok_or_else(|| Fault::unexpected("the covariance of the features has no eigenvectors"))?;
            // Values that rounding made negative are 0.
            let values: Vec<f64> = leading.values[..k].iter().map(|value| value.max(0.0)).collect();
            let mut loadings = leading.vectors[..k * d].to_vec();
            for (row, value) in loadings.chunks_exact_mut(d).zip(&values) {
                let size = (value - 1.0).max(0.0).sqrt();
                row.iter_mut().zip(&roots).for_each(|(loading, root)| *loading *= size * root);
            }
            let total = self.variances.iter().zip(&roots).map(|(variance, root)| variance / (root * root)).sum::<f64>();
            let unexplained = (total - values.iter().sum::<f64>()).max(0.0);
            // As scikit-learn's: of a value below 1 the logarithm is taken, though its factor is 0.
            let logarithms = |of: &[f64]| of.iter().map(|value| ln(value.max(f64::MIN_POSITIVE))).sum::<f64>();
            let constant = d as f64 * ln(std::f64::consts::TAU) + k as f64;
            let likelihood = -0.5 * n as f64 * (constant + logarithms(&values) + unexplained + logarithms(&noise));
            given.watch.objective("likelihood", iteration, likelihood / n as f64);
            let grown = likelihood - fitted.likelihood;
            let explained = |j: usize| loadings.chunks_exact(d).map(|row| row[j] * row[j]).sum::<f64>();
            let next: Vec<f64> = (0..d).map(|j| (self.variances[j] - explained(j)).max(LEAST)).collect();
            fitted = Fitted { loadings, noise: std::mem::replace(&mut noise, next), likelihood, iterations: iteration };
            if grown < TOLERANCE {
                break;
            }
            start = leading.vectors.chunks_exact(d).map(<[f64]>::to_vec).collect();
        }
        Ok(fitted)
    }

    /// ψ^−½ C ψ^−½ times vectors.
    fn times(&self, vectors: &[Vec<f64>], roots: &[f64], given: &ProjectionInput) -> Result<Vec<Vec<f64>>> {
        given.watch.go_on()?;
        let d = roots.len();
        let scaled: Panels<f64, WIDE> = Panels::new(vectors.len(), d, |vector, j| vectors[vector][j] / roots[j]);
        let product = tiled::products(&scaled, vectors.len(), &self.panels, d);
        Ok(product.chunks_exact(d).map(|row| row.iter().zip(roots).map(|(value, root)| value / root).collect()).collect())
    }
}
