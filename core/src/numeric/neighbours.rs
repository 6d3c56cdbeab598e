//! Exact neighbours.
//!
//! A distance is *defined* as one fused chain of squared differences over the columns in order, in `f64`; ties go by index.
//! [`Points`] gives such distances from one point to all. [`Neighbours`] are the k nearest of every point: products in
//! `f32` tiles, each made once for both its points, rule out with a proven bound all but a few candidates, whose distances are
//! then taken as defined. So what rules out may be as fast as it likes and cannot change a bit of the answer.
//!
//! The bound and the pass over all pairs are in `sweep`, since others look for neighbours by them too.

use super::{
    Matrix,
    multiversion::multiversion,
    sweep::{BLOCK, F32Bounds, Hit, Near, sweep},
};
use rayon::prelude::*;
use std::sync::Mutex;

/// How the distance of two points is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NeighbourMetric {
    /// The Euclidean distance.
    Euclidean,
    /// 1 − cos of the angle: half the squared distance of the rows brought to length 1.
    Cosine,
}

/// The k nearest of every point, itself left out, nearest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    k: usize,
    /// N × k, row by row.
    indices: Vec<u32>,
    /// Squared Euclidean distances (of rows of length 1, for cosines).
    squares: Vec<f64>,
    metric: NeighbourMetric,
}

impl Neighbours {
    /// `k` is held to N − 1. `None` for cosines when a row is 0: it has no direction.
    pub fn exact(matrix: &Matrix, k: usize, metric: NeighbourMetric) -> Option<Self> {
        let k = k.min(matrix.rows().saturating_sub(1));
        let (indices, squares) = match metric {
            NeighbourMetric::Euclidean => nearest(matrix, k),
            NeighbourMetric::Cosine => nearest(&directions(matrix)?, k),
        };
        Some(Neighbours { k, indices, squares, metric })
    }

    /// From stored parts; `None` when they do not fit each other.
    pub fn kept(n: usize, k: usize, indices: Vec<u32>, squares: Vec<f64>, metric: NeighbourMetric) -> Option<Self> {
        let fits = n.checked_mul(k) == Some(indices.len())
            && squares.len() == indices.len()
            && indices.iter().all(|index| (*index as usize) < n)
            && squares.iter().all(|square| *square >= 0.0 && square.is_finite());
        fits.then_some(Neighbours { k, indices, squares, metric })
    }

    /// Neighbours of each point.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// The neighbours of a point, nearest first.
    pub fn of(&self, point: usize) -> &[u32] {
        &self.indices[point * self.k..][..self.k]
    }

    /// Their squared Euclidean distances (of rows brought to length 1, for cosines).
    pub fn squares(&self, point: usize) -> &[f64] {
        &self.squares[point * self.k..][..self.k]
    }

    /// Their distances in the metric.
    pub fn distances(&self, point: usize) -> impl Iterator<Item = f64> {
        let metric = self.metric;
        self.squares(point).iter().map(move |square| match metric {
            NeighbourMetric::Euclidean => square.sqrt(),
            NeighbourMetric::Cosine => 0.5 * square,
        })
    }

    /// All indices and all squares, row by row.
    pub fn parts(&self) -> (&[u32], &[f64]) {
        (&self.indices, &self.squares)
    }

    /// Of each point only the nearest `k`.
    pub fn nearest(&self, k: usize) -> Neighbours {
        let k = k.min(self.k);
        let indices = self.indices.chunks_exact(self.k.max(1)).flat_map(|row| &row[..k]).copied().collect();
        let squares = self.squares.chunks_exact(self.k.max(1)).flat_map(|row| &row[..k]).copied().collect();
        Neighbours { k, indices, squares, metric: self.metric }
    }
}

/// Rows brought to length 1; `None` when a row is 0.
pub fn directions(matrix: &Matrix) -> Option<Matrix> {
    let mut values = Vec::with_capacity(matrix.values().len());
    for row in 0..matrix.rows() {
        let row = matrix.row(row);
        let length = row.iter().fold(0.0f64, |sum, x| f64::from(*x).mul_add(f64::from(*x), sum)).sqrt();
        if length == 0.0 {
            return None;
        }
        values.extend(row.iter().map(|x| (f64::from(*x) / length) as f32));
    }
    Matrix::new(matrix.rows(), matrix.columns(), values)
}

