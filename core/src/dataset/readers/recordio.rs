//! RecordIO sets, as InsightFace hands out its training sets (`train.rec`, `train.idx`, `property`) and as MXNet's tools make them.
//!
//! InsightFace's have a record of key 0 with two labels A and B: the pictures are the records 1 … A − 1, and the records A … B − 1 say
//! which of them are of one identity, `[start, end)`, and have no picture. Sets of other tools have no such record; there the first label
//! of each record is its class.

use crate::{
    dataset::{
        collection::Collection,
        source::{RecordFile, id_of},
    },
    domain::{
        Fault, Result,
        image::{Column, ImageIndex},
        study::{Dataset, FaceFiles, Identities},
        text::{count, thousands},
    },
};
use rayon::prelude::*;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Whole numbers below this one are told apart by the labels of a record, which are `f32`.
const EXACT: f32 = 16_777_216.0;
/// Labels beyond the first that are read as attributes.
const MOST_ATTRIBUTES: usize = 64;

/// A RecordIO file, or a folder that holds one.
pub(super) fn recognise(root: &Path) -> Option<Dataset> {
    let is_one = if root.is_dir() { !files(root).is_empty() } else { is_rec(root) };
    is_one.then(|| Dataset::RecordIo { root: root.to_owned(), identities: Identities::Unsaid, faces: FaceFiles::default() })
}

fn is_rec(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("rec")) && path.is_file()
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| is_rec(path)).collect();
    found.sort();
    found
}

/// The file of a set: the root itself, `train.rec` in it, or the only `.rec` there.
///
/// # Errors
/// None, or several of which none is called so.
pub(crate) fn file_of(root: &Path) -> Result<PathBuf> {
    if root.is_file() {
        return Ok(root.to_owned());
    }
    let found = files(root);
    if let Some(train) = found.iter().find(|path| path.file_stem().is_some_and(|stem| stem == "train")) {
        return Ok(train.clone());
    }
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => Err(Fault::asked("the folder holds no RecordIO file (.rec)").in_file(root)),
        [first, ..] => Err(Fault::asked(format!("the folder holds {} RecordIO files, and none is train.rec", found.len()))
            .in_file(root)
            .next(format!("name one of them: root: {}", first.display()))),
    }
}

/// Pictures and who is on them.
///
/// # Errors
/// A file that is no RecordIO file, an index of another file, labels that cannot be told.
pub(super) fn collect(root: &Path) -> Result<Collection> {
    let path = file_of(root)?;
    let records = RecordFile::open(&path)?;
    let mut set = Collection { pictures: path.clone(), ..Collection::default() };
    if let Some(torn) = records.torn() {
        set.defects.defect("torn-record", 1, torn.clone());
    }
    let labelled = match Ranges::of(&records)? {
        Some(ranges) => ranges.labelled(&records, &mut set)?,
        None => from_headers(&records, &mut set)?,
    };
    set.ids = labelled.keys.iter().map(|key| id_of(*key)).collect();
    // Keys of more than eight digits sort as text otherwise.
    if !set.ids.is_sorted() {
        return Err(Fault::asked("the records have keys of more than eight digits beside shorter ones").in_file(path));
    }
    let index = Arc::new(ImageIndex::from_sorted(set.ids.iter().map(String::as_str)).unwrap_or_default());
    if let Some(classes) = column(&index, &labelled.classes) {
        set.identities = Some(classes.clone());
        set.classes = Some(classes);
    }
    for (name, values) in labelled.attributes {
        let words: Vec<String> = values.iter().flatten().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect();
        let code = |value: &Option<f32>| words.binary_search(&value.as_ref()?.to_string()).ok();
        set.labels.insert(name, Column::coded(index.clone(), &words, values.iter().map(code)));
    }
    property(&path, &mut set);
    Ok(set)
}

/// Classes as words of one length, so that they sort as numbers. `None` where no record has one.
fn column(index: &Arc<ImageIndex>, classes: &[Option<u32>]) -> Option<Column> {
    let used: Vec<u32> = classes.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let width = used.last()?.to_string().len();
    let words: Vec<String> = used.iter().map(|class| format!("{class:0width$}")).collect();
    let code = |class: &Option<u32>| used.binary_search(&(*class)?).ok();
    Some(Column::coded(index.clone(), &words, classes.iter().map(code)))
}

