//! Labels of data sets beside their pictures: tables that are added to a set, and tables that a set is written to.

use super::{
    Context,
    data::{count_findings, opened},
    export::table::{ExportFormat, ExportTable},
    output::{say, say_json, warn},
};
use polars::prelude::{Column as PolarsColumn, DataFrame, DataType, ParquetReader, PolarsResult, SerReader};
use serde_json::json;
use std::{
    io::Read,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{self, Collection, PictureSource, SAY_IDENTITIES, UNKNOWN_IDENTITIES},
    domain::{
        Fault, Result,
        image::{Column, Images},
        spelling::suggestion,
        text::{count, no_formula, printable, size, thousands},
    },
    store::write_out,
};

/// What a Parquet file begins with.
const PARQUET: &[u8] = b"PAR1";

/// A label table that belongs to a folder of pictures.
#[derive(clap::Args)]
pub(crate) struct AddedLabels {
    /// A label table of these pictures, too (CSV)
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The column of the labels that says who is on the pictures
    #[arg(long, value_name = "COLUMN")]
    identities: Option<String>,
}

/// A data set with its labels, and what its kind is called.
pub(crate) struct LabelledSet {
    pub kind: String,
    pub set: Collection,
}

impl AddedLabels {
    /// The table.
    pub(super) fn file(&self) -> Option<&Path> {
        self.labels.as_deref()
    }

    /// Its column that says who is on the pictures.
    pub(super) fn identities_column(&self) -> Option<&str> {
        self.identities.as_deref()
    }

    /// Refuses labels where pictures are written: containers have none but classes.
    pub(super) fn none_of(&self, dst: &Path) -> Result<()> {
        if self.labels.is_none() && self.identities.is_none() {
            return Ok(());
        }
        let fault = Fault::asked("--labels and --identities are of tables: pictures are written with their classes alone");
        Err(fault.in_file(dst).next("name a table to write, labels.csv or labels.parquet, or leave them out"))
    }

    /// Opens a data set or a label table, and adds what is named beside it.
    pub(crate) fn opened(&self, context: &Context, path: &Path) -> Result<LabelledSet> {
        let (kind, mut set) = if path.is_file() && !PictureSource::is_here(path) {
            ("labels".to_owned(), dataset::label_table(path)?)
        } else {
            let (dataset, set) = opened(path)?;
            (dataset.word().to_owned(), set)
        };
        if let Some(fault) = set.defects.first_fatal().filter(|_| kind == "labels") {
            return Err(fault);
        }
        if let Some(file) = &self.labels {
            let table = dataset::label_table(file)?;
            if let Some(fault) = table.defects.first_fatal() {
                return Err(fault);
            }
            count_findings(context, &table);
            join(&mut set, table, file)?;
        }
        if let Some(name) = &self.identities {
            let Some(column) = set.labels.remove(name) else {
                let names: Vec<&str> = set.labels.names().collect();
                let fault = Fault::asked(format!("the labels have no column `{}`", printable(name)));
                return Err(fault.in_file(self.labels.as_deref().unwrap_or(path)).next(suggestion(name, &names)));
            };
            set.missing.remove(name);
            set.identities = Some(column);
        }
        if kind != "labels" {
            count_findings(context, &set);
            if set.identities.is_none() {
                warn(context, &[format!("{UNKNOWN_IDENTITIES}; in a study {SAY_IDENTITIES}")]);
            }
        }
        Ok(LabelledSet { kind, set })
    }
}

/// Adds a table's labels to those of a set.
fn join(set: &mut Collection, table: Collection, file: &Path) -> Result<()> {
    let images = Images(set.ids.iter().map(|id| (id.clone(), None)).collect());
    if !set.ids.iter().any(|id| table.ids.binary_search(id).is_ok()) {
        let shown = |ids: &[String]| ids.first().map_or(String::new(), |id| format!(" (`{}`)", printable(id)));
        let what = format!("no image of the table{} is one of the set's{}", shown(&table.ids), shown(&set.ids));
        return Err(Fault::asked(what).in_file(file).next("write the pictures' names in the table as they are below the folder"));
    }
    for (name, column) in table.labels.iter() {
        if set.labels.get(name).is_some() {
            let what = format!("`{}` is an attribute of the data set, and of the table", printable(name));
            return Err(Fault::asked(what).in_file(file).next("rename the column of the table"));
        }
        set.labels.insert(name.to_owned(), column.restricted(&images));
    }
    set.missing.extend(table.missing);
    Ok(())
}

