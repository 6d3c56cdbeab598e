//! Triplets by the image that they are about: those of others of which it is the near or the far one.

use super::triplets::Triplets;
use crate::numeric::lanes::LANES;

/// Sixteen mentions of one image; places that are left over have weight 0.
#[derive(Clone, Copy)]
pub(super) struct SixteenMentions {
    /// Whose triplet it is.
    pub(super) images: [u32; LANES],
    /// The triplet's third: its far one where the mentioned is the near one, else its near one.
    pub(super) thirds: [u32; LANES],
    /// The triplet's weight, below 0 where the mentioned is the far one.
    pub(super) weights: [f32; LANES],
}

pub(super) struct Mentions {
    /// Where the sixteens of each image start, and the end.
    starts: Vec<usize>,
    sixteens: Vec<SixteenMentions>,
}

impl Mentions {
    pub(super) fn new(triplets: &Triplets) -> Self {
        let n = triplets.images();
        let mut counts = vec![0usize; n];
        for (near, far, _) in (0..n).flat_map(|i| triplets.each(i)) {
            counts[near as usize] += 1;
            counts[far as usize] += 1;
        }
        let mut starts = vec![0; n + 1];
        for i in 0..n {
            starts[i + 1] = starts[i] + counts[i].div_ceil(LANES);
        }
        // Places that are left over hold the mentioned image itself: whatever is wrong with another one does not reach it.
        let own = |i: usize| SixteenMentions { images: [i as u32; LANES], thirds: [i as u32; LANES], weights: [0.0; LANES] };
        let mut sixteens: Vec<SixteenMentions> = (0..n).flat_map(|i| vec![own(i); starts[i + 1] - starts[i]]).collect();
        counts.fill(0);
        for i in 0..n {
            for (near, far, weight) in triplets.each(i) {
                for (mentioned, third, weight) in [(near, far, weight), (far, near, -weight)] {
                    let count = &mut counts[mentioned as usize];
                    let (sixteen, lane) = (&mut sixteens[starts[mentioned as usize] + *count / LANES], *count % LANES);
                    (sixteen.images[lane], sixteen.thirds[lane], sixteen.weights[lane]) = (i as u32, third, weight);
                    *count += 1;
                }
            }
        }
        Mentions { starts, sixteens }
    }

    #[inline(always)]
    pub(super) fn of(&self, image: usize) -> &[SixteenMentions] {
        &self.sixteens[self.starts[image]..self.starts[image + 1]]
    }
}
