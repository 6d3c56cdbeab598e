//! A walk through a page: what stands where in it, in the order of its text.

use super::{
    EVIDENCE_ID, TABLE_SIGN, TABLES,
    marks::{Chart, DrawnMark},
};
use crate::audit::{
    container,
    findings::BoundedFindings,
    markup::{DOCUMENT, MarkupTree, NameSpace, NodeIx, NodeKind},
    names::{MarkedIn, Names, shown_name},
    stray::{NAME, NUMBER},
};
use std::collections::HashSet;
use visavis_core::domain::Digest;

/// A number that the page shows for a claim.
pub(crate) struct ShownNumber {
    pub claim: Box<str>,
    pub text: Box<str>,
    pub line: u32,
}

/// A line of text as a reader sees it; where a claim's number stands there is [`NUMBER`], where something is marked up as a name, [`NAME`].
pub(super) struct TextLine {
    at: u32,
    text: String,
    /// In the order of their places.
    marks: Vec<Mark>,
}

/// What is marked up as a name.
struct Mark {
    /// Where its [`NAME`] stands in the line.
    place: usize,
    text: Box<str>,
    within: MarkedIn,
}

/// What a report draws outside its figures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawing {
    /// Upright lines that stand for no number; one a page.
    Strip,
    /// Marks of claims.
    Chart(Chart),
}

/// What is met on a walk through the page.
#[derive(Default)]
pub(super) struct PageReading {
    pub(super) shown: Vec<ShownNumber>,
    pub(super) odd: BoundedFindings,
    pub(super) lines: Vec<TextLine>,
    line: String,
    line_at: u32,
    marks: Vec<Mark>,
    /// Above zero in code and quotations.
    quoted: usize,
    /// Result key, line, and the digest of what is drawn there.
    pub(super) drawings: Vec<(String, u32, Digest)>,
    pub(super) scripts: Vec<NodeIx>,
    pub(super) styles: Vec<NodeIx>,
    pub(super) policies: Vec<String>,
    pub(super) seals: Vec<String>,
    /// Links to tables that were taken out of the text.
    pub(super) tables: usize,
    has_strip: bool,
    /// What is being drawn, and how many marks there were before it.
    drawing: Option<Drawing>,
    marks_before: usize,
    pub(super) chart_marks: Vec<DrawnMark>,
    /// How many numbers and marks there were before the row of a table that is read, and before its figure.
    row: Option<(usize, usize)>,
    figure: Option<(usize, usize)>,
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
            let shown = tree.attribute(at, text).filter(|_| self.within == 0);
            self.lines.extend(shown.map(|text| TextLine { at: line, text: text.to_owned(), marks: vec![] }));
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
                (NameSpace::Html, "tr") => self.row = Some((self.shown.len(), self.chart_marks.len())),
                (NameSpace::Html, "figure") => self.figure = Some((self.shown.len(), self.chart_marks.len())),
                (NameSpace::Svg, "svg") => self.begin_drawing(tree, at),
                (NameSpace::Svg, _) => self.drawn(tree, at),
                (NameSpace::Html, "a") => {
                    let start = tree.attribute(at, "href").and_then(|href| href.strip_suffix(TABLE_SIGN));
                    let is_table = |start: &str| TABLES.iter().any(|table| table.strip_prefix("href=\"") == Some(start));
                    self.tables += usize::from(start.is_some_and(is_table));
                }
                (NameSpace::Html, "data") => {
                    self.line.push(NUMBER);
                    self.claim(tree, at);
                }
                (NameSpace::Html, "div") => self.drawing(tree, at),
                (NameSpace::Html, "bdi") => self.mark(tree, at),
                (NameSpace::Html, "title") => self.title(tree, at),
                (NameSpace::Html, "code")
                    if tree.children(at).any(|child| tree.name(child).is_some_and(|(_, name)| name != "bdi")) =>
                {
                    self.odd.add(line, "an element within <code> that is no name, which a report has none of");
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
        self.quoted += usize::from(is_quoted(tree, at));
    }

    fn leave(&mut self, tree: &MarkupTree, at: NodeIx) {
        if is_whole(tree, at) {
            self.within -= 1;
        }
        self.quoted -= usize::from(is_quoted(tree, at));
        match tree.name(at) {
            Some((NameSpace::Svg, "svg")) => self.end_drawing(tree, at),
            Some((NameSpace::Html, "tr")) => {
                let began = self.row.take();
                self.told_since(began, DrawnMark::of_value, "a dot of a chart whose number is not in its row");
            }
            Some((NameSpace::Html, "figure")) => {
                let began = self.figure.take();
                self.told_since(began, DrawnMark::of_threshold, "a threshold of a chart whose number is not in its figure");
            }
            _ => {}
        }
        if tree.name(at).is_some() && !is_inline(tree, at) {
            self.end_line();
        }
        // The style keeps what comes after one of a comparison's classes away from it.
        if !self.line.is_empty() && tree.attribute(at, "class") == Some("class") {
            self.line.push(' ');
        }
    }

