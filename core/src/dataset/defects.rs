//! What is wrong with a data set, kind by kind, and what is only worth knowing.

use crate::domain::Fault;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is read rightly, and worth knowing.
    #[default]
    Note,
    /// Something is wrong; a study runs with what is left.
    Defect,
    /// No study can be run with it.
    Fatal,
}

/// Something worth knowing of a table that is read rightly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub word: String,
    pub count: usize,
    pub what: String,
    /// Line and column, from 1.
    pub at: Option<(usize, usize)>,
}

impl Note {
    pub fn new(word: &str, count: usize, what: &str) -> Self {
        Note { word: word.to_owned(), count, what: what.to_owned(), at: None }
    }

    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.at = Some((line, column));
        self
    }

    /// What is worth knowing, and where, on one line.
    pub fn told(&self, path: &Path) -> String {
        let at = self.at.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
        format!("{} ({}{at})", self.what, name_of(path))
    }

    pub fn in_file(&self, path: &Path) -> Fault {
        let fault = Fault::asked(&self.what);
        match self.at {
            Some((line, column)) => fault.at(path, line, column),
            None => fault.in_file(path),
        }
    }
}

/// The name of a file in notes: they reach pages that are handed out, and tell no folder of this machine.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// Findings by kind.
#[derive(Debug, Default)]
pub struct Defects(BTreeMap<String, DefectCount>);

#[derive(Debug, Default)]
struct DefectCount {
    count: usize,
    /// The first few, each with its place where it has one.
    examples: Vec<Fault>,
    severity: Severity,
}

/// One kind of finding, for people.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The kind, such as `wrong-row`.
    pub word: &'a str,
    /// How often it was found.
    pub count: usize,
    /// The first five at most, each with its place where it has one.
    pub examples: &'a [Fault],
    /// The gravest of them.
    pub severity: Severity,
}

const EXAMPLES: usize = 5;

impl Defects {
    fn add(&mut self, severity: Severity, word: &str, count: usize, example: impl FnOnce() -> Fault) {
        if !self.0.contains_key(word) {
            self.0.insert(word.to_owned(), DefectCount::default());
        }
        let Some(found) = self.0.get_mut(word) else { return };
        found.count += count;
        found.severity = found.severity.max(severity);
        if found.examples.len() < EXAMPLES {
            found.examples.push(example());
        }
    }

    /// One that no study can be run with; the example is only made where it is kept.
    pub fn fatal(&mut self, word: &str, example: impl FnOnce() -> Fault) {
        self.add(Severity::Fatal, word, 1, example);
    }

    /// So many that stop nothing.
    pub fn defect(&mut self, word: &str, count: usize, example: Fault) {
        self.add(Severity::Defect, word, count, || example);
    }

    /// So many that are read rightly.
    pub fn note(&mut self, word: &str, count: usize, example: Fault) {
        self.add(Severity::Note, word, count, || example);
    }

    /// All that was found elsewhere.
    pub fn join(&mut self, other: &Defects) {
        for (word, found) in &other.0 {
            let own = self.0.entry(word.clone()).or_default();
            own.count += found.count;
            own.severity = own.severity.max(found.severity);
            let room = EXAMPLES.saturating_sub(own.examples.len());
            own.examples.extend(found.examples.iter().take(room).cloned());
        }
    }

    /// Whether nothing was found, notes included.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The notes of a table.
    pub fn notes(&mut self, notes: &[Note], path: &Path) {
        notes.iter().for_each(|note| self.note(&note.word, note.count, note.in_file(path)));
    }

    /// Every kind of finding, in the order of their words.
    pub fn all(&self) -> impl Iterator<Item = Finding<'_>> {
        self.0.iter().map(|(word, found)| Finding {
            word,
            count: found.count,
            examples: &found.examples,
            severity: found.severity,
        })
    }

    /// The first that a study cannot be run with, and how many more there are like it.
    pub fn first_fatal(&self) -> Option<Fault> {
        let (_, found) = self.0.iter().find(|(_, found)| found.severity == Severity::Fatal)?;
        let first = found.examples.first()?.clone();
        let more = found.count - 1;
        let next = match (more, &first.next) {
            (0, Some(next)) => next.clone(),
            (0, None) => "`visavis data check` lists what is wrong with a data set".to_owned(),
            _ => format!("{more} more are like it: `visavis data check` lists them"),
        };
        Some(first.next(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_as_grave_as_its_gravest() {
        let mut defects = Defects::default();
        defects.note("crlf", 3, Fault::asked("lines"));
        assert!(defects.first_fatal().is_none());
        defects.defect("crlf", 1, Fault::asked("others"));
        for n in 0..9 {
            defects.fatal("value", || Fault::asked(format!("{n}")));
        }
        let found: Vec<_> = defects.all().map(|found| (found.word, found.count, found.severity, found.examples.len())).collect();
        assert_eq!(found, [("crlf", 4, Severity::Defect, 2), ("value", 9, Severity::Fatal, 5)]);
        let first = defects.first_fatal().unwrap();
        assert_eq!((first.what.as_str(), first.next.unwrap().contains("8 more")), ("0", true));
    }
}
