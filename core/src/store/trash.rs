//! What was removed of results and objects: `data/trash/<moment>/`, from where it can be brought back for a while.

use super::{Objects, Results, disk};
use crate::{
    domain::{Digest, Fault, Key, Result},
    files,
};
use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

/// The folder of removals.
pub struct Trash {
    root: PathBuf,
    results: Results,
    objects: Objects,
}

/// What was removed at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// When, in milliseconds since 1970.
    pub at: u64,
    folder: PathBuf,
}

/// How much was moved, into the trash or out of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many results.
    pub results: usize,
    /// How many objects.
    pub objects: usize,
}

impl Trash {
    /// For so long a removal can be undone.
    pub const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

    pub(super) fn new(root: PathBuf, results: Results, objects: Objects) -> Self {
        Trash { root, results, objects }
    }

    /// Moves results and objects into the trash, at a moment in milliseconds since 1970. Results go first: one whose objects are gone
    /// is worse than objects without a result.
    ///
    /// # Errors
    /// A disk that refuses. What was moved until then can be brought back.
    pub fn put(&self, keys: &[Key], digests: &[Digest], now: u64) -> Result<Moved> {
        let mut at = now;
        let folder = loop {
            let folder = self.root.join(format!("{at:015}"));
            if !folder.exists() {
                break folder;
            }
            at += 1;
        };
        let there = Places::of(&folder);
        let mut folders = BTreeSet::new();
        let results = keys.iter().map(|key| (self.results.path(*key), there.results.path(*key)));
        let objects = digests.iter().map(|digest| (self.objects.path(*digest), there.objects.path(*digest)));
        for (from, to) in results.chain(objects) {
            move_file(&from, &to)?;
            folders.extend([from, to].iter().filter_map(|path| path.parent().map(Path::to_owned)));
        }
        folders.iter().try_for_each(|folder| disk::sync_folder_of(&folder.join("x")))?;
        Ok(Moved { results: keys.len(), objects: digests.len() })
    }

    /// The removals that are kept, oldest first.
    pub fn removals(&self) -> Vec<Removal> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let removal = |entry: fs::DirEntry| {
            let at = entry.file_name().to_str()?.parse().ok()?;
            entry.file_type().ok()?.is_dir().then(|| Removal { at, folder: entry.path() })
        };
        let mut removals: Vec<Removal> = entries.filter_map(removal).collect();
        removals.sort_by_key(|removal| removal.at);
        removals
    }

    /// Brings a removal back. What was made again since stays as it is.
    ///
    /// # Errors
    /// A disk that refuses. What was not brought back yet is still in the trash.
    pub fn undo(&self, removal: &Removal) -> Result<Moved> {
        let there = Places::of(&removal.folder);
        let (digests, keys): (Vec<Digest>, Vec<Key>) =
            (there.objects.all().into_iter().flatten().collect(), there.results.all()?);
        // What is damaged there is replaced.
        let objects = digests.iter().filter(|digest| self.objects.get(**digest).is_err());
        let objects = objects.map(|digest| (there.objects.path(*digest), self.objects.path(*digest)));
        let results = keys.iter().filter(|key| !matches!(self.results.get(**key), Ok(Some(_))));
        let results = results.map(|key| (there.results.path(*key), self.results.path(*key)));
        let mut folders = BTreeSet::new();
        for (from, to) in objects.chain(results) {
            move_file(&from, &to)?;
            folders.extend(to.parent().map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| disk::sync_folder_of(&folder.join("x")))?;
        self.empty(removal)?;
        Ok(Moved { results: keys.len(), objects: digests.len() })
    }

    /// Removes a removal for good; says how many bytes that frees.
    ///
    /// # Errors
    /// A disk that refuses.
    pub fn empty(&self, removal: &Removal) -> Result<u64> {
        let bytes = bytes_below(&removal.folder);
        match fs::remove_dir_all(&removal.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::io("remove", &removal.folder, &error)),
            _ => Ok(bytes),
        }
    }

    /// The removals that can no longer be undone at a moment.
    pub fn expired(&self, now: u64) -> Vec<Removal> {
        let kept = Self::KEPT.as_millis() as u64;
        self.removals().into_iter().filter(|removal| removal.at.saturating_add(kept) < now).collect()
    }
}

/// Where results and objects are in a removal.
struct Places {
    results: Results,
    objects: Objects,
}

impl Places {
    fn of(folder: &Path) -> Self {
        Places { results: Results::new(folder.join("results")), objects: Objects::new(folder.join("objects")) }
    }
}

/// Moves a file; onto another disk where the two folders are on two. A file that is gone already is none to move.
fn move_file(from: &Path, to: &Path) -> Result<()> {
    let refused = |error| Fault::io("move", from, &error);
    to.parent().map_or(Ok(()), disk::make_folder)?;
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            disk::replace(to, &files::read(from).map_err(refused)?)?;
            fs::remove_file(from).map_err(refused)
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(refused(error)),
        _ => Ok(()),
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(about) if about.is_dir() => bytes_below(&entry.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_comes_back_as_it_was_also_over_what_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let of = || (Results::new(place("results")), Objects::new(place("objects")));
        let (results, objects) = of();
        let trash = Trash::new(place("trash"), Results::new(place("results")), Objects::new(place("objects")));
        let digests: Vec<Digest> = [b"one", b"two"].iter().map(|bytes| objects.put(*bytes).unwrap()).collect();
        let key = Key(Digest::of(b"key"));
        fs::create_dir_all(place("results")).unwrap();
        fs::write(results.path(key), b"a manifest").unwrap();

        assert_eq!(trash.put(&[key], &digests, 1000).unwrap(), Moved { results: 1, objects: 2 });
        assert!(results.all().unwrap().is_empty() && !objects.has(digests[0]) && !objects.has(digests[1]));
        // Made again meanwhile, but not whole.
        fs::write(results.path(key), b"half a man").unwrap();
        objects.put(b"two").unwrap();
        let removals = trash.removals();
        assert_eq!(removals.iter().map(|removal| removal.at).collect::<Vec<_>>(), [1000]);
        trash.undo(&removals[0]).unwrap();
        assert_eq!(
            (objects.get(digests[0]).unwrap(), fs::read(results.path(key)).unwrap()),
            (b"one".to_vec(), b"a manifest".to_vec())
        );
        assert!(trash.removals().is_empty());
    }

    #[test]
    fn a_removal_expires_after_its_time_and_two_of_one_moment_are_two() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let objects = Objects::new(place("objects"));
        let trash = Trash::new(place("trash"), Results::new(place("results")), Objects::new(place("objects")));
        let digests: Vec<Digest> = [b"one", b"two"].iter().map(|bytes| objects.put(*bytes).unwrap()).collect();
        trash.put(&[], &digests[..1], 1000).unwrap();
        trash.put(&[], &digests[1..], 1000).unwrap();
        assert_eq!(trash.removals().len(), 2);
        let kept = Trash::KEPT.as_millis() as u64;
        assert_eq!((trash.expired(1000 + kept).len(), trash.expired(1001 + kept).len()), (0, 1));
        assert_eq!(trash.empty(&trash.removals()[0]).unwrap(), 3);
        assert_eq!(trash.removals().len(), 1);
    }
}
