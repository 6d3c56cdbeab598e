//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; and what has no
//! place in a report.
//!
//! Read by a parser that builds what a browser would show. Only the seal and the figures' bytes are taken from the text.

use super::{
    container,
    evidence::{Evidence, MARK},
    findings::Findings,
    markup::{DOCUMENT, MarkupTree, NameSpace, NodeIx, NodeKind, parse, parse_inside},
    plain,
    seal::seal,
    stray::{NAME, NUMBER, Names, search},
};
use rayon::prelude::*;
use std::{path::Path, sync::Arc};
use visavis_core::domain::{Digest, Fault, Result};

/// Whatever else its element has: that of a training's curves is of another class.
const FIGURE: &str = " data-result=\"";
const FIGURE_END: &str = "</svg>\n";
const EVIDENCE_ID: &str = "visavis-evidence";

/// The demo's has 15 MB.
pub const LARGEST_PAGE: u64 = 256 << 20;

pub struct AuditedPage {
    pub shown: Vec<ShownNumber>,
    /// Result key, and the digest of the picture shown for it.
    pub figures: Vec<(String, Digest)>,
    pub evidence: Arc<Evidence>,
    /// What has no place in a report, each with its line.
    pub odd: Vec<(u32, String)>,
    /// Scores and percentages in the text that no claim stands behind, and that are not the study's own words.
    pub stray: Vec<(u32, String)>,
    /// The seal it bears, and the one it should.
    pub seal: (String, String),
}

impl AuditedPage {
    /// The evidence, and nothing else any more: what is shown takes as much.
    pub fn into_evidence(self) -> Arc<Evidence> {
        self.evidence
    }
}

/// A number that the page shows for a claim.
pub struct ShownNumber {
    pub claim: Box<str>,
    pub text: Box<str>,
    pub line: u32,
}

/// Reads a page; `enough` says when that has taken too long.
///
/// # Errors
/// A page that is no report, or that no report could be.
pub fn read(page: &str, path: &Path, enough: &(dyn Fn() -> bool + Sync)) -> Result<AuditedPage> {
    let tree = parse(page, enough).map_err(|why| {
        Fault::asked(format!("the page is refused: {why}"))
            .in_file(path)
            .next("no report of Visavis is like that; ask for it again")
    })?;
    let mut reading = PageReading::default();
    reading.look_at(&tree);
    let PageReading { shown, mut odd, texts, drawings, scripts, styles, policies, seals, .. } = reading;
    for (line, why) in &tree.errors {
        odd.add(*line, format!("a browser has to mend the page here: {why}"));
    }
    let no_report = || {
        Fault::asked("this is no report of Visavis: it carries no evidence")
            .in_file(path)
            .next("give a report that `visavis report` wrote, or a study file")
    };
    let mut evidence_at = scripts.into_iter().filter(|place| tree.attribute(*place, "id") == Some(EVIDENCE_ID));
    let first = evidence_at.next().ok_or_else(no_report)?;
    if let Some(second) = evidence_at.next() {
        let what = format!("the page holds a second element of evidence, in line {}", tree.line(second));
        return Err(Fault::differs(what).in_file(path).next("ask for the report again"));
    }
    if !tree.is_standard {
        odd.add(1, "it does not begin as a report does");
    }
    let style = if let [style] = &styles[..] { Some((tree.text(*style), tree.line(*style))) } else { None };
    let evidence = tree.text(first);
    // A page of many numbers and its evidence are large: not both at once.
    drop(tree);
    let evidence = Evidence::of_text(&evidence, path)?;
    let policy = if let [policy] = &policies[..] { Some(policy.as_str()) } else { None };
    match style {
        Some((text, line)) => {
            let faults = [container::style_fault(&text, policy), container::other_style(&text, &evidence.program)];
            faults.into_iter().flatten().for_each(|why| odd.add(line, why));
        }
        None => odd.add(1, "it has not one style, as a report has"),
    }
    let seals = if let [seal] = &seals[..] { seal.clone() } else { String::new() };
    let figures = figures(page, &drawings, &mut odd, enough);
    let mut stray = Findings::default();
    search(&texts, &Names::of(&evidence, enough), enough, &mut stray, &mut odd);
    Ok(AuditedPage {
        shown,
        figures,
        odd: odd.told(),
        stray: stray.told(),
        seal: (seals, seal(page)),
        evidence: Arc::new(evidence),
    })
}

