//! Data sets by their kinds, a reader each: what tells that a folder holds one, and what is read of it.
//!
//! To add a kind: a file here with `recognise` and `collect`, its place in [`RECOGNISERS`], and its variant of [`Dataset`], which does
//! not compile until [`collect`] has it.

pub mod celeba;
mod folders;
pub(super) mod labels;
pub(super) mod marks;
mod plain;
pub(crate) mod recordio;
pub mod utkface;
mod vggface2;

use super::{collection::Collection, digests::DigestCache, source::PictureSource};
use crate::domain::{
    Result,
    study::{Dataset, FaceMark},
};
use std::path::{Path, PathBuf};

/// What tells that a folder holds a data set of a kind, by the files in it: the first that does not say no is believed.
const RECOGNISERS: [fn(&Path) -> Option<Dataset>; 6] =
    [recordio::recognise, celeba::recognise, vggface2::recognise, utkface::recognise, folders::recognise, plain::recognise];

/// Reads a data set of any kind: its tables, and the names of its pictures. No picture is opened.
///
/// # Errors
/// A folder that cannot be listed, a table that cannot be opened. What is wrong inside is a defect.
pub fn collect(dataset: &Dataset, digests: &mut DigestCache) -> Result<Collection> {
    match dataset {
        Dataset::CelebA { root, .. } => celeba::collect(root, digests),
        Dataset::Vggface2 { root, split, .. } => vggface2::collect(root, *split),
        Dataset::RecordIo { root, .. } => recordio::collect(root),
        Dataset::Folders { root, .. } => folders::collect(root),
        Dataset::UtkFace { root, .. } => utkface::collect(root),
        Dataset::Images { root, .. } => plain::collect(root),
    }
}

/// The table of a data set that says where the face is in each picture: the one that the study names, or its own. `None` where there is
/// neither; the file may be absent.
///
/// # Errors
/// A table of other pictures than those that are read.
pub fn face_table(dataset: &Dataset, mark: FaceMark) -> Result<Option<PathBuf>> {
    match (dataset.faces().of(mark), dataset) {
        (Some(named), _) => Ok(Some(named.clone())),
        (None, Dataset::CelebA { root, .. }) => celeba::face_table(root, mark).map(Some),
        (
            None,
            Dataset::Vggface2 { .. }
            | Dataset::RecordIo { .. }
            | Dataset::Folders { .. }
            | Dataset::UtkFace { .. }
            | Dataset::Images { .. },
        ) => Ok(None),
    }
}

/// Which kind of data set a folder holds, by the files in it, or a file that holds pictures.
pub fn recognise(root: &Path) -> Dataset {
    RECOGNISERS.into_iter().find_map(|recognise| recognise(root)).unwrap_or_else(|| plain::dataset(root))
}

impl Dataset {
    /// Is the folder or file there that its pictures are looked for in?
    pub fn is_here(&self) -> bool {
        match self {
            Dataset::Vggface2 { root, split, .. } => root.join(split.word()).is_dir(),
            other => PictureSource::is_here(other.root()),
        }
    }

    /// What the kind is called in a study file.
    pub fn word(&self) -> &'static str {
        match self {
            Dataset::CelebA { .. } => "celeba",
            Dataset::Vggface2 { .. } => "vggface2",
            Dataset::RecordIo { .. } => "recordio",
            Dataset::Folders { .. } => "folders",
            Dataset::UtkFace { .. } => "utkface",
            Dataset::Images { .. } => "images",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_is_of_the_kind_that_its_files_tell() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str, files: &[&str]| {
            let root = folder.path().join(name);
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, b"").unwrap();
            }
            recognise(&root).word()
        };
        assert_eq!(made("a", &["list_attr_celeba.txt", "img_align_celeba/000001.jpg"]), "celeba");
        assert_eq!(made("b", &["Anno/list_attr_celeba.csv"]), "celeba");
        assert_eq!(made("c", &["test/n000001/0001_01.jpg", "identity_meta.csv"]), "vggface2");
        assert_eq!(made("d", &["cats/1.jpg", "dogs/1.jpg", ".git/x"]), "folders");
        assert_eq!(made("stray", &["cats/1.jpg", "dogs/1.jpg", "README.txt", "Thumbs.db"]), "folders");
        for other in ["labels.csv", "labels.txt", "1.jpg"] {
            assert_eq!(made(&format!("with {other}"), &["cats/1.jpg", "dogs/1.jpg", other]), "images", "{other}");
        }
        assert_eq!(made("one", &["pictures/1.jpg", "README.txt"]), "images");
        assert_eq!(made("f", &["train.rec", "train.idx", "lfw.bin"]), "recordio");
        assert_eq!(made("g", &["part1/26_1_0_20170116.jpg", "part2/1_0_4_20170117.jpg", "part2/x.txt"]), "utkface");
        assert_eq!(made("e", &["cats/1.jpg", "labels.csv"]), "images");
    }

    #[test]
    fn a_pipe_in_the_place_of_a_table_of_faces_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("img_align_celeba")).unwrap();
        fs::write(root.join("img_align_celeba/000001.jpg"), b"").unwrap();
        fs::write(root.join("list_attr_celeba.txt"), "1\nSmiling\n000001.jpg 1\n").unwrap();
        let told = || {
            let set = collect(&recognise(root), &mut DigestCache::none()).unwrap();
            set.defects
                .all()
                .flat_map(|finding| finding.examples)
                .map(ToString::to_string)
                .find(|text| text.contains("list_bbox_celeba.txt"))
        };
        assert_eq!(told(), None);
        let (fifo, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600));
        rustix::fs::mknodat(rustix::fs::CWD, root.join("list_bbox_celeba.txt"), fifo, mode, 0).unwrap();
        assert!(told().unwrap().contains("it is a pipe, not a file"));
    }
}
