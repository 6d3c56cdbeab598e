//! CelebA (Liu, Luo, Wang and Tang, ICCV 2015): its attributes in their order, and its files, in the text dialect of the
//! release or the CSV one of copies, with line ends of any kind and the folder of pictures once or twice.

use super::collection::Collection;
use crate::domain::{
    Fault, Result,
    image::Column,
    text::{count, is_steering, printable, shorten},
};
use std::{
    collections::BTreeMap,
    fs,
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
    for (place, name) in attributes.names.iter().enumerate() {
        let binary = |row: &Row| match row.values.get(place).map(String::as_str) {
            Some("1") => Some("1".to_owned()),
            Some("-1") => Some("0".to_owned()),
            _ => None,
        };
        let column = attributes.rows.iter().filter_map(|(id, row)| Some((id.clone(), binary(row)?)));
        set.labels.0.insert(name.clone(), Column(column.collect()));
    }
    for (id, row) in &attributes.rows {
        if let Some(at) = row.values.iter().position(|value| !matches!(value.as_str(), "1" | "-1")) {
            let what =
                format!("{} of {id} is `{}`", attributes.names.get(at).map_or("a value", String::as_str), shown(&row.values[at]));
            set.defects.fatal("wrong-value", Fault::asked(what).at(&path, row.line, row.columns[at]).next("values are 1 and -1"));
        }
    }
    set.ids = attributes.rows.keys().cloned().collect();
    if let Some(path) = table(root, "identity_CelebA") {
        let identities = read(&path, Head::None, &mut set)?;
        let column = identities.rows.iter().filter_map(|(id, row)| Some((id.clone(), row.values.first()?.clone())));
        let column = Column(column.collect());
        missing(&mut set, "no-identity", &column, &path);
        set.classes = Some(column.clone());
        set.identities = Some(column);
    }
    if let Some(path) = table(root, "list_eval_partition") {
        let partitions = read(&path, Head::None, &mut set)?;
        let mut column = Column::default();
        for (id, row) in &partitions.rows {
            match row.values.first().and_then(|value| value.parse::<usize>().ok()).and_then(|part| PARTITIONS.get(part)) {
                Some(word) => _ = column.0.insert(id.clone(), (*word).to_owned()),
                None => set.defects.fatal(
                    "wrong-partition",
                    Fault::asked(format!(
                        "the partition of {id} is `{}`",
                        row.values.first().map_or(String::new(), |value| shown(value))
                    ))
                    .at(&path, row.line, row.columns.first().copied().unwrap_or(1))
                    .next("0 is train, 1 validation, 2 test"),
                ),
            }
        }
        missing(&mut set, "no-partition", &column, &path);
        set.partitions = Some(column);
    }
    set.absent(&path)?;
    Ok(set)
}

/// Images of the main table that another table leaves out.
fn missing(set: &mut Collection, word: &'static str, column: &Column, path: &Path) {
    let without: Vec<&String> = set.ids.iter().filter(|id| !column.0.contains_key(*id)).collect();
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
        let there: std::collections::BTreeSet<String> = super::pictures::names(&self.pictures)?.into_iter().collect();
        for id in self.ids.iter().filter(|id| !there.contains(*id)) {
            let fault = Fault::asked(format!("the image {id} is listed in {} and absent", name_of(listed_in)))
                .in_file(self.pictures.join(id));
            self.defects.fatal("listed-and-absent", fault);
        }
        let listed: std::collections::BTreeSet<&String> = self.ids.iter().collect();
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
    names: Vec<String>,
    rows: BTreeMap<String, Row>,
}

struct Row {
    line: usize,
    values: Vec<String>,
    /// Where each value starts, from 1.
    columns: Vec<usize>,
}

