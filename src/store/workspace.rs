//! A workspace: any folder. What Visavis keeps there is below `data/`.

use super::{Objects, Results};
use crate::domain::{Fault, Result};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    store: PathBuf,
}

/// Held by the one process that dispatches; the kernel releases it when that process ends, however it ends.
pub struct Lock {
    _file: File,
}

impl Workspace {
    /// `store`: where the database is, if not in the workspace.
    pub fn new(root: PathBuf, store: Option<PathBuf>) -> Self {
        let store = store.unwrap_or_else(|| root.join("data/visavis.db"));
        Workspace { root, store }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn store(&self) -> &Path {
        &self.store
    }

    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub fn objects(&self) -> Objects {
        Objects::new(self.data().join("objects"))
    }

    pub fn results(&self) -> Results {
        Results::new(self.data().join("results"))
    }

    pub fn journals(&self) -> PathBuf {
        self.data().join("journals")
    }

    pub fn digests(&self) -> PathBuf {
        self.data().join("cache/digests.tsv")
    }

    pub fn report(&self, study: &str) -> PathBuf {
        self.root.join("reports").join(format!("{study}.html"))
    }

    /// Takes the workspace for dispatching; `None` while another process has it.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.data().join("dispatcher.lock");
        fs::create_dir_all(self.data()).map_err(|error| Fault::io("create the folder", self.data(), &error))?;
        let file = File::options().create(true).append(true).open(&path).map_err(|error| Fault::io("open", &path, &error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(Fault::io("lock", &path, &error.into())),
        }
    }
}
