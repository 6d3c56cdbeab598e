//! `verify`: are two pictures of the same identity?

use super::{SCORE_VERSION, Stage};
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// `images`, `points/0`, `identities` → [`VerifyIdentities::VERIFICATION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyIdentities {
    /// Replicates of the bootstrap over identities.
    pub bootstraps: usize,
    /// Of the pairs that are drawn and of the replicates.
    pub seed: u64,
}

impl VerifyIdentities {
    /// Input: the features. Their role is called so since the first release.
    pub const FEATURES: &str = "points/0";
    /// A [`Verification`](crate::domain::score::Verification).
    pub const VERIFICATION: &str = "verification.json";
}

impl Stage for VerifyIdentities {
    fn version(&self) -> u32 {
        SCORE_VERSION
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let VerifyIdentities { bootstraps, seed } = self;
        Value::map()
            .with("asked", Value::text("same person"))
            .with("bootstraps", Value::count(*bootstraps))
            .with("seed", Value::seed(*seed))
            .done()
    }
}
