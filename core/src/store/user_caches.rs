//! What is kept in the user's cache of workspaces in which nothing was run yet, one folder each; and its removal when the workspace is gone.
//!
//! A folder says in the file `workspace` of which workspace it is. Losing one costs only time.

use super::{disk, filesystem};
use crate::files;
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The file that names the workspace.
const OF: &str = "workspace";
/// So many folders are looked at in one go.
const MOST: usize = 1_000;
/// A workspace that is not there today may be on a disk that is mounted tomorrow.
const AWAY: Duration = Duration::from_secs(24 * 3600);
/// Folders of before they named their workspace go when nothing was written into them for so long.
const UNNAMED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Has the cache of a workspace say whose it is, if there is one.
pub(super) fn sign(root: &Path) {
    let folder = filesystem::user_cache(root);
    let file = folder.join(OF);
    if folder.is_dir()
        && !file.is_file()
        && let Ok(path) = root.canonicalize()
    {
        disk::replace(&file, &path.into_os_string().into_vec()).ok();
    }
}

/// Removes caches of workspaces that are not there any more; says how many. The workspace itself is only where to look from.
pub(super) fn clear_gone(root: &Path) -> usize {
    filesystem::user_cache(root).parent().map_or(0, |folder| clear(folder, SystemTime::now()))
}

fn clear(folder: &Path, now: SystemTime) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_workspaces = entries.filter(|entry| is_named_as_a_cache(&entry.file_name()));
    of_workspaces.take(MOST).filter(|entry| is_over(&entry.path(), now) && fs::remove_dir_all(entry.path()).is_ok()).count()
}

/// Sixteen digits of a digest. Other folders there are not of workspaces.
fn is_named_as_a_cache(name: &OsStr) -> bool {
    name.len() == 16 && name.as_bytes().iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a cache is of a workspace that is gone.
fn is_over(cache: &Path, now: SystemTime) -> bool {
    if !fs::symlink_metadata(cache).is_ok_and(|about| about.is_dir()) {
        return false;
    }
    let written = [cache.to_owned(), cache.join("digests.tsv"), cache.join("labels")];
    let written = written.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok()).max();
    let still = written.and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
    match files::read_up_to(&cache.join(OF), 1 << 16) {
        Ok(path) => still > AWAY && is_gone(&PathBuf::from(OsStr::from_bytes(&path))),
        Err(_) => still > UNNAMED,
    }
}

/// Not a folder that may not be looked into, or a link that leads nowhere.
fn is_gone(root: &Path) -> bool {
    fs::symlink_metadata(root).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_of_workspaces_that_are_gone_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let there = at("workspace");
        fs::create_dir(&there).unwrap();
        let cache = |name: &str, of: Option<&Path>| {
            fs::create_dir_all(at(name).join("labels")).unwrap();
            fs::write(at(name).join("digests.tsv"), "x").unwrap();
            if let Some(of) = of {
                fs::write(at(name).join(OF), of.as_os_str().as_bytes()).unwrap();
            }
        };
        cache("0123456789abcdef", Some(&at("gone")));
        cache("1123456789abcdef", Some(&there));
        cache("2123456789abcdef", None);
        cache("target", Some(&at("gone")));
        cache("0123456789ABCDEF", Some(&at("gone")));
        std::os::unix::fs::symlink(at("target"), at("3123456789abcdef")).unwrap();
        let after = |days: u64| SystemTime::now() + Duration::from_secs(days * 24 * 3600 + 60);
        assert_eq!(clear(folder.path(), after(0)), 0, "it may be on a disk that is not mounted now");
        assert_eq!(clear(folder.path(), after(1)), 1);
        assert!(!at("0123456789abcdef").exists());
        assert_eq!(clear(folder.path(), after(30)), 1, "the one that says not whose it is");
        assert!(!at("2123456789abcdef").exists());
        for kept in ["1123456789abcdef", "target/digests.tsv", "0123456789ABCDEF", "3123456789abcdef", "workspace"] {
            assert!(at(kept).exists(), "{kept}");
        }
        assert_eq!(clear(&at("none"), after(99)), 0);
    }
}
