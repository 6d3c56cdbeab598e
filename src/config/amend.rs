//! Changes a study file by program: what a change does not touch stays as it was written, comments and line ends too.
//!
//! A change is made twice, to the text and to the values read from it. The changed text must read as the changed values,
//! or the file is left to its author: so no style of writing can make a change do something else than what was asked.
//! Where things stand is `yamlpath`'s to say. The text is cut here and not by `yamlpatch`, whose appended entries swallow
//! the comment after the list, whose added maps lose their depth, and whose removals take a flow list's whole line.

use super::{levels::FACTORS, text::Text, written::Written};
use std::{ops::Range, path::Path};
use visavis_core::domain::{Fault, Result, spelling::suggestion, text::is_steering};
use yamlpath::{Component, Document, Route};

/// One change to a study file. Places count from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A level joins a factor of `models.matrix`, as the file writes it: `softmax`, `resnet34: { width: 0.25 }`.
    AddLevel {
        factor: String,
        level: String,
    },
    DropLevel {
        factor: String,
        place: usize,
    },
    /// A combination is left out: factors with their levels, such as loss arcface and `trained_on` imagenet.
    Exclude {
        levels: Vec<(String, String)>,
    },
    /// An exclusion is taken back.
    Include {
        place: usize,
    },
    /// The body as the file writes it: `{ baseline: pixels, prepare: small }`.
    AddModel {
        name: String,
        body: String,
    },
    DropModel {
        name: String,
    },
    /// The body as the file writes it: `{ Smiling: "Smiling", Not: "not Smiling" }`.
    AddComparison {
        name: String,
        body: String,
    },
    DropComparison {
        name: String,
    },
    /// As the file writes it: `pca: { axes: 10 }`.
    AddProjection {
        projection: String,
    },
    DropProjection {
        place: usize,
    },
    /// The layers that are read, in this order; `None` is all there are.
    Layers(Option<Vec<String>>),
}

/// The factors whose levels a matrix lists.
const MATRIX: &[&str] = &["models", "matrix"];
const EXCLUDE: &[&str] = &["models", "matrix", "exclude"];
const NAMED: &[&str] = &["models", "named"];
const COMPARISONS: &[&str] = &["comparisons"];
const PROJECTIONS: &[&str] = &["projections"];
const LAYERS: &[&str] = &["layers"];

/// The text with the change made. Reads and writes no file; whether the changed study makes sense is for
/// [`parse`](super::parse) to say.
///
/// # Errors
/// Text that is no YAML, a place that is not there, a name that is, a change that would leave no study, and what was typed
/// but cannot stand in a study file.
pub fn amend(source: &str, path: &Path, change: &Change) -> Result<String> {
    let mut draft = AmendedText { path, source: source.to_owned(), value: read(source, path)? };
    draft.make(change)?;
    match read(&draft.source, path) {
        Ok(value) if value == draft.value => Ok(draft.source),
        _ => Err(draft.by_hand()),
    }
}

fn read(source: &str, path: &Path) -> Result<Written> {
    Text { path: path.to_owned(), source: source.to_owned() }.parse()
}

/// What is put into a list (no key) or a map: its value, and how both styles write it.
struct ListEntry {
    key: Option<String>,
    value: Written,
    flow: String,
    /// Lines without the indentation they are put at.
    block: String,
}

impl ListEntry {
    fn item(value: Written, text: &str) -> Self {
        ListEntry { key: None, value, flow: text.to_owned(), block: format!("- {text}") }
    }

    fn pair(key: &str, value: Written, text: &str) -> Self {
        let line = format!("{}: {text}", spelled(key));
        ListEntry { key: Some(key.to_owned()), value, flow: line.clone(), block: line }
    }

    /// A new list or map under this key, with one entry.
    fn within(self, key: &str) -> Self {
        let (flow, block) = (format!("{key}: {}", self.bracketed()), format!("{key}:\n  {}", self.block));
        ListEntry { key: Some(key.to_owned()), value: self.alone(), flow, block }
    }

    fn bracketed(&self) -> String {
        if self.key.is_some() { format!("{{ {} }}", self.flow) } else { format!("[{}]", self.flow) }
    }

    /// The value of a list or map with no other entry.
    fn alone(self) -> Written {
        match self.key {
            Some(key) => Written::Map(vec![(key, self.value)]),
            None => Written::List(vec![self.value]),
        }
    }
}

/// A file that is being changed: text and values, always both.
struct AmendedText<'a> {
    path: &'a Path,
    source: String,
    value: Written,
}

