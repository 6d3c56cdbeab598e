//! The study's levels as a list: what is in it, what could be, and the change that takes one in or out.

use crate::{
    study::{
        draft::{Change, FACTORS},
        families,
        matrix_snapshot::MatrixSnapshot,
    },
    tui::levels::{known, projections},
};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelLine {
    pub text: String,
    /// `None`: a heading.
    pub change: Option<Change>,
    pub on: bool,
}

pub(crate) fn lines(matrix_snapshot: &MatrixSnapshot) -> Vec<LevelLine> {
    let mut lines = Vec::new();
    let head = |text: &str| LevelLine { text: text.to_owned(), change: None, on: false };
    let level = |text: &str, on: bool, change: Change| LevelLine { text: text.to_owned(), change: Some(change), on };
    let levels = &matrix_snapshot.levels;
    for factor in FACTORS {
        let Some(own) = levels.factors.get(factor) else { continue };
        lines.push(head(&factor.replace('_', " ")));
        for (place, name) in own.iter().enumerate() {
            lines.push(level(name, true, Change::DropLevel { factor: factor.to_owned(), place }));
        }
        let word = |level: &str| level.split(':').next().unwrap_or(level).to_owned();
        for name in known(matrix_snapshot, factor)
            .iter()
            .filter(|name| !(own.contains(name) || factor == "loss" && own.iter().any(|of| word(of) == **name)))
        {
            lines.push(level(name, false, Change::AddLevel { factor: factor.to_owned(), level: name.clone() }));
        }
    }
    if !levels.exclude.is_empty() {
        lines.push(head("left out"));
        lines.extend(levels.exclude.iter().enumerate().map(|(place, text)| level(text, true, Change::Include { place })));
    }
    if !levels.named.is_empty() {
        lines.push(head("models by name"));
        lines.extend(levels.named.iter().map(|name| level(name, true, Change::DropModel { name: name.clone() })));
    }
    lines.push(head("layer"));
    let known = families::all_layers();
    let mut all: Vec<String> = known.iter().map(|layer| (*layer).to_owned()).collect();
    all.retain(|layer| matrix_snapshot.study.models.iter().any(|model| model.layers(None).contains(layer)));
    all.extend(matrix_snapshot.layers.iter().flatten().filter(|layer| !known.contains(&layer.as_str())).cloned());
    all.dedup();
    let own: Vec<String> = matrix_snapshot.study.layers.clone().unwrap_or_else(|| all.clone());
    for layer in &all {
        let on = own.contains(layer);
        let next: Vec<String> =
            all.iter().filter(|other| if *other == layer { !on } else { own.contains(other) }).cloned().collect();
        lines.push(level(layer, on, Change::Layers(Some(next))));
    }
    lines.push(head("projection"));
    lines.extend(levels.projections.iter().enumerate().map(|(place, text)| level(text, true, Change::DropProjection { place })));
    for text in projections() {
        let method = text.split(':').next().unwrap_or(&text);
        if !levels.projections.iter().any(|own| own.split(':').next() == Some(method)) {
            lines.push(level(&text, false, Change::AddProjection { projection: text.clone() }));
        }
    }
    lines.push(head("comparison"));
    lines.extend(levels.comparisons.iter().map(|name| level(name, true, Change::DropComparison { name: name.clone() })));
    lines
}
