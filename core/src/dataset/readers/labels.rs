//! Label tables → columns: which words are missing labels, and which are yes and no.

use crate::{
    dataset::{
        collection::Collection,
        defects::{Defects, Note},
        digests::DigestCache,
        tables::{Cells, ImageTable, Repeated, TableLayout, kept, plain},
    },
    domain::{
        Fault, Result,
        image::{Column, ImageIndex, Labels},
        missing::{MissingLabels, MissingWords, is_usual},
        text::printable,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// The labels of a file, and every image id it names (also those without any label).
#[derive(Debug)]
pub(crate) struct LabelTable {
    pub labels: Labels,
    pub images: Arc<ImageIndex>,
    /// How many labels of each attribute are missing, and how that is spelled.
    pub missing: BTreeMap<String, MissingLabels>,
    /// Columns that cannot be used, and why.
    pub unusable: BTreeMap<String, Fault>,
    pub notes: Vec<Note>,
}

/// How a label table is to be read.
pub(crate) struct LabelReading<'a> {
    /// The images of the evaluation, where they are known already: they tell which column names images.
    pub known: Option<&'a ImageIndex>,
    /// What the only column is called, should the file have no header.
    pub alone: Option<&'a str>,
    /// Which words are missing, by attribute.
    pub missing: &'a dyn Fn(&str) -> MissingWords,
}

/// # Errors
/// A file that is no table, or with a row that cannot be told to be right.
pub(crate) fn read(path: &Path, reading: &LabelReading, digests: &mut DigestCache) -> Result<LabelTable> {
    let layout = TableLayout::of(path, reading.known)?;
    let names: Vec<&str> = reading.alone.filter(|_| layout.width == 2).into_iter().collect();
    if layout.header.is_none() && names.is_empty() {
        return Err(Fault::asked("the label file has no header: its first line names an image")
            .at(path, 1, 1)
            .next("write a line above it that names the columns: image_id,<attribute>"));
    }
    let options = format!("labels {} {}", serde_json::json!(layout), names.join(""));
    let table = kept(path, &options, digests, |from| ImageTable::from_reader(from, path, &layout, &names))?;
    labels(table, reading.missing)
}

fn labels(table: ImageTable, missing: &dyn Fn(&str) -> MissingWords) -> Result<LabelTable> {
    if let Some(fault) = table.first_fault() {
        return Err(fault);
    }
    let (mut labels, mut absent) = (Labels::default(), BTreeMap::new());
    let signs = Signs::of(&table);
    let (mut undefined, mut ambiguous) = (0, vec![]);
    for cells in &table.columns {
        let mut rule = missing(&cells.name);
        match signs {
            Some(Signs::ZeroIsUndefined) if rule.instead.is_none() => rule.zeros = is_of_signs(cells),
            Some(Signs::Unclear) if rule.instead.is_none() && has_minus_and_zero(cells) => ambiguous.push(cells.name.as_str()),
            _ => {}
        }
        let mut labels_missing = MissingLabels { rows: table.images.len(), ..MissingLabels::default() };
        let mut values: Vec<&str> = Vec::new();
        for (word, count) in cells.words.iter().zip(cells.counts()).filter(|(_, count)| *count > 0) {
            if rule.is_missing(word) {
                *labels_missing.spelled.entry(word.clone()).or_default() += count;
                undefined += if rule.is_zero(word) { count } else { 0 };
            } else {
                values.push(word);
                if rule.is_kept(word) {
                    *labels_missing.kept.entry(word.clone()).or_default() += count;
                }
            }
        }
        let spelling = Spelling::of(&values);
        let column = table.labels(cells, |word| (!rule.is_missing(word)).then(|| spelling.value(word)));
        labels.insert(cells.name.clone(), column);
        absent.insert(cells.name.clone(), labels_missing);
    }
    let mut notes = table.notes;
    if undefined > 0 {
        let what = "labels are -1, 0 and 1, as in MAAD-Face: 0 is undefined, so a missing label; where it is a value, write \
                    `missing: [NA]` in the study";
        notes.push(Note::new("undefined-labels", undefined, what));
    }
    if let Some(first) = ambiguous.first() {
        let what = format!(
            "`{}` has the values -1, 0 and 1, each a class of its own; where 0 is undefined, write `missing: [\"0\"]` in the study",
            printable(first)
        );
        notes.push(Note::new("three-values", ambiguous.len(), &what));
    }
    Ok(LabelTable { labels, images: table.images, missing: absent, unusable: table.unusable, notes })
}

/// A label table by itself, as a data set of which there is nothing else.
///
/// # Errors
/// A file that is no table. What is wrong inside is a defect.
pub fn label_table(path: &Path) -> Result<Collection> {
    let layout = TableLayout::of(path, None)?;
    let table = ImageTable::read(path, &layout, &["attribute"])?;
    let mut set = Collection { ids: table.images.iter().map(str::to_owned).collect(), ..Collection::default() };
    set.defects.join(&table.defects);
    for Repeated { image, first, again, .. } in &table.repeated {
        let fault = || Fault::asked(format!("{image} is there twice: first in line {first}")).at(path, *again, 1);
        set.defects.fatal("repeated-image", fault);
    }
    let whole = ImageTable { defects: Defects::default(), repeated: vec![], ..table };
    let read = labels(whole, &|_| MissingWords::default())?;
    set.defects.notes(&read.notes, path);
    for (attribute, of) in read.missing.iter().filter(|(_, of)| of.count() > 0) {
        let fault = Fault::asked(format!("{attribute}: {}", of.sentence())).in_file(path);
        set.defects.note("missing-labels", of.count(), fault);
    }
    set.labels = read.labels;
    set.missing = read.missing;
    Ok(set)
}

/// What 0 is in a table that has columns of −1, 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Signs {
    /// The annotator did not decide, as in MAAD-Face (Terhörst et al. 2021): several columns, and most of them hold −1.
    ZeroIsUndefined,
    /// A class of its own, or undefined: the table does not tell.
    Unclear,
}

