//! A view's score on half B when labels mean nothing: the whole of it again, under permuted labels.
//!
//! Blocks of labels are permuted among identities of equal image count, inside the images that a pair of classes is about. Keys of
//! (seed, turn, identity) say who takes whose labels: all views of a comparison share a permutation, and comparisons about the same
//! images do. Halves are stratified by class, so two comparisons are seldom about quite the same: between them permutations are
//! nearly independent, which makes the largest of the grid larger, if anything. Neighbours are looked for anew under every
//! permutation: scores that were kept, and labels permuted beside them, vary by about √2 too little, for two people who are near and
//! alike win each by the other.
//!
//! What no permutation changes is who is near whom. So every member's neighbours are put in order once, and 512 permutations walk
//! along it at once, one bit each, counting to five. Scores are taken in 64 steps that are met equally often; ties count half.

mod bit_sliced;
mod order;

use crate::{
    numeric::{Matrix, PhiloxStream, Purpose, random::mixed},
    scoring::design::{
        EvaluationDesign,
        split::{FOLDS, Half},
    },
};
use bit_sliced::{CountToFive, LANES, NEIGHBOUR, NeighborPath, PermutationBits, STEPS, ScoreCodes, ScoreQuantizer};
use order::Places;
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// How far a walk goes for five of the rarer class: so many times as far as it takes on average, and never farther than this.
/// Who has not met five by then is taken to meet the fifth there.
const PATIENCE: f64 = 2.5;
const FARTHEST: usize = 4000;
/// Members whose fifths under the first 64 permutations say where steps are.
const SAMPLE: usize = 64;
/// And where more than half of their scores are the same.
const LARGE_SAMPLE: usize = 2000;
/// Permutations whose scores are counted at once: their counts stay in the nearest cache.
const COUNTED: usize = 32;
/// Blocks of permutations that are walked before their scores are counted.
const WALKED: usize = 4;

/// The permutations of one question, for all its views.
pub struct Permutations {
    turns: usize,
    pairs: Vec<ClassPair>,
}

/// The members of half B that one pair of classes is about, one fold after the other.
struct ClassPair {
    /// Places among the members.
    members: Vec<usize>,
    folds: Vec<Range<usize>>,
    /// Per block of permutations, per entry of `members`: is it of the first class?
    labels: Vec<Vec<PermutationBits>>,
    /// How many neighbours it takes to meet five of the second class and of the first, on average; and how many a walk may meet.
    expected: [usize; 2],
    far: usize,
    people: BTreeSet<usize>,
    moved: BTreeSet<usize>,
}

