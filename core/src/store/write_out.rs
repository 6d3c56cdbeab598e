//! Files that a person named (`-o FILE`): the new one whole, or what was there before; and nothing half beside it.

use super::{
    disk::{self, folder_of, part_in, sync_folder_of},
    fail_point::{self, Op},
};
use crate::domain::{Ending, Fault, Result, text::printable};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Write},
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileTypeExt, OpenOptionsExt, fchown},
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// So long, a pipe that nobody reads yet is waited for.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// Writes a file that a person named: whole, or what was there before stays. A link is followed, and the file keeps its permissions; what
/// is no file (a pipe, a terminal) is written to. No folder is made.
///
/// # Errors
/// What was asked cannot be (a folder that is not there or may not be written, a folder in the file's place, a link that leads nowhere, a
/// file that may not be written, or not without a moment in which it is lost); a disk that refuses.
pub fn write_out(path: &Path, bytes: &[u8]) -> Result<()> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(Fault::asked("cannot write the file: a folder is in its place")
            .in_file(path)
            .next("name a file in that folder, or another place")),
        Ok(about) if !about.is_file() => write_to(path, &about, bytes).map_err(|error| refused(path, &error)),
        Ok(about) => replace(path, &about, bytes, &beside),
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
            Ok(target) => Err(Fault::asked(format!(
                "cannot write the file: it is a link to {}, which is not there",
                printable(&target.to_string_lossy())
            ))
            .in_file(path)
            .next("remove the link, or make what it leads to")),
            Err(_) => create(path, bytes),
        },
        Err(error) => Err(refused(path, &error)),
    }
}

/// The same, where the file does not hold these bytes already.
///
/// # Errors
/// As [`write_out`].
pub fn write_out_unless_there(path: &Path, bytes: &[u8]) -> Result<()> {
    let is_as_long = fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == bytes.len() as u64);
    if is_as_long && fs::read(path).is_ok_and(|there| there == bytes) { Ok(()) } else { write_out(path, bytes) }
}

/// A file where none is.
fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err(Fault::asked("cannot write the file: its name ends as that of a folder").in_file(path).next("name a file"));
    }
    match fs::metadata(folder) {
        Ok(about) if !about.is_dir() => {
            return Err(Fault::asked("cannot write a file there: this is no folder")
                .in_file(folder)
                .next("choose another place"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Fault::asked("cannot write a file there: there is no such folder")
                .in_file(folder)
                .next("make the folder first, or choose another place"));
        }
        _ => {}
    }
    let half = beside(path, bytes).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => refused(folder, &error),
        _ => refused(path, &error),
    })?;
    put_in_place(&half, path).map_err(|error| refused(path, &error))?;
    sync_folder_of(path)
}

/// Another file in the place of one that is there. `beside` writes the new one into the folder of the old one.
fn replace(path: &Path, about: &Metadata, bytes: &[u8], beside: &dyn Fn(&Path, &[u8]) -> io::Result<PathBuf>) -> Result<()> {
    let refused = |error: &io::Error| refused(path, error);
    let real = path.canonicalize().map_err(|error| refused(&error))?;
    // What may not be written is not replaced either.
    let old = File::options().write(true).open(&real).map_err(|error| refused(&error))?;
    let replaced = beside(&real, bytes).and_then(|half| {
        let kept = File::open(&half).and_then(|new| keep_owner(&new, about)).and_then(|()| put_in_place(&half, &real));
        kept.inspect_err(|_| _ = fs::remove_file(&half))
    });
    match replaced {
        Ok(()) => sync_folder_of(&real),
        Err(error) if is_of_the_folder(&error) => in_place(path, old, about, bytes),
        Err(error) => Err(refused(&error)),
    }
}

/// Whether a new file cannot take the place of another: its folder may not be written, or the file is mounted.
fn is_of_the_folder(error: &io::Error) -> bool {
    use ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy | CrossesDevices)
}

/// Writes into the file itself, where nothing is lost if that is refused halfway or the power goes: it is empty.
fn in_place(path: &Path, mut old: File, about: &Metadata, bytes: &[u8]) -> Result<()> {
    if about.len() > 0 {
        return Err(Fault::asked(
            "the file may be written, but not replaced in its folder: what is in it would be lost if writing was interrupted",
        )
        .in_file(path)
        .next("empty the file first (`: > FILE`), or write to another place and copy from there"));
    }
    let written = disk::write(&mut old, bytes).and_then(|()| disk::sync(&old));
    written.map_err(|error| {
        old.set_len(0).ok();
        refused(path, &error)
    })
}

/// Permissions of the file before; and its owner, where this process may give files away.
fn keep_owner(new: &File, about: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let ours = new.metadata()?;
    if (ours.uid(), ours.gid()) != (about.uid(), about.gid()) {
        fchown(new, Some(about.uid()), Some(about.gid())).or_else(|_| fchown(new, None, Some(about.gid()))).ok();
    }
    new.set_permissions(about.permissions())
}

/// Gives a file that is whole its name; on failure it is removed.
fn put_in_place(half: &Path, path: &Path) -> io::Result<()> {
    fail_point::pass(Op::Rename).and_then(|()| fs::rename(half, path)).inspect_err(|_| _ = fs::remove_file(half))
}

