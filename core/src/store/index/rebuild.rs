//! The store made again from results and journals, beside the one there is; it takes its place when it is whole.

use super::{Aside, Index};
use crate::{
    domain::{Digest, Ending, Fault, Result},
    store::{Workspace, disk},
};
use std::path::{Path, PathBuf};

/// What came of it.
#[derive(Debug)]
pub struct Rebuilt {
    /// How many results were taken in.
    pub results: usize,
    /// How many events were taken in.
    pub events: usize,
    /// How many points of series were taken in.
    pub points: u64,
    /// Digest of the new store's dump.
    pub dump: Digest,
    /// Results that cannot be read or taken in, and why.
    pub damaged: Vec<Aside>,
    /// Journals that are passed over, or of which some records are; and why.
    pub journals_aside: Vec<(String, String)>,
    /// How it stood to the new one.
    pub before: Before,
}

/// The store that was there before.
#[derive(Debug, PartialEq)]
pub enum Before {
    /// There was none.
    None,
    /// It said the same.
    Equal,
    /// It said something else, for journals or results were damaged or removed since; it is kept beside the new one.
    Differed {
        /// Where it lies now.
        kept: PathBuf,
        /// How many events it had.
        events: usize,
        /// How many points it had.
        points: u64,
    },
    /// It is kept beside the new one.
    Unreadable {
        /// Where it lies now.
        kept: PathBuf,
        /// What was wrong with it.
        why: String,
    },
}

impl Index {
    /// The caller holds the workspace's lock.
    ///
    /// # Errors
    /// A store of a later visavis, which is left alone; a disk that refuses.
    pub fn rebuild(workspace: &Workspace) -> Result<Rebuilt> {
        let path = workspace.store();
        if let Err(fault) = Index::open_to_read(path)
            && fault.ending == Ending::Asked
        {
            return Err(fault);
        }
        let (aside, before) = (beside(path, ".new"), beside(path, ".before"));
        remove(&aside)?;
        let mut index = Index::open(&aside)?;
        // What was closed for its writer is gone stays closed, though nothing shows it any more.
        if let Ok(Some(old)) = Index::open_to_read(path) {
            index.believe_closed(&old)?;
        }
        index.catch_up(workspace)?;
        let (damaged, journals_aside) = (index.set_aside()?, index.journals_aside()?);
        let (dump, results, events, points) = (index.digest()?, index.keys()?.len(), index.events()?, index.points()?);
        index.settle()?;
        let before = if path.exists() {
            // What the old one holds is compared once it, too, has taken in everything.
            let old = Index::open(path).and_then(|mut old| {
                old.catch_up(workspace)?;
                Ok((old.digest()?, old.events()?, old.points()?, old))
            });
            match old {
                Ok((digest, ..)) if digest == dump => Before::Equal,
                Ok((_, events, points, old)) => {
                    // A reader may hold it open: then its log is kept beside it.
                    old.settle().ok();
                    keep(path, &before)?;
                    Before::Differed { kept: before, events, points }
                }
                Err(fault) => {
                    keep(path, &before)?;
                    Before::Unreadable { kept: before, why: fault.what }
                }
            }
        } else {
            Before::None
        };
        if path.exists() {
            remove(path)?;
        }
        disk::rename(&aside, path)?;
        Ok(Rebuilt { results, events, points, dump, damaged, journals_aside, before })
    }

    /// Takes in everything there is.
    pub fn catch_up(&mut self, workspace: &Workspace) -> Result<()> {
        self.follow(&workspace.journals())?;
        self.match_results(&workspace.results(), &workspace.objects())
    }
}

/// SQLite keeps up to three files.
const FILES: [&str; 3] = ["", "-wal", "-shm"];

fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_file_name(format!("{}{ending}", path.file_name().unwrap_or_default().to_string_lossy()))
}

fn remove(path: &Path) -> Result<()> {
    for ending in FILES {
        let file = beside(path, ending);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Fault::io("remove", &file, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn keep(path: &Path, kept: &Path) -> Result<()> {
    remove(kept)?;
    for ending in FILES.into_iter().filter(|ending| beside(path, ending).exists()) {
        disk::rename(&beside(path, ending), &beside(kept, ending))?;
    }
    Ok(())
}
