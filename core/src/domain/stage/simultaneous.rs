//! `grid`: all cells of a study, tested together.

use super::{ScoreSlot, Stage, places};
use crate::domain::{
    canonical::Value,
    comparison::Question,
    contrast::ContrastSides,
    index::{ComparisonIx, LayerIx, ModelIx},
    score::Statistics,
};
use serde::{Deserialize, Serialize};
use typed_index_collections::TiVec;

/// `images`, `scores/…`, `ranks/…`, `permuted/…`, `spaces/…`, `labels/…`, `identities` → [`Simultaneous::TESTS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simultaneous {
    /// One a `scores/…` and `ranks/…` input: whose they are.
    pub slots: Vec<ScoreSlot>,
    /// One a `spaces/…` input: the features of which model, layer and comparison.
    pub spaces: Vec<(ModelIx, LayerIx, ComparisonIx)>,
    /// One a comparison of the study.
    pub questions: TiVec<ComparisonIx, Question>,
    /// The sides of contrasts that are held against each other.
    pub held: Vec<ContrastSides>,
    /// How intervals and permutations are made.
    pub statistics: Statistics,
    /// The study's: of halves and replicates.
    pub seed: u64,
}

impl Simultaneous {
    /// Inputs, one a slot: [`ScoreViews::RANKS`](super::ScoreViews::RANKS).
    pub const RANKS: &str = "ranks/";
    /// Inputs, one a slot: [`ScoreViews::PERMUTED`](super::ScoreViews::PERMUTED).
    pub const PERMUTED: &str = "permuted/";
    /// A [`SimultaneousTests`](crate::domain::simultaneous::SimultaneousTests).
    pub const TESTS: &str = "grid.json";
}

impl Stage for Simultaneous {
    fn version(&self) -> u32 {
        // 5: bounds over the chosen cells, differences by their sides' intervals. 6: intervals near 1.
        6
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let Simultaneous { slots, spaces, questions, held, statistics, seed } = self;
        // What separates is the ledger's business.
        let Statistics { bootstraps, permutations, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("slots", Value::list(slots, ScoreSlot::canonical))
            .with(
                "spaces",
                Value::list(spaces, |&(model, layer, comparison)| places([model.into(), layer.into(), comparison.into()])),
            )
            .with("questions", Value::list(questions, Question::canonical))
            .with("held", Value::list(held, ContrastSides::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("permutations", Value::count(*permutations))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
