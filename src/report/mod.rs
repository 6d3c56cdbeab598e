//! One self-contained page: what was asked, what was found, how sure that is, and all an auditor needs.
//!
//! `page.rs` is its table of contents. Templates (in `templates/`) print numbers through `claim(id)` alone; the page makes no request,
//! runs no script, and is a pure function of the study and its results: the same results, the same bytes.

mod claims;
mod evidence;
#[cfg(test)]
mod fixture;
mod label_noise;
mod page;
mod paths;
mod sections;
mod source;
mod templates;
mod words;

pub use page::render;

use std::{collections::BTreeMap, path::Path};
use visavis_core::domain::missing::MissingLabels;

/// What is on a page beside the outcome.
pub struct Extras<'a> {
    /// How many labels are missing in the files, and how that is spelled, by attribute.
    pub missing_labels: &'a BTreeMap<String, MissingLabels>,
    pub study_file: &'a Path,
    pub study_text: &'a str,
    /// Tables to hand out with the page: name, bytes.
    pub tables: Vec<(String, Vec<u8>)>,
}
