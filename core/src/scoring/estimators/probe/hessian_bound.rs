//! The preconditioner of L-BFGS: ¼ of the features' correlations + λ, which no Hessian of unweighted rows exceeds (Böhning and
//! Lindsay 1988). All probes whose λ is of the same size share one.

use super::{LinearProbe, design_matrix::StandardizedFeatures};
use crate::numeric::{
    Matrix,
    lanes::{LANES, Lanes},
    multiversion::multiversion,
    sum::dot_lanes,
    tiled,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// ¼ of the features' correlations + λ; for the intercept, ¼.
pub(super) enum HessianBound {
    /// The Cholesky factor L of L Lᵀ, D × D, row by row, with the inverses of its diagonal in place of the diagonal.
    Cholesky(Vec<f32>),
    /// The diagonal alone, where there are too many features.
    Diagonal(f64),
}

/// More features than this are too many for a matrix of their correlations.
const MOST_FEATURES: usize = 4096;
/// Rows per feature that the correlations are estimated from: with a quarter of these it takes some iterations more.
const ROWS_PER_FEATURE: usize = 16;
/// Columns of the factor that are made at once.
const FACTOR_BLOCK: usize = 64;

impl HessianBound {
    /// One for each binary order of magnitude of λ among the probes.
    pub(super) fn by_penalty_exponent(table: &StandardizedFeatures, probes: &[LinearProbe]) -> BTreeMap<i32, HessianBound> {
        // The middle of the order of magnitude, so that it does not depend on which other probes share it.
        let penalties: BTreeMap<i32, f64> =
            probes.iter().map(LinearProbe::penalty_exponent).map(|exponent| (exponent, libm::scalbn(1.5, exponent))).collect();
        let (n, d) = (table.features.rows(), table.features.columns());
        if d > MOST_FEATURES || penalties.is_empty() {
            return penalties.into_iter().map(|(exponent, lambda)| (exponent, HessianBound::Diagonal(0.25 + lambda))).collect();
        }
        let every = (n / (ROWS_PER_FEATURE * d).max(1)).max(1);
        let values: Vec<f32> = (0..n).step_by(every).flat_map(|row| table.features.row(row)).copied().collect();
        let sample = Matrix::new(n.div_ceil(every), d, values).expect("whole rows");
        let mut correlations = tiled::scatter(&sample, &table.centre.iter().map(|mean| f64::from(*mean)).collect::<Vec<_>>());
        correlations.par_chunks_mut(d.max(1)).enumerate().for_each(|(i, row)| {
            let inverse = f64::from(table.inverse[i]) * 0.25 / sample.rows() as f64;
            row.iter_mut().zip(&table.inverse).for_each(|(value, other)| *value *= inverse * f64::from(*other));
        });
        penalties
            .into_iter()
            .map(|(exponent, lambda)| (exponent, HessianBound::factored(correlations.clone(), d, lambda)))
            .collect()
    }

    /// The Cholesky factor of a + λ I.
    fn factored(mut a: Vec<f64>, d: usize, lambda: f64) -> Self {
        (0..d).for_each(|i| a[i * d + i] += lambda);
        for first in (0..d).step_by(FACTOR_BLOCK) {
            let last = d.min(first + FACTOR_BLOCK);
            let (block, below) = a[first * d..].split_at_mut((last - first) * d);
            for i in first..last {
                let (above, row) = block.split_at_mut((i - first) * d);
                for j in first..i {
                    let other = &above[(j - first) * d..][..=j];
                    row[j] = (row[j] - dot_lanes(&row[..j], &other[..j])) / other[j];
                }
                // No eigenvalue is smaller than λ, so no pivot is either.
                row[i] = (row[i] - dot_lanes(&row[..i], &row[..i])).max(lambda).sqrt();
            }
            below.par_chunks_mut(d).for_each(|row| {
                for (j, other) in (first..last).zip(block.chunks_exact(d)) {
                    row[j] = (row[j] - dot_lanes(&row[..j], &other[..j])) / other[j];
                }
            });
        }
        (0..d).for_each(|i| a[i * d + i] = 1.0 / a[i * d + i]);
        HessianBound::Cholesky(a.into_iter().map(|value| value as f32).collect())
    }

    /// Divides the directions of up to `LANES` probes by the bound.
    pub(super) fn precondition(&self, probes: &mut [&mut LinearProbe]) {
        let d = probes.first().map_or(0, |probe| probe.map.scale.len());
        probes.iter_mut().for_each(|probe| probe.solver.direction[d] /= 0.25);
        let lower = match self {
            HessianBound::Cholesky(lower) => lower,
            HessianBound::Diagonal(value) => {
                return probes
                    .iter_mut()
                    .for_each(|probe| probe.solver.direction[..d].iter_mut().for_each(|along| *along /= value));
            }
        };
        let mut panel = vec![[0.0; LANES]; d];
        for (lane, probe) in probes.iter().enumerate() {
            panel.iter_mut().zip(&probe.solver.direction).for_each(|(lanes, value)| lanes[lane] = *value as f32);
        }
        solve(lower, &mut panel);
        for (lane, probe) in probes.iter_mut().enumerate() {
            // A column that does not vary in the training rows gets no weight.
            for (k, lanes) in panel.iter().enumerate() {
                probe.solver.direction[k] = if probe.map.scale[k] == 0.0 { 0.0 } else { f64::from(lanes[lane]) };
            }
        }
    }
}

multiversion! {
    /// x ← (L Lᵀ)⁻¹ x in every lane; on the diagonal of L stand the inverses.
    fn solve(lower: &[f32], x: &mut [[f32; LANES]]) = lanes solve_kernel
}

#[inline(always)]
fn solve_kernel<L: Lanes>(lower: &[f32], x: &mut [[f32; LANES]]) {
    const CHAINS: usize = 4;
    let d = x.len();
    for i in 0..d {
        let row = &lower[i * d..][..=i];
        let mut sums = [L::splat(0.0); CHAINS];
        for (factors, x) in row[..i].chunks_exact(CHAINS).zip(x.chunks_exact(CHAINS)) {
            for c in 0..CHAINS {
                sums[c] = L::splat(factors[c]).fused(L::load(&x[c]), sums[c]);
            }
        }
        for j in i - i % CHAINS..i {
            sums[0] = L::splat(row[j]).fused(L::load(&x[j]), sums[0]);
        }
        let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
        L::load(&x[i]).sub(sum).mul(L::splat(row[i])).store(&mut x[i]);
    }
    for i in (0..d).rev() {
        let row = &lower[i * d..][..=i];
        let value = L::load(&x[i]).mul(L::splat(row[i]));
        value.store(&mut x[i]);
        let less = L::splat(0.0).sub(value);
        for (factor, x) in row[..i].iter().zip(x.iter_mut()) {
            L::splat(*factor).fused(less, L::load(x)).store(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_solves_the_system_that_it_is_made_of() {
        // ¼ of the correlations of columns that lean on each other.
        let (d, lambda) = (70, 0.01);
        let entry = |i: usize, j: usize| 0.25 * 0.5f64.powi(i.abs_diff(j) as i32);
        let matrix: Vec<f64> = (0..d * d).map(|at| entry(at / d, at % d)).collect();
        let HessianBound::Cholesky(lower) = HessianBound::factored(matrix, d, lambda) else { panic!("too many features") };
        let known: Vec<f64> = (0..d).map(|i| (i % 5) as f64 - 2.0).collect();
        let product = |i: usize| (0..d).map(|j| entry(i, j) * known[j]).sum::<f64>() + lambda * known[i];
        let mut x: Vec<[f32; LANES]> = (0..d).map(|i| [product(i) as f32; LANES]).collect();
        solve(&lower, &mut x);
        for (found, known) in x.iter().zip(&known) {
            assert!(found.iter().all(|value| (f64::from(*value) - known).abs() < 1e-4), "{found:?} {known}");
        }
    }
}
