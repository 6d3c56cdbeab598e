//! Stages and their keys.
//!
//! A key is the digest of everything that decides a result: the stage, its code version, parameters, seed, and the
//! *content digests* of what it consumes (`stage/keys.rs`). Names never enter (class names in `draw` aside), nor do paths, threads,
//! slots or the machine: torch-free stages have the same bits everywhere.

mod keys;
#[cfg(test)]
mod perturbed;

use super::{
    Digest,
    comparison::Question,
    contrast::ContrastSides,
    image::Take,
    ledger::CellId,
    model::{Architecture, Loss},
    projection::{Method, View},
    score::Statistics,
    study::{Numerics, Preparation, Recipe},
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Index,
    Train,
    Features,
    Project,
    Score,
    Rank,
    Draw,
}

impl Kind {
    pub const ALL: [Kind; 7] = [Kind::Index, Kind::Train, Kind::Features, Kind::Project, Kind::Score, Kind::Rank, Kind::Draw];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Index => "index",
            Kind::Train => "train",
            Kind::Features => "features",
            Kind::Project => "project",
            Kind::Score => "score",
            Kind::Rank => "rank",
            Kind::Draw => "draw",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a stage does, with every parameter that decides its result and nothing that does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// `listing` → `images`: the images of the evaluation, sorted, taken by seed.
    Index { take: Option<Take> },
    /// `array`, `rows`, `images` → `features.npy`, `offsets.json`: given features, brought into the order of the images; columns
    /// that single precision would spoil are centred.
    Features {
        /// Results of the first release call it `tap`.
        #[serde(alias = "tap")]
        layer: String,
        format: ArrayFormat,
    },
    /// `pictures`, `classes` → `weights.safetensors`, `curves.json`: a network that learned.
    Train(Training),
    /// `weights`, `images` → one array a layer, `layer4.npy`: what the network gives, all of it in one pass.
    Extract(Extraction),
    /// `images` → `embedding.npy`: what takes no network, for networks to be held against.
    Baseline(Baseline),
    /// `features` → `coordinates.npy`. For cosines `images` too, which name an image that has no direction, and `offsets` where
    /// columns were centred.
    Project { method: Method, seed: u64 },
    /// `images`, `points/…`, `labels/…`, `identities` → `scores.json`: every view on one question.
    Score { question: Question, views: Vec<View>, statistics: Statistics, seed: u64 },
    /// `images`, `features`, `labels/…`, `identities` → `space.json`, `ranks-….npy`, `decisions.npy`: the features themselves on all
    /// questions.
    #[serde(rename = "space")]
    FeatureScores { questions: Vec<Question>, statistics: Statistics, seed: u64 },
    /// `images`, `features`, `points`, `labels/…`, `identities` → `steady.json`: what a shown figure has beside its score.
    #[serde(rename = "steady")]
    Robustness(Robustness),
    /// `images`, `features`, `decisions`, `labels/…`, `identities` → `fairness.json`: a model's probes among groups.
    Fairness(GroupFairness),
    /// `images`, `points/0`, `identities` → `verification.json`: are two pictures of the same person?
    Verify { bootstraps: usize, seed: u64 },
    /// `features`, `points/…` (one a projection seed) → `quality.json`: how faithful every view is to the features.
    Quality { views: Vec<View>, seed: u64 },
    /// `images`, `scores/…`, `ranks/…`, `permuted/…`, `spaces/…`, `labels/…`, `identities` → `grid.json`: all cells resampled together.
    #[serde(rename = "grid")]
    Simultaneous(Simultaneous),
    /// `scores/…`, `grid`, `images`, `labels/…`, `identities` → `ledger.json`, `frequencies.json`: the study as a whole. With `truth`,
    /// `planted.json` too: what was planted in drawn faces.
    Rank(Ranking),
    /// → `figure.svg`
    Draw(Figure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrayFormat {
    Npy,
    Safetensors,
}

impl ArrayFormat {
    /// By the ending of a file's name.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|ending| ending == "npy") { ArrayFormat::Npy } else { ArrayFormat::Safetensors }
    }
}

/// Everything that decides what a network learns, by content and not by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    pub architecture: Architecture,
    pub loss: Loss,
    pub preparation: Preparation,
    pub recipe: Recipe,
    pub seed: u64,
    pub numerics: Numerics,
    /// The name of what a network pretends to know; what real ones learn from is consumed by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretended: Option<String>,
}

