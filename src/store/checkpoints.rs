//! What training keeps on its way, one file a key: the only thing here that is written over. A result makes it needless.

use super::disk;
use crate::domain::{Fault, Key, Result};
use std::{fs, path::PathBuf};

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

    pub fn get(&self, key: Key) -> Result<Option<Vec<u8>>> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Fault::io("read the checkpoint", path, &error)),
        }
    }

    pub fn remove(&self, key: Key) {
        fs::remove_file(self.path(key)).ok();
    }

    /// Removes what writers that are gone left half-written.
    pub(super) fn sweep(&self) -> usize {
        disk::sweep(&self.0)
    }
}
