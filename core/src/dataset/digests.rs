//! The digests of outside files, kept between runs so that a plan need not read a data set twice.
//!
//! A kept digest is believed only while the file is the one that was read: absolute path, device, inode, size, time of
//! modification and time of change. The last one is the kernel's: `touch -r`, `cp -p`, `rsync -t` and archives set the time of
//! modification as they like, and cannot set it. A file that was written within [`GRAIN`] of its reading is not kept: it could
//! be written again without any of these telling (git calls such an entry racily clean).
//!
//! A cache is only a cache: workers and audits hash the bytes that they consume.

use crate::{
    domain::{Digest, Fault, Result},
    files,
};
use rayon::prelude::*;
use std::{
    collections::HashMap,
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// The first line of the kept file; one that starts otherwise is another release's, and not read.
const HEAD: &str = "visavis digests 2";

/// How finely file systems note times, at the coarsest: 2 s on FAT, 1 s on HFS+ and old NFS, a tick of the kernel (1 to 10 ms)
/// elsewhere.
const GRAIN: i128 = 2_000_000_000;

/// What must be as it was for a file to count as unchanged. Times are nanoseconds since 1970, before it below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: i128,
    changed: i128,
    inode: u64,
    device: u64,
}

impl Stamp {
    pub(super) fn of(about: &fs::Metadata) -> Self {
        let time = |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Stamp {
            size: about.len(),
            modified: time(about.mtime(), about.mtime_nsec()),
            changed: time(about.ctime(), about.ctime_nsec()),
            inode: about.ino(),
            device: about.dev(),
        }
    }

    /// Would any write after this moment show in the stamp?
    pub(super) fn is_settled(&self, read_at: i128) -> bool {
        self.modified.max(self.changed) + GRAIN < read_at
    }

    pub(super) fn to_text(self) -> String {
        let Stamp { size, modified, changed, inode, device } = self;
        format!("{size}\t{modified}\t{changed}\t{inode}\t{device}")
    }

    fn from_parts<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let size = parts.next()?.parse().ok()?;
        let (modified, changed) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Stamp { size, modified, changed, inode: parts.next()?.parse().ok()?, device: parts.next()?.parse().ok()? })
    }
}

/// A digest, and the stamp to keep it with: none where it was kept before, or must not be kept.
type FileDigest = (Digest, Option<Stamp>);

/// Digests of files, kept between runs: a file is hashed again only if its stamp (size, times, inode, device) is another.
pub struct DigestCache {
    file: Option<PathBuf>,
    /// By absolute path.
    known: HashMap<PathBuf, (Stamp, Digest)>,
    /// Must it be written?
    differs: bool,
}

impl DigestCache {
    /// Reads the cache; a damaged or absent one is an empty one.
    pub fn open(file: PathBuf) -> Self {
        let text = files::read_text(&file, u64::MAX).unwrap_or_default();
        let entry = |line: &str| {
            let mut parts = line.splitn(7, '\t');
            let digest = parts.next()?.parse().ok()?;
            let stamp = Stamp::from_parts(&mut parts)?;
            Some((PathBuf::from(parts.next()?), (stamp, digest)))
        };
        let mut lines = text.lines();
        let is_ours = lines.next() == Some(HEAD);
        let mut known: HashMap<_, _> = if is_ours { lines.filter_map(entry).collect() } else { HashMap::new() };
        let mut differs = false;
        for path in files::read_text(&doubted(&file), u64::MAX).unwrap_or_default().lines() {
            differs |= known.remove(Path::new(path)).is_some();
        }
        DigestCache { file: Some(file), known, differs }
    }

    /// A cache that is never kept: everything is read.
    pub fn none() -> Self {
        DigestCache { file: None, known: HashMap::new(), differs: false }
    }

    /// Notes beside a cache that what it says of a file must not be believed: whoever consumed the file found something wrong
    /// with it. Losing the note costs nothing where the file system's times are true.
    pub fn doubt(cache: &Path, path: &Path) {
        let Some(path) = std::path::absolute(path).ok().filter(|path| fits_a_line(path)) else { return };
        let notes = files::open_own(fs::OpenOptions::new().create(true).append(true), &doubted(cache));
        notes.and_then(|mut notes| writeln!(notes, "{}", path.display())).ok();
    }

    /// A folder for what else is kept of files that are known by their digests; `None` where nothing is.
    pub fn beside(&self, name: &str) -> Option<PathBuf> {
        Some(self.file.as_ref()?.parent()?.join(name))
    }

