//! The features as all probes see them: standardised, in tiles, times weights (margins) and times residuals (gradients).
//!
//! An iteration of all probes of a batch is two products of the features with as many columns as there are probes, in `f32`. The
//! features are standardised once, by all rows; what differs between probes (their own training rows' means and deviations) is small,
//! and is applied to the weights instead ([`AffineMap`](super::AffineMap)).

use super::{LinearProbe, ProbeTask};
use crate::numeric::{
    Matrix,
    lanes::{self, LANES, Lanes},
    multiversion::multiversion,
    tiled::{Panels, add_products_f32},
};
use rayon::prelude::*;

/// Number of some rows, and per column the mean of their features and the sum of squares about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    pub n: f64,
    pub means: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// In two passes. The squares of equal numbers are exactly 0, for their sums are exact.
    pub(super) fn of_rows(features: &Matrix, rows: impl Iterator<Item = usize> + Clone) -> Self {
        let (mut n, mut means, mut squares) = (0.0, vec![0.0; features.columns()], vec![0.0; features.columns()]);
        for row in rows.clone() {
            n += 1.0;
            add_row(features.row(row), &mut means);
        }
        means.iter_mut().for_each(|mean| *mean /= f64::max(n, 1.0));
        rows.for_each(|row| add_squares(features.row(row), &means, &mut squares));
        Moments { n, means, squares }
    }

    /// Of both sets of rows together (Chan, Golub and LeVeque 1983); again exactly 0 of equal numbers.
    pub(super) fn merged(mut self, other: &Moments) -> Self {
        let n = self.n + other.n;
        if self.n == 0.0 || other.n == 0.0 {
            return if self.n == 0.0 { other.clone() } else { self };
        }
        for k in 0..self.means.len() {
            let offset = other.means[k] - self.means[k];
            self.means[k] += offset * (other.n / n);
            self.squares[k] += other.squares[k] + offset * offset * (self.n * other.n / n);
        }
        Moments { n, ..self }
    }

    /// 1 / standard deviation (population) of a column; 0 where it does not vary.
    pub(super) fn inverse_deviation(&self, column: usize) -> f64 {
        let inverse = 1.0 / (self.squares[column] / self.n).sqrt();
        if inverse.is_finite() { inverse } else { 0.0 }
    }
}

multiversion! { fn add_row(row: &[f32], sums: &mut [f64]) = add_row_kernel }

#[inline(always)]
fn add_row_kernel(row: &[f32], sums: &mut [f64]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += f64::from(*value);
    }
}

multiversion! { fn add_squares(row: &[f32], means: &[f64], sums: &mut [f64]) = add_squares_kernel }

#[inline(always)]
fn add_squares_kernel(row: &[f32], means: &[f64], sums: &mut [f64]) {
    for ((sum, value), mean) in sums.iter_mut().zip(row).zip(means) {
        let offset = f64::from(*value) - mean;
        *sum = offset.mul_add(offset, *sum);
    }
}

/// Rows of a block: standardised at once.
const BLOCK_ROWS: usize = 64;
/// Tiles of a block, one below the other.
const TILES_HIGH: usize = BLOCK_ROWS / LANES;
/// Blocks whose products are summed in `f32` before they are added to the sums in `f64`; no task has fewer.
const BLOCKS_PER_SUM: usize = 4;
/// No more tasks than this: each has sums of its own.
const MOST_TASKS: usize = 32;

type Tile<T> = [[T; LANES]; LANES];
/// Gradients by panel and tile, and by panel those of the intercepts.
type Sums = (Vec<Tile<f64>>, Vec<[f64; LANES]>);

/// The features (N × D) with what standardises them by all rows.
pub(super) struct StandardizedFeatures<'a> {
    pub features: &'a Matrix,
    /// Per column, the mean.
    pub centre: Vec<f32>,
    /// Per column, 1 / standard deviation; 0 where it does not vary.
    pub inverse: Vec<f32>,
}

/// A block of standardised rows in the two orders that products take them: a tile's vectors are rows, or columns.
struct RowBlock {
    rows: Vec<Tile<f32>>,
    columns: Vec<Tile<f32>>,
}

