//! How the points of a map push each other away: Σⱼ w² (yᵢ − yⱼ) with w = 1 / (1 + d²), and the sum of w over all pairs. Every
//! pair for few points. For many, the points are spread over a grid by cubic B-splines, the grid is convolved with the
//! kernel, and the forces are read off it (Linderman et al. 2019, FIt-SNE; with one convolution in place of four: the sum
//! over pairs is the energy of the same transform).

use crate::numeric::{
    fourier::{Convolution, LaneRow},
    lanes::{self, LANES, Lanes},
    multiversion::multiversion,
    sum,
};
use rayon::prelude::*;

/// From so many points on, the grid is faster.
const MANY: usize = 4000;
/// The grid's step where the map is large: w changes over a distance of 1.
const STEP: f64 = 0.4;
/// A small map has a finer grid, of so many steps.
const LEAST: f64 = 32.0;
/// Points spread by one thread before another: fixed, so that threads change nothing.
const PARTS: usize = 8;
/// Points whose forces are taken in one piece.
const ROWS: usize = 64;

pub(super) enum Repulsion {
    Exact,
    Grid(Option<RepulsionGrid>),
}

/// The kernel on a grid, kept as long as the map fits it.
pub(super) struct RepulsionGrid {
    step: f64,
    convolution: Convolution,
}

impl Repulsion {
    pub(super) fn new(n: usize) -> Self {
        if n < MANY { Repulsion::Exact } else { Repulsion::Grid(None) }
    }

    /// Σ w over all pairs, and the force on each point.
    pub(super) fn of(&mut self, points: &[[f32; 2]]) -> (f64, Vec<[f32; 2]>) {
        match self {
            Repulsion::Exact => exact(points),
            Repulsion::Grid(field) => on_grid(field, points),
        }
    }

    /// Of one step, about.
    pub(super) fn operations(n: f64) -> f64 {
        if n < MANY as f64 { 20.0 * n * n } else { 100.0 * n + 2e7 * (n / 20_000.0).max(1.0) }
    }
}

fn exact(points: &[[f32; 2]]) -> (f64, Vec<[f32; 2]>) {
    let found = FrozenPoints::new(points).push(points);
    let weights: Vec<f64> = found.iter().map(|[weight, ..]| f64::from(*weight)).collect();
    (sum::sum(&weights) - points.len() as f64, found.into_iter().map(|[_, x, y]| [x, y]).collect())
}

/// Points that push others.
pub(super) struct FrozenPoints {
    xs: Vec<LaneRow>,
    ys: Vec<LaneRow>,
}

impl FrozenPoints {
    pub(super) fn new(points: &[[f32; 2]]) -> Self {
        // Far beyond any map: no weight.
        const FAR: f32 = 1e18;
        let panels = points.len().div_ceil(LANES);
        let (mut xs, mut ys) = (vec![[FAR; LANES]; panels], vec![[FAR; LANES]; panels]);
        for (i, [x, y]) in points.iter().enumerate() {
            (xs[i / LANES][i % LANES], ys[i / LANES][i % LANES]) = (*x, *y);
        }
        FrozenPoints { xs, ys }
    }

    /// Σ w over these points, and the force, of each other point.
    pub(super) fn push(&self, points: &[[f32; 2]]) -> Vec<[f32; 3]> {
        let mut found = vec![[0.0; 3]; points.len()];
        let blocks = found.par_chunks_mut(ROWS).enumerate();
        blocks.for_each(|(block, found)| push(&points[block * ROWS..], &self.xs, &self.ys, found));
        found
    }
}

multiversion! {
    /// Σ w and the force, of the first points, in all points.
    fn push(points: &[[f32; 2]], xs: &[LaneRow], ys: &[LaneRow], found: &mut [[f32; 3]]) =
        push_kernel::<lanes::Wide, 4>, fma: push_kernel::<lanes::Fma, 2>, plain: push_kernel::<lanes::Plain, 2>
}