impl AmendedText<'_> {
    fn make(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::AddLevel { factor, level } => self.append(&self.factor(factor)?, self.variant("level", level)?),
            Change::DropLevel { factor, place } => self.drop(&self.factor(factor)?, *place, Some("level of this factor")),
            Change::Exclude { levels } => self.append_or_make(EXCLUDE, self.exclusion(levels)?),
            Change::Include { place } => self.drop(EXCLUDE, *place, None),
            Change::AddModel { name, body } => self.append_or_make(NAMED, self.named("model", name, body)?),
            Change::DropModel { name } => {
                let matrix = self.at(MATRIX).is_some_and(Written::is_map);
                self.drop(NAMED, self.place_of(NAMED, name)?, if matrix { None } else { Some("model") })
            }
            Change::AddComparison { name, body } => self.append(COMPARISONS, self.named("comparison", name, body)?),
            Change::DropComparison { name } => self.drop(COMPARISONS, self.place_of(COMPARISONS, name)?, Some("comparison")),
            Change::AddProjection { projection } => self.append(PROJECTIONS, self.variant("projection", projection)?),
            Change::DropProjection { place } => self.drop(PROJECTIONS, *place, Some("projection")),
            Change::Layers(Some(layers)) => self.layers(layers),
            Change::Layers(None) if self.at(LAYERS).is_none() => Ok(()),
            Change::Layers(None) => self.remove(&[], self.place_of(&[], "layers")?),
        }
    }

    // What was typed.

    fn factor<'f>(&self, factor: &'f str) -> Result<[&'f str; 3]> {
        let unknown = || self.wrong(format!("a matrix has no factor `{factor}`")).next(suggestion(factor, &FACTORS));
        FACTORS.contains(&factor).then_some(["models", "matrix", factor]).ok_or_else(unknown)
    }

    fn variant(&self, noun: &str, text: &str) -> Result<ListEntry> {
        let next = "a word, or a map with one key, on one line: `softmax`, `resnet34: { width: 0.25 }`, `pca: { axes: 10 }`";
        let text = text.trim();
        let fits = |value: &Written| {
            value.as_text().is_some_and(|word| !word.is_empty()) || value.as_map().is_some_and(|map| map.len() == 1)
        };
        let value = alone(text).filter(fits).ok_or_else(|| self.wrong(format!("`{text}` is no {noun}")).next(next))?;
        Ok(ListEntry::item(value, text))
    }

    fn named(&self, noun: &str, name: &str, body: &str) -> Result<ListEntry> {
        let next =
            "a map in braces, on one line: `{ Young: \"Young\", Old: \"not Young\" }`, `{ baseline: pixels, prepare: small }`";
        let body = body.trim();
        let fits = |value: &Written| value.as_map().is_some_and(|map| !map.is_empty()) && body.starts_with('{');
        let value = alone(body).filter(fits).ok_or_else(|| self.wrong(format!("`{body}` is no {noun}")).next(next))?;
        self.name(noun, name).map(|name| ListEntry::pair(name, value, body))
    }

    /// A name that the file's reader takes, and that reads back as itself.
    fn name<'n>(&self, noun: &str, name: &'n str) -> Result<&'n str> {
        let visible = name.trim() == name && (1..=120).contains(&name.chars().count()) && !name.contains(is_steering);
        if visible && yaml_serde::from_str::<String>(&spelled(name)).is_ok_and(|read| read == name) {
            return Ok(name);
        }
        let next = "choose a name of 1 to 120 visible characters, no space before or after";
        Err(self.wrong(format!("`{name}` cannot be the name of a {noun}")).next(next))
    }

    fn exclusion(&self, levels: &[(String, String)]) -> Result<ListEntry> {
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

    // What is there.

    fn at(&self, way: &[&str]) -> Option<&Written> {
        way.iter().try_fold(&self.value, |value, key| value.get(key))
    }

    fn names(&self, at: &[&str]) -> Vec<String> {
        self.at(at).map_or(vec![], |map| map.keys().map(str::to_owned).collect())
    }

    fn length(&self, at: &[&str]) -> usize {
        self.at(at).and_then(Written::as_list).map_or_else(|| self.names(at).len(), <[Written]>::len)
    }

    fn place_of(&self, at: &[&str], name: &str) -> Result<usize> {
        let names = self.names(at);
        names.iter().position(|other| other == name).ok_or_else(|| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.wrong(format!("there is no `{name}` in {}", way_to(at))).next(suggestion(name, &names))
        })
    }

    // What becomes of lists and maps.

    fn append(&mut self, at: &[&str], entry: ListEntry) -> Result<()> {
        let Some(holder) = self.at(at) else { return Err(self.wrong(format!("the file has no `{}`", way_to(at)))) };
        let there = holder.as_list().is_some_and(|list| list.contains(&entry.value));
        if there || entry.key.as_ref().is_some_and(|key| self.names(at).contains(key)) {
            let what = entry.key.as_ref().unwrap_or(&entry.flow);
            return Err(self.wrong(format!("`{what}` is in {} already", way_to(at))));
        }
        self.insert(at, self.length(at), entry)
    }

    fn append_or_make(&mut self, at: &[&str], entry: ListEntry) -> Result<()> {
        match at.split_last() {
            Some((key, parent)) if self.at(at).is_none() => self.append(parent, entry.within(key)),
            _ => self.append(at, entry),
        }
    }

    /// The last entry is refused where the study `needs` one, and otherwise takes its list or map with it.
    fn drop(&mut self, at: &[&str], place: usize, needs: Option<&str>) -> Result<()> {
        match (at.split_last(), needs) {
            _ if place > 0 || self.length(at) != 1 => self.remove(at, place),
            (_, Some(noun)) => {
                Err(self.wrong(format!("this is the last {noun}: without it there is no study")).next("add another one first"))
            }
            (Some((key, parent)), None) => self.remove(parent, self.place_of(parent, key)?),
            (None, None) => self.remove(at, place),
        }
    }

    /// One entry at a time, so that every layer that stays keeps its line and comment. A list is never emptied on the way:
    /// nothing would show how its author writes lists.
    fn layers(&mut self, wanted: &[String]) -> Result<()> {
        wanted.iter().try_for_each(|layer| self.name("layer", layer).map(drop))?;
        if wanted.is_empty() {
            return Err(self.wrong("no layers are named").next("name one or more, or read all there are"));
        }
        if self.at(LAYERS).is_none() {
            let text = wanted.iter().map(|layer| spelled(layer)).collect::<Vec<_>>().join(", ");
            return self.insert(
                &[],
                self.place_of(&[], "models")? + 1,
                ListEntry::pair("layers", listed(wanted), &format!("[{text}]")),
            );
        }
        let layer = |draft: &Self, place: usize| {
            draft.at(LAYERS).and_then(|list| list.as_list()?.get(place)?.letters().map(str::to_owned))
        };
        for place in (0..self.length(LAYERS)).rev() {
            if self.length(LAYERS) > 1 && !layer(self, place).is_some_and(|layer| wanted.contains(&layer)) {
                self.remove(LAYERS, place)?;
            }
        }
        for (place, name) in wanted.iter().enumerate() {
            if layer(self, place).as_ref() != Some(name) {
                self.insert(LAYERS, place, ListEntry::item(Written::text(name), &spelled(name)))?;
            }
        }
        (wanted.len()..self.length(LAYERS)).rev().try_for_each(|place| self.remove(LAYERS, place))
    }

    // The two things that are done to a file.

    fn insert(&mut self, at: &[&str], place: usize, entry: ListEntry) -> Result<()> {
        let (spot, text) = self.room(at, place, &entry).ok_or_else(|| self.by_hand())?;
        self.source.insert_str(spot, &text);
        match (at.iter().try_fold(&mut self.value, |value, key| value.get_mut(key)), &entry.key) {
            (Some(Written::List(list)), _) => list.insert(place, entry.value),
            (Some(Written::Map(map)), Some(key)) => map.push((key.clone(), entry.value)),
            (Some(nothing), _) => *nothing = entry.alone(),
            _ => {}
        }
        Ok(())
    }

    fn remove(&mut self, at: &[&str], place: usize) -> Result<()> {
        if place >= self.length(at) {
            return Err(self.wrong(format!("{} has no entry {}", way_to(at), place + 1)));
        }
        let cut = self.cut(at, place).ok_or_else(|| self.by_hand())?;
        self.source.replace_range(cut, "");
        match at.iter().try_fold(&mut self.value, |value, key| value.get_mut(key)) {
            Some(Written::List(list)) => drop(list.remove(place)),
            Some(Written::Map(map)) => drop(map.remove(place)),
            _ => {}
        }
        Ok(())
    }

    /// Where an entry goes, and its text there: after the entry before it and all that stands on that one's lines.
    fn room(&self, at: &[&str], place: usize, entry: &ListEntry) -> Option<(usize, String)> {
        let document = Document::new(self.source.as_str()).ok()?;
        let Some(holder) = document.query_exact(&route(at)).ok()? else {
            let key = document.query_key_only(&route(at)).ok()?.location.byte_span.1;
            return Some((key + self.source[key..].find(':')? + 1, format!(" {}", entry.bracketed())));
        };
        let flow = document.extract(&holder).starts_with(['[', '{']);
        if flow && self.length(at) == 0 {
            return Some((holder.location.byte_span.0 + 1, entry.flow.clone()));
        }
        let beside = self.span(&document, at, place.saturating_sub(1))?;
        let lines = self.lines(&beside);
        let indent = &self.source[lines.start..beside.start];
        let end = if self.source.contains("\r\n") { "\r\n" } else { "\n" };
        let block = entry.block.lines().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join(end);
        match place {
            0 if flow => Some((beside.start, format!("{}, ", entry.flow))),
            _ if flow => Some((beside.end, format!(", {}", entry.flow))),
            _ if !indent.trim().is_empty() => None,
            0 => Some((lines.start, block + end)),
            _ if self.source[..lines.end].ends_with('\n') => Some((lines.end, block + end)),
            _ => Some((lines.end, end.to_owned() + &block)),
        }
    }

    /// What goes with an entry: its lines where it has them for itself, or else it and one comma.
    fn cut(&self, at: &[&str], place: usize) -> Option<Range<usize>> {
        let document = Document::new(self.source.as_str()).ok()?;
        let span = self.span(&document, at, place)?;
        let lines = self.lines(&span);
        let (before, after) = (&self.source[lines.start..span.start], &self.source[span.end..lines.end]);
        let after = after.trim_start().trim_start_matches(',').trim_start();
        if before.trim().is_empty() && (after.is_empty() || after.starts_with('#')) {
            // A file without a newline at its end stays one.
            let last = lines.end == self.source.len() && !self.source.ends_with('\n');
            let kept = self.source[..lines.start].strip_suffix('\n').map(|rest| rest.strip_suffix('\r').unwrap_or(rest));
            return Some(kept.filter(|_| last).map_or(lines.start, str::len)..lines.end);
        }
        let (cut, between) = if place + 1 < self.length(at) {
            let next = self.span(&document, at, place + 1)?.start;
            (span.start..next, span.end..next)
        } else {
            let previous = self.span(&document, at, place.checked_sub(1)?)?.end;
            (previous..span.end, previous..span.start)
        };
        self.source.get(between).is_some_and(|between| !between.contains('#')).then_some(cut)
    }

    /// Where an entry stands, from its dash or key to the end of its value, without the comments after it.
    fn span(&self, document: &Document, at: &[&str], place: usize) -> Option<Range<usize>> {
        let holder = document.query_exact(&route(at)).ok()??;
        let (first, last) = holder.location.byte_span;
        let (start, end) = if let Written::Map(map) = self.at(at)? {
            // yamlpath knows a key in quotes by what stands between them, escapes and all.
            let name = map.get(place)?.0.clone();
            let written = [name.replace('\'', "''"), name.replace('\\', "\\\\").replace('"', "\\\""), name];
            written.iter().find_map(|key| {
                let route = route(at).with_key(key.as_str());
                let (start, end) = document.query_key_only(&route).ok()?.location.byte_span;
                Some((start, document.query_exact(&route).ok()?.map_or(end, |value| value.location.byte_span.1)))
            })?
        } else {
            let item = document.query_exact(&route(at).with_key(place)).ok()??;
            // What holds an item: its dash, its pair in a flow list (`[a: b]`), or the flow list itself.
            let around = item.parent()?.location.byte_span;
            let bare = self.source[first..].starts_with('[') && around == (first, last);
            if bare { item.location.byte_span } else { around }
        };
        let mut text = self.source.get(start..end).filter(|_| first <= start && end <= last)?.trim_end();
        while let Some((rest, _)) = text.rsplit_once('\n').filter(|(_, line)| line.trim_start().starts_with('#')) {
            text = rest.trim_end();
        }
        Some(start..start + text.len())
    }

    /// The lines on which something stands, the last one's end included.
    fn lines(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.source[..span.start].rfind('\n').map_or(0, |end| end + 1);
        start..self.source[span.end..].find('\n').map_or(self.source.len(), |end| span.end + end + 1)
    }

    // What is said when it cannot be done.

    fn wrong(&self, what: impl Into<String>) -> Fault {
        Fault::asked(what).in_file(self.path)
    }

    fn by_hand(&self) -> Fault {
        self.wrong("the file is written in a way that cannot be changed by program without risk")
            .next("press E to edit it by hand")
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
fn spelled(name: &str) -> String {
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

fn listed(texts: &[String]) -> Written {
    Written::List(texts.iter().map(|text| Written::text(text)).collect())
}

fn route<'r>(way: &[&'r str]) -> Route<'r> {
    way.iter().map(|key| Component::from(*key)).collect::<Vec<_>>().into()
}