    /// The digest of a file's bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(&mut self, path: &Path) -> Result<Digest> {
        let found = self.find(path);
        self.learn(path, found)
    }

    /// Is the digest of a file known, without reading the file?
    pub fn knows(&self, path: &Path) -> bool {
        let kept = absolute(path).ok().and_then(|path| self.known.get(&path));
        kept.is_some_and(|(stamp, _)| fs::metadata(path).is_ok_and(|about| Stamp::of(&about) == *stamp))
    }

    /// The digests of many files, in their order; what must be read is read by all threads.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn of_all(&mut self, paths: &[PathBuf]) -> Result<Vec<Digest>> {
        let found: Vec<Result<FileDigest>> = paths.par_iter().map(|path| self.find(path)).collect();
        paths.iter().zip(found).map(|(path, found)| self.learn(path, found)).collect()
    }

    fn learn(&mut self, path: &Path, found: Result<FileDigest>) -> Result<Digest> {
        let (digest, stamp) = found?;
        if let Some(stamp) = stamp {
            self.known.insert(absolute(path)?, (stamp, digest));
            self.differs = true;
        }
        Ok(digest)
    }

    fn find(&self, path: &Path) -> Result<FileDigest> {
        let refused = |error| Fault::io("read", path, &error);
        if let Some((stamp, digest)) = self.known.get(&absolute(path)?)
            && *stamp == Stamp::of(&fs::metadata(path).map_err(refused)?)
        {
            return Ok((*digest, None));
        }
        let read_at = nanoseconds(SystemTime::now());
        let file = files::open(path).map_err(refused)?;
        let stamp = Stamp::of(&file.metadata().map_err(refused)?);
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file).map_err(refused)?;
        let after = Stamp::of(&file.metadata().map_err(refused)?);
        let keeps = stamp == after && stamp.is_settled(read_at);
        Ok((Digest::from_bytes(*hasher.finalize().as_bytes()), keeps.then_some(stamp)))
    }

    /// Keeps what was learned; losing it costs time only, so a refusal is not an error.
    pub fn keep(&self) {
        let Some(file) = self.file.as_ref().filter(|_| self.differs) else { return };
        let mut text = format!("{HEAD}\n");
        for (path, (stamp, digest)) in self.known.iter().filter(|(path, _)| fits_a_line(path)) {
            text += &format!("{digest}\t{}\t{}\n", stamp.to_text(), path.display());
        }
        let half = file.with_extension(format!("{}.part", std::process::id()));
        let kept = file
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&half, text))
            .and_then(|()| fs::rename(&half, file));
        match kept {
            Ok(()) => fs::remove_file(doubted(file)).ok(),
            Err(_) => fs::remove_file(&half).ok(),
        };
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Fault::io("read", path, &error))
}

pub(super) fn nanoseconds(time: SystemTime) -> i128 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i128)
}

/// A path that a line cannot hold is simply read again next time.
fn fits_a_line(path: &Path) -> bool {
    path.to_str().is_some_and(|path| !path.contains('\n'))
}

/// Where doubts are noted: the files whose entries must go.
fn doubted(cache: &Path) -> PathBuf {
    cache.with_extension("doubted")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stamp of a file that was last written so many seconds before it was read.
    fn written(modified: i128, changed: i128) -> bool {
        let second = 1_000_000_000;
        let stamp = Stamp { size: 1, modified: modified * second, changed: changed * second, inode: 1, device: 1 };
        stamp.is_settled(1_000 * second)
    }

    #[test]
    fn only_what_was_still_for_longer_than_the_grain_is_kept() {
        assert!(written(900, 900) && written(-5_000, 900) && written(997, 997));
        for (modified, changed) in [(999, 999), (1_000, 1_000), (900, 999), (998, 900), (-5_000, 999), (2_000, 900)] {
            assert!(!written(modified, changed), "modified {modified}, changed {changed}, read at 1000");
        }
    }

    /// A file whose entry is kept as if it had been read long after it was written.
    fn kept(folder: &Path, name: &str, bytes: &[u8]) -> (PathBuf, DigestCache) {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let mut cache = DigestCache::open(folder.join("digests.tsv"));
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        cache.known.insert(path.clone(), (stamp, Digest::of(bytes)));
        cache.differs = true;
        cache.keep();
        (path, DigestCache::open(folder.join("digests.tsv")))
    }

    #[test]
    fn a_file_written_a_moment_ago_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"one").unwrap();
        let mut cache = DigestCache::open(folder.path().join("digests.tsv"));
        assert_eq!(cache.of(&path).unwrap(), Digest::of(b"one"));
        assert!(cache.known.is_empty());
        fs::write(&path, b"two").unwrap();
        assert_eq!(cache.of_all(&[path]).unwrap(), [Digest::of(b"two")]);
    }

    #[test]
    fn an_entry_survives_its_file_and_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut cache) = kept(folder.path(), "a\tb", b"one");
        // Only an entry that is believed gives the digest of something else.
        cache.known.get_mut(&path).unwrap().1 = Digest::of(b"believed");
        assert_eq!(cache.of(&path).unwrap(), Digest::of(b"believed"));
    }

    #[test]
    fn the_same_size_and_a_time_that_was_put_back_are_not_enough() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut cache) = kept(folder.path(), "a", b"one");
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        // Coarser clocks than this would not show a change so soon after the first.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, b"two").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(cache.of(&path).unwrap(), Digest::of(b"two"));
    }

    #[test]
    fn another_file_under_the_name_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut cache) = kept(folder.path(), "a", b"one");
        let other = folder.path().join("b");
        fs::write(&other, b"two").unwrap();
        fs::rename(other, &path).unwrap();
        assert_eq!(cache.of(&path).unwrap(), Digest::of(b"two"));
    }

    #[test]
    fn what_is_doubted_is_read_again_and_the_doubt_ends_there() {
        let folder = tempfile::tempdir().unwrap();
        let (path, cache) = kept(folder.path(), "a", b"one");
        assert!(cache.known.contains_key(&path));
        let file = folder.path().join("digests.tsv");
        DigestCache::doubt(&file, &path);
        let cache = DigestCache::open(file.clone());
        assert!(!cache.known.contains_key(&path));
        cache.keep();
        assert!(!doubted(&file).exists() && DigestCache::open(file).known.is_empty());
    }

    #[test]
    fn a_cache_of_another_format_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("digests.tsv");
        fs::write(&file, format!("{}\t3\t0\ta\n", Digest::of(b"one"))).unwrap();
        assert!(DigestCache::open(file).known.is_empty());
    }
}
