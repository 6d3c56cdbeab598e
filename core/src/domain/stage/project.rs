//! `project`: features become coordinates.

use super::Stage;
use crate::domain::{
    canonical::Value,
    projection::{LearnedLabels, Method},
};
use serde::{Deserialize, Serialize};

/// `features` → [`ProjectFeatures::COORDINATES`]. For cosines `images` too, which name an image that has no direction, and `offsets` where
/// columns were centred. For a supervised method `images`, `labels/…` and `identities`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectFeatures {
    /// The method with its parameters.
    pub method: Method,
    /// Of the start and of random choices; decides nothing where the method has none.
    pub seed: u64,
    /// What a supervised method learns; `None` of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LearnedLabels>,
}

impl ProjectFeatures {
    /// Input: [`FeatureImport::OFFSETS`](super::FeatureImport::OFFSETS), where columns were centred.
    pub const OFFSETS: &str = "offsets";
    /// Images × axes, float32.
    pub const COORDINATES: &str = "coordinates.npy";

    /// Its [cost class](super::Work::cost_class), from what it depends on.
    pub fn cost_class_of(method: &Method) -> String {
        format!("project {}", method.word())
    }
}

impl Stage for ProjectFeatures {
    fn version(&self) -> u32 {
        // 2: leading eigenvectors by inverse iteration, column means by blocks. 3: random numbers by purpose.
        3
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn cost_class(&self) -> Option<String> {
        Some(Self::cost_class_of(&self.method))
    }

    fn canonical(&self) -> Value {
        let ProjectFeatures { method, seed, labels } = self;
        let map = Value::map().with("method", method.canonical()).with("seed", Value::seed(*seed));
        labels.iter().fold(map, |map, labels| map.with("labels", labels.canonical())).done()
    }
}