/// The format that a file's name asks for, where it is a table's.
pub(super) fn table_format(path: &Path) -> Option<ExportFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(ExportFormat::Csv),
        "parquet" => Some(ExportFormat::Parquet),
        _ => None,
    }
}

/// Writes labels as one table: those of a data set, of a label table, or of a Parquet file.
pub(super) fn convert(context: &Context, added: &AddedLabels, (src, dst): (&Path, &Path), format: ExportFormat) -> Result<()> {
    let (kind, table, images) = if is_parquet(src)? {
        if matches!(format, ExportFormat::Parquet) {
            return Err(Fault::asked("the file is Parquet already").in_file(src).next("name a .csv file to write"));
        }
        if added.labels.is_some() || added.identities.is_some() {
            let fault = Fault::asked("a Parquet table is written as it is, with no other labels");
            return Err(fault.in_file(src).next("convert it to CSV first, and name that with --labels"));
        }
        let (table, rows) = from_parquet(context, src)?;
        ("parquet".to_owned(), table, rows)
    } else {
        let LabelledSet { kind, set } = added.opened(context, src)?;
        if let Some(fault) = set.defects.first_fatal() {
            return Err(fault);
        }
        let guarded = set.ids.iter().filter(|id| no_formula((*id).clone()) != **id).count();
        if guarded > 0 && matches!(format, ExportFormat::Csv) {
            let what = "would begin a formula in a spreadsheet: an apostrophe stands before it";
            warn(context, &[format!("{} {what}", count(guarded, "image name"))]);
        }
        (kind, of_set(&set, format), set.ids.len())
    };
    write_out(dst, &table.write(format)?)?;
    let columns = table.names().count();
    if context.json {
        say_json(&json!({
            "format": 1, "from": kind, "to": if matches!(format, ExportFormat::Parquet) { "parquet" } else { "csv" },
            "images": images, "columns": table.names().collect::<Vec<_>>(), "file": dst.to_string_lossy(),
        }));
    } else {
        say(format!("wrote {} of {} to {}", count(images, "row"), count(columns, "column"), printable(&dst.to_string_lossy())));
    }
    Ok(())
}

/// Image, partition, identity, class, then every attribute in the order of names.
fn of_set(set: &Collection, format: ExportFormat) -> ExportTable {
    let mut table = ExportTable::default();
    table.text("image_id", set.ids.iter().cloned().map(Some));
    let free = |name: &str| {
        let mut name = name.to_owned();
        while name == "image_id" || set.labels.get(&name).is_some() {
            name.push('_');
        }
        name
    };
    let values = |column: &Column| -> Vec<Option<String>> {
        column.aligned_to(set.ids.iter().map(String::as_str)).into_iter().map(|value| value.map(str::to_owned)).collect()
    };
    // VGGFace2's classes are its identities.
    let classes = set.classes.as_ref().filter(|classes| set.identities.as_ref() != Some(*classes));
    for (name, column) in [("partition", &set.partitions.as_ref()), ("identity", &set.identities.as_ref()), ("class", &classes)] {
        if let Some(column) = column {
            table.text(&free(name), values(column).into_iter());
        }
    }
    for (name, column) in set.labels.iter() {
        let name = if name == "image_id" { "image_id_" } else { name };
        let values = values(column);
        // Numbers stay as written in text; Parquet has types.
        let numbers = || -> Option<Vec<Option<f64>>> {
            let number = |text: &String| text.parse().ok().filter(|number: &f64| number.to_string() == *text);
            values.iter().map(|value| value.as_ref().map_or(Some(None), |text| number(text).map(Some))).collect()
        };
        match (matches!(format, ExportFormat::Parquet), column.is_binary()) {
            (true, true) => table.whole(name, values.iter().map(|value| value.as_ref().map(|text| usize::from(text == "1")))),
            (true, false) => match numbers() {
                Some(numbers) => table.number(name, numbers.into_iter()),
                None => table.text(name, values.into_iter()),
            },
            (false, _) => table.text(name, values.into_iter()),
        }
    }
    table
}

