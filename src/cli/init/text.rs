//! The study file of what was found: every section that it needs, with a comment where a person may want another value.

use super::found::{AttributeValues, FEWEST, FoundAttribute, FoundFaces, FoundFeatures, FoundTraining, FoundWeights};
use std::{fmt::Write, path::Path};
use visavis_core::domain::{comparison::Expression, text::printable};

/// Comparisons that are proposed; further attributes are named in a comment.
const MOST: usize = 12;
/// Pixels of the pictures that small networks learn from here.
const SIZE: usize = 64;

/// All that a person pointed at.
pub(super) struct FoundStudy {
    pub name: String,
    pub faces: FoundFaces,
    /// The label table beside the pictures, and its column that says who is who.
    pub labels: Option<String>,
    pub identities: Option<String>,
    pub training: Vec<FoundTraining>,
    pub features: Vec<FoundFeatures>,
    pub weights: Vec<FoundWeights>,
}

impl FoundStudy {
    /// No model is called as another, or as one of the matrix; no data set as another.
    pub(super) fn with_names_of_its_own(mut self) -> Self {
        let of_matrix = |name: &str| name == "pixels" || name.starts_with("softmax") || name.starts_with("arcface");
        let features = self.features.iter_mut().map(|of| &mut of.name);
        let mut models: Vec<&mut String> = features.chain(self.weights.iter_mut().map(|of| &mut of.name)).collect();
        models.iter_mut().filter(|name| of_matrix(name)).for_each(|name| name.insert_str(0, "given-"));
        numbered(&[], models.into_iter());
        numbered(&["faces"], self.training.iter_mut().map(|of| &mut of.name));
        self
    }
}

/// Names that are taken, or stand before, get a number.
fn numbered<'a>(taken: &[&str], names: impl Iterator<Item = &'a mut String>) {
    let mut taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
    for name in names {
        let known = taken.iter().filter(|other| *other == name).count();
        taken.push(name.clone());
        if known > 0 {
            name.push_str(&format!("-{}", known + 1));
        }
    }
}

/// The study file. `path`: how a path is written in it.
pub(super) fn study(of: &FoundStudy, path: &dyn Fn(&Path) -> String) -> String {
    let mut text = String::new();
    let mut say = |line: &str| _ = writeln!(text, "{line}");
    say(&format!(
        "# Written by visavis init. `visavis help study` explains every key; `visavis check` says what is wrong.\nformat: 1\nstudy: {}",
        quoted(&of.name)
    ));
    say("about: Which of these models separates which attribute?\nseed: 1\n");
    datasets(of, path, &mut say);
    let has_networks = !of.training.is_empty() || of.weights.iter().any(|of| !of.is_prepared);
    let has_pictures = of.faces.kind.is_some();
    if has_networks || has_pictures {
        say(&format!(
            "preparations:\n  # How pictures are made into a network's input: crop whole, centre, face or aligned (these two need boxes or landmarks).\n  \
             small: {{ crop: whole, size: {SIZE} }}\n"
        ));
    }
    if !of.training.is_empty() {
        say(
            "recipes:\n  # An evening for full widths, minutes for a quarter; more epochs learn more.\n  short: { epochs: 12, batch: 32, optimizer: { sgd: { rate: 0.05 } } }\n",
        );
    }
    evaluation(of, path, &mut say);
    models(of, path, has_pictures, &mut say);
    if has_networks || !of.weights.is_empty() {
        say("layers: [layer4, embedding]\n");
    }
    say("projections:\n  - pca: { axes: 8 }\n  - umap: { neighbors: 15, min_dist: 0.1, seeds: 3 }\n");
    comparisons(&of.faces.attributes, &mut say);
    if !of.training.is_empty() {
        say("\ncontrasts:\n  loss: { factor: loss }");
        if of.training.len() > 1 {
            say("  training set: { factor: trained_on }");
        }
    }
    text
}

