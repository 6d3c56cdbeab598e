//! Resamples of identities: how often each identity is drawn, with replacement, in each replicate.

use crate::numeric::{PhiloxStream, Purpose};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::OnceLock};

/// Replicates that are weighted at once.
pub(crate) const REPLICATES: usize = 16;

/// How often an identity was drawn in each of them. A byte is enough: of n identities none is drawn more than n times, and of more than
/// 255 none ever so often. As bytes by identity they fit into the processor's nearest cache.
pub(crate) type Multiplicities = [u8; REPLICATES];

/// The weights of members in [`REPLICATES`] replicates: each weighs as much as its identity was drawn often.
#[derive(Clone, Copy)]
pub(crate) struct ReplicateWeights<'a> {
    /// By identity.
    pub multiplicities: &'a [Multiplicities],
    /// By member, its identity.
    pub identity: &'a [u32],
}

impl<'a> ReplicateWeights<'a> {
    /// The weights of one member.
    #[inline(always)]
    pub(crate) fn of(self, member: usize) -> &'a Multiplicities {
        &self.multiplicities[self.identity[member] as usize]
    }
}

/// Sums over identities in [`REPLICATES`] replicates: each identity's as often as it was drawn. `sums`: by identity, its sums.
pub(crate) fn weighted_sums<const PARTS: usize>(
    sums: &[[f64; PARTS]],
    multiplicities: &[Multiplicities],
) -> [[f64; REPLICATES]; PARTS] {
    let mut all = [[0.0; REPLICATES]; PARTS];
    for (of_identity, times) in sums.iter().zip(multiplicities) {
        for replicate in 0..REPLICATES {
            let times = f64::from(times[replicate]);
            for part in 0..PARTS {
                all[part][replicate] += times * of_identity[part];
            }
        }
    }
    all
}

/// Draws the identities that take part, with replacement, as many as there are.
pub(crate) struct Resampler {
    /// By member, its identity, numbered from 0 among those that take part; `count` for members that take no part.
    identity: Vec<u32>,
    count: usize,
    seed: u64,
    purpose: Purpose,
    /// By block of [`REPLICATES`] replicates, by identity; the last identity is never drawn. Made once for all views of a question.
    drawn: OnceLock<Vec<Vec<Multiplicities>>>,
}

/// Multiplicities are kept up to so many bytes; beyond, they are drawn again each time.
const KEPT_BYTES: usize = 256 << 20;

impl Resampler {
    /// `groups`: by member, the number of its identity; `None` leaves the member out. Different purposes draw independently.
    pub(crate) fn new(groups: impl Iterator<Item = Option<usize>>, seed: u64, purpose: Purpose) -> Self {
        let mut numbers = BTreeMap::new();
        let mut number = |group| {
            let next = numbers.len() as u32;
            *numbers.entry(group).or_insert(next)
        };
        let identity: Vec<Option<u32>> = groups.map(|group| group.map(&mut number)).collect();
        let count = numbers.len();
        let identity = identity.into_iter().map(|identity| identity.unwrap_or(count as u32)).collect();
        Resampler { identity, count, seed, purpose, drawn: OnceLock::new() }
    }

    /// Identities that take part.
    pub(crate) fn identities(&self) -> usize {
        self.count
    }

    /// The identity of a member that takes part, from 0.
    pub(crate) fn identity(&self, member: usize) -> usize {
        self.identity[member] as usize
    }

    /// The weight of every member in the sample itself: 1, or 0 where it takes no part.
    pub(crate) fn sample_weights(&self) -> Vec<u32> {
        self.identity.iter().map(|&identity| u32::from(identity as usize != self.count)).collect()
    }

    /// The weight of every member in one replicate.
    fn weights(&self, replicate: usize) -> Vec<u32> {
        let mut rng = PhiloxStream::new(self.seed, self.purpose, replicate as u64);
        let mut multiplicities = vec![0; self.count + 1];
        rng.with_replacement(self.count, |identity| multiplicities[identity] += 1);
        self.identity.iter().map(|&identity| multiplicities[identity as usize]).collect()
    }

