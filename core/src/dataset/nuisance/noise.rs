//! A picture's grain: Immerkær's (1996) estimate of the standard deviation of noise, of grey levels from 0 to 1. Its filter is blind to
//! slopes and to straight edges along the sides. Undefined of a picture smaller than 3 × 3.

use super::grey::{Grey, WHITE};

const MASK: [[i32; 3]; 3] = [[1, -2, 1], [-2, 4, -2], [1, -2, 1]];

pub(super) fn noise(grey: &Grey) -> f64 {
    if grey.width < 3 || grey.height < 3 {
        return f64::NAN;
    }
    let (mut n, mut sum) = (0.0, 0.0);
    for value in grey.filtered(MASK) {
        n += 1.0;
        sum += f64::from(value.abs());
    }
    (std::f64::consts::PI / 2.0).sqrt() * sum / (6.0 * n) / WHITE
}

#[cfg(test)]
mod tests {
    use super::{super::tests::painted, *};
    use crate::numeric::PhiloxStream;
    use std::cell::RefCell;

    #[test]
    fn planted_noise_is_found_and_edges_and_slopes_are_none() {
        let rng = RefCell::new(PhiloxStream::for_test(5, 1));
        let noisy = painted(120, 120, |_, _| [(128.0 + rng.borrow_mut().normals(8.0)[0]).round() as u8; 3]);
        let found = noise(&Grey::of(&noisy)) * 255.0;
        assert!((found - 8.0).abs() < 0.4, "{found}");
        for plain in [painted(40, 40, |x, _| [(x * 3) as u8; 3]), painted(40, 40, |x, _| [if x < 9 { 0 } else { 250 }; 3])] {
            assert_eq!(noise(&Grey::of(&plain)), 0.0);
        }
        assert!(noise(&Grey::of(&painted(2, 40, |_, _| [1; 3]))).is_nan());
    }
}
