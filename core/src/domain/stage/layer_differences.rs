//! `layers`: the layers of one model held against each other.

use super::{ScoreSlot, Simultaneous, Stage};
use crate::domain::{canonical::Value, comparison::Question, index::ComparisonIx, score::Statistics};
use serde::{Deserialize, Serialize};
use typed_index_collections::TiVec;

/// `images`, `scores/…`, `ranks/…`, `labels/…`, `identities` → [`CompareLayers::LAYERS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareLayers {
    /// One a `scores/…` and `ranks/…` input, all of one model: whose they are.
    pub slots: Vec<ScoreSlot>,
    /// One a comparison of the study.
    pub questions: TiVec<ComparisonIx, Question>,
    /// How intervals are made.
    pub statistics: Statistics,
    /// The study's: of halves and replicates.
    pub seed: u64,
}

impl CompareLayers {
    /// Inputs, one a slot: [`ScoreViews::RANKS`](super::ScoreViews::RANKS).
    pub const RANKS: &str = Simultaneous::RANKS;
    /// A [`LayerDifferences`](crate::domain::layer_difference::LayerDifferences).
    pub const LAYERS: &str = "layers.json";
}

impl Stage for CompareLayers {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let CompareLayers { slots, questions, statistics, seed } = self;
        // Nothing is permuted, and what separates is the ledger's business.
        let Statistics { bootstraps, permutations: _, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("slots", Value::list(slots, ScoreSlot::canonical))
            .with("questions", Value::list(questions, Question::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
