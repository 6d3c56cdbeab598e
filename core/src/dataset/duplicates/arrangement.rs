//! Who is on pictures and in which partition they are, where only their paths say so: `train/n000001/0001.jpg`.

use crate::domain::image::Column;
use std::collections::BTreeSet;

/// What folders of this name hold.
const PARTITIONS: [&str; 9] = ["train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"];

/// What the paths of a set's pictures say.
#[derive(Debug, Default)]
pub(super) struct Arrangement {
    /// Image → the name of its folder, where it is not that of a partition.
    pub folders: Option<Column>,
    /// Image → the partition whose folder it is in; only where all are in folders of partitions, and in more than one.
    pub partitions: Option<Column>,
}

impl Arrangement {
    /// Of pictures by their ids.
    pub(super) fn of<'a>(ids: impl Iterator<Item = &'a str> + Clone) -> Self {
        let first = |id: &'a str| id.split_once('/').map_or("", |(folder, _)| folder);
        let found: BTreeSet<String> = ids.clone().map(|id| first(id).to_ascii_lowercase()).collect();
        let is_parted = found.len() > 1 && found.iter().all(|name| PARTITIONS.contains(&name.as_str()));
        let folder = |id: &'a str| {
            let below = if is_parted { id.split_once('/')?.1 } else { id };
            let (folders, _) = below.rsplit_once('/')?;
            Some((id, folders.rsplit_once('/').map_or(folders, |(_, last)| last)))
        };
        let folders: Column = ids.clone().filter_map(folder).collect();
        let partitions: Option<Column> = is_parted.then(|| ids.map(|id| (id, first(id))).collect());
        Arrangement { folders: (!folders.is_empty()).then_some(folders), partitions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ids: &[&str]) -> [Vec<String>; 2] {
        let of = Arrangement::of(ids.iter().copied());
        [of.folders, of.partitions].map(|column| column.iter().flat_map(Column::iter).map(|(_, word)| word.to_owned()).collect())
    }

    #[test]
    fn folders_are_identities_and_folders_of_partitions_are_partitions() {
        assert_eq!(said(&["a/1.jpg", "b/1.jpg"]), [vec!["a", "b"], vec![]]);
        assert_eq!(
            said(&["test/a/1.jpg", "train/a/1.jpg", "train/b/x/2.jpg"]),
            [vec!["a", "a", "x"], vec!["test", "train", "train"]]
        );
        assert_eq!(said(&["test/1.jpg", "train/1.jpg"]), [vec![], vec!["test", "train"]]);
        assert_eq!(said(&["train/1.jpg", "train/2.jpg"]), [vec!["train", "train"], vec![]], "one partition parts nothing");
        assert_eq!(said(&["1.jpg"]), [Vec::<String>::new(), vec![]]);
    }
}