fn nearest(matrix: &Matrix, k: usize) -> (Vec<u32>, Vec<f64>) {
    let n = matrix.rows();
    if k == 0 {
        return (vec![], vec![]);
    }
    let bounds = F32Bounds::new(matrix);
    let state = |block: usize| {
        let points = block * BLOCK..n.min((block + 1) * BLOCK);
        Mutex::new(points.map(|_| Candidates::default()).collect::<Vec<_>>())
    };
    let states = (0..n.div_ceil(BLOCK)).map(state).collect();
    let gather = Gather { matrix, bounds: &bounds, k, states };
    sweep(&bounds, &gather);

    let mut indices = vec![0; n * k];
    let mut squares = vec![0.0; n * k];
    indices.par_chunks_mut(BLOCK * k).zip(squares.par_chunks_mut(BLOCK * k)).enumerate().for_each(
        |(block, (indices, squares))| {
            crate::numeric::pulse::beat();
            let mut state = gather.states[block].lock().expect("no panic while gathering");
            let rows = indices.chunks_exact_mut(k).zip(squares.chunks_exact_mut(k)).zip(state.drain(..));
            for (place, ((indices, squares), mut candidates)) in rows.enumerate() {
                gather.prune(block * BLOCK + place, &mut candidates);
                gather.settle(block * BLOCK + place, &mut candidates);
                for (place, (square, index)) in candidates.settled.iter().enumerate() {
                    (indices[place], squares[place]) = (*index, *square);
                }
            }
        },
    );
    (indices, squares)
}

/// The candidates for the nearest of one point.
#[derive(Default)]
struct Candidates {
    /// Lower bounds and indices.
    open: Vec<(f32, u32)>,
    /// Distances as defined, at most k of them, nearest first.
    settled: Vec<(f64, u32)>,
    /// No point with a lower bound above it can be among the nearest.
    limit: Option<f32>,
}

struct Gather<'a> {
    matrix: &'a Matrix,
    bounds: &'a F32Bounds,
    k: usize,
    /// By block, by point.
    states: Vec<Mutex<Vec<Candidates>>>,
}

impl Near for Gather<'_> {
    fn limits(&self, block: usize, limits: &mut [f32]) {
        let state = self.states[block].lock().expect("no panic while gathering");
        limits.iter_mut().zip(state.iter()).for_each(|(limit, candidates)| *limit = candidates.limit.unwrap_or(f32::MAX));
    }

    fn take(&self, block: usize, hits: &[Hit]) {
        let mut state = self.states[block].lock().expect("no panic while gathering");
        for hit in hits {
            let point = block * BLOCK + usize::from(hit.place);
            self.meet(point, hit.other as usize, hit.bound, &mut state[usize::from(hit.place)]);
        }
    }
}

impl Gather<'_> {
    /// Room for open candidates of one point.
    fn room(&self) -> usize {
        4 * self.k + 64
    }

    fn meet(&self, point: usize, other: usize, bound: f32, candidates: &mut Candidates) {
        if point == other || candidates.limit.is_some_and(|limit| bound > limit) {
            return;
        }
        candidates.open.push((bound, other as u32));
        if candidates.open.len() == self.room() {
            self.prune(point, candidates);
            // Many candidates at one distance (equal points, say) are settled now, so that they take no more room.
            if candidates.open.len() > self.room() / 2 {
                self.settle(point, candidates);
            }
        }
    }

    /// Lowers the limit to the k-th smallest upper bound, and forgets what lies above it.
    fn prune(&self, point: usize, candidates: &mut Candidates) {
        if candidates.open.len() <= self.k {
            return;
        }
        let own = self.bounds.slack(point);
        let upper = |(bound, other): &(f32, u32)| bound + (own + self.bounds.slack(*other as usize));
        let mut uppers: Vec<f32> = candidates.open.iter().map(upper).collect();
        let (_, kth, _) = uppers.select_nth_unstable_by(self.k - 1, f32::total_cmp);
        let limit = candidates.limit.map_or(*kth, |limit| limit.min(*kth));
        candidates.limit = Some(limit);
        candidates.open.retain(|(bound, _)| *bound <= limit);
    }

    /// Takes the distances of open candidates as they are defined, and keeps the nearest.
    fn settle(&self, point: usize, candidates: &mut Candidates) {
        let own = self.matrix.row(point);
        for group in candidates.open.chunks(CHAINS) {
            // A group that is not full is filled with the point itself.
            let rows: [&[f32]; CHAINS] =
                std::array::from_fn(|i| group.get(i).map_or(own, |(_, other)| self.matrix.row(*other as usize)));
            let mut squares = [0.0; CHAINS];
            squared_distances(own, &rows, &mut squares);
            candidates.settled.extend(group.iter().zip(squares).map(|((_, other), square)| (square, *other)));
        }
        candidates.open.clear();
        candidates.settled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        candidates.settled.truncate(self.k);
        if candidates.settled.len() == self.k {
            // Rounded up, so that a tie is still met.
            let kth = self.bounds.above(candidates.settled[self.k - 1].0);
            candidates.limit = Some(candidates.limit.map_or(kth, |limit| limit.min(kth)));
        }
    }
}

