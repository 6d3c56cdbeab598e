//! A RecordIO file of pictures (`train.rec`), read where its records stand. `train.idx` beside it says where that is; without one the
//! file is read once, from record to record.

use super::{
    place::INSIDE,
    record::{Broken, Framed, RecordHeader},
    record_index::{RecordIndex, WITHOUT},
};
use crate::domain::{Digest, Fault, Result};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A RecordIO file and the places of its records.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    framed: Framed,
    index: RecordIndex,
    torn: Option<Fault>,
}

/// Places at which records are looked at, two neighbours each, to see whether an index is of this file. Of neighbours, because records may
/// be sorted by class, and some tools write the class where others write the key.
const LOOKED_AT: usize = 64;

/// What a record says its number is, and the key that the index has for it.
struct SaidKey {
    id: u64,
    key: u64,
    offset: u64,
}

/// A record that says that it is another of the index. Numbers are keys only where no two records say the same one: some tools write one
/// number into all records.
fn of_another(said: &[SaidKey], is_key: impl Fn(u64) -> bool) -> Option<&SaidKey> {
    let mut seen = BTreeSet::new();
    if !said.iter().filter(|of| of.id != 0).all(|of| seen.insert(of.id)) {
        return None;
    }
    said.iter().find(|of| of.id != of.key && of.id != 0 && is_key(of.id))
}

/// The id of a record's picture: its key, so that the order of ids is that of keys.
pub(in crate::dataset) fn id_of(key: u64) -> String {
    format!("{key:08}")
}

pub(super) fn key_of(id: &str) -> Option<u64> {
    let key = id.parse().ok()?;
    (id_of(key) == id).then_some(key)
}

impl RecordFile {
    /// Opens a file, and its index if it has one. A last record that the file ends in is left out: see `RecordFile::torn`.
    ///
    /// # Errors
    /// A file that cannot be opened or is no RecordIO file; an index that is of another file.
    pub fn open(path: &Path) -> Result<Self> {
        let refused = |error| Fault::io("read", path, &error);
        let file = crate::files::open(path).map_err(refused)?;
        let length = file.metadata().map_err(refused)?.len();
        let framed = Framed { file, length };
        let none = |broken: &Broken| Fault::asked(format!("not a RecordIO file: {broken}")).in_file(path);
        match framed.header(0) {
            Err(broken @ (Broken::NoMagic { .. } | Broken::Order { .. })) => return Err(none(&broken)),
            Err(broken @ Broken::Torn { .. }) if length < 8 => return Err(none(&broken)),
            _ => {}
        }
        let beside = path.with_extension("idx");
        let mut found = RecordFile { path: path.to_owned(), framed, index: RecordIndex::default(), torn: None };
        if beside.exists() {
            found.index = RecordIndex::read(&beside)?;
            found.hold_against(&beside)?;
        } else {
            found.scan()?;
        }
        Ok(found)
    }

