//! Text as it reads: digits of whatever script as digits, what looks like a point as a point, what is not seen left out. Where that
//! was done is known, for nobody writes a number so who means it to be found.
//!
//! Letters that look like digits (`O`, `l`) stay letters.

use visavis_core::domain::text::is_steering;

/// Where ten digits begin, nought first.
#[rustfmt::skip]
const NOUGHTS: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0,
    0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0x2080, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
    0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1f101, 0x1fbf0,
];

/// Raised, circled and other digits: where they begin, how many there are, and what the first is.
#[rustfmt::skip]
const OTHERS: &[(u32, u32, u32)] = &[
    (0x00b2, 2, 2), (0x00b9, 1, 1), (0x1369, 9, 1), (0x19da, 1, 1), (0x2070, 1, 0), (0x2074, 6, 4), (0x2460, 9, 1),
    (0x2474, 9, 1), (0x2488, 9, 1), (0x24ea, 1, 0), (0x24f5, 9, 1), (0x24ff, 1, 0), (0x2776, 9, 1), (0x2780, 9, 1),
    (0x278a, 9, 1), (0x10a40, 4, 1), (0x10e60, 9, 1), (0x11052, 9, 1), (0x1f100, 1, 0),
];

/// A text as it reads.
#[derive(Debug, Default)]
pub(crate) struct PlainText {
    pub text: String,
    /// Places in `text` where something that is not seen was left out.
    left_out: Vec<usize>,
    /// Places in `text` where a character stands for another that looks like it.
    replaced: Vec<usize>,
}

impl PlainText {
    /// White space is one blank, and so is the line below words that names have.
    pub(crate) fn of(text: &str) -> Self {
        let mut plain = PlainText { text: String::with_capacity(text.len()), ..PlainText::default() };
        for c in text.chars() {
            if c.is_ascii_graphic() && c != '_' {
                // Nearly all of a page.
                plain.text.push(c);
            } else if matches!(c, '\u{a0}' | '_') || c.is_ascii_whitespace() {
                if !plain.text.ends_with(' ') {
                    plain.text.push(' ');
                }
            } else if is_unseen(c) {
                plain.left_out.push(plain.text.len());
            } else {
                let seen = looks_like(c);
                plain.replaced.extend(seen.map(|_| plain.text.len()));
                plain.text.push(seen.unwrap_or(c));
            }
        }
        plain
    }

    /// Is what stands from `start` to `end` other than it reads?
    pub(crate) fn is_disguised(&self, start: usize, end: usize) -> bool {
        let first = |of: &[usize]| of.get(of.partition_point(|at| *at < start)).copied();
        first(&self.left_out).is_some_and(|at| at <= end) || first(&self.replaced).is_some_and(|at| at < end)
    }
}

/// A character that shows nothing, hardly anything, or only a mark upon the one before it.
fn is_unseen(c: char) -> bool {
    is_steering(c)
        || matches!(c,
            // The soft hyphen, fillers, selectors of variants, tags, signs of notation.
            '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Narrow blanks.
            | '\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{202f}' | '\u{205f}'
            // Marks upon a character.
            | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The character of ASCII that it reads as, in a number.
fn looks_like(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    match c {
        '\u{b7}' | '\u{2d9}' | '\u{387}' | '\u{66b}' | '\u{6d4}' | '\u{701}' | '\u{702}' | '\u{1427}' | '\u{16eb}'
        | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{2e31}' | '\u{2e33}' | '\u{2e3c}' | '\u{3002}'
        | '\u{30fb}' | '\u{a4f8}' | '\u{a78f}' | '\u{fe12}' | '\u{fe52}' | '\u{ff0e}' | '\u{ff61}' | '\u{ff65}' | '\u{10a50}'
        | '\u{1d16d}' => Some('.'),
        '\u{60c}' | '\u{66c}' | '\u{201a}' | '\u{a4f9}' | '\u{fe50}' | '\u{ff0c}' => Some(','),
        '\u{66a}' | '\u{fe6a}' | '\u{ff05}' => Some('%'),
        _ => digit(u32::from(c)),
    }
}

fn digit(c: u32) -> Option<char> {
    let nought = NOUGHTS.partition_point(|nought| *nought <= c).checked_sub(1).map(|place| c - NOUGHTS[place]);
    let other = || {
        let place = OTHERS.partition_point(|(first, ..)| *first <= c).checked_sub(1)?;
        let (first, many, value) = OTHERS[place];
        (c - first < many).then_some(value + (c - first))
    };
    char::from_digit(nought.filter(|digit| *digit < 10).or_else(other)?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_it_reads_as() {
        let plain = |text: &str| PlainText::of(text).text;
        for text in [
            ".871",
            ".8\u{200b}71",
            ".8\u{ad}71",
            "\u{2024}871",
            "．８７１",
            "\u{66b}٨٧١",
            "·871",
            ".8\u{fe0f}71",
            "\u{feff}.871",
            ".8\u{e0061}71",
            ".𝟖𝟕𝟏",
            ".⁸⁷¹",
            ".₈₇₁",
            ".⑧⑦①",
            ".८७१",
            ".8\u{332}71",
            ".8\u{200a}71",
            ".\u{2063}871",
            ".8\u{202e}71",
            "。871",
            "˙871",
            "ᐧ871",
            "᛫871",
            "⸼871",
            ".𞥘𞥗𞥑",
        ] {
            assert_eq!(plain(text), ".871", "{}", text.escape_unicode());
        }
        assert_eq!(plain("12.3\u{a0}％"), "12.3 %");
        assert_eq!(plain(" a\n  b_c"), " a b c");
        assert_eq!(plain("n⁺n⁻ − ρ ● männlich 男"), "n⁺n⁻ − ρ ● männlich 男");
    }

    #[test]
    fn where_it_is_not_what_it_reads_as_is_known() {
        let of = |text: &str, start, end| PlainText::of(text).is_disguised(start, end);
        assert!(!of("a .871 b", 2, 6) && of("a .8\u{200b}71 b", 2, 6) && of("a ·871 b", 2, 6));
        assert!(of("a \u{200b}.871 b", 2, 6) && of("a .871\u{200b} b", 2, 6), "beside it, too");
        assert!(!of("\u{200b}a .871 · b", 3, 7) && !of("· .871 ·", 2, 6));
    }
}
