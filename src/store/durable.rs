//! Files that are whole or not there: written beside, synced, then given their name.

use crate::domain::{Fault, Result};
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Whether this call gave the file its name, or another process had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    Yes,
    No,
}

/// Creates `path` with `bytes` unless it exists: the first one wins, and a reader never sees half a file.
pub fn create(path: &Path, bytes: &[u8]) -> Result<First> {
    let half = write_beside(path, bytes)?;
    let linked = fs::hard_link(&half, path);
    fs::remove_file(&half).ok();
    match linked {
        Ok(()) => sync_folder(path).map(|()| First::Yes),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(First::No),
        Err(error) => Err(Fault::io("create", path, &error)),
    }
}

/// Gives `path` these bytes, whatever it held.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let half = write_beside(path, bytes)?;
    fs::rename(&half, path).map_err(|error| {
        fs::remove_file(&half).ok();
        Fault::io("write", path, &error)
    })?;
    sync_folder(path)
}

/// A synced file beside `path` that holds `bytes`; removed again if anything fails.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(|error| Fault::io("create the folder", folder, &error))?;
    let half = folder.join(format!(".part-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)));
    let written = File::create(&half).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map(|()| half.clone()).map_err(|error| {
        fs::remove_file(&half).ok();
        Fault::io("write", path, &error)
    })
}

/// The folder a file is in; the current one for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(path: &Path) -> Result<()> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Fault::io("sync the folder", folder, &error))
}
