//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; and
//! everything else, which the seal covers.

use super::evidence::{Evidence, MARK};
use crate::domain::{Digest, Fault, Result};
use std::path::Path;

const CLAIM: &str = "<data data-claim=\"";
const CLAIM_END: &str = "</data>";
const FIGURE: &str = "<div class=\"drawing\" data-result=\"";
const FIGURE_END: &str = "</svg>\n";
const SEAL: &str = "<meta name=\"visavis-seal\" content=\"";

pub struct Page {
    /// Claim id, and the text shown for it.
    pub shown: Vec<(String, String)>,
    /// Result key, and the digest of the picture shown for it.
    pub figures: Vec<(String, Digest)>,
    pub evidence: Evidence,
    /// The seal it bears, and the one it should.
    pub seal: (String, String),
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

pub fn read(page: &str, path: &Path) -> Result<Page> {
    let not_one = || {
        Fault::asked("this is no report of Visavis: it carries no evidence")
            .in_file(path)
            .next("give a report that `visavis report` wrote, or a study file")
    };
    let start = page.find(MARK).map(|at| at + MARK.len()).ok_or_else(not_one)?;
    let end = page[start..].find("</script>").map(|at| start + at).ok_or_else(not_one)?;
    let evidence: Evidence = serde_json::from_str(&page[start..end]).map_err(|error| {
        Fault::differs(format!("the report's evidence was damaged: {error}")).in_file(path).next("ask for the report again")
    })?;
    if evidence.format != 1 {
        return Err(Fault::asked("the report was written by a later visavis").in_file(path).next("audit it with that visavis"));
    }
    // Claims and figures stand before the evidence; text inside it is data.
    let body = &page[..start];
    let sealed = between(body, SEAL, "\"").next().unwrap_or("").to_owned();
    let claim = |text: &str| {
        let (id, rest) = text.split_once('"')?;
        let (_, shown) = rest.split_once('>')?;
        Some((id.to_owned(), shown.to_owned()))
    };
    let figure = |text: &str| {
        let (key, rest) = text.split_once('"')?;
        let svg = &rest[rest.find("<svg")?..];
        Some((key.to_owned(), Digest::of(format!("{svg}{FIGURE_END}").as_bytes())))
    };
    Ok(Page {
        shown: between(body, CLAIM, CLAIM_END).filter_map(claim).collect(),
        figures: between(body, FIGURE, FIGURE_END).filter_map(figure).collect(),
        seal: (sealed, seal(page)),
        evidence,
    })
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.find(end).map(|at| &rest[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

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
