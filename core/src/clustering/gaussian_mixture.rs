//! Gaussian mixtures with full covariances, by expectation and maximisation (Dempster, Laird and Rubin 1977), started from k-means of one start; defaults
//! are scikit-learn's: tolerance 1e-3, 100 steps, 1e-6 added to variances. The number of clusters is the one with the least Bayesian
//! information criterion (Schwarz 1978).
//!
//! linfa-clustering's mixture is not used: it takes the logarithm of a sum of exponentials as it stands, which is −∞ for an image some 38
//! deviations from every mean, so that its shares are infinite; and its products are made by other instructions on other processors.

use super::{Counted, FittedClusters, Memberships, k_means::Means};
use crate::numeric::Matrix;

const MOST_STEPS: usize = 100;
const TOLERANCE: f64 = 1e-3;
/// Added to every variance, in units of the coordinates' own.
const FLOOR: f64 = 1e-6;

pub(super) struct Mixture {
    components: Vec<Component>,
    /// −2 log-likelihood + parameters · ln n.
    pub criterion: f64,
}

/// One normal distribution with its weight.
struct Component {
    mean: Vec<f64>,
    /// The lower triangle L of the covariance L Lᵀ, row by row.
    lower: Vec<f64>,
    /// ln weight − ½ (d ln 2π + ln det covariance).
    constant: f64,
}

impl Mixture {
    /// `clusters`: no more than there are different points. `None` where k-means finds none, or a component loses all its images.
    pub(super) fn fit(points: &Matrix, clusters: usize, seed: u64) -> Option<Self> {
        let (n, d) = (points.rows(), points.columns());
        let start = Means::fit(points, clusters, 1, seed)?.place(points);
        let mut shares = vec![0.0; n * clusters];
        start.iter().enumerate().for_each(|(row, cluster)| shares[row * clusters + cluster.unwrap_or(0)] = 1.0);
        let mut components = maximised(points, &shares, clusters)?;
        let mut before = f64::NEG_INFINITY;
        for _ in 0..MOST_STEPS {
            let mean = expected(points, &components, &mut shares);
            components = maximised(points, &shares, clusters)?;
            if (mean - before).abs() < TOLERANCE {
                break;
            }
            before = mean;
        }
        let likelihood = expected(points, &components, &mut shares) * n as f64;
        let parameters = clusters * (d + d * (d + 1) / 2) + clusters - 1;
        let criterion = -2.0 * likelihood + parameters as f64 * libm::log(n as f64);
        criterion.is_finite().then_some(Mixture { components, criterion })
    }

    /// The logarithm of each component's weight times its density at a point.
    fn weighted(components: &[Component], point: &[f32], into: &mut [f64]) {
        components.iter().zip(into).for_each(|(component, value)| *value = component.weighted(point));
    }
}

impl Counted for Mixture {
    fn clusters(&self) -> usize {
        self.components.len()
    }
}

impl FittedClusters for Mixture {
    fn place(&self, points: &Matrix) -> Memberships {
        let mut values = vec![0.0; self.components.len()];
        let likeliest = |row: usize| {
            Mixture::weighted(&self.components, points.row(row), &mut values);
            let best = values
                .iter()
                .enumerate()
                .fold((0, f64::NEG_INFINITY), |best, (k, value)| if *value > best.1 { (k, *value) } else { best });
            Some(best.0)
        };
        (0..points.rows()).map(likeliest).collect()
    }
}

impl Component {
    fn weighted(&self, point: &[f32]) -> f64 {
        // L y = x − mean, so |y|² is the squared Mahalanobis distance.
        let d = self.mean.len();
        let mut solved = [0.0; MOST_COLUMNS];
        let mut square = 0.0;
        for i in 0..d {
            let known: f64 = (0..i).map(|j| self.lower[i * d + j] * solved[j]).sum();
            solved[i] = (f64::from(point[i]) - self.mean[i] - known) / self.lower[i * d + i];
            square += solved[i] * solved[i];
        }
        self.constant - 0.5 * square
    }
}

/// Views have one or two columns.
const MOST_COLUMNS: usize = 2;

/// Each image's shares in the components; the mean log-likelihood of an image.
fn expected(points: &Matrix, components: &[Component], shares: &mut [f64]) -> f64 {
    let k = components.len();
    let mut likelihood = 0.0;
    for (row, shares) in shares.chunks_exact_mut(k).enumerate() {
        Mixture::weighted(components, points.row(row), shares);
        let greatest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = shares.iter().map(|value| libm::exp(value - greatest)).sum();
        let log_total = greatest + libm::log(total);
        shares.iter_mut().for_each(|value| *value = libm::exp(*value - log_total));
        likelihood += log_total;
    }
    likelihood / points.rows().max(1) as f64
}

/// Weights, means and covariances of these shares; `None` where a component has none.
fn maximised(points: &Matrix, shares: &[f64], clusters: usize) -> Option<Vec<Component>> {
    (0..clusters).map(|cluster| component(points, shares, clusters, cluster)).collect()
}

fn component(points: &Matrix, shares: &[f64], clusters: usize, cluster: usize) -> Option<Component> {
    let (n, d) = (points.rows(), points.columns());
    let share = |row: usize| shares[row * clusters + cluster];
    let weight: f64 = (0..n).map(share).sum();
    if weight < 10.0 * f64::EPSILON {
        return None;
    }
    let mut mean = vec![0.0; d];
    for row in 0..n {
        mean.iter_mut().zip(points.row(row)).for_each(|(mean, value)| *mean += share(row) * f64::from(*value));
    }
    mean.iter_mut().for_each(|mean| *mean /= weight);
    let mut covariance = vec![0.0; d * d];
    for row in 0..n {
        let point = points.row(row);
        for i in 0..d {
            for j in 0..=i {
                covariance[i * d + j] += share(row) * (f64::from(point[i]) - mean[i]) * (f64::from(point[j]) - mean[j]);
            }
        }
    }
    covariance.iter_mut().for_each(|value| *value /= weight);
    (0..d).for_each(|i| covariance[i * d + i] += FLOOR);
    // Cholesky's factor.
    let mut lower = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i * d + k] * lower[j * d + k]).sum();
            let rest = covariance[i * d + j] - known;
            lower[i * d + j] = if i == j { if rest > 0.0 { rest.sqrt() } else { return None } } else { rest / lower[j * d + j] };
        }
    }
    let log_determinant: f64 = (0..d).map(|i| 2.0 * libm::log(lower[i * d + i])).sum();
    let constant = libm::log(weight / n as f64) - 0.5 * (d as f64 * libm::log(2.0 * std::f64::consts::PI) + log_determinant);
    Some(Component { mean, lower, constant })
}
