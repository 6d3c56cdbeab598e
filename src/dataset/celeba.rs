//! CelebA (Liu, Luo, Wang and Tang, ICCV 2015): its attributes in their order, and its files, in the text dialect of the
//! release or the CSV one of copies, with line ends of any kind and the folder of pictures once or twice.

use super::{collection::Collection, pictures::is_plain};
use crate::domain::{
    Fault, Result,
    image::Column,
    text::{count, is_steering, printable, shorten},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

pub const ATTRIBUTES: [&str; 40] = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
];

const FOLDER: &str = "img_align_celeba";
const PARTITIONS: [&str; 3] = ["train", "validation", "test"];

/// Does the folder hold CelebA's table of attributes?
pub fn is_here(root: &Path) -> bool {
    table(root, "list_attr_celeba").is_some()
}

fn table(root: &Path, name: &str) -> Option<PathBuf> {
    let folders = [root.to_owned(), root.join("Anno"), root.join("Eval")];
    let names = ["txt", "csv"].map(|ending| format!("{name}.{ending}"));
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
}

/// Where the pictures are: copies have the folder inside itself, or inside `Img`.
fn pictures(root: &Path) -> PathBuf {
    let candidates = [root.join(FOLDER).join(FOLDER), root.join("Img").join(FOLDER), root.join(FOLDER)];
    candidates.iter().find(|folder| folder.is_dir()).unwrap_or(&candidates[2]).clone()
}

/// Reads the tables and the names of the pictures.
pub fn collect(root: &Path) -> Result<Collection> {
    let Some(path) = table(root, "list_attr_celeba") else {
        return Err(Fault::asked("there is no list_attr_celeba.txt (or .csv): the folder does not hold CelebA")
            .in_file(root)
            .next("`root` is the folder that holds list_attr_celeba.txt and img_align_celeba/"));
    };
    let mut set = Collection { pictures: pictures(root), ..Collection::default() };
    let attributes = read(&path, Head::Names, &mut set)?;
    let mut columns = vec![Vec::new(); attributes.names.len()];
    for (id, row) in &attributes.rows {
        let mut wrong = None;
        for (place, (at, value)) in attributes.values(row).into_iter().enumerate() {
            match value {
                "1" => columns[place].push((id.as_str(), "1")),
                "-1" => columns[place].push((id.as_str(), "0")),
                _ => wrong = wrong.or(Some((place, at, value))),
            }
        }
        if let Some((place, at, value)) = wrong {
            let what = format!("{} of {id} is `{}`", attributes.names[place], shown(value));
            set.defects.fatal("wrong-value", Fault::asked(what).at(&path, row.line, at).next("values are 1 and -1"));
        }
    }
    set.labels = attributes.names.iter().cloned().zip(columns.into_iter().map(Column::from_iter)).collect();
    set.ids = attributes.rows.keys().cloned().collect();
    if let Some(path) = table(root, "identity_CelebA") {
        let identities = read(&path, Head::None, &mut set)?;
        let column: Column = identities.rows.iter().map(|(id, row)| (id.as_str(), identities.value(row).1)).collect();
        missing(&mut set, "no-identity", &column, &path);
        set.classes = Some(column.clone());
        set.identities = Some(column);
    }
    if let Some(path) = table(root, "list_eval_partition") {
        let partitions = read(&path, Head::None, &mut set)?;
        let mut known = Vec::new();
        for (id, row) in &partitions.rows {
            let (at, value) = partitions.value(row);
            match value.parse::<usize>().ok().and_then(|part| PARTITIONS.get(part)) {
                Some(word) => known.push((id.as_str(), *word)),
                None => set.defects.fatal(
                    "wrong-partition",
                    Fault::asked(format!("the partition of {id} is `{}`", shown(value)))
                        .at(&path, row.line, at)
                        .next("0 is train, 1 validation, 2 test"),
                ),
            }
        }
        let column = Column::from_iter(known);
        missing(&mut set, "no-partition", &column, &path);
        set.partitions = Some(column);
    }
    set.absent(&path)?;
    Ok(set)
}

/// Images of the main table that another table leaves out.
fn missing(set: &mut Collection, word: &'static str, column: &Column, path: &Path) {
    let without: Vec<&String> = set.ids.iter().filter(|id| column.get(id).is_none()).collect();
    if let Some(first) = without.first() {
        let what = format!("{} of {} have no row here, such as {first}", without.len(), count(set.ids.len(), "image"));
        set.defects.note(word, without.len(), Fault::asked(what).in_file(path));
    }
}

