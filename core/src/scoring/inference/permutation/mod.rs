//! The null distribution of a view's score on half B: the whole score again, under permuted labels.
//!
//! The labels of an identity's images are permuted as a block, among identities of equal image count, within the images of a pair of
//! classes. Random keys of (seed, permutation, identity) decide which identity gets whose labels, so all views of a comparison share a
//! permutation, and so do comparisons of the same images. Halves are stratified by class, so two comparisons are seldom of exactly the same
//! images: between them permutations are nearly independent, which makes the maximum over all cells larger, if anything.
//!
//! Neighbours are found anew under every permutation. Permuting labels next to fixed scores would give a deviation that is too small by about
//! √2: two identities that are near each other and alike both gain from it.
//!
//! Of very many images a sample of identities is permuted ([`sample`]): scores under permutation then vary more than among all, as scores of
//! fewer images do, so less is called above chance.
//!
//! No permutation changes the order of a member's neighbours. So it is computed once, and 512 permutations walk along it together, one bit
//! each, counting to five. Scores are rounded to 64 steps that are equally frequent; ties count half.

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
use order::NeighborOrder;
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// A walk for five neighbours of the rarer class goes so many times as far as it takes on average, and never farther than `FARTHEST`.
/// Where five are not met by then, the last neighbour counts as the fifth.
const PATIENCE: f64 = 2.5;
const FARTHEST: usize = 4000;
/// Of more images labels are permuted among a sample of about so many.
const PERMUTED: usize = 20_000;
/// So many of each class are in a sample, or all that there are.
const LEAST_OF_CLASS: usize = 1_000;
/// Members whose scores under the first 64 permutations decide where steps are.
const SAMPLE: usize = 64;
/// The same where more than half of the scores are equal.
const LARGE_SAMPLE: usize = 2000;
/// Permutations whose scores are counted at once: their counts stay in the nearest cache.
const COUNTED: usize = 32;
/// Blocks of permutations that are walked before their scores are counted.
const WALKED: usize = 4;

/// The permutations of one question, for all its views.
pub(crate) struct Permutations {
    permutations: usize,
    pairs: Vec<ClassPair>,
}

/// The members of half B in one pair of classes, one fold after the other.
struct ClassPair {
    /// As the design numbers them.
    members: Vec<usize>,
    /// Ranges of `members`.
    folds: Vec<Range<usize>>,
    /// Per block of permutations, per entry of `members`: is it in the first class?
    labels: Vec<Vec<PermutationBits>>,
    /// How many neighbours it takes on average to meet five of the second class, and of the first.
    expected: [usize; 2],
    /// How many neighbours a walk may meet.
    far: usize,
    identities: BTreeSet<usize>,
    /// Identities whose labels can move.
    moved: BTreeSet<usize>,
    /// The images of both classes, of which `members` are all or a sample.
    images: usize,
}

impl Permutations {
    /// So many permutations of the labels on half B.
    pub(crate) fn new(design: &EvaluationDesign, permutations: usize, seed: u64) -> Self {
        let pairs: Vec<[&[bool]; 2]> = design.pairs().collect();
        let pairs = pairs.into_par_iter().enumerate();
        let pairs = pairs.map(|(pair, sets)| ClassPair::new(design, (pair, sets), permutations, seed)).collect();
        Permutations { permutations, pairs }
    }

    /// The number of identities of half B that labels are permuted among, and of those whose labels cannot move, as no other identity has as
    /// many images.
    pub(crate) fn identities_and_moved(&self) -> [usize; 2] {
        let all: BTreeSet<usize> = self.pairs.iter().flat_map(|pair| pair.identities.iter().copied()).collect();
        let moved: BTreeSet<usize> = self.pairs.iter().flat_map(|pair| pair.moved.iter().copied()).collect();
        [all.len(), all.len() - moved.len()]
    }

