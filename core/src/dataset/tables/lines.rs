//! The lines of a text file: line ends of any kind become LF, what is no text is refused as what it is, and a line that is
//! longer than any table's ends the reading.

use crate::domain::{Fault, Result};
use memchr::memchr;
use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Longer than the row of any table; a row is held in memory.
pub(crate) const LONGEST_ROW: usize = 1 << 20;

/// Bytes that are looked at to find out how a file is written.
pub(crate) const SAMPLE: usize = 1 << 16;

/// What is counted while a file is read.
#[derive(Default)]
pub(crate) struct Meter {
    /// Bytes since the last row began.
    pub row: Cell<usize>,
    /// Line ends that are CR LF, and those that are CR alone.
    pub crlf: Cell<usize>,
    pub cr: Cell<usize>,
}

/// The bytes of a file with every line end as LF, the last one too.
pub(crate) struct Lines<R> {
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
pub(crate) struct Beginning {
    pub sample: Vec<u8>,
    /// Is that the whole file?
    pub whole: bool,
    pub mark: bool,
}

impl Beginning {
    /// # Errors
    /// A file that is no text table, said as what it is.
    pub(crate) fn of(path: &Path, from: &mut impl Read) -> Result<Self> {
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
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Some((
                "the table is UTF-32 text, and tables are UTF-8".into(),
                "save it as UTF-8: `iconv -f UTF-32 -t UTF-8 FILE > NEW`",
            ));
        }
        [0xff, 0xfe, ..] => return utf16("little"),
        [0xfe, 0xff, ..] => return utf16("big"),
        [b'P', b'K', 3, 4, ..] => {
            return Some(("this is a spreadsheet or a zip archive, not a text table".into(), "export the sheet as `CSV UTF-8`"));
        }
        [0x1f, 0x8b, ..] => return Some(("this is a gzip archive, not a text table".into(), "unpack it: gunzip FILE")),
        [b'P', b'A', b'R', b'1', ..] => {
            return Some((
                "this is a parquet file, not a text table".into(),
                "write it as CSV: `visavis data convert FILE.parquet FILE.csv`",
            ));
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

pub(crate) fn too_long(path: &Path, line: usize) -> Fault {
    Fault::asked(format!("the row that begins in line {line} is longer than {} MB: this is no table", LONGEST_ROW >> 20))
        .at(path, line, 1)
        .next("is the file what its name says? A row ends with its line; a quote that is never closed joins all that follow")
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
        let file = crate::files::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
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

pub(crate) type AllLines = Lines<Box<dyn Read>>;

/// The bytes of a table behind its mark and what else is no row.
pub(crate) fn lines(path: &Path, mut from: Box<dyn Read>, skip: usize) -> Result<(AllLines, Rc<Meter>)> {
    let Beginning { mut sample, .. } = Beginning::of(path, &mut from)?;
    sample.drain(..skip.min(sample.len()));
    let meter = Rc::new(Meter::default());
    let sample = io::Cursor::new(sample);
    Ok((Lines { sample, rest: from, meter: meter.clone(), after_cr: false, last: b'\n', ended: false }, meter))
}
