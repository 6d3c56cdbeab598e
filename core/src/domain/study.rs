//! A study: one question, checked and complete. Made by `config` from a study file, trusted from then on.

use super::{
    canonical::Value,
    comparison::Comparison,
    image::Take,
    model::{Model, Source, parameters},
    projection::Projection,
    score::Statistics,
    vocabulary::vocabulary,
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
        self.numerics.device == DeviceClass::Pretend && self.models.iter().any(|model| matches!(model.source, Source::Network(_)))
    }

    /// `digits: Which features …`
    pub fn title(&self) -> String {
        if self.about.is_empty() { self.name.clone() } else { format!("{}: {}", self.name, self.about) }
    }
}

vocabulary! {
    /// A kind of device; a job runs on one kind only, for its numbers may depend on it.
    pub enum DeviceClass {
        Cpu = "cpu",
        Cuda = "cuda",
        /// Networks that only pretend to learn, for trying everything around them.
        Pretend = "pretend",
    }
}

vocabulary! {
    /// What networks calculate in; weights are kept in single precision.
    pub enum Precision {
        Single = "f32",
        /// bfloat16: eight bits of exponent, seven of fraction.
        Brain = "bf16",
    }
}

/// What libtorch's bits depend on; torch-free stages have the same bits everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerics {
    pub device: DeviceClass,
    pub precision: Precision,
    pub threads: Option<usize>,
}

impl Numerics {
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device.word()))
            .with("precision", Value::text(precision.word()))
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
        split: Vggface2Split,
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

vocabulary! {
    /// The halves that VGGFace2 comes in, a folder each.
    pub enum Vggface2Split {
        Train = "train",
        Test = "test",
    }
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

vocabulary! {
    /// Which part of a picture is looked at.
    pub enum Crop {
        Whole = "whole",
        /// A box around the face.
        Face = "face",
        /// The largest square in the middle.
        Centre = "centre",
        /// The face with its landmarks at fixed places.
        Aligned = "aligned",
    }
}

impl Crop {
    /// Is nothing needed but the picture: neither boxes nor landmarks?
    pub const fn is_of_picture_alone(self) -> bool {
        match self {
            Crop::Whole | Crop::Centre => true,
            Crop::Face | Crop::Aligned => false,
        }
    }
}

vocabulary! {
    /// What is beside a picture that is no square.
    pub enum Padding {
        /// The picture mirrored at its edge.
        Reflect = "reflect",
        /// Black.
        Zero = "zero",
        /// The outermost pixels.
        Edge = "edge",
    }
}

vocabulary! {
    /// How numbers of 0 … 255 become those that a network was trained with.
    pub enum PixelScale {
        /// As torchvision's models: less ImageNet's mean, over its deviation, by channel.
        Imagenet = "imagenet",
        /// As InsightFace's models: from −1 to 1.
        Symmetric = "symmetric",
        /// As Cao et al.'s models of VGGFace2: blue first, less the means of the faces.
        Vggface2 = "vggface2",
        Raw = "raw",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    pub crop: Crop,
    /// Pixels a side of the square that a network is given.
    pub size: usize,
    pub pad: Padding,
    pub scale: PixelScale,
    #[serde(default, skip_serializing_if = "Exif::is_applied")]
    pub exif: Exif,
}

vocabulary! {
    /// What becomes of the note of a camera how a picture is to be turned.
    #[derive(Default)]
    pub enum Exif {
        /// The picture is turned upright.
        #[default]
        Apply = "apply",
        /// It is taken as it lies in its file.
        Ignore = "ignore",
    }
}

impl Exif {
    fn is_applied(&self) -> bool {
        *self == Exif::Apply
    }
}

vocabulary! {
    pub enum Optimizer {
        /// Stochastic gradient descent with momentum and weight decay.
        Sgd = "sgd",
        /// Loshchilov and Hutter (ICLR 2019).
        AdamW = "adamw",
    }
}

vocabulary! {
    /// How the rate falls over the steps of a training.
    pub enum Schedule {
        Cosine = "cosine",
        Linear = "linear",
        /// To a tenth at half the way, to a hundredth at three quarters.
        Step = "step",
        Constant = "constant",
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub epochs: usize,
    pub batch: usize,
    /// The optimizer's numbers, by name.
    pub optimizer: BTreeMap<String, f64>,
    pub optimizer_word: Optimizer,
    pub schedule: Schedule,
}

impl Preparation {
    pub fn canonical(&self) -> Value {
        let Preparation { crop, size, pad, scale, exif } = self;
        Value::map()
            .with("crop", Value::text(crop.word()))
            .with("size", Value::count(*size))
            .with("pad", Value::text(pad.word()))
            .with("scale", Value::text(scale.word()))
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
            .with("optimizer", Value::text(optimizer_word.word()))
            .with("parameters", parameters(optimizer))
            .with("schedule", Value::text(schedule.word()))
            .done()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Absent when every model's features are given.
    pub dataset: Option<String>,
    pub partition: Option<Partition>,
    pub take: Option<Take>,
    pub on_missing: OnMissing,
    pub labels: Vec<LabelFile>,
    /// Values that expressions of the study ask for in quotes, by attribute: none of them is a missing label.
    pub quoted: BTreeMap<String, BTreeSet<String>>,
}

vocabulary! {
    /// The parts that a data set is published in.
    pub enum Partition {
        Train = "train",
        Validation = "validation",
        Test = "test",
        All = "all",
    }
}

vocabulary! {
    /// What becomes of an image that a model has no features of.
    #[derive(Default)]
    pub enum OnMissing {
        /// The study is refused.
        #[default]
        Stop = "stop",
        /// It is left out, for all models alike.
        LeaveOut = "leave_out",
    }
}

vocabulary! {
    /// Where labels come from.
    pub enum LabelProvenance {
        SelfReported = "self-reported",
        /// By people who looked at the pictures.
        Perceived = "perceived",
        /// By a model.
        Predicted = "predicted",
        Measured = "measured",
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LabelFile {
    pub file: PathBuf,
    pub attribute: String,
    pub provenance: Option<LabelProvenance>,
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
