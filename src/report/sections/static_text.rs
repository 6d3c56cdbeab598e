//! Sections that every report has alike: the words, and the methods.

use super::Section;
use crate::study::{LOSSES, METHODS, MethodSpec};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    glossary::{self, FIRST_WORDS, GLOSSARY},
    model::Source,
    study::Study,
};

#[derive(Serialize)]
pub(crate) struct Words {
    /// Those that a reader needs first.
    first: Vec<WordRow>,
    others: Vec<WordRow>,
}

#[derive(Serialize)]
struct WordRow {
    word: &'static str,
    definition: &'static str,
}

impl Section for Words {
    const ANCHOR: &'static str = "words";
    const TITLE: &'static str = "Glossary";
    const TEMPLATE: &'static str = "words.html";
}

impl Words {
    pub(crate) fn all() -> Self {
        let first = |word: &'static str| Some(WordRow { word, definition: glossary::definition(word)? });
        let others = GLOSSARY.iter().filter(|term| !FIRST_WORDS.contains(&term.word));
        Words {
            first: FIRST_WORDS.into_iter().filter_map(first).collect(),
            others: others.map(|term| WordRow { word: term.word, definition: term.definition }).collect(),
        }
    }
}

#[derive(Default, Serialize)]
pub(crate) struct Methods {
    losses: Vec<MethodEntry>,
    projections: Vec<MethodEntry>,
    /// The study looks for images.
    finds_images: bool,
    /// It runs networks on altered images.
    alters_images: bool,
    /// It simulates a person who labels clusters.
    simulates_clicks: bool,
}

/// A row of a register: of losses, of projections.
#[derive(Serialize)]
struct MethodEntry {
    title: &'static str,
    /// HTML.
    about: &'static str,
}

impl Methods {
    /// A study's projections, and the losses of its networks with those that explain them.
    pub(crate) fn of(study: &Study) -> Self {
        let is_used = |method: &&&MethodSpec| study.projections.iter().any(|own| own.method.word() == method.word);
        let projections = METHODS.iter().filter(is_used).map(|of| MethodEntry { title: of.title, about: of.about });
        let losses = study.models.iter().filter_map(|model| match &model.source {
            Source::Network(network) => Some(network.loss.word.as_str()),
            _ => None,
        });
        Methods {
            projections: projections.collect(),
            losses: with_explanations(losses),
            finds_images: !study.queries.is_empty(),
            alters_images: !study.alterations.is_empty(),
            simulates_clicks: study.clicks.is_some(),
        }
    }
}

/// The losses of these words, and those by whose names they are explained: sub-centre ArcFace by ArcFace, that one by NormFace.
fn with_explanations<'w>(words: impl Iterator<Item = &'w str>) -> Vec<MethodEntry> {
    let used = words.filter_map(|word| LOSSES.iter().position(|of| of.word == word));
    let mut told: BTreeSet<usize> = used.collect();
    loop {
        let by_others = |place: &usize| told.iter().any(|of| LOSSES[*of].about.contains(LOSSES[*place].title));
        let more: Vec<usize> = (0..LOSSES.len()).filter(by_others).filter(|place| !told.contains(place)).collect();
        if more.is_empty() {
            break;
        }
        told.extend(more);
    }
    told.into_iter().map(|place| MethodEntry { title: LOSSES[place].title, about: LOSSES[place].about }).collect()
}

impl Section for Methods {
    const ANCHOR: &'static str = "methods";
    const TITLE: &'static str = "Methods";
    const TEMPLATE: &'static str = "methods.html";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::text_of;

    #[test]
    fn the_glossary_and_the_methods_are_on_the_page() {
        let words = text_of(&Words::all(), &Default::default());
        assert!(words.contains("selection half Half A of the identities: views are chosen by their scores on it."), "{words}");
        assert!(words.contains("All other terms adjusted"), "{words}");
        assert_eq!(words.matches("Half A of the identities").count(), 1, "a word is there once: {words}");
        let all = METHODS.iter().map(|of| MethodEntry { title: of.title, about: of.about }).collect();
        let methods = Methods { losses: with_explanations(["subcentre"].into_iter()), projections: all, ..Methods::default() };
        let methods = text_of(&methods, &Default::default());
        assert!(methods.contains("Benjamini and Hochberg"), "{methods}");
        assert!(methods.contains("PCA Eigenvectors of the covariance matrix"), "{methods}");
        assert!(methods.contains("Loss: ArcFace As NormFace") && methods.contains("Loss: NormFace"), "{methods}");
        assert!(methods.contains("Loss: Sub-centre ArcFace") && !methods.contains("Loss: CosFace"), "{methods}");
    }
}
