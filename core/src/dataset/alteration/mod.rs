//! Prepared pictures, altered on purpose: one file an alteration. Pure; the same bytes give the same bytes on every machine.
//!
//! An alteration is made of the square that a network is given, after crop, size and padding and before the scale. Before: an alteration of
//! the whole picture would be of other pixels for every crop and size, and be resized away. After: the scale's numbers are a network's own, and
//! a blur or a hue of them would be another for each. The padding is part of the square, and is altered with it.

mod background;
mod blur;
mod colour;
mod edges;
mod patches;
mod square;

pub(super) use background::Outline;

use square::{Square, luma};

use crate::domain::{
    Digest,
    alteration::Alteration,
    study::{Channels, Preparation},
};

/// Alters a prepared picture in place. `picture`: the digest of its bytes, which decides what is random. `outline`: where its head is, for the
/// background. Gives the share of its pixels that were masked, which is 0 of other alterations than that of the background.
pub(super) fn alter(
    planes: &mut [u8],
    preparation: &Preparation,
    alteration: Alteration,
    picture: &Digest,
    outline: &Outline,
) -> f64 {
    let channel = match preparation.channels() {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
    };
    let mut square = Square { size: preparation.size, planes, channel };
    match alteration {
        Alteration::Grey => square.map(|colour| [luma(colour); 3]),
        Alteration::HueTurned => square.map(colour::turned),
        Alteration::ColourNormalised => colour::normalise(&mut square),
        Alteration::Blurred => blur::blur(&mut square),
        Alteration::PatchShuffled => patches::shuffle(&mut square, picture),
        Alteration::Edges => edges::edges(&mut square),
        Alteration::BackgroundMasked => return background::mask(&mut square, outline),
        Alteration::EdgeArtefact => patches::frames(&mut square, picture),
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::study::{Crop, PixelScale};

    pub(super) const SIZE: usize = 32;

    /// A picture painted by a function of x and y.
    pub(super) fn painted(size: usize, colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        let mut planes = vec![0; 3 * size * size];
        for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
            for (channel, value) in colour(x, y).into_iter().enumerate() {
                planes[channel * size * size + y * size + x] = value;
            }
        }
        planes
    }

    pub(super) fn altered(planes: &[u8], alteration: Alteration) -> Vec<u8> {
        of_picture(planes, alteration, b"a picture")
    }

    pub(super) fn of_picture(planes: &[u8], alteration: Alteration, picture: &[u8]) -> Vec<u8> {
        let mut planes = planes.to_vec();
        let size = (planes.len() / 3).isqrt();
        alter(&mut planes, &Preparation::of(Crop::Whole, size), alteration, &Digest::of(picture), &Outline::Border);
        planes
    }

    /// Colours that differ from place to place, with edges and a texture.
    pub(super) fn lively(x: usize, y: usize) -> [u8; 3] {
        [(x * 7 + y) as u8, if (x / 3 + y / 5).is_multiple_of(2) { 200 } else { 40 }, (x * y % 251) as u8]
    }

    #[test]
    fn a_picture_is_altered_by_its_colours_whatever_their_order() {
        let rgb = painted(SIZE, lively);
        let turned = |planes: &[u8]| -> Vec<u8> { planes.chunks_exact(SIZE * SIZE).rev().flatten().copied().collect() };
        for alteration in Alteration::ALL {
            let mut bgr = turned(&rgb);
            let preparation = Preparation { scale: PixelScale::Vggface2, ..Preparation::of(Crop::Whole, SIZE) };
            alter(&mut bgr, &preparation, alteration, &Digest::of(b"a picture"), &Outline::Border);
            assert_eq!(turned(&bgr), altered(&rgb, alteration), "{alteration}");
        }
    }

    #[test]
    fn every_alteration_changes_a_lively_picture_and_is_another() {
        let rgb = painted(SIZE, lively);
        let all: std::collections::BTreeSet<Vec<u8>> = Alteration::ALL.iter().map(|of| altered(&rgb, *of)).collect();
        assert_eq!(all.len(), Alteration::ALL.len());
        assert!(!all.contains(&rgb));
    }

    /// What is drawn and computed keeps its bits: features of altered pictures are known by the alteration's word.
    #[test]
    fn the_bits_are_what_they_were() {
        let rgb = painted(SIZE, lively);
        let digests = Alteration::ALL.map(|of| format!("{of} {}", Digest::of(&altered(&rgb, of)).short()));
        assert_eq!(digests.join("\n"), PINNED.trim());
    }

    const PINNED: &str = "
grey 5ff74457
hue_turned 5a9c71b7
colour_normalised 3ff5f787
blurred 91b08391
patch_shuffled 443dff1a
edges 61b39f22
background_masked e9c27def
edge_artefact 44c93d34
";

    #[test]
    fn grey_is_the_luma_in_all_channels() {
        let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]];
        let grey = altered(&painted(8, |x, _| colours[x % 5]), Alteration::Grey);
        for (x, luma) in [76, 150, 29, 255, 18].into_iter().enumerate() {
            assert!((0..3).all(|channel| grey[channel * 64 + x] == luma), "{x}");
        }
    }
}
