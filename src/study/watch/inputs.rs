//! The files that a study is made from: when one of them changes, its matrix snapshot is made anew.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
};
use visavis_core::{
    domain::{
        model::{Model, Source},
        study::{Dataset, FaceMark, Identities, Study},
    },
    store::stamp,
};

/// A number that changes when a file does that the study is made from.
pub(super) fn inputs(study: &Study) -> u64 {
    let mut hasher = DefaultHasher::new();
    files(study).iter().for_each(|file| stamp(file).hash(&mut hasher));
    hasher.finish()
}

/// Roots and tables of its data sets, added labels, given features and weights.
fn files(study: &Study) -> Vec<PathBuf> {
    let of_set = |set: &Dataset| {
        let mut files = vec![set.root().clone()];
        match set {
            Dataset::Images { labels, .. } => files.extend(labels.clone()),
            Dataset::CelebA { root, .. } => {
                files.extend(["list_attr_celeba.txt", "identity_CelebA.txt"].map(|table| root.join(table)));
            }
            Dataset::RecordIo { root, .. } if root.is_dir() => {
                files.extend(["train.rec", "train.idx"].map(|file| root.join(file)));
            }
            Dataset::RecordIo { root, .. } => files.push(root.with_extension("idx")),
            Dataset::Vggface2 { .. } | Dataset::Folders { .. } | Dataset::UtkFace { .. } => {}
        }
        files.extend(FaceMark::ALL.into_iter().filter_map(|mark| set.faces().of(mark).cloned()));
        if let Identities::File(file) = set.identities() {
            files.push(file.clone());
        }
        files
    };
    let of_model = |model: &Model| match &model.source {
        Source::Given(given) => given.layers.values().chain([&given.images]).cloned().collect(),
        Source::Network(network) if network.weights.file().is_some() => {
            network.weights.file().into_iter().map(|(file, _)| file.clone()).collect()
        }
        Source::Network(_) | Source::Baseline { .. } => vec![],
    };
    let labels = study.evaluation.labels.iter().filter_map(|labels| labels.file().cloned());
    study.datasets.values().flat_map(of_set).chain(labels).chain(study.models.iter().flat_map(of_model)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::study;
    use std::{collections::BTreeSet, path::Path};
    use visavis_core::domain::study::LabelSource;

    #[test]
    fn a_study_is_made_from_its_folders_tables_and_features() {
        let files = files(&study());
        let found: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
        let expected = ["faces", "people", "l.csv", "a.csv", "a.npy", "rows.txt"];
        assert_eq!(found, expected.map(Path::new).into());
    }

    #[test]
    fn a_table_that_is_written_anew_changes_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let mut study = study();
        let table = folder.path().join("l.csv");
        study.evaluation.labels[0].source = LabelSource::File { file: table.clone(), annotator: None };
        let missing = inputs(&study);
        std::fs::write(&table, "image_id,glasses\n").unwrap();
        let there = inputs(&study);
        assert_ne!(missing, there);
        assert_eq!(inputs(&study), there);
        std::fs::write(&table, "image_id,glasses\na.png,1\n").unwrap();
        assert_ne!(inputs(&study), there);
    }
}
