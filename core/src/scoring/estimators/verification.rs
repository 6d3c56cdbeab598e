//! Verification: are two pictures of the same person? The question face networks are trained for, asked of people that they
//! have not seen.
//!
//! Two images are as alike as the cosine between their features, less the mean of all. Same: every pair of an identity's
//! images, up to some; different: for each image as many others, drawn by the seed. AUC, and the share of same pairs that are
//! accepted where one in a hundred different ones is (TAR at FAR .01; Klare et al., CVPR 2015). Identities are resampled whole
//! (Efron and Tibshirani 1993): a different pair weighs the product of its identities' multiplicities, a same pair that of its one.

use crate::{
    domain::{
        image::{Column, Images},
        score::{Estimate, LEAST_IDENTITIES, Verification},
    },
    numeric::{Matrix, PhiloxStream, Purpose, sum},
    scoring::inference::{
        bootstrap::{Resampler, deviation},
        interval::AucInterval,
        proportion::wilson,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Partners an image has at most, of its own identity and of others each.
const PARTNERS: usize = 32;
/// False accepts that are put up with.
const FAR: f64 = 0.01;
/// Fewer people say nothing about others.
const LEAST_PEOPLE: usize = 10;

/// `None` when there are too few people, or nobody is on two pictures.
pub fn verify(features: &Matrix, images: &Images, identities: &Column, bootstraps: usize, seed: u64) -> Option<Verification> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let of: Vec<Option<usize>> = images
        .ids()
        .map(|id| {
            let next = numbers.len();
            identities.get(id).map(|person| *numbers.entry(person).or_insert(next))
        })
        .collect();
    if numbers.len() < LEAST_PEOPLE {
        return None;
    }
    let units = units(features);
    let likeness = |i: usize, j: usize| {
        let width = features.columns();
        sum::dot(&units[i * width..(i + 1) * width], &units[j * width..(j + 1) * width])
    };
    let pairs = pairs(&of, seed);
    let known = of.iter().flatten().count();
    let same = pairs.iter().filter(|pair| pair.same).count();
    if same == 0 {
        return None;
    }
    let mut scored: Vec<(f64, &ImagePair)> = pairs.iter().map(|pair| (likeness(pair.a, pair.b), pair)).collect();
    scored.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1.a, x.1.b).cmp(&(y.1.a, y.1.b))));
    let several = pairs.iter().filter(|pair| pair.same).filter_map(|pair| of[pair.a]).collect::<BTreeSet<_>>().len();
    let scale = AucInterval::new([known, known], [several, numbers.len()], 1);
    let statistic = |weights: &[u32]| accepted(&scored, weights);
    let resampler = Resampler::new(of.iter().copied(), seed, Purpose::ResampledPairs);
    let [auc, tar] = statistic(&resampler.once());
    let [aucs, tars] = resampler.distributions(bootstraps, statistic);
    Some(Verification {
        format: 1,
        people: numbers.len(),
        same,
        different: pairs.len() - same,
        far: FAR,
        auc: scale.interval(auc?, &aucs, carried(&scored, &of, numbers.len()))?,
        tar: accepted_interval(tar?, &tars, same, several, numbers.len()),
    })
}

/// A share of same pairs, with Wilson's interval on as many independent pairs as would vary as much in resamples; where nothing varies,
/// and at the most, the identities that have such pairs.
fn accepted_interval(tar: f64, resampled: &[f64], same: usize, several: usize, people: usize) -> Estimate {
    if several.min(people) < LEAST_IDENTITIES || resampled.is_empty() {
        return Estimate::bare(tar);
    }
    let effective = tar * (1.0 - tar) / deviation(resampled).powi(2);
    let effective = if effective.is_finite() && effective > 0.0 { effective.min(same as f64) } else { several as f64 };
    wilson(tar, effective).map_or(Estimate::bare(tar), |(low, high)| Estimate::new(tar, low, high))
}

/// How many identities carry the mistakes: Kish's effective number of what their same pairs lost.
fn carried(scored: &[(f64, &ImagePair)], of: &[Option<usize>], people: usize) -> f64 {
    let (mut met, mut lost) = (0.0, vec![0.0; people]);
    for group in scored.chunk_by(|x, y| x.0 == y.0) {
        let different = group.iter().filter(|(_, pair)| !pair.same).count() as f64;
        for (_, pair) in group.iter().filter(|(_, pair)| pair.same) {
            lost[of[pair.a].unwrap_or_default()] += met + different / 2.0;
        }
        met += different;
    }
    let (total, squares) = (lost.iter().sum::<f64>(), lost.iter().map(|of| of * of).sum::<f64>());
    if squares > 0.0 { total * total / squares } else { 0.0 }
}

struct ImagePair {
    a: usize,
    b: usize,
    same: bool,
}

fn pairs(of: &[Option<usize>], seed: u64) -> Vec<ImagePair> {
    let known: Vec<usize> = (0..of.len()).filter(|&i| of[i].is_some()).collect();
    let mut people: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &i in &known {
        people.entry(of[i].unwrap_or_default()).or_default().push(i);
    }
    let mut pairs = Vec::new();
    for images in people.values() {
        for (place, &a) in images.iter().enumerate() {
            pairs.extend(images[place + 1..].iter().take(PARTNERS).map(|&b| ImagePair { a, b, same: true }));
        }
    }
    for &a in &known {
        let mut dice = PhiloxStream::new(seed, Purpose::VerificationPartners, a as u64);
        for _ in 0..PARTNERS {
            let b = known[dice.below(known.len() as u64) as usize];
            if of[b] != of[a] {
                pairs.push(ImagePair { a, b, same: false });
            }
        }
    }
    pairs
}

