//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; and what has no
//! place in a report.
//!
//! Read by a parser that builds what a browser would show. Only the seal and the figures' bytes are taken from the text.

mod marks;
mod reading;

#[cfg(test)]
mod tests;

use super::{
    container,
    evidence::{Evidence, MARK},
    findings::BoundedFindings,
    markup::{parse, parse_inside, tag_fault},
    names::Names,
    seal::seal,
    stray::search,
};
pub(crate) use marks::DrawnMark;
use rayon::prelude::*;
use reading::PageReading;
pub(crate) use reading::ShownNumber;
use std::{borrow::Cow, collections::HashMap, path::Path, sync::Arc};
use visavis_core::domain::{
    Digest, Fault, Result,
    text::{size, thousands},
};

/// Whatever else its element has: that of a training's curves is of another class.
const FIGURE: &str = " data-result=\"";
const FIGURE_END: &str = "</svg>\n";
const EVIDENCE_ID: &str = "visavis-evidence";

/// A page: the demo's has 15 MB.
pub const LARGEST_PAGE: u64 = 128 << 20;
/// What a page shows, without its evidence and its tables to download: of this a tree is built, and it is read letter by letter.
const LARGEST_SHOWN: u64 = 64 << 20;
/// Pictures of figures: a report shows some tens.
const MOST_FIGURES: usize = 10_000;

pub(crate) struct AuditedPage {
    pub shown: Vec<ShownNumber>,
    /// Marks of charts.
    pub marks: Vec<DrawnMark>,
    /// Result key, and the digest of the picture shown for it.
    pub figures: Vec<(String, Digest)>,
    pub evidence: Arc<Evidence>,
    /// What has no place in a report, each with its line.
    pub odd: Vec<(u32, String)>,
    /// Scores and percentages in the text that no claim stands behind, and that are not the study's own words.
    pub stray: Vec<(u32, String)>,
    /// Digits that are not what they look like, and what makes a number look like another.
    pub disguised: Vec<(u32, String)>,
    /// Numbers in names that the page alone calls names.
    pub by_its_word: Vec<(u32, String)>,
    /// Its style is none that this program knows.
    pub has_other_style: bool,
    /// The seal it bears, and the one it should.
    pub seal: (String, String),
}

impl AuditedPage {
    /// A page that shows nothing.
    #[cfg(test)]
    pub(crate) fn of_evidence(evidence: Arc<Evidence>) -> Self {
        AuditedPage {
            shown: vec![],
            marks: vec![],
            figures: vec![],
            evidence,
            odd: vec![],
            stray: vec![],
            disguised: vec![],
            by_its_word: vec![],
            has_other_style: false,
            seal: Default::default(),
        }
    }

    /// The evidence, and nothing else any more: what is shown takes as much.
    pub(crate) fn into_evidence(self) -> Arc<Evidence> {
        self.evidence
    }
}

