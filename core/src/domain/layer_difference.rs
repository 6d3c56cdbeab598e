//! Layers of one model held against each other: what the `layers` stage leaves.

use super::{
    index::{ComparisonIx, LayerIx},
    score::Estimate,
    simultaneous::DISCOVERY,
};
use serde::{Deserialize, Serialize};

/// What the `layers` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDifferences {
    /// 1.
    pub format: u32,
    /// By comparison, then by layer.
    pub differences: Vec<LayerDifference>,
}

/// The layer that half A prefers on a comparison, less another one: each in its own view that half A prefers, on the same images of half B.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerDifference {
    /// Place of the comparison.
    pub comparison: ComparisonIx,
    /// The layer that half A prefers.
    pub best: LayerIx,
    /// The other one.
    pub other: LayerIx,
    /// Of AUCs: best less other.
    pub difference: Estimate,
    /// Two-sided, from the resamples.
    pub p: f64,
    /// Among all differences of the model's layers (Benjamini and Hochberg 1995).
    pub q: f64,
}

impl LayerDifference {
    /// Is it shown, at a false discovery rate of [`DISCOVERY`]?
    pub fn is_shown(&self) -> bool {
        self.q <= DISCOVERY
    }

    /// What is said of the other layer.
    pub fn word(&self) -> &'static str {
        match (self.is_shown(), self.difference.value > 0.0) {
            (false, _) => "inconclusive",
            (true, true) => "lower",
            (true, false) => "higher",
        }
    }
}
