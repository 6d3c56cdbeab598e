//! Objects: bytes named by their digest, `data/objects/ab/cdef…`. Verified whenever they are read.

use super::disk;
use crate::{
    domain::{Digest, Fault, Result},
    files,
};
use std::{fs, path::PathBuf};

/// The folder of objects.
pub struct Objects {
    root: PathBuf,
}

impl Objects {
    /// Makes nothing: folders come with the first object.
    pub fn new(root: PathBuf) -> Self {
        Objects { root }
    }

    /// Where the object is, or would be.
    pub fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(&name[2..])
    }

    /// Is there a file in the object's place? Its bytes are not looked at.
    pub fn has(&self, digest: Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Stores the bytes, if they are not there whole, and says what they are named by.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        // An object that is there but damaged is made good: its bytes are known to be these.
        if self.get(digest).is_err() {
            disk::replace(&self.path(digest), bytes)?;
        }
        Ok(digest)
    }

    /// # Errors
    /// An object that is absent, or whose bytes are no longer those it is named by.
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>> {
        let path = self.path(digest);
        let bytes = files::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::IsADirectory | std::io::ErrorKind::InvalidInput => {
                Fault::differs(format!("the object {} is damaged: {error}", digest.short()))
                    .in_file(&path)
                    .next("remove what is in its place; `visavis run STUDY --force` makes it again")
            }
            std::io::ErrorKind::NotFound => Fault::failed(format!("the object {} is not there", digest.short()))
                .in_file(&path)
                .next("`visavis run STUDY --force` makes it again"),
            _ => Fault::io("read", &path, &error),
        })?;
        if Digest::of(&bytes) == digest {
            return Ok(bytes);
        }
        Err(Fault::differs(format!("the object {} is damaged: its bytes are not those it is named by", digest.short()))
            .in_file(&path)
            .next("`visavis run STUDY --force` makes it again"))
    }

    /// Removes what writers that are gone left half-written; says how many files.
    pub fn sweep(&self) -> usize {
        let folders = fs::read_dir(&self.root).into_iter().flatten().flatten();
        folders.map(|folder| disk::sweep(&folder.path())).sum()
    }

    /// Every object, sorted; `Err` entries are files that are no objects. What is not whole yet is left out.
    pub fn all(&self) -> Vec<std::result::Result<Digest, PathBuf>> {
        let entries =
            |folder: &PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
        let mut files: Vec<PathBuf> = entries(&self.root).iter().flat_map(entries).collect();
        files.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(disk::PART)));
        files.sort();
        let name = |path: &PathBuf| Some(format!("{}{}", path.parent()?.file_name()?.to_str()?, path.file_name()?.to_str()?));
        files.into_iter().map(|path| name(&path).and_then(|name| name.parse().ok()).ok_or(path)).collect()
    }
}