/// Reads a page; `enough` says when that has taken too long.
///
/// # Errors
/// A page that is no report, or that no report could be.
pub(crate) fn read(page: &str, path: &Path, enough: &(dyn Fn() -> bool + Sync)) -> Result<AuditedPage> {
    let no_report = || {
        Fault::asked("this is no report of Visavis: it carries no evidence")
            .in_file(path)
            .next("give a report that `visavis report` wrote, or a study file")
    };
    let refused = |why: String| {
        Fault::asked(format!("the page is refused: {why}"))
            .in_file(path)
            .next("no report of Visavis is like that; ask for it again")
    };
    // Whoever stops it, or its time, is no fault of the page's: nothing that was not looked at is a difference.
    let in_time = || if enough() { Err(refused("it takes too long to read".to_owned())) } else { Ok(()) };
    let parts = PageParts::of(page).ok_or_else(no_report)?;
    if let Some(why) = parts.too_large() {
        return Err(Fault::asked(format!("the page is not read: {why}")).in_file(path).next(OF_LARGE));
    }
    let tree = parse(&[&parts.before, SIGN, &parts.after], enough).map_err(refused)?;
    let mut reading = PageReading::default();
    reading.look_at(&tree);
    let PageReading { shown, chart_marks: marks, mut odd, lines, drawings, scripts, styles, policies, seals, tables, .. } =
        reading;
    if tables != parts.tables {
        odd.add(1, "a table to download that is not written as a report writes it");
    }
    for (line, why) in &tree.errors {
        odd.add(*line, format!("a browser has to mend the page here: {why}"));
    }
    let mut evidence_at = scripts.into_iter().filter(|place| tree.attribute(*place, "id") == Some(EVIDENCE_ID));
    let first = evidence_at.next().ok_or_else(no_report)?;
    if let Some(second) = evidence_at.next() {
        let what = format!("the page holds a second element of evidence, in line {}", tree.line(second));
        return Err(Fault::differs(what).in_file(path).next("ask for the report again"));
    }
    if tree.text(first) != SIGN || [&parts.before, &parts.after].iter().any(|part| part.contains(SIGN)) {
        return Err(no_report());
    }
    if !tree.is_standard {
        odd.add(1, "it does not begin as a report does");
    }
    let style = if let [style] = &styles[..] { Some((tree.text(*style), tree.line(*style))) } else { None };
    // A page of many numbers and its evidence are large: not both at once.
    drop(tree);
    let evidence = Evidence::of_text(parts.evidence, path)?;
    let policy = if let [policy] = &policies[..] { Some(policy.as_str()) } else { None };
    let mut has_other_style = false;
    match style {
        Some((text, line)) => {
            has_other_style = !container::is_own_style(&text);
            let faults = [container::style_fault(&text, policy), container::other_style(&text, &evidence.program)];
            faults.into_iter().flatten().for_each(|why| odd.add(line, why));
        }
        None => odd.add(1, "it has not one style, as a report has"),
    }
    let seals = if let [seal] = &seals[..] { seal.clone() } else { String::new() };
    let figures = figures(page, &drawings, &mut odd, enough);
    in_time()?;
    let (mut stray, mut disguised) = (BoundedFindings::default(), BoundedFindings::default());
    let mut by_its_word = BoundedFindings::default();
    let names = Names::of(&evidence, enough);
    in_time()?;
    let texts = reading::without_names(lines, &names, &mut disguised, &mut by_its_word);
    search(&texts, enough, &mut stray, &mut disguised);
    in_time()?;
    Ok(AuditedPage {
        shown,
        marks,
        figures,
        odd: odd.told(),
        stray: stray.told(),
        disguised: disguised.told(),
        by_its_word: by_its_word.told(),
        has_other_style,
        seal: (seals, seal(page)),
        evidence: Arc::new(evidence),
    })
}

/// A page as its text has it: what stands before the evidence, the evidence, and what stands behind it.
struct PageParts<'a> {
    before: Cow<'a, str>,
    evidence: &'a str,
    after: Cow<'a, str>,
    /// How many tables to download were taken out of it.
    tables: usize,
}

/// Stands in the evidence's place while a page is parsed. No `<` is in evidence, so a parser would take all of it for the text of its
/// element, if it takes this for that. No report holds it elsewhere.
const SIGN: &str = "\u{10fffd}evidence\u{10fffd}";

/// How a table to download begins, which is base64 up to the next quote: as it is, or compressed.
const TABLES: [&str; 2] = ["href=\"data:text/csv;base64,", "href=\"data:application/gzip;base64,"];
/// How both begin.
const ADDRESS: &str = "href=\"data:";
/// Stands in a table's place while a page is parsed: an address of which the page shows nothing. No report holds it either.
const TABLE_SIGN: &str = "\u{10fffd}table\u{10fffd}";

/// What can be done with the page of a study that is too large for one.
const OF_LARGE: &str =
    "a study may be larger than a page that is read: audit its results, `visavis audit STUDY.yaml` in the workspace";

