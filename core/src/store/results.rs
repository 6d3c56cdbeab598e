//! Results: `data/results/<key>.json`, created once. *Done means the manifest exists.* The last field of the file is the digest of the
//! text before it: what was changed since is not taken for what a stage gave. (Files of earlier releases have none.)

use super::disk::{self, CreatedFirst};
use crate::{
    domain::{Digest, Fault, Key, Result, result::Manifest},
    files,
};
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
        use std::io::ErrorKind as Kind;
        let damaged = |why: String| Fault::differs(why).in_file(&path).next("`visavis run STUDY` makes it again");
        let text = match files::read_text(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            // Something else has its name: a folder, a pipe, bytes that are no text.
            Err(error) if matches!(error.kind(), Kind::IsADirectory | Kind::InvalidInput | Kind::InvalidData) => {
                return Err(damaged(format!("the result is damaged: {error}")));
            }
            Err(error) => return Err(Fault::io("read", &path, &error)),
        };
        let manifest = unsealed(&text).map_err(|why| damaged(format!("the result is damaged: {why}")))?;
        if manifest.key != key || manifest.format != 1 {
            return Err(damaged("the result is not the one its name says, or of a later format".to_owned()));
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

/// More than any manifest has.
const LARGEST: u64 = 64 << 20;

/// How the last field begins.
const SEAL: &str = ",\n  \"seal\": \"";
/// How a manifest ends.
const END: &str = "\n}";

/// The manifest as JSON, sealed.
fn text(manifest: &Manifest) -> Result<Vec<u8>> {
    let text = serde_json::to_string_pretty(manifest).map_err(|error| Fault::unexpected(error.to_string()))?;
    let body = text.strip_suffix(END).ok_or_else(|| Fault::unexpected("a manifest is a map of fields"))?;
    Ok(format!("{body}{SEAL}{}\"{END}\n", Digest::of(text.as_bytes())).into_bytes())
}

/// The manifest of a text, if nothing in it was changed since it was written.
fn unsealed(text: &str) -> std::result::Result<Manifest, String> {
    #[derive(serde::Deserialize)]
    struct SealField {
        seal: Option<String>,
    }
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let said: SealField = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(said) = said.seal else { return Ok(manifest) };
    let found = text.rfind(SEAL).map(|at| Digest::of(format!("{}{END}", &text[..at]).as_bytes()).to_string());
    if found.as_ref() == Some(&said) { Ok(manifest) } else { Err("something in it was changed since it was written".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        result::{Facts, Provenance},
        stage::{IndexImages, Kind, Work},
    };

    fn manifest() -> Manifest {
        Manifest {
            format: 1,
            key: Key(Digest::of(b"key")),
            stage: Kind::Index,
            version: 1,
            work: Work::Index(IndexImages { take: None }),
            inputs: vec![],
            outputs: vec![],
            facts: Facts::from([("explained".to_owned(), vec![0.142, 1e-300])]),
            provenance: Provenance::unknown(),
        }
    }

    #[test]
    fn a_fact_that_was_changed_is_damage_and_the_rest_of_a_manifest_too() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::new(folder.path().to_owned());
        let manifest = manifest();
        results.publish(&manifest).unwrap();
        let path = results.path(manifest.key);
        assert_eq!(results.get(manifest.key).unwrap(), Some(manifest.clone()));
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in
            [("0.142", "0.99"), ("\"version\": 1", "\"version\": 2"), ("\"threads\": 1", "\"threads\": 2"), ("\n  ", "\n ")]
        {
            assert!(text.contains(from));
            fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let fault = results.get(manifest.key).unwrap_err();
            assert!(fault.what.contains("changed since it was written"), "{from}: {fault}");
        }
        // Something else in its place is damage too, and nothing waits for it.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(results.get(manifest.key).unwrap_err().what.contains("the result is damaged"));
        fs::remove_dir(&path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
            .unwrap();
        assert!(results.get(manifest.key).unwrap_err().what.contains("a pipe, not a file"));
        fs::remove_file(&path).unwrap();
        // One of before manifests were sealed.
        fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap() + "\n").unwrap();
        assert_eq!(results.get(manifest.key).unwrap(), Some(manifest));
    }
}
