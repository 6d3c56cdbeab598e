//! Given features: an array with one row an image, and the ids of its rows.

use super::array;
use crate::{
    domain::{Fault, Result, image::Images, stage::ArrayFormat, text::is_steering},
    numeric::Matrix,
};
use std::{collections::BTreeMap, path::Path};

/// The ids of the rows of given features: id → row, from 0.
pub type GivenRows = BTreeMap<String, usize>;

/// Reads a list of image ids, one a line.
pub fn read_rows(bytes: &[u8], path: &Path) -> Result<GivenRows> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::asked("the list of images is not UTF-8 text").in_file(path))?;
    let mut rows = GivenRows::new();
    for (row, id) in text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate() {
        let wrong = |what: String| Err(Fault::asked(what).at(path, row + 1, 1));
        if id.is_empty() {
            return wrong("an empty line in the list of images".into());
        }
        if id.chars().any(is_steering) {
            return wrong(format!("control characters in the image id `{id}`"));
        }
        if let Some(before) = rows.insert(id.to_owned(), row) {
            return wrong(format!("the image `{id}` is listed twice: first in line {}", before + 1));
        }
    }
    Ok(rows)
}

/// The features of these images, in their order: N × D, every value finite.
///
/// # Errors
/// An array that cannot be read, does not fit its list of images, holds a value that is not finite, or lacks an image.
pub fn read_given(
    tap: &str,
    format: ArrayFormat,
    bytes: &[u8],
    path: &Path,
    rows: &GivenRows,
    list: &Path,
    images: &Images,
) -> Result<Matrix> {
    let given = match format {
        ArrayFormat::Npy => array::from_npy(bytes, path)?,
        ArrayFormat::Safetensors => array::from_safetensors(bytes, tap, path)?,
    };
    if given.rows() != rows.len() {
        return Err(Fault::asked(format!(
            "{} rows of features, but {} image ids in {}",
            given.rows(),
            rows.len(),
            list.display()
        ))
        .in_file(path)
        .next("the list of images names each row, one id a line"));
    }
    if given.columns() == 0 {
        return Err(Fault::asked("features without columns").in_file(path));
    }
    if let Some((row, column)) = given.first_not_finite() {
        let id = rows.iter().find(|(_, at)| **at == row).map_or("?", |(id, _)| id);
        let value = given.row(row)[column];
        return Err(Fault::asked(format!("the features of the image `{id}` hold {value}: row {row}, column {column} (from 0)"))
            .in_file(path)
            .next("features must be finite; find out what made them so"));
    }
    let absent: Vec<&str> = images.ids().filter(|id| !rows.contains_key(*id)).collect();
    if let Some(first) = absent.first() {
        return Err(Fault::asked(format!(
            "{} of the evaluation's {} images have no features here, such as `{first}`",
            absent.len(),
            images.len()
        ))
        .in_file(list));
    }
    let values = images.ids().flat_map(|id| given.row(rows[id]).iter().copied()).collect();
    Ok(Matrix::new(images.len(), given.columns(), values).expect("one row an image"))
}

/// Rows of given features for images that the evaluation does not know: they have no labels, so somebody erred.
pub fn unknown_rows(rows: &GivenRows, known: &Images, list: &Path) -> Result<()> {
    let ids: std::collections::BTreeSet<&str> = known.ids().collect();
    let unknown: Vec<(&String, &usize)> = rows.iter().filter(|(id, _)| !ids.contains(id.as_str())).collect();
    let Some((id, row)) = unknown.iter().min_by_key(|(_, row)| **row) else { return Ok(()) };
    let what = format!(
        "{} of {} images have features but no labels: the evaluation data set does not know them, such as `{id}`",
        unknown.len(),
        rows.len()
    );
    Err(Fault::asked(what).at(list, **row + 1, 1).next("label them, or take their rows out of the features"))
}
