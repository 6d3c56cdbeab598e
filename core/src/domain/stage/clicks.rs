//! `clicks`: what labels are worth to a simulated person who labels whole clusters of a model's images at once.

use super::Stage;
use crate::domain::{canonical::Value, clicks::ClickSettings, comparison::Question, projection::View};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `labels/…`, `identities`, `points/…` (one a view) → [`SimulateClicks::CLICKS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulateClicks {
    /// Those of two classes are asked.
    pub questions: Vec<Question>,
    /// One of each projection's points.
    pub views: Vec<View>,
    /// How many clusters and people.
    pub settings: ClickSettings,
    /// The study's.
    pub seed: u64,
}

impl SimulateClicks {
    /// A [`Clicks`](crate::domain::clicks::Clicks).
    pub const CLICKS: &str = "clicks.json";
}

impl Stage for SimulateClicks {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let SimulateClicks { questions, views, settings, seed } = self;
        Value::map()
            .with("questions", Value::list(questions, Question::canonical))
            .with("views", Value::list(views, View::canonical))
            .with("settings", settings.canonical())
            .with("seed", Value::seed(*seed))
            .done()
    }
}
