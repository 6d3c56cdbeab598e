//! Changes a study file by program: what a change does not touch stays as it was written, comments and line ends too.
//!
//! A change is made twice, to the text and to the values read from it. The changed text must read as the changed values,
//! or the file is left to its author: so no style of writing can make a change do something else than what was asked.
//! Where things stand is `yamlpath`'s to say. The text is cut here and not by `yamlpatch`, whose appended entries swallow
//! the comment after the list, whose added maps lose their depth, and whose removals take a flow list's whole line.

mod place;
mod typed;

use self::typed::{ListEntry, spelled};
use super::{text::Text, written::Written};
use std::path::Path;
use visavis_core::domain::{Fault, Result, spelling::suggestion};

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
    /// The model that every other one is held against; `None`: no more.
    Baseline(Option<String>),
    /// Two models are held against each other.
    AddContrast {
        name: String,
        models: [String; 2],
    },
}

const MATRIX: &[&str] = &["models", "matrix"];
const EXCLUDE: &[&str] = &["models", "matrix", "exclude"];
const NAMED: &[&str] = &["models", "named"];
const COMPARISONS: &[&str] = &["comparisons"];
const PROJECTIONS: &[&str] = &["projections"];
const LAYERS: &[&str] = &["layers"];
const CONTRASTS: &[&str] = &["contrasts"];
const BASELINE: &str = "baseline";

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
            Change::Baseline(model) => self.baseline(model.as_deref()),
            Change::AddContrast { name, models } => self.append_or_make(CONTRASTS, self.pair(name, models)?),
        }
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

    /// A new one stands where the old one stood, else at the end.
    fn baseline(&mut self, model: Option<&str>) -> Result<()> {
        let there = self.at(&[BASELINE]).is_some();
        if !there && model.is_none() {
            return Ok(());
        }
        let place = if there { self.place_of(&[], BASELINE)? } else { self.length(&[]) };
        if there {
            self.remove(&[], place)?;
        }
        let Some(model) = model else { return Ok(()) };
        let entry = ListEntry::pair(BASELINE, Written::text(self.name("model", model)?), &spelled(model));
        self.insert(&[], place, entry)
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

    // What is said when it cannot be done.

    fn wrong(&self, what: impl Into<String>) -> Fault {
        Fault::asked(what).in_file(self.path)
    }

    fn by_hand(&self) -> Fault {
        self.wrong("the file is written in a way that cannot be changed by program without risk")
            .next("press E to edit it by hand")
    }
}

fn listed<S: AsRef<str>>(texts: &[S]) -> Written {
    Written::List(texts.iter().map(|text| Written::text(text.as_ref())).collect())
}

fn way_to(at: &[&str]) -> String {
    if at.is_empty() { "the file".to_owned() } else { at.join(".") }
}

#[cfg(test)]
mod tests;
