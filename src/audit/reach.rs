//! Which files an audit opens: regular ones of a known size, below the workspace or a folder that the auditor named. A page
//! says where its inputs were; it is not believed, and what it names elsewhere is not even looked at.

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, openat, statat},
};
use std::{
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
};
use visavis_core::domain::{Digest, Fault, Result, text::size};

/// Larger than any array of features that was met; what is larger is not read into memory.
pub(crate) const LARGEST_INPUT: u64 = 8 << 30;
/// Larger than any picture of a data set.
pub(crate) const LARGEST_PICTURE: u64 = 256 << 20;

#[derive(Clone, Debug)]
pub struct Reach {
    /// The workspace and the named folders, as they are named and as they are once links are followed.
    roots: Vec<(PathBuf, PathBuf)>,
}

impl Reach {
    /// The workspace, and folders that the auditor named.
    ///
    /// # Errors
    /// A named folder that is none.
    pub fn new(workspace: &Path, data: &[PathBuf]) -> Result<Self> {
        let root = |folder: &Path| {
            let unknown = || {
                let fault = Fault::asked("there is no such folder").in_file(folder);
                fault.next("name with --data a folder that holds what the report was made from")
            };
            let real = folder.canonicalize().ok().filter(|real| real.is_dir()).ok_or_else(unknown)?;
            Ok((plain(&std::path::absolute(folder).map_err(|_| unknown())?), real))
        };
        let roots = std::iter::once(workspace).chain(data.iter().map(PathBuf::as_path)).map(root).collect::<Result<_>>()?;
        Ok(Reach { roots })
    }

    /// Where a named file is, if an audit may open it: links followed, still below a root, a regular file of at most `most` bytes.
    ///
    /// # Errors
    /// Why it may not; always [`Fault::missing`], for what cannot be opened cannot be checked.
    pub fn find(&self, named: &Path, most: u64) -> Result<PathBuf> {
        self.open(named, most).map(|(_, real, _)| real)
    }

    /// Where a named folder is: links followed, still below a root.
    ///
    /// # Errors
    /// As [`Reach::find`].
    pub fn folder(&self, named: &Path) -> Result<PathBuf> {
        let spelled = self.spelled(named)?;
        let real = spelled.iter().find_map(|path| path.canonicalize().ok().filter(|real| real.is_dir()));
        let real = real.ok_or_else(|| refused("folder not here", named))?;
        if self.roots.iter().any(|(_, root)| real.starts_with(root)) { Ok(real) } else { Err(outside(named)) }
    }

    /// What a path may mean: itself, or what it names from the workspace or a named folder. Nothing is looked at.
    fn spelled(&self, named: &Path) -> Result<Vec<PathBuf>> {
        let is_near =
            |path: &PathBuf| self.roots.iter().any(|(spelled, real)| path.starts_with(spelled) || path.starts_with(real));
        let from = if named.is_absolute() { &self.roots[..1] } else { &self.roots[..] };
        let near: Vec<PathBuf> = from.iter().map(|(root, _)| plain(&root.join(named))).filter(is_near).collect();
        if near.is_empty() { Err(outside(named)) } else { Ok(near) }
    }

    /// The bytes of a named file: as many as it had when it was opened, and no more.
    ///
    /// # Errors
    /// As [`Reach::find`].
    pub fn read(&self, named: &Path, most: u64) -> Result<Vec<u8>> {
        let (file, _, bytes) = self.open(named, most)?;
        let mut held = Vec::new();
        held.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX)).map_err(|_| refused("file too large", named))?;
        file.take(bytes).read_to_end(&mut held).map_err(|_| refused("file cannot be read", named))?;
        Ok(held)
    }

    /// The bytes of a named file if they are those of `digest`.
    ///
    /// # Errors
    /// As [`Reach::find`]; and a file with other bytes differs.
    pub fn read_verified(&self, named: &Path, digest: Digest, most: u64) -> Result<Vec<u8>> {
        let bytes = self.read(named, most)?;
        let found = Digest::of(&bytes);
        if found == digest {
            return Ok(bytes);
        }
        Err(Fault::differs(format!(
            "the file {} is not the one that was consumed: expected blake3 {digest}, found {found}",
            named.display()
        )))
    }

    fn open(&self, named: &Path, most: u64) -> Result<(File, PathBuf, u64)> {
        // Nothing outside is touched, not even to see whether it is there: by its spelling first, then with links followed.
        let spelled = self.spelled(named)?;
        let absent = || refused("file not here", named);
        let real = spelled.iter().find_map(|path| path.canonicalize().ok()).ok_or_else(absent)?;
        let below = self.roots.iter().find_map(|(_, root)| Some((root, real.strip_prefix(root).ok()?)));
        let (root, rest) = below.ok_or_else(|| outside(named))?;
        let (file, bytes) = walk(root, rest).map_err(|refusal| match refusal {
            Refusal::Absent => absent(),
            Refusal::Irregular => refused("not a regular file", named),
        })?;
        if bytes > most {
            return Err(refused(&format!("file of {}, more than the {} that are read", size(bytes), size(most)), named));
        }
        Ok((file, real, bytes))
    }
}

