//! Journals: append-only records of one process's events, `data/journals/<start>-<pid>.journal`.
//!
//! ```text
//! "VISAVIS journal 1\n"
//! record*: length u32 LE · CRC-32 of the payload u32 LE · chain 32 bytes · payload (JSON)
//! chain = BLAKE3(chain of the record before · payload); before the first: 32 zero bytes
//! ```
//! One file a process start, never reopened. A record is acknowledged when it is synced. A tail that does not check is
//! "not yet" while its writer lives, and is left out for good once it does not.

use crate::domain::{Fault, Result, event::Event};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

const HEAD: &[u8] = b"VISAVIS journal 1\n";
const CHAIN: usize = 32;
const PREFIX: usize = 8 + CHAIN;

pub struct Journal {
    path: PathBuf,
    file: File,
    chain: [u8; CHAIN],
    count: usize,
}

impl Journal {
    /// A new journal; `now` in milliseconds since 1970 names it.
    pub fn start(folder: &Path, now: u64) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Fault::io("create the folder", folder, &error))?;
        let path = folder.join(format!("{now:015}-{}.journal", std::process::id()));
        let file =
            File::create_new(&path).and_then(|mut file| file.write_all(HEAD).and_then(|()| file.sync_all()).map(|()| file));
        Ok(Journal {
            file: file.map_err(|error| Fault::io("start the journal", &path, &error))?,
            path,
            chain: [0; CHAIN],
            count: 0,
        })
    }

    /// The file's name, which tells it from every other journal.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Appends and syncs: when this returns, the event is kept. Says its number in this journal, from 0.
    pub fn append(&mut self, event: &Event) -> Result<usize> {
        let payload = serde_json::to_vec(event).map_err(|error| Fault::unexpected(error.to_string()))?;
        self.chain = link(&self.chain, &payload);
        let mut record = Vec::with_capacity(PREFIX + payload.len());
        record.extend((payload.len() as u32).to_le_bytes());
        record.extend(crc32fast::hash(&payload).to_le_bytes());
        record.extend(self.chain);
        record.extend(payload);
        let written = self.file.write_all(&record).and_then(|()| self.file.sync_data());
        written.map_err(|error| Fault::io("append to the journal", &self.path, &error))?;
        self.count += 1;
        Ok(self.count - 1)
    }
}

fn link(before: &[u8; CHAIN], payload: &[u8]) -> [u8; CHAIN] {
    *blake3::Hasher::new().update(before).update(payload).finalize().as_bytes()
}

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Reading {
    pub events: Vec<Event>,
    /// Bytes after the last good record: a record not yet whole, or damage.
    pub tail: usize,
}

/// Reads the good records from the start.
pub fn read(path: &Path) -> Result<Reading> {
    let bytes = fs::read(path).map_err(|error| Fault::io("read the journal", path, &error))?;
    let Some(mut rest) = bytes.strip_prefix(HEAD) else { return Ok(Reading { events: vec![], tail: bytes.len() }) };
    let (mut events, mut chain) = (Vec::new(), [0; CHAIN]);
    while let Some((event, after)) = record(rest, &mut chain) {
        events.push(event);
        rest = after;
    }
    Ok(Reading { events, tail: rest.len() })
}

fn record<'a>(bytes: &'a [u8], chain: &mut [u8; CHAIN]) -> Option<(Event, &'a [u8])> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, crc) = (number(0)? as usize, number(4)?);
    let payload = bytes.get(PREFIX..PREFIX.checked_add(length)?)?;
    let next = link(chain, payload);
    if crc32fast::hash(payload) != crc || bytes[8..PREFIX] != next {
        return None;
    }
    let event = serde_json::from_slice(payload).ok()?;
    *chain = next;
    Some((event, &bytes[PREFIX + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::What;

    fn event(at: u64) -> Event {
        Event { at, what: What::RunStarted { study: "x".into(), slots: 1, threads: 1 } }
    }

    #[test]
    fn what_was_acknowledged_is_read_back_and_a_torn_or_flipped_tail_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::start(folder.path(), 1).unwrap();
        (0..5).for_each(|at| assert_eq!(journal.append(&event(at)).unwrap(), at as usize));
        let path = journal.path.clone();
        assert_eq!(read(&path).unwrap().events, (0..5).map(event).collect::<Vec<_>>());

        let whole = fs::read(&path).unwrap();
        let record = (whole.len() - HEAD.len()) / 5;
        for cut in 1..record {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let reading = read(&path).unwrap();
            assert_eq!((reading.events.len(), reading.tail), (4, record - cut));
        }
        for flip in (HEAD.len() + 2 * record)..(HEAD.len() + 3 * record) {
            let mut bytes = whole.clone();
            bytes[flip] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(read(&path).unwrap().events.len(), 2, "flipped byte {flip}");
        }
    }
}
