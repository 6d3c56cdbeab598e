//! The layout of TriMap. With dⱼ = 1 + |yᵢ − yⱼ|², a triplet (i, j, k) costs w dⱼ / (dⱼ + dₖ). A step takes the gradient of each point by itself,
//! from the image's own triplets, and from triplets of others in which it is the near one or the far one. So no thread writes what another
//! reads.

use super::{mentions::Mentions, triplets::Triplets};
use crate::numeric::{lanes::Lanes, multiversion::multiversion, sum};
use rayon::prelude::*;

pub(super) const STEPS: usize = 400;
/// The rate, and momentum at first and after `EARLY` steps.
const RATE: f32 = 0.1;
const MOMENTUM: [f32; 2] = [0.5, 0.8];
const EARLY: usize = 250;
/// Gains grow by this where a step turns around, and shrink to this share where it does not, not below the least.
const GROWTH: f32 = 0.2;
const SHRINKAGE: f32 = 0.8;
const LEAST_GAIN: f32 = 0.01;
/// Points in one piece.
const ROWS: usize = 64;
const MOVED: usize = 2048;

pub(super) struct Layout<'a> {
    triplets: &'a Triplets,
    mentions: Mentions,
    points: Vec<[f32; 2]>,
    /// The points a step of momentum ahead: where the gradient is taken.
    ahead: Vec<[f32; 2]>,
    moves: Vec<[f32; 2]>,
    gains: Vec<[f32; 2]>,
    gradients: Vec<[f32; 2]>,
}

/// Of a triplet.
pub(super) struct TripletLoss {
    /// The mean.
    pub(super) loss: f64,
    /// The share in which the near one is farther away than the far one.
    pub(super) violated: f64,
}

impl<'a> Layout<'a> {
    pub(super) fn new(triplets: &'a Triplets, start: &[[f64; 2]]) -> Self {
        let n = triplets.images();
        let points: Vec<[f32; 2]> = start.iter().map(|point| point.map(|value| value as f32)).collect();
        Layout {
            triplets,
            mentions: Mentions::new(triplets),
            ahead: points.clone(),
            moves: vec![[0.0; 2]; n],
            gains: vec![[1.0; 2]; n],
            gradients: vec![[0.0; 2]; n],
            points,
        }
    }

    pub(super) fn points(&self) -> Vec<[f64; 2]> {
        self.points.iter().map(|point| point.map(f64::from)).collect()
    }

    pub(super) fn step(&mut self, step: usize) {
        crate::numeric::pulse::beat();
        let momentum = MOMENTUM[usize::from(step > EARLY)];
        let each = self.ahead.par_chunks_mut(MOVED).zip(self.points.par_chunks(MOVED)).zip(self.moves.par_chunks(MOVED));
        each.for_each(|((ahead, points), moves)| {
            let known = points.as_flattened().iter().zip(moves.as_flattened());
            ahead.as_flattened_mut().iter_mut().zip(known).for_each(|(ahead, (point, step))| *ahead = point + momentum * step);
        });
        self.take_gradients();
        let each = self.points.par_chunks_mut(MOVED).zip(self.moves.par_chunks_mut(MOVED));
        each.zip(self.gains.par_chunks_mut(MOVED)).zip(self.gradients.par_chunks(MOVED)).for_each(
            |(((points, moves), gains), gradients)| {
                let moving = points.as_flattened_mut().iter_mut().zip(moves.as_flattened_mut());
                let how = gains.as_flattened_mut().iter_mut().zip(gradients.as_flattened());
                for ((point, step), (gain, gradient)) in moving.zip(how) {
                    *gain = if sign(*step) == sign(*gradient) { (*gain * SHRINKAGE).max(LEAST_GAIN) } else { *gain + GROWTH };
                    *step = momentum * *step - RATE * *gain * gradient;
                    *point += *step;
                }
            },
        );
    }

    /// Of the points ahead.
    fn take_gradients(&mut self) {
        let (triplets, mentions, ahead) = (self.triplets, &self.mentions, &self.ahead);
        let blocks = self.gradients.par_chunks_mut(ROWS).enumerate();
        blocks.for_each(|(block, gradients)| slope(triplets, mentions, ahead, block * ROWS, gradients));
    }

