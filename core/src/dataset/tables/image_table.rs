//! A table with a row an image, as it stands in its file: every word as it is spelled, kept as small numbers.

use super::{
    fit::{looks_like_a_picture, plain_id},
    layout::Layout,
    reader::{TableReader, TableRow},
};
use crate::{
    dataset::defects::{Defects, Note},
    domain::{
        Fault, Result,
        image::{Column, ImageIndex},
        text::{is_steering, printable, shorten},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

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

    /// Reads a comma table. `names`: the columns after that of the images, for a file without a header.
    ///
    /// # Errors
    /// A file that is no table, or a row that cannot be told to be right. What is wrong with a column is kept with it.
    pub(crate) fn read(path: &Path, layout: &Layout, names: &[&str]) -> Result<Self> {
        Self::of(TableReader::open(path, layout.separator, layout.skip)?, path, layout, names)
    }

    /// The same from bytes that somebody else watches.
    pub(crate) fn from_reader(from: Box<dyn Read>, path: &Path, layout: &Layout, names: &[&str]) -> Result<Self> {
        Self::of(TableReader::new(path, from, layout.separator, layout.skip)?, path, layout, names)
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

    pub(crate) fn of(mut reader: TableReader, path: &Path, layout: &Layout, names: &[&str]) -> Result<Self> {
        let mut unusable = BTreeMap::new();
        let (mut padded, mut blank, mut trailing, mut respelled) =
            (LinesSeen::default(), LinesSeen::default(), LinesSeen::default(), LinesSeen::default());
        let mut notes = layout.notes.clone();
        let mut defects = Defects::default();
        let mut columns: Vec<(usize, String)> = Vec::new();
        let mut header_read = layout.header.is_none();
        if header_read {
            let others = (0..layout.width).filter(|place| *place != layout.id);
            columns = others.zip(names.iter().map(|name| (*name).to_owned())).collect();
        }
        let mut builder = Builder::new(columns.iter().map(|(_, name)| name.clone()));
        while let Some(row) = reader.next()? {
            if row.is_empty() {
                blank.see(row.line);
                continue;
            }
            if !header_read {
                header_read = true;
                for (place, name) in row.fields().enumerate() {
                    if place == layout.id || Some(place) == layout.counts {
                        continue;
                    }
                    let Ok(name) = std::str::from_utf8(name).map(str::trim) else {
                        notes.push(
                            Note::new("unreadable-column", 1, "the name of a column is not UTF-8: it is left out")
                                .at(row.line, row.column(place)),
                        );
                        continue;
                    };
                    if name.is_empty() {
                        let word = if place + 1 == row.len() { "trailing-separator" } else { "unnamed-column" };
                        notes.push(Note::new(word, 1, "a column has no name: it is left out").at(row.line, row.column(place)));
                    } else if name.chars().any(is_steering) {
                        let what = format!("control characters in the name `{}`: the column is left out", row.shown(place));
                        notes.push(Note::new("unreadable-column", 1, &what).at(row.line, row.column(place)));
                    } else if columns.iter().any(|(_, known)| known == name) {
                        let fault = row
                            .wrong(place, format!("the attribute `{name}` is there twice"))
                            .next("rename one of the two columns");
                        unusable.entry(name.to_owned()).or_insert(fault);
                    } else {
                        columns.push((place, name.to_owned()));
                    }
                }
                builder = Builder::new(columns.iter().map(|(_, name)| name.clone()));
                continue;
            }
            if let Some(place) = (0..row.len()).find(|&place| holds_rows(&row, place, layout)) {
                let fault = || row.wrong(place, "a field in quotes holds what looks like further rows");
                defects.fatal("open-quote", || fault().next("close the quote, or double it: \"\""));
                continue;
            }
            let (few, many) = (row.len().min(layout.width), row.len().max(layout.width));
            if few != many {
                let named = columns.last().map_or(layout.id, |(place, _)| (*place).max(layout.id));
                let harmless = row.len() > named && (layout.width..row.len()).all(|place| row.field(place).is_empty());
                if !harmless {
                    let what = format!(
                        "{} fields where the {} has {}",
                        row.len(),
                        if layout.header.is_some() { "header" } else { "first line" },
                        layout.width
                    );
                    defects
                        .fatal("wrong-columns", || row.wrong(0, what).next("a field that holds a comma stands in double quotes"));
                    continue;
                }
                trailing.see(row.line);
            }
            let id = match row.name(layout.id) {
                Ok(id) => id,
                Err(fault) => {
                    defects.fatal("wrong-name", || fault);
                    continue;
                }
            };
            let plain = plain_id(id);
            if plain != id {
                respelled.see(row.line);
            }
            if row.is_padded(row.len() - 1) || row.is_padded(layout.id) {
                padded.see(row.line);
            }
            builder.image(&plain, row.line);
            for (column, (place, _)) in columns.iter().enumerate() {
                builder.value(column, row.field(*place), || (row.line, row.column(*place)));
            }
        }
        let (crlf, cr) = reader.other_line_ends();
        notes.extend(line_ends(crlf, cr));
        notes.extend(padded.note("blanks", "blanks around fields are left out"));
        notes.extend(blank.note("empty-rows", "rows with nothing in them are passed over"));
        notes.extend(trailing.note("trailing-separator", "fields without a name or a value are left out"));
        notes.extend(respelled.note("names-of-images", "`./` before a name is left out, `\\` is read as `/`"));
        let mut table = builder.done(path);
        for name in unusable.keys() {
            table.columns.retain(|column| column.name != *name);
        }
        table.unusable.extend(unusable);
        for (name, fault) in &table.unusable {
            let what = format!("the column `{}` is left out: {}", printable(name), fault.what);
            let at = fault.place.as_ref().and_then(|place| place.at);
            notes.push(Note { at, ..Note::new("unreadable-column", 1, &what) });
        }
        table.notes = notes;
        table.defects = defects;
        Ok(table)
    }
}

/// A quote that is never closed takes the rows behind it into its field: lines of as many fields, with such an image in its place.
fn holds_rows(row: &TableRow, place: usize, layout: &Layout) -> bool {
    let name = |field: &[u8]| looks_like_a_picture(&String::from_utf8_lossy(field.trim_ascii()));
    let is_picture = name(row.field(layout.id));
    let is_row = |line: &[u8]| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == layout.separator).collect();
        let id = fields.get(layout.id).map(|field| field.trim_ascii()).unwrap_or_default();
        fields.len() == layout.width && !id.is_empty() && !id.contains(&b' ') && name(id) == is_picture
    };
    row.field(place).split(|byte| *byte == b'\n').skip(1).any(is_row)
}

