//! A page's elements and text as a browser would have them (html5ever), within bounds: a hostile page is refused, not suffered.
//!
//! Nodes live in one list and know their neighbours by place; nothing here recurses, so no depth of nesting can end the program.

use html5ever::{
    Attribute, ExpandedName, ParseOpts, QualName,
    driver::{Parser, parse_document, parse_fragment},
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    local_name, ns,
    tendril::{StrTendril, TendrilSink},
    tree_builder::TreeBuilderOpts,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

/// A report of a million claims has half of these.
const MOST_NODES: usize = 8_000_000;
/// A report's elements are nested about ten deep.
const DEEPEST: u32 = 200;
/// How much is given to the parser between two looks at what it has come to.
const PIECE: usize = 1 << 14;
/// What parts the attributes of a tag; a piece of a page that lies within one tag and has more of them is no report's.
const MOST_PARTS: usize = 2000;

pub type NodeIx = u32;
const NONE: NodeIx = NodeIx::MAX;
pub const DOCUMENT: NodeIx = 0;

#[derive(Debug)]
pub struct MarkupTree {
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
pub enum NodeKind {
    Root,
    Comment,
    Text(StrTendril),
    Element(Rc<QualName>, Box<[Attribute]>),
}

/// Which set of names an element's is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSpace {
    Html,
    Svg,
    Other,
}

impl MarkupTree {
    pub fn what(&self, at: NodeIx) -> &NodeKind {
        &self.nodes[at as usize].what
    }

    pub fn line(&self, at: NodeIx) -> u32 {
        self.nodes[at as usize].line
    }

    /// Its name, if it is an element.
    pub fn name(&self, at: NodeIx) -> Option<(NameSpace, &str)> {
        let NodeKind::Element(name, _) = self.what(at) else { return None };
        let space = match name.ns {
            ns!(html) => NameSpace::Html,
            ns!(svg) => NameSpace::Svg,
            _ => NameSpace::Other,
        };
        Some((space, &name.local))
    }

    /// Its attributes as they are written; with a prefix in foreign elements: `xlink:href`.
    pub fn attributes(&self, at: NodeIx) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        let attributes: &[Attribute] = if let NodeKind::Element(_, attributes) = self.what(at) { attributes } else { &[] };
        attributes.iter().map(|attribute| {
            let name = match &attribute.name.prefix {
                Some(prefix) if !prefix.is_empty() => Cow::Owned(format!("{prefix}:{}", attribute.name.local)),
                _ => Cow::Borrowed(&*attribute.name.local),
            };
            (name, &*attribute.value)
        })
    }

    pub fn attribute(&self, at: NodeIx, name: &str) -> Option<&str> {
        let mut of = self.attributes(at);
        of.find_map(|(own, value)| (own == name).then_some(value))
    }

    pub fn children(&self, at: NodeIx) -> impl Iterator<Item = NodeIx> {
        let here = |place: NodeIx| (place != NONE).then_some(place);
        std::iter::successors(here(self.nodes[at as usize].first), move |child| here(self.nodes[*child as usize].after))
    }

    /// Everything below `from` and itself, in the order of the page: entered (`true`) and left again.
    pub fn walk(&self, from: NodeIx, mut visit: impl FnMut(NodeIx, bool)) {
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
    pub fn text(&self, at: NodeIx) -> String {
        let mut text = String::new();
        self.walk(at, |place, entered| {
            if let (NodeKind::Text(part), true) = (self.what(place), entered) {
                text.push_str(part);
            }
        });
        text
    }

    /// The digest of what was parsed as the inside of an element.
    pub fn digest_inside(&self) -> visavis_core::domain::Digest {
        self.digest_below(self.children(DOCUMENT).next().unwrap_or(DOCUMENT))
    }

    /// A digest of what is below, by names, attributes and text: the same for two trees that look the same to a browser.
    pub fn digest_below(&self, at: NodeIx) -> visavis_core::domain::Digest {
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

/// The whole page. `enough` says when reading has taken too long.
///
/// # Errors
/// Why it is refused: it is no page that a report could be.
pub fn parse(page: &str, enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    feed(parse_document(Sink::new(), options()), page, enough)
}

/// What stands inside a `div`.
///
/// # Errors
/// As [`parse`].
pub fn parse_inside(text: &str, enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    let div = QualName::new(None, ns!(html), local_name!("div"));
    feed(parse_fragment(Sink::new(), options(), div, vec![], false), text, enough)
}

fn options() -> ParseOpts {
    // As a reader without scripts sees it.
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    ParseOpts { tree_builder, ..ParseOpts::default() }
}

fn feed(mut parser: Parser<Sink>, text: &str, enough: &dyn Fn() -> bool) -> Result<MarkupTree, String> {
    let mut rest = text;
    let mut steps = 0;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())));
        rest = later;
        parser.process(StrTendril::from(piece));
        let sink = &parser.tokenizer.sink.sink;
        if let Some(why) = sink.over.get() {
            return Err(why.to_owned());
        }
        // Nothing came of it: a tag goes on. Looking up an attribute among a million takes long.
        let parts =
            || piece.bytes().filter(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r' | b'/' | b'"' | b'\'')).count();
        if sink.steps.get() == steps && parts() > MOST_PARTS {
            return Err("a tag with too many attributes".to_owned());
        }
        steps = sink.steps.get();
        if enough() {
            return Err("it takes too long to read".to_owned());
        }
    }
    Ok(parser.finish())
}

