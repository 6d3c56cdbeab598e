//! The layout of PaCMAP: all points move at once down the gradient, by Adam (Kingma and Ba 2015). With d = 1 + |yᵢ − yⱼ|², a near pair costs
//! d / (10 + d), a middle one d / (10,000 + d), a far one 1 / (1 + d), each times the weight of its kind in the phase. A point sums the
//! forces of all its pairs itself, so that threads share the points.

use super::pairs::{PairRows, Pairs};
use crate::numeric::{lanes::Lanes, multiversion::multiversion, sum};
use rayon::prelude::*;

/// Steps of the three phases.
const PHASES: [usize; 3] = [100, 100, 250];
pub(super) const STEPS: usize = PHASES[0] + PHASES[1] + PHASES[2];
/// The weight of middle pairs at first, and at the first phase's end.
const MIDDLE: [f64; 2] = [1000.0, 3.0];
/// What is added to the distance of a near, a middle and a far pair.
const SOFT: [f32; 3] = [10.0, 10_000.0, 1.0];
/// Adam's rate, its two rates of forgetting, and what keeps its quotient finite.
const RATE: f64 = 1.0;
const FORGETTING: [f64; 2] = [0.9, 0.999];
const TINY: f32 = 1e-7;
/// Points whose forces are summed, and points that are moved, in one piece.
const ROWS: usize = 64;
const MOVED: usize = 2048;

pub(super) struct Layout<'a> {
    pairs: &'a Pairs,
    points: Vec<[f32; 2]>,
    forces: Vec<[f32; 2]>,
    /// The running means of gradients and of their squares.
    means: Vec<[f32; 2]>,
    squares: Vec<[f32; 2]>,
    /// Powers of `FORGETTING`: what the running means still lack.
    lacking: [f64; 2],
}

/// Weights of near, middle and far pairs.
fn weights(step: usize) -> [f64; 3] {
    let [first, last] = MIDDLE;
    if step < PHASES[0] {
        let done = step as f64 / PHASES[0] as f64;
        [2.0, (1.0 - done) * first + done * last, 1.0]
    } else if step < PHASES[0] + PHASES[1] {
        [3.0, last, 1.0]
    } else {
        [1.0, 0.0, 1.0]
    }
}

/// What a force is, as a share of the difference of two points, for each kind: numerators, to be divided by (soft + d)².
fn strengths(weights: [f64; 3]) -> [f32; 3] {
    [2.0 * weights[0] * f64::from(SOFT[0]), 2.0 * weights[1] * f64::from(SOFT[1]), -2.0 * weights[2] * f64::from(SOFT[2])]
        .map(|strength| strength as f32)
}

impl<'a> Layout<'a> {
    pub(super) fn new(pairs: &'a Pairs, start: &[[f64; 2]]) -> Self {
        let points: Vec<[f32; 2]> = start.iter().map(|point| point.map(|value| value as f32)).collect();
        let zero = vec![[0.0; 2]; points.len()];
        Layout { pairs, points, forces: zero.clone(), means: zero.clone(), squares: zero, lacking: [1.0; 2] }
    }

    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        self.points.iter().map(|point| point.map(f64::from)).collect()
    }

    pub(super) fn step(&mut self, step: usize) {
        crate::numeric::pulse::beat();
        let Pairs { near, middle, far } = self.pairs;
        let strengths = strengths(weights(step));
        let points = &self.points;
        let blocks = self.forces.par_chunks_mut(ROWS).enumerate();
        blocks.for_each(|(block, forces)| pull([near, middle, far], strengths, points, block * ROWS, forces));

        for (lacking, forgetting) in self.lacking.iter_mut().zip(FORGETTING) {
            *lacking *= forgetting;
        }
        let rate = (RATE * (1.0 - self.lacking[1]).sqrt() / (1.0 - self.lacking[0])) as f32;
        let points = self.points.par_chunks_mut(MOVED).zip(self.forces.par_chunks(MOVED));
        points.zip(self.means.par_chunks_mut(MOVED).zip(self.squares.par_chunks_mut(MOVED))).for_each(
            |((points, forces), (means, squares))| {
                let flat = points.as_flattened_mut().iter_mut().zip(forces.as_flattened());
                let state = means.as_flattened_mut().iter_mut().zip(squares.as_flattened_mut());
                for ((value, gradient), (mean, square)) in flat.zip(state) {
                    *mean += (1.0 - FORGETTING[0] as f32) * (gradient - *mean);
                    *square += (1.0 - FORGETTING[1] as f32) * (gradient * gradient - *square);
                    *value -= rate * *mean / (square.sqrt() + TINY);
                }
            },
        );
    }

    /// The mean over images of what their pairs cost in the last phase.
    pub(super) fn loss(&self) -> f64 {
        let Pairs { near, middle, far } = self.pairs;
        let [of_near, of_middle, of_far] = weights(STEPS);
        let apart = |i: usize, j: u32| {
            let ([x, y], [other_x, other_y]) = (self.points[i].map(f64::from), self.points[j as usize].map(f64::from));
            1.0 + (x - other_x) * (x - other_x) + (y - other_y) * (y - other_y)
        };
        let [soft_near, soft_middle, soft_far] = SOFT.map(f64::from);
        let cost = |i: usize| {
            let over =
                |rows: &PairRows, cost: &dyn Fn(f64) -> f64| rows.others(i).iter().map(|j| cost(apart(i, *j))).sum::<f64>();
            let pulls = of_near * over(near, &|d| d / (soft_near + d)) + of_middle * over(middle, &|d| d / (soft_middle + d));
            pulls + of_far * over(far, &|d| soft_far / (soft_far + d))
        };
        // Each pair is met at both ends.
        0.5 * sum::mean(&(0..self.points.len()).into_par_iter().map(cost).collect::<Vec<_>>())
    }
}

