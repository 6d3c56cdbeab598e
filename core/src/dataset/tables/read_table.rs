//! From the rows of a comma table to a table with a row an image.

use super::{
    fit::{looks_like_a_picture, plain_id},
    image_table::ImageTable,
    layout::TableLayout,
    reader::{TableReader, TableRow},
    table_builder::TableBuilder,
};
use crate::{
    dataset::defects::{Defects, Note},
    domain::{
        Fault, Result,
        text::{is_steering, printable},
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
    path::Path,
};

impl ImageTable {
    /// Reads a comma table. `names`: the columns after that of the images, for a file without a header.
    ///
    /// # Errors
    /// A file that is no table, or a row that cannot be told to be right. What is wrong with a column is kept with it.
    pub(crate) fn read(path: &Path, layout: &TableLayout, names: &[&str]) -> Result<Self> {
        Self::of(TableReader::open(path, layout.separator, layout.skip)?, path, layout, names)
    }

    /// The same from bytes that somebody else watches.
    pub(crate) fn from_reader(from: Box<dyn Read>, path: &Path, layout: &TableLayout, names: &[&str]) -> Result<Self> {
        Self::of(TableReader::new(path, from, layout.separator, layout.skip)?, path, layout, names)
    }

    pub(crate) fn of(mut reader: TableReader, path: &Path, layout: &TableLayout, names: &[&str]) -> Result<Self> {
        let mut reading = TableReading::new(layout, names);
        let mut header_read = layout.header.is_none();
        while let Some(row) = reader.next()? {
            if row.is_empty() {
                reading.blank.see(row.line);
            } else if header_read {
                reading.row(&row);
            } else {
                reading.header(&row);
                header_read = true;
            }
        }
        Ok(reading.done(path, reader.other_line_ends()))
    }
}

/// A table on the way from its rows to its columns: what was read, and what was seen.
struct TableReading<'a> {
    layout: &'a TableLayout,
    /// Columns that are read: the field, and the name.
    columns: Vec<(usize, String)>,
    builder: TableBuilder,
    unusable: BTreeMap<String, Fault>,
    notes: Vec<Note>,
    defects: Defects,
    padded: LinesSeen,
    blank: LinesSeen,
    trailing: LinesSeen,
    respelled: LinesSeen,
}

impl<'a> TableReading<'a> {
    /// `names`: the columns of a file without a header.
    fn new(layout: &'a TableLayout, names: &[&str]) -> Self {
        let mut columns: Vec<(usize, String)> = Vec::new();
        if layout.header.is_none() {
            let others = (0..layout.width).filter(|place| *place != layout.id);
            columns = others.zip(names.iter().map(|name| (*name).to_owned())).collect();
        }
        TableReading {
            layout,
            builder: TableBuilder::new(columns.iter().map(|(_, name)| name.clone())),
            columns,
            unusable: BTreeMap::new(),
            notes: layout.notes.clone(),
            defects: Defects::default(),
            padded: LinesSeen::default(),
            blank: LinesSeen::default(),
            trailing: LinesSeen::default(),
            respelled: LinesSeen::default(),
        }
    }

    /// The names of the columns; one that cannot be used is noted.
    fn header(&mut self, row: &TableRow) {
        let mut seen = HashSet::new();
        for (place, name) in row.fields().enumerate() {
            if place == self.layout.id || Some(place) == self.layout.counts {
                continue;
            }
            let mut note = |word: &str, what: &str| self.notes.push(Note::new(word, 1, what).at(row.line, row.column(place)));
            let Ok(name) = std::str::from_utf8(name).map(str::trim) else {
                note("unreadable-column", "the name of a column is not UTF-8: it is left out");
                continue;
            };
            if name.is_empty() {
                let word = if place + 1 == row.len() { "trailing-separator" } else { "unnamed-column" };
                note(word, "a column has no name: it is left out");
            } else if name.chars().any(is_steering) {
                let what = format!("control characters in the name `{}`: the column is left out", row.shown(place));
                note("unreadable-column", &what);
            } else if !seen.insert(name.to_owned()) {
                let fault =
                    row.wrong(place, format!("the attribute `{name}` is there twice")).next("rename one of the two columns");
                self.unusable.entry(name.to_owned()).or_insert(fault);
            } else {
                self.columns.push((place, name.to_owned()));
            }
        }
        self.builder = TableBuilder::new(self.columns.iter().map(|(_, name)| name.clone()));
    }

