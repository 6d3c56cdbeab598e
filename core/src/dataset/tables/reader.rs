//! Rows of a comma table, one at a time: quoted fields and line breaks in them, commas, semicolons or tabs, line ends of any
//! kind. A file is never held in memory, and a row that is longer than any table's ends the reading.

use crate::domain::{
    Fault, Result,
    text::{is_steering, printable, shorten},
};
use memchr::memchr;
use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Longer than the row of any table; a row is held in memory.
pub(super) const LONGEST_ROW: usize = 1 << 20;
/// Bytes that are looked at to find out how a file is written.
const SAMPLE: usize = 1 << 16;

/// What is counted while a file is read.
#[derive(Default)]
struct Meter {
    /// Bytes since the last row began.
    row: Cell<usize>,
    /// Line ends that are CR LF, and those that are CR alone.
    crlf: Cell<usize>,
    cr: Cell<usize>,
}

/// The bytes of a file with every line end as LF, the last one too.
struct Lines<R> {
    sample: io::Cursor<Vec<u8>>,
    rest: R,
    meter: Rc<Meter>,
    after_cr: bool,
    last: u8,
    ended: bool,
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut n = self.sample.read(into)?;
            if n == 0 {
                n = self.rest.read(into)?;
            }
            if n == 0 {
                if self.ended || self.last == b'\n' || into.is_empty() {
                    return Ok(0);
                }
                self.ended = true;
                into[0] = b'\n';
                return Ok(1);
            }
            n = self.mend(&mut into[..n]);
            let row = self.meter.row.get() + n;
            self.meter.row.set(row);
            // Bytes are read ahead of rows, a buffer at most.
            if row > LONGEST_ROW + SAMPLE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a row without end"));
            }
            if n > 0 {
                self.last = into[n - 1];
                return Ok(n);
            }
        }
    }
}

impl<R> Lines<R> {
    /// Makes LF of every line end; how many bytes are left.
    fn mend(&mut self, bytes: &mut [u8]) -> usize {
        if !self.after_cr && memchr(b'\r', bytes).is_none() {
            return bytes.len();
        }
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if std::mem::take(&mut self.after_cr) {
                if byte == b'\n' {
                    self.meter.crlf.set(self.meter.crlf.get() + 1);
                    continue;
                }
                self.meter.cr.set(self.meter.cr.get() + 1);
            }
            self.after_cr = byte == b'\r';
            bytes[kept] = if self.after_cr { b'\n' } else { byte };
            kept += 1;
        }
        kept
    }
}

/// How a file begins, after a byte order mark.
pub(super) struct Beginning {
    pub sample: Vec<u8>,
    /// Is that the whole file?
    pub whole: bool,
    pub mark: bool,
}

impl Beginning {
    /// # Errors
    /// A file that is no text table, said as what it is.
    pub(super) fn of(path: &Path, from: &mut impl Read) -> Result<Self> {
        let mut sample = Vec::new();
        let mut whole = false;
        // The first row must be whole.
        while !whole && (sample.len() < SAMPLE || !sample.iter().any(|byte| matches!(byte, b'\n' | b'\r'))) {
            let before = sample.len();
            from.by_ref()
                .take(SAMPLE as u64)
                .read_to_end(&mut sample)
                .map_err(|error| Fault::io("read the table", path, &error))?;
            whole = sample.len() < before + SAMPLE;
            if sample.len() > LONGEST_ROW {
                return Err(too_long(path, 1));
            }
        }
        if let Some((what, next)) = other_format(&sample) {
            return Err(Fault::asked(what).in_file(path).next(next));
        }
        let mark = sample.starts_with(b"\xef\xbb\xbf");
        if mark {
            sample.drain(..3);
        }
        Ok(Beginning { sample, whole, mark })
    }
}

/// What a file is that is no table in UTF-8 or a likeness of ASCII, and what to do.
fn other_format(sample: &[u8]) -> Option<(String, &'static str)> {
    let utf16 = |order: &str| {
        let next = "save it as UTF-8: in a spreadsheet `CSV UTF-8`, in a shell `iconv -f UTF-16 -t UTF-8 FILE > NEW`";
        Some((format!("the table is UTF-16 text ({order}-endian), and tables are UTF-8"), next))
    };
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).take(200).filter(|byte| **byte == 0).count();
    match sample {
        [0xff, 0xfe, ..] => return utf16("little"),
        [0xfe, 0xff, ..] => return utf16("big"),
        [b'P', b'K', 3, 4, ..] => {
            return Some(("this is a spreadsheet or a zip archive, not a text table".into(), "export the sheet as `CSV UTF-8`"));
        }
        [0x1f, 0x8b, ..] => return Some(("this is a gzip archive, not a text table".into(), "unpack it: gunzip FILE")),
        [b'P', b'A', b'R', b'1', ..] => {
            return Some(("this is a parquet file, not a text table".into(), "write the table as CSV"));
        }
        _ => {}
    }
    if memchr(0, sample).is_some() {
        let half = sample.len().min(400) / 2;
        return match (zeros(0), zeros(1)) {
            (0, odd) if odd * 2 > half => utf16("little"),
            (even, 0) if even * 2 > half => utf16("big"),
            _ => Some(("this is no text: it holds zero bytes".into(), "is the file what its name says?")),
        };
    }
    None
}

fn too_long(path: &Path, line: usize) -> Fault {
    Fault::asked(format!("the row that begins in line {line} is longer than {} MB: this is no table", LONGEST_ROW >> 20))
        .at(path, line, 1)
        .next("is the file what its name says? A row ends with its line; a quote that is never closed joins all that follow")
}

