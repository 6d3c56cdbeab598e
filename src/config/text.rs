//! The text of a study file, and where in it things stand.

use super::written::{REPEATED, Written};
use std::{
    collections::HashSet,
    io::Read,
    path::{Path, PathBuf},
};
use visavis_core::domain::{Fault, Result};

pub struct Text {
    pub path: PathBuf,
    pub source: String,
}

/// One step from the top of the file to a value.
#[derive(Clone, Debug, PartialEq)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

/// In a larger text only the section of a mistake is found: a tree of a long list takes as long as its square to walk.
const LARGEST_PLACED: usize = 128 << 10;

/// Nobody writes a larger one by hand; it bounds what a damaged file can cost.
const LARGEST: u64 = 4 << 20;

impl Text {
    pub fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let read = visavis_core::files::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        read.map_err(|error| {
            let fault = Fault::io("read the study file", path, &error);
            if error.kind() == std::io::ErrorKind::NotFound {
                fault.next("give the path of a study file, such as experiments/digits.yaml; `visavis init DIR` makes one")
            } else {
                fault
            }
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Fault::asked("the study file is larger than 4 MiB").in_file(path));
        }
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Fault::asked("the study file is empty")
                .in_file(path)
                .next("`visavis init DIR` makes a study to start from"));
        }
        let source = String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let (line, column) = line_and_column(&String::from_utf8_lossy(good), good.len());
            Fault::asked("the study file is not UTF-8").at(path, line, column)
        })?;
        Ok(Text { path: path.to_owned(), source })
    }

    /// The values of the whole file; repeated keys and broken syntax are refused here.
    pub(super) fn parse(&self) -> Result<Written> {
        if let Some((line, column)) = self.too_deep() {
            return Err(Fault::asked("brackets nested too deeply").at(&self.path, line, column));
        }
        Written::parse(&self.source).map_err(|error| {
            let text = error.to_string();
            let text = text.rsplit_once(" at line").map_or(text.as_str(), |(text, _)| text);
            let repeated = text.split_once(REPEATED).map(|(_, key)| key);
            let what = match repeated {
                Some(key) => format!("the key `{}` is written twice", visavis_core::domain::text::printable(key)),
                None => format!("not valid YAML: {}", text.split(" at line").next().unwrap_or(text)),
            };
            let place = repeated
                .and_then(|key| self.second_of_repeated_keys(key))
                .or_else(|| error.location().map(|at| (at.line(), at.column())));
            let (line, column) = place.unwrap_or((1, 1));
            Fault::asked(what).at(&self.path, line, column)
        })
    }

    /// Where the value (or, with `key`, the key) at the end of the path stands: line and column from 1.
    pub fn position(&self, path: &[PathStep], key: bool) -> (usize, usize) {
        if self.source.len() > LARGEST_PLACED {
            return self.position_of_section(path);
        }
        let Ok(document) = yamlpath::Document::new(self.source.as_str()) else { return (1, 1) };
        // What cannot be found (behind an alias, say) is placed at what holds it.
        for length in (0..=path.len()).rev() {
            let route = yamlpath::Route::from(
                path[..length]
                    .iter()
                    .map(|step| match step {
                        PathStep::Key(key) => yamlpath::Component::from(key.as_str()),
                        PathStep::Index(index) => yamlpath::Component::from(*index),
                    })
                    .collect::<Vec<_>>(),
            );
            let ends_in_key = matches!(path[..length].last(), Some(PathStep::Key(_)));
            let feature = if ends_in_key && (key || length < path.len()) {
                document.query_key_only(&route).ok()
            } else {
                document.query_exact(&route).ok().flatten().or_else(|| document.query_pretty(&route).ok())
            };
            if let Some(feature) = feature {
                let start = feature.location.byte_span.0;
                let key = path
                    .get(length)
                    .and_then(|step| if let PathStep::Key(key) = step { self.quoted_key(start, key) } else { None });
                return line_and_column(&self.source, key.unwrap_or(start));
            }
        }
        (1, 1)
    }

    /// Where the section stands that the path begins in.
    fn position_of_section(&self, path: &[PathStep]) -> (usize, usize) {
        let Some(PathStep::Key(section)) = path.first() else { return (1, 1) };
        let is_section = |line: &str| line.strip_prefix(section.as_str()).is_some_and(|rest| rest.trim_start().starts_with(':'));
        self.source.lines().position(is_section).map_or((1, 1), |line| (line + 1, 1))
    }

    /// Where flow brackets are nested deeper than anybody nests them: the parser would take minutes to say so.
    fn too_deep(&self) -> Option<(usize, usize)> {
        const DEEPEST: usize = 100;
        let mut depth = 0usize;
        for (at, c) in self.source.char_indices() {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some(line_and_column(&self.source, at));
            }
        }
        None
    }

    /// Where a key written with escapes stands, from this byte on: yamlpath compares keys as they are written.
    fn quoted_key(&self, from: usize, key: &str) -> Option<usize> {
        let rest = &self.source[from..];
        let quotes = rest.match_indices('"').map(|(at, _)| at);
        let ends = |start: usize| rest[start + 1..].match_indices("\":").map(move |(at, _)| start + 1 + at + 1);
        let is_key = |start: &usize| {
            ends(*start)
                .next()
                .is_some_and(|end| yaml_serde::from_str::<String>(&rest[*start..end]).is_ok_and(|text| text == key))
        };
        quotes.into_iter().find(is_key).map(|at| from + at)
    }

    /// yaml_serde places a repeated key at its mapping; people want the second one. Block mappings: the same
    /// indentation and key with no shallower line between.
    fn second_of_repeated_keys(&self, wanted: &str) -> Option<(usize, usize)> {
        let mut open: Vec<(usize, HashSet<&str>)> = Vec::new();
        for (number, line) in self.source.lines().enumerate() {
            let mut content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let mut indent = line.len() - content.len();
            open.retain(|(depth, _)| *depth <= indent);
            while let Some(item) = content.strip_prefix("- ") {
                open.retain(|(depth, _)| *depth <= indent);
                indent += content.len() - item.trim_start().len();
                open.retain(|(depth, _)| *depth < indent);
                content = item.trim_start();
            }
            let Some(end) = content.find(": ").or_else(|| content.ends_with(':').then(|| content.len() - 1)) else { continue };
            let key = content[..end].trim().trim_matches(['"', '\'']);
            match open.last_mut().filter(|(depth, _)| *depth == indent) {
                Some((_, keys)) if key == wanted && keys.contains(key) => return Some((number + 1, indent + 1)),
                Some((_, keys)) => _ = keys.insert(key),
                None => open.push((indent, HashSet::from([key]))),
            }
        }
        None
    }
}

/// Line and column, from 1, of a byte; columns count characters.
fn line_and_column(source: &str, byte: usize) -> (usize, usize) {
    let before = source.get(..byte).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}
