//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; what has no
//! place in a report; and the seal over everything else.
//!
//! Read by a parser that builds what a browser would show. Only the seal and the figures' bytes are taken from the text.

use super::{
    container,
    evidence::{Evidence, MARK},
    markup::{DOCUMENT, Place, Space, Tree, What, parse, parse_inside},
};
use rayon::prelude::*;
use std::{collections::HashSet, path::Path, sync::Arc};
use visavis_core::domain::{Digest, Fault, Result};

const CLAIM: &str = "<data data-claim=\"";
const CLAIM_END: &str = "</data>";
/// Whatever else its element has: that of a training's curves is of another class.
const FIGURE: &str = " data-result=\"";
const FIGURE_END: &str = "</svg>\n";
const SEAL: &str = "<meta name=\"visavis-seal\" content=\"";
const EVIDENCE_ID: &str = "visavis-evidence";

/// The demo's has 15 MB.
pub const LARGEST_PAGE: u64 = 256 << 20;
/// Findings of one kind that are told one by one.
const MOST_TOLD: usize = 100;

pub struct Page {
    pub shown: Vec<Shown>,
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

/// A number that the page shows for a claim.
pub struct Shown {
    pub claim: String,
    pub text: String,
    pub line: u32,
}

/// The digest of a page's text outside the claims' numbers and the seal itself: a page whose words or pictures were
/// changed no longer matches. It proves consistency, not honesty: whoever changes words can seal them again, but not make
/// other numbers follow from the evidence.
pub fn seal(page: &str) -> String {
    let mut skeleton = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find(CLAIM) {
        let Some(open) = rest[start..].find('>').map(|at| start + at + 1) else { break };
        let Some(end) = rest[open..].find(CLAIM_END).map(|at| open + at) else { break };
        skeleton.push_str(&rest[..open]);
        rest = &rest[end..];
    }
    skeleton.push_str(rest);
    if let Some(start) = skeleton.find(SEAL).map(|at| at + SEAL.len())
        && let Some(end) = skeleton[start..].find('"')
    {
        skeleton.replace_range(start..start + end, "");
    }
    Digest::of(skeleton.as_bytes()).to_string()
}

/// Reads a page; `enough` says when that has taken too long.
///
/// # Errors
/// A page that is no report, or that no report could be.
pub fn read(page: &str, path: &Path, enough: &(dyn Fn() -> bool + Sync)) -> Result<Page> {
    let tree = parse(page, enough).map_err(|why| {
        Fault::asked(format!("the page is refused: {why}"))
            .in_file(path)
            .next("no report of Visavis is like that; ask for it again")
    })?;
    let mut reading = Reading::default();
    reading.look_at(&tree);
    let Reading { shown, mut odd, texts, drawings, scripts, styles, policies, seals, .. } = reading;
    odd.extend(tree.errors.iter().map(|(line, why)| (*line, format!("a browser has to mend the page here: {why}"))));
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
    let evidence = Evidence::of_text(&tree.text(first), path)?;
    let policy = if let [policy] = &policies[..] { Some(policy.as_str()) } else { None };
    match &styles[..] {
        [style] => {
            let (text, line) = (tree.text(*style), tree.line(*style));
            let faults = [container::style_fault(&text, policy), container::other_style(&text, &evidence.program)];
            odd.extend(faults.into_iter().flatten().map(|why| (line, why)));
        }
        _ => odd.push((1, "it has not one style, as a report has".to_owned())),
    }
    if !tree.is_standard {
        odd.push((1, "it does not begin as a report does".to_owned()));
    }
    let seals = if let [seal] = &seals[..] { seal.clone() } else { String::new() };
    let figures = figures(page, &drawings, &mut odd, enough);
    let stray = stray(&texts, &own_words(&evidence, enough));
    odd.extend(misleading(&texts));
    Ok(Page { shown, figures, odd: told(odd), stray: told(stray), seal: (seals, seal(page)), evidence: Arc::new(evidence) })
}

/// As many as anybody reads, and how many more there are.
fn told(mut findings: Vec<(u32, String)>) -> Vec<(u32, String)> {
    let more = findings.len().saturating_sub(MOST_TOLD);
    findings.truncate(MOST_TOLD);
    if more > 0 {
        findings.push((findings.last().map_or(1, |last| last.0), format!("and {more} more of this kind")));
    }
    findings
}

/// What is met on a walk through the page.
#[derive(Default)]
struct Reading {
    shown: Vec<Shown>,
    odd: Vec<(u32, String)>,
    /// Lines of text as a reader sees them; where a claim's number stands there is [`NUMBER`].
    texts: Vec<(u32, String)>,
    line: String,
    line_at: u32,
    /// Result key, line, and the digest of what is drawn there.
    drawings: Vec<(String, u32, Digest)>,
    scripts: Vec<Place>,
    styles: Vec<Place>,
    policies: Vec<String>,
    seals: Vec<String>,
    /// Above zero inside what is read as a whole: claims, drawings, script and style.
    within: usize,
}

/// Stands in a line of text where a claim's number does.
const NUMBER: char = '\u{fffc}';

impl Reading {
    fn look_at(&mut self, tree: &Tree) {
        tree.walk(DOCUMENT, |at, entered| {
            if entered {
                self.enter(tree, at);
            } else {
                self.leave(tree, at);
            }
        });
        self.end_line();
    }

