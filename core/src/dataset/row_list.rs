//! The images of the rows of given features: a list, one id a line, or the column of a table that names images. What counts is
//! the order of the rows, so none is passed over silently.

use super::{
    defects::Note,
    tables::{TableLayout, TableReader, plain_id},
};
use crate::domain::{
    Fault, Result,
    image::ImageIndex,
    spelling::suggestion,
    text::{printable, shorten, thousands},
};
use std::{collections::BTreeMap, io::Cursor, path::Path};

/// The ids of the rows of given features.
#[derive(Debug, Default)]
pub struct GivenRows {
    /// Id → row, from 0.
    rows: BTreeMap<String, usize>,
    /// The line of each row.
    lines: Vec<usize>,
    /// The first line as it is shown, where it was taken for a header.
    header: Option<String>,
    /// Whether each row has 1 in the column that marks images, where one does.
    chosen: Vec<bool>,
    pub notes: Vec<Note>,
}

impl GivenRows {
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn has(&self, id: &str) -> bool {
        self.rows.contains_key(id)
    }

    pub fn row(&self, id: &str) -> Option<usize> {
        self.rows.get(id).copied()
    }

    /// Sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Each id with its line.
    pub fn in_order(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut ids = vec![""; self.len()];
        self.rows.iter().for_each(|(id, row)| ids[*row] = id);
        ids.into_iter().zip(self.lines.iter().copied())
    }

    /// What to do where an array has another number of rows.
    pub fn hint(&self, rows: usize) -> String {
        match (&self.header, self.in_order().next()) {
            (Some(header), _) if rows == self.len() + 1 => {
                format!(
                    "the first line, `{header}`, was taken for a header; if it names an image, write a header above it: image_id"
                )
            }
            (None, Some((first, _))) if rows + 1 == self.len() => {
                format!("is the first line, `{}`, a header? Call the column of ids `image_id`", shorten(&printable(first), 60))
            }
            _ => "the list of images names each row: one id a line, or a CSV with a column of them".to_owned(),
        }
    }
}

/// An order of images, as a file lists them.
#[derive(Debug, Default)]
pub struct ListedImages {
    /// Each once, at its first place.
    pub ids: Vec<String>,
    /// Rows of images that were there before.
    pub repeated: usize,
    /// How the file was read, for people.
    pub notes: Vec<Note>,
}

/// What is done with an id that is there twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Refused,
    Counted,
}

/// Reads the ids of rows. `known`: images of the evaluation, which tell a list from a table, and a header from an image.
///
/// # Errors
/// A file that is no list, a line without an id among the others, an id that is there twice.
pub fn read_rows(bytes: &[u8], path: &Path, known: Option<&ImageIndex>) -> Result<GivenRows> {
    read(bytes, path, known, Repeated::Refused, None).map(|(rows, _)| rows)
}

/// Reads images in an order: a list, or the column of a table that names images. An image that is there twice counts once. `marked`: the table's column
/// that has 1 for the images that are meant, and 0 or nothing for others, as an explorer saves a selection.
///
/// # Errors
/// A file that is no list, a line without an id among the others; a column that is not there, or has other values, or marks nothing.
pub fn read_order(bytes: &[u8], path: &Path, known: Option<&ImageIndex>, marked: Option<&str>) -> Result<ListedImages> {
    let (mut rows, repeated) = read(bytes, path, known, Repeated::Counted, marked)?;
    if let Some(column) = marked {
        let chosen = rows.chosen.iter().filter(|is| **is).count();
        if chosen == 0 {
            return Err(Fault::asked(format!("no image has 1 in the column `{}`", printable(column))).in_file(path));
        }
        let what = format!("the {} with 1 in `{}` are taken, of {}", thousands(chosen), printable(column), thousands(rows.len()));
        rows.notes.retain(|note| note.word != "other-columns");
        rows.notes.push(Note::new("selection", chosen, &what).at(1, 1));
    }
    let is_taken = |row: usize| marked.is_none() || rows.chosen[row];
    let ids = rows.in_order().enumerate().filter(|(row, _)| is_taken(*row)).map(|(_, (id, _))| id.to_owned()).collect();
    Ok(ListedImages { ids, repeated, notes: rows.notes })
}

