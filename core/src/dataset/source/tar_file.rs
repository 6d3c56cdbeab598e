//! A tar archive of pictures, read where its members stand: listed once, never unpacked. Archives inside of it are listed too (ImageNet's
//! training set is a tar of a tar a class); a member of `n01440764.tar` is in the folder `n01440764`.

use super::place::{INSIDE, is_plain};
use crate::domain::{Digest, Fault, Result, text::is_steering};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// A tar archive and the places of its members.
#[derive(Debug)]
pub struct TarFile {
    path: PathBuf,
    file: File,
    /// By path.
    members: BTreeMap<String, Member>,
    /// Members that are no regular file: links, sparse files.
    passed_over: usize,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    offset: u64,
    bytes: u64,
}

/// A part of a file, as a file of its own.
struct Window<'a> {
    file: &'a File,
    start: u64,
    bytes: u64,
    at: u64,
}

impl Read for Window<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.bytes.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        let read = self.file.read_at(&mut into[..wanted], self.start + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Window<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl TarFile {
    /// Lists an archive.
    ///
    /// # Errors
    /// A file that is no tar archive, or is cut short; two members of one path; a path that leads out of the archive.
    pub fn open(path: &Path) -> Result<Self> {
        let refused = |error| Fault::io("read", path, &error);
        let file = crate::files::open(path).map_err(refused)?;
        let bytes = file.metadata().map_err(refused)?.len();
        let mut archive = TarFile { path: path.to_owned(), file, members: BTreeMap::new(), passed_over: 0 };
        archive.list("", 0, bytes, 0)?;
        if archive.members.is_empty() {
            return Err(Fault::asked("the archive holds no file").in_file(path));
        }
        archive.lift();
        Ok(archive)
    }

    /// Lists the archive that is a part of the file.
    fn list(&mut self, folder: &str, start: u64, bytes: u64, depth: usize) -> Result<()> {
        let file = self.file.try_clone().map_err(|error| Fault::io("read", &self.path, &error))?;
        let mut archive = tar::Archive::new(Window { file: &file, start, bytes, at: 0 });
        let mut last = folder.to_owned();
        let wrong = |error: &io::Error, last: &str, path: &Path| {
            let behind = if last.is_empty() { String::new() } else { format!(" behind {last}") };
            Fault::asked(format!("not a whole tar archive{behind}: {error}")).in_file(path).next("copy or download it again")
        };
        let entries = archive.entries_with_seek().map_err(|error| wrong(&error, &last, &self.path))?;
        for entry in entries {
            let entry = entry.map_err(|error| wrong(&error, &last, &self.path))?;
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            if !kind.is_file() {
                self.passed_over += 1;
                continue;
            }
            let name = entry.path_bytes();
            // `a//b` and `a/./b` are `a/b`.
            let name = std::str::from_utf8(&name)
                .ok()
                .map(|name| name.split('/').filter(|part| !["", "."].contains(part)).collect::<Vec<_>>().join("/"))
                .filter(|name| !name.chars().any(is_steering) && is_plain(name) && !name.is_empty());
            let Some(name) = name.as_deref() else {
                let what = format!(
                    "a member has a path that is not UTF-8, holds control characters or leads out of the archive: {}",
                    String::from_utf8_lossy(&entry.path_bytes())
                );
                return Err(Fault::asked(what).in_file(&self.path).next("pack it anew"));
            };
            let member = Member { offset: start + entry.raw_file_position(), bytes: entry.size() };
            // A seek past the end is no error, so the end is looked at here.
            if member.offset.saturating_add(member.bytes) > start + bytes {
                let left = (start + bytes).saturating_sub(member.offset);
                return Err(Fault::asked(format!(
                    "the archive is cut short: its member {folder}{name} has {} bytes, and {left} are left",
                    member.bytes
                ))
                .in_file(&self.path)
                .next("copy or download it again"));
            }
            last = format!("{folder}{name}");
            // What macOS and others leave in archives is no picture.
            if name.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let is_archive = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tar"));
            if is_archive && depth == 0 {
                let stem = Path::new(name).with_extension("");
                self.list(&format!("{folder}{}/", stem.display()), member.offset, member.bytes, depth + 1)?;
            } else if self.members.insert(last.clone(), member).is_some() {
                return Err(Fault::asked(format!("the archive has two members of the path {last}")).in_file(&self.path));
            }
        }
        Ok(())
    }

    /// Folders that hold all members below one other folder are no part of ids: `train/n01440764/1.JPEG` is in the class `n01440764`.
    fn lift(&mut self) {
        loop {
            let first = self.members.keys().next().and_then(|path| path.split_once('/')).map(|(folder, _)| format!("{folder}/"));
            let Some(first) = first else { return };
            let is_above = |path: &String| path.strip_prefix(&first).is_some_and(|rest| rest.contains('/'));
            if !self.members.keys().all(is_above) {
                return;
            }
            let members = std::mem::take(&mut self.members);
            self.members = members.into_iter().map(|(path, member)| (path[first.len()..].to_owned(), member)).collect();
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every path, sorted.
    pub(in crate::dataset) fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// How many members are links or sparse files: they are not read.
    pub(in crate::dataset) fn passed_over(&self) -> usize {
        self.passed_over
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.members.contains_key(id)
    }

    pub(super) fn place(&self, id: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let at = self.members.get(id).map_or(String::new(), |member| format!(" (offset {})", member.offset));
        self.path.with_file_name(format!("{name}{INSIDE}member {id}{at}"))
    }

    pub(super) fn read(&self, id: &str) -> Result<Vec<u8>> {
        let place = self.place(id);
        let member = self.members.get(id).ok_or_else(|| Fault::missing("the archive has no such member").in_file(&place))?;
        if member.bytes > crate::files::LARGEST_PICTURE {
            return Err(Fault::asked(format!("a member of {} bytes: no picture is as large", member.bytes)).in_file(place));
        }
        let mut bytes = vec![0; member.bytes as usize];
        self.file.read_exact_at(&mut bytes, member.offset).map_err(|error| Fault::io("read the picture", place, &error))?;
        Ok(bytes)
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The places of members among all, by path.
    pub(super) fn places(&self) -> BTreeMap<&str, usize> {
        self.paths().zip(0..).collect()
    }

    /// Changes when a member stands elsewhere.
    pub(super) fn table(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for (path, member) in &self.members {
            hasher.update(format!("{path}\0{}\0{}\n", member.offset, member.bytes).as_bytes());
        }
        Digest::from_bytes(*hasher.finalize().as_bytes())
    }
}
