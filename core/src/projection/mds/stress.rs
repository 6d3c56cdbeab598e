//! The stress of a map beside distances, and the step that makes it smaller: each point goes to the mean of where every other one wants it,
//! in the direction in which it is (Guttman's transform; de Leeuw 1977). Distances are held in single precision, in units of about the
//! largest.

use crate::{
    numeric::{Matrix, multiversion::multiversion, pulse, sum},
    projection::{
        landmarks::mirror,
        squares::{Squares, TOGETHER},
    },
};
use rayon::prelude::*;

/// Chains of a sum, added in pairs at the end: the same on every machine.
const CHAINS: usize = 8;
/// Points that are no farther apart do not tell in which direction they are.
const NEAR: f64 = 1e-30;
/// Rows of one piece of work.
const ROWS: usize = 8;

pub(super) struct Scaling {
    /// n × n, row by row, in units.
    wanted: Vec<f32>,
    unit: f64,
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// Where a step brings all.
pub(super) struct Step {
    xs: Vec<f64>,
    ys: Vec<f64>,
}

/// The stress of a map, in squared units, over all ordered pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stress {
    /// Σ (d − δ)²
    pub stress: f64,
    /// Σ d², d in the map.
    pub squares: f64,
}

impl Stress {
    /// Kruskal's stress 1; 0 of a map in which all are at one place.
    pub(super) fn normalised(self) -> f64 {
        if self.squares > 0.0 { (self.stress / self.squares).sqrt() } else { 0.0 }
    }
}

impl Scaling {
    /// The distances of these rows, and where they are at first.
    pub(super) fn new(features: &Matrix, rows: &[u32], points: &[[f64; 2]]) -> Self {
        let n = rows.len();
        let largest = features.values().iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let unit = libm::scalbn(1.0, libm::ilogb(f64::from(largest) * (features.columns() as f64).sqrt()));
        let mut wanted = vec![0.0f32; n * n];
        let squares = Squares::new(features, rows);
        wanted.par_chunks_mut(TOGETHER * n.max(1)).zip(rows.par_chunks(TOGETHER)).for_each(|(out, images)| {
            out.iter_mut().zip(squares.from(images, n)).for_each(|(out, square)| *out = (square.sqrt() / unit) as f32);
        });
        mirror(n, &mut wanted);
        let along = |axis: usize| points.iter().map(|point| point[axis] / unit).collect();
        Scaling { wanted, unit, xs: along(0), ys: along(1) }
    }

    /// Where all are.
    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        self.xs.iter().zip(&self.ys).map(|(x, y)| [x * self.unit, y * self.unit]).collect()
    }

    /// How wide the map is.
    pub(super) fn width(&self) -> f64 {
        let width =
            |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max) - of.iter().copied().fold(f64::INFINITY, f64::min);
        width(&self.xs).max(width(&self.ys)) * self.unit
    }

    /// Distances in units from their squares.
    pub(super) fn distances(&self, squares: &[f64]) -> Vec<f32> {
        squares.iter().map(|square| (square.sqrt() / self.unit) as f32).collect()
    }

    /// The stress of the map as it is, and where a step would bring all.
    pub(super) fn look(&self) -> (Stress, Step) {
        let n = self.xs.len();
        let mut sums = vec![[0.0; 4]; n];
        sums.par_chunks_mut(ROWS).enumerate().for_each(|(block, out)| {
            pulse::beat();
            for (place, sums) in out.iter_mut().enumerate() {
                let i = block * ROWS + place;
                add_terms(&self.wanted[i * n..][..n], &self.xs, &self.ys, [self.xs[i], self.ys[i]], sums);
            }
        });
        let of = |term: usize| -> Vec<f64> { sums.iter().map(|row| row[term]).collect() };
        let mean = |term: usize| of(term).into_iter().map(|sum| sum / n as f64).collect();
        (Stress { stress: sum::sum(&of(2)), squares: sum::sum(&of(3)) }, Step { xs: mean(0), ys: mean(1) })
    }

    pub(super) fn go(&mut self, step: Step) {
        (self.xs, self.ys) = (step.xs, step.ys);
    }

    /// Where a point goes from here, whose distances to all are wanted to be these: the mean of where each of them wants it.
    pub(super) fn moved(&self, point: [f64; 2], wanted: &[f32]) -> [f64; 2] {
        let n = self.xs.len() as f64;
        let mut sums = [0.0; 4];
        add_terms(wanted, &self.xs, &self.ys, point.map(|value| value / self.unit), &mut sums);
        [(sums[0] + sum::sum(&self.xs)) / n, (sums[1] + sum::sum(&self.ys)) / n].map(|value| value * self.unit)
    }
}

