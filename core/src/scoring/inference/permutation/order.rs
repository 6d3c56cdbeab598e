//! The order of every member's neighbours, which no permutation of labels changes.

use crate::{numeric::Matrix, scoring::estimators::nearest::squares_in_plane};
use std::ops::Range;

/// Members of two folds or more in a view of one or two columns.
pub(super) struct NeighborOrder {
    positions: Positions,
    /// Bits of a key that hold a member; the rest are its squared distance, truncated.
    member_bits: u32,
    /// Members of each fold, one fold after the other.
    folds: Vec<Range<usize>>,
}

enum Positions {
    Line {
        /// Position and member along the axis, ascending, between sentinels at −∞ and ∞.
        order: Vec<(f64, u32)>,
        /// By member, its index in `order`.
        rank: Vec<u32>,
    },
    Plane(Vec<[f64; 2]>),
}

/// A neighbour and its squared distance in one number, so that sorting sorts by distance, then by member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NeighborKey(u64);

impl NeighborOrder {
    /// `members`: rows of the points, one fold after the other.
    pub(super) fn new(points: &Matrix, members: &[usize], folds: Vec<Range<usize>>) -> Self {
        let at = |i: usize, column: usize| f64::from(points.row(i)[column]);
        let positions = if points.columns() == 1 {
            let mut order: Vec<(f64, u32)> = members.iter().zip(0..).map(|(&i, member)| (at(i, 0), member)).collect();
            order.push((f64::NEG_INFINITY, u32::MAX));
            order.push((f64::INFINITY, u32::MAX));
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut rank = vec![0; members.len()];
            let within = order.iter().zip(0..).skip(1).take(members.len());
            within.for_each(|((_, member), index)| rank[*member as usize] = index);
            Positions::Line { order, rank }
        } else {
            Positions::Plane(members.iter().map(|&i| [at(i, 0), at(i, 1)]).collect())
        };
        NeighborOrder { positions, member_bits: members.len().next_power_of_two().trailing_zeros(), folds }
    }

    fn key(&self, square: f64, member: usize) -> NeighborKey {
        NeighborKey(square.to_bits() >> self.member_bits << self.member_bits | member as u64)
    }

    /// The member of a key.
    pub(super) fn member(&self, key: NeighborKey) -> u32 {
        (key.0 & ((1 << self.member_bits) - 1)) as u32
    }

    /// The squared distance of a key, truncated.
    pub(super) fn square(&self, key: NeighborKey) -> f64 {
        f64::from_bits(key.0 >> self.member_bits << self.member_bits)
    }

    /// Replaces `keys` by a member's nearest of the other folds, nearest first, at most `most`.
    pub(super) fn nearest(&self, member: usize, most: usize, keys: &mut Vec<NeighborKey>) {
        keys.clear();
        let fold = self.folds.iter().find(|fold| fold.contains(&member)).cloned().unwrap_or(0..0);
        match &self.positions {
            Positions::Line { order, rank } => self.outwards(order, rank[member] as usize, &fold, most, keys),
            Positions::Plane(positions) => self.around(positions, member, &fold, most, keys),
        }
    }

    /// Outwards along the axis from the member at `index`; of two at one distance the lower first.
    fn outwards(&self, order: &[(f64, u32)], index: usize, fold: &Range<usize>, most: usize, keys: &mut Vec<NeighborKey>) {
        let at = order[index].0;
        let others = order.len() - 2 - fold.len();
        // One more than wanted, so that nothing branches on the fold that is met.
        keys.resize(most.min(others) + 1, NeighborKey(0));
        let (mut left, mut right, mut met) = (index - 1, index + 1, 0);
        while met + 1 < keys.len() {
            let (below, above) = (at - order[left].0, order[right].0 - at);
            let lower = below <= above;
            let (distance, next) = if lower { (below, left) } else { (above, right) };
            left -= usize::from(lower);
            right += usize::from(!lower);
            let neighbour = order[next].1 as usize;
            keys[met] = self.key(distance * distance, neighbour);
            met += usize::from(!fold.contains(&neighbour));
        }
        keys.truncate(met);
    }

    /// In the plane.
    fn around(&self, positions: &[[f64; 2]], member: usize, fold: &Range<usize>, most: usize, keys: &mut Vec<NeighborKey>) {
        let mut squares = vec![0.0; positions.len()];
        squares_in_plane(positions, positions[member], &mut squares);
        squares[fold.clone()].fill(f64::INFINITY);
        let others = positions.len() - fold.len();
        // Every eighth distance estimates how far the nearest go; where the estimate is too low, all are taken.
        let mut some: Vec<f64> = squares.iter().copied().step_by(8).collect();
        let far = most / 8 * 3 / 2 + 8;
        let bound = if far < some.len() { *some.select_nth_unstable_by(far, f64::total_cmp).1 } else { f64::MAX };
        // Members of the own fold are at infinity.
        for bound in [bound.min(f64::MAX), f64::MAX] {
            keys.resize(positions.len() + 1, NeighborKey(0));
            let mut met = 0;
            for (neighbour, square) in squares.iter().enumerate() {
                keys[met] = self.key(*square, neighbour);
                met += usize::from(*square <= bound);
            }
            keys.truncate(met);
            if met >= most.min(others) {
                break;
            }
        }
        if keys.len() > most {
            keys.select_nth_unstable(most);
            keys.truncate(most);
        }
        keys.sort_unstable();
    }
}
