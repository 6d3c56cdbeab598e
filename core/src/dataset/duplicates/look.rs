//! Reads pictures for a check of what they show: digest, hash, and whether they are whole.

use super::{
    hash_cache::{HashCache, SeenPicture},
    picture_hash::PictureHash,
};
use crate::{
    dataset::{decode::decode, source::PictureSource},
    domain::{
        Digest, Fault, Result,
        image::{ImageId, Images},
    },
    numeric::pulse,
};
use rayon::prelude::*;
use std::path::Path;

/// The pictures of a set.
#[derive(Debug, Default)]
pub struct Looked {
    /// In the order of the ids; `None` where one cannot be read.
    pub pictures: Vec<Option<SeenPicture>>,
    /// Why, by place.
    pub faults: Vec<(usize, Fault)>,
    /// How many were known from an earlier check, and not decoded.
    pub known: usize,
}

/// Pictures between two writes of what was found: some seconds of work.
const AT_A_TIME: usize = 1024;

/// Looks at pictures with all threads. What is decoded is kept after every thousand pictures; `done` is told of each thousand.
pub fn look(source: &PictureSource, ids: &[ImageId], cache: &mut HashCache, mut done: impl FnMut(usize)) -> Looked {
    let mut looked = Looked::default();
    for some in ids.chunks(AT_A_TIME) {
        let found: Vec<Result<(SeenPicture, bool)>> = some.par_iter().map(|id| look_at(source, id, cache)).collect();
        cache.add(found.iter().flatten().filter(|(_, is_known)| !is_known).map(|(seen, _)| seen));
        for found in found {
            match found {
                Ok((seen, is_known)) => {
                    looked.known += usize::from(is_known);
                    looked.pictures.push(Some(seen));
                }
                Err(fault) => {
                    looked.faults.push((looked.pictures.len(), fault));
                    looked.pictures.push(None);
                }
            }
        }
        done(some.len());
    }
    looked
}

/// The hashes of listed pictures, with all threads; `None` of a picture that is too plain to compare. A picture whose hash is kept is not
/// opened: the list says which bytes it has. `done` is told of each thousand.
///
/// # Errors
/// The first picture that is not here, was changed since it was listed, or cannot be read.
pub fn hashes_of(
    source: &PictureSource,
    images: &Images,
    cache: &mut HashCache,
    mut done: impl FnMut(usize),
) -> Result<Vec<Option<PictureHash>>> {
    let mut hashes = Vec::with_capacity(images.len());
    for some in images.0.chunks(AT_A_TIME) {
        let one = |(id, digest): &(ImageId, Option<Digest>)| {
            let absent = || Fault::missing("the picture is not here").in_file(source.place(id));
            let expected = digest.ok_or_else(absent)?;
            if let Some(known) = cache.get(expected) {
                return Ok((known, true));
            }
            let (bytes, place) = (source.read(id)?, source.place(id));
            match Digest::of(&bytes) {
                found if found == expected => Ok((see(&bytes, expected, &place)?, false)),
                found => Err(Fault::changed(place, expected, found)),
            }
        };
        let found: Vec<Result<(SeenPicture, bool)>> = some.par_iter().map(one).collect();
        cache.add(found.iter().flatten().filter(|(_, is_known)| !is_known).map(|(seen, _)| seen));
        for found in found {
            hashes.push(found?.0.hash);
        }
        done(some.len());
    }
    Ok(hashes)
}

/// The picture, and whether it was known.
fn look_at(source: &PictureSource, id: &str, cache: &HashCache) -> Result<(SeenPicture, bool)> {
    let bytes = source.read(id)?;
    let digest = Digest::of(&bytes);
    match cache.get(digest) {
        Some(known) => Ok((known, true)),
        None => Ok((see(&bytes, digest, &source.place(id))?, false)),
    }
}

/// What a picture of these bytes shows; `digest`: theirs.
fn see(bytes: &[u8], digest: Digest, place: &Path) -> Result<SeenPicture> {
    pulse::beat();
    let picture = decode(bytes, place)?;
    let (is_turned, is_transparent) = (picture.lies(), picture.is_transparent);
    let hash = PictureHash::of(&picture.upright());
    Ok(SeenPicture { digest, hash, is_turned, is_transparent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{
        DigestCache,
        faces::{DrawnKind, Request, Variety, draw},
        list_pictures,
    };
    use std::fs;

    #[test]
    fn listed_pictures_have_a_hash_each_and_one_that_was_changed_or_taken_away_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        draw(&set, &Request { kind: DrawnKind::Training(Variety::Varied), people: 3, images: 6, seed: 5 }).unwrap();
        let images = list_pictures(&set, &mut DigestCache::none()).unwrap();
        let source = PictureSource::open(&set).unwrap();
        let cache = || HashCache::beside(&folder.path().join("cache/digests.tsv"));
        let mut told = 0;
        let hashes = hashes_of(&source, &images, &mut cache(), |some| told += some).unwrap();
        assert!(told == 6 && hashes.len() == 6 && hashes.iter().all(Option::is_some));
        let (first, last) = (set.join(&images.0[0].0), set.join(&images.0[5].0));
        fs::write(&first, b"other").unwrap();
        fs::remove_file(last).unwrap();
        assert_eq!(hashes_of(&source, &images, &mut cache(), |_| {}).unwrap(), hashes, "what is kept is not opened");
        let fault = hashes_of(&source, &images, &mut HashCache::none(), |_| {}).unwrap_err();
        assert_eq!((fault.place.unwrap().file, fault.what.contains("the file changed")), (first.clone(), true), "{}", fault.what);
        fs::remove_file(&first).unwrap();
        let fault = hashes_of(&source, &images, &mut HashCache::none(), |_| {}).unwrap_err();
        assert_eq!(fault.what, "the picture is not here");
    }
}
