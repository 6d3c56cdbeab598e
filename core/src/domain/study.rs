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

/// What a study file says, with names resolved and defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What results, reports and commands know it by.
    pub name: String,
    /// The question, in a sentence.
    pub about: String,
    /// Of everything that is drawn at random, but for trainings and projections, which count their own.
    pub seed: u64,
    /// How networks compute.
    pub numerics: Numerics,
    /// By name.
    pub datasets: BTreeMap<String, Dataset>,
    /// By name.
    pub preparations: BTreeMap<String, Preparation>,
    /// By name.
    pub recipes: BTreeMap<String, Recipe>,
    /// The images that all models are compared on.
    pub evaluation: Evaluation,
    /// In the order of the study file; models of the matrix after it.
    pub models: Vec<Model>,
    /// The layers that are looked at; `None`: all that a model has.
    pub layers: Option<Vec<String>>,
    /// In the order of the study file, with names that tell them apart.
    pub projections: Vec<Projection>,
    /// In the order of the study file.
    pub comparisons: Vec<Comparison>,
    /// In the order of the study file.
    pub contrasts: Vec<Contrast>,
    /// How intervals are made and what may be ranked.
    pub statistics: Statistics,
    /// How many figures the report shows at most.
    pub show: usize,
    /// The groups of the fairness appendix.
    pub fairness: FairnessSettings,
    /// What an audit allows of networks.
    pub tolerance: Tolerance,
    /// How many jobs run at a time.
    pub resources: Resources,
    /// Where jobs run where a command says nothing else.
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
    /// `f32` or `bf16`.
    pub precision: String,
    /// Threads of libtorch on the processor; `None` where the study does not fix them.
    pub threads: Option<usize>,
}

impl Numerics {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device))
            .with("precision", Value::text(precision))
            .optional("threads", threads.map(Value::count))
            .done()
    }
}

/// Where pictures and labels lie, by layout.
#[derive(Clone, Debug, PartialEq)]
pub enum Dataset {
    /// As CelebA is handed out.
    CelebA {
        /// Its folder.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
    },
    /// As VGGFace2 is handed out; its folders are identities.
    Vggface2 {
        /// Its folder.
        root: PathBuf,
        /// `train` or `test`.
        split: String,
    },
    /// One folder a class.
    Folders {
        /// The folder of folders.
        root: PathBuf,
        /// Who is on the pictures.
        identities: Identities,
    },
    /// A folder of pictures with a label CSV (`image_id,<attribute>…`); the pictures may be absent.
    Images {
        /// The folder of the pictures.
        root: PathBuf,
        /// The CSV file; `None` where labels are given elsewhere.
        labels: Option<PathBuf>,
        /// Words that are missing labels, in place of the usual ones.
        missing: Option<Vec<String>>,
        /// Who is on the pictures.
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
    /// The folder that paths of pictures start from.
    pub fn root(&self) -> &PathBuf {
        match self {
            Dataset::CelebA { root, .. }
            | Dataset::Vggface2 { root, .. }
            | Dataset::Folders { root, .. }
            | Dataset::Images { root, .. } => root,
        }
    }

    /// What the study says of who is on the pictures.
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

/// How a picture becomes the square that a network is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Which part is taken: `whole`, `face`, `centre` or `aligned`.
    pub crop: String,
    /// The square's side, in pixels.
    pub size: usize,
    /// What fills what the picture leaves of the square: `reflect`, `zero` or `edge`.
    pub pad: String,
    /// What values become: `imagenet`, `symmetric`, `vggface2` or `raw`.
    pub scale: String,
    /// Whether pictures are turned as their cameras noted.
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
    /// As study files write it.
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

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: usize,
    /// Pictures a step.
    pub batch: usize,
    /// The optimizer's parameters, by name.
    pub optimizer: BTreeMap<String, f64>,
    /// Which optimizer.
    pub optimizer_word: String,
    /// How the learning rate goes on: `cosine`, `linear`, `step` or `constant`.
    pub schedule: String,
}

impl Preparation {
    /// What of it enters a key; EXIF where it is not applied.
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
    /// What of it enters a key.
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

/// Which images are compared, and their labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Absent when every model's features are given.
    pub dataset: Option<String>,
    /// `train`, `validation`, `test` or `all`, of a data set that has such parts.
    pub partition: Option<String>,
    /// Not all of them, but so many; `None`: all.
    pub take: Option<Take>,
    /// What becomes of an image without features.
    pub on_missing: OnMissing,
    /// Labels from files of their own.
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

/// A file that holds one attribute's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFile {
    /// A table of images and values.
    pub file: PathBuf,
    /// What the attribute is called in the study.
    pub attribute: String,
    /// Self-reported, perceived or predicted.
    pub provenance: Option<String>,
    /// Words that are missing labels, in place of the usual ones.
    pub missing: Option<Vec<String>>,
}

/// Models that are to be held against each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Contrast {
    /// Every pair of models that differs in this factor only.
    Factor {
        /// What reports call it.
        name: String,
        /// A factor's name, such as `loss`.
        factor: String,
    },
    /// Two models.
    Pair {
        /// What reports call it.
        name: String,
        /// Their names: left and right.
        models: [String; 2],
    },
}

/// What the fairness appendix divides images by.
#[derive(Clone, Debug, PartialEq)]
pub struct FairnessSettings {
    /// Attributes whose values are groups.
    pub groups: Vec<String>,
    /// How many attributes an intersection may join.
    pub depth: usize,
}

/// How far a recomputed number may be off, fixed before the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// The largest distance of a score that is made again by a network.
    pub auc: f64,
    /// The largest distance of features that are made again by a network.
    pub features: f64,
}

/// Jobs at a time, by class of device.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    /// On each graphics card.
    pub gpu_slots: usize,
    /// On the processor.
    pub cpu_slots: usize,
}

/// Where jobs run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunOn {
    /// On this machine.
    Local,
    /// On a cluster, with settings by name; not carried out by this release.
    Slurm(BTreeMap<String, String>),
}
