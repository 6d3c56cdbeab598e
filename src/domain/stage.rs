//! Stages and their keys.
//!
//! A key is the digest of everything that decides a result: stage kind, its code version, parameters, seed, and the
//! *content digests* of what it consumes. Names never enter (class names in `draw` aside), nor do paths, threads, slots
//! or the machine: torch-free stages have the same bits everywhere.

use super::{
    Digest, Key,
    canonical::Value,
    comparison::Question,
    contrast::Held,
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

    /// Raised whenever the stage's code gives other bits for the same inputs; the golden digests of
    /// `tests/golden.rs` fail until it is.
    pub fn version(self) -> u32 {
        match self {
            // 2: leading eigenvectors by inverse iteration, column means by blocks.
            Kind::Project => 2,
            // 2: ranks beside scores. 3: permuted scores in steps that are met equally often; shown figures made otherwise.
            Kind::Score => 3,
            // 2: a grid behind the ledger. 3: what could have been shown.
            Kind::Rank => 3,
            // 2: pictures are turned upright; given columns that single precision would spoil are centred.
            Kind::Features | Kind::Train => 2,
            _ => 1,
        }
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
    Features { tap: String, format: ArrayFormat },
    /// `pictures`, `classes` → `weights.safetensors`, `curves.json`: a network that learned.
    Train(Training),
    /// `weights`, `images` → one array a tap, `layer4.npy`: what the network gives, all of it in one pass.
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
    Space { questions: Vec<Question>, statistics: Statistics, seed: u64 },
    /// `images`, `features`, `points`, `labels/…`, `identities` → `steady.json`: what a shown figure has beside its score.
    Steady(Shown),
    /// `images`, `features`, `decisions`, `labels/…`, `identities` → `fairness.json`: a model's probes among groups.
    Fairness(Fair),
    /// `images`, `points/0`, `identities` → `verification.json`: are two pictures of the same person?
    Verify { bootstraps: usize, seed: u64 },
    /// `features`, `points/…` (one a projection seed) → `quality.json`: how faithful every view is to the features.
    Quality { views: Vec<View>, seed: u64 },
    /// `images`, `scores/…`, `ranks/…`, `permuted/…`, `spaces/…`, `labels/…`, `identities` → `grid.json`: all cells resampled together.
    Grid(Gridding),
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
    /// What is read at a tap that is a map: its mean over the places of the map.
    pub taps: Vec<String>,
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
    /// One a `spaces/…` input: model and tap.
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
pub struct Fair {
    /// Those of the decisions.
    pub questions: Vec<Question>,
    pub groups: Vec<String>,
    pub depth: usize,
    pub statistics: Statistics,
    pub seed: u64,
}

/// A figure that is shown, and how its points came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    pub question: Question,
    pub view: View,
    pub method: Method,
    /// The projection's seed.
    pub projected: u64,
    pub seed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gridding {
    /// One a `scores/…` and `ranks/…` input: whose they are.
    pub slots: Vec<Slot>,
    /// One a `spaces/…` input: the features of which model, tap and comparison.
    pub spaces: Vec<[usize; 3]>,
    pub questions: Vec<Question>,
    pub held: Vec<Held>,
    pub statistics: Statistics,
    pub seed: u64,
}

/// Whose scores: places in the study, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub model: usize,
    pub tap: usize,
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

/// What the features of a network or a baseline at a tap are called.
pub fn features_at(tap: &str) -> String {
    format!("{tap}.npy")
}

impl Work {
    pub fn kind(&self) -> Kind {
        match self {
            Work::Index { .. } => Kind::Index,
            Work::Features { .. } | Work::Extract(_) | Work::Baseline(_) => Kind::Features,
            Work::Train(_) => Kind::Train,
            Work::Project { .. } => Kind::Project,
            Work::Score { .. }
            | Work::Space { .. }
            | Work::Fairness(_)
            | Work::Steady(_)
            | Work::Verify { .. }
            | Work::Quality { .. }
            | Work::Grid(_) => Kind::Score,
            Work::Rank(_) => Kind::Rank,
            Work::Draw(_) => Kind::Draw,
        }
    }

    /// Work that takes about as long: what a plan learns costs from.
    pub fn alike(&self) -> String {
        match self {
            Work::Project { method, .. } => format!("project {}", method.word()),
            Work::Space { .. } => "score features".to_owned(),
            // As results of the first release have it.
            Work::Score { views, .. } if *views == [View::Features] => "score features".to_owned(),
            Work::Fairness(_) => "score fairness".to_owned(),
            Work::Steady(of) => format!("score again {}", of.method.word()),
            Work::Grid(_) => "score grid".to_owned(),
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
            | Work::Space { seed, .. }
            | Work::Verify { seed, .. }
            | Work::Quality { seed, .. }
            | Work::Draw(Figure::View { seed, .. }) => Some(*seed),
            Work::Fairness(of) => Some(of.seed),
            Work::Steady(of) => Some(of.seed),
            Work::Grid(gridding) => Some(gridding.seed),
            Work::Rank(ranking) => Some(ranking.seed),
            Work::Train(training) => Some(training.seed),
        }
    }

    fn canonical(&self) -> Value {
        let seed = |seed: &u64| Value::Int(*seed as i64);
        let nothing = || Value::text("none");
        match self {
            Work::Index { take } => {
                let take = take.as_ref().map_or_else(nothing, Take::canonical);
                Value::map().unless("take", take, &nothing()).done()
            }
            Work::Features { tap, format } => {
                // The tap is a tensor's name inside a safetensors file; an .npy file holds one array.
                let map = Value::map();
                match format {
                    ArrayFormat::Npy => map,
                    ArrayFormat::Safetensors => map.with("tensor", Value::text(tap)),
                }
                .done()
            }
            Work::Train(training) => Value::map()
                .with("architecture", training.architecture.canonical())
                .with("loss", training.loss.canonical())
                .with("preparation", training.preparation.canonical())
                .with("recipe", training.recipe.canonical())
                .with("seed", seed(&training.seed))
                .with("numerics", training.numerics.canonical())
                .unless("pretended", training.pretended.as_deref().map_or_else(nothing, Value::text), &nothing())
                .done(),
            Work::Extract(extraction) => Value::map()
                .with("architecture", extraction.architecture.canonical())
                .with("preparation", extraction.preparation.canonical())
                .with("taps", Value::list(&extraction.taps, Value::text))
                .with("family", Value::text(&extraction.family))
                .unless("untrained", extraction.untrained.map_or_else(nothing, |of| Value::Int(of as i64)), &nothing())
                .with("numerics", extraction.numerics.canonical())
                .done(),
            Work::Baseline(baseline) => Value::map()
                .with("baseline", Value::text(&baseline.word))
                .with("preparation", baseline.preparation.canonical())
                .done(),
            Work::Project { method, seed: of } => Value::map().with("method", method.canonical()).with("seed", seed(of)).done(),
            Work::Score { question, views, statistics, seed: of } => Value::map()
                .with("question", question.canonical())
                .with("views", Value::list(views, View::canonical))
                .with("bootstraps", Value::Int(statistics.bootstraps as i64))
                .with("permutations", Value::Int(statistics.permutations as i64))
                .with("min_positives", Value::Int(statistics.min_positives as i64))
                .with("seed", seed(of))
                .done(),
            Work::Space { questions, statistics, seed: of } => Value::map()
                .with("questions", Value::list(questions, Question::canonical))
                .with("bootstraps", Value::Int(statistics.bootstraps as i64))
                .with("min_positives", Value::Int(statistics.min_positives as i64))
                .with("seed", seed(of))
                .done(),
            Work::Fairness(of) => Value::map()
                .with("questions", Value::list(&of.questions, Question::canonical))
                .with("groups", Value::list(&of.groups, Value::text))
                .with("depth", Value::Int(of.depth as i64))
                .with("bootstraps", Value::Int(of.statistics.bootstraps as i64))
                .with("seed", seed(&of.seed))
                .done(),
            Work::Steady(of) => Value::map()
                .with("question", of.question.canonical())
                .with("view", of.view.canonical())
                .with("method", of.method.canonical())
                .with("projected", seed(&of.projected))
                .with("seed", seed(&of.seed))
                .done(),
            Work::Grid(gridding) => Value::map()
                .with("slots", Value::list(&gridding.slots, Slot::canonical))
                .with("spaces", Value::list(&gridding.spaces, places))
                .with("questions", Value::list(&gridding.questions, Question::canonical))
                .with(
                    "held",
                    Value::list(&gridding.held, |held| {
                        let contrast = Value::Int(held.contrast as i64);
                        Value::List(vec![contrast, places(&held.left), places(&held.right)])
                    }),
                )
                .with("bootstraps", Value::Int(gridding.statistics.bootstraps as i64))
                .with("permutations", Value::Int(gridding.statistics.permutations as i64))
                .with("min_positives", Value::Int(gridding.statistics.min_positives as i64))
                .with("seed", seed(&gridding.seed))
                .done(),
            Work::Rank(ranking) => Value::map()
                .with("slots", Value::list(&ranking.slots, Slot::canonical))
                .with("separates_at", Value::Float(ranking.separates_at))
                .with("show", Value::Int(ranking.show as i64))
                .with("seed", seed(&ranking.seed))
                .with("attributes", Value::list(&ranking.attributes, Value::text))
                .with("groups", Value::list(&ranking.groups, Value::text))
                .with("depth", Value::Int(ranking.depth as i64))
                .with("questions", Value::list(&ranking.questions, Question::canonical))
                .with("spaces", Value::list(&ranking.probes.spaces, places))
                .with("asked", places(&ranking.probes.asked))
                .done(),
            Work::Quality { views, seed: of } => {
                Value::map().with("quality", Value::list(views, View::canonical)).with("seed", seed(of)).done()
            }
            Work::Verify { bootstraps, seed: of } => Value::map()
                .with("asked", Value::text("same person"))
                .with("bootstraps", Value::Int(*bootstraps as i64))
                .with("seed", seed(of))
                .done(),
            Work::Draw(Figure::Curves) => Value::map().with("figure", Value::text("curves")).done(),
            Work::Draw(Figure::Frequencies) => Value::map().with("figure", Value::text("frequencies")).done(),
            Work::Draw(Figure::View { view, question, classes, axes, seed: of }) => Value::map()
                .with("figure", Value::text("view"))
                .with("view", view.canonical())
                .with("question", question.canonical())
                .with("classes", Value::list(classes, Value::text))
                .with("axes", axes.canonical())
                .with("seed", seed(of))
                .done(),
        }
    }
}

/// Places in the study.
fn places<'a>(of: impl IntoIterator<Item = &'a usize>) -> Value {
    Value::list(of, |place| Value::Int(*place as i64))
}

impl Slot {
    /// Is it the projection's, on the cell's comparison?
    pub fn holds(&self, cell: &CellId) -> bool {
        (self.model, self.tap, self.projection, self.comparison) == (cell.model, cell.tap, cell.projection, cell.comparison)
    }

    fn canonical(&self) -> Value {
        places(&[self.model, self.tap, self.projection, self.comparison])
    }
}

impl AxisNames {
    fn canonical(&self) -> Value {
        match self {
            AxisNames::Explained { method, shares } => Value::map()
                .with("method", Value::text(method))
                .with("shares", Value::list(shares, |share| Value::Float(*share)))
                .done(),
            AxisNames::Map { method } => Value::map().with("method", Value::text(method)).done(),
        }
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

    pub fn key(&self) -> Key {
        let input = |input: &Input| Value::List(vec![Value::text(&input.role), Value::Digest(input.digest)]);
        let kind = self.work.kind();
        let key = Value::map()
            .with("stage", Value::text(kind.word()))
            .with("version", Value::Int(kind.version().into()))
            .with("work", self.work.canonical())
            .with("inputs", Value::list(&self.inputs, input));
        Key(key.done().digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(path: &str, seed: u64) -> Task {
        let input = Input { role: "features".into(), digest: Digest::of(b"features"), at: Location::File(path.into()) };
        Task { work: Work::Project { method: Method::Pca { axes: 10 }, seed }, inputs: vec![input] }
    }

    #[test]
    fn a_key_knows_contents_and_parameters_but_no_paths() {
        assert_eq!(task("a", 1).key(), task("b", 1).key());
        assert_ne!(task("a", 1).key(), task("a", 2).key());
        let mut other = task("a", 1);
        other.inputs[0].digest = Digest::of(b"other features");
        assert_ne!(task("a", 1).key(), other.key());
    }

    #[test]
    fn a_thread_count_cannot_even_be_spelled_in_a_task() {
        let text = serde_json::to_string(&task("a", 1)).unwrap();
        assert!(!text.contains("threads") && !text.contains("slots"), "{text}");
    }

    #[test]
    fn the_keys_are_pinned() {
        assert_eq!(task("a", 2019).key().short(), "228dd188", "changed keys would orphan every stored result");
    }
}
