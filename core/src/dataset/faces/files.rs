//! Drawn pictures as files.

use super::portrait::{HEIGHT, WIDTH};
use crate::domain::{Fault, Result};
use std::{fs, path::Path};

const QUALITY: u8 = 92;

pub fn jpeg(rgb: &[u8]) -> Result<Vec<u8>> {
    sized_jpeg(rgb, WIDTH, HEIGHT)
}

pub fn sized_jpeg(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(rgb, width, height, image::ExtendedColorType::Rgb8)
        .map_err(|error| Fault::unexpected(format!("cannot encode a picture: {error}")))?;
    Ok(bytes)
}

pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Fault::io("write a drawn data set", path, &error))
}
