//! docs/study.md is whole: its examples are one study file that is read, and it has every key and word that the parser knows.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use visavis::config::{Text, parse};
use visavis_core::{domain::loss::LOSSES, projection::METHODS};

const PAGE: &str = include_str!("../docs/study.md");

#[test]
fn the_examples_of_the_page_are_one_study_file() {
    let blocks = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let source: String = blocks.collect();
    assert!(source.lines().count() > 100, "{source}");
    let read = parse(Text { path: "experiments/all.yaml".into(), source });
    let study = read.unwrap_or_else(|fault| panic!("{fault:?}")).study;
    assert!(!study.claims.is_empty() && !study.contrasts.is_empty() && !study.queries.is_empty());
}

/// What stands in backticks in the first column of the page's tables.
fn first_columns() -> BTreeSet<String> {
    let cells = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    words.collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    folders.iter().flat_map(|folder| sources(folder)).chain(files).collect()
}

/// The keys that the parser reads: what stands in quotes in its lists of keys.
fn keys_of_the_parser() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config")) {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let asked = text.split(".fields(&[").skip(1);
        let constant = text.split("KEYS: [").skip(1).filter_map(|rest| Some(rest.split_once("= [")?.1));
        for list in asked.chain(constant) {
            let list = list.split(']').next().unwrap();
            keys.extend(list.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    keys
}

#[test]
fn the_page_has_every_key_and_word_of_the_parser() {
    let (on_page, keys) = (first_columns(), keys_of_the_parser());
    assert!(keys.len() > 90 && keys.contains("baseline") && keys.contains("bootstraps"), "{keys:?}");
    let absent: Vec<&String> = keys.iter().filter(|key| !on_page.contains(*key)).collect();
    assert!(absent.is_empty(), "docs/study.md lacks {absent:?}");
    for method in METHODS {
        assert!(on_page.contains(method.word), "{}", method.word);
        for parameter in method.parameters {
            assert!(on_page.contains(parameter.name), "{} of {}", parameter.name, method.word);
        }
    }
    for loss in &LOSSES {
        assert!(on_page.contains(loss.word), "{}", loss.word);
    }
}

#[test]
fn every_study_file_of_the_repository_has_keys_of_the_page_alone() {
    let on_page = first_columns();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments")) {
        let text = fs::read_to_string(&file).unwrap();
        let top = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        for key in top.filter_map(|line| line.split(':').next()) {
            assert!(on_page.contains(key), "{}: {key}", file.display());
        }
    }
}
