//! The bootstrap over identities (Efron and Tibshirani 1993): identities are drawn with replacement, and their
//! multiplicities weight scores that stay fixed. Neighbours are never rebuilt in a resample: rebuilt ones see copies of
//! an image as its neighbours and turn a null AUC of .487 into .581.

use crate::{
    domain::score::Estimate,
    numeric::{PhiloxStream, Purpose, sum},
    scoring::estimators::auc::{REPLICATES, ReplicateWeights, Times},
};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::OnceLock};

/// Which identity each member is, renumbered from 0 among those that take part.
pub struct Resampler {
    /// By member; `count` for those that take no part.
    identity: Vec<u32>,
    count: usize,
    seed: u64,
    purpose: Purpose,
    /// By block of [`REPLICATES`] turns, by identity, the last of which nobody draws: once for all views of a question.
    drawn: OnceLock<Vec<Vec<Times>>>,
}

/// Bytes of times kept; beyond, they are drawn again.
const KEPT: usize = 256 << 20;

impl Resampler {
    /// `group` per member; `None` leaves the member out. Different purposes draw independently.
    pub fn new(groups: impl Iterator<Item = Option<usize>>, seed: u64, purpose: Purpose) -> Self {
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
    pub fn people(&self) -> usize {
        self.count
    }

    /// Which of them a member is that takes part.
    pub fn identity(&self, member: usize) -> usize {
        self.identity[member] as usize
    }

    /// The weight of every member, as one number each, in the sample itself.
    pub fn once(&self) -> Vec<u32> {
        self.identity.iter().map(|&identity| u32::from(identity as usize != self.count)).collect()
    }

    /// The weight of every member in the `turn`-th resample.
    fn weights(&self, turn: usize) -> Vec<u32> {
        let mut stream = PhiloxStream::new(self.seed, self.purpose, turn as u64);
        let mut times = vec![0; self.count + 1];
        stream.with_replacement(self.count, |identity| times[identity] += 1);
        self.identity.iter().map(|&identity| times[identity as usize]).collect()
    }

    /// How often every identity is drawn in the `block`-th turns.
    fn block(&self, block: usize) -> Vec<Times> {
        let mut times = vec![[0u8; REPLICATES]; self.count + 1];
        (0..REPLICATES).for_each(|turn| {
            let mut stream = PhiloxStream::new(self.seed, self.purpose, (block * REPLICATES + turn) as u64);
            stream.with_replacement(self.count, |identity| times[identity][turn] = times[identity][turn].saturating_add(1));
        });
        times
    }

    /// The values of `statistic` in the resamples in which it is defined, one list an entry of its result, each sorted.
    pub fn distributions<const K: usize>(
        &self,
        turns: usize,
        statistic: impl Fn(&[u32]) -> [Option<f64>; K] + Sync,
    ) -> [Vec<f64>; K] {
        let turns = if self.count == 0 { 0 } else { turns };
        let values: Vec<[Option<f64>; K]> = (0..turns).into_par_iter().map(|turn| statistic(&self.weights(turn))).collect();
        std::array::from_fn(|k| sorted(values.iter().filter_map(|value| value[k]).collect()))
    }

    /// The same of a statistic of many turns at once. All calls of one resampler ask for the same `turns`.
    pub fn distributions_of_many<const K: usize>(
        &self,
        turns: usize,
        statistic: impl Fn(ReplicateWeights) -> [[Option<f64>; REPLICATES]; K] + Sync,
    ) -> [Vec<f64>; K] {
        let values = self.each_of_many(turns, statistic);
        std::array::from_fn(|k| sorted(values.iter().filter_map(|value| value[k]).collect()))
    }

    /// The same, one entry a turn, so that statistics of one resampler can be paired.
    pub fn each_of_many<const K: usize>(
        &self,
        turns: usize,
        statistic: impl Fn(ReplicateWeights) -> [[Option<f64>; REPLICATES]; K] + Sync,
    ) -> Vec<[Option<f64>; K]> {
        let blocks = if self.count == 0 { 0 } else { turns.div_ceil(REPLICATES) };
        let statistic = |times: &Vec<Times>| statistic(ReplicateWeights { times, identity: &self.identity });
        let values: Vec<[[Option<f64>; REPLICATES]; K]> = if blocks * REPLICATES * self.count <= KEPT {
            // By one thread: one that waits here for others' pieces could be given another cell, and come here again.
            let drawn = self.drawn.get_or_init(|| (0..blocks).map(|block| self.block(block)).collect());
            drawn.par_iter().map(statistic).collect()
        } else {
            (0..blocks).into_par_iter().map(|block| statistic(&self.block(block))).collect()
        };
        // The last block may hold more turns than were asked for.
        let turn =
            |value: &[[Option<f64>; REPLICATES]; K]| (0..REPLICATES).map(|turn| value.map(|of| of[turn])).collect::<Vec<_>>();
        values.iter().flat_map(turn).take(turns).collect()
    }
}

/// The values there are, in order.
pub fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The central 95 % of a sorted distribution, with the estimate.
pub fn interval(value: f64, sorted: &[f64]) -> Option<Estimate> {
    let finite = value.is_finite() && !sorted.is_empty();
    finite.then(|| Estimate::new(value, quantile(sorted, 0.025), quantile(sorted, 0.975)))
}

/// The same, and how seldom the value would be on the other side of nought: two-sided.
pub fn tested(value: f64, sorted: &[f64]) -> Option<(Estimate, f64)> {
    let below = sorted.partition_point(|value| *value <= 0.0);
    let above = sorted.len() - sorted.partition_point(|value| *value < 0.0);
    let p = (2.0 * (1 + below.min(above)) as f64 / (1 + sorted.len()) as f64).min(1.0);
    Some((interval(value, sorted)?, p))
}

/// Around their mean.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = sum::mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Linear between order statistics (Hyndman and Fan's type 7, NumPy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// The median of the values there are.
pub fn median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile(&values, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.5), 3.0);
        assert!((quantile(&sorted, 0.975) - 7.7).abs() < 1e-12);
        assert_eq!(quantile(&[5.0], 0.025), 5.0);
    }

    #[test]
    fn a_resample_draws_identities_whole_and_as_many_as_there_are() {
        let resampler = Resampler::new((0..30).map(|i| (i < 20).then_some(i / 4)), 1, Purpose::ResampledWhole);
        for turn in 0..50 {
            let weights = resampler.weights(turn);
            assert!(weights[20..].iter().all(|weight| *weight == 0));
            assert!(weights[..20].chunks(4).all(|identity| identity.iter().all(|weight| *weight == identity[0])));
            assert_eq!(weights.iter().sum::<u32>(), 20);
        }
    }

    /// Many ask at once, on more threads than there are resamples for each: nobody waits for one that waits for it.
    #[test]
    fn many_cells_share_one_resampler() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(16).build().unwrap();
        for _ in 0..50 {
            let resampler = Resampler::new((0..300).map(Some), 1, Purpose::ResampledWhole);
            let first = |weights: ReplicateWeights| [weights.times[0].map(|times| Some(f64::from(times)))];
            let all: Vec<_> = pool.install(|| (0..40).into_par_iter().map(|_| resampler.each_of_many(200, first)).collect());
            assert!(all.iter().all(|of| *of == all[0] && of.len() == 200));
        }
    }
}
