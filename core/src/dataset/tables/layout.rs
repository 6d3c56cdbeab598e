//! How a table of images is laid out: separator, header or none, which column names the images. Found by what the first rows
//! hold and by the images that are known, never taken for granted.

use super::{
    fit::{looks_like_a_picture, plain_id},
    lines::Beginning,
    separator::{regular, separator},
};
use crate::{
    dataset::defects::Note,
    domain::{
        Fault, Result,
        image::ImageIndex,
        text::{printable, shorten},
    },
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io::Read, path::Path};

/// Everything that decides how the bytes of a table are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableLayout {
    pub separator: u8,
    /// Bytes before the first row that are none, behind a byte order mark.
    pub skip: usize,
    /// The names of the columns as the first row has them; `None` where the first row is an image.
    pub header: Option<Vec<String>>,
    /// The column that names the images.
    pub id: usize,
    /// A column that only counts rows.
    pub counts: Option<usize>,
    /// How many columns the first row has.
    pub width: usize,
    pub notes: Vec<Note>,
}

/// Names of the column of image names, less blanks, `-` and `_`; those before the bar say so even where another column fits.
const ID_NAMES: [&str; 17] = [
    "imageid",
    "image",
    "imagename",
    "imagefile",
    "imagepath",
    "img",
    "imgname",
    "imgpath",
    "imgid",
    "filename",
    "file",
    "filepath",
    "path",
    "picture",
    "photo",
    "id",
    "name",
];

/// As many columns as a spreadsheet has.
const MOST_COLUMNS: usize = 16_384;

/// A control character: no field holds it, so a line is one field.
const NO_SEPARATOR: u8 = 0x1f;

/// The name of a column, less what people write it with.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase()
}

/// `0`, `-1.5`: what names of columns are not.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

impl TableLayout {
    /// # Errors
    /// A file that is no table, or none of whose columns can be told to name images.
    pub(crate) fn of(path: &Path, known: Option<&ImageIndex>) -> Result<Self> {
        let mut file = crate::files::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
        Self::found(path, &mut file, known)
    }

    pub(crate) fn found(path: &Path, from: &mut impl Read, known: Option<&ImageIndex>) -> Result<Self> {
        Self::with(path, from, known, separator)
    }

    /// The layout of a list of images: one a line, whatever is in it, or a table that is one row after row.
    ///
    /// # Errors
    /// As [`TableLayout::of`].
    pub(crate) fn of_list(path: &Path, from: &mut impl Read, known: Option<&ImageIndex>) -> Result<Self> {
        Self::with(path, from, known, |sample, whole| {
            let is_known = |line: &str| known.is_some_and(|known| known.row(&plain_id(line.trim())).is_some());
            // The name of an image may hold commas.
            let is_list = String::from_utf8_lossy(sample).split(['\r', '\n']).any(is_known);
            regular(sample, whole).filter(|_| !is_list).unwrap_or(NO_SEPARATOR)
        })
    }

    fn with(
        path: &Path,
        from: &mut impl Read,
        known: Option<&ImageIndex>,
        separator: impl Fn(&[u8], bool) -> u8,
    ) -> Result<Self> {
        let Beginning { mut sample, whole, mark } = Beginning::of(path, from)?;
        let mut notes = Vec::new();
        if mark {
            notes.push(Note::new("byte-order-mark", 1, "the file begins with a byte order mark: it is passed over").at(1, 1));
        }
        let (skip, said) = separator_line(&sample);
        sample.drain(..skip);
        if skip > 0 {
            notes.push(Note::new("separator-line", 1, "the first line says how fields are separated: it is no row").at(1, 1));
        }
        let separator = said.unwrap_or_else(|| separator(&sample, whole));
        if let Some(word) =
            [(b';', "semicolons"), (b'\t', "tabs")].iter().find_map(|(of, word)| (*of == separator).then_some(word))
        {
            notes.push(Note::new("separator", 1, &format!("fields are separated by {word}")).at(1, 1));
        }
        let rows = rows(&sample, separator, whole);
        let Some(first) = rows.first() else { return Err(Fault::asked("the table is empty").in_file(path)) };
        if first.len() > MOST_COLUMNS {
            let what = format!("the first line has {} fields, and a table has {MOST_COLUMNS} columns at most", first.len());
            return Err(Fault::asked(what)
                .at(path, 1, 1)
                .next("is the file what its name says? Keep the columns that the study asks for"));
        }
        let here = Here { path, rows: &rows, known, line: if skip > 0 { 2 } else { 1 } };
        let header = here.is_header();
        let counts = (header && first.len() > 1 && (first[0].is_empty() || first[0].starts_with("Unnamed:"))).then_some(0);
        let counts =
            counts.filter(|_| rows[1..].iter().all(|row| row.first().is_none_or(|field| is_number(field) || field.is_empty())));
        let id = here.id(header, counts, &mut notes)?;
        if counts.is_some() {
            notes.push(
                Note::new("index-column", 1, "the first column has no name and counts rows: it is left out").at(here.line, 1),
            );
        }
        if !header {
            notes.push(
                Note::new("no-header", 1, "the table has no header: its first line is read as an image's").at(here.line, 1),
            );
        }
        if !header && id > 0 {
            let what = format!("images are named in column {}, by what it holds", id + 1);
            notes.push(Note::new("id-column", 1, &what).at(here.line, 1));
        }
        let header = header.then(|| first.clone());
        Ok(TableLayout { separator, skip, header, id, counts, width: first.len(), notes })
    }
}

