//! What two sides of a contrast attend to, held against each other.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{Result, attention::AttentionContrasts, stage::ContrastAttention};

impl StudyResults<'_> {
    /// Of a study whose contrasts have altered pictures on both sides.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn attention(&self) -> Result<Option<Sourced<AttentionContrasts>>> {
        self.json(Step::Attention, ContrastAttention::ATTENTION)
    }
}
