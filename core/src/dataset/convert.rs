//! A data set of classes in another container: folders, archives and RecordIO files into each other. The bytes of pictures stay as they
//! are.

use super::{
    collection::Collection,
    decode::decode,
    source::{PictureSource, RecordHeader, RecordWriter, is_plain},
};
use crate::domain::{
    Fault, Result,
    file_kind::{ExpectedFile, FileKind},
    image::Column,
    text::thousands,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// What a data set is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `train.rec`, `train.idx` and `property` as InsightFace writes them, and `train.lst` with the names of the pictures.
    RecordIo,
    /// One folder a class.
    Folders,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// How many pictures.
    pub images: usize,
    /// Of how many classes.
    pub classes: usize,
    /// Pictures without a class: they are left out.
    pub left_out: usize,
    /// Attributes that pictures which were written have labels of, with how many: a container has classes only, so they are left out.
    pub attributes_left_out: Vec<(String, usize)>,
    /// Partitions with the number of pictures that were written, where they are of several: a container has none, so they are together now.
    pub partitions: Vec<(String, usize)>,
}

/// The greatest number that labels of records hold exactly.
const EXACT: usize = 1 << 24;

/// Writes a data set into a new folder.
///
/// # Errors
/// A set without classes; a folder that holds something; a picture that cannot be read; a refusal of the operating system.
pub fn convert(set: &Collection, to: &Path, target: Target) -> Result<Converted> {
    let Some(classes) = &set.classes else {
        return Err(Fault::asked("the data set has no classes to sort pictures by").in_file(&set.pictures));
    };
    if fs::read_dir(to).map_or_else(|_| to.exists(), |mut entries| entries.next().is_some()) {
        return Err(Fault::asked("the folder to write into is there already, and not empty")
            .in_file(to)
            .next("name another one"));
    }
    let names: BTreeSet<&str> = classes.values();
    let numbers: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
    let mut pictures: Vec<ClassedPicture> = Vec::with_capacity(set.ids.len());
    for id in &set.ids {
        if let Some(class) = classes.get(id) {
            pictures.push(ClassedPicture { number: numbers[class], class, id });
        }
    }
    pictures.sort();
    let half = half_of(to);
    fs::create_dir_all(&half).map_err(|error| Fault::io("make the folder", &half, &error))?;
    let source = PictureSource::open(&set.pictures)?;
    let written = match target {
        Target::RecordIo => to_records(&source, &pictures, &half),
        Target::Folders => to_folders(&source, &pictures, &set.pictures, &half),
    };
    // An empty folder may stand there.
    let ended = written.and_then(|()| fs::rename(&half, to).map_err(|error| Fault::io("make the folder", to, &error)));
    if let Err(fault) = ended {
        fs::remove_dir_all(&half).ok();
        return Err(fault);
    }
    let labelled = |column: &Column| pictures.iter().filter(|picture| column.get(picture.id).is_some()).count();
    let mut partitions: BTreeMap<&str, usize> = BTreeMap::new();
    for partition in pictures.iter().filter_map(|picture| set.partitions.as_ref()?.get(picture.id)) {
        *partitions.entry(partition).or_default() += 1;
    }
    let partitions = partitions.into_iter().map(|(name, count)| (name.to_owned(), count));
    let attributes = set.labels.iter().map(|(name, column)| (name.to_owned(), labelled(column)));
    Ok(Converted {
        images: pictures.len(),
        classes: names.len(),
        left_out: set.ids.len() - pictures.len(),
        attributes_left_out: attributes.filter(|(_, labels)| *labels > 0).collect(),
        partitions: if partitions.len() > 1 { partitions.collect() } else { vec![] },
    })
}

/// The folder that is filled before it gets its name.
fn half_of(to: &Path) -> PathBuf {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    to.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// A picture and its class; sorted by class, then by id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ClassedPicture<'a> {
    number: usize,
    class: &'a str,
    id: &'a str,
}

