//! Products of matrices in tiles.
//!
//! Every element is one chain of fused multiply-adds over its terms in order, so its bits depend neither on the tile,
//! nor on the width of the machine's lanes, nor on the threads.

use super::{Matrix, fused::fused, sum};
use rayon::prelude::*;

/// Rows of X held in the cache while a block of Xᵀ X is made.
const TILE: usize = 256;

/// The mean of every column.
pub fn column_means(x: &Matrix) -> Vec<f64> {
    let column = |column| sum::mean(&(0..x.rows()).map(|row| f64::from(x.row(row)[column])).collect::<Vec<_>>());
    (0..x.columns()).into_par_iter().map(column).collect()
}

/// Xᵀ X of the centred matrix, D × D row by row: D (D + 1) / 2 chains of N terms.
pub fn scatter(x: &Matrix, means: &[f64]) -> Vec<f64> {
    let d = x.columns();
    let centred: Vec<f64> = x
        .values()
        .par_chunks(d.max(1))
        .flat_map_iter(|row| row.iter().zip(means).map(|(value, mean)| f64::from(*value) - mean))
        .collect();
    let mut product = vec![0.0; d * d];
    product.par_chunks_mut(d.max(1)).enumerate().for_each(|(i, row)| {
        for tile in centred.chunks(TILE * d) {
            accumulate(tile, d, i, row);
        }
    });
    for i in 0..d {
        for j in 0..i {
            product[i * d + j] = product[j * d + i];
        }
    }
    product
}

fused! {
    /// Adds the tile's share to row `i` of the product, from the diagonal on.
    fn accumulate(tile: &[f64], d: usize, i: usize, row: &mut [f64]) = accumulate_kernel
}

#[inline(always)]
fn accumulate_kernel(tile: &[f64], d: usize, i: usize, row: &mut [f64]) {
    for x in tile.chunks_exact(d) {
        let factor = x[i];
        for (sum, value) in row[i..].iter_mut().zip(&x[i..]) {
            *sum = factor.mul_add(*value, *sum);
        }
    }
}

/// The centred rows of X times the k axes (k × D, row by row): N × k.
pub fn project(x: &Matrix, means: &[f64], axes: &[f64]) -> Vec<f64> {
    let d = x.columns();
    let k = axes.len() / d;
    // Axes as columns, so that one lane is one axis and every element stays one chain over D.
    let transposed: Vec<f64> = (0..d).flat_map(|j| (0..k).map(move |axis| axes[axis * d + j])).collect();
    let mut out = vec![0.0; x.rows() * k];
    out.par_chunks_mut(k).enumerate().for_each(|(row, out)| multiply(x.row(row), means, &transposed, out));
    out
}

fused! { fn multiply(row: &[f32], means: &[f64], transposed: &[f64], out: &mut [f64]) = multiply_kernel }

#[inline(always)]
fn multiply_kernel(row: &[f32], means: &[f64], transposed: &[f64], out: &mut [f64]) {
    for ((value, mean), axes) in row.iter().zip(means).zip(transposed.chunks_exact(out.len())) {
        let centred = f64::from(*value) - mean;
        for (sum, axis) in out.iter_mut().zip(axes) {
            *sum = centred.mul_add(*axis, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Stream;

    fn random(rows: usize, columns: usize) -> Matrix {
        let mut stream = Stream::new(1, 2);
        Matrix::new(rows, columns, (0..rows * columns).map(|_| stream.uniform() as f32).collect()).unwrap()
    }

    #[test]
    fn every_element_is_one_chain_whatever_the_tile() {
        let x = random(TILE * 2 + 17, 13);
        let means = column_means(&x);
        let product = scatter(&x, &means);
        for (i, j) in [(0, 0), (3, 12), (12, 3), (7, 8)] {
            let chain = (0..x.rows()).fold(0.0, |sum: f64, row| {
                let centred = |column: usize| f64::from(x.row(row)[column]) - means[column];
                centred(i.min(j)).mul_add(centred(i.max(j)), sum)
            });
            assert_eq!(product[i * 13 + j].to_bits(), chain.to_bits());
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_threads() {
        let x = random(999, 37);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let means = column_means(&x);
                let product = scatter(&x, &means);
                let projected = project(&x, &means, &product[..37 * 5]);
                (product, projected)
            })
        };
        let one = with(1);
        for threads in [2, 3, 16] {
            assert!(one == with(threads), "{threads} threads");
        }
    }
}
