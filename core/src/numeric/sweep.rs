//! One pass over all pairs of points: products in `f32` tiles, each made once for both its points, give a lower bound of each squared distance;
//! whoever looks for neighbours ([`Near`]) is told of the pairs within its limits. The bounds are proven, so what is ruled
//! out cannot be among the nearest, and what is not is measured as distances are defined ([`neighbours`](super::neighbours)): how fast or how
//! rough the bounds are changes no bit of an answer.
//!
//! A tile of 192 × 192 products is made of 128 columns of both blocks at a time, and a block meets several others one after the other: the tile, the
//! block and a part of the other stay in a second cache of 1 MB up to some 500 columns.

use super::{
    Matrix,
    lanes::Lanes,
    multiversion::multiversion,
    sum::dot_lanes,
    tiled::{WIDE_F32, add_products_f32_pair, column_means},
};
use rayon::prelude::*;

/// Points of one block: tiles are made block by block.
pub(crate) const BLOCK: usize = PANELS * WIDE_F32;
/// Panels of a block.
const PANELS: usize = 12;
/// Blocks that one block meets before it leaves the second cache.
const STRIP: usize = 8;
/// Columns of a panel that are multiplied at once.
const COLUMNS: usize = 128;

/// A pair of points that is not ruled out.
pub(crate) struct Hit {
    /// The point, counted from the first of its block.
    pub place: u16,
    /// The other point.
    pub other: u32,
    /// No more than their squared distance, in the bounds' unit.
    pub bound: f32,
}

/// Who looks for neighbours.
pub(crate) trait Near: Sync {
    /// Sets what is wanted of each point of a block: no bound above it. What is beyond the points stays as it is.
    fn limits(&self, block: usize, limits: &mut [f32]);
    /// Is told of pairs that were within the limits some time ago. Never of a point and itself.
    fn take(&self, block: usize, hits: &[Hit]);
}

/// Lower bounds of squared distances in `f32`: of the points centred and scaled to about 1, where `f32` is most precise.
pub(crate) struct F32Bounds {
    n: usize,
    /// A power of two.
    scale: f32,
    d: usize,
    /// Block by block, group of columns by group, panel by panel, term by term: what is multiplied at once lies together.
    terms: Vec<f32>,
    /// Squared lengths, less their share of the bound.
    low: Vec<f32>,
    /// What the bound adds to a lower one to make an upper one, by point.
    slack: Vec<f32>,
}

type Tile = [[f32; WIDE_F32]; WIDE_F32];

impl F32Bounds {
    pub(crate) fn new(matrix: &Matrix) -> Self {
        let (n, d) = (matrix.rows(), matrix.columns());
        let of_rows = |values: &[f32]| values.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let largest = matrix.values().par_chunks(1 << 16).map(of_rows).reduce(|| 0.0, f32::max);
        let scale = libm::scalbnf(1.0, -(libm::ilogbf(largest.max(f32::MIN_POSITIVE)) + 1).clamp(-126, 126));
        let means: Vec<f32> = column_means(matrix).into_iter().map(|mean| (mean * f64::from(scale)) as f32).collect();
        let term = |point: usize, column: usize| matrix.row(point)[column] * scale - means[column];
        let mut terms = vec![0.0; n.div_ceil(BLOCK) * BLOCK * d];
        terms.par_chunks_mut((BLOCK * d).max(1)).enumerate().for_each(|(block, terms)| {
            for (group, terms) in terms.chunks_mut(BLOCK * COLUMNS).enumerate() {
                let columns = terms.len() / BLOCK;
                for (panel, terms) in terms.chunks_exact_mut(columns * WIDE_F32).enumerate() {
                    for lane in 0..WIDE_F32.min(n.saturating_sub(block * BLOCK + panel * WIDE_F32)) {
                        let values = &matrix.row(block * BLOCK + panel * WIDE_F32 + lane)[group * COLUMNS..][..columns];
                        let means = &means[group * COLUMNS..][..columns];
                        for (k, (value, mean)) in values.iter().zip(means).enumerate() {
                            terms[k * WIDE_F32 + lane] = value * scale - mean;
                        }
                    }
                }
            }
        });
        // With u = 2⁻²⁴ and centred rows a, b: rounding the rows costs at most 4u (|a|² + |b|²) of |a − b|², the chain of D
        // fused terms 2 D u |a||b| ≤ D u (|a|² + |b|²) (Higham 2002, 3.1), the rest of the sum 6u (|a|² + |b|²) at most.
        let share = (d as f64 + 16.0) * 2f64.powi(-24);
        let length = |row: &mut Vec<f64>, point: usize| {
            row.clear();
            row.extend((0..d).map(|column| f64::from(term(point, column))));
            let length = dot_lanes(row, row);
            let slack = length * 2.0 * share * (1.0 + 1e-6) + f64::from(f32::MIN_POSITIVE);
            ((length * (1.0 - share)) as f32, slack as f32)
        };
        let (low, slack) = (0..n).into_par_iter().with_min_len(256).map_init(Vec::new, length).unzip();
        F32Bounds { n, scale, d, terms, low, slack }
    }

