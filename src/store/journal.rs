//! Journals: append-only records of what one process did, `data/journals/<start>-<pid>.journal`.
//!
//! ```text
//! "VISAVIS journal 1\n"
//! record*: length u32 LE · CRC-32 of the payload u32 LE · chain 32 bytes · payload (an event as JSON, or a metric chunk)
//! chain = BLAKE3(chain of the record before · payload); before the first: 32 zero bytes
//! ```
//! One file a process start, never reopened, locked by its writer as long as that lives. A record is acknowledged when it is
//! synced; its name for ever is its journal's name and its offset. What does not check is "not yet" while the writer lives;
//! once it does not, it is damage: it is named, and every whole record after it is kept.

use super::disk;
use crate::domain::{
    Fault, Result,
    event::{Event, Record},
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

const HEAD: &[u8] = b"VISAVIS journal 1\n";
const CHAIN: usize = 32;
const PREFIX: usize = 8 + CHAIN;

/// No record is longer: a length that is must be damage.
const LONGEST: usize = 64 << 20;

/// How much of a journal is read at a time, if no record is longer.
const STRIDE: u64 = 8 << 20;

pub struct Journal {
    path: PathBuf,
    file: File,
    chain: [u8; CHAIN],
    /// Where the next record goes.
    end: u64,
    /// Set when a record was refused and could not be taken back: nothing may follow it.
    torn: bool,
}

impl Journal {
    /// A new journal; `now` in milliseconds since 1970 names it.
    pub fn start(folder: &Path, now: u64) -> Result<Self> {
        disk::make_folder(folder)?;
        let mut name = format!("{now:015}-{}", std::process::id());
        let half = folder.join(format!("{}{name}", disk::PART));
        let refused = |error| Fault::io("start the journal", folder, &error);
        let mut file = File::options().read(true).append(true).create_new(true).open(&half).map_err(refused)?;
        // Locked before it has its name: whoever finds it by that name can tell that its writer lives.
        let begun = flock(&file, FlockOperation::LockExclusive).map_err(std::io::Error::from);
        let begun = begun.and_then(|()| disk::write(&mut file, HEAD)).and_then(|()| disk::sync(&file));
        let named = begun.and_then(|()| {
            loop {
                let path = folder.join(format!("{name}.journal"));
                match disk::link(&half, &path) {
                    // Another machine's process of the same number, in the same millisecond.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => name += "x",
                    linked => return linked.map(|()| path),
                }
            }
        });
        std::fs::remove_file(&half).ok();
        let path = named.map_err(refused)?;
        disk::sync_folder_of(&path)?;
        Ok(Journal { path, file, chain: [0; CHAIN], end: HEAD.len() as u64, torn: false })
    }

    /// The file's name, which tells it from every other journal.
    pub fn name(&self) -> String {
        name_of(&self.path)
    }

    /// Appends records and syncs: when this returns, they are kept. Says the offset of each.
    ///
    /// # Errors
    /// A disk that refuses; none of the records is then in the journal.
    pub fn append(&mut self, records: &[Record]) -> Result<Vec<u64>> {
        let (mut chain, mut bytes, mut offsets) = (self.chain, Vec::new(), Vec::new());
        for payload in records.iter().filter_map(Record::to_bytes) {
            chain = link(&chain, &payload);
            offsets.push(self.end + bytes.len() as u64);
            bytes.extend((payload.len() as u32).to_le_bytes());
            bytes.extend(crc32fast::hash(&payload).to_le_bytes());
            bytes.extend(chain);
            bytes.extend(payload);
        }
        if self.torn {
            return Err(Fault::unexpected("the journal is closed: an earlier record was refused").in_file(&self.path));
        }
        let written = disk::write(&mut self.file, &bytes).and_then(|()| disk::sync(&self.file));
        if let Err(error) = written {
            self.torn = self.file.set_len(self.end).is_err();
            return Err(Fault::io("append to the journal", &self.path, &error));
        }
        self.chain = chain;
        self.end += bytes.len() as u64;
        #[cfg(debug_assertions)]
        testify(&self.path, &offsets);
        Ok(offsets)
    }

    pub fn append_event(&mut self, event: Event) -> Result<u64> {
        Ok(self.append(&[Record::Event(event)])?[0])
    }
}

/// Tells a test what was acknowledged: a line a record in the file that `VISAVIS_ACKNOWLEDGED` names.
#[cfg(debug_assertions)]
fn testify(path: &Path, offsets: &[u64]) {
    use std::io::Write;
    let Some(file) = std::env::var_os("VISAVIS_ACKNOWLEDGED") else { return };
    let lines: String = offsets.iter().map(|offset| format!("{}\t{offset}\n", name_of(path))).collect();
    File::options().append(true).create(true).open(file).and_then(|mut file| file.write_all(lines.as_bytes())).ok();
}

fn link(before: &[u8; CHAIN], payload: &[u8]) -> [u8; CHAIN] {
    *blake3::Hasher::new().update(before).update(payload).finalize().as_bytes()
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// How far a journal was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub offset: u64,
    pub chain: [u8; CHAIN],
}

/// A whole record.
#[derive(Debug, PartialEq)]
pub struct Kept {
    pub offset: u64,
    pub record: Record,
}

/// Bytes that are no record and never will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub offset: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub struct Reading {
    pub records: Vec<Kept>,
    pub damage: Vec<Damage>,
    pub mark: Mark,
    /// There is more to read now.
    pub more: bool,
    /// The writer is gone and everything was read: nothing will ever come.
    pub closed: bool,
}