/// What fields may be separated by.
const SEPARATORS: [u8; 3] = *b",;\t";

/// What separates the fields: [`regular`], or else what the first row has most of.
pub(super) fn separator(sample: &[u8], whole: bool) -> u8 {
    let first = |separator: u8| widths(sample, whole, separator).first().copied();
    let most = |place: &usize| (first(SEPARATORS[*place]), std::cmp::Reverse(*place));
    regular(sample, whole).or((0..3).max_by_key(most).map(|place| SEPARATORS[place])).unwrap_or(b',')
}

/// The first of comma, semicolon and tab by which all rows have as many fields, two or more.
pub(super) fn regular(sample: &[u8], whole: bool) -> Option<u8> {
    SEPARATORS.into_iter().find(|&separator| {
        let widths = widths(sample, whole, separator);
        widths.first().is_some_and(|first| *first > 1 && widths.iter().all(|width| width == first))
    })
}

/// How many fields the first rows have.
fn widths(sample: &[u8], whole: bool, separator: u8) -> Vec<usize> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(sample);
    let mut widths: Vec<usize> = rows.byte_records().map_while(|row| row.ok().map(|row| row.len())).take(50).collect();
    // The last row of a part of a file may be a part of a row.
    if !whole && widths.len() > 1 && widths.len() < 50 {
        widths.pop();
    }
    widths
}

/// The same text with a tab for all blanks between the fields of a line, and none around them: CelebA's text files and their
/// like. `None` where the first line has commas, semicolons or tabs, or a single field.
pub(crate) fn tabbed(text: &[u8]) -> Option<Vec<u8>> {
    let lines = || text.split(|byte| *byte == b'\n');
    let first = lines().find(|line| !line.trim_ascii().is_empty())?.trim_ascii();
    if !first.contains(&b' ') || first.iter().any(|byte| SEPARATORS.contains(byte)) {
        return None;
    }
    let fields = |line: &[u8]| {
        let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        fields.collect::<Vec<&[u8]>>().join(&b'\t')
    };
    Some(lines().map(fields).collect::<Vec<_>>().join(&b'\n'))
}

/// The lines of a text file, with line ends of any kind.
pub(crate) struct TextLines {
    path: PathBuf,
    from: io::BufReader<Lines<Box<dyn Read>>>,
    meter: Rc<Meter>,
    buffer: Vec<u8>,
    line: usize,
}

impl TextLines {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
        Self::new(path, Box::new(file))
    }

    pub(crate) fn new(path: &Path, from: Box<dyn Read>) -> Result<Self> {
        let (lines, meter) = lines(path, from, 0)?;
        Ok(TextLines { path: path.to_owned(), from: io::BufReader::with_capacity(SAMPLE, lines), meter, buffer: vec![], line: 0 })
    }

    /// The next line, without its end; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, &str)>> {
        self.meter.row.set(0);
        self.buffer.clear();
        self.line += 1;
        match self.from.read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(too_long(&self.path, self.line)),
            Err(error) => return Err(Fault::io("read the table", &self.path, &error)),
        }
        let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let text = std::str::from_utf8(text);
        text.map(|text| Some((self.line, text)))
            .map_err(|_| Fault::asked("the table is not UTF-8 text").at(&self.path, self.line, 1))
    }

    /// Lines so far that end in CR LF, and in CR alone.
    pub(crate) fn other_line_ends(&self) -> (usize, usize) {
        (self.meter.crlf.get(), self.meter.cr.get())
    }
}

type Rows = Lines<Box<dyn Read>>;

/// The bytes of a table behind its mark and what else is no row.
fn lines(path: &Path, mut from: Box<dyn Read>, skip: usize) -> Result<(Rows, Rc<Meter>)> {
    let Beginning { mut sample, .. } = Beginning::of(path, &mut from)?;
    sample.drain(..skip.min(sample.len()));
    let meter = Rc::new(Meter::default());
    let sample = io::Cursor::new(sample);
    Ok((Lines { sample, rest: from, meter: meter.clone(), after_cr: false, last: b'\n', ended: false }, meter))
}

pub(crate) struct TableReader {
    path: PathBuf,
    rows: csv::Reader<Rows>,
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
        let file = File::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
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
    fn separators_are_found_by_what_makes_rows_equal() {
        assert_eq!(separator(b"id;x\na;0,5\nb;0,7\n", true), b';');
        assert_eq!(separator(b"id\tx\na\t1\n", true), b'\t');
        assert_eq!(separator(b"id,x\na,\"1;2\"\nb,3\n", true), b',');
        assert_eq!(separator(b"n000001, \"Smith, J.\",424,0, m,\nn000002, \"Doe\",1,0, f\n", true), b',');
        assert_eq!(regular(b"a, b.png\nc.png\n", true), None);
    }

    #[test]
    fn blanks_between_fields_are_a_tab() {
        assert_eq!(tabbed(b"\na.jpg  7 \r\n\nb.jpg 8").unwrap(), b"\na.jpg\t7\n\nb.jpg\t8");
        for text in ["a b.png,7\n", "a.png\t7 8\n", "a.png\nb.png 7\n", "\n"] {
            assert_eq!(tabbed(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_said_as_what_it_is() {
        let utf16: Vec<u8> = "id,x\na,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(refusal([vec![0xff, 0xfe], utf16.clone()].concat()).what.contains("UTF-16 text (little-endian)"));
        assert!(refusal(utf16).what.contains("UTF-16"), "without a mark too");
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