    /// Of the pair of classes with the least share: how many images of half B labels are permuted among, and how many there are; `None` where
    /// these are the same for every pair.
    pub(crate) fn sampled(&self) -> Option<[usize; 2]> {
        let of_pair = |pair: &ClassPair| [pair.members.len(), pair.images];
        let sampled = self.pairs.iter().map(of_pair).filter(|[permuted, images]| permuted < images);
        sampled.min_by(|[permuted, images], [other, of]| (permuted * of).cmp(&(other * images)))
    }

    /// The mean AUC over pairs under every permutation. `points`: one row a member, one or two columns. NaN where it is undefined.
    pub(crate) fn scores(&self, points: &Matrix) -> Vec<f32> {
        let mut mean = vec![0.0; self.permutations];
        for pair in self.pairs.iter().filter(|_| self.permutations > 0) {
            let aucs = pair.aucs(points, self.permutations);
            mean.iter_mut().zip(aucs).for_each(|(mean, auc)| *mean += auc / self.pairs.len() as f64);
        }
        mean.into_iter().map(|auc| auc as f32).collect()
    }
}

impl ClassPair {
    /// `pair`: its number, for a sample's draw.
    fn new(design: &EvaluationDesign, (pair, [first, second]): (usize, [&[bool]; 2]), permutations: usize, seed: u64) -> Self {
        let mut members: Vec<usize> = design.split.members_of(Half::B).into_iter().filter(|&i| first[i] || second[i]).collect();
        let images = members.len();
        if images > PERMUTED {
            let keys = PhiloxStream::new(seed, Purpose::PermutedSample, pair as u64).bits();
            members = sample(&members, |member| design.group(member), |member| first[member], keys);
        }
        members.sort_by_key(|&i| design.split.fold[i]);
        let start = |fold: usize| members.partition_point(|&i| design.split.fold[i] < fold);
        let folds = (0..FOLDS).map(|fold| start(fold)..start(fold + 1)).collect();
        let labels: Vec<bool> = members.iter().map(|&i| first[i]).collect();
        let mut of_identity: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (place, &i) in members.iter().enumerate() {
            of_identity.entry(design.group(i)).or_default().push(place as u32);
        }
        let identities = of_identity.keys().copied().collect();
        // Labels move between identities of equal image count.
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
            for lane in 0..LANES.min(permutations - block * LANES) {
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
        let expected = [labels.len() - ones, ones].map(|count| NEIGHBOUR as f64 * labels.len() as f64 / count.max(1) as f64);
        ClassPair {
            folds,
            labels: (0..permutations.div_ceil(LANES)).map(block).collect(),
            expected: expected.map(|neighbours| neighbours as usize),
            far: ((expected[0].max(expected[1]) * PATIENCE) as usize + 10).min(FARTHEST),
            identities,
            members,
            moved,
            images,
        }
    }

    /// The AUC under every permutation.
    fn aucs(&self, points: &Matrix, permutations: usize) -> Vec<f64> {
        let n = self.members.len();
        if self.folds.iter().any(|fold| fold.len() == n) {
            return vec![f64::NAN; permutations];
        }
        let neighbors = NeighborOrder::new(points, &self.members, self.folds.clone());
        let sample = |members: usize| {
            let mut path = NeighborPath::default();
            let mut fifths = vec![];
            for member in (0..n).step_by(n.div_ceil(members)) {
                crate::numeric::pulse::beat();
                path.follow(&neighbors, member, self.far);
                fifths.extend(self.first_fifths(&path).take(permutations));
            }
            fifths
        };
        // Where most scores are equal, a larger sample is needed to meet the others.
        let quantizer = ScoreQuantizer::new(&sample(SAMPLE));
        let quantizer = if quantizer.has_tie() { ScoreQuantizer::new(&sample(LARGE_SAMPLE)) } else { quantizer };
        let mut aucs = Vec::with_capacity(permutations);
        for labels in self.labels.chunks(WALKED) {
            // By member, by block.
            let mut codes: Vec<ScoreCodes> = vec![[[[0; 64]; 8]; 2]; n * labels.len()];
            codes.par_chunks_mut(labels.len()).enumerate().for_each_init(NeighborPath::default, |path, (member, codes)| {
                path.follow(&neighbors, member, self.far);
                path.quantize(&quantizer, self.expected);
                for (codes, labels) in codes.iter_mut().zip(labels) {
                    path.walk(labels, &labels[member], codes);
                }
            });
            let of_block = |block: usize| self.aucs_of_block(&quantizer, |member| &codes[member * labels.len() + block]);
            aucs.par_extend((0..labels.len()).into_par_iter().flat_map_iter(of_block));
        }
        aucs.truncate(permutations);
        aucs
    }

    /// log₂ of the squared distance at which a member meets the fifth neighbour of the second class and of the first, under each of the
    /// first 64 permutations.
    fn first_fifths(&self, path: &NeighborPath) -> impl Iterator<Item = [f64; 2]> {
        let mut fifths = [[path.logs[path.logs.len() - 1]; 64]; 2];
        for (fifths, flip) in fifths.iter_mut().zip([u64::MAX, 0]) {
            let mut met = CountToFive::<1>::NONE;
            for (neighbour, log) in path.neighbours.iter().zip(&path.logs) {
                let [mut now] = met.meet(&[self.labels[0][*neighbour as usize][0] ^ flip]);
                while now != 0 {
                    fifths[now.trailing_zeros() as usize] = *log;
                    now &= now - 1;
                }
            }
        }
        let [second, first] = fifths;
        second.into_iter().zip(first).map(<[f64; 2]>::from)
    }

    /// The AUCs of a block of permutations, from its members' codes.
    fn aucs_of_block<'c>(&self, quantizer: &ScoreQuantizer, codes: impl Fn(usize) -> &'c ScoreCodes) -> Vec<f64> {
        let mut aucs = vec![0.5; LANES];
        for (row, first) in (0..8).flat_map(|row| [0, COUNTED].map(|first| (row, first))) {
            // By permutation: twice U, and the pairs.
            let mut statistics = [[0u64; 2]; COUNTED];
            for fold in &self.folds {
                let mut met = [[0u32; 2 * STEPS]; COUNTED];
                for member in fold.clone() {
                    let [low, high] = codes(member).each_ref().map(|part| &part[row][first..first + COUNTED]);
                    for ((met, low), high) in met.iter_mut().zip(low).zip(high) {
                        let met = &mut met[quantizer.step([*low, *high])];
                        *met = met.wrapping_add(1);
                    }
                }
                for (met, [twice_u, pairs]) in met.iter().zip(&mut statistics) {
                    let (mut negatives, mut positives) = (0u64, 0u64);
                    for [negative, positive] in met.as_chunks::<2>().0 {
                        let (negative, positive) = (u64::from(*negative), u64::from(*positive));
                        // A tie counts half, so 1 of twice U.
                        *twice_u += positive * (2 * negatives + negative);
                        negatives += negative;
                        positives += positive;
                    }
                    *pairs += negatives * positives;
                }
            }
            for (column, [twice_u, pairs]) in statistics.into_iter().enumerate().filter(|(_, [_, pairs])| *pairs > 0) {
                aucs[bit_sliced::permutation_at(row, first + column)] = twice_u as f64 / (2 * pairs) as f64;
            }
        }
        aucs
    }
}

