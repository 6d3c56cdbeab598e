//! Results: `data/results/<key>.json`, created once. *Done means the manifest exists.*

use super::disk::{self, CreatedFirst};
use crate::domain::{Fault, Key, Result, result::Manifest};
use std::{fs, path::PathBuf};

/// The folder of results.
pub struct Results {
    root: PathBuf,
}

impl Results {
    /// Makes nothing: the folder comes with the first result.
    pub fn new(root: PathBuf) -> Self {
        Results { root }
    }

    /// Where the manifest is, or would be.
    pub fn path(&self, key: Key) -> PathBuf {
        self.root.join(format!("{key}.json"))
    }

    /// Publishes a result whose objects are stored; true when no other process had finished it before.
    pub fn publish(&self, manifest: &Manifest) -> Result<bool> {
        Ok(disk::create(&self.path(manifest.key), &text(manifest)?)? == CreatedFirst::Yes)
    }

    /// Puts a result made again in the place of the first.
    pub fn replace(&self, manifest: &Manifest) -> Result<()> {
        disk::replace(&self.path(manifest.key), &text(manifest)?)
    }

    /// `None` while the result is not there.
    pub fn get(&self, key: Key) -> Result<Option<Manifest>> {
        let path = self.path(key);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Fault::io("read", &path, &error)),
        };
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
            Fault::differs(format!("the result is damaged: {error}")).in_file(&path).next("`visavis run STUDY` makes it again")
        })?;
        if manifest.key != key || manifest.format != 1 {
            return Err(Fault::differs("the result is not the one its name says, or of a later format")
                .in_file(&path)
                .next("`visavis run STUDY` makes it again"));
        }
        Ok(Some(manifest))
    }

    /// Removes what writers that are gone left half-written; says how many files.
    pub fn sweep(&self) -> usize {
        disk::sweep(&self.root)
    }

    /// The keys of all results, sorted.
    ///
    /// # Errors
    /// A folder that is there and cannot be listed: that is not the same as no results.
    pub fn all(&self) -> Result<Vec<Key>> {
        disk::look_anew(&self.root);
        let refused = |error| Fault::io("list the results", &self.root, &error);
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(refused)?,
        };
        let mut keys = Vec::new();
        for entry in entries {
            let name = entry.map_err(refused)?.file_name();
            keys.extend(name.to_str().and_then(|name| name.strip_suffix(".json")?.parse::<Key>().ok()));
        }
        keys.sort();
        Ok(keys)
    }

    /// When a result was put in its place, in nanoseconds: it changes when the result is replaced.
    pub fn stamp(&self, key: Key) -> u64 {
        let changed = fs::metadata(self.path(key)).and_then(|about| about.modified()).ok();
        changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos() as u64)
    }
}

fn text(manifest: &Manifest) -> Result<Vec<u8>> {
    let text = serde_json::to_string_pretty(manifest).map_err(|error| Fault::unexpected(error.to_string()))?;
    Ok((text + "\n").into_bytes())
}
