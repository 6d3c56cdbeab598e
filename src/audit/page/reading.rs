//! A walk through a page: what stands where in it, in the order of its text.

use super::EVIDENCE_ID;
use crate::audit::{
    container,
    findings::BoundedFindings,
    markup::{DOCUMENT, MarkupTree, NameSpace, NodeIx, NodeKind},
    plain,
    stray::{NAME, NUMBER},
};
use visavis_core::domain::Digest;

/// A number that the page shows for a claim.
pub(crate) struct ShownNumber {
    pub claim: Box<str>,
    pub text: Box<str>,
    pub line: u32,
}

/// What is met on a walk through the page.
#[derive(Default)]
pub(super) struct PageReading {
    pub(super) shown: Vec<ShownNumber>,
    pub(super) odd: BoundedFindings,
    /// Lines of text as a reader sees them; where a claim's number stands there is [`NUMBER`], where code does [`NAME`].
    pub(super) texts: Vec<(u32, String)>,
    line: String,
    line_at: u32,
    /// Result key, line, and the digest of what is drawn there.
    pub(super) drawings: Vec<(String, u32, Digest)>,
    pub(super) scripts: Vec<NodeIx>,
    pub(super) styles: Vec<NodeIx>,
    pub(super) policies: Vec<String>,
    pub(super) seals: Vec<String>,
    /// Above zero inside what is read as a whole: claims, figures, script and style.
    within: usize,
    /// Past the head, where nothing may stand that a reader does not see.
    is_in_body: bool,
}

impl PageReading {
    pub(super) fn look_at(&mut self, tree: &MarkupTree) {
        tree.walk(DOCUMENT, |at, entered| {
            if entered {
                self.enter(tree, at);
            } else {
                self.leave(tree, at);
            }
        });
        self.end_line();
    }

    fn enter(&mut self, tree: &MarkupTree, at: NodeIx) {
        match tree.what(at) {
            NodeKind::Comment => self.odd.add(tree.line(at), "a comment, which a report has none of"),
            NodeKind::Text(text) if self.within == 0 => {
                if self.line.is_empty() {
                    self.line_at = tree.line(at);
                }
                self.line.push_str(text);
            }
            NodeKind::Element(..) => self.element(tree, at),
            _ => {}
        }
    }

    fn element(&mut self, tree: &MarkupTree, at: NodeIx) {
        let line = tree.line(at);
        if let Some(why) = container::fault(tree, at) {
            self.odd.add(line, why);
        }
        let Some(name) = tree.name(at) else { return };
        if !is_inline(tree, at) {
            self.end_line();
        }
        for text in ["title", "aria-label", "alt"] {
            // Shown when a pointer rests on it, or read aloud.
            self.texts.extend(tree.attribute(at, text).filter(|_| self.within == 0).map(|text| (line, text.to_owned())));
        }
        if self.within == 0 {
            match name {
                (NameSpace::Html, "body") => self.is_in_body = true,
                (NameSpace::Html, "meta" | "link" | "title" | "style") if self.is_in_body => {
                    self.odd.add(line, format!("the element <{}> outside the page's head", name.1));
                }
                _ => {}
            }
            match name {
                (NameSpace::Svg, _) if !is_of_a_strip(tree, at) => {
                    self.odd.add(line, "a drawing outside a figure that is more than upright lines, which stand for no number");
                }
                (NameSpace::Html, "data") => {
                    self.line.push(NUMBER);
                    self.claim(tree, at);
                }
                (NameSpace::Html, "div") => self.drawing(tree, at),
                (NameSpace::Html, "code") => {
                    if is_whole(tree, at) {
                        self.line.push(NAME);
                    }
                    if tree.children(at).any(|child| tree.name(child).is_some()) {
                        self.odd.add(line, "an element within <code>, which a report has none of");
                    }
                }
                (NameSpace::Html, "script") => {
                    self.scripts.push(at);
                    let is_data = tree.attribute(at, "type") == Some("application/json");
                    if !is_data || tree.attribute(at, "id") != Some(EVIDENCE_ID) {
                        self.odd.add(line, "a script; a report has none but its evidence, which is data");
                    }
                }
                (NameSpace::Html, "style") => self.styles.push(at),
                (NameSpace::Html, "meta") => {
                    let content = || tree.attribute(at, "content").unwrap_or("").to_owned();
                    self.policies.extend(tree.attribute(at, "http-equiv").map(|_| content()));
                    let is_seal = tree.attribute(at, "name") == Some("visavis-seal");
                    self.seals.extend(is_seal.then(content));
                }
                _ => {}
            }
        }
        if is_whole(tree, at) {
            self.within += 1;
        }
    }

    fn leave(&mut self, tree: &MarkupTree, at: NodeIx) {
        if is_whole(tree, at) {
            self.within -= 1;
        }
        if tree.name(at).is_some() && !is_inline(tree, at) {
            self.end_line();
        }
        // The style keeps what comes after one of a comparison's classes away from it.
        if !self.line.is_empty() && tree.attribute(at, "class") == Some("class") {
            self.line.push(' ');
        }
    }

    fn claim(&mut self, tree: &MarkupTree, at: NodeIx) {
        let line = tree.line(at);
        let Some(claim) = tree.attribute(at, "data-claim") else {
            return self.odd.add(line, "a number's element without a claim");
        };
        let mut children = tree.children(at);
        let is_one_text =
            children.next().is_some_and(|child| matches!(tree.what(child), NodeKind::Text(_))) && children.next().is_none();
        if !is_one_text {
            self.odd.add(line, format!("the number of claim {} is not one text", container::start(claim)));
        }
        self.shown.push(ShownNumber { claim: claim.into(), text: tree.text(at).into(), line });
    }

    fn drawing(&mut self, tree: &MarkupTree, at: NodeIx) {
        if let Some(key) = tree.attribute(at, "data-result") {
            self.drawings.push((key.to_owned(), tree.line(at), tree.digest_below(at)));
        }
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.texts.push((self.line_at, std::mem::take(&mut self.line)));
        }
    }
}

/// Elements whose text goes on in the same line as what is around them: a number may be put together of several.
fn is_inline(tree: &MarkupTree, at: NodeIx) -> bool {
    let Some((space, name)) = tree.name(at) else { return true };
    #[rustfmt::skip]
    let inline = [
        "a", "abbr", "b", "cite", "code", "data", "em", "i", "kbd", "link", "mark", "meta", "q", "s", "script", "small", "span",
        "strong", "style", "sub", "sup", "u", "var", "wbr",
    ];
    space == NameSpace::Html && inline.contains(&name)
}

/// A strip of upright lines is all that a report draws outside its figures.
fn is_of_a_strip(tree: &MarkupTree, at: NodeIx) -> bool {
    match tree.name(at) {
        Some((_, "svg")) => tree.attribute(at, "class") == Some("strip"),
        Some((_, "line")) => tree.attribute(at, "x1") == tree.attribute(at, "x2"),
        _ => false,
    }
}

/// Is the element read as a whole, and its text no text of the page's?
fn is_whole(tree: &MarkupTree, at: NodeIx) -> bool {
    match tree.name(at) {
        Some((NameSpace::Html, "data" | "script" | "style")) => true,
        // Paths, digests, class expressions, notes of the data: names, unless all there is of it is a number.
        Some((NameSpace::Html, "code")) => !plain::is_number(&tree.text(at)),
        Some((NameSpace::Html, "div")) => tree.attribute(at, "data-result").is_some(),
        _ => false,
    }
}
