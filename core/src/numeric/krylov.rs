//! The largest eigenvalues of a symmetric matrix that is only multiplied with, and their vectors: Lanczos' method from a block of
//! vectors at once (Golub and Underwood 1977), with thick restarts (Wu and Simon 2000) and full orthogonalisation.

use super::{eigen, sum::dot_lanes};
use rayon::prelude::*;

/// Vectors beyond those wanted: they make the last of the wanted settle sooner.
pub(crate) const SPARE: usize = 5;
/// The basis is cut back to the best few when it has this many vectors for each of the block.
const BLOCKS: usize = 5;
const RESTARTS: usize = 200;

/// Of the largest values: those wanted, and behind them what else the block has, as it was when the wanted ones had settled.
pub(crate) struct Leading {
    /// In descending order.
    pub values: Vec<f64>,
    /// Unit vectors in the same order, row by row.
    pub vectors: Vec<f64>,
    /// How far the worst of the wanted is from an eigenvector: ‖A v − λ v‖ / λ₁.
    pub residual: f64,
}

/// Vectors and what the matrix makes of them.
#[derive(Default)]
struct Basis {
    vectors: Vec<Vec<f64>>,
    images: Vec<Vec<f64>>,
}

/// The `k` largest, or as many as there are, and their vectors. `start`: vectors to begin with, [`SPARE`] more than wanted is best. `times` multiplies vectors, given
/// and returned row by row. It ends when residuals are below `tolerance` × the largest value.
///
/// # Errors
/// Of `times`; `Ok(None)` when a number is not finite.
pub(crate) fn leading<E>(
    n: usize,
    k: usize,
    start: Vec<Vec<f64>>,
    tolerance: f64,
    mut times: impl FnMut(&[Vec<f64>]) -> Result<Vec<Vec<f64>>, E>,
) -> Result<Option<Leading>, E> {
    let (block, k) = (start.len().min(n), k.min(n));
    let room = n.min((BLOCKS * block).max(40));
    let (mut basis, mut next) = (Basis::default(), start);
    let mut found = None;
    for restart in 0..=RESTARTS {
        loop {
            let fresh = basis.orthonormal(std::mem::take(&mut next), room);
            if fresh.iter().flatten().any(|value| !value.is_finite()) {
                return Ok(None);
            }
            let exhausted = fresh.is_empty();
            if !exhausted {
                let images = times(&fresh)?;
                next.clone_from(&images);
                basis.vectors.extend(fresh);
                basis.images.extend(images);
            }
            let Some((values, ritz)) = basis.best(block.max(k)) else { return Ok(None) };
            let kept = k.min(values.len());
            let residuals: Vec<Vec<f64>> = ritz.residuals(&values);
            let size = values[0].abs().max(f64::MIN_POSITIVE);
            let residual = residuals[..kept].iter().map(|of| dot_lanes(of, of).sqrt() / size).fold(0.0, f64::max);
            let settled = residual <= tolerance || basis.vectors.len() == n || (exhausted && restart == RESTARTS);
            if settled || exhausted || (room < n && basis.vectors.len() + block > room) {
                found = Some(Leading { values, vectors: ritz.vectors.concat(), residual });
                if settled {
                    return Ok(found);
                }
                (basis, next) = (ritz, residuals);
                break;
            }
        }
    }
    Ok(found)
}

impl Basis {
    /// What is new in the vectors, each of length 1, as many as there is room for.
    fn orthonormal(&self, vectors: Vec<Vec<f64>>, room: usize) -> Vec<Vec<f64>> {
        let mut fresh: Vec<Vec<f64>> = vec![];
        for mut vector in vectors {
            if self.vectors.len() + fresh.len() >= room {
                break;
            }
            let before = dot_lanes(&vector, &vector).sqrt();
            if !(before > 0.0) {
                continue;
            }
            vector.iter_mut().for_each(|value| *value /= before);
            // What is left after three times is orthogonal, or rounding.
            let mut left = 1.0;
            for _ in 0..3 {
                let others: Vec<&Vec<f64>> = self.vectors.iter().chain(&fresh).collect();
                let along: Vec<f64> = others.par_iter().with_min_len(8).map(|other| dot_lanes(other, &vector)).collect();
                for (other, along) in others.iter().zip(along) {
                    vector.iter_mut().zip(*other).for_each(|(value, other)| *value -= along * other);
                }
                let size = dot_lanes(&vector, &vector).sqrt();
                left *= size;
                vector.iter_mut().for_each(|value| *value /= size.max(f64::MIN_POSITIVE));
            }
            if left > 1e-12 {
                fresh.push(vector);
            }
        }
        fresh
    }

