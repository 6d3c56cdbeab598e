//! What a study's results say: every score, rate, quality and training joined with the model, layer, projection and comparison that
//! it is of. The report, exports, screens and commands read results here, and join nothing themselves.
//!
//! It is made of the results that are known and of whatever reads their objects: a plan and its store, or a map in tests. Each part
//! is read when it is asked for.

mod agreement;
mod attention;
mod axes;
mod clicks;
mod clusters;
mod fairness;
mod hypotheses;
mod layer_differences;
mod nuisances;
mod outcome;
mod overlap;
mod pairs;
mod quality;
mod retained;
mod retrieval;
mod scores;
mod shared_crops;
mod training;
mod visibility;

pub use axes::{AxisFinding, LayersOn};
pub use clicks::ModelClicks;
pub use clusters::ProjectionClusters;
pub use fairness::ModelFairness;
pub use hypotheses::{ClaimNumbers, HypothesisPart, PartOf, TestedHypothesis};
pub use nuisances::HeldNuisances;
pub(crate) use nuisances::most_held;
pub use outcome::{CellVerdict, StudyOutcome};
pub use pairs::VerifiedPairs;
pub use quality::ProjectionQuality;
pub use retained::{MaskedBackground, ModelRetained};
pub use retrieval::LayerRetrieval;
pub(crate) use scores::ScoreCache;
pub use scores::{NamedScore, ScoreOf, ScoreSource};
pub use shared_crops::{OnSharedCrop, SharedCropOutcome};
pub use training::ModelTraining;
pub use visibility::{Seen, StudyVisibility};

use super::{
    names::StudyNames,
    plan::{Plan, ResultLookup},
    steps::{Step, features, projected},
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use visavis_core::{
    dataset::faces::Truth,
    domain::{
        Fault, Key, Result,
        index::{LayerIx, ModelIx},
        ledger::{CellId, Frequencies, Ledger, Recovered},
        result::Manifest,
        score::FigureRobustness,
        simultaneous::SimultaneousTests,
        stage::{FindSubgroups, Ranking, Robustness, Simultaneous},
        study::Study,
        subgroups::Subgroups,
    },
};

/// What an output says, and which it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Sourced<T> {
    pub key: Key,
    pub output: &'static str,
    pub value: T,
}

/// The results of a study that are there.
pub struct StudyResults<'a> {
    study: &'a Study,
    known: BTreeMap<Step, &'a Manifest>,
    objects: &'a dyn ResultLookup,
}

impl<'a> StudyResults<'a> {
    /// Those that a plan knows.
    pub fn of(plan: &'a Plan) -> Self {
        StudyResults { study: &plan.study, known: plan.results().collect(), objects: plan.lookup() }
    }

    /// Results in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(study: &'a Study, known: &'a BTreeMap<Step, Manifest>, objects: &'a dyn ResultLookup) -> Self {
        StudyResults { study, known: known.iter().map(|(step, manifest)| (*step, manifest)).collect(), objects }
    }

    pub fn study(&self) -> &'a Study {
        self.study
    }

    pub fn names(&self) -> StudyNames<'a> {
        StudyNames::of(self.study)
    }

    /// The result of a step, if it is there.
    pub fn result(&self, step: Step) -> Option<&'a Manifest> {
        self.known.get(&step).copied()
    }

    /// The result that made the features of a model at a layer.
    pub fn features(&self, model: ModelIx, layer: LayerIx) -> Option<&'a Manifest> {
        self.result(features(self.study, model, layer))
    }

    /// The result that a cell's figure is drawn from.
    pub fn projected(&self, cell: &CellId) -> Option<&'a Manifest> {
        self.result(projected(*cell))
    }

    /// An output of a step's result, parsed; `None` while the result is not there, or where it has no such output.
    ///
    /// # Errors
    /// An object that is not there or damaged, or that says something else than it should.
    fn json<T: DeserializeOwned>(&self, step: Step, output: &'static str) -> Result<Option<Sourced<T>>> {
        let Some(manifest) = self.result(step) else { return Ok(None) };
        let Some(of) = manifest.output(output) else { return Ok(None) };
        let bytes = self.objects.object(of.digest)?;
        let wrong = |error| Fault::unexpected(format!("{output} is not what it should be: {error}"));
        Ok(Some(Sourced { key: manifest.key, output, value: serde_json::from_slice(&bytes).map_err(wrong)? }))
    }

    /// Every ranked cell, and why others are not.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn ledger(&self) -> Result<Option<Sourced<Ledger>>> {
        self.json(Step::Rank, Ranking::LEDGER)
    }

    /// How often each label occurs, in all images and in groups.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn frequencies(&self) -> Result<Option<Sourced<Frequencies>>> {
        self.json(Step::Rank, Ranking::FREQUENCIES)
    }

    /// What is true of synthetic faces.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn truth(&self) -> Result<Option<Sourced<Truth>>> {
        self.json(Step::Rank, Ranking::PLANTED)
    }

    /// How much of that was found.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn recovered(&self) -> Result<Option<Sourced<Recovered>>> {
        self.json(Step::Rank, Ranking::RECOVERED)
    }

    /// The tests of all cells together, and of differences between models.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn simultaneous(&self) -> Result<Option<Sourced<SimultaneousTests>>> {
        self.json(Step::Simultaneous, Simultaneous::TESTS)
    }

    /// The same of contrasts whose crops differ, on shared crops.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn on_shared_crops(&self) -> Result<Option<Sourced<SimultaneousTests>>> {
        self.json(Step::SharedCropTests, Simultaneous::TESTS)
    }

    /// How robust the score of a shown figure is.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn robustness(&self, cell: &CellId) -> Result<Option<Sourced<FigureRobustness>>> {
        self.json(Step::Robustness(*cell), Robustness::FIGURE)
    }

    /// The groups that stand out in a shown figure.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn subgroups(&self, cell: &CellId) -> Result<Option<Sourced<Subgroups>>> {
        self.json(Step::Subgroups(*cell), FindSubgroups::SUBGROUPS)
    }
}
