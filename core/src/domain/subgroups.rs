//! Groups in which a shown figure separates its classes better, or worse, than elsewhere: what the `subgroups` stage leaves.

use super::{score::Estimate, simultaneous::DISCOVERY};
use serde::{Deserialize, Serialize};

/// What the `subgroups` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subgroups {
    /// 1.
    pub format: u32,
    /// Groups that half A was searched for: enough images and identities of both classes inside and outside, in both halves.
    pub searched: usize,
    /// Groups with too few.
    pub too_few: usize,
    /// Those that stand out most on half A, in that order, tested on half B.
    pub found: Vec<SubgroupFinding>,
}

/// A group that stands out on half A, on half B.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubgroupFinding {
    /// Attributes and their values: all of them hold in the group.
    pub members: Vec<(String, String)>,
    /// On half A: the AUC inside less that outside.
    pub selection: f64,
    /// The AUC inside.
    pub inside: Estimate,
    /// The AUC outside.
    pub outside: Estimate,
    /// Inside less outside.
    pub difference: Estimate,
    /// Two-sided, from the resamples and the intervals of both sides.
    pub p: f64,
    /// Among those found of this figure (Benjamini and Hochberg 1995).
    pub q: f64,
}

impl SubgroupFinding {
    /// Is it confirmed on half B, in the direction that half A had?
    pub fn is_confirmed(&self) -> bool {
        self.q <= DISCOVERY && self.difference.value * self.selection > 0.0
    }
}
