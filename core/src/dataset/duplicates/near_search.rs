//! Pictures that look like a given one, as it is or mirrored, among many.

use super::{
    hamming_index::{HammingIndex, Radius},
    picture_hash::{FINE_RADIUS, PictureHash, RADII},
};
use rayon::prelude::*;

/// Pictures by their hashes, and an index of them.
pub(super) struct NearSearch {
    hashes: Vec<PictureHash>,
    index: HammingIndex,
}

/// A picture and its mirror image.
fn both_ways(hash: PictureHash) -> [(PictureHash, bool); 2] {
    [(hash, false), (hash.mirrored(), true)]
}

impl NearSearch {
    pub(super) fn of(hashes: Vec<PictureHash>) -> Self {
        let coarse: Vec<u64> = hashes.iter().map(|hash| hash.coarse()).collect();
        NearSearch { hashes, index: HammingIndex::new(&coarse) }
    }

    pub(super) fn hashes(&self) -> &[PictureHash] {
        &self.hashes
    }

    /// How many hashes a search for all of these looks at.
    pub(super) fn cost(&self, queries: &[PictureHash], radius: &Radius) -> u64 {
        let of = |hash: &PictureHash| both_ways(*hash).map(|(way, _)| self.index.cost(way.coarse(), radius)).iter().sum::<u64>();
        queries.par_iter().map(of).sum()
    }

    /// The widest radius, with its bits, at which a search for all of these looks at no more than `most`; `None`: at none.
    pub(super) fn radius(&self, queries: &[PictureHash], most: u64) -> Option<(Radius, u32)> {
        // A search looks at no more than there are, four times each way: where that is little, nothing need be counted.
        let is_small = (self.hashes.len() as u64).saturating_mul(queries.len() as u64).saturating_mul(8) <= most;
        RADII.into_iter().map(|bits| (Radius::new(bits), bits)).find(|(radius, _)| is_small || self.cost(queries, radius) <= most)
    }

    /// Gives each picture that looks like one of this hash: its place, whether mirrored, and how many bits differ. One that does both
    /// ways is given twice.
    pub(super) fn near(&self, hash: PictureHash, radius: &Radius, mut give: impl FnMut(usize, bool, u32)) {
        for (way, mirrored) in both_ways(hash) {
            self.index.within(way.coarse(), radius, |place, _| {
                let distance = way.distance(self.hashes[place]);
                if distance <= FINE_RADIUS {
                    give(place, mirrored, distance);
                }
            });
        }
    }
}
