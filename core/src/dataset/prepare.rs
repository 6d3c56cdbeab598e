//! A picture → what a network is given: cropped, resized, padded to a square, its channels in order.
//!
//! The picture is resized first and padded then, so that padding is made of what the network sees. An aligned face is sampled from the
//! picture, and padded there.

use super::{
    decode::Picture,
    marks::Mark,
    similarity::{ARCFACE_TEMPLATE, Similarity, TEMPLATE_SIDE},
};
use crate::domain::{
    Fault, Result,
    study::{Channels, Crop, Padding, PixelScale, Preparation},
};
use fast_image_resize::{self as resize, images::Image, pixels::PixelType};

/// How the numbers of a channel become a network's: (x / 255 − mean) / deviation, channels in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Of each channel, on 0 … 1.
    pub mean: [f32; 3],
    /// The standard deviation of each channel, on 0 … 1.
    pub deviation: [f32; 3],
}

impl Scale {
    /// The scale of a preparation, for its order of channels.
    pub fn of(preparation: &Preparation) -> Self {
        // By colour: red, green, blue.
        let (mean, deviation) = match preparation.scale {
            PixelScale::Imagenet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            PixelScale::Symmetric => ([0.5; 3], [0.5; 3]),
            // Numbers stay in 0 … 255.
            PixelScale::Vggface2 => ([131.0912, 103.8827, 91.4953].map(|mean: f32| mean / 255.0), [1.0 / 255.0; 3]),
            PixelScale::Unit => ([0.0; 3], [1.0; 3]),
            PixelScale::Facenet => ([0.5; 3], [128.0 / 255.0; 3]),
            PixelScale::Raw => ([0.0; 3], [1.0 / 255.0; 3]),
        };
        let order = order_of(preparation.channels());
        Scale { mean: order.map(|colour| mean[colour]), deviation: order.map(|colour| deviation[colour]) }
    }

    /// The same as a factor and an offset of each channel, for numbers of 0 … 255.
    pub fn linear(&self) -> [(f32, f32); 3] {
        std::array::from_fn(|i| (1.0 / (255.0 * self.deviation[i]), -self.mean[i] / self.deviation[i]))
    }
}

/// The colour of each channel: 0 is red.
fn order_of(channels: Channels) -> [usize; 3] {
    match channels {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
    }
}

/// A part of the square that is filled from the picture: its pixels, and where it lies.
struct Filled {
    pixels: Vec<u8>,
    wide: usize,
    high: usize,
    left: usize,
    top: usize,
}

