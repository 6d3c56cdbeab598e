//! A data set as it is on disk: which images, what is known of them, and what is wrong with it.

use super::{celeba, folders, pictures};
use crate::domain::{
    Fault, Result,
    image::{Column, ImageId, Labels},
    study::{Dataset, Identities},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Debug, Default)]
pub struct Collection {
    /// The folder in which ids are paths.
    pub pictures: PathBuf,
    /// Sorted.
    pub ids: Vec<ImageId>,
    pub labels: Labels,
    pub identities: Option<Column>,
    /// `train`, `validation` or `test`.
    pub partitions: Option<Column>,
    /// What a network is taught to tell apart.
    pub classes: Option<Column>,
    pub defects: Defects,
}

impl Collection {
    /// Takes the pictures that were found for its own; those that are not read are a defect.
    pub(super) fn take(&mut self, found: pictures::Found) {
        for (ending, ids) in &found.unread {
            let what = format!("a picture of a format that is not read (.{ending}) is passed over");
            let example = Fault::asked(what).in_file(self.pictures.join(&ids[0])).next("convert it, or take it away");
            self.defects.note("unread-format", ids.len(), example);
        }
        self.ids = found.ids;
    }
}

/// What is wrong with a data set, kind by kind.
#[derive(Debug, Default)]
pub struct Defects(BTreeMap<&'static str, Found>);

#[derive(Debug, Default)]
struct Found {
    count: usize,
    /// The first few, each with its place where it has one.
    examples: Vec<Fault>,
    fatal: bool,
}

/// One kind of defect, for people.
#[derive(Debug)]
pub struct Defect<'a> {
    pub word: &'static str,
    pub count: usize,
    pub examples: &'a [Fault],
}

const EXAMPLES: usize = 5;

impl Defects {
    /// Notes one that a study cannot be run with.
    pub fn fatal(&mut self, word: &'static str, example: Fault) {
        self.note(word, 1, example);
        self.0.entry(word).or_default().fatal = true;
    }

    /// Notes so many that stop nothing, with an example.
    pub fn note(&mut self, word: &'static str, count: usize, example: Fault) {
        let found = self.0.entry(word).or_default();
        found.count += count;
        if found.examples.len() < EXAMPLES {
            found.examples.push(example);
        }
    }

    pub fn all(&self) -> impl Iterator<Item = Defect<'_>> {
        self.0.iter().map(|(word, found)| Defect { word, count: found.count, examples: &found.examples })
    }

    /// The first that a study cannot be run with, and how many more there are like it.
    pub fn first_fatal(&self) -> Option<Fault> {
        let (_, found) = self.0.iter().find(|(_, found)| found.fatal)?;
        let first = found.examples.first()?.clone();
        let more = found.count - 1;
        let next = match (more, &first.next) {
            (0, Some(next)) => next.clone(),
            (0, None) => "`visavis data check` lists what is wrong with a data set".to_owned(),
            _ => format!("{more} more are like it: `visavis data check` lists them"),
        };
        Some(first.next(next))
    }
}

/// Reads a data set of any kind: its tables, and the names of its pictures. No picture is opened.
///
/// # Errors
/// A folder that cannot be listed, a table that cannot be opened. What is wrong inside is a defect.
pub fn collect(dataset: &Dataset) -> Result<Collection> {
    match dataset {
        Dataset::CelebA { root, .. } => celeba::collect(root),
        Dataset::Vggface2 { root, split } => folders::collect_vggface2(root, split),
        Dataset::Folders { root, .. } => folders::collect(root),
        Dataset::Images { root, .. } => {
            let mut set = Collection { pictures: root.clone(), ..Collection::default() };
            set.take(pictures::names(root)?);
            Ok(set)
        }
    }
}

/// Which kind of data set a folder holds, by the files in it.
pub fn recognise(root: &Path) -> Dataset {
    let root = root.to_owned();
    if celeba::is_here(&root) {
        return Dataset::CelebA { root, identities: Identities::Unsaid };
    }
    if let Some(split) = ["train", "test"].into_iter().find(|split| folders::is_vggface2(&root.join(split))) {
        return Dataset::Vggface2 { root, split: split.to_owned() };
    }
    let nested = |root: &Path| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).all(|entry| entry.path().is_dir())
    };
    let identities = Identities::Unsaid;
    if nested(&root) { Dataset::Folders { root, identities } } else { Dataset::Images { root, labels: None, identities } }
}

impl Dataset {
    /// Is the folder there that its pictures are looked for in?
    pub fn is_here(&self) -> bool {
        match self {
            Dataset::Vggface2 { root, split } => root.join(split).is_dir(),
            other => other.root().is_dir(),
        }
    }

    /// What the kind is called in a study file.
    pub fn word(&self) -> &'static str {
        match self {
            Dataset::CelebA { .. } => "celeba",
            Dataset::Vggface2 { .. } => "vggface2",
            Dataset::Folders { .. } => "folders",
            Dataset::Images { .. } => "images",
        }
    }
}
