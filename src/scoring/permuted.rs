//! A view's score on half B when labels mean nothing: the whole of it again, under permuted labels.
//!
//! Blocks of labels are permuted among identities of equal image count, inside the images that a pair of classes is about. Keys of
//! (seed, turn, identity) say who takes whose labels: all views of a comparison share a permutation, and comparisons about the same
//! images do. Halves are stratified by class, so two comparisons are seldom about quite the same: between them permutations are
//! nearly independent, which makes the largest of the grid larger, if anything. Neighbours are looked for anew under every permutation: scores that were kept, and labels permuted beside
//! them, vary by about √2 too little, for two people who are near and alike win each by the other.
//!
//! What no permutation changes is who is near whom. So every image's neighbours are put in order once, and 512 permutations walk
//! along it at once, one bit each, counting to five. Scores are taken in 64 steps of three standard deviations either way;
//! ties count half.

use super::{
    nearest::in_order,
    split::{FOLDS, Half},
    views::Asked,
};
use crate::numeric::{Matrix, Stream, fused::fused, random::mixed, special::ln};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const STREAM: u64 = 6 << 40;
const NEIGHBOUR: usize = 5;
/// Permutations that are walked at once, and their bits.
const LANES: usize = 512;
type Bits = [u64; LANES / 64];
/// Steps of a score.
const STEPS: usize = 64;
/// How far a walk goes for five of the rarer class: so many times as far as it takes on average, and never farther than this.
/// Who has not met five by then is taken to meet the fifth there.
const PATIENCE: f64 = 2.5;
const FARTHEST: usize = 4000;

/// The permutations of one question, for all its views.
pub struct Permutations {
    turns: usize,
    pairs: Vec<Pair>,
}

/// The members of half B that one pair of classes is about.
struct Pair {
    /// Places among the members.
    members: Vec<usize>,
    folds: Vec<usize>,
    /// Per block of permutations, per entry of `members`: is it of the first class?
    labels: Vec<Vec<Bits>>,
    /// How many neighbours a walk may meet.
    far: usize,
    people: BTreeSet<usize>,
    moved: BTreeSet<usize>,
}

impl Permutations {
    pub fn new(asked: &Asked, turns: usize, seed: u64) -> Self {
        let pairs: Vec<[&[bool]; 2]> = asked.pairs().collect();
        Permutations { turns, pairs: pairs.into_par_iter().map(|sets| Pair::new(asked, sets, turns, seed)).collect() }
    }

    /// Identities of half B, and those of them whose labels cannot move: nobody else has as many images.
    pub fn people(&self) -> [usize; 2] {
        let all: BTreeSet<usize> = self.pairs.iter().flat_map(|pair| pair.people.iter().copied()).collect();
        let moved: BTreeSet<usize> = self.pairs.iter().flat_map(|pair| pair.moved.iter().copied()).collect();
        [all.len(), all.len() - moved.len()]
    }

    /// The mean AUC over pairs under every permutation, in a view of one or two columns; NaN where it is undefined.
    pub fn scores(&self, points: &Matrix) -> Vec<f32> {
        let mut mean = vec![0.0; self.turns];
        for pair in self.pairs.iter().filter(|_| self.turns > 0) {
            let aucs = pair.aucs(points, self.turns);
            mean.iter_mut().zip(aucs).for_each(|(mean, auc)| *mean += auc / self.pairs.len() as f64);
        }
        mean.into_iter().map(|auc| auc as f32).collect()
    }
}

impl Pair {
    fn new(asked: &Asked, [first, second]: [&[bool]; 2], turns: usize, seed: u64) -> Self {
        let members: Vec<usize> = asked.split.of(Half::B).into_iter().filter(|&i| first[i] || second[i]).collect();
        let labels: Vec<bool> = members.iter().map(|&i| first[i]).collect();
        let mut of_identity: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (place, &i) in members.iter().enumerate() {
            of_identity.entry(asked.group(i)).or_default().push(place as u32);
        }
        let people = of_identity.keys().copied().collect();
        // Identities of equal image count change places.
        let mut by_count: BTreeMap<usize, Stratum> = BTreeMap::new();
        for (identity, places) in of_identity {
            let stratum = by_count.entry(places.len()).or_default();
            stratum.identities.push(identity);
            stratum.places.extend(places);
        }
        let strata: Vec<Stratum> = by_count.into_values().filter(|stratum| stratum.identities.len() > 1).collect();
        let moved = strata.iter().flat_map(|stratum| stratum.identities.iter().copied()).collect();
        let block = |block: usize| {
            let mut bits = vec![[0; LANES / 64]; members.len()];
            let mut permuted = labels.clone();
            for lane in 0..LANES.min(turns - block * LANES) {
                let keys = Stream::new(seed, STREAM + (block * LANES + lane) as u64).bits();
                strata.iter().for_each(|stratum| stratum.permute(&labels, keys, &mut permuted));
                for (bits, label) in bits.iter_mut().zip(&permuted) {
                    bits[lane / 64] |= u64::from(*label) << (lane % 64);
                }
            }
            bits
        };
        let ones = labels.iter().filter(|label| **label).count();
        let rarer = ones.min(labels.len() - ones).max(1) as f64 / labels.len().max(1) as f64;
        Pair {
            folds: members.iter().map(|&i| asked.split.fold[i]).collect(),
            labels: (0..turns.div_ceil(LANES)).map(block).collect(),
            far: ((NEIGHBOUR as f64 / rarer * PATIENCE) as usize + 10).min(FARTHEST),
            people,
            members,
            moved,
        }
    }

