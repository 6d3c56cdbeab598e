//! Some images for all: landmarks are drawn without looking at the features, placed by classical scaling of their distances (Torgerson
//! 1952), and every other image by its distances to them (de Silva and Tenenbaum 2004, "Sparse multidimensional scaling using landmark
//! points"). What is drawn does not depend on a study's seed.

use super::{ProjectionInput, pca::fix_sign};
use crate::{
    domain::Result,
    numeric::{
        PhiloxStream, Purpose,
        krylov::{self, Search},
        pulse,
        sum::{self, dot_lanes_f32},
    },
};
use rayon::prelude::*;

/// Beyond this many images, methods of distances take landmarks.
pub(super) const MOST_WHOLE: usize = 20_000;

const SEARCH: Search = Search { wanted: 2, abreast: 2, basis: 30, kept: 8, restarts: 60, purpose: Purpose::DistanceAxes };
/// The residual, relative to the sum of eigenvalues, at which axes are found.
const TOLERANCE: f64 = 1e-9;

/// So many of n rows, ascending.
pub(super) fn drawn(n: usize, count: usize) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..n as u32).collect();
    PhiloxStream::new(0x5EED, Purpose::Landmarks, 0).shuffle(&mut rows);
    rows.truncate(count);
    rows.sort_unstable();
    rows
}

/// Sets what is below the diagonal of an n × n matrix to what is above it.
pub(super) fn mirror(n: usize, values: &mut [f32]) {
    const TILE: usize = 64;
    for rows in (0..n).step_by(TILE) {
        pulse::beat();
        for columns in (rows..n).step_by(TILE) {
            for i in rows..n.min(rows + TILE) {
                for j in columns.max(i + 1)..n.min(columns + TILE) {
                    values[j * n + i] = values[i * n + j];
                }
            }
        }
    }
}

/// −d² / 2 of all pairs of n points, n × n row by row, symmetric.
pub(super) struct HalvedSquares {
    n: usize,
    values: Vec<f32>,
}

impl HalvedSquares {
    /// What is below the diagonal is set to what is above it.
    pub(super) fn mirrored(n: usize, mut values: Vec<f32>) -> Self {
        mirror(n, &mut values);
        HalvedSquares { n, values }
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.n..][..self.n]
    }

    /// Two axes of the points, where the mean is 0 along each.
    ///
    /// # Errors
    /// An observer that stops it.
    pub(super) fn axes(&self, given: &ProjectionInput) -> Result<DistanceAxes> {
        let n = self.n;
        let means: Vec<f64> = self
            .values
            .par_chunks(n.max(1))
            .map(|row| row.iter().map(|value| f64::from(*value)).sum::<f64>() / n as f64)
            .collect();
        // Of the centred matrix: all eigenvalues together.
        let trace = -sum::sum(&means);
        let constant = vec![1.0 / (n as f64).sqrt(); n];
        let times = |x: &[f64]| {
            let mut out: Vec<f64> = self.values.par_chunks(n).map(|row| dot_lanes_f32(row, x)).collect();
            let mean = sum::mean(&out);
            out.iter_mut().for_each(|value| *value -= mean);
            out
        };
        let found = krylov::leading(
            n,
            &[constant],
            SEARCH,
            times,
            |_, residual| residual <= TOLERANCE * trace.abs(),
            |restart, residual| {
                given.watch.objective("residual", restart + 1, residual / trace.abs().max(f64::MIN_POSITIVE));
                given.watch.go_on()
            },
        )?;
        let axes = found.values.iter().zip(found.vectors).filter(|(value, _)| **value > 0.0).map(|(value, mut vector)| {
            fix_sign(&mut vector);
            (*value, vector)
        });
        Ok(DistanceAxes { axes: axes.collect(), means })
    }
}

/// Axes of landmarks, by which other points are placed.
pub(super) struct DistanceAxes {
    /// At most two: an eigenvalue and its unit vector.
    axes: Vec<(f64, Vec<f64>)>,
    /// The mean of −d² / 2 from each landmark to all.
    means: Vec<f64>,
}

impl DistanceAxes {
    pub(super) fn values(&self) -> Vec<f64> {
        self.axes.iter().map(|(value, _)| *value).collect()
    }

    /// Where the landmarks are; 0 along an axis that is not there.
    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        let along = |i: usize, axis: usize| self.axes.get(axis).map_or(0.0, |(value, vector)| value.sqrt() * vector[i]);
        (0..self.means.len()).map(|i| [along(i, 0), along(i, 1)]).collect()
    }

    /// Where a point is, by −d² / 2 to each landmark. A landmark is placed where it is.
    pub(super) fn place(&self, halves: impl Iterator<Item = f64>) -> [f64; 2] {
        let mut place = [0.0; 2];
        for (landmark, (half, mean)) in halves.zip(&self.means).enumerate() {
            for (sum, (_, vector)) in place.iter_mut().zip(&self.axes) {
                *sum += vector[landmark] * (half - mean);
            }
        }
        place.iter_mut().zip(&self.axes).for_each(|(sum, (value, _))| *sum /= value.sqrt());
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Matrix;

    #[test]
    fn points_come_back_from_their_distances_and_others_are_placed_by_theirs() {
        let mut stream = PhiloxStream::for_test(2, 2);
        let points: Vec<[f64; 2]> = (0..50).map(|_| [3.0 * stream.uniform(), stream.uniform()]).collect();
        let half = |a: &[f64; 2], b: &[f64; 2]| -0.5 * ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
        let values = (0..1600).map(|at| half(&points[at / 40], &points[at % 40]) as f32).collect();
        let features = Matrix::new(1, 1, vec![0.0]).unwrap();
        let given = ProjectionInput::alone(&features, 1);
        let axes = HalvedSquares::mirrored(40, values).axes(&given).unwrap();
        let halves = |a: &[f64; 2]| points[..40].iter().map(|b| half(a, b)).collect::<Vec<_>>();
        let placed: Vec<[f64; 2]> = points.iter().map(|a| axes.place(halves(a).into_iter())).collect();
        for (i, a) in placed.iter().enumerate() {
            for (j, b) in placed.iter().enumerate() {
                assert!((half(a, b) - half(&points[i], &points[j])).abs() < 1e-5, "{i} {j}");
            }
        }
        let own = axes.points();
        let apart = own.iter().zip(&placed).map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs()));
        assert!(apart.fold(0.0, f64::max) < 1e-6);
    }

    #[test]
    fn landmarks_are_different_rows_spread_over_all() {
        let rows = drawn(1000, 100);
        assert!(rows.len() == 100 && rows.is_sorted_by(|a, b| a < b) && rows[20] < 500 && rows[80] > 500);
        assert_eq!(drawn(5, 9).len(), 5);
    }
}
