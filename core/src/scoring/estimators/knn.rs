//! Balanced kNN AUC: an image's score is ln(distance to its 5th-nearest negative) − ln(distance to its 5th-nearest
//! positive) among the other folds; AUC within folds, averaged by n⁺n⁻. Balanced, because each class is asked for its own
//! fifth: a rare class is not outvoted.

use super::{
    auc::{self, REPLICATES, ReplicateWeights, Sorted, UStatistic},
    nearest::FifthNeighborDistances,
};
use crate::scoring::design::{
    pairs::Pairs,
    split::{FOLDS, Half, Split},
};

/// Whose neighbours count, and whose AUC is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    Whole,
    Half(Half),
}

/// Per pair, per fold, in one pool: the scored members.
pub struct Prepared(pub Vec<Vec<Sorted>>);

/// Scores every member once, for the whole and for its half: out-of-fold scores that resamples only weight.
pub fn prepare(fifths: &FifthNeighborDistances, pairs: &Pairs, split: &Split) -> [Prepared; 3] {
    [Pool::Whole, Pool::Half(Half::A), Pool::Half(Half::B)].map(|pool| {
        let score = |pair: usize, i: usize| {
            let (p, q) = pairs.pairs[pair];
            let of = &fifths[i][usize::from(pool != Pool::Whole)];
            of[q] - of[p]
        };
        prepared(pairs, split, pool, FOLDS, |i| split.fold[i], score)
    })
}

/// The same of scores that were made elsewhere, in each half by itself: by pair, by member. Scores of two halves are not
/// compared with each other.
pub fn held_out(scores: &[Vec<f64>], pairs: &Pairs, split: &Split) -> [Prepared; 3] {
    [Pool::Whole, Pool::Half(Half::A), Pool::Half(Half::B)]
        .map(|pool| prepared(pairs, split, pool, 2 * FOLDS, |i| split.place(i), |pair, i| scores[pair][i]))
}

fn prepared(
    pairs: &Pairs,
    split: &Split,
    pool: Pool,
    places: usize,
    place: impl Fn(usize) -> usize,
    score: impl Fn(usize, usize) -> f64,
) -> Prepared {
    let takes = |i: usize| match pool {
        Pool::Whole => true,
        Pool::Half(half) => split.half[i] == half,
    };
    let of = |(pair, &(p, q)): (usize, &(usize, usize))| {
        let mut folds = vec![vec![]; places];
        for i in (0..split.fold.len()).filter(|&i| (pairs.sets[p][i] || pairs.sets[q][i]) && takes(i)) {
            let score = score(pair, i);
            if !score.is_nan() {
                folds[place(i)].push((i as u32, score, pairs.sets[p][i]));
            }
        }
        folds.into_iter().map(Sorted::new).collect()
    };
    Prepared(pairs.pairs.iter().enumerate().map(of).collect())
}

impl Prepared {
    /// The mean and the least AUC over pairs, in the sample itself; `None` when no pair has both classes.
    pub fn mean_and_least(&self) -> [Option<f64>; 2] {
        let auc = |folds: &Vec<Sorted>| folds.iter().map(|fold| fold.wins(|_| 1)).fold(UStatistic::default(), |a, b| a + b).auc();
        mean_and_least(self.0.iter().map(auc))
    }

    /// The same in resamples, by weights of members.
    pub fn resampled(&self, weights: ReplicateWeights) -> [[Option<f64>; 2]; REPLICATES] {
        let pairs: Vec<[Option<f64>; REPLICATES]> = self.0.iter().map(|folds| auc::resampled(folds, weights)).collect();
        std::array::from_fn(|turn| mean_and_least(pairs.iter().map(|pair| pair[turn])))
    }

    /// Folds that hold both classes, of the pair that has most.
    pub fn folds(&self) -> usize {
        let both = |fold: &&Sorted| fold.count(true) > 0 && fold.count(false) > 0;
        self.0.iter().map(|folds| folds.iter().filter(both).count()).max().unwrap_or(0).max(1)
    }

    /// How many identities carry what keeps the AUC from being 1 (or 0, if that is nearer): Kish's (1965) effective number of what
    /// each lost. The least over pairs and classes; 0 where nothing was lost. `identity` is below `identities`.
    pub fn carried(&self, identities: usize, identity: impl Fn(usize) -> usize) -> f64 {
        let of = |folds: &Vec<Sorted>| carried(folds, identities, &identity);
        self.0.iter().map(of).min_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// Per pair, every member's rank in its fold; NaN for those that the pair does not score.
    pub fn ranks(&self, members: usize) -> Vec<Vec<f32>> {
        let of = |folds: &Vec<Sorted>| {
            let mut ranks = vec![f32::NAN; members];
            folds.iter().for_each(|fold| fold.ranks(&mut ranks));
            ranks
        };
        self.0.iter().map(of).collect()
    }
}

/// The same of one pair of classes.
pub fn carried(folds: &[Sorted], identities: usize, identity: impl Fn(usize) -> usize) -> f64 {
    let wins = folds.iter().map(|fold| fold.wins(|_| 1)).fold(UStatistic::default(), |a, b| a + b);
    let below = wins.won < 0.5 * wins.played;
    let mut lost = [vec![0.0; identities], vec![0.0; identities]];
    for fold in folds {
        let all = [true, false].map(|class| fold.count(class) as f64);
        fold.lost(|member, positive, of| {
            let of = if below { all[usize::from(positive)] - of } else { of };
            lost[usize::from(!positive)][identity(member)] += of;
        });
    }
    let kish = |lost: &Vec<f64>| {
        let (total, squares) = (lost.iter().sum::<f64>(), lost.iter().map(|of| of * of).sum::<f64>());
        if squares > 0.0 { total * total / squares } else { 0.0 }
    };
    kish(&lost[0]).min(kish(&lost[1]))
}

fn mean_and_least(pairs: impl Iterator<Item = Option<f64>>) -> [Option<f64>; 2] {
    let all: Vec<f64> = pairs.flatten().collect();
    let mean = (!all.is_empty()).then(|| crate::numeric::sum::mean(&all));
    [mean, all.iter().copied().min_by(f64::total_cmp)]
}
