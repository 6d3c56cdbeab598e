//! How much more one side of a contrast attends to a cue than the other: what the `attention` stage leaves.

use super::{
    alteration::{Alteration, Cue},
    index::ModelIx,
    score::Estimate,
    simultaneous::DISCOVERY,
};
use serde::{Deserialize, Serialize};

/// What the `attention` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttentionContrasts {
    /// 1.
    pub format: u32,
    /// In the order of the contrasts' pairs of sides; those without altered pictures on both sides are not among them.
    pub contrasts: Vec<AttentionContrast>,
}

/// One pair of sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttentionContrast {
    /// Place of the pair of sides.
    pub held: usize,
    /// Models of the left side, then those of the right one.
    pub models: Vec<ModelIx>,
    /// Places of the questions that every model of both sides knows. For each model a question weighs as much as its AUC is above 0.5.
    pub questions: Vec<usize>,
    /// How many they are.
    pub counted: usize,
    /// The questions of which there is nothing to retain for one model or more.
    pub left_out: usize,
    /// One a cue that the same alteration speaks for on both sides. Empty where no question is left.
    pub cues: Vec<AttentionDifference>,
}

/// The share of what a side knows that is lost without one cue, right less left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttentionDifference {
    /// What is taken away.
    pub cue: Cue,
    /// By which alteration.
    pub by: Alteration,
    /// Of the left side, on these questions: the mean over its models.
    pub left: f64,
    /// Of the right side.
    pub right: f64,
    /// Right less left, with its 95 % interval: identities are drawn once for both sides.
    pub difference: Estimate,
    /// Two-sided.
    pub p: f64,
    /// Among the differences of all pairs of sides and cues (Benjamini and Hochberg 1995).
    pub q: f64,
}

impl AttentionDifference {
    /// Is it shown, at a false discovery rate of [`DISCOVERY`]?
    pub fn is_shown(&self) -> bool {
        self.q <= DISCOVERY
    }
}