/// `sep=;` as spreadsheets write it: how many bytes, and the separator.
fn separator_line(sample: &[u8]) -> (usize, Option<u8>) {
    match sample {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator @ (b',' | b';' | b'\t'), b'\r', b'\n', ..] => {
            (7, Some(*separator))
        }
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator @ (b',' | b';' | b'\t'), b'\r' | b'\n', ..] => {
            (6, Some(*separator))
        }
        _ => (0, None),
    }
}

/// The first rows, their fields without blanks around.
fn rows(sample: &[u8], separator: u8, whole: bool) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(sample);
    let texts = |row: csv::ByteRecord| row.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
    let mut rows: Vec<Vec<String>> = reader.byte_records().map_while(|row| row.ok().map(texts)).take(1000).collect();
    if !whole && rows.len() > 1 && rows.len() < 1000 {
        rows.pop();
    }
    rows
}

struct Here<'a> {
    path: &'a Path,
    rows: &'a [Vec<String>],
    known: Option<&'a ImageIndex>,
    line: usize,
}

impl Here<'_> {
    fn is_known(&self, name: &str) -> bool {
        self.known.is_some_and(|known| known.row(&plain_id(name)).is_some())
    }

    fn is_image(&self, field: &str) -> bool {
        self.is_known(field) || looks_like_a_picture(field)
    }

    /// Is the first row one of names? Not if it names an image; else if it names no number where the next row does.
    fn is_header(&self) -> bool {
        let first = &self.rows[0];
        if first.iter().any(|field| looks_like_a_picture(field)) {
            return false;
        }
        if first.len() == 1 {
            return self.is_header_of_names(&first[0]);
        }
        // What counts rows has no name.
        if first[0].is_empty()
            && self.rows.len() > 1
            && self.rows[1..].iter().all(|row| row.first().is_some_and(|field| is_number(field)))
        {
            return true;
        }
        if first.iter().any(|field| ID_NAMES[..ID_NAMES.len() - 2].contains(&plain(field).as_str())) {
            return true;
        }
        if first.iter().any(|field| self.is_image(field)) {
            return false;
        }
        let numbers = |row: &[String]| row.iter().filter(|field| is_number(field)).count();
        match self.rows.get(1) {
            Some(second) => numbers(first) == 0 || numbers(first) < numbers(second),
            None => numbers(first) == 0,
        }
    }

    /// Where there is nothing but names, one more is no header unless it says so, or alone does not end as pictures do.
    fn is_header_of_names(&self, first: &str) -> bool {
        let mut others = self.rows[1..].iter().filter_map(|row| row.first()).filter(|name| !name.is_empty()).peekable();
        let alone = others.peek().is_some() && others.all(|name| looks_like_a_picture(name));
        !self.is_known(first) && (alone || ID_NAMES.contains(&plain(first).as_str()))
    }

    /// How many images the rows name in this column.
    fn images(&self, column: usize, skip: usize, is: impl Fn(&str) -> bool) -> usize {
        // An image has a row of its own; people and classes have many, and their numbers may be images' names too.
        self.rows[skip..].iter().filter_map(|row| row.get(column)).filter(|field| is(field)).collect::<BTreeSet<_>>().len()
    }

    fn id(&self, header: bool, counts: Option<usize>, notes: &mut Vec<Note>) -> Result<usize> {
        let first = &self.rows[0];
        let columns = || (0..first.len()).filter(|column| Some(*column) != counts);
        let skip = usize::from(header);
        let named = |name: &&str| columns().find(|&column| header && plain(&first[column]) == **name);
        let named = ID_NAMES.iter().find_map(named);
        let best = |is: &dyn Fn(&str) -> bool| {
            let best = columns().map(|column| (self.images(column, skip, is), std::cmp::Reverse(column))).max();
            best.filter(|(hits, _)| *hits > 0).map(|(_, column)| column.0)
        };
        let fits = |column: &usize| self.images(*column, skip, |field| self.is_known(field)) > 0;
        let pictures = |column: &usize| self.images(*column, skip, looks_like_a_picture) > 0;
        let by_name = named.filter(|column| self.known.is_none() || fits(column));
        let found = by_name
            .or_else(|| best(&|field| self.is_known(field)))
            .or(named.filter(pictures))
            .or_else(|| best(&looks_like_a_picture))
            .or(named)
            // A file of one column, or of names that nobody knows yet, in rows without a header.
            .or_else(|| columns().next().filter(|_| !header || first.len() == 1));
        let Some(column) = found else {
            let start = shorten(&printable(&first.join(",")), 60);
            return Err(Fault::asked(format!("no column names the images: the table starts `{start}`"))
                .at(self.path, self.line, 1)
                .next("call the column of image names `image_id`; a label file starts `image_id,<attribute>`"));
        };
        if header && plain(&first[column]) != "imageid" {
            let name = printable(&first[column]);
            let what = if named == Some(column) {
                format!("images are named in the column `{name}`")
            } else {
                format!("the column `{name}` names the images, by what it holds")
            };
            notes.push(Note::new("id-column", 1, &what).at(self.line, 1));
        }
        Ok(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str, known: &[&str]) -> TableLayout {
        let index = ImageIndex::from_sorted(known.iter().copied()).unwrap();
        TableLayout::found(Path::new("t.csv"), &mut text.as_bytes(), Some(&index).filter(|index| !index.is_empty())).unwrap()
    }

    fn words(layout: &TableLayout) -> Vec<&str> {
        layout.notes.iter().map(|note| note.word.as_str()).collect()
    }

    #[test]
    fn a_first_row_of_data_is_no_header() {
        for text in ["a.jpg,3\nb.jpg,4\n", "000001.jpg,2880\n000002.jpg,2937\n"] {
            assert_eq!(layout(text, &[]).header, None, "{text}");
        }
        assert_eq!(layout("17,3\n18,4\n", &["17", "18"]).header, None);
        assert_eq!(layout("17,asian\n18,white\n", &[]).header, None, "numbers as names, words as values");
        assert!(layout("17,asian\n", &["17"]).notes.iter().any(|note| note.word == "no-header"));
        for text in ["image_id,identity\na.jpg,3\n", "who,face\n3,a.jpg\n", "file;age\na;0,5\n"] {
            assert!(layout(text, &[]).header.is_some(), "{text}");
        }
    }

    #[test]
    fn the_column_of_names_is_found_by_name_and_by_what_it_holds() {
        assert_eq!(layout("filename,x\na,1\n", &[]).id, 0);
        assert_eq!(layout("x,Image Path\n1,a\n", &[]).id, 1);
        // A number a row called `image_id`, and the names elsewhere.
        let by_content = layout("image_id,who\n1,a.png\n2,b.png\n", &["a.png", "b.png"]);
        assert_eq!((by_content.id, words(&by_content)), (1, vec!["id-column"]));
        let index = layout(",image_id,x\n0,a,1\n1,b,0\n", &[]);
        assert_eq!((index.id, index.counts, words(&index)), (1, Some(0), vec!["index-column"]));
        let unnamed = layout("Unnamed: 0,x,face\n0,1,a.png\n", &[]);
        assert_eq!((unnamed.id, unnamed.counts), (2, Some(0)));
        // People's numbers may be names of images too, but they are fewer.
        assert_eq!(layout("1,11\n1,12\n2,13\n1,3\n2,2\n", &["1", "11", "12", "2", "3"]).id, 1);
        // A first column without a name that names the images.
        assert_eq!(layout(",x\na.png,1\nb.png,0\n", &[]).id, 0);
    }

    #[test]
    fn what_spreadsheets_write_first_is_no_row() {
        let layout = layout("\u{feff}sep=;\r\nimage_id;x\r\na;1\r\n", &[]);
        assert_eq!((layout.separator, layout.id, layout.width), (b';', 0, 2));
        assert_eq!(words(&layout), ["byte-order-mark", "separator-line", "separator"]);
    }

    #[test]
    fn a_header_of_more_columns_than_any_spreadsheet_has_is_refused() {
        let found = |n: usize| {
            let names: String = (0..n).map(|i| format!(",c{i}")).collect();
            TableLayout::found(Path::new("t.csv"), &mut format!("image_id{names}\na.png{}\n", ",1".repeat(n)).as_bytes(), None)
        };
        assert_eq!(found(16_000).unwrap().width, 16_001);
        assert!(found(100_000).err().unwrap().what.contains("100001 fields"));
    }

    #[test]
    fn a_table_without_names_of_images_is_refused() {
        let refused = TableLayout::found(Path::new("t.csv"), &mut "who,x\nme,1\nyou,0\n".as_bytes(), None).err().unwrap();
        assert!(refused.what.contains("no column names the images: the table starts `who,x`"), "{refused:?}");
    }
}
