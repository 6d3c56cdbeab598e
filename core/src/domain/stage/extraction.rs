//! `extract`: what a network gives at its layers, all of them in one pass.

use super::Stage;
use crate::domain::{
    canonical::Value,
    model::{Architecture, WeightFamily},
    study::{Numerics, Preparation},
};
use serde::{Deserialize, Serialize};

/// [`Extraction::WEIGHTS`], [`role::IMAGES`](super::role::IMAGES) → one array a layer, [`features_at`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// Which network is run.
    pub architecture: Architecture,
    /// How pictures are made into its input.
    pub preparation: Preparation,
    /// What is read at a layer that is a map: its mean over the places of the map. Results of the first release call them `taps`.
    #[serde(alias = "taps")]
    pub layers: Vec<String>,
    /// How the tensors of the weights are named.
    pub family: WeightFamily,
    /// Weights that were drawn by this seed and never learned; otherwise `weights` are consumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrained: Option<u64>,
    /// What libtorch's bits depend on.
    pub numerics: Numerics,
}

/// What the features of a network or a baseline at a layer are called: images × columns, float32.
pub fn features_at(layer: &str) -> String {
    format!("{layer}.npy")
}

/// The start of the name of a fact that holds what all names of a weight file begin with.
pub const WEIGHTS_PREFIX: &str = "prefix of the weights: ";

impl Extraction {
    /// Input: the weights, unless they were never trained.
    pub const WEIGHTS: &str = "weights";

    /// Its [cost class](super::Work::cost_class), from what it depends on.
    pub fn cost_class_of(numerics: &Numerics, architecture: &Architecture) -> String {
        format!("features {} {architecture}", numerics.device)
    }
}

impl Stage for Extraction {
    fn version(&self) -> u32 {
        // 2: random numbers by purpose, pictures are turned upright.
        2
    }

    fn seed(&self) -> Option<u64> {
        self.untrained
    }

    fn cost_class(&self) -> Option<String> {
        Some(Self::cost_class_of(&self.numerics, &self.architecture))
    }

    fn canonical(&self) -> Value {
        let Extraction { architecture, preparation, layers, family, untrained, numerics } = self;
        Value::map()
            .with("architecture", architecture.canonical())
            .with("preparation", preparation.canonical())
            // Words in keys never change.
            .with("taps", Value::list(layers, Value::text))
            .with("family", Value::text(family.word()))
            .optional("untrained", untrained.map(Value::seed))
            .with("numerics", numerics.canonical())
            .done()
    }
}