/// All images of identities in the order of random keys, until there are [`PERMUTED`], and of each class [`LEAST_OF_CLASS`] or all.
fn sample(members: &[usize], identity: impl Fn(usize) -> usize, is_first: impl Fn(usize) -> bool, keys: u64) -> Vec<usize> {
    let mut of_identity: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    members.iter().for_each(|&member| of_identity.entry(identity(member)).or_default().push(member));
    let mut drawn: Vec<(u64, Vec<usize>)> =
        of_identity.into_iter().map(|(identity, members)| (mixed(keys, identity as u64), members)).collect();
    drawn.sort_unstable();
    let in_classes = |of: &[usize]| {
        let first = of.iter().filter(|member| is_first(**member)).count();
        [first, of.len() - first]
    };
    let wanted = in_classes(members).map(|all| all.min(LEAST_OF_CLASS));
    let (mut sampled, mut counts) = (Vec::new(), [0; 2]);
    for (_, members) in drawn {
        let is_enough = sampled.len() >= PERMUTED && counts.iter().zip(wanted).all(|(count, wanted)| *count >= wanted);
        if is_enough {
            break;
        }
        counts.iter_mut().zip(in_classes(&members)).for_each(|(count, more)| *count += more);
        sampled.extend(members);
    }
    sampled.sort_unstable();
    sampled
}

