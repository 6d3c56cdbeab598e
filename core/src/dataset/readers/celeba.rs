//! CelebA (Liu, Luo, Wang and Tang, ICCV 2015): its attributes in their order, and its files, in the text dialect of the
//! release or the CSV one of copies, with line ends of any kind and the folder of pictures once or twice.

use crate::{
    dataset::{
        collection::Collection,
        defects::{Defects, Note, name_of},
        digests::DigestCache,
        pictures,
        source::is_plain,
        tables::{
            Cells, ImageTable, Repeated, TableBuilder, TableLayout, TextLines, kept, line_ends, looks_like_a_picture, misfit,
        },
    },
    domain::{
        Fault, Result,
        image::Column,
        missing::{MissingLabels, is_usual},
        study::{Dataset, FaceFiles, FaceMark, Identities},
        text::{count, printable, shorten},
    },
    files,
};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// CelebA's attributes, in the order of its table.
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

/// Tables of where the face is, which are read for crops that need them.
const OF_FACES: [&str; 3] = ["list_landmarks_align_celeba", "list_landmarks_celeba", "list_bbox_celeba"];
const FOLDER: &str = "img_align_celeba";
const UNCROPPED: &str = "img_celeba";
const PARTITIONS: [&str; 3] = ["train", "validation", "test"];

/// A folder that holds CelebA's table of attributes.
pub fn recognise(root: &Path) -> Option<Dataset> {
    table(root, "list_attr_celeba")?;
    Some(Dataset::CelebA { root: root.to_owned(), identities: Identities::Unsaid, faces: FaceFiles::default() })
}

fn table(root: &Path, name: &str) -> Option<PathBuf> {
    let folders = [root.to_owned(), root.join("Anno"), root.join("Eval")];
    let names = ["txt", "csv"].map(|ending| format!("{name}.{ending}"));
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.exists() && !path.is_dir())
}

/// Where the pictures are: copies have the folder inside itself, or inside `Img`. The uncropped ones are read where there are no others.
fn pictures_of(root: &Path) -> PathBuf {
    let [img, aligned] = ["Img", FOLDER].map(|folder| root.join(folder));
    let candidates = [aligned.join(FOLDER), img.join(FOLDER), aligned.clone(), img.join(UNCROPPED), root.join(UNCROPPED)];
    candidates.into_iter().find(|folder| folder.is_dir()).unwrap_or(aligned)
}

/// The release's table of boxes or landmarks for the pictures that are there; where it is expected, if it is absent.
///
/// # Errors
/// Boxes of the aligned pictures: the release has none.
pub(super) fn face_table(root: &Path, mark: FaceMark) -> Result<PathBuf> {
    let is_uncropped = pictures_of(root).ends_with(UNCROPPED);
    let name = match (mark, is_uncropped) {
        (FaceMark::Landmarks, false) => "list_landmarks_align_celeba",
        (FaceMark::Landmarks, true) => "list_landmarks_celeba",
        (FaceMark::Box, true) => "list_bbox_celeba",
        (FaceMark::Box, false) => {
            return Err(Fault::asked(format!(
                "there are no boxes of the pictures in {FOLDER}: those of list_bbox_celeba.txt are of the uncropped pictures ({UNCROPPED})"
            ))
            .in_file(root)
            .next("name a table of boxes in these pictures at the data set, boxes: ../boxes.csv (image,left,top,width,height), or take another crop"));
        }
    };
    Ok(table(root, name).unwrap_or_else(|| root.join(format!("{name}.txt"))))
}