    /// Is the index of this file? Its records must fill the file from end to end, and say their keys.
    fn hold_against(&mut self, beside: &Path) -> Result<()> {
        let mut offsets: Vec<u64> = self.index.entries().iter().map(|entry| entry.1).collect();
        offsets.sort_unstable();
        let key_at = |offset: u64| self.index.entries().iter().find(|entry| entry.1 == offset).map_or(0, |entry| entry.0);
        let rec = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let other = |why: String| Fault::asked(format!("the index is not of {rec}: {why}")).in_file(beside).next(WITHOUT);
        let length = self.framed.length;
        let outside = offsets.len() - offsets.partition_point(|&offset| offset < length);
        if outside > 0 {
            let first = offsets[offsets.len() - outside];
            return Err(other(format!(
                "{outside} of its {} records begin behind the end of the file ({length} bytes), such as record {} at offset {first}",
                offsets.len(),
                key_at(first)
            ))
            .next("copy both files again, whole"));
        }
        if let Some(pair) = offsets.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(other(format!("two of its keys are at offset {}", pair[0])));
        }
        if offsets[0] != 0 {
            return Err(other(format!("its first record is at offset {}, and the file's at 0", offsets[0])));
        }
        let last = offsets.len() - 1;
        let looked_at: BTreeSet<usize> =
            (0..LOOKED_AT).map(|part| part * last / (LOOKED_AT - 1)).flat_map(|place| [place, (place + 1).min(last)]).collect();
        let mut said: Vec<SaidKey> = Vec::new();
        for place in looked_at {
            let offset = offsets[place];
            let key = key_at(offset);
            match self.framed.end(offset) {
                Ok(end) => {
                    let next = offsets.get(place + 1).copied().unwrap_or(length);
                    // The zeros behind the last record may be missing.
                    if end != next && !(place == last && end > next) {
                        return Err(other(format!(
                            "record {key} ends at offset {end}, and the next one is said to begin at {next}"
                        )));
                    }
                }
                Err(broken @ Broken::Torn { .. }) if place == last => {
                    self.torn = Some(self.fault(key, offset, &broken));
                    continue;
                }
                Err(broken @ Broken::NoMagic { .. }) => return Err(other(format!("record {key} at offset {offset}: {broken}"))),
                Err(broken) => return Err(self.fault(key, offset, &broken)),
            }
            let (header, _) = self.framed.header(offset).map_err(|broken| self.fault(key, offset, &broken))?;
            said.push(SaidKey { id: header.id, key, offset });
        }
        if let Some(SaidKey { id, key, offset }) = of_another(&said, |id| self.index.place(id).is_some()) {
            return Err(other(format!("the record at offset {offset} says that its key is {id}, not {key}")));
        }
        if self.torn.is_some() {
            let key = key_at(offsets[last]);
            self.index.remove(key);
        }
        Ok(())
    }

    /// Goes from record to record. Their keys are the numbers that they say, if no two say the same one; else their places, from 0.
    fn scan(&mut self) -> Result<()> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < self.framed.length {
            let record = self.framed.end(at).and_then(|end| Ok((end, self.framed.header(at)?.0.id)));
            match record {
                Ok((end, id)) => {
                    found.push((id, at));
                    at = end;
                }
                Err(broken @ Broken::Torn { .. }) if !self.framed.goes_on_behind(at) => {
                    self.torn = Some(self.fault(found.len() as u64, at, &broken));
                    break;
                }
                Err(broken) => return Err(self.fault(found.len() as u64, at, &broken)),
            }
        }
        self.index = RecordIndex::new(found).unwrap_or_else(|(_, found)| {
            let mut offsets: Vec<u64> = found.into_iter().map(|record| record.1).collect();
            offsets.sort_unstable();
            RecordIndex::new((0..).zip(offsets).collect()).unwrap_or_default()
        });
        Ok(())
    }

    fn fault(&self, key: u64, offset: u64, broken: &Broken) -> Fault {
        let fault = Fault::asked(broken.to_string()).in_file(self.place_of(key, offset));
        match broken {
            Broken::Io(_) => Fault { ending: crate::domain::Ending::Unexpected, ..fault },
            _ => fault.next("copy the file again, or make it anew"),
        }
    }

    fn place_of(&self, key: u64, offset: u64) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{name}{INSIDE}record {key} (offset {offset})"))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self) -> &std::fs::File {
        &self.framed.file
    }

    /// The last record, if the file ends in it: it is left out.
    pub(in crate::dataset) fn torn(&self) -> Option<&Fault> {
        self.torn.as_ref()
    }

    /// Every key, sorted.
    pub(in crate::dataset) fn keys(&self) -> impl ExactSizeIterator<Item = u64> + Clone {
        self.index.entries().iter().map(|entry| entry.0)
    }

    /// What the record of a key says of its picture, and whether it has one.
    ///
    /// # Errors
    /// A key that there is not; a record that cannot be read.
    pub(in crate::dataset) fn header(&self, key: u64) -> Result<(RecordHeader, bool)> {
        let offset = self.index.offset(key).ok_or_else(|| self.absent(&id_of(key)))?;
        self.framed.header(offset).map_err(|broken| self.fault(key, offset, &broken))
    }

    fn absent(&self, id: &str) -> Fault {
        Fault::missing(format!("no record is the picture {id}")).in_file(&self.path)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.place_among(id).is_some()
    }

    /// Where the picture is, for messages.
    pub(super) fn place(&self, id: &str) -> PathBuf {
        match key_of(id).and_then(|key| Some((key, self.index.offset(key)?))) {
            Some((key, offset)) => self.place_of(key, offset),
            None => self
                .path
                .with_file_name(format!("{}{INSIDE}record {id}", self.path.file_name().unwrap_or_default().to_string_lossy())),
        }
    }

    pub(super) fn read(&self, id: &str) -> Result<Vec<u8>> {
        let key = key_of(id).ok_or_else(|| self.absent(id))?;
        let offset = self.index.offset(key).ok_or_else(|| self.absent(id))?;
        self.framed.read(offset).map(|(_, picture)| picture).map_err(|broken| self.fault(key, offset, &broken))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn place_among(&self, id: &str) -> Option<usize> {
        self.index.place(key_of(id)?)
    }

    /// Changes when a record stands elsewhere.
    pub(super) fn table(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for some in self.index.entries().chunks(1 << 12) {
            let bytes: Vec<u8> =
                some.iter().flat_map(|(key, offset)| [key.to_le_bytes(), offset.to_le_bytes()]).flatten().collect();
            hasher.update(&bytes);
        }
        Digest::from_bytes(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of records that say these numbers, under the keys 0, 1, …: the first that is of another key.
    fn other(ids: &[u64]) -> Option<u64> {
        let said: Vec<SaidKey> = ids.iter().zip(0..).map(|(&id, key)| SaidKey { id, key, offset: 0 }).collect();
        of_another(&said, |id| id < ids.len() as u64).map(|of| of.key)
    }

    #[test]
    fn numbers_of_records_that_are_keys_tell_another_index_and_one_number_for_all_tells_nothing() {
        assert_eq!(other(&[0, 1, 2]), None);
        assert_eq!(other(&[0, 2, 1]), Some(1), "two are exchanged");
        assert_eq!(other(&[1, 1, 1]), None, "a constant is no key");
        assert_eq!(other(&[0, 0, 0]), None, "none is said");
        assert_eq!(other(&[100, 101, 102]), None, "they count something else");
        assert_eq!(other(&[2, 2, 0]), None);
    }
}