/// Where a parser puts what it finds.
struct Sink {
    tree: RefCell<MarkupTree>,
    /// What is inside a `template` is no part of the page; it is kept apart.
    templates: RefCell<HashMap<NodeIx, NodeIx>>,
    line: Cell<u32>,
    steps: Cell<u64>,
    over: Cell<Option<&'static str>>,
}

#[derive(Clone)]
struct Handle {
    place: NodeIx,
    name: Option<Rc<QualName>>,
}

/// Between two neighbours of a parent: the first is followed by `next`, the second comes after `previous`.
fn join(nodes: &mut [MarkupNode], parent: NodeIx, (before, after): (NodeIx, NodeIx), (next, previous): (NodeIx, NodeIx)) {
    if before == NONE {
        nodes[parent as usize].first = next;
    } else {
        nodes[before as usize].after = next;
    }
    if after == NONE {
        nodes[parent as usize].last = previous;
    } else {
        nodes[after as usize].before = previous;
    }
}

impl Sink {
    fn new() -> Self {
        let sink = Sink {
            tree: RefCell::new(MarkupTree { nodes: Vec::new(), errors: Vec::new(), is_standard: true }),
            templates: RefCell::default(),
            line: Cell::new(1),
            steps: Cell::new(0),
            over: Cell::new(None),
        };
        sink.add(NodeKind::Root);
        sink
    }

    fn add(&self, what: NodeKind) -> NodeIx {
        self.steps.set(self.steps.get() + 1);
        let nodes = &mut self.tree.borrow_mut().nodes;
        if nodes.len() >= MOST_NODES {
            self.over.set(Some("more than 8,000,000 elements and texts"));
        }
        let at = nodes.len() as NodeIx;
        nodes.push(MarkupNode {
            parent: NONE,
            before: NONE,
            after: NONE,
            first: NONE,
            last: NONE,
            line: self.line.get(),
            depth: 0,
            what,
        });
        at
    }

    fn detach(&self, at: NodeIx) {
        let nodes = &mut self.tree.borrow_mut().nodes;
        let MarkupNode { parent, before, after, .. } = nodes[at as usize];
        if parent == NONE {
            return;
        }
        join(nodes, parent, (before, after), (after, before));
        let node = &mut nodes[at as usize];
        (node.parent, node.before, node.after) = (NONE, NONE, NONE);
    }

    /// Puts a node that is nowhere into `parent`, before `after` or last.
    fn attach(&self, at: NodeIx, parent: NodeIx, after: NodeIx) {
        let nodes = &mut self.tree.borrow_mut().nodes;
        let before = if after == NONE { nodes[parent as usize].last } else { nodes[after as usize].before };
        join(nodes, parent, (before, after), (at, at));
        let depth = nodes[parent as usize].depth + 1;
        if depth > DEEPEST {
            self.over.set(Some("elements nested more than 200 deep"));
        }
        let node = &mut nodes[at as usize];
        (node.parent, node.before, node.after, node.depth) = (parent, before, after, depth);
    }

    fn put(&self, child: NodeOrText<Handle>, parent: NodeIx, after: NodeIx) {
        self.steps.set(self.steps.get() + 1);
        match child {
            NodeOrText::AppendNode(child) => {
                self.detach(child.place);
                self.attach(child.place, parent, after);
            }
            NodeOrText::AppendText(text) => {
                if !self.goes_on(&text, parent, after) {
                    let at = self.add(NodeKind::Text(text));
                    self.attach(at, parent, after);
                }
            }
        }
    }

    /// Adds to the text that stands there already; `false` where none does.
    fn goes_on(&self, text: &StrTendril, parent: NodeIx, after: NodeIx) -> bool {
        let nodes = &mut self.tree.borrow_mut().nodes;
        let before = if after == NONE { nodes[parent as usize].last } else { nodes[after as usize].before };
        if before != NONE
            && let NodeKind::Text(own) = &mut nodes[before as usize].what
        {
            own.push_tendril(text);
            return true;
        }
        false
    }

    fn element(&self, name: QualName, attributes: Vec<Attribute>) -> Handle {
        let name = Rc::new(name);
        let place = self.add(NodeKind::Element(Rc::clone(&name), attributes.into_boxed_slice()));
        Handle { place, name: Some(name) }
    }

