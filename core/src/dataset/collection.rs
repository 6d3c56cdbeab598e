//! A data set as it is on disk: which images, what is known of them, and what is wrong with it.

use super::{defects::Defects, pictures};
use crate::domain::{
    Fault,
    image::{Column, ImageId, Labels},
    missing::MissingLabels,
};
use std::{collections::BTreeMap, path::PathBuf};

/// What a reader found of a data set, not yet compared with a study.
#[derive(Debug, Default)]
pub struct Collection {
    /// Where the pictures are: a folder in which ids are paths, or a file that holds them.
    pub pictures: PathBuf,
    /// The images, sorted.
    pub ids: Vec<ImageId>,
    /// The labels of its tables; attributes of the pictures, by image.
    pub labels: Labels,
    /// The table they are from.
    pub labelled_in: Option<PathBuf>,
    /// How many labels of each attribute are missing, and how that is spelled.
    pub missing: BTreeMap<String, MissingLabels>,
    /// Image → identity; `None` where the data set does not say.
    pub identities: Option<Column>,
    /// `train`, `validation` or `test`.
    pub partitions: Option<Column>,
    /// What a network is taught to tell apart.
    pub classes: Option<Column>,
    /// What is wrong with it, or worth a note.
    pub defects: Defects,
}

impl Collection {
    /// Takes the pictures that were found for its own; those that are not read are a defect.
    pub fn take(&mut self, found: pictures::PictureListing) {
        for (ending, ids) in &found.unread {
            let what = format!("a picture of a format that is not read (.{ending}) is passed over");
            let example = Fault::asked(what).in_file(self.pictures.join(&ids[0])).next("convert it, or take it away");
            self.defects.defect("unread-format", ids.len(), example);
        }
        if found.links > 0 {
            let example =
                Fault::asked("a member of the archive is a link or a sparse file: it is passed over").in_file(&self.pictures);
            self.defects.defect("link-in-archive", found.links, example);
        }
        self.ids = found.ids;
    }
}