    fn enter(&mut self, tree: &Tree, at: Place) {
        match tree.what(at) {
            What::Comment => self.odd.push((tree.line(at), "a comment, which a report has none of".to_owned())),
            What::Text(text) if self.within == 0 => {
                if self.line.is_empty() {
                    self.line_at = tree.line(at);
                }
                self.line.push_str(text);
            }
            What::Element(..) => self.element(tree, at),
            _ => {}
        }
    }

    fn element(&mut self, tree: &Tree, at: Place) {
        let line = tree.line(at);
        if let Some(why) = container::fault(tree, at) {
            self.odd.push((line, why));
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
                (Space::Html, "data") => {
                    self.line.push(NUMBER);
                    self.claim(tree, at);
                }
                (Space::Html, "div") => self.drawing(tree, at),
                (Space::Html, "code") if tree.children(at).any(|child| tree.name(child).is_some()) => {
                    self.odd.push((line, "an element within <code>, which a report has none of".to_owned()));
                }
                (Space::Html, "script") => {
                    self.scripts.push(at);
                    let is_data = tree.attribute(at, "type") == Some("application/json");
                    if !is_data || tree.attribute(at, "id") != Some(EVIDENCE_ID) {
                        self.odd.push((line, "a script; a report has none but its evidence, which is data".to_owned()));
                    }
                }
                (Space::Html, "style") => self.styles.push(at),
                (Space::Html, "meta") => {
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

    fn leave(&mut self, tree: &Tree, at: Place) {
        if is_whole(tree, at) {
            self.within -= 1;
        }
        if tree.name(at).is_some() && !is_inline(tree, at) {
            self.end_line();
        }
    }

    fn claim(&mut self, tree: &Tree, at: Place) {
        let line = tree.line(at);
        let Some(claim) = tree.attribute(at, "data-claim") else {
            return self.odd.push((line, "a number's element without a claim".to_owned()));
        };
        let mut children = tree.children(at);
        let is_one_text =
            children.next().is_some_and(|child| matches!(tree.what(child), What::Text(_))) && children.next().is_none();
        if !is_one_text {
            self.odd.push((line, format!("the number of claim {} is not one text", container::start(claim))));
        }
        self.shown.push(Shown { claim: claim.to_owned(), text: tree.text(at), line });
    }

    fn drawing(&mut self, tree: &Tree, at: Place) {
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
fn is_inline(tree: &Tree, at: Place) -> bool {
    let Some((space, name)) = tree.name(at) else { return true };
    #[rustfmt::skip]
    let inline = [
        "a", "abbr", "b", "cite", "code", "data", "em", "i", "kbd", "mark", "q", "s", "small", "span", "strong", "sub", "sup", "u",
        "var", "wbr",
    ];
    // What a comparison's classes are set in has lines of its own.
    let is_class = || tree.attribute(at, "class") == Some("class");
    space == Space::Html && inline.contains(&name) && !is_class()
}

/// Is the element read as a whole, and its text no text of the page's?
fn is_whole(tree: &Tree, at: Place) -> bool {
    match tree.name(at) {
        Some((Space::Html, "data" | "script" | "style")) => true,
        // Paths, digests, class expressions, notes of the data: names, unless all there is of it is a number.
        Some((Space::Html, "code")) => {
            !tree.text(at).chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '%' | ' ' | '\u{a0}'))
        }
        Some((Space::Html, "div")) => tree.attribute(at, "data-result").is_some(),
        _ => false,
    }
}

/// Result key and digest of every picture, of the bytes as they were drawn: those in the text, where a browser shows just these.
fn figures(
    page: &str,
    drawings: &[(String, u32, Digest)],
    odd: &mut Vec<(u32, String)>,
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
        odd.push((line, "pictures that are not written as a report writes them".to_owned()));
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
            Err(finding) => odd.push(finding),
        }
    }
    figures
}

/// Numbers in the study's text, in the values of its labels and in what is said of programs and machines: these are names.
fn own_words(evidence: &Evidence, enough: &(dyn Fn() -> bool + Sync)) -> HashSet<String> {
    let mut own = HashSet::new();
    let mut take = |text: &str| own.extend(words(text).map(|(_, word)| word.trim_matches('.').to_owned()));
    take(&evidence.study_text);
    evidence.label_values(enough).iter().for_each(|value| take(value));
    for manifest in &evidence.manifests {
        let made = &manifest.provenance;
        [&made.program, &made.cpu, &made.system].into_iter().for_each(|text| take(text));
    }
    own
}

/// What looks like a score (`.871`) or a percentage (`12.3 %`) in the text a reader sees, outside claims and pictures, and is not of
/// the study's own words.
fn stray(texts: &[(u32, String)], own: &HashSet<String>) -> Vec<(u32, String)> {
    let is_own = |word: &str| own.contains(word.trim_matches('.'));
    let of = |(line, text): &'_ (u32, String)| {
        scores(text).filter(|word| !is_own(word)).map(|word| (*line, word.to_owned())).collect::<Vec<_>>()
    };
    texts.iter().flat_map(of).collect()
}

/// What would make a claim's number look like another, or a number look like none.
fn misleading(texts: &[(u32, String)]) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for (line, text) in texts {
        for (at, _) in text.match_indices(NUMBER) {
            let before = text[..at].chars().next_back();
            let after = text[at + NUMBER.len_utf8()..].chars().next();
            let joins = |c: Option<char>| c.is_some_and(char::is_numeric);
            if joins(before) || joins(after) || matches!(before, Some('.' | '-' | '−' | '+')) {
                found.push((*line, "a digit or a sign stands at a claim's number and reads as a part of it".to_owned()));
            }
        }
        if text.contains(['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}']) {
            found.push((*line, "a character that turns the order of text around".to_owned()));
        }
        if let Some(digit) = text.chars().find(|c| is_foreign_digit(*c)) {
            found.push((*line, format!("a digit {digit} that is none of a report's")));
        }
    }
    found
}