/// Reads on from a mark.
pub fn read(path: &Path, from: &Mark) -> Result<Reading> {
    let refused = |error| Fault::io("read the journal", path, &error);
    let mut file = File::open(path).map_err(refused)?;
    // Asked before reading: what a writer that is gone now has written is all there.
    let alive = matches!(flock(&file, FlockOperation::NonBlockingLockShared), Err(rustix::io::Errno::WOULDBLOCK));
    let length = file.metadata().map_err(refused)?.len();
    let mut take = |stride: u64| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from.offset)).map_err(refused)?;
        file.by_ref().take(stride).read_to_end(&mut bytes).map_err(refused)?;
        Ok(bytes)
    };
    let bytes = take(STRIDE)?;
    let whole = from.offset + bytes.len() as u64 >= length;
    let reading = parse(&bytes, from, whole && !alive);
    if whole || reading.mark.offset > from.offset {
        return Ok(Reading { closed: whole && !alive, more: !whole, ..reading });
    }
    // Nothing in a stride: a record longer than that, or damage. Of a writer that is gone, everything tells which.
    let bytes = take(if alive { (LONGEST + PREFIX) as u64 } else { u64::MAX })?;
    let whole = from.offset + bytes.len() as u64 >= length;
    let reading = parse(&bytes, from, !alive);
    Ok(Reading { closed: !alive, more: alive && !whole && reading.mark.offset > from.offset, ..reading })
}

/// `last`: nothing will follow these bytes, so what is no record is damage.
fn parse(bytes: &[u8], from: &Mark, last: bool) -> Reading {
    let mut reading = Reading { mark: from.clone(), ..Reading::default() };
    let mut at = if from.offset > 0 {
        0
    } else if bytes.starts_with(HEAD) {
        HEAD.len()
    } else if last && !bytes.is_empty() {
        reading.skip(bytes, 0, from)
    } else {
        return reading;
    };
    loop {
        reading.mark.offset = from.offset + at as u64;
        if at == bytes.len() {
            return reading;
        }
        // After damage, a record is taken for what it says came before it.
        let follows = |(payload, chain): &(&[u8], [u8; CHAIN])| {
            reading.damage.last().is_some_and(|damage| damage.offset + damage.bytes == reading.mark.offset)
                || link(&reading.mark.chain, payload) == *chain
        };
        match record(&bytes[at..]).filter(follows) {
            Some((payload, chain)) => {
                reading.records.push(Kept { offset: reading.mark.offset, record: Record::of_bytes(payload) });
                reading.mark.chain = chain;
                at += PREFIX + payload.len();
            }
            None if last => at = reading.skip(bytes, at, from),
            None => return reading,
        }
    }
}

impl Reading {
    /// Notes damage from `at` to the next record that checks by itself, or to the end; says where that is.
    fn skip(&mut self, bytes: &[u8], at: usize, from: &Mark) -> usize {
        let next = (at + 1..bytes.len()).find(|&place| record(&bytes[place..]).is_some()).unwrap_or(bytes.len());
        self.damage.push(Damage { offset: from.offset + at as u64, bytes: (next - at) as u64 });
        next
    }
}

