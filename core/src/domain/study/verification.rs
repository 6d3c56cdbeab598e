//! What a study says of verification sets: pairs of pictures that each network is asked of, whether they show one identity.

use super::{
    dataset::FaceFiles,
    preparation::{Crop, Preparation, USUAL_MARGIN},
};
use crate::domain::index::PairSetIx;
use std::path::{Path, PathBuf};
use typed_index_collections::TiVec;

/// Sets of pairs, and where the share of pairs that are accepted is read.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationSettings {
    /// The share of pairs of two identities that may be accepted.
    pub far: f64,
    /// In the order of the study file.
    pub sets: TiVec<PairSetIx, VerificationSet>,
}

impl Default for VerificationSettings {
    fn default() -> Self {
        VerificationSettings { far: 0.001, sets: TiVec::new() }
    }
}

/// Pairs of pictures under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationSet {
    /// Unique in its study.
    pub name: String,
    /// Where they are.
    pub source: PairSource,
}

/// Where pairs and their pictures are.
#[derive(Clone, Debug, PartialEq)]
pub enum PairSource {
    /// InsightFace's pickle of pictures and answers, such as `lfw.bin`.
    Pickle(PathBuf),
    /// A list of pairs, and pictures elsewhere.
    List {
        /// LFW's `pairs.txt`, or two pictures and an answer a line.
        pairs: PathBuf,
        /// The folder of the pictures, or the file that holds them.
        root: PathBuf,
        /// Where the faces are in the pictures.
        faces: FaceFiles,
    },
}

impl PairSource {
    /// The file of the pairs.
    pub fn file(&self) -> &Path {
        match self {
            PairSource::Pickle(file) | PairSource::List { pairs: file, .. } => file,
        }
    }

    /// Where the pictures are.
    pub fn pictures(&self) -> &Path {
        match self {
            PairSource::Pickle(file) | PairSource::List { root: file, .. } => file,
        }
    }

    /// Tables of where the faces are; `None` of a pickle, whose pictures are cropped already.
    pub fn faces(&self) -> Option<&FaceFiles> {
        match self {
            PairSource::Pickle(_) => None,
            PairSource::List { faces, .. } => Some(faces),
        }
    }
}

impl VerificationSet {
    /// How its pictures are prepared for a model that prepares others so: the same way, but whole where the crop needs to know where the
    /// face is, and the study names no table of that.
    pub fn preparation(&self, own: &Preparation) -> Preparation {
        let is_known = |mark| self.source.faces().is_some_and(|faces| faces.of(mark).is_some());
        match own.crop.needs() {
            Some(mark) if !is_known(mark) => Preparation { crop: Crop::Whole, margin: USUAL_MARGIN, ..own.clone() },
            _ => own.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_taken_whole_where_nothing_says_where_the_face_is() {
        let set = |source| VerificationSet { name: "s".to_owned(), source };
        let list = |landmarks: Option<&str>| {
            let faces = FaceFiles { landmarks: landmarks.map(PathBuf::from), boxes: None };
            set(PairSource::List { pairs: "pairs.txt".into(), root: "lfw".into(), faces })
        };
        let aligned = Preparation { margin: 1.5, ..Preparation::of(Crop::Aligned, 112) };
        let whole = Preparation::of(Crop::Whole, 112);
        assert_eq!(set(PairSource::Pickle("lfw.bin".into())).preparation(&aligned), whole);
        assert_eq!(list(None).preparation(&aligned), whole);
        assert_eq!(list(Some("l.csv")).preparation(&aligned), aligned);
        let centre = Preparation::of(Crop::Centre, 112);
        assert_eq!(list(None).preparation(&centre), centre, "the picture is enough for it");
    }
}