/// A digit that reads as one and is not of ASCII: full width, or a mathematical one.
fn is_foreign_digit(c: char) -> bool {
    matches!(c, '\u{ff10}'..='\u{ff19}' | '\u{1d7ce}'..='\u{1d7ff}' | '\u{1fbf0}'..='\u{1fbf9}')
}

/// Runs of digits and points, with their place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, &text[start..end]))
    })
}

/// `.ddd`, `d.ddd` and `d.d %` in a text.
fn scores(text: &str) -> impl Iterator<Item = &str> {
    let score = |word: &str| {
        let word = word.trim_end_matches('.');
        let decimals = word.rsplit('.').next().unwrap_or("");
        word.contains('.') && decimals.len() >= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit())
    };
    let percent = |at: usize, word: &str| {
        word.contains('.')
            && word.len() >= 3
            && text[at + word.len()..].starts_with([' ', '\u{a0}', '%'])
            && text[at + word.len()..].trim_start_matches([' ', '\u{a0}']).starts_with('%')
    };
    words(text).filter(move |(at, word)| score(word) || percent(*at, word)).map(|(_, word)| word)
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.find(end).map(|at| &rest[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(body: &str) -> (Reading, Vec<String>) {
        let tree = parse(&format!("<!DOCTYPE html><body>{body}"), &|| false).unwrap();
        let mut reading = Reading::default();
        reading.look_at(&tree);
        let own = HashSet::from(["555".to_owned()]);
        let found = stray(&reading.texts, &own).into_iter().chain(misleading(&reading.texts));
        let found = found.map(|(_, what)| what).collect();
        (reading, found)
    }

    #[test]
    fn numbers_without_a_claim_are_seen() {
        let (reading, stray) = look(
            "<p>AUC .999 of axis 1, 95 % and 12.3 % <data data-claim=c1>.871</data> <code>.123</code> named .555 Figure 1.</p>",
        );
        assert_eq!(stray, [".999", "12.3", ".123"]);
        assert_eq!(reading.shown.len(), 1);
    }

    #[test]
    fn numbers_that_are_put_together_are_seen() {
        let strays = |body: &str| look(body).1;
        assert_eq!(strays("<p>.8<b>71</b></p>"), [".871"]);
        assert_eq!(strays("<p title='.871'>x</p>"), [".871"]);
        assert_eq!(strays("<p>&#46;8&#x37;1</p>"), [".871"]);
        assert_eq!(strays("<p>.8</p><p>71</p>"), [""; 0]);
        for joined in [
            "<p>9<data data-claim=c1>.8</data></p>",
            "<p><data data-claim=c1>.8</data><b>9</b></p>",
            "<p>−<data data-claim=c1>.8</data></p>",
        ] {
            assert_eq!(strays(joined).len(), 1, "{joined}");
        }
        assert_eq!(
            strays("<p>to <data data-claim=c1>.8</data>. (<data data-claim=c1>.8</data>–<data data-claim=c1>.8</data>)</p>"),
            [""; 0]
        );
        assert_eq!(strays("<p>\u{202e}178.</p>").len(), 1);
        assert_eq!(strays("<p>．９９９</p>").len(), 1);
    }

    #[test]
    fn a_claim_is_one_text_whatever_surrounds_it() {
        let odd = |body: &str| look(body).0.odd.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ");
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
            look("<!-- <data data-claim=c1>.8</data> --><template><data data-claim=c1>.8</data></template>").0.shown.is_empty()
        );
        let both = look("<data class=x data-claim=c1>.8</data><DATA data-claim='c1'>.9</DATA>").0.shown;
        assert_eq!(both.iter().map(|shown| (&*shown.claim, &*shown.text)).collect::<Vec<_>>(), [("c1", ".8"), ("c1", ".9")]);
    }

    #[test]
    fn the_seal_covers_words_and_not_numbers_or_itself() {
        let page =
            |word: &str, number: &str, seal: &str| format!("{SEAL}{seal}\"> <p>{word} {CLAIM}c1\">{number}{CLAIM_END}</p>");
        assert_eq!(seal(&page("good", ".8", "a")), seal(&page("good", ".9", "bb")));
        assert_ne!(seal(&page("good", ".8", "a")), seal(&page("bad", ".8", "a")));
        // A claim's id is a word.
        assert_ne!(seal(&page("good", ".8", "a")), seal(&page("good", ".8", "a").replace("c1", "c2")));
    }
}