/// A synced file of these bytes in the folder of `path`; on failure there is none. Until it is whole it has no name where the file
/// system can do that, so a process that is killed leaves nothing.
fn beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let folder = folder_of(path);
    let half = part_in(folder);
    let fill = |file: &mut File| disk::write(file, bytes).and_then(|()| disk::sync(file));
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    if let Ok(nameless) = rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666)) {
        let mut file = File::from(nameless);
        fill(&mut file)?;
        let open = format!("/proc/self/fd/{}", file.as_raw_fd());
        if rustix::fs::linkat(CWD, open, CWD, &half, AtFlags::SYMLINK_FOLLOW).is_ok() {
            return Ok(half);
        }
    }
    File::create_new(&half).and_then(|mut file| fill(&mut file)).inspect_err(|_| _ = fs::remove_file(&half))?;
    Ok(half)
}

/// Writes to what is no file. A pipe that nobody opens to read is given up after a while.
fn write_to(path: &Path, about: &Metadata, bytes: &[u8]) -> io::Result<()> {
    let begun = Instant::now();
    let no_reader = |error: &io::Error| error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
    let open = |flags: OFlags| File::options().write(true).custom_flags(flags.bits() as i32).open(path);
    let mut file = if about.file_type().is_fifo() {
        let file = loop {
            match open(OFlags::NONBLOCK) {
                Err(error) if no_reader(&error) && begun.elapsed() < MOST_WAIT => std::thread::sleep(Duration::from_millis(20)),
                Err(error) if no_reader(&error) => return Err(io::Error::new(ErrorKind::InvalidInput, "nobody reads this pipe")),
                file => break file?,
            }
        };
        // With a reader, writing waits for it.
        rustix::fs::fcntl_setfl(&file, OFlags::empty())?;
        file
    } else {
        open(OFlags::NOCTTY)?
    };
    file.write_all(bytes)
}

/// What the system refused, for a place that a person chose: that it may not be written is a mistake of what was asked.
fn refused(path: &Path, error: &io::Error) -> Fault {
    let fault = Fault::io("write", path, error);
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Fault { ending: Ending::Asked, ..fault }.next("change its permissions, or write to another place")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            fault.next("free some space, or write to another place; what was there before is as it was")
        }
        ErrorKind::FileTooLarge => fault.next("files may not be so large there (`ulimit -f`); write to another place"),
        _ if fault.next.is_none() => fault.next("write to another place"),
        _ => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_a_person_named_is_replaced_whole_behind_its_link_and_keeps_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("scores.csv"), folder.path().join("link.csv"));
        write_out(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("scores.csv", &link).unwrap();
        write_out(&link, b"two").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        write_out(Path::new("/dev/null"), b"x").unwrap();
        assert_eq!(names(folder.path()), ["link.csv", "scores.csv"], "nothing half is left");
    }

    #[test]
    fn a_place_that_cannot_be_is_refused_with_what_is_wrong_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), b"old").unwrap();
        fs::create_dir(at("sub")).unwrap();
        symlink("gone/x.csv", at("broken")).unwrap();
        symlink("circle", at("circle")).unwrap();
        for (name, words) in [
            ("sub", "a folder is in its place"),
            ("nowhere/x.csv", "no such folder"),
            ("nowhere/deep/x.csv", "no such folder"),
            ("new/", "as that of a folder"),
            ("file/x.csv", "not a directory"),
            ("broken", "a link to gone/x.csv, which is not there"),
            ("circle", "symbolic link"),
            (&"n".repeat(256), "name too long"),
        ] {
            let fault = write_out(&at(name), b"new").unwrap_err();
            assert_eq!(fault.ending, Ending::Asked, "{name}: {fault}");
            assert!(fault.what.contains(words) && fault.place.is_some() && fault.next.is_some(), "{name}: {fault}");
        }
        assert_eq!(names(folder.path()), ["broken", "circle", "file", "sub"]);
        assert_eq!(fs::read(at("file")).unwrap(), b"old");
        write_out(&at(&"n".repeat(255)), b"as long as names may be").unwrap();
    }

    #[test]
    fn in_a_folder_that_may_not_be_written_only_an_empty_file_is_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("handed-over.csv");
        let denied = |_: &Path, _: &[u8]| Err(io::Error::from(ErrorKind::PermissionDenied));
        let put = |bytes: &[u8]| replace(&file, &fs::metadata(&file).unwrap(), bytes, &denied);
        fs::write(&file, b"").unwrap();
        put(b"first").unwrap();
        let fault = put(b"second").unwrap_err();
        assert_eq!(fault.ending, Ending::Asked);
        assert!(fault.what.contains("would be lost") && fault.next.as_ref().unwrap().contains("empty the file first"), "{fault}");
        assert_eq!(fs::read(&file).unwrap(), b"first");
        // A disk that is full is no folder that may not be written.
        let full = |_: &Path, _: &[u8]| Err(io::Error::from(ErrorKind::StorageFull));
        fs::write(&file, b"").unwrap();
        let fault = replace(&file, &fs::metadata(&file).unwrap(), b"x", &full).unwrap_err();
        assert!(fault.ending == Ending::Unexpected && fault.next.unwrap().contains("free some space"));
        assert_eq!(fs::read(&file).unwrap(), b"");
    }

    #[test]
    fn a_device_that_is_full_is_told() {
        let fault = write_out(Path::new("/dev/full"), b"x").unwrap_err();
        assert!(fault.ending == Ending::Unexpected && fault.what.contains("no space left"), "{fault}");
    }

    #[test]
    fn a_pipe_is_written_to_once_somebody_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(CWD, &pipe, fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let bytes = vec![7; 1 << 18];
        let read = std::thread::scope(|scope| {
            let writer = scope.spawn(|| write_out(&pipe, &bytes));
            std::thread::sleep(Duration::from_millis(60));
            let read = fs::read(&pipe).unwrap();
            writer.join().unwrap().unwrap();
            read
        });
        assert_eq!(read, bytes);
    }
}