/// The rows, and how many were passed over because their image was there before.
fn read(
    bytes: &[u8],
    path: &Path,
    known: Option<&ImageIndex>,
    again: Repeated,
    marked: Option<&str>,
) -> Result<(GivenRows, usize)> {
    let empty = || {
        let of = if again == Repeated::Refused { ": there are features of 0 images" } else { "" };
        Fault::asked(format!("the list of images is empty{of}")).in_file(path)
    };
    if bytes.trim_ascii().is_empty() {
        return Err(empty());
    }
    let layout = TableLayout::of_list(path, &mut &bytes[..], known)?;
    let mut reader = TableReader::new(path, Box::new(Cursor::new(bytes.to_vec())), layout.separator, layout.skip)?;
    let is_table = layout.width > 1;
    let mut found = GivenRows { notes: notes(&layout), ..GivenRows::default() };
    let mut follows = 1 + usize::from(layout.skip > 0);
    let (mut header, mut repeated) = (layout.header.is_some(), 0);
    let names = layout.header.clone().unwrap_or_default();
    let absent = |column: &str| {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        Fault::asked(format!("the table has no column `{}`", printable(column))).in_file(path).next(suggestion(column, &known))
    };
    let place = |column: &str| names.iter().position(|name| name == column).ok_or_else(|| absent(column));
    let marks = marked.map(place).transpose()?;
    while let Some(row) = reader.next()? {
        // Lines without anything may stand at the end; among others one may be an image's that has lost its name.
        if row.is_empty() {
            continue;
        }
        if row.line > follows {
            return Err(Fault::asked("an empty line in the list of images").at(path, follows, 1));
        }
        follows = row.end();
        let shown = || (0..row.len()).map(|place| row.shown(place)).collect::<Vec<_>>().join(",");
        if std::mem::take(&mut header) {
            let shown = shorten(&shown(), 60);
            let what = format!("the first line, `{shown}`, is taken for a header");
            found.notes.push(Note::new("header", 1, &what).at(row.line, 1));
            found.header = Some(shown);
            continue;
        }
        if row.len() < layout.width || (layout.width..row.len()).any(|place| !row.field(place).is_empty()) {
            let what = format!("{} fields where the first line has {}", row.len(), layout.width);
            return Err(row.wrong(0, what).next("a field that holds a comma stands in double quotes"));
        }
        let id = plain_id(row.name(layout.id)?).into_owned();
        if again == Repeated::Counted && found.has(&id) {
            repeated += 1;
            continue;
        }
        let before = found.rows.insert(id, found.lines.len());
        if let Some(before) = before {
            let what = format!("the image `{}` is listed twice: first in line {}", row.shown(layout.id), found.lines[before]);
            return Err(Fault::asked(what).at(path, row.line, if is_table { row.column(layout.id) } else { 1 }));
        }
        found.lines.push(row.line);
        if let Some(place) = marks {
            let mark = row.field(place);
            if ![&b""[..], b"0", b"1"].contains(&mark) {
                return Err(row.wrong(place, format!("`{}` is neither 1 nor 0", row.shown(place))));
            }
            found.chosen.push(mark == b"1");
        }
    }
    if found.lines.is_empty() { Err(empty()) } else { Ok((found, repeated)) }
}

