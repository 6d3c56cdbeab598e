//! Reading a journal: whole records, damage, and whether more may come.

use super::{
    HEAD,
    frame::{CHAIN, LONGEST, PREFIX, frame, link, record},
    search::Search,
};
use crate::{
    domain::{
        Fault, Result,
        event::{Record, Writer},
    },
    store::writer::{self, Locking},
};
use rustix::fs::{AtFlags, StatxFlags, statx};
use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::Path,
};

/// How much of a journal is read at a time, if no record is longer.
const STRIDE: usize = 8 << 20;

/// Behind damage, so much is read at a time: records that begin in the first part of it are whole in it.
/// Damage in one place that is searched for what follows it.
const MOST_DAMAGE: u64 = 256 << 20;
const WINDOW: usize = (16 << 20) + LONGEST + PREFIX;

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
    /// Who writes it, where this part begins with the first record and that says so.
    pub opened: Option<Writer>,
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
pub(in crate::store) fn read_after(path: &Path, from: &Mark, quiet: bool) -> Result<JournalPart> {
    let refused = |error| Fault::io("read the journal", path, &error);
    let mut file = match crate::files::open(path) {
        // Somebody said that it is there; this machine does not see it yet.
        Err(error) if error.kind() == ErrorKind::NotFound && !here(path).local => {
            return Ok(JournalPart { mark: from.clone(), ..JournalPart::default() });
        }
        file => file.map_err(refused)?,
    };
    // Asked before reading: what a writer that is gone now has written is all there.
    let life = life(path, &file).map_err(refused)?;
    // Forced, or another machine's writing shows only when a cache has run out.
    let length = match statx(&file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC, StatxFlags::SIZE) {
        Ok(about) => about.stx_size,
        Err(_) => file.metadata().map_err(refused)?.len(),
    };
    let gone = match life {
        Life::Lives => false,
        Life::Unknown => quiet || is_closed(&file, length).map_err(refused)?,
        Life::Gone => true,
    };
    let mut take = |at: u64, stride: usize| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at)).map_err(refused)?;
        file.by_ref().take(stride as u64).read_to_end(&mut bytes).map_err(refused)?;
        Ok(bytes)
    };
    let bytes = take(from.offset, STRIDE)?;
    let whole = from.offset + bytes.len() as u64 >= length;
    let reading = parse(&bytes, from, if whole && gone { bytes.len() } else { 0 });
    if whole || reading.mark.offset > from.offset {
        let closed = whole && gone;
        let read = from.offset + bytes.len() as u64;
        let pending = if whole && !closed { read.saturating_sub(reading.mark.offset) } else { 0 };
        return Ok(JournalPart { closed, more: !whole, pending, ..reading });
    }
    // Nothing in a stride: a record longer than that, or damage. Of a writer that is gone, what follows tells which.
    if gone {
        return behind_damage(from, length, take);
    }
    let bytes = take(from.offset, LONGEST + PREFIX)?;
    let reading = parse(&bytes, from, 0);
    Ok(JournalPart { more: reading.mark.offset > from.offset, ..reading })
}

/// Reads on from a mark at which there may be damage, of a writer that is gone: as far as a record behind it, or to the end.
fn behind_damage(from: &Mark, length: u64, mut take: impl FnMut(u64, usize) -> Result<Vec<u8>>) -> Result<JournalPart> {
    let mut reading = JournalPart { mark: from.clone(), ..JournalPart::default() };
    loop {
        let at = reading.mark.offset;
        let bytes = take(at, WINDOW)?;
        let whole = at + bytes.len() as u64 >= length || bytes.len() < WINDOW;
        let sure = if whole { bytes.len() } else { bytes.len() - LONGEST - PREFIX };
        reading = parse_on(reading, &bytes, sure);
        if whole {
            let ended = reading.mark.offset >= at + bytes.len() as u64;
            return Ok(JournalPart { closed: ended, more: !ended, ..reading });
        }
        if reading.records.is_empty() && reading.is_behind_damage() {
            if reading.mark.offset - from.offset < MOST_DAMAGE {
                continue;
            }
            // So much damage is nobody's journal: a hole of a terabyte would be searched for hours.
            if let Some(last) = reading.damage.last_mut() {
                last.bytes = length - last.offset;
            }
            reading.mark.offset = length;
            return Ok(JournalPart { closed: true, ..reading });
        }
        // Damage at the end of this part is told with the record that follows it.
        if reading.is_behind_damage()
            && let Some(last) = reading.damage.pop()
        {
            reading.mark.offset = last.offset;
        }
        return Ok(JournalPart { more: true, ..reading });
    }
}

/// This process, as somebody who writes where the journal is.
pub(super) fn here(path: &Path) -> Writer {
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
pub(super) fn opened(file: &File) -> std::io::Result<(Option<Writer>, bool)> {
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

/// The records at the start of these bytes, from a mark on. Of the first `sure` bytes all is known: what is no record there is damage.
pub(super) fn parse(bytes: &[u8], from: &Mark, sure: usize) -> JournalPart {
    parse_on(JournalPart { mark: from.clone(), ..JournalPart::default() }, bytes, sure)
}

/// As [`parse`], for bytes that follow what was read.
fn parse_on(mut reading: JournalPart, bytes: &[u8], sure: usize) -> JournalPart {
    let from = reading.mark.offset;
    let mut search = Search::new(bytes, sure);
    let mut at = if from > 0 {
        0
    } else if bytes.starts_with(HEAD) {
        HEAD.len()
    } else if sure > 0 {
        reading.skip(&mut search, 0, sure)
    } else {
        return reading;
    };
    loop {
        reading.mark.offset = from + at as u64;
        if at >= bytes.len() {
            return reading;
        }
        // After damage, a record is taken for what it says came before it.
        let behind = reading.is_behind_damage();
        let follows = |(payload, chain): &(&[u8], [u8; CHAIN])| behind || link(&reading.mark.chain, payload) == *chain;
        match record(&bytes[at..]).filter(follows) {
            Some((payload, chain)) => {
                match Record::of_bytes(payload) {
                    Record::Opened(writer) if reading.mark.offset == HEAD.len() as u64 => reading.opened = Some(writer),
                    Record::Opened(_) | Record::Closed => {}
                    record => reading.records.push(StoredRecord { offset: reading.mark.offset, record }),
                }
                reading.mark.chain = chain;
                at += PREFIX + payload.len();
                // Damage is looked through in large parts; of what was found, no more is held than of others.
                if at >= STRIDE && bytes.len() > STRIDE {
                    reading.mark.offset = from + at as u64;
                    return reading;
                }
            }
            None if at < sure => at = reading.skip(&mut search, at, sure),
            None => return reading,
        }
    }
}

impl JournalPart {
    /// Whether what was read last is damage.
    fn is_behind_damage(&self) -> bool {
        self.damage.last().is_some_and(|damage| damage.offset + damage.bytes == self.mark.offset)
    }

    /// Notes damage from `at`, where the mark is, to the next record that checks by itself, or to `end`; says where that is.
    fn skip(&mut self, search: &mut Search, at: usize, end: usize) -> usize {
        let next = search.next(at + 1, end).unwrap_or(end);
        let more = (next - at) as u64;
        if self.is_behind_damage()
            && let Some(last) = self.damage.last_mut()
        {
            last.bytes += more;
        } else {
            self.damage.push(Damage { offset: self.mark.offset, bytes: more });
        }
        next
    }
}
