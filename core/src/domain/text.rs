//! Text from outside, made fit for a terminal. (HTML is escaped by the templates, SQL is bound, paths are never built
//! from names.)

/// Is the character one that could steer a terminal or reorder a line: a control, a bidirectional override, a
/// zero-width or a line separator?
pub fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || is_invisible(c)
}

/// Is the character one of those that take no room, or look like a blank, and are no control? Two names that differ in one look the same.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every steering character spelled out (`\u{1b}`), on one line.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_steering(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// So much of a text from outside stands in a message.
pub const MOST_IN_MESSAGES: usize = 200;

/// A text from outside as messages quote it: printable, and no more than [`MOST_IN_MESSAGES`] characters.
pub fn quoted(text: &str) -> String {
    printable(&shorten(text, MOST_IN_MESSAGES))
}

/// A sentence in which every run of letters without a space is at most [`MOST_IN_MESSAGES`] characters long, and which as a whole is at most
/// ten times as long: names and values from outside may be of any length.
pub fn bounded(sentence: &str) -> String {
    // The usual sentence is short.
    if sentence.len() <= MOST_IN_MESSAGES {
        return sentence.to_owned();
    }
    let words = sentence.split_inclusive(char::is_whitespace).map(|word| match word.strip_suffix(char::is_whitespace) {
        Some(letters) => format!("{}{}", shorten(letters, MOST_IN_MESSAGES), &word[letters.len()..]),
        None => shorten(word, MOST_IN_MESSAGES),
    });
    shorten(&words.collect::<String>(), 10 * MOST_IN_MESSAGES)
}

/// A word as a shell takes it: in single quotes, unless it is plain.
pub fn shell(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=,@:+%".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A field of a comma-separated table that starts no formula in a spreadsheet: what would gets an apostrophe before it. Numbers are as they
/// are.
pub fn no_formula(field: String) -> String {
    let formula = field.starts_with(['=', '@', '+', '-', '\t', '\r', '＝', '＠', '＋', '－']) && field.parse::<f64>().is_err();
    if formula { format!("'{field}") } else { field }
}

/// At most `most` characters, the end cut with `…`.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// `1` → `1 image`, `2` → `2 images`.
pub fn count(n: usize, noun: &str) -> String {
    let number = thousands(n);
    match (n, noun.strip_suffix('s')) {
        (1, _) => format!("{number} {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ses"),
        _ if noun.ends_with("ity") => format!("{number} {}ies", &noun[..noun.len() - 1]),
        _ => format!("{number} {noun}s"),
    }
}

/// `202599` → `202,599`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `15.4 MB`.
pub fn size(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e3 => format!("{b} B"),
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}

/// Time gone by between two moments in milliseconds: `3 min ago`.
pub fn ago(at: u64, now: u64) -> String {
    let seconds = now.saturating_sub(at) / 1000;
    match seconds {
        0..=1 => "just now".to_owned(),
        2..=99 => format!("{seconds} s ago"),
        100..=5999 => format!("{} min ago", seconds / 60),
        6000..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\nc\\u{202e}d");
        assert_eq!(printable("männlich 男 'quoted'"), "männlich 男 'quoted'");
    }

    #[test]
    fn a_long_name_in_a_sentence_is_cut_and_an_endless_sentence_too() {
        let long = format!("no file `{}` is here", "x".repeat(5000));
        let told = bounded(&long);
        assert!(told.starts_with("no file `xxx") && told.ends_with("… is here") && told.chars().count() < 230, "{told}");
        assert_eq!(bounded("a short one"), "a short one");
        assert!(bounded(&"word ".repeat(5000)).chars().count() <= 2000);
        assert_eq!(quoted(&"y".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn invisible_characters_are_spelled_out_and_accents_are_left() {
        assert_eq!(printable("a\u{ad}b\u{e0041}c\u{3164}"), "a\\u{ad}b\\u{e0041}c\\u{3164}");
        assert_eq!(printable("e\u{301} ñ 한 ❤\u{fe0f}"), "e\u{301} ñ 한 ❤\u{fe0f}");
    }

    #[test]
    fn no_field_starts_a_formula_and_numbers_are_left() {
        let guarded = |field: &str| no_formula(field.to_owned());
        for formula in ["=1+2", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "＝1"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
        }
        for plain in ["-1.5", "+3", "1e-5", "-inf", "a=b", ""] {
            assert_eq!(guarded(plain), plain);
        }
    }

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(count(1, "image"), "1 image");
        assert_eq!(count(202_599, "image"), "202,599 images");
        assert_eq!(count(2, "class"), "2 classes");
    }
}
