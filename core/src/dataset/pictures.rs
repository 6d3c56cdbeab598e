//! A folder of pictures → the images in it.

use super::{digests::DigestCache, source::PictureSource};
use crate::domain::{
    Fault, Result,
    image::Images,
    text::{count, is_steering, printable},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Every picture below `root`, sorted by id, with its digest. An id is the path below `root`, with forward slashes.
pub fn list(root: &Path, digests: &mut DigestCache) -> Result<Images> {
    PictureSource::open(root)?.digested(some(root)?.ids, digests)
}

/// Pictures of a folder that must hold some.
///
/// # Errors
/// A folder without any that is read.
pub(super) fn some(root: &Path) -> Result<PictureListing> {
    let found = names(root)?;
    if !found.ids.is_empty() {
        return Ok(found);
    }
    let fault = Fault::asked(format!("the folder holds no pictures that are read (.{})", READ.join(", ."))).in_file(root);
    Err(match found.passed_over() {
        Some(passed) => fault.next(format!("{passed}; convert them")),
        None => fault,
    })
}

/// The pictures below a folder.
#[derive(Debug, Default)]
pub struct PictureListing {
    /// Sorted.
    pub ids: Vec<String>,
    /// Pictures of formats that are not read, by ending.
    pub unread: BTreeMap<String, Vec<String>>,
    /// Members of an archive that are links or sparse files.
    pub links: usize,
}

impl PictureListing {
    /// A path of an archive, if its name is that of a picture.
    fn take(&mut self, path: &str) {
        match format(Path::new(path)) {
            Some(PictureFormat::Read) => self.ids.push(path.to_owned()),
            Some(PictureFormat::Unread(ending)) => self.unread.entry(ending).or_default().push(path.to_owned()),
            None => {}
        }
    }

    /// What is passed over: how many of which ending, and one of them.
    pub fn passed_over(&self) -> Option<String> {
        let first = self.unread.values().flatten().min()?;
        let counts: Vec<String> = self.unread.iter().map(|(ending, ids)| format!("{} .{ending}", ids.len())).collect();
        let total = self.unread.values().map(Vec::len).sum();
        let are = if total == 1 { "is" } else { "are" };
        Some(format!(
            "{} of formats that are not read {are} passed over: {}, such as `{}`",
            count(total, "picture"),
            counts.join(", "),
            printable(first)
        ))
    }
}

/// The ids of every picture below `root`, or in the archive that it is.
pub(super) fn names(root: &Path) -> Result<PictureListing> {
    let mut found = PictureListing::default();
    match PictureSource::open(root)? {
        PictureSource::Folder(_) => walk(root, "", &mut Walk { found: &mut found, behind_links: 0 }, Depth::default())?,
        PictureSource::Tar(archive) => {
            archive.paths().for_each(|path| found.take(path));
            found.links = archive.passed_over();
        }
        PictureSource::Pairs(pairs) => found.ids.extend(pairs.ids()),
        PictureSource::Records(_) => {
            let fault = Fault::asked("a RecordIO file is no folder of pictures").in_file(root);
            return Err(fault.next("a study reads it as it is: { recordio: { root: … } }"));
        }
    }
    found.ids.sort_unstable();
    Ok(found)
}

/// Deeper than any data set; a folder that links to itself ends here.
const DEEPEST: usize = 16;

/// So many folders are looked into behind links that are themselves behind links: a few folders of links to each other lead to any number of
/// paths.
const MOST_BEHIND_LINKS: usize = 100_000;

struct Walk<'a> {
    found: &'a mut PictureListing,
    /// Folders that were looked into behind links behind links.
    behind_links: usize,
}

#[derive(Clone, Copy, Default)]
struct Depth {
    folders: usize,
    /// How many links are on the way.
    links: usize,
}

