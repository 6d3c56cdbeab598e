//! A random walk along a graph: the slow ways in which it forgets where it began are the axes of spectral embedding and diffusion maps.
//! They are eigenvectors of the normalised weights S = D^−½ W D^−½, of the greatest eigenvalues after the first, which is 1 and known. They
//! are found by Lanczos' method; where it has not settled soon, as for graphs whose parts hardly hang together, on the inverse of
//! 1 + σ − S by a sparse factorisation (σ tiny), for up to 20,000 points; beyond by more restarts, and `residual` tells how near they are.

use super::{ProjectionInput, graph::Graph, landmarks::MOST_WHOLE};
use crate::{
    domain::Result,
    numeric::{
        Purpose,
        cholesky::Factorised,
        krylov::{self, Leading, Search},
    },
};
use rayon::prelude::*;

const SEARCH: Search = Search { wanted: 2, abreast: 3, basis: 60, kept: 15, restarts: 80, purpose: Purpose::WalkAxes };
/// Before the inverse is tried.
const FEW_RESTARTS: usize = 3;
/// The residual, relative to how far the eigenvalue is from 1, at which axes are found.
const TOLERANCE: f64 = 1e-8;
/// Of the inverse. Its values tell apart what is near 1.
const INVERSE: Search = Search { basis: 30, kept: 8, restarts: 40, abreast: 2, ..SEARCH };
const SHIFTS: [f64; 3] = [1e-9, 1e-7, 1e-5];
const INVERSE_TOLERANCE: f64 = 1e-9;

/// Symmetric weights, and those of points with themselves.
pub(super) struct Walk {
    pub weights: Graph<f64>,
    pub own: Vec<f64>,
}

/// The slowest ways.
pub(super) struct Slowest {
    /// Eigenvalues of the walk, in descending order; two, or fewer of tiny graphs.
    pub values: Vec<f64>,
    /// Orthonormal eigenvectors of S.
    pub vectors: Vec<Vec<f64>>,
    /// The weights of each point together: D.
    pub degrees: Vec<f64>,
    /// The greater |S x − λ x|.
    pub residual: f64,
}

impl Walk {
    /// # Errors
    /// An observer that stops it.
    pub(super) fn slowest(&self, given: &ProjectionInput) -> Result<Slowest> {
        let n = self.own.len();
        let degrees: Vec<f64> = (0..n).map(|i| self.own[i] + self.weights.row(i).1.iter().sum::<f64>()).collect();
        let roots: Vec<f64> = degrees.iter().map(|degree| degree.max(f64::MIN_POSITIVE).sqrt()).collect();
        let known = krylov::unit(roots.clone()).unwrap_or_else(|| vec![0.0; n]);
        let told = |restart: usize, residual: f64| {
            given.watch.objective("residual", restart + 1, residual);
            given.watch.go_on()
        };
        // (1 + S) / 2, so that eigenvalues are from 0 to 1.
        let halved = |x: &[f64]| self.times(&roots, x).iter().zip(x).map(|(image, x)| 0.5 * (x + image)).collect::<Vec<_>>();
        let small = n <= MOST_WHOLE;
        let search = Search { restarts: if small { FEW_RESTARTS } else { SEARCH.restarts }, ..SEARCH };
        let near = |value: f64, residual: f64| residual <= TOLERANCE * (1.0 - value);
        let found = krylov::leading(n, std::slice::from_ref(&known), search, halved, near, told)?;
        let found = match (found.settled, small) {
            (false, true) => self.by_inverse(&roots, &known, told)?.unwrap_or(found),
            _ => found,
        };
        let mut slowest = Slowest { values: vec![], vectors: vec![], degrees, residual: 0.0 };
        for vector in found.vectors {
            // Both ways of finding it give the vector; the value is the vector's.
            let image = self.times(&roots, &vector);
            let value = crate::numeric::sum::dot_lanes(&vector, &image);
            let off: Vec<f64> = image.iter().zip(&vector).map(|(image, x)| image - value * x).collect();
            slowest.residual = slowest.residual.max(crate::numeric::sum::dot_lanes(&off, &off).sqrt());
            slowest.values.push(value);
            slowest.vectors.push(vector);
        }
        Ok(slowest)
    }

