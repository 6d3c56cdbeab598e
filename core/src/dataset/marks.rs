//! Where the face is in a picture: a box or five landmarks, as a column keeps them and as a crop uses them.

use crate::domain::{
    Fault, Result,
    image::{Column, Images},
    study::{Crop, FaceMark},
};

/// Where a face is, in pixels of its picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A box around it.
    Box {
        /// Its left edge.
        left: f64,
        /// Its upper edge.
        top: f64,
        /// More than 0.
        width: f64,
        /// More than 0.
        height: f64,
    },
    /// Eyes, nose, corners of the mouth, those on the picture's left first: x and y.
    Landmarks([[f64; 2]; 5]),
}

/// What lies farther outside a picture than this share of its longer side is of another picture.
const OUTSIDE: f64 = 0.1;

impl Mark {
    /// From as many numbers as there are of its kind.
    ///
    /// # Errors
    /// What is wrong with them: too few or too many, not finite, a box without size, landmarks on one point.
    pub fn of(kind: FaceMark, numbers: &[f64]) -> std::result::Result<Self, String> {
        if numbers.len() != kind.numbers() {
            return Err(format!("{} numbers, where {kind} have {}", numbers.len(), kind.numbers()));
        }
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(format!("{kind} that are no numbers"));
        }
        match kind {
            FaceMark::Box => {
                let [left, top, width, height] = [numbers[0], numbers[1], numbers[2], numbers[3]];
                if width > 0.0 && height > 0.0 {
                    Ok(Mark::Box { left, top, width, height })
                } else {
                    Err(format!("a box of {width} × {height} pixels has no face in it"))
                }
            }
            FaceMark::Landmarks => {
                let points: [[f64; 2]; 5] = std::array::from_fn(|place| [numbers[2 * place], numbers[2 * place + 1]]);
                let apart = |axis: usize| {
                    let along = || points.iter().map(|point| point[axis]);
                    along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
                };
                if apart(0).max(apart(1)) < 1.0 {
                    return Err("all landmarks lie on one point".to_owned());
                }
                Ok(Mark::Landmarks(points))
            }
        }
    }

    /// Is it of a picture of this size?
    ///
    /// # Errors
    /// Why not.
    pub fn fits(&self, width: usize, height: usize) -> Result<()> {
        self.lies_in(width, height).map_err(|why| {
            Fault::asked(why).next(
                "boxes and landmarks are in pixels of the picture that is read: not of another size of it, nor of the one it was cut from",
            )
        })
    }

    fn lies_in(&self, width: usize, height: usize) -> std::result::Result<(), String> {
        let (wide, high) = (width as f64, height as f64);
        let more = OUTSIDE * wide.max(high);
        match self {
            Mark::Box { left, top, width: across, height: down } => {
                let overlaps = *left < wide && *top < high && left + across > 0.0 && top + down > 0.0;
                let is_of_its_size = across.max(*down) <= 2.0 * wide.max(high);
                if overlaps && is_of_its_size {
                    return Ok(());
                }
                Err(format!(
                    "the box of its face, {across} × {down} at ({left}, {top}), does not lie in it: it is {width} × {height}"
                ))
            }
            Mark::Landmarks(points) => {
                let lies = |[x, y]: &[f64; 2]| *x >= -more && *y >= -more && *x <= wide + more && *y <= high + more;
                match points.iter().find(|point| !lies(point)) {
                    None => Ok(()),
                    Some([x, y]) => {
                        Err(format!("a landmark of its face, ({x}, {y}), does not lie in it: it is {width} × {height}"))
                    }
                }
            }
        }
    }

    /// As a column keeps it: numbers separated by blanks.
    pub fn to_text(&self) -> String {
        let numbers = match self {
            Mark::Box { left, top, width, height } => vec![*left, *top, *width, *height],
            Mark::Landmarks(points) => points.as_flattened().to_vec(),
        };
        numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
    }

    /// From what a column keeps; `None` if it is damaged.
    pub fn from_text(kind: FaceMark, text: &str) -> Option<Self> {
        let numbers: Option<Vec<f64>> = text.split(' ').map(|number| number.parse().ok()).collect();
        Mark::of(kind, &numbers?).ok()
    }
}

