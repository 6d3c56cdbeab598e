//! `retained`: what features at one layer still hold of each question when their pictures are altered.

use super::{SCORE_VERSION, Stage};
use crate::domain::{alteration::Alteration, canonical::Value, comparison::Question, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `altered/…` (one an alteration, numbered), `labels/…`, `identities` →
/// [`MeasureRetained::RETAINED`], [`MeasureRetained::RESAMPLED`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureRetained {
    /// Those of the feature scores.
    pub questions: Vec<Question>,
    /// In the order of their features.
    pub alterations: Vec<Alteration>,
    /// How intervals are made.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

impl MeasureRetained {
    /// Inputs: the features of altered pictures, numbered as the alterations are.
    pub const ALTERED: &str = "altered/";
    /// A [`RetainedSignal`](crate::domain::retained::RetainedSignal).
    pub const RETAINED: &str = "retained.json";
    /// The AUCs in every replicate of identities, which are the same for all models: replicates × (questions × sets), of each question those of
    /// the originals, then of each alteration; NaN where there is nothing to retain.
    pub const RESAMPLED: &str = "resampled.npy";
}

impl Stage for MeasureRetained {
    fn version(&self) -> u32 {
        // One more: replicates stand beside.
        SCORE_VERSION + 1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let MeasureRetained { questions, alterations, statistics, seed } = self;
        // Nothing is permuted or ranked.
        let Statistics { bootstraps, permutations: _, min_positives: _, separates_at: _ } = statistics;
        Value::map()
            .with("retained", Value::list(questions, Question::canonical))
            .with("alterations", Value::list(alterations, |of| of.canonical()))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