fn read(path: &Path, head: Head, set: &mut Collection) -> Result<Table> {
    let bytes = fs::read(path).map_err(|error| Fault::io("read", path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| Fault::asked("the table is not UTF-8 text").in_file(path))?;
    let text = text.trim_start_matches('\u{feff}');
    let crlf = text.lines().count().min(text.matches("\r\n").count());
    if crlf > 0 {
        set.defects.note("crlf", crlf, Fault::asked("lines end in CR LF: they are read as if they ended in LF").in_file(path));
    }
    let is_csv = path.extension().is_some_and(|ending| ending == "csv");
    let mut table = Table { names: vec![], rows: BTreeMap::new() };
    let mut counted: Option<usize> = None;
    let mut headed = !(is_csv || head == Head::Names);
    for (line, text) in text.lines().enumerate().map(|(line, text)| (line + 1, text)) {
        if text.trim().is_empty() {
            continue;
        }
        let fields = fields(text, is_csv);
        if !is_csv && head == Head::Names && counted.is_none() {
            counted = Some(text.trim().parse().map_err(|_| {
                Fault::asked(format!("the first line is `{}`, not the number of images", shown(text.trim()))).at(path, line, 1)
            })?);
            continue;
        }
        if !headed {
            headed = true;
            let names = fields.iter().map(|(_, field)| (*field).to_owned());
            table.names = if is_csv { names.skip(1).collect() } else { names.collect() };
            if head == Head::Names && table.names.len() != ATTRIBUTES.len() {
                let lacking: Vec<&str> =
                    ATTRIBUTES.into_iter().filter(|name| !table.names.iter().any(|other| other == name)).collect();
                let what = format!("{} attributes where CelebA has {}", table.names.len(), ATTRIBUTES.len());
                let what = if lacking.is_empty() {
                    what
                } else {
                    format!("{what}: {} is not there", lacking[..lacking.len().min(3)].join(", "))
                };
                set.defects.fatal("wrong-columns", Fault::asked(what).at(path, line, 1));
            }
            if let Some(repeated) = (0..table.names.len()).find(|&i| table.names[..i].contains(&table.names[i])) {
                let what = format!("the attribute `{}` is there twice", shown(&table.names[repeated]));
                set.defects.fatal("repeated-attribute", Fault::asked(what).at(path, line, 1));
            }
            if let Some(name) = table.names.iter().find(|name| name.chars().any(is_steering)) {
                return Err(Fault::asked(format!("control characters in the name `{}`", shown(name))).at(path, line, 1));
            }
            continue;
        }
        let id = fields[0].1.to_owned();
        if id.chars().any(is_steering) || Path::new(&id).components().any(|part| !matches!(part, std::path::Component::Normal(_)))
        {
            let what = format!("`{}` is no name of a picture", shown(&id));
            set.defects.fatal("wrong-name", Fault::asked(what).at(path, line, 1));
            continue;
        }
        let expected = if head == Head::Names { table.names.len() } else { 1 };
        if fields.len() - 1 != expected {
            let what = format!("{id} has {} values where the table has {expected}", fields.len() - 1);
            set.defects.fatal("wrong-columns", Fault::asked(what).at(path, line, 1));
            continue;
        }
        let row = Row {
            line,
            values: fields[1..].iter().map(|(_, field)| (*field).to_owned()).collect(),
            columns: fields[1..].iter().map(|(column, _)| *column).collect(),
        };
        if let Some(before) = table.rows.insert(id.clone(), row) {
            set.defects.fatal(
                "repeated-image",
                Fault::asked(format!("{id} is there twice: first in line {}", before.line)).at(path, line, 1),
            );
        }
    }
    if let Some(counted) = counted.filter(|counted| *counted != table.rows.len()) {
        let what = format!("the first line says {}, the table has {}", count(counted, "image"), table.rows.len());
        set.defects.note("wrong-count", 1, Fault::asked(what).at(path, 1, 1));
    }
    Ok(table)
}

/// The fields of a line, each with the column it starts in, from 1.
fn fields(line: &str, is_csv: bool) -> Vec<(usize, &str)> {
    let divides = |c: char| if is_csv { c == ',' } else { c.is_whitespace() };
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices().chain([(line.len(), if is_csv { ',' } else { ' ' })]) {
        if divides(c) {
            let field = line[start..at].trim();
            if is_csv || !field.is_empty() {
                fields.push((line[..start].chars().count() + 1, field));
            }
            start = at + c.len_utf8().min(line.len().saturating_sub(at).max(1));
        }
    }
    fields
}
