//! The triplets of TriMap, and their weights. Draws are functions of (seed, image).

use super::TripletCounts;
use crate::{
    numeric::{
        PhiloxStream, Purpose,
        lanes::LANES,
        special::{exp, ln},
    },
    projection::scaled::{ScaledFeatures, draw_others},
};
use rayon::prelude::*;

/// What triplets that are drawn at random weigh beside the others.
const RANDOM_WEIGHT: f64 = 0.1;

/// Sixteen triplets of one image; places that are left over hold the image itself with weight 0.
#[derive(Clone, Copy)]
pub(super) struct SixteenTriplets {
    pub(super) near: [u32; LANES],
    pub(super) far: [u32; LANES],
    pub(super) weights: [f32; LANES],
}

/// All triplets, image by image.
pub(super) struct Triplets {
    pub(super) counts: TripletCounts,
    sixteens: Vec<SixteenTriplets>,
}

impl Triplets {
    pub(super) fn new(features: &ScaledFeatures, counts: TripletCounts, temperature: f64, seed: u64) -> Self {
        let width = counts.triplets().div_ceil(LANES);
        let none = SixteenTriplets { near: [0; LANES], far: [0; LANES], weights: [0.0; LANES] };
        let mut sixteens = vec![none; features.images() * width];
        sixteens.par_chunks_mut(width).enumerate().for_each(|(i, row)| {
            row.fill(SixteenTriplets { near: [i as u32; LANES], far: [i as u32; LANES], weights: [0.0; LANES] });
            for (place, (near, far, weight)) in of_image(features, counts, seed, i).into_iter().enumerate() {
                let (sixteen, lane) = (&mut row[place / LANES], place % LANES);
                (sixteen.near[lane], sixteen.far[lane], sixteen.weights[lane]) = (near, far, weight as f32);
            }
        });
        let mut triplets = Triplets { counts, sixteens };
        let least = triplets.weights().fold(f32::INFINITY, |least, weight| least.min(*weight));
        triplets.weights().for_each(|weight| *weight = tempered(f64::from(*weight) - f64::from(least), temperature) as f32);
        triplets
    }

    /// Without the places that are left over.
    fn weights(&mut self) -> impl Iterator<Item = &mut f32> {
        let (width, count) = (self.width(), self.counts.triplets());
        self.sixteens.chunks_exact_mut(width).flat_map(move |row| row.iter_mut().flat_map(|of| &mut of.weights).take(count))
    }

    /// Sixteens an image.
    fn width(&self) -> usize {
        self.counts.triplets().div_ceil(LANES)
    }

    #[inline(always)]
    pub(super) fn of(&self, image: usize) -> &[SixteenTriplets] {
        let width = self.width();
        &self.sixteens[image * width..(image + 1) * width]
    }

    pub(super) fn images(&self) -> usize {
        self.sixteens.len() / self.width()
    }

    /// The same one by one: near, far, weight.
    pub(super) fn each(&self, image: usize) -> impl Iterator<Item = (u32, u32, f32)> {
        let lanes = |of: &SixteenTriplets| {
            let SixteenTriplets { near, far, weights } = *of;
            (0..LANES).map(move |lane| (near[lane], far[lane], weights[lane]))
        };
        self.of(image).iter().flat_map(lanes).take(self.counts.triplets())
    }
}

/// Near, far, and how much greater the scaled squared distance to the far one is.
fn of_image(features: &ScaledFeatures, counts: TripletCounts, seed: u64, i: usize) -> Vec<(u32, u32, f64)> {
    let n = features.images();
    let mut stream = PhiloxStream::new(seed, Purpose::TrimapTriplets, i as u64);
    let nearest = features.nearest(i);
    let mut triplets = Vec::with_capacity(counts.triplets());
    let mut nearer = vec![i as u32];
    for (scaled, near) in &nearest[..counts.inliers] {
        nearer.push(*near);
        let mut taken = nearer.clone();
        draw_others(n, counts.outliers, &mut taken, |n| stream.below(n));
        let far = &taken[nearer.len()..];
        features.squares(i, far, |place, square| {
            triplets.push((*near, far[place], features.scaled(square, i, far[place] as usize) - scaled));
        });
    }
    for _ in 0..counts.random {
        let mut taken = vec![i as u32];
        draw_others(n, 2, &mut taken, |n| stream.below(n));
        let mut pair = [(0.0, 0); 2];
        features.squares(i, &taken[1..], |place, square| {
            let other = taken[1 + place];
            pair[place] = (features.scaled(square, i, other as usize), other);
        });
        let [one, other] = pair;
        let (near, far) = if one.0 <= other.0 { (one, other) } else { (other, one) };
        triplets.push((near.1, far.1, RANDOM_WEIGHT * (far.0 - near.0)));
    }
    triplets
}

/// The tempered logarithm of 1 + x: ((1 + x)^(1 − t) − 1) / (1 − t), ln(1 + x) at t = 1.
fn tempered(x: f64, temperature: f64) -> f64 {
    let (logarithm, rest) = (ln(1.0 + x), 1.0 - temperature);
    if rest.abs() < 1e-5 { logarithm } else { (exp(rest * logarithm) - 1.0) / rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::ProjectionInput};

    #[test]
    fn the_tempered_logarithm_is_a_power_and_at_one_the_logarithm() {
        assert!((tempered(8.0, 0.5) - 4.0).abs() < 1e-12);
        assert!((tempered(8.0, 0.0) - 8.0).abs() < 1e-12);
        assert!((tempered(8.0, 1.0) - 9.0f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_near_one_is_nearer_than_a_far_one_and_the_least_weight_is_zero() {
        let n = 120;
        let features = Matrix::new(n, 1, (0..n).map(|i| i as f32).collect()).unwrap();
        let scaled = ScaledFeatures::new(&ProjectionInput::alone(&features, 5), 52, 2..5).unwrap();
        let mut triplets = Triplets::new(&scaled, TripletCounts { inliers: 3, outliers: 2, random: 2 }, 0.5, 5);
        let least = triplets.weights().fold(f32::INFINITY, |least, weight| least.min(*weight));
        assert_eq!((triplets.images(), least), (n, 0.0));
        for i in 10..n - 10 {
            let apart = |j: u32| (i as i64 - i64::from(j)).abs();
            let of: Vec<_> = triplets.each(i).collect();
            assert_eq!(of.len(), 8);
            assert!(of[..6].iter().all(|(near, far, _)| apart(*near) <= 2 && apart(*near) <= apart(*far) && *far != i as u32));
            assert!(of[6..].iter().all(|(near, far, _)| *near != i as u32 && near != far));
        }
    }
}
