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

mod frame;
mod reader;
mod search;
mod stranger;

#[cfg(test)]
mod tests;

use super::{
    Injection, disk,
    writer::{self, Locking},
};
use crate::domain::{
    Fault, Result,
    event::{Event, Record},
    text::size,
};
use frame::{CHAIN, Framed, LONGEST, frame};
pub(super) use reader::read_after;
pub use reader::{Damage, JournalPart, Mark, StoredRecord, read};
use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
pub use stranger::why_strange;
pub(super) use stranger::workspace_of;

const HEAD: &[u8] = b"VISAVIS journal 1\n";
/// How many journals this process has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

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
        let origin = stranger::workspace_of(folder, true);
        let (mut chain, mut end) = ([0; CHAIN], 0);
        // Locked before it has its name: whoever finds it by that name can tell that its writer lives.
        let begun = writer::lock(&file, false).and_then(|locking| {
            ours.locks = locking != Locking::Without;
            ours.journal = format!("{name}#{}", STARTED.fetch_add(1, Ordering::Relaxed));
            ours.workspace = origin;
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
            match frame(record, &mut chain, &mut bytes) {
                Framed::Yes => offsets.push(offset),
                Framed::Never => {}
                Framed::TooLong(length) => {
                    return Err(Fault::unexpected(format!(
                        "a record of {} is not written: a journal's records have {} at most",
                        size(length as u64),
                        size(LONGEST as u64)
                    ))
                    .in_file(&self.path)
                    .next("this is a bug in visavis, or a study of very many stages; please report it"));
                }
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
        if !self.local && !self.torn && frame(&Record::Closed, &mut self.chain, &mut bytes) == Framed::Yes {
            disk::write(&mut self.file, &bytes).and_then(|()| disk::sync(&self.file)).ok();
        }
    }
}

/// Tells a test what was acknowledged: a line a record in the file that [`Injection::Acknowledged`] names.
fn testify(path: &Path, offsets: &[u64]) {
    use std::io::Write;
    let Some(file) = Injection::Acknowledged.value_os() else { return };
    let lines: String = offsets.iter().map(|offset| format!("{}\t{offset}\n", name_of(path))).collect();
    File::options().append(true).create(true).open(file).and_then(|mut file| file.write_all(lines.as_bytes())).ok();
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
