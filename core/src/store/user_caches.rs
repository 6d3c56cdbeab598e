//! What is kept in the user's cache of workspaces in which nothing was run yet, one folder each; and its removal when the workspace is gone.
//!
//! A folder says in the file `workspace` of which workspace it is. Losing one costs only time.

use super::filesystem;
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
/// The file that says since when the workspace is known to be gone, by its time.
const GONE: &str = "gone";
/// A workspace that is not there today may be on a disk that is mounted tomorrow.
const AWAY: Duration = Duration::from_secs(24 * 3600);
/// What is removed, and nothing else: a store may lie in the same folder.
const KEPT: [&str; 8] = ["digests.tsv", "digests.doubted", "labels", "parts", "hashes", "workspace.part", OF, GONE];

/// Has the cache of a workspace say whose it is, if there is one.
pub(super) fn sign(root: &Path) {
    let folder = filesystem::user_cache(root);
    let file = folder.join(OF);
    if folder.is_dir()
        && !file.is_file()
        && let Ok(path) = root.canonicalize()
    {
        // Losing it costs nothing: a refusal is nobody's fault.
        let half = folder.join("workspace.part");
        fs::write(&half, path.into_os_string().into_vec()).and_then(|()| fs::rename(&half, &file)).ok();
    }
}

/// Removes caches of workspaces that are gone, and were when this was done a day ago or earlier; says how many. The workspace itself is only
/// where to look from.
pub(super) fn clear_gone(root: &Path) -> usize {
    filesystem::user_cache(root).parent().map_or(0, |folder| clear(folder, SystemTime::now()))
}

fn clear(folder: &Path, now: SystemTime) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_workspaces = entries.filter(|entry| is_named_as_a_cache(&entry.file_name()));
    of_workspaces.filter(|entry| is_over(&entry.path(), now) && remove(&entry.path())).count()
}

/// Removes what a cache holds; the folder too if nothing else is in it.
fn remove(cache: &Path) -> bool {
    for name in KEPT {
        let path = cache.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path).ok()
        } else {
            fs::remove_file(path).ok()
        };
    }
    fs::remove_dir(cache).is_ok()
}

/// Sixteen digits of a digest. Other folders there are not of workspaces.
fn is_named_as_a_cache(name: &OsStr) -> bool {
    name.len() == 16 && name.as_bytes().iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a cache is of a workspace that has been gone for a day. The first look notes it. A cache that names no workspace stays.
fn is_over(cache: &Path, now: SystemTime) -> bool {
    if !fs::symlink_metadata(cache).is_ok_and(|about| about.is_dir()) {
        return false;
    }
    let (of, marker) = (files::read_up_to(&cache.join(OF), 1 << 16), cache.join(GONE));
    if !of.is_ok_and(|path| is_gone(&PathBuf::from(OsStr::from_bytes(&path)))) {
        fs::remove_file(marker).ok();
        return false;
    }
    let since = fs::metadata(&marker).and_then(|about| about.modified()).ok();
    if since.is_none() {
        fs::write(&marker, "").ok();
    }
    since.and_then(|since| now.duration_since(since).ok()).is_some_and(|gone| gone > AWAY)
}

/// Not a folder that may not be looked into, a link that leads nowhere, or something on a disk that is not mounted.
fn is_gone(root: &Path) -> bool {
    let is_absent = |path: &Path| fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    is_absent(root) && root.parent().is_some_and(Path::is_dir)
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
        fs::write(at("4123456789abcdef"), "").ok();
        cache("5123456789abcdef", Some(&at("unmounted").join("workspace")));
        let after = |days: u64| SystemTime::now() + Duration::from_secs(days * 24 * 3600 + 60);
        assert_eq!(clear(folder.path(), after(9)), 0, "it may be on a disk that is not mounted now: the first look notes it");
        assert_eq!(clear(folder.path(), after(0)), 0);
        fs::write(at("0123456789abcdef").join("visavis.db"), "a store").unwrap();
        assert_eq!(clear(folder.path(), after(1)), 0, "somebody's store is in it");
        assert!(at("0123456789abcdef/visavis.db").exists() && !at("0123456789abcdef/labels").exists());
        fs::remove_file(at("0123456789abcdef/visavis.db")).unwrap();
        cache("0123456789abcdef", Some(&at("gone")));
        assert_eq!(clear(folder.path(), after(1)), 0);
        assert_eq!(clear(folder.path(), after(1)), 1);
        assert!(!at("0123456789abcdef").exists());
        for kept in ["2123456789abcdef/labels", "5123456789abcdef/labels"] {
            assert!(at(kept).exists(), "{kept}: nobody knows that its workspace is gone");
        }
        for kept in ["1123456789abcdef", "target/digests.tsv", "0123456789ABCDEF", "3123456789abcdef", "workspace"] {
            assert!(at(kept).exists(), "{kept}");
        }
        assert_eq!(clear(&at("none"), after(99)), 0);
    }
}
