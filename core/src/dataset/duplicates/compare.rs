//! Which pictures are alike, of whom, and where: pure, over digests and hashes.

use super::{hamming_index::Radius, near_search::NearSearch, picture_hash::PictureHash};
use crate::domain::Digest;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Which set a picture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The set that is checked.
    Own,
    /// The set that it is held against.
    Against,
}

/// What is known of a picture.
#[derive(Clone, Copy, Debug)]
pub struct KnownPicture {
    /// Of which set.
    pub side: Side,
    /// Of its bytes.
    pub digest: Digest,
    /// `None` where it is too plain to compare.
    pub hash: Option<PictureHash>,
    /// Who is on it, as a number of this identity; only asked of the own set.
    pub identity: Option<u32>,
    /// In which partition it is; only asked of the own set.
    pub partition: Option<u32>,
}

/// In which way pictures are alike. *Same* is by bytes, *near* by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// Counted: pictures that occur more than once.
    Same,
    /// Those of them that are of more than one identity.
    SameTwoIdentities,
    /// Those of them that are in more than one partition.
    SameTwoPartitions,
    /// Counted: pictures of the own set that the other one has.
    SameInBoth,
    /// Counted: pairs of pictures.
    Near,
    /// Those of them that are of two identities.
    NearTwoIdentities,
    /// Those of them that are in two partitions.
    NearTwoPartitions,
    /// Counted: pairs of a picture of each set.
    NearInBoth,
}

impl Likeness {
    /// All, in the order of tables.
    pub const ALL: [Self; 8] = [
        Self::Same,
        Self::SameTwoIdentities,
        Self::SameTwoPartitions,
        Self::SameInBoth,
        Self::Near,
        Self::NearTwoIdentities,
        Self::NearTwoPartitions,
        Self::NearInBoth,
    ];
}

/// Two pictures that are alike, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// A picture of the own set.
    pub one: usize,
    /// Another, of the other set where the likeness is between sets.
    pub other: usize,
    /// One is the other's mirror image.
    pub mirrored: bool,
    /// In how many of 256 bits the hashes differ; 0 where the bytes are the same.
    pub distance: u32,
}

/// How many are alike in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlikeCount {
    /// How many.
    pub count: u64,
    /// The first few.
    pub examples: Vec<Example>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Alike {
    /// By likeness; those without a picture are absent.
    pub found: BTreeMap<Likeness, AlikeCount>,
    /// In how many of the lowest 64 bits near pictures may differ: less than 11 where pictures are too alike to look so
    /// far, `None` where they are too alike to look at all.
    pub radius: Option<u32>,
    /// Pictures of the own set without a hash.
    pub plain: usize,
}

/// Hashes that a search may look at: about three minutes of one core. 200,000 hashes, half of whose bits are the same in 85 of 100, take half of it.
pub(super) const MOST_LOOKED_AT: u64 = 100_000_000_000;
const EXAMPLES: usize = 5;
/// Pictures that one thread compares with all before it takes others.
const AT_A_TIME: usize = 256;

/// Pictures of the same bytes: what is needed to say how they differ from others.
#[derive(Debug, Default)]
struct Distinct {
    hash: Option<PictureHash>,
    /// The first of each set.
    own: Option<usize>,
    against: Option<usize>,
    owns: u64,
    /// The first of the own set with an identity, and the first with another one.
    identities: [Option<(usize, u32)>; 2],
    partitions: [Option<(usize, u32)>; 2],
    /// The second of the own set.
    second: Option<usize>,
}

/// The first of a value, and the first of another value.
fn note(found: &mut [Option<(usize, u32)>; 2], place: usize, value: Option<u32>) {
    let Some(value) = value else { return };
    match found {
        [None, _] => found[0] = Some((place, value)),
        [Some((_, first)), None] if *first != value => found[1] = Some((place, value)),
        _ => {}
    }
}

/// One of each that differ in the value.
fn differing(one: [Option<(usize, u32)>; 2], other: [Option<(usize, u32)>; 2]) -> Option<(usize, usize)> {
    let all = one.into_iter().flatten().flat_map(|a| other.into_iter().flatten().map(move |b| (a, b)));
    all.filter(|(a, b)| a.1 != b.1).map(|(a, b)| (a.0, b.0)).next()
}

/// Holds all pictures against each other. The order of `pictures` decides which are named as examples, and nothing else.
pub fn compare(pictures: &[KnownPicture]) -> Alike {
    compare_within(pictures, MOST_LOOKED_AT)
}

fn compare_within(pictures: &[KnownPicture], most: u64) -> Alike {
    let distinct = distinct(pictures);
    let mut found = same(&distinct);
    let plain = pictures.iter().filter(|picture| picture.side == Side::Own && picture.hash.is_none()).count();
    let near = Near::new(&distinct);
    let radius = near.search.radius(near.search.hashes(), most);
    if let Some((radius, _)) = &radius {
        join(&mut found, near.pairs(radius));
    }
    Alike { found, radius: radius.map(|(_, bits)| bits), plain }
}

