//! A data set as it is on disk: which images, what is known of them, and what is wrong with it.

use super::{DigestCache, celeba, defects::Defects, folders, pictures};
use crate::domain::{
    Fault, Result,
    image::{Column, ImageId, Labels},
    missing::MissingLabels,
    study::{Dataset, Identities, Vggface2Split},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Debug, Default)]
pub struct Collection {
    /// The folder in which ids are paths.
    pub pictures: PathBuf,
    /// Sorted.
    pub ids: Vec<ImageId>,
    pub labels: Labels,
    /// The table they are from.
    pub labelled_in: Option<PathBuf>,
    /// How many labels of each attribute are missing, and how that is spelled.
    pub missing: BTreeMap<String, MissingLabels>,
    pub identities: Option<Column>,
    /// `train`, `validation` or `test`.
    pub partitions: Option<Column>,
    /// What a network is taught to tell apart.
    pub classes: Option<Column>,
    pub defects: Defects,
}

impl Collection {
    /// Takes the pictures that were found for its own; those that are not read are a defect.
    pub(super) fn take(&mut self, found: pictures::PictureListing) {
        for (ending, ids) in &found.unread {
            let what = format!("a picture of a format that is not read (.{ending}) is passed over");
            let example = Fault::asked(what).in_file(self.pictures.join(&ids[0])).next("convert it, or take it away");
            self.defects.defect("unread-format", ids.len(), example);
        }
        self.ids = found.ids;
    }
}

/// Reads a data set of any kind: its tables, and the names of its pictures. No picture is opened.
///
/// # Errors
/// A folder that cannot be listed, a table that cannot be opened. What is wrong inside is a defect.
pub fn collect(dataset: &Dataset, digests: &mut DigestCache) -> Result<Collection> {
    match dataset {
        Dataset::CelebA { root, .. } => celeba::collect(root, digests),
        Dataset::Vggface2 { root, split } => folders::collect_vggface2(root, *split),
        Dataset::Folders { root, .. } => folders::collect(root),
        Dataset::Images { root, .. } => {
            let mut set = Collection { pictures: root.clone(), ..Collection::default() };
            set.take(pictures::names(root)?);
            Ok(set)
        }
    }
}

/// Which kind of data set a folder holds, by the files in it.
pub fn recognise(root: &Path) -> Dataset {
    let root = root.to_owned();
    if celeba::is_here(&root) {
        return Dataset::CelebA { root, identities: Identities::Unsaid };
    }
    if let Some(split) = Vggface2Split::ALL.into_iter().find(|split| folders::is_vggface2(&root.join(split.word()))) {
        return Dataset::Vggface2 { root, split };
    }
    let nested = |root: &Path| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).all(|entry| entry.path().is_dir())
    };
    let identities = Identities::Unsaid;
    if nested(&root) {
        Dataset::Folders { root, identities }
    } else {
        Dataset::Images { root, labels: None, identities, missing: None }
    }
}

impl Dataset {
    /// Is the folder there that its pictures are looked for in?
    pub fn is_here(&self) -> bool {
        match self {
            Dataset::Vggface2 { root, split } => root.join(split.word()).is_dir(),
            other => other.root().is_dir(),
        }
    }

    /// What the kind is called in a study file.
    pub fn word(&self) -> &'static str {
        match self {
            Dataset::CelebA { .. } => "celeba",
            Dataset::Vggface2 { .. } => "vggface2",
            Dataset::Folders { .. } => "folders",
            Dataset::Images { .. } => "images",
        }
    }
}
