//! Tags, counted before anything is built of them: looking up an attribute among a million takes long, and so does a page of nothing but tags.
//!
//! A tag begins where `<` and a letter stand, and is read from there as the standard says. Where a parser takes such text for no tag, as in a
//! comment, more is counted than there is. Where it sees a tag, this does too: what could hide one, a `<` within a tag, is refused. The
//! templates of reports spell it `&lt;`.

/// A report of five thousand numbers has 32,000.
const MOST_TAGS: usize = 2_000_000;
/// What drawings are made of. A report of five thousand numbers has 6,000; each has some six attributes to be read.
const SHAPES: [&str; 10] = ["circle", "ellipse", "image", "line", "path", "polygon", "polyline", "rect", "text", "use"];
const MOST_SHAPES: usize = 300_000;
/// Elements of drawings have some ten.
pub(super) const MOST_ATTRIBUTES: usize = 100;

/// Why no report could be written so, if none could.
pub(crate) fn fault(parts: &[&str]) -> Option<&'static str> {
    let (mut tags, mut shapes) = (0, 0);
    for part in parts {
        let mut rest = *part;
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            tags += 1;
            if tags > MOST_TAGS {
                return Some("more than 2,000,000 tags");
            }
            rest = rest.strip_prefix('/').unwrap_or(rest);
            if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                shapes += usize::from(is_shape(rest));
                if shapes > MOST_SHAPES {
                    return Some("more than 300,000 shapes in drawings");
                }
                match past_tag(rest) {
                    Ok(after) => rest = after,
                    Err(why) => return Some(why),
                }
            }
        }
    }
    None
}

/// `tag`: from its name on.
fn is_shape(tag: &str) -> bool {
    let name = &tag.as_bytes()[..tag.bytes().take(9).take_while(u8::is_ascii_alphabetic).count()];
    SHAPES.iter().any(|shape| name.eq_ignore_ascii_case(shape.as_bytes()))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0c' | '\r')
}

/// What stands behind a tag, that is given from its name on.
fn past_tag(tag: &str) -> Result<&str, &'static str> {
    let within = Err("a tag within a tag");
    let name = tag.find(|c| is_blank(c) || matches!(c, '/' | '>' | '<')).unwrap_or(tag.len());
    let mut rest = &tag[name..];
    let mut attributes = 0;
    loop {
        rest = rest.trim_start_matches(|c| is_blank(c) || c == '/');
        match rest.chars().next() {
            None => return Ok(rest),
            Some('>') => return Ok(&rest[1..]),
            Some('<') => return within,
            Some(_) => {}
        }
        attributes += 1;
        if attributes > MOST_ATTRIBUTES {
            return Err("a tag with more than 100 attributes");
        }
        // A name may begin with the sign that would end it.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let name = rest[first..].find(|c| is_blank(c) || matches!(c, '/' | '>' | '<' | '=')).map_or(rest.len(), |at| first + at);
        rest = rest[name..].trim_start_matches(is_blank);
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_start_matches(is_blank);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        rest = match quote {
            Some(quote) => {
                let end = value[1..].find([quote, '<']).map_or(value.len(), |at| 1 + at);
                if value[end..].starts_with('<') {
                    return within;
                }
                value.get(end + 1..).unwrap_or("")
            }
            None => &value[value.find(|c| is_blank(c) || matches!(c, '>' | '<')).unwrap_or(value.len())..],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_report_is_made_of_passes() {
        for page in [
            "<!DOCTYPE html><p class=\"a b\" title='x > y'>text</p><br/><a href=\"data:text/csv;base64,AA/BB+CC==\">x</a>",
            "a < b, <3 and <",
            "<p",
            "<p a",
            "<p a=",
            "<p a=\"b",
            "",
        ] {
            assert_eq!(fault(&[page]), None, "{page}");
        }
        let long = format!("<a href=\"{}\">", "/ = ' ".repeat(100_000));
        assert_eq!(fault(&[&long]), None, "a long value is no many attributes");
    }

    #[test]
    fn tags_of_many_attributes_are_told_however_they_are_written() {
        let many = |between: &str, one: &str| format!("<p {}>", vec![one; 101].join(between));
        for (between, one) in
            [(" ", "a"), ("/", "a"), ("\n", "a=1"), ("", "a='1'"), ("", "a=\"\""), ("/", "=a"), (" ", "é = x"), ("\x0c", "\"")]
        {
            assert_eq!(fault(&[&many(between, one)]), Some("a tag with more than 100 attributes"), "{between:?} {one:?}");
        }
        let end = many(" ", "a").replacen('<', "</", 1);
        assert!(fault(&[&end]).is_some(), "a parser reads those of an end, too");
        // Nothing hides a tag.
        let hidden = format!("<!-- <p a=\"--><p {}>", "b ".repeat(101));
        assert_eq!(fault(&[&hidden]), Some("a tag within a tag"));
        let parted = format!("<p {} x=\"<q >\" {}>", "a ".repeat(90), "a ".repeat(90));
        assert_eq!(fault(&[&parted]), Some("a tag within a tag"));
        for within in ["<p<q>", "<p a<q>", "<p a=<q>", "<p a='<q>'>", "<p <q>"] {
            assert_eq!(fault(&[within]), Some("a tag within a tag"), "{within}");
        }
    }

    #[test]
    fn shapes_are_counted_by_any_of_their_names() {
        let many = |shape: &str, count: usize| format!("<{shape} x=\"1\"/>").repeat(count);
        assert_eq!(fault(&[&many("circle", MOST_SHAPES)]), None);
        for shape in ["circle", "LINE", "polyline", "text"] {
            assert_eq!(fault(&[&many(shape, MOST_SHAPES), "<use>"]), Some("more than 300,000 shapes in drawings"), "{shape}");
        }
        assert_eq!(fault(&[&many("lines", MOST_SHAPES + 1)]), None, "an element of another name");
    }

    #[test]
    fn tags_are_counted_in_all_parts() {
        let half = "<".repeat(MOST_TAGS / 2);
        assert_eq!(fault(&[&half, &half]), None);
        assert_eq!(fault(&[&half, &half, "<"]), Some("more than 2,000,000 tags"));
    }
}
