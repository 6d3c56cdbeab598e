//! Everything Visavis does to a disk that must not be lost: write, sync, rename, link; and files that are whole or not there.
//!
//! Each of the four passes a fail point, so that tests can refuse it or end the process just there: `VISAVIS_FAIL` holds
//! `[ROLE:]OP@N=HOW` (`worker:sync@3=kill`); OP is `write`, `sync`, `rename`, `link` or `any`, N counts from 1 in each
//! process, HOW is `enospc`, `eio` or `kill`. Optimised builds have no fail points.

use crate::domain::{Fault, Result};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// The start of the name of a file that is not whole yet.
pub const PART: &str = ".part-";

/// Whether this call gave the file its name, or another process had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    Yes,
    No,
}

/// Creates `path` with `bytes` unless it exists: the first one wins, and a reader never sees half a file.
pub fn create(path: &Path, bytes: &[u8]) -> Result<First> {
    let half = write_beside(path, bytes)?;
    let linked = link(&half, path);
    fs::remove_file(&half).ok();
    match linked {
        Ok(()) => sync_folder_of(path).map(|()| First::Yes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(First::No),
        Err(error) => Err(Fault::io("create", path, &error)),
    }
}

/// Gives `path` these bytes, whatever it held.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let half = write_beside(path, bytes)?;
    trip(Op::Rename).and_then(|()| fs::rename(&half, path)).map_err(|error| {
        fs::remove_file(&half).ok();
        Fault::io("write", path, &error)
    })?;
    sync_folder_of(path)
}

/// A synced file beside `path` that holds `bytes`; removed again if anything fails.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let folder = folder_of(path);
    make_folder(folder)?;
    let half = folder.join(format!("{PART}{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let written = File::create(&half).and_then(|mut file| write(&mut file, bytes).and_then(|()| sync(&file)));
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
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file's name is kept when its folder is synced.
pub fn sync_folder_of(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| sync(&folder)).map_err(|error| Fault::io("sync the folder", folder, &error))
}

/// Writes all bytes.
pub fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if let Err(error) = trip(Op::Write) {
        // A write that is refused has often been begun.
        file.write_all(&bytes[..bytes.len() / 2])?;
        return Err(error);
    }
    file.write_all(bytes)
}

/// Gives a file another name, for good.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    trip(Op::Rename).and_then(|()| fs::rename(from, to)).map_err(|error| Fault::io("put in place", to, &error))?;
    sync_folder_of(to)
}

/// Gives a file a second name, unless that is taken.
pub fn link(from: &Path, to: &Path) -> io::Result<()> {
    trip(Op::Link)?;
    fs::hard_link(from, to)
}

pub fn sync(file: &File) -> io::Result<()> {
    trip(Op::Sync)?;
    file.sync_data()
}

/// Removes what writers that are gone left half-written in a folder, and says how many files that were. The caller knows
/// that no writer lives.
pub fn sweep(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let half = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PART));
    half.filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Write,
    Sync,
    Rename,
    Link,
}

#[derive(Debug)]
struct FailPoint {
    /// `None`: any of them.
    op: Option<Op>,
    turn: u64,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Refuse(i32),
    Kill,
}

fn trip(op: Op) -> io::Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    static POINT: OnceLock<Option<FailPoint>> = OnceLock::new();
    static TURN: AtomicU64 = AtomicU64::new(0);
    let point = POINT.get_or_init(|| fail_point(&std::env::var("VISAVIS_FAIL").ok()?, std::env::args().nth(1).as_deref()));
    let Some(point) = point.as_ref().filter(|point| point.op.is_none_or(|wanted| wanted == op)) else { return Ok(()) };
    if TURN.fetch_add(1, Ordering::Relaxed) + 1 != point.turn {
        return Ok(());
    }
    match point.how {
        How::Refuse(number) => Err(io::Error::from_raw_os_error(number)),
        How::Kill => {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).ok();
            loop {
                std::thread::park();
            }
        }
    }
}

fn fail_point(text: &str, command: Option<&str>) -> Option<FailPoint> {
    let role = if command == Some("work") { "worker" } else { "dispatcher" };
    let text = match text.split_once(':') {
        Some((of, rest)) if of == role => rest,
        Some(_) => return None,
        None => text,
    };
    let (op, rest) = text.split_once('@')?;
    let (turn, how) = rest.split_once('=')?;
    let op = match op {
        "write" => Some(Op::Write),
        "sync" => Some(Op::Sync),
        "rename" => Some(Op::Rename),
        "link" => Some(Op::Link),
        "any" => None,
        _ => return None,
    };
    let how = match how {
        "enospc" => How::Refuse(28),
        "eio" => How::Refuse(5),
        "kill" => How::Kill,
        _ => return None,
    };
    Some(FailPoint { op, turn: turn.parse().ok()?, how })
}
