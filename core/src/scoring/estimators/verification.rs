//! Verification: are two images of the same identity? This is what face networks are trained for, asked of identities that they have not
//! seen.
//!
//! The similarity of two images is the cosine of their features, less the mean of all. Genuine pairs: every pair of an identity's images,
//! up to a limit. Impostor pairs: for each image as many others, drawn by the seed. Reported are the AUC, and the share of genuine pairs
//! that are accepted where one impostor pair in a hundred is (TAR at FAR .01; Klare et al., CVPR 2015). Identities are resampled whole
//! (Efron and Tibshirani 1993): an impostor pair weighs the product of its identities' multiplicities, a genuine pair that of its one.

use crate::{
    domain::{
        image::{Column, Images},
        score::{Estimate, LEAST_IDENTITIES, Verification},
    },
    numeric::{Matrix, PhiloxStream, Purpose, sum},
    scoring::{
        design::resample::{ReplicateWeights, Resampler},
        estimators::knn::kish,
        inference::{bootstrap::deviation, interval::AucInterval, proportion::wilson},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Partners of an image, at most: of its own identity, and of others.
const PARTNERS: usize = 32;
/// The share of impostor pairs that is accepted.
const FAR: f64 = 0.01;
/// With fewer identities nothing is verified.
const LEAST_VERIFIED: usize = 10;

/// Verifies by features (N × D, rows in the order of `images`). `None` with fewer than ten identities, or where none has two images.
pub fn verify(features: &Matrix, images: &Images, identities: &Column, bootstraps: usize, seed: u64) -> Option<Verification> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let identity_of: Vec<Option<usize>> = images
        .ids()
        .map(|id| {
            let next = numbers.len();
            identities.get(id).map(|identity| *numbers.entry(identity).or_insert(next))
        })
        .collect();
    if numbers.len() < LEAST_VERIFIED {
        return None;
    }
    let units = unit_rows(features);
    let similarity = |i: usize, j: usize| {
        let width = features.columns();
        sum::dot(&units[i * width..(i + 1) * width], &units[j * width..(j + 1) * width])
    };
    let pairs = pairs(&identity_of, seed);
    let known = identity_of.iter().flatten().count();
    let genuine = pairs.iter().filter(|pair| pair.genuine).count();
    if genuine == 0 {
        return None;
    }
    let mut scored: Vec<(f64, &ImagePair)> = pairs.iter().map(|pair| (similarity(pair.a, pair.b), pair)).collect();
    scored.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1.a, x.1.b).cmp(&(y.1.a, y.1.b))));
    let with_pairs =
        pairs.iter().filter(|pair| pair.genuine).filter_map(|pair| identity_of[pair.a]).collect::<BTreeSet<_>>().len();
    let interval = AucInterval::new([known, known], [with_pairs, numbers.len()], 1);
    let resampler = Resampler::new(identity_of.iter().copied(), seed, Purpose::ResampledPairs);
    let ranked = ranked(&scored, |image| resampler.identity(image) as u32);
    let [[auc], [tar]] = auc_and_tar(&ranked, &vec![[1]; numbers.len()]);
    let resampled = |weights: ReplicateWeights| auc_and_tar(&ranked, weights.multiplicities);
    let [aucs, tars] = resampler.distributions_of_many(bootstraps, resampled);
    Some(Verification {
        format: 1,
        people: numbers.len(),
        same: genuine,
        different: pairs.len() - genuine,
        far: FAR,
        auc: interval.interval(auc?, &aucs, effective_identities(&scored, &identity_of, numbers.len()))?,
        tar: tar_interval(tar?, &tars, genuine, with_pairs, numbers.len()),
    })
}

/// The TAR with Wilson's interval on as many independent pairs as would vary as much in resamples: at most `genuine`, and where nothing
/// varies the identities `with_pairs`.
fn tar_interval(tar: f64, resampled: &[f64], genuine: usize, with_pairs: usize, identities: usize) -> Estimate {
    if with_pairs.min(identities) < LEAST_IDENTITIES || resampled.is_empty() {
        return Estimate::bare(tar);
    }
    let effective = tar * (1.0 - tar) / deviation(resampled).powi(2);
    let effective = if effective.is_finite() && effective > 0.0 { effective.min(genuine as f64) } else { with_pairs as f64 };
    wilson(tar, effective).map_or(Estimate::bare(tar), |(low, high)| Estimate::new(tar, low, high))
}