/// Reads the tables and the names of the pictures.
pub fn collect(root: &Path, digests: &mut DigestCache) -> Result<Collection> {
    let Some(path) = table(root, "list_attr_celeba") else {
        return Err(Fault::asked("there is no list_attr_celeba.txt (or .csv): the folder does not hold CelebA")
            .in_file(root)
            .next("`root` is the folder that holds list_attr_celeba.txt and img_align_celeba/"));
    };
    let mut set = Collection { pictures: pictures_of(root), labelled_in: Some(path.clone()), ..Collection::default() };
    if set.pictures == root.join(FOLDER).join(FOLDER) {
        let fault = Fault::asked("the folder of pictures is inside itself: the inner one is read").in_file(&set.pictures);
        set.defects.note("doubled-folder", 1, fault);
    }
    let attributes = read(&path, Holds::Attributes, digests)?;
    set.take_table(&attributes, &path);
    let zero = spells_no_as_zero(&attributes);
    for cells in &attributes.columns {
        let mut labels_missing = MissingLabels { rows: attributes.images.len(), ..MissingLabels::default() };
        let missing = cells.words.iter().zip(cells.counts()).filter(|(word, count)| *count > 0 && is_usual(word));
        labels_missing.spelled = missing.map(|(word, count)| (word.clone(), count)).collect();
        if labels_missing.count() > 0 {
            let fault = Fault::asked(format!("{}: {}", cells.name, labels_missing.sentence())).in_file(&path);
            set.defects.note("missing-labels", labels_missing.count(), fault);
        }
        set.missing.insert(cells.name.clone(), labels_missing);
        let value = |word: &str| match number(word) {
            Some(1) => Some("1".to_owned()),
            Some(-1) => Some("0".to_owned()),
            Some(0) if zero => Some("0".to_owned()),
            _ => None,
        };
        set.labels.insert(cells.name.clone(), attributes.labels(cells, value));
    }
    set.ids = attributes.images.iter().map(str::to_owned).collect();
    if let Some(path) = table(root, "identity_CelebA") {
        let identities = read(&path, Holds::One("identity"), digests)?;
        set.take_table(&identities, &path);
        let value = |word: &str| (!is_usual(word)).then(|| word.to_owned());
        let column = only(&identities, "identity", &path)?.map(|cells| identities.labels(cells, value)).unwrap_or_default();
        without_row(&mut set, "no-identity", &identities, &column, &path);
        set.classes = Some(column.clone());
        set.identities = Some(column);
    }
    if let Some(path) = table(root, "list_eval_partition") {
        let partitions = read(&path, Holds::One("partition"), digests)?;
        set.take_table(&partitions, &path);
        let value = |word: &str| Some(partition(word)?.to_owned());
        let column = only(&partitions, "partition", &path)?.map(|cells| partitions.labels(cells, value)).unwrap_or_default();
        without_row(&mut set, "no-partition", &partitions, &column, &path);
        set.partitions = Some(column);
    }
    for path in OF_FACES.iter().filter_map(|name| table(root, name)) {
        if let Err(error) = files::open(&path) {
            set.defects.defect("unreadable-table", 1, Fault::asked(format!("the table cannot be read: {error}")).in_file(&path));
        }
    }
    set.absent(&path)?;
    Ok(set)
}

/// The column of that name, or the only one.
fn only<'t>(table: &'t ImageTable, word: &str, path: &Path) -> Result<Option<&'t Cells>> {
    let named = table.columns.iter().find(|cells| cells.name.to_lowercase().contains(word));
    match (named, &table.columns[..]) {
        (Some(cells), _) => Ok(Some(cells)),
        (None, []) => Ok(None),
        (None, [one]) => Ok(Some(one)),
        (None, _) => Err(Fault::asked(format!("none of the table's columns is called `{word}`"))
            .at(path, 1, 1)
            .next(format!("name the column of each image's {word} so"))),
    }
}

/// −1, 0 or 1, as whole numbers or with `.0`.
fn number(word: &str) -> Option<i8> {
    match word {
        "1" => Some(1),
        "-1" => Some(-1),
        _ => [-1, 0, 1].into_iter().find(|&wanted| word.parse() == Ok(f64::from(wanted))),
    }
}

/// The word for 0, 1 or 2; the words themselves are understood too.
fn partition(word: &str) -> Option<&'static str> {
    let of_number = word.parse::<f64>().ok().and_then(|part| (0..3).find(|&place| part == f64::from(place)));
    let of_word = || match word.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(0),
        "val" | "valid" | "validation" => Some(1),
        "test" => Some(2),
        _ => None,
    };
    of_number.or_else(of_word).map(|place| PARTITIONS[place as usize])
}