/// Distances that are computed at once: each is a chain in which every term waits for the last.
pub(crate) const CHAINS: usize = 8;

multiversion! {
    /// Squared distances from one row to [`CHAINS`] others, as defined.
    pub(crate) fn squared_distances(own: &[f32], others: &[&[f32]; CHAINS], squares: &mut [f64; CHAINS]) = squared_distances_kernel
}

#[inline(always)]
fn squared_distances_kernel(own: &[f32], others: &[&[f32]; CHAINS], squares: &mut [f64; CHAINS]) {
    let others = others.map(|other| &other[..own.len()]);
    let mut sums = [0.0; CHAINS];
    for k in 0..own.len() {
        sums = std::array::from_fn(|i| {
            let difference = f64::from(others[i][k]) - f64::from(own[k]);
            difference.mul_add(difference, sums[i])
        });
    }
    *squares = sums;
}

/// Squared distances from one row to every row, each one chain as defined. For few of many wide rows; for all of few columns
/// there are [`Points`].
pub fn distances_from(matrix: &Matrix, from: usize, out: &mut [f64]) {
    let own = matrix.row(from);
    for (group, out) in out.chunks_mut(CHAINS).enumerate() {
        let row = |i: usize| matrix.row((group * CHAINS + i).min(matrix.rows() - 1));
        let mut squares = [0.0; CHAINS];
        squared_distances(own, &std::array::from_fn(row), &mut squares);
        out.copy_from_slice(&squares[..out.len()]);
    }
}

/// Squared distances from one row, which need not be of the matrix, to these rows of the matrix, each one chain as defined.
pub fn distances_to(own: &[f32], matrix: &Matrix, rows: &[u32], out: &mut [f64]) {
    for (group, out) in rows.chunks(CHAINS).zip(out.chunks_mut(CHAINS)) {
        // A group that is not full is filled with the row itself.
        let row = |i: usize| group.get(i).map_or(own, |row| matrix.row(*row as usize));
        let mut squares = [0.0; CHAINS];
        squared_distances(own, &std::array::from_fn(row), &mut squares);
        out.copy_from_slice(&squares[..out.len()]);
    }
}

/// Points held column by column, so that one lane of the machine is one point and a distance stays one chain.
pub struct Points {
    count: usize,
    columns: Vec<f64>,
}

impl Points {
    /// The rows of an N × D matrix.
    pub fn new(matrix: &Matrix) -> Self {
        let count = matrix.rows();
        let columns = (0..matrix.columns()).flat_map(|column| matrix.column(column)).map(f64::from).collect();
        Points { count, columns }
    }

    /// The number of points.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Squared distances from one point to every point (0 to itself) into `out`, which holds one number a point.
    pub fn distances(&self, from: usize, out: &mut [f64]) {
        self.distances_of(&[from], out);
    }

    /// The same from several points, one after the other in `out`: a column is read once for all of them.
    pub fn distances_of<const K: usize>(&self, from: &[usize; K], out: &mut [f64]) {
        out.fill(0.0);
        for start in (0..self.count).step_by(TILE) {
            let end = (start + TILE).min(self.count);
            for column in self.columns.chunks_exact(self.count) {
                for (lane, &from) in from.iter().enumerate() {
                    let out = &mut out[lane * self.count + start..lane * self.count + end];
                    add_squares(&column[start..end], column[from], out);
                }
            }
        }
    }
}