/// A column of MAAD-Face, and of no table that has classes only.
const IDENTITY: &str = "identity";

/// The number that a word is, if it is −1, 0 or 1.
fn sign(word: &str) -> Option<i8> {
    let number: f64 = word.parse().ok()?;
    [-1, 0, 1].into_iter().find(|sign| f64::from(*sign) == number)
}

/// The words of a column that occur and are labels.
fn labels_of(cells: &Cells) -> impl Iterator<Item = &str> {
    let occurring = cells.words.iter().zip(cells.counts()).filter(|(_, count)| *count > 0);
    occurring.map(|(word, _)| word.as_str()).filter(|word| !is_usual(word))
}

/// Has a column no labels but −1, 0 and 1?
fn is_of_signs(cells: &Cells) -> bool {
    labels_of(cells).all(|word| sign(word).is_some())
}

fn has_minus_and_zero(cells: &Cells) -> bool {
    let signs: Vec<Option<i8>> = labels_of(cells).map(sign).collect();
    signs.iter().all(Option::is_some) && signs.contains(&Some(-1)) && signs.contains(&Some(0))
}

impl Signs {
    /// `None` where no column holds both −1 and 0.
    fn of(table: &ImageTable) -> Option<Self> {
        let columns: Vec<&Cells> = table.columns.iter().filter(|cells| is_of_signs(cells)).collect();
        if !columns.iter().any(|cells| has_minus_and_zero(cells)) {
            return None;
        }
        let with_minus = columns.iter().filter(|cells| labels_of(cells).any(|word| sign(word) == Some(-1))).count();
        let several = columns.len() > 1 || table.columns.iter().any(|cells| plain(&cells.name) == IDENTITY);
        Some(if several && 2 * with_minus > columns.len() { Signs::ZeroIsUndefined } else { Signs::Unclear })
    }
}

/// How a column spells yes and no. One that does reads `0` and `1`, so that equal labels have equal digests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spelling {
    /// Numbers that are 0 or 1, or −1 or 1.
    Numbers,
    /// Two words, of which this is yes.
    Yes(&'static str),
    /// The words are the values.
    AsTheyAre,
}

impl Spelling {
    fn of(values: &[&str]) -> Self {
        let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
        let are = |no: f64| numbers.as_ref().is_some_and(|numbers| numbers.iter().all(|&number| number == no || number == 1.0));
        if are(0.0) || are(-1.0) {
            return Spelling::Numbers;
        }
        let words = [("false", "true"), ("no", "yes")];
        let are = |(no, yes): &(&str, &str)| {
            values.iter().all(|value| value.eq_ignore_ascii_case(no) || value.eq_ignore_ascii_case(yes))
        };
        words.into_iter().find(are).map_or(Spelling::AsTheyAre, |(_, yes)| Spelling::Yes(yes))
    }