/// What is met on a walk through the page.
#[derive(Default)]
struct PageReading {
    shown: Vec<ShownNumber>,
    odd: Findings,
    /// Lines of text as a reader sees them; where a claim's number stands there is [`NUMBER`], where code does [`NAME`].
    texts: Vec<(u32, String)>,
    line: String,
    line_at: u32,
    /// Result key, line, and the digest of what is drawn there.
    drawings: Vec<(String, u32, Digest)>,
    scripts: Vec<NodeIx>,
    styles: Vec<NodeIx>,
    policies: Vec<String>,
    seals: Vec<String>,
    /// Above zero inside what is read as a whole: claims, figures, script and style.
    within: usize,
    /// Past the head, where nothing may stand that a reader does not see.
    is_in_body: bool,
}

impl PageReading {
    fn look_at(&mut self, tree: &MarkupTree) {
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

/// Result key and digest of every picture, of the bytes as they were drawn: those in the text, where a browser shows just these.
fn figures(
    page: &str,
    drawings: &[(String, u32, Digest)],
    odd: &mut Findings,
    enough: &(dyn Fn() -> bool + Sync),
) -> Vec<(String, Digest)> {
    let body = page.split(MARK).next().unwrap_or(page);
    let figure = |text| {
        let (key, rest) = str::split_once(text, '"')?;
        Some((key, rest.strip_prefix('>')?))
    };
    let written: Vec<(&str, &str)> = between(body, FIGURE, FIGURE_END).filter_map(figure).collect();
    if written.len() != drawings.len() {
        let line = drawings.first().map_or(1, |drawing| drawing.1);
        odd.add(line, "pictures that are not written as a report writes them");
        return vec![];
    }
    let pairs: Vec<_> = written.into_iter().zip(drawings).collect();
    let read = |((key, svg), (own, line, seen)): ((&str, &str), &(String, u32, Digest))| {
        let bytes = format!("{svg}{FIGURE_END}");
        let same = key == own && parse_inside(&bytes, enough).is_ok_and(|tree| tree.digest_inside() == *seen);
        if same {
            Ok((key.to_owned(), Digest::of(bytes.as_bytes())))
        } else {
            Err((*line, "a browser shows another picture here than the page's text holds".to_owned()))
        }
    };
    let read: Vec<std::result::Result<_, _>> = pairs.into_par_iter().map(read).collect();
    let mut figures = Vec::new();
    for of in read {
        match of {
            Ok(figure) => figures.push(figure),
            Err((line, why)) => odd.add(line, why),
        }
    }
    figures
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.find(end).map(|at| &rest[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(body: &str) -> PageReading {
        let tree = parse(&format!("<!DOCTYPE html><body>{body}"), &|| false).unwrap();
        let mut reading = PageReading::default();
        reading.look_at(&tree);
        reading
    }

    fn odd(body: &str) -> String {
        reading(body).odd.told().into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ")
    }

    fn strays(body: &str) -> Vec<String> {
        let (mut stray, mut odd) = (Findings::default(), Findings::default());
        search(&reading(body).texts, &Names::default(), &|| false, &mut stray, &mut odd);
        stray.told().into_iter().chain(odd.told()).map(|(_, what)| what).collect()
    }

    #[test]
    fn numbers_that_are_put_together_are_seen() {
        assert_eq!(
            strays("<p>AUC .999 <data data-claim=c1>.871</data> <code>.123</code> <code>．１２４</code></p>"),
            [".999", ".123", ".124"]
        );
        for body in [
            "<p>.8<b>71</b></p>",
            "<p title='.871'>x</p>",
            "<p>&#46;8&#x37;1</p>",
            "<p>.8&shy;71</p>",
            "<p>.8&#x200b;<i>71</i></p>",
            "<p>.8<span class=class>71</span></p>",
            "<p>.8<meta name=generator content=x>71</p>",
            "<p>.8<wbr>71</p>",
            "<svg class=strip><text>.871</text></svg>",
            "<svg class=strip aria-label='.871'></svg>",
        ] {
            assert_eq!(strays(body), [".871"], "{body}");
        }
        assert_eq!(strays("<p>.8</p><p>71</p>"), [""; 0]);
        assert_eq!(strays("<td><span class=class>b <data data-claim=c1>7</data></span><span class=class>1</span></td>"), [""; 0]);
        for joined in [
            "<p>9<data data-claim=c1>.8</data></p>",
            "<p><data data-claim=c1>.8</data><b>9</b></p>",
            "<p><data data-claim=c1>.8</data><span class=class>9</span></p>",
            "<p>−<data data-claim=c1>.8</data></p>",
            "<p>AUC .9<code>87a</code></p>",
        ] {
            assert_eq!(strays(joined).len(), 1, "{joined}");
        }
        assert_eq!(
            strays("<p>to <data data-claim=c1>.8</data>. (<data data-claim=c1>.8</data>–<data data-claim=c1>.8</data>)</p>"),
            [""; 0]
        );
    }

    #[test]
    fn nothing_is_drawn_outside_a_figure_but_a_strip() {
        assert_eq!(odd("<svg class=strip viewBox='0 0 9 9'><line x1=1 x2=1 y1=0 y2=9 /></svg>"), "");
        assert_eq!(odd("<div data-result=k><svg><text>.9</text></svg></div>"), "");
        for body in [
            "<svg><line x1=1 x2=1 /></svg>",
            "<svg class=strip><text>1</text></svg>",
            "<svg class=strip><line x1=1 x2=2 /></svg>",
            "<svg class=strip><path d='M0 0h9'/></svg>",
            "<svg class=strip><image href='data:image/png;base64,AA'/></svg>",
        ] {
            assert!(odd(body).contains("a drawing outside a figure"), "{body}: {}", odd(body));
        }
        assert!(odd("<p>.8<img src='data:image/png;base64,AA'>71</p>").contains("<img>"));
        for hidden in ["<meta name=generator content=x>", "<title>x</title>", "<link rel=icon href='data:,'>"] {
            assert!(odd(&format!("<p>.8{hidden}71</p>")).contains("outside the page's head"), "{hidden}");
        }
    }

    #[test]
    fn a_claim_is_one_text_whatever_surrounds_it() {
        assert_eq!(odd("<p><data data-claim='c1'>.8</data></p>"), "");
        assert!(odd("<data data-claim=c1>.8<b>9</b></data>").contains("not one text"));
        assert!(odd("<data data-claim=c1></data>").contains("not one text"));
        assert!(odd("<data>.8</data>").contains("without a claim"));
        assert!(odd("<!-- <data data-claim=c1>.8</data> -->").contains("comment"));
        assert!(odd("<template><data data-claim=c1>.8</data></template>").contains("template"));
        assert!(odd("<script>1</script>").contains("script"));
        assert!(odd("<code>AUC <data data-claim=c1>.8</data></code>").contains("within <code>"));
        // A number in a comment or a template is not shown.
        assert!(
            reading("<!-- <data data-claim=c1>.8</data> --><template><data data-claim=c1>.8</data></template>").shown.is_empty()
        );
        let both = reading("<data class=x data-claim=c1>.8</data><DATA data-claim='c1'>.9</DATA>").shown;
        assert_eq!(both.iter().map(|shown| (&*shown.claim, &*shown.text)).collect::<Vec<_>>(), [("c1", ".8"), ("c1", ".9")]);
    }
}
