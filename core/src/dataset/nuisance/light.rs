//! How light a picture is, and how far light and dark are apart: mean and standard deviation of its grey levels (ITU-R BT.601), from 0 to 1.
//! The standard deviation is Peli's (1990) RMS contrast.

use super::grey::Grey;

/// Brightness and contrast.
pub(super) fn light(grey: &Grey) -> [f64; 2] {
    let (mean, deviation) = grey.mean_and_deviation();
    [mean, deviation]
}

#[cfg(test)]
mod tests {
    use super::{super::tests::painted, *};

    #[test]
    fn halves_of_black_and_white_are_half_light_and_as_far_apart_as_can_be() {
        let halves = painted(10, 4, |x, _| if x < 5 { [0; 3] } else { [255; 3] });
        assert!(light(&Grey::of(&halves)).iter().all(|of| (of - 0.5).abs() < 1e-12));
        let plain = light(&Grey::of(&painted(10, 4, |_, _| [51; 3])));
        assert!((plain[0] - 0.2).abs() < 1e-12 && plain[1] < 1e-9);
        // Green is lighter than blue.
        let [green, blue] = [[0, 255, 0], [0, 0, 255]].map(|colour| light(&Grey::of(&painted(3, 3, |_, _| colour)))[0]);
        assert!((green - 0.587).abs() < 1e-12 && (blue - 0.114).abs() < 1e-12);
    }
}
