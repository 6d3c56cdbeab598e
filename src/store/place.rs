//! Where a store may be. SQLite's write-ahead log needs memory that all its readers share: on a network file system that is
//! not so, and a store there loses commits (sqlite.org/wal.html). Results and journals need nothing of the kind.

use crate::domain::Digest;
use std::path::{Path, PathBuf};

/// File systems over a network, by the numbers that statfs(2) gives them.
const NETWORKS: [(u64, &str); 12] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7461_636f, "OCFS2"),
    (0x0102_1997, "9P"),
    (0x7375_7245, "Coda"),
];

/// The name of the network file system that a folder is on; `None` on a local one. A folder that is not there yet is where
/// its nearest parent is.
pub fn network(folder: &Path) -> Option<&'static str> {
    if cfg!(debug_assertions)
        && let Ok(number) = std::env::var("VISAVIS_STATFS")
    {
        // A test's mount: `PREFIX=NUMBER`.
        let (prefix, number) = number.split_once('=')?;
        return std::path::absolute(folder).ok()?.starts_with(prefix).then(|| named(number.parse().ok()?))?;
    }
    let absolute = std::path::absolute(folder).ok()?;
    let there = absolute.ancestors().find(|path| path.exists())?;
    named(rustix::fs::statfs(there).ok()?.f_type as u64 & 0xffff_ffff)
}

fn named(number: u64) -> Option<&'static str> {
    NETWORKS.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
}

/// Where the store of a workspace on a network is on this machine: below the user's state folder (XDG), by the workspace's
/// path.
pub fn local_store(root: &Path) -> PathBuf {
    of_user("XDG_STATE_HOME", ".local/state", root).join("visavis.db")
}

/// Where the user keeps what can be made again of a workspace in which nothing was run.
pub fn user_cache(root: &Path) -> PathBuf {
    of_user("XDG_CACHE_HOME", ".cache", root)
}

/// A folder of the user's for a workspace, by its path: below what a variable names, else below the home folder.
fn of_user(variable: &str, usual: &str, root: &Path) -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(usual));
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home);
    let path = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let name = Digest::of(path.as_os_str().as_encoded_bytes()).to_string();
    folder.unwrap_or_else(std::env::temp_dir).join("visavis").join(&name[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_known_and_local_disks_are_none() {
        assert_eq!((named(0x6969), named(0x0bd0_0bd0), named(0xef53)), (Some("NFS"), Some("Lustre"), None));
        assert_eq!(network(&std::env::temp_dir()), None);
    }
}
