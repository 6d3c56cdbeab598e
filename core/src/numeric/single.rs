//! The scatter matrix of many rows in single precision, where [`tiled::scatter`](super::tiled::scatter) takes half the machine's speed: rows are
//! centred by a value near their mean, products are summed in `f32` over blocks of `BLOCK` rows, and blocks in `f64`.
//!
//! Its error: a centred value is rounded once (2⁻²⁴ of itself), and each block's element is one fused chain, so an element of the
//! scatter is off by 2⁻²⁴ √BLOCK or so of Σ |a b| over its block, and by less once blocks of either sign are added up. That is for
//! *directions*; values are made exact by whoever needs them (`projection/pca.rs`).
//!
//! Columns are brought to about 1 by powers of two; where a value is beyond its column's others by more than `f32` holds, sums are not finite.
//!
//! Chunks of rows, blocks and chains depend on the matrix's size alone, so neither threads nor lanes change a bit.

use super::{
    Matrix,
    tiled::{WIDE_F32, add_products_f32_pair},
};
use rayon::prelude::*;

/// Rows whose products are one chain in `f32`. Their panels stay in the second cache.
const BLOCK: usize = 256;
/// Chunks of rows with sums of their own, at most; and the bytes that all sums may take.
const MOST_CHUNKS: usize = 16;
const MOST_BYTES: usize = 256 << 20;
/// Rows that units are taken from.
const CENTRE_SAMPLE: usize = 512;

type Tile<T> = [[T; WIDE_F32]; WIDE_F32];

/// Mean and scatter of a matrix.
pub struct Scatter {
    /// By column, to within 2⁻²⁴ of a standard deviation.
    pub means: Vec<f64>,
    /// Σ (x − mean)(x − mean)ᵀ, D × D, row-major, both triangles. The row and the column of a column that does not vary are exactly 0.
    pub products: Vec<f64>,
}

/// What brings a column to about 0 and 1.
#[derive(Clone, Copy)]
struct Unit {
    /// A value near the mean, and the column's own where it does not vary.
    centre: f32,
    /// A power of two.
    scale: f32,
}

/// Sums of one chunk of rows, in the columns' units.
struct Chunk {
    /// By column.
    sums: Vec<f64>,
    /// One row of tiles a panel of columns, from the diagonal on.
    tiles: Vec<Tile<f64>>,
}

/// The scatter of an N × D matrix with more than one row.
pub fn scatter(x: &Matrix) -> Scatter {
    let (n, d) = (x.rows(), x.columns());
    let panels = d.div_ceil(WIDE_F32);
    let units = units(x);
    let tiles = panels * (panels + 1) / 2;
    let chunks = (MOST_BYTES / (tiles * size_of::<Tile<f64>>()).max(1)).clamp(1, MOST_CHUNKS);
    let rows = n.div_ceil(chunks).next_multiple_of(BLOCK);
    let sums_of = |chunk: usize| {
        let mut sums = Chunk { sums: vec![0.0; d], tiles: vec![[[0.0; WIDE_F32]; WIDE_F32]; tiles] };
        let mut centred = vec![0.0f32; panels * WIDE_F32 * BLOCK];
        let last = n.min((chunk + 1) * rows);
        for first in (chunk * rows..last).step_by(BLOCK) {
            super::pulse::beat();
            let height = BLOCK.min(last - first);
            sums.add_block(x, first, height, &units, &mut centred);
        }
        sums
    };
    let chunks: Vec<Chunk> = (0..n.div_ceil(rows)).into_par_iter().map(sums_of).collect();

    let sums: Vec<f64> = (0..d).map(|column| chunks.iter().map(|chunk| chunk.sums[column]).sum()).collect();
    let mean = |(sum, unit): (&f64, &Unit)| f64::from(unit.centre) + sum / n as f64 / f64::from(unit.scale);
    let means = sums.iter().zip(&units).map(mean).collect();
    let starts: Vec<usize> = (0..panels).scan(0, |start, i| Some(std::mem::replace(start, *start + panels - i))).collect();
    let mut products = vec![0.0; d * d];
    products.par_chunks_mut(d).enumerate().for_each(|(i, row)| {
        for (j, value) in row.iter_mut().enumerate() {
            let (low, high) = (i.min(j), i.max(j));
            let (first, second) = (low / WIDE_F32, high / WIDE_F32);
            let tile = starts[first] + second - first;
            let about_centre: f64 = chunks.iter().map(|chunk| chunk.tiles[tile][low % WIDE_F32][high % WIDE_F32]).sum();
            let about_mean = about_centre - sums[low] * sums[high] / n as f64;
            *value = about_mean / f64::from(units[low].scale) / f64::from(units[high].scale);
        }
    });
    Scatter { means, products }
}

