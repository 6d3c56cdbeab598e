//! Where images stand on a view of two columns of coordinates, in 65,535 steps along each: within a square, as a map is drawn.

use visavis_core::numeric::Matrix;

/// Of an image without a place: a coordinate is not there, or is no finite number.
const NOWHERE: u16 = u16::MAX;
const STEPS: f64 = (u16::MAX - 1) as f64;

/// The places of some images on a view.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    /// What the square spans of each column; 0 to 1 where no image has a place.
    pub low: [f64; 2],
    pub high: [f64; 2],
    /// Two an image.
    pub of: Vec<u16>,
}

/// Of coordinates, one row an image, on these columns; `None` where the coordinates lack one of them. `is_map`: both axes have one scale, and the
/// shorter stands in the middle; else each has the whole of its side.
pub(super) fn places(coordinates: &Matrix, columns: [usize; 2], is_map: bool) -> Option<Places> {
    if columns.iter().any(|column| *column >= coordinates.columns()) {
        return None;
    }
    let point = |image: usize| columns.map(|column| f64::from(coordinates.row(image)[column]));
    let points: Vec<[f64; 2]> = (0..coordinates.rows()).map(point).collect();
    let is_placed = |point: &[f64; 2]| point.iter().all(|value| value.is_finite());
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in points.iter().filter(|point| is_placed(point)) {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    if !is_placed(&low) {
        (low, high) = ([0.0; 2], [1.0; 2]);
    }
    if is_map {
        let widest = (high[0] - low[0]).max(high[1] - low[1]);
        for axis in 0..2 {
            let middle = (low[axis] + high[axis]) / 2.0;
            (low[axis], high[axis]) = (middle - widest / 2.0, middle + widest / 2.0);
        }
    }
    let step = |point: &[f64; 2]| -> [u16; 2] {
        if !is_placed(point) {
            return [NOWHERE; 2];
        }
        std::array::from_fn(|axis| {
            let width = high[axis] - low[axis];
            if width > 0.0 {
                ((point[axis] - low[axis]) / width * STEPS).round().clamp(0.0, STEPS) as u16
            } else {
                (STEPS / 2.0) as u16
            }
        })
    };
    Some(Places { low, high, of: points.iter().flat_map(step).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_span_their_range_and_what_is_no_number_is_nowhere() {
        let coordinates = Matrix::new(4, 3, vec![0.0, 9.0, -1.0, 5.0, 9.0, 1.0, f32::NAN, 9.0, 0.0, 10.0, 9.0, 0.0]).unwrap();
        let found = places(&coordinates, [0, 2], false).unwrap();
        assert_eq!((found.low, found.high), ([0.0, -1.0], [10.0, 1.0]));
        assert_eq!(found.of, [0, 0, 32767, 65534, NOWHERE, NOWHERE, 65534, 32767]);
        // A map has one scale: the shorter axis stands in the middle.
        let map = places(&coordinates, [0, 2], true).unwrap();
        assert_eq!((map.low, map.high), ([0.0, -5.0], [10.0, 5.0]));
        assert_eq!(map.of, [0, 26214, 32767, 39320, NOWHERE, NOWHERE, 65534, 32767]);
        assert_eq!(places(&coordinates.take(&[3]), [0, 1], true).unwrap().of, [32767, 32767], "all at one place: in the middle");
        assert_eq!(places(&coordinates, [0, 3], false), None);
        assert_eq!(places(&coordinates.take(&[2]), [0, 1], true).unwrap().high, [1.0, 1.0]);
    }
}