/// Some copies have 0 where the release has −1.
fn spells_no_as_zero(table: &ImageTable) -> bool {
    let has = |wanted: i8| table.columns.iter().flat_map(|cells| &cells.words).any(|word| number(word) == Some(wanted));
    has(0) && !has(-1)
}

/// Images of the main table that another table leaves out.
fn without_row(set: &mut Collection, word: &'static str, table: &ImageTable, column: &Column, path: &Path) {
    let ids = || set.ids.iter().map(String::as_str);
    let rows = table.images.rows(ids());
    if !set.ids.is_empty() && !table.images.is_empty() && rows.iter().all(Option::is_none) {
        let (sides, next) = misfit(table.images.iter(), ids(), "the table of attributes has");
        let fault = Fault::asked(format!("the table is of other images: {sides}")).in_file(path).next(next);
        set.defects.fatal("other-images", || fault);
        return;
    }
    let without: Vec<&str> = ids().zip(column.aligned_to(ids())).filter(|(_, value)| value.is_none()).map(|(id, _)| id).collect();
    if let Some(first) = without.first() {
        let what = format!("{} of {} have no row here, such as {first}", without.len(), count(set.ids.len(), "image"));
        let (n, fault) = (without.len(), Fault::asked(what).in_file(path));
        set.defects.defect(word, n, fault);
    }
}

impl Collection {
    /// What was found while a table was read.
    fn take_table(&mut self, table: &ImageTable, path: &Path) {
        self.defects.notes(&table.notes, path);
        self.defects.join(&table.defects);
        for Repeated { image, first, again, .. } in &table.repeated {
            let fault = || Fault::asked(format!("{image} is there twice: first in line {first}")).at(path, *again, 1);
            self.defects.fatal("repeated-image", fault);
        }
        for fault in table.unusable.values() {
            let word = if fault.what.contains("there twice") { "repeated-attribute" } else { "unreadable-column" };
            self.defects.fatal(word, || fault.clone());
        }
    }

    /// Finds images that are listed and absent, and pictures that no table lists; where there is no folder, nothing.
    fn absent(&mut self, listed_in: &Path) -> Result<()> {
        if !self.pictures.is_dir() {
            return Ok(());
        }
        let there = pictures::names(&self.pictures)?.ids;
        let (folder, listed_in) = (&self.pictures, name_of(listed_in));
        for id in self.ids.iter().filter(|id| there.binary_search(id).is_err()) {
            self.defects.fatal("listed-and-absent", || {
                Fault::asked(format!("the image {id} is listed in {listed_in} and absent")).in_file(folder.join(id))
            });
        }
        let unlisted: Vec<&String> = there.iter().filter(|id| self.ids.binary_search(id).is_err()).collect();
        if let Some(first) = unlisted.first() {
            let fault = Fault::asked("a picture that no table lists: it is left out").in_file(folder.join(first));
            self.defects.defect("there-and-unlisted", unlisted.len(), fault);
        }
        Ok(())
    }
}

fn shown(value: &str) -> String {
    shorten(&printable(value), 40)
}

/// What a table says of each image.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holds {
    Attributes,
    /// One value, called so.
    One(&'static str),
}

/// A table of the release, in its text dialect or as commas, whatever its name says.
fn read(path: &Path, holds: Holds, digests: &mut DigestCache) -> Result<ImageTable> {
    let options = format!("celeba {holds:?}");
    if is_text(path)? {
        return kept(path, &format!("{options} text"), digests, |from| {
            let mut table = text(path, from, holds)?;
            judge(&mut table, path, holds, |line, place| column_in(path, line, place, None));
            Ok(table)
        });
    }
    let layout = TableLayout::of(path, None)?;
    let names: Vec<&str> = match holds {
        Holds::Attributes if layout.width == ATTRIBUTES.len() + 1 => ATTRIBUTES.to_vec(),
        Holds::Attributes => vec![],
        Holds::One(name) => vec![name],
    };
    kept(path, &format!("{options} {}", serde_json::json!(layout)), digests, |from| {
        let mut table = ImageTable::from_reader(from, path, &layout, &names)?;
        judge(&mut table, path, holds, |line, place| column_in(path, line, place, Some(layout.separator)));
        Ok(table)
    })
}