/// From rows from all over the matrix.
fn units(x: &Matrix) -> Vec<Unit> {
    let count = CENTRE_SAMPLE.min(x.rows());
    let mut sums = vec![[0.0f64; 2]; x.columns()];
    for i in 0..count {
        for ([sum, squares], value) in sums.iter_mut().zip(x.row(i * x.rows() / count)) {
            *sum += f64::from(*value);
            *squares += f64::from(*value) * f64::from(*value);
        }
    }
    let unit = |[sum, squares]: [f64; 2]| {
        let mean = sum / count as f64;
        let deviation = (squares / count as f64 - mean * mean).max(0.0).sqrt().max(1e-7 * mean.abs());
        let power = if deviation > 0.0 { -libm::ilogb(deviation) } else { 0 };
        Unit { centre: mean as f32, scale: libm::scalbnf(1.0, power.clamp(-126, 126)) }
    };
    sums.into_iter().map(unit).collect()
}

impl Chunk {
    /// Adds the products of a block of rows with each other. `centred`: room for them, in panels of columns.
    fn add_block(&mut self, x: &Matrix, first: usize, height: usize, units: &[Unit], centred: &mut [f32]) {
        let panels = units.len().div_ceil(WIDE_F32);
        let size = height * WIDE_F32;
        for row in 0..height {
            let groups = x.row(first + row).chunks(WIDE_F32).zip(units.chunks(WIDE_F32)).zip(self.sums.chunks_mut(WIDE_F32));
            for (panel, ((values, units), sums)) in groups.enumerate() {
                let out = &mut centred[panel * size + row * WIDE_F32..][..values.len()];
                for (((out, value), unit), sum) in out.iter_mut().zip(values).zip(units).zip(sums) {
                    *out = (value - unit.centre) * unit.scale;
                    *sum += f64::from(*out);
                }
            }
        }
        let panel = |panel: usize| &centred[panel * size..][..size];
        let mut start = 0;
        for i in 0..panels {
            // Two tiles at a time, of which the last may be alone.
            for (pair, tiles) in self.tiles[start..start + panels - i].chunks_mut(2).enumerate() {
                let j = i + 2 * pair;
                let mut products = [[[0.0; WIDE_F32]; WIDE_F32]; 2];
                add_products_f32_pair(panel(i), [panel(j), panel((j + 1).min(panels - 1))], &mut products);
                for (sums, products) in tiles.iter_mut().zip(&products) {
                    for (sum, product) in sums.as_flattened_mut().iter_mut().zip(products.as_flattened()) {
                        *sum += f64::from(*product);
                    }
                }
            }
            start += panels - i;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{
        PhiloxStream,
        multiversion::each_level,
        tiled::{column_means, scatter as in_double},
    };

    /// Columns of several scales far from 0; the fourth does not vary, the second is the first again.
    fn drawn(n: usize, d: usize) -> Matrix {
        let mut stream = PhiloxStream::for_test(3, 7);
        let row = |stream: &mut PhiloxStream| {
            let mut row: Vec<f32> = (0..d).map(|j| (100.0 + stream.normals(1.0)[0] * f64::from(1 + j as u32)) as f32).collect();
            (row[1], row[3]) = (row[0], 0.1);
            row
        };
        Matrix::new(n, d, (0..n).flat_map(|_| row(&mut stream)).collect()).unwrap()
    }

    #[test]
    fn it_is_the_scatter_in_double_but_for_roundings() {
        for (n, d) in [(3000, 37), (700, 16), (300, 50), (2, 4)] {
            let x = drawn(n, d);
            let (found, means) = (scatter(&x), column_means(&x));
            let exact = in_double(&x, &means);
            for i in 0..d {
                let deviation = (exact[i * d + i] / n as f64).sqrt();
                assert!((found.means[i] - means[i]).abs() <= 1e-6 * deviation + 1e-12, "{n} {i}");
                for j in 0..d {
                    let size = (exact[i * d + i] * exact[j * d + j]).sqrt();
                    let off = (found.products[i * d + j] - exact[i * d + j]).abs();
                    assert!(off <= 2e-6 * size, "{n} × {d}, {i} {j}: {off} of {size}");
                }
            }
            assert!((0..d).all(|j| found.products[3 * d + j] == 0.0), "a column that does not vary");
            assert!((0..d).all(|j| found.products[j] == found.products[d + j]), "equal columns");
        }
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let x = drawn(5000, 21);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scatter(&x).products)
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
