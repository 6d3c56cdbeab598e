//! The layout: near images pull each other as often as the graph is sure of them, five random others push at each meeting
//! (umap-learn's `optimize_layout_euclidean`). Every point moves itself alone, from what stands there; so threads share the points of
//! one turn, and what they draw is a function of (seed, epoch, point, meeting). Points take turns in batches, drawn once, for
//! if all moved at once, they would jump past each other.

use super::curve::Curve;
use crate::{
    numeric::{
        Stream,
        fused::fused,
        lanes::{self, LANES, Lanes},
        random::mixed,
        sum,
    },
    projection::graph::Graph,
};
use rayon::prelude::*;

/// Random others a meeting.
const OTHERS: usize = 5;
/// No single pull or push moves a point farther, along an axis.
const CLIP: f32 = 4.0;
/// Keeps pushes finite.
const NEAR: f32 = 0.001;
/// Turns an epoch, at most; and points that a turn has at least.
const TURNS: usize = 16;
const LEAST: usize = 128;
/// Points moved in one piece.
const ROWS: usize = 32;
const ORDER: u64 = 2 << 40;

pub struct Layout {
    graph: Graph,
    /// How often each entry of the graph meets: of 2³² epochs.
    rates: Vec<u64>,
    /// The entries before each point's.
    starts: Vec<usize>,
    points: Vec<[f32; 2]>,
    /// Where each point stood before they were put in order.
    order: Vec<u32>,
    curve: Curve,
    seed: u64,
}

impl Layout {
    pub fn new(graph: &Graph, points: Vec<[f64; 2]>, curve: Curve, seed: u64) -> Self {
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        Stream::new(seed, ORDER).shuffle(&mut order);
        let graph = graph.reordered(&order, 0.0);
        let most = graph.values().iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let rate = |value: &f32| (f64::from(*value) / f64::from(most) * 4_294_967_296.0) as u64;
        let rates = graph.values().iter().map(rate).collect();
        let starts = (0..graph.points()).scan(0, |at, i| {
            let own = *at;
            *at += graph.row(i).0.len();
            Some(own)
        });
        let starts = starts.collect();
        let points = order.iter().map(|old| points[*old as usize].map(|value| value as f32)).collect();
        Layout { graph, rates, starts, points, order, curve, seed }
    }

    /// In the order that they came in.
    pub fn points(&self) -> Vec<[f64; 2]> {
        let mut out = vec![[0.0; 2]; self.points.len()];
        for (old, point) in self.order.iter().zip(&self.points) {
            out[*old as usize] = point.map(f64::from);
        }
        out
    }

    pub fn step(&mut self, epoch: usize, epochs: usize) {
        let n = self.points.len();
        let turn = n.div_ceil(TURNS).max(LEAST);
        let at = Epoch { epoch: epoch as u64, rate: (1.0 - epoch as f64 / epochs as f64) as f32 };
        for first in (0..n).step_by(turn) {
            let last = n.min(first + turn);
            let mut moved = self.points[first..last].to_vec();
            moved.par_chunks_mut(ROWS).enumerate().for_each(|(block, moved)| go(self, at, first + block * ROWS, moved));
            self.points[first..last].copy_from_slice(&moved);
        }
    }

    /// Has the entry its turn in this epoch?
    #[inline(always)]
    fn meets(&self, entry: usize, epoch: u64) -> bool {
        let rate = self.rates[entry];
        rate * epoch >> 32 != (rate * (epoch + 1)) >> 32
    }

    /// What the layout makes small (Damrich and Hamprecht 2021), a unit of weight: −ln near for pulls, −ln(1 − near) for pushes, these
    /// estimated from five others a point.
    pub fn loss(&self) -> f64 {
        let n = self.points.len();
        let Curve { a, b } = self.curve;
        let near = |i: usize, j: usize| {
            let (dx, dy) = (self.points[i][0] - self.points[j][0], self.points[i][1] - self.points[j][1]);
            let square = f64::from(dx * dx + dy * dy) + f64::from(NEAR);
            1.0 / (1.0 + a * libm::exp(b * libm::log(square)))
        };
        let of = |i: usize| {
            let (columns, values) = self.graph.row(i);
            let pulls: f64 =
                columns.iter().zip(values).map(|(j, w)| -f64::from(*w) * libm::log(near(i, *j as usize))).sum();
            let degree: f64 = values.iter().map(|w| f64::from(*w)).sum();
            let others = Others::new(self.seed, u64::MAX, i as u64, n);
            let pushes: f64 = (0..OTHERS).map(|k| others.get(k)).filter(|j| *j != i).map(|j| -libm::log(1.0 - near(i, j))).sum();
            (pulls + degree * pushes, degree)
        };
        let (losses, degrees): (Vec<f64>, Vec<f64>) = (0..n).into_par_iter().map(of).unzip();
        sum::sum(&losses) / sum::sum(&degrees).max(f64::MIN_POSITIVE)
    }
}