    /// How often every identity is drawn in a block of replicates.
    fn block(&self, block: usize) -> Vec<Multiplicities> {
        let mut multiplicities = vec![[0u8; REPLICATES]; self.count + 1];
        (0..REPLICATES).for_each(|replicate| {
            let mut rng = PhiloxStream::new(self.seed, self.purpose, (block * REPLICATES + replicate) as u64);
            rng.with_replacement(self.count, |identity| {
                multiplicities[identity][replicate] = multiplicities[identity][replicate].saturating_add(1);
            });
        });
        multiplicities
    }

    /// The values of `statistic` in the replicates in which it is defined: one list for each entry of its result, sorted. `statistic` takes
    /// the weights of members.
    pub(crate) fn distributions<const K: usize>(
        &self,
        replicates: usize,
        statistic: impl Fn(&[u32]) -> [Option<f64>; K] + Sync,
    ) -> [Vec<f64>; K] {
        let replicates = if self.count == 0 { 0 } else { replicates };
        let of_replicate = |replicate| {
            crate::numeric::pulse::beat();
            statistic(&self.weights(replicate))
        };
        let values: Vec<[Option<f64>; K]> = (0..replicates).into_par_iter().map(of_replicate).collect();
        std::array::from_fn(|k| sorted(values.iter().filter_map(|value| value[k]).collect()))
    }

    /// The same for a statistic of [`REPLICATES`] replicates at once. All calls of one resampler ask for the same number of `replicates`.
    pub(crate) fn distributions_of_many<const K: usize>(
        &self,
        replicates: usize,
        statistic: impl Fn(ReplicateWeights) -> [[Option<f64>; REPLICATES]; K] + Sync,
    ) -> [Vec<f64>; K] {
        let values = self.each_of_many(replicates, statistic);
        std::array::from_fn(|k| sorted(values.iter().filter_map(|value| value[k]).collect()))
    }

    /// The same, not sorted: one entry a replicate, so that statistics of one resampler can be paired.
    pub(crate) fn each_of_many<const K: usize>(
        &self,
        replicates: usize,
        statistic: impl Fn(ReplicateWeights) -> [[Option<f64>; REPLICATES]; K] + Sync,
    ) -> Vec<[Option<f64>; K]> {
        let blocks = if self.count == 0 { 0 } else { replicates.div_ceil(REPLICATES) };
        let statistic = |multiplicities: &Vec<Multiplicities>| {
            crate::numeric::pulse::beat();
            statistic(ReplicateWeights { multiplicities, identity: &self.identity })
        };
        let values: Vec<[[Option<f64>; REPLICATES]; K]> = if blocks * REPLICATES * self.count <= KEPT_BYTES {
            // By one thread: a thread of rayon that waited here for others could be given another cell, and wait for itself.
            let drawn = self.drawn.get_or_init(|| (0..blocks).map(|block| self.block(block)).collect());
            drawn.par_iter().map(statistic).collect()
        } else {
            (0..blocks).into_par_iter().map(|block| statistic(&self.block(block))).collect()
        };
        // The last block may hold more replicates than were asked for.
        let replicate = |value: &[[Option<f64>; REPLICATES]; K]| {
            (0..REPLICATES).map(|replicate| value.map(|values| values[replicate])).collect::<Vec<_>>()
        };
        values.iter().flat_map(replicate).take(replicates).collect()
    }
}

/// In ascending order.
pub(crate) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resample_draws_identities_whole_and_as_many_as_there_are() {
        let resampler = Resampler::new((0..30).map(|i| (i < 20).then_some(i / 4)), 1, Purpose::ResampledWhole);
        for replicate in 0..50 {
            let weights = resampler.weights(replicate);
            assert!(weights[20..].iter().all(|weight| *weight == 0));
            assert!(weights[..20].chunks(4).all(|identity| identity.iter().all(|weight| *weight == identity[0])));
            assert_eq!(weights.iter().sum::<u32>(), 20);
        }
    }

    /// Many threads ask at once: no thread waits for one that waits for it.
    #[test]
    fn many_cells_share_one_resampler() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(16).build().unwrap();
        for _ in 0..50 {
            let resampler = Resampler::new((0..300).map(Some), 1, Purpose::ResampledWhole);
            let first = |weights: ReplicateWeights| [weights.multiplicities[0].map(|times| Some(f64::from(times)))];
            let all: Vec<_> = pool.install(|| (0..40).into_par_iter().map(|_| resampler.each_of_many(200, first)).collect());
            assert!(all.iter().all(|values| *values == all[0] && values.len() == 200));
        }
    }
}
