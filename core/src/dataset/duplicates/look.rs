//! Reads pictures for a check of what they show: digest, hash, and whether they are whole.

use super::{
    hash_cache::{HashCache, SeenPicture},
    picture_hash::PictureHash,
};
use crate::{
    dataset::{decode::decode, source::PictureSource},
    domain::{Digest, Fault, Result, image::ImageId},
};
use rayon::prelude::*;

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

/// The picture, and whether it was known.
fn look_at(source: &PictureSource, id: &str, cache: &HashCache) -> Result<(SeenPicture, bool)> {
    let bytes = source.read(id)?;
    let digest = Digest::of(&bytes);
    if let Some(known) = cache.get(digest) {
        return Ok((known, true));
    }
    let picture = decode(&bytes, &source.place(id))?;
    let (is_turned, is_transparent) = (picture.lies(), picture.is_transparent);
    let hash = PictureHash::of(&picture.upright());
    Ok((SeenPicture { digest, hash, is_turned, is_transparent }, false))
}