/// Makes the upright picture what the preparation says: 3 × size × size numbers of 0 … 255, channel by channel. `mark`: where its face
/// is, for the crops that need it.
///
/// # Errors
/// A crop that needs a mark and has none, or one that does not lie in the picture.
pub fn prepare(picture: &Picture, preparation: &Preparation, mark: Option<&Mark>) -> Result<Vec<u8>> {
    let size = preparation.size;
    let (width, height) = (picture.width, picture.height);
    if let Some(mark) = mark {
        mark.fits(width, height)?;
    }
    let all = |pixels| Filled { pixels, wide: size, high: size, left: 0, top: 0 };
    let filled = match (preparation.crop, mark) {
        (Crop::Whole, _) => {
            let longest = width.max(height) as f64;
            let scaled = |side: usize| ((side as f64 * size as f64 / longest).round() as usize).clamp(1, size);
            let (wide, high) = (scaled(width), scaled(height));
            let pixels = resized(picture, (0, 0, width, height), wide, high)?;
            Filled { pixels, wide, high, left: (size - wide) / 2, top: (size - high) / 2 }
        }
        (Crop::Centre, _) => {
            let side = width.min(height);
            all(resized(picture, ((width - side) / 2, (height - side) / 2, side, side), size, size)?)
        }
        (Crop::Face, Some(Mark::Box { left, top, width: across, height: down })) => {
            let side = across.max(*down) * preparation.margin;
            let middle = [left + across / 2.0, top + down / 2.0];
            around(picture, middle, side, size)?
        }
        (Crop::Aligned, Some(Mark::Landmarks(landmarks))) => all(aligned(picture, landmarks, preparation)?),
        (crop @ (Crop::Face | Crop::Aligned), _) => {
            return Err(Fault::unexpected(format!("the crop `{crop}` was not told where the face is")));
        }
    };
    let Filled { pixels, wide, high, left, top } = filled;
    let across: Vec<Option<usize>> = (0..size).map(|x| source(x as isize - left as isize, wide, preparation.pad)).collect();
    let down: Vec<Option<usize>> = (0..size).map(|y| source(y as isize - top as isize, high, preparation.pad)).collect();
    let mut planes = vec![0; 3 * size * size];
    for (plane, channel) in planes.chunks_exact_mut(size * size).zip(order_of(preparation.channels())) {
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

/// Where a point of the upright picture, of this width and height, lies in what [`prepare`] makes of it, but for less than a pixel; `None`
/// where the crop lacks its mark.
pub(super) fn placed((width, height): (usize, usize), preparation: &Preparation, mark: Option<&Mark>) -> Option<Similarity> {
    let size = preparation.size;
    // So that middles of pixels lie on middles: a square of the picture that begins here, of so many pixels a side, fills the square.
    let from = |left: f64, top: f64, side: f64| {
        let scale = size as f64 / side;
        Similarity::straight(1.0, [-left, -top]).resized(scale)
    };
    Some(match (preparation.crop, mark) {
        (Crop::Whole, _) => {
            let longest = width.max(height) as f64;
            from((width as f64 - longest) / 2.0, (height as f64 - longest) / 2.0, longest)
        }
        (Crop::Centre, _) => {
            let side = width.min(height);
            from(((width - side) / 2) as f64, ((height - side) / 2) as f64, side as f64)
        }
        (Crop::Face, Some(Mark::Box { left, top, width: across, height: down })) => {
            let side = (across.max(*down) * preparation.margin).round().max(1.0);
            let begins = |middle: f64| (middle - side / 2.0).round();
            from(begins(left + across / 2.0), begins(top + down / 2.0), side)
        }
        (Crop::Aligned, Some(Mark::Landmarks(landmarks))) => {
            let side = size.max(TEMPLATE_SIDE) as f64;
            let larger = side / TEMPLATE_SIDE as f64;
            let template = ARCFACE_TEMPLATE.map(|point| point.map(|of| of * larger));
            let drawn = Similarity::between(landmarks, &template)?;
            if side == size as f64 { drawn } else { drawn.resized(size as f64 / side) }
        }
        (Crop::Face | Crop::Aligned, _) => return None,
    })
}

/// The part of a square around a point that lies in the picture, where it lies in the square of `size`.
fn around(picture: &Picture, [x, y]: [f64; 2], side: f64, size: usize) -> Result<Filled> {
    let side = side.round().max(1.0);
    // Of an axis: where the square begins and how much of it is in the picture; then the same of what is made of it.
    let along = |middle: f64, length: usize| {
        let begins = (middle - side / 2.0).round();
        let (first, last) = (begins.clamp(0.0, length as f64 - 1.0), (begins + side).clamp(1.0, length as f64));
        let last = last.max(first + 1.0);
        let scaled = |of: f64| of * size as f64 / side;
        let long = (scaled(last - first).round() as usize).clamp(1, size);
        let at = (scaled(first - begins).round().max(0.0) as usize).min(size - long);
        ((first as usize, (last - first) as usize), (at, long))
    };
    let ((first_x, across), (left, wide)) = along(x, picture.width);
    let ((first_y, down), (top, high)) = along(y, picture.height);
    let pixels = resized(picture, (first_x, first_y, across, down), wide, high)?;
    Ok(Filled { pixels, wide, high, left, top })
}

/// The picture turned, scaled and moved so that its landmarks lie where the template has them: between pixels by the four around
/// (bilinear), as OpenCV's warpAffine does for InsightFace. A square smaller than the template's is made of one as large as that.
fn aligned(picture: &Picture, landmarks: &[[f64; 2]; 5], preparation: &Preparation) -> Result<Vec<u8>> {
    let (size, side) = (preparation.size, preparation.size.max(TEMPLATE_SIDE));
    let larger = side as f64 / TEMPLATE_SIDE as f64;
    let template = ARCFACE_TEMPLATE.map(|point| point.map(|of| of * larger));
    let transform = Similarity::between(landmarks, &template)
        .ok_or_else(|| Fault::asked("no face can be aligned to these landmarks: they lie on one point"))?;
    let mut rgb = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            rgb.extend(between_pixels(picture, transform.back(x as f64, y as f64), preparation.pad));
        }
    }
    if side == size {
        return Ok(rgb);
    }
    let drawn = Picture { width: side, height: side, rgb, ..*picture };
    resized(&drawn, (0, 0, side, side), size, size)
}