/// Notes of line ends that are not LF.
pub(crate) fn line_ends(crlf: usize, cr: usize) -> Vec<Note> {
    let mut notes = Vec::new();
    if crlf > 0 {
        notes.push(Note::new("crlf", crlf, "lines end in CR LF: they are read as if they ended in LF"));
    }
    if cr > 0 {
        notes.push(Note::new("cr", cr, "lines end in CR alone: they are read as if they ended in LF"));
    }
    notes
}

/// Lines that something was seen in.
#[derive(Default)]
struct LinesSeen {
    count: usize,
    first: usize,
}

impl LinesSeen {
    fn see(&mut self, line: usize) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }

    fn note(&self, word: &str, what: &str) -> Option<Note> {
        (self.count > 0).then(|| Note::new(word, self.count, what).at(self.first, 1))
    }
}

/// Makes a table row by row.
pub(crate) struct Builder {
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

impl Builder {
    pub(crate) fn new(columns: impl IntoIterator<Item = String>) -> Self {
        let column = |name| Growing { cells: Cells { name, ..Cells::default() }, ..Growing::default() };
        Builder { names: String::new(), ends: vec![], lines: vec![], columns: columns.into_iter().map(column).collect() }
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
        repeated.sort_by_key(|of| of.again);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn table(text: &[u8]) -> Result<ImageTable> {
        let path = Path::new("t.csv");
        let layout = Layout::found(path, &mut &text[..], None)?;
        let reader = TableReader::new(path, Box::new(Cursor::new(text.to_vec())), layout.separator, layout.skip)?;
        ImageTable::of(reader, path, &layout, &["value"])
    }

    fn column(table: &ImageTable, name: &str) -> String {
        let cells = table.columns.iter().find(|column| column.name == name).unwrap();
        table.labels(cells, |word| (!word.is_empty()).then(|| word.to_owned())).to_text()
    }

    fn words(table: &ImageTable) -> Vec<&str> {
        table.notes.iter().map(|note| note.word.as_str()).collect()
    }

    #[test]
    fn rows_in_any_order_make_the_same_columns() {
        let sorted = table(b"image_id,x,y\na,1,red\nb,0,\nc,1,\"red, dark\"\n").unwrap();
        let mixed = table(b"\"y\",image_id,x\r\n\"red, dark\",c,1\r\nred,a,1 \r\n,b,0\r\n").unwrap();
        for name in ["x", "y"] {
            assert_eq!(column(&sorted, name), column(&mixed, name));
        }
        assert_eq!(column(&sorted, "y"), "a\tred\nc\tred, dark\n");
        assert_eq!(sorted.notes, []);
        assert_eq!(words(&mixed), ["crlf", "blanks"]);
        assert_eq!(mixed.lines, [3, 4, 2]);
    }

    #[test]
    fn many_words_are_told_apart() {
        let rows: String = (0..500).map(|i| format!("{i:03},{}\n", i * 7 % 100)).collect();
        let table = table(format!("image_id,x\n{rows}").as_bytes()).unwrap();
        let expected: String = (0..500).map(|i| format!("{i:03}\t{}\n", i * 7 % 100)).collect();
        assert_eq!(column(&table, "x"), expected);
    }

    #[test]
    fn what_nobody_asks_for_stands_in_nobodys_way() {
        let text = b"image_id,x,note,note,,who,end\na,1,\"one\ntwo\",n,u,Zo\xeb,\"a\tb\"\nb,0,,,,,\n";
        let table = table(text).unwrap();
        assert_eq!(column(&table, "x"), "a\t1\nb\t0\n");
        let why = |name: &str| table.unusable[name].to_string();
        assert!(why("who").contains("not UTF-8") && why("who").contains("t.csv:2:"), "{}", why("who"));
        assert!(why("end").contains("control characters") && why("note").contains("there twice"));
        assert!(why("note").contains("t.csv:1:17"), "{}", why("note"));
        assert_eq!(words(&table).iter().filter(|word| **word == "unreadable-column").count(), 3);
        assert!(words(&table).contains(&"unnamed-column"));
    }

    #[test]
    fn rows_that_may_have_shifted_are_refused_and_those_that_cannot_are_read() {
        let place = |text: &[u8]| table(text).unwrap().first_fault().unwrap().place.unwrap().at;
        assert_eq!(place(b"image_id,x\na,1,2\n"), Some((2, 1)));
        assert_eq!(place(b"image_id,x,y\na,1,2\nb,1\n"), Some((3, 1)));
        assert_eq!(place(b"image_id,x\n,1\n"), Some((2, 1)));
        for text in [&b"image_id,x,\na,1,\nb,0,\n"[..], b"image_id,x\na,1,\nb,0,,\n", b"image_id,x,\na,1\nb,0\n\n,\n"] {
            let table = table(text).unwrap();
            assert_eq!(column(&table, "x"), "a\t1\nb\t0\n");
            assert!(words(&table).contains(&"trailing-separator"), "{:?}", table.notes);
        }
    }

    #[test]
    fn a_first_row_is_never_lost() {
        let table = table(b"b.jpg,2\na.jpg,1\n").unwrap();
        assert_eq!(column(&table, "value"), "a.jpg\t1\nb.jpg\t2\n");
        assert_eq!(words(&table), ["no-header"]);
    }

    #[test]
    fn an_image_that_is_there_twice_is_named_with_both_lines() {
        let table = table(b"image_id,x\nb,1\na,1\nb,0\n./a,1\n").unwrap();
        let again = |image: &str, first, again| Repeated { image: image.to_owned(), first, again, ..Repeated::default() };
        let differs = vec![("x".to_owned(), ["1", "0"].map(str::to_owned))];
        assert_eq!(table.repeated, [Repeated { differs, ..again("b", 2, 4) }, again("a", 3, 5)]);
    }
}
