//! Journals: append-only records of what one process did, `data/journals/<start>-<pid>.journal`.
//!
//! ```text
//! "VISAVIS journal 1\n"
//! record*: length u32 LE · CRC-32 of the payload u32 LE · chain 32 bytes · payload (an event as JSON, or a metric chunk)
//! chain = BLAKE3(chain of the record before · payload); before the first: 32 zero bytes
//! ```
//! One file a process start, never reopened, locked by its writer as long as that lives. Its first record says who that is.
//! A record is acknowledged when it is synced; its name for ever is its journal's name and its offset. What does not check is
//! "not yet" while the writer may live; once it surely does not, it is damage: it is named, and every whole record after it is
//! kept. A lock that is granted says so only of a writer whose locks are seen here (`writer.rs`). Of others, the last record
//! says it, or that nothing came for long after all their dispatchers were gone.

use super::{
    Injection, disk,
    writer::{self, Locking},
};
use crate::domain::{
    Fault, Result,
    event::{Event, Record, Writer},
};
use rustix::fs::{AtFlags, StatxFlags, statx};
use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const HEAD: &[u8] = b"VISAVIS journal 1\n";
const CHAIN: usize = 32;
const PREFIX: usize = 8 + CHAIN;

/// No record is longer: a length that is must be damage.
const LONGEST: usize = 64 << 20;

/// How much of a journal is read at a time, if no record is longer.
const STRIDE: u64 = 8 << 20;

/// A journal that this process writes.
pub struct Journal {
    path: PathBuf,
    file: File,
    chain: [u8; CHAIN],
    /// Where the next record goes.
    end: u64,
    /// Set when a record was refused and could not be taken back: nothing may follow it.
    torn: bool,
    /// On a disk of this machine alone, where the lock says all.
    local: bool,
}

impl Journal {
    /// A new journal; `now` in milliseconds since 1970 names it.
    pub fn start(folder: &Path, now: u64) -> Result<Self> {
        disk::make_folder(folder)?;
        let mut name = format!("{now:015}-{}", std::process::id());
        let half = disk::part_in(folder);
        let refused = |error| Fault::io("start the journal", folder, &error);
        let mut file = File::options().read(true).append(true).create_new(true).open(&half).map_err(refused)?;
        let mut ours = writer::here(folder);
        let (mut chain, mut end) = ([0; CHAIN], 0);
        // Locked before it has its name: whoever finds it by that name can tell that its writer lives.
        let begun = writer::lock(&file, false).and_then(|locking| {
            ours.locks = locking != Locking::Without;
            let mut bytes = HEAD.to_vec();
            frame(&Record::Opened(ours.clone()), &mut chain, &mut bytes);
            end = bytes.len() as u64;
            disk::write(&mut file, &bytes).and_then(|()| disk::sync(&file))
        });
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
        let named = named.and_then(|path| {
            // Where each name has locks of its own (FUSE), it is locked again by the name it is found by.
            let again = File::options().read(true).append(true).open(&path)?;
            if ours.locks && writer::lock(&again, false)? == Locking::Granted {
                file = again;
            }
            Ok(path)
        });
        std::fs::remove_file(&half).ok();
        let path = named.map_err(refused)?;
        disk::sync_folder_of(&path)?;
        Ok(Journal { path, file, chain, end, torn: false, local: ours.local })
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
        for record in records {
            let offset = self.end + bytes.len() as u64;
            if frame(record, &mut chain, &mut bytes) {
                offsets.push(offset);
            }
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
        testify(&self.path, &offsets);
        Ok(offsets)
    }

    /// Appends one event and syncs; says its offset. Errors as those of [`Self::append`].
    pub fn append_event(&mut self, event: Event) -> Result<u64> {
        Ok(self.append(&[Record::Event(event)])?[0])
    }
}

impl Drop for Journal {
    /// Says that nothing follows, to those who cannot tell by the lock; one that is killed does not come to it.
    fn drop(&mut self) {
        let mut bytes = Vec::new();
        if !self.local && !self.torn && frame(&Record::Closed, &mut self.chain, &mut bytes) {
            disk::write(&mut self.file, &bytes).and_then(|()| disk::sync(&self.file)).ok();
        }
    }
}

/// Appends a record to the bytes of a journal, and to its chain; `false` for one that cannot be written.
fn frame(record: &Record, chain: &mut [u8; CHAIN], bytes: &mut Vec<u8>) -> bool {
    let Some(payload) = record.to_bytes() else { return false };
    *chain = link(chain, &payload);
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(&payload).to_le_bytes());
    bytes.extend(*chain);
    bytes.extend(payload);
    true
}