fn to_records(source: &PictureSource, pictures: &[ClassedPicture], to: &Path) -> Result<()> {
    let classes = pictures.last().map_or(0, |picture| picture.number + 1);
    let (first, end) = (pictures.len() + 1, pictures.len() + 1 + classes);
    if end > EXACT {
        return Err(Fault::asked(format!(
            "{} pictures and classes: the labels of records count exactly to {}",
            thousands(end),
            thousands(EXACT)
        )));
    }
    let mut writer = RecordWriter::create(&to.join("train"))?;
    let mut append = |key: usize, labels: Vec<f32>, id2: u64, picture: &[u8]| {
        let flag = if labels.len() == 1 { 0 } else { labels.len() as u32 };
        writer.append(&RecordHeader { flag, id: key as u64, labels }, id2, picture)
    };
    let (mut ranges, mut list, mut sides) = (vec![(0, 0); classes], String::new(), None);
    for (key, picture) in (1..).zip(pictures) {
        let bytes = source.read(picture.id)?;
        if sides.is_none() {
            sides = Some(decode(&bytes, &source.place(picture.id)).map_or((0, 0), |opened| (opened.height, opened.width)));
        }
        append(key, vec![picture.number as f32], 0, &bytes)?;
        let range = &mut ranges[picture.number];
        *range = (if range.0 == 0 { key } else { range.0 }, key + 1);
        _ = writeln!(list, "{key}\t{}\t{}", picture.number, picture.id);
    }
    for (key, (start, end)) in (first..).zip(ranges) {
        append(key, vec![start as f32, end as f32], 0, &[])?;
    }
    append(0, vec![first as f32, end as f32], 1, &[])?;
    writer.finish()?;
    let (height, width) = sides.unwrap_or_default();
    for (name, text) in [("property", format!("{classes},{height},{width}\n")), ("train.lst", list)] {
        let path = to.join(name);
        fs::write(&path, text).map_err(|error| Fault::io("write", path, &error))?;
    }
    Ok(())
}

fn to_folders(source: &PictureSource, pictures: &[ClassedPicture], from: &Path, to: &Path) -> Result<()> {
    let names = match source {
        PictureSource::Records(_) => listed(&from.with_extension("lst"), pictures),
        PictureSource::Folder(_) | PictureSource::Tar(_) | PictureSource::Pairs(_) => BTreeMap::new(),
    };
    for picture in pictures {
        let bytes = source.read(picture.id)?;
        let name = match (names.get(picture.id), source) {
            (Some(name), _) => name.clone(),
            (None, PictureSource::Records(_)) => {
                let kind = FileKind::of(&bytes);
                let ending = ending(kind).ok_or_else(|| {
                    let what = format!("not a picture that is read: the record holds something that is {}", kind.words());
                    Fault::asked(what).in_file(source.place(picture.id)).next(kind.advice(ExpectedFile::Picture))
                })?;
                format!("{}/{}.{ending}", picture.class, picture.id)
            }
            // The class is a folder of the id already, or it is not and becomes one.
            (None, _) if picture.id.split_once('/').is_some_and(|(folder, _)| folder == picture.class) => picture.id.to_owned(),
            (None, _) => format!("{}/{}", picture.class, picture.id),
        };
        let path = to.join(name);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(|error| Fault::io("make the folder", folder, &error))?;
        // Two ids that are one path: neither is written over the other.
        let written = fs::File::create_new(&path).and_then(|mut file| file.write_all(&bytes));
        written.map_err(|error| Fault::io("write", path, &error))?;
    }
    Ok(())
}

/// The names that a list beside a RecordIO file gives its pictures (`key`, labels and a path, separated by tabs), if it names each of
/// them, by another path, each in a folder.
fn listed(list: &Path, pictures: &[ClassedPicture]) -> BTreeMap<String, String> {
    let text = crate::files::read_text(list, crate::files::LARGEST_TEXT).unwrap_or_default();
    let line = |line: &str| {
        let (key, path) = (line.split('\t').next()?.parse::<u64>().ok()?, line.rsplit('\t').next()?);
        let is_below = is_plain(path) && path.contains('/') && !path.chars().any(char::is_control);
        is_below.then(|| (super::source::id_of(key), path.to_owned()))
    };
    let names: BTreeMap<String, String> = text.lines().filter_map(line).collect();
    let used: BTreeSet<&String> = pictures.iter().filter_map(|picture| names.get(picture.id)).collect();
    if used.len() == pictures.len() { names } else { BTreeMap::new() }
}

