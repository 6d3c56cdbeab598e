//! How much of a region of the face lies inside of a crop, on average over images.

use super::{
    marks::{Mark, Marks},
    similarity::{ARCFACE_TEMPLATE, Similarity, TEMPLATE_SIDE},
};
use crate::{
    domain::{
        Result,
        image::{Column, Images},
        shared_crop::FieldOfView,
        study::Crop,
        visibility::{Rectangle, VisibleShares},
    },
    numeric::sum,
};

/// A box around a face as CelebA has them, in the template's pixels: its middle and its longer side. It stands for every box where
/// landmarks do not say where the face is in it.
const USUAL_BOX: ([f64; 2], f64) = ([57.0, 70.5], 137.0);

/// Points a side of the grid over a rectangle.
const GRID: usize = 16;

/// Where the faces are, as far as it is known: one an image.
#[derive(Default)]
pub struct KnownFaces {
    landmarks: Option<Marks>,
    boxes: Option<Marks>,
}

impl KnownFaces {
    /// From columns of the images.
    ///
    /// # Errors
    /// An image that a column has no mark of.
    pub fn of(images: &Images, landmarks: Option<&Column>, boxes: Option<&Column>) -> Result<Self> {
        let marks = |crop: Crop, column: Option<&Column>| column.map(|column| Marks::of(crop, images, Some(column))).transpose();
        Ok(KnownFaces { landmarks: marks(Crop::Aligned, landmarks)?, boxes: marks(Crop::Face, boxes)? })
    }

    /// Landmarks and box of an image, where both are known.
    fn at(&self, image: usize) -> Option<(&Mark, &Mark)> {
        Some((self.landmarks.as_ref()?.at(image)?, self.boxes.as_ref()?.at(image)?))
    }
}

/// The shares of all regions in all fields of view, over so many images.
pub fn visible_shares(fields: &[FieldOfView], regions: &[Vec<Rectangle>], images: usize, faces: &KnownFaces) -> VisibleShares {
    let of_field = |field: &FieldOfView| regions.iter().map(|region| share(*field, region, images, faces)).collect();
    VisibleShares { format: 1, images, shares: fields.iter().map(of_field).collect() }
}

fn share(field: FieldOfView, region: &[Rectangle], images: usize, faces: &KnownFaces) -> Option<f64> {
    match field.crop() {
        Crop::Whole => Some(1.0),
        // How large the pictures are is not known here.
        Crop::Centre => None,
        Crop::Aligned => {
            let side = TEMPLATE_SIDE as f64;
            Some(share_inside(region, |point| point.iter().all(|of| (0.0..side).contains(of))))
        }
        Crop::Face => {
            let known: Vec<f64> = (0..images)
                .filter_map(|image| {
                    let (landmarks, around) = faces.at(image)?;
                    in_box(region, landmarks, around, field.margin())
                })
                .collect();
            if known.is_empty() {
                let (middle, side) = USUAL_BOX;
                return Some(share_inside(region, |point| is_in_square(point, middle, side * field.margin())));
            }
            Some(sum::mean(&known))
        }
    }
}

/// The same in one picture, in which landmarks and a box say where the face is.
fn in_box(region: &[Rectangle], landmarks: &Mark, around: &Mark, margin: f64) -> Option<f64> {
    let (Mark::Landmarks(landmarks), Mark::Box { left, top, width, height }) = (landmarks, around) else { return None };
    let transform = Similarity::between(landmarks, &ARCFACE_TEMPLATE)?;
    let (middle, side) = ([left + width / 2.0, top + height / 2.0], width.max(*height) * margin);
    Some(share_inside(region, |[x, y]| is_in_square(transform.back(x, y), middle, side)))
}

fn is_in_square(point: [f64; 2], middle: [f64; 2], side: f64) -> bool {
    (0..2).all(|axis| (point[axis] - middle[axis]).abs() <= side / 2.0)
}

