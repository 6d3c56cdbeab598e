//! What is pointed at so far, and the command line that it amounts to.

use crate::tui::overlays::form::state::FormField;
use std::path::PathBuf;

/// A field, its option of `visavis init`, and what is said while it is empty.
const FIELDS: [(&str, &str, &str); 7] = [
    ("name", "--study", "what to call the study"),
    ("faces", "--faces", "pictures to compare models on: a folder; or only a table of labels"),
    ("labels", "--labels", "a table of labels (CSV), if the data set brings none; optional"),
    ("identities", "--identities", "the table's column that says who is on each picture; optional"),
    ("learn from", "--learn", "pictures that networks learn from: a folder a person; optional"),
    ("features", "--features", "an array made elsewhere, .npy or .safetensors; optional"),
    ("weights", "--weights", "the weights of a network; optional"),
];
const NAME: usize = 0;
const FACES: usize = 1;
const WHO: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pointing {
    pub fields: Vec<FormField>,
    pub cursor: usize,
    /// What is wrong, or what is being done.
    pub told: String,
}

impl Pointing {
    /// `studies`: those that are there, whose names are taken.
    pub(crate) fn new(studies: &[PathBuf]) -> Self {
        let field = |(name, _, hint): &(&'static str, &str, &'static str)| FormField {
            name,
            hint,
            value: String::new(),
            options: vec![],
        };
        let mut fields: Vec<FormField> = FIELDS.iter().map(field).collect();
        let is_taken = |name: &String| studies.iter().any(|study| study.file_stem().is_some_and(|stem| *stem == **name));
        let names = std::iter::once("first".to_owned()).chain((2..).map(|number| format!("study-{number}")));
        fields[NAME].value = names.into_iter().find(|name| !is_taken(name)).unwrap_or_default();
        Pointing { fields, cursor: FACES, told: String::new() }
    }

    /// Does the field name a file or folder?
    pub(super) fn is_path(&self) -> bool {
        ![NAME, WHO].contains(&self.cursor)
    }

    /// Takes what paths there are, if the text is still the one that was asked for.
    pub(crate) fn take(&mut self, typed: &str, paths: Vec<String>) {
        let field = &mut self.fields[self.cursor];
        if field.value == typed {
            field.options = paths;
        }
    }

    /// Can the field be completed further?
    pub(super) fn has_more(&self) -> bool {
        let field = &self.fields[self.cursor];
        field.options.iter().any(|option| *option != field.value)
    }

    /// A path that is not begun begins in the folder above, where what a new workspace is about mostly lies.
    pub(super) fn begin(&mut self) {
        self.fields[self.cursor].value = "../".to_owned();
        self.fields[self.cursor].options.clear();
    }

    /// As far as all paths agree that begin so.
    pub(super) fn complete(&mut self) {
        let field = &mut self.fields[self.cursor];
        let Some(first) = field.options.first() else { return };
        let agree = |other: &String| {
            first.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b).map(|((at, a), _)| at + a.len_utf8()).last()
        };
        let common = field.options.iter().map(|other| agree(other).unwrap_or(0)).min().unwrap_or(0);
        field.value = first[..common].to_owned();
        field.options.clear();
    }

    /// The command line, and the study file that it writes. `root`: the workspace, as a path's beginning.
    ///
    /// # Errors
    /// What is missing.
    pub(super) fn command(&self, root: &str) -> Result<(Vec<String>, PathBuf), &'static str> {
        let value = |place: usize| self.fields[place].value.trim();
        if value(FACES).is_empty() {
            return Err("faces is empty: point at a folder of pictures, or at a table of labels");
        }
        let name = if value(NAME).is_empty() { "first" } else { value(NAME) };
        let folder = if root.is_empty() { "." } else { root.trim_end_matches('/') };
        let mut words = vec!["init".to_owned(), folder.to_owned(), format!("--study={name}")];
        for (place, (_, option, _)) in FIELDS.iter().enumerate().skip(FACES).filter(|(place, _)| !value(*place).is_empty()) {
            // A value that begins with a dash is no option.
            words.push(format!("{option}={}", value(place)));
        }
        Ok((words, PathBuf::from(format!("{root}experiments/{name}.yaml"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_not_offered() {
        let studies = ["experiments/first.yaml", "experiments/study-2.yaml"].map(PathBuf::from);
        assert_eq!(Pointing::new(&studies).fields[NAME].value, "study-3");
    }
}
