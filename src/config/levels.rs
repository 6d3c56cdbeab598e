//! The lists of a study file as they are written: what a program may offer to add to or take from.

use super::Text;
use std::collections::BTreeMap;
use yaml_serde::Value;

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
        let (matrix, models) = (&root["models"]["matrix"], &root["models"]["named"]);
        let levels = |factor: &&'static str| matrix.get(*factor).map(|list| (*factor, items(list)));
        Levels {
            factors: FACTORS.iter().filter_map(levels).collect(),
            exclude: items(&matrix["exclude"]),
            projections: items(&root["projections"]),
            comparisons: names(&root["comparisons"]),
            named: names(models),
            datasets: names(&root["datasets"]),
            preparations: names(&root["preparations"]),
        }
    }
}

fn items(list: &Value) -> Vec<String> {
    list.as_sequence().map_or(vec![], |list| list.iter().map(flow).collect())
}

fn names(map: &Value) -> Vec<String> {
    map.as_mapping().map_or(vec![], |map| map.keys().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A value on one line, as a level of a block list is written: the outermost map without its braces.
fn flow(value: &Value) -> String {
    match value {
        Value::Mapping(map) => {
            map.iter().map(|(key, value)| format!("{}: {}", inner(key), inner(value))).collect::<Vec<_>>().join(", ")
        }
        other => inner(other),
    }
}

fn inner(value: &Value) -> String {
    match value {
        Value::Mapping(_) => format!("{{ {} }}", flow(value)),
        Value::Sequence(list) => format!("[{}]", list.iter().map(inner).collect::<Vec<_>>().join(", ")),
        scalar => yaml_serde::to_string(scalar).unwrap_or_default().trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_as_they_are_written() {
        let text = Text { path: "demo.yaml".into(), source: include_str!("../../experiments/demo.yaml").to_owned() };
        let levels = Levels::of(&text);
        assert_eq!(levels.factors["loss"], ["softmax", "arcface: { s: 16, m: 0.2 }"]);
        assert_eq!(levels.factors["architecture"], ["resnet34: { width: 0.25 }"]);
        assert_eq!(levels.projections[3], "umap: { neighbors: 15, min_dist: 0.1, seeds: 5 }");
        assert!(levels.comparisons.contains(&"hair colour".to_owned()) && levels.named.contains(&"pixels".to_owned()));
    }
}