impl<'a> StandardizedFeatures<'a> {
    pub(super) fn new(features: &'a Matrix) -> Self {
        const PART: usize = 4096;
        let n = features.rows();
        let parts: Vec<Moments> = (0..n.div_ceil(PART))
            .into_par_iter()
            .map(|part| Moments::of_rows(features, part * PART..n.min((part + 1) * PART)))
            .collect();
        let all = parts[1..].iter().fold(parts[0].clone(), Moments::merged);
        let inverse = (0..features.columns()).map(|column| all.inverse_deviation(column) as f32);
        // A column whose inverse is beyond `f32` gets no weight.
        let inverse = inverse.map(|inverse| if inverse.is_finite() { inverse } else { 0.0 }).collect();
        StandardizedFeatures { features, centre: all.means.iter().map(|mean| *mean as f32).collect(), inverse }
    }

    /// Other features of the same rows, standardised as these are. `None` where they have another shape, or one is not finite.
    pub(super) fn seeing<'b>(&self, features: &'b Matrix) -> Option<StandardizedFeatures<'b>> {
        let fits = (features.rows(), features.columns()) == (self.features.rows(), self.features.columns());
        let fits = fits && features.first_not_finite().is_none();
        fits.then(|| StandardizedFeatures { features, centre: self.centre.clone(), inverse: self.inverse.clone() })
    }

    /// Tiles side by side: columns / `LANES`, rounded up.
    fn tiles_wide(&self) -> usize {
        self.features.columns().div_ceil(LANES)
    }

    fn empty_block(&self) -> RowBlock {
        let tiles = vec![[[0.0; LANES]; LANES]; self.tiles_wide() * TILES_HIGH];
        RowBlock { rows: tiles.clone(), columns: tiles }
    }

    /// Fills a block with standardised rows from `first` on; rows beyond the last are 0.
    fn load_block(&self, first: usize, block: &mut RowBlock) {
        let scales = self.centre.chunks(LANES).zip(self.inverse.chunks(LANES));
        for down in 0..TILES_HIGH {
            for (across, (centre, inverse)) in scales.clone().enumerate() {
                let tile = &mut block.columns[across * TILES_HIGH + down];
                for (i, out) in tile.iter_mut().enumerate() {
                    let row = first + down * LANES + i;
                    if row >= self.features.rows() {
                        *out = [0.0; LANES];
                        continue;
                    }
                    let values = &self.features.row(row)[across * LANES..][..centre.len()];
                    for (((out, value), centre), inverse) in out.iter_mut().zip(values).zip(centre).zip(inverse) {
                        *out = (value - centre) * inverse;
                    }
                }
                let transposed = &mut block.rows[down * self.tiles_wide() + across];
                for i in 0..LANES {
                    for j in 0..LANES {
                        transposed[i][j] = tile[j][i];
                    }
                }
            }
        }
    }

    /// The probes' weights, as they apply to the features standardised by all rows.
    fn panels(&self, probes: &[LinearProbe]) -> Panels<f32, LANES> {
        let weight = |probe: usize, k: usize| {
            let LinearProbe { map, solver, .. } = &probes[probe];
            map.scale.get(k).map_or(0.0, |scale| (solver.point[k] * scale) as f32)
        };
        Panels::new(probes.len(), self.tiles_wide() * LANES, weight)
    }

    /// Per probe and row, weights · features, without the intercept.
    pub(super) fn margins(&self, probes: &[LinearProbe]) -> Vec<Vec<f32>> {
        let panels = self.panels(probes);
        let blocks = (0..self.features.rows()).step_by(BLOCK_ROWS).collect::<Vec<_>>().into_par_iter();
        let margins: Vec<Vec<Tile<f32>>> = blocks
            .map_init(
                || self.empty_block(),
                |block, first| {
                    self.load_block(first, block);
                    (0..probes.len().div_ceil(LANES)).flat_map(|panel| self.products(block, panels.panel(panel))).collect()
                },
            )
            .collect();
        let margin = |probe: usize, row: usize| {
            let tile = &margins[row / BLOCK_ROWS][probe / LANES * TILES_HIGH + row % BLOCK_ROWS / LANES];
            tile[row % LANES][probe % LANES]
        };
        (0..probes.len()).map(|probe| (0..self.features.rows()).map(|row| margin(probe, row)).collect()).collect()
    }

    /// A block's rows times the weights of a panel.
    fn products(&self, block: &RowBlock, panel: &[f32]) -> [Tile<f32>; TILES_HIGH] {
        let mut products = [[[0.0; LANES]; LANES]; TILES_HIGH];
        for (product, rows) in products.iter_mut().zip(block.rows.chunks_exact(self.tiles_wide())) {
            add_products_f32(rows.as_flattened().as_flattened(), panel, product);
        }
        products
    }

    /// Sets every probe's gradient of the loss (without the penalty) by its weights as they apply to the features standardised by all
    /// rows; the intercept's is the last. `class_weights`: see [`signed_class_weights`].
    pub(super) fn set_loss_gradients(&self, probes: &mut [LinearProbe], class_weights: &[Vec<[f32; LANES]>]) {
        let panels = self.panels(probes);
        let panel_count = probes.len().div_ceil(LANES);
        let mut offsets = vec![[0.0; LANES]; panel_count];
        for (place, probe) in probes.iter().enumerate() {
            offsets[place / LANES][place % LANES] = probe.intercept() as f32;
        }
        let blocks = self.features.rows().div_ceil(BLOCK_ROWS);
        let blocks_per_task = blocks.div_ceil(MOST_TASKS).max(BLOCKS_PER_SUM);
        let run = |first: usize| -> Sums {
            let mut block = self.empty_block();
            let (mut sums, mut totals) =
                (vec![[[0.0; LANES]; LANES]; self.tiles_wide() * panel_count], vec![[0.0; LANES]; panel_count]);
            let mut part = vec![[[0.0; LANES]; LANES]; self.tiles_wide() * panel_count];
            let last = blocks.min(first + blocks_per_task);
            for at in first..last {
                self.load_block(at * BLOCK_ROWS, &mut block);
                for panel in 0..panel_count {
                    let mut residuals = self.products(&block, panels.panel(panel));
                    let class_weights = &class_weights[panel][at * BLOCK_ROWS..][..BLOCK_ROWS];
                    residual(residuals.as_flattened_mut(), &offsets[panel], class_weights, &mut totals[panel]);
                    for (columns, part) in
                        block.columns.chunks_exact(TILES_HIGH).zip(part[panel * self.tiles_wide()..].iter_mut())
                    {
                        add_products_f32(columns.as_flattened().as_flattened(), residuals.as_flattened().as_flattened(), part);
                    }
                }
                if (at + 1 - first).is_multiple_of(BLOCKS_PER_SUM) || at + 1 == last {
                    add_tiles(part.as_flattened_mut().as_flattened_mut(), sums.as_flattened_mut().as_flattened_mut());
                }
            }
            (sums, totals)
        };
        let parts: Vec<Sums> =
            (0..blocks.div_ceil(blocks_per_task)).into_par_iter().map(|task| run(task * blocks_per_task)).collect();
        probes.par_iter_mut().enumerate().for_each(|(place, probe)| {
            let (panel, lane) = (place / LANES, place % LANES);
            let d = probe.map.scale.len();
            for k in 0..d {
                let tile = panel * self.tiles_wide() + k / LANES;
                probe.solver.gradient[k] = parts.iter().map(|part| part.0[tile][k % LANES][lane]).sum();
            }
            probe.solver.gradient[d] = parts.iter().map(|part| part.1[panel][lane]).sum();
        });
    }
}

