//! Kinds of stages: what people count and wait for.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What people count stages under: several stages may be of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Finds the images.
    Index,
    /// Trains a network.
    Train,
    /// Makes or takes in features.
    Features,
    /// Makes coordinates of features.
    Project,
    /// Makes scores of coordinates or features, and what is made of scores.
    Score,
    /// Ranks all cells of a study.
    Rank,
    /// Draws a figure.
    Draw,
}

impl Kind {
    /// In the order of work.
    pub const ALL: [Kind; 7] = [Kind::Index, Kind::Train, Kind::Features, Kind::Project, Kind::Score, Kind::Rank, Kind::Draw];

    /// As manifests and people write it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Index => "index",
            Kind::Train => "train",
            Kind::Features => "features",
            Kind::Project => "project",
            Kind::Score => "score",
            Kind::Rank => "rank",
            Kind::Draw => "draw",
        }
    }

    /// The inverse of [`Self::word`].
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
