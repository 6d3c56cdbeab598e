//! How far annotators agree, where the study reads the labels of several.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{Result, agreement::Agreements, stage::MeasureAgreement};

impl StudyResults<'_> {
    /// Of every attribute that annotators labelled by name; `None` while that was not measured.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn agreement(&self) -> Result<Option<Sourced<Agreements>>> {
        self.json(Step::Agreement, MeasureAgreement::AGREEMENT)
    }
}