    fn parent(&self, at: NodeIx) -> NodeIx {
        self.tree.borrow().nodes[at as usize].parent
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = MarkupTree;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> MarkupTree {
        self.tree.into_inner()
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.steps.set(self.steps.get() + 1);
        let errors = &mut self.tree.borrow_mut().errors;
        if errors.len() < 100 {
            errors.push((self.line.get(), message.into_owned()));
        }
    }

    fn get_document(&self) -> Handle {
        Handle { place: DOCUMENT, name: None }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.as_ref().expect("only elements are asked for their name").expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        if flags.had_duplicate_attributes {
            self.parse_error(Cow::Borrowed("an attribute is given twice"));
        }
        let handle = self.element(name, attributes);
        if flags.template {
            let contents = self.add(NodeKind::Root);
            self.templates.borrow_mut().insert(handle.place, contents);
        }
        handle
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        Handle { place: self.add(NodeKind::Comment), name: None }
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        Handle { place: self.add(NodeKind::Comment), name: None }
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.put(child, parent.place, NONE);
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.parent(element.place) == NONE { self.append(previous, child) } else { self.append_before_sibling(element, child) }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        let place = self.templates.borrow().get(&target.place).copied().unwrap_or(target.place);
        Handle { place, name: None }
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.place == other.place
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.borrow_mut().is_standard = mode == QuirksMode::NoQuirks;
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(child) = &child {
            self.detach(child.place);
        }
        let parent = self.parent(sibling.place);
        if parent != NONE {
            self.put(child, parent, sibling.place);
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        let nodes = &mut self.tree.borrow_mut().nodes;
        if let NodeKind::Element(_, own) = &mut nodes[target.place as usize].what {
            let mut all = std::mem::take(own).into_vec();
            for attribute in attributes {
                if all.iter().all(|other| other.name != attribute.name) {
                    all.push(attribute);
                }
            }
            *own = all.into_boxed_slice();
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.place);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        loop {
            let first = self.tree.borrow().nodes[node.place as usize].first;
            if first == NONE {
                return;
            }
            self.detach(first);
            self.attach(first, parent.place, NONE);
        }
    }

    fn set_current_line(&self, line: u64) {
        self.line.set(u32::try_from(line).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(page: &str) -> String {
        let tree = parse(page, &|| false).unwrap();
        let mut out = String::new();
        tree.walk(DOCUMENT, |at, entered| match (tree.what(at), entered) {
            (NodeKind::Element(name, _), true) => out += &format!("<{}", &*name.local),
            (NodeKind::Element(..), false) => out.push('>'),
            (NodeKind::Text(text), true) => out += text,
            (NodeKind::Comment, true) => out.push('!'),
            _ => {}
        });
        out
    }

    #[test]
    fn a_page_is_read_as_a_browser_reads_it() {
        assert_eq!(outline("<!DOCTYPE html><p>a<b>c"), "<html<head><body<pa<bc>>>>");
        // Text in a table is moved before it; what is in a template is no part of the page.
        assert_eq!(outline("<table>x<tr><td>y</table>"), "<html<head><bodyx<table<tbody<tr<tdy>>>>>>");
        assert_eq!(outline("<template><data>1</data></template><!-- c -->z"), "<html<head<template>!><bodyz>>");
        assert_eq!(outline("<b><p>1</b>2</p>"), "<html<head><body<b><p<b1>2>>>");
    }

    #[test]
    fn attributes_and_entities_are_read_whatever_their_order_and_quotes() {
        let tree = parse("<!DOCTYPE html><data class=x data-claim='c1'>&#46;8&#x37;1</data>", &|| false).unwrap();
        let mut found = Vec::new();
        tree.walk(DOCUMENT, |at, entered| {
            if entered && tree.name(at) == Some((NameSpace::Html, "data")) {
                found.push((tree.attribute(at, "data-claim").unwrap().to_owned(), tree.text(at)));
            }
        });
        assert_eq!(found, [("c1".to_owned(), ".871".to_owned())]);
        assert!(tree.is_standard && tree.errors.is_empty(), "{:?}", tree.errors);
        assert!(!parse("<p>", &|| false).unwrap().is_standard);
    }

    #[test]
    fn what_would_take_for_ever_is_refused() {
        let many: String = (0..400_000).map(|i| format!("a{i}=1 ")).collect();
        assert!(parse(&format!("<p {many}>"), &|| false).unwrap_err().contains("attributes"));
        assert!(parse(&"<div>".repeat(1_000_000), &|| false).unwrap_err().contains("deep"));
        // Every paragraph takes up again whatever is open.
        let open: String = (0..100_000).map(|i| format!("<p><b x{i}>")).collect();
        assert!(parse(&open, &|| false).unwrap_err().contains("deep"));
        assert!(parse(&"<p>text".repeat(10_000), &|| true).unwrap_err().contains("too long"));
        // A long value is no many attributes.
        assert!(parse(&format!("<a href=\"{}\">", "QUJD".repeat(1_000_000)), &|| false).is_ok());
    }
}
