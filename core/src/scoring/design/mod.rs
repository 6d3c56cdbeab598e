//! Which images and identities a question is about, and how they are split: halves, folds, resamples.

pub mod members;
pub mod pairs;
pub mod split;

use self::{
    members::{Setting, groups},
    pairs::Pairs,
    split::{FOLDS, Half, Split, split},
};
use super::inference::{bootstrap::Resampler, interval::AucInterval};
use crate::{
    domain::{comparison::Question, membership::Members, score::Statistics},
    numeric::Purpose,
};

/// What all views of one question share.
pub struct EvaluationDesign<'a> {
    pub members: Members,
    pub split: Split,
    pub pairs: Pairs,
    pub resamplers: [Resampler; 3],
    /// In the whole, and in each half.
    pub scales: [AucInterval; 3],
    pub statistics: &'a Statistics,
    pub group: Vec<usize>,
}

fn resamplers(members: &Members, split: &Split, group: &[usize], seed: u64) -> [Resampler; 3] {
    [(None, Purpose::ResampledWhole), (Some(Half::A), Purpose::ResampledSelection), (Some(Half::B), Purpose::ResampledEvaluation)]
        .map(|(half, purpose)| {
            let takes = |i: usize| half.is_none_or(|half| split.half[i] == half);
            Resampler::new(members.rows.iter().enumerate().map(|(i, row)| takes(i).then_some(group[*row])), seed, purpose)
        })
}

impl<'a> EvaluationDesign<'a> {
    pub fn new(setting: &Setting, question: &Question, statistics: &'a Statistics, seed: u64) -> Self {
        let group = groups(setting);
        let members = setting.members(question);
        let split = split(&members, &group, seed);
        let (pairs, resamplers) = (Pairs::new(&members), resamplers(&members, &split, &group, seed));
        let scales = [None, Some(Half::A), Some(Half::B)].map(|half| {
            let counts = members.counts(&group, |i| half.is_none_or(|half| split.half[i] == half));
            AucInterval::of(&counts, FOLDS)
        });
        EvaluationDesign { members, split, pairs, resamplers, scales, statistics, group }
    }

    /// Who a member is: the images' identities, numbered in their order.
    pub fn group(&self, member: usize) -> usize {
        self.group[self.members.rows[member]]
    }

    pub fn scale(&self, half: Half) -> AucInterval {
        self.scales[if half == Half::A { 1 } else { 2 }]
    }

    pub fn groups(&self) -> impl Iterator<Item = usize> {
        self.group.iter().copied()
    }

    /// The two sets of every pair of classes: who is in the first, who in the second.
    pub fn pairs(&self) -> impl Iterator<Item = [&[bool]; 2]> {
        self.pairs.pairs.iter().map(|&(p, q)| [&self.pairs.sets[p][..], &self.pairs.sets[q][..]])
    }

    /// Per pair of classes, per member: is it of the first? `None` for those of neither, or of both.
    pub fn targets(&self) -> Vec<Vec<Option<bool>>> {
        let of = |[first, second]: [&[bool]; 2]| {
            first.iter().zip(second).map(|(first, second)| (*first != *second).then_some(*first)).collect()
        };
        self.pairs().map(of).collect()
    }
}
