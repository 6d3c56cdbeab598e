//! The layout: neighbours attract each other in proportion to the graph's weights, and at each attraction five random others repel
//! (umap-learn's `optimize_layout_euclidean`). A step moves one point alone, from the positions before its batch, so threads share the points
//! of a batch; random numbers are functions of (seed, epoch, point, entry). Points move in batches, whose order is drawn once: if all moved
//! at once, they would jump past each other.

use super::curve::LowDimensionalCurve;
use crate::{
    numeric::{
        PhiloxStream, Purpose,
        lanes::{self, LANES, Lanes},
        multiversion::multiversion,
        random::mixed,
        sum,
    },
    projection::graph::Graph,
};
use rayon::prelude::*;

/// Random others a meeting.
const OTHERS: usize = 5;
/// Of these, at most so many in one pass.
const MOST: usize = 3;
/// How far steps go at first, where umap-learn begins with 1. There both ends of a pull move, here each point jumps from where the
/// others stand: steps an eighth as long keep the start's arrangement and the seeds' agreement (docs/projections.md).
const RATE: f64 = 0.125;
/// No single pull or push moves a point farther, along an axis.
const CLIP: f32 = 4.0;
/// Keeps pushes finite.
const NEAR: f32 = 0.001;
/// Batches of points in a pass, at most.
const MOST_BATCHES: usize = 16;
/// Points of a batch, at least.
const LEAST_BATCH: usize = 128;
/// Points moved in one piece.
const ROWS: usize = 32;

pub(super) struct Layout {
    graph: Graph,
    /// How often each entry of the graph meets: of 2³² epochs.
    rates: Vec<u64>,
    points: Vec<[f32; 2]>,
    /// Where each point stood before they were put in order.
    order: Vec<u32>,
    curve: LowDimensionalCurve,
    seed: u64,
}

impl Layout {
    pub(super) fn new(graph: &Graph, points: &[[f64; 2]], curve: LowDimensionalCurve, seed: u64) -> Self {
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        PhiloxStream::new(seed, Purpose::UmapOrder, 0).shuffle(&mut order);
        let graph = graph.reordered(&order);
        let most = graph.values().iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let rate = |value: &f32| (f64::from(*value) / f64::from(most) * 4_294_967_296.0) as u64;
        let rates = graph.values().iter().map(rate).collect();
        let points = order.iter().map(|old| points[*old as usize].map(|value| value as f32)).collect();
        Layout { graph, rates, points, order, curve, seed }
    }

    /// What a sequence of [`mixed`] starts from.
    fn drawn(&self, purpose: Purpose, index: usize) -> u64 {
        PhiloxStream::new(self.seed, purpose, index as u64).bits()
    }