    fn value(self, word: &str) -> String {
        let is = match self {
            Spelling::Numbers => word.parse() == Ok(1.0),
            Spelling::Yes(yes) => word.eq_ignore_ascii_case(yes),
            Spelling::AsTheyAre => return word.to_owned(),
        };
        if is { "1" } else { "0" }.to_owned()
    }
}

/// Labels that are in no file, spelled as those of a file are. What yes and no are is decided for all of them together.
pub(crate) fn spelled(columns: &[&Column]) -> Vec<Column> {
    let values: BTreeSet<&str> = columns.iter().flat_map(|column| column.values()).collect();
    let spelling = Spelling::of(&values.into_iter().collect::<Vec<_>>());
    let of = |column: &&Column| column.iter().map(|(image, word)| (image, spelling.value(word))).collect();
    columns.iter().map(of).collect()
}

/// The labels of one attribute in two files, of which each may have images that the other has not.
///
/// # Errors
/// An image that the files disagree on: both values, both lines.
pub(crate) fn merged(attribute: &str, first: (&Column, &Path), second: (&Column, &Path)) -> Result<Column> {
    // Which words mean yes and no was decided file by file.
    if !first.0.is_empty() && !second.0.is_empty() && first.0.is_binary() != second.0.is_binary() {
        let (yes_no, other) = if first.0.is_binary() { (first, second) } else { (second, first) };
        let what = format!("`{attribute}` is yes or no in {}, and has other values in {}", yes_no.1.display(), other.1.display());
        return Err(Fault::asked(what).in_file(other.1).next("join the two files into one, so that their values are read alike"));
    }
    let both = first.0.iter().find_map(|(image, one)| {
        let other = second.0.get(image).filter(|other| *other != one)?;
        Some((image, one, other))
    });
    let Some((image, one, other)) = both else {
        return Ok(first.0.iter().chain(second.0.iter()).collect());
    };
    let place = |path: &Path| match line_of(path, image) {
        Some(line) => format!("{}, line {line}", path.display()),
        None => path.display().to_string(),
    };
    let fault = Fault::asked(format!(
        "two label files disagree on `{attribute}` of the image `{image}`: `{one}` in {}; `{other}` in {}",
        place(first.1),
        place(second.1)
    ));
    let fault = match line_of(second.1, image) {
        Some(line) => fault.at(second.1, line, 1),
        None => fault.in_file(second.1),
    };
    Err(fault.next("mend one of the two rows, rename the attribute in one file, or leave one file out of the study"))
}