fn is_parquet(path: &Path) -> Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let file = visavis_core::files::open(path).map_err(|error| Fault::io("read the table", path, &error))?;
    file.take(PARQUET.len() as u64).read_to_end(&mut start).map_err(|error| Fault::io("read the table", path, &error))?;
    Ok(start == PARQUET)
}

/// A Parquet file as a table of words, and how many rows it has. Columns of lists and the like are left out, and named.
fn from_parquet(context: &Context, path: &Path) -> Result<(ExportTable, usize)> {
    let wrong = |what: String| {
        Fault::asked(format!("the Parquet file cannot be read: {}", printable(&what)))
            .in_file(path)
            .next("write it again, or as CSV")
    };
    let open = || visavis_core::files::open(path).map_err(|error| Fault::io("read the table", path, &error));
    // A damaged file must not end the program, whatever the library makes of it.
    let guarded = |read: &dyn Fn() -> PolarsResult<DataFrame>| catch_unwind(AssertUnwindSafe(read));
    let file = open()?;
    let bytes = file.metadata().map_err(|error| Fault::io("read the table", path, &error))?.len();
    let about = catch_unwind(AssertUnwindSafe(|| -> PolarsResult<_> {
        let mut reader = ParquetReader::new(file);
        Ok((reader.schema()?, reader.num_rows()?))
    }));
    let (schema, said) = about.map_err(|_| wrong("it is damaged".to_owned()))?.map_err(|error| wrong(error.to_string()))?;
    let (values, most) = (said.saturating_mul(schema.len()), most_values(bytes));
    if values as u64 > most {
        return Err(wrong(format!(
            "it says that it holds {} values in {}, and {most} are the most",
            thousands(values),
            size(bytes)
        )));
    }
    let (mut table, mut left_out, mut rows) = (ExportTable::default(), Vec::new(), 0);
    // One column after the other: one of a type that is not read stands in the way of no other.
    for name in schema.iter_names() {
        let file = open()?;
        let file = std::cell::Cell::new(Some(file));
        let read = guarded(&|| match file.take() {
            Some(file) => ParquetReader::new(file).with_columns(Some(vec![name.to_string()])).finish(),
            None => Ok(DataFrame::empty()),
        });
        let words =
            read.ok().and_then(PolarsResult::ok).and_then(|frame| Some((words_of(frame.columns().first()?)?, frame.height())));
        match words {
            Some((words, height)) => {
                table.text(name, words.into_iter());
                rows = height;
            }
            None => left_out.push(format!("`{}`", printable(name))),
        }
    }
    if table.names().next().is_none() {
        return Err(wrong("it has no column of words or numbers".to_owned()));
    }
    if !left_out.is_empty() {
        warn(
            context,
            &[format!(
                "{} left out, of a type that is not read as labels: {}",
                count(left_out.len(), "column"),
                left_out.join(", ")
            )],
        );
    }
    Ok((table, rows))
}

/// How many values a Parquet file of so many bytes may hold: of labels it has some four a byte, and more where they are all the same. Each
/// takes some fifty bytes of memory.
fn most_values(bytes: u64) -> u64 {
    bytes.saturating_mul(16).clamp(8_000_000, 250_000_000)
}

/// Letters of a column, all rows together: one long word in a file can stand for a million.
const LARGEST_COLUMN: usize = 512 << 20;

