//! Carries out one stage: its work and the bytes it consumes in, the bytes it leaves out. Same in, same out, on every
//! machine and with any number of threads; so a worker runs it, and an audit runs it again.

mod adjusted_scores;
mod agreement;
mod attention;
mod baseline;
mod clicks;
mod clusters;
mod draw;
mod extraction;
mod fairness;
mod fault_injection;
mod feature_scores;
mod features;
mod hashes;
mod index;
mod inputs;
mod layer_differences;
mod nuisance_scores;
mod nuisances;
mod order_queue;
mod orders;
mod overlap;
mod post;
mod pretend;
mod project;
mod quality;
mod rank;
mod retained;
mod retrieval;
mod robustness;
mod score;
mod simultaneous;
mod subgroups;
mod thumbnails;
mod verify;
mod verify_pairs;
mod visibility;
mod worker;

pub use extraction::read_features;
pub use inputs::Inputs;
pub use orders::{Orders, WorkerArguments};
pub use post::Post;
pub use worker::{CoreExecutor, Outcome, StageExecutor, WorkerSettings, because, ends_with, read, serve};

use crate::{
    dataset::array,
    domain::{
        Fault, Result,
        result::Facts,
        stage::{Task, Work, features_at},
        text::count,
    },
    numeric::Matrix,
    store,
};
use std::path::PathBuf;

/// What a stage leaves: named outputs, and small numbers.
#[derive(Debug, Default)]
pub struct StageOutput {
    /// Bytes by name, in the order they were made.
    pub outputs: Vec<(String, Vec<u8>)>,
    /// Numbers by name.
    pub facts: Facts,
}

/// Who is told how a stage goes on while it does.
pub trait Listener {
    /// One value of a series, such as `loss`.
    fn point(&self, series: &str, step: u64, value: f64);
    /// A line of the stage's log.
    fn line(&self, line: &str);
}

/// Nobody listens: an audit looks at results alone.
impl Listener for () {
    fn point(&self, _: &str, _: u64, _: f64) {}
    fn line(&self, _: &str) {}
}

/// What a workspace keeps of what stages worked out, for the next that wants it: it decides nothing.
#[derive(Clone, Debug)]
pub struct Caches {
    /// Neighbours of features.
    pub graphs: store::Graphs,
    /// The file of digests, beside which hashes of pictures are kept.
    pub digests: PathBuf,
}

impl Caches {
    /// Those of a workspace.
    pub fn of(workspace: &store::Workspace) -> Self {
        Caches { graphs: workspace.graphs(), digests: workspace.digests() }
    }
}

/// Carries the task out in memory. `read` gives an input's bytes, verified; `caches` is where neighbours of features and hashes of pictures
/// are kept for the next stage that wants them. An audit has none: it trusts nothing that was kept.
///
/// # Errors
/// Inputs that cannot be read, or data that the stage cannot work on.
pub fn carry_out(
    task: &Task,
    read: &dyn Fn(&crate::domain::stage::Input) -> Result<Vec<u8>>,
    caches: Option<&Caches>,
    listener: &dyn Listener,
) -> Result<StageOutput> {
    let inputs = Inputs::new(task, read);
    match &task.work {
        Work::Index(of) => index::index(of, &inputs),
        Work::Train(training) => pretend::train(training, listener),
        Work::Extract(extraction) => pretend::extract(extraction, &inputs, listener),
        Work::Baseline(of) => baseline::baseline(of, &inputs, listener),
        Work::Features(of) => features::features(of, &inputs, listener),
        Work::Hashes(of) => hashes::hashes(of, &inputs, caches, listener),
        Work::Thumbnails(of) => thumbnails::thumbnails(of, &inputs, listener),
        Work::Overlap(of) => overlap::overlap(of, &inputs),
        Work::Agreement(of) => agreement::agreement(of, &inputs),
        Work::Project(of) => project::project(of, &inputs, caches.map(|of| &of.graphs), listener),
        Work::Score(of) => score::score(of, &inputs),
        Work::FeatureScores(of) => feature_scores::feature_scores(of, &inputs),
        Work::Robustness(of) => robustness::robustness(of, &inputs),
        Work::Fairness(of) => fairness::fairness(of, &inputs),
        Work::Subgroups(of) => subgroups::subgroups(of, &inputs),
        Work::LayerDifferences(of) => layer_differences::layer_differences(of, &inputs),
        Work::Simultaneous(of) => simultaneous::simultaneous(of, &inputs),
        Work::Quality(of) => quality::quality(of, &inputs),
        Work::Clusters(of) => clusters::clusters(of, &inputs),
        Work::Retained(of) => retained::retained(of, &inputs),
        Work::Attention(of) => attention::attention(of, &inputs),
        Work::Verify(of) => verify::verify(of, &inputs),
        Work::VerifyPairs(of) => verify_pairs::verify_pairs(of, &inputs),
        Work::Clicks(of) => clicks::clicks(of, &inputs),
        Work::Retrieval(of) => retrieval::retrieval(of, &inputs),
        Work::Nuisances(of) => nuisances::nuisances(of, &inputs, listener),
        Work::NuisanceScores(of) => nuisance_scores::nuisance_scores(of, &inputs, caches),
        Work::AdjustedScores(of) => adjusted_scores::adjusted_scores(of, &inputs),
        Work::Visibility(of) => visibility::visibility(of, &inputs),
        Work::Rank(ranking) => rank::rank(ranking, &inputs),
        Work::Draw(figure) => draw::draw(figure, &inputs),
    }
}

impl StageOutput {
    /// With another output.
    pub fn with(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.outputs.push((name.to_owned(), bytes));
        self
    }

    /// Features at a layer, N × columns, with their shape as a fact.
    pub fn with_features(self, layer: &str, features: &Matrix) -> Self {
        let shape = vec![features.rows() as f64, features.columns() as f64];
        self.with(&features_at(layer), array::to_npy(features)).fact(layer, shape)
    }

    /// So many pictures were turned to be upright, as their cameras noted.
    #[must_use]
    pub fn turned(self, pictures: usize, listener: &dyn Listener) -> Self {
        if pictures == 0 {
            return self;
        }
        listener.line(&format!("{} turned to be upright, as the camera noted (EXIF)", count(pictures, "picture")));
        self.fact("turned", vec![pictures as f64])
    }

    /// With another output, as JSON.
    pub fn with_json<T: serde::Serialize>(self, name: &str, value: &T) -> Result<Self> {
        let text = serde_json::to_vec(value).map_err(|error| Fault::unexpected(format!("cannot write {name}: {error}")))?;
        Ok(self.with(name, text))
    }

    /// With numbers under a name.
    pub fn fact(mut self, name: &str, numbers: Vec<f64>) -> Self {
        self.facts.insert(name.to_owned(), numbers);
        self
    }
}