fn datasets(of: &FoundStudy, path: &dyn Fn(&Path) -> String, say: &mut dyn FnMut(&str)) {
    let Some(kind) = &of.faces.kind else { return };
    say("datasets:");
    let is_plain = kind == "images";
    let mut keys = vec![format!("root: {}", path(&of.faces.root))];
    if let (true, Some(labels)) = (is_plain, &of.labels) {
        keys.push(format!("labels: {labels}"));
        keys.extend(of.identities.as_ref().map(|column| format!("identities: {{ column: {} }}", quoted(column))));
    }
    let known = of
        .faces
        .identities
        .map_or("nobody knows who is who: intervals are over images, and too narrow".to_owned(), |n| format!("{n} identities"));
    say(&format!("  faces: {{ {kind}: {{ {} }} }}      # {} images, {known}", keys.join(", "), of.faces.images));
    if of.faces.identities.is_none() {
        say(
            "  # If no person occurs twice, say `identities: each_image`; else `identities: { file: who.csv }`, a table of image and identity.",
        );
    }
    for set in &of.training {
        say(&format!(
            "  {}: {{ {}: {{ root: {} }} }}      # {} images of {} classes",
            quoted(&set.name),
            set.kind,
            path(&set.root),
            set.images,
            set.classes
        ));
    }
    say("");
}

fn evaluation(of: &FoundStudy, path: &dyn Fn(&Path) -> String, say: &mut dyn FnMut(&str)) {
    say("evaluation:");
    if of.faces.kind.is_some() {
        say("  dataset: faces");
    }
    let table = match (&of.faces.kind, &of.labels) {
        (None, _) => Some(path(&of.faces.root)),
        (Some(kind), Some(labels)) if kind != "images" => Some(labels.clone()),
        (Some(_), _) => None,
    };
    if let Some(table) = table {
        say("  labels:");
        for name in proposed(&of.faces.attributes) {
            say(&format!("    - {{ file: {table}, attribute: {} }}", quoted(name)));
        }
    }
    say("");
}

fn models(of: &FoundStudy, path: &dyn Fn(&Path) -> String, has_pictures: bool, say: &mut dyn FnMut(&str)) {
    say("models:");
    if !of.training.is_empty() {
        let sets: Vec<String> = of.training.iter().map(|set| quoted(&set.name)).collect();
        say(&format!(
            "  # Every architecture with every loss and training set, trained here.\n  matrix:\n    architecture: [resnet34: {{ width: 0.25 }}]\n    \
             loss:\n      - softmax\n      - arcface: {{ s: 16, m: 0.2 }}\n    trained_on: [{}]\n    prepare: [small]\n    train: {{ recipe: short }}",
            sets.join(", ")
        ));
    }
    say("  named:");
    for features in &of.features {
        say(&format!(
            "    {}: {{ features: {{ embedding: {}, images: {} }} }}",
            quoted(&features.name),
            path(&features.file),
            path(&features.rows)
        ));
    }
    for weights in &of.weights {
        let architecture = match weights.architecture.width {
            1.0 => weights.architecture.word.clone(),
            width => format!("{{ {}: {{ width: {width} }} }}", weights.architecture.word),
        };
        let prepare = if weights.is_prepared { "" } else { "\n      prepare: small" };
        say(&format!(
            "    {}:\n      architecture: {architecture}\n      loss: softmax          # a label: what it was trained with\n      trained_on: unknown    \
             # a label: the data set{prepare}\n      weights: {{ file: {}, family: {}, blake3: \"{}\" }}",
            quoted(&weights.name),
            path(&weights.file),
            weights.family,
            weights.digest
        ));
    }
    if has_pictures {
        say(
            "    # What a model must beat before it can be said to have learned.\n    pixels: { baseline: pixels, prepare: small }",
        );
    }
    say("");
}

fn comparisons(attributes: &[FoundAttribute], say: &mut dyn FnMut(&str)) {
    say("comparisons:");
    let proposed = proposed(attributes);
    let lines = attributes.iter().filter(|of| proposed.contains(&of.name.as_str())).filter_map(comparison);
    lines.for_each(|line| say(&line));
    if proposed.is_empty() {
        say(
            "  # No attribute has two classes of enough images: name one, such as `smile: { Smiling: \"Smiling\", Not: \"not Smiling\" }`.",
        );
    }
    let others: Vec<&str> = attributes.iter().map(|of| of.name.as_str()).filter(|name| !proposed.contains(name)).collect();
    if !others.is_empty() {
        // A name could end the comment.
        say(&printable(&format!("  # Not compared, for they are rarer, or no classes: {}", others.join(", "))));
    }
}

