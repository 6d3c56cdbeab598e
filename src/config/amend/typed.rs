//! What a person typed, as an entry of a list or map; refused where it could reach into what stands around it.

use super::{AmendedText, listed, read};
use crate::config::{levels::FACTORS, written::Written};
use std::path::Path;
use visavis_core::domain::{Result, spelling::suggestion, text::is_steering};
use yamlpath::Document;

/// What is put into a list (no key) or a map: its value, and how both styles write it.
pub(super) struct ListEntry {
    pub(super) key: Option<String>,
    pub(super) value: Written,
    pub(super) flow: String,
    /// Lines without the indentation they are put at.
    pub(super) block: String,
}

impl ListEntry {
    pub(super) fn item(value: Written, text: &str) -> Self {
        ListEntry { key: None, value, flow: text.to_owned(), block: format!("- {text}") }
    }

    pub(super) fn pair(key: &str, value: Written, text: &str) -> Self {
        let line = format!("{}: {text}", spelled(key));
        ListEntry { key: Some(key.to_owned()), value, flow: line.clone(), block: line }
    }

    /// A new list or map under this key, with one entry.
    pub(super) fn within(self, key: &str) -> Self {
        let (flow, block) = (format!("{key}: {}", self.bracketed()), format!("{key}:\n  {}", self.block));
        ListEntry { key: Some(key.to_owned()), value: self.alone(), flow, block }
    }

    pub(super) fn bracketed(&self) -> String {
        if self.key.is_some() { format!("{{ {} }}", self.flow) } else { format!("[{}]", self.flow) }
    }

    /// The value of a list or map with no other entry.
    pub(super) fn alone(self) -> Written {
        match self.key {
            Some(key) => Written::Map(vec![(key, self.value)]),
            None => Written::List(vec![self.value]),
        }
    }
}

impl AmendedText<'_> {
    pub(super) fn factor<'f>(&self, factor: &'f str) -> Result<[&'f str; 3]> {
        let unknown = || self.wrong(format!("a matrix has no factor `{factor}`")).next(suggestion(factor, &FACTORS));
        FACTORS.contains(&factor).then_some(["models", "matrix", factor]).ok_or_else(unknown)
    }

    pub(super) fn variant(&self, noun: &str, text: &str) -> Result<ListEntry> {
        let next = "a word, or a map with one key, on one line: `softmax`, `resnet34: { width: 0.25 }`, `pca: { axes: 10 }`";
        let text = text.trim();
        let fits = |value: &Written| {
            value.as_text().is_some_and(|word| !word.is_empty()) || value.as_map().is_some_and(|map| map.len() == 1)
        };
        let value = alone(text).filter(fits).ok_or_else(|| self.wrong(format!("`{text}` is no {noun}")).next(next))?;
        Ok(ListEntry::item(value, text))
    }

    pub(super) fn named(&self, noun: &str, name: &str, body: &str) -> Result<ListEntry> {
        let next =
            "a map in braces, on one line: `{ Young: \"Young\", Old: \"not Young\" }`, `{ baseline: pixels, prepare: small }`";
        let body = body.trim();
        let fits = |value: &Written| value.as_map().is_some_and(|map| !map.is_empty()) && body.starts_with('{');
        let value = alone(body).filter(fits).ok_or_else(|| self.wrong(format!("`{body}` is no {noun}")).next(next))?;
        self.name(noun, name).map(|name| ListEntry::pair(name, value, body))
    }

    /// A contrast of two models.
    pub(super) fn pair(&self, name: &str, models: &[String; 2]) -> Result<ListEntry> {
        let [one, other] = models;
        let value = Written::Map(vec![("pair".to_owned(), listed(&[self.name("model", one)?, self.name("model", other)?]))]);
        let text = format!("{{ pair: [{}, {}] }}", spelled(one), spelled(other));
        self.name("contrast", name).map(|name| ListEntry::pair(name, value, &text))
    }

    /// A name that the file's reader takes, and that reads back as itself.
    pub(super) fn name<'n>(&self, noun: &str, name: &'n str) -> Result<&'n str> {
        let visible = name.trim() == name && (1..=120).contains(&name.chars().count()) && !name.contains(is_steering);
        if visible && yaml_serde::from_str::<String>(&spelled(name)).is_ok_and(|read| read == name) {
            return Ok(name);
        }
        let next = "choose a name of 1 to 120 visible characters, no space before or after";
        Err(self.wrong(format!("`{name}` cannot be the name of a {noun}")).next(next))
    }

    pub(super) fn exclusion(&self, levels: &[(String, String)]) -> Result<ListEntry> {
        if levels.is_empty() {
            return Err(self.wrong("an exclusion without a level would exclude everything").next("name a factor and its level"));
        }
        let (mut map, mut text) = (Vec::new(), Vec::new());
        for (factor, level) in levels {
            map.push((self.factor(factor)?[2].to_owned(), Written::text(self.name("level", level)?)));
            text.push(format!("{factor}: {}", spelled(level)));
        }
        Ok(ListEntry::item(Written::Map(map), &format!("{{ {} }}", text.join(", "))))
    }
}

/// The value of a text that is one YAML value by itself, on one line: nothing typed may reach into what stands around it.
fn alone(text: &str) -> Option<Written> {
    let value = if text.contains(is_steering) { None } else { read(text, Path::new("")).ok() }?;
    let document = Document::new(text).ok()?;
    let all = document.top_feature().ok()?;
    let whole = all.location.byte_span == (0, text.len()) && document.feature_comments(&all).is_empty();
    (whole && !document.has_anchors()).then_some(value)
}

/// A name as a file can write it: bare where no reader takes it for anything else, otherwise in quotes, and in those that
/// need no escapes where there is a choice.
pub(super) fn spelled(name: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    if name.starts_with(char::is_alphabetic) && name.chars().all(plain) && !WORDS.contains(&name.to_lowercase().as_str()) {
        name.to_owned()
    } else if name.contains(['"', '\\']) {
        format!("'{}'", name.replace('\'', "''"))
    } else {
        format!("\"{name}\"")
    }
}
