//! `rank`: the study as a whole: which cells are shown, and why.

use super::{ScoreSlot, Stage, places};
use crate::domain::{
    canonical::Value,
    comparison::Question,
    index::{ComparisonIx, LayerIx, ModelIx},
};
use serde::{Deserialize, Serialize};
use typed_index_collections::TiVec;

/// `scores/…`, `grid`, `images`, `labels/…`, `identities` → [`Ranking::LEDGER`], [`Ranking::FREQUENCIES`]. With `truth`,
/// [`Ranking::PLANTED`] and [`Ranking::RECOVERED`] too: what is known of drawn faces, and what was found of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// One a `scores/…` input: whose it is.
    pub slots: Vec<ScoreSlot>,
    /// The lower bound from which a cell separates.
    pub separates_at: f64,
    /// How many figures are picked at most.
    pub show: usize,
    /// Of the figure that is drawn at random.
    pub seed: u64,
    /// Attributes counted in the frequencies.
    pub attributes: Vec<String>,
    /// Attributes whose values are groups, for the fairness appendix.
    pub groups: Vec<String>,
    /// Groups intersect up to so many attributes.
    pub depth: usize,
    /// One a comparison of the study.
    pub questions: TiVec<ComparisonIx, Question>,
    /// Where the truth is known: what probes of features detect is asked too.
    #[serde(default, skip_serializing_if = "Probes::is_empty")]
    pub probes: Probes,
}

/// Feature spaces that are consumed, and what was asked of each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// One a `spaces/…` input: model and layer.
    pub spaces: Vec<(ModelIx, LayerIx)>,
    /// One an answer: the comparison.
    pub asked: Vec<ComparisonIx>,
}

impl Probes {
    fn is_empty(&self) -> bool {
        self.spaces.is_empty()
    }
}

impl Ranking {
    /// Input: [`Simultaneous::TESTS`](super::Simultaneous::TESTS).
    pub const TESTS: &str = "grid";
    /// Input: what was planted in drawn faces, where they are.
    pub const TRUTH: &str = "truth";
    /// A [`Ledger`](crate::domain::ledger::Ledger).
    pub const LEDGER: &str = "ledger.json";
    /// A [`Frequencies`](crate::domain::ledger::Frequencies).
    pub const FREQUENCIES: &str = "frequencies.json";
    /// What is known of drawn faces, by comparison.
    pub const PLANTED: &str = "planted.json";
    /// A [`Recovered`](crate::domain::ledger::Recovered).
    pub const RECOVERED: &str = "recovered.json";
}

impl Stage for Ranking {
    fn version(&self) -> u32 {
        // 2: simultaneous tests behind the ledger. 3: what could have been shown. 4: random numbers by purpose. 5: bounds over the
        // chosen cells. 6: intervals near 1.
        6
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let Ranking { slots, separates_at, show, seed, attributes, groups, depth, questions, probes } = self;
        let Probes { spaces, asked } = probes;
        Value::map()
            .with("slots", Value::list(slots, ScoreSlot::canonical))
            .with("separates_at", Value::Float(*separates_at))
            .with("show", Value::count(*show))
            .with("seed", Value::seed(*seed))
            .with("attributes", Value::list(attributes, Value::text))
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("questions", Value::list(questions, Question::canonical))
            .with("spaces", Value::list(spaces, |&(model, layer)| places([model.into(), layer.into()])))
            .with("asked", places(asked.iter().map(|&comparison| comparison.into())))
            .done()
    }
}
