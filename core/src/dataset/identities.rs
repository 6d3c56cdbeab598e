//! Who is on the pictures, as a study says it: by a column of the label CSV, by the folder an image is in, or by a table of its
//! own (`image,identity`, with a header or without).

use super::matching::three;
use crate::domain::{
    Fault, Result,
    image::{Column, Images, Labels},
    missing::is_usual,
    nearest::suggestion,
    study::Identities,
    text::{count, is_steering, printable, shorten},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Whether it is known who is on the pictures of the evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum People {
    /// Nobody says: every image is taken for another person, which may be wrong.
    #[default]
    Unknown,
    /// The study says that every image shows another person.
    EachImage,
    Known,
}

/// What is said while nobody knows who is on the pictures.
pub const UNKNOWN: &str = "identities are not known, so every image is taken for another person: intervals, halves and folds assume that no person occurs twice";
/// And what to do about it.
pub const SAY: &str = "`identities:` of the data set says who is who; `identities: each_image` says that no person occurs twice";

/// Identities that were read, and what is to be told of them.
#[derive(Debug, Default)]
pub struct Found {
    pub column: Column,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

/// Identities of these images, where the study says where they stand; `None` where it says nothing, or that each image has its own.
///
/// # Errors
/// A column or file that is not there, or is of other images.
pub fn said(identities: &Identities, images: &Images, labels: &mut Labels, table: Option<&Path>) -> Result<Option<Found>> {
    let mut found = match identities {
        Identities::Unsaid | Identities::EachImage => return Ok(None),
        Identities::Folder => {
            let folder = |id: &str| Some((id.to_owned(), id.rsplit_once('/')?.0.to_owned()));
            Found { column: images.ids().filter_map(folder).collect(), ..Found::default() }
        }
        Identities::Column(name) => {
            let names: Vec<String> = labels.names().map(str::to_owned).collect();
            // Who somebody is, is no attribute: it is counted and compared nowhere else.
            let column = labels.remove(name).ok_or_else(|| {
                let known: Vec<&str> = names.iter().map(String::as_str).chain(["each_image", "folder"]).collect();
                let fault = Fault::asked(format!("identities: the label CSV has no column `{name}`"));
                fault.in_file(table.unwrap_or(Path::new(""))).next(suggestion(name, &known))
            })?;
            Found { column: column.restricted(images), ..Found::default() }
        }
        Identities::File(path) => of_file(path, images)?,
    };
    let without: Vec<&str> = images.ids().filter(|id| found.column.get(id).is_none()).collect();
    if !without.is_empty() {
        let verb = if without.len() == 1 { "is" } else { "are" };
        found.warnings.push(format!(
            "{} of {} {verb} without identity, such as `{}`: each is taken for a person of its own",
            without.len(),
            count(images.len(), "image"),
            without[0]
        ));
    }
    Ok(Some(found))
}

fn of_file(path: &Path, images: &Images) -> Result<Found> {
    let bytes = std::fs::read(path).map_err(|error| Fault::io("read the identities", path, &error))?;
    let known: BTreeSet<&str> = images.ids().collect();
    parse(path, &bytes, &known)
}

/// Notes reach pages that are handed out: no folder of this machine is told.
fn name_of(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

struct Row {
    line: usize,
    image: String,
    identity: String,
}

fn parse(path: &Path, bytes: &[u8], known: &BTreeSet<&str>) -> Result<Found> {
    let mut rows = rows(path, bytes)?;
    let mut notes = Vec::new();
    let heads = ["image", "image_id", "id", "file", "filename", "path", "name"];
    if let Some(first) = rows.first()
        && !known.contains(first.image.as_str())
        && (heads.contains(&first.image.to_lowercase().as_str()) || rows.iter().any(|row| known.contains(row.image.as_str())))
    {
        let first = rows.remove(0);
        notes.push(format!(
            "{}: the first line, `{},{}`, is taken for a header",
            name_of(path),
            shorten(&first.image, 40),
            shorten(&first.identity, 40)
        ));
    }
    let total = rows.len();
    let mut of: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows.iter().filter(|row| known.contains(row.image.as_str())) {
        if let Some(before) = of.insert(&row.image, row)
            && before.identity != row.identity
        {
            let what = format!(
                "the image `{}` has two identities: `{}` in line {}, and here `{}`",
                row.image, before.identity, before.line, row.identity
            );
            return Err(Fault::asked(what).at(path, row.line, 1).next("keep one of the two rows"));
        }
    }
    if of.is_empty() {
        let named: Vec<&str> = rows.iter().map(|row| row.image.as_str()).collect();
        let what = format!(
            "the identity file is of other images: it names {}, the data set has {}",
            three(named),
            three(known.iter().copied())
        );
        return Err(Fault::asked(what)
            .in_file(path)
            .next("name the file of these images, or spell their ids as the data set does: paths relative to its folder"));
    }
    let others = total - of.len();
    if others > 0 {
        notes.push(format!(
            "{}: {others} of {} are of images that are not evaluated; they are left out",
            name_of(path),
            count(total, "row")
        ));
    }
    let column =
        of.into_values().filter(|row| !is_usual(&row.identity)).map(|row| (row.image.clone(), row.identity.clone())).collect();
    Ok(Found { column, warnings: vec![], notes })
}

/// The rows of a table with commas, semicolons or tabs between its two columns, or spaces as in identity_CelebA.txt.
fn rows(path: &Path, bytes: &[u8]) -> Result<Vec<Row>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::asked("the identity file is not UTF-8 text").at(path, line, 1)
    })?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let fields: Vec<(usize, Vec<String>)> = match [',', '\t', ';'].into_iter().find(|between| first.contains(*between)) {
        Some(between) => {
            let mut reader = csv::ReaderBuilder::new();
            let reader = reader.has_headers(false).flexible(true).trim(csv::Trim::All).delimiter(between as u8);
            let record = |record: csv::Result<csv::StringRecord>| {
                let record = record.map_err(|error| Fault::asked(format!("the identity file: {error}")).in_file(path))?;
                let line = record.position().map_or(1, csv::Position::line) as usize;
                Ok((line, record.iter().map(str::to_owned).collect()))
            };
            reader.from_reader(text.as_bytes()).into_records().map(record).collect::<Result<_>>()?
        }
        None => {
            let split = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            text.lines().enumerate().map(|(at, line)| (at + 1, split(line))).collect()
        }
    };
    let mut rows = Vec::new();
    for (line, mut fields) in fields {
        if fields.iter().all(String::is_empty) {
            continue;
        }
        let shown = || shorten(&printable(&fields.join(",")), 60);
        if let Some(field) = fields.iter().find(|field| field.chars().any(is_steering)) {
            let what = format!("control characters in `{}`", shorten(&printable(field), 60));
            return Err(Fault::asked(what).at(path, line, 1).next("remove them: ids and names are one visible line each"));
        }
        if fields.len() != 2 || fields[0].is_empty() {
            let what = format!("a row of identities has two fields, image and identity; this one is `{}`", shown());
            return Err(Fault::asked(what).at(path, line, 1));
        }
        let (identity, image) = (fields.remove(1), super::tables::plain_id(&fields[0]).into_owned());
        rows.push(Row { line, image, identity });
    }
    if rows.is_empty() {
        return Err(Fault::asked("the identity file is empty").in_file(path));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["a.png", "b.png", "x/c d.png"];

    fn parsed(text: &str) -> Result<Found> {
        parse(Path::new("who.csv"), text.as_bytes(), &IDS.into())
    }

    #[test]
    fn tables_of_any_style_are_one_column() {
        let expected: Column = [("a.png", "ann"), ("b.png", "bob"), ("x/c d.png", "ann")].into_iter().collect();
        for text in [
            "image,identity\na.png,ann\nb.png,bob\nx/c d.png,ann\n",
            "a.png,ann\nb.png,bob\nx/c d.png,ann",
            "\u{feff}Picture;Who\r\na.png;ann\r\nb.png;bob\r\n\r\n\"x/c d.png\";ann\r\n",
            "a.png\tann\nx/c d.png\tann\nb.png \t bob\nother.png\teve\n",
        ] {
            let found = parsed(text).unwrap();
            assert_eq!(found.column, expected, "{text}");
        }
        assert_eq!(parsed("a.png 7\nb.png 8\n").unwrap().column, [("a.png", "7"), ("b.png", "8")].into_iter().collect());
        assert!(parsed("Picture,Who\na.png,ann\n").unwrap().notes[0].contains("`Picture,Who`, is taken for a header"));
        assert!(parsed("a.png,ann\nz.png,eve\n").unwrap().notes[0].contains("1 of 2 rows are of images that are not evaluated"));
    }

    #[test]
    fn a_first_row_is_never_lost_and_nobody_is_nobody() {
        let found = parsed("b.png,bob\na.png,NA\nx/c d.png,\n").unwrap();
        assert_eq!(found.column, [("b.png", "bob")].into_iter().collect());
        // Were these names, two images of nobody would be of one person.
        let found = parsed("b.png,bob\na.png,<NA>\nx/c d.png,-nan\n").unwrap();
        assert_eq!(found.column, [("b.png", "bob")].into_iter().collect());
    }

    #[test]
    fn what_cannot_be_used_is_placed_and_shown_beside_the_images() {
        let told = |text: &str| parsed(text).unwrap_err().to_string();
        let other = told("image,identity\nq1.jpg,1\nq2.jpg,2\nq3.jpg,3\nq4.jpg,4\n");
        assert!(
            other.contains("it names `q1.jpg`, `q2.jpg`, `q3.jpg`, …, the data set has `a.png`, `b.png`, `x/c d.png`"),
            "{other}"
        );
        assert!(told("a.png,ann\nb.png,bob\na.png,eve\n").contains("who.csv:3:1"));
        assert!(told("a.png,ann\nb.png\n").contains("who.csv:2:1"));
        assert!(told("a.png,ann,tall\n").contains("two fields"));
        assert!(told(" \n\n").contains("empty"));
    }

    #[test]
    fn folders_and_columns_say_who_is_who() {
        let images = Images(IDS.iter().map(|id| ((*id).to_owned(), None)).collect());
        let mut labels: Labels = [("person", [("a.png", "1"), ("z.png", "2")].into_iter().collect())].into_iter().collect();
        let found = said(&Identities::Folder, &images, &mut labels, None).unwrap().unwrap();
        assert_eq!(found.column, [("x/c d.png", "x")].into_iter().collect());
        assert!(found.warnings[0].contains("2 of 3 images are without identity, such as `a.png`"));
        let misspelt = said(&Identities::Column("persn".into()), &images, &mut labels, Some(Path::new("l.csv"))).unwrap_err();
        assert!(misspelt.to_string().contains("did you mean `person`?"), "{misspelt}");
        let found = said(&Identities::Column("person".into()), &images, &mut labels, None).unwrap().unwrap();
        assert_eq!(found.column, [("a.png", "1")].into_iter().collect());
        assert!(!labels.contains("person"), "it is no attribute");
        assert!(said(&Identities::EachImage, &images, &mut labels, None).unwrap().is_none());
    }
}
