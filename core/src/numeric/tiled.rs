//! Products of matrices in tiles.
//!
//! Every element is one chain of fused multiply-adds over its terms in order, so its bits depend neither on the tile,
//! nor on the width of the machine's lanes, nor on the threads.

use super::{
    Matrix,
    lanes::{self, LANES, Lanes},
    multiversion::multiversion,
};
use rayon::prelude::*;

/// Vectors of one panel: a tile of products is this wide and this high. One cache line of `f64`.
pub const WIDE: usize = 8;
/// The same for `f32`: a cache line holds twice as many.
pub const WIDE_F32: usize = LANES;

/// Terms of a chain that are held in the cache while a block of products goes on.
const BLOCK: usize = 512;

/// Vectors of one length, `WIDTH` to a panel, term by term; the last panel is filled with zeros.
#[derive(Debug)]
pub struct Panels<T, const WIDTH: usize> {
    length: usize,
    values: Vec<T>,
}

impl<T: Copy + Default + Send + Sync, const WIDTH: usize> Panels<T, WIDTH> {
    /// `term(vector, k)` is the k-th term of a vector.
    pub fn new(vectors: usize, length: usize, term: impl Fn(usize, usize) -> T + Sync) -> Self {
        let mut values = vec![T::default(); vectors.div_ceil(WIDTH) * WIDTH * length];
        values.par_chunks_mut((WIDTH * length).max(1)).enumerate().for_each(|(panel, values)| {
            let lanes = WIDTH.min(vectors - panel * WIDTH);
            for (k, values) in values.chunks_exact_mut(WIDTH).enumerate() {
                for (lane, value) in values[..lanes].iter_mut().enumerate() {
                    *value = term(panel * WIDTH + lane, k);
                }
            }
        });
        Panels { length, values }
    }

    /// One panel, term by term: `WIDTH` vectors of the length.
    pub fn panel(&self, panel: usize) -> &[T] {
        &self.values[panel * WIDTH * self.length..][..WIDTH * self.length]
    }
}

/// `out[i][j] += Σ a[i][k] b[j][k]`, `HIGH` rows of the tile at a time. Plain loops over arrays of known size: a closure here
/// is not always inlined, and then runs without the machine's instructions (look at the speed before changing it).
#[inline(always)]
fn multiply_tile<const HIGH: usize>(a: &[f64], b: &[f64], out: &mut [f64]) {
    let tile = out.as_chunks_mut::<WIDE>().0.as_chunks_mut::<HIGH>().0;
    let (a, b) = (a.as_chunks::<WIDE>().0, b.as_chunks::<WIDE>().0);
    for (part, out) in tile.iter_mut().enumerate() {
        let mut sums = *out;
        for (a, b) in a.iter().zip(b) {
            let a: &[f64; HIGH] = a[part * HIGH..][..HIGH].try_into().expect("a part of the panel");
            for i in 0..HIGH {
                for j in 0..WIDE {
                    sums[i][j] = a[i].mul_add(b[j], sums[i][j]);
                }
            }
        }
        *out = sums;
    }
}

multiversion! {
    /// Adds the products of two panels, every vector of one with every vector of the other: `out` is `WIDE` × `WIDE`.
    pub fn add_products(a: &[f64], b: &[f64], out: &mut [f64]) = multiply_tile::<8>, fma: multiply_tile::<4>
}

multiversion! {
    /// The same in `f32`: `out` is `WIDE_F32` × `WIDE_F32`.
    pub fn add_products_f32(a: &[f32], b: &[f32], out: &mut [[f32; WIDE_F32]; WIDE_F32]) =
        multiply_lanes::<lanes::Wide, 16>, fma: multiply_lanes::<lanes::Fma, 4>, plain: multiply_lanes::<lanes::Plain, 4>
}