/// Tells a test what was acknowledged: a line a record in the file that [`Injection::Acknowledged`] names.
fn testify(path: &Path, offsets: &[u64]) {
    use std::io::Write;
    let Some(file) = Injection::Acknowledged.value_os() else { return };
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
    /// In bytes from the journal's start: where the next record starts.
    pub offset: u64,
    /// The chain up to there.
    pub chain: [u8; CHAIN],
}

/// A whole record.
#[derive(Debug, PartialEq)]
pub struct StoredRecord {
    /// In bytes from the journal's start.
    pub offset: u64,
    /// What it holds.
    pub record: Record,
}

/// Bytes that are no record and never will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// In bytes from the journal's start.
    pub offset: u64,
    /// How many bytes are damaged.
    pub bytes: u64,
}

/// What was read of a journal in one go.
#[derive(Debug, Default)]
pub struct JournalPart {
    /// Whole records, in order.
    pub records: Vec<StoredRecord>,
    /// What will never be a record, in order.
    pub damage: Vec<Damage>,
    /// Where to read on.
    pub mark: Mark,
    /// There is more to read now.
    pub more: bool,
    /// The writer is gone and everything was read: nothing will ever come.
    pub closed: bool,
    /// Bytes behind the mark that are no record yet, of a writer that may live.
    pub pending: u64,
}

/// What is known of a journal's writer.
enum Life {
    Lives,
    /// Its locks are not seen here.
    Unknown,
    Gone,
}

/// Reads on from a mark.
pub fn read(path: &Path, from: &Mark) -> Result<JournalPart> {
    read_after(path, from, false)
}

/// Reads on from a mark. `quiet`: the caller knows that a writer of another machine is gone, for nothing came for long and
/// its dispatcher is gone.
pub(super) fn read_after(path: &Path, from: &Mark, quiet: bool) -> Result<JournalPart> {
    let refused = |error| Fault::io("read the journal", path, &error);
    let mut file = match File::open(path) {
        // Somebody said that it is there; this machine does not see it yet.
        Err(error) if error.kind() == ErrorKind::NotFound && !here(path).local => {
            return Ok(JournalPart { mark: from.clone(), ..JournalPart::default() });
        }
        file => file.map_err(refused)?,
    };
    // Forced, or another machine's writing shows only when a cache has run out.
    let length = match statx(&file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC, StatxFlags::SIZE) {
        Ok(about) => about.stx_size,
        Err(_) => file.metadata().map_err(refused)?.len(),
    };
    // Asked before reading: what a writer that is gone now has written is all there.
    let gone = match life(path, &file).map_err(refused)? {
        Life::Lives => false,
        Life::Unknown => quiet || is_closed(&file, length).map_err(refused)?,
        Life::Gone => true,
    };
    let mut take = |stride: u64| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from.offset)).map_err(refused)?;
        file.by_ref().take(stride).read_to_end(&mut bytes).map_err(refused)?;
        Ok(bytes)
    };
    let bytes = take(STRIDE)?;
    let whole = from.offset + bytes.len() as u64 >= length;
    let reading = parse(&bytes, from, whole && gone);
    if whole || reading.mark.offset > from.offset {
        let closed = whole && gone;
        let read = from.offset + bytes.len() as u64;
        let pending = if whole && !closed { read.saturating_sub(reading.mark.offset) } else { 0 };
        return Ok(JournalPart { closed, more: !whole, pending, ..reading });
    }
    // Nothing in a stride: a record longer than that, or damage. Of a writer that is gone, everything tells which.
    let bytes = take(if gone { u64::MAX } else { (LONGEST + PREFIX) as u64 })?;
    let whole = from.offset + bytes.len() as u64 >= length;
    let reading = parse(&bytes, from, gone);
    Ok(JournalPart { closed: gone, more: !gone && !whole && reading.mark.offset > from.offset, ..reading })
}