/// Pictures by their bytes, in the order of their first ones.
fn distinct(pictures: &[KnownPicture]) -> Vec<Distinct> {
    let mut order: Vec<u32> = (0..pictures.len() as u32).collect();
    order.par_sort_unstable_by_key(|&place| (pictures[place as usize].digest, place));
    let mut all: Vec<(u32, Distinct)> = Vec::new();
    let mut last = None;
    for place in order {
        let picture = &pictures[place as usize];
        if last != Some(picture.digest) {
            all.push((place, Distinct { hash: picture.hash, ..Distinct::default() }));
            last = Some(picture.digest);
        }
        let Some((_, of)) = all.last_mut() else { continue };
        let place = place as usize;
        match picture.side {
            Side::Against => _ = of.against.get_or_insert(place),
            Side::Own => {
                of.owns += 1;
                if of.own.is_some() {
                    of.second.get_or_insert(place);
                }
                of.own.get_or_insert(place);
                note(&mut of.identities, place, picture.identity);
                note(&mut of.partitions, place, picture.partition);
            }
        }
    }
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, of)| of).collect()
}

type Found = BTreeMap<Likeness, AlikeCount>;

fn add(found: &mut Found, likeness: Likeness, count: u64, example: Example) {
    let of = found.entry(likeness).or_default();
    of.count += count;
    if of.examples.len() < EXAMPLES {
        of.examples.push(example);
    }
}

fn join(found: &mut Found, more: Found) {
    for (likeness, more) in more {
        let of = found.entry(likeness).or_default();
        of.count += more.count;
        let room = EXAMPLES - of.examples.len().min(EXAMPLES);
        of.examples.extend(more.examples.into_iter().take(room));
    }
}

/// What is alike by bytes.
fn same(distinct: &[Distinct]) -> Found {
    let mut found = Found::new();
    for of in distinct {
        let mut is = |likeness, count, pair: Option<(usize, usize)>| {
            if let Some((one, other)) = pair {
                add(&mut found, likeness, count, Example { one, other, mirrored: false, distance: 0 });
            }
        };
        is(Likeness::Same, 1, of.own.zip(of.second));
        is(Likeness::SameTwoIdentities, 1, differing(of.identities, of.identities));
        is(Likeness::SameTwoPartitions, 1, differing(of.partitions, of.partitions));
        is(Likeness::SameInBoth, of.owns, of.own.zip(of.against));
    }
    found
}

/// Pictures with hashes, and a search among them.
struct Near<'a> {
    pictures: Vec<&'a Distinct>,
    search: NearSearch,
}

impl<'a> Near<'a> {
    fn new(distinct: &'a [Distinct]) -> Self {
        let (pictures, hashes) = distinct.iter().filter_map(|of| Some((of, of.hash?))).unzip();
        Near { pictures, search: NearSearch::of(hashes) }
    }

    /// What is near: each pair once, as it is or mirrored.
    fn pairs(&self, radius: &Radius) -> Found {
        let chunks: Vec<usize> = (0..self.pictures.len()).step_by(AT_A_TIME).collect();
        let of_chunk = |&start: &usize| {
            let mut found = Found::new();
            for place in start..(start + AT_A_TIME).min(self.pictures.len()) {
                for (other, mirrored, distance) in self.of(place, radius) {
                    tell(&mut found, self.pictures[place], self.pictures[other], (mirrored, distance));
                }
            }
            found
        };
        let found: Vec<Found> = chunks.par_iter().map(of_chunk).collect();
        let mut all = Found::new();
        found.into_iter().for_each(|found| join(&mut all, found));
        all
    }

    /// The near ones behind a picture, in order.
    fn of(&self, place: usize, radius: &Radius) -> Vec<(usize, bool, u32)> {
        let mut near = Vec::new();
        self.search.near(self.search.hashes()[place], radius, |other, mirrored, distance| {
            if other > place {
                near.push((other, mirrored, distance));
            }
        });
        near.sort_unstable();
        near.dedup_by_key(|(other, ..)| *other);
        near
    }
}

/// What a near pair means.
fn tell(found: &mut Found, a: &Distinct, b: &Distinct, (mirrored, distance): (bool, u32)) {
    let mut is = |likeness, pair: Option<(usize, usize)>| {
        if let Some((one, other)) = pair {
            add(found, likeness, 1, Example { one, other, mirrored, distance });
        }
    };
    is(Likeness::Near, a.own.zip(b.own));
    is(Likeness::NearTwoIdentities, differing(a.identities, b.identities));
    is(Likeness::NearTwoPartitions, differing(a.partitions, b.partitions));
    is(Likeness::NearInBoth, a.own.zip(b.against).or(b.own.zip(a.against)));
}

