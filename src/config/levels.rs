//! The lists of a study file as they are written: what a program may offer to add to or take from.

use super::{
    Text,
    written::{Meaning, Scalar, Written},
};
use std::collections::BTreeMap;

/// The factors of `models.matrix`, in their order.
pub const FACTORS: [&str; 4] = ["architecture", "loss", "trained_on", "prepare"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// Factor → its levels, in flow style (`arcface: { s: 64 }`).
    pub factors: BTreeMap<&'static str, Vec<String>>,
    pub exclude: Vec<String>,
    pub projections: Vec<String>,
    pub comparisons: Vec<String>,
    pub named: Vec<String>,
    pub datasets: Vec<String>,
    pub preparations: Vec<String>,
}

impl Levels {
    /// Of a text that was read well; a file without a matrix has no factors.
    pub fn of(text: &Text) -> Self {
        let Ok(root) = text.parse() else { return Levels::default() };
        let at = |way: &[&str]| way.iter().try_fold(&root, |value, key| value.get(key));
        let matrix = at(&["models", "matrix"]);
        let levels = |factor: &&'static str| matrix?.get(factor).map(|list| (*factor, items(Some(list))));
        Levels {
            factors: FACTORS.iter().filter_map(levels).collect(),
            exclude: items(at(&["models", "matrix", "exclude"])),
            projections: items(at(&["projections"])),
            comparisons: names(at(&["comparisons"])),
            named: names(at(&["models", "named"])),
            datasets: names(at(&["datasets"])),
            preparations: names(at(&["preparations"])),
        }
    }
}

fn items(list: Option<&Written>) -> Vec<String> {
    list.and_then(Written::as_list).unwrap_or_default().iter().map(flow).collect()
}

fn names(map: Option<&Written>) -> Vec<String> {
    map.map_or(vec![], |map| map.keys().map(str::to_owned).collect())
}

/// A value on one line, as a level of a block list is written: the outermost map without its braces.
fn flow(value: &Written) -> String {
    match value {
        Written::Map(map) => {
            map.iter().map(|(key, value)| format!("{}: {}", quoted(key), inner(value))).collect::<Vec<_>>().join(", ")
        }
        other => inner(other),
    }
}

fn inner(value: &Written) -> String {
    match value {
        Written::Map(_) => format!("{{ {} }}", flow(value)),
        Written::List(list) => format!("[{}]", list.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Written::Scalar(Scalar { text, meaning: Meaning::Text }) => quoted(text),
        Written::Scalar(Scalar { text, .. }) => text.clone(),
    }
}

/// In quotes where it would be read as something else.
fn quoted(text: &str) -> String {
    yaml_serde::to_string(text).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_as_they_are_written() {
        let text = Text { path: "x.yaml".into(), source: include_str!("../../experiments/drawn-faces.yaml").to_owned() };
        let levels = Levels::of(&text);
        assert_eq!(levels.factors["loss"], ["softmax", "arcface: { s: 32, m: 0.4 }"]);
        assert_eq!(levels.factors["architecture"], ["resnet34: { width: 0.5 }", "seresnet34: { width: 0.5 }"]);
        assert_eq!(levels.projections[3], "umap: { neighbors: 15, min_dist: 0.1, seeds: 5 }");
        assert!(levels.comparisons.contains(&"hair colour".to_owned()) && levels.named.contains(&"pixels".to_owned()));
    }
}
