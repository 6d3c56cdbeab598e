//! The parser's side of the tree: html5ever calls it for every node that it makes, moves or takes away.

use super::{DEEPEST, DOCUMENT, MOST_NODES, MarkupNode, MarkupTree, NONE, NodeIx, NodeKind, tags::MOST_ATTRIBUTES};
use html5ever::{
    Attribute, ExpandedName, QualName,
    interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
    tendril::StrTendril,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

/// Where a parser puts what it finds: the tree, as it grows, and what bounds it.
pub(super) struct Sink {
    tree: RefCell<MarkupTree>,
    /// What is inside a `template` is no part of the page; it is kept apart.
    templates: RefCell<HashMap<NodeIx, NodeIx>>,
    line: Cell<u32>,
    pub(super) over: Cell<Option<&'static str>>,
}

#[derive(Clone)]
pub(super) struct Handle {
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
    pub(super) fn new() -> Self {
        let sink = Sink {
            tree: RefCell::new(MarkupTree { nodes: Vec::new(), errors: Vec::new(), is_standard: true }),
            templates: RefCell::default(),
            line: Cell::new(1),
            over: Cell::new(None),
        };
        sink.add(NodeKind::Root);
        sink
    }

    fn add(&self, what: NodeKind) -> NodeIx {
        let nodes = &mut self.tree.borrow_mut().nodes;
        if nodes.len() >= MOST_NODES {
            self.over.set(Some("more than 4,000,000 elements and texts"));
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
            // Each further tag of the body or of the whole page gives them more.
            if all.len() > MOST_ATTRIBUTES {
                self.over.set(Some("an element with more than 100 attributes"));
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
