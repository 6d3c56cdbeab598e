//! `fairness`: a model's probes among groups of people.

use super::{SCORE_VERSION, Stage};
use crate::domain::{canonical::Value, comparison::Question, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `decisions`, `baseline decisions`, `labels/…`, `identities` → [`GroupFairness::GROUPS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFairness {
    /// Those of the decisions.
    pub questions: Vec<Question>,
    /// The attributes whose values are groups.
    pub groups: Vec<String>,
    /// Groups intersect up to so many attributes.
    pub depth: usize,
    /// Of these the number of bootstraps enters the key.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

impl GroupFairness {
    /// Input: [`ScoreFeatures::DECISIONS`](super::ScoreFeatures::DECISIONS).
    pub const DECISIONS: &str = "decisions";
    /// Input: the same of the study's baseline, in the order of the same questions. Not there where the study has none, or this is it.
    pub const BASELINE: &str = "baseline decisions";
    /// A [`Fairness`](crate::domain::fairness::Fairness).
    pub const GROUPS: &str = "fairness.json";
}

/// Above that of the other scores, whose reasons it shares. 7: measures over all groups at once. 8: the
/// worst-served group, and a baseline's probe beside.
const VERSION: u32 = SCORE_VERSION + 2;

impl Stage for GroupFairness {
    fn version(&self) -> u32 {
        VERSION
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let GroupFairness { questions, groups, depth, statistics, seed } = self;
        // Groups have intervals; they are neither permuted nor ranked.
        let Statistics { bootstraps, permutations: _, min_positives: _, separates_at: _ } = statistics;
        Value::map()
            .with("questions", Value::list(questions, Question::canonical))
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