    fn begin_drawing(&mut self, tree: &MarkupTree, at: NodeIx) {
        let drawing = if is_of_a_strip(tree, at) { Some(Drawing::Strip) } else { Chart::of(tree, at).map(Drawing::Chart) };
        let is_second = drawing == Some(Drawing::Strip) && self.has_strip;
        if is_second || drawing.is_none() || self.drawing.is_some() {
            let what = if is_second { "a second drawing of upright lines" } else { DRAWN_OTHERWISE };
            self.odd.add(tree.line(at), what);
        }
        self.has_strip |= drawing == Some(Drawing::Strip);
        self.drawing = drawing;
        self.marks_before = self.chart_marks.len();
    }

    /// Once a drawing outside a figure is whole.
    fn end_drawing(&mut self, tree: &MarkupTree, at: NodeIx) {
        if let Some(Drawing::Chart(chart)) = self.drawing.take()
            && !chart.is_drawn_by(&self.chart_marks[self.marks_before..])
        {
            self.odd.add(tree.line(at), DRAWN_OTHERWISE);
        }
    }

    /// Since a row of a table began: the number of each dot stands there as text, too. Since a figure began: that of each threshold.
    fn told_since(&mut self, began: Option<(usize, usize)>, told: fn(&DrawnMark) -> Option<&str>, what: &str) {
        let Some((numbers, marks)) = began else { return };
        let shown: HashSet<&str> = self.shown[numbers..].iter().map(|number| &*number.claim).collect();
        let untold = self.chart_marks[marks..].iter().find(|mark| told(mark).is_some_and(|claim| !shown.contains(claim)));
        if let Some(mark) = untold {
            self.odd.add(mark.line, what);
        }
    }

    /// An element of a drawing outside a figure.
    fn drawn(&mut self, tree: &MarkupTree, at: NodeIx) {
        let is_of_it = match self.drawing {
            Some(Drawing::Strip) => is_of_a_strip(tree, at),
            Some(Drawing::Chart(chart)) => {
                let mark = DrawnMark::of(tree, at, chart).filter(|_| self.chart_marks.len() < MOST_MARKS);
                // A dot or a threshold of no row says nothing of what it is.
                let is_placed = mark.as_ref().is_some_and(|mark| {
                    (mark.of_value().is_none() || self.row.is_some()) && (mark.of_threshold().is_none() || self.figure.is_some())
                });
                self.chart_marks.extend(mark);
                is_placed
            }
            None => false,
        };
        if !is_of_it {
            self.odd.add(tree.line(at), DRAWN_OTHERWISE);
        }
    }

    /// A name, if it is one text.
    fn mark(&mut self, tree: &MarkupTree, at: NodeIx) {
        if !is_one_text(tree, at) || tree.attributes(at).next().is_some() {
            return self.odd.add(tree.line(at), "a name that is more than one text");
        }
        if self.line.is_empty() {
            self.line_at = tree.line(at);
        }
        let within = if self.quoted > 0 { MarkedIn::Quoted } else { MarkedIn::Words };
        self.marks.push(Mark { place: self.line.len(), text: tree.text(at).into(), within });
        self.line.push(NAME);
    }

    /// In a page's title nothing can be marked up: it is the study's name and that of this program.
    fn title(&mut self, tree: &MarkupTree, at: NodeIx) {
        let (line, text) = (tree.line(at), tree.text(at));
        let of_line = match text.strip_suffix(TITLE_END) {
            Some(study) => {
                let mark = Mark { place: 0, text: shown_name(study).into(), within: MarkedIn::Words };
                TextLine { at: line, text: format!("{NAME}{TITLE_END}"), marks: vec![mark] }
            }
            None => TextLine { at: line, text, marks: vec![] },
        };
        self.lines.push(of_line);
    }

    fn claim(&mut self, tree: &MarkupTree, at: NodeIx) {
        let line = tree.line(at);
        let Some(claim) = tree.attribute(at, "data-claim") else {
            return self.odd.add(line, "a number's element without a claim");
        };
        if !is_one_text(tree, at) {
            self.odd.add_with(line, || format!("the number of claim {} is not one text", container::start(claim)));
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
            let (text, marks) = (std::mem::take(&mut self.line), std::mem::take(&mut self.marks));
            self.lines.push(TextLine { at: self.line_at, text, marks });
        }
    }
}

