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

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
};
use visavis_core::domain::{Result, study::Study};

/// A study with the text it was read from.
pub struct StudyFile {
    pub study: Study,
    pub text: Text,
    /// Combinations of the matrix that `exclude` left out.
    pub excluded: usize,
    /// Variables of the environment whose values are part of the study: in paths, where a file may name them.
    pub variables: BTreeSet<String>,
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

/// What a text says that its study is about, as people read it; `None` where it says nothing, or is no study file.
pub fn about_of(text: &Text) -> Option<String> {
    text.parse().ok()?.get("about")?.letters().map(sections::shown)
}

/// Every text of a study file that may be a name: keys in their letters, and values that are texts and hold a letter; none of what
/// is no study file.
pub(crate) fn names_in(text: &Text) -> HashSet<String> {
    let Ok(value) = text.parse() else { return HashSet::new() };
    let mut names = HashSet::new();
    value.add_names(&mut names);
    names.into_iter().map(str::to_owned).collect()
}

/// Checks a study file's text; paths in it are relative to the text's own folder.
///
/// # Errors
/// As [`read`].
pub fn parse(text: Text) -> Result<StudyFile> {
    let value = text.parse()?;
    let root = reader::StudyNode::root(&text, &value);
    let (study, excluded) = sections::study(&root)?;
    let variables = root.variables();
    Ok(StudyFile { study, text, excluded, variables })
}