#[inline(always)]
fn push_kernel<L: Lanes, const TOGETHER: usize>(points: &[[f32; 2]], xs: &[LaneRow], ys: &[LaneRow], found: &mut [[f32; 3]]) {
    let one = L::splat(1.0);
    for (points, found) in points.chunks(TOGETHER).zip(found.chunks_mut(TOGETHER)) {
        let mut own = [[L::splat(0.0); 2]; TOGETHER];
        for (own, [x, y]) in own.iter_mut().zip(points) {
            *own = [L::splat(*x), L::splat(*y)];
        }
        let mut sums = [[L::splat(0.0); 3]; TOGETHER];
        for (xs, ys) in xs.iter().zip(ys) {
            let (xs, ys) = (L::load(xs), L::load(ys));
            for i in 0..TOGETHER {
                let (dx, dy) = (own[i][0].sub(xs), own[i][1].sub(ys));
                let weight = one.div(dx.fused(dx, dy.fused(dy, one)));
                let squared = weight.mul(weight);
                sums[i] = [sums[i][0].add(weight), squared.fused(dx, sums[i][1]), squared.fused(dy, sums[i][2])];
            }
        }
        for (found, sums) in found.iter_mut().zip(sums) {
            *found = [sums[0].sum(), sums[1].sum(), sums[2].sum()];
        }
    }
}

fn on_grid(field: &mut Option<RepulsionGrid>, points: &[[f32; 2]]) -> (f64, Vec<[f32; 2]>) {
    let reach = |axis: usize| {
        let (low, high) = points
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), point| (low.min(point[axis]), high.max(point[axis])));
        (f64::from(low), f64::from(high))
    };
    let bounds = [reach(0), reach(1)];
    let extent = bounds.iter().map(|(low, high)| high - low).fold(f64::MIN_POSITIVE, f64::max);
    let field = RepulsionGrid::fit(field, extent);
    let side = field.convolution.side();
    // In the middle of the grid, with room for the cubic's outer places.
    let origin = bounds.map(|(low, high)| f64::midpoint(low, high) - 0.5 * (side - 1) as f64 * field.step);
    let places: Vec<GridPlace> = points.par_iter().map(|point| GridPlace::new(point, origin, field.step)).collect();

    let parts = places.par_chunks(places.len().div_ceil(PARTS)).map(|places| {
        let mut grid = field.convolution.empty();
        places.iter().for_each(|place| place.spread(side, &mut grid));
        grid
    });
    let parts: Vec<Vec<LaneRow>> = parts.collect();
    let mut charges = field.convolution.empty();
    charges.par_iter_mut().enumerate().for_each(|(at, charge)| {
        for part in &parts {
            charge.iter_mut().zip(&part[at]).for_each(|(sum, value)| *sum += value);
        }
    });
    let (energy, forces) = field.convolution.forces(&charges);
    let forces = places.par_iter().map(|place| place.read(side, &forces)).collect();
    (energy - points.len() as f64, forces)
}

impl RepulsionGrid {
    /// The kept one where it fits; steps come from a ladder of four to the octave, so that it fits for long.
    fn fit(kept: &mut Option<RepulsionGrid>, extent: f64) -> &RepulsionGrid {
        let rung = (4.0 * libm::log2(extent / LEAST)).floor();
        let step = libm::exp2(rung / 4.0).min(STEP);
        // Two places beyond the points on each side.
        let side = (extent / step).ceil() as usize + 5;
        if !kept.as_ref().is_some_and(|field| field.step == step && field.convolution.side() >= side) {
            let kernel = |x: f64, y: f64| {
                let (x, y) = (x * step, y * step);
                let weight = 1.0 / (1.0 + x * x + y * y);
                [weight, x * weight * weight]
            };
            // Spread and read by B-splines, each of which lets (2 + cos) / 3 of a wave through (Unser 1999): twice divided out.
            let sharpened = |angle: f64| (3.0 / (2.0 + libm::cos(angle))).powi(2);
            *kept = Some(RepulsionGrid { step, convolution: Convolution::new(side, kernel, sharpened) });
        }
        kept.as_ref().expect("one that fits")
    }
}

