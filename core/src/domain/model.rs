//! Models: what is compared, and the factors in which they differ.

use super::{
    canonical::Value,
    embedding::EmbeddingForm,
    index::{LayerIx, ModelIx},
    loss::Loss,
    made_with::MadeWith,
    vocabulary::vocabulary,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::PathBuf};
use typed_index_collections::{TiSlice, TiVec};

/// What is compared: where features come from, under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Unique in its study.
    pub name: String,
    /// Where its features come from.
    pub source: Source,
}

/// How features come about.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A network: weights that are given, or a recipe to make them.
    Network(Network),
    /// Features that somebody else made, one file a layer.
    Given(GivenFeatures),
    /// What takes no network.
    Baseline {
        /// Which.
        word: BaselineKind,
        /// The preparation's name.
        prepare: String,
    },
}

impl Source {
    /// Are they the same features? What is said of how they were made does not matter.
    fn is(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Given(one), Source::Given(other)) => one.layers == other.layers && one.images == other.images,
            _ => self == other,
        }
    }

    /// It takes no network, or one whose weights were only drawn.
    pub fn learned_nothing(&self) -> bool {
        match self {
            Source::Network(network) => matches!(network.weights, Weights::Untrained { .. }),
            Source::Given(_) => false,
            Source::Baseline { .. } => true,
        }
    }
}

/// Files of features and the images that their rows are of.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenFeatures {
    /// Layer → `.npy` or `.safetensors` file, N × D.
    pub layers: BTreeMap<String, PathBuf>,
    /// Image ids in row order: one a line, or a column of a table.
    pub images: PathBuf,
    /// How they were made, for people to read.
    pub made_with: MadeWith,
}

/// A network in its factors.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Which network.
    pub architecture: Architecture,
    /// Its layers, in order of depth, as its family names them.
    pub layers: Vec<String>,
    /// What it is trained with; where weights are given, a label.
    pub loss: Loss,
    /// The data set it is trained on; where weights are given, a label.
    pub trained_on: String,
    /// The preparation's name.
    pub prepare: String,
    /// What is made of its embedding.
    pub embedding: EmbeddingForm,
    /// Given, trained here, or drawn.
    pub weights: Weights,
}

/// Where a network's weights come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Weights {
    /// A file that somebody else made.
    File {
        /// Of any format that `weights/containers/` reads.
        file: PathBuf,
        /// How its tensors are named.
        family: WeightFamily,
        /// What its bytes must be, in hexadecimal digits.
        blake3: Option<String>,
    },
    /// A file that says itself what is computed.
    Whole(ModelFile),
    /// Train with this recipe; `seed` counts from 1.
    Recipe {
        /// The recipe's name.
        recipe: String,
        /// Which of the recipe's seeds.
        seed: usize,
    },
    /// As they are drawn at the start, for what learning adds to be seen.
    Untrained {
        /// Which of the seeds, from 1.
        seed: usize,
    },
}

vocabulary! {
    /// The format of a file that holds a whole network: what is computed, and with which weights.
    pub enum ModelFormat {
        /// Run by onnxruntime, on processors.
        Onnx = "onnx",
        /// Run by libtorch.
        TorchScript = "torchscript",
    }
}

/// A file that holds a whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFile {
    /// Where it is.
    pub file: PathBuf,
    /// What runs it.
    pub format: ModelFormat,
    /// Layer → what is read there, as the file calls it: the name of a tensor or a node, the place or name of an output.
    pub reads: BTreeMap<String, String>,
    /// What its bytes must be, in hexadecimal digits.
    pub blake3: Option<String>,
}

impl Weights {
    /// A file that somebody else made, with the digest that its bytes must have.
    pub fn file(&self) -> Option<(&PathBuf, Option<&str>)> {
        match self {
            Weights::File { file, blake3, .. } | Weights::Whole(ModelFile { file, blake3, .. }) => {
                Some((file, blake3.as_deref()))
            }
            Weights::Recipe { .. } | Weights::Untrained { .. } => None,
        }
    }
}

/// A network's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// As its field calls it: `resnet34`. The register of families (`weights/families/`) says which there are.
    pub word: String,
    /// Channels as a fraction of the usual ones; 1 is the field's network.
    pub width: f64,
}

/// The last layer of every network, and the only one of what is no network.
pub const EMBEDDING: &str = "embedding";

/// The family of a network's weights: a word, in JSON too. It says how a weight file names its tensors, and what is computed with them.
/// The register of families (`weights/families/`) says which there are, so that a new one changes nothing in this file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeightFamily(String);

impl WeightFamily {
    /// The word of the family of networks that are trained here.
    pub const OWN: &str = "visavis";

    /// The family of that word: lower-case letters, digits, `_`.
    pub fn of(word: &str) -> Self {
        WeightFamily(word.to_owned())
    }

    /// The family of networks that are trained here.
    pub fn own() -> Self {
        Self::of(Self::OWN)
    }

    /// Whether its networks were trained here.
    pub fn is_own(&self) -> bool {
        self.0 == Self::OWN
    }

    /// What study files, results and keys call the family.
    pub fn word(&self) -> &str {
        &self.0
    }
}

impl ModelFormat {
    /// The format as results have it, where a network that is built here has the family of its weights.
    pub fn family(self) -> WeightFamily {
        WeightFamily::of(self.word())
    }

    /// The same, where such a network has its architecture: what a study calls the architecture of a whole network is a label.
    pub fn architecture(self) -> Architecture {
        Architecture { word: self.word().to_owned(), width: 1.0 }
    }
}

