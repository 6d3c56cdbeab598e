//! Letters between processes that share nothing but a folder, such as the dispatcher on a login machine and workers on nodes.
//!
//! ```text
//! data/post/<run>/<token>.answers   written by one worker: its hello, then what it says
//! data/post/<run>/<token>.orders    written by the dispatcher: what that worker is to do
//! file: "VISAVIS mailbox 1\n", then letters: length u32 LE · CRC-32 of number and payload u32 LE · payload
//! ```
//! What holds on every shared file system is little, and this keeps to it:
//! - One process writes a file, and only appends: two that append are not atomic over NFS.
//! - A file has its name when its first letter is in it. It is found by listing the folder. It is never asked for by name before: clients
//!   keep "not there" for as long as a minute.
//! - Before each read the file is asked for anew (`statx` with `AT_STATX_FORCE_SYNC`). Sizes and times are believed otherwise by nobody.
//! - A letter is there when its length and its checksum say so. What does not check is "not yet"; that it stays so for long is for the
//!   reader's owner to judge ([`MailReader::is_stuck`]), on a clock of its own.

mod frame;
#[cfg(test)]
mod tests;

use super::disk;
use crate::domain::{Fault, Result};
use frame::{Framed, LONGEST};
use rustix::fs::{AtFlags, StatxFlags, statx};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const HEAD: &[u8] = b"VISAVIS mailbox 1\n";

/// So much is read at a time.
const MOST_READ: usize = 1 << 20;

/// A file of letters that this process writes.
pub struct MailWriter {
    path: PathBuf,
    file: File,
    /// How many letters it holds, and its length.
    letters: u64,
    end: u64,
    /// Set when a letter was refused and could not be taken back: nothing may follow it.
    torn: bool,
}

impl MailWriter {
    /// A new file with its first letter. It has its name when that is in it.
    ///
    /// # Errors
    /// A name that is taken, a disk that refuses.
    pub fn create(folder: &Path, name: &str, first: &[u8]) -> Result<Self> {
        let path = folder.join(name);
        let mut bytes = HEAD.to_vec();
        if !frame::frame(0, first, &mut bytes) {
            return Err(Fault::unexpected("a letter that is empty or too long").in_file(path));
        }
        // Over NFS the file may have been made and the answer lost: it is this one's if it holds the same.
        let is_own = || std::fs::read(&path).is_ok_and(|held| held == bytes);
        if disk::create(&path, &bytes)? == disk::CreatedFirst::No && !is_own() {
            return Err(Fault::unexpected("another process writes these letters").in_file(path));
        }
        // Where each name has a file of its own (FUSE), what is written must go by this one.
        let file = File::options().append(true).open(&path).map_err(|error| Fault::io("open", &path, &error))?;
        Ok(MailWriter { path, file, letters: 1, end: bytes.len() as u64, torn: false })
    }

    /// Goes on with a file whose writer is gone, behind its last whole letter: what comes after that was never read by anybody.
    ///
    /// # Errors
    /// A file that cannot be read or cut; one that is no mailbox.
    pub fn resume(folder: &Path, name: &str) -> Result<Self> {
        let mut reader = MailReader::new(folder, name);
        while !reader.read()?.is_empty() {}
        let path = folder.join(name);
        let refused = |error| Fault::io("go on with", &path, &error);
        if reader.offset == 0 {
            return Err(Fault::unexpected("it holds no letter").in_file(path));
        }
        let file = File::options().append(true).open(&path).map_err(refused)?;
        file.set_len(reader.offset).map_err(refused)?;
        Ok(MailWriter { path, file, letters: reader.letters, end: reader.offset, torn: false })
    }

    /// Appends letters and syncs: all of them, or none.
    ///
    /// # Errors
    /// A disk that refuses; a letter that is empty or longer than 64 MiB.
    pub fn append<'a>(&mut self, letters: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        if self.torn {
            return Err(Fault::unexpected("no letter follows: an earlier one was refused").in_file(&self.path));
        }
        let (mut bytes, mut number) = (Vec::new(), self.letters);
        for letter in letters {
            if !frame::frame(number, letter, &mut bytes) {
                return Err(Fault::unexpected("a letter that is empty or too long").in_file(&self.path));
            }
            number += 1;
        }
        let written = disk::write(&mut self.file, &bytes).and_then(|()| disk::sync(&self.file));
        if let Err(error) = written {
            self.torn = self.file.set_len(self.end).is_err();
            return Err(Fault::io("write a letter to", &self.path, &error));
        }
        (self.letters, self.end) = (number, self.end + bytes.len() as u64);
        Ok(())
    }
}