#[inline(always)]
fn multiply_lanes<L: Lanes, const HIGH: usize>(a: &[f32], b: &[f32], out: &mut [[f32; WIDE_F32]; WIDE_F32]) {
    let (a, b) = (a.as_chunks::<WIDE_F32>().0, b.as_chunks::<WIDE_F32>().0);
    for (part, out) in out.as_chunks_mut::<HIGH>().0.iter_mut().enumerate() {
        let mut sums = [L::splat(0.0); HIGH];
        for i in 0..HIGH {
            sums[i] = L::load(&out[i]);
        }
        for (a, b) in a.iter().zip(b) {
            let b = L::load(b);
            for i in 0..HIGH {
                sums[i] = L::splat(a[part * HIGH + i]).fused(b, sums[i]);
            }
        }
        for i in 0..HIGH {
            sums[i].store(&mut out[i]);
        }
    }
}

multiversion! {
    /// The same with the vectors of two panels `b`, of which a vector of `a` is then read once for both.
    pub fn add_products_f32_pair(a: &[f32], b: [&[f32]; 2], out: &mut [[[f32; WIDE_F32]; WIDE_F32]; 2]) =
        multiply_lanes_pair::<lanes::Wide, 8>, fma: multiply_lanes_twice::<lanes::Fma, 4>,
        plain: multiply_lanes_twice::<lanes::Plain, 4>
}

#[inline(always)]
fn multiply_lanes_twice<L: Lanes, const HIGH: usize>(a: &[f32], b: [&[f32]; 2], out: &mut [[[f32; WIDE_F32]; WIDE_F32]; 2]) {
    for (b, out) in b.into_iter().zip(out) {
        multiply_lanes::<L, HIGH>(a, b, out);
    }
}

#[inline(always)]
fn multiply_lanes_pair<L: Lanes, const HIGH: usize>(a: &[f32], b: [&[f32]; 2], out: &mut [[[f32; WIDE_F32]; WIDE_F32]; 2]) {
    let (a, [b, c]) = (a.as_chunks::<WIDE_F32>().0, b.map(|b| b.as_chunks::<WIDE_F32>().0));
    let [first, second] = out;
    let tiles = first.as_chunks_mut::<HIGH>().0.iter_mut().zip(second.as_chunks_mut::<HIGH>().0);
    for (part, (first, second)) in tiles.enumerate() {
        let mut sums = [[L::splat(0.0); HIGH]; 2];
        for i in 0..HIGH {
            sums[0][i] = L::load(&first[i]);
            sums[1][i] = L::load(&second[i]);
        }
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            let (b, c) = (L::load(b), L::load(c));
            for i in 0..HIGH {
                let a = L::splat(a[part * HIGH + i]);
                sums[0][i] = a.fused(b, sums[0][i]);
                sums[1][i] = a.fused(c, sums[1][i]);
            }
        }
        for i in 0..HIGH {
            sums[0][i].store(&mut first[i]);
            sums[1][i].store(&mut second[i]);
        }
    }
}

/// The mean of every column: rows are added in blocks, from the first to the last, and blocks in pairs.
pub fn column_means(x: &Matrix) -> Vec<f64> {
    const ROWS: usize = 128;
    let (rows, columns) = (x.rows(), x.columns());
    let block = |values: &[f32]| {
        crate::numeric::pulse::beat();
        let mut sums = vec![0.0; columns];
        add_rows(values, &mut sums);
        sums
    };
    let mut sums: Vec<Vec<f64>> = x.values().par_chunks((ROWS * columns).max(1)).map(block).collect();
    while sums.len() > 1 {
        let pair = |pair: &[Vec<f64>]| match pair {
            [a, b] => a.iter().zip(b).map(|(a, b)| a + b).collect(),
            _ => pair.concat(),
        };
        sums = sums.par_chunks(2).map(pair).collect();
    }
    let mut means = sums.pop().unwrap_or_else(|| vec![0.0; columns]);
    means.iter_mut().for_each(|sum| *sum /= rows.max(1) as f64);
    means
}

multiversion! { fn add_rows(values: &[f32], sums: &mut [f64]) = add_rows_kernel }

