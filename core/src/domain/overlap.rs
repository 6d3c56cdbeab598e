//! What the set that networks learn from shares with the pictures that they are evaluated on.

use serde::{Deserialize, Serialize};

/// What two sets share: by bytes, by what pictures show, and by the names of identities. Nothing else was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// 1.
    pub format: u32,
    /// The set that is evaluated.
    pub evaluated: OverlapSide,
    /// The set that networks learn from.
    pub learned: OverlapSide,
    /// Pictures that are in both, byte for byte.
    pub same: SharedPictures,
    /// Pictures that are not, and look like one of the other set. `None`: they are so alike that it was not looked for.
    pub near: Option<NearPictures>,
    /// Identities of one name.
    pub identities: SharedIdentities,
}

/// A set that was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapSide {
    /// How many pictures it has.
    pub pictures: usize,
    /// Those of them that are too plain to be compared by what they show.
    pub plain: usize,
    /// The names of its identities, or of its folders.
    pub names: usize,
}

/// Pictures that two sets share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedPictures {
    /// How many pictures of the evaluation are shared.
    pub evaluated: usize,
    /// How many of the training set are.
    pub learned: usize,
    /// The first pictures of the evaluation, each with one of the training set.
    pub first: Vec<PicturePair>,
}

/// Pictures that look alike, and how far that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearPictures {
    /// In how many of the 64 lowest of 256 bits near pictures may differ.
    pub radius: u32,
    /// In how many of all 256 bits.
    pub of_all: u32,
    /// What is near.
    #[serde(flatten)]
    pub shared: SharedPictures,
}

/// A picture of each set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicturePair {
    /// The id in the evaluation.
    pub evaluated: String,
    /// The id in the training set.
    pub learned: String,
}

/// Identities that two sets share, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedIdentities {
    /// Whose names of the evaluation were compared with the names of the training set's classes.
    pub by: IdentityNames,
    /// How many names both have.
    pub shared: usize,
    /// How many pictures of the evaluation are of these.
    pub pictures: usize,
    /// The first of the names, in order.
    pub first: Vec<String>,
    /// Names that both have and that are plain numbers, which two data sets may count alike: not among the shared ones.
    pub numbers: usize,
}

/// Whose names say who is on a picture of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityNames {
    /// Those of its identities.
    Identities,
    /// Those of the folders that its pictures are in: it does not say who is on them.
    Folders,
    /// Nothing does: no name was compared.
    Nothing,
}
