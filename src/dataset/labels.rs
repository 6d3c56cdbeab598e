//! Label CSVs: `image_id,<attribute>…`, one row an image; an empty field, `NA` or `?` is a missing label.

use crate::domain::{
    Fault, Result,
    image::{Column, Labels},
    text::{is_steering, printable, shorten},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The labels of a file, and every image id it names (also those without any label).
pub struct LabelTable {
    pub labels: Labels,
    pub images: BTreeSet<String>,
}

pub fn read(path: &Path) -> Result<LabelTable> {
    let bytes = std::fs::read(path).map_err(|error| Fault::io("read the labels", path, &error))?;
    parse(path, bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<LabelTable> {
    // The csv crate counts a CRLF's line before its end: one kind of line end keeps the numbers right.
    let bytes: Vec<u8> = bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte != b'\r' || bytes.get(at + 1) != Some(&b'\n'))
        .map(|(_, byte)| *byte)
        .collect();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes.as_slice());
    let mut header: Option<Vec<String>> = None;
    let mut rows: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line) as usize;
            Fault::asked("this row is not UTF-8 text").at(path, line, 1)
        })?;
        let line = record.position().map_or(1, csv::Position::line);
        let fields: Vec<String> = record.iter().map(|field| field.trim().to_owned()).collect();
        let wrong = |field: usize, what: String| {
            let column = 1 + fields[..field].iter().map(|before| before.chars().count() + 1).sum::<usize>();
            Fault::asked(what).at(path, line as usize, column)
        };
        if let Some(field) = fields.iter().position(|field| field.chars().any(is_steering)) {
            return Err(wrong(field, format!("control characters in `{}`", shorten(&printable(&fields[field]), 60)))
                .next("remove them: ids, names and values are one visible line each"));
        }
        let Some(names) = &header else {
            if fields[0] != "image_id" || fields.len() < 2 {
                return Err(wrong(
                    0,
                    format!("a label file starts `image_id,<attribute>`, this one starts `{}`", shorten(&fields.join(","), 60)),
                ));
            }
            if let Some(field) = (1..fields.len()).find(|&i| fields[i].is_empty() || fields[..i].contains(&fields[i])) {
                let what = if fields[field].is_empty() {
                    "an attribute has no name".to_owned()
                } else {
                    format!("the attribute `{}` is there twice", fields[field])
                };
                return Err(wrong(field, what));
            }
            header = Some(fields);
            continue;
        };
        if fields.len() != names.len() {
            return Err(wrong(0, format!("{} fields where the header has {}", fields.len(), names.len())));
        }
        let id = fields[0].clone();
        if id.is_empty() {
            return Err(wrong(0, "a row without an image id".to_owned()));
        }
        if let Some((before, _)) = rows.get(&id) {
            return Err(
                wrong(0, format!("the image `{id}` is labelled twice: first in line {before}")).next("keep one of the two rows")
            );
        }
        rows.insert(id, (line, fields));
    }
    let Some(names) = header else { return Err(Fault::asked("the label file is empty").in_file(path)) };
    let column = |field: usize| {
        let labelled = rows.iter().map(|(id, (_, fields))| (id.as_str(), fields[field].as_str()));
        normal(labelled.filter(|(_, value)| !matches!(*value, "" | "NA" | "N/A" | "nan" | "NaN" | "?" | "null")).collect())
    };
    let labels = (1..names.len()).map(|field| (names[field].as_str(), column(field))).collect();
    Ok(LabelTable { labels, images: rows.into_keys().collect() })
}

/// A binary column reads `0` and `1` however it was spelled, so that equal labels have equal digests.
fn normal(column: Column) -> Column {
    let spellings = [("-1", "1"), ("false", "true"), ("no", "yes"), ("0", "1"), ("0.0", "1.0"), ("-1.0", "1.0")];
    let lower: BTreeMap<_, _> = column.iter().map(|(id, value)| (id, value.to_lowercase())).collect();
    for (no, yes) in spellings {
        if lower.values().all(|value| value == no || value == yes) {
            return lower.into_iter().map(|(id, value)| (id, if value == yes { "1" } else { "0" })).collect();
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<LabelTable> {
        parse(Path::new("labels.csv"), text.as_bytes())
    }

    #[test]
    fn spellings_of_a_binary_attribute_have_equal_digests() {
        let digest = |text: &str| table(text).unwrap().labels.get("Young").unwrap().digest();
        let zero_one = digest("image_id,Young\na,1\nb,0\nc,\n");
        assert_eq!(zero_one, digest("image_id,Young\r\nc,NA\r\nb,-1\r\na,1\r\n"));
        assert_eq!(zero_one, digest("image_id,Young\na,Yes\nb,no\n"));
        assert_ne!(zero_one, digest("image_id,Young\na,1\nb,1\n"));
    }

    #[test]
    fn line_ends_do_not_move_a_mistake() {
        let place = |text: &str| table(text).err().unwrap().place.unwrap().at;
        assert_eq!(place("image_id,Young\r\na,1\r\nb,1\r\nb,0\r\n"), Some((4, 1)));
    }

    #[test]
    fn mistakes_are_placed() {
        let place = |text: &str| table(text).err().unwrap().place.unwrap().at;
        assert_eq!(place("image,Young\na,1\n"), Some((1, 1)));
        assert_eq!(place("image_id,Young,Young\n"), Some((1, 16)));
        assert_eq!(place("image_id,Young\na,1\na,0\n"), Some((3, 1)));
        assert_eq!(place("image_id,Young\na,1,2\n"), Some((2, 1)));
        assert_eq!(place("image_id,Young\na,\"1\u{1b}[2J\"\n"), Some((2, 3)));
        assert_eq!(place(""), None);
    }
}
