//! A file that is read at given places, never as a whole: so a file of any size is looked through in a few MB of memory.

use crate::{
    domain::{Fault, Result},
    files,
};
use std::{fs::File, os::unix::fs::FileExt, path::Path};

/// The bytes of a weight file: on disk, or in memory where somebody hashed them already.
#[derive(Debug)]
pub enum Source<'a> {
    /// A regular file and its length when it was opened.
    File(File, u64),
    /// The whole file in memory.
    Bytes(&'a [u8]),
}

/// Bytes `at .. at + len` of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte, from 0.
    pub at: u64,
    /// How many bytes.
    pub len: u64,
}

impl Source<'static> {
    /// # Errors
    /// A file that cannot be opened, or is no regular file (a folder, a pipe).
    pub fn open(path: &Path) -> Result<Self> {
        let fault = |error: std::io::Error| Fault::io("read the weights", path, &error);
        let file = files::open(path).map_err(fault)?;
        let length = file.metadata().map_err(fault)?.len();
        Ok(Source::File(file, length))
    }
}

impl Source<'_> {
    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        match self {
            Source::File(_, len) => *len,
            Source::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// The whole file.
    pub fn all(&self) -> Span {
        Span { at: 0, len: self.len() }
    }

    /// The first bytes, at most `most`.
    pub fn head(&self, most: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; most.min(usize::try_from(self.len()).unwrap_or(most))];
        self.fill(0, &mut head)?;
        Ok(head)
    }

    /// Fills the buffer with the bytes from `at` on.
    ///
    /// # Errors
    /// A file that ends before, or that the system refuses to read.
    pub fn fill(&self, at: u64, buffer: &mut [u8]) -> Result<()> {
        let cut = || Fault::asked(format!("the file ends before byte {}", at.saturating_add(buffer.len() as u64)));
        match self {
            Source::Bytes(bytes) => {
                let start = usize::try_from(at).ok().filter(|start| *start <= bytes.len()).ok_or_else(cut)?;
                let part = bytes[start..].get(..buffer.len()).ok_or_else(cut)?;
                buffer.copy_from_slice(part);
                Ok(())
            }
            Source::File(file, _) => file.read_exact_at(buffer, at).map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Fault::asked("the file became shorter while it was read"),
                _ => Fault::unexpected(format!("cannot read the weights: {error}")),
            }),
        }
    }
}

impl rawzip::ReaderAt for &Source<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        match self {
            Source::File(file, _) => file.read_at(buffer, offset),
            Source::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let part = &bytes[start..][..buffer.len().min(bytes.len() - start)];
                buffer[..part.len()].copy_from_slice(part);
                Ok(part.len())
            }
        }
    }
}

/// How much is read at once.
const BLOCK: usize = 1 << 16;

/// Reads a span from its beginning on. It never reads past its end, and what is skipped is not read at all.
#[derive(Debug)]
pub(crate) struct Cursor<'s> {
    source: &'s Source<'s>,
    at: u64,
    end: u64,
    block: Vec<u8>,
    block_at: u64,
}

impl<'s> Cursor<'s> {
    /// # Errors
    /// A span that reaches beyond the file.
    pub(crate) fn new(source: &'s Source<'s>, span: Span) -> Result<Self> {
        let end = span.at.checked_add(span.len).filter(|end| *end <= source.len());
        let end = end.ok_or_else(|| Fault::asked(format!("the file has {} bytes and should have more", source.len())))?;
        Ok(Cursor { source, at: span.at, end, block: Vec::new(), block_at: span.at })
    }

    /// Where the next byte is in the file.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Is the whole span taken?
    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    fn cut(&self) -> Fault {
        Fault::asked(format!("the file is cut short: something should follow at byte {}", self.end))
            .next("copy or download it again")
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        if self.at >= self.end {
            return Err(self.cut());
        }
        let within = self.at.wrapping_sub(self.block_at);
        if within >= self.block.len() as u64 {
            let len = (self.end - self.at).min(BLOCK as u64) as usize;
            self.block.resize(len, 0);
            self.block_at = self.at;
            self.source.fill(self.at, &mut self.block)?;
            self.at += 1;
            return Ok(self.block[0]);
        }
        self.at += 1;
        Ok(self.block[within as usize])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// Takes the next `len` bytes without reading them.
    ///
    /// # Errors
    /// Fewer bytes are left: so whatever length a file claims is checked before anything is allocated.
    pub(crate) fn span(&mut self, len: u64) -> Result<Span> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end).ok_or_else(|| {
            Fault::asked(format!(
                "the file is cut short: {len} bytes should follow at byte {}, {} do",
                self.at,
                self.end - self.at
            ))
            .next("copy or download it again")
        })?;
        let span = Span { at: self.at, len };
        self.at = end;
        Ok(span)
    }

    /// The next `len` bytes.
    pub(crate) fn bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        let from = self.at;
        self.span(len)?;
        self.at = from;
        (0..len).map(|_| self.byte()).collect()
    }

    /// The bytes up to the next line feed, which is taken too.
    ///
    /// # Errors
    /// A line of more than `most` bytes.
    pub(crate) fn line(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                byte if line.len() < most => line.push(byte),
                _ => return Err(Fault::asked(format!("a line of more than {most} bytes ends at byte {}", self.at))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_a_file_claims_is_checked_before_anything_is_allocated() {
        let bytes = [7; 100];
        let source = Source::Bytes(&bytes);
        let mut cursor = Cursor::new(&source, Span { at: 10, len: 20 }).unwrap();
        assert_eq!(cursor.array::<4>().unwrap(), [7; 4]);
        assert!(cursor.bytes(u64::MAX).unwrap_err().what.contains("cut short"));
        assert!(cursor.span(17).unwrap_err().what.contains("17 bytes should follow at byte 14, 16 do"));
        assert_eq!(cursor.span(16).unwrap(), Span { at: 14, len: 16 });
        assert!(cursor.byte().unwrap_err().what.contains("at byte 30"));
        assert!(Cursor::new(&source, Span { at: 90, len: 11 }).is_err());
        assert!(Cursor::new(&source, Span { at: u64::MAX, len: 11 }).is_err());
    }

    #[test]
    fn lines_end_and_are_bounded() {
        let source = Source::Bytes(b"torch\nFloatStorage\nx");
        let mut cursor = Cursor::new(&source, source.all()).unwrap();
        assert_eq!(cursor.line(5).unwrap(), b"torch");
        assert!(cursor.line(5).unwrap_err().what.contains("more than 5 bytes"));
    }

    #[test]
    fn reading_goes_on_over_blocks_and_over_what_was_skipped() {
        let bytes: Vec<u8> = (0..3 * BLOCK).map(|i| (i % 251) as u8).collect();
        let source = Source::Bytes(&bytes);
        let mut cursor = Cursor::new(&source, source.all()).unwrap();
        for _ in 0..BLOCK + 5 {
            cursor.byte().unwrap();
        }
        cursor.span(BLOCK as u64).unwrap();
        assert_eq!(cursor.byte().unwrap(), bytes[2 * BLOCK + 5]);
    }
}