/// The attributes whose rarest class has the most images: what can be told of rare ones takes more people.
fn proposed(attributes: &[FoundAttribute]) -> Vec<&str> {
    let rarest = |of: &FoundAttribute| match &of.values {
        AttributeValues::Binary { present, absent } => *present.min(absent),
        AttributeValues::Classes(classes) => classes.iter().map(|(_, n)| *n).filter(|n| *n >= FEWEST).min().unwrap_or(0),
        AttributeValues::Quantity(n) => *n,
        AttributeValues::Free => 0,
    };
    let mut able: Vec<&FoundAttribute> = attributes.iter().filter(|of| comparison(of).is_some()).collect();
    able.sort_by_key(|of| std::cmp::Reverse(rarest(of)));
    able.into_iter().take(MOST).map(|of| of.name.as_str()).collect()
}

/// `None` of an attribute that few images have, or that is no class and no number.
fn comparison(of: &FoundAttribute) -> Option<String> {
    let (name, key) = (&of.name, quoted(&of.name));
    match &of.values {
        AttributeValues::Binary { present, absent } if *present.min(absent) >= FEWEST => {
            let has = Expression::Has(name.clone());
            let (has_not, has) = (quoted(&Expression::Not(Box::new(has.clone())).to_string()), quoted(&has.to_string()));
            Some(format!(
                "  {key}: {{ {key}: {has}, {}: {has_not} }}      # {present} and {absent} images",
                quoted(&format!("not {name}"))
            ))
        }
        AttributeValues::Classes(classes) => {
            let enough: Vec<&(String, usize)> = classes.iter().filter(|(_, n)| *n >= FEWEST).collect();
            let class = |(value, _): &&(String, usize)| {
                format!("{}: {}", quoted(value), quoted(&Expression::Equals(name.clone(), value.clone()).to_string()))
            };
            let counts: Vec<String> = enough.iter().map(|(_, n)| n.to_string()).collect();
            (enough.len() > 1).then(|| {
                let classes: Vec<String> = enough.iter().map(class).collect();
                format!("  {key}: {{ {} }}      # {} images", classes.join(", "), counts.join(", "))
            })
        }
        AttributeValues::Quantity(n) if *n >= FEWEST => Some(format!("  {key}: {{ quantity: {key} }}      # {n} images")),
        AttributeValues::Binary { .. } | AttributeValues::Quantity(_) | AttributeValues::Free => None,
    }
}

/// A text as a study file writes it.
pub(super) fn quoted(text: &str) -> String {
    let is_plain =
        text.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c)) && text.chars().next().is_some_and(char::is_alphabetic);
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if is_plain && !is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_balanced_attributes_are_compared_in_the_order_of_the_table() {
        let binary = |name: &str, present: usize| FoundAttribute {
            name: name.to_owned(),
            values: AttributeValues::Binary { present, absent: 1000 - present },
        };
        let attributes: Vec<FoundAttribute> = (0..20).map(|n| binary(&format!("a{n:02}"), 20 * (n + 1))).collect();
        let found = proposed(&attributes);
        assert_eq!((found.len(), found[0], found.contains(&"a00"), found.contains(&"a07")), (12, "a19", false, false));
        let mut lines = Vec::new();
        comparisons(&attributes, &mut |line| lines.push(line.to_owned()));
        assert!(lines[1].starts_with("  a08: { a08: a08, \"not a08\": \"not a08\" }"), "{lines:?}");
        assert!(lines.last().unwrap().contains("a00, a01"), "{lines:?}");
    }

    #[test]
    fn names_that_are_taken_get_a_number() {
        let mut names = ["faces", "set", "set", "2019"].map(str::to_owned);
        numbered(&["faces"], names.iter_mut());
        assert_eq!(names, ["faces-2", "set", "set-2", "2019"]);
    }

    #[test]
    fn no_name_ends_a_comment() {
        let free = |name: &str| FoundAttribute { name: name.to_owned(), values: AttributeValues::Free };
        let mut lines = Vec::new();
        comparisons(&[free("a\nmodels: {}"), free("b\u{2028}c")], &mut |line| lines.push(line.to_owned()));
        assert!(lines.iter().all(|line| !line.contains(['\n', '\u{2028}'])), "{lines:?}");
    }

    #[test]
    fn what_yaml_would_read_otherwise_stands_in_quotes() {
        assert_eq!(
            [quoted("no"), quoted("5 o clock"), quoted("Male"), quoted("a: b")],
            ["\"no\"", "\"5 o clock\"", "Male", "\"a: b\""]
        );
    }
}
