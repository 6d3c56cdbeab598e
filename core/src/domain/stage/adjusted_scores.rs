//! `adjusted`: what remains of a shown figure's score while nuisances are held.

use super::Stage;
use crate::domain::{canonical::Value, comparison::Question, nuisance::Nuisance, projection::View, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `points/…` (one a projection seed), [`ScoreNuisances::TABLE`](super::ScoreNuisances::TABLE) where pictures are measured,
/// `labels/…`, `identities` → [`AdjustScores::SCORES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdjustScores {
    /// What the figure's score is of.
    pub question: Question,
    /// Which coordinates are shown.
    pub view: View,
    /// Those that are held, each by itself.
    pub held: Vec<Nuisance>,
    /// How intervals are made.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

impl AdjustScores {
    /// An [`AdjustedScores`](crate::domain::nuisance::AdjustedScores).
    pub const SCORES: &str = "adjusted.json";
}

impl Stage for AdjustScores {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let AdjustScores { question, view, held, statistics, seed } = self;
        // Nothing is permuted or ranked.
        let Statistics { bootstraps, permutations: _, min_positives: _, separates_at: _ } = statistics;
        Value::map()
            .with("question", question.canonical())
            .with("view", view.canonical())
            .with("held", Value::list(held, Nuisance::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
