//! A picture → what a network is given: cropped, resized, padded to a square, its channels in order.
//!
//! The picture is resized first and padded then, so that padding is made of what the network sees.

use super::decode::Picture;
use crate::domain::{
    Fault, Result,
    study::{Crop, Padding, PixelScale, Preparation},
};
use fast_image_resize::{self as resize, images::Image, pixels::PixelType};

/// How the numbers of a channel become a network's: (x / 255 − mean) / deviation, channels in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Of each channel, on 0 … 1.
    pub mean: [f32; 3],
    /// The standard deviation of each channel, on 0 … 1.
    pub deviation: [f32; 3],
    /// Blue first.
    pub bgr: bool,
}

impl Scale {
    /// The scale a preparation names.
    pub fn of(scale: PixelScale) -> Self {
        let by = |mean, deviation, bgr| Scale { mean, deviation, bgr };
        match scale {
            PixelScale::Imagenet => by([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], false),
            // (x − 127.5) / 127.5.
            PixelScale::Symmetric => by([0.5; 3], [0.5; 3], false),
            // Means of blue, green, red; numbers stay in 0 … 255.
            PixelScale::Vggface2 => by([91.4953, 103.8827, 131.0912].map(|mean: f32| mean / 255.0), [1.0 / 255.0; 3], true),
            PixelScale::Unit => by([0.0; 3], [1.0; 3], false),
            // (x − 127.5) / 128.
            PixelScale::Facenet => by([0.5; 3], [128.0 / 255.0; 3], false),
            PixelScale::Raw => by([0.0; 3], [1.0 / 255.0; 3], false),
        }
    }
}

/// Makes the upright picture what the preparation says: 3 × size × size numbers of 0 … 255, channel by channel.
///
/// # Errors
/// A crop that this release does not make.
pub fn prepare(picture: &Picture, preparation: &Preparation) -> Result<Vec<u8>> {
    let size = preparation.size;
    let (width, height) = (picture.width, picture.height);
    let (cut, wide, high) = match preparation.crop {
        Crop::Whole => {
            let longest = width.max(height) as f64;
            let scaled = |side: usize| ((side as f64 * size as f64 / longest).round() as usize).clamp(1, size);
            ((0, 0, width, height), scaled(width), scaled(height))
        }
        Crop::Centre => {
            let side = width.min(height);
            (((width - side) / 2, (height - side) / 2, side, side), size, size)
        }
        other @ (Crop::Face | Crop::Aligned) => {
            return Err(Fault::missing(format!("the crop `{other}` needs boxes or landmarks, which this release does not read")));
        }
    };
    let pixels = resized(picture, cut, wide, high)?;
    let (left, top) = ((size - wide) / 2, (size - high) / 2);
    let across: Vec<Option<usize>> = (0..size).map(|x| source(x as isize - left as isize, wide, preparation.pad)).collect();
    let down: Vec<Option<usize>> = (0..size).map(|y| source(y as isize - top as isize, high, preparation.pad)).collect();
    let mut planes = vec![0; 3 * size * size];
    let order = if Scale::of(preparation.scale).bgr { [2, 1, 0] } else { [0, 1, 2] };
    for (plane, channel) in planes.chunks_exact_mut(size * size).zip(order) {
        for (row, y) in plane.chunks_exact_mut(size).zip(&down) {
            let Some(y) = y else { continue };
            let line = &pixels[y * wide * 3..(y + 1) * wide * 3];
            for (value, x) in row.iter_mut().zip(&across) {
                if let Some(x) = x {
                    *value = line[x * 3 + channel];
                }
            }
        }
    }
    Ok(planes)
}

/// Which pixel of `length` a place stands for, beyond its ends too; none where the padding is zero.
fn source(at: isize, length: usize, pad: Padding) -> Option<usize> {
    let last = length as isize - 1;
    if (0..=last).contains(&at) {
        return Some(at as usize);
    }
    match pad {
        Padding::Zero => None,
        Padding::Edge => Some(at.clamp(0, last) as usize),
        // The edge itself is not repeated.
        Padding::Reflect if last == 0 => Some(0),
        Padding::Reflect => {
            let round = at.rem_euclid(2 * last);
            Some(round.min(2 * last - round) as usize)
        }
    }
}

/// The cut part of the picture at another size: triangles as wide as what one new pixel covers (antialiased bilinear).
fn resized(
    picture: &Picture,
    (left, top, width, height): (usize, usize, usize, usize),
    wide: usize,
    high: usize,
) -> Result<Vec<u8>> {
    let refused = |error: &dyn std::fmt::Display| Fault::unexpected(format!("cannot resize a picture: {error}"));
    let from = resize::images::ImageRef::new(picture.width as u32, picture.height as u32, &picture.rgb, PixelType::U8x3)
        .map_err(|error| refused(&error))?;
    let mut to = Image::new(wide as u32, high as u32, PixelType::U8x3);
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::Bilinear))
        .crop(left as f64, top as f64, width as f64, height as f64)
        .use_alpha(false);
    resize::Resizer::new().resize(&from, &mut to, &options).map_err(|error| refused(&error))?;
    Ok(to.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::study::Exif;
    use image::metadata::Orientation;

    fn preparation(crop: Crop, pad: Padding, size: usize) -> Preparation {
        Preparation { crop, size, pad, scale: PixelScale::Imagenet, exif: Exif::Apply }
    }

    /// Two wide, four high: red and green above, blue and white below, each two high.
    fn flag() -> Picture {
        let (red, green, blue, white) = ([255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3]);
        let rows = [[red, green], [red, green], [blue, white], [blue, white]];
        let (rgb, orientation) = (rows.concat().concat(), Orientation::NoTransforms);
        Picture { width: 2, height: 4, rgb, orientation, is_transparent: false }
    }

    #[test]
    fn padding_is_zero_the_edge_or_a_mirror() {
        let first_red = |pad| prepare(&flag(), &preparation(Crop::Whole, pad, 4)).unwrap()[..4].to_vec();
        assert_eq!(first_red(Padding::Zero), [0, 255, 0, 0]);
        assert_eq!(first_red(Padding::Edge), [255, 255, 0, 0]);
        assert_eq!(first_red(Padding::Reflect), [0, 255, 0, 255]);
    }

    #[test]
    fn the_centre_is_the_largest_square() {
        let planes = prepare(&flag(), &preparation(Crop::Centre, Padding::Zero, 2)).unwrap();
        assert_eq!(planes[..4], [255, 0, 0, 255], "red of rows 1 and 2");
    }

    #[test]
    fn blue_comes_first_where_a_scale_says_so() {
        let mut blue_first = preparation(Crop::Centre, Padding::Zero, 2);
        blue_first.scale = PixelScale::Vggface2;
        assert_eq!(prepare(&flag(), &blue_first).unwrap()[..4], [0, 0, 255, 255]);
    }
}
