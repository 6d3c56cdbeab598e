//! Tables of where the face is in each picture: a row an image, with its name and 4 numbers (a box) or 10 (five landmarks). CelebA's own
//! tables are such: a count, a line of names, then rows separated by blanks; users write commas.

use crate::{
    dataset::{
        defects::name_of,
        marks::Mark,
        tables::{TextLines, looks_like_a_picture, misfit, plain_id},
    },
    domain::{
        Fault, Result,
        image::{Column, ImageId, Images},
        study::FaceMark,
        text::{count, printable, shorten},
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// What a table says of some images.
#[derive(Debug, Default)]
pub(crate) struct FoundMarks {
    /// Image → mark, of the images that have one.
    pub column: Column,
    /// Images whose row shows no face, and why.
    pub unusable: BTreeMap<ImageId, Fault>,
    pub notes: Vec<String>,
}

/// The names of the columns, where a table has them in this order. Those of other orders are refused.
const ORDER: [&str; 10] = [
    "lefteye_x",
    "lefteye_y",
    "righteye_x",
    "righteye_y",
    "nose_x",
    "nose_y",
    "leftmouth_x",
    "leftmouth_y",
    "rightmouth_x",
    "rightmouth_y",
];

/// Names that say that a box is given by its right and lower edges.
const EDGES: [&str; 8] = ["x2", "x_2", "right", "xmax", "x_max", "y2", "bottom", "ymax"];

/// By the name of the image: the line of its row, and its mark, or why the row has none.
type Rows = HashMap<ImageId, (usize, std::result::Result<Mark, String>)>;

/// Reads the marks of these images.
///
/// # Errors
/// A file that is no such table, a row of another width, an image that is there twice with different marks, a table of other images.
pub(crate) fn read(path: &Path, kind: FaceMark, images: &Images) -> Result<FoundMarks> {
    let mut rows = Rows::new();
    let mut lines = TextLines::open(path)?;
    while let Some((line, text)) = lines.next()? {
        let fields = fields(text);
        let Some((first, numbers)) = fields.split_first() else { continue };
        let is_count = numbers.is_empty() && first.parse::<usize>().is_ok();
        let is_head = fields.iter().all(|field| field.parse::<f64>().is_err()) && !looks_like_a_picture(first);
        if rows.is_empty() && (is_count || is_head) {
            if is_head {
                in_order(&fields, kind, path, line)?;
            }
            continue;
        }
        let wrong = |what: String| {
            let row = match kind {
                FaceMark::Box => "image,left,top,width,height",
                FaceMark::Landmarks => {
                    "image, then x and y of the eye on the left, that on the right, the nose, the mouth's left and right corner"
                }
            };
            Fault::asked(what).at(path, line, 1).next(format!("a row is {row}"))
        };
        let shown = shorten(&printable(first), 60);
        if numbers.len() != kind.numbers() {
            return Err(wrong(format!("{shown} has {} where {kind} have {}", count(numbers.len(), "number"), kind.numbers())));
        }
        let parsed: Option<Vec<f64>> = numbers.iter().map(|number| number.parse().ok()).collect();
        let parsed = parsed.ok_or_else(|| wrong(format!("the {kind} of {shown} are not all numbers")))?;
        let mark = Mark::of(kind, &parsed);
        match rows.get(plain_id(first).as_ref()) {
            Some((before, known)) if *known != mark => {
                return Err(wrong(format!("{shown} is there twice: first in line {before}, with other {kind}"))
                    .next("keep the row of the face that is meant"));
            }
            Some(_) => {}
            None => _ = rows.insert(plain_id(first).into_owned(), (line, mark)),
        }
    }
    of_images(path, &rows, images)
}

fn of_images(path: &Path, rows: &Rows, images: &Images) -> Result<FoundMarks> {
    if rows.is_empty() {
        return Err(Fault::asked("the table names no image").in_file(path));
    }
    // VGGFace2's tables name pictures without their ending.
    let row = |id: &str| rows.get(id).or_else(|| rows.get(id.rsplit_once('.')?.0));
    let (mut found, mut unusable) = (Vec::new(), BTreeMap::new());
    for id in images.ids() {
        match row(id) {
            None => {}
            Some((_, Ok(mark))) => found.push((id.to_owned(), mark.to_text())),
            Some((line, Err(why))) => {
                let fault = Fault::asked(format!("the image {id}: {why}")).at(path, *line, 1);
                unusable.insert(id.to_owned(), fault);
            }
        }
    }
    if found.is_empty() && unusable.is_empty() {
        let mut theirs: Vec<&str> = rows.keys().map(String::as_str).collect();
        theirs.sort_unstable();
        let (sides, next) = misfit(theirs.into_iter(), images.ids().collect::<Vec<_>>().into_iter(), "the data set has");
        return Err(Fault::asked(format!("the table is of other images: {sides}")).in_file(path).next(next));
    }
    let others = rows.len() - (found.len() + unusable.len()).min(rows.len());
    let notes = (others > 0)
        .then(|| {
            format!(
                "{}: {others} of {} are of images that are not used; they are left out",
                name_of(path),
                count(rows.len(), "row")
            )
        })
        .into_iter()
        .collect();
    Ok(FoundMarks { column: found.into_iter().collect(), unusable, notes })
}

/// The fields of a line, separated by commas, semicolons or tabs, or else by blanks; less the quotes around them.
fn fields(line: &str) -> Vec<&str> {
    let separator = [',', ';', '\t'].into_iter().find(|separator| line.contains(*separator));
    let fields: Vec<&str> = match separator {
        Some(separator) => line.split(separator).map(str::trim).collect(),
        None => line.split_whitespace().collect(),
    };
    let fields: Vec<&str> = fields.into_iter().map(|field| field.trim_matches('"').trim()).collect();
    if fields.iter().all(|field| field.is_empty()) { vec![] } else { fields }
}

/// Refuses a table whose names say another order, or edges in place of a size.
fn in_order(names: &[&str], kind: FaceMark, path: &Path, line: usize) -> Result<()> {
    let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    match kind {
        FaceMark::Landmarks => {
            let known: Vec<&str> = names.iter().map(String::as_str).filter(|name| ORDER.contains(name)).collect();
            if known.len() == ORDER.len() && known != ORDER {
                return Err(Fault::asked("the columns of landmarks stand in another order than CelebA's")
                    .at(path, line, 1)
                    .next(format!("put them in this order: {}", ORDER.join(", "))));
            }
        }
        FaceMark::Box => {
            if let Some(edge) = names.iter().find(|name| EDGES.contains(&name.as_str())) {
                return Err(Fault::asked(format!(
                    "the column `{}` is an edge: a box is left, top, width, height",
                    printable(edge)
                ))
                .at(path, line, 1)
                .next("write the width (right less left) and the height"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(ids: &[&str]) -> Images {
        Images(ids.iter().map(|id| ((*id).to_owned(), None)).collect())
    }

    fn read_text(text: &str, kind: FaceMark, ids: &[&str]) -> Result<FoundMarks> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marks.txt");
        std::fs::write(&path, text).unwrap();
        read(&path, kind, &images(ids))
    }

    #[test]
    fn celebas_tables_are_read_as_they_are() {
        let landmarks = "2\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n\
                         000001.jpg 69  109  106  113   77  142   73  152  108  154 \n000002.jpg 69 110 107 112 81 135 70 151 108 153\n";
        let found = read_text(landmarks, FaceMark::Landmarks, &["000001.jpg", "000002.jpg"]).unwrap();
        assert_eq!(found.column.get("000001.jpg"), Some("69 109 106 113 77 142 73 152 108 154"));
        let boxes = "1\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 313\n";
        assert_eq!(read_text(boxes, FaceMark::Box, &["000001.jpg"]).unwrap().column.get("000001.jpg"), Some("95 71 226 313"));
    }

    #[test]
    fn a_table_of_commas_is_read_with_or_without_a_head() {
        let found = read_text("image,x,y,width,height\na.png,1.50,2,30,40\n", FaceMark::Box, &["a.png"]).unwrap();
        assert_eq!(found.column.get("a.png"), Some("1.5 2 30 40"));
        let vggface2 = "NAME_ID,X,Y,W,H\n\"n000001/0001_01\",161,140,224,324\n";
        let found = read_text(vggface2, FaceMark::Box, &["n000001/0001_01.jpg"]).unwrap();
        assert_eq!(found.column.get("n000001/0001_01.jpg"), Some("161 140 224 324"), "VGGFace2 leaves the ending out");
    }

    #[test]
    fn an_image_without_a_face_is_kept_apart_with_the_reason() {
        let found = read_text("a.png,1,2,0,40\nb.png,1,2,3,4\nc.png,1,2,3,4\n", FaceMark::Box, &["a.png", "b.png"]).unwrap();
        assert_eq!(found.column.len(), 1);
        assert!(found.unusable["a.png"].to_string().contains("the image a.png: a box of 0 × 40 pixels has no face in it"));
        assert_eq!(found.notes, ["marks.txt: 1 of 3 rows are of images that are not used; they are left out"]);
    }

    #[test]
    fn a_table_that_is_none_is_refused() {
        let refused = |text: &str, kind| read_text(text, kind, &["a.png"]).unwrap_err().what;
        assert_eq!(refused("a.png,1,2,3\n", FaceMark::Box), "a.png has 3 numbers where boxes have 4");
        assert_eq!(refused("a.png,1,2,3,x\n", FaceMark::Box), "the boxes of a.png are not all numbers");
        assert!(refused("a.png,1,2,3,4\na.png,1,2,3,5\n", FaceMark::Box).contains("first in line 1, with other boxes"));
        assert!(refused("b.png,1,2,3,4\n", FaceMark::Box).contains("the table is of other images"));
        assert!(refused("image,x1,y1,x2,y2\na.png,1,2,3,4\n", FaceMark::Box).contains("`x2` is an edge"));
        assert_eq!(refused("\n", FaceMark::Box), "the table names no image");
        let turned = "righteye_x,righteye_y,lefteye_x,lefteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,rightmouth_x,rightmouth_y";
        assert!(refused(&format!("image,{turned}\n"), FaceMark::Landmarks).contains("another order"));
    }
}