/// Reads a file of letters from its start on, each letter once.
pub struct MailReader {
    path: PathBuf,
    file: Option<File>,
    /// Where the next letter begins, and its number.
    offset: u64,
    letters: u64,
    stuck: bool,
}

impl MailReader {
    /// Of a file that was listed ([`listed`]). Nothing is opened yet.
    pub fn new(folder: &Path, name: &str) -> Self {
        MailReader { path: folder.join(name), file: None, offset: 0, letters: 0, stuck: false }
    }

    /// The letters that have come since this was last called, at most about a megabyte of them, and one at least if it is there whole.
    ///
    /// # Errors
    /// A file that was read before and cannot be any more, or one that is no mailbox.
    pub fn read(&mut self) -> Result<Vec<Vec<u8>>> {
        match self.attempt() {
            Ok(letters) => Ok(letters),
            Err(error) => {
                // The server has given the file up, or its node lost it for a moment: it is opened anew at the next read.
                self.file = None;
                let passes =
                    [ErrorKind::NotFound, ErrorKind::StaleNetworkFileHandle, ErrorKind::Interrupted, ErrorKind::TimedOut];
                let passes = passes.contains(&error.kind()) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
                if passes { Ok(vec![]) } else { Err(Fault::io("read letters from", &self.path, &error)) }
            }
        }
    }

    /// Bytes are there behind the last letter, and they are no letter and no beginning of one. They may become one; while this stays so, no
    /// other letter can be read.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    fn attempt(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        // Without this a shared folder shows the file as it was some seconds ago.
        let about = statx(&file, "", AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC, StatxFlags::SIZE)?;
        let letters = self.letters_of(&file, about.stx_size);
        self.file = Some(file);
        letters
    }

    fn letters_of(&mut self, file: &File, size: u64) -> io::Result<Vec<Vec<u8>>> {
        let mut letters = Vec::new();
        if self.offset == 0 {
            let mut head = [0; HEAD.len()];
            let read = read_at(file, &mut head, 0)?;
            if read < HEAD.len() || head.iter().all(|byte| *byte == 0) {
                return Ok(letters);
            }
            if head != HEAD {
                return Err(io::Error::new(ErrorKind::InvalidData, "it is no mailbox of this version"));
            }
            self.offset = HEAD.len() as u64;
        }
        let there = size.saturating_sub(self.offset) as usize;
        let mut bytes = vec![0; there.min(MOST_READ)];
        loop {
            let read = read_at(file, &mut bytes, self.offset)?;
            let is_full = read == bytes.len();
            bytes.truncate(read);
            let mut at = 0;
            self.stuck = false;
            loop {
                match frame::letter(self.letters, &bytes[at..]) {
                    Framed::Whole(payload, length) => {
                        letters.push(payload.to_vec());
                        at += length;
                        self.letters += 1;
                    }
                    Framed::Part => break,
                    Framed::Odd => {
                        self.stuck = true;
                        break;
                    }
                }
            }
            self.offset += at as u64;
            // A letter that is longer than what is read at a time is read at once.
            if letters.is_empty() && !self.stuck && is_full && read < there.min(LONGEST + 8) {
                bytes = vec![0; there.min(LONGEST + 8)];
                continue;
            }
            return Ok(letters);
        }
    }
}

/// Fills as much of the buffer as there is.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The names in a folder that end like this, without that end. A folder that is not visible yet has none.
///
/// # Errors
/// A folder that cannot be listed.
pub fn listed(folder: &Path, end: &str) -> Result<BTreeSet<String>> {
    disk::look_anew(folder);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(Fault::io("list", folder, &error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.strip_suffix(end).map(str::to_owned)).collect())
}

/// Removes a folder with all that is in it, as far as that goes.
pub fn remove_folder(folder: &Path) {
    std::fs::remove_dir_all(folder).ok();
}

/// Removes the files in a folder that end like one of these: nobody writes or reads them any more.
pub fn clear(folder: &Path, ends: &[&str]) {
    for end in ends {
        for name in listed(folder, end).unwrap_or_default() {
            std::fs::remove_file(folder.join(format!("{name}{end}"))).ok();
        }
    }
}