#[inline(always)]
fn add_rows_kernel(values: &[f32], sums: &mut [f64]) {
    for row in values.chunks_exact(sums.len().max(1)) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
}

/// Xᵀ X of the centred matrix, D × D row by row: D (D + 1) / 2 chains of N terms.
pub fn scatter(x: &Matrix, means: &[f64]) -> Vec<f64> {
    let blocks = (0..x.rows()).step_by(BLOCK).map(|first| {
        let rows = BLOCK.min(x.rows() - first);
        Panels::new(x.columns(), rows, move |column, row| f64::from(x.row(first + row)[column]) - means[column])
    });
    symmetric_products(x.columns(), blocks)
}

/// X Xᵀ of the centred matrix, N × N row by row: chains of D terms.
pub fn gram(x: &Matrix, means: &[f64]) -> Vec<f64> {
    let blocks = (0..x.columns()).step_by(BLOCK).map(|first| {
        let columns = BLOCK.min(x.columns() - first);
        Panels::new(x.rows(), columns, move |row, column| f64::from(x.row(row)[first + column]) - means[first + column])
    });
    symmetric_products(x.rows(), blocks)
}

/// The products of the m vectors of one with the n of the other, m × n, row by row: each one chain over their terms.
pub(crate) fn products(a: &Panels<f64, WIDE>, m: usize, b: &Panels<f64, WIDE>, n: usize) -> Vec<f64> {
    let of_panel = |second: usize| {
        crate::numeric::pulse::beat();
        let mut tiles = vec![0.0; m.div_ceil(WIDE) * WIDE * WIDE];
        for (first, tile) in tiles.chunks_exact_mut(WIDE * WIDE).enumerate() {
            add_products(a.panel(first), b.panel(second), tile);
        }
        tiles
    };
    let tiles: Vec<Vec<f64>> = (0..n.div_ceil(WIDE)).into_par_iter().map(of_panel).collect();
    let mut out = vec![0.0; m * n];
    for (i, row) in out.chunks_exact_mut(n.max(1)).enumerate() {
        for (part, tiles) in row.chunks_mut(WIDE).zip(&tiles) {
            part.copy_from_slice(&tiles[i * WIDE..][..part.len()]);
        }
    }
    out
}

/// The products of n vectors with each other, given in blocks of their terms.
pub(crate) fn symmetric_products(n: usize, blocks: impl Iterator<Item = Panels<f64, WIDE>>) -> Vec<f64> {
    let panels = n.div_ceil(WIDE);
    // One row of tiles a panel, from the diagonal on.
    let mut tiles: Vec<Vec<f64>> = (0..panels).map(|first| vec![0.0; (panels - first) * WIDE * WIDE]).collect();
    for block in blocks {
        tiles.par_iter_mut().enumerate().for_each(|(first, tiles)| {
            crate::numeric::pulse::beat();
            for (second, tile) in (first..).zip(tiles.chunks_exact_mut(WIDE * WIDE)) {
                add_products(block.panel(first), block.panel(second), tile);
            }
        });
    }
    let mut product = vec![0.0; n * n];
    product.par_chunks_mut(n.max(1)).enumerate().for_each(|(i, row)| {
        for (j, value) in row.iter_mut().enumerate() {
            let (low, high) = (i.min(j), i.max(j));
            let (first, second) = (low / WIDE, high / WIDE);
            *value = tiles[first][(second - first) * WIDE * WIDE + low % WIDE * WIDE + high % WIDE];
        }
    });
    product
}

