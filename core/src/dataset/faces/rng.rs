//! Draws from a stream, in the words a drawing needs.

use crate::numeric::{PhiloxStream, Purpose};

pub(crate) struct FaceRng(PhiloxStream);

impl FaceRng {
    pub(crate) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        FaceRng(PhiloxStream::new(seed, purpose, index))
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.uniform() < probability
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.uniform() as f32
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    pub(super) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Which of these weighted things; the weights sum to 1 or less, and what is left is `None`.
    pub(super) fn weighted<T: Copy>(&mut self, among: &[(T, f64)]) -> Option<T> {
        let mut left = self.0.uniform();
        among.iter().find_map(|(thing, weight)| {
            left -= weight;
            (left < 0.0).then_some(*thing)
        })
    }

    /// Normal, held within two deviations.
    pub(super) fn near(&mut self, mean: f32, deviation: f32) -> f32 {
        let [unit, _] = self.0.normals(1.0);
        (mean + deviation * unit as f32).clamp(mean - 2.0 * deviation, mean + 2.0 * deviation)
    }
}