impl Permutations {
    pub fn new(asked: &EvaluationDesign, turns: usize, seed: u64) -> Self {
        let pairs: Vec<[&[bool]; 2]> = asked.pairs().collect();
        Permutations { turns, pairs: pairs.into_par_iter().map(|sets| ClassPair::new(asked, sets, turns, seed)).collect() }
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

impl ClassPair {
    fn new(asked: &EvaluationDesign, [first, second]: [&[bool]; 2], turns: usize, seed: u64) -> Self {
        let mut members: Vec<usize> = asked.split.of(Half::B).into_iter().filter(|&i| first[i] || second[i]).collect();
        members.sort_by_key(|&i| asked.split.fold[i]);
        let start = |fold: usize| members.partition_point(|&i| asked.split.fold[i] < fold);
        let folds = (0..FOLDS).map(|fold| start(fold)..start(fold + 1)).collect();
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
            // Where there are fewer permutations, the rest are the labels themselves.
            let mut bits: Vec<PermutationBits> =
                labels.iter().map(|label| [if *label { u64::MAX } else { 0 }; LANES / 64]).collect();
            let mut permuted = labels.clone();
            for lane in 0..LANES.min(turns - block * LANES) {
                let keys = PhiloxStream::new(seed, Purpose::Permuted, (block * LANES + lane) as u64).bits();
                strata.iter().for_each(|stratum| stratum.permute(&labels, keys, &mut permuted));
                for (bits, label) in bits.iter_mut().zip(&permuted) {
                    let word = &mut bits[lane / 64];
                    *word = *word & !(1 << (lane % 64)) | u64::from(*label) << (lane % 64);
                }
            }
            bits
        };
        let ones = labels.iter().filter(|label| **label).count();
        let expected = [labels.len() - ones, ones].map(|of| NEIGHBOUR as f64 * labels.len() as f64 / of.max(1) as f64);
        ClassPair {
            folds,
            labels: (0..turns.div_ceil(LANES)).map(block).collect(),
            expected: expected.map(|neighbours| neighbours as usize),
            far: ((expected[0].max(expected[1]) * PATIENCE) as usize + 10).min(FARTHEST),
            people,
            members,
            moved,
        }
    }

    fn aucs(&self, points: &Matrix, turns: usize) -> Vec<f64> {
        let n = self.members.len();
        if self.folds.iter().any(|fold| fold.len() == n) {
            return vec![f64::NAN; turns];
        }
        let places = Places::new(points, &self.members, self.folds.clone());
        let sample = |members: usize| {
            let mut path = NeighborPath::default();
            let mut fifths = vec![];
            for member in (0..n).step_by(n.div_ceil(members)) {
                path.follow(&places, member, self.far);
                fifths.extend(self.first_fifths(&path).take(turns));
            }
            fifths
        };
        // Where most are alike, the few others are to be met too.
        let scale = ScoreQuantizer::of(&sample(SAMPLE));
        let scale = if scale.has_tie() { ScoreQuantizer::of(&sample(LARGE_SAMPLE)) } else { scale };
        let mut aucs = Vec::with_capacity(turns);
        for labels in self.labels.chunks(WALKED) {
            // By member, by block.
            let mut codes: Vec<ScoreCodes> = vec![[[[0; 64]; 8]; 2]; n * labels.len()];
            codes.par_chunks_mut(labels.len()).enumerate().for_each_init(NeighborPath::default, |path, (member, codes)| {
                path.follow(&places, member, self.far);
                path.scale(&scale, self.expected);
                for (codes, labels) in codes.iter_mut().zip(labels) {
                    path.walk(labels, &labels[member], codes);
                }
            });
            let of_block = |block: usize| self.counted(&scale, |member| &codes[member * labels.len() + block]);
            aucs.par_extend((0..labels.len()).into_par_iter().flat_map_iter(of_block));
        }
        aucs.truncate(turns);
        aucs
    }

    /// How far away a member meets the fifth of the second class and of the first, under each of the first 64 permutations.
    fn first_fifths(&self, path: &NeighborPath) -> impl Iterator<Item = [f64; 2]> {
        let mut fifths = [[path.logs[path.logs.len() - 1]; 64]; 2];
        for (fifths, turned) in fifths.iter_mut().zip([u64::MAX, 0]) {
            let mut met = CountToFive::<1>::NONE;
            for (neighbour, log) in path.neighbours.iter().zip(&path.logs) {
                let [mut now] = met.meet(&[self.labels[0][*neighbour as usize][0] ^ turned]);
                while now != 0 {
                    fifths[now.trailing_zeros() as usize] = *log;
                    now &= now - 1;
                }
            }
        }
        let [second, first] = fifths;
        second.into_iter().zip(first).map(<[f64; 2]>::from)
    }

    /// The AUC by permutation of a block, from its members' codes.
    fn counted<'c>(&self, scale: &ScoreQuantizer, codes: impl Fn(usize) -> &'c ScoreCodes) -> Vec<f64> {
        let mut aucs = vec![0.5; LANES];
        for (row, first) in (0..8).flat_map(|row| [0, COUNTED].map(|first| (row, first))) {
            let mut wins = [[0u64; 2]; COUNTED];
            for fold in &self.folds {
                let mut met = [[0u32; 2 * STEPS]; COUNTED];
                for member in fold.clone() {
                    let [low, high] = codes(member).each_ref().map(|part| &part[row][first..first + COUNTED]);
                    for ((met, low), high) in met.iter_mut().zip(low).zip(high) {
                        let met = &mut met[scale.step([*low, *high])];
                        *met = met.wrapping_add(1);
                    }
                }
                for (met, [won, played]) in met.iter().zip(&mut wins) {
                    let (mut negatives, mut positives) = (0u64, 0u64);
                    for [negative, positive] in met.as_chunks::<2>().0 {
                        let (negative, positive) = (u64::from(*negative), u64::from(*positive));
                        // Twice the wins, so that a tie is one.
                        *won += positive * (2 * negatives + negative);
                        negatives += negative;
                        positives += positive;
                    }
                    *played += negatives * positives;
                }
            }
            for (column, [won, played]) in wins.into_iter().enumerate().filter(|(_, [_, played])| *played > 0) {
                aucs[bit_sliced::turn(row, first + column)] = won as f64 / (2 * played) as f64;
            }
        }
        aucs
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            comparison::{Measured, Question},
            image::{Column, Images, Labels},
            score::Statistics,
        },
        numeric::multiversion::each_level,
        scoring::{design::members::Setting, inference::bootstrap::deviation},
    };

    /// By definition: the fifth-nearest of each class among the other folds, under the labels of one permutation.
    fn plain(pair: &ClassPair, points: &Matrix, turn: usize) -> f64 {
        let label = |i: usize| pair.labels[turn / LANES][i][turn % LANES / 64] >> (turn % 64) & 1 == 1;
        let n = pair.members.len();
        let fold = |i: usize| pair.folds.iter().position(|fold| fold.contains(&i));
        let square = |i: usize, j: usize| {
            let difference =
                |column: usize| f64::from(points.row(pair.members[i])[column]) - f64::from(points.row(pair.members[j])[column]);
            (0..points.columns()).map(|column| difference(column).powi(2)).sum::<f64>()
        };
        let fifth = |i: usize, class: bool| {
            let mut all: Vec<f64> = (0..n).filter(|&j| fold(j) != fold(i) && label(j) == class).map(|j| square(i, j)).collect();
            all.sort_by(f64::total_cmp);
            0.5 * all[4].max(f64::MIN_POSITIVE).ln()
        };
        let scores: Vec<f64> = (0..n).map(|i| fifth(i, false) - fifth(i, true)).collect();
        let (mut won, mut played) = (0.0, 0.0);
        for i in (0..n).filter(|&i| label(i)) {
            for j in (0..n).filter(|&j| !label(j) && fold(j) == fold(i)) {
                played += 1.0;
                won += if scores[i] > scores[j] { 1.0 } else { f64::from(u8::from(scores[i] == scores[j])) / 2.0 };
            }
        }
        won / played
    }

    /// Rare classes and common ones, of people and of images; points that are scattered, that lie together by person or in clumps
    /// of anybody, that have few places, that are nearly all at one.
    #[test]
    fn a_permuted_score_is_the_whole_score_again() {
        let mut dice = PhiloxStream::for_test(8, 8);
        let n = 600;
        let id = |i: usize| format!("{i:04}");
        let images = Images((0..n).map(|i| (id(i), None)).collect());
        let identities = (0..n).map(|i| (id(i), (i / 3).to_string())).collect::<Column>();
        type Place = fn(usize, &mut PhiloxStream) -> f64;
        let places: [(&str, Place); 6] = [
            ("scattered", |_, dice| dice.uniform()),
            ("by person", |i, dice| PhiloxStream::for_test(1, i as u64 / 3).uniform() + 0.02 * dice.uniform()),
            ("few places", |_, dice| (dice.uniform() * 9.0).floor()),
            ("in clumps", |i, dice| PhiloxStream::for_test(1, i as u64 % 75).uniform() + 1e-6 * dice.uniform()),
            ("eight at a place", |i, _| PhiloxStream::for_test(1, i as u64 % 75).uniform()),
            ("nearly all at one", |_, dice| if dice.uniform() < 0.97 { 0.0 } else { dice.uniform() }),
        ];
        for (share, together) in [(0.33, 1), (0.5, 3), (0.1, 3)] {
            let drawn: Vec<bool> = (0..n).map(|_| dice.uniform() < share).collect();
            let label = |i: usize| u8::from(drawn[i / together * together]).to_string();
            let labels: Labels = [("x", (0..n).map(|i| (id(i), label(i))).collect::<Column>())].into_iter().collect();
            let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
            let question =
                Question { measured: Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]), within: None };
            let statistics = Statistics::default();
            let asked = EvaluationDesign::new(&setting, &question, &statistics, 3);
            let permutations = Permutations::new(&asked, 600, 3);
            for (name, place) in places {
                for columns in [1, 2] {
                    let values = (0..n * columns).map(|at| place(at / columns, &mut dice) as f32).collect();
                    let points = Matrix::new(n, columns, values).unwrap();
                    let scores = permutations.scores(&points);
                    each_level(|level| assert_eq!(permutations.scores(&points), scores, "{}", level.word()));
                    let turns: Vec<usize> = (0..24).map(|turn| turn * 26).collect();
                    let plain: Vec<f64> = turns.iter().map(|turn| plain(&permutations.pairs[0], &points, *turn)).collect();
                    let own: Vec<f64> = turns.iter().map(|turn| f64::from(scores[*turn])).collect();
                    let off = own.iter().zip(&plain).map(|(own, plain)| (own - plain).abs()).fold(0.0, f64::max);
                    let ratio = deviation(&own) / deviation(&plain);
                    let of = format!("{name}, {columns}, {share} {together}: off {off:.4}, spread {ratio:.3}");
                    assert!(off < 0.025 && (off < 0.01 || (ratio - 1.0).abs() < 0.06), "{of}");
                }
            }
        }
    }
}