    /// In the order that they came in.
    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        let mut out = vec![[0.0; 2]; self.points.len()];
        for (old, point) in self.order.iter().zip(&self.points) {
            out[*old as usize] = point.map(f64::from);
        }
        out
    }

    /// One epoch. An entry of the graph stands for both directions, which meet in the same epochs: each point is pulled twice, in
    /// two passes, so that the others have moved in between; and pushed by three others in the first, by two in the second.
    pub(super) fn step(&mut self, epoch: usize, epochs: usize) {
        let n = self.points.len();
        let batch = n.div_ceil(MOST_BATCHES).max(LEAST_BATCH);
        let rate = (RATE * (1.0 - epoch as f64 / epochs as f64)) as f32;
        for (pass, others) in [MOST, OTHERS - MOST].into_iter().enumerate() {
            let at = Pass { epoch: epoch as u64, bits: self.drawn(Purpose::UmapPushes, 2 * epoch + pass), others, rate };
            for first in (0..n).step_by(batch) {
                crate::numeric::pulse::beat();
                let last = n.min(first + batch);
                let mut moved = self.points[first..last].to_vec();
                moved.par_chunks_mut(ROWS).enumerate().for_each(|(block, moved)| go(self, at, first + block * ROWS, moved));
                self.points[first..last].copy_from_slice(&moved);
            }
        }
    }

    /// Whether an entry is applied in this epoch.
    #[inline(always)]
    fn meets(&self, entry: usize, epoch: u64) -> bool {
        let rate = self.rates[entry];
        (rate * epoch) >> 32 != (rate * (epoch + 1)) >> 32
    }

    /// The entries of a point that are applied in this epoch, collected without a branch, as it would be hard to predict.
    #[inline(always)]
    fn meetings(&self, point: usize, epoch: u64, into: &mut Vec<u32>) {
        let entries = self.graph.entries(point);
        into.resize(entries.len() + 1, 0);
        let mut count = 0;
        for entry in entries {
            into[count] = entry as u32;
            count += usize::from(self.meets(entry, epoch));
        }
        into.truncate(count);
    }

    /// What the layout makes small (Damrich and Hamprecht 2021), a unit of weight: −ln near for pulls, −ln(1 − near) for pushes, these
    /// estimated from three others a point.
    pub(super) fn loss(&self) -> f64 {
        let n = self.points.len();
        let LowDimensionalCurve { a, b } = self.curve;
        let near = |i: usize, j: usize| {
            let (dx, dy) = (self.points[i][0] - self.points[j][0], self.points[i][1] - self.points[j][1]);
            let square = f64::from(dx * dx + dy * dy) + f64::from(NEAR);
            1.0 / (1.0 + a * libm::exp(b * libm::log(square)))
        };
        let bits = self.drawn(Purpose::UmapObjective, 0);
        let loss_and_degree = |i: usize| {
            let (columns, values) = self.graph.row(i);
            let pulls: f64 = columns.iter().zip(values).map(|(j, w)| -f64::from(*w) * libm::log(near(i, *j as usize))).sum();
            let degree: f64 = values.iter().map(|w| f64::from(*w)).sum();
            let others = others(bits, i as u64, i, n);
            let pushes = others.iter().map(|j| -libm::log(1.0 - near(i, *j as usize))).sum::<f64>() / MOST as f64;
            (pulls + OTHERS as f64 * degree * pushes, degree)
        };
        let (losses, degrees): (Vec<f64>, Vec<f64>) = (0..n).into_par_iter().map(loss_and_degree).unzip();
        sum::sum(&losses) / sum::sum(&degrees).max(f64::MIN_POSITIVE)
    }
}

#[derive(Clone, Copy)]
struct Pass {
    epoch: u64,
    /// What is drawn in it.
    bits: u64,
    /// How many others push.
    others: usize,
    /// How far steps go: from `RATE` to 0.
    rate: f32,
}

/// The random others that a point meets at one meeting: all but itself are as likely.
#[inline(always)]
fn others(bits: u64, meeting: u64, point: usize, count: usize) -> [u32; MOST] {
    let drawn = [0, 1].map(|k| mixed(bits, meeting * 2 + k));
    let mut others = [0; MOST];
    for (k, other) in others.iter_mut().enumerate() {
        let half = drawn[k / 2] >> (32 * (k % 2)) & 0xFFFF_FFFF;
        let place = (half * (count as u64 - 1)) >> 32;
        *other = (place + u64::from(place >= point as u64)) as u32;
    }
    others
}

multiversion! { fn go(layout: &Layout, at: Pass, first: usize, moved: &mut [[f32; 2]]) = lanes go_kernel }

/// Points of one register: the one who pulls and those who push are four lanes.
const ABREAST: usize = LANES / 4;
/// Points that are moved at once: a step of a point waits for the point's last step, not for other points.
const TOGETHER: usize = 4 * ABREAST;

