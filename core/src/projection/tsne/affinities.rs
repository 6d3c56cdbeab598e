//! Affinities p of images in feature space, by a Gaussian around each, whose width gives it the perplexity asked
//! for; and how that pulls on a map.

use crate::{
    numeric::{
        lanes::{self, LANES, Lanes},
        multiversion::multiversion,
        neighbours::Neighbours,
        special::exp_lane,
        sum,
    },
    projection::graph::Graph,
};
use rayon::prelude::*;

/// Rows that are carried out in one piece.
const ROWS: usize = 64;

/// All of it sums to 1.
pub(super) struct Affinities(Graph);

impl Affinities {
    pub(super) fn new(neighbours: &Neighbours, perplexity: f64) -> Self {
        let (n, k) = (neighbours.count(), neighbours.k());
        let mut conditional = vec![0.0f32; n * k];
        conditional.par_chunks_mut(k).enumerate().for_each(|(i, row)| {
            let squares: Vec<f64> = neighbours.distances(i).map(|distance| distance * distance).collect();
            for (value, p) in row.iter_mut().zip(calibrated(&squares, perplexity)) {
                *value = p as f32;
            }
        });
        Affinities(Graph::joined(neighbours, &conditional, |p, q| (p + q) / (2.0 * n as f32)))
    }

    /// Σⱼ p w (yᵢ − yⱼ) with w = 1 / (1 + d²), of every point.
    pub(super) fn attraction(&self, points: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let mut forces = vec![[0.0; 2]; self.0.points()];
        forces.par_chunks_mut(ROWS).enumerate().for_each(|(block, forces)| pull(&self.0, points, block * ROWS, forces));
        forces
    }

    /// Σⱼ p ln w of every point.
    pub(super) fn closeness(&self, points: &[[f32; 2]]) -> Vec<f64> {
        let mut sums = vec![0.0; self.0.points()];
        sums.par_chunks_mut(ROWS).enumerate().for_each(|(block, sums)| near(&self.0, points, block * ROWS, sums));
        sums
    }

    /// Σ p ln p.
    pub(super) fn entropy(&self) -> f64 {
        let terms = self.0.values().par_iter().map(|p| f64::from(*p)).map(|p| if p > 0.0 { p * libm::log(p) } else { 0.0 });
        sum::sum(&terms.collect::<Vec<_>>())
    }
}

/// p of the neighbours of one image: exp(−β d²) with β such that their entropy is ln(perplexity), found by bisection.
pub(super) fn calibrated(squares: &[f64], perplexity: f64) -> Vec<f64> {
    const MOST_BISECTIONS: usize = 200;
    let target = libm::log(perplexity);
    let least = squares[0];
    let (mut low, mut high) = (0.0, f64::INFINITY);
    // From the distances themselves, so that their unit does not matter.
    let spread = squares.iter().map(|square| square - least).sum::<f64>() / squares.len() as f64;
    let mut beta = if spread > 0.0 { 1.0 / spread } else { 1.0 };
    let mut p = vec![0.0; squares.len()];
    for _ in 0..MOST_BISECTIONS {
        weigh(squares, least, beta, &mut p);
        let total: f64 = p.iter().sum();
        let mean = p.iter().zip(squares).map(|(p, square)| p * (square - least)).sum::<f64>() / total;
        // H = ln Σ + β mean
        let entropy = libm::log(total) + beta * mean;
        p.iter_mut().for_each(|p| *p /= total);
        if (entropy - target).abs() < 1e-8 {
            break;
        }
        if entropy > target {
            low = beta;
            beta = if high.is_finite() { f64::midpoint(beta, high) } else { beta * 2.0 };
        } else {
            high = beta;
            beta = f64::midpoint(beta, low);
        }
        // All as near as each other, or one much nearer: no width gives the perplexity, and this is the nearest to it.
        if !(beta.is_normal() && high - low > f64::EPSILON * beta) {
            break;
        }
    }
    p
}

multiversion! { fn weigh(squares: &[f64], least: f64, beta: f64, p: &mut [f64]) = weigh_kernel }

#[inline(always)]
fn weigh_kernel(squares: &[f64], least: f64, beta: f64, p: &mut [f64]) {
    for (p, square) in p.iter_mut().zip(squares) {
        *p = exp_lane(-beta * (square - least));
    }
}

/// Sixteen entries of a row: the way to the other points, and the values; what is left over is the point itself, with none.
#[inline(always)]
fn sixteen<L: Lanes>(columns: &[u32], values: &[f32], points: &[[f32; 2]], own: usize) -> [L; 3] {
    let mut places = [own as u32; LANES];
    let mut weights = [0.0; LANES];
    let (places, weights) = match (columns.first_chunk(), values.first_chunk()) {
        (Some(columns), Some(values)) => (columns, values),
        _ => {
            places[..columns.len()].copy_from_slice(columns);
            weights[..values.len()].copy_from_slice(values);
            (&places, &weights)
        }
    };
    let [x, y] = points[own];
    let [xs, ys] = L::gather(points, places);
    [L::splat(x).sub(xs), L::splat(y).sub(ys), L::load(weights)]
}

multiversion! { fn pull(graph: &Graph, points: &[[f32; 2]], first: usize, forces: &mut [[f32; 2]]) = lanes pull_kernel }

#[inline(always)]
fn pull_kernel<L: Lanes>(graph: &Graph, points: &[[f32; 2]], first: usize, forces: &mut [[f32; 2]]) {
    let one = L::splat(1.0);
    for (i, force) in (first..).zip(forces) {
        let (mut along_x, mut along_y) = (L::splat(0.0), L::splat(0.0));
        let (columns, values) = graph.row(i);
        for (columns, values) in columns.chunks(LANES).zip(values.chunks(LANES)) {
            let [dx, dy, p] = sixteen::<L>(columns, values, points, i);
            let weight = p.div(dx.fused(dx, dy.fused(dy, one)));
            along_x = weight.fused(dx, along_x);
            along_y = weight.fused(dy, along_y);
        }
        *force = [along_x.sum(), along_y.sum()];
    }
}

multiversion! { fn near(graph: &Graph, points: &[[f32; 2]], first: usize, sums: &mut [f64]) = lanes near_kernel }

#[inline(always)]
fn near_kernel<L: Lanes>(graph: &Graph, points: &[[f32; 2]], first: usize, sums: &mut [f64]) {
    let one = L::splat(1.0);
    for (i, sum) in (first..).zip(sums) {
        let mut total = L::splat(0.0);
        let (columns, values) = graph.row(i);
        for (columns, values) in columns.chunks(LANES).zip(values.chunks(LANES)) {
            let [dx, dy, p] = sixteen::<L>(columns, values, points, i);
            let apart = lanes::ln(dx.fused(dx, dy.fused(dy, one)));
            total = p.fused(apart, total);
        }
        *sum = -f64::from(total.sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_gives_the_perplexity_and_equal_distances_share() {
        let squares: Vec<f64> = (1..=90).map(|i| 7.0 + f64::from(i * i) * 0.01).collect();
        let p = calibrated(&squares, 30.0);
        let entropy: f64 = -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>();
        assert!((entropy.exp() - 30.0).abs() < 1e-5, "{}", entropy.exp());
        assert!(calibrated(&[4.0; 10], 3.0).iter().all(|p| (p - 0.1).abs() < 1e-12));
        assert!(calibrated(&[0.0; 10], 3.0).iter().all(|p| (p - 0.1).abs() < 1e-12));
    }
}