/// The colour at a point; whole numbers are the middles of pixels.
fn between_pixels(picture: &Picture, [x, y]: [f64; 2], pad: Padding) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = (x - left, y - top);
    let across = [0, 1].map(|more| source((left as isize).saturating_add(more), picture.width, pad));
    let down = [0, 1].map(|more| source((top as isize).saturating_add(more), picture.height, pad));
    let mut sums = [0.0; 3];
    for (y, share_y) in down.into_iter().zip([1.0 - lower_share, lower_share]) {
        for (x, share_x) in across.into_iter().zip([1.0 - right_share, right_share]) {
            let (Some(x), Some(y)) = (x, y) else { continue };
            let at = (y * picture.width + x) * 3;
            for (sum, value) in sums.iter_mut().zip(&picture.rgb[at..at + 3]) {
                *sum += share_x * share_y * f64::from(*value);
            }
        }
    }
    sums.map(|sum| (sum + 0.5) as u8)
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
    use crate::domain::study::FaceMark;
    use image::metadata::Orientation;

    fn preparation(crop: Crop, pad: Padding, size: usize) -> Preparation {
        Preparation { pad, ..Preparation::of(crop, size) }
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
        let first_red = |pad| prepare(&flag(), &preparation(Crop::Whole, pad, 4), None).unwrap()[..4].to_vec();
        assert_eq!(first_red(Padding::Zero), [0, 255, 0, 0]);
        assert_eq!(first_red(Padding::Edge), [255, 255, 0, 0]);
        assert_eq!(first_red(Padding::Reflect), [0, 255, 0, 255]);
    }

    #[test]
    fn the_centre_is_the_largest_square() {
        let planes = prepare(&flag(), &preparation(Crop::Centre, Padding::Zero, 2), None).unwrap();
        assert_eq!(planes[..4], [255, 0, 0, 255], "red of rows 1 and 2");
    }

    #[test]
    fn blue_comes_first_where_the_scale_or_the_study_says_so() {
        let first = |scale: PixelScale, channels: Option<Channels>| {
            let preparation = Preparation { scale, channels, ..preparation(Crop::Centre, Padding::Zero, 2) };
            prepare(&flag(), &preparation, None).unwrap()[..4].to_vec()
        };
        let (red, blue) = ([255, 0, 0, 255], [0, 0, 255, 255]);
        assert_eq!(first(PixelScale::Vggface2, None), blue);
        assert_eq!(first(PixelScale::Vggface2, Some(Channels::Rgb)), red);
        assert_eq!(first(PixelScale::Symmetric, None), red);
        assert_eq!(first(PixelScale::Symmetric, Some(Channels::Bgr)), blue);
    }

    #[test]
    fn a_mean_stays_with_its_colour_wherever_that_stands() {
        let scale = |scale: PixelScale, channels: Option<Channels>| {
            Scale::of(&Preparation { scale, channels, ..preparation(Crop::Whole, Padding::Zero, 2) })
        };
        assert_eq!(scale(PixelScale::Imagenet, None).mean, [0.485, 0.456, 0.406]);
        assert_eq!(scale(PixelScale::Imagenet, Some(Channels::Bgr)).mean, [0.406, 0.456, 0.485]);
        assert_eq!(scale(PixelScale::Vggface2, None).mean.map(|mean| mean * 255.0), [91.4953, 103.8827, 131.0912]);
        let facenet = scale(PixelScale::Facenet, None);
        // (255 − 127.5) / 128.
        assert!(((1.0 - facenet.mean[0]) / facenet.deviation[0] - 127.5 / 128.0).abs() < 1e-6);
        assert_eq!(scale(PixelScale::Unit, Some(Channels::Bgr)), Scale { mean: [0.0; 3], deviation: [1.0; 3] });
    }

    /// A picture whose red is its column and whose green is its row.
    fn ramp(width: usize, height: usize) -> Picture {
        let at = |place: usize| [(place % width) as u8, (place / width) as u8, 7];
        let rgb = (0..width * height).flat_map(at).collect();
        Picture { width, height, rgb, orientation: Orientation::NoTransforms, is_transparent: false }
    }

    fn boxed(left: f64, top: f64, width: f64, height: f64) -> Mark {
        Mark::Box { left, top, width, height }
    }

    #[test]
    fn a_point_lies_where_it_is_seen_whatever_the_crop() {
        let (width, height) = (90, 120);
        let spots: [[f64; 2]; 5] = [[30.0, 50.0], [60.0, 52.0], [44.0, 70.0], [33.0, 88.0], [58.0, 90.0]];
        let face = Mark::Box { left: 20.0, top: 35.0, width: 50.0, height: 64.0 };
        for (crop, mark) in
            [(Crop::Whole, None), (Crop::Centre, None), (Crop::Face, Some(face)), (Crop::Aligned, Some(Mark::Landmarks(spots)))]
        {
            for (size, spot) in [48, 112, 160].into_iter().flat_map(|size| spots.map(|spot| (size, spot))) {
                // A white square of five pixels around the spot.
                let is_white = |x: usize, y: usize| (x as f64 - spot[0]).abs() <= 2.0 && (y as f64 - spot[1]).abs() <= 2.0;
                let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                let rgb = pixels.flat_map(|(x, y)| [if is_white(x, y) { 255 } else { 0 }; 3]).collect();
                let picture = Picture { width, height, rgb, orientation: Orientation::NoTransforms, is_transparent: false };
                let preparation = Preparation { pad: Padding::Zero, ..Preparation::of(crop, size) };
                let seen = prepare(&picture, &preparation, mark.as_ref()).unwrap();
                let (mut sum, mut middle) = (0.0, [0.0; 2]);
                for (at, value) in seen[..size * size].iter().enumerate() {
                    sum += f64::from(*value);
                    middle[0] += f64::from(*value) * (at % size) as f64;
                    middle[1] += f64::from(*value) * (at / size) as f64;
                }
                let found = placed((width, height), &preparation, mark.as_ref()).unwrap().forth(spot);
                for (seen, found) in middle.into_iter().zip(found) {
                    assert!((seen / sum - found).abs() < 0.8, "{crop} {size}: {} and {found}", seen / sum);
                }
            }
        }
    }

    #[test]
    fn a_face_is_a_square_around_its_box() {
        let mut preparation = preparation(Crop::Face, Padding::Zero, 20);
        preparation.margin = 2.0;
        let planes = prepare(&ramp(100, 80), &preparation, Some(&boxed(45.0, 30.0, 6.0, 10.0))).unwrap();
        // Side 20 around (48, 35): columns 38 … 57, rows 25 … 44, as they are.
        assert_eq!((planes[0], planes[19], planes[400], planes[400 + 19 * 20]), (38, 57, 25, 44));
    }

    #[test]
    fn a_square_beyond_the_picture_is_padded() {
        let face = |pad, margin| {
            let preparation = Preparation { margin, ..preparation(Crop::Face, pad, 8) };
            prepare(&ramp(100, 80), &preparation, Some(&boxed(0.0, 0.0, 4.0, 4.0))).unwrap()
        };
        // Side 8 around (2, 2): columns −2 … 5.
        assert_eq!(face(Padding::Zero, 2.0)[2 * 8..3 * 8], [0, 0, 0, 1, 2, 3, 4, 5]);
        assert_eq!(face(Padding::Reflect, 2.0)[2 * 8..3 * 8], [2, 1, 0, 1, 2, 3, 4, 5]);
        assert_eq!(face(Padding::Reflect, 1000.0).len(), 3 * 64, "a margin larger than the picture");
    }

    #[test]
    fn landmarks_at_the_places_of_the_template_leave_the_picture_as_it_is() {
        let landmarks = Mark::Landmarks(ARCFACE_TEMPLATE);
        let planes = prepare(&ramp(112, 112), &preparation(Crop::Aligned, Padding::Zero, 112), Some(&landmarks)).unwrap();
        let expected = ramp(112, 112).rgb;
        let differs = |place: usize| planes[place].abs_diff(expected[place * 3]);
        assert!((0..112 * 112).all(|place| differs(place) == 0));
    }

    #[test]
    fn beside_a_picture_that_is_moved_is_black_or_its_mirror() {
        // The face lies 10 pixels to the left of the template: what is left of column 10 is not in the picture.
        let landmarks = Mark::Landmarks(ARCFACE_TEMPLATE.map(|[x, y]| [x - 10.0, y]));
        let row = |pad| prepare(&ramp(112, 112), &preparation(Crop::Aligned, pad, 112), Some(&landmarks)).unwrap()[..12].to_vec();
        assert_eq!(row(Padding::Zero), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(row(Padding::Reflect), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1]);
    }

    /// Of drawn faces, some of them turned, by scikit-image and OpenCV: `tests/aligned.py`.
    #[test]
    fn aligned_faces_are_those_that_opencv_makes() {
        let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/aligned"));
        let picture = |name: &str| {
            let path = folder.join(name);
            super::super::decode::decode(&std::fs::read(&path).unwrap(), &path).unwrap()
        };
        let cases = std::fs::read_to_string(folder.join("cases.txt")).unwrap();
        assert_eq!(cases.lines().count(), 4);
        for case in cases.lines() {
            let fields: Vec<&str> = case.split(' ').collect();
            let (name, size, pad) = (fields[0], fields[1].parse().unwrap(), Padding::of_word(fields[2]).unwrap());
            let numbers: Vec<f64> = fields[3..].iter().map(|number| number.parse().unwrap()).collect();
            let mark = Mark::of(FaceMark::Landmarks, &numbers).unwrap();
            let planes = prepare(&picture(name), &preparation(Crop::Aligned, pad, size), Some(&mark)).unwrap();
            let expected = picture(&name.replace(".jpg", ".png"));
            assert_eq!((expected.width, expected.height), (size, size));
            let differs = |place: usize| f64::from(planes[place % 3 * size * size + place / 3].abs_diff(expected.rgb[place]));
            let all = 3 * size * size;
            let mean = (0..all).map(differs).sum::<f64>() / all as f64;
            assert!(mean <= 1.0, "{name}: {mean} of 255 on average");
        }
    }

    /// What is smaller than the template is made smaller after it was aligned: its mean is that of the large one.
    #[test]
    fn a_small_aligned_face_is_the_usual_one_made_smaller() {
        let landmarks = Mark::Landmarks(ARCFACE_TEMPLATE.map(|[x, y]| [x + 20.0, y + 30.0]));
        let mean = |size: usize| {
            let planes = prepare(&ramp(160, 160), &preparation(Crop::Aligned, Padding::Zero, size), Some(&landmarks)).unwrap();
            planes[..size * size].iter().map(|value| f64::from(*value)).sum::<f64>() / (size * size) as f64
        };
        assert!((mean(112) - 75.5).abs() < 0.1 && (mean(16) - mean(112)).abs() < 0.5, "{} and {}", mean(16), mean(112));
    }

    #[test]
    fn a_mark_outside_the_picture_and_one_of_another_kind_are_refused() {
        let refused =
            |crop, mark: Option<&Mark>| prepare(&ramp(50, 50), &preparation(crop, Padding::Zero, 16), mark).unwrap_err();
        assert!(refused(Crop::Face, Some(&boxed(60.0, 0.0, 5.0, 5.0))).what.contains("does not lie in it: it is 50 × 50"));
        assert!(refused(Crop::Aligned, Some(&Mark::Landmarks(ARCFACE_TEMPLATE))).what.contains("(73.5318, 51.5014)"));
        assert!(refused(Crop::Aligned, Some(&boxed(0.0, 0.0, 5.0, 5.0))).what.contains("was not told where the face is"));
        assert!(refused(Crop::Face, None).what.contains("was not told"));
    }
}
