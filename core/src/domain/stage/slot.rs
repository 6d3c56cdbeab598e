//! Whose scores: places in the study.

use super::places;
use crate::domain::{canonical::Value, ledger::CellId};
use serde::{Deserialize, Serialize};

/// Whose scores: places in the study, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreSlot {
    /// Place of the model.
    pub model: usize,
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: usize,
    /// Place of the projection.
    pub projection: usize,
    /// Place of the comparison.
    pub comparison: usize,
}

impl ScoreSlot {
    /// Is it the projection's, on the cell's comparison?
    pub fn holds(&self, cell: &CellId) -> bool {
        (self.model, self.layer, self.projection, self.comparison) == (cell.model, cell.layer, cell.projection, cell.comparison)
    }

    pub(super) fn canonical(&self) -> Value {
        let ScoreSlot { model, layer, projection, comparison } = self;
        places([model, layer, projection, comparison])
    }
}
