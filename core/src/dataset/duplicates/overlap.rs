//! What a training set shares with the pictures that are evaluated: pure, over digests, hashes and names.
//!
//! Unlike `compare`, which holds everything against everything, this asks of each picture that is learned from whether the evaluation has
//! it or one that looks like it: the index holds the evaluation alone.

use super::{
    arrangement::Arrangement,
    compare::MOST_LOOKED_AT,
    names::SharedNames,
    near_search::NearSearch,
    picture_hash::{FINE_RADIUS, PictureHash},
};
use crate::{
    domain::{
        Digest,
        image::{Column, Images},
        overlap::{IdentityNames, NearPictures, Overlap, OverlapSide, PicturePair, SharedIdentities, SharedPictures},
    },
    numeric::pulse,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How many of what is shared are named.
const NAMED: usize = 10;
/// Pictures that one thread takes at a time.
const AT_A_TIME: usize = 1024;

/// A set with the hashes of its pictures, one an image in the order of the list.
#[derive(Clone, Copy)]
pub struct HashedSet<'a> {
    /// The images, sorted by id.
    pub images: &'a Images,
    /// Of a picture that is too plain to compare `None`.
    pub hashes: &'a [Option<PictureHash>],
}

/// What is said of who is on the pictures of both sets.
pub struct KnownNames<'a> {
    /// Image of the evaluation → identity, where that is known; the folders that pictures are in stand for it where it is not.
    pub identities: Option<&'a Column>,
    /// Image of the training set → class.
    pub classes: &'a Column,
    /// The two are parts of one data set, so a number is one identity in both.
    pub is_one_data_set: bool,
}

/// What they share. Pictures are named in the order of the evaluation's images.
pub fn overlap(evaluated: HashedSet, learned: HashedSet, names: &KnownNames) -> Overlap {
    overlap_within(evaluated, learned, names, MOST_LOOKED_AT)
}

fn overlap_within(evaluated: HashedSet, learned: HashedSet, names: &KnownNames, most: u64) -> Overlap {
    let (same, is_same) = same(evaluated.images, learned.images);
    let (identities, named) = identities(evaluated.images, names);
    let side = |set: HashedSet, names: usize| OverlapSide {
        pictures: set.images.len(),
        plain: set.hashes.iter().filter(|hash| hash.is_none()).count(),
        names,
    };
    Overlap {
        format: 1,
        evaluated: side(evaluated, named.0),
        learned: side(learned, named.1),
        same,
        near: near(evaluated, learned, &is_same, most),
        identities,
    }
}

fn pair(evaluated: &Images, learned: &Images, (one, other): (usize, usize)) -> PicturePair {
    PicturePair { evaluated: evaluated.0[one].0.clone(), learned: learned.0[other].0.clone() }
}

/// Pictures of the same bytes, and the digests that both sets have.
fn same(evaluated: &Images, learned: &Images) -> (SharedPictures, HashSet<Digest>) {
    let wanted: HashSet<Digest> = evaluated.0.iter().filter_map(|(_, digest)| *digest).collect();
    let mut first: HashMap<Digest, usize> = HashMap::new();
    let mut shared = SharedPictures::default();
    for (place, (_, digest)) in learned.0.iter().enumerate() {
        if let Some(digest) = digest.filter(|digest| wanted.contains(digest)) {
            shared.learned += 1;
            first.entry(digest).or_insert(place);
        }
    }
    for (place, (_, digest)) in evaluated.0.iter().enumerate() {
        let Some(&other) = digest.and_then(|digest| first.get(&digest)) else { continue };
        shared.evaluated += 1;
        if shared.first.len() < NAMED {
            shared.first.push(pair(evaluated, learned, (place, other)));
        }
    }
    (shared, first.into_keys().collect())
}

/// Of a picture of the evaluation: the nearest of the training set, by the distance and then by its place.
type Nearest = BTreeMap<usize, (u32, usize)>;

