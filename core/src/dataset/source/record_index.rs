//! At which offset the record of each key begins: read from an `.idx` file, a line a record, `key` tab `offset`.

use crate::domain::{Fault, Result};
use std::{
    io::{BufReader, Read},
    path::Path,
};

/// Keys and offsets, sorted by key. 16 bytes a record.
#[derive(Debug, Default)]
pub(super) struct RecordIndex(Vec<(u64, u64)>);

impl RecordIndex {
    /// # Errors
    /// Two records of one key: the key, and what was given.
    pub(super) fn new(mut entries: Vec<(u64, u64)>) -> std::result::Result<Self, (u64, Vec<(u64, u64)>)> {
        entries.sort_unstable();
        match entries.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0) {
            Some(key) => Err((key, entries)),
            None => Ok(RecordIndex(entries)),
        }
    }

    /// Reads an `.idx` file.
    ///
    /// # Errors
    /// A line that is not two whole numbers, a key that stands twice, a file without a line.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let refused = |error: &std::io::Error| Fault::io("read the index", path, error);
        let file = crate::files::open(path).map_err(|error| refused(&error))?;
        let entries = parse(BufReader::with_capacity(1 << 20, file)).map_err(|wrong| match wrong {
            Wrong::Line(line) => {
                Fault::asked("not a line of a RecordIO index, which is a key, a tab and an offset").at(path, line, 1)
            }
            Wrong::Io(error) => refused(&error),
        })?;
        if entries.is_empty() {
            return Err(Fault::asked("the index is empty: it names no record").in_file(path).next(WITHOUT));
        }
        Self::new(entries)
            .map_err(|(key, _)| Fault::asked(format!("the index names the key {key} twice")).in_file(path).next(WITHOUT))
    }

    /// How many records.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of a key among all, sorted by key.
    pub(super) fn place(&self, key: u64) -> Option<usize> {
        // Keys that follow each other are met where they are expected.
        let first = self.0.first()?.0;
        let near =
            usize::try_from(key.checked_sub(first)?).ok().filter(|near| self.0.get(*near).is_some_and(|entry| entry.0 == key));
        near.or_else(|| self.0.binary_search_by_key(&key, |entry| entry.0).ok())
    }

    /// The offset of a key's record.
    pub(super) fn offset(&self, key: u64) -> Option<u64> {
        Some(self.0[self.place(key)?].1)
    }

    /// Keys and offsets, sorted by key.
    pub(super) fn entries(&self) -> &[(u64, u64)] {
        &self.0
    }

    pub(super) fn remove(&mut self, key: u64) {
        if let Some(place) = self.place(key) {
            self.0.remove(place);
        }
    }
}

/// What to do about an index that cannot be used.
pub(super) const WITHOUT: &str = "copy the .idx again, or take it away: without one the .rec is read once to find its records";

enum Wrong {
    Line(usize),
    Io(std::io::Error),
}

/// A number that is being read, digit by digit.
#[derive(Default)]
struct Number(Option<u64>);

impl Number {
    fn digit(&mut self, digit: u8) -> Option<()> {
        self.0 = Some(self.0.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit - b'0'))?);
        Some(())
    }
}

/// No line is kept, so one without an end takes no memory.
fn parse(mut text: impl Read) -> std::result::Result<Vec<(u64, u64)>, Wrong> {
    let (mut entries, mut line) = (Vec::new(), 1);
    let (mut key, mut offset, mut in_offset) = (Number::default(), Number::default(), false);
    let mut block = vec![0; 1 << 16];
    loop {
        let bytes = match text.read(&mut block) {
            Ok(0) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Wrong::Io(error)),
        };
        for byte in &block[..bytes] {
            let read = match byte {
                b'0'..=b'9' if in_offset => offset.digit(*byte),
                b'0'..=b'9' => key.digit(*byte),
                b'\t' | b' ' if key.0.is_some() && offset.0.is_none() => {
                    in_offset = true;
                    Some(())
                }
                b'\r' => Some(()),
                b'\n' => {
                    let entry = (key.0, offset.0);
                    (key, offset, in_offset) = (Number::default(), Number::default(), false);
                    line += 1;
                    match entry {
                        (Some(key), Some(offset)) => entries.push((key, offset)),
                        (None, None) => {}
                        _ => return Err(Wrong::Line(line - 1)),
                    }
                    Some(())
                }
                _ => None,
            };
            if read.is_none() {
                return Err(Wrong::Line(line));
            }
        }
    }
    match (key.0, offset.0) {
        (Some(key), Some(offset)) => entries.push((key, offset)),
        (None, None) => {}
        _ => return Err(Wrong::Line(line)),
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> std::result::Result<Vec<(u64, u64)>, usize> {
        parse(text.as_bytes()).map_err(|wrong| match wrong {
            Wrong::Line(line) => line,
            Wrong::Io(error) => panic!("{error}"),
        })
    }

    #[test]
    fn lines_are_two_whole_numbers_with_any_end() {
        let expected = vec![(1, 0), (7, 696), (0, 18_446_744_073_709_551_615)];
        for text in ["1\t0\n7\t696\n0\t18446744073709551615\n", "1\t0\r\n7 696\r\n\r\n0\t18446744073709551615"] {
            assert_eq!(parsed(text), Ok(expected.clone()), "{text}");
        }
        for (text, line) in [
            ("1\t0\n7\n", 2),
            ("x\t0\n", 1),
            ("1\t0\n2\t-4\n", 2),
            ("1\t0\n2\t18446744073709551616\n", 2),
            ("1,0\n", 1),
            ("1\t0\t5\n", 1),
            ("1\t0\n\n7", 3),
        ] {
            assert_eq!(parsed(text), Err(line), "{text}");
        }
    }

    #[test]
    fn keys_are_found_whether_they_follow_each_other_or_not_and_stand_once() {
        let index = RecordIndex::new(vec![(5, 50), (9, 90), (6, 60), (0, 99)]).unwrap();
        assert_eq!([0, 5, 6, 9].map(|key| index.offset(key)), [99, 50, 60, 90].map(Some));
        assert_eq!([1, 7, 10, u64::MAX].map(|key| index.offset(key)), [None; 4]);
        assert_eq!(RecordIndex::new(vec![(5, 50), (5, 60)]).unwrap_err().0, 5);
    }
}