/// How many identities carry the errors: Kish's effective number of the comparisons that their genuine pairs lost.
fn effective_identities(scored: &[(f64, &ImagePair)], identity_of: &[Option<usize>], identities: usize) -> f64 {
    let (mut above, mut lost) = (0.0, vec![0.0; identities]);
    for group in scored.chunk_by(|x, y| x.0 == y.0) {
        let impostors = group.iter().filter(|(_, pair)| !pair.genuine).count() as f64;
        for (_, pair) in group.iter().filter(|(_, pair)| pair.genuine) {
            lost[identity_of[pair.a].unwrap_or_default()] += above + impostors / 2.0;
        }
        above += impostors;
    }
    kish(&lost)
}

/// Two images, as rows.
struct ImagePair {
    a: usize,
    b: usize,
    genuine: bool,
}

/// Genuine pairs, then impostor pairs.
fn pairs(identity_of: &[Option<usize>], seed: u64) -> Vec<ImagePair> {
    let known: Vec<usize> = (0..identity_of.len()).filter(|&i| identity_of[i].is_some()).collect();
    let mut by_identity: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &i in &known {
        by_identity.entry(identity_of[i].unwrap_or_default()).or_default().push(i);
    }
    let mut pairs = Vec::new();
    for images in by_identity.values() {
        for (place, &a) in images.iter().enumerate() {
            pairs.extend(images[place + 1..].iter().take(PARTNERS).map(|&b| ImagePair { a, b, genuine: true }));
        }
    }
    for &a in &known {
        let mut rng = PhiloxStream::new(seed, Purpose::VerificationPartners, a as u64);
        for _ in 0..PARTNERS {
            let b = known[rng.below(known.len() as u64) as usize];
            if identity_of[b] != identity_of[a] {
                pairs.push(ImagePair { a, b, genuine: false });
            }
        }
    }
    pairs
}