/// Points whose sums stay in the nearest cache while the columns pass by.
const TILE: usize = 512;

multiversion! { fn add_squares(column: &[f64], at: f64, out: &mut [f64]) = add_squares_kernel }

#[inline(always)]
fn add_squares_kernel(column: &[f64], at: f64, out: &mut [f64]) {
    for (sum, value) in out.iter_mut().zip(column) {
        let difference = value - at;
        *sum = difference.mul_add(difference, *sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;
    use proptest::prelude::*;

    fn random(n: usize, d: usize, seed: u64) -> Matrix {
        let mut stream = PhiloxStream::for_test(seed, 0);
        Matrix::new(n, d, (0..n * d).map(|_| stream.uniform() as f32).collect()).unwrap()
    }

    /// By definition: all distances, sorted.
    fn plain(matrix: &Matrix, k: usize) -> (Vec<u32>, Vec<f64>) {
        let points = Points::new(matrix);
        let mut distances = vec![0.0; matrix.rows()];
        let (mut indices, mut squares) = (vec![], vec![]);
        for from in 0..matrix.rows() {
            points.distances(from, &mut distances);
            let mut order: Vec<usize> = (0..matrix.rows()).filter(|i| *i != from).collect();
            order.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b)));
            indices.extend(order[..k].iter().map(|i| *i as u32));
            squares.extend(order[..k].iter().map(|i| distances[*i]));
        }
        (indices, squares)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Grids have ties, a great offset leaves `f32` few digits, and few values make many equal points.
        #[test]
        fn they_are_those_of_a_plain_search(
            n in 1usize..300, d in 1usize..20, k in 1usize..40, levels in 1u64..50, offset in prop::sample::select(vec![0.0f32, 1e3, -1e6]), size in prop::sample::select(vec![1.0f32, 1e-30, 1e30]), seed in any::<u64>(),
        ) {
            let mut stream = PhiloxStream::for_test(seed, 1);
            let matrix = Matrix::new(n, d, (0..n * d).map(|_| (offset + stream.below(levels) as f32 * 0.37) * size).collect()).unwrap();
            let found = Neighbours::exact(&matrix, k, NeighbourMetric::Euclidean).unwrap();
            let (indices, squares) = plain(&matrix, k.min(n - 1));
            prop_assert_eq!(found.indices, indices);
            prop_assert_eq!(found.squares, squares);
        }
    }

    #[test]
    fn many_blocks_and_many_equal_points_are_answered_exactly() {
        let mut matrices = vec![random(BLOCK * 2 + 100, 9, 5)];
        matrices.push(Matrix::new(BLOCK + 300, 3, vec![0.25; (BLOCK + 300) * 3]).unwrap());
        for matrix in &matrices {
            let found = Neighbours::exact(matrix, 12, NeighbourMetric::Euclidean).unwrap();
            let (indices, squares) = plain(matrix, 12);
            assert!(found.indices == indices && found.squares == squares);
        }
    }

    #[test]
    fn cosines_are_of_angles_and_a_row_of_zeros_has_none() {
        let matrix = Matrix::new(3, 2, vec![1.0, 0.0, 10.0, 0.0, 0.0, 2.0]).unwrap();
        let found = Neighbours::exact(&matrix, 2, NeighbourMetric::Cosine).unwrap();
        assert_eq!(found.of(0), [1, 2]);
        assert!(found.distances(0).zip([0.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-7));
        assert!(Neighbours::exact(&Matrix::new(2, 2, vec![0.0, 0.0, 1.0, 1.0]).unwrap(), 1, NeighbourMetric::Cosine).is_none());
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let matrix = random(900, 33, 2);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Neighbours::exact(&matrix, 20, NeighbourMetric::Euclidean).unwrap())
        };
        let one = with(1);
        assert!(one == with(2) && one == with(16));
        crate::numeric::multiversion::each_level(|level| assert!(one == with(2), "{level:?}"));
    }
}
