//! Texts of the page in which names are marked up, so that an audit tells what people called something from what a page claims.
//!
//! A name (of a study, a model, a class, a file; a note; what somebody wrote about the study) stands in `<bdi>`. An audit takes its text for a
//! name if the page's evidence holds it as one, and looks for numbers everywhere else. `<bdi>` also keeps a name that is written from right to
//! left from turning the words around it.

use crate::{audit, study::Piece};
use serde::Serialize;
use std::{collections::HashMap, ops::Add};
use tera::{Error, Filter, Value};

/// Words and names, as HTML: templates print `{{ phrase.html | safe }}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Phrase {
    html: String,
}

impl Phrase {
    /// What somebody called something.
    pub(crate) fn name(name: &str) -> Self {
        // Where nothing but a number is a name, quotes say that it is one.
        let shown = audit::shown_name(name);
        Phrase { html: format!("<bdi>{}</bdi>", tera::escape_html(&shown)) }
    }

    /// Words of this program.
    pub(crate) fn words(text: &str) -> Self {
        Phrase { html: tera::escape_html(text) }
    }

    /// The text without its marks, as tests read it.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.html.replace("<bdi>", "").replace("</bdi>", "")
    }

    /// The phrase with a capital letter, if it begins with a word.
    pub(crate) fn sentence(self) -> Self {
        let mut letters = self.html.chars();
        let capital = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
        Phrase { html: capital.unwrap_or_default() }
    }
}

impl Add<&str> for Phrase {
    type Output = Phrase;

    fn add(self, words: &str) -> Phrase {
        self + Phrase::words(words)
    }
}

impl Add for Phrase {
    type Output = Phrase;

    fn add(mut self, other: Phrase) -> Phrase {
        self.html += &other.html;
        self
    }
}

impl FromIterator<Piece> for Phrase {
    fn from_iter<P: IntoIterator<Item = Piece>>(pieces: P) -> Self {
        let marked = |piece: Piece| match piece {
            Piece::Words(text) => Phrase::words(&text),
            Piece::Name(name) => Phrase::name(&name),
        };
        pieces.into_iter().map(marked).fold(Phrase::default(), Phrase::add)
    }
}

/// Names, each marked up.
pub(crate) fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Vec<Phrase> {
    names.into_iter().map(|name| Phrase::name(name.as_ref())).collect()
}

/// `{{ text | name }}` in templates: a text that is a name as a whole.
pub(crate) struct NameFilter;

impl Filter for NameFilter {
    fn filter(&self, value: &Value, _: &HashMap<String, Value>) -> tera::Result<Value> {
        let name = value.as_str().ok_or_else(|| Error::msg("`name` is of texts"))?;
        Ok(Value::String(Phrase::name(name).html))
    }

    fn is_safe(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_marked_and_words_are_not() {
        let phrase = Phrase::words("in <all> of ") + Phrase::name("<b>0.999</b> & \"x\"") + ", and " + Phrase::name("0.125");
        assert_eq!(
            phrase.html,
            "in &lt;all&gt; of <bdi>&lt;b&gt;0.999&lt;&#x2F;b&gt; &amp; &quot;x&quot;</bdi>, and <bdi>“0.125”</bdi>"
        );
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        let of = |text: &str| Phrase::words(text).sentence().html;
        assert_eq!([of("not picked: x"), of("élan"), of("")], ["Not picked: x", "Élan", ""]);
        assert_eq!(Phrase::name("x").sentence(), Phrase::name("x"));
    }
}