impl<'a> PageParts<'a> {
    fn of(page: &'a str) -> Option<Self> {
        let start = page.find(MARK)? + MARK.len();
        let end = page[start..].find('<').map_or(page.len(), |length| start + length);
        if [&page[..start], &page[end..]].iter().any(|part| part.contains(TABLE_SIGN)) {
            return None;
        }
        let ((before, of_before), (after, of_after)) = (without_tables(&page[..start]), without_tables(&page[end..]));
        Some(PageParts { before, evidence: &page[start..end], after, tables: of_before + of_after })
    }

    /// Why more is shown than is read.
    fn too_large(&self) -> Option<String> {
        let shown = (self.before.len() + self.after.len()) as u64;
        let most = LARGEST_SHOWN;
        let what = "beside its evidence and its tables to download";
        (shown > most).then(|| format!("{what} it has {}, more than the {} that are read", size(shown), size(most)))
    }
}

/// A page's text with [`TABLE_SIGN`] in the place of its tables, and how many there are. Whether each is the whole address of a link is seen
/// where the page is parsed.
fn without_tables(text: &str) -> (Cow<'_, str>, usize) {
    let next = |text: &str| {
        let mut from = 0;
        loop {
            let at = from + text[from..].find(ADDRESS)?;
            match TABLES.iter().find(|start| text[at..].starts_with(**start)) {
                Some(start) => return Some((at, start.len())),
                None => from = at + ADDRESS.len(),
            }
        }
    };
    if next(text).is_none() {
        return (Cow::Borrowed(text), 0);
    }
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let (mut shown, mut rest, mut tables) = (String::new(), text, 0);
    while let Some((at, length)) = next(rest) {
        let start = at + length;
        let end = start + rest.as_bytes()[start..].iter().take_while(|byte| is_base64(byte)).count();
        shown += &rest[..start];
        if rest[end..].starts_with('"') {
            shown += TABLE_SIGN;
            tables += 1;
            rest = &rest[end..];
        } else {
            rest = &rest[start..];
        }
    }
    shown += rest;
    (Cow::Owned(shown), tables)
}

/// Why an audit would not read all of a page that was just written, if it would not: the study is larger than that.
pub fn too_large(page: &str) -> Option<String> {
    let bytes = page.len() as u64;
    if bytes > LARGEST_PAGE {
        return Some(format!("it has {}, more than the {} that are read", size(bytes), size(LARGEST_PAGE)));
    }
    let parts = PageParts::of(page)?;
    let of_shown = || parts.too_large().or_else(|| tag_fault(&[&parts.before, &parts.after]).map(str::to_owned));
    let of_evidence = || match Evidence::of_text(parts.evidence, Path::new("")) {
        Ok(evidence) => evidence.too_large(),
        Err(fault) => Some(fault.what),
    };
    of_shown().or_else(of_evidence)
}

/// Result key and digest of every picture, of the bytes as they were drawn: those in the text, where a browser shows just these.
fn figures(
    page: &str,
    drawings: &[(String, u32, Digest)],
    odd: &mut BoundedFindings,
    enough: &(dyn Fn() -> bool + Sync),
) -> Vec<(String, Digest)> {
    if drawings.len() > MOST_FIGURES {
        odd.add(drawings[MOST_FIGURES].1, format!("more pictures than the {} that are read", thousands(MOST_FIGURES)));
        return vec![];
    }
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
    for picture in read {
        match picture {
            Ok(figure) => figures.push(figure),
            Err((line, why)) => odd.add(line, why),
        }
    }
    figures
}

/// The pictures of a page's figures, by the digest of their bytes.
pub fn pictures(page: &str) -> HashMap<Digest, Vec<u8>> {
    let body = page.split(MARK).next().unwrap_or(page);
    let picture = |text: &str| {
        let bytes = format!("{}{FIGURE_END}", text.split_once('"')?.1.strip_prefix('>')?).into_bytes();
        Some((Digest::of(&bytes), bytes))
    };
    between(body, FIGURE, FIGURE_END).filter_map(picture).collect()
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.find(end).map(|at| &rest[..at]))
}