/// This process, as somebody who writes where the journal is.
fn here(path: &Path) -> Writer {
    writer::here(path.parent().unwrap_or(Path::new(".")))
}

fn life(path: &Path, file: &File) -> std::io::Result<Life> {
    let locking = writer::lock(file, true)?;
    if locking == Locking::Refused {
        return Ok(Life::Lives);
    }
    let ours = here(path);
    let (opened, follows) = opened(file)?;
    Ok(match opened {
        // Of before writers said who they are, or damaged.
        None if ours.local && locking == Locking::Granted => Life::Gone,
        None => Life::Unknown,
        Some(theirs) if writer::is_gone(&theirs, &ours) => Life::Gone,
        // Where each name has locks of its own, it may just now be locked by this one: nothing follows before it is.
        Some(theirs) if writer::sees_locks_of(&ours, &theirs) && (follows || ours.local) && locking == Locking::Granted => {
            Life::Gone
        }
        Some(_) => Life::Unknown,
    })
}

/// Did its writer say that nothing follows?
fn is_closed(file: &File, length: u64) -> std::io::Result<bool> {
    let mut bytes = Vec::new();
    frame(&Record::Closed, &mut [0; CHAIN], &mut bytes);
    let Some(at) = length.checked_sub(bytes.len() as u64) else { return Ok(false) };
    let read = file.read_at(&mut bytes, at)?;
    Ok(record(&bytes[..read]).is_some_and(|(payload, _)| Record::of_bytes(payload) == Record::Closed))
}

/// Who writes a journal, and whether anything follows what says so.
fn opened(file: &File) -> std::io::Result<(Option<Writer>, bool)> {
    let mut bytes = vec![0; 4096];
    let mut held = 0;
    while held < bytes.len() {
        match file.read_at(&mut bytes[held..], held as u64)? {
            0 => break,
            more => held += more,
        }
    }
    let Some(rest) = bytes[..held].strip_prefix(HEAD) else { return Ok((None, false)) };
    Ok(match record(rest).map(|(payload, _)| (Record::of_bytes(payload), payload.len())) {
        Some((Record::Opened(writer), length)) => (Some(writer), rest.len() > PREFIX + length),
        _ => (None, false),
    })
}

/// `last`: nothing will follow these bytes, so what is no record is damage.
fn parse(bytes: &[u8], from: &Mark, last: bool) -> JournalPart {
    let mut reading = JournalPart { mark: from.clone(), ..JournalPart::default() };
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
                match Record::of_bytes(payload) {
                    Record::Opened(_) | Record::Closed => {}
                    record => reading.records.push(StoredRecord { offset: reading.mark.offset, record }),
                }
                reading.mark.chain = chain;
                at += PREFIX + payload.len();
            }
            None if last => at = reading.skip(bytes, at, from),
            None => return reading,
        }
    }
}

