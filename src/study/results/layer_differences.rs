//! The layers of models, held against each other.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{Result, index::ModelIx, layer_difference::LayerDifferences, stage::CompareLayers};

impl StudyResults<'_> {
    /// Of a model with several layers.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn layer_differences(&self, model: ModelIx) -> Result<Option<Sourced<LayerDifferences>>> {
        self.json(Step::LayerDifferences { model }, CompareLayers::LAYERS)
    }
}