/// The line of an image in a table.
fn line_of(path: &Path, image: &str) -> Option<usize> {
    let known = ImageIndex::from_sorted([image]);
    let layout = TableLayout::of(path, known.as_ref()).ok()?;
    let table = ImageTable::read(path, &layout, &[]).ok()?;
    Some(*table.lines.get(table.images.row(image)?)? as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn with(text: &str, rule: &MissingWords) -> Result<LabelTable> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs::write(&path, text).unwrap();
        let reading = LabelReading { known: None, alone: None, missing: &|_| rule.clone() };
        read(&path, &reading, &mut DigestCache::none())
    }

    fn table(text: &str) -> Result<LabelTable> {
        with(text, &MissingWords::default())
    }

    fn text(table: &LabelTable, attribute: &str) -> String {
        table.labels.get(attribute).unwrap().to_text()
    }

    #[test]
    fn labels_of_several_annotators_are_spelled_together() {
        let column = |pairs: &[(&str, &str)]| -> Column { pairs.iter().copied().collect() };
        let (one, other) = (column(&[("a", "yes"), ("b", "no")]), column(&[("a", "yes"), ("b", "partly")]));
        assert_eq!(spelled(&[&one, &other]), [one.clone(), other], "one of them needs a third word");
        let of = |column: &Column| column.iter().map(|(_, word)| word.to_owned()).collect::<Vec<_>>().join(" ");
        let yes = column(&[("a", "Yes")]);
        assert_eq!(spelled(&[&one, &yes]).iter().map(of).collect::<Vec<_>>(), ["1 0", "1"]);
    }

    #[test]
    fn spellings_of_a_binary_attribute_have_equal_digests() {
        let digest = |text: &str| table(text).unwrap().labels.get("Young").unwrap().digest();
        let zero_one = digest("image_id,Young\na,1\nb,0\nc,\n");
        assert_eq!(zero_one, digest("image_id,Young\r\nc,NA\r\nb,-1\r\na,1\r\n"));
        assert_eq!(zero_one, digest("image_id,Young\na,Yes\nb,no\n"));
        assert_eq!(zero_one, digest("image_id,Young\na,TRUE\nb,False\nc,?\n"));
        assert_eq!(zero_one, digest("image_id,Young\na,1.0\nb,0\n"));
        assert_ne!(zero_one, digest("image_id,Young\na,1\nb,1\n"));
        assert_eq!(text(&table("image_id,x\na,yes\nb,n/a\n").unwrap(), "x"), "a\t1\n", "yes and missing");
        assert_eq!(text(&table("image_id,x\na,-1\nb,0\nc,1\n").unwrap(), "x"), "a\t-1\nb\t0\nc\t1\n", "three values");
        assert_eq!(text(&table("image_id,x\na,yes\nb,1\n").unwrap(), "x"), "a\tyes\nb\t1\n", "two manners at once");
    }

    #[test]
    fn every_word_that_pandas_takes_for_missing_is_and_is_counted_as_spelled() {
        let pandas = [
            "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
            "NULL", "NaN", "None", "n/a", "nan", "null",
        ];
        let ours = ["?", "na", "Na", "nAn", "NONE", "Null", "  NA "];
        for word in pandas.iter().chain(&ours) {
            let table = table(&format!("image_id,race\na,asian\nb,{word}\nc,white\nd,{word}\n")).unwrap();
            assert_eq!(text(&table, "race"), "a\tasian\nc\twhite\n", "{word:?}");
            let labels_missing = &table.missing["race"];
            assert_eq!(
                (labels_missing.count(), labels_missing.rows, labels_missing.spelled.get(word.trim())),
                (2, 4, Some(&2)),
                "{word:?}"
            );
        }
        let sentence = table("image_id,x\na,?\nb,\nc,?\nd,1\n").unwrap().missing["x"].sentence();
        assert_eq!(sentence, "3 of 4 labels are missing (2 `?`, 1 empty)");
    }

    #[test]
    fn a_study_may_say_what_is_missing() {
        let rule = MissingWords { instead: Some(vec!["0".into(), "unknown".into()]), ..MissingWords::default() };
        let table = with("image_id,x\na,-1\nb,0\nc,1\nd,unknown\ne,\n", &rule).unwrap();
        assert_eq!(text(&table, "x"), "a\t0\nc\t1\n");
        assert_eq!(table.missing["x"].spelled, [("", 1), ("0", 1), ("unknown", 1)].map(|(word, n)| (word.to_owned(), n)).into());
        let quoted = MissingWords { values: ["NA".to_owned()].into(), ..MissingWords::default() };
        let table = with("image_id,region\na,NA\nb,EU\nc,n/a\n", &quoted).unwrap();
        assert_eq!(text(&table, "region"), "a\tNA\nb\tEU\n");
        assert_eq!(table.missing["region"].kept, [("NA".to_owned(), 1)].into());
    }

    #[test]
    fn zeros_of_tables_of_minus_one_and_one_are_undefined_and_counted() {
        let maad =
            "Filename,Identity,Male,Young,Bald\nn1/1.jpg,n1,1,0,0\nn1/2.jpg,n1,1,-1,0\nn2/1.jpg,n2,-1,1,1\nn2/2.jpg,n2,0,0,-1\n";
        let of = table(maad).unwrap();
        assert_eq!(text(&of, "Male"), "n1/1.jpg\t1\nn1/2.jpg\t1\nn2/1.jpg\t0\n");
        assert_eq!(text(&of, "Young"), "n1/2.jpg\t0\nn2/1.jpg\t1\n");
        assert_eq!(of.missing["Bald"].sentence(), "2 of 4 labels are missing (2 `0`)");
        let note = of.notes.iter().find(|note| note.word == "undefined-labels").unwrap();
        assert_eq!(note.count, 5);
        // Only what the study says counts, where it says something.
        let rule = MissingWords { instead: Some(vec!["NA".into()]), ..MissingWords::default() };
        assert_eq!(text(&with(maad, &rule).unwrap(), "Bald"), "n1/1.jpg\t0\nn1/2.jpg\t0\nn2/1.jpg\t1\nn2/2.jpg\t-1\n");
        let alone = table("Filename,Identity,Male\na.jpg,n1,1\nb.jpg,n1,0\nc.jpg,n2,-1\n").unwrap();
        assert_eq!(text(&alone, "Male"), "a.jpg\t1\nc.jpg\t0\n");
    }

    #[test]
    fn three_values_beside_yes_and_no_stay_values_and_are_noted() {
        let of = table("image_id,glasses,hat,mood\na,1,0,-1\nb,0,1,0\nc,1,1,1\n").unwrap();
        assert_eq!((text(&of, "glasses").as_str(), text(&of, "mood").as_str()), ("a\t1\nb\t0\nc\t1\n", "a\t-1\nb\t0\nc\t1\n"));
        assert!(of.notes.iter().any(|note| note.word == "three-values" && note.what.contains("`mood`")), "{:?}", of.notes);
    }

    #[test]
    fn tables_of_fairface_and_of_vggface2_are_read_as_they_are() {
        let fairface = "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,East Asian,True\ntrain/2.jpg,more than 70,Female,Latino_Hispanic,False\n";
        let of = table(fairface).unwrap();
        assert_eq!(text(&of, "race"), "train/1.jpg\tEast Asian\ntrain/2.jpg\tLatino_Hispanic\n");
        assert_eq!(text(&of, "age"), "train/1.jpg\t50-59\ntrain/2.jpg\tmore than 70\n");
        assert_eq!(text(&of, "service_test"), "train/1.jpg\t1\ntrain/2.jpg\t0\n");
        // An attribute a file, without a header, in columns of tabs.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("07-Beard.txt");
        fs::write(&path, "n000001/0001_01.jpg\t1\nn000001/0002_01.jpg\t0\n").unwrap();
        let reading = LabelReading { known: None, alone: Some("Beard"), missing: &|_| MissingWords::default() };
        let of = read(&path, &reading, &mut DigestCache::none()).unwrap();
        assert_eq!(text(&of, "Beard"), "n000001/0001_01.jpg\t1\nn000001/0002_01.jpg\t0\n");
    }

    #[test]
    fn a_mistake_in_the_header_stands_in_the_way_of_its_column_alone() {
        let table = table("image_id,Young,Young,x\na,1,1,0\n").unwrap();
        assert_eq!(table.unusable["Young"].place.as_ref().unwrap().at, Some((1, 16)));
        assert_eq!(text(&table, "x"), "a\t0\n");
    }

    #[test]
    fn line_ends_do_not_move_a_mistake() {
        let place = |text: &str| table(text).err().unwrap().place.unwrap().at;
        assert_eq!(place("image_id,Young\r\na,1\r\nb,1\r\nb,0\r\n"), Some((4, 1)));
    }

    #[test]
    fn mistakes_are_placed() {
        let place = |text: &str| table(text).err().unwrap().place.unwrap().at;
        assert_eq!(place("who,Young\nme,1\n"), Some((1, 1)));
        assert_eq!(place("image_id,Young\na,1\na,0\n"), Some((3, 1)));
        assert_eq!(place("image_id,Young\na,1,2\n"), Some((2, 1)));
        assert_eq!(place("a.png,1\nb.png,0\n"), Some((1, 1)));
        assert_eq!(place(""), None);
    }

    #[test]
    fn files_that_disagree_are_both_named_with_their_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.csv"), folder.path().join("two.csv"));
        fs::write(&one, "image_id,x\nb,1\na,1\n").unwrap();
        fs::write(&two, "note,image_id,x\n\"two\nlines\",c,0\n,a,0\n").unwrap();
        let column = |path: &Path| {
            let reading = LabelReading { known: None, alone: None, missing: &|_| MissingWords::default() };
            read(path, &reading, &mut DigestCache::none()).unwrap().labels.remove("x").unwrap()
        };
        let fault = merged("x", (&column(&one), &one), (&column(&two), &two)).unwrap_err();
        for words in ["`x` of the image `a`", "`1` in ", "one.csv, line 3", "`0` in ", "two.csv, line 4"] {
            assert!(fault.what.contains(words), "{words}: {}", fault.what);
        }
        assert_eq!(fault.place.unwrap().at, Some((4, 1)));
        fs::write(&two, "image_id,x\nc,0\na,1\n").unwrap();
        let merged = merged("x", (&column(&one), &one), (&column(&two), &two)).unwrap();
        assert_eq!(merged.to_text(), "a\t1\nb\t1\nc\t0\n");
    }
}