/// Pictures by key, sorted, and what is known of each.
struct Labelled {
    keys: Vec<u64>,
    classes: Vec<Option<u32>>,
    attributes: Vec<(String, Vec<Option<f32>>)>,
}

/// InsightFace's record of key 0: pictures before `first`, ranges of identities from there to before `end`.
struct Ranges {
    first: u64,
    end: u64,
}

impl Ranges {
    /// `None` in a set of another tool.
    fn of(records: &RecordFile) -> Result<Option<Self>> {
        if records.keys().next() != Some(0) {
            return Ok(None);
        }
        let (header, has_picture) = records.header(0)?;
        let [a, b] = header.labels[..] else { return Ok(None) };
        if has_picture || header.flag != 2 {
            return Ok(None);
        }
        let keys = records.keys();
        let last = keys.last().unwrap_or_default();
        let wrong = |what: String| {
            Err(Fault::asked(what).in_file(records.path()).next("make the set anew: key 0 says which records are pictures"))
        };
        if !(a.fract() == 0.0 && b.fract() == 0.0 && 1.0 <= a && a <= b) {
            return wrong(format!("record 0 says that pictures end before {a} and identities before {b}: not two such numbers"));
        }
        // Larger numbers are rounded; the keys tell what they were.
        let behind = last.saturating_add(1);
        let (first, end) = if b < EXACT { (a as u64, b as u64) } else { (first_range(records, a)?, behind) };
        if end != behind {
            return wrong(format!("record 0 says that the last record is {}, and it is {last}", end - 1));
        }
        Ok(Some(Ranges { first, end }))
    }

    /// Who is on each picture, by the ranges; where their numbers are too large to be exact, by the labels of the pictures.
    fn labelled(&self, records: &RecordFile, set: &mut Collection) -> Result<Labelled> {
        let keys: Vec<u64> = records.keys().filter(|key| (1..self.first).contains(key)).collect();
        let absent = ((self.first - 1) as usize).saturating_sub(keys.len());
        if absent > 0 {
            let what = format!(
                "{} that record 0 counts {} no record",
                count(absent, "picture"),
                if absent == 1 { "has" } else { "have" }
            );
            set.defects.defect("missing-record", absent, Fault::asked(what).in_file(records.path()));
        }
        if self.first as f32 >= EXACT {
            let what = "the set has more than 2^24 pictures, so its ranges of identities are rounded: identities are the pictures' own labels";
            set.defects.note("rounded-ranges", 1, Fault::asked(what).in_file(records.path()));
            let headers = headers(records, &keys)?;
            let classes = headers.iter().map(|(labels, _)| class(labels[0])).collect::<Option<Vec<_>>>();
            let classes = classes.ok_or_else(|| no_class(records))?;
            return Ok(Labelled { keys, classes, attributes: vec![] });
        }
        let mut classes: Vec<Option<u32>> = vec![None; keys.len()];
        let ranges: Vec<u64> = records.keys().filter(|key| (self.first..self.end).contains(key)).collect();
        if ranges.len() as u64 != self.end - self.first {
            let what =
                format!("record 0 says that there are {} identities, and {} have a record", self.end - self.first, ranges.len());
            return Err(Fault::asked(what).in_file(records.path()).next("make the set anew"));
        }
        let bounds = ranges.par_iter().map(|key| Ok((*key, records.header(*key)?.0.labels))).collect::<Result<Vec<_>>>()?;
        for (identity, (key, labels)) in bounds.into_iter().enumerate() {
            let wrong = |what: String| Err(Fault::asked(what).in_file(records.path()).next("make the set anew"));
            let [start, end] = labels[..] else { return wrong(format!("record {key} has no range of pictures")) };
            if !(1.0 <= start && start <= end && end <= self.first as f32 && start.fract() == 0.0 && end.fract() == 0.0) {
                return wrong(format!(
                    "record {key} says that an identity has the pictures {start} to before {end}, of {}",
                    self.first - 1
                ));
            }
            let from = keys.partition_point(|key| *key < start as u64);
            for (key, class) in keys[from..].iter().zip(&mut classes[from..]).take_while(|(key, _)| **key < end as u64) {
                if class.replace(identity as u32).is_some() {
                    return wrong(format!("the picture of record {key} is in the ranges of two identities"));
                }
            }
        }
        let nobody = classes.iter().filter(|class| class.is_none()).count();
        if nobody > 0 {
            let what = format!("{} in no range: nobody is said to be on them", count(nobody, "picture"));
            set.defects.defect("no-identity", nobody, Fault::asked(what).in_file(records.path()));
        }
        Ok(Labelled { keys, classes, attributes: vec![] })
    }
}

