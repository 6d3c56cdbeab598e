//! A table with a row an image, as it stands in its file: every word as it is spelled, kept as small numbers.

use crate::{
    dataset::defects::{Defects, Note},
    domain::{
        Fault,
        image::{Column, ImageIndex},
    },
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

#[derive(Debug, Default)]
pub(crate) struct ImageTable {
    pub images: Arc<ImageIndex>,
    pub columns: Vec<Cells>,
    /// Columns that cannot be used, by name, and why: no fault while nobody asks for them.
    pub unusable: BTreeMap<String, Fault>,
    /// Images that are there twice.
    pub repeated: Vec<Repeated>,
    /// The line of each image; empty where the table comes from the cache.
    pub lines: Vec<u32>,
    pub notes: Vec<Note>,
    /// The file it was read from, unless it comes from the cache.
    pub source: Option<PathBuf>,
    /// Rows that are wrong, and left out.
    pub defects: Defects,
}

/// An image that has two rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeated {
    pub image: String,
    /// The line of its first row, and of this one.
    pub first: usize,
    pub again: usize,
    /// Columns in which the rows differ, with the word of each.
    pub differs: Vec<(String, [String; 2])>,
}

/// One column: for each image the place of its word.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cells {
    pub name: String,
    pub words: Vec<String>,
    pub codes: Vec<u32>,
}

impl Cells {
    /// How many images have each word.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.words.len()];
        self.codes.iter().for_each(|&code| counts[code as usize] += 1);
        counts
    }
}

impl ImageTable {
    /// The labels of a column, each word as `value` reads it; `None` is a missing label.
    pub(crate) fn labels(&self, cells: &Cells, value: impl Fn(&str) -> Option<String>) -> Column {
        let values: Vec<Option<String>> = cells.words.iter().map(|word| value(word)).collect();
        let words: Vec<&str> = values.iter().map(|value| value.as_deref().unwrap_or_default()).collect();
        let codes = cells.codes.iter().map(|&code| values[code as usize].is_some().then_some(code as usize));
        Column::coded(self.images.clone(), &words, codes)
    }

    /// What is wrong in the first line that is wrong.
    pub(crate) fn first_fault(&self) -> Option<Fault> {
        let line = |fault: &Fault| fault.place.as_ref().and_then(|place| place.at).map_or(usize::MAX, |(line, _)| line);
        let row = self.defects.all().filter_map(|found| found.examples.first().cloned()).min_by_key(line);
        let again = self.repeated.first().map(|Repeated { image, first, again, .. }| {
            let what = format!("the image `{image}` is labelled twice: first in line {first}");
            let fault = Fault::asked(what).next("keep one of the two rows");
            match self.source.as_deref() {
                Some(path) => fault.at(path, *again, 1),
                None => fault,
            }
        });
        row.into_iter().chain(again).min_by_key(line)
    }
}
