//! How sudden the edges of a picture are: the standard deviation of its Laplacian (Pech-Pacheco et al. 2000) over that of its grey levels,
//! so that more contrast is not more sharpness. Undefined of a picture that shows nothing, or that is smaller than 3 × 3.

use super::grey::{Grey, WHITE};

const LAPLACIAN: [[i32; 3]; 3] = [[0, 1, 0], [1, -4, 1], [0, 1, 0]];
/// Of grey levels from 0 to 1: a picture whose levels spread less shows nothing.
const LEAST_SPREAD: f64 = 1.0 / 255.0;

pub(super) fn sharpness(grey: &Grey) -> f64 {
    let (_, spread) = grey.mean_and_deviation();
    if grey.width < 3 || grey.height < 3 || spread < LEAST_SPREAD {
        return f64::NAN;
    }
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in grey.filtered(LAPLACIAN).map(f64::from) {
        n += 1.0;
        sum += value;
        squares += value * value;
    }
    (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt() / WHITE / spread
}

#[cfg(test)]
mod tests {
    use super::{super::tests::painted, *};

    #[test]
    fn an_edge_is_sharper_than_a_slope_whatever_the_contrast_and_a_plain_picture_is_neither() {
        let of = |level: &dyn Fn(usize) -> u8| sharpness(&Grey::of(&painted(40, 20, |x, _| [level(x); 3])));
        let edge = of(&|x| if x < 20 { 0 } else { 200 });
        let slope = of(&|x| (x * 5) as u8);
        let faint = of(&|x| if x < 20 { 100 } else { 140 });
        assert!(edge > 4.0 * slope, "{edge} {slope}");
        assert!((edge - faint).abs() < 1e-9);
        assert!(of(&|_| 90).is_nan());
        assert!(sharpness(&Grey::of(&painted(2, 9, |x, _| [(x * 200) as u8; 3]))).is_nan());
    }
}