/// A record at the start of these bytes that checks by its CRC: payload and chain.
fn record(bytes: &[u8]) -> Option<(&[u8], [u8; CHAIN])> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, crc) = (number(0)? as usize, number(4)?);
    if length == 0 || length > LONGEST {
        return None;
    }
    let payload = bytes.get(PREFIX..PREFIX + length)?;
    if crc32fast::hash(payload) != crc {
        return None;
    }
    Some((payload, bytes[8..PREFIX].try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest, Key,
        event::What,
        metric::{Chunk, Point},
    };
    use std::fs;

    fn event(clock: u64) -> Record {
        Record::Event(Event { clock, at: 1, what: What::Begun { key: Key(Digest::of(b"k")), attempt: 1 } })
    }

    fn clocks(reading: &Reading) -> Vec<u64> {
        let clock = |kept: &Kept| match &kept.record {
            Record::Event(event) => event.clock,
            _ => 0,
        };
        reading.records.iter().map(clock).collect()
    }

    /// A journal of five records whose writer is gone.
    fn five(folder: &Path) -> (PathBuf, Vec<u8>, Vec<u64>) {
        let mut journal = Journal::start(folder, 1).unwrap();
        let mut offsets: Vec<u64> = (10..14).flat_map(|clock| journal.append(&[event(clock)]).unwrap()).collect();
        let chunk = Chunk {
            key: Key(Digest::of(b"k")),
            attempt: 1,
            series: "loss".into(),
            points: vec![Point { step: 1, at: 2, value: 3.0 }],
        };
        offsets.extend(journal.append(&[Record::Metrics(chunk), event(14)]).unwrap());
        let path = journal.path.clone();
        drop(journal);
        (path.clone(), fs::read(&path).unwrap(), offsets)
    }

    #[test]
    fn what_was_acknowledged_is_read_back_at_its_offset() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole, offsets) = five(folder.path());
        let reading = read(&path, &Mark::default()).unwrap();
        assert_eq!(clocks(&reading), [10, 11, 12, 13, 0, 14]);
        assert_eq!(reading.records.iter().map(|kept| kept.offset).collect::<Vec<_>>(), offsets);
        assert!(reading.closed && reading.damage.is_empty() && reading.mark.offset == whole.len() as u64);
        // Read on from anywhere, the rest is the same.
        for offset in [offsets[1], offsets[4]] {
            let before = parse(&whole[..offset as usize], &Mark::default(), true);
            assert_eq!(read(&path, &before.mark).unwrap().records.len() + before.records.len(), 6);
        }
    }

    #[test]
    fn a_torn_tail_is_not_yet_while_the_writer_lives_and_damage_once_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole, offsets) = five(folder.path());
        for cut in offsets[5] as usize + 1..whole.len() {
            let alive = parse(&whole[..cut], &Mark::default(), false);
            assert_eq!((alive.records.len(), alive.damage.len(), alive.mark.offset), (5, 0, offsets[5]));
            fs::write(&path, &whole[..cut]).unwrap();
            let dead = read(&path, &Mark::default()).unwrap();
            assert_eq!((dead.records.len(), dead.mark.offset), (5, cut as u64));
            assert_eq!(dead.damage, [Damage { offset: offsets[5], bytes: cut as u64 - offsets[5] }]);
        }
    }

    #[test]
    fn any_flipped_byte_costs_one_record_and_keeps_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole, offsets) = five(folder.path());
        for flip in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[flip] ^= 0x41;
            fs::write(&path, &bytes).unwrap();
            let reading = read(&path, &Mark::default()).unwrap();
            assert_eq!(reading.damage.len(), 1, "flipped byte {flip}");
            let place = offsets.iter().rposition(|&offset| offset <= flip as u64);
            let lost = offsets.iter().filter(|offset| reading.records.iter().all(|kept| kept.offset != **offset)).count();
            // A flip in the head loses nothing; one in a stated chain makes the record after it follow on nothing known.
            assert_eq!(lost, usize::from(place.is_some()), "flipped byte {flip}");
        }
    }

    #[test]
    fn a_writer_that_lives_is_known_to_live() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::start(folder.path(), 1).unwrap();
        journal.append(&[event(1)]).unwrap();
        assert!(!read(&journal.path, &Mark::default()).unwrap().closed);
        let path = journal.path.clone();
        drop(journal);
        assert!(read(&path, &Mark::default()).unwrap().closed);
    }

    #[test]
    fn a_record_of_a_later_visavis_is_kept_and_not_understood() {
        assert_eq!(Record::of_bytes(br#"{"clock":1,"at":2,"what":{"dreamt":{}}}"#), Record::Later);
    }
}