/// What is read from a network, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    pub architecture: Architecture,
    pub preparation: Preparation,
    /// What is read at a layer that is a map: its mean over the places of the map.
    /// Results of the first release call it `taps`.
    #[serde(alias = "taps")]
    pub layers: Vec<String>,
    /// How the tensors of the weights are named.
    pub family: String,
    /// Weights that were drawn by this seed and never learned; otherwise `weights` are consumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrained: Option<u64>,
    pub numerics: Numerics,
}

/// Features that any picture has without a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub word: String,
    pub preparation: Preparation,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// One a `scores/…` input: whose it is.
    pub slots: Vec<Slot>,
    pub separates_at: f64,
    pub show: usize,
    pub seed: u64,
    /// Attributes counted in the frequencies.
    pub attributes: Vec<String>,
    pub groups: Vec<String>,
    pub depth: usize,
    pub questions: Vec<Question>,
    /// Where the truth is known: what probes of features tell is asked too.
    #[serde(default, skip_serializing_if = "Probes::is_empty")]
    pub probes: Probes,
}

/// Feature spaces that are consumed, and what was asked of each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// One a `spaces/…` input: model and layer.
    pub spaces: Vec<[usize; 2]>,
    /// One an answer: the comparison.
    pub asked: Vec<usize>,
}

impl Probes {
    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFairness {
    /// Those of the decisions.
    pub questions: Vec<Question>,
    pub groups: Vec<String>,
    pub depth: usize,
    pub statistics: Statistics,
    pub seed: u64,
}

/// A figure that is shown, and how its points came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robustness {
    pub question: Question,
    pub view: View,
    pub method: Method,
    /// The projection's seed.
    pub projected: u64,
    pub seed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simultaneous {
    /// One a `scores/…` and `ranks/…` input: whose they are.
    pub slots: Vec<Slot>,
    /// One a `spaces/…` input: the features of which model, layer and comparison.
    pub spaces: Vec<[usize; 3]>,
    pub questions: Vec<Question>,
    pub held: Vec<ContrastSides>,
    pub statistics: Statistics,
    pub seed: u64,
}

/// Whose scores: places in the study, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub model: usize,
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: usize,
    pub projection: usize,
    pub comparison: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Figure {
    /// `images`, `points`, `labels/…`: the labelled images of one question in one view.
    View { view: View, question: Question, classes: Vec<String>, axes: AxisNames, seed: u64 },
    /// `frequencies`: how often each attribute occurs.
    Frequencies,
    /// `curves`: how a training went.
    Curves,
}

/// How a figure names its axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisNames {
    /// The method's word, and the share of variance each axis explains.
    Explained { method: String, shares: Vec<f64> },
    /// Distances between clusters mean little: no ticks.
    Map { method: String },
}

/// The start of the name of a fact that holds what all names of a weight file begin with.
pub const WEIGHTS_PREFIX: &str = "prefix of the weights: ";

/// What was taken from the columns of given features before they were narrowed, where anything was: `[[column, offset], …]`.
pub const OFFSETS: &str = "offsets.json";

/// What a training leaves.
pub const WEIGHTS: &str = "weights.safetensors";
pub const CURVES: &str = "curves.json";

/// What the ranks of features on one of several questions are called.
pub fn ranks_of(question: usize) -> String {
    format!("ranks-{question}.npy")
}

/// What the features of a network or a baseline at a layer are called.
pub fn features_at(layer: &str) -> String {
    format!("{layer}.npy")
}