/// Are fields separated by blanks? The first lines say so.
fn is_text(path: &Path) -> Result<bool> {
    let mut lines = TextLines::open(path)?;
    for _ in 0..3 {
        match lines.next()? {
            Some((_, line)) if line.contains([',', ';']) => return Ok(false),
            Some(_) => {}
            None => break,
        }
    }
    Ok(true)
}

/// The dialect of the release: blanks between fields; before the attributes a count and their names.
fn text(path: &Path, from: Box<dyn Read>, holds: Holds) -> Result<ImageTable> {
    let mut lines = TextLines::new(path, from)?;
    let (mut counted, mut names): (Option<(usize, usize)>, Option<Vec<String>>) = (None, None);
    let (mut notes, mut defects, mut blanks) = (Vec::new(), Defects::default(), (0, 0));
    let mut builder = None;
    let mut rows = 0;
    if let Holds::One(name) = holds {
        names = Some(vec![name.to_owned()]);
    }
    while let Some((line, row)) = lines.next()? {
        let mut fields = row.split_ascii_whitespace();
        let Some(first) = fields.next() else { continue };
        let others = fields.clone().count();
        let begins = builder.is_none();
        if begins && others == 0 && counted.is_none() && first.parse::<usize>().is_ok() {
            counted = first.parse().ok().map(|n| (n, line));
            continue;
        }
        if begins && !looks_like_a_picture(first) && fields.clone().all(|field| field.parse::<f64>().is_err()) {
            if let Holds::One(_) = holds {
                notes.push(Note::new("header", 1, "the table has a header: it is passed over").at(line, 1));
                builder = Some(TableBuilder::new(names.clone().unwrap_or_default()));
                continue;
            }
            // Some copies name the column of images too.
            let all: Vec<String> = row.split_ascii_whitespace().map(str::to_owned).collect();
            let all = if all[0] == "image_id" { all[1..].to_vec() } else { all };
            builder = Some(TableBuilder::new(all.clone()));
            names = Some(all);
            continue;
        }
        if begins && names.is_none() {
            if others != ATTRIBUTES.len() {
                return Err(Fault::asked(format!("no line names the attributes before the first image, `{}`", shown(first)))
                    .at(path, line, 1)
                    .next("the release has the number of images, then the names, then a line an image"));
            }
            notes.push(
                Note::new("no-header", 1, "no line names the attributes: they are taken in the order of the release").at(line, 1),
            );
            names = Some(ATTRIBUTES.map(str::to_owned).to_vec());
        }
        let expected = names.as_ref().map_or(0, Vec::len);
        let builder = builder.get_or_insert_with(|| TableBuilder::new(names.clone().unwrap_or_default()));
        rows += 1;
        if row.ends_with([' ', '\t']) {
            blanks = (blanks.0 + 1, if blanks.0 == 0 { line } else { blanks.1 });
        }
        if others != expected {
            let values = if others == 1 { "value" } else { "values" };
            defects.fatal("wrong-columns", || {
                Fault::asked(format!("{} has {others} {values} where the table has {expected}", shown(first))).at(path, line, 1)
            });
            continue;
        }
        builder.image(first, line);
        for (place, field) in fields.enumerate() {
            builder.value(place, field.as_bytes(), || (line, 1));
        }
    }
    let mut table = builder.unwrap_or_else(|| TableBuilder::new(names.clone().unwrap_or_default())).done(path);
    if let Some((said, line)) = counted.filter(|(said, _)| *said != rows) {
        let what = format!("the first line says {}, the table has {rows}", count(said, "image"));
        defects.defect("wrong-count", 1, Fault::asked(what).at(path, line, 1));
    }
    if blanks.0 > 0 {
        notes.push(Note::new("blanks", blanks.0, "blanks at the end of lines are left out").at(blanks.1, 1));
    }
    let (crlf, cr) = lines.other_line_ends();
    notes.extend(line_ends(crlf, cr));
    table.notes = notes;
    table.defects = defects;
    Ok(table)
}

