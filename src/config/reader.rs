//! Walks a study file's values and refuses what it does not expect, each refusal with its place in the text.

use super::text::{Step, Text};
use crate::domain::{Fault, Result, nearest::suggestion, text::is_steering};
use std::path::{Path, PathBuf};
use yaml_serde::{Mapping, Value};

/// A value and the way to it.
#[derive(Clone)]
pub struct Node<'a> {
    pub(super) text: &'a Text,
    pub value: &'a Value,
    pub(super) path: Vec<Step>,
}

impl<'a> Node<'a> {
    pub fn root(text: &'a Text, value: &'a Value) -> Self {
        Node { text, value, path: Vec::new() }
    }

    /// A fault at this value.
    pub fn wrong(&self, what: impl Into<String>) -> Fault {
        self.fault(what, false)
    }

    /// A fault at this value's key.
    pub fn wrong_key(&self, what: impl Into<String>) -> Fault {
        self.fault(what, true)
    }

    fn fault(&self, what: impl Into<String>, key: bool) -> Fault {
        let (line, column) = self.text.position(&self.path, key);
        Fault::asked(what).at(&self.text.path, line, column)
    }

    /// A fault `offset` characters into this one-line text.
    pub fn wrong_within(&self, what: impl Into<String>, offset: usize) -> Fault {
        let mut fault = self.wrong(what);
        if let Some(place) = &mut fault.place
            && let Some((line, column)) = &mut place.at
        {
            let rest: String = self.text.source.lines().nth(*line - 1).unwrap_or("").chars().skip(*column - 1).collect();
            // Double quotes around the text, and escapes in it, shift what follows: point at the start then.
            if !rest.starts_with('"') || !rest.contains('\\') {
                *column += offset + usize::from(rest.starts_with(['"', '\'']));
            }
        }
        fault
    }

    fn expected(&self, what: &str) -> Fault {
        self.wrong(format!("{}: expected {what}, found {}", self.name(), kind(self.value)))
    }

