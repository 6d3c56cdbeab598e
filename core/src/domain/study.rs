//! A study: one question, checked and complete. Made by `config` from a study file, trusted from then on.

use super::{
    canonical::Value,
    comparison::Comparison,
    image::Take,
    model::{Model, Source, parameters},
    projection::Projection,
    score::Statistics,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    pub name: String,
    pub about: String,
    pub seed: u64,
    pub numerics: Numerics,
    pub datasets: BTreeMap<String, Dataset>,
    pub preparations: BTreeMap<String, Preparation>,
    pub recipes: BTreeMap<String, Recipe>,
    pub evaluation: Evaluation,
    pub models: Vec<Model>,
    pub layers: Option<Vec<String>>,
    pub projections: Vec<Projection>,
    pub comparisons: Vec<Comparison>,
    pub contrasts: Vec<Contrast>,
    pub statistics: Statistics,
    /// How many figures the report shows at most.
    pub show: usize,
    pub fairness: FairnessSettings,
    pub tolerance: Tolerance,
    pub resources: Resources,
    pub run: RunOn,
}

impl Study {
    /// Are there networks that only pretend to learn?
    pub fn pretends(&self) -> bool {
        self.numerics.device == "pretend" && self.models.iter().any(|model| matches!(model.source, Source::Network(_)))
    }

    /// `digits: Which features …`
    pub fn title(&self) -> String {
        if self.about.is_empty() { self.name.clone() } else { format!("{}: {}", self.name, self.about) }
    }
}

/// What libtorch's bits depend on; torch-free stages have the same bits everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerics {
    /// `cpu`, `cuda`, or `pretend`: networks that only pretend to learn, for trying everything around them.
    pub device: String,
    pub precision: String,
    pub threads: Option<usize>,
}

impl Numerics {
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device))
            .with("precision", Value::text(precision))
            .optional("threads", threads.map(Value::count))
            .done()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Dataset {
    CelebA {
        root: PathBuf,
        identities: Identities,
    },
    Vggface2 {
        root: PathBuf,
        split: String,
    },
    /// One folder a class.
    Folders {
        root: PathBuf,
        identities: Identities,
    },
    /// A folder of pictures with a label CSV (`image_id,<attribute>…`); the pictures may be absent.
    Images {
        root: PathBuf,
        labels: Option<PathBuf>,
        /// Words that are missing labels, in place of the usual ones.
        missing: Option<Vec<String>>,
        identities: Identities,
    },
}

/// What a study says of who is on the pictures of a data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Identities {
    /// Nothing: what the data set knows counts, if it knows anything.
    #[default]
    Unsaid,
    /// No person occurs twice.
    EachImage,
    /// The folder an image is in.
    Folder,
    /// A column of the data set's label CSV.
    Column(String),
    /// A table of its own: image, identity.
    File(PathBuf),
}

impl Dataset {
    pub fn root(&self) -> &PathBuf {
        match self {
            Dataset::CelebA { root, .. }
            | Dataset::Vggface2 { root, .. }
            | Dataset::Folders { root, .. }
            | Dataset::Images { root, .. } => root,
        }
    }

    pub fn identities(&self) -> &Identities {
        match self {
            Dataset::CelebA { identities, .. } | Dataset::Folders { identities, .. } | Dataset::Images { identities, .. } => {
                identities
            }
            Dataset::Vggface2 { .. } => &Identities::Unsaid,
        }
    }

    /// May it know who is on its pictures, by itself or by what the study says?
    pub fn may_know_identities(&self) -> bool {
        match (self, self.identities()) {
            (_, Identities::EachImage) => false,
            (_, Identities::Folder | Identities::Column(_) | Identities::File(_)) => true,
            (Dataset::CelebA { .. } | Dataset::Vggface2 { .. }, Identities::Unsaid) => true,
            (Dataset::Folders { .. } | Dataset::Images { .. }, Identities::Unsaid) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    pub crop: String,
    pub size: usize,
    pub pad: String,
    pub scale: String,
    #[serde(default, skip_serializing_if = "Exif::is_applied")]
    pub exif: Exif,
}

/// What becomes of the note of a camera how a picture is to be turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exif {
    /// The picture is turned upright.
    #[default]
    Apply,
    /// It is taken as it lies in its file.
    Ignore,
}

impl Exif {
    pub fn word(self) -> &'static str {
        match self {
            Exif::Apply => "apply",
            Exif::Ignore => "ignore",
        }
    }

    fn is_applied(&self) -> bool {
        *self == Exif::Apply
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub epochs: usize,
    pub batch: usize,
    pub optimizer: BTreeMap<String, f64>,
    pub optimizer_word: String,
    pub schedule: String,
}

impl Preparation {
    pub fn canonical(&self) -> Value {
        let Preparation { crop, size, pad, scale, exif } = self;
        Value::map()
            .with("crop", Value::text(crop))
            .with("size", Value::count(*size))
            .with("pad", Value::text(pad))
            .with("scale", Value::text(scale))
            .unless("exif", Value::text(exif.word()), &Value::text(Exif::Apply.word()))
            .done()
    }
}

impl Recipe {
    pub fn canonical(&self) -> Value {
        let Recipe { epochs, batch, optimizer, optimizer_word, schedule } = self;
        Value::map()
            .with("epochs", Value::count(*epochs))
            .with("batch", Value::count(*batch))
            .with("optimizer", Value::text(optimizer_word))
            .with("parameters", parameters(optimizer))
            .with("schedule", Value::text(schedule))
            .done()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Absent when every model's features are given.
    pub dataset: Option<String>,
    pub partition: Option<String>,
    pub take: Option<Take>,
    pub on_missing: OnMissing,
    pub labels: Vec<LabelFile>,
    /// Values that expressions of the study ask for in quotes, by attribute: none of them is a missing label.
    pub quoted: BTreeMap<String, BTreeSet<String>>,
}

/// What becomes of an image that a model has no features of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMissing {
    /// The study is refused.
    #[default]
    Stop,
    /// It is left out, for all models alike.
    LeaveOut,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LabelFile {
    pub file: PathBuf,
    pub attribute: String,
    /// Self-reported, perceived or predicted.
    pub provenance: Option<String>,
    /// Words that are missing labels, in place of the usual ones.
    pub missing: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Contrast {
    /// Every pair of models that differs in this factor only.
    Factor {
        name: String,
        factor: String,
    },
    Pair {
        name: String,
        models: [String; 2],
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct FairnessSettings {
    pub groups: Vec<String>,
    /// How many attributes an intersection may join.
    pub depth: usize,
}

/// How far a recomputed number may be off, fixed before the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    pub auc: f64,
    pub features: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    pub gpu_slots: usize,
    pub cpu_slots: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RunOn {
    Local,
    Slurm(BTreeMap<String, String>),
}