/// Pictures that look like one of the other set, and are not among those of the same bytes.
fn near(evaluated: HashedSet, learned: HashedSet, is_same: &HashSet<Digest>, most: u64) -> Option<NearPictures> {
    let hashed = |set: HashedSet| -> (Vec<usize>, Vec<PictureHash>) {
        set.hashes.iter().enumerate().filter_map(|(place, hash)| Some((place, (*hash)?))).unzip()
    };
    // One of them may look like a picture that the other set has byte for byte, so all are compared; those are not counted again.
    let is_counted = |set: HashedSet, place: usize| set.images.0[place].1.is_none_or(|digest| !is_same.contains(&digest));
    let ((own, own_hashes), (asked, queries)) = (hashed(evaluated), hashed(learned));
    let search = NearSearch::of(own_hashes);
    let (radius, bits) = search.radius(&queries, most)?;
    let of_chunk = |(places, hashes): (&[usize], &[PictureHash])| -> (Nearest, usize) {
        pulse::beat();
        let (mut nearest, mut count) = (Nearest::new(), 0);
        for (&place, &hash) in places.iter().zip(hashes) {
            let mut is_near = false;
            search.near(hash, &radius, |found, _, distance| {
                is_near = true;
                if is_counted(evaluated, own[found]) {
                    let best = nearest.entry(own[found]).or_insert((distance, place));
                    *best = (*best).min((distance, place));
                }
            });
            count += usize::from(is_near && is_counted(learned, place));
        }
        (nearest, count)
    };
    let found: Vec<(Nearest, usize)> = asked.par_chunks(AT_A_TIME).zip(queries.par_chunks(AT_A_TIME)).map(of_chunk).collect();
    let (mut nearest, mut count) = (Nearest::new(), 0);
    for (of_chunk, some) in found {
        count += some;
        for (place, found) in of_chunk {
            let best = nearest.entry(place).or_insert(found);
            *best = (*best).min(found);
        }
    }
    let first = nearest.iter().take(NAMED).map(|(&place, &(_, other))| pair(evaluated.images, learned.images, (place, other)));
    let shared = SharedPictures { evaluated: nearest.len(), learned: count, first: first.collect() };
    Some(NearPictures { radius: bits, of_all: FINE_RADIUS, shared })
}

/// Identities of one name, and how many names each set has.
fn identities(evaluated: &Images, names: &KnownNames) -> (SharedIdentities, (usize, usize)) {
    let folders = match names.identities {
        Some(_) => None,
        None => {
            Arrangement::of(evaluated.0.iter().map(|(id, _)| id.as_str())).folders.filter(|folders| folders.values().len() > 1)
        }
    };
    let (by, who) = match (names.identities, &folders) {
        (Some(identities), _) => (IdentityNames::Identities, Some(identities)),
        (None, Some(folders)) => (IdentityNames::Folders, Some(folders)),
        (None, None) => (IdentityNames::Nothing, None),
    };
    // Only of what is evaluated: a column may hold more.
    let own: Vec<&str> = who.map_or(vec![], |who| who.aligned(evaluated).into_iter().flatten().collect());
    let (known, others) = (own.iter().copied().collect::<BTreeSet<&str>>(), names.classes.values());
    let SharedNames { named, numbers } = SharedNames::of(&known, &others);
    let (mut shared, mut plain) = (named, numbers);
    if names.is_one_data_set {
        shared.append(&mut plain);
        shared.sort_unstable();
    }
    let is_shared: HashSet<&str> = shared.iter().copied().collect();
    let found = SharedIdentities {
        by,
        shared: shared.len(),
        pictures: own.iter().filter(|name| is_shared.contains(**name)).count(),
        first: shared.iter().take(NAMED).map(|name| (*name).to_owned()).collect(),
        numbers: plain.len(),
    };
    (found, (known.len(), others.len()))
}

#[cfg(test)]
mod tests {
    use super::{super::picture_hash::RADII, *};

    /// A hash that stands for a picture, with so many bits the other way round.
    fn hash(of: u64, flipped: u32) -> Option<PictureHash> {
        let mut bytes = *blake3::hash(&of.to_le_bytes()).as_bytes();
        (0..flipped).for_each(|bit| bytes[(bit % 4) as usize * 8] ^= 1 << (bit / 4));
        Some(PictureHash::from_bytes(bytes))
    }

    /// Pictures: id, bytes, hash.
    fn set(pictures: &[(&str, &str, Option<PictureHash>)]) -> (Images, Vec<Option<PictureHash>>) {
        let images = pictures.iter().map(|(id, bytes, _)| ((*id).to_owned(), Some(Digest::of(bytes.as_bytes())))).collect();
        (Images(images), pictures.iter().map(|(.., hash)| *hash).collect())
    }

    fn folders(ids: &[&str]) -> Column {
        ids.iter().map(|id| (*id, id.split_once('/').unwrap().0)).collect()
    }

    fn ids(pairs: &[PicturePair]) -> Vec<(&str, &str)> {
        pairs.iter().map(|of| (of.evaluated.as_str(), of.learned.as_str())).collect()
    }

