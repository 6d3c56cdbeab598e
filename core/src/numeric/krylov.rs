//! The leading eigenvectors of a symmetric matrix of which only products with a vector are known: Lanczos' method with thick restarts
//! (Wu and Simon 2000), from several vectors at once, for one alone meets of two equal values only one vector (Golub and Underwood 1977).

use super::{PhiloxStream, Purpose, eigen, pulse, sum::dot_lanes};
use rayon::prelude::*;
use std::collections::VecDeque;

/// How eigenvectors are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// How many eigenvectors are wanted.
    pub wanted: usize,
    /// Vectors to start from.
    pub abreast: usize,
    /// The basis that is grown before it is cut back to the best few.
    pub basis: usize,
    /// So many are kept then: more than are wanted.
    pub kept: usize,
    /// How often it is cut back, at most.
    pub restarts: usize,
    /// What the first vectors are drawn for.
    pub purpose: Purpose,
}

/// Eigenvectors of the greatest eigenvalues.
#[derive(Debug, Default)]
pub struct Leading {
    /// In descending order.
    pub values: Vec<f64>,
    /// Orthonormal, one a value; fewer than wanted where the matrix is too small.
    pub vectors: Vec<Vec<f64>>,
    /// The length of A x − λ x of each.
    pub residuals: Vec<f64>,
    /// Whether all of them are as near as was asked for.
    pub settled: bool,
}

/// The eigenvectors of the greatest eigenvalues of an n × n matrix, orthogonal to the `known` ones, which are orthonormal.
/// `times` is the matrix times a vector; it gives the same bits with any number of threads, and then so do the eigenvectors. `near`
/// tells of a value and its residual whether that is near enough. `told` is told the greatest residual at each restart, and may stop it.
///
/// # Errors
/// Those of `told`.
pub fn leading<E>(
    n: usize,
    known: &[Vec<f64>],
    search: Search,
    times: impl Fn(&[f64]) -> Vec<f64>,
    near: impl Fn(f64, f64) -> bool,
    mut told: impl FnMut(usize, f64) -> Result<(), E>,
) -> Result<Leading, E> {
    let room = search.basis.min(n.saturating_sub(known.len()));
    let mut stream = PhiloxStream::new(0x5EED, search.purpose, 0);
    let random = |stream: &mut PhiloxStream| -> Vec<f64> { (0..n).map(|_| stream.uniform() - 0.5).collect() };
    // Of the basis: its vectors, what the matrix makes of them; and of these the ones that it is to be grown by.
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (vec![], vec![]);
    let mut next: VecDeque<Vec<f64>> = (0..search.abreast).map(|_| random(&mut stream)).collect();
    let mut best = Leading::default();
    for restart in 0..search.restarts {
        while basis.len() < room {
            pulse::beat();
            // Where the basis holds a whole invariant space, another direction.
            let candidate = next.pop_front().unwrap_or_else(|| random(&mut stream));
            let Some(vector) = orthogonal(candidate, known, &basis) else { continue };
            let image = times(&vector);
            next.push_back(image.clone());
            basis.push(vector);
            images.push(image);
        }
        let m = basis.len();
        let products: Vec<f64> =
            (0..m * m).into_par_iter().map(|at| dot_lanes(&basis[(at / m).min(at % m)], &images[(at / m).max(at % m)])).collect();
        let Some(ritz) = eigen::symmetric(&products, m) else { break };
        let kept = search.kept.min(m);
        let ritz_vector = |basis: &[Vec<f64>], i: usize| combined(basis, &ritz.vectors[i * m..][..m]);
        let kept_basis: Vec<Vec<f64>> = (0..kept).map(|i| ritz_vector(&basis, i)).collect();
        let kept_images: Vec<Vec<f64>> = (0..kept).map(|i| ritz_vector(&images, i)).collect();
        let residual = |place: usize| {
            let value = ritz.values[place];
            let off: Vec<f64> = kept_images[place].iter().zip(&kept_basis[place]).map(|(image, x)| image - value * x).collect();
            dot_lanes(&off, &off).sqrt()
        };
        let wanted = search.wanted.min(kept);
        let residuals: Vec<f64> = (0..wanted).map(residual).collect();
        let settled = residuals.iter().zip(&ritz.values).all(|(residual, value)| near(*value, *residual));
        let worst = residuals.iter().copied().fold(0.0, f64::max);
        best = Leading { values: ritz.values[..wanted].to_vec(), vectors: kept_basis[..wanted].to_vec(), residuals, settled };
        told(restart, worst)?;
        if settled {
            break;
        }
        // What the last images leave beyond the whole basis goes on.
        next = next.into_iter().filter_map(|image| orthogonal(image, known, &basis)).collect();
        (basis, images) = (kept_basis, kept_images);
    }
    Ok(best)
}

