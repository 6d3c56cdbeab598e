//! The digests of the pictures that one file holds, kept between runs beside those of files: a file of a hundred gigabytes is read
//! once.
//!
//! They are believed only while the file is the one that was read (its [`Stamp`]) and the pictures stand where they stood in it.

use crate::{
    dataset::digests::{DigestCache, Stamp, nanoseconds},
    domain::{Digest, Fault, Result},
};
use rayon::prelude::*;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// The first line of a kept file; one that starts otherwise is another release's, and not read.
const HEAD: &str = "visavis part digests 1\n";
/// Bytes of a digest.
const WIDTH: usize = 32;
/// Pictures that are read between looks at the clock.
const AT_A_TIME: usize = 1 << 14;
/// How often what was read so far is kept: reading a hundred gigabytes takes long, and may be interrupted.
const EVERY: Duration = Duration::from_secs(60);
/// In the place of a digest that is not known.
const UNKNOWN: [u8; WIDTH] = [0; WIDTH];

/// One file that holds many pictures.
pub(super) struct Parts<'a> {
    pub path: &'a Path,
    pub file: &'a File,
    /// How many pictures it holds.
    pub count: usize,
    /// Changes when a picture stands elsewhere in the file.
    pub table: Digest,
}

/// The digests of pictures by their places among all of the file. `digest` reads one that is not kept, by its position in `wanted`.
///
/// # Errors
/// The first picture that cannot be read.
pub(super) fn of_parts(
    parts: &Parts,
    wanted: &[usize],
    digests: &DigestCache,
    digest: impl Fn(usize) -> Result<Digest> + Sync,
) -> Result<Vec<Digest>> {
    let stamp = || {
        let about = parts.file.metadata().map_err(|error| Fault::io("read", parts.path, &error))?;
        Ok::<Stamp, Fault>(Stamp::of(&about))
    };
    let (read_at, before) = (nanoseconds(SystemTime::now()), stamp()?);
    let kept_in = digests.beside(FOLDER).and_then(|folder| kept_in(&folder, parts.path));
    let head = format!("{HEAD}{}\n{}\n", before.to_text(), parts.table);
    let mut known =
        kept_in.as_ref().and_then(|file| read(file, &head, parts.count)).unwrap_or_else(|| vec![UNKNOWN; parts.count]);
    let unknown: Vec<usize> = (0..wanted.len()).filter(|&position| known[wanted[position]] == UNKNOWN).collect();
    let keep = |known: &[[u8; WIDTH]]| {
        if let Some(file) = kept_in.as_ref().filter(|_| before.is_settled(read_at) && stamp().is_ok_and(|now| now == before)) {
            write(file, &head, known);
        }
    };
    let mut kept = Instant::now();
    for some in unknown.chunks(AT_A_TIME) {
        let found: Vec<Result<Digest>> = some.par_iter().map(|&position| digest(position)).collect();
        let mut failed = None;
        for (&position, found) in some.iter().zip(found) {
            match found {
                Ok(digest) => known[wanted[position]] = *digest.as_bytes(),
                Err(fault) => _ = failed.get_or_insert(fault),
            }
        }
        if failed.is_some() || kept.elapsed() > EVERY {
            keep(&known);
            kept = Instant::now();
        }
        if let Some(fault) = failed {
            return Err(fault);
        }
    }
    if !unknown.is_empty() {
        keep(&known);
    }
    Ok(wanted.iter().map(|&place| Digest::from_bytes(known[place])).collect())
}

/// Forgets what is kept of a file, for something was found wrong with it.
pub(super) fn forget(cache: &Path, path: &Path) {
    let file = cache.parent().and_then(|folder| kept_in(&folder.join(FOLDER), path));
    file.and_then(|file| fs::remove_file(file).ok());
}

/// The folder beside the cache of files' digests.
const FOLDER: &str = "parts";