fn walk(folder: &Path, prefix: &str, walked: &mut Walk, depth: Depth) -> Result<()> {
    let refused = |error| Fault::io("list the folder of pictures", folder, &error);
    walked.behind_links += usize::from(depth.links > 1);
    if walked.behind_links > MOST_BEHIND_LINKS {
        return Err(Fault::asked(format!("links behind links lead to more than {MOST_BEHIND_LINKS} folders"))
            .in_file(folder)
            .next("do links in several folders lead to each other?"));
    }
    if depth.folders > DEEPEST {
        return Err(Fault::asked(format!("folders nested more than {DEEPEST} deep"))
            .in_file(folder)
            .next("does a link lead back to its own folder?"));
    }
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let (path, file_name) = (entry.path(), entry.file_name());
        let name = file_name.to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // What the folders above are called is no part of an id.
        let steers = file_name.to_str().is_none() || name.chars().any(is_steering);
        if path.is_dir() {
            if steers {
                return Err(Fault::asked("the name of a folder of pictures holds control characters or is not UTF-8")
                    .in_file(path)
                    .next("rename the folder"));
            }
            let links = depth.links + usize::from(path.is_symlink());
            walk(&path, &format!("{prefix}{name}/"), walked, Depth { folders: depth.folders + 1, links })?;
        } else if let Some(format) = format(&path) {
            // Also a pipe, or a link that leads nowhere: who reads it says so.
            if steers {
                return Err(Fault::asked("the name of a picture holds control characters or is not UTF-8")
                    .in_file(path)
                    .next("rename the picture"));
            }
            let id = format!("{prefix}{name}");
            match format {
                PictureFormat::Read => walked.found.ids.push(id),
                PictureFormat::Unread(ending) => walked.found.unread.entry(ending).or_default().push(id),
            }
        }
    }
    Ok(())
}

/// Links below a folder that lead nowhere, to themselves, or back to a folder they are in; sorted.
pub fn broken_links(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    look_for_broken_links(root, &mut found, 0);
    found.sort();
    found
}

fn look_for_broken_links(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        if kind.is_dir() {
            look_for_broken_links(&path, found, depth + 1);
        } else if kind.is_symlink() {
            let goes_back = || path.canonicalize().is_ok_and(|real| folder.canonicalize().is_ok_and(|own| own.starts_with(real)));
            if !path.exists() || goes_back() {
                found.push(path);
            }
        }
    }
}

/// Endings of pictures that are read, and of those that are not.
const READ: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "tif", "tiff"];
const UNREAD: [&str; 26] = [
    "gif", "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpx", "svg", "ppm", "pgm", "pbm", "pnm", "tga", "ico", "psd",
    "exr", "hdr", "qoi", "dng", "cr2", "cr3", "nef", "arw", "raw",
];

enum PictureFormat {
    Read,
    Unread(String),
}

/// The format that a picture's name says; `None` for what is no picture.
fn format(path: &Path) -> Option<PictureFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    if READ.contains(&ending.as_str()) {
        return Some(PictureFormat::Read);
    }
    UNREAD.contains(&ending.as_str()).then_some(PictureFormat::Unread(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_the_folders_above_are_called_does_not_matter() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
        fs::create_dir_all(odd.join("set")).unwrap();
        fs::write(odd.join("set/x.png"), b"").unwrap();
        assert_eq!(names(&odd.join("set")).unwrap().ids, ["x.png"]);
        assert!(names(folder.path()).is_err(), "of an id it is a part");
    }

    #[test]
    fn a_pipe_that_is_called_a_picture_is_listed_and_links_that_multiply_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("pipes")).unwrap();
        let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600));
        rustix::fs::mknodat(rustix::fs::CWD, path("pipes/x.png"), fifo, mode, 0).unwrap();
        assert_eq!(names(&path("pipes")).unwrap().ids, ["x.png"], "`data check` opens it, and says what it is");
        // Fourteen folders of four links to the next: 4¹³ paths.
        for depth in 0..14 {
            fs::create_dir_all(path(&format!("links/{depth}"))).unwrap();
        }
        for (depth, link) in (0..13).flat_map(|depth| (0..4).map(move |link| (depth, link))) {
            symlink(path(&format!("links/{}", depth + 1)), path(&format!("links/{depth}/{link}"))).unwrap();
        }
        let Err(fault) = names(&path("links")) else { panic!("it is listed") };
        assert!(fault.what.contains("lead to more than"), "{fault}");
    }

    #[test]
    fn links_that_lead_nowhere_or_back_are_named_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("a")).unwrap();
        fs::write(path("a/x.png"), b"").unwrap();
        symlink("x.png", path("a/good.png")).unwrap();
        symlink("gone.png", path("a/dangling.png")).unwrap();
        symlink("self.png", path("a/self.png")).unwrap();
        symlink("..", path("a/back")).unwrap();
        symlink("a", path("also")).unwrap();
        assert_eq!(broken_links(folder.path()), ["a/back", "a/dangling.png", "a/self.png"].map(path));
    }
}