multiversion! { fn add_tiles(part: &mut [f32], sums: &mut [f64]) = add_tiles_kernel }

/// Adds `part` to `sums` and sets it to 0.
#[inline(always)]
fn add_tiles_kernel(part: &mut [f32], sums: &mut [f64]) {
    for (sum, part) in sums.iter_mut().zip(part) {
        *sum += f64::from(std::mem::take(part));
    }
}

multiversion! {
    /// Turns margins into the slopes of the loss by them: weight × (σ(margin + intercept) − class), and adds these to `totals`.
    fn residual(margins: &mut [[f32; LANES]], intercept: &[f32; LANES], class_weights: &[[f32; LANES]], totals: &mut [f64; LANES]) =
        lanes residual_kernel
}

#[inline(always)]
fn residual_kernel<L: Lanes>(
    margins: &mut [[f32; LANES]],
    intercept: &[f32; LANES],
    class_weights: &[[f32; LANES]],
    totals: &mut [f64; LANES],
) {
    let (zero, one, intercept) = (L::splat(0.0), L::splat(1.0), L::load(intercept));
    for (margin, signed) in margins.iter_mut().zip(class_weights) {
        let signed = L::load(signed);
        let (weight, positive) = (signed.max(zero.sub(signed)), signed.max(zero));
        let probability = one.div(one.add(lanes::exp(zero.sub(L::load(margin).add(intercept)))));
        weight.fused(probability, zero.sub(positive)).store(margin);
        for (total, value) in totals.iter_mut().zip(margin) {
            *total += f64::from(*value);
        }
    }
}