    pub(super) fn loss(&self) -> TripletLoss {
        let of_image = |i: usize| {
            let [x, y] = self.points[i].map(f64::from);
            let apart = |j: u32| {
                let [other_x, other_y] = self.points[j as usize].map(f64::from);
                1.0 + (x - other_x) * (x - other_x) + (y - other_y) * (y - other_y)
            };
            self.triplets.each(i).fold((0.0, 0.0), |(loss, violated), (near, far, weight)| {
                let (near, far) = (apart(near), apart(far));
                (loss + f64::from(weight) * near / (near + far), violated + f64::from(u8::from(near > far)))
            })
        };
        let (losses, violated): (Vec<f64>, Vec<f64>) = (0..self.points.len()).into_par_iter().map(of_image).unzip();
        let count = self.triplets.counts.triplets() as f64;
        TripletLoss { loss: sum::mean(&losses) / count, violated: sum::mean(&violated) / count }
    }
}

/// −1, 0 or 1.
#[inline(always)]
fn sign(value: f32) -> i8 {
    i8::from(value > 0.0) - i8::from(value < 0.0)
}

multiversion! {
    /// The gradient at the points from the `first` on.
    fn slope(triplets: &Triplets, mentions: &Mentions, points: &[[f32; 2]], first: usize, gradients: &mut [[f32; 2]]) =
        lanes slope_kernel
}

#[inline(always)]
fn slope_kernel<L: Lanes>(
    triplets: &Triplets,
    mentions: &Mentions,
    points: &[[f32; 2]],
    first: usize,
    gradients: &mut [[f32; 2]],
) {
    let one = L::splat(1.0);
    let distance = |x: L, y: L| x.fused(x, y.fused(y, one));
    for (i, gradient) in (first..).zip(gradients) {
        let [x, y] = points[i].map(L::splat);
        let (mut along_x, mut along_y) = (L::splat(0.0), L::splat(0.0));
        for of in triplets.of(i) {
            let ([near_x, near_y], [far_x, far_y]) = (L::gather(points, &of.near), L::gather(points, &of.far));
            let (near_x, near_y, far_x, far_y) = (x.sub(near_x), y.sub(near_y), x.sub(far_x), y.sub(far_y));
            let (near, far) = (distance(near_x, near_y), distance(far_x, far_y));
            // One factor after the other: the square of far points is beyond single precision.
            let inverse = one.div(near.add(far));
            let weight = L::load(&of.weights).mul(inverse);
            let (pull, push) = (weight.mul(far.mul(inverse)), weight.mul(near.mul(inverse)));
            along_x = along_x.add(pull.mul(near_x).sub(push.mul(far_x)));
            along_y = along_y.add(pull.mul(near_y).sub(push.mul(far_y)));
        }
        for of in mentions.of(i) {
            let ([image_x, image_y], [third_x, third_y]) = (L::gather(points, &of.images), L::gather(points, &of.thirds));
            let (apart_x, apart_y) = (x.sub(image_x), y.sub(image_y));
            let third = distance(image_x.sub(third_x), image_y.sub(third_y));
            let inverse = one.div(distance(apart_x, apart_y).add(third));
            let force = L::load(&of.weights).mul(inverse).mul(third.mul(inverse));
            along_x = force.fused(apart_x, along_x);
            along_y = force.fused(apart_y, along_y);
        }
        *gradient = [along_x.sum(), along_y.sum()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        numeric::{Matrix, PhiloxStream},
        projection::{ProjectionInput, scaled::ScaledFeatures, trimap::TripletCounts},
    };

    /// The gradient of the loss, by differences of the loss itself; the package leaves out its factor 2.
    #[test]
    fn gradients_are_the_slope_of_the_loss() {
        let n = 80;
        let mut stream = PhiloxStream::for_test(2, 0);
        let features = Matrix::new(n, 3, (0..n * 3).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let scaled = ScaledFeatures::new(&ProjectionInput::alone(&features, 5), 52, 2..5).unwrap();
        let counts = TripletCounts { inliers: 5, outliers: 3, random: 4 };
        let triplets = Triplets::new(&scaled, counts, 0.5, 5);
        let start: Vec<[f64; 2]> = (0..n).map(|_| stream.normals(2.0)).collect();
        let mut layout = Layout::new(&triplets, &start);
        layout.take_gradients();
        for (point, axis) in [(0, 0), (7, 1), (79, 0)] {
            let mut moved = |by: f32| {
                let kept = layout.points[point][axis];
                layout.points[point][axis] = kept + by;
                let loss = layout.loss().loss * (n * counts.triplets()) as f64;
                let at = f64::from(layout.points[point][axis]);
                layout.points[point][axis] = kept;
                (loss, at)
            };
            let ((above, right), (below, left)) = (moved(0.01), moved(-0.01));
            let (slope, gradient) = ((above - below) / (right - left) / 2.0, f64::from(layout.gradients[point][axis]));
            assert!((slope - gradient).abs() < 1e-3 * (1.0 + gradient.abs()), "{slope} {gradient}");
        }
    }
}
