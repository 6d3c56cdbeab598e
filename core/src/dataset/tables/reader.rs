//! Rows of a comma table, one at a time: quoted fields and line breaks in them, commas, semicolons or tabs. A file is never
//! held in memory.

use super::lines::{AllLines, Meter, SAMPLE, lines, too_long};
use crate::domain::{
    Fault, Result,
    text::{is_steering, printable, shorten},
};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

pub(crate) struct TableReader {
    path: PathBuf,
    rows: csv::Reader<AllLines>,
    meter: Rc<Meter>,
    record: csv::ByteRecord,
    /// Lines before the first row.
    skipped: usize,
}

/// A row: where it begins, and its fields without the blanks around them.
pub(crate) struct TableRow<'a> {
    pub line: usize,
    path: &'a Path,
    record: &'a csv::ByteRecord,
}

impl TableReader {
    /// Opens a table to be read from its beginning, with the separator that was found, less the bytes at its start that are
    /// no row.
    pub(crate) fn open(path: &Path, separator: u8, skip: usize) -> Result<Self> {
        let file = crate::files::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
        Self::new(path, Box::new(file), separator, skip)
    }

    pub(crate) fn new(path: &Path, from: Box<dyn Read>, separator: u8, skip: usize) -> Result<Self> {
        let (lines, meter) = lines(path, from, skip)?;
        let mut rows = csv::ReaderBuilder::new();
        let rows = rows.has_headers(false).flexible(true).delimiter(separator).buffer_capacity(SAMPLE).from_reader(lines);
        Ok(TableReader { path: path.to_owned(), rows, meter, record: csv::ByteRecord::new(), skipped: usize::from(skip > 0) })
    }

    /// The next row with anything in it; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<TableRow<'_>>> {
        self.meter.row.set(0);
        let before = self.rows.position().line() as usize + self.skipped;
        match self.rows.read_byte_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                // Every row ends with its line, so what ends here began as many lines before as it holds.
                let within = memchr::memchr_iter(b'\n', self.record.as_slice()).count();
                let line = (self.rows.position().line() as usize).saturating_sub(1 + within).max(1) + self.skipped;
                Ok(Some(TableRow { line, path: &self.path, record: &self.record }))
            }
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => Err(too_long(&self.path, before)),
                csv::ErrorKind::Io(error) => Err(Fault::io("read the table", &self.path, &error)),
                _ => Err(Fault::asked("this row cannot be read").at(&self.path, before, 1)),
            },
        }
    }

    /// Lines so far that end in CR LF, and in CR alone.
    pub(crate) fn other_line_ends(&self) -> (usize, usize) {
        (self.meter.crlf.get(), self.meter.cr.get())
    }
}

impl<'a> TableRow<'a> {
    pub(crate) fn len(&self) -> usize {
        self.record.len()
    }

