//! `overlap`: what a training set shares with the evaluation.

use super::{Inputs, StageOutput};
use crate::{
    dataset::duplicates::{self, HashedSet, KnownNames, PictureHash, hashes_from_bytes},
    domain::{
        Fault, Result,
        image::Images,
        stage::{FindOverlap, Training, role},
    },
};

pub(super) fn overlap(stage: &FindOverlap, inputs: &Inputs) -> Result<StageOutput> {
    let (evaluated, learned) = (inputs.images(role::IMAGES)?, inputs.images(FindOverlap::LEARNED)?);
    let hashes = |role: &str, images: &Images| -> Result<Vec<Option<PictureHash>>> {
        let found = hashes_from_bytes(&inputs.bytes(role)?).filter(|hashes| hashes.len() == images.len());
        found.ok_or_else(|| Fault::unexpected(format!("the input `{role}` is not what it should be")))
    };
    let (own, others) = (hashes(FindOverlap::HASHES, &evaluated)?, hashes(FindOverlap::LEARNED_HASHES, &learned)?);
    let (identities, classes) = (inputs.identities()?, inputs.column(Training::CLASSES)?);
    let names = KnownNames { identities: identities.as_ref(), classes: &classes, is_one_data_set: stage.is_one_data_set };
    let found = duplicates::overlap(
        HashedSet { images: &evaluated, hashes: &own },
        HashedSet { images: &learned, hashes: &others },
        &names,
    );
    StageOutput::default().with_json(FindOverlap::OVERLAP, &found)
}