/// Identities of equal image count, and the places of their images, one identity after the other.
#[derive(Default)]
struct Stratum {
    identities: Vec<usize>,
    places: Vec<u32>,
}

impl Stratum {
    /// Every identity takes the labels of another, in the order of random keys, one an identity.
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

    /// The AUC by definition: the fifth-nearest of each class among the other folds, under the labels of one permutation.
    fn plain(pair: &ClassPair, points: &Matrix, permutation: usize) -> f64 {
        let label = |i: usize| pair.labels[permutation / LANES][i][permutation % LANES / 64] >> (permutation % 64) & 1 == 1;
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
        let (mut u, mut pairs) = (0.0, 0.0);
        for i in (0..n).filter(|&i| label(i)) {
            for j in (0..n).filter(|&j| !label(j) && fold(j) == fold(i)) {
                pairs += 1.0;
                u += if scores[i] > scores[j] { 1.0 } else { f64::from(u8::from(scores[i] == scores[j])) / 2.0 };
            }
        }
        u / pairs
    }

    #[test]
    fn of_very_many_images_whole_identities_are_sampled_and_a_rare_class_keeps_a_thousand() {
        let members: Vec<usize> = (0..60_000).filter(|i| i % 7 != 0).collect();
        let sampled = |first: fn(usize) -> bool, keys| sample(&members, |i| i / 6, first, keys);
        let (some, others) = (sampled(|i| i % 2 == 0, 5), sampled(|i| i % 2 == 0, 6));
        assert!((20_000..20_006).contains(&some.len()) && some != others && some.is_sorted());
        for one in some.iter().copied().step_by(97) {
            let own = |member: &&usize| **member / 6 == one / 6;
            assert_eq!(some.iter().filter(own).count(), members.iter().filter(own).count(), "identities are whole");
        }
        let rare: fn(usize) -> bool = |i| i % 36 == 1;
        let of_rare = |of: &[usize]| of.iter().filter(|i| rare(**i)).count();
        let (all, kept) = (of_rare(&members), of_rare(&sampled(rare, 5)));
        assert!(all > 1_000 && (1_000..1_010).contains(&kept), "{kept} of {all}");
        let rarest: fn(usize) -> bool = |i| i % 600 == 1;
        let is_rarest = |of: &[usize]| of.iter().filter(|i| rarest(**i)).count();
        assert_eq!(is_rarest(&sampled(rarest, 5)), is_rarest(&members), "all of them");
    }

