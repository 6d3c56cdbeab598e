//! The seal of a report: a digest of all that the page says outside the numbers of its claims.

use visavis_core::domain::Digest;

const CLAIM: &str = "<data data-claim=\"";
const CLAIM_END: &str = "</data>";
const SEAL: &str = "<meta name=\"visavis-seal\" content=\"";

/// The digest of a page's text outside the claims' numbers and the seal itself: a page whose words or pictures were
/// changed no longer matches. It proves consistency, not honesty: whoever changes words can seal them again, but not make
/// other numbers follow from the evidence.
pub fn seal(page: &str) -> String {
    let mut kept = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find(CLAIM) {
        let Some(open) = rest[start..].find('>').map(|at| start + at + 1) else { break };
        let Some(end) = rest[open..].find(CLAIM_END).map(|at| open + at) else { break };
        kept.push(&rest[..open]);
        rest = &rest[end..];
    }
    kept.push(rest);
    let borne = kept.iter().enumerate().find_map(|(place, part)| Some((place, part.find(SEAL)? + SEAL.len())));
    if let Some((place, start)) = borne
        && let Some(end) = kept[place][start..].find('"').map(|at| start + at)
    {
        let part = kept[place];
        kept.splice(place..=place, [&part[..start], &part[end..]]);
    }
    Digest::of_parts(kept.iter().map(|part| part.as_bytes())).to_string()
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
