//! Drawn pictures and their tables as files.

use super::portrait::{HEIGHT, WIDTH};
use crate::domain::{Fault, Result};
use std::{fs, path::Path};

const QUALITY: u8 = 92;

pub(super) fn jpeg(rgb: &[u8]) -> Result<Vec<u8>> {
    sized_jpeg(rgb, WIDTH, HEIGHT)
}

pub(super) fn sized_jpeg(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(rgb, width, height, image::ExtendedColorType::Rgb8)
        .map_err(|error| Fault::unexpected(format!("cannot encode a picture: {error}")))?;
    Ok(bytes)
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Fault::io("write a drawn data set", path, &error))
}

/// Writes a comma-separated table: the names of its columns, then its rows.
pub(super) fn write_table<const COLUMNS: usize>(
    path: &Path,
    names: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> Result<()> {
    write(path, &table(names, rows).map_err(|error| Fault::unexpected(format!("cannot write a table: {error}")))?)
}

fn table<const COLUMNS: usize>(names: [&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(names)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_of_names_and_a_line_a_row() {
        let rows = [["000001.jpg".to_owned(), "very light".to_owned()], ["000002.jpg".to_owned(), "a, b".to_owned()]];
        let bytes = table(["image_id", "skin_tone"], rows.into_iter()).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "image_id,skin_tone\n000001.jpg,very light\n000002.jpg,\"a, b\"\n");
    }
}
