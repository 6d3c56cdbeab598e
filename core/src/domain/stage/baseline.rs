//! `baseline`: features that any picture has without a network, for networks to be compared with.

use super::Stage;
use crate::domain::{canonical::Value, model::BaselineKind, study::Preparation};
use serde::{Deserialize, Serialize};

/// `images` → `embedding.npy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What is made of a picture.
    pub word: BaselineKind,
    /// How a picture becomes numbers.
    pub preparation: Preparation,
}

impl Stage for Baseline {
    fn version(&self) -> u32 {
        // 2: pictures are turned upright.
        2
    }

    fn canonical(&self) -> Value {
        let Baseline { word, preparation } = self;
        Value::map().with("baseline", Value::text(word.word())).with("preparation", preparation.canonical()).done()
    }
}
