//! Independent component analysis: FastICA with tanh, all axes at once (Hyvärinen 1999), on whitened principal axes. No more
//! axes than the features' rank. Order: by negentropy, the least Gaussian first; sign as in PCA: the largest loading is positive.

use super::{
    Placement, Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterSpec},
    pca::{self, Principal, fix_sign, principal},
    placement::LinearMap,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{
        Matrix, PhiloxStream, Purpose, eigen,
        multiversion::multiversion,
        special::{exp_lane, tanh_lane},
        sum::{self, dot, dot_lanes},
    },
};
use rayon::prelude::*;

/// scikit-learn's limits.
const MOST_ITERATIONS: usize = 200;
const TOLERANCE: f64 = 1e-4;
/// Times it is run again from other starts, to see which axes come back.
const AGAIN: u64 = 4;
/// Images whose shares are summed together.
const BLOCK: usize = 256;
/// E ln cosh of a standard normal number.
const GAUSSIAN: f64 = 0.374_567_207_491_438;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "ica",
    title: "ICA",
    about: "FastICA with <i>tanh</i>, all axes at once (Hyvärinen), on as many whitened principal axes; no more than the features’ rank. The least Gaussian axis is first, by negentropy; sign as in PCA. It is run again from four other starts: an axis that is not found again depends on its start.",
    version: 2,
    parameters: &[ParameterSpec::AXES],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(Ica::new(of.count(Method::AXES)?)?)),
};

struct Ica {
    axes: usize,
}

impl Ica {
    fn new(axes: usize) -> Result<Self> {
        if axes > 0 { Ok(Ica { axes }) } else { Err(Fault::asked("ICA takes one axis or more")) }
    }
}

impl Projector for Ica {
    /// At most `axes` axes, each of variance 1. Facts: `explained` (share of the full variance an axis), `rank`, `negentropy`,
    /// `stability` (mean |correlation| of each axis with the nearest of four other starts), `turns` (iterations; all of them: it did not settle).
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let Unmixed { principal, white, axes, iterations } = self.unmix(given)?;
        let others: Vec<Vec<f64>> = (1..=AGAIN)
            .map(|again| Ok(white.rotation(again, &ProjectionInput { watch: &(), ..*given })?.0))
            .collect::<Result<_>>()?;
        let stability = axes.iter().map(|axis| white.comes_back(&axis.direction, &others)).collect();
        let of_axes = |number: fn(&IndependentAxis) -> f64| axes.iter().map(number).collect::<Vec<f64>>();
        let facts = [
            ("explained", of_axes(|axis| axis.explained)),
            ("negentropy", of_axes(|axis| axis.negentropy)),
            ("stability", stability),
            ("rank", vec![principal.rank as f64]),
            ("turns", vec![iterations as f64]),
        ];
        let coordinates = white.coordinates(&axes);
        Ok(Projected { coordinates, facts: facts.map(|(name, numbers)| (name.to_owned(), numbers)).into() })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let Unmixed { principal, white, axes, .. } = self.unmix(given)?;
        // White coordinates have variance 1: sums of squares of as many images.
        let scale = (white.n as f64).sqrt();
        let axes = axes.iter().flat_map(|axis| principal.whitened(&axis.direction)).map(|loading| scale * loading).collect();
        Ok(Some(Box::new(LinearMap { means: principal.means, axes })))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let (k, iterations) = (self.axes as f64, 30.0 * (1 + AGAIN) as f64);
        pca::operations(n, d, self.axes) + iterations * n * (4.0 * k * k + 50.0 * k)
    }
}

/// What FastICA found.
struct Unmixed {
    principal: Principal,
    white: White,
    /// The least Gaussian first.
    axes: Vec<IndependentAxis>,
    iterations: usize,
}

impl Ica {
    fn unmix(&self, given: &ProjectionInput) -> Result<Unmixed> {
        let principal = principal(given.features, self.axes)?;
        let white = White::new(&principal, given.features);
        let (rotation, iterations) = white.rotation(0, given)?;
        let mut axes = white.described(&principal, &rotation);
        axes.sort_by(|a, b| b.negentropy.total_cmp(&a.negentropy));
        Ok(Unmixed { principal, white, axes, iterations })
    }
}

