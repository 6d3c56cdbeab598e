//! Where things stand in the text of a study file: where an entry goes, and what is cut out with one. Nothing is changed here.

use super::{AmendedText, typed::ListEntry};
use crate::config::written::Written;
use std::ops::Range;
use yamlpath::{Component, Document, Route};

impl AmendedText<'_> {
    /// Where an entry goes, and its text there: after the entry before it and all that stands on that one's lines.
    pub(super) fn room(&self, at: &[&str], place: usize, entry: &ListEntry) -> Option<(usize, String)> {
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
    pub(super) fn cut(&self, at: &[&str], place: usize) -> Option<Range<usize>> {
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
}

fn route<'r>(way: &[&'r str]) -> Route<'r> {
    way.iter().map(|key| Component::from(*key)).collect::<Vec<_>>().into()
}
