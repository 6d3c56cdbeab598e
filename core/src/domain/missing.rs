//! Which words in a label file say that a label is missing.

use super::text::{printable, thousands};
use std::collections::{BTreeMap, BTreeSet};

/// What `pandas.read_csv` takes for missing, and `?`; in any case.
const USUAL: [&str; 16] = [
    "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "null", "nan", "none",
    "?", "",
];

/// Is a word taken for missing where a study says nothing else?
pub fn is_usual(word: &str) -> bool {
    USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(word))
}

/// The rule for one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingWords {
    /// In place of the usual ones.
    pub instead: Option<Vec<String>>,
    /// Words that are values, because an expression of the study asks for them in quotes.
    pub values: BTreeSet<String>,
    /// Is `0` a missing label, too? In tables whose labels are −1 and 1, where 0 is undefined.
    pub zeros: bool,
}

impl MissingWords {
    /// An empty field is missing always: there is nothing in it.
    pub fn is_missing(&self, word: &str) -> bool {
        if word.is_empty() {
            return true;
        }
        match &self.instead {
            Some(words) => words.iter().any(|missing| missing == word),
            None => (is_usual(word) || self.is_zero(word)) && !self.values.contains(word),
        }
    }

    /// Is the word a zero that stands for an undefined label?
    pub fn is_zero(&self, word: &str) -> bool {
        self.zeros && word.parse() == Ok(0.0)
    }

    /// Would the word be missing, were it not asked for?
    pub fn is_kept(&self, word: &str) -> bool {
        self.instead.is_none() && (is_usual(word) || self.is_zero(word)) && self.values.contains(word)
    }
}

/// How many labels of an attribute are missing, and how that is spelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingLabels {
    /// Spelling → how many; an empty field is the empty word.
    pub spelled: BTreeMap<String, usize>,
    /// Images that have a row.
    pub rows: usize,
    /// Words that would be missing and are values, because the study asks for them in quotes.
    pub kept: BTreeMap<String, usize>,
}

impl MissingLabels {
    /// As many more, from another file.
    pub fn join(&mut self, other: MissingLabels) {
        self.rows += other.rows;
        other.spelled.into_iter().for_each(|(word, n)| *self.spelled.entry(word).or_default() += n);
        other.kept.into_iter().for_each(|(word, n)| *self.kept.entry(word).or_default() += n);
    }

    /// How many labels are missing.
    pub fn count(&self) -> usize {
        self.spelled.values().sum()
    }

    /// `100 of 400 labels are missing (60 empty, 40 `?`)`
    pub fn sentence(&self) -> String {
        let spelling = |(word, n): (&String, &usize)| match word.as_str() {
            "" => format!("{} empty", thousands(*n)),
            word => format!("{} `{}`", thousands(*n), printable(word)),
        };
        let mut most: Vec<(&String, &usize)> = self.spelled.iter().collect();
        most.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        let spellings: Vec<String> = most.into_iter().map(spelling).collect();
        let verb = if self.count() == 1 { "is" } else { "are" };
        format!("{} of {} labels {verb} missing ({})", thousands(self.count()), thousands(self.rows), spellings.join(", "))
    }
}
