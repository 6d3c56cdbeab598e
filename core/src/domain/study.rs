//! A study: one question, checked and complete. Made by `config` from a study file, trusted from then on.

use super::{
    canonical::Value,
    comparison::Comparison,
    image::Take,
    index::{ComparisonIx, ModelIx, ProjectionIx},
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
use typed_index_collections::TiVec;

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
    pub models: TiVec<ModelIx, Model>,
    /// The layers that are looked at; `None`: all that a model has.
    pub layers: Option<Vec<String>>,
    /// In the order of the study file, with names that tell them apart.
    pub projections: TiVec<ProjectionIx, Projection>,
    /// In the order of the study file.
    pub comparisons: TiVec<ComparisonIx, Comparison>,
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
        /// Processors.
        Cpu = "cpu",
        /// Cards.
        Cuda = "cuda",
        /// Networks that only pretend to learn, for trying everything around them.
        Pretend = "pretend",
    }
}

vocabulary! {
    /// What networks calculate in; weights are kept in single precision.
    pub enum Precision {
        /// 32-bit floating point.
        Single = "f32",
        /// bfloat16: eight bits of exponent, seven of fraction.
        Brain = "bf16",
    }
}

/// What libtorch's bits depend on; torch-free stages have the same bits everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerics {
    /// What networks run on.
    pub device: DeviceClass,
    /// In what numbers they compute.
    pub precision: Precision,
    /// Threads of libtorch on the processor; `None` where the study does not fix them.
    pub threads: Option<usize>,
}

impl Numerics {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device.word()))
            .with("precision", Value::text(precision.word()))
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
        /// Which of its two parts.
        split: Vggface2Split,
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

vocabulary! {
    /// The halves that VGGFace2 comes in, a folder each.
    pub enum Vggface2Split {
        /// 8,631 identities.
        Train = "train",
        /// 500 identities.
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

vocabulary! {
    /// Which part of a picture is looked at.
    pub enum Crop {
        /// All of it.
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
        /// As they are.
        Raw = "raw",
    }
}

/// How a picture becomes the square that a network is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Which part of the picture is taken.
    pub crop: Crop,
    /// Pixels a side of the square that a network is given.
    pub size: usize,
    /// What fills what the picture leaves of the square.
    pub pad: Padding,
    /// What values become.
    pub scale: PixelScale,
    /// Whether pictures are turned as their cameras noted.
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
    /// How weights follow gradients.
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
        /// Half a cosine wave, down to zero.
        Cosine = "cosine",
        /// In a straight line, down to zero.
        Linear = "linear",
        /// To a tenth at half the way, to a hundredth at three quarters.
        Step = "step",
        /// It does not fall.
        Constant = "constant",
    }
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: usize,
    /// Pictures a step.
    pub batch: usize,
    /// The optimizer's numbers, by name.
    pub optimizer: BTreeMap<String, f64>,
    /// Which optimizer.
    pub optimizer_word: Optimizer,
    /// How the learning rate goes on.
    pub schedule: Schedule,
}

impl Preparation {
    /// What of it enters a key; EXIF where it is not applied.
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
    /// What of it enters a key.
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

/// Which images are compared, and their labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Absent when every model's features are given.
    pub dataset: Option<String>,
    /// The part that is evaluated, of a data set that has parts.
    pub partition: Option<Partition>,
    /// Not all of them, but so many; `None`: all.
    pub take: Option<Take>,
    /// What becomes of an image without features.
    pub on_missing: OnMissing,
    /// Labels from files of their own.
    pub labels: Vec<LabelFile>,
    /// Values that expressions of the study ask for in quotes, by attribute: none of them is a missing label.
    pub quoted: BTreeMap<String, BTreeSet<String>>,
}

vocabulary! {
    /// The parts that a data set is published in.
    pub enum Partition {
        /// For training.
        Train = "train",
        /// For choosing.
        Validation = "validation",
        /// For testing.
        Test = "test",
        /// All three.
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
        /// By the people on the pictures.
        SelfReported = "self-reported",
        /// By people who looked at the pictures.
        Perceived = "perceived",
        /// By a model.
        Predicted = "predicted",
        /// By an instrument.
        Measured = "measured",
    }
}

/// A file that holds one attribute's labels.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFile {
    /// A table of images and values.
    pub file: PathBuf,
    /// What the attribute is called in the study.
    pub attribute: String,
    /// Where the labels come from; `None`: not said.
    pub provenance: Option<LabelProvenance>,
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