/// The first record of a range: near `rounded`, without a picture, and with two labels.
fn first_range(records: &RecordFile, rounded: f32) -> Result<u64> {
    // Neighbours among numbers of this size are 2, 4, … apart.
    let apart = (rounded.next_up() - rounded).max(1.0) as u64;
    let near = (rounded as u64).saturating_sub(apart).max(1)..=(rounded as u64).saturating_add(apart);
    for key in near {
        if let Ok((header, false)) = records.header(key)
            && header.labels.len() == 2
        {
            return Ok(key);
        }
    }
    Err(Fault::asked(format!("record 0 says that ranges of identities begin at about {rounded}, and none does"))
        .in_file(records.path()))
}

/// The labels of records, and whether each has a picture.
fn headers(records: &RecordFile, keys: &[u64]) -> Result<Vec<(Vec<f32>, bool)>> {
    let read = |key: &u64| {
        let (mut header, has_picture) = records.header(*key)?;
        header.labels.truncate(1 + MOST_ATTRIBUTES);
        Ok((header.labels, has_picture))
    };
    keys.par_iter().map(read).collect()
}

/// A class: a whole number that is exact in `f32`. `Some(None)`: below zero, as pictures without a label are marked.
#[expect(clippy::option_option, reason = "no number, no class, or a class")]
fn class(label: f32) -> Option<Option<u32>> {
    match label {
        _ if label.fract() != 0.0 || label >= EXACT => None,
        _ if label < 0.0 => Some(None),
        _ => Some(Some(label as u32)),
    }
}

fn no_class(records: &RecordFile) -> Fault {
    Fault::asked(
        "a label is 16777216 (2^24) or greater: labels are 32-bit floating-point numbers, which do not tell such numbers apart",
    )
    .in_file(records.path())
    .next("number the classes from 0, and write the set anew")
}

/// A set of another tool: every record is a picture, its first label is its class, further ones are attributes.
fn from_headers(records: &RecordFile, set: &mut Collection) -> Result<Labelled> {
    let all: Vec<u64> = records.keys().collect();
    let headers = headers(records, &all)?;
    let (mut keys, mut labels) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    let mut empty = 0;
    for (key, (of, has_picture)) in all.into_iter().zip(headers) {
        if has_picture {
            keys.push(key);
            labels.push(of);
        } else {
            empty += 1;
        }
    }
    if empty > 0 {
        let what = format!("{} without a picture {} left out", count(empty, "record"), if empty == 1 { "is" } else { "are" });
        set.defects.defect("empty-record", empty, Fault::asked(what).in_file(records.path()));
    }
    let firsts = || labels.iter().map(|of: &Vec<f32>| of[0]);
    if firsts().any(|label| label.fract() == 0.0 && label >= EXACT) {
        return Err(no_class(records));
    }
    let mut attributes: Vec<(String, Vec<Option<f32>>)> = Vec::new();
    let is_number = |label: &f32| label.is_finite();
    let most = labels.iter().map(Vec::len).max().unwrap_or_default();
    for place in 1..most {
        let values = labels.iter().map(|of| of.get(place).copied().filter(is_number)).collect();
        attributes.push((format!("label{}", place + 1), values));
    }
    let classes = firsts().map(class).collect::<Option<Vec<_>>>();
    let classes = classes.unwrap_or_else(|| {
        let what = "the first labels are no whole numbers: they are no classes, and are read as the attribute `label1`";
        set.defects.note("no-classes", 1, Fault::asked(what).in_file(records.path()));
        attributes.push(("label1".to_owned(), firsts().map(|label| Some(label).filter(is_number)).collect()));
        vec![None; keys.len()]
    });
    Ok(Labelled { keys, classes, attributes })
}