    /// A field without the blanks around it; empty where the row has no such field.
    pub(crate) fn field(&self, place: usize) -> &'a [u8] {
        self.record.get(place).unwrap_or_default().trim_ascii()
    }

    /// Does the field have blanks around it?
    pub(crate) fn is_padded(&self, place: usize) -> bool {
        self.record.get(place).is_some_and(|field| field.len() != field.trim_ascii().len())
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a [u8]> {
        self.record.iter().map(<[u8]>::trim_ascii)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields().all(<[u8]>::is_empty)
    }

    /// The line after its last.
    pub(crate) fn end(&self) -> usize {
        self.line + 1 + memchr::memchr_iter(b'\n', self.record.as_slice()).count()
    }

    /// The name of the row's image.
    ///
    /// # Errors
    /// A field that is empty, no UTF-8 text, or holds control characters.
    pub(crate) fn name(&self, place: usize) -> Result<&'a str> {
        let id = std::str::from_utf8(self.field(place)).map_err(|_| self.wrong(place, "the image's name is not UTF-8 text"))?;
        if id.is_empty() {
            return Err(self.wrong(place, "a row without an image id"));
        }
        if id.chars().any(is_steering) {
            let what = format!("control characters in `{}`", self.shown(place));
            return Err(self.wrong(place, what).next("remove them: ids are one visible line each"));
        }
        Ok(id)
    }

    /// What is wrong with a field, and where it begins.
    pub(crate) fn wrong(&self, place: usize, what: impl Into<String>) -> Fault {
        Fault::asked(what).at(self.path, self.line, self.column(place))
    }

    /// The column in which a field begins, from 1, where no field before it is quoted.
    pub(crate) fn column(&self, place: usize) -> usize {
        let before = self.record.iter().take(place);
        1 + before.map(|field| String::from_utf8_lossy(field).chars().count() + 1).sum::<usize>()
    }

    /// A field for people.
    pub(crate) fn shown(&self, place: usize) -> String {
        shorten(&printable(&String::from_utf8_lossy(self.field(place))), 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::tables::{lines::LONGEST_ROW, separator::separator};

    fn rows(bytes: &[u8]) -> Vec<(usize, Vec<String>)> {
        let at = separator(bytes, true);
        let mut reader = TableReader::new(Path::new("t.csv"), Box::new(io::Cursor::new(bytes.to_vec())), at, 0).unwrap();
        let mut all = Vec::new();
        while let Some(row) = reader.next().unwrap() {
            all.push((row.line, row.fields().map(|field| String::from_utf8_lossy(field).into_owned()).collect()));
        }
        all
    }

    fn refusal(bytes: Vec<u8>) -> Fault {
        let opened = TableReader::new(Path::new("t.csv"), Box::new(io::Cursor::new(bytes)), b',', 0);
        opened
            .and_then(|mut reader| {
                while reader.next()?.is_some() {}
                Ok(())
            })
            .unwrap_err()
    }

    #[test]
    fn rows_know_their_line_whatever_ends_it() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a,b{end}1,\"two{end}lines\"{end}{end}3,4{end}\"5\",\" 6 \"");
            let lines: Vec<usize> = rows(text.as_bytes()).iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [1, 2, 5, 6], "{end:?}");
        }
        assert_eq!(rows(b"a,b\r\n1,2")[1], (2, vec!["1".to_owned(), "2".to_owned()]));
    }

    #[test]
    fn what_is_no_text_is_said_as_what_it_is() {
        let utf16: Vec<u8> = "id,x\na,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(refusal([vec![0xff, 0xfe], utf16.clone()].concat()).what.contains("UTF-16 text (little-endian)"));
        assert!(refusal(utf16).what.contains("UTF-16"), "without a mark too");
        let utf32: Vec<u8> = "\u{feff}id,x\na,1\n".chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
        assert!(refusal(utf32).what.contains("UTF-32"));
        assert!(refusal(b"PK\x03\x04rest".to_vec()).what.contains("spreadsheet"));
        assert!(refusal(b"a,b\n\x00\x01\x02".to_vec()).what.contains("zero bytes"));
    }

    /// As much as asked for, of one line.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            into.fill(b'x');
            self.0 += into.len();
            assert!(self.0 < 8 * LONGEST_ROW, "the reading goes on");
            Ok(into.len())
        }
    }

    #[test]
    fn a_line_without_end_is_not_read_to_its_end() {
        let opened = TableReader::new(Path::new("t.csv"), Box::new(Endless(0)), b',', 0);
        assert!(opened.err().unwrap().what.contains("longer than 1 MB"));
        // A quote that is never closed, behind rows that are well.
        let head = io::Cursor::new([b"id,x\n".repeat(40_000), b"a,\"".to_vec()].concat());
        let mut reader = TableReader::new(Path::new("t.csv"), Box::new(head.chain(Endless(0))), b',', 0).unwrap();
        let fault = loop {
            match reader.next() {
                Ok(row) => assert!(row.is_some()),
                Err(fault) => break fault,
            }
        };
        assert_eq!(fault.place.unwrap().at, Some((40_001, 1)));
    }
}
