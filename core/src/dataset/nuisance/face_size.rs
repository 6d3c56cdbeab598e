//! How much of the picture the face takes: the side of a square as large as its box, or as what an aligned crop takes of it, in sides of the
//! picture's shorter one.

use crate::dataset::{
    marks::Mark,
    similarity::{ARCFACE_TEMPLATE, Similarity, TEMPLATE_SIDE},
};

/// What the size is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SizeBy {
    Box,
    Landmarks,
}

/// The size and what it is read from: the box, where it is known. `None`: nothing is known of the face.
pub(super) fn face_size(
    [width, height]: [usize; 2],
    around: Option<&Mark>,
    landmarks: Option<&[[f64; 2]; 5]>,
) -> Option<(f64, SizeBy)> {
    let shorter = width.min(height) as f64;
    if let Some(Mark::Box { width, height, .. }) = around {
        return Some(((width * height).sqrt() / shorter, SizeBy::Box));
    }
    let place = Similarity::between(landmarks?, &ARCFACE_TEMPLATE)?;
    Some((TEMPLATE_SIDE as f64 / place.scale() / shorter, SizeBy::Landmarks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_taken_before_landmarks_and_nothing_known_is_no_size() {
        let around = Mark::Box { left: 5.0, top: 5.0, width: 40.0, height: 90.0 };
        let twice = ARCFACE_TEMPLATE.map(|point| point.map(|of| 2.0 * of));
        assert_eq!(face_size([200, 240], Some(&around), Some(&twice)), Some((0.3, SizeBy::Box)));
        let (size, by) = face_size([448, 500], None, Some(&twice)).unwrap();
        assert!((size - 0.5).abs() < 1e-9 && by == SizeBy::Landmarks);
        assert_eq!(face_size([448, 500], None, None), None);
    }
}
