//! The study file of what was found: every section that it needs, with a comment where a person may want another value.

use super::found::{AttributeValues, FEWEST, FoundAttribute, FoundFaces, FoundFeatures, FoundTraining, FoundWeights};
use std::{fmt::Write, path::Path};
use visavis_core::domain::comparison::Expression;

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

/// The study file. `path`: how a path is written in it.
pub(super) fn study(of: &FoundStudy, path: &dyn Fn(&Path) -> String) -> String {
    let mut text = String::new();
    let mut say = |line: &str| _ = writeln!(text, "{line}");
    say(&format!(
        "# Written by visavis init. `visavis help study` explains every key; `visavis check` says what is wrong.\nformat: 1\nstudy: {}",
        of.name
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
            set.name,
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
        for attribute in of.faces.attributes.iter().take(MOST) {
            say(&format!("    - {{ file: {table}, attribute: {} }}", quoted(&attribute.name)));
        }
    }
    say("");
}

fn models(of: &FoundStudy, path: &dyn Fn(&Path) -> String, has_pictures: bool, say: &mut dyn FnMut(&str)) {
    say("models:");
    if !of.training.is_empty() {
        let sets: Vec<&str> = of.training.iter().map(|set| set.name.as_str()).collect();
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
            features.name,
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
            weights.name,
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
    let mut left_out = Vec::new();
    let mut proposed = 0;
    for attribute in attributes {
        match comparison(attribute).filter(|_| proposed < MOST) {
            Some(line) => {
                say(&line);
                proposed += 1;
            }
            None => left_out.push(attribute.name.as_str()),
        }
    }
    if proposed == 0 {
        say(
            "  # No attribute has two classes of enough images: name one, such as `smile: { Smiling: \"Smiling\", Not: \"not Smiling\" }`.",
        );
    }
    if !left_out.is_empty() {
        say(&format!("  # Not compared, for they are rare, no classes, or one too many: {}", left_out.join(", ")));
    }
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