    fn aucs(&self, points: &Matrix, turns: usize) -> Vec<f64> {
        let orders: Vec<(Vec<u32>, Vec<f32>)> = in_order(points, &self.members, &self.folds, self.far)
            .into_par_iter()
            .map(|order| {
                let distances = order.iter().map(|(square, _)| (0.5 * ln(square.max(f64::MIN_POSITIVE))) as f32).collect();
                (order.into_iter().map(|(_, place)| place).collect(), distances)
            })
            .collect();
        if orders.iter().any(|(order, _)| order.is_empty()) {
            return vec![f64::NAN; turns];
        }
        let mut aucs: Vec<f64> = self.labels.par_iter().flat_map_iter(|labels| self.block(labels, &orders)).collect();
        aucs.truncate(turns);
        aucs
    }

    fn block(&self, labels: &[Bits], orders: &[(Vec<u32>, Vec<f32>)]) -> Vec<f64> {
        // By member, by permutation.
        let mut scores = vec![[0.0f32; LANES]; orders.len()];
        for ((order, distances), scores) in orders.iter().zip(&mut scores) {
            let last = (order.len() - 1) as u16;
            let mut fifths = [[last; LANES]; 2];
            walk(order, labels, &mut fifths);
            for ((score, positive), negative) in scores.iter_mut().zip(fifths[1]).zip(fifths[0]) {
                *score = distances[usize::from(negative)] - distances[usize::from(positive)];
            }
        }
        // The first permutations say how wide a step is.
        let (mut square, mut count) = (0.0, 0.0);
        for score in scores.iter().flat_map(|scores| &scores[..64]) {
            square += f64::from(score * score);
            count += 1.0;
        }
        let width = ((6.0 / STEPS as f64) * f64::sqrt(square / count)).max(f64::MIN_POSITIVE) as f32;
        let mut wins = vec![[0.0f64; 2]; LANES];
        let mut met = vec![[[0u32; 2]; STEPS]; LANES];
        for fold in 0..FOLDS {
            met.iter_mut().for_each(|met| *met = [[0; 2]; STEPS]);
            for ((scores, bits), _) in scores.iter().zip(labels).zip(&self.folds).filter(|(_, of)| **of == fold) {
                for (lane, (score, met)) in scores.iter().zip(&mut met).enumerate() {
                    let step = (score / width + (STEPS / 2) as f32).clamp(0.0, (STEPS - 1) as f32) as usize;
                    met[step][(bits[lane / 64] >> (lane % 64) & 1) as usize] += 1;
                }
            }
            for (met, wins) in met.iter().zip(&mut wins) {
                let (mut won, mut negatives, mut positives) = (0, 0, 0);
                for [negative, positive] in met {
                    // Twice the wins, so that a tie is one.
                    won += positive * (2 * negatives + negative);
                    negatives += negative;
                    positives += positive;
                }
                wins[0] += f64::from(won) / 2.0;
                wins[1] += f64::from(negatives * positives);
            }
        }
        wins.into_iter().map(|[won, played]| if played > 0.0 { won / played } else { 0.5 }).collect()
    }
}

/// Identities of equal image count, and the places of their images, one identity after the other.
#[derive(Default)]
struct Stratum {
    identities: Vec<usize>,
    places: Vec<u32>,
}

impl Stratum {
    /// Every identity takes the labels of another, in the order of a key that each has for this turn.
    fn permute(&self, labels: &[bool], keys: u64, permuted: &mut [bool]) {
        let key = |(place, &identity): (usize, &usize)| (mixed(keys, identity as u64), place);
        let mut order: Vec<(u64, usize)> = self.identities.iter().enumerate().map(key).collect();
        order.sort_unstable();
        let images = self.places.len() / self.identities.len();
        for (to, (_, from)) in self.places.chunks_exact(images).zip(order) {
            let from = &self.places[from * images..(from + 1) * images];
            to.iter().zip(from).for_each(|(&to, &from)| permuted[to as usize] = labels[from as usize]);
        }
    }
}

