//! Who is on the pictures, as a study says it: by a column of the label CSV, by the folder an image is in, or by a table of its
//! own (`image,identity`, with a header or without).

use super::{
    defects::name_of,
    tables::{ImageTable, Repeated, TableLayout, TableReader, misfit, plain, tabbed, three},
};
use crate::domain::{
    Fault, Result,
    image::{Column, ImageIndex, Images, Labels},
    missing::is_usual,
    spelling::suggestion,
    study::Identities,
    text::{count, printable, shorten},
};
use std::{io::Cursor, path::Path};

/// Whether it is known who is on the pictures of the evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum People {
    /// Nobody says: every image is taken for another person, which may be wrong.
    #[default]
    Unknown,
    /// The study says that every image shows another person.
    EachImage,
    /// A column, a folder or a table says who is on each image.
    Known,
}

/// What is said while nobody knows who is on the pictures.
pub const UNKNOWN: &str = "identities are not known, so every image is taken for another person: intervals, halves and folds assume that no person occurs twice";
/// And what to do about it.
pub const SAY: &str = "`identities:` of the data set says who is who; `identities: each_image` says that no person occurs twice";

/// Identities that were read, and what is to be told of them.
#[derive(Debug, Default)]
pub(super) struct IdentityColumn {
    pub column: Column,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

/// Identities of these images, where the study says where they stand; `None` where it says nothing, or that each image has its own.
///
/// # Errors
/// A column or file that is not there, or is of other images.
pub(super) fn said(
    identities: &Identities,
    images: &Images,
    labels: &mut Labels,
    table: Option<&Path>,
) -> Result<Option<IdentityColumn>> {
    let mut found = match identities {
        Identities::Unsaid | Identities::EachImage => return Ok(None),
        Identities::Folder => {
            let folder = |id: &str| Some((id.to_owned(), id.rsplit_once('/')?.0.to_owned()));
            IdentityColumn { column: images.ids().filter_map(folder).collect(), ..IdentityColumn::default() }
        }
        Identities::Column(name) => {
            let names: Vec<String> = labels.names().map(str::to_owned).collect();
            // Who somebody is, is no attribute: it is counted and compared nowhere else.
            let column = labels.remove(name).ok_or_else(|| {
                let known: Vec<&str> = names.iter().map(String::as_str).chain(["each_image", "folder"]).collect();
                let fault = Fault::asked(format!("identities: the label CSV has no column `{name}`"));
                fault.in_file(table.unwrap_or(Path::new(""))).next(suggestion(name, &known))
            })?;
            IdentityColumn { column: column.restricted(images), ..IdentityColumn::default() }
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

fn of_file(path: &Path, images: &Images) -> Result<IdentityColumn> {
    let bytes = crate::files::read_up_to(path, crate::files::LARGEST_TEXT)
        .map_err(|error| Fault::io("read the identities", path, &error))?;
    parse(path, bytes, images)
}

/// A table with a row an image, of which one column says who is on it: separated by commas, semicolons or tabs, or by blanks as
/// in identity_CelebA.txt.
fn parse(path: &Path, bytes: Vec<u8>, images: &Images) -> Result<IdentityColumn> {
    let empty = || Fault::asked("the identity file is empty: it names no image").in_file(path);
    if bytes.trim_ascii().is_empty() {
        return Err(empty());
    }
    let known = ImageIndex::from_sorted(images.ids()).unwrap_or_default();
    let of_blanks = tabbed(&bytes);
    let is_of_blanks = of_blanks.is_some();
    let bytes = of_blanks.unwrap_or(bytes);
    let mut layout = TableLayout::found(path, &mut &bytes[..], Some(&known))?;
    if is_of_blanks {
        layout.notes.retain(|note| note.word != "separator");
    }
    let reader = TableReader::new(path, Box::new(Cursor::new(bytes)), layout.separator, layout.skip)?;
    // Without a header, another column than the only one cannot be told.
    let names: &[&str] = if layout.width == 2 { &["identity"] } else { &[] };
    let mut table = ImageTable::of(reader, path, &layout, names)?;
    let repeated = std::mem::take(&mut table.repeated);
    if let Some(fault) = table.first_fault() {
        return Err(fault);
    }
    if table.images.is_empty() {
        return Err(empty());
    }
    let mut notes: Vec<String> = table.notes.iter().map(|note| note.told(path)).collect();
    if let Some(header) = &layout.header {
        let header = shorten(&printable(&header.join(",")), 60);
        notes.push(format!("{}: the first line, `{header}`, is taken for a header", name_of(path)));
    }
    let name = column_of_identities(path, &layout, &table, &mut notes)?;
    if let Some(fault) = table.unusable.get(&name) {
        return Err(fault.clone());
    }
    let is_known = |image: &str| known.row(image).is_some();
    for Repeated { image, first, again, differs } in repeated.iter().filter(|row| is_known(&row.image)) {
        if let Some((_, [one, other])) = differs.iter().find(|(column, _)| *column == name) {
            let what = format!("the image `{image}` has two identities: `{one}` in line {first}, and here `{other}`");
            return Err(Fault::asked(what).at(path, *again, 1).next("keep one of the two rows"));
        }
    }
    if !table.images.iter().any(is_known) {
        let (sides, next) = misfit(table.images.iter(), known.iter(), "the data set has");
        return Err(Fault::asked(format!("the identity file is of other images: {sides}")).in_file(path).next(next));
    }
    let rows = || table.images.iter().chain(repeated.iter().map(|row| row.image.as_str()));
    let others = rows().filter(|image| !is_known(image)).count();
    if others > 0 {
        notes.push(format!(
            "{}: {others} of {} are of images that are not evaluated; they are left out",
            name_of(path),
            count(rows().count(), "row")
        ));
    }
    let value = |word: &str| (!is_usual(word)).then(|| word.to_owned());
    let cells = table.columns.iter().find(|cells| cells.name == name);
    let column = cells.map(|cells| table.labels(cells, value).restricted(images)).unwrap_or_default();
    Ok(IdentityColumn { column, warnings: vec![], notes })
}

/// What people call the column of identities, less blanks, `-` and `_`; of several the first here.
const NAMES: [&str; 13] = [
    "identity",
    "identityid",
    "identities",
    "person",
    "personid",
    "people",
    "subject",
    "subjectid",
    "individual",
    "idname",
    "classid",
    "who",
    "name",
];

/// The column that says who is on an image: the only one there is, or the one that is called so.
fn column_of_identities(path: &Path, layout: &TableLayout, table: &ImageTable, notes: &mut Vec<String>) -> Result<String> {
    let columns: Vec<&String> = table.columns.iter().map(|cells| &cells.name).chain(table.unusable.keys()).collect();
    let refused = |what: &str, next: &str| Err(Fault::asked(what).at(path, 1, 1).next(next));
    let shown = || three(columns.iter().map(|name| name.as_str()));
    match (&columns[..], &layout.header) {
        ([only], _) => return Ok((*only).clone()),
        ([], _) if layout.width == 1 => {
            return refused(
                "the identity file has one column, and needs two: image and identity",
                "write a row an image: image,identity",
            );
        }
        ([], _) => {
            let what = format!("which of the {} columns is the identity cannot be told: there is no header", layout.width);
            return refused(&what, "write a line above that names the columns, or leave two: image_id,identity");
        }
        _ => {}
    }
    let Some(name) = NAMES.iter().find_map(|known| columns.iter().find(|name| plain(name) == **known)) else {
        let what = format!("which column of the identity file is the identity cannot be told: {}", shown());
        return refused(&what, "call it `identity`");
    };
    notes.push(format!(
        "{}: the column `{}` says who is who; {} left out: {}",
        name_of(path),
        printable(name),
        if columns.len() == 2 { "another is" } else { "others are" },
        three(columns.iter().map(|name| name.as_str()).filter(|other| *other != name.as_str()))
    ));
    Ok((*name).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["a.png", "b.png", "x/c d.png"];

    fn parsed(text: &str) -> Result<IdentityColumn> {
        let images = Images(IDS.iter().map(|id| ((*id).to_owned(), None)).collect());
        parse(Path::new("who.csv"), text.as_bytes().to_vec(), &images)
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
        let noted = |text: &str, words: &str| parsed(text).unwrap().notes.iter().any(|note| note.contains(words));
        assert!(noted("Picture,Who\na.png,ann\n", "who.csv: the first line, `Picture,Who`, is taken for a header"));
        assert!(noted("a.png,ann\nz.png,eve\n", "1 of 2 rows are of images that are not evaluated"));
        assert!(!parsed("a.png ann\nb.png  bob \n").unwrap().notes.concat().contains("tabs"));
    }

    #[test]
    fn the_column_of_images_may_be_any_and_that_of_people_is_the_other_or_called_so() {
        let expected: Column = [("a.png", "Lee, Ann"), ("b.png", "bob")].into_iter().collect();
        for text in [
            "identity,image\n\"Lee, Ann\",a.png\nbob,b.png\n",
            "\"Lee, Ann\",a.png\nbob,b.png\n",
            "Who;Image Path\nLee, Ann;a.png\nbob;./b.png\n",
            "age,image_id,Person\n30,a.png,\"Lee, Ann\"\n40,b.png,bob\n",
            ",name,file,Person-ID\n0,x,a.png,\"Lee, Ann\"\n1,x,b.png,bob\n",
        ] {
            assert_eq!(parsed(text).unwrap().column, expected, "{text}");
        }
        let notes = parsed("age,image_id,Person\n30,a.png,ann\n").unwrap().notes.concat();
        assert!(notes.contains("the column `Person` says who is who; another is left out: `age`"), "{notes}");
        let unclear = parsed("image_id,age,city\na.png,30,Rome\n").unwrap_err().to_string();
        assert!(unclear.contains("cannot be told: `age`, `city`") && unclear.contains("call it `identity`"), "{unclear}");
        // What differs in another column is no other person.
        assert_eq!(parsed("image_id,identity,age\na.png,ann,3\na.png,ann,4\n").unwrap().column.len(), 1);
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
            other.contains("here `q1.jpg`, `q2.jpg`, `q3.jpg`, …; the data set has `a.png`, `b.png`, `x/c d.png`"),
            "{other}"
        );
        let two = told("a.png,ann\nb.png,bob\na.png,eve\n");
        assert!(two.contains("who.csv:3:1") && two.contains("`ann` in line 1, and here `eve`"), "{two}");
        assert!(told("a.png,ann\nb.png\n").contains("who.csv:2:1"));
        assert!(told("a.png,a\u{1b}nn\nb.png,bob\n").contains("control characters"));
        assert!(told("a.png,ann,tall\n").contains("there is no header"));
        assert!(told("a.png\nb.png\n").contains("one column"));
        assert!(told(" \n\n").contains("empty") && told("image,identity\n").contains("empty"));
        assert!(told("A.PNG,ann\n").contains("write `A.PNG` as `a.png`"));
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