/// Meetings of a point one after the other, each from where the last left it.
#[inline(always)]
fn go_kernel<L: Lanes>(layout: &Layout, at: Pass, first: usize, moved: &mut [[f32; 2]]) {
    let (a, b) = (layout.curve.a as f32, layout.curve.b as f32);
    let (one, clip, under) = (L::splat(1.0), L::splat(CLIP), L::splat(-CLIP));
    let lanes_of = |pull: f32, push: f32| {
        let mut lanes = [0.0; LANES];
        for four in lanes.as_chunks_mut::<4>().0 {
            four[0] = pull;
            four[1..=at.others].fill(push);
        }
        L::load(&lanes)
    };
    let (pull, push, softened) = (lanes_of(-2.0 * a * b, 0.0), lanes_of(0.0, 2.0 * b), lanes_of(0.0, NEAR));
    let mut meetings: [Vec<u32>; TOGETHER] = Default::default();
    for (group, moved) in moved.chunks_mut(TOGETHER).enumerate() {
        let first = first + group * TOGETHER;
        meetings.iter_mut().for_each(Vec::clear);
        for (k, meetings) in meetings.iter_mut().enumerate().take(moved.len()) {
            layout.meetings(first + k, at.epoch, meetings);
        }
        let (mut xs, mut ys) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        for (k, [x, y]) in moved.iter().enumerate() {
            (xs[k], ys[k]) = (*x, *y);
        }
        let most = meetings.iter().map(Vec::len).max().unwrap_or(0);
        for step in 0..most {
            let mut places = [[0; LANES]; TOGETHER / ABREAST];
            let mut rates = [0.0; TOGETHER];
            for (k, meetings) in meetings.iter().enumerate() {
                // A point without entries left stays.
                let Some(entry) = meetings.get(step) else { continue };
                rates[k] = at.rate;
                let places = &mut places[k / ABREAST][k % ABREAST * 4..][..4];
                places[0] = layout.graph.columns()[*entry as usize];
                places[1..].copy_from_slice(&others(at.bits, u64::from(*entry), first + k, layout.points.len()));
            }
            let (xs, ys) = (xs.as_chunks_mut::<ABREAST>().0, ys.as_chunks_mut::<ABREAST>().0);
            for ((places, rates), (xs, ys)) in places.iter().zip(rates.as_chunks::<ABREAST>().0).zip(xs.iter_mut().zip(ys)) {
                let [other_xs, other_ys] = L::gather(&layout.points, places);
                let (dx, dy) = (L::broadcast4(*xs).sub(other_xs), L::broadcast4(*ys).sub(other_ys));
                let square = dx.fused(dx, dy.mul(dy)).max(L::splat(1e-30));
                let power = lanes::exp(lanes::ln(square).mul(L::splat(b)));
                let below = power.fused(L::splat(a), one);
                // −2ab d²⁽ᵇ⁻¹⁾ / (1 + a d²ᵇ), and 2b / ((ε + d²) (1 + a d²ᵇ)): one of the two is 0.
                let above = pull.fused(power, push);
                let strength = above.div(square.add(softened).mul(below));
                let step = |d: L| strength.mul(d).max(under).min(clip).sum4();
                let (steps_x, steps_y) = (step(dx), step(dy));
                for k in 0..ABREAST {
                    xs[k] = rates[k].mul_add(steps_x[k], xs[k]);
                    ys[k] = rates[k].mul_add(steps_y[k], ys[k]);
                }
            }
        }
        for (k, point) in moved.iter_mut().enumerate() {
            *point = [xs[k], ys[k]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::umap::{epochs, ring};

    #[test]
    fn entries_meet_as_often_as_they_are_sure() {
        let graph = ring(40);
        let layout = Layout::new(&graph, &[[0.0; 2]; 40], LowDimensionalCurve::fitted(0.1), 1);
        let most = graph.values().iter().copied().fold(0.0, f32::max);
        for (entry, value) in layout.graph.values().iter().enumerate() {
            let met = (0..500).filter(|epoch| layout.meets(entry, *epoch)).count();
            assert!((met as f64 - 500.0 * f64::from(value / most)).abs() <= 1.0, "{met} {value}");
        }
    }

    #[test]
    fn neighbours_come_together_and_the_loss_falls() {
        let graph = ring(300);
        let mut stream = PhiloxStream::for_test(1, 1);
        let points: Vec<[f64; 2]> = (0..300).map(|_| [10.0 * stream.uniform(), 10.0 * stream.uniform()]).collect();
        let mut layout = Layout::new(&graph, &points, LowDimensionalCurve::fitted(0.1), 1);
        let before = layout.loss();
        (0..epochs(300)).for_each(|epoch| layout.step(epoch, epochs(300)));
        assert!(layout.loss() < 0.6 * before, "{before} {}", layout.loss());
    }
}