/// Named by the path, which may hold anything.
fn kept_in(folder: &Path, path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    Some(folder.join(Digest::of(path.as_os_str().as_encoded_bytes()).to_string()))
}

/// Digests that are kept; `None` where they are damaged, or of another file.
fn read(file: &Path, head: &str, count: usize) -> Option<Vec<[u8; WIDTH]>> {
    let bytes = crate::files::read_up_to(file, (head.len() + (count + 1) * WIDTH) as u64).ok()?;
    let (body, end) = bytes.split_at_checked(bytes.len().checked_sub(WIDTH)?)?;
    let digests = body.strip_prefix(head.as_bytes())?;
    let is_whole = digests.len() == count * WIDTH && Digest::of(body).as_bytes() == end;
    is_whole.then(|| digests.chunks_exact(WIDTH).map(|digest| digest.try_into().unwrap_or(UNKNOWN)).collect())
}

/// Losing it costs time only, so a refusal is not an error.
fn write(file: &Path, head: &str, digests: &[[u8; WIDTH]]) {
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend(digests.as_flattened());
    bytes.extend(Digest::of(&bytes).as_bytes());
    let half = file.with_extension(format!("{}.part", std::process::id()));
    let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&half, bytes));
    if made.and_then(|()| fs::rename(&half, file)).is_err() {
        fs::remove_file(&half).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of three parts, one byte each, whose second part is kept as something that only a believed entry gives.
    fn found(change: impl FnOnce(&Path, &Path)) -> Vec<Digest> {
        let folder = tempfile::tempdir().unwrap();
        let (path, cache) = (folder.path().join("train.rec"), folder.path().join("cache/digests.tsv"));
        fs::write(&path, b"abc").unwrap();
        let table = Digest::of(b"table");
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        let head = format!("{HEAD}{}\n{table}\n", stamp.to_text());
        let kept = kept_in(&cache.parent().unwrap().join(FOLDER), &path).unwrap();
        write(&kept, &head, &[UNKNOWN, *Digest::of(b"believed").as_bytes(), UNKNOWN]);
        change(&path, &kept);
        let (bytes, file) = (fs::read(&path).unwrap(), File::open(&path).unwrap());
        let parts = Parts { path: &path, file: &file, count: 3, table };
        let wanted = [2, 1];
        of_parts(&parts, &wanted, &DigestCache::open(cache), |position| {
            Ok(Digest::of(&bytes[wanted[position]..=wanted[position]]))
        })
        .unwrap()
    }

    #[test]
    fn what_is_kept_is_believed_while_the_file_is_the_same_and_the_entry_is_whole() {
        let (believed, read) = (Digest::of(b"believed"), Digest::of(b"b"));
        assert_eq!(found(|_, _| {}), [Digest::of(b"c"), believed]);
        let touched = |path: &Path, _: &Path| {
            File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        assert_eq!(found(touched)[1], read);
        let damaged = |_: &Path, kept: &Path| {
            let mut bytes = fs::read(kept).unwrap();
            let place = bytes.len() - 2 * WIDTH;
            bytes[place] ^= 1;
            fs::write(kept, bytes).unwrap();
        };
        assert_eq!(found(damaged)[1], read);
        let doubted = |path: &Path, kept: &Path| forget(&kept.parent().unwrap().with_file_name("digests.tsv"), path);
        assert_eq!(found(doubted)[1], read);
    }

    #[test]
    fn the_first_picture_that_cannot_be_read_is_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.rec");
        fs::write(&path, b"abc").unwrap();
        let file = File::open(&path).unwrap();
        let parts = Parts { path: &path, file: &file, count: 3, table: Digest::of(b"table") };
        let refuse =
            |position: usize| if position == 0 { Ok(Digest::of(b"a")) } else { Err(Fault::asked(format!("part {position}"))) };
        assert_eq!(of_parts(&parts, &[0, 1, 2], &DigestCache::none(), refuse).unwrap_err().what, "part 1");
    }
}
