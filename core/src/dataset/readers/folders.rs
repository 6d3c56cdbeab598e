//! Data sets of one folder a class: ImageNet's, as folders or in the archive it is handed out in, and whatever else is sorted so.

use crate::{
    dataset::{collection::Collection, pictures, source::PictureSource},
    domain::{
        Fault, Result,
        image::Column,
        study::{Dataset, FaceFiles, Identities},
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What people and systems leave beside folders of pictures: names that begin so, and endings. Other texts may be tables of labels.
const STRAY_NAMES: [&str; 7] = ["readme", "license", "licence", "copying", "citation", "notes", "changelog"];
const STRAY_ENDINGS: [&str; 4] = [".md", ".pdf", ".ini", ".db"];

/// Does the file say nothing of the pictures?
fn is_stray(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_named_so =
        STRAY_NAMES.iter().any(|stray| name.starts_with(stray)) || STRAY_ENDINGS.iter().any(|end| name.ends_with(end));
    is_named_so && path.is_file()
}

/// Folders, and nothing else but stray files beside several; or an archive of folders.
pub(super) fn recognise(root: &Path) -> Option<Dataset> {
    let is_sorted = if root.is_file() {
        matches!(PictureSource::open(root), Ok(PictureSource::Tar(archive)) if archive.paths().all(|path| path.contains('/')))
    } else {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        let shown = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        let (folders, others): (Vec<PathBuf>, Vec<PathBuf>) = shown.map(|entry| entry.path()).partition(|path| path.is_dir());
        others.is_empty() || folders.len() > 1 && others.iter().all(|path| is_stray(path))
    };
    is_sorted.then(|| Dataset::Folders { root: root.to_owned(), identities: Identities::Unsaid, faces: FaceFiles::default() })
}

/// One folder a class; the class index is the place of the folder's name among the sorted names.
pub(super) fn collect(root: &Path) -> Result<Collection> {
    let mut set = Collection { pictures: root.to_owned(), ..Collection::default() };
    set.take(pictures::names(root)?);
    let classes: Column = set.ids.iter().filter_map(|id| Some((id.as_str(), id.split_once('/')?.0))).collect();
    for id in set.ids.iter().filter(|id| !id.contains('/')) {
        set.defects.fatal("no-class", || {
            let fault = Fault::asked("a picture beside the folders is in no class").in_file(root.join(id));
            fault.next("put it into the folder of its class, or take it away")
        });
    }
    let known = classes.values();
    let entries = if root.is_file() { None } else { Some(fs::read_dir(root).map_err(|error| Fault::io("list", root, &error))?) };
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_stray(&entry.path()) && !name.starts_with('.') {
            set.defects.note(
                "stray-file",
                1,
                Fault::asked("a file beside the folders of pictures is passed over").in_file(entry.path()),
            );
        }
        let is_class = entry.path().is_dir() && !name.starts_with('.');
        if is_class && !known.contains(name.as_str()) {
            set.defects.defect("empty-class", 1, Fault::asked("a class without a picture: it is left out").in_file(entry.path()));
        }
    }
    drop(known);
    set.classes = Some(classes);
    Ok(set)
}