    /// S x
    fn times(&self, roots: &[f64], x: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = x.iter().zip(roots).map(|(x, root)| x / root).collect();
        let row = |i: usize| {
            let (columns, values) = self.weights.row(i);
            let sum = columns.iter().zip(values).fold(self.own[i] * scaled[i], |sum, (j, w)| sum + w * scaled[*j as usize]);
            sum / roots[i]
        };
        (0..x.len()).into_par_iter().with_min_len(256).map(row).collect()
    }

    /// `None` where rounding leaves 1 + σ − S not positive definite.
    fn by_inverse(&self, roots: &[f64], known: &[f64], told: impl FnMut(usize, f64) -> Result<()>) -> Result<Option<Leading>> {
        let n = roots.len();
        let row = |shift: f64, i: usize| {
            let (columns, values) = self.weights.row(i);
            let mut row: Vec<(u32, f64)> =
                columns.iter().zip(values).map(|(j, w)| (*j, -w / (roots[i] * roots[*j as usize]))).collect();
            let own = 1.0 + shift - self.own[i] / (roots[i] * roots[i]);
            row.insert(row.partition_point(|(j, _)| (*j as usize) < i), (i as u32, own));
            row
        };
        let factorised = |shift: &f64| Factorised::new(&(0..n).map(|i| row(*shift, i)).collect::<Vec<_>>());
        let Some(solver) = SHIFTS.iter().find_map(factorised) else { return Ok(None) };
        let times = |x: &[f64]| {
            let mut x = x.to_vec();
            solver.solve(&mut x);
            // What rounding brings back of the known vector.
            let along = crate::numeric::sum::dot_lanes(known, &x);
            x.iter_mut().zip(known).for_each(|(x, known)| *x -= along * known);
            x
        };
        let near = |value: f64, residual: f64| residual <= INVERSE_TOLERANCE * value.abs();
        krylov::leading(n, &[known.to_vec()], INVERSE, times, near, told).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        numeric::{Matrix, eigen},
        projection::parts,
    };

    /// Two clusters that a thread holds together: Lanczos' method alone would not settle.
    #[test]
    fn both_ways_find_the_eigenvectors_of_the_dense_matrix() {
        for gap in [0.4f32, 1000.0] {
            let place = |i: usize| i as f32 * 0.1 + (i * 7 % 5) as f32 * 0.01 + if i < 90 { 0.0 } else { gap };
            let features = Matrix::new(200, 1, (0..200).map(place).collect()).unwrap();
            let given = ProjectionInput::alone(&features, 1);
            let neighbours = given.neighbours(4, crate::numeric::neighbours::NeighbourMetric::Euclidean).unwrap();
            let distances = parts::distances(&neighbours);
            let weights = if distances.components() > 1 { distances.with(&[(89, 90, 1e-3)]) } else { distances };
            let walk = Walk { weights, own: vec![0.05; 200] };
            let found = walk.slowest(&given).unwrap();
            let roots: Vec<f64> = found.degrees.iter().map(|degree| degree.sqrt()).collect();
            let mut dense = vec![0.0; 200 * 200];
            for i in 0..200 {
                dense[i * 201] = 0.05 / found.degrees[i];
                for (j, w) in walk.weights.row(i).0.iter().zip(walk.weights.row(i).1) {
                    dense[i * 200 + *j as usize] = w / (roots[i] * roots[*j as usize]);
                }
            }
            let all = eigen::symmetric(&dense, 200).unwrap();
            for k in 0..2 {
                assert!((found.values[k] - all.values[k + 1]).abs() < 1e-9, "{gap}: {:?} {:?}", found.values, &all.values[..4]);
                let along: f64 = found.vectors[k].iter().zip(&all.vectors[(k + 1) * 200..]).map(|(a, b)| a * b).sum();
                assert!((along.abs() - 1.0).abs() < 1e-8, "{gap}: {along}");
            }
            assert!(found.residual < 1e-7);
        }
    }
}