/// What a crop needs of each image: nothing, or one mark an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// Those of the images, in their order, from a column of them; none where the crop needs none.
    ///
    /// # Errors
    /// No column where the crop needs one, an image without a mark.
    pub fn of(crop: Crop, images: &Images, column: Option<&Column>) -> Result<Self> {
        let Some(kind) = crop.needs() else { return Ok(Marks::default()) };
        let column = column.ok_or_else(|| Fault::unexpected(format!("the crop `{crop}` was given no {kind}")))?;
        let mark = |(id, text): (&str, Option<&str>)| {
            let text = text.ok_or_else(|| Fault::asked(format!("there are no {kind} of the image {id}")))?;
            Mark::from_text(kind, text).ok_or_else(|| Fault::asked(format!("the {kind} of the image {id} are damaged")))
        };
        Ok(Marks(images.ids().zip(column.aligned(images)).map(mark).collect::<Result<_>>()?))
    }

    /// Those of some places.
    pub(super) fn only(&self, places: &[usize]) -> Self {
        Marks(if self.0.is_empty() { Vec::new() } else { places.iter().map(|&place| self.0[place].clone()).collect() })
    }

    /// That of the image at this place.
    pub fn at(&self, place: usize) -> Option<&Mark> {
        self.0.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landmarks(numbers: [f64; 10]) -> std::result::Result<Mark, String> {
        Mark::of(FaceMark::Landmarks, &numbers)
    }

    #[test]
    fn a_mark_is_kept_as_text_and_found_again() {
        let found = landmarks([69.0, 111.5, 108.0, 111.0, 88.0, 136.0, 72.0, 152.0, 105.0, -152.25]).unwrap();
        assert_eq!(found.to_text(), "69 111.5 108 111 88 136 72 152 105 -152.25");
        assert_eq!(Mark::from_text(FaceMark::Landmarks, &found.to_text()), Some(found));
    }

    #[test]
    fn a_mark_that_shows_no_face_is_refused_with_the_reason() {
        assert_eq!(landmarks([4.0; 10]).unwrap_err(), "all landmarks lie on one point");
        assert_eq!(Mark::of(FaceMark::Box, &[1.0, 2.0, 0.0, 5.0]).unwrap_err(), "a box of 0 × 5 pixels has no face in it");
        assert!(Mark::of(FaceMark::Box, &[1.0, f64::NAN, 3.0, 5.0]).is_err());
        assert_eq!(Mark::of(FaceMark::Box, &[1.0]).unwrap_err(), "1 numbers, where boxes have 4");
    }

    #[test]
    fn a_mark_of_another_picture_is_told_by_where_it_lies() {
        let of = landmarks([69.0, 111.0, 108.0, 111.0, 88.0, 136.0, 72.0, 152.0, 105.0, 152.0]).unwrap();
        assert!(of.fits(178, 218).is_ok());
        assert!(of.fits(105, 145).is_ok(), "a detector may place a corner of the mouth a little outside");
        assert!(of.fits(64, 64).unwrap_err().what.contains("(69, 111), does not lie in it: it is 64 × 64"));
        let outside = Mark::of(FaceMark::Box, &[200.0, 10.0, 50.0, 50.0]).unwrap();
        assert!(outside.fits(178, 218).is_err() && outside.fits(300, 300).is_ok());
    }

    #[test]
    fn an_image_without_a_mark_is_named() {
        let images = Images(vec![("a.jpg".to_owned(), None), ("b.jpg".to_owned(), None)]);
        let column: Column = [("a.jpg", "1 2 30 40")].into_iter().collect();
        let fault = Marks::of(Crop::Face, &images, Some(&column)).unwrap_err();
        assert_eq!(fault.what, "there are no boxes of the image b.jpg");
        assert_eq!(Marks::of(Crop::Whole, &images, None).unwrap(), Marks::default());
    }
}