    /// The words of one image; a row that is wrong is left out as a defect.
    fn row(&mut self, row: &TableRow) {
        let layout = self.layout;
        if let Some(place) = (0..row.len()).find(|&place| holds_rows(row, place, layout)) {
            let fault = || row.wrong(place, "a field in quotes holds what looks like further rows");
            self.defects.fatal("open-quote", || fault().next("close the quote, or double it: \"\""));
            return;
        }
        if !self.fits(row) {
            return;
        }
        let id = match row.name(layout.id) {
            Ok(id) => id,
            Err(fault) => return self.defects.fatal("wrong-name", || fault),
        };
        let plain = plain_id(id);
        if plain != id {
            self.respelled.see(row.line);
        }
        if row.is_padded(row.len() - 1) || row.is_padded(layout.id) {
            self.padded.see(row.line);
        }
        self.builder.image(&plain, row.line);
        for (column, (place, _)) in self.columns.iter().enumerate() {
            self.builder.value(column, row.field(*place), || (row.line, row.column(*place)));
        }
    }

    /// Has the row as many fields as the layout, or more or fewer that hold nothing?
    fn fits(&mut self, row: &TableRow) -> bool {
        let layout = self.layout;
        if row.len() == layout.width {
            return true;
        }
        let named = self.columns.last().map_or(layout.id, |(place, _)| (*place).max(layout.id));
        let is_harmless = row.len() > named && (layout.width..row.len()).all(|place| row.field(place).is_empty());
        if is_harmless {
            self.trailing.see(row.line);
        } else {
            let first = if layout.header.is_some() { "header" } else { "first line" };
            let what = format!("{} fields where the {first} has {}", row.len(), layout.width);
            let next = "a field that holds a comma stands in double quotes";
            self.defects.fatal("wrong-columns", || row.wrong(0, what).next(next));
        }
        is_harmless
    }

    /// The table; `crlf` and `cr`: how many lines end so.
    fn done(self, path: &Path, (crlf, cr): (usize, usize)) -> ImageTable {
        let mut notes = self.notes;
        notes.extend(line_ends(crlf, cr));
        notes.extend(self.padded.note("blanks", "blanks around fields are left out"));
        notes.extend(self.blank.note("empty-rows", "rows with nothing in them are passed over"));
        notes.extend(self.trailing.note("trailing-separator", "fields without a name or a value are left out"));
        notes.extend(self.respelled.note("names-of-images", "`./` before a name is left out, `\\` is read as `/`"));
        let mut table = self.builder.done(path);
        table.columns.retain(|column| !self.unusable.contains_key(&column.name));
        table.unusable.extend(self.unusable);
        for (name, fault) in &table.unusable {
            let what = format!("the column `{}` is left out: {}", printable(name), fault.what);
            let at = fault.place.as_ref().and_then(|place| place.at);
            notes.push(Note { at, ..Note::new("unreadable-column", 1, &what) });
        }
        table.notes = notes;
        table.defects = self.defects;
        table
    }
}

/// A quote that is never closed takes the rows behind it into its field: lines of as many fields, with such an image in its place.
fn holds_rows(row: &TableRow, place: usize, layout: &TableLayout) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::tables::Repeated;
    use std::io::Cursor;

    fn table(text: &[u8]) -> Result<ImageTable> {
        let path = Path::new("t.csv");
        let layout = TableLayout::found(path, &mut &text[..], None)?;
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