fused! {
    /// `order`: one image's neighbours, nearest first. Into `fifths`: by class (second, first) and permutation, the place in the
    /// order at which the fifth of the class is met; what is there already where it is not.
    fn walk(order: &[u32], labels: &[Bits], fifths: &mut [[u16; LANES]; 2]) = walk_kernel
}

#[inline(always)]
fn walk_kernel(order: &[u32], labels: &[Bits], fifths: &mut [[u16; LANES]; 2]) {
    const WORDS: usize = LANES / 64;
    // Per class: counts in three bits, and who has met five.
    let mut ones = [[0u64; WORDS]; 2];
    let mut twos = [[0u64; WORDS]; 2];
    let mut fours = [[0u64; WORDS]; 2];
    let mut done = [[0u64; WORDS]; 2];
    for (place, &neighbour) in order.iter().enumerate() {
        let bits = &labels[neighbour as usize];
        let mut now = [[0u64; WORDS]; 2];
        let (mut any, mut all) = (0, u64::MAX);
        for class in 0..2 {
            let turned = if class == 1 { 0 } else { u64::MAX };
            for word in 0..WORDS {
                let met = (bits[word] ^ turned) & !done[class][word];
                let carry = ones[class][word] & met;
                ones[class][word] ^= met;
                fours[class][word] ^= twos[class][word] & carry;
                twos[class][word] ^= carry;
                let five = met & ones[class][word] & !twos[class][word] & fours[class][word];
                done[class][word] |= five;
                now[class][word] = five;
                any |= five;
                all &= done[class][word];
            }
        }
        if any != 0 {
            for class in 0..2 {
                for word in 0..WORDS {
                    let mut five = now[class][word];
                    while five != 0 {
                        fifths[class][word * 64 + five.trailing_zeros() as usize] = place as u16;
                        five &= five - 1;
                    }
                }
            }
            if all == u64::MAX {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            comparison::{Measured, Question},
            image::{Column, Images, Labels},
            score::Statistics,
        },
        scoring::members::Setting,
    };

    /// By definition: the fifth-nearest of each class among the other folds, under the labels of one permutation.
    fn plain(pair: &Pair, points: &Matrix, turn: usize) -> f64 {
        let label = |i: usize| pair.labels[turn / LANES][i][turn % LANES / 64] >> (turn % 64) & 1 == 1;
        let n = pair.members.len();
        let square = |i: usize, j: usize| {
            let difference =
                |column: usize| f64::from(points.row(pair.members[i])[column]) - f64::from(points.row(pair.members[j])[column]);
            (0..points.columns()).map(|column| difference(column).powi(2)).sum::<f64>()
        };
        let fifth = |i: usize, class: bool| {
            let mut all: Vec<f64> =
                (0..n).filter(|&j| pair.folds[j] != pair.folds[i] && label(j) == class).map(|j| square(i, j)).collect();
            all.sort_by(f64::total_cmp);
            0.5 * all[4].ln()
        };
        let scores: Vec<f64> = (0..n).map(|i| fifth(i, false) - fifth(i, true)).collect();
        let (mut won, mut played) = (0.0, 0.0);
        for i in (0..n).filter(|&i| label(i)) {
            for j in (0..n).filter(|&j| !label(j) && pair.folds[j] == pair.folds[i]) {
                played += 1.0;
                won += if scores[i] > scores[j] { 1.0 } else { 0.0 };
            }
        }
        won / played
    }

    #[test]
    fn a_permuted_score_is_the_whole_score_again() {
        let mut dice = Stream::new(8, 8);
        let n = 400;
        let id = |i: usize| format!("{i:04}");
        let images = Images((0..n).map(|i| (id(i), None)).collect());
        let identities = Column((0..n).map(|i| (id(i), (i / 3).to_string())).collect());
        let labels =
            Labels([("x".to_owned(), Column((0..n).map(|i| (id(i), u8::from(i % 3 == 0).to_string())).collect()))].into());
        let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
        let question =
            Question { measured: Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]), within: None };
        let statistics = Statistics::default();
        let asked = Asked::new(&setting, &question, &statistics, 3);
        for columns in [1, 2] {
            let points = Matrix::new(n, columns, (0..n * columns).map(|_| dice.uniform() as f32).collect()).unwrap();
            let permutations = Permutations::new(&asked, 600, 3);
            let scores = permutations.scores(&points);
            let off = |turn: usize| f64::from(scores[turn]) - plain(&permutations.pairs[0], &points, turn);
            let all: Vec<f64> = [0, 1, 63, 64, 511, 512, 599].map(off).to_vec();
            assert!(all.iter().all(|off| off.abs() < 0.015), "{columns}: {all:?}");
        }
    }
}