/// A point on the grid: the first of its four places along each axis, and its share at each (the cubic B-spline).
struct GridPlace {
    first: [usize; 2],
    shares: [[f32; 4]; 2],
}

impl GridPlace {
    fn new(point: &[f32; 2], origin: [f64; 2], step: f64) -> Self {
        let mut place = GridPlace { first: [0; 2], shares: [[0.0; 4]; 2] };
        for axis in 0..2 {
            let at = (f64::from(point[axis]) - origin[axis]) / step;
            let t = at - at.floor();
            place.first[axis] = at.floor() as usize - 1;
            let u = 1.0 - t;
            place.shares[axis] = [u * u * u, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * u - 6.0) * u * u + 4.0, t * t * t]
                .map(|share| (share / 6.0) as f32);
        }
        place
    }

    fn spread(&self, side: usize, grid: &mut [LaneRow]) {
        for (x, share) in (self.first[0]..).zip(self.shares[0]) {
            let rows = &mut grid[x / LANES * side + self.first[1]..][..4];
            for (row, other) in rows.iter_mut().zip(self.shares[1]) {
                row[x % LANES] += share * other;
            }
        }
    }

    fn read(&self, side: usize, grid: &[[LaneRow; 2]]) -> [f32; 2] {
        let mut sums = [0.0; 2];
        for (x, share) in (self.first[0]..).zip(self.shares[0]) {
            for (rows, other) in grid[x / LANES * side + self.first[1]..][..4].iter().zip(self.shares[1]) {
                let share = share * other;
                sums[0] += share * rows[0][x % LANES];
                sums[1] += share * rows[1][x % LANES];
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    fn cloud(n: usize, size: f64) -> Vec<[f32; 2]> {
        let mut stream = PhiloxStream::for_test(3, n as u64);
        (0..n).map(|_| stream.normals(size).map(|value| value as f32)).collect()
    }

    /// Of forces, by their root mean square.
    fn error(size: f64) -> (f64, f64) {
        let points = cloud(1500, size);
        let ((total, forces), (grid_total, grid_forces)) = (exact(&points), on_grid(&mut None, &points));
        let square = |force: &[f32; 2]| f64::from(force[0]).powi(2) + f64::from(force[1]).powi(2);
        let size: f64 = forces.iter().map(square).sum();
        let off: f64 = forces.iter().zip(&grid_forces).map(|(a, b)| square(&[a[0] - b[0], a[1] - b[1]])).sum();
        ((grid_total / total - 1.0).abs(), (off / size).sqrt())
    }

    #[test]
    fn the_grid_gives_what_every_pair_gives() {
        for size in [1e-4, 0.01, 1.0, 5.0, 20.0, 60.0] {
            let (total, force) = error(size);
            assert!(total < 1e-2 && force < 2e-2, "{size}: total {total:e}, forces {force:e}");
        }
    }

    #[test]
    fn every_pair_is_what_it_is_defined_as() {
        let points = cloud(50, 3.0);
        let (total, forces) = exact(&points);
        let weight = |a: &[f32; 2], b: &[f32; 2]| 1.0 / (1.0 + f64::from(a[0] - b[0]).powi(2) + f64::from(a[1] - b[1]).powi(2));
        let expected: f64 = points.iter().flat_map(|a| points.iter().map(move |b| weight(a, b))).sum::<f64>() - 50.0;
        assert!((total / expected - 1.0).abs() < 1e-6);
        let force: f64 = points.iter().map(|b| weight(&points[7], b).powi(2) * f64::from(points[7][0] - b[0])).sum();
        assert!((f64::from(forces[7][0]) - force).abs() < 1e-5);
    }
}
