//! The page of a plan as it stands.

use crate::{
    cli::export,
    report::{self, Extras},
    study::{OpenedStudy, Plan, StudyOutcome},
};
use std::{collections::BTreeSet, path::Path};
use visavis_core::domain::{Result, made_of::MadeOf};

/// What a page is rendered as.
#[derive(Clone, Copy)]
pub(in crate::cli) struct RenderedAs<'a> {
    pub made_of: MadeOf,
    /// See [`Extras`].
    pub carries_context: bool,
    pub of_page: bool,
    pub faces_of: &'a BTreeSet<String>,
}

/// The page of a study as it stands: a function of the study and its results. An audit makes it again.
pub(in crate::cli) fn page(plan: &Plan, opened: &OpenedStudy, study: &Path, rendered: RenderedAs) -> Result<String> {
    let RenderedAs { made_of, carries_context, of_page, faces_of } = rendered;
    let outcome = StudyOutcome::load(plan)?;
    let tables = vec![("ledger", export::ledger_of_page(&outcome)?)];
    let (missing_labels, study_text) = (&opened.survey.missing_labels, opened.file.text.source.as_str());
    let extras = Extras { missing_labels, study_file: study, study_text, made_of, carries_context, of_page, faces_of, tables };
    report::render(&outcome, &extras)
}