/// The centred rows of X times the k axes (k × D, row by row): N × k.
pub fn project(x: &Matrix, means: &[f64], axes: &[f64]) -> Vec<f64> {
    let (n, d) = (x.rows(), x.columns());
    let k = axes.len() / d;
    let axes: Panels<f64, WIDE> = Panels::new(k, d, |axis, column| axes[axis * d + column]);
    let mut out = vec![0.0; n * k];
    out.par_chunks_mut(k * WIDE).enumerate().for_each(|(panel, out)| {
        crate::numeric::pulse::beat();
        let rows = panel * WIDE..n.min((panel + 1) * WIDE);
        let mut centred = vec![0.0; WIDE * d];
        for (lane, row) in rows.enumerate() {
            for (column, (value, mean)) in x.row(row).iter().zip(means).enumerate() {
                centred[column * WIDE + lane] = f64::from(*value) - mean;
            }
        }
        for first in (0..k).step_by(WIDE) {
            let mut tile = [0.0; WIDE * WIDE];
            add_products(&centred, axes.panel(first / WIDE), &mut tile);
            for (out, tile) in out.chunks_exact_mut(k).zip(tile.chunks_exact(WIDE)) {
                let width = WIDE.min(k - first);
                out[first..first + width].copy_from_slice(&tile[..width]);
            }
        }
    });
    out
}

/// N × m numbers, row-major, times the m-vectors of `rotation`, row by row: as many columns as there are vectors.
pub fn rotated(y: &[f64], rotation: &[f64], m: usize) -> Vec<f64> {
    let k = rotation.len() / m;
    let mut out = vec![0.0; y.len() / m * k];
    out.par_chunks_mut(1024 * k).zip(y.par_chunks(1024 * m)).for_each(|(out, y)| {
        for (out, y) in out.chunks_exact_mut(k).zip(y.chunks_exact(m)) {
            out.iter_mut().zip(rotation.chunks_exact(m)).for_each(|(out, weights)| *out = super::sum::dot(weights, y));
        }
    });
    out
}

/// Yᵀ Y of N × k numbers, row-major: k × k. Chains over blocks of rows, and blocks in order.
pub fn products_of_rows(y: &[f64], k: usize) -> Vec<f64> {
    const ROWS: usize = 1024;
    let block = |rows: &[f64]| {
        let panels: Panels<f64, WIDE> = Panels::new(k, rows.len() / k, |column, row| rows[row * k + column]);
        let mut products = vec![0.0; k * k];
        for (i, j) in (0..k.div_ceil(WIDE)).flat_map(|i| (0..k.div_ceil(WIDE)).map(move |j| (i, j))) {
            let mut tile = [0.0; WIDE * WIDE];
            add_products(panels.panel(i), panels.panel(j), &mut tile);
            for (at, product) in tile.iter().enumerate() {
                let (row, column) = (i * WIDE + at / WIDE, j * WIDE + at % WIDE);
                if row < k && column < k {
                    products[row * k + column] = *product;
                }
            }
        }
        products
    };
    let blocks: Vec<Vec<f64>> = y.par_chunks((ROWS * k).max(1)).map(block).collect();
    let mut products = vec![0.0; k * k];
    blocks.iter().for_each(|block| products.iter_mut().zip(block).for_each(|(sum, product)| *sum += product));
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    fn random(rows: usize, columns: usize) -> Matrix {
        let mut stream = PhiloxStream::for_test(1, 2);
        Matrix::new(rows, columns, (0..rows * columns).map(|_| stream.uniform() as f32).collect()).unwrap()
    }

    #[test]
    fn every_element_is_one_chain_whatever_the_tile() {
        let x = random(BLOCK * 2 + 17, 13);
        let means = column_means(&x);
        let centred = |row: usize, column: usize| f64::from(x.row(row)[column]) - means[column];
        let product = scatter(&x, &means);
        for (i, j) in [(0, 0), (3, 12), (12, 3), (7, 8)] {
            let chain = (0..x.rows()).fold(0.0, |sum: f64, row| centred(row, i.min(j)).mul_add(centred(row, i.max(j)), sum));
            assert_eq!(product[i * 13 + j].to_bits(), chain.to_bits());
        }
        let (product, n) = (gram(&x, &means), x.rows());
        for (i, j) in [(0, 0), (900, 20), (1040, 1040)] {
            let chain = (0..13).fold(0.0, |sum: f64, column| centred(i, column).mul_add(centred(j, column), sum));
            assert_eq!(product[i * n + j].to_bits(), chain.to_bits());
        }
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
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
        crate::numeric::multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
