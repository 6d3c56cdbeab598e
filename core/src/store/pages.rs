//! A report as it lies on disk: what it says it was made of, and which page it is.

use super::stamp;
use crate::{
    domain::{Digest, made_of::MadeOf},
    files,
};
use std::{
    fs::File,
    io::{Read, Seek},
    path::Path,
};

/// How the element begins that says what a page was made of.
pub const MADE_OF: &str = "<meta name=\"visavis-made-of\" content=\"";
/// It stands in the first bytes of a page.
const HEAD: u64 = 4096;
/// A page larger than this is nobody's report: it is not read through.
const LARGEST: u64 = 1 << 28;

/// A page as it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrittenPage {
    /// The file's size.
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// `None`: it does not say, or is no report.
    pub made_of: Option<MadeOf>,
    /// Of the whole page; `None` where it is too large to be read.
    pub digest: Option<Digest>,
}

impl WrittenPage {
    /// `None`: there is none.
    pub fn read(path: &Path) -> Option<Self> {
        let (at, bytes) = stamp(path)?;
        let page = WrittenPage { bytes, at, made_of: None, digest: None };
        let whole = |mut file: File| {
            let mut head = Vec::new();
            file.by_ref().take(HEAD).read_to_end(&mut head).ok()?;
            let head = String::from_utf8_lossy(&head).into_owned();
            let said = head.split_once(MADE_OF).and_then(|(_, rest)| rest.split_once('"')?.0.parse().ok());
            file.rewind().ok()?;
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(file).ok()?;
            Some(WrittenPage { made_of: said, digest: Some(Digest::from_bytes(*hasher.finalize().as_bytes())), ..page })
        };
        let regular = std::fs::metadata(path).is_ok_and(|about| about.is_file());
        let read = (regular && bytes <= LARGEST).then(|| files::open(path).ok().and_then(whole)).flatten();
        Some(read.unwrap_or(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_was_made_of_or_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.html");
        assert_eq!(WrittenPage::read(&path), None);
        let made = MadeOf::new([].into_iter(), "text", &[]);
        std::fs::write(&path, format!("<html>{MADE_OF}{made}\">")).unwrap();
        let page = WrittenPage::read(&path).unwrap();
        assert_eq!((page.made_of, page.bytes), (Some(made), std::fs::metadata(&path).unwrap().len()));
        assert_eq!(page.digest, Some(Digest::of(&std::fs::read(&path).unwrap())));
        for odd in ["", "no page", &format!("{MADE_OF}abc\">")] {
            std::fs::write(&path, odd).unwrap();
            assert_eq!(WrittenPage::read(&path).unwrap().made_of, None, "{odd}");
        }
        assert_eq!(WrittenPage::read(folder.path()).unwrap().digest, None, "a folder is no page");
    }
}