/// The column in which a field of a line begins, from 1.
fn column_in(path: &Path, line: usize, place: usize, separator: Option<u8>) -> usize {
    let find = || -> Option<usize> {
        let mut lines = TextLines::open(path).ok()?;
        while let Some((at, row)) = lines.next().ok()? {
            if at == line {
                let field = match separator {
                    Some(separator) => row.split(char::from(separator)).nth(place)?.trim_start(),
                    None => row.split_ascii_whitespace().nth(place)?,
                };
                return Some(row[..field.as_ptr() as usize - row.as_ptr() as usize].chars().count() + 1);
            }
        }
        None
    };
    find().unwrap_or(1)
}

/// What is wrong with the values of a table.
fn judge(table: &mut ImageTable, path: &Path, holds: Holds, column: impl Fn(usize, usize) -> usize) {
    let mut defects = std::mem::take(&mut table.defects);
    for (id, &line) in table.images.iter().zip(&table.lines).filter(|(id, _)| id.contains(['/', '.']) && !is_plain(id)) {
        defects
            .fatal("wrong-name", || Fault::asked(format!("`{}` is no name of a picture", shown(id))).at(path, line as usize, 1));
    }
    if holds == Holds::Attributes {
        let names: Vec<&str> = table.columns.iter().map(|cells| cells.name.as_str()).collect();
        let known = names.len() + table.unusable.len();
        if known != ATTRIBUTES.len() && !(known == 0 && table.images.is_empty()) {
            let lacking: Vec<&str> = ATTRIBUTES.into_iter().filter(|name| !names.contains(name)).collect();
            // People write such a table for pictures of their own: what it lacks is unknown, and what it has is read.
            let what = format!("{} where CelebA has {}", count(known, "attribute"), ATTRIBUTES.len());
            let what = match &lacking[..] {
                [] => what,
                [one] => format!("{what}: {one} is not there"),
                some => {
                    let more = if some.len() > 3 { ", …" } else { "" };
                    format!("{what}: {}{more} are not there", some[..some.len().min(3)].join(", "))
                }
            };
            let line = table.lines.iter().min().map_or(1, |first| first.saturating_sub(1).max(1) as usize);
            if known == 0 {
                defects.fatal("wrong-columns", || Fault::asked(what).at(path, line, 1));
            } else {
                table.notes.push(Note::new("other-attributes", 1, &what).at(line, 1));
            }
        }
    }
    let zero = spells_no_as_zero(table);
    if holds == Holds::Attributes && zero {
        table.notes.push(Note::new("zero-for-no", 1, "values are 1 and 0: 0 is read as the release's -1"));
    }
    for (place, cells) in table.columns.iter().enumerate() {
        let is_right = |word: &String| match holds {
            Holds::Attributes => is_usual(word) || number(word).is_some_and(|value| value != 0 || zero),
            Holds::One("partition") => partition(word).is_some(),
            Holds::One(_) => true,
        };
        let wrong: Vec<bool> = cells.words.iter().map(|word| !is_right(word)).collect();
        if !wrong.contains(&true) {
            continue;
        }
        let mut rows: Vec<(usize, u32)> =
            cells.codes.iter().copied().enumerate().filter(|(_, code)| wrong[*code as usize]).collect();
        rows.sort_by_key(|(row, _)| table.lines[*row]);
        for (row, code) in rows {
            let (id, word, line) = (table.images.name(row), shown(&cells.words[code as usize]), table.lines[row] as usize);
            let (what, next, defect) = match holds {
                Holds::Attributes => (format!("{} of {id} is `{word}`", cells.name), "values are 1 and -1", "wrong-value"),
                Holds::One(_) => {
                    (format!("the partition of {id} is `{word}`"), "0 is train, 1 validation, 2 test", "wrong-partition")
                }
            };
            defects.fatal(defect, || Fault::asked(what).at(path, line, column(line, place + 1)).next(next));
        }
    }
    table.defects = defects;
}
