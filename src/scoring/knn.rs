//! Balanced kNN AUC: an image's score is ln(distance to its 5th-nearest negative) − ln(distance to its 5th-nearest
//! positive) among the other folds; AUC within folds, averaged by n⁺n⁻. Balanced, because each class is asked for its own
//! fifth: a rare class is not outvoted.

use super::{
    auc::{Sorted, Wins},
    members::Members,
    split::{FOLDS, Half, Split},
};
use crate::numeric::{Matrix, neighbours::Points, special::ln};
use rayon::prelude::*;

const NEIGHBOUR: usize = 5;

/// Whose neighbours count, and whose AUC is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    Whole,
    Half(Half),
}

/// Sets of members whose distances are asked for, and the pairs of them that are held against each other.
pub struct Pairs {
    sets: Vec<Vec<bool>>,
    pairs: Vec<(usize, usize)>,
}

impl Pairs {
    /// Every pair of classes, on exclusive members; sets that are equal are kept once.
    pub fn new(members: &Members) -> Self {
        let mut sets: Vec<Vec<bool>> = Vec::new();
        let mut place = |set: Vec<bool>| {
            sets.iter().position(|other| *other == set).unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            })
        };
        let classes = members.classes.len();
        let pairs = (0..classes).flat_map(|p| (p + 1..classes).map(move |q| (p, q)));
        let pairs = pairs.map(|(p, q)| (place(members.exclusive(p, q)), place(members.exclusive(q, p)))).collect();
        Pairs { sets, pairs }
    }
}

/// Per pair, per fold, in one pool: the scored members.
pub struct Prepared(Vec<Vec<Sorted>>);

/// Scores every member once, for the whole and for its half: out-of-fold scores that resamples only weight.
/// `points` has one row an entry of the members' rows.
pub fn prepare(points: &Matrix, pairs: &Pairs, split: &Split) -> [Prepared; 3] {
    let space = Points::new(points);
    let n = points.rows();
    // Which sets each member is in, so that one pass over the distances serves all sets.
    let in_sets: Vec<Vec<usize>> = (0..n).map(|i| (0..pairs.sets.len()).filter(|&set| pairs.sets[set][i]).collect()).collect();
    // Per member: ln distance to its fifth of every set, in the whole and in its half.
    let fifths: Vec<[Vec<f64>; 2]> = (0..n)
        .into_par_iter()
        .map_init(
            || vec![0.0; n],
            |distances, i| {
                space.distances(i, distances);
                let mut whole = vec![Nearest::default(); pairs.sets.len()];
                let mut half = whole.clone();
                for j in (0..n).filter(|&j| split.fold[j] != split.fold[i]) {
                    for &set in &in_sets[j] {
                        whole[set].meet(distances[j]);
                        if split.half[j] == split.half[i] {
                            half[set].meet(distances[j]);
                        }
                    }
                }
                [whole, half].map(|sets| sets.iter().map(Nearest::ln_distance).collect())
            },
        )
        .collect();

    [Pool::Whole, Pool::Half(Half::A), Pool::Half(Half::B)].map(|pool| {
        let scored = |&(p, q): &(usize, usize), fold: usize| {
            let takes = |i: &usize| {
                split.fold[*i] == fold
                    && (pairs.sets[p][*i] || pairs.sets[q][*i])
                    && match pool {
                        Pool::Whole => true,
                        Pool::Half(half) => split.half[*i] == half,
                    }
            };
            let of = |i: usize| &fifths[i][usize::from(pool != Pool::Whole)];
            let score = |i: usize| Some(of(i)[q] - of(i)[p]).filter(|score| !score.is_nan());
            Sorted::new((0..n).filter(takes).filter_map(|i| Some((i as u32, score(i)?, pairs.sets[p][i]))).collect())
        };
        Prepared(pairs.pairs.iter().map(|pair| (0..FOLDS).map(|fold| scored(pair, fold)).collect()).collect())
    })
}

impl Prepared {
    /// The mean and the least AUC over pairs, with these weights; `None` when no pair has both classes.
    pub fn mean_and_least(&self, weights: &[u32]) -> [Option<f64>; 2] {
        let auc =
            |folds: &Vec<Sorted>| folds.iter().map(|fold| fold.wins(|i| weights[i])).fold(Wins::default(), |a, b| a + b).auc();
        let all: Vec<f64> = self.0.iter().filter_map(auc).collect();
        let mean = (!all.is_empty()).then(|| crate::numeric::sum::mean(&all));
        [mean, all.iter().copied().min_by(f64::total_cmp)]
    }
}

/// The five smallest squared distances met so far, ascending.
#[derive(Clone)]
struct Nearest {
    smallest: [f64; NEIGHBOUR],
    met: usize,
}

impl Default for Nearest {
    fn default() -> Self {
        Nearest { smallest: [f64::INFINITY; NEIGHBOUR], met: 0 }
    }
}

impl Nearest {
    fn meet(&mut self, distance: f64) {
        self.met += 1;
        if distance >= self.smallest[NEIGHBOUR - 1] {
            return;
        }
        let mut at = NEIGHBOUR - 1;
        while at > 0 && self.smallest[at - 1] > distance {
            self.smallest[at] = self.smallest[at - 1];
            at -= 1;
        }
        self.smallest[at] = distance;
    }

    /// Half the ln of the squared distance to the fifth, or to the farthest where there are fewer; NaN where there is
    /// none. Equal points are at the smallest positive distance, not at ln 0.
    fn ln_distance(&self) -> f64 {
        match self.met.min(NEIGHBOUR) {
            0 => f64::NAN,
            met => 0.5 * ln(self.smallest[met - 1].max(f64::MIN_POSITIVE)),
        }
    }
}
