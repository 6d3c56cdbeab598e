//! Sections that every report has alike: the words, and the methods.

use super::Section;
use crate::study::{LOSSES, METHODS};
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

#[derive(Serialize)]
pub(crate) struct Methods {
    losses: Vec<MethodEntry>,
    projections: Vec<MethodEntry>,
}

/// A row of a register: of losses, of projections.
#[derive(Serialize)]
struct MethodEntry {
    title: &'static str,
    /// HTML.
    about: &'static str,
}

impl Methods {
    /// All projections, and the losses of a study's networks with those that explain them.
    pub(crate) fn of(study: &Study) -> Self {
        Methods::with_losses(study.models.iter().filter_map(|model| match &model.source {
            Source::Network(network) => Some(network.loss.word.as_str()),
            _ => None,
        }))
    }

    fn with_losses<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let projections = METHODS.iter().map(|of| MethodEntry { title: of.title, about: of.about });
        let used = words.filter_map(|word| LOSSES.iter().position(|of| of.word == word));
        let mut told: BTreeSet<usize> = used.collect();
        // Losses are told by others: sub-centre ArcFace by ArcFace, that one by NormFace.
        loop {
            let by_others = |place: &usize| told.iter().any(|of| LOSSES[*of].about.contains(LOSSES[*place].title));
            let more: Vec<usize> = (0..LOSSES.len()).filter(by_others).filter(|place| !told.contains(place)).collect();
            if more.is_empty() {
                break;
            }
            told.extend(more);
        }
        let losses = told.into_iter().map(|place| MethodEntry { title: LOSSES[place].title, about: LOSSES[place].about });
        Methods { losses: losses.collect(), projections: projections.collect() }
    }
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
        assert!(words.contains("All other terms attribute A labelled property"), "{words}");
        assert_eq!(words.matches("Half A of the identities").count(), 1, "a word is there once: {words}");
        let methods = text_of(&Methods::with_losses(["subcentre"].into_iter()), &Default::default());
        assert!(methods.contains("Benjamini and Hochberg"), "{methods}");
        assert!(methods.contains("PCA Eigenvectors of the covariance matrix"), "{methods}");
        assert!(methods.contains("Loss: ArcFace As NormFace") && methods.contains("Loss: NormFace"), "{methods}");
        assert!(methods.contains("Loss: Sub-centre ArcFace") && !methods.contains("Loss: CosFace"), "{methods}");
    }
}
