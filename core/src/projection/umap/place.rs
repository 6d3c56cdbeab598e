//! Images that UMAP was not fitted to, placed as umap-learn's `transform` places them: at the mean of the nearest fitted ones, weighted by
//! how surely they are near, then pulled by these and pushed by drawn ones while the fitted ones stay. Each is placed by itself: the same
//! fitted ones push all that are placed, so an image's place does not depend on what is placed with it.

use super::{curve::LowDimensionalCurve, fuzzy};
use crate::{
    domain::{Result, result::Facts},
    numeric::{
        Matrix, PhiloxStream, Purpose,
        special::{exp, ln},
    },
    projection::{Placement, Projected, fitted::FittedRows, start},
};
use rayon::prelude::*;

/// Epochs for up to 10,000 fitted images, and for more.
const EPOCHS: [usize; 2] = [100, 30];
/// How far steps go at first.
const RATE: f64 = 0.25;
/// Drawn images a meeting.
const OTHERS: usize = 5;
/// No single pull or push moves farther, along an axis, for a rate of 1; what keeps pushes finite; and the least squared distance.
const CLIP: f64 = 4.0;
const NEAR: f64 = 0.001;
const TINY: f64 = 1e-30;

pub(super) struct FittedUmap {
    rows: FittedRows,
    points: Vec<[f64; 2]>,
    facts: Facts,
    neighbors: usize,
    curve: LowDimensionalCurve,
    seed: u64,
}

impl FittedUmap {
    pub(super) fn new(rows: FittedRows, projected: Projected, neighbors: usize, curve: LowDimensionalCurve, seed: u64) -> Self {
        let points = (0..projected.coordinates.rows()).map(|i| projected.coordinates.row(i));
        let points = points.map(|point| [f64::from(point[0]), f64::from(point[1])]).collect();
        FittedUmap { rows, points, facts: projected.facts, neighbors, curve, seed }
    }

    /// One image, from its nearest fitted ones; `pushing` has those of each meeting that there can be.
    fn placed(&self, nearest: &[(f64, u32)], epochs: usize, pushing: &[[u32; OTHERS]]) -> [f64; 2] {
        let distances: Vec<f64> = nearest.iter().map(|(square, _)| self.rows.distance(*square)).collect();
        let mut weights = vec![0.0f32; distances.len()];
        fuzzy::memberships(&distances, distances.iter().sum::<f64>() / distances.len() as f64, &mut weights);
        let pulls: Vec<(f64, [f64; 2])> =
            weights.iter().zip(nearest).map(|(weight, (_, j))| (f64::from(*weight), self.points[*j as usize])).collect();
        let total: f64 = pulls.iter().map(|(weight, _)| weight).sum();
        let mut point =
            pulls.iter().fold([0.0; 2], |[x, y], (weight, of)| [x + weight / total * of[0], y + weight / total * of[1]]);
        let LowDimensionalCurve { a, b } = self.curve;
        for epoch in 0..epochs {
            let rate = RATE * (1.0 - epoch as f64 / epochs as f64);
            for (place, (weight, of)) in pulls.iter().enumerate() {
                // As often as the weight says.
                if (weight * epoch as f64).floor() == (weight * (epoch + 1) as f64).floor() {
                    continue;
                }
                // −2ab d²⁽ᵇ⁻¹⁾ / (1 + a d²ᵇ)
                step(&mut point, *of, rate, |square| {
                    let power = exp(b * ln(square));
                    -2.0 * a * b * power / (square * (1.0 + a * power))
                });
                for other in pushing[epoch * pulls.len() + place] {
                    // 2b / ((ε + d²) (1 + a d²ᵇ))
                    step(&mut point, self.points[other as usize], rate, |square| {
                        2.0 * b / ((NEAR + square) * (1.0 + a * exp(b * ln(square))))
                    });
                }
            }
        }
        point
    }
}

/// Moves a point along its difference from another, so many times the difference.
fn step(point: &mut [f64; 2], from: [f64; 2], rate: f64, strength: impl Fn(f64) -> f64) {
    let apart = [point[0] - from[0], point[1] - from[1]];
    let strength = strength((apart[0] * apart[0] + apart[1] * apart[1]).max(TINY));
    for axis in 0..2 {
        point[axis] += rate * (strength * apart[axis]).clamp(-CLIP, CLIP);
    }
}

impl Placement for FittedUmap {
    fn place(&self, others: &Matrix) -> Result<Matrix> {
        let n = self.points.len();
        let epochs = EPOCHS[usize::from(n > 10_000)];
        let nearest = self.rows.nearest(others, self.neighbors)?;
        let meetings = self.neighbors.min(n);
        let of_epoch = |epoch: usize| {
            let mut stream = PhiloxStream::new(self.seed, Purpose::UmapPlacedPushes, epoch as u64);
            (0..meetings).map(|_| std::array::from_fn(|_| stream.below(n as u64) as u32)).collect::<Vec<_>>()
        };
        let pushing: Vec<[u32; OTHERS]> = (0..epochs).flat_map(of_epoch).collect();
        let points: Vec<[f64; 2]> = nearest.par_iter().map(|nearest| self.placed(nearest, epochs, &pushing)).collect();
        Ok(start::matrix(&points))
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        numeric::PhiloxStream,
        projection::{checks, current},
    };

    #[test]
    fn images_are_placed_where_their_group_is_and_as_if_alone() {
        let method = current("umap").with("neighbors", 10usize).with("min_dist", 0.1);
        checks::places_groups(&method, |stream| PhiloxStream::for_test(22, stream));
    }
}