    /// Random points of 45,000 images of half B: scores of the sample lie about a half, and how large it is is told.
    #[test]
    fn very_many_images_are_scored_by_a_sample_which_is_told() {
        let n = 90_000;
        let id = |i: usize| format!("{i:05}");
        let images = Images((0..n).map(|i| (id(i), None)).collect());
        let labels: Labels = [("x", (0..n).map(|i| (id(i), (i % 2).to_string())).collect::<Column>())].into_iter().collect();
        let setting = Setting { images: &images, labels: &labels, identities: None };
        let question =
            Question { measured: Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]), within: None };
        let statistics = Statistics { permutations: 8, ..Statistics::default() };
        let design = EvaluationDesign::new(&setting, &question, &statistics, 3);
        let permutations = Permutations::new(&design, 8, 3);
        assert_eq!(permutations.sampled(), Some([20_000, 45_000]));
        let mut rng = PhiloxStream::for_test(2, 2);
        let points = Matrix::new(n, 1, (0..n).map(|_| rng.uniform() as f32).collect()).unwrap();
        let scores = permutations.scores(&points);
        assert!(scores.iter().all(|score| (score - 0.5).abs() < 0.03), "{scores:?}");
    }

    /// Rare classes and common ones, of identities and of images; points that are scattered, clustered by identity or otherwise, at few
    /// positions, or nearly all at one.
    #[test]
    fn a_permuted_score_is_the_whole_score_again() {
        let mut rng = PhiloxStream::for_test(8, 8);
        let n = 600;
        let id = |i: usize| format!("{i:04}");
        let images = Images((0..n).map(|i| (id(i), None)).collect());
        let identities = (0..n).map(|i| (id(i), (i / 3).to_string())).collect::<Column>();
        type Position = fn(usize, &mut PhiloxStream) -> f64;
        let positions: [(&str, Position); 6] = [
            ("scattered", |_, rng| rng.uniform()),
            ("by person", |i, rng| PhiloxStream::for_test(1, i as u64 / 3).uniform() + 0.02 * rng.uniform()),
            ("few places", |_, rng| (rng.uniform() * 9.0).floor()),
            ("in clumps", |i, rng| PhiloxStream::for_test(1, i as u64 % 75).uniform() + 1e-6 * rng.uniform()),
            ("eight at a place", |i, _| PhiloxStream::for_test(1, i as u64 % 75).uniform()),
            ("nearly all at one", |_, rng| if rng.uniform() < 0.97 { 0.0 } else { rng.uniform() }),
        ];
        for (share, together) in [(0.33, 1), (0.5, 3), (0.1, 3)] {
            let drawn: Vec<bool> = (0..n).map(|_| rng.uniform() < share).collect();
            let label = |i: usize| u8::from(drawn[i / together * together]).to_string();
            let labels: Labels = [("x", (0..n).map(|i| (id(i), label(i))).collect::<Column>())].into_iter().collect();
            let setting = Setting { images: &images, labels: &labels, identities: Some(&identities) };
            let question =
                Question { measured: Measured::Classes(vec!["x".parse().unwrap(), "not x".parse().unwrap()]), within: None };
            let statistics = Statistics::default();
            let design = EvaluationDesign::new(&setting, &question, &statistics, 3);
            let permutations = Permutations::new(&design, 600, 3);
            for (name, position) in positions {
                for columns in [1, 2] {
                    let values = (0..n * columns).map(|at| position(at / columns, &mut rng) as f32).collect();
                    let points = Matrix::new(n, columns, values).unwrap();
                    let scores = permutations.scores(&points);
                    each_level(|level| assert_eq!(permutations.scores(&points), scores, "{}", level.word()));
                    let some: Vec<usize> = (0..24).map(|i| i * 26).collect();
                    let plain: Vec<f64> =
                        some.iter().map(|permutation| plain(&permutations.pairs[0], &points, *permutation)).collect();
                    let own: Vec<f64> = some.iter().map(|permutation| f64::from(scores[*permutation])).collect();
                    let off = own.iter().zip(&plain).map(|(own, plain)| (own - plain).abs()).fold(0.0, f64::max);
                    let ratio = deviation(&own) / deviation(&plain);
                    let case = format!("{name}, {columns}, {share} {together}: off {off:.4}, spread {ratio:.3}");
                    assert!(off < 0.025 && (off < 0.01 || (ratio - 1.0).abs() < 0.06), "{case}");
                }
            }
        }
    }
}
