//! Text in the room there is. Widths are columns of a terminal: a wide letter takes two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use visavis_core::domain::{
    claim::NumberForm,
    score::{Estimate, Interval},
    text::printable,
};

pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Text from outside, fit for a terminal and for so many columns; what does not fit ends in `…`.
pub(crate) fn fit(text: &str, room: usize) -> String {
    let text = printable(text);
    if text.width() <= room {
        return text;
    }
    let mut taken = String::new();
    let mut left = room.saturating_sub(1);
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        taken.push(letter);
    }
    if room > 0 {
        taken.push('…');
    }
    taken
}

/// The end of a text, in the room there is: for names that begin alike and differ at the end.
pub(crate) fn fit_end(text: &str, room: usize) -> String {
    let text = printable(text);
    if text.width() <= room {
        return text;
    }
    let mut taken: Vec<char> = Vec::new();
    let mut left = room.saturating_sub(1);
    for letter in text.chars().rev() {
        let wide = letter.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        taken.push(letter);
    }
    std::iter::once('…').filter(|_| room > 0).chain(taken.into_iter().rev()).collect()
}

/// Both ends of a text: where many begin alike, and end differently.
pub(crate) fn fit_middle(text: &str, room: usize) -> String {
    let text = printable(text);
    if text.width() <= room || room < 8 {
        return fit(&text, room);
    }
    let head = fit(&text, room / 3);
    format!("{head}{}", fit_end(&text, room - head.width()).trim_start_matches('…'))
}

pub(crate) fn left(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let space = room.saturating_sub(text.width());
    text + &" ".repeat(space)
}

pub(crate) fn right(text: &str, room: usize) -> String {
    let text = fit(text, room);
    " ".repeat(room.saturating_sub(text.width())) + &text
}

/// Lines of at most so many columns, broken between words.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for part in text.split('\n') {
        let mut line = String::new();
        for word in part.split(' ') {
            if !line.is_empty() && width(&line) + 1 + width(word) > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += &fit(word, room.max(1));
        }
        lines.push(line);
    }
    lines
}

/// `0.871`, `1.000`; a dash for no number.
pub(crate) fn score(value: f64) -> String {
    if value.is_finite() { NumberForm::Score.show(value) } else { "–".to_owned() }
}

/// `±0.02`: the longer arm of an interval, rounded up, so that it is never shown narrower than it is; `±?` where there is no interval.
pub(crate) fn half(of: &Estimate) -> String {
    let Some(Interval { low, high }) = of.interval else { return "±?".to_owned() };
    let arm = (high - of.value).max(of.value - low);
    format!("±{:.2}", (arm * 100.0 - 1e-9).ceil() / 100.0)
}

pub(crate) fn signed(value: f64) -> String {
    if value < 0.0 { format!("−{}", score(-value)) } else { format!("+{}", score(value)) }
}

/// `~22 min`: an estimate.
pub(crate) fn about(seconds: f64) -> String {
    if seconds < 0.95 { "a moment".to_owned() } else { format!("~{}", crate::study::duration(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_fit_their_room() {
        for text in ["plain", "a\u{1b}[31mred", "女性の顔", "مرحبا", "e\u{301}e\u{301}", "🙂🙂🙂", ""] {
            for room in 0..12 {
                assert!(width(&fit(text, room)) <= room, "{text:?} {room}");
                assert!(width(&fit_end(text, room)) <= room && width(&fit_middle(text, room)) <= room);
                assert_eq!(width(&left(text, room)), room, "{text:?} {room}");
                assert!(!fit(text, room).contains('\u{1b}'));
            }
        }
    }

    #[test]
    fn numbers_are_written_as_papers_write_them() {
        let estimate = Estimate::new;
        assert_eq!((score(0.8714), score(1.0), score(-0.02)), ("0.871".into(), "1.000".into(), "−0.020".into()));
        assert_eq!((half(&estimate(0.87, 0.86, 0.88)), half(&estimate(0.943, 0.749, 0.993))), ("±0.01".into(), "±0.20".into()));
        assert_eq!(half(&Estimate::bare(0.9)), "±?");
        assert_eq!((signed(0.024), signed(-0.1)), ("+0.024".into(), "−0.100".into()));
    }
}
