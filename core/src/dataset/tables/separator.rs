//! What separates the fields of a table.

/// What fields may be separated by.
const SEPARATORS: [u8; 3] = *b",;\t";

/// What separates the fields: [`regular`], or else what the first row has most of.
pub(crate) fn separator(sample: &[u8], whole: bool) -> u8 {
    let first = |separator: u8| widths(sample, whole, separator).first().copied();
    let most = |place: &usize| (first(SEPARATORS[*place]), std::cmp::Reverse(*place));
    regular(sample, whole).or((0..3).max_by_key(most).map(|place| SEPARATORS[place])).unwrap_or(b',')
}

/// The first of comma, semicolon and tab by which all rows have as many fields, two or more.
pub(crate) fn regular(sample: &[u8], whole: bool) -> Option<u8> {
    SEPARATORS.into_iter().find(|&separator| {
        let widths = widths(sample, whole, separator);
        widths.first().is_some_and(|first| *first > 1 && widths.iter().all(|width| width == first))
    })
}

/// How many fields the first rows have.
fn widths(sample: &[u8], whole: bool, separator: u8) -> Vec<usize> {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(sample);
    let mut widths: Vec<usize> = rows.byte_records().map_while(|row| row.ok().map(|row| row.len())).take(50).collect();
    // The last row of a part of a file may be a part of a row.
    if !whole && widths.len() > 1 && widths.len() < 50 {
        widths.pop();
    }
    widths
}

/// The same text with a tab for all blanks between the fields of a line, and none around them: CelebA's text files and their
/// like. `None` where the first line has commas, semicolons or tabs, or a single field.
pub(crate) fn tabbed(text: &[u8]) -> Option<Vec<u8>> {
    let lines = || text.split(|byte| *byte == b'\n');
    let first = lines().find(|line| !line.trim_ascii().is_empty())?.trim_ascii();
    if !first.contains(&b' ') || first.iter().any(|byte| SEPARATORS.contains(byte)) {
        return None;
    }
    let fields = |line: &[u8]| {
        let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        fields.collect::<Vec<&[u8]>>().join(&b'\t')
    };
    Some(lines().map(fields).collect::<Vec<_>>().join(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_found_by_what_makes_rows_equal() {
        assert_eq!(separator(b"id;x\na;0,5\nb;0,7\n", true), b';');
        assert_eq!(separator(b"id\tx\na\t1\n", true), b'\t');
        assert_eq!(separator(b"id,x\na,\"1;2\"\nb,3\n", true), b',');
        assert_eq!(separator(b"n000001, \"Smith, J.\",424,0, m,\nn000002, \"Doe\",1,0, f\n", true), b',');
        assert_eq!(regular(b"a, b.png\nc.png\n", true), None);
    }

    #[test]
    fn blanks_between_fields_are_a_tab() {
        assert_eq!(tabbed(b"\na.jpg  7 \r\n\nb.jpg 8").unwrap(), b"\na.jpg\t7\n\nb.jpg\t8");
        for text in ["a b.png,7\n", "a.png\t7 8\n", "a.png\nb.png 7\n", "\n"] {
            assert_eq!(tabbed(text.as_bytes()), None, "{text:?}");
        }
    }
}