fn way_to(at: &[&str]) -> String {
    if at.is_empty() { "the file".to_owned() } else { at.join(".") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BLOCK: &str = r#"# A study.
format: 1
models:
  matrix:
    architecture:
      - resnet34: { width: 0.25 }   # small
      # - resnet50: too slow
    loss:
    - softmax
    # margins
    - arcface: { s: 64 }      # a margin

    - cosface
    prepare: [small, "large"]  # sizes
    train: { recipe: short }
  named:
    # Baselines.
    pixels: { baseline: pixels, prepare: small } # raw
    given:
      # mine
      features:
        embedding: mine.npy     # features
    # The end of models.

layers: [layer1, layer4]   # both ends

projections:
  - pca: { axes: 8 }
  - umap

comparisons:
  smile: { Smiling: "Smiling", Not: "not Smiling" }   # easy
  # hard:
  'it''s': { A: "a", B: "not a" }
  4: { Four: "digit=4", Other: "not digit=4" }
"#;

    fn amended(source: &str, change: &Change) -> Result<String> {
        amend(source, Path::new("x.yaml"), change)
    }

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    fn add_level(factor: &str, level: &str) -> Change {
        Change::AddLevel { factor: factor.into(), level: level.into() }
    }

    fn drop_level(factor: &str, place: usize) -> Change {
        Change::DropLevel { factor: factor.into(), place }
    }

    fn exclude(levels: &[(&str, &str)]) -> Change {
        Change::Exclude { levels: levels.iter().map(|(factor, level)| ((*factor).to_owned(), (*level).to_owned())).collect() }
    }

    fn add_comparison(name: &str, body: &str) -> Change {
        Change::AddComparison { name: name.into(), body: body.into() }
    }

    fn add_model(name: &str, body: &str) -> Change {
        Change::AddModel { name: name.into(), body: body.into() }
    }

    /// The change puts `with` where the text had `was`, and changes no other byte: with both kinds of line ends.
    fn makes(source: &str, change: &Change, was: &str, with: &str) {
        assert_eq!(source.matches(was).count(), 1, "{was}");
        let expected = source.replace(was, with);
        assert_eq!(amended(source, change).unwrap(), expected, "{change:?}");
        assert_eq!(amended(&source.replace('\n', "\r\n"), change).unwrap(), expected.replace('\n', "\r\n"), "{change:?}");
    }

    fn refused(source: &str, change: &Change) -> String {
        let fault = amended(source, change).unwrap_err();
        assert_eq!(fault.ending, visavis_core::domain::fault::Ending::Asked);
        fault.to_string()
    }

    #[test]
    fn levels_come_and_go() {
        makes(BLOCK, &add_level("architecture", "resnet50"), "# small\n", "# small\n      - resnet50\n");
        makes(BLOCK, &add_level("loss", "sphere: { m: 2 }"), "    - cosface\n", "    - cosface\n    - sphere: { m: 2 }\n");
        makes(BLOCK, &add_level("prepare", "tiny"), "\"large\"]", "\"large\", tiny]");
        makes(BLOCK, &drop_level("loss", 0), "    - softmax\n", "");
        makes(BLOCK, &drop_level("loss", 1), "    - arcface: { s: 64 }      # a margin\n", "");
        makes(BLOCK, &drop_level("loss", 2), "    - cosface\n", "");
        makes(BLOCK, &drop_level("prepare", 0), "[small, \"large\"]", "[\"large\"]");
        makes(BLOCK, &drop_level("prepare", 1), "[small, \"large\"]", "[small]");
    }

    #[test]
    fn the_first_exclusion_makes_the_list_and_the_last_takes_it_away() {
        let (one, two) = (exclude(&[("loss", "arcface"), ("trained_on", "a, b")]), exclude(&[("loss", "softmax")]));
        let train = "    train: { recipe: short }\n";
        let made = format!("{train}    exclude:\n      - {{ loss: arcface, trained_on: \"a, b\" }}\n");
        makes(BLOCK, &one, train, &made);
        let with_one = amended(BLOCK, &one).unwrap();
        makes(&with_one, &two, &made, &format!("{made}      - {{ loss: softmax }}\n"));
        let with_both = amended(&with_one, &two).unwrap();
        assert_eq!(amended(&with_both, &Change::Include { place: 1 }).unwrap(), with_one);
        assert_eq!(amended(&with_one, &Change::Include { place: 0 }).unwrap(), BLOCK);
        assert!(refused(&with_one, &one).contains("is in models.matrix.exclude already"));
        assert!(refused(&with_one, &Change::Include { place: 1 }).contains("models.matrix.exclude has no entry 2"));
        assert!(refused(BLOCK, &Change::Include { place: 0 }).contains("models.matrix.exclude has no entry 1"));
        assert!(refused(BLOCK, &exclude(&[])).contains("everything"));
    }

    #[test]
    fn models_come_and_go() {
        let given = "    given:\n      # mine\n      features:\n        embedding: mine.npy     # features\n";
        let more = format!("{given}    more: {{ baseline: colours, prepare: small }}\n");
        makes(BLOCK, &add_model("more", "{ baseline: colours, prepare: small }"), given, &more);
        makes(BLOCK, &Change::DropModel { name: "given".into() }, given, "");
        let raw = "    pixels: { baseline: pixels, prepare: small } # raw\n";
        makes(BLOCK, &Change::DropModel { name: "pixels".into() }, raw, "");
        // Without named models the section goes, and comes back with the first one.
        let one = "models:\n  matrix:\n    loss: [softmax]\n  named:\n    a: { baseline: pixels }\n";
        let none = amended(one, &Change::DropModel { name: "a".into() }).unwrap();
        assert_eq!(none, "models:\n  matrix:\n    loss: [softmax]\n");
        assert_eq!(amended(&none, &add_model("a", "{ baseline: pixels }")).unwrap(), one);
    }

    #[test]
    fn comparisons_come_and_go() {
        let four = "  4: { Four: \"digit=4\", Other: \"not digit=4\" }\n";
        makes(BLOCK, &add_comparison("hair", "{ quantity: hair }"), four, &format!("{four}  hair: {{ quantity: hair }}\n"));
        makes(BLOCK, &Change::DropComparison { name: "4".into() }, four, "");
        makes(BLOCK, &Change::DropComparison { name: "it's".into() }, "  'it''s': { A: \"a\", B: \"not a\" }\n", "");
        let end = "comparisons:\n  a: { quantity: a }\n\n  # the end\n  b: { quantity: b } # last";
        makes(end, &Change::DropComparison { name: "b".into() }, "\n  b: { quantity: b } # last", "");
        makes(end, &add_comparison("c", "{ quantity: c }"), " # last", " # last\n  c: { quantity: c }");
        let smile = "  smile: { Smiling: \"Smiling\", Not: \"not Smiling\" }   # easy\n";
        makes(BLOCK, &Change::DropComparison { name: "smile".into() }, smile, "");
    }

    #[test]
    fn projections_come_and_go() {
        let added = "  - umap\n  - tsne: { perplexity: 30 }\n";
        makes(BLOCK, &Change::AddProjection { projection: "tsne: { perplexity: 30 }".into() }, "  - umap\n", added);
        makes(BLOCK, &Change::DropProjection { place: 0 }, "  - pca: { axes: 8 }\n", "");
    }

    #[test]
    fn layers_keep_their_lines_and_style() {
        let layers = |layers: &[&str]| Change::Layers(Some(layers.iter().map(|layer| (*layer).to_owned()).collect()));
        makes(BLOCK, &layers(&["layer1", "layer2", "layer4"]), "[layer1, layer4]", "[layer1, layer2, layer4]");
        makes(BLOCK, &layers(&["embedding"]), "[layer1, layer4]", "[embedding]");
        makes(BLOCK, &layers(&["layer4", "layer1"]), "[layer1, layer4]", "[layer4, layer1]");
        makes(BLOCK, &layers(&["layer1", "layer4"]), "format: 1", "format: 1");
        makes(BLOCK, &Change::Layers(None), "layers: [layer1, layer4]   # both ends\n", "");
        let without = amended(BLOCK, &Change::Layers(None)).unwrap();
        assert_eq!(amended(&without, &Change::Layers(None)).unwrap(), without);
        let end = "# features\n";
        makes(&without, &layers(&["layer1", "a: b"]), end, &format!("{end}layers: [layer1, \"a: b\"]\n"));

        let block = "layers:\n  # deep\n  - layer4   # four\n\n  - embedding # last\nmodels: {}\n";
        let change = layers(&["layer1", "embedding", "probe"]);
        makes(block, &change, block, "layers:\n  # deep\n\n  - layer1\n  - embedding # last\n  - probe\nmodels: {}\n");
        assert!(refused(block, &layers(&[])).contains("no layers"));
    }

    #[test]
    fn flow_style_stays_flow_style() {
        let flow = "models: { matrix: { loss: [softmax, arcface: { s: 64 }, cosface] }, named: { a: { baseline: pixels } } }\n\
                    projections: [\n  pca,  # axes\n  umap  # neighbours\n]\ncomparisons: { a: { quantity: a } } # one\n";
        makes(flow, &add_level("loss", "sphere: { m: 2 }"), "cosface]", "cosface, sphere: { m: 2 }]");
        makes(flow, &drop_level("loss", 1), "arcface: { s: 64 }, ", "");
        makes(flow, &drop_level("loss", 2), ", cosface", "");
        makes(flow, &exclude(&[("loss", "softmax")]), "cosface] }", "cosface], exclude: [{ loss: softmax }] }");
        makes(flow, &Change::DropModel { name: "a".into() }, ", named: { a: { baseline: pixels } }", "");
        makes(flow, &add_comparison("b, c", "{ quantity: b }"), "a } } #", "a }, \"b, c\": { quantity: b } } #");
        makes(flow, &Change::DropProjection { place: 0 }, "  pca,  # axes\n", "");
        makes(flow, &Change::DropProjection { place: 1 }, "  umap  # neighbours\n", "");
        makes(flow, &Change::AddProjection { projection: "ica".into() }, "  umap  #", "  umap, ica  #");
        // Empty ones, and keys with nothing behind them.
        makes("comparisons: {}\n", &add_comparison("a", "{ quantity: b }"), "{}", "{a: { quantity: b }}");
        let nothing = "models:\n  matrix:\n    exclude:   # none yet\n    loss: [softmax]\n";
        makes(nothing, &exclude(&[("loss", "softmax")]), "exclude:", "exclude: [{ loss: softmax }]");
    }

    #[test]
    fn what_comes_and_goes_leaves_no_trace() {
        let files = [
            include_str!("../../experiments/demo.yaml"),
            include_str!("../../experiments/digits.yaml"),
            include_str!("../../experiments/drawn-faces.yaml"),
            include_str!("../../experiments/face-attributes.yaml"),
            include_str!("../../templates/first.yaml"),
            BLOCK,
        ];
        for file in files {
            for file in
                [file.to_owned(), file.trim_end().to_owned(), file.replace('\n', "\r\n"), file.trim_end().replace('\n', "\r\n")]
            {
                let value = read(&file, Path::new("x.yaml")).unwrap();
                let length = |at: &[&str]| {
                    at.iter()
                        .try_fold(&value, |value, key| value.get(key))
                        .map_or(0, |list| list.as_list().map_or(0, <[Written]>::len))
                };
                let mut both_ways = vec![
                    (add_model("new one", "{ baseline: pixels, prepare: small }"), Change::DropModel { name: "new one".into() }),
                    (add_comparison("a: b # c", "{ quantity: b }"), Change::DropComparison { name: "a: b # c".into() }),
                    (
                        Change::AddProjection { projection: "x: { y: 1 }".into() },
                        Change::DropProjection { place: length(&["projections"]) },
                    ),
                ];
                if value.get("models").and_then(|models| models.get("matrix")).is_some() {
                    let place = length(&["models", "matrix", "loss"]);
                    both_ways.push((add_level("loss", "x: { y: 1 }"), drop_level("loss", place)));
                    both_ways.push((exclude(&[("loss", "softmax")]), Change::Include { place: 0 }));
                }
                if let Some(layers) = value.get("layers") {
                    let layers: Vec<String> =
                        layers.as_list().unwrap().iter().map(|layer| layer.letters().unwrap().to_owned()).collect();
                    both_ways.push((Change::Layers(Some([&texts(["new"])[..], &layers].concat())), Change::Layers(Some(layers))));
                } else {
                    both_ways.push((Change::Layers(Some(texts(["embedding"]))), Change::Layers(None)));
                }
                for (there, back) in both_ways {
                    let changed = amended(&file, &there).unwrap();
                    assert_ne!(changed, file);
                    assert_eq!(amended(&changed, &back).unwrap(), file, "{there:?}");
                }
            }
        }
    }

    #[test]
    fn the_last_of_its_kind_stays() {
        let last = "models:\n  matrix: null\n  named: { a: { baseline: pixels } }\n\
                    projections:\n- pca\ncomparisons:\n  a: { quantity: a }\n";
        assert!(refused(last, &Change::DropModel { name: "a".into() }).contains("the last model"));
        assert!(refused(last, &Change::DropProjection { place: 0 }).contains("the last projection"));
        assert!(refused(last, &Change::DropComparison { name: "a".into() }).contains("the last comparison"));
        assert!(refused(BLOCK, &drop_level("architecture", 0)).contains("the last level of this factor"));
    }

    #[test]
    fn what_is_not_there_and_what_is_there_already_are_said() {
        assert!(refused("a: [", &Change::Layers(None)).contains("not valid YAML"));
        assert!(refused(BLOCK, &drop_level("loss", 3)).contains("models.matrix.loss has no entry 4"));
        assert!(refused(BLOCK, &add_level("los", "x")).contains("did you mean `loss`?"));
        assert!(refused(BLOCK, &add_level("trained_on", "x")).contains("the file has no `models.matrix.trained_on`"));
        assert!(refused("a: 1", &exclude(&[("loss", "x")])).contains("the file has no `models.matrix`"));
        assert!(refused(BLOCK, &add_level("loss", "arcface: {s: 64}")).contains("is in models.matrix.loss already"));
        assert!(refused(BLOCK, &Change::DropComparison { name: "smil".into() }).contains("did you mean `smile`?"));
        assert!(refused(BLOCK, &add_comparison("4", "{ quantity: a }")).contains("`4` is in comparisons already"));
        assert!(refused(BLOCK, &add_model("pixels", "{ baseline: pixels }")).contains("`pixels` is in models.named already"));
        assert!(refused(BLOCK, &Change::AddProjection { projection: "umap".into() }).contains("already"));
    }

    #[test]
    fn what_is_typed_stays_within_its_place() {
        for body in [
            "",
            "a",
            "[a]",
            "{}",
            "a: b",
            "{ a: b",
            "{ a: b } # }",
            "{ a: &x b }",
            "{ a: *x }",
            "{ a: b }, c",
            "{ a:\n b }",
            "{ a: a: b }",
        ] {
            assert!(refused(BLOCK, &add_comparison("new", body)).contains("a map in braces, on one line"), "{body}");
        }
        for level in ["", "|", "a # b", "- a", "[a]", "{ a: 1, b: 2 }", "&x a", "*x", "--- a", "a\nb", "1", "'", "a: b: c"] {
            assert!(refused(BLOCK, &add_level("loss", level)).contains("is no level"), "{level}");
        }
        for level in ["a, b", "a]", "a}, b: {c"] {
            assert!(amended(BLOCK, &add_level("prepare", level)).is_err(), "{level}");
        }
        for name in ["", " a", "a ", "a\nb", "a\tb", "a\u{1b}[2J", "a\u{202e}b", "a\u{2028}b", &"a".repeat(121)] {
            assert!(refused(BLOCK, &add_comparison(name, "{ quantity: a }")).contains("1 to 120 visible characters"), "{name:?}");
        }
    }

    #[test]
    fn a_style_that_cannot_be_changed_safely_is_left_to_its_author() {
        let shared = "models:\n  matrix:\n    loss: &l\n      - a\n      - b\n    prepare: *l\n";
        let tagged = "models:\n  matrix:\n    loss: !!seq [a, b]\n";
        let told = "models:\n  matrix:\n    loss: [a, # the first\n      b]\n";
        let explicit = "comparisons:\n  ? a\n  : { quantity: a }\n  b: { quantity: b }\n";
        for (file, change) in [
            (shared, drop_level("prepare", 0)),
            (shared, add_level("loss", "c")),
            (tagged, add_level("loss", "c")),
            (told, drop_level("loss", 1)),
            (explicit, Change::DropComparison { name: "a".into() }),
        ] {
            assert!(refused(file, &change).contains("press E to edit it by hand"), "{change:?}");
        }
    }

    fn there_and_back(file: &str, name: &str) {
        let with = amended(file, &add_comparison(name, "{ quantity: a }")).unwrap();
        let read = read(&with, Path::new("")).unwrap();
        assert!(read.get("comparisons").unwrap().keys().any(|other| other == name), "{with}");
        assert_eq!(amended(&with, &Change::DropComparison { name: name.into() }).unwrap(), file);
    }

    #[test]
    fn hostile_names_read_back_as_themselves() {
        for name in [
            "a: b # c", "\"x\"", "'", "- y", "yes", "null", "~", "1", "1e3", "&a", "*a", "!t", "{", "]", "? a", "%", "@", "`",
            "a\\", "\\\"'", "男", "é.", "<<", "=", "a\u{a0}b", "😀",
        ] {
            there_and_back(BLOCK, name);
            there_and_back("comparisons: { z: { quantity: z } }", name);
            let bare = read(&amended("comparisons: {}", &add_comparison(name, "{ a: b }")).unwrap(), Path::new("")).unwrap();
            assert_eq!(bare.get("comparisons").unwrap().keys().next().unwrap(), name);
        }
    }

    proptest! {
        #[test]
        fn any_printable_name_reads_back_as_itself(name in "\\PC{1,40}") {
            let name = name.trim();
            prop_assume!(!name.is_empty() && name != "z" && !name.contains(is_steering));
            there_and_back("comparisons:\n  z: { quantity: z } # z", name);
            there_and_back("comparisons: { z: { quantity: z } }\n", name);
        }

        #[test]
        fn nothing_typed_changes_anything_else(typed in "[-a-c:,#&*!|>'\"{}\\[\\] ]{0,12}") {
            let body = format!("{{ a: {typed} }}");
            for change in [add_level("loss", &typed), add_level("prepare", &typed), add_comparison(&typed, &body)] {
                if let Ok(changed) = amended(BLOCK, &change) {
                    let (was, is) = (read(BLOCK, Path::new("")).unwrap(), read(&changed, Path::new("")).unwrap());
                    prop_assert_eq!(was.get("projections"), is.get("projections"));
                    prop_assert!(changed.matches(" # ").count() >= BLOCK.matches(" # ").count());
                }
            }
        }
    }
}
