//! Study files: `experiments/*.yaml` → as written, with positions → checked → [`Study`].
//!
//! Reads the one file it is given and nothing else: whether data are there is for `study` to say.

mod amend;
mod comparisons;
mod factors;
mod levels;
mod prepared;
mod reader;
mod sections;
mod text;
mod written;

pub use amend::{Change, amend};
pub use levels::{FACTORS, Levels};
pub use text::{PathStep, Text};

use std::path::Path;
use visavis_core::domain::{Result, study::Study};

/// A study with the text it was read from.
pub struct StudyFile {
    pub study: Study,
    pub text: Text,
    /// Combinations of the matrix that `exclude` left out.
    pub excluded: usize,
}

/// Reads and checks a study file.
///
/// # Errors
/// One fault for the first mistake: what, where (file, line, column), what was expected.
pub fn read(path: &Path) -> Result<StudyFile> {
    parse(Text::read(path)?)
}

/// The name that a text gives its study; `None` where it is no study file.
pub fn name_of(text: &Text) -> Option<String> {
    Some(text.parse().ok()?.get("study")?.letters()?.to_owned())
}

/// Checks a study file's text; paths in it are relative to the text's own folder.
///
/// # Errors
/// As [`read`].
pub fn parse(text: Text) -> Result<StudyFile> {
    let value = text.parse()?;
    let (study, excluded) = sections::study(&reader::StudyNode::root(&text, &value))?;
    Ok(StudyFile { study, text, excluded })
}