multiversion! {
    /// Over all others, δ wanted and d in the map: Σ δ/d (x − x'), Σ δ/d (y − y'), Σ (d − δ)², Σ d².
    fn add_terms(wanted: &[f32], xs: &[f64], ys: &[f64], at: [f64; 2], sums: &mut [f64; 4]) = add_terms_kernel
}

#[inline(always)]
fn add_terms_kernel(wanted: &[f32], xs: &[f64], ys: &[f64], at: [f64; 2], sums: &mut [f64; 4]) {
    let mut chains = [[0.0; CHAINS]; 4];
    let (wanted, wanted_rest) = wanted.as_chunks::<CHAINS>();
    let (xs, xs_rest) = xs.as_chunks::<CHAINS>();
    let (ys, ys_rest) = ys.as_chunks::<CHAINS>();
    for ((wanted, xs), ys) in wanted.iter().zip(xs).zip(ys) {
        for k in 0..CHAINS {
            let terms = terms(f64::from(wanted[k]), at[0] - xs[k], at[1] - ys[k]);
            chains[0][k] += terms[0];
            chains[1][k] += terms[1];
            chains[2][k] += terms[2];
            chains[3][k] += terms[3];
        }
    }
    for (k, ((wanted, x), y)) in wanted_rest.iter().zip(xs_rest).zip(ys_rest).enumerate() {
        let terms = terms(f64::from(*wanted), at[0] - x, at[1] - y);
        for (chain, term) in chains.iter_mut().zip(terms) {
            chain[k] += term;
        }
    }
    for (sum, chain) in sums.iter_mut().zip(&mut chains) {
        for half in [4, 2, 1] {
            for k in 0..half {
                chain[k] += chain[k + half];
            }
        }
        *sum = chain[0];
    }
}

#[inline(always)]
fn terms(wanted: f64, dx: f64, dy: f64) -> [f64; 4] {
    let square = dx * dx + dy * dy;
    let distance = square.sqrt();
    let ratio = wanted / if distance > NEAR { distance } else { NEAR };
    let off = distance - wanted;
    [ratio * dx, ratio * dy, off * off, square]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_with_the_wanted_distances_has_no_stress_and_stays() {
        let features = Matrix::new(9, 2, (0..18u16).map(|i| f32::from(i * i % 11)).collect()).unwrap();
        let points: Vec<[f64; 2]> = (0..9).map(|i| [f64::from(features.row(i)[0]), f64::from(features.row(i)[1])]).collect();
        let mut scaling = Scaling::new(&features, &(0..9).collect::<Vec<_>>(), &points);
        let (stress, step) = scaling.look();
        assert!(stress.normalised() < 1e-7);
        let middle = |points: &[[f64; 2]]| points.iter().map(|point| point[0]).sum::<f64>() / 9.0;
        scaling.go(step);
        let after = scaling.points();
        // The mean goes to 0.
        for (a, b) in after.iter().zip(&points) {
            assert!((a[0] - middle(&after) - b[0] + middle(&points)).abs() < 1e-6);
        }
        let squares = Squares::new(&features, &(0..9).collect::<Vec<_>>()).from(&[3], 9);
        let moved = scaling.moved(after[3], &scaling.distances(&squares));
        assert!((moved[0] - after[3][0]).abs() < 1e-6 && (moved[1] - after[3][1]).abs() < 1e-6);
    }
}