impl Collection {
    /// Notes images that are listed and absent, and pictures that no table lists; where there is no folder, nothing.
    fn absent(&mut self, listed_in: &Path) -> Result<()> {
        if !self.pictures.is_dir() {
            return Ok(());
        }
        let there: BTreeSet<String> = super::pictures::names(&self.pictures)?.ids.into_iter().collect();
        for id in self.ids.iter().filter(|id| !there.contains(*id)) {
            let fault = Fault::asked(format!("the image {id} is listed in {} and absent", name_of(listed_in)))
                .in_file(self.pictures.join(id));
            self.defects.fatal("listed-and-absent", fault);
        }
        let listed: BTreeSet<&String> = self.ids.iter().collect();
        let unlisted: Vec<&String> = there.iter().filter(|id| !listed.contains(id)).collect();
        if let Some(first) = unlisted.first() {
            let fault = Fault::asked("a picture that no table lists: it is left out").in_file(self.pictures.join(first));
            self.defects.note("there-and-unlisted", unlisted.len(), fault);
        }
        Ok(())
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

fn shown(value: &str) -> String {
    shorten(&printable(value), 40)
}

/// What comes before the rows of a text table: a count and the names, or nothing. CSV tables have a header always.
#[derive(Clone, Copy, PartialEq)]
enum Head {
    Names,
    None,
}

struct Table {
    text: String,
    is_csv: bool,
    names: Vec<String>,
    rows: BTreeMap<String, Row>,
}

/// Where a row is in its table's text: what is in it is looked up, for a table has eight million values.
struct Row {
    line: usize,
    at: Range<usize>,
}

impl Table {
    /// The values of a row, each with the column it starts in.
    fn values(&self, row: &Row) -> Vec<(usize, &str)> {
        fields(&self.text[row.at.clone()], self.is_csv).split_off(1)
    }

    /// The only value of a row of a table that has one.
    fn value(&self, row: &Row) -> (usize, &str) {
        self.values(row)[0]
    }
}

fn read(path: &Path, head: Head, set: &mut Collection) -> Result<Table> {
    let bytes = fs::read(path).map_err(|error| Fault::io("read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| Fault::asked("the table is not UTF-8 text").in_file(path))?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let crlf = text.lines().count().min(text.matches("\r\n").count());
    if crlf > 0 {
        set.defects.note("crlf", crlf, Fault::asked("lines end in CR LF: they are read as if they ended in LF").in_file(path));
    }
    let is_csv = path.extension().is_some_and(|ending| ending == "csv");
    let (mut names, mut rows) = (Vec::new(), BTreeMap::new());
    let mut counted: Option<usize> = None;
    let mut headed = !(is_csv || head == Head::Names);
    for (line, row) in text.lines().enumerate().map(|(line, row)| (line + 1, row)) {
        if row.trim().is_empty() {
            continue;
        }
        let fields = fields(row, is_csv);
        if !is_csv && head == Head::Names && counted.is_none() {
            counted = Some(row.trim().parse().map_err(|_| {
                Fault::asked(format!("the first line is `{}`, not the number of images", shown(row.trim()))).at(path, line, 1)
            })?);
            continue;
        }
        if !headed {
            headed = true;
            names = fields.iter().skip(usize::from(is_csv)).map(|(_, field)| (*field).to_owned()).collect();
            if head == Head::Names && names.len() != ATTRIBUTES.len() {
                let lacking: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| !names.iter().any(|other| other == name)).collect();
                let what = format!("{} attributes where CelebA has {}", names.len(), ATTRIBUTES.len());
                let what = if lacking.is_empty() {
                    what
                } else {
                    format!("{what}: {} is not there", lacking[..lacking.len().min(3)].join(", "))
                };
                set.defects.fatal("wrong-columns", Fault::asked(what).at(path, line, 1));
            }
            if let Some(repeated) = (0..names.len()).find(|&i| names[..i].contains(&names[i])) {
                let what = format!("the attribute `{}` is there twice", shown(&names[repeated]));
                set.defects.fatal("repeated-attribute", Fault::asked(what).at(path, line, 1));
            }
            if let Some(name) = names.iter().find(|name| name.chars().any(is_steering)) {
                return Err(Fault::asked(format!("control characters in the name `{}`", shown(name))).at(path, line, 1));
            }
            continue;
        }
        let id = fields[0].1;
        if id.chars().any(is_steering) || !is_plain(id) {
            let what = format!("`{}` is no name of a picture", shown(id));
            set.defects.fatal("wrong-name", Fault::asked(what).at(path, line, 1));
            continue;
        }
        let expected = if head == Head::Names { names.len() } else { 1 };
        if fields.len() - 1 != expected {
            let what = format!("{id} has {} values where the table has {expected}", fields.len() - 1);
            set.defects.fatal("wrong-columns", Fault::asked(what).at(path, line, 1));
            continue;
        }
        let start = place_in(&text, row);
        if let Some(before) = rows.insert(id.to_owned(), Row { line, at: start..start + row.len() }) {
            set.defects.fatal(
                "repeated-image",
                Fault::asked(format!("{id} is there twice: first in line {}", before.line)).at(path, line, 1),
            );
        }
    }
    if let Some(counted) = counted.filter(|counted| *counted != rows.len()) {
        let what = format!("the first line says {}, the table has {}", count(counted, "image"), rows.len());
        set.defects.note("wrong-count", 1, Fault::asked(what).at(path, 1, 1));
    }
    Ok(Table { text, is_csv, names, rows })
}

/// The fields of a line, each with the column it starts in, from 1.
fn fields(line: &str, is_csv: bool) -> Vec<(usize, &str)> {
    let column = |field: &str| line[..place_in(line, field)].chars().count() + 1;
    if is_csv {
        line.split(',').map(|field| (column(field), field.trim())).collect()
    } else {
        line.split_whitespace().map(|field| (column(field), field)).collect()
    }
}

/// Where a part of a text begins in it.
fn place_in(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}
