//! The colour beside the head. Where landmarks say where the face is, everything beside an ellipse around head and hair, down to the chin:
//! below it are shoulders. Elsewhere, and where the head takes the picture, a border at the left, at the right and above.

use super::oklab::Oklab;
use crate::{
    dataset::{
        decode::Picture,
        similarity::{ARCFACE_TEMPLATE, Similarity},
    },
    domain::nuisance::LEAST_CHROMA,
};

/// The head with its hair in the template's pixels: the middle of an ellipse and its half axes. The five landmarks span a sixth of it.
const HEAD: ([f64; 2], [f64; 2]) = ([56.0, 45.0], [64.0, 82.0]);
/// Below this line of the template are neck and shoulders.
const CHIN: f64 = 100.0;
/// Of the picture's shorter side, the width of the border.
const BORDER: usize = 10;
/// Less of a picture than this share shows no background: the head takes it.
const LEAST_SHARE: f64 = 0.02;

/// How the background was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BackgroundBy {
    /// Beside the head that landmarks place.
    Head,
    /// At the border: there are no landmarks.
    UnknownFace,
    /// At the border: the head takes the picture.
    FilledPicture,
}

/// Lightness, chroma, and cosine and sine of the hue of the mean colour; a grey has no hue.
pub(super) fn background(picture: &Picture, landmarks: Option<&[[f64; 2]; 5]>) -> ([f64; 4], BackgroundBy) {
    let place = landmarks.and_then(|of| Similarity::between(of, &ARCFACE_TEMPLATE));
    let beside = place.map(|place| mean(picture, |x, y| is_beside_head(place.forth([x as f64 + 0.5, y as f64 + 0.5]))));
    let least = LEAST_SHARE * (picture.width * picture.height) as f64;
    let (colour, by) = match beside {
        Some((colour, pixels)) if pixels as f64 >= least => (colour, BackgroundBy::Head),
        found => {
            let wide = (picture.width.min(picture.height) / BORDER).max(1);
            let border = |x: usize, y: usize| x < wide || x + wide >= picture.width || y < wide;
            let by = if found.is_some() { BackgroundBy::FilledPicture } else { BackgroundBy::UnknownFace };
            (mean(picture, border).0, by)
        }
    };
    let chroma = colour.chroma();
    let hue = if chroma < LEAST_CHROMA { [f64::NAN; 2] } else { [colour.a / chroma, colour.b / chroma] };
    ([colour.lightness, chroma, hue[0], hue[1]], by)
}

fn is_beside_head([x, y]: [f64; 2]) -> bool {
    let (middle, half) = HEAD;
    let (across, down) = ((x - middle[0]) / half[0], (y - middle[1]) / half[1]);
    y < CHIN && across * across + down * down > 1.0
}

/// The mean colour of the pixels for which this holds, and how many they are; black of none.
fn mean(picture: &Picture, holds: impl Fn(usize, usize) -> bool) -> (Oklab, usize) {
    let (mut sum, mut pixels) = (Oklab::default(), 0);
    for (y, row) in picture.rgb.chunks_exact(3 * picture.width).enumerate() {
        for (x, pixel) in row.as_chunks::<3>().0.iter().enumerate().filter(|(x, _)| holds(*x, y)) {
            debug_assert!(x < picture.width);
            let colour = Oklab::of_srgb(*pixel);
            sum = Oklab { lightness: sum.lightness + colour.lightness, a: sum.a + colour.a, b: sum.b + colour.b };
            pixels += 1;
        }
    }
    let n = pixels.max(1) as f64;
    (Oklab { lightness: sum.lightness / n, a: sum.a / n, b: sum.b / n }, pixels)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::painted, *};

    /// CelebA's usual places.
    const LANDMARKS: [[f64; 2]; 5] = [[69.0, 111.0], [108.0, 111.0], [88.0, 136.0], [72.0, 152.0], [105.0, 152.0]];

    #[test]
    fn the_colour_beside_the_head_is_found_and_not_that_of_face_and_clothes() {
        let blue = [40, 60, 200];
        let picture = painted(178, 218, |x, y| {
            let (across, down) = ((x as f64 - 88.0) / 60.0, (y as f64 - 105.0) / 80.0);
            if y > 165 {
                [200, 30, 30]
            } else if across * across + down * down < 1.0 {
                [220, 170, 140]
            } else {
                blue
            }
        });
        let (found, by) = background(&picture, Some(&LANDMARKS));
        let expected = Oklab::of_srgb(blue);
        assert_eq!(by, BackgroundBy::Head);
        assert!((found[0] - expected.lightness).abs() < 0.01 && (found[1] - expected.chroma()).abs() < 0.01, "{found:?}");
        assert!(
            (found[2] - expected.a / expected.chroma()).abs() < 0.02 && (found[3] - expected.b / expected.chroma()).abs() < 0.02
        );
        let (bordered, by) = background(&picture, None);
        assert_eq!(by, BackgroundBy::UnknownFace);
        assert!(bordered[0].is_finite() && (bordered[1] - found[1]).abs() > 0.01, "shoulders are at the border");
    }

    #[test]
    fn grey_has_lightness_and_no_hue() {
        let (found, _) = background(&painted(60, 60, |_, _| [128; 3]), None);
        assert!((found[0] - 0.6).abs() < 0.01 && found[1] < 1e-6 && found[2].is_nan() && found[3].is_nan(), "{found:?}");
    }

    #[test]
    fn a_head_that_takes_the_picture_leaves_the_border() {
        let picture = painted(112, 112, |x, _| if x < 11 { [0, 200, 0] } else { [200; 3] });
        // Twice as large as the template.
        let near = ARCFACE_TEMPLATE.map(|[x, y]| [2.0 * x - 56.0, 2.0 * y - 56.0]);
        assert_eq!(background(&picture, Some(&near)).1, BackgroundBy::FilledPicture);
    }
}
