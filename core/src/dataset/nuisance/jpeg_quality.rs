//! How finely a JPEG keeps a picture: the quality of the Independent JPEG Group's encoder, from 1 to 100, whose quantisation of light is
//! nearest in sum to the file's. Undefined of other formats.

use crate::dataset::jpeg;

/// The sum of Annex K's (ITU-T T.81) quantisation of light at each quality from 1.
fn sum_at(quality: u32) -> u32 {
    const ANNEX_K: [u32; 64] = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87,
        80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92,
        95, 98, 112, 100, 103, 99,
    ];
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    ANNEX_K.iter().map(|of| ((of * scale + 50) / 100).clamp(1, 255)).sum()
}

pub(super) fn jpeg_quality(bytes: &[u8]) -> f64 {
    let Some(steps) = jpeg::quantisation(bytes) else { return f64::NAN };
    let sum: u32 = steps.iter().map(|step| u32::from(*step)).sum();
    // Of two that are as near the higher.
    let nearest = (1..=100).rev().min_by_key(|quality| sum_at(*quality).abs_diff(sum));
    nearest.map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};
    use std::io::Cursor;

    #[test]
    fn the_quality_of_an_encoder_is_found_again_and_a_png_has_none() {
        let picture = RgbImage::from_fn(40, 30, |x, y| image::Rgb([(x * 5) as u8, (y * 7) as u8, 90]));
        for quality in [5, 30, 50, 75, 90, 95, 100] {
            let mut bytes = Vec::new();
            picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
            assert_eq!(jpeg_quality(&bytes), f64::from(quality));
        }
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        assert!(jpeg_quality(&png.into_inner()).is_nan() && jpeg_quality(b"").is_nan());
    }
}