/// The centred rows, each of length 1, row-major; a row that is the mean stays 0.
fn unit_rows(features: &Matrix) -> Vec<f64> {
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

/// A pair in the order of similarities.
struct RankedPair {
    /// Who is on its images.
    identities: [u32; 2],
    genuine: bool,
    /// The next one is less similar.
    ends_tie: bool,
}

/// `scored`: by descending similarity. `identity`: of an image, by its row.
fn ranked(scored: &[(f64, &ImagePair)], identity: impl Fn(usize) -> u32) -> Vec<RankedPair> {
    let of = |(place, (similarity, pair)): (usize, &(f64, &ImagePair))| RankedPair {
        identities: [identity(pair.a), identity(pair.b)],
        genuine: pair.genuine,
        ends_tie: scored.get(place + 1).is_none_or(|next| next.0 != *similarity),
    };
    scored.iter().enumerate().map(of).collect()
}

/// AUC and TAR in N replicates at once; ties count half. `multiplicities`: by identity, how often each replicate drew it.
fn auc_and_tar<const N: usize>(ranked: &[RankedPair], multiplicities: &[[u8; N]]) -> [[Option<f64>; N]; 2] {
    // The two images of a genuine pair are of one identity: its multiplicity counts once.
    let weigh = |pair: &RankedPair, sums: &mut [[f64; N]; 2]| {
        let [a, b] = pair.identities.map(|identity| &multiplicities[identity as usize]);
        let sums = &mut sums[usize::from(pair.genuine)];
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum += if pair.genuine { f64::from(a[k]) } else { f64::from(u16::from(a[k]) * u16::from(b[k])) };
        }
    };
    let (mut totals, mut tied, mut above) = ([[0.0; N]; 2], [[0.0; N]; 2], [[0.0; N]; 2]);
    ranked.iter().for_each(|pair| weigh(pair, &mut totals));
    let [impostors, genuine] = totals;
    let (mut u, mut accepted_at_far) = ([0.0; N], [f64::NAN; N]);
    for pair in ranked {
        weigh(pair, &mut tied);
        if !pair.ends_tie {
            continue;
        }
        for k in 0..N {
            let is_reached = above[0][k] + tied[0][k] > FAR * impostors[k];
            if is_reached && accepted_at_far[k].is_nan() {
                accepted_at_far[k] = above[1][k];
            }
            u[k] += tied[0][k] * (above[1][k] + tied[1][k] / 2.0);
            above[0][k] += tied[0][k];
            above[1][k] += tied[1][k];
        }
        tied = [[0.0; N]; 2];
    }
    let defined = |k: usize, value: f64| (genuine[k] > 0.0 && impostors[k] > 0.0).then_some(value);
    let accepted = |k: usize| if accepted_at_far[k].is_nan() { above[1][k] } else { accepted_at_far[k] };
    [
        std::array::from_fn(|k| defined(k, u[k] / (genuine[k] * impostors[k]))),
        std::array::from_fn(|k| defined(k, accepted(k) / genuine[k])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images_of(images: usize, per: usize) -> (Images, Column) {
        let ids: Vec<String> = (0..images).map(|i| format!("{i:04}")).collect();
        let column = ids.iter().enumerate().map(|(i, id)| (id.as_str(), (i / per).to_string())).collect();
        (Images(ids.into_iter().map(|id| (id, None)).collect()), column)
    }

    #[test]
    fn separate_identities_are_verified_and_noise_is_chance() {
        let (images, identities) = images_of(120, 4);
        let mut rng = PhiloxStream::for_test(3, 0);
        let apart: Vec<f32> = (0..120).flat_map(|i| (0..30).map(move |c| if c == i / 4 { 1.0 } else { 0.0 })).collect();
        let found = verify(&Matrix::new(120, 30, apart).unwrap(), &images, &identities, 200, 1).unwrap();
        assert_eq!((found.auc.value, found.tar.value, found.people, found.same), (1.0, 1.0, 30, 180));
        let noise: Vec<f32> = (0..120 * 8).map(|_| rng.uniform() as f32).collect();
        let found = verify(&Matrix::new(120, 8, noise).unwrap(), &images, &identities, 200, 1).unwrap();
        let auc = found.auc.interval.unwrap();
        assert!(auc.low < 0.5 && auc.high > 0.5 && found.tar.value < 0.1, "{found:?}");
    }

    #[test]
    fn perfect_verification_of_few_identities_has_no_interval() {
        let verified = |n: usize| {
            let (images, identities) = images_of(n * 4, 4);
            let apart = (0..n * 4).flat_map(|i| (0..n).map(move |c| if c == i / 4 { 1.0 } else { 0.0 })).collect();
            verify(&Matrix::new(n * 4, n, apart).unwrap(), &images, &identities, 100, 1).unwrap()
        };
        let (few, enough) = (verified(12), verified(60));
        assert_eq!((few.auc, few.tar), (Estimate::bare(1.0), Estimate::bare(1.0)));
        // Sixty of sixty: a rule of three says that one in twenty may be wrong.
        let (auc, tar) = (enough.auc.interval.unwrap(), enough.tar.interval.unwrap());
        assert!(0.9 < auc.low && auc.low < 0.999 && auc.high == 1.0 && 0.9 < tar.low && tar.low < 0.95, "{enough:?}");
    }

    #[test]
    fn the_auc_is_the_share_of_pairs_in_the_right_order() {
        let pairs = [(true, 0), (false, 1), (true, 2), (false, 3)].map(|(genuine, a)| ImagePair { a, b: a, genuine });
        let scored: Vec<(f64, &ImagePair)> = [0.9, 0.8, 0.8, 0.1].into_iter().zip(&pairs).collect();
        // The first genuine pair is above both impostors; the second ties with one and is above the other: 3.5 of 4.
        let ranked = ranked(&scored, |image| image as u32);
        let [auc, tar] = auc_and_tar(&ranked, &[[1, 1, 2], [1, 0, 1], [1, 1, 1], [1, 0, 3]]);
        assert_eq!(auc[..2], [Some(3.5 / 4.0), None], "the second replicate has no impostor pair");
        assert_eq!(tar[..2], [Some(0.5), None], "nothing is accepted that would let an impostor pair in");
        // Impostor pairs weigh the product of both identities: 1 and 9. Two are above both, one above the ninefold and level with the other.
        assert_eq!((auc[2], tar[2]), (Some((2.0 * 10.0 + 9.5) / 30.0), Some(2.0 / 3.0)));
    }

    #[test]
    fn with_too_few_identities_or_no_genuine_pair_nothing_is_verified() {
        let features = |n: usize| Matrix::new(n, 2, vec![0.5; n * 2]).unwrap();
        let (images, identities) = images_of(18, 2);
        assert!(verify(&features(18), &images, &identities, 20, 1).is_none());
        let (images, identities) = images_of(30, 1);
        assert!(verify(&features(30), &images, &identities, 20, 1).is_none());
    }
}