/// Per panel of probes, row and lane the row's weight, negative for the negative class; 0 for rows that the probe is not trained on.
pub(super) fn signed_class_weights(n: usize, tasks: &[ProbeTask], probes: &[LinearProbe]) -> Vec<Vec<[f32; LANES]>> {
    let panel = |probes: &[LinearProbe]| {
        let mut weights = vec![[0.0; LANES]; n.next_multiple_of(BLOCK_ROWS)];
        for (lane, probe) in probes.iter().enumerate() {
            for (row, weights) in weights[..n].iter_mut().enumerate() {
                if let Some((class, weight)) = tasks[probe.task].training_row(row, probe.fold) {
                    let weight = (weight * probe.class_balance[usize::from(class)]) as f32;
                    weights[lane] = if class { weight } else { -weight };
                }
            }
        }
        weights
    };
    probes.par_chunks(LANES).map(panel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    #[test]
    fn moments_of_two_sets_of_rows_merge_into_those_of_all() {
        let mut rng = PhiloxStream::for_test(2, 0);
        let features = Matrix::new(30, 3, (0..90).map(|_| rng.normals(2.0)[0] as f32 + 5.0).collect()).unwrap();
        let merged = Moments::of_rows(&features, 0..11).merged(&Moments::of_rows(&features, 11..30));
        let all = Moments::of_rows(&features, 0..30);
        assert_eq!(merged.n, 30.0);
        for k in 0..3 {
            assert!((merged.means[k] - all.means[k]).abs() < 1e-12 && (merged.squares[k] / all.squares[k] - 1.0).abs() < 1e-12);
        }
        let none = Moments::of_rows(&features, 0..0);
        assert_eq!((all.clone().merged(&none), none.merged(&all)), (all.clone(), all));
    }

    #[test]
    fn a_column_that_does_not_vary_has_no_deviation_to_divide_by() {
        let features = Matrix::new(7, 2, (0..7).flat_map(|row| [0.1, row as f32]).collect()).unwrap();
        let moments = Moments::of_rows(&features, 0..3).merged(&Moments::of_rows(&features, 3..7));
        assert_eq!((moments.squares[0], moments.inverse_deviation(0)), (0.0, 0.0));
        // The variance of 0 … 6 is 4.
        assert!((moments.inverse_deviation(1) - 0.5).abs() < 1e-12);
        assert_eq!(StandardizedFeatures::new(&features).inverse, [0.0, 0.5]);
    }

    #[test]
    fn the_slope_of_the_loss_is_the_weight_times_probability_less_class() {
        let mut margins = [[0.0; LANES]; 2];
        let class_weights = [std::array::from_fn(|_| 2.0), std::array::from_fn(|_| -3.0)];
        let mut totals = [0.0; LANES];
        residual(&mut margins, &[0.0; LANES], &class_weights, &mut totals);
        // At margin 0 the probability is ½: 2 (½ − 1) for a positive, 3 (½ − 0) for a negative.
        assert_eq!((margins[0][0], margins[1][LANES - 1], totals[3]), (-1.0, 1.5, 0.5));
    }
}
