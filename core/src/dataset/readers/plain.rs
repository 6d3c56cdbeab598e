//! A folder of pictures of which nothing is known but their names; a study file may name a label table beside it.

use crate::{
    dataset::{collection::Collection, pictures},
    domain::{
        Result,
        study::{Dataset, FaceFiles, Identities},
    },
};
use std::path::Path;

/// Any folder may be one.
pub(super) fn recognise(root: &Path) -> Option<Dataset> {
    Some(dataset(root))
}

pub(super) fn dataset(root: &Path) -> Dataset {
    Dataset::Images {
        root: root.to_owned(),
        labels: None,
        identities: Identities::Unsaid,
        missing: None,
        faces: FaceFiles::default(),
    }
}

/// The names of the pictures.
///
/// # Errors
/// A folder that cannot be listed.
pub(super) fn collect(root: &Path) -> Result<Collection> {
    let mut set = Collection { pictures: root.to_owned(), ..Collection::default() };
    set.take(pictures::names(root)?);
    Ok(set)
}