    /// The best approximations that the basis has (Rayleigh and Ritz): values, and vectors with their images.
    fn best(&self, count: usize) -> Option<(Vec<f64>, Basis)> {
        let m = self.vectors.len();
        if m == 0 {
            return None;
        }
        let row = |i: usize| (0..m).map(|j| if j <= i { dot_lanes(&self.vectors[i], &self.images[j]) } else { 0.0 }).collect();
        let rows: Vec<Vec<f64>> = (0..m).into_par_iter().map(row).collect();
        let spectrum = eigen::symmetric(&rows.concat(), m)?;
        let count = count.min(m);
        let mixed = |of: &[Vec<f64>], weights: &[f64]| {
            let mut sum = vec![0.0; of[0].len()];
            for (vector, weight) in of.iter().zip(weights) {
                sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
            }
            sum
        };
        let weights: Vec<&[f64]> = spectrum.vectors.chunks_exact(m).take(count).collect();
        let all = |of: &[Vec<f64>]| weights.par_iter().map(|weights| mixed(of, weights)).collect();
        Some((spectrum.values[..count].to_vec(), Basis { vectors: all(&self.vectors), images: all(&self.images) }))
    }

    fn residuals(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let of = |((vector, image), value): ((&Vec<f64>, &Vec<f64>), &f64)| {
            vector.iter().zip(image).map(|(vector, image)| image - value * vector).collect()
        };
        self.vectors.iter().zip(&self.images).zip(values).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    fn start(count: usize, n: usize) -> Vec<Vec<f64>> {
        let mut stream = PhiloxStream::for_test(3, 3);
        (0..count).map(|_| (0..n).map(|_| stream.uniform() - 0.5).collect()).collect()
    }

    #[test]
    fn the_largest_values_and_vectors_are_those_of_the_whole_matrix() {
        let n = 130;
        let rows = start(60, n);
        // Equal values, and many of 0.
        let mut matrix = vec![0.0; n * n];
        for (place, row) in rows.iter().enumerate() {
            let weight = 1.0 / (1.0 + place as f64);
            (0..n * n).for_each(|at| matrix[at] += weight * row[at / n] * row[at % n]);
        }
        (0..n).for_each(|i| matrix[i * n + i] += 0.01);
        let times = |vectors: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, ()> {
            Ok(vectors.iter().map(|x| matrix.chunks_exact(n).map(|row| dot_lanes(row, x)).collect()).collect())
        };
        let found = leading(n, 4, start(4 + SPARE, n), 1e-11, times).unwrap().unwrap();
        let whole = eigen::symmetric(&matrix, n).unwrap();
        assert!(found.residual <= 1e-11 && found.values.len() == 4 + SPARE);
        for (place, value) in found.values[..4].iter().enumerate() {
            assert!((value / whole.values[place] - 1.0).abs() < 1e-10);
            let along = dot_lanes(&found.vectors[place * n..][..n], &whole.vectors[place * n..][..n]);
            assert!((along.abs() - 1.0).abs() < 1e-9, "{along}");
        }
    }

    #[test]
    fn a_matrix_of_rank_one_or_nought_is_no_trouble() {
        let n = 50;
        for size in [0.0, 3.0] {
            let times = |vectors: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, ()> {
                Ok(vectors.iter().map(|x| (0..n).map(|i| if i == 2 { size * x[2] } else { 0.0 }).collect()).collect())
            };
            let found = leading(n, 3, start(8, n), 1e-10, times).unwrap().unwrap();
            assert!((found.values[0] - size).abs() < 1e-12 && found.values[1..].iter().all(|value| value.abs() < 1e-12));
        }
        let broken = |vectors: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, ()> { Ok(vec![vec![f64::NAN; n]; vectors.len()]) };
        assert!(leading(n, 3, start(8, n), 1e-10, broken).unwrap().is_none());
    }
}
