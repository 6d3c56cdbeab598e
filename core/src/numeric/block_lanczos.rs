//! The largest eigenvalues of a symmetric matrix that is only multiplied with, and their vectors: Lanczos' method from a block of
//! vectors at once (Golub and Underwood 1977), with thick restarts (Wu and Simon 2000) and full orthogonalisation.

use super::{eigen, random::mixed, sum::dot_lanes};
use rayon::prelude::*;

/// Vectors that are kept beyond those wanted: they make the last of the wanted settle sooner.
pub(crate) const SPARE: usize = 5;
/// Blocks by which the basis grows before it is cut back to the best.
const BLOCKS: usize = 9;
/// Blocks after which it is seen whether it has settled.
const LOOK: usize = 3;
const RESTARTS: usize = 200;
/// Multiplications that are worth a thread of their own.
const SHARE: usize = 1 << 16;
/// Times that new vectors are tried where the others lead to nothing more.
const MOST_ENDS: u64 = 100;

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

/// The `k` largest, or as many as there are, and their vectors. `start`: the vectors to begin with, of which as many are added at a time: few where the
/// matrix is read slowly, those wanted and [`SPARE`] more where they are known nearly. `times` multiplies vectors. It ends when residuals are below
/// `tolerance` × the largest value.
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
    let (block, k) = (start.len(), k.clamp(1, n.max(1)));
    let kept = (k + SPARE).max(block).min(n);
    let room = n.min(kept + BLOCKS * block);
    let (mut basis, mut next) = (Basis::default(), start);
    // The last wanted value when vectors last led to nothing more, and how often they did.
    let (mut floor, mut ends) = (None, 0);
    let mut found = None;
    for restart in 0..=RESTARTS {
        for blocks in 1.. {
            let fresh = basis.orthonormal(std::mem::take(&mut next), room - basis.vectors.len());
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
            let size = basis.vectors.len();
            let full = exhausted || size == n || (room < n && size + block > room);
            if !full && blocks != 1 && blocks % LOOK != 0 {
                continue;
            }
            let Some((values, ritz)) = basis.best(kept) else { return Ok(None) };
            let residual = ritz.residual(&values, k);
            if values.len() < k && size < n && !exhausted {
                continue;
            }
            if exhausted && size < n && ends < MOST_ENDS {
                // Of equal values a block meets no more than it has vectors: others are tried until they change nothing.
                let last = values.get(k - 1).copied();
                let more = last.zip(floor).is_none_or(|(last, before)| last > before + tolerance * values[0].abs());
                (floor, ends) = (last, ends + 1);
                if more {
                    if size + block > room {
                        basis = ritz;
                    }
                    next = random(block, n, ends);
                    continue;
                }
            }
            let settled = residual <= tolerance || size == n;
            if settled || (full && restart == RESTARTS) {
                return Ok(Some(Leading { values, vectors: ritz.vectors.concat(), residual }));
            }
            if full {
                // What the last block leads to beyond the basis is what the best of the basis leave over.
                next = if exhausted { ritz.left_over(&values) } else { basis.orthonormal(next, block) };
                found = Some(Leading { values, vectors: ritz.vectors.concat(), residual });
                basis = ritz;
                break;
            }
        }
    }
    Ok(found)
}

/// The same at every call.
fn random(count: usize, n: usize, call: u64) -> Vec<Vec<f64>> {
    let value = |vector: usize, i: usize| (mixed(call << 32 | vector as u64, i as u64) >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
    (0..count).map(|vector| (0..n).map(|i| value(vector, i)).collect()).collect()
}

impl Basis {
    /// What is new in the vectors, each of length 1, `most` of them.
    fn orthonormal(&self, vectors: Vec<Vec<f64>>, most: usize) -> Vec<Vec<f64>> {
        let mut fresh: Vec<Vec<f64>> = vec![];
        for mut vector in vectors {
            if fresh.len() >= most {
                break;
            }
            let before = dot_lanes(&vector, &vector).sqrt();
            if before.is_nan() || before <= 0.0 {
                continue;
            }
            vector.iter_mut().for_each(|value| *value /= before);
            // What is left after three times is orthogonal, or rounding.
            let mut left = 1.0;
            for _ in 0..3 {
                let others: Vec<&Vec<f64>> = self.vectors.iter().chain(&fresh).collect();
                let along: Vec<f64> =
                    others.par_iter().with_min_len(SHARE / vector.len() + 1).map(|other| dot_lanes(other, &vector)).collect();
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
        let rows: Vec<Vec<f64>> = (0..m).into_par_iter().with_min_len(SHARE / (m * self.vectors[0].len()) + 1).map(row).collect();
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
        let share = SHARE / (m * self.vectors[0].len()) + 1;
        let all = |of: &[Vec<f64>]| weights.par_iter().with_min_len(share).map(|weights| mixed(of, weights)).collect();
        Some((spectrum.values[..count].to_vec(), Basis { vectors: all(&self.vectors), images: all(&self.images) }))
    }

    /// A v − λ v of each.
    fn left_over(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let of = |((vector, image), value): ((&Vec<f64>, &Vec<f64>), &f64)| {
            vector.iter().zip(image).map(|(vector, image)| image - value * vector).collect()
        };
        self.vectors.iter().zip(&self.images).zip(values).map(of).collect()
    }

    /// The longest of the first `k`, in parts of the largest value.
    fn residual(&self, values: &[f64], k: usize) -> f64 {
        let size = values[0].abs().max(f64::MIN_POSITIVE);
        let length = |of: &Vec<f64>| dot_lanes(of, of).sqrt() / size;
        self.left_over(&values[..k.min(values.len())]).iter().map(length).fold(0.0, f64::max)
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
        let whole = eigen::symmetric(&matrix, n).unwrap();
        for block in [1, 3, 4 + SPARE] {
            let found = leading(n, 4, start(block, n), 1e-11, times).unwrap().unwrap();
            assert!(found.residual <= 1e-11 && found.values.len() == 4 + SPARE, "{block} {}", found.residual);
            for (place, value) in found.values[..4].iter().enumerate() {
                assert!((value / whole.values[place] - 1.0).abs() < 1e-10);
                let along = dot_lanes(&found.vectors[place * n..][..n], &whole.vectors[place * n..][..n]);
                assert!((along.abs() - 1.0).abs() < 1e-9, "{along}");
            }
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
        // More equal values than vectors to begin with.
        let alike = |vectors: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, ()> {
            Ok(vectors.iter().map(|x| x.iter().enumerate().map(|(i, x)| if i < 20 { 2.0 * x } else { 0.0 }).collect()).collect())
        };
        let found = leading(n, 6, start(2, n), 1e-10, alike).unwrap().unwrap();
        assert!(found.values[..6].iter().all(|value| (value - 2.0).abs() < 1e-10), "{:?}", found.values);
        let broken = |vectors: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, ()> { Ok(vec![vec![f64::NAN; n]; vectors.len()]) };
        assert!(leading(n, 3, start(8, n), 1e-10, broken).unwrap().is_none());
    }
}