/// Rows less their mean, of length 1; a row that is the mean stays 0.
fn units(features: &Matrix) -> Vec<f64> {
    let (rows, columns) = (features.rows(), features.columns());
    let means = crate::numeric::tiled::column_means(features);
    let mut units = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        let centred: Vec<f64> = features.row(row).iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean).collect();
        let length = sum::dot(&centred, &centred).sqrt();
        units.extend(centred.iter().map(|value| if length > 0.0 { value / length } else { 0.0 }));
    }
    units
}

/// AUC and TAR of pairs from the most to the least alike, with these weights of images; ties of likeness count half.
fn accepted(scored: &[(f64, &ImagePair)], weights: &[u32]) -> [Option<f64>; 2] {
    // The two images of a same pair are one identity: its multiplicity counts once.
    let weight = |pair: &ImagePair| {
        let (a, b) = (f64::from(weights[pair.a]), f64::from(weights[pair.b]));
        if pair.same { a } else { a * b }
    };
    let total = |same: bool| scored.iter().filter(|(_, pair)| pair.same == same).map(|(_, pair)| weight(pair)).sum::<f64>();
    let (same, different) = (total(true), total(false));
    if same == 0.0 || different == 0.0 {
        return [None, None];
    }
    let (mut wins, mut met_same, mut met_different, mut at_far) = (0.0, 0.0, 0.0, None);
    for group in scored.chunk_by(|x, y| x.0 == y.0) {
        let of = |same: bool| group.iter().filter(|(_, pair)| pair.same == same).map(|(_, pair)| weight(pair)).sum::<f64>();
        let (s, d) = (of(true), of(false));
        if at_far.is_none() && met_different + d > FAR * different {
            at_far = Some(met_same);
        }
        wins += d * (met_same + s / 2.0);
        met_same += s;
        met_different += d;
    }
    [Some(wins / (same * different)), Some(at_far.unwrap_or(met_same) / same)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(images: usize, per: usize) -> (Images, Column) {
        let ids: Vec<String> = (0..images).map(|i| format!("{i:04}")).collect();
        let column = ids.iter().enumerate().map(|(i, id)| (id.as_str(), (i / per).to_string())).collect();
        (Images(ids.into_iter().map(|id| (id, None)).collect()), column)
    }

    #[test]
    fn people_apart_are_told_apart_and_noise_is_chance() {
        let (images, identities) = people(120, 4);
        let mut dice = PhiloxStream::for_test(3, 0);
        let apart: Vec<f32> = (0..120).flat_map(|i| (0..30).map(move |c| if c == i / 4 { 1.0 } else { 0.0 })).collect();
        let of = verify(&Matrix::new(120, 30, apart).unwrap(), &images, &identities, 200, 1).unwrap();
        assert_eq!((of.auc.value, of.tar.value, of.people, of.same), (1.0, 1.0, 30, 180));
        let noise: Vec<f32> = (0..120 * 8).map(|_| dice.uniform() as f32).collect();
        let of = verify(&Matrix::new(120, 8, noise).unwrap(), &images, &identities, 200, 1).unwrap();
        let auc = of.auc.interval.unwrap();
        assert!(auc.low < 0.5 && auc.high > 0.5 && of.tar.value < 0.1, "{of:?}");
    }

    #[test]
    fn perfect_verification_of_few_is_not_said_to_be_sure() {
        let of = |n: usize| {
            let (images, identities) = people(n * 4, 4);
            let apart = (0..n * 4).flat_map(|i| (0..n).map(move |c| if c == i / 4 { 1.0 } else { 0.0 })).collect();
            verify(&Matrix::new(n * 4, n, apart).unwrap(), &images, &identities, 100, 1).unwrap()
        };
        let (few, enough) = (of(12), of(60));
        assert_eq!((few.auc, few.tar), (Estimate::bare(1.0), Estimate::bare(1.0)));
        // Sixty of sixty: a rule of three says that one in twenty may be wrong.
        let (auc, tar) = (enough.auc.interval.unwrap(), enough.tar.interval.unwrap());
        assert!(0.9 < auc.low && auc.low < 0.999 && auc.high == 1.0 && 0.9 < tar.low && tar.low < 0.95, "{enough:?}");
    }

    #[test]
    fn the_auc_is_the_share_of_pairs_won() {
        let pairs = [(true, 0), (false, 1), (true, 2), (false, 3)].map(|(same, a)| ImagePair { a, b: a, same });
        let scored: Vec<(f64, &ImagePair)> = [0.9, 0.8, 0.8, 0.1].into_iter().zip(&pairs).collect();
        // The first same pair wins both; the second ties one and wins one: 3.5 of 4.
        assert_eq!(accepted(&scored, &[1; 4])[0], Some(3.5 / 4.0));
        assert_eq!(accepted(&scored, &[1; 4])[1], Some(0.5), "nothing is accepted that would let a different pair in");
    }

    #[test]
    fn too_few_people_or_nobody_twice_is_no_verification() {
        let features = |n: usize| Matrix::new(n, 2, vec![0.5; n * 2]).unwrap();
        let (images, identities) = people(18, 2);
        assert!(verify(&features(18), &images, &identities, 20, 1).is_none());
        let (images, identities) = people(30, 1);
        assert!(verify(&features(30), &images, &identities, 20, 1).is_none());
    }
}