impl Principal {
    /// A direction of the whitened space in the features' own columns, each principal axis divided by the root of its sum of squares.
    fn whitened(&self, direction: &[f64]) -> Vec<f64> {
        let d = self.means.len();
        let mut loadings = vec![0.0; d];
        for ((axis, weight), value) in self.loadings.chunks_exact(d).zip(direction).zip(&self.values) {
            let weight = weight / value.sqrt();
            loadings.iter_mut().zip(axis).for_each(|(sum, loading)| *sum += weight * loading);
        }
        loadings
    }
}

/// One independent axis.
struct IndependentAxis {
    /// In the whitened space, of length 1.
    direction: Vec<f64>,
    explained: f64,
    negentropy: f64,
}

/// Principal coordinates of variance 1: k columns in blocks of images, `blocks[b][l · BLOCK ..]`; the last block is filled with 0.
struct White {
    n: usize,
    k: usize,
    blocks: Vec<Vec<f64>>,
}

impl White {
    fn new(principal: &Principal, features: &Matrix) -> Self {
        let (n, k) = (features.rows(), principal.axes());
        let exact = principal.exact(features);
        let scales: Vec<f64> = principal.values.iter().map(|value| (n as f64 / value).sqrt()).collect();
        let block = |images: &[f64]| {
            let mut block = vec![0.0; k * BLOCK];
            for (i, image) in images.chunks_exact(k).enumerate() {
                for (l, value) in image.iter().enumerate() {
                    block[l * BLOCK + i] = value * scales[l];
                }
            }
            block
        };
        White { n, k, blocks: exact.par_chunks(k * BLOCK).map(block).collect() }
    }

    /// k directions, row by row, orthogonal to each other; and the number of iterations.
    fn rotation(&self, start: u64, given: &ProjectionInput) -> Result<(Vec<f64>, usize)> {
        let k = self.k;
        let mut stream = PhiloxStream::new(given.seed, Purpose::IcaStart, start);
        let start: Vec<f64> = (0..k * k).map(|_| stream.normals(1.0)[0]).collect();
        let mut rotation = orthogonal(&start, k)?;
        for iteration in 1..=MOST_ITERATIONS {
            given.watch.go_on()?;
            let next = orthogonal(&self.step(&rotation), k)?;
            let moved = next.chunks_exact(k).zip(rotation.chunks_exact(k)).map(|(a, b)| (dot(a, b).abs() - 1.0).abs());
            let moved = moved.fold(0.0, f64::max);
            rotation = next;
            given.watch.objective("rotation", iteration, moved);
            if moved < TOLERANCE {
                return Ok((rotation, iteration));
            }
        }
        Ok((rotation, MOST_ITERATIONS))
    }

    /// E[tanh(w z) z] − E[1 − tanh²(w z)] w, of every direction.
    fn step(&self, rotation: &[f64]) -> Vec<f64> {
        let k = self.k;
        let share = |block: &Vec<f64>| {
            let mut moments = vec![0.0; k * k + k];
            let mut values = [0.0; BLOCK];
            for j in 0..k {
                self.seen(block, &rotation[j * k..][..k], &mut values);
                bend(&mut values);
                for l in 0..k {
                    moments[j * k + l] = dot_lanes(&values, &block[l * BLOCK..][..BLOCK]);
                }
                moments[k * k + j] = dot_lanes(&values, &values);
            }
            moments
        };
        crate::numeric::pulse::beat();
        let shares: Vec<Vec<f64>> = self.blocks.par_iter().map(share).collect();
        let n = self.n as f64;
        let mut moments = vec![0.0; k * k + k];
        shares.iter().for_each(|share| moments.iter_mut().zip(share).for_each(|(sum, value)| *sum += value));
        // What fills the last block has tanh 0, so that it adds nothing to either sum.
        let (products, squares) = moments.split_at(k * k);
        let next = |at: usize| products[at] / n - (1.0 - squares[at / k] / n) * rotation[at];
        (0..k * k).map(next).collect()
    }