/// The share of the region's area at whose points this holds; a rectangle is looked at on a grid.
fn share_inside(region: &[Rectangle], holds: impl Fn([f64; 2]) -> bool) -> f64 {
    let (mut inside, mut all) = (0.0, 0.0);
    for [left, top, right, bottom] in region {
        let area = (right - left) * (bottom - top);
        let along = |from: &f64, to: &f64, step: usize| from + (to - from) * (step as f64 + 0.5) / GRID as f64;
        let points = (0..GRID * GRID).map(|at| [along(left, right, at % GRID), along(top, bottom, at / GRID)]);
        let held = points.filter(|point| holds(*point)).count();
        inside += area * held as f64 / (GRID * GRID) as f64;
        all += area;
    }
    if all > 0.0 { inside / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        study::Preparation,
        visibility::{FaceRegion, Heads},
    };

    fn field(crop: Crop, margin: f64) -> FieldOfView {
        FieldOfView::of(&Preparation { margin, ..Preparation::of(crop, 16) })
    }

    fn share_of(region: FaceRegion, field: FieldOfView, faces: &KnownFaces) -> Option<f64> {
        share(field, region.rectangles(Heads::Photographed), 1, faces)
    }

    fn known(landmarks: [[f64; 2]; 5], around: &str) -> KnownFaces {
        let images = Images(vec![("a.jpg".to_owned(), None)]);
        let landmarks: Column = [("a.jpg", Mark::Landmarks(landmarks).to_text().as_str())].into_iter().collect();
        let boxes: Column = [("a.jpg", around)].into_iter().collect();
        KnownFaces::of(&images, Some(&landmarks), Some(&boxes)).unwrap()
    }

    #[test]
    fn a_whole_picture_shows_all_and_of_a_centre_nothing_is_known() {
        let nobody = KnownFaces::default();
        assert_eq!(share_of(FaceRegion::Hat, field(Crop::Whole, 1.3), &nobody), Some(1.0));
        assert_eq!(share_of(FaceRegion::Hat, field(Crop::Centre, 1.3), &nobody), None);
    }

    #[test]
    fn an_aligned_face_shows_mouth_and_eyes_and_no_necklace() {
        let aligned = |region| share_of(region, field(Crop::Aligned, 1.3), &KnownFaces::default()).unwrap();
        assert_eq!([FaceRegion::Mouth, FaceRegion::Eyes, FaceRegion::Neck].map(aligned), [1.0, 1.0, 0.0]);
        assert!((aligned(FaceRegion::Hat) - 12.0 / 56.0).abs() < 0.04, "{}", aligned(FaceRegion::Hat));
    }

    #[test]
    fn a_wider_margin_shows_more() {
        let hat = |margin| share_of(FaceRegion::Hat, field(Crop::Face, margin), &KnownFaces::default()).unwrap();
        assert!(hat(0.8) < hat(1.0) && hat(1.0) < 0.5 && hat(1.3) > 0.5 && hat(2.0) == 1.0);
    }

    #[test]
    fn landmarks_say_where_the_face_is_in_its_box() {
        // Twice as large as the template: the box is the template's square, or its lower half.
        let landmarks = ARCFACE_TEMPLATE.map(|point| point.map(|of| 2.0 * of));
        let mouth = |around: &str| share_of(FaceRegion::Mouth, field(Crop::Face, 1.0), &known(landmarks, around)).unwrap();
        let eyes = |around: &str| share_of(FaceRegion::Eyes, field(Crop::Face, 1.0), &known(landmarks, around)).unwrap();
        assert_eq!((mouth("0 0 224 224"), eyes("0 0 224 224")), (1.0, 1.0));
        assert_eq!((mouth("48 160 128 64"), eyes("48 160 128 64")), (1.0, 0.0));
    }

    #[test]
    fn a_turned_head_is_looked_at_as_it_lies() {
        // A quarter turn about (56, 56): the mouth lies at the left.
        let landmarks = ARCFACE_TEMPLATE.map(|[x, y]| [112.0 - y, x]);
        let mouth = |around: &str| share_of(FaceRegion::Mouth, field(Crop::Face, 1.0), &known(landmarks, around)).unwrap();
        assert_eq!((mouth("0 36 40 40"), mouth("72 36 40 40")), (1.0, 0.0));
    }
}
