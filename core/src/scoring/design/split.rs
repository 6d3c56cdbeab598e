//! Halves and folds: disjoint in identities, stratified by class, fixed by members and seed, never by a view.
//!
//! Views are chosen on half A and quoted on half B. In each half, and over both, five folds keep the images of an identity out of
//! each other's neighbours.

use crate::{
    domain::membership::Members,
    numeric::{PhiloxStream, Purpose},
};
use std::collections::BTreeMap;

/// Folds of each half.
pub(crate) const FOLDS: usize = 5;

/// The halves of the identities that take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Half {
    /// The selection half: views are chosen by their scores here.
    A,
    /// The evaluation half: scores of chosen views are quoted from here.
    B,
}

/// The members whose neighbours count and whose AUC is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pool {
    /// All members.
    Whole,
    /// The members of one half.
    Half(Half),
}

impl Pool {
    /// In the order of their indices.
    pub(crate) const ALL: [Pool; 3] = [Pool::Whole, Pool::Half(Half::A), Pool::Half(Half::B)];

    /// The place in [`Pool::ALL`], and in every array by pool.
    pub(crate) fn index(self) -> usize {
        match self {
            Pool::Whole => 0,
            Pool::Half(Half::A) => 1,
            Pool::Half(Half::B) => 2,
        }
    }

    /// Whether members of a half are in the pool.
    pub(crate) fn holds(self, half: Half) -> bool {
        self == Pool::Whole || self == Pool::Half(half)
    }
}

/// The half and the fold of every member.
pub(crate) struct Split {
    /// By member.
    pub half: Vec<Half>,
    /// By member: 0 … [`FOLDS`] − 1.
    pub fold: Vec<usize>,
}

impl Split {
    /// Half and fold as one number below 2 · [`FOLDS`]: scores that were made in each half are compared within it.
    pub(crate) fn half_and_fold(&self, member: usize) -> usize {
        self.fold[member] + if self.half[member] == Half::A { 0 } else { FOLDS }
    }

    /// The members of a half, ascending.
    pub(crate) fn members_of(&self, half: Half) -> Vec<usize> {
        (0..self.half.len()).filter(|&i| self.half[i] == half).collect()
    }
}

/// Deals identities to halves and folds, the largest first, each to the place that has fewest images of its classes. `group`: by image,
/// the number of its identity.
pub(crate) fn split(members: &Members, group: &[usize], seed: u64) -> Split {
    // A group's stratum is the classes of its first member; with one identity a group, the classes themselves.
    let mut groups: BTreeMap<usize, (Vec<bool>, Vec<usize>)> = BTreeMap::new();
    for (i, row) in members.rows.iter().enumerate() {
        let stratum = || members.classes.iter().map(|class| class[i]).collect();
        groups.entry(group[*row]).or_insert_with(|| (stratum(), vec![])).1.push(i);
    }
    let mut order: Vec<&(Vec<bool>, Vec<usize>)> = groups.values().collect();
    PhiloxStream::new(seed, Purpose::Split, 0).shuffle(&mut order);
    order.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));

    let mut split = Split { half: vec![Half::A; members.rows.len()], fold: vec![0; members.rows.len()] };
    let mut dealt: BTreeMap<&Vec<bool>, [usize; 2 * FOLDS]> = BTreeMap::new();
    let mut all = [0; 2 * FOLDS];
    for (stratum, members) in order {
        // The place with fewest images of this stratum, then of all, then the first.
        let of_stratum = dealt.entry(stratum).or_default();
        let place = (0..2 * FOLDS).min_by_key(|&place| (of_stratum[place], all[place], place)).unwrap_or(0);
        of_stratum[place] += members.len();
        all[place] += members.len();
        for &i in members {
            split.half[i] = if place % 2 == 0 { Half::A } else { Half::B };
            split.fold[i] = place / 2;
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_stay_together_and_classes_are_spread_evenly() {
        let n = 1000;
        let class: Vec<bool> = (0..n).map(|i| (i / 4) % 5 == 0).collect();
        let members = Members {
            rows: (0..n).collect(),
            classes: vec![class.clone(), class.iter().map(|c| !c).collect()],
            ..Members::default()
        };
        let group: Vec<usize> = (0..n).map(|i| i / 4).collect();
        let split = split(&members, &group, 7);
        for i in 0..n {
            let first = i / 4 * 4;
            assert_eq!((split.half[i], split.fold[i]), (split.half[first], split.fold[first]));
        }
        for half in [Half::A, Half::B] {
            for fold in 0..FOLDS {
                let here = |i: &usize| split.half[*i] == half && split.fold[*i] == fold;
                assert_eq!((0..n).filter(here).count(), 100);
                assert_eq!((0..n).filter(here).filter(|&i| class[i]).count(), 20);
            }
        }
    }

    #[test]
    fn a_pool_of_a_half_holds_that_half_alone() {
        for (index, pool) in Pool::ALL.into_iter().enumerate() {
            assert_eq!(pool.index(), index);
        }
        assert_eq!([Half::A, Half::B].map(|half| Pool::Whole.holds(half)), [true, true]);
        assert_eq!([Half::A, Half::B].map(|half| Pool::Half(Half::B).holds(half)), [false, true]);
    }
}