fn ending(kind: FileKind) -> Option<&'static str> {
    Some(match kind {
        FileKind::Jpeg => "jpg",
        FileKind::Png => "png",
        FileKind::Webp => "webp",
        FileKind::Bmp => "bmp",
        FileKind::Tiff => "tif",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DigestCache, collect, faces, readers::recognise};

    fn read(root: &Path) -> Collection {
        collect(&recognise(root), &mut DigestCache::none()).unwrap()
    }

    /// Every file below a folder, with its bytes.
    fn below(root: &Path) -> BTreeMap<String, Vec<u8>> {
        let ids = crate::dataset::pictures::names(root).unwrap().ids;
        ids.into_iter().map(|id| (id.clone(), fs::read(root.join(id)).unwrap())).collect()
    }

    #[test]
    fn folders_become_records_and_folders_again_with_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, bytes) in
            [("b cats/1.jpg", faces::a_jpeg()), ("a/2.jpg", faces::a_jpeg()), ("a/10.png", b"\x89PNG\r\n\x1a\n".to_vec())]
        {
            fs::create_dir_all(path("set").join(name).parent().unwrap()).unwrap();
            fs::write(path("set").join(name), bytes).unwrap();
        }
        let made = convert(&read(&path("set")), &path("rec"), Target::RecordIo).unwrap();
        assert_eq!(made, Converted { images: 3, classes: 2, left_out: 0, attributes_left_out: vec![], partitions: vec![] });
        let list = fs::read_to_string(path("rec/train.lst")).unwrap();
        assert_eq!(list, "1\t0\ta/10.png\n2\t0\ta/2.jpg\n3\t1\tb cats/1.jpg\n");
        let records = read(&path("rec"));
        let classes: Vec<&str> = records.classes.as_ref().unwrap().iter().map(|(_, class)| class).collect();
        assert_eq!((classes, records.defects.all().count()), (vec!["0", "0", "1"], 0));
        convert(&records, &path("again"), Target::Folders).unwrap();
        assert_eq!(below(&path("again")), below(&path("set")));
        // Without the list the names are numbers, and the bytes the same.
        fs::remove_file(path("rec/train.lst")).unwrap();
        convert(&read(&path("rec")), &path("numbers"), Target::Folders).unwrap();
        let numbers = below(&path("numbers"));
        assert!(numbers.keys().eq(["0/00000001.png", "0/00000002.jpg", "1/00000003.jpg"]));
        assert!(numbers.values().eq(below(&path("set")).values()));
        assert!(fs::read_dir(folder.path()).unwrap().count() == 4, "nothing half made is left");
    }

    #[test]
    fn what_mxnet_wrote_becomes_folders_and_the_same_records() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordio/insightface");
        let folder = tempfile::tempdir().unwrap();
        let (folders, records) = (folder.path().join("folders"), folder.path().join("records"));
        convert(&read(&fixture), &folders, Target::Folders).unwrap();
        convert(&read(&folders), &records, Target::RecordIo).unwrap();
        for file in ["train.rec", "train.idx", "property"] {
            assert!(fs::read(records.join(file)).unwrap() == fs::read(fixture.join(file)).unwrap(), "{file}");
        }
    }

    #[test]
    fn pictures_of_several_partitions_are_counted_by_partition() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        fs::create_dir_all(root.join("a")).unwrap();
        for name in ["1.jpg", "2.jpg", "3.jpg"] {
            fs::write(root.join("a").join(name), faces::a_jpeg()).unwrap();
        }
        let mut set = read(&root);
        let column = |partitions: [(&str, &str); 3]| Some(partitions.into_iter().collect());
        set.partitions = column([("a/1.jpg", "train"), ("a/2.jpg", "test"), ("a/3.jpg", "train")]);
        let made = convert(&set, &folder.path().join("rec"), Target::RecordIo).unwrap();
        assert_eq!(made.partitions, [("test".to_owned(), 1), ("train".to_owned(), 2)]);
        set.partitions = column([("a/1.jpg", "train"), ("a/2.jpg", "train"), ("a/3.jpg", "train")]);
        assert_eq!(convert(&set, &folder.path().join("one"), Target::RecordIo).unwrap().partitions, []);
    }

    #[test]
    fn further_labels_of_records_are_left_out_and_counted() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordio/parts");
        let folder = tempfile::tempdir().unwrap();
        for (name, target) in [("records", Target::RecordIo), ("folders", Target::Folders)] {
            // The third record has no further label.
            let made = convert(&read(&fixture), &folder.path().join(name), target).unwrap();
            assert_eq!(made.images, 3);
            assert_eq!(made.attributes_left_out, [("label2".to_owned(), 2), ("label3".to_owned(), 2)]);
        }
    }

    #[test]
    fn nothing_is_overwritten_and_a_set_without_classes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (set, full) = (folder.path().join("set"), folder.path().join("full"));
        fs::create_dir_all(set.join("a")).unwrap();
        fs::write(set.join("a/x.jpg"), b"x").unwrap();
        fs::create_dir_all(full.join("other")).unwrap();
        assert!(convert(&read(&set), &full, Target::RecordIo).unwrap_err().what.contains("not empty"));
        assert!(convert(&Collection::default(), &set.join("new"), Target::Folders).unwrap_err().what.contains("no classes"));
        // A record that holds no picture.
        let records = folder.path().join("records");
        convert(&read(&set), &records, Target::RecordIo).unwrap();
        fs::remove_file(records.join("train.lst")).unwrap();
        let fault = convert(&read(&records), &folder.path().join("out"), Target::Folders).unwrap_err().to_string();
        assert!(fault.contains("plain text") && fault.contains("train.rec, record 1 (offset 0)"), "{fault}");
        assert!(!folder.path().join("out").exists());
    }
}
