//! Which images and identities a question is about, and how they are split and drawn again: pairs of classes, halves, folds,
//! resamples. It knows no score.

pub(super) mod learned;
pub(super) mod members;
pub(super) mod pairs;
pub(super) mod resample;
pub(super) mod split;

use self::{
    members::{Setting, groups},
    pairs::ClassPairs,
    resample::Resampler,
    split::{Pool, Split, split},
};
use crate::{
    domain::{
        comparison::Question,
        membership::Members,
        score::{Counts, Statistics},
    },
    numeric::Purpose,
};

/// What the scores of all views of one question share. "Member" is an index among the images that take part, from 0.
pub(super) struct EvaluationDesign<'a> {
    pub members: Members,
    pub split: Split,
    pub pairs: ClassPairs,
    /// How many resamples, permutations and images a score asks for.
    pub statistics: &'a Statistics,
    /// By pool.
    resamplers: [Resampler; 3],
    /// By image: the number of its identity.
    group: Vec<usize>,
}

impl<'a> EvaluationDesign<'a> {
    /// Halves, folds and resamples depend on members, identities and seed alone, never on a view.
    pub(super) fn new(setting: &Setting, question: &Question, statistics: &'a Statistics, seed: u64) -> Self {
        let group = groups(setting);
        let members = setting.members(question);
        let split = split(&members, &group, seed);
        let resamplers = resamplers(&members, &split, &group, seed);
        EvaluationDesign { pairs: ClassPairs::new(&members), members, split, statistics, resamplers, group }
    }

    /// The same halves and folds, of these members alone (ascending); resamples draw their identities.
    pub(super) fn of_members(&self, kept: &[usize], seed: u64) -> Self {
        let rows: Vec<usize> = kept.iter().map(|&member| self.members.rows[member]).collect();
        let of_set = |set: &Vec<bool>| kept.iter().map(|&member| set[member]).collect();
        let members = Members {
            classes: self.members.classes.iter().map(of_set).collect(),
            quantity: self.members.quantity.as_ref().map(|all| kept.iter().map(|&member| all[member]).collect()),
            none: self.members.none.clone(),
            lacking: self.members.lacking.clone(),
            rows,
        };
        let split = Split {
            half: kept.iter().map(|&member| self.split.half[member]).collect(),
            fold: kept.iter().map(|&member| self.split.fold[member]).collect(),
        };
        // As they are: sets of fewer members may be equal, and are still told apart.
        let pairs = ClassPairs { sets: self.pairs.sets.iter().map(of_set).collect(), pairs: self.pairs.pairs.clone() };
        let resamplers = resamplers(&members, &split, &self.group, seed);
        EvaluationDesign { members, split, pairs, statistics: self.statistics, resamplers, group: self.group.clone() }
    }

    /// The number of the identity that a member belongs to.
    pub(super) fn group(&self, member: usize) -> usize {
        self.group[self.members.rows[member]]
    }

    /// The numbers of all images' identities, in the order of the images.
    pub(super) fn groups(&self) -> impl Iterator<Item = usize> {
        self.group.iter().copied()
    }

    /// Images and identities of each class in a pool.
    pub(super) fn counts(&self, pool: Pool) -> Counts {
        self.counts_where(|i| pool.holds(self.split.half[i]))
    }

    /// Images and identities of each class among some members.
    pub(super) fn counts_where(&self, takes: impl Fn(usize) -> bool) -> Counts {
        self.members.counts(&self.group, takes)
    }

    /// Draws the identities of a pool again.
    pub(super) fn resampler(&self, pool: Pool) -> &Resampler {
        &self.resamplers[pool.index()]
    }

    /// The two sets of every pair of classes: by member, whether it is in the first, and whether it is in the second.
    pub(super) fn pairs(&self) -> impl Iterator<Item = [&[bool]; 2]> {
        self.pairs.pairs.iter().map(|&(p, q)| [&self.pairs.sets[p][..], &self.pairs.sets[q][..]])
    }

    /// Per pair of classes, per member: is it in the first? `None` for members of neither class, or of both.
    pub(super) fn targets(&self) -> Vec<Vec<Option<bool>>> {
        let target = |[first, second]: [&[bool]; 2]| {
            first.iter().zip(second).map(|(first, second)| (*first != *second).then_some(*first)).collect()
        };
        self.pairs().map(target).collect()
    }
}

/// By pool.
fn resamplers(members: &Members, split: &Split, group: &[usize], seed: u64) -> [Resampler; 3] {
    Pool::ALL.map(|pool| {
        let identity = |(i, row): (usize, &usize)| pool.holds(split.half[i]).then_some(group[*row]);
        Resampler::new(members.rows.iter().enumerate().map(identity), seed, purpose(pool))
    })
}

/// The random numbers of a pool's resamples.
pub(super) fn purpose(pool: Pool) -> Purpose {
    match pool {
        Pool::Whole => Purpose::ResampledWhole,
        Pool::Half(split::Half::A) => Purpose::ResampledSelection,
        Pool::Half(split::Half::B) => Purpose::ResampledEvaluation,
    }
}
