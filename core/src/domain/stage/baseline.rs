//! `baseline`: features that any picture has without a network, for networks to be compared with.

use super::Stage;
use crate::domain::{canonical::Value, study::Preparation};
use serde::{Deserialize, Serialize};

/// `images` → `embedding.npy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// `pixels` or `colours`.
    pub word: String,
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
        Value::map().with("baseline", Value::text(word)).with("preparation", preparation.canonical()).done()
    }
}