    /// Of one block, along one direction.
    fn seen(&self, block: &[f64], direction: &[f64], values: &mut [f64; BLOCK]) {
        values.fill(0.0);
        for (weight, column) in direction.iter().zip(block.chunks_exact(BLOCK)) {
            add_scaled(*weight, column, values);
        }
    }

    fn described(&self, principal: &Principal, rotation: &[f64]) -> Vec<IndependentAxis> {
        let describe = |direction: &[f64]| {
            let mut loadings = principal.whitened(direction);
            let before = loadings.clone();
            fix_sign(&mut loadings);
            let sign = if loadings == before { 1.0 } else { -1.0 };
            let direction: Vec<f64> = direction.iter().map(|value| sign * value).collect();
            let explained =
                direction.iter().zip(&principal.values).map(|(w, value)| w * w * value).sum::<f64>() / principal.total;
            let away = self.mean_ln_cosh(&direction) - GAUSSIAN;
            IndependentAxis { direction, explained, negentropy: away * away }
        };
        rotation.chunks_exact(self.k).map(describe).collect()
    }

    fn mean_ln_cosh(&self, direction: &[f64]) -> f64 {
        let share = |block: &Vec<f64>| {
            let mut values = [0.0; BLOCK];
            self.seen(block, direction, &mut values);
            let mut total = [0.0];
            ln_cosh(&values, &mut total);
            total[0]
        };
        sum::sum(&self.blocks.par_iter().map(share).collect::<Vec<_>>()) / self.n as f64
    }

    /// How well an axis is found from other starts: whitened axes correlate as their directions do.
    fn comes_back(&self, direction: &[f64], others: &[Vec<f64>]) -> f64 {
        let nearest =
            |rotation: &Vec<f64>| rotation.chunks_exact(self.k).map(|other| dot(direction, other).abs()).fold(0.0, f64::max);
        sum::mean(&others.iter().map(nearest).collect::<Vec<_>>()).min(1.0)
    }

    fn coordinates(&self, axes: &[IndependentAxis]) -> Matrix {
        let block = |block: &Vec<f64>| {
            let mut out = vec![0.0f32; BLOCK * axes.len()];
            let mut values = [0.0; BLOCK];
            for (j, axis) in axes.iter().enumerate() {
                self.seen(block, &axis.direction, &mut values);
                values.iter().enumerate().for_each(|(i, value)| out[i * axes.len() + j] = *value as f32);
            }
            out
        };
        let mut values: Vec<f32> = self.blocks.par_iter().map(block).collect::<Vec<_>>().concat();
        values.truncate(self.n * axes.len());
        Matrix::new(self.n, axes.len(), values).expect("one row an image, one column an axis")
    }
}

multiversion! { fn add_scaled(weight: f64, column: &[f64], values: &mut [f64; BLOCK]) = add_scaled_kernel }

#[inline(always)]
fn add_scaled_kernel(weight: f64, column: &[f64], values: &mut [f64; BLOCK]) {
    for (value, z) in values.iter_mut().zip(column) {
        *value = weight.mul_add(*z, *value);
    }
}

multiversion! { fn bend(values: &mut [f64; BLOCK]) = bend_kernel }

#[inline(always)]
fn bend_kernel(values: &mut [f64; BLOCK]) {
    values.iter_mut().for_each(|value| *value = tanh_lane(*value));
}

multiversion! {
    /// Σ ln cosh: |x| + ln(1 + e^−2|x|) − ln 2.
    fn ln_cosh(values: &[f64; BLOCK], total: &mut [f64; 1]) = ln_cosh_kernel
}