/// Σ weight · vector.
fn combined(vectors: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; vectors[0].len()];
    out.par_chunks_mut(4096).enumerate().for_each(|(block, out)| {
        for (vector, weight) in vectors.iter().zip(weights) {
            out.iter_mut().zip(&vector[block * 4096..]).for_each(|(sum, x)| *sum += weight * x);
        }
    });
    out
}

/// The part of `x` that is orthogonal to all these, of length 1; `None` when nothing is left.
fn orthogonal(x: Vec<f64>, known: &[Vec<f64>], basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut x = unit(x)?;
    // Twice is enough (Kahan, in Parlett 1980).
    for _ in 0..2 {
        let along = |others: &[Vec<f64>]| -> Vec<f64> { others.par_iter().map(|other| dot_lanes(other, &x)).collect() };
        let (of_known, of_basis) = (along(known), along(basis));
        x.par_chunks_mut(4096).enumerate().for_each(|(block, x)| {
            let first = block * 4096;
            for (other, along) in known.iter().zip(&of_known).chain(basis.iter().zip(&of_basis)) {
                x.iter_mut().zip(&other[first..]).for_each(|(x, other)| *x -= along * other);
            }
        });
        if dot_lanes(&x, &x).sqrt() < 1e-12 {
            return None;
        }
        x = unit(x)?;
    }
    Some(x)
}

/// The vector brought to length 1; `None` of one that has no length.
pub fn unit(mut x: Vec<f64>) -> Option<Vec<f64>> {
    let norm = dot_lanes(&x, &x).sqrt();
    if !(norm.is_normal()) {
        return None;
    }
    x.iter_mut().for_each(|x| *x /= norm);
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::sum::dot;
    use std::convert::Infallible;

    const SEARCH: Search = Search { wanted: 3, abreast: 2, basis: 16, kept: 6, restarts: 60, purpose: Purpose::Eigenvector };

    fn of(n: usize, matrix: &[f64], known: &[Vec<f64>]) -> Leading {
        let times = |x: &[f64]| matrix.chunks_exact(n).map(|row| dot(row, x)).collect();
        leading(n, known, SEARCH, times, |_, residual| residual < 1e-11, |_, _| Ok::<(), Infallible>(())).unwrap()
    }

    fn random(n: usize) -> Vec<f64> {
        let mut stream = PhiloxStream::for_test(3, n as u64);
        let values: Vec<f64> = (0..n * n).map(|_| stream.uniform() - 0.5).collect();
        (0..n * n).map(|at| values[at] + values[at % n * n + at / n]).collect()
    }

    #[test]
    fn they_are_those_of_the_dense_solver_and_leave_out_what_is_known() {
        let n = 70;
        let matrix = random(n);
        let (found, all) = (of(n, &matrix, &[]), eigen::symmetric(&matrix, n).unwrap());
        assert!(found.settled);
        let vector = |i: usize| all.vectors[i * n..][..n].to_vec();
        for i in 0..3 {
            assert!((found.values[i] - all.values[i]).abs() < 1e-10);
            assert!((dot(&found.vectors[i], &vector(i)).abs() - 1.0).abs() < 1e-10);
        }
        let without = of(n, &matrix, &[vector(0)]);
        assert!((without.values[0] - all.values[1]).abs() < 1e-10);
    }

    #[test]
    fn equal_values_and_tiny_matrices_are_no_trouble() {
        let identity: Vec<f64> = (0..25).map(|at| f64::from(u8::from(at % 6 == 0))).collect();
        assert_eq!(of(5, &identity, &[]).values.len(), 3);
        assert_eq!(of(1, &[2.0], &[]).values, [2.0]);
        assert!(of(1, &[2.0], &[vec![1.0]]).vectors.is_empty());
    }
}
