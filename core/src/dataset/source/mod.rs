//! Where the bytes of pictures are: a folder of files, or one file that holds many pictures and is never unpacked.

mod pair_file;
mod part_digests;
mod place;
mod record;
mod record_file;
mod record_index;
mod record_writer;
mod tar_file;

use super::digests::DigestCache;
use crate::domain::{
    Digest, Fault, Result,
    image::{ImageId, Images},
};
pub use pair_file::PairFile;
use part_digests::{Parts, of_parts};
use place::INSIDE;
pub(super) use place::is_plain;
pub(super) use record::RecordHeader;
pub use record_file::RecordFile;
pub(super) use record_file::id_of;
pub(super) use record_writer::RecordWriter;
use std::path::{Path, PathBuf};
pub use tar_file::TarFile;

/// Where pictures are read from, by their ids.
#[derive(Debug)]
pub enum PictureSource {
    /// A folder; ids are paths below it.
    Folder(PathBuf),
    /// A RecordIO file; ids are keys, of eight digits or more.
    Records(Box<RecordFile>),
    /// A tar archive; ids are paths in it.
    Tar(TarFile),
    /// A pickle of picture pairs; ids are numbers from 0, of eight digits or more.
    Pairs(PairFile),
}

/// Files that hold many pictures, by the endings of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Records,
    Tar,
    Pairs,
}

impl Container {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "rec" => Some(Container::Records),
            "tar" => Some(Container::Tar),
            "bin" => Some(Container::Pairs),
            _ => None,
        }
    }
}

impl PictureSource {
    /// Is there something at this place that pictures can be looked for in?
    pub fn is_here(at: &Path) -> bool {
        at.is_dir() || (Container::of(at).is_some() && at.is_file())
    }

    /// Opens what is at this place. A folder is not listed, and may be absent: each of its pictures is then absent.
    ///
    /// # Errors
    /// A file that is not what its ending says.
    pub fn open(at: &Path) -> Result<Self> {
        match Container::of(at).filter(|_| !at.is_dir()) {
            None => Ok(PictureSource::Folder(at.to_owned())),
            Some(_) if !at.exists() => Err(Fault::missing("the file that holds the pictures is not here").in_file(at)),
            Some(Container::Records) => Ok(PictureSource::Records(Box::new(RecordFile::open(at)?))),
            Some(Container::Tar) => Ok(PictureSource::Tar(TarFile::open(at)?)),
            Some(Container::Pairs) => Ok(PictureSource::Pairs(PairFile::open(at)?)),
        }
    }

    /// Where a picture is, for messages: the path of its file, or its file and where it stands in there.
    pub fn place(&self, id: &str) -> PathBuf {
        match self {
            PictureSource::Folder(folder) => folder.join(id),
            PictureSource::Records(records) => records.place(id),
            PictureSource::Tar(archive) => archive.place(id),
            PictureSource::Pairs(pairs) => pairs.place(id),
        }
    }

    /// Does it have a picture of this id? It is not opened.
    pub fn has(&self, id: &str) -> bool {
        match self {
            PictureSource::Folder(folder) => is_plain(id) && folder.join(id).exists(),
            PictureSource::Records(records) => records.has(id),
            PictureSource::Tar(archive) => archive.has(id),
            PictureSource::Pairs(pairs) => pairs.has(id),
        }
    }

    /// The bytes of a picture. An id may come with somebody's report: nothing outside of the source is opened.
    ///
    /// # Errors
    /// A picture that is not here ([`Fault::missing`]), or cannot be read.
    pub fn read(&self, id: &str) -> Result<Vec<u8>> {
        match self {
            PictureSource::Folder(folder) => {
                let place = folder.join(id);
                if !is_plain(id) || !place.is_file() {
                    return Err(Fault::missing("the picture is not here").in_file(place));
                }
                let bytes = crate::files::read_up_to(&place, crate::files::LARGEST_PICTURE);
                bytes.map_err(|error| Fault::io("read the picture", place, &error))
            }
            PictureSource::Records(records) => records.read(id),
            PictureSource::Tar(archive) => archive.read(id),
            PictureSource::Pairs(pairs) => pairs.read(id),
        }
    }

    /// These pictures, with the digests of their bytes.
    ///
    /// # Errors
    /// A picture that cannot be read.
    pub fn digested(&self, ids: Vec<ImageId>, digests: &mut DigestCache) -> Result<Images> {
        let absent = |id: &str| Fault::missing("the picture is not here").in_file(self.place(id));
        let (parts, wanted) = match self {
            PictureSource::Folder(folder) => {
                let paths: Vec<_> = ids.iter().map(|id| folder.join(id)).collect();
                return Ok(images(ids, digests.of_all(&paths)?));
            }
            PictureSource::Records(records) => {
                let place = |id: &String| records.place_among(id).ok_or_else(|| absent(id));
                let wanted: Vec<usize> = ids.iter().map(place).collect::<Result<_>>()?;
                (Parts { path: records.path(), file: records.file(), count: records.len(), table: records.table() }, wanted)
            }
            PictureSource::Pairs(pairs) => {
                let wanted: Vec<usize> =
                    ids.iter().map(|id| pairs.place_among(id).ok_or_else(|| absent(id))).collect::<Result<_>>()?;
                (Parts { path: pairs.path(), file: pairs.file(), count: pairs.len(), table: pairs.table() }, wanted)
            }
            PictureSource::Tar(archive) => {
                let places = archive.places();
                let place = |id: &String| places.get(id.as_str()).copied().ok_or_else(|| absent(id));
                let wanted: Vec<usize> = ids.iter().map(place).collect::<Result<_>>()?;
                (Parts { path: archive.path(), file: archive.file(), count: archive.len(), table: archive.table() }, wanted)
            }
        };
        let found = of_parts(&parts, &wanted, digests, |place| Ok(Digest::of(&self.read(&ids[place])?)))?;
        Ok(images(ids, found))
    }
}

fn images(ids: Vec<ImageId>, digests: Vec<Digest>) -> Images {
    Images(ids.into_iter().zip(digests.into_iter().map(Some)).collect())
}

/// Notes beside a cache of digests that what it says of pictures at `at` must not be believed, if `place` is the place of one of them:
/// whoever consumed the picture found something wrong with it.
pub fn doubt(cache: &Path, at: &Path, place: &Path) {
    if place.starts_with(at) {
        DigestCache::doubt(cache, place);
    } else if place.to_string_lossy().strip_prefix(&*at.to_string_lossy()).is_some_and(|rest| rest.starts_with(INSIDE)) {
        part_digests::forget(cache, at);
    }
}

#[cfg(test)]
mod tests;
