//! Numbers without a claim: what looks like a score (`.871`, `0.87`, `0,871`) or a percentage (`12.3 %`, `12 %`) in the text a reader sees,
//! outside claims, figures and names, however it is put together or disguised; and digits that are disguised, whatever they say.
//!
//! Names may hold such numbers. They are marked up as names, and `names` says which of these are.
//!
//! Not looked for are counts and fractions (`40 of 40`, `999/1000`), numbers of one decimal, other signs in the place of a point (`0'999`),
//! words (`nine tenths`, `O.87l`), and the few that the words of reports hold ([`OF_WORDS`]).

use super::{container::start, findings::BoundedFindings, plain::PlainText};

/// Stands in a line of text where a claim's number does.
pub(crate) const NUMBER: char = '\u{fffc}';
/// Stands in a line of text where a name does.
pub(crate) const NAME: char = '\u{fffd}';

/// Is a letter in it, of whatever script? What has none could be read as a number, or as a part of one.
pub(crate) fn has_letter(text: &str) -> bool {
    PlainText::of(text).text.contains(char::is_alphabetic)
}

/// Is a number in it that would be looked for?
pub(crate) fn holds_number(text: &str) -> bool {
    suspects(&PlainText::of(text)).next().is_some()
}

/// Looks through lines of text for numbers without a claim (`stray`), and for what makes a number look like another (`odd`); not through
/// all of them once there was `enough`.
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
                return;
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
        let (before, after) = (&text[..at], &text[at + mark.len()..]);
        let is_number = mark.starts_with(NUMBER);
        let is_part = if is_number { is_at_number(before, after) } else { is_at_name(before) };
        if is_part || goes_on(after) {
            let what = if is_number { "a claim's number" } else { "a name" };
            odd.add_with(line, || format!("a digit, a sign or a mark stands at {what} and reads as a part of it"));
        }
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, NUMBER | NAME)
}

/// Does what stands behind a mark read as more of a number: another mark, a digit, a point with one of these behind it?
fn goes_on(after: &str) -> bool {
    let is_part = |c: char| c.is_numeric() || is_mark(c);
    after.starts_with(is_part) || after.strip_prefix(['.', ',', ':']).is_some_and(|rest| rest.starts_with(is_part))
}

fn is_at_name(before: &str) -> bool {
    before.ends_with(|c: char| c.is_numeric() || is_mark(c) || matches!(c, '.' | ','))
}

/// Reports have blanks, brackets and the ends of clauses at their numbers, and a dash between the ends of an interval; whatever else stands
/// there could change what is read: a sign, a letter, a power, a percent sign.
fn is_at_number(before: &str, after: &str) -> bool {
    let low = |text: &str| text.strip_suffix('–').is_some_and(|text| text.ends_with(NUMBER));
    let is_free_before = before.is_empty() || before.ends_with([' ', '(', '[']) || low(before);
    let is_free_after = after.is_empty()
        || after.starts_with([' ', ')', ']', '.', ',', ';', ':', '?', '!'])
        || after.strip_prefix('–').is_some_and(|high| high.starts_with(NUMBER));
    let (ahead, behind) = (before.trim_end_matches(' '), after.trim_start_matches(' '));
    let has_sign = ahead.len() < before.len() && ahead.ends_with(is_dash);
    let is_digit = |text: &str| text.starts_with(char::is_numeric);
    let has_more = behind.starts_with(['%', '‰', '‱', '^', '/', '*', '÷'])
        || behind.strip_prefix('×').is_some_and(|rest| is_digit(rest.trim_start_matches(' ')))
        || after.strip_prefix(" .").is_some_and(is_digit);
    !is_free_before || !is_free_after || has_sign || has_more
}

/// Is it read as a minus?
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '−' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{207b}' | '\u{208b}' | '\u{2796}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{2d7}'
    )
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
        let is_odd = end > start && plain.is_disguised(start, end) && !is_r_squared(text, start, end);
        (is_score || is_odd).then_some(NumberSpan { start, end, is_score })
    })
}

/// `R²`, a word of reports, which reads as `R2`: alone, with nothing at it that could make a number of it.
fn is_r_squared(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text[..start], &text[end..]);
    let is_at_word = |c: char| c.is_alphanumeric() || is_mark(c);
    let stands_alone =
        before.strip_suffix('R').is_some_and(|before| !before.ends_with(is_at_word)) && !after.starts_with(is_at_word);
    &text[start..end] == "2" && stands_alone
}

/// What the words of reports hold themselves: levels of intervals and of tests, a share of subsamples, a rate of false acceptance.
const OF_WORDS: [&str; 6] = ["95", "80", "5", "1", "0.05", "0.01"];