/// The words of a column; `None` of lists, bytes and whatever else is no label.
fn words_of(column: &PolarsColumn) -> Option<Vec<Option<String>>> {
    catch_unwind(AssertUnwindSafe(|| {
        let words = column.cast(&DataType::String).ok()?;
        // What cannot be a word becomes nothing: then the column is no column of labels.
        (words.null_count() == column.null_count()).then_some(())?;
        let words = words.str().ok()?;
        (words.iter().flatten().map(str::len).sum::<usize>() <= LARGEST_COLUMN).then_some(())?;
        Some(words.iter().map(|word| word.map(str::to_owned)).collect())
    }))
    .ok()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Collection {
        let column = |pairs: &[(&str, &str)]| -> Column { pairs.iter().copied().collect() };
        let mut set = Collection { ids: ["=a.jpg", "b.jpg"].map(str::to_owned).into(), ..Collection::default() };
        set.labels.insert("Male".to_owned(), column(&[("=a.jpg", "1")]));
        set.labels.insert("age".to_owned(), column(&[("=a.jpg", "31"), ("b.jpg", "7")]));
        set.labels.insert("identity".to_owned(), column(&[("b.jpg", "@x")]));
        set.identities = Some(column(&[("=a.jpg", "p"), ("b.jpg", "q")]));
        set
    }

    #[test]
    fn a_set_is_one_table_in_which_nothing_is_a_formula() {
        let bytes = of_set(&set(), ExportFormat::Csv).write(ExportFormat::Csv).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "image_id,identity_,Male,age,identity\n'=a.jpg,p,1,31,\nb.jpg,q,,7,'@x\n");
    }

    #[test]
    fn a_parquet_table_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.parquet");
        std::fs::write(&path, of_set(&set(), ExportFormat::Parquet).write(ExportFormat::Parquet).unwrap()).unwrap();
        assert!(is_parquet(&path).unwrap());
        let file = visavis_core::files::open(&path).unwrap();
        let frame = ParquetReader::new(file).finish().unwrap();
        assert_eq!(frame.height(), 2);
        let types: Vec<String> = frame.columns().iter().map(|column| column.dtype().to_string()).collect();
        assert_eq!(types, ["str", "str", "i64", "f64", "str"]);
    }

    #[test]
    fn small_integers_of_a_parquet_table_are_read() {
        use polars::prelude::{NamedFrom, ParquetWriter, Series};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.parquet");
        let mut frame = DataFrame::new(
            2,
            vec![
                Series::new("i8".into(), [-1_i8, 127]).into(),
                Series::new("i16".into(), [-300_i16, 7]).into(),
                Series::new("u8".into(), [Some(255_u8), None]).into(),
                Series::new("u16".into(), [0_u16, 65_535]).into(),
            ],
        )
        .unwrap();
        ParquetWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
        let mut file = std::fs::File::open(&path).unwrap();
        let frame = ParquetReader::new(&mut file).finish().unwrap();
        let words: Vec<Vec<Option<String>>> = frame.columns().iter().map(|column| words_of(column).unwrap()).collect();
        let word = |text: &str| Some(text.to_owned());
        let expected = [["-1", "127"], ["-300", "7"], ["255", ""], ["0", "65535"]];
        for (words, expected) in words.iter().zip(expected) {
            assert_eq!(*words, expected.map(|text| if text.is_empty() { None } else { word(text) }));
        }
    }

    #[test]
    fn a_parquet_file_may_hold_as_many_values_as_labels_have() {
        assert_eq!(most_values(0), 8_000_000);
        assert!(most_values(40_000_000) > 155_000_000, "all of MAAD-Face: 155 million in 40 MB");
        assert_eq!(most_values(u64::MAX), 250_000_000);
    }

    #[test]
    fn the_name_of_a_file_says_the_format() {
        assert!(matches!(table_format(Path::new("a/b.CSV")), Some(ExportFormat::Csv)));
        assert!(matches!(table_format(Path::new("b.parquet")), Some(ExportFormat::Parquet)));
        assert!(table_format(Path::new("folder")).is_none());
    }

    #[test]
    fn a_table_of_other_pictures_is_refused() {
        let mut first = set();
        let other = Collection { ids: vec!["x.jpg".to_owned()], ..Collection::default() };
        let fault = join(&mut first, other, Path::new("l.csv")).unwrap_err();
        assert!(fault.what.contains("`x.jpg`") && fault.what.contains("`=a.jpg`"), "{}", fault.what);
        assert!(join(&mut first, set(), Path::new("l.csv")).unwrap_err().what.contains("`Male`"));
    }
}
