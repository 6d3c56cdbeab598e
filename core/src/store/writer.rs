//! Which process writes, and what its locks can tell another. A lock (flock) is known to one kernel, and on many shared file
//! systems to one mount of it: elsewhere it is granted although it is held.

use super::{filesystem, origin};
use crate::domain::{Digest, event::Writer};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    collections::HashMap,
    fs::File,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

/// This process, as a writer into a folder that is there.
pub(super) fn here(folder: &Path) -> Writer {
    static KNOWN: LazyLock<Mutex<HashMap<PathBuf, Writer>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(writer) = known.get(folder) {
        return writer.clone();
    }
    let (host, boot) = (origin::host(), origin::boot());
    let writer = Writer {
        machine: machine().to_owned(),
        pid: std::process::id(),
        token: token(),
        device: std::fs::metadata(folder).map_or(0, |about| about.dev()),
        local: filesystem::network(folder).is_none(),
        locks: true,
        host,
        boot,
        journal: String::new(),
        workspace: String::new(),
    };
    // A folder that is not there yet will be on some file system once it is.
    if writer.device != 0 {
        known.insert(folder.to_owned(), writer.clone());
    }
    writer
}

/// This machine and its process namespace, as one short name.
pub(super) fn machine() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let parts = [origin::host(), origin::boot(), origin::process_namespace()];
        Digest::of(parts.join("\n").as_bytes()).to_string()[..16].to_owned()
    })
}

/// This process's random name: 64 bits.
pub(super) fn token() -> String {
    static TOKEN: OnceLock<String> = OnceLock::new();
    let draw = || {
        let mut bytes = [0; 8];
        // A system without randomness still has the time and the process number.
        if getrandom::fill(&mut bytes).is_err() {
            let seed = format!("{:?} {}", std::time::SystemTime::now(), std::process::id());
            bytes.copy_from_slice(&blake3::hash(seed.as_bytes()).as_bytes()[..8]);
        }
        format!("{:016x}", u64::from_le_bytes(bytes))
    };
    TOKEN.get_or_init(draw).clone()
}

/// Would a lock that `theirs` holds be refused to `ours`? Then a lock that is granted says that `theirs` is gone. A disk of
/// one machine alone is used by one kernel at a time.
pub(super) fn sees_locks_of(ours: &Writer, theirs: &Writer) -> bool {
    let same_mount = (&ours.host, &ours.boot, ours.device) == (&theirs.host, &theirs.boot, theirs.device);
    ours.locks && theirs.locks && (ours.local && theirs.local || same_mount)
}

/// Is it known to be gone, whatever locks say? Its number is no process's on this machine.
pub(super) fn is_gone(theirs: &Writer, ours: &Writer) -> bool {
    ours.machine == theirs.machine && !lives(theirs.pid)
}

/// Is there a process of this number on this machine?
pub(super) fn lives(pid: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // A zombie writes no more; its parent has only not looked.
        Ok(stat) => !stat.contains(") Z"),
        // Without /proc nobody is taken for gone.
        Err(_) => !Path::new("/proc/self").exists() || Path::new(&format!("/proc/{pid}")).exists(),
    }
}

/// What came of asking for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locking {
    Granted,
    Refused,
    /// The file system has no locks, or none now.
    Without,
}

/// Asks for a lock without waiting.
///
/// # Errors
/// What has nothing to do with the lock.
pub(super) fn lock(file: &File, shared: bool) -> std::io::Result<Locking> {
    let how = if shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
    match flock(file, how) {
        Ok(()) => Ok(Locking::Granted),
        Err(Errno::WOULDBLOCK) => Ok(Locking::Refused),
        Err(Errno::NOSYS | Errno::NOLCK | Errno::OPNOTSUPP | Errno::INVAL) => Ok(Locking::Without),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(host: &str, boot: &str, device: u64, local: bool) -> Writer {
        let token = format!("{host}{device}");
        Writer {
            host: host.into(),
            boot: boot.into(),
            machine: host.into(),
            pid: 1,
            token,
            device,
            local,
            locks: true,
            journal: String::new(),
            workspace: String::new(),
        }
    }

    #[test]
    fn a_lock_tells_of_ones_own_mount_and_of_a_disk_of_ones_own() {
        let a = writer("a", "boot", 1, false);
        assert!(sees_locks_of(&a, &writer("a", "boot", 1, false)));
        // Another host, another start of it, another mount on it.
        for other in [writer("b", "boot", 1, false), writer("a", "later", 1, false), writer("a", "boot", 2, false)] {
            assert!(!sees_locks_of(&a, &other) && !sees_locks_of(&other, &a), "{other:?}");
        }
        // After a restart, or in a container of another name, a disk is still this machine's alone.
        assert!(sees_locks_of(&writer("a", "later", 1, true), &writer("b", "boot", 3, true)));
        // A server's own disk, and its client.
        assert!(!sees_locks_of(&writer("server", "x", 1, true), &writer("client", "y", 1, false)));
        // A file system without locks.
        let without = Writer { locks: false, ..a.clone() };
        assert!(!sees_locks_of(&without, &a) && !sees_locks_of(&a, &without));
    }

    #[test]
    fn a_process_is_known_to_be_gone_on_its_own_machine_only() {
        let folder = tempfile::tempdir().unwrap();
        let ours = here(folder.path());
        assert!(ours.token.len() == 16 && ours.machine.len() == 16 && ours.device != 0);
        assert!(!is_gone(&ours, &ours));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let theirs = Writer { pid: child.id(), ..ours.clone() };
        child.wait().unwrap();
        assert!(is_gone(&theirs, &ours));
        assert!(!is_gone(&Writer { machine: "another".into(), ..theirs }, &ours));
    }
}