impl fmt::Display for WeightFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

vocabulary! {
    /// Baselines that take no network.
    pub enum BaselineKind {
        /// The prepared pixels.
        Pixels = "pixels",
        /// How often each colour occurs.
        Colours = "colours",
    }
}

/// Named numbers, in the order of their names.
pub(super) fn parameters(given: &BTreeMap<String, f64>) -> Value {
    Value::list(given, |(name, value)| Value::List(vec![Value::text(name), Value::Float(*value)]))
}

impl Architecture {
    /// What of it enters a key; a width of 1 is left out.
    pub fn canonical(&self) -> Value {
        let Architecture { word, width } = self;
        Value::map().with("word", Value::text(word)).unless("width", Value::Float(*width), &Value::Float(1.0)).done()
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)?;
        if self.width == 1.0 { Ok(()) } else { write!(f, "-width{}", self.width) }
    }
}

/// A model's level of every factor that it has.
pub type Factors = BTreeMap<&'static str, String>;

/// What two models can differ in.
pub const FACTORS: [&str; 7] = ["architecture", "loss", "trained_on", "prepare", "embedding", "weights", "features"];

impl Model {
    /// Is it trained here, on the data set of this name?
    pub fn learns_from(&self, name: &str) -> bool {
        matches!(&self.source, Source::Network(network)
            if network.trained_on == name && matches!(network.weights, Weights::Recipe { .. }))
    }

    /// The model's level of every factor it has; what two models differ in is computed from these, not declared.
    pub fn factors(&self) -> Factors {
        match &self.source {
            Source::Given(_) => [("features", self.name.clone())].into(),
            Source::Baseline { word, prepare } => [("features", word.to_string()), ("prepare", prepare.clone())].into(),
            Source::Network(network) => {
                let mut factors: BTreeMap<_, _> = [
                    ("architecture", network.architecture.to_string()),
                    ("loss", network.loss.to_string()),
                    ("trained_on", network.trained_on.clone()),
                    ("prepare", network.prepare.clone()),
                ]
                .into();
                if !network.embedding.is_plain() {
                    factors.insert("embedding", network.embedding.to_string());
                }
                match &network.weights {
                    Weights::File { family, .. } => _ = factors.insert("weights", family.to_string()),
                    Weights::Whole(of) => _ = factors.insert("weights", of.format.to_string()),
                    Weights::Untrained { .. } => factors.retain(|factor, _| !matches!(*factor, "loss" | "trained_on")),
                    Weights::Recipe { .. } => {}
                }
                factors
            }
        }
    }

    /// The name of the preparation of its pictures; `None` of given features, whose pictures are not known.
    pub fn prepared_by(&self) -> Option<&str> {
        match &self.source {
            Source::Network(network) => Some(&network.prepare),
            Source::Baseline { prepare, .. } => Some(prepare),
            Source::Given(_) => None,
        }
    }

    /// What is made of its embedding, if these layers have it.
    pub fn embedding_among(&self, layers: &[String]) -> EmbeddingForm {
        match &self.source {
            Source::Network(network) if layers.iter().any(|layer| layer == EMBEDDING) => network.embedding,
            Source::Network(_) | Source::Given(_) | Source::Baseline { .. } => EmbeddingForm::default(),
        }
    }

    /// Why it cannot be asked of other pictures than the evaluation's, in words; `None`: it can, by its embedding.
    pub fn gives_no_embeddings(&self) -> Option<&'static str> {
        match &self.source {
            Source::Network(network) if network.layers.iter().any(|layer| layer == EMBEDDING) => None,
            Source::Network(_) => Some("its network is read at no `embedding`"),
            Source::Given(_) => Some("its features are given, of the evaluation's pictures alone"),
            Source::Baseline { .. } => Some("it is a baseline without a network"),
        }
    }

    /// The recipe that it is trained by, if it is trained here.
    pub fn recipe(&self) -> Option<&str> {
        match &self.source {
            Source::Network(Network { weights: Weights::Recipe { recipe, .. }, .. }) => Some(recipe),
            _ => None,
        }
    }

    /// Its layers, in order of depth, less those not asked for.
    pub fn layers(&self, asked: Option<&[String]>) -> TiVec<LayerIx, String> {
        let all: Vec<String> = match &self.source {
            Source::Given(given) => given.layers.keys().cloned().collect(),
            Source::Network(network) => network.layers.clone(),
            Source::Baseline { .. } => vec![EMBEDDING.to_owned()],
        };
        all.into_iter().filter(|layer| asked.is_none_or(|asked| asked.contains(layer))).collect()
    }
}

/// Models of one definition under several names: the first, and another.
pub fn twins(models: &TiSlice<ModelIx, Model>) -> Vec<[&str; 2]> {
    let first = |of: ModelIx| models[..of].iter().find(|first| first.source.is(&models[of].source));
    models.iter_enumerated().filter_map(|(of, model)| Some([first(of)?.name.as_str(), model.name.as_str()])).collect()
}

/// The factors in which two models differ; empty when they are the same in all.
pub fn differences(left: &Model, right: &Model) -> Vec<&'static str> {
    differing(&left.factors(), &right.factors()).collect()
}

/// The factors whose levels differ.
pub(crate) fn differing(left: &Factors, right: &Factors) -> impl Iterator<Item = &'static str> {
    FACTORS.into_iter().filter(|factor| left.get(factor) != right.get(factor))
}
