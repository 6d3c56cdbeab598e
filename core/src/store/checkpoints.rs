//! What training keeps on its way, one file a key: the only thing here that is written over. A result makes it needless.

use super::{Results, disk};
use crate::domain::{Fault, Key, Result};
use std::{fs, path::PathBuf};

/// The folder of checkpoints.
#[derive(Clone, Debug)]
pub struct Checkpoints(PathBuf);

impl Checkpoints {
    pub(super) fn new(folder: PathBuf) -> Self {
        Checkpoints(folder)
    }

    fn path(&self, key: Key) -> PathBuf {
        self.0.join(key.to_string())
    }

    /// Keeps these bytes in place of what was kept before; a reader finds the one or the other, whole.
    pub fn put(&self, key: Key, bytes: &[u8]) -> Result<()> {
        disk::replace(&self.path(key), bytes)
    }

    /// What was kept last; `None` where there is nothing.
    pub fn get(&self, key: Key) -> Result<Option<Vec<u8>>> {
        let path = self.path(key);
        match crate::files::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::io("read the checkpoint", path, &error)),
        }
    }

    /// Removes it, if it is there and can be removed.
    pub fn remove(&self, key: Key) {
        fs::remove_file(self.path(key)).ok();
    }

    /// Removes what writers that are gone left half-written, and what a result has made needless.
    pub(super) fn sweep(&self, results: &Results) -> usize {
        let names =
            fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let done = |name: &String| name.parse().is_ok_and(|digest| results.get(Key(digest)).is_ok_and(|result| result.is_some()));
        let needless = names.filter(done).filter(|name| fs::remove_file(self.0.join(name)).is_ok()).count();
        needless + disk::sweep(&self.0)
    }
}