impl JournalPart {
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
        event::EventKind,
        metric::{Chunk, MetricPoint},
    };
    use std::fs;

    fn event(clock: u64) -> Record {
        Record::Event(Event { clock, at: 1, what: EventKind::Begun { key: Key(Digest::of(b"k")), attempt: 1 } })
    }

    fn clocks(reading: &JournalPart) -> Vec<u64> {
        let clock = |kept: &StoredRecord| match &kept.record {
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
            points: vec![MetricPoint { step: 1, at: 2, value: 3.0 }],
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

    /// The journal of five records as another machine would have written it, in a folder of this one's.
    fn of_another(folder: &Path, change: impl Fn(&mut Writer)) -> (PathBuf, Vec<u8>, Vec<u64>) {
        let (path, whole, _) = five(folder);
        let (mut chain, mut bytes, mut offsets) = ([0; CHAIN], HEAD.to_vec(), vec![]);
        let mut writer = here(&path);
        change(&mut writer);
        frame(&Record::Opened(writer), &mut chain, &mut bytes);
        for kept in parse(&whole, &Mark::default(), true).records {
            offsets.push(bytes.len() as u64);
            frame(&kept.record, &mut chain, &mut bytes);
        }
        fs::write(&path, &bytes).unwrap();
        (path, bytes, offsets)
    }

    #[test]
    fn the_first_record_says_who_writes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole, offsets) = five(folder.path());
        let (writer, follows) = opened(&File::open(&path).unwrap()).unwrap();
        let writer = writer.unwrap();
        assert_eq!((writer.pid, follows, writer.clone()), (std::process::id(), true, here(&path)));
        assert!(writer.local && writer.locks && !writer.host.is_empty() && writer.token.len() == 16);
        let payload = &whole[HEAD.len() + PREFIX..offsets[0] as usize];
        let json: serde_json::Value = serde_json::from_slice(payload).unwrap();
        assert_eq!(json["opened"]["pid"], std::process::id());
        // A journal of before: no such record, and everything is read.
        let mut old = HEAD.to_vec();
        let mut chain = [0; CHAIN];
        (20..23).for_each(|clock| _ = frame(&event(clock), &mut chain, &mut old));
        fs::write(&path, &old).unwrap();
        let reading = read(&path, &Mark::default()).unwrap();
        assert_eq!((clocks(&reading), reading.closed), (vec![20, 21, 22], true));
    }

    #[test]
    fn a_torn_tail_of_another_machine_is_not_yet_until_its_writer_is_surely_gone() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = |writer: &mut Writer| {
            writer.local = false;
            for of in [&mut writer.host, &mut writer.boot, &mut writer.machine] {
                *of = "another".into();
            }
        };
        let (path, whole, offsets) = of_another(folder.path(), elsewhere);
        for cut in [offsets[5] + 1, offsets[5] + 20, whole.len() as u64 - 1] {
            fs::write(&path, &whole[..cut as usize]).unwrap();
            let early = read(&path, &Mark::default()).unwrap();
            assert_eq!((early.records.len(), early.damage.len(), early.closed), (5, 0, false), "cut at {cut}");
            assert_eq!((early.mark.offset, early.pending), (offsets[5], cut - offsets[5]));
            // The rest came: nothing is lost.
            fs::write(&path, &whole).unwrap();
            let rest = read(&path, &early.mark).unwrap();
            assert_eq!((clocks(&rest), rest.closed, rest.pending), (vec![14], false, 0));
            // It never came, and whoever looked knows that its writer is gone.
            fs::write(&path, &whole[..cut as usize]).unwrap();
            let late = read_after(&path, &early.mark, true).unwrap();
            assert_eq!((late.damage.len(), late.closed), (1, true));
        }
        // One that ended well has said so.
        let mut closed = whole.clone();
        let mut chain = parse(&whole, &Mark::default(), true).mark.chain;
        frame(&Record::Closed, &mut chain, &mut closed);
        fs::write(&path, &closed).unwrap();
        let reading = read(&path, &Mark::default()).unwrap();
        assert!(reading.closed && reading.damage.is_empty() && reading.records.len() == 6);
    }

    #[test]
    fn on_a_shared_mount_of_ones_own_a_free_lock_tells_once_something_follows_the_first_record() {
        let folder = tempfile::tempdir().unwrap();
        let (path, whole, offsets) = of_another(folder.path(), |writer| writer.local = false);
        let ours = Writer { local: false, ..here(&path) };
        let tells = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let (theirs, follows) = opened(&File::open(&path).unwrap()).unwrap();
            writer::sees_locks_of(&ours, &theirs.unwrap()) && follows
        };
        assert!(tells(&whole) && !tells(&whole[..offsets[0] as usize]));
        // A process of this machine that is no more is gone, whatever mount it wrote through.
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let dead = child.id();
        let (path, whole, _) = of_another(folder.path(), |writer| (writer.local, writer.device, writer.pid) = (false, 7, dead));
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        assert_eq!(read(&path, &Mark::default()).unwrap().damage.len(), 1);
    }

    #[test]
    fn a_record_of_a_later_visavis_is_kept_and_not_understood() {
        assert_eq!(Record::of_bytes(br#"{"clock":1,"at":2,"what":{"dreamt":{}}}"#), Record::Later);
    }
}
