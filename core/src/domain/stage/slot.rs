//! Whose scores: places in the study.

use super::places;
use crate::domain::{
    canonical::Value,
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    ledger::CellId,
};
use serde::{Deserialize, Serialize};

/// Whose scores: places in the study, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreSlot {
    /// The model.
    pub model: ModelIx,
    /// Results of the first release call it `tap`.
    #[serde(alias = "tap")]
    pub layer: LayerIx,
    /// Place of the projection.
    pub projection: ProjectionIx,
    /// Place of the comparison.
    pub comparison: ComparisonIx,
}

impl ScoreSlot {
    /// Is it the projection's, on the cell's comparison?
    pub fn holds(&self, cell: &CellId) -> bool {
        (self.model, self.layer, self.projection, self.comparison) == (cell.model, cell.layer, cell.projection, cell.comparison)
    }

    pub(super) fn canonical(&self) -> Value {
        let ScoreSlot { model, layer, projection, comparison } = self;
        places([(*model).into(), (*layer).into(), (*projection).into(), (*comparison).into()])
    }
}
