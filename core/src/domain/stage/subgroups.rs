//! `subgroups`: groups in which a shown figure separates its classes better, or worse, than elsewhere.

use super::Stage;
use crate::domain::{canonical::Value, comparison::Question, projection::View, score::Statistics};
use serde::{Deserialize, Serialize};

/// `images`, `points`, `labels/…`, `identities` → [`FindSubgroups::SUBGROUPS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindSubgroups {
    /// What the figure's score is of: two classes.
    pub question: Question,
    /// Which coordinates are shown.
    pub view: View,
    /// Attributes whose values are groups.
    pub groups: Vec<String>,
    /// Attributes that an intersection has at most.
    pub depth: usize,
    /// How intervals are made, and how many images a class needs.
    pub statistics: Statistics,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

impl FindSubgroups {
    /// A [`Subgroups`](crate::domain::subgroups::Subgroups).
    pub const SUBGROUPS: &str = "subgroups.json";
}

impl Stage for FindSubgroups {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let FindSubgroups { question, view, groups, depth, statistics, seed } = self;
        // Nothing is permuted, and what separates is the ledger's business.
        let Statistics { bootstraps, permutations: _, min_positives, separates_at: _ } = statistics;
        Value::map()
            .with("question", question.canonical())
            .with("view", view.canonical())
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("bootstraps", Value::count(*bootstraps))
            .with("min_positives", Value::count(*min_positives))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
