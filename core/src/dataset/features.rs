//! Given features: an array with one row an image.

use super::{
    narrow::{Because, Unheld, narrow},
    numbers::Numbers,
    row_list::{GivenRows, read_rows},
};
use crate::{
    domain::{
        Fault, Result,
        image::{ImageIndex, Images},
        stage::ArrayFormat,
        text::count,
    },
    numeric::Matrix,
};
use std::path::Path;

/// Given features, in the order of the images.
#[derive(Debug)]
pub struct GivenArray {
    /// N × D, row-major, one row an image, every value finite.
    pub matrix: Matrix,
    /// Columns that were centred because single precision would have lost what tells images apart, and what was taken from each.
    pub offsets: Vec<(usize, f64)>,
    /// What people should know of the file.
    pub remarks: Vec<String>,
}

/// The array of given features in a file's bytes; `layer` is a tensor's name in a safetensors file.
///
/// # Errors
/// A file that holds no matrix of numbers.
pub(super) fn open_given<'a>(layer: &str, format: ArrayFormat, bytes: &'a [u8], path: &Path) -> Result<Numbers<'a>> {
    match format {
        ArrayFormat::Npy => Numbers::of_npy(bytes, path),
        ArrayFormat::Safetensors => Numbers::of_safetensors(bytes, layer, path),
    }
}

/// The features of these images, in their order: N × D, every value finite.
///
/// # Errors
/// An array that cannot be read, does not fit its list of images, lacks an image, or holds a value of one that is not finite.
pub fn read_given(
    layer: &str,
    format: ArrayFormat,
    bytes: &[u8],
    path: &Path,
    rows: &GivenRows,
    list: &Path,
    images: &Images,
) -> Result<GivenArray> {
    let (given, taken) = fitted(layer, format, bytes, path, rows, list, images)?;
    let name = |row: usize| rows.in_order().nth(row).map_or("?", |(id, _)| id);
    let narrowed = narrow(&given, &taken).map_err(|unheld| refused(unheld, name(unheld.row)).in_file(path))?;
    let mut remarks = given.remarks;
    if let Some((column, offset)) = narrowed.offsets.first() {
        remarks.push(format!(
            "{} of {} columns lie so far from 0 (column {column}, from 0, by {offset:e}) that single precision would lose what tells \
             images apart: they are centred first, which changes no distance, axis or probe",
            narrowed.offsets.len(),
            narrowed.matrix.columns(),
        ));
    }
    Ok(GivenArray { matrix: narrowed.matrix, offsets: narrowed.offsets, remarks })
}

/// What opening given features for these images shows, without making them: remarks. `cosines`: angles between them are asked for.
///
/// # Errors
/// What [`read_given`] refuses; images without a direction, and columns that must be centred, where cosines are asked for.
pub fn examine_given(layer: &str, path: &Path, list: &Path, images: &Images, cosines: bool) -> Result<Vec<String>> {
    let read = |path: &Path| crate::files::read(path).map_err(|error| Fault::io("read", path, &error));
    let (bytes, format) = (read(path)?, ArrayFormat::of(path));
    let rows = read_rows(&read(list)?, list, ImageIndex::from_sorted(images.ids()).as_ref())?;
    let (given, taken) = fitted(layer, format, &bytes, path, &rows, list, images)?;
    let euclidean = "use `metric: euclidean`, or leave the images out";
    if cosines {
        let mut values = Vec::new();
        let mut is_zero = |row: usize| {
            given.row(row, &mut values);
            values.iter().all(|value| *value as f32 == 0.0)
        };
        let zeros: Vec<&str> = images.ids().zip(&taken).filter(|(_, row)| is_zero(**row)).map(|(id, _)| id).collect();
        if let Some(first) = zeros.first() {
            let what = format!(
                "{} whose features are all 0, such as `{first}`: without a direction there is no cosine",
                count(zeros.len(), "image")
            );
            return Err(Fault::asked(what).in_file(path).next(euclidean));
        }
    }
    let fits = given.kind().fits_single() && given.first_not_finite(taken.iter().copied()).is_none();
    if fits {
        return Ok(given.remarks);
    }
    let read = read_given(layer, format, &bytes, path, &rows, list, images)?;
    if cosines && !read.offsets.is_empty() {
        let what =
            "cosines are asked of features that lie so far from 0 that they must be centred, and cosines depend on where 0 is";
        return Err(Fault::asked(what)
            .in_file(path)
            .next("use `metric: euclidean`; or take the offsets out of the features yourself, and save them as float32"));
    }
    Ok(read.remarks)
}

/// The array, and the row of every image.
fn fitted<'a>(
    layer: &str,
    format: ArrayFormat,
    bytes: &'a [u8],
    path: &Path,
    rows: &GivenRows,
    list: &Path,
    images: &Images,
) -> Result<(Numbers<'a>, Vec<usize>)> {
    let given = open_given(layer, format, bytes, path)?;
    if given.rows() == 0 {
        return Err(Fault::asked("features of 0 rows: the array holds no image").in_file(path));
    }
    if given.rows() != rows.len() {
        return Err(Fault::asked(format!(
            "{} rows of features, but {} image ids in {}",
            given.rows(),
            rows.len(),
            list.display()
        ))
        .in_file(path)
        .next(rows.hint(given.rows())));
    }
    if given.columns() == 0 {
        return Err(Fault::asked("features without columns").in_file(path));
    }
    let absent: Vec<&str> = images.ids().filter(|id| !rows.has(id)).collect();
    if let Some(first) = absent.first() {
        return Err(Fault::asked(format!(
            "{} of the evaluation's {} images have no features here, such as `{first}`",
            absent.len(),
            images.len()
        ))
        .in_file(list));
    }
    Ok((given, images.ids().filter_map(|id| rows.row(id)).collect()))
}

/// A number of an image that cannot be kept.
fn refused(Unheld { row, column, value, because }: Unheld, id: &str) -> Fault {
    let place = format!("row {row}, column {column} (from 0)");
    match because {
        Because::NotFinite => Fault::asked(format!("the features of the image `{id}` hold {value}: {place}"))
            .next("features must be finite; find out what made them so"),
        Because::Overflow => Fault::asked(format!(
            "the features of the image `{id}` hold {value:e}: {place}; single precision, in which features are kept, ends at 3.4e38"
        ))
        .next("scale the column, or take its logarithm"),
        Because::Underflow => Fault::asked(format!(
            "column {column} (from 0) of the features differs by less than single precision can hold, {value:e} at most: the image `{id}`, row {row}"
        ))
        .next("scale the column up, or leave it out"),
    }
}
