//! `extract`: what a network gives at its layers, all of them in one pass.

use super::Stage;
use crate::domain::{
    alteration::Alteration,
    canonical::Value,
    embedding::EmbeddingForm,
    model::{Architecture, ModelFormat, WeightFamily},
    study::{DeviceClass, Numerics, Precision, Preparation},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// [`Extraction::WEIGHTS`], [`role::IMAGES`](super::role::IMAGES) → one array a layer, [`features_at`]. Boxes or landmarks, where the crop
/// needs them; landmarks also where the background is masked and they are known.
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
    /// How the weights are run that are a whole network; `None`: the network is built here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<WholeNetwork>,
    /// What is made of the embedding, if it is among the layers.
    #[serde(default, skip_serializing_if = "EmbeddingForm::is_plain")]
    pub embedding: EmbeddingForm,
    /// What is done to the prepared pictures on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alteration: Option<Alteration>,
}

/// How a file is run that holds a whole network: what the bits depend on beside the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WholeNetwork {
    /// What is in the file.
    pub format: ModelFormat,
    /// The library that runs it, with its version.
    pub runtime: String,
    /// How far the library may rearrange the computation.
    pub optimisation: String,
    /// Layer → what is read there, as the file calls it.
    pub reads: BTreeMap<String, String>,
}

/// The version of onnxruntime that visavis-onnx runs with: no other is taken, because its version decides bits.
pub const ONNXRUNTIME: &str = "1.32.0";

/// The version of libtorch that visavis-torch is built with.
pub const LIBTORCH: &str = "2.11";

impl WholeNetwork {
    /// A file of this format, read at these layers.
    pub fn new(format: ModelFormat, reads: BTreeMap<String, String>) -> Self {
        let (runtime, optimisation) = match format {
            ModelFormat::Onnx => (format!("onnxruntime {ONNXRUNTIME}"), "all"),
            ModelFormat::TorchScript => (format!("libtorch {LIBTORCH}"), "none"),
        };
        WholeNetwork { format, runtime, optimisation: optimisation.to_owned(), reads }
    }

    /// What a study's numerics are for such a network: it computes in the precision that it was saved in; onnxruntime on processors.
    pub fn numerics(format: ModelFormat, of: &Numerics) -> Numerics {
        let runs_on_cards = format == ModelFormat::TorchScript || of.device == DeviceClass::Pretend;
        let device = if runs_on_cards { of.device } else { DeviceClass::Cpu };
        Numerics { device, precision: Precision::Single, threads: of.threads }
    }

    /// What of it enters a key.
    fn canonical(&self) -> Value {
        let WholeNetwork { format, runtime, optimisation, reads } = self;
        Value::map()
            .with("format", Value::text(format.word()))
            .with("runtime", Value::text(runtime))
            .with("optimisation", Value::text(optimisation))
            .with("reads", Value::list(reads, |(layer, of)| Value::List(vec![Value::text(layer), Value::text(of)])))
            .done()
    }
}

/// What the features of a network or a baseline at a layer are called: images × columns, float32.
pub fn features_at(layer: &str) -> String {
    format!("{layer}.npy")
}

/// The start of the name of a fact that holds what all names of a weight file begin with.
pub const WEIGHTS_PREFIX: &str = "prefix of the weights: ";

/// The start of the name of a fact of how many backgrounds were masked by what, and the mean share of the square that was.
pub const MASKED_BY: &str = "masked by ";

impl Extraction {
    /// Input: the weights, unless they were never trained.
    pub const WEIGHTS: &str = "weights";
    /// Inputs: the files beside an ONNX model that hold its weights, each by the name that the model has for it.
    pub const BESIDE: &str = "weights/";

    /// Its [cost class](super::Work::cost_class), from what it depends on.
    pub fn cost_class_of(numerics: &Numerics, architecture: &Architecture, embedding: &EmbeddingForm) -> String {
        // Every picture goes through the network twice.
        let twice = if embedding.flip.is_some() { " flipped" } else { "" };
        format!("features {} {architecture}{twice}", numerics.device)
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
        Some(Self::cost_class_of(&self.numerics, &self.architecture, &self.embedding))
    }

    fn canonical(&self) -> Value {
        let Extraction { architecture, preparation, layers, family, untrained, numerics, whole, embedding, alteration } = self;
        Value::map()
            .with("architecture", architecture.canonical())
            .with("preparation", preparation.canonical())
            // Words in keys never change.
            .with("taps", Value::list(layers, Value::text))
            .with("family", Value::text(family.word()))
            .optional("untrained", untrained.map(Value::seed))
            .with("numerics", numerics.canonical())
            .optional("whole", whole.as_ref().map(WholeNetwork::canonical))
            .optional("embedding", embedding.canonical())
            .optional("alteration", alteration.map(Alteration::canonical))
            .done()
    }
}
