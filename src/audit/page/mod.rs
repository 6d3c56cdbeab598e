//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; and what has no
//! place in a report.
//!
//! Read by a parser that builds what a browser would show. Only the seal and the figures' bytes are taken from the text.

mod reading;

#[cfg(test)]
mod tests;

use super::{
    container,
    evidence::{Evidence, MARK},
    findings::BoundedFindings,
    markup::{parse, parse_inside},
    names::Names,
    seal::seal,
    stray::search,
};
use rayon::prelude::*;
use reading::PageReading;
pub(crate) use reading::ShownNumber;
use std::{collections::HashMap, path::Path, sync::Arc};
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
/// What a page shows, without its evidence: of this a tree is built, and it is read letter by letter.
const LARGEST_SHOWN: u64 = 64 << 20;
/// Pictures of figures: a report shows some tens.
const MOST_FIGURES: usize = 10_000;

pub(crate) struct AuditedPage {
    pub shown: Vec<ShownNumber>,
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
    /// The seal it bears, and the one it should.
    pub seal: (String, String),
}

impl AuditedPage {
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
    let parts = PageParts::of(page).ok_or_else(no_report)?;
    let shown = (parts.before.len() + parts.after.len()) as u64;
    if shown > LARGEST_SHOWN {
        let what = format!("beside its evidence it has {}, more than the {} that are read", size(shown), size(LARGEST_SHOWN));
        return Err(refused(what));
    }
    let tree = parse(&[parts.before, SIGN, parts.after], enough).map_err(refused)?;
    let mut reading = PageReading::default();
    reading.look_at(&tree);
    let PageReading { shown, mut odd, lines, drawings, scripts, styles, policies, seals, .. } = reading;
    for (line, why) in &tree.errors {
        odd.add(*line, format!("a browser has to mend the page here: {why}"));
    }
    let mut evidence_at = scripts.into_iter().filter(|place| tree.attribute(*place, "id") == Some(EVIDENCE_ID));
    let first = evidence_at.next().ok_or_else(no_report)?;
    if let Some(second) = evidence_at.next() {
        let what = format!("the page holds a second element of evidence, in line {}", tree.line(second));
        return Err(Fault::differs(what).in_file(path).next("ask for the report again"));
    }
    if tree.text(first) != SIGN || [parts.before, parts.after].iter().any(|part| part.contains(SIGN)) {
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
    match style {
        Some((text, line)) => {
            let faults = [container::style_fault(&text, policy), container::other_style(&text, &evidence.program)];
            faults.into_iter().flatten().for_each(|why| odd.add(line, why));
        }
        None => odd.add(1, "it has not one style, as a report has"),
    }
    let seals = if let [seal] = &seals[..] { seal.clone() } else { String::new() };
    let figures = figures(page, &drawings, &mut odd, enough);
    let (mut stray, mut disguised) = (BoundedFindings::default(), BoundedFindings::default());
    let mut by_its_word = BoundedFindings::default();
    let texts = reading::without_names(lines, &Names::of(&evidence, enough), &mut disguised, &mut by_its_word);
    search(&texts, enough, &mut stray, &mut disguised);
    Ok(AuditedPage {
        shown,
        figures,
        odd: odd.told(),
        stray: stray.told(),
        disguised: disguised.told(),
        by_its_word: by_its_word.told(),
        seal: (seals, seal(page)),
        evidence: Arc::new(evidence),
    })
}

/// A page as its text has it: what stands before the evidence, the evidence, and what stands behind it.
struct PageParts<'a> {
    before: &'a str,
    evidence: &'a str,
    after: &'a str,
}

/// Stands in the evidence's place while a page is parsed. No `<` is in evidence, so a parser would take all of it for the text of its
/// element, if it takes this for that. No report holds it elsewhere.
const SIGN: &str = "\u{10fffd}evidence\u{10fffd}";

impl<'a> PageParts<'a> {
    fn of(page: &'a str) -> Option<Self> {
        let start = page.find(MARK)? + MARK.len();
        let end = page[start..].find('<').map_or(page.len(), |length| start + length);
        Some(PageParts { before: &page[..start], evidence: &page[start..end], after: &page[end..] })
    }
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
