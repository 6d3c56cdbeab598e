//! What is around the head taken away: everything outside of its outline is one grey.

use super::square::Square;
use crate::{
    dataset::{
        marks::Mark,
        similarity::{ARCFACE_TEMPLATE, Similarity},
    },
    domain::alteration::MaskedBy,
};

/// Of all networks the same, whatever their scale.
const GREY: [u8; 3] = [128; 3];
/// The head in the template that the landmarks of a face are placed in, with hair and neck: an ellipse, its middle and its half axes.
const HEAD: ([f64; 2], [f64; 2]) = ([56.0, 62.0], [60.0, 84.0]);
/// The half axes of the ellipse around a box of the face, over the sides of the box.
const AROUND_BOX: f64 = 0.75;
/// The border that is masked is the side over this.
const BORDER: usize = 8;

/// Where the head is in a prepared square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::dataset) enum Outline {
    /// From the template to the square.
    Landmarks(Similarity),
    /// Middle and half axes of an ellipse, in pixels of the square.
    Box([f64; 2], [f64; 2]),
    /// It is not known.
    Border,
}

impl Outline {
    /// From the mark of a picture. `placed`: from pixels of the picture to those of the square.
    pub(in crate::dataset) fn of(mark: Option<&Mark>, placed: &Similarity) -> Self {
        match mark {
            Some(Mark::Landmarks(points)) => {
                let points = points.map(|point| placed.forth(point));
                Similarity::between(&ARCFACE_TEMPLATE, &points).map_or(Outline::Border, Outline::Landmarks)
            }
            Some(Mark::Box { left, top, width, height }) => {
                let middle = placed.forth([left + width / 2.0, top + height / 2.0]);
                Outline::Box(middle, [width, height].map(|side| side * AROUND_BOX * placed.scale()))
            }
            None => Outline::Border,
        }
    }

    /// What it was placed by.
    pub(in crate::dataset) fn masked_by(&self) -> MaskedBy {
        match self {
            Outline::Landmarks(_) => MaskedBy::Landmarks,
            Outline::Box(..) => MaskedBy::Box,
            Outline::Border => MaskedBy::Border,
        }
    }

    /// Is the pixel in the head's outline?
    fn holds(&self, x: usize, y: usize, size: usize) -> bool {
        let inside = |[x, y]: [f64; 2], (middle, half): ([f64; 2], [f64; 2])| {
            let (across, down) = ((x - middle[0]) / half[0], (y - middle[1]) / half[1]);
            across * across + down * down <= 1.0
        };
        let (wide, high) = (x as f64, y as f64);
        match self {
            Outline::Landmarks(template) => inside(template.back(wide, high), HEAD),
            Outline::Box(middle, half) => inside([wide, high], (*middle, *half)),
            Outline::Border => {
                let border = (size / BORDER).max(1);
                [x, y].into_iter().all(|at| at >= border && at + border < size)
            }
        }
    }
}

/// Gives the share of the pixels that were masked.
pub(super) fn mask(square: &mut Square, outline: &Outline) -> f64 {
    let size = square.size;
    let outside = (0..size * size).filter(|at| !outline.holds(at % size, at / size, size)).collect::<Vec<usize>>();
    outside.iter().for_each(|&at| square.set(at, GREY));
    outside.len() as f64 / (size * size) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dataset::alteration::{alter, tests::painted},
        domain::{
            Digest,
            alteration::Alteration,
            study::{Crop, Preparation},
        },
    };

    fn masked(size: usize, outline: &Outline) -> (Vec<u8>, f64) {
        let mut planes = painted(size, |_, _| [1, 2, 3]);
        let preparation = Preparation::of(Crop::Whole, size);
        let share = alter(&mut planes, &preparation, Alteration::BackgroundMasked, &Digest::of(b""), outline);
        (planes, share)
    }

    #[test]
    fn without_marks_the_border_is_grey_and_the_middle_stays() {
        let (planes, share) = masked(16, &Outline::Border);
        let at = |x: usize, y: usize| [0, 1, 2].map(|channel| planes[channel * 256 + y * 16 + x]);
        assert_eq!((at(1, 8), at(2, 8), at(13, 2), at(14, 2)), (GREY, [1, 2, 3], [1, 2, 3], GREY));
        assert_eq!(share, 1.0 - (12.0 * 12.0) / 256.0);
    }

    #[test]
    fn with_landmarks_the_head_stays_where_they_say_it_is() {
        // A face of half the template's size whose template begins at (40, 30).
        let placed = Similarity::between(
            &[[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0], [1.0, 1.0]],
            &[[40.0, 30.0], [41.0, 30.0], [40.0, 31.0], [41.0, 31.0], [40.5, 30.5]],
        )
        .unwrap();
        let outline = Outline::of(Some(&Mark::Landmarks(ARCFACE_TEMPLATE)), &placed);
        assert_eq!(outline.masked_by(), MaskedBy::Landmarks);
        let (planes, share) = masked(128, &outline);
        let is_kept = |x: usize, y: usize| planes[y * 128 + x] == 1;
        // The middle, the chin, and the hair above; left and right of it, and far below.
        assert!(is_kept(68, 61) && is_kept(68, 90) && is_kept(68, 25));
        assert!(!is_kept(30, 61) && !is_kept(110, 61) && !is_kept(68, 110));
        let ellipse = std::f64::consts::PI * 30.0 * 42.0 / (128.0 * 128.0);
        assert!((share - (1.0 - ellipse)).abs() < 0.01, "{share}");
    }

    #[test]
    fn with_a_box_the_ellipse_around_it_stays() {
        let same = Similarity::between(&ARCFACE_TEMPLATE, &ARCFACE_TEMPLATE).unwrap();
        let outline = Outline::of(Some(&Mark::Box { left: 40.0, top: 30.0, width: 20.0, height: 40.0 }), &same);
        let (planes, _) = masked(100, &outline);
        let is_kept = |x: usize, y: usize| planes[y * 100 + x] == 1;
        assert!(is_kept(50, 50) && is_kept(64, 50) && !is_kept(66, 50) && is_kept(50, 79) && !is_kept(50, 81));
    }
}