fn outside(named: &Path) -> Fault {
    refused("path outside the workspace and the folders named with --data", named)
}

fn refused(why: &str, named: &Path) -> Fault {
    Fault::missing(format!("{why}: {}", named.display()))
}

/// The path without `.` and with `..` taken as spelled.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = out.pop(),
            other => out.push(other),
        }
    }
    out
}

enum Refusal {
    Absent,
    Irregular,
}

/// Opens what `rest` names below `root`, folder by folder and following no link: between looking and opening nothing can be put
/// in a file's place that is outside, and opening waits for nobody.
fn walk(root: &Path, rest: &Path) -> std::result::Result<(File, u64), Refusal> {
    let folders = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |at: &OwnedFd, name: &std::ffi::OsStr, how| openat(at, name, how, Mode::empty()).map_err(|_| Refusal::Absent);
    let mut folder = openat(CWD, root, folders, Mode::empty()).map_err(|_| Refusal::Absent)?;
    let mut parts = rest.components().map(Component::as_os_str).peekable();
    while let Some(name) = parts.next() {
        if parts.peek().is_some() {
            folder = open(&folder, name, folders)?;
            continue;
        }
        // A device is not opened even for an instant: some of them act on that.
        regular(&statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| Refusal::Absent)?)?;
        let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(&folder, name, how)?;
        let bytes = regular(&fstat(&file).map_err(|_| Refusal::Absent)?)?;
        return Ok((File::from(file), bytes));
    }
    Err(Refusal::Irregular)
}

fn regular(about: &Stat) -> std::result::Result<u64, Refusal> {
    if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
        return Err(Refusal::Irregular);
    }
    u64::try_from(about.st_size).map_err(|_| Refusal::Irregular)
}

