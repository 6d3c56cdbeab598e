//! `space`: the features themselves, at one layer, on all questions.

use super::{SCORE_VERSION, Stage};
use crate::domain::{canonical::Value, comparison::Question, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `labels/…`, `identities` → [`ScoreFeatures::SCORES`], [`ranks_of`] each question,
/// [`ScoreFeatures::DECISIONS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreFeatures {
    /// Two classes, several, or a quantity each.
    pub questions: Vec<Question>,
    /// How intervals and permutations are made.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

/// What the ranks of features on one of several questions are called.
pub fn ranks_of(question: usize) -> String {
    format!("ranks-{question}.npy")
}

impl ScoreFeatures {
    /// A [`FeatureScores`](crate::domain::score::FeatureScores).
    pub const SCORES: &str = "space.json";
    /// Questions × images: the probe's log-odds.
    pub const DECISIONS: &str = "decisions.npy";
}

impl Stage for ScoreFeatures {
    fn version(&self) -> u32 {
        SCORE_VERSION
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let ScoreFeatures { questions, statistics, seed } = self;
        // Features are not permuted: their projections are.
        let Statistics { bootstraps, permutations: _, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("questions", Value::list(questions, Question::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
