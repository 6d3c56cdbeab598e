//! A pickle of picture pairs (InsightFace's `lfw.bin`, `cfp_fp.bin`, `agedb_30.bin`), read where its pictures stand. Nothing in it is run.

use super::{
    place::INSIDE,
    record_file::{id_of, key_of},
};
use crate::{
    domain::{Digest, Fault, Result},
    pickle::{
        PickledPairs, pairs,
        source::{Source, Span},
        value::Data,
    },
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// A pickle of picture pairs and the places of its pictures.
#[derive(Debug)]
pub struct PairFile {
    path: PathBuf,
    file: File,
    source: Source<'static>,
    pairs: PickledPairs,
}

impl PairFile {
    /// Opens a set of pairs.
    ///
    /// # Errors
    /// A file that is no such pickle, or would call something.
    pub fn open(path: &Path) -> Result<Self> {
        let refused = |error| Fault::io("read", path, &error);
        let file = crate::files::open(path).map_err(refused)?;
        let length = file.metadata().map_err(refused)?.len();
        let source = Source::File(file.try_clone().map_err(refused)?, length);
        // What to do about a pickle of weights is no advice here.
        let pairs = pairs(&source).map_err(|fault| {
            let advice = "a set of pairs is a pickle of two lists, pictures and answers; copy or download it again";
            fault.next(advice).in_file(path)
        })?;
        Ok(PairFile { path: path.to_owned(), file, source, pairs })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the two pictures of each pair are of one identity; pair `i` has the pictures `2 i` and `2 i + 1`.
    pub fn answers(&self) -> &[bool] {
        &self.pairs.is_same
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The id of every picture, in the order of the pairs, which is sorted.
    pub(in crate::dataset) fn ids(&self) -> impl Iterator<Item = String> {
        (0..self.len() as u64).map(id_of)
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.pictures.len()
    }

    pub(super) fn place_among(&self, id: &str) -> Option<usize> {
        key_of(id).and_then(|place| usize::try_from(place).ok()).filter(|place| *place < self.len())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.place_among(id).is_some()
    }

    pub(super) fn place(&self, id: &str) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let picture = self.place_among(id).map_or_else(|| id.to_owned(), |place| place.to_string());
        self.path.with_file_name(format!("{name}{INSIDE}picture {picture}"))
    }

    pub(super) fn read(&self, id: &str) -> Result<Vec<u8>> {
        let place = self.place(id);
        let number = self.place_among(id).ok_or_else(|| Fault::missing("the pickle has no such picture").in_file(&place))?;
        let bytes = |span: Span| {
            if span.len > crate::files::LARGEST_PICTURE {
                return Err(Fault::asked(format!("{} bytes: no picture is as large", span.len)).in_file(&place));
            }
            let mut bytes = vec![0; span.len as usize];
            self.source.fill(span.at, &mut bytes).map_err(|fault| fault.in_file(&place))?;
            Ok(bytes)
        };
        match &self.pairs.pictures[number] {
            Data::Inline(bytes) => Ok(bytes.to_vec()),
            Data::Plain(span) => bytes(*span),
            Data::Latin1(span) => {
                let text = String::from_utf8(bytes(*span)?).ok();
                let letters = text.and_then(|text| text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect());
                letters.ok_or_else(|| Fault::asked("the picture is written as text that is no bytes").in_file(&place))
            }
        }
    }

    /// Changes when a picture stands elsewhere.
    pub(super) fn table(&self) -> Digest {
        let places: Vec<String> = self.pairs.pictures.iter().map(|data| format!("{data:?}\n")).collect();
        Digest::of(places.concat().as_bytes())
    }
}
