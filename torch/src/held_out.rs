//! Identities that a network does not learn from. After every epoch it is asked which pairs of their pictures show one person.

use crate::{
    feed::{KEPT, Scaler},
    network::{Mode, TorchNetwork},
};
use std::{collections::BTreeMap, sync::Arc};
use tch::{Device, Kind, Tensor};
use visavis_core::{
    dataset::{Album, Loader},
    domain::{
        Fault, Result,
        text::{count, thousands},
    },
    numeric::{PhiloxStream, Purpose, pulse},
};

/// Pictures at a time.
const BATCH: usize = 32;
/// Pictures that are compared with each other, at the most: two million pairs.
const MOST_PICTURES: usize = 2000;
/// Fewer identities have no pairs of two people, or leave none to learn from.
const LEAST_IDENTITIES: usize = 2;

/// The places of a training set's pictures, in two parts that share no identity.
#[derive(Debug, PartialEq)]
pub(crate) struct Parted {
    pub learned: Vec<usize>,
    pub held_out: Vec<usize>,
}

/// Holds out whole identities of two or more pictures, drawn by the seed: this share of all, or as many as have [`MOST_PICTURES`] together.
/// `identity`: of each picture.
///
/// # Errors
/// Too few identities on either side.
pub(crate) fn part<T: Ord>(identity: &[T], share: f64, seed: u64) -> Result<Parted> {
    let mut pictures: BTreeMap<&T, usize> = BTreeMap::new();
    identity.iter().for_each(|of| *pictures.entry(of).or_default() += 1);
    let wanted = ((share * pictures.len() as f64).round() as usize).max(LEAST_IDENTITIES);
    let mut several: Vec<&T> = pictures.iter().filter(|(_, count)| **count > 1).map(|(of, _)| *of).collect();
    PhiloxStream::new(seed, Purpose::HeldOutIdentities, 0).shuffle(&mut several);
    let mut total = 0;
    several.retain(|of| {
        let fits = total + pictures[of] <= MOST_PICTURES;
        total += if fits { pictures[of] } else { 0 };
        fits
    });
    several.truncate(wanted);
    if several.len() < LEAST_IDENTITIES || pictures.len() - several.len() < LEAST_IDENTITIES {
        let what = format!(
            "of {} identities of the training set, {} can be held out (of two or more pictures, {} pictures in all), and both parts need \
             {LEAST_IDENTITIES} or more",
            thousands(pictures.len()),
            thousands(several.len()),
            thousands(MOST_PICTURES),
        );
        return Err(Fault::asked(what)
            .next("leave `validation` out of the recipe, or train on a set of more identities with several pictures"));
    }
    several.sort_unstable();
    let (held_out, learned) = (0..identity.len()).partition(|&place| several.binary_search(&&identity[place]).is_ok());
    Ok(Parted { learned, held_out })
}

/// Pictures of held-out identities.
pub(crate) struct HeldOut {
    album: Arc<Album>,
    /// Of each picture.
    identity: Vec<i64>,
    threads: usize,
    /// The pictures in batches, once they were opened, if they are not too large.
    kept: Vec<Tensor>,
}

impl HeldOut {
    pub(crate) fn new(album: Album, identity: Vec<i64>, threads: usize) -> Self {
        HeldOut { album: Arc::new(album), identity, threads, kept: Vec::new() }
    }

    pub(crate) fn images(&self) -> usize {
        self.identity.len()
    }

    /// What there is: "57 identities with 812 pictures".
    pub(crate) fn words(&self) -> String {
        let mut identities = self.identity.clone();
        identities.sort_unstable();
        identities.dedup();
        let identities = identities.len();
        let noun = if identities == 1 { "identity" } else { "identities" };
        format!("{} {noun} with {}", thousands(identities), count(self.identity.len(), "picture"))
    }