    /// A point's share of what is added to a lower bound to make it an upper one.
    pub(crate) fn slack(&self, point: usize) -> f32 {
        self.slack[point]
    }

    /// A squared distance in the bounds' unit, rounded up, so that a tie is still met.
    pub(crate) fn above(&self, square: f64) -> f32 {
        ((square * f64::from(self.scale).powi(2)) as f32).next_up()
    }

    /// The products of the points of two blocks, tile by tile.
    fn products(&self, a: usize, b: usize, tiles: &mut [Tile]) {
        tiles.as_flattened_mut().as_flattened_mut().fill(0.0);
        let block = |block: usize| self.terms[block * BLOCK * self.d..][..BLOCK * self.d].chunks(BLOCK * COLUMNS);
        for (a, b) in block(a).zip(block(b)) {
            let size = a.len() / PANELS;
            for (a, tiles) in a.chunks_exact(size).zip(tiles.chunks_exact_mut(PANELS)) {
                for (b, tiles) in b.chunks_exact(2 * size).zip(tiles.as_chunks_mut::<2>().0) {
                    let (first, second) = b.split_at(size);
                    add_products_f32_pair(a, [first, second], tiles);
                }
            }
        }
    }

    /// Of each point of a block; infinite beyond the points.
    fn low_of(&self, block: usize) -> [f32; BLOCK] {
        std::array::from_fn(|place| self.low.get(block * BLOCK + place).copied().unwrap_or(f32::INFINITY))
    }
}

/// Every pair of points once, on all threads.
pub(crate) fn sweep(bounds: &F32Bounds, near: &impl Near) {
    let blocks = bounds.n.div_ceil(BLOCK);
    // A block and a strip of others, none before it; strips far from the diagonal come last.
    let strips: Vec<(usize, usize)> =
        (0..blocks).step_by(STRIP).flat_map(|apart| (0..blocks - apart).map(move |a| (a, a + apart))).collect();
    strips.par_iter().for_each_init(
        || (vec![[[0.0; WIDE_F32]; WIDE_F32]; PANELS * PANELS], [Vec::new(), Vec::new()]),
        |(tiles, hits), &(a, first)| {
            for b in first..blocks.min(first + STRIP) {
                crate::numeric::pulse::beat();
                bounds.products(a, b, tiles);
                within(bounds, near, [a, b], tiles, hits);
                near.take(a, &hits[0]);
                if a != b {
                    near.take(b, &hits[1]);
                }
            }
        },
    );
}

/// The pairs within the limits of the points of the first block, and of the second.
fn within(bounds: &F32Bounds, near: &impl Near, [a, b]: [usize; 2], tiles: &mut [Tile], hits: &mut [Vec<Hit>; 2]) {
    let [of_rows, of_columns] = hits;
    of_rows.clear();
    of_columns.clear();
    let limits = |block: usize| {
        let mut limits = [f32::NEG_INFINITY; BLOCK];
        near.limits(block, &mut limits);
        limits
    };
    let (rows, columns) = ([bounds.low_of(a), limits(a)], [bounds.low_of(b), limits(b)]);
    let part = |of: &[[f32; BLOCK]; 2], panel: usize| {
        [0, 1].map(|which| *of[which][panel * WIDE_F32..].first_chunk::<WIDE_F32>().expect("a panel's points"))
    };
    for (at, tile) in tiles.iter_mut().enumerate() {
        let (i, j) = (at / PANELS, at % PANELS);
        let mut masks = [[0u16; WIDE_F32]; 2];
        to_bounds(tile, &part(&rows, i), &part(&columns, j), &mut masks);
        for (row, bounds) in tile.iter().enumerate() {
            let place = i * WIDE_F32 + row;
            each_bit(masks[0][row], |lane| {
                let other = j * WIDE_F32 + lane;
                if a != b || place != other {
                    of_rows.push(Hit { place: place as u16, other: (b * BLOCK + other) as u32, bound: bounds[lane] });
                }
            });
            if a != b {
                each_bit(masks[1][row], |lane| {
                    let other = (j * WIDE_F32 + lane) as u16;
                    of_columns.push(Hit { place: other, other: (a * BLOCK + place) as u32, bound: bounds[lane] });
                });
            }
        }
    }
}