#[inline(always)]
fn ln_cosh_kernel(values: &[f64; BLOCK], total: &mut [f64; 1]) {
    // The logarithm of a product of few factors in (1, 2] is one logarithm.
    for values in values.as_chunks::<64>().0 {
        let (mut sum, mut product) = (0.0, 1.0);
        for value in values {
            sum += value.abs();
            product *= 0.5 * (1.0 + exp_lane(-2.0 * value.abs()));
        }
        total[0] += sum + libm::log(product);
    }
}

/// (W Wᵀ)^−½ W: the orthogonal matrix nearest to W.
fn orthogonal(w: &[f64], k: usize) -> Result<Vec<f64>> {
    let row = |i: usize| &w[i * k..][..k];
    let square: Vec<f64> = (0..k * k).map(|at| dot(row(at / k), row(at % k))).collect();
    let singular = || Fault::asked("ICA does not settle: the features' axes cannot be told apart");
    let spectrum = eigen::symmetric(&square, k).ok_or_else(singular)?;
    if spectrum.values[k - 1] <= spectrum.values[0] * f64::EPSILON {
        return Err(singular());
    }
    let mut out = vec![0.0; k * k];
    for (value, vector) in spectrum.values.iter().zip(spectrum.vectors.chunks_exact(k)) {
        let along: Vec<f64> = (0..k).map(|j| (0..k).map(|i| vector[i] * w[i * k + j]).sum::<f64>() / value.sqrt()).collect();
        for i in 0..k {
            for j in 0..k {
                out[i * k + j] += vector[i] * along[j];
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(features: &Matrix, axes: usize, seed: u64) -> Result<Projected> {
        Ica { axes }.project(&ProjectionInput::alone(features, seed))
    }

    /// Three sources that are not Gaussian, mixed.
    fn mixed(n: usize, extra: usize) -> (Vec<[f64; 3]>, Matrix) {
        let mut stream = PhiloxStream::for_test(9, 9);
        let sources: Vec<[f64; 3]> = (0..n)
            .map(|_| {
                let [a, b] = stream.normals(1.0);
                [stream.uniform() - 0.5, f64::from(stream.uniform() < 0.2), a * b * b]
            })
            .collect();
        let row = |[a, b, c]: [f64; 3]| {
            let mut row = vec![a + 0.5 * b, 0.3 * a - b + 0.2 * c, 0.5 * c + a, 2.0 * b - c];
            row.resize(4 + extra, 0.25);
            row.into_iter().map(|value| value as f32).collect::<Vec<_>>()
        };
        (sources.clone(), Matrix::new(n, 4 + extra, sources.into_iter().flat_map(row).collect()).unwrap())
    }

    #[test]
    fn mixed_sources_come_apart_whatever_the_start_and_dead_channels_are_no_axes() {
        let (sources, features) = mixed(3000, 5);
        for seed in 0..3 {
            let projected = project(&features, 10, seed).unwrap();
            assert_eq!(projected.coordinates.columns(), 3, "the rank");
            for source in 0..3 {
                let correlation = |axis: usize| {
                    let (x, y): (Vec<f64>, Vec<f64>) = (
                        sources.iter().map(|s| s[source]).collect(),
                        projected.coordinates.column(axis).into_iter().map(f64::from).collect(),
                    );
                    let (mx, my) = (sum::mean(&x), sum::mean(&y));
                    let (x, y): (Vec<f64>, Vec<f64>) = (x.iter().map(|v| v - mx).collect(), y.iter().map(|v| v - my).collect());
                    (dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()).abs()
                };
                assert!((0..3).map(correlation).fold(0.0, f64::max) > 0.98, "source {source}, seed {seed}");
            }
            assert!(projected.facts["stability"].iter().all(|s| *s > 0.99), "{:?}", projected.facts);
        }
        let (one, other) = (project(&features, 3, 1).unwrap(), project(&features, 3, 2).unwrap());
        let off = one.coordinates.values().iter().zip(other.coordinates.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 0.05, "order and sign do not depend on the start: {off}");
    }

    #[test]
    fn equal_images_are_an_error() {
        assert!(project(&Matrix::new(5, 2, vec![1.0; 10]).unwrap(), 2, 1).is_err());
    }
}
