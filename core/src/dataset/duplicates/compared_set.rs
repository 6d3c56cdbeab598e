//! A set as it is held against itself and others: its pictures, whose they are, and their partitions.

use super::{
    arrangement::Arrangement,
    compare::{KnownPicture, Side},
    look::Looked,
};
use crate::{
    dataset::{collection::Collection, source::PictureSource},
    domain::image::Column,
};
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

/// Pictures and what is known of them.
pub struct ComparedSet<'a> {
    /// The images whose pictures are there, sorted.
    pub ids: Vec<String>,
    source: &'a PictureSource,
    /// Image → identity, or the folder that it is in.
    who: Option<Column>,
    /// Does the set say that these are identities? Folders may be of anything.
    says_who: bool,
    partitions: Option<Column>,
}

impl<'a> ComparedSet<'a> {
    /// Of a set that was read. `folders_are_people`: its format says that the innermost folders are identities.
    pub fn new(set: &Collection, source: &'a PictureSource, folders_are_people: bool) -> Self {
        let ids: Vec<String> = set.ids.iter().filter(|id| source.has(id)).cloned().collect();
        let arranged = Arrangement::of(set.ids.iter().map(String::as_str));
        let many = |column: &Column| column.values().len() > 1;
        let folders = arranged.folders.filter(many);
        let (who, says_who) = match (&set.identities, &set.classes) {
            (Some(identities), _) => (Some(identities.clone()), true),
            (None, Some(classes)) if arranged.partitions.is_none() => (Some(classes.clone()), folders_are_people),
            (None, _) => (folders, folders_are_people),
        };
        ComparedSet { ids, source, who, says_who, partitions: set.partitions.clone().or(arranged.partitions) }
    }

    /// The names of its identities, or of its folders.
    pub fn names(&self) -> BTreeSet<&str> {
        self.who.iter().flat_map(Column::values).collect()
    }

    /// Are [`Self::names`] those of identities for sure?
    pub fn says_who(&self) -> bool {
        self.says_who
    }

    /// Who is on an image.
    pub(super) fn who(&self, id: &str) -> &str {
        self.who.as_ref().and_then(|of| of.get(id)).unwrap_or_default()
    }

    /// In which partition an image is.
    pub(super) fn partition(&self, id: &str) -> &str {
        self.partitions.as_ref().and_then(|of| of.get(id)).unwrap_or_default()
    }

    /// Where an image's picture is.
    pub(super) fn place(&self, id: &str) -> PathBuf {
        self.source.place(id)
    }

    /// Of each name in more than one partition: an image in one, and one in another.
    pub(super) fn in_two_partitions(&self) -> Vec<(&str, &str, &str)> {
        let (Some(who), Some(partitions)) = (&self.who, &self.partitions) else { return Vec::new() };
        let mut first: HashMap<&str, (&str, &str)> = HashMap::new();
        let mut found: HashMap<&str, (&str, &str)> = HashMap::new();
        for (id, name) in who.iter() {
            let Some(partition) = partitions.get(id) else { continue };
            let (before, earlier) = *first.entry(name).or_insert((id, partition));
            if earlier != partition {
                found.entry(name).or_insert((before, id));
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|(name, (one, other))| (name, one, other)).collect();
        found.sort_unstable();
        found
    }

    /// What is known of its pictures, each with its place among the ids; those that cannot be read are left out.
    pub fn known(&self, looked: &Looked, side: Side) -> (Vec<KnownPicture>, Vec<usize>) {
        let numbers = |column: &Option<Column>| -> Vec<Option<u32>> {
            let Some(column) = column else { return vec![None; self.ids.len()] };
            let values = column.values();
            let numbers: HashMap<&str, u32> = values.into_iter().zip(0..).collect();
            let words = column.aligned_to(self.ids.iter().map(String::as_str));
            words.into_iter().map(|word| numbers.get(word?).copied()).collect()
        };
        let (who, partitions) = (numbers(&self.who), numbers(&self.partitions));
        let seen = looked.pictures.iter().enumerate().filter_map(|(place, seen)| Some((place, seen.as_ref()?)));
        seen.map(|(place, seen)| {
            let (identity, partition) = (who[place], partitions[place]);
            (KnownPicture { side, digest: seen.digest, hash: seen.hash, identity, partition }, place)
        })
        .unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_two_partitions_are_found_and_others_are_not() {
        let source = PictureSource::Folder(PathBuf::from("x"));
        let column = |words: [&str; 5]| -> Column { ["1", "2", "3", "4", "5"].into_iter().zip(words).collect() };
        let set = Collection {
            identities: Some(column(["a", "a", "b", "b", "c"])),
            partitions: Some(column(["train", "train", "train", "test", "test"])),
            ..Collection::default()
        };
        let set = ComparedSet::new(&set, &source, false);
        assert_eq!(set.in_two_partitions(), [("b", "3", "4")]);
        assert!(set.says_who() && set.names() == BTreeSet::from(["a", "b", "c"]));
    }

    #[test]
    fn folders_are_names_of_something_unless_there_is_one_only() {
        let source = PictureSource::Folder(PathBuf::from("x"));
        let names = |ids: &[&str]| {
            let set = Collection { ids: ids.iter().map(|id| (*id).to_owned()).collect(), ..Collection::default() };
            let set = ComparedSet::new(&set, &source, false);
            assert!(!set.says_who());
            set.names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a/1", "b/1"]), ["a", "b"]);
        assert!(names(&["a/1", "a/2"]).is_empty() && names(&["1", "2"]).is_empty());
    }
}
