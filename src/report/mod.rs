//! One self-contained page: what was asked, what was found, how sure that is, and all an auditor needs.
//!
//! `page.rs` is its table of contents. Templates (in `templates/`) print numbers through `claim(id)` alone; the page makes no request,
//! runs no script, and is a pure function of the study and its results: the same results, the same bytes.

mod claims;
mod evidence;
mod explored;
mod explorer;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile_names;
mod label_noise;
mod page;
mod paths;
mod phrase;
mod sections;
mod source;
mod strip;
mod templates;
mod words;

pub use explored::{Explored, ExploredReport};
pub use explorer::{ExplorerMark, explorer};
pub use page::render;
pub use strip::{StripFace, strip};

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use visavis_core::domain::{made_of::MadeOf, missing::MissingLabels};

/// What is on a page beside the outcome.
pub struct Extras<'a> {
    /// How many labels are missing in the files, and how that is spelled, by attribute.
    pub missing_labels: &'a BTreeMap<String, MissingLabels>,
    pub study_file: &'a Path,
    pub study_text: &'a str,
    /// What stands in the page's head.
    pub made_of: MadeOf,
    /// The page says that it can be rendered again from what it carries.
    pub carries_context: bool,
    /// It is rendered from what a page carries: objects that are not there are not carried either.
    pub of_page: bool,
    /// Data sets whose faces may be on the page: drawn ones, and those that whoever writes it may hand out.
    pub faces_of: &'a BTreeSet<String>,
    /// Tables to hand out with the page: what each is of, bytes.
    pub tables: Vec<(&'static str, Vec<u8>)>,
}

#[cfg(test)]
impl<'a> Extras<'a> {
    /// Of a study's text, for tests.
    pub(crate) fn of_text(
        missing_labels: &'a BTreeMap<String, MissingLabels>,
        study_file: &'a Path,
        study_text: &'a str,
    ) -> Self {
        let made_of = MadeOf::new([].into_iter(), study_text, &[]);
        static NONE: BTreeSet<String> = BTreeSet::new();
        let (carries_context, of_page, tables) = (true, false, vec![]);
        Extras { missing_labels, study_file, study_text, made_of, carries_context, of_page, faces_of: &NONE, tables }
    }
}
