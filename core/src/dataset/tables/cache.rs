//! Tables that were read, kept beside the digests as one binary file each. A cache is no input: what is damaged, or cannot be
//! written, is as if it were not there.

use super::image_table::{Cells, ImageTable};
use crate::{
    dataset::{defects::Note, digests::DigestCache},
    domain::{Digest, Fault, Result, image::ImageIndex, text::is_steering},
};
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// Raised when the format or what a reading means changes: older files are then not found.
const VERSION: u32 = 2;

/// Where tables are kept; nowhere, for a program that keeps nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct TableCache {
    folder: Option<PathBuf>,
}

/// How the words of a column are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Width {
    /// A bit an image.
    Bits,
    Bytes,
    Words,
}

impl Width {
    fn of(words: usize) -> Self {
        match words {
            0..=2 => Width::Bits,
            3..=256 => Width::Bytes,
            _ => Width::Words,
        }
    }

    fn bytes(self, images: usize) -> usize {
        match self {
            Width::Bits => images.div_ceil(8),
            Width::Bytes => images,
            Width::Words => 4 * images,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CacheHead {
    images: usize,
    names: usize,
    columns: Vec<(String, Width, Vec<String>)>,
    notes: Vec<Note>,
    /// Columns that cannot be used: name, why, where, what to do.
    unusable: Vec<Unusable>,
}

type Unusable = (String, String, Option<(usize, usize)>, Option<String>);

impl TableCache {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        TableCache { folder }
    }

    /// A file is known by the digest of its bytes and by everything that decides how it is read.
    fn file(&self, source: Digest, reading: &str) -> Option<PathBuf> {
        let name = Digest::of(format!("table {VERSION}\n{source}\n{reading}").as_bytes());
        Some(self.folder.as_ref()?.join(format!("{name}.table")))
    }

    pub(super) fn get(&self, source: Digest, reading: &str, path: &Path) -> Option<ImageTable> {
        unpack(&crate::files::read(&self.file(source, reading)?).ok()?, path)
    }

    /// Keeps a table whose rows are all right; losing it costs time only.
    pub(super) fn put(&self, source: Digest, reading: &str, table: &ImageTable) {
        let Some(file) = self.file(source, reading).filter(|_| table.repeated.is_empty() && table.defects.is_empty()) else {
            return;
        };
        write(&file, &pack(table)).ok();
    }
}

/// A table from the cache that stands beside the digests, or read from its file and put there. `reading` says everything that
/// decides how the bytes are read.
///
/// # Errors
/// Those of reading the file.
pub(crate) fn kept(
    path: &Path,
    reading: &str,
    digests: &mut DigestCache,
    read: impl FnOnce(Box<dyn Read>) -> Result<ImageTable>,
) -> Result<ImageTable> {
    let cache = TableCache::new(digests.beside("labels"));
    // A cache that keeps nothing needs no digest.
    let digest = cache.folder.is_some().then(|| digests.of(path)).transpose()?;
    if let Some(table) = digest.and_then(|digest| cache.get(digest, reading, path)) {
        return Ok(table);
    }
    let file = crate::files::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
    let hasher = Rc::new(RefCell::new(blake3::Hasher::new()));
    let table = read(Box::new(Watched { file, hasher: hasher.clone() }))?;
    // A file that was written meanwhile is not what its digest says.
    if let Some(digest) = digest.filter(|digest| hasher.borrow().finalize().as_bytes() == digest.as_bytes()) {
        cache.put(digest, reading, &table);
    }
    Ok(table)
}

/// A file whose bytes are hashed as they are read.
struct Watched {
    file: fs::File,
    hasher: Rc<RefCell<blake3::Hasher>>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(into)?;
        self.hasher.borrow_mut().update(&into[..n]);
        Ok(n)
    }
}

fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // What only reads makes no folder in a place that is no workspace yet: `data/cache/labels` is made below `data` alone.
    let folder = file.parent().unwrap_or(Path::new("."));
    if !folder.parent().and_then(Path::parent).is_none_or(Path::is_dir) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let half = file.with_extension(format!("{}.part", std::process::id()));
    fs::write(&half, bytes).and_then(|()| fs::rename(&half, file)).inspect_err(|_| _ = fs::remove_file(&half))
}

/// The length of the head, the head as JSON, names, where they end, columns; then the digest of all that.
fn pack(table: &ImageTable) -> Vec<u8> {
    let names: String = table.images.iter().collect();
    let columns = table.columns.iter().map(|column| (column.name.clone(), Width::of(column.words.len()), column.words.clone()));
    let unusable = |(name, fault): (&String, &Fault)| {
        (name.clone(), fault.what.clone(), fault.place.as_ref().and_then(|place| place.at), fault.next.clone())
    };
    let head = CacheHead {
        images: table.images.len(),
        names: names.len(),
        columns: columns.collect(),
        notes: table.notes.clone(),
        unusable: table.unusable.iter().map(unusable).collect(),
    };
    let head = serde_json::to_vec(&head).unwrap_or_default();
    let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
    bytes.extend(head);
    bytes.extend(names.as_bytes());
    let mut end = 0;
    for name in table.images.iter() {
        end += name.len();
        bytes.extend((end as u64).to_le_bytes());
    }
    for Cells { words, codes, .. } in &table.columns {
        match Width::of(words.len()) {
            Width::Bits => {
                let byte = |eight: &[u32]| eight.iter().enumerate().fold(0, |byte, (place, &code)| byte | (code as u8) << place);
                bytes.extend(codes.chunks(8).map(byte));
            }
            Width::Bytes => bytes.extend(codes.iter().map(|&code| code as u8)),
            Width::Words => bytes.extend(codes.iter().flat_map(|code| code.to_le_bytes())),
        }
    }
    let digest = blake3::hash(&bytes);
    bytes.extend(digest.as_bytes());
    bytes
}

