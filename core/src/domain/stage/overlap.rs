//! `overlap`: what a training set shares with the evaluation.

use super::Stage;
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// `images`, [`FindOverlap::HASHES`], [`FindOverlap::LEARNED`], [`FindOverlap::LEARNED_HASHES`],
/// [`Training::CLASSES`](super::Training::CLASSES), and `identities` where they are known → [`FindOverlap::OVERLAP`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindOverlap {
    /// The two are of one data set of the study, so a number is one identity in both.
    pub is_one_data_set: bool,
}

impl FindOverlap {
    /// Input: [`HashPictures::HASHES`](super::HashPictures::HASHES) of the evaluation's images.
    pub const HASHES: &str = "hashes";
    /// Input: the training set's images.
    pub const LEARNED: &str = "learned";
    /// Input: [`HashPictures::HASHES`](super::HashPictures::HASHES) of these.
    pub const LEARNED_HASHES: &str = "learned hashes";
    /// An [`Overlap`](crate::domain::overlap::Overlap).
    pub const OVERLAP: &str = "overlap.json";
}

impl Stage for FindOverlap {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let FindOverlap { is_one_data_set } = self;
        Value::map().with("is_one_data_set", Value::Bool(*is_one_data_set)).done()
    }
}
