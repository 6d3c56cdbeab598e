//! What a study says of its data: where they are, who is on the pictures, which images are compared.

use super::preparation::FaceMark;
use crate::domain::{annotation::LabelRule, image::Take, vocabulary::vocabulary};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Where pictures and labels lie, by layout.
#[derive(Clone, Debug, PartialEq)]
pub enum Dataset {
    /// As CelebA is handed out.
    CelebA {
        /// Its folder.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
        /// In place of its own tables of boxes and landmarks.
        faces: FaceFiles,
    },
    /// As VGGFace2 is handed out; its folders are identities.
    Vggface2 {
        /// Its folder.
        root: PathBuf,
        /// Which of its two parts.
        split: Vggface2Split,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
    /// One folder a class.
    Folders {
        /// The folder of folders, or a tar archive of them.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
    /// A RecordIO file, as InsightFace and MXNet write it; its labels are identities.
    RecordIo {
        /// The file, or its folder.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
    /// Pictures whose names say age, gender and race, as UTKFace's do.
    UtkFace {
        /// The folder of the pictures, or a tar archive of it.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
    /// A folder of pictures with a label CSV (`image_id,<attribute>…`); the pictures may be absent.
    Images {
        /// The folder of the pictures.
        root: PathBuf,
        /// The CSV file; `None` where labels are given elsewhere.
        labels: Option<PathBuf>,
        /// Words that are missing labels, in place of the usual ones.
        missing: Option<Vec<String>>,
        /// Who is on the pictures.
        identities: Identities,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
}

/// Tables of a data set that say where the face is in each picture, as the study names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaceFiles {
    /// A row an image: its name, then x and y of five points.
    pub landmarks: Option<PathBuf>,
    /// A row an image: its name, then left, top, width, height.
    pub boxes: Option<PathBuf>,
}

impl FaceFiles {
    /// The table of boxes, or that of landmarks.
    pub fn of(&self, mark: FaceMark) -> Option<&PathBuf> {
        match mark {
            FaceMark::Box => self.boxes.as_ref(),
            FaceMark::Landmarks => self.landmarks.as_ref(),
        }
    }
}

vocabulary! {
    /// The halves that VGGFace2 comes in, a folder each.
    pub enum Vggface2Split {
        /// 8,631 identities.
        Train = "train",
        /// 500 identities.
        Test = "test",
    }
}

/// What a study says of who is on the pictures of a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Identities {
    /// Nothing: what the data set knows counts, if it knows anything.
    #[default]
    Unsaid,
    /// No person occurs twice.
    EachImage,
    /// The folder an image is in.
    Folder,
    /// A column of the data set's label CSV.
    Column(String),
    /// A table of its own: image, identity.
    File(PathBuf),
}

impl Dataset {
    /// The folder that paths of pictures start from, or the file that holds them.
    pub fn root(&self) -> &PathBuf {
        match self {
            Dataset::CelebA { root, .. }
            | Dataset::Vggface2 { root, .. }
            | Dataset::RecordIo { root, .. }
            | Dataset::Folders { root, .. }
            | Dataset::UtkFace { root, .. }
            | Dataset::Images { root, .. } => root,
        }
    }

    /// What the study says of who is on the pictures.
    pub fn identities(&self) -> &Identities {
        match self {
            Dataset::CelebA { identities, .. }
            | Dataset::RecordIo { identities, .. }
            | Dataset::Folders { identities, .. }
            | Dataset::UtkFace { identities, .. }
            | Dataset::Images { identities, .. } => identities,
            Dataset::Vggface2 { .. } => &Identities::Unsaid,
        }
    }

    /// Its tables of where the faces are, as the study names them.
    pub fn faces(&self) -> &FaceFiles {
        match self {
            Dataset::CelebA { faces, .. }
            | Dataset::Vggface2 { faces, .. }
            | Dataset::RecordIo { faces, .. }
            | Dataset::Folders { faces, .. }
            | Dataset::UtkFace { faces, .. }
            | Dataset::Images { faces, .. } => faces,
        }
    }

    /// Does it have a table of where the faces are, by what the study says: one that is named, or the landmarks of CelebA's release? Whether
    /// the file is there is not asked, so that what a study computes follows from its text.
    pub fn has_marks(&self, mark: FaceMark) -> bool {
        self.faces().of(mark).is_some() || matches!((self, mark), (Dataset::CelebA { .. }, FaceMark::Landmarks))
    }

    /// May it know who is on its pictures, by itself or by what the study says?
    pub fn may_know_identities(&self) -> bool {
        match (self, self.identities()) {
            (_, Identities::EachImage) => false,
            (_, Identities::Folder | Identities::Column(_) | Identities::File(_)) => true,
            (Dataset::CelebA { .. } | Dataset::Vggface2 { .. } | Dataset::RecordIo { .. }, Identities::Unsaid) => true,
            (Dataset::Folders { .. } | Dataset::UtkFace { .. } | Dataset::Images { .. }, Identities::Unsaid) => false,
        }
    }
}

/// Which images are compared, and their labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Absent when every model's features are given.
    pub dataset: Option<String>,
    /// The part that is evaluated, of a data set that has parts.
    pub partition: Option<Partition>,
    /// Not all of them, but so many; `None`: all.
    pub take: Option<Take>,
    /// What becomes of an image without features.
    pub on_missing: OnMissing,
    /// Of how many pictures thumbnails are made.
    pub thumbnails: Thumbnails,
    /// Labels from files of their own, and those that were given in this workspace.
    pub labels: Vec<LabelEntry>,
    /// Values that expressions of the study ask for in quotes, by attribute: none of them is a missing label.
    pub quoted: BTreeMap<String, BTreeSet<String>>,
}

impl LabelEntry {
    /// The file, of labels that have one.
    pub fn file(&self) -> Option<&PathBuf> {
        match &self.source {
            LabelSource::File { file, .. } => Some(file),
            LabelSource::Journal { .. } => None,
        }
    }

    /// Whose labels a file has, if it says so.
    pub fn annotator(&self) -> Option<&str> {
        match &self.source {
            LabelSource::File { annotator, .. } => annotator.as_deref(),
            LabelSource::Journal { .. } => None,
        }
    }

    /// Are these the labels of one annotator, or of several, by name?
    pub fn is_by_annotators(&self) -> bool {
        !matches!(self.source, LabelSource::File { annotator: None, .. })
    }
}

impl Evaluation {
    /// The rule for an attribute that several annotators labelled.
    pub fn label_rule(&self, attribute: &str) -> LabelRule {
        self.labels.iter().filter(|entry| entry.attribute == attribute).find_map(|entry| entry.rule).unwrap_or_default()
    }

    /// The attributes whose labels annotators gave in this workspace, as they were asked for.
    pub fn journaled(&self) -> BTreeSet<&str> {
        self.labels
            .iter()
            .filter_map(|entry| match &entry.source {
                LabelSource::Journal { asked } => Some(asked.as_str()),
                LabelSource::File { .. } => None,
            })
            .collect()
    }
}

vocabulary! {
    /// The parts that a data set is published in.
    pub enum Partition {
        /// For training.
        Train = "train",
        /// For choosing.
        Validation = "validation",
        /// For testing.
        Test = "test",
        /// All three.
        All = "all",
    }
}

vocabulary! {
    /// What becomes of an image that a model has no features of.
    #[derive(Default)]
    pub enum OnMissing {
        /// The study is refused.
        #[default]
        Stop = "stop",
        /// It is left out, for all models alike.
        LeaveOut = "leave_out",
    }
}

vocabulary! {
    /// Which pictures of the evaluation are made small, for people to look at.
    #[derive(Default)]
    pub enum Thumbnails {
        /// All, or of very many a sample.
        #[default]
        Sample = "sample",
        /// All, however many they are.
        All = "all",
    }
}

vocabulary! {
    /// Where labels come from.
    pub enum LabelProvenance {
        /// By the people on the pictures.
        SelfReported = "self-reported",
        /// By people who looked at the pictures.
        Perceived = "perceived",
        /// By a model.
        Predicted = "predicted",
        /// By an instrument.
        Measured = "measured",
    }
}

/// Where one attribute's labels are read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelSource {
    /// A table of images and values.
    File {
        /// The table.
        file: PathBuf,
        /// Who labelled; `None`: the table is not one annotator's among several.
        annotator: Option<String>,
    },
    /// What annotators said in this workspace (`visavis label`).
    Journal {
        /// The attribute that they were asked for.
        asked: String,
    },
}

/// One attribute's labels from one source.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelEntry {
    /// Where they are read.
    pub source: LabelSource,
    /// What the attribute is called in the study.
    pub attribute: String,
    /// What the label of an image is, where several annotators gave one; `None`: not said here.
    pub rule: Option<LabelRule>,
    /// Where the labels come from; `None`: not said.
    pub provenance: Option<LabelProvenance>,
    /// Words that are missing labels, in place of the usual ones.
    pub missing: Option<Vec<String>>,
}
