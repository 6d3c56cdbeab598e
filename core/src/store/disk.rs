//! Everything Visavis does to a disk that must not be lost: write, sync, rename, link; and files that are whole or not there.
//!
//! Each of the four passes a fail point (`store/fail_point.rs`), so that tests can refuse it or end the process just there.

use super::{
    fail_point::{self, Op},
    writer,
};
use crate::domain::{Fault, Result};
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The start of the name of a file that is not whole yet.
pub(super) const PART: &str = ".part-";

/// Whether this call gave the file its name, or another process had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CreatedFirst {
    Yes,
    No,
}

/// Creates `path` with `bytes` unless it exists: the first one wins, and a reader never sees half a file.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<CreatedFirst> {
    let half = write_beside(path, bytes)?;
    let linked = link(&half, path);
    fs::remove_file(&half).ok();
    match linked {
        Ok(()) => sync_folder_of(path).map(|()| CreatedFirst::Yes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(CreatedFirst::No),
        Err(error) => Err(Fault::io("create", path, &error)),
    }
}

/// Creates `path` with `bytes` unless it exists; whether it did not.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    create(path, bytes).map(|first| first == CreatedFirst::Yes)
}

/// Gives `path` these bytes, whatever it held.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let half = write_beside(path, bytes)?;
    fail_point::pass(Op::Rename).and_then(|()| fs::rename(&half, path)).map_err(|error| {
        fs::remove_file(&half).ok();
        Fault::io("write", path, &error)
    })?;
    sync_folder_of(path)
}

/// A name for a file that is not whole yet, which no other process gives: it says on which machine which process writes it.
pub(super) fn part_in(folder: &Path) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{PART}{}-{}-{}-{number}", writer::machine(), std::process::id(), writer::token()))
}

/// A synced file beside `path` that holds `bytes`; removed again if anything fails.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let folder = folder_of(path);
    make_folder(folder)?;
    let half = part_in(folder);
    let written = File::create_new(&half).and_then(|mut file| write(&mut file, bytes).and_then(|()| sync(&file)));
    written.map(|()| half.clone()).map_err(|error| {
        fs::remove_file(&half).ok();
        Fault::io("write", path, &error)
    })
}

/// Makes a folder that outlives a power cut.
pub fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let refused = |error| Fault::io("create the folder", folder, &error);
    fs::create_dir_all(folder).map_err(refused)?;
    sync_folder_of(folder)
}

/// The folder a file is in; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file's name is kept when its folder is synced.
pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| sync(&folder)).map_err(|error| Fault::io("sync the folder", folder, &error))
}

/// Writes all bytes.
pub(super) fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if let Err(error) = fail_point::pass(Op::Write) {
        // A write that is refused has often been begun.
        file.write_all(&bytes[..bytes.len() / 2])?;
        return Err(error);
    }
    file.write_all(bytes)
}

/// Gives a file another name, for good.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fail_point::pass(Op::Rename).and_then(|()| fs::rename(from, to)).map_err(|error| Fault::io("put in place", to, &error))?;
    sync_folder_of(to)
}

/// Gives a file a second name, unless that is taken.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fail_point::pass(Op::Link)?;
    fs::hard_link(from, to)
}

pub(super) fn sync(file: &File) -> io::Result<()> {
    fail_point::pass(Op::Sync)?;
    file.sync_data()
}

/// Has the system ask anew what a shared folder holds, before it is listed.
pub(super) fn look_anew(folder: &Path) {
    statx(CWD, folder, AtFlags::STATX_FORCE_SYNC, StatxFlags::MTIME).ok();
}

/// Nobody writes one file for so long.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Removes what writers that are gone left half-written in a folder, and says how many files that were. Gone are processes
/// of this machine that are no more; of other machines nothing is known, and what they left is a day old before it goes.
pub(super) fn sweep(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let left = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PART)) else { return false };
        let mut parts = rest.split('-');
        let owner = (parts.next(), parts.next().and_then(|pid| pid.parse().ok()));
        let gone = matches!(owner, (Some(machine), Some(pid)) if machine == writer::machine() && !writer::lives(pid));
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        gone || age.is_some_and(|age| age > DAY)
    };
    entries.filter(left).filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_have_names_of_their_own_and_only_those_of_the_dead_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (part_in(folder.path()), part_in(folder.path()));
        assert_ne!(one, two);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let (dead, machine) = (child.id(), writer::machine());
        let name = |rest: &str| folder.path().join(format!("{PART}{rest}"));
        let gone = name(&format!("{machine}-{dead}-{}-0", "ab".repeat(8)));
        // Another machine's process of the same number; a name of before machines were in it; this process's own.
        let others = [name(&format!("{}-{dead}-{}-0", "0".repeat(16), "cd".repeat(8))), name(&format!("{dead}-0")), one];
        for path in others.iter().chain([&gone]) {
            fs::write(path, b"half").unwrap();
        }
        assert_eq!(sweep(folder.path()), 1);
        assert!(!gone.exists() && others.iter().all(|path| path.exists()));
        // Those go when they are a day old.
        let old = std::time::SystemTime::now() - DAY - Duration::from_secs(60);
        for path in &others {
            File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
        }
        assert_eq!(sweep(folder.path()), 3);
    }
}