multiversion! {
    /// Σ strength (yᵢ − yⱼ) / (soft + d)² of the points from the `first` on.
    fn pull(rows: [&PairRows; 3], strengths: [f32; 3], points: &[[f32; 2]], first: usize, forces: &mut [[f32; 2]]) = lanes pull_kernel
}

#[inline(always)]
fn pull_kernel<L: Lanes>(rows: [&PairRows; 3], strengths: [f32; 3], points: &[[f32; 2]], first: usize, forces: &mut [[f32; 2]]) {
    for (i, force) in (first..).zip(forces) {
        let [x, y] = points[i].map(L::splat);
        let (mut along_x, mut along_y) = (L::splat(0.0), L::splat(0.0));
        for kind in 0..3 {
            if strengths[kind] == 0.0 {
                continue;
            }
            let (strength, soft) = (L::splat(strengths[kind]), L::splat(SOFT[kind] + 1.0));
            for others in rows[kind].of(i) {
                let [xs, ys] = L::gather(points, others);
                let (dx, dy) = (x.sub(xs), y.sub(ys));
                let apart = dx.fused(dx, dy.fused(dy, soft));
                let force = strength.div(apart.mul(apart));
                along_x = force.fused(dx, along_x);
                along_y = force.fused(dy, along_y);
            }
        }
        *force = [along_x.sum(), along_y.sum()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    /// The gradient of the loss, by differences of the loss itself.
    #[test]
    fn forces_are_the_slope_of_the_loss() {
        let n = 60;
        let mut stream = PhiloxStream::for_test(2, 0);
        let mut rows = |width: usize| {
            let pairs: Vec<u32> =
                (0..n * width).map(|at| ((at / width + 1 + stream.below(n as u64 - 1) as usize) % n) as u32).collect();
            PairRows::new(n, &pairs, width)
        };
        let pairs = Pairs { near: rows(3), middle: rows(2), far: rows(7) };
        let start: Vec<[f64; 2]> = (0..n).map(|_| stream.normals(2.0)).collect();
        let mut layout = Layout::new(&pairs, &start);
        let strengths = strengths(weights(STEPS));
        pull([&pairs.near, &pairs.middle, &pairs.far], strengths, &layout.points.clone(), 0, &mut layout.forces);
        for (point, axis) in [(0, 0), (7, 1), (59, 0)] {
            let mut moved = |by: f32| {
                let kept = layout.points[point][axis];
                layout.points[point][axis] = kept + by;
                let (loss, at) = (layout.loss() * n as f64, f64::from(layout.points[point][axis]));
                layout.points[point][axis] = kept;
                (loss, at)
            };
            let ((above, right), (below, left)) = (moved(0.01), moved(-0.01));
            let slope = (above - below) / (right - left);
            assert!((slope - f64::from(layout.forces[point][axis])).abs() < 1e-4, "{slope} {}", layout.forces[point][axis]);
        }
    }

    #[test]
    fn phases_have_the_packages_weights() {
        assert_eq!(weights(0), [2.0, 1000.0, 1.0]);
        assert_eq!(weights(50), [2.0, 501.5, 1.0]);
        assert_eq!(weights(100), [3.0, 3.0, 1.0]);
        assert_eq!(weights(200), [1.0, 0.0, 1.0]);
        assert_eq!(strengths([1.0; 3]), [20.0, 20_000.0, -2.0]);
    }
}