impl Work {
    /// What the stage is called in manifests: finer than its kind.
    pub fn word(&self) -> &'static str {
        match self {
            Work::Index { .. } => "index",
            Work::Features { .. } => "features",
            Work::Train(_) => "train",
            Work::Extract(_) => "extract",
            Work::Baseline(_) => "baseline",
            Work::Project { .. } => "project",
            Work::Score { .. } => "score",
            Work::FeatureScores { .. } => "space",
            Work::Robustness(_) => "steady",
            Work::Fairness(_) => "fairness",
            Work::Verify { .. } => "verify",
            Work::Quality { .. } => "quality",
            Work::Simultaneous(_) => "grid",
            Work::Rank(_) => "rank",
            Work::Draw(_) => "draw",
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Work::Index { .. } => Kind::Index,
            Work::Features { .. } | Work::Extract(_) | Work::Baseline(_) => Kind::Features,
            Work::Train(_) => Kind::Train,
            Work::Project { .. } => Kind::Project,
            Work::Score { .. }
            | Work::FeatureScores { .. }
            | Work::Fairness(_)
            | Work::Robustness(_)
            | Work::Verify { .. }
            | Work::Quality { .. }
            | Work::Simultaneous(_) => Kind::Score,
            Work::Rank(_) => Kind::Rank,
            Work::Draw(_) => Kind::Draw,
        }
    }

    /// Work that takes about as long: what a plan learns costs from.
    pub fn alike(&self) -> String {
        match self {
            Work::Project { method, .. } => format!("project {}", method.word()),
            Work::FeatureScores { .. } => "score features".to_owned(),
            // As results of the first release have it.
            Work::Score { views, .. } if *views == [View::Features] => "score features".to_owned(),
            Work::Fairness(_) => "score fairness".to_owned(),
            Work::Robustness(of) => format!("score again {}", of.method.word()),
            Work::Simultaneous(_) => "score grid".to_owned(),
            Work::Verify { .. } => "score verification".to_owned(),
            Work::Quality { .. } => "score quality".to_owned(),
            Work::Draw(Figure::Curves) => "draw curves".to_owned(),
            Work::Train(of) => format!("train {} {} {}", of.numerics.device, of.architecture, of.loss),
            Work::Extract(of) => format!("features {} {}", of.numerics.device, of.architecture),
            Work::Baseline(_) => "features baseline".to_owned(),
            other => other.kind().word().to_owned(),
        }
    }

    /// The seed it draws from, if it draws.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Work::Index { take } => take.as_ref().map(|take| take.seed),
            Work::Features { .. } | Work::Baseline(_) | Work::Draw(Figure::Frequencies | Figure::Curves) => None,
            Work::Extract(extraction) => extraction.untrained,
            Work::Project { seed, .. }
            | Work::Score { seed, .. }
            | Work::FeatureScores { seed, .. }
            | Work::Verify { seed, .. }
            | Work::Quality { seed, .. }
            | Work::Draw(Figure::View { seed, .. }) => Some(*seed),
            Work::Fairness(of) => Some(of.seed),
            Work::Robustness(of) => Some(of.seed),
            Work::Simultaneous(gridding) => Some(gridding.seed),
            Work::Rank(ranking) => Some(ranking.seed),
            Work::Train(training) => Some(training.seed),
        }
    }
}

impl Slot {
    /// Is it the projection's, on the cell's comparison?
    pub fn holds(&self, cell: &CellId) -> bool {
        (self.model, self.layer, self.projection, self.comparison) == (cell.model, cell.layer, cell.projection, cell.comparison)
    }
}

/// Something a stage consumes: its role, what it is, and where its bytes are (which never enters the key).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub role: String,
    pub digest: Digest,
    pub at: Location,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// An object of the workspace, found by its digest.
    Object,
    /// A file outside, verified against the digest when it is read. A relative path starts at the workspace's root.
    File(PathBuf),
    /// An object that lists pictures; these are below this folder, each verified when it is read.
    Pictures(PathBuf),
}

/// A stage that can be carried out: all it consumes exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub work: Work,
    pub inputs: Vec<Input>,
}

impl Input {
    /// Where a path is from the root of the workspace, it is from here.
    #[must_use]
    pub fn from_root(mut self, root: &Path) -> Self {
        if let Location::File(path) | Location::Pictures(path) = &mut self.at
            && path.is_relative()
            && root != Path::new(".")
        {
            *path = root.join(&path);
        }
        self
    }
}

/// What a dispatcher asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub task: Task,
    /// What people call it.
    pub label: String,
    /// Which try at it this is, from 1.
    pub attempt: u32,
    /// The dispatcher's clock.
    pub clock: u64,
    /// Make it again even if its result is there; the new one takes the old one's place when it is ready.
    pub again: bool,
}

impl Task {
    /// With every path from the root of the workspace made one from here.
    #[must_use]
    pub fn from_root(&self, root: &Path) -> Self {
        Task { work: self.work.clone(), inputs: self.inputs.iter().map(|input| input.clone().from_root(root)).collect() }
    }
}
