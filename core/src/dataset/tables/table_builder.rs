//! Makes a table row by row: each word of a column is kept once, rows as small numbers.

use super::image_table::{Cells, ImageTable, Repeated};
use crate::domain::{
    Fault,
    image::ImageIndex,
    text::{is_steering, printable, shorten},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

/// A table as far as it is read.
pub(crate) struct TableBuilder {
    /// The names so far, one after the other, and where each ends.
    names: String,
    ends: Vec<usize>,
    lines: Vec<u32>,
    columns: Vec<Growing>,
}

#[derive(Default)]
struct Growing {
    cells: Cells,
    known: HashMap<Vec<u8>, u32>,
    last: u32,
    spelled: Vec<Vec<u8>>,
    /// Why the column cannot be used, and where that was first seen.
    spoiled: Option<(String, usize, usize)>,
}

/// Words up to here are looked for one by one.
const FEW: usize = 8;

impl Growing {
    fn code(&mut self, raw: &[u8], at: impl FnOnce() -> (usize, usize)) -> u32 {
        if self.spelled.get(self.last as usize).is_some_and(|last| last == raw) {
            return self.last;
        }
        let found = if self.spelled.len() <= FEW {
            self.spelled.iter().position(|word| word == raw).map(|place| place as u32)
        } else {
            self.known.get(raw).copied()
        };
        self.last = found.unwrap_or_else(|| self.learn(raw, at));
        self.last
    }

    fn learn(&mut self, raw: &[u8], at: impl FnOnce() -> (usize, usize)) -> u32 {
        let code = self.spelled.len() as u32;
        let word = match std::str::from_utf8(raw) {
            Ok(word) => word.trim().to_owned(),
            Err(_) => String::from_utf8_lossy(raw).into_owned(),
        };
        let why = if std::str::from_utf8(raw).is_err() {
            Some(format!("`{}` is not UTF-8 text", shorten(&printable(&word), 60)))
        } else if word.chars().any(is_steering) {
            Some(format!("control characters in `{}`", shorten(&printable(&word), 60)))
        } else {
            None
        };
        if let (Some(why), None) = (why, &self.spoiled) {
            let (line, column) = at();
            self.spoiled = Some((why, line, column));
        }
        if self.spoiled.is_some() {
            // Nothing of it is used.
            return 0;
        }
        self.spelled.push(raw.to_vec());
        self.cells.words.push(word);
        if self.spelled.len() == FEW + 1 {
            self.known = self.spelled.iter().enumerate().map(|(place, word)| (word.clone(), place as u32)).collect();
        } else if self.spelled.len() > FEW {
            self.known.insert(raw.to_vec(), code);
        }
        code
    }
}

impl TableBuilder {
    pub(crate) fn new(columns: impl IntoIterator<Item = String>) -> Self {
        let column = |name| Growing { cells: Cells { name, ..Cells::default() }, ..Growing::default() };
        TableBuilder { names: String::new(), ends: vec![], lines: vec![], columns: columns.into_iter().map(column).collect() }
    }

    /// Begins a row.
    pub(crate) fn image(&mut self, id: &str, line: usize) {
        self.names.push_str(id);
        self.ends.push(self.names.len());
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// The field of a column in the row that was begun last.
    pub(crate) fn value(&mut self, column: usize, raw: &[u8], at: impl FnOnce() -> (usize, usize)) {
        let column = &mut self.columns[column];
        if column.spoiled.is_none() {
            let code = column.code(raw, at);
            column.cells.codes.push(code);
        }
    }

    /// Two rows of one image.
    fn repeated(&self, image: &str, first: usize, again: usize) -> Repeated {
        let differ = |column: &Growing| {
            let words = [first, again].map(|row| &column.cells.words[column.cells.codes[row] as usize]);
            (words[0] != words[1]).then(|| (column.cells.name.clone(), words.map(Clone::clone)))
        };
        Repeated {
            image: image.to_owned(),
            first: self.lines[first] as usize,
            again: self.lines[again] as usize,
            differs: self.columns.iter().filter(|column| column.spoiled.is_none()).filter_map(differ).collect(),
        }
    }

    /// The table, its images sorted. Of an image that is there twice the first row counts.
    pub(crate) fn done(self, path: &Path) -> ImageTable {
        let name = |row: usize| &self.names[row.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[row]];
        let mut repeated = Vec::new();
        let ascending = (1..self.ends.len()).all(|row| name(row - 1) < name(row));
        let order: Option<Vec<usize>> = (!ascending).then(|| {
            let mut order: Vec<usize> = (0..self.ends.len()).collect();
            order.sort_by(|&one, &other| name(one).cmp(name(other)));
            order.dedup_by(|again, first| {
                let same = name(*again) == name(*first);
                if same {
                    repeated.push(self.repeated(name(*first), *first, *again));
                }
                same
            });
            order
        });
        repeated.sort_by_key(|image| image.again);
        let images = match &order {
            None => ImageIndex::from_sorted((0..self.ends.len()).map(name)),
            Some(order) => ImageIndex::from_sorted(order.iter().map(|&row| name(row))),
        };
        let (mut columns, mut unusable) = (Vec::new(), BTreeMap::new());
        for Growing { mut cells, spoiled, .. } in self.columns {
            if let Some((why, line, column)) = spoiled {
                let next = "remove them: ids, names and values are one visible line of UTF-8 each";
                unusable.insert(cells.name, Fault::asked(why).at(path, line, column).next(next));
                continue;
            }
            if let Some(order) = &order {
                cells.codes = order.iter().map(|&row| cells.codes[row]).collect();
            }
            columns.push(cells);
        }
        let lines = match &order {
            None => self.lines,
            Some(order) => order.iter().map(|&row| self.lines[row]).collect(),
        };
        ImageTable {
            images: Arc::new(images.unwrap_or_default()),
            columns,
            unusable,
            repeated,
            lines,
            source: Some(path.to_owned()),
            ..ImageTable::default()
        }
    }
}
