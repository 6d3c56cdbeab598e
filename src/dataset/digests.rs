//! The digests of outside files, cached by path, size and time of change, so that a plan need not read a data set twice.
//! A cache is only a cache: workers and audits hash what they read.

use crate::domain::{Digest, Fault, Result};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

#[derive(Clone, Copy, PartialEq)]
struct Stamp {
    size: u64,
    changed: u128,
}

pub struct DigestCache {
    file: Option<PathBuf>,
    known: BTreeMap<PathBuf, (Stamp, Digest)>,
    grew: bool,
}

impl DigestCache {
    /// Reads the cache; a damaged or absent one is an empty one.
    pub fn open(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let entry = |line: &str| {
            let mut parts = line.splitn(4, '\t');
            let digest = parts.next()?.parse().ok()?;
            let stamp = Stamp { size: parts.next()?.parse().ok()?, changed: parts.next()?.parse().ok()? };
            Some((PathBuf::from(parts.next()?), (stamp, digest)))
        };
        DigestCache { file: Some(file), known: text.lines().filter_map(entry).collect(), grew: false }
    }

    /// A cache that is never kept: everything is read.
    pub fn none() -> Self {
        DigestCache { file: None, known: BTreeMap::new(), grew: false }
    }

    /// The digest of a file's bytes.
    pub fn of(&mut self, path: &Path) -> Result<Digest> {
        let refused = |error| Fault::io("read", path, &error);
        let about = fs::metadata(path).map_err(refused)?;
        let changed =
            about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
        let stamp = Stamp { size: about.len(), changed };
        if let Some((known, digest)) = self.known.get(path)
            && *known == stamp
            && changed != 0
        {
            return Ok(*digest);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(fs::File::open(path).map_err(refused)?).map_err(refused)?;
        let digest = Digest::from_bytes(*hasher.finalize().as_bytes());
        self.known.insert(path.to_owned(), (stamp, digest));
        self.grew = true;
        Ok(digest)
    }

    /// Keeps what was learned; losing it costs time only, so a refusal is not an error.
    pub fn keep(&self) {
        let Some(file) = self.file.as_ref().filter(|_| self.grew) else { return };
        let mut text = String::new();
        for (path, (stamp, digest)) in &self.known {
            // A path that a line cannot hold is simply read again next time.
            if let Some(path) = path.to_str().filter(|path| !path.contains('\n')) {
                text += &format!("{digest}\t{}\t{}\t{path}\n", stamp.size, stamp.changed);
            }
        }
        let half = file.with_extension(format!("{}.part", std::process::id()));
        let kept = file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&half, text))
            .and_then(|()| fs::rename(&half, file));
        if kept.is_err() {
            fs::remove_file(&half).ok();
        }
    }
}
