//! What a page was rendered from beside the study, its results and their objects: with these it can be rendered again.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use visavis_core::domain::{Digest, ledger::CellId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageContext {
    /// With it the page can be rendered again from its evidence. Of some studies that would give another page, as of those that name files
    /// by variables.
    pub is_whole: bool,
    /// Of the study file's text, with its absolute paths.
    pub study_text: Digest,
    /// The text on the page lacks absolute paths that are in the file, so its digest is another.
    pub is_shortened: bool,
    /// Names of the study that its text lacks, or has otherwise, since paths in it were shortened.
    pub lost_names: Vec<String>,
    /// Of figures that people want in the report, with their notes.
    pub pins: Digest,
    /// What was found odd about the data, and what was done with them.
    pub remarks: Vec<String>,
    /// By attribute: how missing labels are spelled.
    pub missing_labels: BTreeMap<String, Vec<String>>,
    pub pinned: Vec<PinnedFigure>,
    /// Data sets of which some faces are on the page.
    #[serde(default)]
    pub faces_of: BTreeSet<String>,
}

/// A figure that a person wants in the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PinnedFigure {
    pub name: String,
    /// As it is handed out.
    pub note: String,
    /// `None`: the study has no such figure any more.
    pub cell: Option<CellId>,
}