#[inline(always)]
fn each_bit(mut mask: u16, mut found: impl FnMut(usize)) {
    while mask != 0 {
        found(mask.trailing_zeros() as usize);
        mask &= mask - 1;
    }
}

multiversion! {
    /// Products become bounds, `own + other − 2 product`; by row, which of them are within the row's limit, and within the
    /// columns'. Of rows and of columns: what is added, and limits.
    fn to_bounds(
        tile: &mut [[f32; WIDE_F32]; WIDE_F32], rows: &[[f32; WIDE_F32]; 2], columns: &[[f32; WIDE_F32]; 2], masks: &mut [[u16; WIDE_F32]; 2],
    ) = lanes to_bounds_kernel
}

#[inline(always)]
fn to_bounds_kernel<L: Lanes>(
    tile: &mut [[f32; WIDE_F32]; WIDE_F32],
    rows: &[[f32; WIDE_F32]; 2],
    columns: &[[f32; WIDE_F32]; 2],
    masks: &mut [[u16; WIDE_F32]; 2],
) {
    let (others, limits, twice) = (L::load(&columns[0]), L::load(&columns[1]), L::splat(-2.0));
    for row in 0..WIDE_F32 {
        let bound = twice.fused(L::load(&tile[row]), L::splat(rows[0][row]).add(others));
        bound.store(&mut tile[row]);
        masks[0][row] = bound.at_most(L::splat(rows[1][row]));
        masks[1][row] = bound.at_most(limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::{PhiloxStream, neighbours::Points};
    use std::sync::Mutex;

    /// Keeps whatever it is told of, within one limit.
    struct All {
        limit: f32,
        told: Mutex<Vec<(usize, usize, f32)>>,
    }

    impl Near for All {
        fn limits(&self, _: usize, limits: &mut [f32]) {
            limits.fill(self.limit);
        }
        fn take(&self, block: usize, hits: &[Hit]) {
            let pairs = hits.iter().map(|hit| (block * BLOCK + usize::from(hit.place), hit.other as usize, hit.bound));
            self.told.lock().unwrap().extend(pairs);
        }
    }

    #[test]
    fn every_pair_within_the_limit_is_told_to_both_its_points_with_bounds_that_hold() {
        let (n, d) = (BLOCK + 45, 150);
        let mut stream = PhiloxStream::for_test(2, 5);
        let matrix = Matrix::new(n, d, (0..n * d).map(|_| (7.0 + stream.normals(1.0)[0]) as f32).collect()).unwrap();
        let bounds = F32Bounds::new(&matrix);
        let points = Points::new(&matrix);
        let mut squares = vec![0.0; n];
        points.distances(0, &mut squares);
        let mut sorted = squares.clone();
        sorted.sort_by(f64::total_cmp);
        for limit in [f32::MAX, bounds.above(sorted[n / 3])] {
            let all = All { limit, told: Mutex::default() };
            sweep(&bounds, &all);
            let mut told = all.told.into_inner().unwrap();
            told.sort_by_key(|of| (of.0, of.1));
            assert!(told.windows(2).all(|two| (two[0].0, two[0].1) < (two[1].0, two[1].1)), "once each");
            if limit == f32::MAX {
                assert_eq!(told.len(), n * (n - 1));
            }
            for from in [0, 1, BLOCK, n - 1] {
                points.distances(from, &mut squares);
                let own: Vec<_> = told.iter().filter(|(point, ..)| *point == from).collect();
                for (_, other, bound) in &own {
                    let above = bounds.above(squares[*other]);
                    assert!(*bound <= above && bound + bounds.slack(from) + bounds.slack(*other) >= above * (1.0 - 1e-6));
                }
                let near = (0..n).filter(|other| *other != from && bounds.above(squares[*other]) <= limit).count();
                assert!(own.len() >= near && near > 0);
            }
        }
    }
}
