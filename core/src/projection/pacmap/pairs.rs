//! The pairs of PaCMAP: the nearest by scaled distance; the second nearest of six drawn images, again and again; and drawn images that are
//! none of the nearest. Draws are functions of (seed, image).

use super::PairCounts;
use crate::{
    numeric::{PhiloxStream, Purpose, lanes::LANES},
    projection::scaled::{ScaledFeatures, draw_others},
};
use rayon::prelude::*;

/// Of so many drawn images the second nearest is at a middle distance.
pub(super) const CANDIDATES: usize = 6;

/// All pairs, seen from both of their ends.
pub(super) struct Pairs {
    pub(super) near: PairRows,
    pub(super) middle: PairRows,
    pub(super) far: PairRows,
}

/// Of each point, those that it is paired with, sixteen by sixteen. Places that are left over hold the point itself, which exerts no force.
pub(super) struct PairRows {
    /// Where a point's sixteens begin, and after the last point.
    starts: Vec<usize>,
    others: Vec<[u32; LANES]>,
    /// How many of a point's places are pairs.
    counts: Vec<u32>,
}

impl Pairs {
    pub(super) fn new(features: &ScaledFeatures, counts: PairCounts, seed: u64) -> Self {
        let n = features.images();
        let mut near = vec![0u32; n * counts.near];
        near.par_chunks_mut(counts.near).enumerate().for_each(|(i, row)| {
            row.iter_mut().zip(features.nearest(i)).for_each(|(out, (_, j))| *out = j);
        });
        let mut middle = vec![0u32; n * counts.middle];
        middle.par_chunks_mut(counts.middle.max(1)).enumerate().for_each(|(i, row)| {
            let mut stream = PhiloxStream::new(seed, Purpose::PacmapMiddle, i as u64);
            for place in 0..row.len() {
                row[place] = second_nearest(features, i, &row[..place], |n| stream.below(n));
            }
        });
        let mut far = vec![0u32; n * counts.far];
        far.par_chunks_mut(counts.far.max(1)).zip(near.par_chunks(counts.near)).enumerate().for_each(|(i, (row, near))| {
            let mut stream = PhiloxStream::new(seed, Purpose::PacmapFar, i as u64);
            let mut taken = near.to_vec();
            taken.push(i as u32);
            let first = taken.len();
            draw_others(n, row.len(), &mut taken, |n| stream.below(n));
            row.copy_from_slice(&taken[first..]);
        });
        let rows = |pairs: &[u32], width: usize| PairRows::new(n, pairs, width);
        Pairs { near: rows(&near, counts.near), middle: rows(&middle, counts.middle), far: rows(&far, counts.far) }
    }
}

/// The second nearest of six drawn images, none of which is `own` or in `before`; of equals the one that was drawn first.
fn second_nearest(features: &ScaledFeatures, own: usize, before: &[u32], draw: impl FnMut(u64) -> u64) -> u32 {
    let mut taken = before.to_vec();
    taken.push(own as u32);
    let first = taken.len();
    draw_others(features.images(), CANDIDATES, &mut taken, draw);
    let drawn = &taken[first..];
    let mut order: [(f64, usize); CANDIDATES] = [(0.0, 0); CANDIDATES];
    features.squares(own, drawn, |place, square| order[place] = (square, place));
    order.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    drawn[order[1].1]
}

impl PairRows {
    /// `pairs` has `width` others of each point: they come first in a row, then the points that have it among theirs, in order.
    pub(super) fn new(n: usize, pairs: &[u32], width: usize) -> Self {
        let mut counts = vec![width as u32; n];
        pairs.iter().for_each(|j| counts[*j as usize] += 1);
        let mut starts = vec![0; n + 1];
        for i in 0..n {
            starts[i + 1] = starts[i] + (counts[i] as usize).div_ceil(LANES);
        }
        let mut others = vec![[0u32; LANES]; starts[n]];
        for i in 0..n {
            others[starts[i]..starts[i + 1]].fill([i as u32; LANES]);
        }
        let mut filled = vec![0u32; n];
        let mut push = |i: usize, other: u32| {
            let place = filled[i] as usize;
            others[starts[i] + place / LANES][place % LANES] = other;
            filled[i] += 1;
        };
        for (i, row) in pairs.chunks_exact(width.max(1)).enumerate() {
            row.iter().for_each(|j| push(i, *j));
        }
        for (i, row) in pairs.chunks_exact(width.max(1)).enumerate() {
            row.iter().for_each(|j| push(*j as usize, i as u32));
        }
        PairRows { starts, others, counts }
    }

    #[inline(always)]
    pub(super) fn of(&self, point: usize) -> &[[u32; LANES]] {
        &self.others[self.starts[point]..self.starts[point + 1]]
    }

    /// The same one by one, without the places that are left over.
    pub(super) fn others(&self, point: usize) -> &[u32] {
        &self.of(point).as_flattened()[..self.counts[point] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::ProjectionInput};

    #[test]
    fn a_pair_is_seen_from_both_ends() {
        let rows = PairRows::new(3, &[1, 2, 2, 0, 0, 1], 2);
        assert_eq!([0, 1, 2].map(|i| rows.others(i).to_vec()), [vec![1, 2, 1, 2], vec![2, 0, 0, 2], vec![0, 1, 0, 1]]);
        assert!(rows.of(1)[0][4..].iter().all(|own| *own == 1));
    }

    #[test]
    fn near_pairs_are_nearer_than_middle_ones_and_those_than_far_ones() {
        let n = 200;
        let features = Matrix::new(n, 1, (0..n).map(|i| i as f32).collect()).unwrap();
        let given = ProjectionInput::alone(&features, 5);
        let counts = PairCounts { near: 4, middle: 3, far: 8 };
        let scaled = ScaledFeatures::new(&given, 54, 3..6).unwrap();
        let pairs = Pairs::new(&scaled, counts, 5);
        let apart = |rows: &PairRows, width: usize| {
            let of = |i: usize| rows.others(i)[..width].iter().map(|j| (i as f64 - f64::from(*j)).abs()).sum::<f64>();
            (0..n).map(of).sum::<f64>() / (n * width) as f64
        };
        let (near, middle, far) = (apart(&pairs.near, 4), apart(&pairs.middle, 3), apart(&pairs.far, 8));
        assert!(near < 2.6 && near < 0.1 * middle && middle < 0.6 * far, "{near} {middle} {far}");
        for i in 0..n {
            let (near, far) = (&pairs.near.others(i)[..4], &pairs.far.others(i)[..8]);
            assert!(far.iter().all(|j| *j != i as u32 && !near.contains(j)));
            assert!((0..8).all(|a| (0..a).all(|b| far[a] != far[b])));
        }
    }
}
