//! Numbers without a claim: what looks like a score (`.871`, `0.871`, `0,871`) or a percentage (`12.3 %`) in the text a reader sees,
//! outside claims, figures and names, however it is put together or disguised; and digits that are disguised, whatever they say.
//!
//! Names may hold such numbers. They are marked up as names, and `names` says which of these are.
//!
//! Not looked for are numbers of fewer decimals than a report writes, and words (`nine tenths`, `O.87l`).

use super::{container::start, findings::BoundedFindings, plain::PlainText};

/// Stands in a line of text where a claim's number does.
pub(crate) const NUMBER: char = '\u{fffc}';
/// Stands in a line of text where a name does.
pub(crate) const NAME: char = '\u{fffd}';

/// Is there nothing to it but what would be looked for as a number?
pub(crate) fn reads_as_number(text: &str) -> bool {
    let plain = PlainText::of(text);
    !plain.text.contains(char::is_alphabetic) && suspects(&plain).next().is_some()
}

/// Is a number in it that would be looked for?
pub(crate) fn holds_number(text: &str) -> bool {
    suspects(&PlainText::of(text)).next().is_some()
}

/// Looks through lines of text for numbers without a claim (`stray`), and for what makes a number look like another (`odd`).
pub(crate) fn search(
    texts: &[(u32, String)],
    enough: &(dyn Fn() -> bool + Sync),
    stray: &mut BoundedFindings,
    odd: &mut BoundedFindings,
) {
    for (line, text) in texts {
        let plain = PlainText::of(text);
        for word in suspects(&plain) {
            if enough() {
                return odd.add(*line, "reading took too long: from here on no number was looked for");
            }
            let shown = &plain.text[word.start..word.end];
            if word.is_score {
                stray.add_with(*line, || start(shown));
            } else {
                let why = "digits that are not what they look like, or with something unseen at them";
                odd.add_with(*line, || format!("{why}: {}", start(shown)));
            }
        }
        if text.is_ascii() {
            continue;
        }
        joined(*line, &plain.text, odd);
        if text.contains(['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}']) {
            odd.add(*line, "a character that turns the order of text around");
        }
    }
}

/// What reads as a part of a claim's number, or of a name.
fn joined(line: u32, text: &str, odd: &mut BoundedFindings) {
    for (at, mark) in text.match_indices([NUMBER, NAME]) {
        let before = text[..at].chars().next_back();
        let after = text[at + mark.len()..].chars().next();
        let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
        let is_number = mark.starts_with(NUMBER);
        let is_sign = matches!(before, Some('.' | ',')) || is_number && matches!(before, Some('-' | '−' | '+'));
        if is_digit(before) || is_digit(after) || is_sign {
            let what = if is_number { "a claim's number" } else { "a name" };
            odd.add_with(line, || format!("a digit or a sign stands at {what} and reads as a part of it"));
        }
    }
}

/// Digits and points that no claim stands behind.
struct NumberSpan {
    start: usize,
    end: usize,
    /// A score or a percentage; else digits in disguise.
    is_score: bool,
}

fn suspects(plain: &PlainText) -> impl Iterator<Item = NumberSpan> {
    let text = plain.text.as_str();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let mut at = 0;
    let words = std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, end))
    });
    words.filter_map(move |(start, end)| {
        let end = start + text[start..end].trim_end_matches(['.', ',']).len();
        let is_score = is_score(&text[start..end], &text[end..]);
        (is_score || end > start && plain.is_disguised(start, end)).then_some(NumberSpan { start, end, is_score })
    })
}

/// `.ddd` and `d.ddd`; `0,ddd`, while `1,797` is a count; `d.d %`.
fn is_score(word: &str, rest: &str) -> bool {
    let Some(point) = word.rfind(['.', ',']) else { return false };
    let (whole, decimals) = (&word[..point], &word[point + 1..]);
    let is_of_three = decimals.len() >= 3 && (word[point..].starts_with('.') || matches!(whole, "" | "0"));
    is_of_three || !whole.is_empty() && rest.trim_start_matches(' ').starts_with('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a line.
    fn found(text: &str) -> Vec<String> {
        let (mut stray, mut odd) = (BoundedFindings::default(), BoundedFindings::default());
        search(&[(1, text.to_owned())], &|| false, &mut stray, &mut odd);
        stray.told().into_iter().chain(odd.told()).map(|(_, what)| what).collect()
    }

    #[test]
    fn numbers_without_a_claim_are_seen() {
        let text = "AUC .999 of axis 1, 95 % and 12.3 % or 0,871; 1,797 images, [0,1], width0.25, Figure 1. ,5 and 3.4.";
        assert_eq!(found(text), [".999", "12.3", "0,871"]);
        assert_eq!(found("1.000 0.8712 .5 % 5.15.167 12,3%"), ["1.000", "0.8712", "5.15.167", "12,3"]);
    }

    #[test]
    fn numbers_in_disguise_are_seen() {
        for text in [
            ".8\u{200b}71",
            ".8\u{200d}71",
            ".8\u{ad}71",
            ".8\u{2060}71",
            ".8\u{feff}71",
            ".8\u{fe0f}71",
            ".8\u{e0020}71",
            ".8\u{2009}71",
            "\u{2024}871",
            "\u{ff0e}871",
            "\u{66b}871",
            "·871",
            "．８７１",
            "0·871",
            ".𝟴𝟳𝟭",
            ".٨٧١",
            ".⁸⁷¹",
        ] {
            assert_eq!(found(text).len(), 1, "{}", text.escape_unicode());
            assert!(found(text)[0].ends_with(".871"), "{}", text.escape_unicode());
        }
        assert_eq!(found("12.3 ％"), ["12.3"]);
        assert_eq!(found("12.3\u{200b}%"), ["12.3"]);
        // Whatever they say: nobody who means them to be read writes digits so.
        for text in ["9\u{200b}9", "\u{200b}99", "99\u{ad}", "９９", "a ·9"] {
            assert!(found(text)[0].starts_with("digits that are not"), "{}", text.escape_unicode());
        }
        assert_eq!(found("a · b · 3 · soft\u{ad}hyphen \u{2764}\u{fe0f} 1"), [""; 0]);
        assert_eq!(found("\u{202e}178").len(), 2);
    }

    #[test]
    fn what_has_no_letter_and_looks_like_a_number_reads_as_one() {
        for text in ["0.125", "−.871", "95.5 %", "(.999)", "９９", "0,871 [.5]"] {
            assert!(reads_as_number(text), "{text}");
        }
        for text in ["", "3", "95 %", "1.10", "a 0.125", "zwei .999", "男 .999", "a = 0.125"] {
            assert!(!reads_as_number(text), "{text}");
        }
    }

    #[test]
    fn what_stands_at_a_claims_number_is_no_part_of_it() {
        for text in [
            "9\u{fffc}",
            "\u{fffc}9",
            "−\u{fffc}",
            ".\u{fffc}",
            "9\u{200b}\u{fffc}",
            "\u{ff0e}\u{fffc}",
            "\u{fffc}½",
            "9\u{fffd}",
        ] {
            assert!(!found(text).is_empty(), "{}", text.escape_unicode());
        }
        assert_eq!(found("to \u{fffc}. (\u{fffc}–\u{fffc}), a-\u{fffd}, \u{fffd}."), [""; 0]);
    }
}