/// `.dd`, `0.dd`, `d.ddd`; `0,dd`, while `1,797` is a count; `d.d %` and `d %`.
fn is_score(word: &str, rest: &str) -> bool {
    if OF_WORDS.contains(&word) {
        return false;
    }
    let is_share = word.contains(|c: char| c.is_ascii_digit()) && rest.trim_start_matches(' ').starts_with('%');
    let Some(point) = word.rfind(['.', ',']) else { return is_share };
    let (whole, decimals) = (&word[..point], &word[point + 1..]);
    let is_small = match word.as_bytes()[point] {
        b'.' => matches!(whole, "" | "0"),
        _ => whole == "0",
    };
    let is_of_three = decimals.len() >= 3 && (word[point..].starts_with('.') || matches!(whole, "" | "0"));
    is_share || is_of_three || is_small && decimals.len() >= 2
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
        let text = "AUC .999 of axis 1, 95 % and 12.3 % or 0,871; 1,797 images, [0,1], AUC0.25, Figure 1. ,5 and 3.4.";
        assert_eq!(found(text), [".999", "12.3", "0,871", "0.25"]);
        assert_eq!(found("1.000 0.8712 .5 % 5.15.167 12,3%"), ["1.000", "0.8712", ".5", "5.15.167", "12,3"]);
        assert_eq!(found("AUC 0.99 or .99, 0,99, 99 %, 100%"), ["0.99", ".99", "0,99", "99", "100"]);
        assert_eq!(
            found("95 % intervals, at 5 %, 1 % and 80 % of it; q at most 0.05, FAR 0.01, 0.5 is chance, 1.10, 12.25"),
            [""; 0]
        );
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
        // What a report says itself; nothing else that reads so.
        assert_eq!(found("R² (cross-fitted), its R²; the R²."), [""; 0]);
        for text in ["9R²", "R²9", "xR²", "R²²", "R ²", "r²"] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        assert_eq!(found("a · b · 3 · soft\u{ad}hyphen \u{2764}\u{fe0f} 1"), [""; 0]);
        assert_eq!(found("\u{202e}178").len(), 2);
    }

    #[test]
    fn letters_of_any_script_are_letters() {
        for text in ["a 0.125", "zwei .999", "男 .999", "a = 0.125", "x"] {
            assert!(has_letter(text), "{text}");
        }
        for text in ["", "0.125", "−.871", "95 %", "(.999)", "９９", "3", "−", "🙂"] {
            assert!(!has_letter(text), "{text}");
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
            // Marks beside marks, and points between them.
            "\u{fffd}\u{fffc}",
            "\u{fffc}\u{fffc}",
            "\u{fffc}\u{200b}\u{fffd}",
            "\u{fffd}\u{fffd}",
            "\u{fffd}.5",
            "\u{fffc}.5",
            "\u{fffd},\u{fffd}",
            "\u{fffc}:9",
            // Signs, whatever the dash, and whatever stands behind.
            "-\u{fffc}",
            "–\u{fffc}",
            "‐\u{fffc}",
            "—\u{fffc}",
            "➖\u{fffc}",
            "⁻\u{fffc}",
            "˗\u{fffc}",
            "~\u{fffc}",
            "a − \u{fffc}",
            "(–\u{fffc}",
            "\u{fffc}−\u{fffc}",
            "\u{fffc}–9",
            "\u{fffc} %",
            "\u{fffc}\u{a0}%",
            "\u{fffc}×10",
            "\u{fffc} × 10",
            "\u{fffc} ·5",
            "\u{fffc}e3",
            "\u{fffc} / 1000",
        ] {
            assert!(!found(text).is_empty(), "{}", text.escape_unicode());
        }
        for honest in [
            "to \u{fffc}. (\u{fffc}–\u{fffc}), a-\u{fffd}, \u{fffd}.",
            "\u{fffc} (\u{fffc} to \u{fffc})",
            "\u{fffc} [\u{fffc}–\u{fffc}]",
            "\u{fffd}: \u{fffc} × \u{fffc}, \u{fffc} of \u{fffc}; \u{fffc} + \u{fffc} → \u{fffc} ± \u{fffc}",
            "in \u{fffc}, 5 of \u{fffc}. 3 are, and \u{fffc}: 2; \u{fffd}, 4, \u{fffd}. 7",
            "\u{fffd} · \u{fffd}, \u{fffd} − \u{fffd}, “\u{fffd}”-ledger.csv",
            "–",
        ] {
            assert_eq!(found(honest), [""; 0], "{honest}");
        }
    }
}
