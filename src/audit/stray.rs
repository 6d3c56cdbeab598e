//! Numbers without a claim: what looks like a score (`.871`, `0.871`, `0,871`) or a percentage (`12.3 %`) in the text a reader sees,
//! outside claims and figures, however it is put together or disguised; and digits that are disguised, whatever they say.
//!
//! Names may hold such numbers. Free of a claim are, and whoever writes a page can make use of them:
//! - a number within a name of the study, where the page shows that whole name: a string of its study file (a class, a model, its
//!   `about`), what a claim is of, a pin and its note, an attribute, or a label's value after an equals sign, as groups are named
//!   (`width = 0.125`). A string of the study file that holds no letter counts only where it is a key, for a class may be called
//!   `0.125`; such a number is free everywhere;
//! - what stands in `<code>` and is more than a number: paths, versions, machines, expressions, notes of the data. It is set in
//!   another letter.
//!
//! Not looked for are numbers of fewer decimals than a report writes, and words (`nine tenths`, `O.87l`).

use super::{container::start, evidence::Evidence, findings::BoundedFindings, plain::PlainText};
use std::collections::{HashMap, HashSet};
use visavis_core::domain::stage::role;
use yaml_serde::Value;

/// Stands in a line of text where a claim's number does.
pub(crate) const NUMBER: char = '\u{fffc}';
/// Stands in a line of text where code does.
pub(crate) const NAME: char = '\u{fffd}';

/// The largest study files have a hundredth of it; of a longer one no name is known.
const LONGEST_STUDY: usize = 4 << 20;
/// Names that hold the same number; of more no further one is known.
const MOST_NAMES: usize = 1000;
/// Claims that are looked through for names.
const MOST_CLAIMS: usize = 100_000;

/// The study's names that hold what looks like a number without a claim.
#[derive(Default)]
pub(crate) struct Names {
    names: Vec<String>,
    /// By the number: the names that hold it, and where.
    of: HashMap<String, Vec<(usize, usize)>>,
}

impl Names {
    /// Those that the evidence tells of, as far as `enough` lets it be read.
    pub(crate) fn of(evidence: &Evidence, enough: &(dyn Fn() -> bool + Sync)) -> Self {
        let mut names = Names::default();
        let mut known = HashSet::new();
        let mut add = |name: &str| {
            if name.chars().any(char::is_numeric) && !known.contains(name) {
                known.insert(name.to_owned());
                names.add(name);
            }
        };
        if evidence.study_text.len() <= LONGEST_STUDY
            && let Ok(study) = yaml_serde::from_str(&evidence.study_text)
        {
            strings(&study, &mut add);
        }
        evidence.sources.keys().filter_map(|role| role.strip_prefix(role::LABELS)).for_each(&mut add);
        // Names that are made of a study's numbers (`resnet34-width0.0625`, `umap-min_dist0.001`) stand in what claims are of.
        for claim in evidence.claims.iter().take(MOST_CLAIMS) {
            for part in claim.what.split(" · ") {
                add(part);
                add(part.split(", ").next().unwrap_or(part));
            }
        }
        let pinned = evidence.context.iter().flat_map(|context| &context.pinned);
        pinned.for_each(|of| [&of.name, &of.note].into_iter().for_each(|text| add(text)));
        evidence.label_values(enough, |value| add(&format!("= {value}")));
        names
    }

    fn add(&mut self, name: &str) {
        let plain = PlainText::of(name.trim());
        let place = self.names.len();
        let mut is_held = false;
        for word in suspects(&plain) {
            let held = self.of.entry(plain.text[word.start..word.end].to_owned()).or_default();
            if held.len() < MOST_NAMES {
                held.push((place, word.start));
                is_held = true;
            }
        }
        if is_held {
            self.names.push(plain.text);
        }
    }

    /// Does the number stand within a whole name?
    fn hold(&self, text: &str, word: &NumberSpan) -> bool {
        let is_apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        let is_there = |(name, at): &(usize, usize)| {
            let name = &self.names[*name];
            let from = word.start.checked_sub(*at).filter(|from| text.is_char_boundary(*from));
            from.is_some_and(|from| {
                text[from..].starts_with(&**name)
                    && is_apart(text[..from].chars().next_back())
                    && is_apart(text[from + name.len()..].chars().next())
            })
        };
        self.of.get(&text[word.start..word.end]).is_some_and(|held| held.iter().any(is_there))
    }
}

/// Every string of a study file; those without a letter only where they are keys.
fn strings(value: &Value, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) if text.contains(char::is_alphabetic) => add(text),
        Value::Sequence(list) => list.iter().for_each(|value| strings(value, add)),
        Value::Mapping(map) => {
            for (key, value) in map {
                match key {
                    Value::String(key) => add(key),
                    Value::Number(key) => add(&key.to_string()),
                    _ => {}
                }
                strings(value, add);
            }
        }
        Value::Tagged(tagged) => strings(&tagged.value, add),
        _ => {}
    }
}