/// `None` for whatever [`pack`] did not write.
fn unpack(bytes: &[u8], path: &Path) -> Option<ImageTable> {
    let (mut rest, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    if blake3::hash(rest).as_bytes() != digest {
        return None;
    }
    let mut take = |n: usize| {
        let (part, after) = rest.split_at_checked(n)?;
        rest = after;
        Some(part)
    };
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes).and_then(|n| usize::try_from(n).ok());
    let head = number(take(8)?)?;
    let head: CacheHead = serde_json::from_slice(take(head)?).ok()?;
    let names = std::str::from_utf8(take(head.names)?).ok()?;
    let ends: Vec<usize> = take(head.images.checked_mul(8)?)?.chunks_exact(8).map(number).collect::<Option<_>>()?;
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let parts: Vec<&str> = starts.zip(&ends).map(|(start, &end)| names.get(start..end)).collect::<Option<_>>()?;
    let images = ImageIndex::from_sorted(parts.iter().copied())?;
    let mut columns = Vec::new();
    for (name, width, words) in head.columns {
        let packed = take(width.bytes(head.images))?;
        let codes: Vec<u32> = match width {
            Width::Bits => (0..head.images).map(|row| u32::from(packed[row / 8] >> (row % 8) & 1)).collect(),
            Width::Bytes => packed.iter().map(|&code| u32::from(code)).collect(),
            Width::Words => {
                packed.chunks_exact(4).map(|code| Some(u32::from_le_bytes(code.try_into().ok()?))).collect::<Option<_>>()?
            }
        };
        if width != Width::of(words.len())
            || codes.iter().any(|&code| code as usize >= words.len())
            || name.chars().any(is_steering)
        {
            return None;
        }
        columns.push(Cells { name, words, codes });
    }
    let fault = |(name, what, at, next): Unusable| {
        let fault = Fault::asked(what);
        let fault = match at {
            Some((line, column)) => fault.at(path, line, column),
            None => fault.in_file(path),
        };
        (name, Fault { next, ..fault })
    };
    let unusable = head.unusable.into_iter().map(fault).collect();
    rest.is_empty().then(|| ImageTable {
        images: Arc::new(images),
        columns,
        unusable,
        notes: head.notes,
        ..ImageTable::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ImageTable {
        let images =
            ImageIndex::from_sorted((0..300).map(|i| format!("{i:03}.png")).collect::<Vec<_>>().iter().map(String::as_str));
        let column = |words: usize| Cells {
            name: format!("c{words}"),
            words: (0..words).map(|word| format!("w{word}")).collect(),
            codes: (0..300).map(|i| i % words as u32).collect(),
        };
        ImageTable {
            images: Arc::new(images.unwrap()),
            columns: vec![column(1), column(2), column(3), column(256), column(257)],
            notes: vec![Note::new("crlf", 3, "lines").at(1, 2)],
            unusable: [("note".to_owned(), Fault::asked("tabs").at("t", 3, 4).next("remove them"))].into(),
            ..ImageTable::default()
        }
    }

    #[test]
    fn a_table_comes_back_as_it_was_and_damage_is_absence() {
        let table = table();
        let bytes = pack(&table);
        let back = unpack(&bytes, Path::new("t")).unwrap();
        assert_eq!((&back.images, &back.columns, &back.notes), (&table.images, &table.columns, &table.notes));
        assert_eq!(back.unusable["note"].to_string(), table.unusable["note"].to_string());
        assert!(bytes.len() < 300 * (7 + 8 + 1 + 1 + 1 + 4) + 8000, "bits are bits: {}", bytes.len());
        for at in (0..bytes.len()).step_by(97) {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(unpack(&other, Path::new("t")).is_none(), "byte {at}");
            assert!(unpack(&bytes[..at], Path::new("t")).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn another_file_or_another_reading_is_another_table() {
        let folder = tempfile::tempdir().unwrap();
        let cache = TableCache::new(Some(folder.path().join("new")));
        let (digest, file) = (Digest::of(b"a"), folder.path().join("labels.csv"));
        cache.put(digest, "comma", &table());
        assert!(cache.get(digest, "comma", &file).is_some());
        assert!(cache.get(digest, "semicolon", &file).is_none() && cache.get(Digest::of(b"b"), "comma", &file).is_none());
        assert!(TableCache::default().get(digest, "comma", &file).is_none());
        let kept = fs::read_dir(folder.path().join("new")).unwrap().next().unwrap().unwrap().path();
        fs::write(&kept, b"damaged").unwrap();
        assert!(cache.get(digest, "comma", &file).is_none());
    }
}