    /// How messages call it: `models.matrix.loss`.
    pub fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.path {
            match step {
                Step::Key(key) if name.is_empty() => name.push_str(key),
                Step::Key(key) => name += &format!(".{key}"),
                Step::Index(index) => name += &format!("[{}]", index + 1),
            }
        }
        if name.is_empty() { "the file".to_owned() } else { name }
    }

    fn child(&self, step: Step, value: &'a Value) -> Node<'a> {
        Node { text: self.text, value, path: [self.path.clone(), vec![step]].concat() }
    }

    /// A mapping with these keys and no others.
    pub fn fields(&self, known: &'static [&'static str]) -> Result<Fields<'a>> {
        let entries = self.entries()?;
        for (key, node) in &entries {
            if !known.contains(&key.as_str()) {
                return Err(node.wrong_key(format!("unknown key `{key}` in {}", self.name())).next(suggestion(key, known)));
            }
        }
        Ok(Fields { node: self.clone(), entries })
    }

    /// A mapping from names to values, in the file's order.
    pub fn entries(&self) -> Result<Vec<(String, Node<'a>)>> {
        let mapping: &Mapping = self.value.as_mapping().ok_or_else(|| self.expected("a map"))?;
        let entry = |(key, value): (&'a Value, &'a Value)| {
            let key = match key {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                other => return Err(self.wrong(format!("{}: a key must be text, found {}", self.name(), kind(other)))),
            };
            Ok((key.clone(), self.child(Step::Key(key), value)))
        };
        let entries: Vec<(String, Node<'a>)> = mapping.iter().map(entry).collect::<Result<_>>()?;
        // `1` and `"1"` are two keys to YAML and one name to people.
        match entries.iter().enumerate().find(|(i, (key, _))| entries[..*i].iter().any(|(other, _)| other == key)) {
            Some((_, (key, node))) => Err(node.wrong_key(format!("the key `{key}` is written twice"))),
            None => Ok(entries),
        }
    }

    pub fn list(&self) -> Result<Vec<Node<'a>>> {
        let list = self.value.as_sequence().ok_or_else(|| self.expected("a list"))?;
        Ok(list.iter().enumerate().map(|(index, value)| self.child(Step::Index(index), value)).collect())
    }

    /// Text; numbers are not quietly taken for it.
    pub fn text(&self) -> Result<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.expected("text"))
    }

    /// Text, or a number or flag as it was written (class names such as `4`).
    pub fn scalar(&self) -> Result<String> {
        match self.value {
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            _ => self.text(),
        }
    }

    /// A name people will read: not empty, at most 120 characters, nothing that could steer a terminal.
    pub fn name_of(&self, noun: &str, name: &str) -> Result<String> {
        let wrong =
            |why: String| Err(self.wrong_key(why).next(format!("choose a name of 1 to 120 visible characters for the {noun}")));
        if name.trim().is_empty() {
            return wrong(format!("the {noun} has an empty name"));
        }
        if name.trim() != name {
            return wrong(format!("the name `{name}` of the {noun} begins or ends with a space"));
        }
        if name.chars().count() > 120 {
            return wrong(format!("the name of the {noun} is longer than 120 characters"));
        }
        if let Some(c) = name.chars().find(|&c| is_steering(c)) {
            return wrong(format!("the name of the {noun} holds the control character {}", c.escape_default()));
        }
        Ok(name.to_owned())
    }

    pub fn whole(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let what = || format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.value.as_u64().ok_or_else(|| self.expected(&what()))?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(format!("{}: expected {}, found {number}", self.name(), what())))
        }
    }

    pub fn count(&self, range: std::ops::RangeInclusive<u64>) -> Result<usize> {
        self.whole(range).map(|number| number as usize)
    }

    pub fn number(&self, range: std::ops::RangeInclusive<f64>) -> Result<f64> {
        let what = || format!("a number from {} to {}", range.start(), range.end());
        let number = self.value.as_f64().ok_or_else(|| self.expected(&what()))?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(format!("{}: expected {}, found {number}", self.name(), what())))
        }
    }

    /// One of these words.
    pub fn word(&self, known: &[&'static str]) -> Result<&'static str> {
        let text = self.scalar()?;
        let found = known.iter().find(|word| **word == text);
        found.copied().ok_or_else(|| self.wrong(format!("{}: `{text}` is not known", self.name())).next(suggestion(&text, known)))
    }

    /// A sum type: a word, or a map with one key, the word, and its parameters.
    pub fn variant(&self, known: &[&'static str]) -> Result<(&'static str, Option<Node<'a>>)> {
        if !self.value.is_mapping() {
            return Ok((self.word(known)?, None));
        }
        let mut entries = self.entries()?;
        if entries.len() != 1 {
            return Err(self.wrong(format!(
                "{}: expected one of {} with its parameters, found a map of {} keys",
                self.name(),
                known.join(", "),
                entries.len()
            )));
        }
        let (key, node) = entries.remove(0);
        let word = known.iter().find(|word| **word == key);
        let word = word
            .copied()
            .ok_or_else(|| node.wrong_key(format!("{}: `{key}` is not known", self.name())).next(suggestion(&key, known)))?;
        Ok((word, Some(node)))
    }

    /// A path, relative to the study file's folder.
    pub fn path(&self) -> Result<PathBuf> {
        let text = self.text()?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(self.wrong(format!(
                "{}: expected a path, found {}",
                self.name(),
                if text.is_empty() { "nothing" } else { "control characters" }
            )));
        }
        let folder = self.text.path.parent().unwrap_or(Path::new(""));
        Ok(tidy(&folder.join(text)))
    }

    pub fn reference(&self, noun: &str, known: &[&str]) -> Result<String> {
        let text = self.text()?;
        if known.contains(&text.as_str()) {
            return Ok(text);
        }
        Err(self.wrong(format!("{}: there is no {noun} `{text}` in this study", self.name())).next(suggestion(&text, known)))
    }
}

/// `experiments/../data` → `data`: shorter to read; symbolic links above the study's folder are not resolved.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", crate::domain::text::shorten(text, 40)),
        Value::Sequence(items) => format!("a list of {}", items.len()),
        Value::Mapping(map) => format!("a map of {} keys", map.len()),
        Value::Tagged(tagged) => format!("a value tagged {}", tagged.tag),
    }
}

/// A mapping whose keys were checked.
pub struct Fields<'a> {
    node: Node<'a>,
    entries: Vec<(String, Node<'a>)>,
}

impl<'a> Fields<'a> {
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node).filter(|node| !node.value.is_null())
    }

    pub fn need(&self, key: &str) -> Result<&Node<'a>> {
        self.get(key).ok_or_else(|| self.node.wrong(format!("{} lacks the key `{key}`", self.node.name())))
    }

    pub fn or<T>(&self, key: &str, default: T, read: impl FnOnce(&Node<'a>) -> Result<T>) -> Result<T> {
        self.get(key).map_or(Ok(default), read)
    }
}
