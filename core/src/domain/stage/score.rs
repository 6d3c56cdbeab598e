//! `score`: every view of one projection, on one question.

use super::{SCORE_VERSION, Stage, StageName};
use crate::domain::{canonical::Value, comparison::Question, projection::View, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `points/…`, `labels/…`, `identities` → [`ScoreViews::SCORES`], [`ScoreViews::RANKS`], [`ScoreViews::PERMUTED`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreViews {
    /// Two classes, several, or a quantity.
    pub question: Question,
    /// The views of the projection that are scored.
    pub views: Vec<View>,
    /// How intervals and permutations are made.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
    /// The coordinates were made with labels: they are scored and not ranked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supervised: bool,
}

impl ScoreViews {
    /// A [`Scores`](crate::domain::score::Scores).
    pub const SCORES: &str = "scores.json";
    /// Ranks of out-of-fold scores on the evaluation half: what replicates of all cells are made of.
    pub const RANKS: &str = "ranks.npy";
    /// Views × permutations.
    pub const PERMUTED: &str = "permuted.npy";
}

/// Above that of the other scores, whose reasons it shares. 7: of very many images labels are permuted among a sample.
const VERSION: u32 = SCORE_VERSION + 1;

impl Stage for ScoreViews {
    fn version(&self) -> u32 {
        VERSION
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn cost_class(&self) -> Option<String> {
        // As results of the first release have it.
        (self.views == [View::Features]).then(|| StageName::FeatureScores.cost_class().to_owned())
    }

    fn canonical(&self) -> Value {
        let ScoreViews { question, views, statistics, seed, supervised } = self;
        // What separates is the ledger's business.
        let Statistics { bootstraps, permutations, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("question", question.canonical())
            .with("views", Value::list(views, View::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("permutations", Value::count(*permutations))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .unless("supervised", Value::Bool(*supervised), &Value::Bool(false))
            .done()
    }
}
