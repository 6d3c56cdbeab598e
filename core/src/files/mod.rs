//! Opening files that others gave: regular files only. A pipe would keep the program waiting for ever, a device would never end, and a
//! folder is no file.

pub(crate) mod safetensors_head;

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
};

/// More than any picture has; it is read whole.
pub const LARGEST_PICTURE: u64 = 256 << 20;
/// More than any list, note or manifest has that is read whole.
pub const LARGEST_TEXT: u64 = 256 << 20;

/// Opens a regular file for reading. It never waits.
///
/// # Errors
/// What cannot be opened; what is no regular file, as [`io::ErrorKind::InvalidInput`].
pub fn open(path: &Path) -> io::Result<File> {
    checked(OpenOptions::new().read(true), path, nonblocking())
}

/// The same, and not behind a link: of files that this program makes for itself.
///
/// # Errors
/// As [`open`]; a link.
pub fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    if path.is_symlink() {
        return Err(refused("a link, and this program writes only its own file"));
    }
    checked(options, path, nonblocking() | rustix::fs::OFlags::NOFOLLOW)
}

fn nonblocking() -> rustix::fs::OFlags {
    rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY
}

fn checked(options: &mut OpenOptions, path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    let file = options.custom_flags(flags.bits() as i32).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Err(refused(if kind.is_fifo() { "a pipe, not a file" } else { "a device or a socket, not a file" }))
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}"))
}

/// The bytes of a regular file, of any size.
///
/// # Errors
/// As [`open`]; a file that cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(path, u64::MAX)
}

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`read`]; a larger file, as [`io::ErrorKind::InvalidInput`].
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size <= most {
        bytes.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX))?;
        // It may grow while it is read.
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    if size.max(bytes.len() as u64) > most {
        return Err(refused(&format!("larger ({size} bytes) than what is read at most ({most} bytes)")));
    }
    Ok(bytes)
}

/// The text of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`read_up_to`]; a text that is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_up_to(path, most)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_a_device_and_a_folder_are_no_files_and_nothing_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.npy");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
            .unwrap();
        assert!(open(&pipe).unwrap_err().to_string().contains("a pipe, not a file"));
        assert!(open(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
        assert_eq!(open(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(open(&folder.path().join("gone")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_is_read_up_to_a_size_and_behind_a_link_only_where_that_is_no_file_of_our_own() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, b"12345").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read_up_to(&link, 5).unwrap(), b"12345");
        assert!(read_up_to(&file, 4).unwrap_err().to_string().contains("larger (5 bytes)"));
        assert_eq!(read_text(&file, 5).unwrap(), "12345");
        assert!(open_own(OpenOptions::new().read(true), &file).is_ok());
        assert!(open_own(OpenOptions::new().write(true).truncate(true), &link).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"12345");
        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink(folder.path().join("made"), &dangling).unwrap();
        assert!(open_own(OpenOptions::new().append(true).create(true), &dangling).is_err());
        assert!(!folder.path().join("made").exists());
    }
}