    #[test]
    fn shared_pictures_are_counted_on_both_sides_and_named_once_by_bytes_or_by_what_they_show() {
        let mirrored = hash(3, 0).map(PictureHash::mirrored);
        let (evaluated, own) = set(&[
            ("Ann/1", "same", hash(1, 0)),
            ("Ann/2", "near", hash(2, 0)),
            ("Bob/1", "mirrored", mirrored),
            ("Bob/2", "plain", None),
            ("Eve/1", "alone", hash(9, 0)),
            ("Eve/2", "like the same", hash(1, 1)),
        ]);
        let (learned, others) = set(&[
            ("Bob/1", "x", hash(2, 9)),
            ("Bob/2", "y", hash(2, 5)),
            ("Zoe/1", "z", hash(3, 1)),
            ("Zoe/2", "same", hash(1, 0)),
            ("Zoe/3", "same", hash(1, 0)),
            ("Zoe/4", "w", hash(1, 2)),
        ]);
        let classes = folders(&["Bob/1", "Bob/2", "Zoe/1", "Zoe/2", "Zoe/3", "Zoe/4"]);
        let names = KnownNames { identities: None, classes: &classes, is_one_data_set: false };
        let hashed = |images, hashes| HashedSet { images, hashes };
        let found = overlap(hashed(&evaluated, &own), hashed(&learned, &others), &names);
        assert_eq!((found.same.evaluated, found.same.learned, &*ids(&found.same.first)), (1, 2, &[("Ann/1", "Zoe/2")][..]));
        let near = found.near.unwrap();
        assert_eq!((near.radius, near.shared.evaluated, near.shared.learned), (RADII[0], 3, 4));
        let named = [("Ann/2", "Bob/2"), ("Bob/1", "Zoe/1"), ("Eve/2", "Zoe/2")];
        assert_eq!(ids(&near.shared.first), named, "the nearest is named, also where it is in both sets");
        assert_eq!((found.evaluated.plain, found.learned.plain), (1, 0));
        let identities = found.identities;
        assert_eq!((identities.by, identities.shared, identities.pictures), (IdentityNames::Folders, 1, 2));
        assert_eq!((identities.first, found.evaluated.names, found.learned.names), (vec!["Bob".to_owned()], 3, 2));
        // Where the search would take too long it is not made, and that is said.
        assert_eq!(overlap_within(hashed(&evaluated, &own), hashed(&learned, &others), &names, 0).near, None);
    }

    #[test]
    fn a_number_is_one_identity_within_one_data_set_only_and_who_is_not_evaluated_does_not_count() {
        let (evaluated, own) = set(&[("1.jpg", "a", None), ("2.jpg", "b", None)]);
        let (learned, others) = set(&[("3.jpg", "c", None)]);
        let identities: Column = [("1.jpg", "7"), ("2.jpg", "Ann"), ("9.jpg", "Bob")].into_iter().collect();
        let classes: Column = [("3.jpg", "7"), ("4.jpg", "Ann"), ("5.jpg", "Bob")].into_iter().collect();
        let of = |identities, is_one_data_set| {
            let names = KnownNames { identities, classes: &classes, is_one_data_set };
            let hashed = |images, hashes| HashedSet { images, hashes };
            overlap(hashed(&evaluated, &own), hashed(&learned, &others), &names).identities
        };
        let told = |of: SharedIdentities| (of.by, of.first, of.numbers);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(told(of(Some(&identities), false)), (IdentityNames::Identities, names(&["Ann"]), 1));
        assert_eq!(told(of(Some(&identities), true)), (IdentityNames::Identities, names(&["7", "Ann"]), 0));
        assert_eq!(told(of(None, false)), (IdentityNames::Nothing, vec![], 0));
    }

    #[test]
    fn what_is_near_is_what_looking_at_all_pairs_finds() {
        let pictures = |from: u64, shift: u32| -> Vec<(String, Option<PictureHash>)> {
            (0..300).map(|n| (format!("{from}/{n:03}"), hash(n % 40 + from, (n as u32 * shift) % 29))).collect()
        };
        let (one, other) = (pictures(0, 3), pictures(20, 7));
        let images = |of: &[(String, Option<PictureHash>)]| {
            Images(of.iter().map(|(id, _)| (id.clone(), Some(Digest::of(id.as_bytes())))).collect())
        };
        let hashes = |of: &[(String, Option<PictureHash>)]| of.iter().map(|(_, hash)| *hash).collect::<Vec<_>>();
        let (evaluated, learned, own, others) = (images(&one), images(&other), hashes(&one), hashes(&other));
        let is_near = |a: &Option<PictureHash>, b: &Option<PictureHash>| {
            let (a, b) = (a.unwrap(), b.unwrap());
            [a, a.mirrored()].iter().any(|a| (a.coarse() ^ b.coarse()).count_ones() <= RADII[0] && a.distance(b) <= FINE_RADIUS)
        };
        let near = near(
            HashedSet { images: &evaluated, hashes: &own },
            HashedSet { images: &learned, hashes: &others },
            &HashSet::new(),
            u64::MAX,
        )
        .unwrap();
        let expected = own.iter().filter(|a| others.iter().any(|b| is_near(b, a))).count();
        let back = others.iter().filter(|b| own.iter().any(|a| is_near(b, a))).count();
        assert!(expected > 20 && expected < 300, "{expected}");
        assert_eq!((near.shared.evaluated, near.shared.learned), (expected, back));
    }
}
