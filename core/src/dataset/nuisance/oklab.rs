//! Colours in OKLab (Ottosson, "A perceptual color space for image processing", 2020): distances are about what people see, and lightness
//! is apart from hue. Grey is a = b = 0.

use std::sync::LazyLock;

/// Linear light of a byte of sRGB (IEC 61966-2-1).
static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let value = byte as f64 / 255.0;
        if value <= 0.04045 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
    })
});

/// A colour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Oklab {
    /// 0 of black to 1 of white.
    pub lightness: f64,
    /// Green to red.
    pub a: f64,
    /// Blue to yellow.
    pub b: f64,
}

impl Oklab {
    pub(super) fn of_srgb([red, green, blue]: [u8; 3]) -> Self {
        let [red, green, blue] = [red, green, blue].map(|byte| LINEAR[usize::from(byte)]);
        let long = libm::cbrt(0.412_221_470_8 * red + 0.536_332_536_3 * green + 0.051_445_992_9 * blue);
        let middle = libm::cbrt(0.211_903_498_2 * red + 0.680_699_545_1 * green + 0.107_396_956_6 * blue);
        let short = libm::cbrt(0.088_302_461_9 * red + 0.281_718_837_6 * green + 0.629_978_700_5 * blue);
        Oklab {
            lightness: 0.210_454_255_3 * long + 0.793_617_785_0 * middle - 0.004_072_046_8 * short,
            a: 1.977_998_495_1 * long - 2.428_592_205_0 * middle + 0.450_593_709_9 * short,
            b: 0.025_904_037_1 * long + 0.782_771_766_2 * middle - 0.808_675_766_0 * short,
        }
    }

    /// How far from grey.
    pub(super) fn chroma(self) -> f64 {
        (self.a * self.a + self.b * self.b).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// White and red as Ottosson's own code has them.
    #[test]
    fn known_colours_are_where_they_are_known_to_be() {
        let near = |of: Oklab, [lightness, a, b]: [f64; 3]| {
            let off = (of.lightness - lightness).abs().max((of.a - a).abs()).max((of.b - b).abs());
            assert!(off < 1e-4, "{of:?}");
        };
        near(Oklab::of_srgb([255; 3]), [1.0, 0.0, 0.0]);
        near(Oklab::of_srgb([0; 3]), [0.0, 0.0, 0.0]);
        near(Oklab::of_srgb([255, 0, 0]), [0.627_96, 0.224_86, 0.125_85]);
        near(Oklab::of_srgb([0, 0, 255]), [0.452_01, -0.032_46, -0.311_53]);
        assert!((0..=255).all(|grey| Oklab::of_srgb([grey; 3]).chroma() < 1e-6));
    }
}
