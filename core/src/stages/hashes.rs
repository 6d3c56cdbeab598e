//! `hashes`: what pictures show, in few bits.

use super::{Caches, Inputs, Listener, StageOutput};
use crate::{
    dataset::{
        PictureSource,
        duplicates::{HashCache, PictureHash, hashes_of, hashes_to_bytes},
    },
    domain::{Fault, Result, stage::HashPictures},
};

pub(super) fn hashes(
    stage: &HashPictures,
    inputs: &Inputs,
    caches: Option<&Caches>,
    listener: &dyn Listener,
) -> Result<StageOutput> {
    if stage.hash != PictureHash::VERSION {
        let what =
            format!("version {} of the hash of pictures is not this program's, which is {}", stage.hash, PictureHash::VERSION);
        return Err(Fault::asked(what));
    }
    let images = inputs.images(HashPictures::PICTURES)?;
    let source = PictureSource::open(&inputs.path(HashPictures::PICTURES)?)?;
    let mut cache = caches.map_or_else(HashCache::none, |of| HashCache::beside(&of.digests));
    let mut done = 0;
    let hashes = hashes_of(&source, &images, &mut cache, |some| {
        done += some;
        listener.point("images", done as u64, done as f64);
    })?;
    Ok(StageOutput::default().with(HashPictures::HASHES, hashes_to_bytes(&hashes)).fact("images", vec![hashes.len() as f64]))
}
