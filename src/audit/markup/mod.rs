//! A page's elements and text as a browser would have them (html5ever), within bounds: a hostile page is refused, not suffered.
//!
//! Nodes live in one list and know their neighbours by place; nothing here recurses, so no depth of nesting can end the program.

mod sink;
mod tags;

#[cfg(test)]
mod tests;

use html5ever::{
    Attribute, ParseOpts, QualName,
    driver::{Parser, parse_document, parse_fragment},
    local_name, ns,
    tendril::{StrTendril, TendrilSink},
    tree_builder::TreeBuilderOpts,
};
use sink::Sink;
use std::{borrow::Cow, rc::Rc};
pub(crate) use tags::fault as tag_fault;

/// Fewer tags make a page of so many only where a browser has to mend it. 64 bytes each.
const MOST_NODES: usize = 4_000_000;
/// A report's elements are nested about ten deep.
const DEEPEST: u32 = 200;
/// How much is given to the parser between two looks at what it has come to.
const PIECE: usize = 1 << 14;

pub(crate) type NodeIx = u32;
const NONE: NodeIx = NodeIx::MAX;
pub(crate) const DOCUMENT: NodeIx = 0;

#[derive(Debug)]
pub(crate) struct MarkupTree {
    nodes: Vec<MarkupNode>,
    /// What a parser has to mend, each with its line.
    pub errors: Vec<(u32, String)>,
    pub is_standard: bool,
}

#[derive(Debug)]
struct MarkupNode {
    parent: NodeIx,
    before: NodeIx,
    after: NodeIx,
    first: NodeIx,
    last: NodeIx,
    line: u32,
    depth: u32,
    what: NodeKind,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Root,
    Comment,
    Text(StrTendril),
    Element(Rc<QualName>, Box<[Attribute]>),
}

/// Which set of names an element's is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameSpace {
    Html,
    Svg,
    Other,
}

impl MarkupTree {
    pub(crate) fn what(&self, at: NodeIx) -> &NodeKind {
        &self.nodes[at as usize].what
    }

    pub(crate) fn line(&self, at: NodeIx) -> u32 {
        self.nodes[at as usize].line
    }

    /// Its name, if it is an element.
    pub(crate) fn name(&self, at: NodeIx) -> Option<(NameSpace, &str)> {
        let NodeKind::Element(name, _) = self.what(at) else { return None };
        let space = match name.ns {
            ns!(html) => NameSpace::Html,
            ns!(svg) => NameSpace::Svg,
            _ => NameSpace::Other,
        };
        Some((space, &name.local))
    }

    /// Its attributes as they are written; with a prefix in foreign elements: `xlink:href`.
    pub(crate) fn attributes(&self, at: NodeIx) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        let attributes: &[Attribute] = if let NodeKind::Element(_, attributes) = self.what(at) { attributes } else { &[] };
        attributes.iter().map(|attribute| {
            let name = match &attribute.name.prefix {
                Some(prefix) if !prefix.is_empty() => Cow::Owned(format!("{prefix}:{}", attribute.name.local)),
                _ => Cow::Borrowed(&*attribute.name.local),
            };
            (name, &*attribute.value)
        })
    }

    pub(crate) fn attribute(&self, at: NodeIx, name: &str) -> Option<&str> {
        self.attributes(at).find_map(|(own, value)| (own == name).then_some(value))
    }

    pub(crate) fn children(&self, at: NodeIx) -> impl Iterator<Item = NodeIx> {
        let here = |place: NodeIx| (place != NONE).then_some(place);
        std::iter::successors(here(self.nodes[at as usize].first), move |child| here(self.nodes[*child as usize].after))
    }

    /// Everything below `from` and itself, in the order of the page: entered (`true`) and left again.
    pub(crate) fn walk(&self, from: NodeIx, mut visit: impl FnMut(NodeIx, bool)) {
        let mut at = from;
        loop {
            visit(at, true);
            let node = &self.nodes[at as usize];
            if node.first != NONE {
                at = node.first;
                continue;
            }
            loop {
                visit(at, false);
                let node = &self.nodes[at as usize];
                if at == from {
                    return;
                }
                if node.after != NONE {
                    at = node.after;
                    break;
                }
                at = node.parent;
            }
        }
    }

    /// All text below.
    pub(crate) fn text(&self, at: NodeIx) -> String {
        let mut text = String::new();
        self.walk(at, |place, entered| {
            if let (NodeKind::Text(part), true) = (self.what(place), entered) {
                text.push_str(part);
            }
        });
        text
    }

    /// The digest of what was parsed as the inside of an element.
    pub(crate) fn digest_inside(&self) -> visavis_core::domain::Digest {
        self.digest_below(self.children(DOCUMENT).next().unwrap_or(DOCUMENT))
    }

    /// A digest of what is below, by names, attributes and text: the same for two trees that look the same to a browser.
    pub(crate) fn digest_below(&self, at: NodeIx) -> visavis_core::domain::Digest {
        let mut bytes = Vec::new();
        let mut part = |sign: u8, text: &str| {
            bytes.push(sign);
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        self.walk(at, |place, entered| match (self.what(place), entered) {
            _ if place == at => {}
            (NodeKind::Element(name, attributes), true) => {
                part(b'<', &name.ns);
                part(b'n', &name.local);
                for attribute in attributes {
                    part(b'a', &attribute.name.local);
                    part(b'v', &attribute.value);
                }
            }
            (NodeKind::Element(..), false) => part(b'>', ""),
            (NodeKind::Text(text), true) => part(b't', text),
            (NodeKind::Comment, true) => part(b'c', ""),
            _ => {}
        });
        visavis_core::domain::Digest::of(&bytes)
    }
}

/// The whole page, given in parts that follow each other. `enough` says when reading has taken too long.
///
/// # Errors
/// Why it is refused: it is no page that a report could be.
pub(crate) fn parse(parts: &[&str], enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    if let Some(why) = tags::fault(parts) {
        return Err(why.to_owned());
    }
    feed(parse_document(Sink::new(), options()), parts, enough)
}

/// What stands inside a `div`.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_inside(text: &str, enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    let div = QualName::new(None, ns!(html), local_name!("div"));
    feed(parse_fragment(Sink::new(), options(), div, vec![], false), &[text], enough)
}

fn options() -> ParseOpts {
    // As a reader without scripts sees it.
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    ParseOpts { tree_builder, ..ParseOpts::default() }
}

fn feed(mut parser: Parser<Sink>, parts: &[&str], enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())));
            rest = later;
            parser.process(StrTendril::from(piece));
            if let Some(why) = parser.tokenizer.sink.sink.over.get() {
                return Err(why.to_owned());
            }
            if enough() {
                return Err("it takes too long to read".to_owned());
            }
        }
    }
    Ok(parser.finish())
}
