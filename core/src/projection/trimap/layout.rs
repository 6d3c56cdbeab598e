//! The layout of TriMap. With dⱼ = 1 + |yᵢ − yⱼ|², a triplet (i, j, k) costs w dⱼ / (dⱼ + dₖ). A step has two passes over points, which
//! threads share: each image writes down what its triplets do to the others, then each point sums what was written about it.

use super::triplets::Triplets;
use crate::numeric::{
    lanes::{LANES, Lanes},
    multiversion::multiversion,
    sum,
};
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
    /// Of each triplet of an image, the place of its near one among what the image writes down.
    slots: Vec<u32>,
    points: Vec<[f32; 2]>,
    /// The points a step of momentum ahead: where the gradient is taken.
    ahead: Vec<[f32; 2]>,
    moves: Vec<[f32; 2]>,
    gains: Vec<[f32; 2]>,
    gradients: Vec<[f32; 2]>,
    /// What each image writes down: a force on each near one, then on each far one; at the very end no force.
    written: Vec<[f32; 2]>,
    about: About,
}

/// Where what was written about each point stands.
struct About {
    starts: Vec<usize>,
    places: Vec<[u32; LANES]>,
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
        let (n, counts) = (triplets.images(), triplets.counts);
        let inlying = counts.inliers * counts.outliers;
        let slot = |place: usize| if place < inlying { place / counts.outliers } else { counts.inliers + place - inlying };
        let slots: Vec<u32> = (0..counts.triplets()).map(|place| slot(place) as u32).collect();
        let about = About::new(triplets, &slots);
        let points: Vec<[f32; 2]> = start.iter().map(|point| point.map(|value| value as f32)).collect();
        Layout {
            triplets,
            ahead: points.clone(),
            moves: vec![[0.0; 2]; n],
            gains: vec![[1.0; 2]; n],
            gradients: vec![[0.0; 2]; n],
            written: vec![[0.0; 2]; n * written_by_image(triplets) + 1],
            points,
            slots,
            about,
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
        let (triplets, slots, ahead) = (self.triplets, &self.slots, &self.ahead);
        let of_image = written_by_image(triplets);
        let end = self.written.len() - 1;
        let written = self.written[..end].par_chunks_mut(ROWS * of_image);
        written.zip(self.gradients.par_chunks_mut(ROWS)).enumerate().for_each(|(block, (written, gradients))| {
            write(triplets, slots, ahead, block * ROWS, written, gradients);
        });
        let (about, written) = (&self.about, &self.written);
        let blocks = self.gradients.par_chunks_mut(ROWS).enumerate();
        blocks.for_each(|(block, gradients)| read(about, written, block * ROWS, gradients));
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

/// Forces that one image writes down.
fn written_by_image(triplets: &Triplets) -> usize {
    triplets.counts.inliers + triplets.counts.random + triplets.counts.triplets()
}

impl About {
    fn new(triplets: &Triplets, slots: &[u32]) -> Self {
        let (n, of_image) = (triplets.images(), written_by_image(triplets));
        let first_far = of_image - triplets.counts.triplets();
        // Calls back with a place and whom it is about, place by place.
        let for_each = |mut found: Box<dyn FnMut(usize, u32) + '_>| {
            for i in 0..n {
                let mut last = None;
                for ((near, ..), slot) in triplets.each(i).zip(slots) {
                    if last != Some(*slot) {
                        found(i * of_image + *slot as usize, near);
                    }
                    last = Some(*slot);
                }
                for (place, (_, far, _)) in triplets.each(i).enumerate() {
                    found(i * of_image + first_far + place, far);
                }
            }
        };
        let mut counts = vec![0usize; n];
        for_each(Box::new(|_, about| counts[about as usize] += 1));
        let mut starts = vec![0; n + 1];
        for i in 0..n {
            starts[i + 1] = starts[i] + counts[i].div_ceil(LANES);
        }
        // Beyond all that is written: no force.
        let mut places = vec![[u32::MAX; LANES]; starts[n]];
        counts.fill(0);
        for_each(Box::new(|place, about| {
            let about = about as usize;
            places[starts[about] + counts[about] / LANES][counts[about] % LANES] = place as u32;
            counts[about] += 1;
        }));
        About { starts, places }
    }
}

multiversion! {
    /// What the triplets of the images from the `first` on do to others, and to the images themselves.
    fn write(triplets: &Triplets, slots: &[u32], points: &[[f32; 2]], first: usize, written: &mut [[f32; 2]], own: &mut [[f32; 2]]) =
        lanes write_kernel
}

#[inline(always)]
fn write_kernel<L: Lanes>(
    triplets: &Triplets,
    slots: &[u32],
    points: &[[f32; 2]],
    first: usize,
    written: &mut [[f32; 2]],
    own: &mut [[f32; 2]],
) {
    let one = L::splat(1.0);
    let of_image = written_by_image(triplets);
    for ((i, own), written) in (first..).zip(own).zip(written.chunks_exact_mut(of_image)) {
        let [x, y] = points[i].map(L::splat);
        let (near_forces, far_forces) = written.split_at_mut(of_image - slots.len());
        near_forces.fill([0.0; 2]);
        let (mut along_x, mut along_y) = (L::splat(0.0), L::splat(0.0));
        let parts = slots.chunks(LANES).zip(far_forces.chunks_mut(LANES));
        for (of, (slots, far_forces)) in triplets.of(i).iter().zip(parts) {
            let ([near_x, near_y], [far_x, far_y]) = (L::gather(points, &of.near), L::gather(points, &of.far));
            let (near_x, near_y, far_x, far_y) = (x.sub(near_x), y.sub(near_y), x.sub(far_x), y.sub(far_y));
            let near = near_x.fused(near_x, near_y.fused(near_y, one));
            let far = far_x.fused(far_x, far_y.fused(far_y, one));
            let both = near.add(far);
            // First one, then the other: the square of far points is beyond single precision.
            let weight = L::load(&of.weights).div(both);
            let (pull, push) = (weight.mul(far.div(both)), weight.mul(near.div(both)));
            let (pull_x, pull_y) = (pull.mul(near_x), pull.mul(near_y));
            let (push_x, push_y) = (push.mul(far_x), push.mul(far_y));
            along_x = along_x.add(pull_x.sub(push_x));
            along_y = along_y.add(pull_y.sub(push_y));
            let mut stored = [[0.0; LANES]; 4];
            for (lanes, stored) in [pull_x, pull_y, push_x, push_y].into_iter().zip(&mut stored) {
                lanes.store(stored);
            }
            for (lane, (slot, far_force)) in slots.iter().zip(far_forces).enumerate() {
                let near_force = &mut near_forces[*slot as usize];
                near_force[0] -= stored[0][lane];
                near_force[1] -= stored[1][lane];
                *far_force = [stored[2][lane], stored[3][lane]];
            }
        }
        *own = [along_x.sum(), along_y.sum()];
    }
}

multiversion! {
    /// Adds what was written about the points from the `first` on.
    fn read(about: &About, written: &[[f32; 2]], first: usize, gradients: &mut [[f32; 2]]) = lanes read_kernel
}

#[inline(always)]
fn read_kernel<L: Lanes>(about: &About, written: &[[f32; 2]], first: usize, gradients: &mut [[f32; 2]]) {
    for (i, gradient) in (first..).zip(gradients) {
        let (mut along_x, mut along_y) = (L::splat(0.0), L::splat(0.0));
        for places in &about.places[about.starts[i]..about.starts[i + 1]] {
            let [x, y] = L::gather(written, places);
            along_x = along_x.add(x);
            along_y = along_y.add(y);
        }
        *gradient = [gradient[0] + along_x.sum(), gradient[1] + along_y.sum()];
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
