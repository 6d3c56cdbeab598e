//! Walks a study file's values and refuses what it does not expect, each refusal with its place in the text.

use super::{
    text::{PathStep, Text},
    written::{Meaning, Scalar, Written},
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::{Path, PathBuf},
    rc::Rc,
};
use visavis_core::domain::{Fault, Result, spelling::suggestion, text::is_steering};

/// Keys that earlier study files had, and what they are called now.
const RENAMED: [(&str, &str); 1] = [("taps", "layers")];

/// So many entries one list or map of a study file has at most: what holds each against each then takes no noticeable time.
const MOST_ENTRIES: usize = 5000;

/// A value and the way to it.
#[derive(Clone)]
pub(crate) struct StudyNode<'a> {
    pub(super) text: &'a Text,
    pub(super) value: &'a Written,
    pub(super) path: Vec<PathStep>,
    /// Variables of the environment whose values stand in the study, wherever in the file they are named.
    pub(super) variables: Rc<RefCell<BTreeSet<String>>>,
}

impl<'a> StudyNode<'a> {
    pub(crate) fn root(text: &'a Text, value: &'a Written) -> Self {
        StudyNode { text, value, path: Vec::new(), variables: Rc::default() }
    }

    /// The variables of the environment that have been put in so far.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        self.variables.borrow().clone()
    }

    /// A fault at this value.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> Fault {
        self.fault(what, false)
    }

    /// A fault at this value's key.
    pub(crate) fn wrong_key(&self, what: impl Into<String>) -> Fault {
        self.fault(what, true)
    }

    fn fault(&self, what: impl Into<String>, key: bool) -> Fault {
        let (line, column) = self.text.position(&self.path, key);
        Fault::asked(what).at(&self.text.path, line, column)
    }

    /// A fault `offset` characters into this one-line text.
    pub(crate) fn wrong_within(&self, what: impl Into<String>, offset: usize) -> Fault {
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
    pub(crate) fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.path {
            match step {
                PathStep::Key(key) if name.is_empty() => name.push_str(key),
                PathStep::Key(key) => name += &format!(".{key}"),
                PathStep::Index(index) => name += &format!("[{}]", index + 1),
            }
        }
        if name.is_empty() { "the file".to_owned() } else { name }
    }

    fn child(&self, step: PathStep, value: &'a Written) -> StudyNode<'a> {
        let path = [self.path.clone(), vec![step]].concat();
        StudyNode { text: self.text, value, path, variables: Rc::clone(&self.variables) }
    }

    /// A mapping with these keys and no others.
    pub(crate) fn fields(&self, known: &[&str]) -> Result<Fields<'a>> {
        let entries = self.entries()?;
        for (key, node) in &entries {
            if !known.contains(&key.as_str()) {
                let next = RENAMED
                    .iter()
                    .find(|(old, new)| old == key && known.contains(new))
                    .map_or_else(|| suggestion(key, known), |(_, new)| format!("the key is called `{new}` now"));
                return Err(node.wrong_key(format!("unknown key `{key}` in {}", self.name())).next(next));
            }
        }
        Ok(Fields { node: self.clone(), entries })
    }

    /// # Errors
    /// More entries than [`MOST_ENTRIES`].
    fn not_too_many(&self, n: usize) -> Result<()> {
        if n <= MOST_ENTRIES {
            return Ok(());
        }
        Err(self.wrong(format!("{}: {n} entries, and a study has {MOST_ENTRIES} in one place at most", self.name())))
    }

    /// A mapping from names to values, in the file's order.
    pub(crate) fn entries(&self) -> Result<Vec<(String, StudyNode<'a>)>> {
        let entries = self.value.as_map().ok_or_else(|| self.expected("a map"))?;
        self.not_too_many(entries.len())?;
        Ok(entries.iter().map(|(key, value)| (key.clone(), self.child(PathStep::Key(key.clone()), value))).collect())
    }

    pub(crate) fn list(&self) -> Result<Vec<StudyNode<'a>>> {
        let list = self.value.as_list().ok_or_else(|| self.expected("a list"))?;
        self.not_too_many(list.len())?;
        Ok(list.iter().enumerate().map(|(index, value)| self.child(PathStep::Index(index), value)).collect())
    }

    /// Text in the letters it was written in, also where YAML takes it for a number, a flag or nothing: `1.10`, `No`, `null`.
    pub(crate) fn text(&self) -> Result<String> {
        self.value.letters().map(str::to_owned).ok_or_else(|| self.expected("text"))
    }

    pub(crate) fn flag(&self) -> Result<bool> {
        self.value.as_flag().ok_or_else(|| self.expected("true or false"))
    }

    /// A name people will read: not empty, at most 120 characters, nothing that could steer a terminal.
    pub(crate) fn name_of(&self, noun: &str, name: &str) -> Result<String> {
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

    pub(crate) fn whole(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let what = || format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.value.as_number().and_then(yaml_serde::Number::as_u64).ok_or_else(|| self.expected(&what()))?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(format!("{}: expected {}, found {number}", self.name(), what())))
        }
    }

    pub(crate) fn count(&self, range: std::ops::RangeInclusive<u64>) -> Result<usize> {
        self.whole(range).map(|number| number as usize)
    }

    pub(crate) fn number(&self, range: std::ops::RangeInclusive<f64>) -> Result<f64> {
        let what = || format!("a number from {} to {}", range.start(), range.end());
        let number = self.value.as_number().and_then(yaml_serde::Number::as_f64).ok_or_else(|| self.expected(&what()))?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.wrong(format!("{}: expected {}, found {number}", self.name(), what())))
        }
    }

    /// One of these words.
    pub(crate) fn word(&self, known: &[&'static str]) -> Result<&'static str> {
        let text = self.text()?;
        let found = known.iter().find(|word| **word == text);
        found.copied().ok_or_else(|| self.wrong(format!("{}: `{text}` is not known", self.name())).next(suggestion(&text, known)))
    }

    /// One of an enum's words.
    pub(crate) fn word_of<T: Copy, const N: usize>(&self, all: [T; N], word: fn(T) -> &'static str) -> Result<T> {
        let found = self.word(&all.map(word))?;
        all.into_iter().find(|of| word(*of) == found).ok_or_else(|| self.expected("a word that is known"))
    }

    /// As [`Self::variant`], of words whose parameters may all be left out: of a bare word an empty map.
    pub(crate) fn variant_or_usual(&self, known: &[&'static str]) -> Result<(&'static str, StudyNode<'a>)> {
        static NONE: Written = Written::Map(Vec::new());
        let (word, parameters) = self.variant(known)?;
        Ok((word, parameters.unwrap_or_else(|| StudyNode { value: &NONE, ..self.clone() })))
    }

    /// A sum type: a word, or a map with one key, the word, and its parameters.
    pub(crate) fn variant(&self, known: &[&'static str]) -> Result<(&'static str, Option<StudyNode<'a>>)> {
        if !self.value.is_map() {
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
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let text = self.text()?;
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(self.wrong(format!(
                "{}: expected a path, found {}",
                self.name(),
                if text.is_empty() { "nothing" } else { "control characters" }
            )));
        }
        let folder = self.text.path.parent().unwrap_or(Path::new(""));
        Ok(tidy(&folder.join(self.expanded(&text)?)))
    }

    /// `~` and variables, as a shell takes them.
    fn expanded(&self, text: &str) -> Result<String> {
        let note = |name: &str| _ = self.variables.borrow_mut().insert(name.to_owned());
        let variable = |name: &str| {
            note(name);
            std::env::var(name).map(Some)
        };
        let home = || {
            note("HOME");
            std::env::var("HOME").ok()
        };
        let expanded = shellexpand::full_with_context(text, home, variable).map_err(|error| {
            let why = match error.cause {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
            };
            self.wrong(format!("{}: the environment variable `{}` {why}", self.name(), error.var_name))
                .next(format!("set it, such as `export {}=/data`, or write the path out", error.var_name))
        })?;
        Ok(expanded.into_owned())
    }

    pub(crate) fn reference(&self, noun: &str, known: &[&str]) -> Result<String> {
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

fn kind(value: &Written) -> String {
    let short = |text: &str| visavis_core::domain::text::shorten(text, 40);
    match value {
        Written::Scalar(Scalar { meaning: Meaning::Nothing, .. }) => "nothing".to_owned(),
        Written::Scalar(Scalar { meaning: Meaning::Flag(_), text }) => format!("`{text}`"),
        Written::Scalar(Scalar { meaning: Meaning::Number(_), text }) => format!("the number {}", short(text)),
        Written::Scalar(Scalar { meaning: Meaning::Text, text }) => format!("the text `{}`", short(text)),
        Written::List(items) => format!("a list of {}", items.len()),
        Written::Map(map) => format!("a map of {} keys", map.len()),
    }
}

/// A mapping whose keys were checked.
pub(crate) struct Fields<'a> {
    node: StudyNode<'a>,
    entries: Vec<(String, StudyNode<'a>)>,
}

impl<'a> Fields<'a> {
    fn find(&self, key: &str) -> Option<&StudyNode<'a>> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// What may be left out: `null` and `~` leave it out, too.
    pub(crate) fn get(&self, key: &str) -> Option<&StudyNode<'a>> {
        self.find(key).filter(|node| !node.value.is_nothing())
    }

    /// What must be there; `null` is then a name like any other.
    pub(crate) fn need(&self, key: &str) -> Result<&StudyNode<'a>> {
        self.find(key)
            .filter(|node| !node.value.is_empty())
            .ok_or_else(|| self.node.wrong(format!("{} lacks the key `{key}`", self.node.name())))
    }

    pub(crate) fn or<T>(&self, key: &str, default: T, read: impl FnOnce(&StudyNode<'a>) -> Result<T>) -> Result<T> {
        self.get(key).map_or(Ok(default), read)
    }
}