/// The lines as they are looked through for numbers: what is marked up as a name and is none stands there as it reads, and is told in `odd`;
/// a number that the page alone calls a name, in `by_its_word`.
pub(super) fn without_names(
    lines: Vec<TextLine>,
    names: &Names,
    odd: &mut BoundedFindings,
    by_its_word: &mut BoundedFindings,
) -> Vec<(u32, String)> {
    let without = |TextLine { at, text, marks }: TextLine| {
        let (mut plain, mut done) = (String::new(), 0);
        for mark in marks {
            if names.hold(&mark.text, mark.within) {
                if names.is_a_number_by_its_word(&mark.text, mark.within) {
                    by_its_word.add_with(at, || container::start(&mark.text));
                }
                continue;
            }
            let why = "it is marked up as a name, and the evidence holds no such name";
            odd.add_with(at, || format!("{why}: {}", container::start(&mark.text)));
            plain += &text[done..mark.place];
            plain += &mark.text;
            done = mark.place + NAME.len_utf8();
        }
        if done == 0 {
            return (at, text);
        }
        plain += &text[done..];
        (at, plain)
    };
    lines.into_iter().map(without).collect()
}

/// How the title of every report ends.
const TITLE_END: &str = " · Visavis";

/// Marks of charts: a report of forty models and thirty comparisons has twenty thousand.
const MOST_MARKS: usize = 200_000;
const DRAWN_OTHERWISE: &str =
    "a drawing outside a figure that is neither upright lines, which stand for no number, nor marks of claims";

fn is_one_text(tree: &MarkupTree, at: NodeIx) -> bool {
    let mut children = tree.children(at);
    children.next().is_some_and(|child| matches!(tree.what(child), NodeKind::Text(_))) && children.next().is_none()
}

/// Where texts stand that people or machines wrote and that are no names: it is set in another letter, or in quotes.
fn is_quoted(tree: &MarkupTree, at: NodeIx) -> bool {
    matches!(tree.name(at), Some((NameSpace::Html, "code" | "q")))
}

/// Elements whose text goes on in the same line as what is around them: a number may be put together of several.
fn is_inline(tree: &MarkupTree, at: NodeIx) -> bool {
    let Some((space, name)) = tree.name(at) else { return true };
    #[rustfmt::skip]
    let inline = [
        "a", "abbr", "b", "bdi", "cite", "code", "data", "em", "i", "kbd", "link", "mark", "meta", "q", "s", "script", "small", "span",
        "strong", "style", "sub", "sup", "u", "var", "wbr",
    ];
    space == NameSpace::Html && inline.contains(&name)
}

/// A strip of upright lines, each as high as those of a report, is all that a report draws outside its figures: lower ones could stand
/// beside and above each other, and draw digits.
fn is_of_a_strip(tree: &MarkupTree, at: NodeIx) -> bool {
    let is = |name: &str, values: &[&str]| tree.attribute(at, name).is_some_and(|value| values.contains(&value));
    let has_only = |names: &[&str]| tree.attributes(at).all(|(name, _)| names.contains(&&*name));
    match tree.name(at) {
        Some((_, "svg")) => {
            is("class", &["strip"]) && is("viewBox", &["0 0 1000 46"]) && has_only(&["class", "viewBox", "role", "aria-label"])
        }
        Some((_, "line")) => {
            let place = tree.attribute(at, "x1").and_then(|x| x.parse::<u16>().ok());
            let is_whole = place.is_some_and(|x| x <= 1000) && tree.attribute(at, "x1") == tree.attribute(at, "x2");
            let is_of_class = tree.attribute(at, "class").is_none_or(|class| matches!(class, "mark" | "picked"));
            let is_high = is("y1", &["0", "2", "20"]) && is("y2", &["44", "46"]);
            is_whole && is_of_class && is_high && has_only(&["class", "x1", "x2", "y1", "y2"])
        }
        _ => false,
    }
}

/// Is the element read as a whole, and its text no text of the page's?
fn is_whole(tree: &MarkupTree, at: NodeIx) -> bool {
    match tree.name(at) {
        Some((NameSpace::Html, "data" | "script" | "style")) => true,
        Some((NameSpace::Html, "title")) => true,
        Some((NameSpace::Html, "bdi")) => is_one_text(tree, at),
        Some((NameSpace::Html, "div")) => tree.attribute(at, "data-result").is_some(),
        _ => false,
    }
}
