//! `retrieval`: are the images that a query wants found by features at one layer?

use super::Stage;
use crate::domain::{canonical::Value, comparison::Expression};
use serde::{Deserialize, Serialize};

/// `images`, `features`, `labels/…`, `identities` → [`RetrieveImages::RETRIEVAL`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrieveImages {
    /// Which images are wanted, one a query.
    pub queries: Vec<Expression>,
    /// The attributes whose values are groups of people.
    pub groups: Vec<String>,
    /// Groups intersect up to so many attributes.
    pub depth: usize,
    /// Replicates of the bootstrap over identities.
    pub bootstraps: usize,
    /// The study's: of examples, halves and replicates.
    pub seed: u64,
}

impl RetrieveImages {
    /// A [`Retrieval`](crate::domain::retrieval::Retrieval).
    pub const RETRIEVAL: &str = "retrieval.json";
}

impl Stage for RetrieveImages {
    fn version(&self) -> u32 {
        1
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let RetrieveImages { queries, groups, depth, bootstraps, seed } = self;
        Value::map()
            .with("queries", Value::list(queries, Expression::canonical))
            .with("groups", Value::list(groups, Value::text))
            .with("depth", Value::count(*depth))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