/// What is worth knowing of how a list is read.
fn notes(layout: &TableLayout) -> Vec<Note> {
    // A list of names needs no header.
    let mut notes: Vec<Note> =
        layout.notes.iter().filter(|note| layout.width > 1 || note.word == "byte-order-mark").cloned().collect();
    let others: Vec<usize> = (0..layout.width).filter(|place| *place != layout.id && Some(*place) != layout.counts).collect();
    if !others.is_empty() {
        let name = |place: &usize| layout.header.as_ref().map_or(format!("{}", place + 1), |names| names[*place].clone());
        let names: Vec<String> = others.iter().map(name).collect();
        let what = format!("other columns of the list of images are left out: {}", shorten(&printable(&names.join(", ")), 60));
        notes.push(Note::new("other-columns", others.len(), &what).at(1, 1));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["a.png", "b.png", "x/c, d.png"];

    fn with(text: &str, known: &[&str]) -> Result<GivenRows> {
        let known = ImageIndex::from_sorted(known.iter().copied()).unwrap();
        read_rows(text.as_bytes(), Path::new("rows.txt"), Some(&known).filter(|known| !known.is_empty()))
    }

    fn read(text: &str) -> Vec<String> {
        with(text, &IDS).unwrap().in_order().map(|(id, line)| format!("{id}:{line}")).collect()
    }

    fn words(rows: &GivenRows) -> Vec<&str> {
        rows.notes.iter().map(|note| note.word.as_str()).collect()
    }

    #[test]
    fn lists_keep_their_order_whatever_ends_their_lines() {
        for text in [
            "b.png\na.png\nx/c, d.png",
            "\u{feff}b.png\r\n./a.png\r\nx\\c, d.png\r\n\r\n",
            " b.png \n\"a.png\"\n\"x/c, d.png\"\n\n \n",
        ] {
            assert_eq!(read(text), ["b.png:1", "a.png:2", "x/c, d.png:3"], "{text:?}");
        }
        // Every name holds a comma.
        assert_eq!(read("x/c, d.png\nx/e, f.png\n"), ["x/c, d.png:1", "x/e, f.png:2"]);
        assert_eq!(with("b.png\na.png\n", &[]).unwrap().notes, []);
    }

    #[test]
    fn the_column_that_names_images_is_found_and_the_others_are_left_out() {
        let table = with("index,Image Path,x\n0,b.png,\"1,5\"\n1,a.png,\n", &IDS).unwrap();
        assert_eq!(table.in_order().collect::<Vec<_>>(), [("b.png", 2), ("a.png", 3)]);
        assert_eq!(words(&table), ["id-column", "other-columns", "header"]);
        assert!(table.notes[1].what.ends_with("are left out: index, x"), "{}", table.notes[1].what);
        assert_eq!(read("b.png;1\na.png;2\n\"x/c, d.png\";3\n"), ["b.png:1", "a.png:2", "x/c, d.png:3"]);
        // As pandas writes a column, and an index.
        for text in [",0\n0,b.png\n1,a.png\n", ",image_id\n0,b.png\n1,a.png\n", "0\nb.png\na.png\n"] {
            assert_eq!(read(text), ["b.png:2", "a.png:3"], "{text:?}");
        }
    }

    #[test]
    fn a_first_row_is_lost_only_where_it_can_be_no_image_and_that_is_said() {
        let headed = with("Faces\nb.png\na.png\n", &IDS).unwrap();
        assert_eq!((headed.len(), words(&headed)), (2, vec!["header"]));
        assert!(headed.notes[0].what.contains("`Faces`, is taken for a header"));
        assert!(headed.hint(3).contains("`Faces`, was taken for a header"));
        assert_eq!(with("image_id\n1\n2\n", &["1"]).unwrap().len(), 2);
        // Images of which others are evaluated, and one that is called so.
        for (text, known) in
            [("n1\nn2\nn3\n", &["n3"][..]), ("z.png\na.png\n", &["a.png"]), ("image\na.png\n", &["a.png", "image"])]
        {
            let rows = with(text, known).unwrap();
            assert_eq!((rows.len(), words(&rows)), (text.lines().count(), vec![]), "{text}");
        }
        assert!(with("who\nn2\nn3\n", &["n2", "n3"]).unwrap().hint(2).contains("is the first line, `who`, a header?"));
    }

    #[test]
    fn an_order_has_each_image_once_whatever_the_column_of_images_is_called() {
        let known = ImageIndex::from_sorted(IDS).unwrap();
        let order = |text: &str| read_order(text.as_bytes(), Path::new("lasso.csv"), Some(&known), None);
        let listed = order("row,Image Path,x\n0,b.png,1\n1,a.png,2\n2,./b.png,3\n3,other.png,4\n").unwrap();
        assert_eq!((listed.ids, listed.repeated), (["b.png", "a.png", "other.png"].map(str::to_owned).to_vec(), 1));
        assert_eq!(order("a.png\nb.png\n").unwrap().ids, ["a.png", "b.png"]);
        // What an explorer saves: those that were chosen.
        let chosen = |text: &str| read_order(text.as_bytes(), Path::new("lasso.csv"), Some(&known), Some("Chosen"));
        let listed = chosen("image_id,Chosen\na.png,0\nb.png,1\n\"x/c, d.png\",\n").unwrap();
        assert_eq!((listed.ids, listed.notes.last().unwrap().word.as_str()), (vec!["b.png".to_owned()], "selection"));
        for (text, why) in [
            ("image_id,Chosen\na.png,0\nb.png,\n", "no image has 1 in the column `Chosen`"),
            ("image_id,Chosen\na.png,1\nb.png,2\n", "`2` is neither 1 nor 0"),
            ("image_id,n\na.png,1\nb.png,0\n", "the table has no column `Chosen`"),
            ("a.png\nb.png\n", "the table has no column `Chosen`"),
        ] {
            assert!(chosen(text).unwrap_err().what.contains(why), "{text}");
        }
        assert!(order("x,y\n1,2\n").unwrap_err().what.contains("no column names the images"));
        assert_eq!(order("image_id\n").unwrap_err().what, "the list of images is empty");
    }

    #[test]
    fn what_is_no_list_is_refused_with_its_line() {
        let told = |text: &str| with(text, &IDS).unwrap_err().to_string();
        assert!(told("a.png\n\nb.png\n").contains("rows.txt:2:1") && told("\na.png\n").contains("rows.txt:1:1"));
        assert!(told("a.png\nb.png\n./a.png\n").contains("listed twice: first in line 1"));
        assert!(told("image_id,x\na.png,1\nb.png,1\na.png,1\n").contains("rows.txt:4:1"));
        assert!(told("a.png\n\"b\nc.png\"\n").contains("control characters"), "a quote that takes a line with it");
        assert!(told(" \n\n").contains("features of 0 images") && told("image_id\n").contains("features of 0 images"));
        assert!(with("x,y\n1,2\n", &IDS).unwrap_err().what.contains("no column names the images"));
    }
}