#[cfg(test)]
mod tests {
    use super::{
        super::picture_hash::{FINE_RADIUS, RADII},
        *,
    };

    /// A hash that stands for a picture, with so many of the bits of each word the other way round.
    fn hash(of: u64, flipped: u32) -> PictureHash {
        let mut bytes = *blake3::hash(&of.to_le_bytes()).as_bytes();
        (0..flipped).for_each(|bit| bytes[(bit % 4) as usize * 8] ^= 1 << (bit / 4));
        PictureHash::from_bytes(bytes)
    }

    fn picture(side: Side, bytes: &str, hash: PictureHash, identity: u32, partition: u32) -> KnownPicture {
        let (identity, partition) = (Some(identity), Some(partition));
        KnownPicture { side, digest: Digest::of(bytes.as_bytes()), hash: Some(hash), identity, partition }
    }

    fn told(alike: &Alike) -> Vec<(Likeness, u64, usize, usize)> {
        alike.found.iter().map(|(of, found)| (*of, found.count, found.examples[0].one, found.examples[0].other)).collect()
    }

    #[test]
    fn pictures_are_the_same_by_bytes_and_near_by_hash_within_a_set_and_between_two() {
        use Likeness as L;
        use Side::{Against, Own};
        let pictures = [
            picture(Own, "a", hash(1, 0), 0, 0),
            picture(Own, "b", hash(2, 0), 1, 0),
            picture(Own, "a", hash(1, 0), 0, 0),
            picture(Own, "a", hash(1, 0), 1, 0),
            picture(Own, "c", hash(2, 9), 1, 1),
            picture(Own, "d", hash(3, 0).mirrored(), 2, 1),
            picture(Own, "e", hash(3, 5), 3, 1),
            picture(Against, "b", hash(2, 0), 7, 7),
            picture(Against, "f", hash(1, 12), 7, 7),
            picture(Against, "f2", hash(1, 13), 8, 8),
        ];
        let expected = [
            (L::Same, 1, 0, 2),
            (L::SameTwoIdentities, 1, 0, 3),
            (L::SameInBoth, 1, 1, 7),
            (L::Near, 2, 1, 4),
            (L::NearTwoIdentities, 1, 5, 6),
            (L::NearTwoPartitions, 1, 1, 4),
            (L::NearInBoth, 3, 0, 8),
        ];
        let alike = compare(&pictures);
        assert_eq!(told(&alike), expected);
        assert_eq!(alike.radius, Some(RADII[0]));
        let mirrored = alike.found[&L::NearTwoIdentities].examples[0];
        assert!(mirrored.mirrored && mirrored.distance == 5);
    }

    #[test]
    fn what_is_found_is_what_looking_at_all_pairs_finds() {
        let pictures: Vec<KnownPicture> =
            (0..600).map(|n: u64| picture(Side::Own, &n.to_string(), hash(n % 90, (n % 31) as u32), (n % 7) as u32, 0)).collect();
        let near = |a: &KnownPicture, b: &KnownPicture| {
            let (a, b) = (a.hash.unwrap(), b.hash.unwrap());
            [a, a.mirrored()].iter().any(|a| (a.coarse() ^ b.coarse()).count_ones() <= RADII[0] && a.distance(b) <= FINE_RADIUS)
        };
        let pairs =
            || (0..600).flat_map(|a| (a + 1..600).map(move |b| (a, b))).filter(|&(a, b)| near(&pictures[a], &pictures[b]));
        let found = compare(&pictures).found;
        assert_eq!(found[&Likeness::Near].count, pairs().count() as u64);
        let of_two = pairs().filter(|&(a, b)| pictures[a].identity != pictures[b].identity).count();
        assert_eq!(found[&Likeness::NearTwoIdentities].count, of_two as u64);
    }

    #[test]
    fn pictures_that_are_too_alike_are_searched_less_far_and_then_not() {
        let pictures: Vec<KnownPicture> = (0..300_u64).map(|n| picture(Side::Own, &n.to_string(), hash(n, 0), 0, 0)).collect();
        let search = NearSearch::of(pictures.iter().filter_map(|of| of.hash).collect());
        let cost = |bits| search.cost(search.hashes(), &Radius::new(bits));
        let radius = |most| compare_within(&pictures, most).radius;
        assert_eq!((radius(cost(11)), radius(cost(11) - 1), radius(cost(3)), radius(0)), (Some(11), Some(7), Some(3), None));
    }

    #[test]
    fn what_is_unknown_is_no_difference() {
        let unknown = KnownPicture { identity: None, partition: None, ..picture(Side::Own, "a", hash(1, 0), 0, 0) };
        let plain = KnownPicture { hash: None, digest: Digest::of(b"p"), ..unknown };
        let alike = compare(&[unknown, picture(Side::Own, "a", hash(1, 0), 4, 4), plain]);
        assert_eq!((told(&alike), alike.plain), (vec![(Likeness::Same, 1, 0, 1)], 1));
    }
}
