//! `explained`: how much of each nuisance the views of a projection hold, or the features do.

use super::{Stage, StageName};
use crate::domain::{canonical::Value, nuisance::Nuisance, projection::View};
use serde::{Deserialize, Serialize};

/// `images`, [`ScoreNuisances::TABLE`] where pictures are measured, `labels/…` of own columns, `identities`, and `points/…` (one a
/// projection seed) or `features` → [`ScoreNuisances::SCORES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreNuisances {
    /// Those that are looked for.
    pub nuisances: Vec<Nuisance>,
    /// The views of the projection; of features the one.
    pub views: Vec<View>,
    /// Replicates of the bootstrap over identities.
    pub bootstraps: usize,
    /// The study's: of halves, folds and replicates.
    pub seed: u64,
}

impl ScoreNuisances {
    /// Input: [`MeasureNuisances::TABLE`](super::MeasureNuisances::TABLE).
    pub const TABLE: &str = "nuisances";
    /// A [`NuisanceScores`](crate::domain::nuisance::NuisanceScores).
    pub const SCORES: &str = "explained.json";
    /// The [cost class](super::Work::cost_class) of features: their neighbours take longer than those in a plane.
    pub const FEATURES_COST_CLASS: &str = "score nuisances features";
}

impl Stage for ScoreNuisances {
    fn version(&self) -> u32 {
        2
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn cost_class(&self) -> Option<String> {
        let of_features = self.views == [View::Features];
        let class = if of_features { Self::FEATURES_COST_CLASS } else { StageName::NuisanceScores.cost_class() };
        Some(class.to_owned())
    }

    fn canonical(&self) -> Value {
        let ScoreNuisances { nuisances, views, bootstraps, seed } = self;
        Value::map()
            .with("nuisances", Value::list(nuisances, Nuisance::canonical))
            .with("views", Value::list(views, View::canonical))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
