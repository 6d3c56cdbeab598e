//! Sections that every report has alike: the words, and the methods.

use super::Section;
use serde::Serialize;
use visavis_core::domain::glossary::GLOSSARY;

#[derive(Serialize)]
pub struct Words {
    terms: Vec<WordRow>,
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
    pub fn all() -> Self {
        Words { terms: GLOSSARY.iter().map(|of| WordRow { word: of.word, definition: of.definition }).collect() }
    }
}

#[derive(Serialize)]
pub struct Methods {}

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
        assert!(text_of(&Methods {}, &Default::default()).contains("Benjamini and Hochberg"));
    }
}
