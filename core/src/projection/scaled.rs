//! What PaCMAP, TriMap and PHATE see of features: at most 100 principal axes of them, exact neighbours, and a distance that each image
//! measures by its own scale (Zelnik-Manor and Perona 2004). Their packages do the same, with approximate neighbours; they divide features
//! by their range only where there are 100 columns or fewer, here the start is so always, so that the features' unit does not matter.

use super::{ProjectionInput, pca, start};
use crate::{
    domain::Result,
    numeric::{
        Matrix,
        neighbours::{CHAINS, NeighbourMetric, Neighbours, squared_distances},
    },
};
use std::{borrow::Cow, ops::Range};

/// More columns than these are reduced to as many principal axes.
const MOST_COLUMNS: usize = 100;
/// The start is so much of the principal axes of features that reach from 0 to 1.
const START: f64 = 0.01;
/// The noise on the start, of its standard deviation.
const NOISE: f64 = 0.01;
/// No scale is smaller, of the features' range.
const LEAST_SCALE: f64 = 1e-10;

/// Features as these methods see them.
pub(super) struct ScaledFeatures<'a> {
    /// N × at most 100.
    pub(super) features: Cow<'a, Matrix>,
    /// How far the values of `features` reach, at least.
    range: f64,
    pub(super) neighbours: Neighbours,
    /// N × 2.
    pub(super) start: Vec<[f64; 2]>,
    /// The mean distance to some of the nearest, by image.
    scales: Vec<f64>,
}

impl<'a> ScaledFeatures<'a> {
    /// With `k` neighbours; an image's scale is its mean distance to those of them at `scale`.
    ///
    /// # Errors
    /// Images that are all the same; an observer that stops it.
    pub(super) fn new(given: &ProjectionInput<'a>, k: usize, scale: Range<usize>) -> Result<Self> {
        let features = given.features;
        start::varies(features)?;
        let (low, high) =
            features.values().iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        let range = f64::from(high) - f64::from(low);
        let reduces = features.columns() > MOST_COLUMNS;
        let principal = pca::principal(features, if reduces { MOST_COLUMNS } else { 2 })?;
        given.watch.go_on()?;
        let (axes, exact) = (principal.axes(), principal.exact(features));
        let scaled = |value: f64| START * value / range;
        let mut points: Vec<[f64; 2]> =
            exact.chunks_exact(axes).map(|row| [scaled(row[0]), row.get(1).map_or(0.0, |y| scaled(*y))]).collect();
        let deviation = (principal.values[0] / features.rows() as f64).sqrt();
        start::jitter(&mut points, NOISE * scaled(deviation), given.seed);
        let (features, range, neighbours) = if reduces {
            let values = exact.iter().map(|value| (value / range) as f32).collect();
            let reduced = Matrix::new(features.rows(), axes, values).expect("one row an image, one column an axis");
            let found = Neighbours::exact(&reduced, k, NeighbourMetric::Euclidean);
            (Cow::Owned(reduced), 1.0, found.expect("a distance needs no direction"))
        } else {
            (Cow::Borrowed(features), range, given.neighbours(k, NeighbourMetric::Euclidean)?)
        };
        given.watch.go_on()?;
        let own_scale = |i: usize| {
            let near: Vec<f64> = neighbours.distances(i).collect();
            let near = &near[scale.start.min(near.len() - 1)..scale.end.min(near.len())];
            (near.iter().sum::<f64>() / near.len() as f64).max(LEAST_SCALE * range)
        };
        let scales = (0..features.rows()).map(own_scale).collect();
        Ok(ScaledFeatures { features, range, neighbours, start: points, scales })
    }

    pub(super) fn images(&self) -> usize {
        self.features.rows()
    }

    /// The scale of an image: a distance.
    pub(super) fn scale(&self, i: usize) -> f64 {
        self.scales[i]
    }

    /// A squared distance, measured by the scales of both images.
    pub(super) fn scaled(&self, square: f64, i: usize, j: usize) -> f64 {
        // The unit is taken out first, so that nothing is beyond double precision.
        let unit = |value: f64| value / self.range;
        unit(unit(square)) / (unit(self.scales[i]) * unit(self.scales[j]))
    }

    /// Neighbours with their scaled squared distances, nearest first by these, of equals as they were.
    pub(super) fn nearest(&self, i: usize) -> Vec<(f64, u32)> {
        let pairs = self.neighbours.of(i).iter().zip(self.neighbours.squares(i));
        let mut nearest: Vec<(f64, u32)> = pairs.map(|(j, square)| (self.scaled(*square, i, *j as usize), *j)).collect();
        nearest.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        nearest
    }

    /// Squared distances from an image to others.
    pub(super) fn squares(&self, from: usize, others: &[u32], mut found: impl FnMut(usize, f64)) {
        let own = self.features.row(from);
        for (group, others) in others.chunks(CHAINS).enumerate() {
            let row = |lane: usize| self.features.row(others[lane.min(others.len() - 1)] as usize);
            let mut squares = [0.0; CHAINS];
            squared_distances(own, &std::array::from_fn(row), &mut squares);
            squares[..others.len()].iter().enumerate().for_each(|(lane, square)| found(group * CHAINS + lane, *square));
        }
    }
}

/// Draws images other than these until `count` are found, no two the same; `taken` has the refused ones, and then the drawn ones as well.
/// There must be as many.
pub(super) fn draw_others(n: usize, count: usize, taken: &mut Vec<u32>, mut draw: impl FnMut(u64) -> u64) {
    debug_assert!(taken.len() + count <= n);
    for _ in 0..count {
        let mut drawn = draw(n as u64) as u32;
        while taken.contains(&drawn) {
            drawn = draw(n as u64) as u32;
        }
        taken.push(drawn);
    }
}
