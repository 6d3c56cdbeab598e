//! A report's page as an auditor reads it: the numbers it shows, each with its claim's id; the figures; the evidence; and
//! everything else, which the seal covers.

use super::evidence::{Evidence, MARK};
use crate::domain::{Digest, Result};
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
    /// Scores and percentages in the text that no claim stands behind, and that are not the study's own words.
    pub stray: Vec<String>,
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
    let evidence = Evidence::of_page(page, path)?;
    // Claims and figures stand before the evidence; text inside it is data.
    let body = page.split(MARK).next().unwrap_or(page);
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
        stray: stray(body, &evidence.own_words()),
        evidence,
    })
}

/// What looks like a score (`.871`) or a percentage (`12.3 %`) in the text a reader sees, outside claims, code, pictures
/// and the study's own words. A comment is not a reader's text, but numbers hidden in one are not shown either.
fn stray(body: &str, study: &str) -> Vec<String> {
    let mut found: Vec<String> = body.contains("<!--").then(|| "a comment".to_owned()).into_iter().collect();
    let mut rest = body.find("<body").map_or(body, |start| &body[start..]);
    while let Some(open) = rest.find('<') {
        found.extend(scores(&rest[..open]).filter(|number| !study.contains(number.trim_end_matches(" %"))));
        let tag = &rest[open..];
        let name: String = tag[1..].chars().take_while(char::is_ascii_alphanumeric).collect();
        let end = match name.as_str() {
            "data" | "code" | "svg" | "style" | "script" => tag.find(&format!("</{name}>")),
            _ => None,
        };
        let Some(close) = tag[end.unwrap_or(0)..].find('>').map(|at| at + end.unwrap_or(0)) else { break };
        rest = &tag[close + 1..];
    }
    found
}

/// `.ddd`, `d.ddd` and `d.d %` in a text.
fn scores(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).collect();
    let score = |word: &str| {
        let decimals = word.trim_end_matches('.').rsplit('.').next().unwrap_or("");
        word.contains('.') && decimals.len() >= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit())
    };
    let percent = |word: &str| word.contains('.') && word.len() >= 3 && text.contains(&format!("{word} %"));
    words.into_iter().filter(move |word| score(word) || percent(word)).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).filter_map(move |rest| rest.find(end).map(|at| &rest[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_claim_are_seen() {
        let body = format!(
            "<body><p>AUC .999 of axis 1, 95 % and 12.3 % {CLAIM}c1\">.871{CLAIM_END} <code>.123</code> named .555 Figure 1.</p>"
        );
        assert_eq!(stray(&body, "comparisons: named .555"), [".999", "12.3"]);
        assert_eq!(stray("<body><!-- .1 -->", ""), ["a comment"]);
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
