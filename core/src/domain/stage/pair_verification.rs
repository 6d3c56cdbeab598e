//! `pairs`: are the pictures of given pairs of one identity, by the protocol of LFW?

use super::Stage;
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// [`VerifyPairs::FEATURES`], [`VerifyPairs::PAIRS`] → [`VerifyPairs::VERIFICATION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyPairs {
    /// The share of pairs of two identities that may be accepted.
    pub far: f64,
}

impl VerifyPairs {
    /// Input: the embeddings of the set's pictures, each the sum of the picture's and its mirror image's; pictures × columns.
    pub const FEATURES: &str = super::role::FEATURES;
    /// Input: the pairs, as [`Pairs`](crate::domain::pairs::Pairs) are written.
    pub const PAIRS: &str = "pairs";
    /// A [`PairVerification`](crate::domain::pairs::PairVerification).
    pub const VERIFICATION: &str = "pairs.json";
}

impl Stage for VerifyPairs {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let VerifyPairs { far } = self;
        Value::map().with("pairs", Value::text("insightface")).with("far", Value::Float(*far)).done()
    }
}
