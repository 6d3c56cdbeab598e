//! What a survey found, and what it did not.

use crate::{
    dataset::{identities::People, readers::labels::LabelTable},
    domain::{
        annotation::AnnotatorLabels,
        comparison::Comparison,
        image::{Column, ImageIndex, Images, Labels},
        index::{ModelIx, PairSetIx},
        missing::MissingLabels,
        model::Model,
        pairs::Pairs,
        study::{FaceMark, Study},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Boxes and landmarks of some images: image → numbers, as stages consume them.
pub type FaceMarks = BTreeMap<FaceMark, Column>;

/// What was found of a study's data.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every image of the evaluation data set; `None` while that data set is missing.
    pub images: Option<Images>,
    /// What says which images these are, before any is left out: [`Labels::mark_of`]. `None`: nobody knows.
    pub images_mark: Option<String>,
    /// The labels of the evaluation, of every table that the study names.
    pub labels: Labels,
    /// Image → identity; `None` where each image is its own.
    pub identities: Option<Column>,
    /// Whether that is known, said or only assumed.
    pub people: People,
    /// Where the pictures are ([`crate::dataset::PictureSource`]); `None` where there are none.
    pub pictures: Option<PathBuf>,
    /// Where the faces are in them, as far as a crop needs it.
    pub marks: FaceMarks,
    /// Where the faces are in them, as far as the data set says: for measures of pictures, which do without where it does not.
    pub seen_faces: FaceMarks,
    /// What was planted in drawn faces.
    pub truth: Option<Vec<u8>>,
    /// What networks learn from, by the data set's name.
    pub training: BTreeMap<String, TrainingSet>,
    /// Pairs of pictures that networks are asked of.
    pub verification: BTreeMap<PairSetIx, PicturePairs>,
    /// What the study names and is not there.
    pub missing: Vec<Absent>,
    /// Oddities that stop nothing.
    pub warnings: Vec<String>,
    /// What is read rightly, and worth knowing.
    pub notes: Vec<String>,
    /// How many labels of each attribute are missing, and how that is spelled.
    pub missing_labels: BTreeMap<String, MissingLabels>,
    /// The labels of each annotator, of attributes that annotators labelled by name.
    pub annotators: BTreeMap<String, Vec<AnnotatorLabels>>,
    /// The file that each attribute's labels are from.
    pub labelled_in: BTreeMap<String, PathBuf>,
}

/// Pictures in classes.
#[derive(Debug)]
pub struct TrainingSet {
    /// Where the pictures are ([`crate::dataset::PictureSource`]).
    pub pictures: PathBuf,
    /// Every image of the data set.
    pub images: Images,
    /// Image → class.
    pub classes: Column,
    /// Where the faces are in the pictures, as far as a crop needs it.
    pub marks: FaceMarks,
}

/// Pairs of pictures to be verified.
#[derive(Debug)]
pub struct PicturePairs {
    /// Where the pictures are ([`crate::dataset::PictureSource`]).
    pub pictures: PathBuf,
    /// The pictures that pairs are of, each once.
    pub images: Images,
    /// The pairs, by the places of these pictures.
    pub pairs: Pairs,
    /// Where the faces are in the pictures, as far as a crop needs it.
    pub marks: FaceMarks,
}

/// Something the study names that is not there, or that this release cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// What is missing, in words.
    pub input: String,
    /// Where it is expected; `None` for an ability that is missing.
    pub expected_at: Option<PathBuf>,
    pub need: Need,
}

/// Which cells wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// All of them: it is the evaluation data.
    Everything,
    /// Those of these models, by place.
    Models(BTreeSet<ModelIx>),
    /// Those of comparisons that name this attribute.
    Attribute(String),
    /// None: what waits is a verification set.
    Pairs(PairSetIx),
}

impl Need {
    /// How many of the study's cells it keeps from being scored.
    pub fn cells(&self, study: &Study) -> usize {
        let layers = |model: &Model| model.layers(study.layers.as_deref()).len();
        let views: usize = study.projections.iter().map(|of| of.views().len()).sum();
        let all: usize = study.models.iter().map(layers).sum();
        match self {
            Need::Everything => all * views * study.comparisons.len(),
            Need::Models(models) => {
                models.iter().map(|&model| layers(&study.models[model])).sum::<usize>() * views * study.comparisons.len()
            }
            Need::Pairs(_) => 0,
            Need::Attribute(attribute) => {
                let asks = |of: &&Comparison| of.question.attributes().contains(attribute.as_str());
                all * views * study.comparisons.iter().filter(asks).count()
            }
        }
    }
}

impl Survey {
    pub(super) fn note_table(&mut self, table: &LabelTable, path: &Path) {
        for note in &table.notes {
            let note = note.told(path);
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    pub(super) fn note_missing_labels(&mut self) {
        for (attribute, missing) in &self.missing_labels {
            if missing.count() > 0 {
                self.notes.push(format!("`{attribute}`: {}", missing.sentence()));
            }
            for (word, count) in &missing.kept {
                self.notes.push(format!(
                    "`{attribute}`: `{word}` is a value ({count} images) and no missing label, for the study asks for it in quotes"
                ));
            }
        }
    }

    /// Labels of images that nobody evaluates.
    pub fn warn_of_strangers(&mut self) {
        let Some(images) = &self.images else { return };
        let known = ImageIndex::from_sorted(images.ids()).unwrap_or_default();
        for (attribute, column) in self.labels.iter() {
            let rows = known.rows(column.images());
            let strange = || column.images().zip(&rows).filter(|(_, row)| row.is_none()).map(|(image, _)| image);
            if let Some(first) = strange().next() {
                self.warnings.push(format!(
                    "{} labels of `{attribute}` are of images that the evaluation data set does not have, such as `{first}`; they are left out",
                    strange().count()
                ));
            }
        }
    }
}