/// Looks through lines of text for numbers without a claim (`stray`), and for what makes a number look like another (`odd`).
pub(crate) fn search(
    texts: &[(u32, String)],
    names: &Names,
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
            if names.hold(&plain.text, &word) {
                continue;
            }
            if word.is_score {
                stray.add(*line, shown);
            } else {
                odd.add(
                    *line,
                    format!("digits that are not what they look like, or with something unseen at them: {}", start(shown)),
                );
            }
        }
        joined(*line, &plain.text, odd);
        if text.contains(['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}']) {
            odd.add(*line, "a character that turns the order of text around");
        }
    }
}

/// What reads as a part of a claim's number, or of code that is no number.
fn joined(line: u32, text: &str, odd: &mut BoundedFindings) {
    for (at, mark) in text.match_indices([NUMBER, NAME]) {
        let before = text[..at].chars().next_back();
        let after = text[at + mark.len()..].chars().next();
        let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
        let is_number = mark.starts_with(NUMBER);
        let is_sign = matches!(before, Some('.' | ',')) || is_number && matches!(before, Some('-' | '−' | '+'));
        if is_digit(before) || is_digit(after) || is_sign {
            let what = if is_number { "a claim's number" } else { "code" };
            odd.add(line, format!("a digit or a sign stands at {what} and reads as a part of it"));
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

    /// What is found in a line, beside some names.
    fn found(text: &str, names: &[&str]) -> Vec<String> {
        let mut own = Names::default();
        names.iter().for_each(|name| own.add(name));
        let (mut stray, mut odd) = (BoundedFindings::default(), BoundedFindings::default());
        search(&[(1, text.to_owned())], &own, &|| false, &mut stray, &mut odd);
        stray.told().into_iter().chain(odd.told()).map(|(_, what)| what).collect()
    }

    #[test]
    fn numbers_without_a_claim_are_seen() {
        let text = "AUC .999 of axis 1, 95 % and 12.3 % or 0,871; 1,797 images, [0,1], width0.25, Figure 1. ,5 and 3.4.";
        assert_eq!(found(text, &[]), [".999", "12.3", "0,871"]);
        assert_eq!(found("1.000 0.8712 .5 % 5.15.167 12,3%", &[]), ["1.000", "0.8712", "5.15.167", "12,3"]);
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
            assert_eq!(found(text, &[]).len(), 1, "{}", text.escape_unicode());
            assert!(found(text, &[])[0].ends_with(".871"), "{}", text.escape_unicode());
        }
        assert_eq!(found("12.3 ％", &[]), ["12.3"]);
        assert_eq!(found("12.3\u{200b}%", &[]), ["12.3"]);
        // Whatever they say: nobody who means them to be read writes digits so.
        for text in ["9\u{200b}9", "\u{200b}99", "99\u{ad}", "９９", "a ·9"] {
            assert!(found(text, &[])[0].starts_with("digits that are not"), "{}", text.escape_unicode());
        }
        assert_eq!(found("a · b · 3 · soft\u{ad}hyphen \u{2764}\u{fe0f} 1", &[]), [""; 0]);
        assert_eq!(found("\u{202e}178", &[]).len(), 2);
    }

    #[test]
    fn a_number_is_free_within_a_whole_name_alone() {
        let names = ["vgg 0.125 wide", "= 0.555", "20\u{ff10} 代", "we ask\n  of .999 Do_not", "arcface-m0.125"];
        for text in [
            "in vgg 0.125 wide, none",
            "vgg 0.125 wide",
            "width = 0.555 and so on",
            "(20\u{ff10} 代)",
            "We ask? we ask of .999 Do not.",
            "loss arcface-m0.125-s16",
        ] {
            assert_eq!(found(text, &names), [""; 0], "{text}");
        }
        for text in [
            "0.125",
            "vgg 0.125",
            "xvgg 0.125 wide",
            "vgg 0.125 wider",
            "AUC 0.555",
            "=0.555",
            "of .999 Do not",
            "m0.125",
            "vgg 0.125\u{200b} wide 0.125",
        ] {
            assert_eq!(found(text, &names).len(), 1, "{text}");
        }
    }

    #[test]
    fn names_of_a_study_are_its_strings_and_keys() {
        let mut own = Vec::new();
        let study = "about: AUC .777\nseparates_at: .871\nquoted: '.872'\nnamed: { 0.125: x, '.126': [y 0.127, ! z .128] }\n";
        strings(&yaml_serde::from_str(study).unwrap(), &mut |name| own.push(name.to_owned()));
        own.retain(|name| name.contains(char::is_numeric));
        assert_eq!(own, ["AUC .777", "0.125", ".126", "y 0.127", "z .128"]);
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
            assert!(!found(text, &[]).is_empty(), "{}", text.escape_unicode());
        }
        assert_eq!(found("to \u{fffc}. (\u{fffc}–\u{fffc}), a-\u{fffd}, \u{fffd}.", &[]), [""; 0]);
    }
}
