//! Where maps start from: the first two principal axes, so that the whole is arranged as the features are (Kobak and Linderman
//! 2021), and a little noise from the seed, so that equal images come apart.

use super::pca::{all_the_same, principal};
use crate::{
    domain::Result,
    numeric::{Matrix, PhiloxStream, Purpose, sum},
};

/// Two principal axes, the first with this standard deviation; normal noise of a hundredth of it. N × 2.
///
/// # Errors
/// Features without any variance.
pub(super) fn principal_start(features: &Matrix, deviation: f64, seed: u64) -> Result<Vec<[f64; 2]>> {
    let principal = principal(features, 2)?;
    let axes = principal.axes();
    let exact = principal.exact(features);
    // Axes have mean 0, and their sums of squares are the eigenvalues.
    let scale = deviation / (principal.values[0] / features.rows() as f64).sqrt();
    let mut points: Vec<[f64; 2]> =
        exact.chunks_exact(axes).map(|point| [point[0] * scale, point.get(1).map_or(0.0, |y| y * scale)]).collect();
    jitter(&mut points, 0.01 * deviation, seed);
    Ok(points)
}

/// # Errors
/// Images whose features are all the same.
pub(super) fn varies(features: &Matrix) -> Result<()> {
    let first = features.row(0);
    if (1..features.rows()).any(|row| features.row(row) != first) { Ok(()) } else { Err(all_the_same(features.rows())) }
}

/// Adds normal noise.
pub(super) fn jitter(points: &mut [[f64; 2]], deviation: f64, seed: u64) {
    let mut stream = PhiloxStream::new(seed, Purpose::MapStart, 0);
    for point in points {
        let [x, y] = stream.normals(deviation);
        point[0] += x;
        point[1] += y;
    }
}

/// Brings the mean to 0.
pub(super) fn centre(points: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let mean = sum::mean(&points.iter().map(|point| point[axis]).collect::<Vec<_>>());
        points.iter_mut().for_each(|point| point[axis] -= mean);
    }
}

/// N × 2 in `f32`.
pub(super) fn matrix(points: &[[f64; 2]]) -> Matrix {
    Matrix::new(points.len(), 2, points.iter().flatten().map(|value| *value as f32).collect()).expect("two columns")
}