/// A file that the auditor named: regular, and of at most `most` bytes.
///
/// # Errors
/// What it is instead.
pub fn read_named(path: &Path, most: u64, what: &str) -> Result<Vec<u8>> {
    let told = |error: rustix::io::Errno| Fault::io(&format!("read {what}"), path, &error.into());
    let irregular = || Fault::asked(format!("{what} is not a regular file")).in_file(path).next("give the HTML file itself");
    // Looked at before it is opened, for a pipe or a device may act on that; and again after.
    let kind = |about: &Stat| FileType::from_raw_mode(about.st_mode);
    if kind(&statat(CWD, path, AtFlags::empty()).map_err(told)?) != FileType::RegularFile {
        return Err(irregular());
    }
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(CWD, path, how, Mode::empty()).map_err(told)?;
    let bytes = regular(&fstat(&file).map_err(told)?).map_err(|_| irregular())?;
    if bytes > most {
        return Err(Fault::asked(format!("{what} has {}, more than the {} that an audit reads", size(bytes), size(most)))
            .in_file(path)
            .next("ask whoever wrote it for a report that `visavis report` writes: the largest have some tens of megabytes"));
    }
    let mut held = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    File::from(file).take(bytes).read_to_end(&mut held).map_err(|error| Fault::io(&format!("read {what}"), path, &error))?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    fn refusal(reach: &Reach, path: &str) -> String {
        reach.read(Path::new(path), 1000).unwrap_err().what
    }

    #[test]
    fn only_regular_files_below_the_folders_are_opened() {
        let (workspace, data, elsewhere) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = workspace.path();
        fs::create_dir(root.join("data")).unwrap();
        fs::write(root.join("data/a.npy"), b"inside").unwrap();
        fs::write(data.path().join("b.npy"), b"named").unwrap();
        fs::write(elsewhere.path().join("c.npy"), b"outside").unwrap();
        symlink(elsewhere.path().join("c.npy"), root.join("data/link")).unwrap();
        symlink(elsewhere.path(), root.join("data/folder")).unwrap();
        symlink("a.npy", root.join("data/near")).unwrap();
        symlink("/dev/zero", root.join("data/zero")).unwrap();
        symlink("loop", root.join("data/loop")).unwrap();
        rustix::fs::mkfifoat(CWD, root.join("data/pipe"), Mode::RUSR | Mode::WUSR).unwrap();
        let alone = Reach::new(root, &[]).unwrap();
        assert_eq!(alone.read(Path::new("data/a.npy"), 1000).unwrap(), b"inside");
        assert_eq!(alone.read(&root.join("data/../data/a.npy"), 1000).unwrap(), b"inside");
        assert_eq!(alone.read(Path::new("data/near"), 1000).unwrap(), b"inside", "a link that stays inside is followed");
        let c = elsewhere.path().join("c.npy");
        let out = elsewhere.path().file_name().unwrap().to_str().unwrap();
        for path in ["/dev/zero", "/dev/stdin", "/proc/self/environ", "../../../../../../dev/zero", c.to_str().unwrap()] {
            assert!(refusal(&alone, path).starts_with("path outside the workspace"), "{path}");
        }
        for path in ["data/link", "data/folder/c.npy", "data/zero", &format!("../{out}/c.npy")] {
            assert!(refusal(&alone, path).starts_with("path outside"), "{path}: {}", refusal(&alone, path));
        }
        for path in ["data/pipe", "data", "."] {
            assert!(refusal(&alone, path).starts_with("not a regular file"), "{path}: {}", refusal(&alone, path));
        }
        for path in ["data/loop", "data/absent.npy", "data/a.npy/b"] {
            assert!(refusal(&alone, path).starts_with("file not here"), "{path}: {}", refusal(&alone, path));
        }
        assert!(alone.read(Path::new("data/a.npy"), 5).unwrap_err().what.contains("more than the 5 B"));
        let b = data.path().join("b.npy");
        assert!(refusal(&alone, b.to_str().unwrap()).starts_with("path outside"));
        let named = Reach::new(root, &[data.path().to_owned()]).unwrap();
        assert_eq!(named.read(&b, 1000).unwrap(), b"named");
        assert_eq!(named.read(Path::new("b.npy"), 1000).unwrap(), b"named", "a page names it by what it is in its folder");
        assert!(named.folder(Path::new("data")).is_ok() && named.folder(Path::new("data/folder")).is_err());
        assert!(named.folder(Path::new("/dev")).is_err());
        assert!(named.read_verified(&b, Digest::of(b"named"), 1000).is_ok());
        assert_eq!(
            named.read_verified(&b, Digest::of(b"other"), 1000).unwrap_err().ending,
            visavis_core::domain::Ending::Differs
        );
        assert!(Reach::new(root, &[root.join("absent")]).is_err());
    }

    #[test]
    fn a_report_must_be_a_file_of_some_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.html");
        fs::write(&path, b"0123456789").unwrap();
        assert_eq!(read_named(&path, 10, "the report").unwrap().len(), 10);
        assert!(read_named(&path, 9, "the report").unwrap_err().what.contains("10 B, more than the 9 B"));
        assert!(read_named(folder.path(), 9, "the report").unwrap_err().what.contains("regular"));
        assert!(read_named(Path::new("/dev/zero"), 9, "the report").unwrap_err().what.contains("regular"));
        // Two gigabytes of which the disk holds none: refused by its size, nothing read.
        let large = File::create(folder.path().join("large.html")).unwrap();
        large.set_len(2 << 30).unwrap();
        assert!(read_named(&folder.path().join("large.html"), 256 << 20, "the report").unwrap_err().what.contains("2.1 GB"));
    }
}