    /// The AUC of cosine similarity: pairs of one identity against pairs of two, of all pictures. `None`: embeddings are no numbers.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub(crate) fn auc(&mut self, network: &TorchNetwork, scaler: &Scaler) -> Result<Option<f64>> {
        let embed = |pixels: &Tensor| {
            pulse::beat();
            tch::no_grad(|| network.embedding(&scaler.scaled(pixels), Mode::IsRead)).to_kind(Kind::Float)
        };
        let mut embedded: Vec<Tensor> = self.kept.iter().map(embed).collect();
        if embedded.is_empty() {
            let keeps = self.identity.len() * self.album.numbers() <= KEPT;
            let size = self.album.preparation.size as i64;
            let all: Vec<usize> = (0..self.identity.len()).collect();
            for loaded in Loader::start(&self.album, &all, BATCH, self.threads) {
                let pixels = Tensor::from_slice(&loaded?.pixels).reshape([-1, 3, size, size]);
                embedded.push(embed(&pixels));
                self.kept.extend(Some(pixels).filter(|_| keeps));
            }
        }
        let embedded = Tensor::cat(&embedded, 0);
        let norms = embedded.norm_scalaropt_dim(2.0, [1i64], true).clamp_min(f64::from(f32::MIN_POSITIVE));
        let embedded = embedded / norms;
        let similarity = embedded.matmul(&embedded.tr()).to_device(Device::Cpu).contiguous().flatten(0, -1);
        let similarity = Vec::<f32>::try_from(&similarity).map_err(|error| Fault::unexpected(error.to_string()))?;
        let n = self.identity.len();
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let pairs: Vec<(f32, bool)> = pairs.map(|(i, j)| (similarity[i * n + j], self.identity[i] == self.identity[j])).collect();
        Ok(auc(pairs))
    }
}

/// The share of pairs of a similar and a dissimilar one in which the similar one has more; equal ones count half (Mann and Whitney). `None` where a
/// value is no number, or all are of one kind.
fn auc(mut pairs: Vec<(f32, bool)>) -> Option<f64> {
    if pairs.iter().any(|(value, _)| !value.is_finite()) {
        return None;
    }
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0.0, 0.0);
    for equal in pairs.chunk_by(|a, b| a.0 == b.0) {
        let same = equal.iter().filter(|(_, same)| *same).count() as f64;
        let other = equal.len() as f64 - same;
        won += same * (below + other / 2.0);
        below += other;
    }
    let same = pairs.len() as f64 - below;
    (same > 0.0 && below > 0.0).then(|| won / (same * below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn whole_identities_of_several_pictures_are_held_out() {
        // Of forty identities every fourth has one picture.
        let identity: Vec<usize> = (0..40).flat_map(|of| vec![of; if of % 4 == 0 { 1 } else { 3 }]).collect();
        let parted = part(&identity, 0.2, 7).unwrap();
        let of = |places: &[usize]| places.iter().map(|place| identity[*place]).collect::<BTreeSet<_>>();
        let (learned, held_out) = (of(&parted.learned), of(&parted.held_out));
        assert_eq!((held_out.len(), learned.len(), parted.held_out.len()), (8, 32, 24));
        assert!(learned.is_disjoint(&held_out) && held_out.iter().all(|of| of % 4 != 0));
        assert_eq!(part(&identity, 0.2, 7).unwrap(), parted);
        assert_ne!(part(&identity, 0.2, 8).unwrap(), parted);
    }

    #[test]
    fn no_more_are_held_out_than_can_be_compared_and_too_few_are_refused() {
        let identity: Vec<usize> = (0..100).flat_map(|of| vec![of; 90]).collect();
        assert_eq!(part(&identity, 0.5, 1).unwrap().held_out.len(), 22 * 90);
        // One that is larger than all that may be compared is passed over.
        let identity: Vec<usize> = std::iter::repeat_n(0, 3000).chain((1..20).flat_map(|of| [of; 2])).collect();
        for seed in 0..20 {
            let parted = part(&identity, 0.2, seed).unwrap();
            assert_eq!((parted.held_out.len(), parted.learned.len()), (8, 3030));
        }
        let told = part(&[1, 2, 3, 4, 4], 0.1, 1).unwrap_err().to_string();
        assert!(told.contains("of 4 identities of the training set, 1 can be held out"), "{told}");
        assert!(part(&[1, 1, 2, 2, 3, 3], 0.5, 1).is_err(), "one would be left");
    }

    #[test]
    fn auc_counts_pairs_and_half_of_what_is_equal() {
        assert_eq!(auc(vec![(0.9, true), (0.1, false), (0.5, true), (0.5, false)]), Some(0.875));
        assert_eq!(auc(vec![(0.5, true), (0.5, false)]), Some(0.5));
        assert_eq!(auc(vec![(0.5, true)]), None);
        assert_eq!(auc(vec![(f32::NAN, true), (0.1, false)]), None);
    }
}