/// `property` beside the file: how many identities, and the sides of the pictures.
fn property(path: &Path, set: &mut Collection) {
    let file = path.with_file_name("property");
    let Ok(text) = crate::files::read_text(&file, 1 << 12) else { return };
    let said = text.split(',').next().and_then(|classes| classes.trim().parse::<usize>().ok());
    let found = set.classes.as_ref().map(|classes| classes.values().len());
    match (said, found) {
        (Some(said), Some(found)) if said != found => {
            let what = format!("the file says {} identities, and the records have {}", thousands(said), thousands(found));
            let fault = Fault::asked(what).in_file(file);
            // Fewer than said: some may have lost all of their pictures.
            if said < found { set.defects.defect("property", 1, fault) } else { set.defects.note("property", 1, fault) }
        }
        (None, _) => {
            let fault = Fault::asked("not `identities,height,width`: it is passed over").in_file(file);
            set.defects.defect("property", 1, fault);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::source::{RecordHeader, RecordWriter};

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/recordio").join(name)
    }

    fn shown(column: Option<&Column>) -> String {
        let pairs =
            column.into_iter().flat_map(Column::iter).map(|(id, value)| format!("{}={value}", id.trim_start_matches('0')));
        pairs.collect::<Vec<_>>().join(" ")
    }

    fn found(set: &Collection) -> Vec<(String, usize)> {
        set.defects.all().map(|found| (found.word.to_owned(), found.count)).collect()
    }

    /// A set of these records: key, labels, whether it has a picture.
    fn made(records: &[(u64, &[f32], bool)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = RecordWriter::create(&folder.path().join("train")).unwrap();
        for (key, labels, has_picture) in records {
            let flag = if labels.len() == 1 { 0 } else { labels.len() as u32 };
            let header = RecordHeader { flag, id: *key, labels: labels.to_vec() };
            writer.append(&header, 0, if *has_picture { b"a picture" } else { b"" }).unwrap();
        }
        writer.finish().unwrap();
        let root = folder.path().to_owned();
        (folder, root)
    }

    #[test]
    fn pictures_of_insightface_are_of_the_identities_of_its_ranges() {
        let set = collect(&fixture("insightface")).unwrap();
        assert_eq!(set.ids, ["00000001", "00000002", "00000003", "00000004", "00000005"]);
        assert_eq!(shown(set.classes.as_ref()), "1=0 2=0 3=1 4=2 5=2");
        assert_eq!(set.identities, set.classes);
        assert!(found(&set).is_empty() && set.labels.is_empty());
        assert_eq!(set.pictures, fixture("insightface/train.rec"));
    }

    #[test]
    fn in_sets_of_other_tools_every_record_is_a_picture_and_further_labels_are_attributes() {
        for name in ["plain", "scanned"] {
            let set = collect(&fixture(name)).unwrap();
            assert_eq!(shown(set.classes.as_ref()), "=0 1=1 2=0 3=1", "{name}");
        }
        let set = collect(&fixture("parts/train.rec")).unwrap();
        assert_eq!(shown(set.classes.as_ref()), "=1 1=0 2=1");
        let attributes: Vec<(&str, String)> = set.labels.iter().map(|(name, column)| (name, shown(Some(column)))).collect();
        assert_eq!(attributes, [("label2", "=0.5 1=0.25".to_owned()), ("label3", "=7 1=8".to_owned())]);
    }

    #[test]
    fn classes_sort_as_numbers_and_pictures_below_zero_are_in_none() {
        let (_folder, root) = made(&[(0, &[10.0], true), (1, &[2.0], true), (2, &[-1.0], true), (3, &[5.0], false)]);
        let set = collect(&root).unwrap();
        assert_eq!(shown(set.classes.as_ref()), "=10 1=02");
        assert_eq!((set.ids.len(), found(&set)), (3, vec![("empty-record".to_owned(), 1)]));
    }

    #[test]
    fn labels_beyond_what_a_float_tells_apart_are_refused_and_others_than_whole_numbers_are_no_classes() {
        let (_folder, root) = made(&[(0, &[16_777_216.0], true), (1, &[16_777_218.0], true)]);
        assert!(collect(&root).unwrap_err().what.contains("2^24"));
        let (_folder, root) = made(&[(0, &[16_777_215.0], true), (1, &[0.0], true)]);
        assert_eq!(shown(collect(&root).unwrap().classes.as_ref()), "=16777215 1=00000000");
        let (_folder, root) = made(&[(0, &[31.5], true), (1, &[f32::NAN], true)]);
        let set = collect(&root).unwrap();
        assert!(set.classes.is_none() && set.identities.is_none());
        assert_eq!(shown(set.labels.get("label1")), "=31.5");
    }

    #[test]
    fn numbers_that_no_set_has_are_refused() {
        for (key, first, end) in [(5, 1.0, 1e18), (10, 2.0, 1e18), (u64::MAX, 1.0, 3.4e38)] {
            let (_folder, root) = made(&[(1, &[0.0], true), (key, &[1.0, 2.0], false), (0, &[first, end], false)]);
            assert!(collect(&root).is_err(), "{key} {first} {end}");
        }
    }

    #[test]
    fn ranges_that_cannot_be_are_refused_and_missing_records_are_counted() {
        let what = |records: &[(u64, &[f32], bool)]| {
            let (_folder, root) = made(records);
            collect(&root).map(|set| (shown(set.classes.as_ref()), found(&set))).map_err(|fault| fault.what)
        };
        let (one, two) = ((1, &[0.0][..], true), (2, &[0.0][..], true));
        let good = what(&[one, two, (3, &[1.0, 2.0], false), (4, &[2.0, 3.0], false), (0, &[3.0, 5.0], false)]);
        assert_eq!(good, Ok(("1=0 2=1".to_owned(), vec![])));
        let missing = what(&[two, (3, &[1.0, 3.0], false), (0, &[3.0, 4.0], false)]).unwrap();
        assert_eq!(missing, ("2=0".to_owned(), vec![("missing-record".to_owned(), 1)]));
        let nobody = what(&[one, two, (3, &[1.0, 2.0], false), (0, &[3.0, 4.0], false)]).unwrap();
        assert_eq!(nobody, ("1=0".to_owned(), vec![("no-identity".to_owned(), 1)]));
        let twice = what(&[one, two, (3, &[1.0, 3.0], false), (4, &[2.0, 3.0], false), (0, &[3.0, 5.0], false)]);
        assert!(twice.unwrap_err().contains("ranges of two identities"));
        assert!(what(&[one, (2, &[1.0, 9.0], false), (0, &[2.0, 3.0], false)]).unwrap_err().contains("pictures 1 to before 9"));
        assert!(
            what(&[one, (2, &[1.0, 2.0], false), (0, &[2.0, 7.0], false)]).unwrap_err().contains("last record is 6, and it is 2")
        );
        assert!(what(&[one, (0, &[2.5, 1.0], false)]).unwrap_err().contains("not two such numbers"));
    }

    #[test]
    fn a_folder_has_one_file_or_train_rec() {
        let (_folder, root) = made(&[(0, &[1.0], true)]);
        let file = root.join("train.rec");
        assert_eq!(file_of(&root).unwrap(), file);
        fs::copy(&file, root.join("val.rec")).unwrap();
        assert_eq!(file_of(&root).unwrap(), file);
        fs::rename(&file, root.join("a.rec")).unwrap();
        assert!(file_of(&root).unwrap_err().what.contains("2 RecordIO files"));
        assert_eq!(file_of(&root.join("val.rec")).unwrap(), root.join("val.rec"));
        fs::write(root.join("property"), "0,112,112\n").unwrap();
        assert_eq!(found(&collect(&root.join("val.rec")).unwrap()), [("property".to_owned(), 1)]);
    }
}
