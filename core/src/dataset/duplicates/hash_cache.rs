//! Hashes of pictures, kept by the digests of their bytes: a check that was ended goes on where it was.
//!
//! One file, only ever added to, of records of one length with a sum each. It belongs to who adds to it (a kernel lock); others read it. A
//! torn or damaged record counts as absent.

use super::picture_hash::PictureHash;
use crate::{dataset::digests::DigestCache, domain::Digest, files};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

/// Bytes of a digest that a picture is known by: 2¹²⁸ are enough.
const NAME: usize = 16;
const WIDTH: usize = NAME + 32 + 4 + 4;
/// The name of the file; one of another version of the hash is another file.
const FOLDER: &str = "hashes";

const HAS_HASH: u32 = 1;
const TURNED: u32 = 2;
const TRANSPARENT: u32 = 4;

type Kept = ([u8; NAME], [u8; 32], u32);

/// A picture that was looked at; it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenPicture {
    /// Of its bytes.
    pub digest: Digest,
    /// Of what it shows, upright; `None` where it is too plain to compare.
    pub hash: Option<PictureHash>,
    /// The camera noted that it is to be turned.
    pub is_turned: bool,
    /// It is transparent in places.
    pub is_transparent: bool,
}

/// What is kept of pictures that were looked at before.
pub struct HashCache {
    /// Sorted by name.
    known: Vec<Kept>,
    /// Where more is added; `None` where nothing is kept.
    file: Option<File>,
}

fn name(digest: &Digest) -> [u8; NAME] {
    std::array::from_fn(|byte| digest.as_bytes()[byte])
}

fn record(of: &SeenPicture) -> [u8; WIDTH] {
    let flag = |is: bool, flag: u32| if is { flag } else { 0 };
    let flags = flag(of.hash.is_some(), HAS_HASH) | flag(of.is_turned, TURNED) | flag(of.is_transparent, TRANSPARENT);
    let mut bytes = [0; WIDTH];
    bytes[..NAME].copy_from_slice(&name(&of.digest));
    bytes[NAME..NAME + 32].copy_from_slice(&of.hash.map_or([0; 32], PictureHash::to_bytes));
    bytes[NAME + 32..WIDTH - 4].copy_from_slice(&flags.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..WIDTH - 4]);
    bytes[WIDTH - 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn kept(bytes: &[u8]) -> Option<Kept> {
    let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let is_whole = word(WIDTH - 4)? == crc32fast::hash(bytes.get(..WIDTH - 4)?);
    is_whole.then_some((*bytes.first_chunk()?, *bytes.get(NAME..)?.first_chunk()?, word(NAME + 32)?))
}

impl HashCache {
    /// A cache that is never kept.
    pub fn none() -> Self {
        HashCache { known: Vec::new(), file: None }
    }

    /// What is kept beside a cache of digests. What cannot be read or written costs time only.
    pub fn open(digests: &DigestCache) -> Self {
        digests.beside(FOLDER).map_or_else(Self::none, |folder| Self::of_folder(&folder))
    }

    /// What is kept beside the file of a cache of digests.
    pub fn beside(digests: &Path) -> Self {
        Self::of_folder(&digests.with_file_name(FOLDER))
    }

    fn of_folder(folder: &Path) -> Self {
        fs::create_dir_all(folder).ok();
        let path = folder.join(format!("pictures.{}", PictureHash::VERSION));
        let Ok(mut file) = files::open_own(File::options().read(true).append(true).create(true), &path) else {
            return Self::none();
        };
        let mut known = Vec::new();
        let mut reader = std::io::BufReader::with_capacity(1 << 20, &mut file);
        let mut bytes = [0; WIDTH];
        while reader.read_exact(&mut bytes).is_ok() {
            known.extend(kept(&bytes));
        }
        known.sort_unstable();
        known.dedup_by_key(|(name, ..)| *name);
        // Records behind a torn one would be read askew: it is cut off.
        let whole = |length: u64| length - length % WIDTH as u64;
        let adds = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
            && file.seek(SeekFrom::End(0)).and_then(|length| file.set_len(whole(length))).is_ok();
        HashCache { known, file: adds.then_some(file) }
    }

    /// How many pictures it knows.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is kept of a picture.
    pub(super) fn get(&self, digest: Digest) -> Option<SeenPicture> {
        let name = name(&digest);
        let place = self.known.binary_search_by_key(&name, |(name, ..)| *name).ok()?;
        let (_, hash, flags) = self.known[place];
        Some(SeenPicture {
            digest,
            hash: (flags & HAS_HASH != 0).then(|| PictureHash::from_bytes(hash)),
            is_turned: flags & TURNED != 0,
            is_transparent: flags & TRANSPARENT != 0,
        })
    }

    /// Keeps pictures that were looked at, for the next opening of the cache.
    pub(super) fn add<'a>(&mut self, seen: impl Iterator<Item = &'a SeenPicture>) {
        let Some(file) = &mut self.file else { return };
        let bytes: Vec<u8> = seen.flat_map(record).collect();
        // After a refusal the length may be no whole number of records.
        if file.write_all(&bytes).is_err() {
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(n: u8) -> SeenPicture {
        let hash = n.is_multiple_of(2).then(|| PictureHash::from_bytes([n; 32]));
        SeenPicture { digest: Digest::of(&[n]), hash, is_turned: n.is_multiple_of(3), is_transparent: n.is_multiple_of(5) }
    }

    fn known(folder: &Path) -> Vec<u8> {
        let cache = HashCache::of_folder(folder);
        (0..30).filter(|&n| cache.get(Digest::of(&[n])) == Some(seen(n))).collect()
    }

    #[test]
    fn what_was_looked_at_is_known_to_the_next_check_and_a_torn_record_costs_itself() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        HashCache::of_folder(folder).add([seen(3), seen(0), seen(6)].iter());
        assert_eq!(known(folder), [0, 3, 6]);
        let file = folder.join("pictures.1");
        let mut bytes = fs::read(&file).unwrap();
        bytes[WIDTH + 20] ^= 1;
        bytes.truncate(bytes.len() - 5);
        fs::write(&file, &bytes).unwrap();
        assert_eq!(known(folder), [3], "one is damaged, one is torn");
        HashCache::of_folder(folder).add([seen(7)].iter());
        assert_eq!(known(folder), [3, 7]);
    }

    #[test]
    fn who_comes_second_reads_and_does_not_add() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = HashCache::of_folder(folder.path());
        HashCache::of_folder(folder.path()).add([seen(1)].iter());
        first.add([seen(2)].iter());
        assert_eq!(known(folder.path()), [2]);
    }
}
