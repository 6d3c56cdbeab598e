//! Which file systems are a machine's own and which are shared. SQLite's write-ahead log needs memory that all its readers
//! share: over a network that is not so, and a store there loses commits (sqlite.org/wal.html). Locks may be known to one
//! machine only (see `lease.rs`). Results and journals need neither.

use super::Injection;
use crate::domain::Digest;
use std::path::{Path, PathBuf};

/// File systems that several machines can mount at a time, or whose locks and caches are those of one mount, by the numbers
/// that statfs(2) gives them. virtiofs, sshfs, bindfs, s3fs and their like all give FUSE's.
const SHARED: [(u64, &str); 21] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7461_636f, "OCFS2"),
    (0x0102_1997, "9P"),
    (0x7375_7245, "Coda"),
    (0x6573_5546, "FUSE or virtiofs"),
    (0x0116_1970, "GFS2"),
    (0xaad7_aaea, "PanFS"),
    (0x2003_0528, "OrangeFS"),
    (0x5346_4846, "DrvFs"),
    (0x786f_4256, "a VirtualBox shared folder"),
    (0xbacb_acbc, "a VMware shared folder"),
    (0x564c, "NCP"),
];

/// File systems of one machine's own disks and memory.
const LOCAL: [u64; 22] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x794c_7630, // overlayfs
    0x2fc1_2fc1, // ZFS
    0xf2f5_2010, // F2FS
    0xca45_1a4e, // bcachefs
    0x3153_464a, // JFS
    0x5265_4973, // ReiserFS
    0x3434,      // NILFS2
    0xf15f,      // eCryptfs
    0x4d44,      // FAT
    0x2011_bab0, // exFAT
    0x5346_544e, // NTFS
    0x7366_746e, // NTFS3
    0x482b,      // HFS+
    0x7371_7368, // squashfs
    0xe0f5_e1e2, // EROFS
    0x1501_3346, // UDF
    0x9660,      // ISO 9660
];

/// What is said of a file system that neither list has: as of one that is shared, for that is safe.
const UNKNOWN: &str = "a file system that visavis does not know";

/// The name of the shared file system that a folder is on; `None` on one of this machine's own. A folder that is not there
/// yet is where its nearest parent is.
pub(super) fn network(folder: &Path) -> Option<&'static str> {
    if let Some(injected) = Injection::FileSystem.value() {
        let (prefix, number) = injected.split_once('=')?;
        return std::path::absolute(folder).ok()?.starts_with(prefix).then(|| named(number.parse().ok()?))?;
    }
    let absolute = std::path::absolute(folder).ok()?;
    let there = absolute.ancestors().find(|path| path.exists())?;
    named(rustix::fs::statfs(there).ok()?.f_type as u64 & 0xffff_ffff)
}

fn named(number: u64) -> Option<&'static str> {
    let shared = SHARED.iter().find(|(of, _)| *of == number).map(|(_, name)| *name);
    shared.or_else(|| (!LOCAL.contains(&number)).then_some(UNKNOWN))
}

/// Where the store of a workspace on a shared file system is on this machine: below the user's state folder (XDG), by the
/// workspace's path; where the home folder is shared too, below the folder of temporary files.
pub(super) fn local_store(root: &Path) -> PathBuf {
    of_user("XDG_STATE_HOME", ".local/state", root).join("visavis.db")
}

/// Where the user keeps what can be made again of a workspace in which nothing was run.
pub(super) fn user_cache(root: &Path) -> PathBuf {
    of_user("XDG_CACHE_HOME", ".cache", root)
}

/// A folder of the user's on this machine for a workspace, by its path: below what a variable names, else below the home
/// folder, else below the folder of temporary files.
fn of_user(variable: &str, usual: &str, root: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(usual)).filter(|home| network(home).is_none());
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute()).or(home);
    let temporary = || std::env::temp_dir().join(format!("visavis-{}", rustix::process::getuid().as_raw()));
    let path = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let name = Digest::of(path.as_os_str().as_encoded_bytes()).to_string();
    folder.unwrap_or_else(temporary).join("visavis").join(&name[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_known_and_local_disks_are_none() {
        assert_eq!((named(0x6969), named(0x0bd0_0bd0), named(0xef53)), (Some("NFS"), Some("Lustre"), None));
        assert_eq!((named(0x6573_5546), named(0x0116_1970)), (Some("FUSE or virtiofs"), Some("GFS2")));
        assert_eq!((named(0x5846_5342), named(0x0102_1994), named(0x1234_5678)), (None, None, Some(UNKNOWN)));
        assert!(SHARED.iter().all(|(number, _)| !LOCAL.contains(number)));
        assert_eq!(network(&std::env::temp_dir()), None);
    }
}