#[derive(Clone, Copy)]
struct Epoch {
    epoch: u64,
    /// How far steps go: from 1 to 0.
    rate: f32,
}

/// The random others of one meeting.
struct Others {
    bits: [u64; OTHERS.div_ceil(2)],
    count: u64,
}

impl Others {
    #[inline(always)]
    fn new(seed: u64, epoch: u64, entry: u64, count: usize) -> Self {
        let mut bits = [0; OTHERS.div_ceil(2)];
        for (k, bits) in bits.iter_mut().enumerate() {
            *bits = mixed(seed, epoch, entry * OTHERS.div_ceil(2) as u64 + k as u64);
        }
        Others { bits, count: count as u64 }
    }

    #[inline(always)]
    fn get(&self, k: usize) -> usize {
        let half = self.bits[k / 2] >> (32 * (k % 2)) & 0xFFFF_FFFF;
        (half * self.count >> 32) as usize
    }
}

fused! { fn go(layout: &Layout, at: Epoch, first: usize, moved: &mut [[f32; 2]]) = lanes go_kernel }

/// Meetings one after the other, each from where the last left the point. The lanes are the one who pulls and those who push.
#[inline(always)]
fn go_kernel<L: Lanes>(layout: &Layout, at: Epoch, first: usize, moved: &mut [[f32; 2]]) {
    let n = layout.points.len();
    let (a, b) = (layout.curve.a as f32, layout.curve.b as f32);
    let (one, clip, under) = (L::splat(1.0), L::splat(CLIP), L::splat(-CLIP));
    // An entry stands for both directions, which meet in the same epochs: each point is pulled twice.
    let mut pull = [0.0; LANES];
    pull[0] = -2.0 * a * b * 2.0;
    let pull = L::load(&pull);
    let mut push = [0.0; LANES];
    push[1..=OTHERS].fill(2.0 * b);
    let push = L::load(&push);
    let mut softened = [0.0; LANES];
    softened[1..=OTHERS].fill(NEAR);
    let softened = L::load(&softened);
    for (i, point) in (first..).zip(moved) {
        let (columns, _) = layout.graph.row(i);
        for (entry, j) in (layout.starts[i]..).zip(columns) {
            if !layout.meets(entry, at.epoch) {
                continue;
            }
            let [own_x, own_y] = *point;
            // Lanes that are not used, and points drawn as their own other, are where the point is: they do nothing.
            let (mut xs, mut ys) = ([own_x; LANES], [own_y; LANES]);
            [xs[0], ys[0]] = layout.points[*j as usize];
            let others = Others::new(layout.seed, at.epoch, entry as u64, n);
            for k in 0..OTHERS {
                let other = others.get(k);
                if other != i {
                    [xs[k + 1], ys[k + 1]] = layout.points[other];
                }
            }
            let (dx, dy) = (L::splat(own_x).sub(L::load(&xs)), L::splat(own_y).sub(L::load(&ys)));
            let square = dx.fused(dx, dy.mul(dy)).max(L::splat(1e-30));
            let power = lanes::exp(lanes::ln(square).mul(L::splat(b)));
            let below = power.fused(L::splat(a), one);
            // −2ab d²⁽ᵇ⁻¹⁾ / (1 + a d²ᵇ), and 2b / ((ε + d²) (1 + a d²ᵇ)).
            let pulled = pull.mul(power).div(square.mul(below));
            let pushed = push.div(square.add(softened).mul(below));
            let strength = pulled.add(pushed);
            let step = |d: L| strength.mul(d).max(under).min(clip).sum();
            let (step_x, step_y) = (step(dx), step(dy));
            *point = [at.rate.mul_add(step_x, own_x), at.rate.mul_add(step_y, own_y)];
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
        let layout = Layout::new(&graph, vec![[0.0; 2]; 40], Curve::fitted(0.1), 1);
        let most = graph.values().iter().copied().fold(0.0, f32::max);
        for (entry, value) in layout.graph.values().iter().enumerate() {
            let met = (0..500).filter(|epoch| layout.meets(entry, *epoch)).count();
            assert!((met as f64 - 500.0 * f64::from(value / most)).abs() <= 1.0, "{met} {value}");
        }
    }

    #[test]
    fn neighbours_come_together_and_the_loss_falls() {
        let graph = ring(300);
        let mut stream = Stream::new(1, 1);
        let points = (0..300).map(|_| [10.0 * stream.uniform(), 10.0 * stream.uniform()]).collect();
        let mut layout = Layout::new(&graph, points, Curve::fitted(0.1), 1);
        let before = layout.loss();
        (0..epochs(300)).for_each(|epoch| layout.step(epoch, epochs(300)));
        assert!(layout.loss() < 0.6 * before, "{before} {}", layout.loss());
    }
}
