//! Colours, and the palettes that tell one drawn data set from another.

use super::rng::FaceRng;

/// Red, green and blue, 0 … 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour(pub [f32; 3]);

impl Colour {
    pub(super) const BLACK: Colour = Colour([0.0; 3]);
    pub(super) const WHITE: Colour = Colour([1.0; 3]);

    pub(super) const fn hex(rgb: u32) -> Self {
        Colour([(rgb >> 16 & 255) as f32 / 255.0, (rgb >> 8 & 255) as f32 / 255.0, (rgb & 255) as f32 / 255.0])
    }

    /// Hue in turns, saturation and lightness in 0 … 1.
    pub(super) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |offset: f32| {
            let k = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
            lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
        };
        Colour([channel(0.0), channel(8.0), channel(4.0)])
    }

    pub(super) fn mix(self, other: Colour, share: f32) -> Self {
        Colour(std::array::from_fn(|i| self.0[i] + (other.0[i] - self.0[i]) * share))
    }

    pub(super) fn darker(self, share: f32) -> Self {
        self.mix(Colour::BLACK, share)
    }

    pub(super) fn lighter(self, share: f32) -> Self {
        self.mix(Colour::WHITE, share)
    }

    /// Rec. 709.
    pub(super) fn luminance(self) -> f32 {
        0.2126 * self.0[0] + 0.7152 * self.0[1] + 0.0722 * self.0[2]
    }
}

/// The ten tones of the Monk Skin Tone Scale (Ellis Monk, 2019), light to dark.
pub(super) const SKIN: [Colour; 10] = [
    Colour::hex(0xf6ede4),
    Colour::hex(0xf3e7db),
    Colour::hex(0xf7ead0),
    Colour::hex(0xeadaba),
    Colour::hex(0xd7bd96),
    Colour::hex(0xa07e56),
    Colour::hex(0x825c43),
    Colour::hex(0x604134),
    Colour::hex(0x3a312a),
    Colour::hex(0x292420),
];

/// Pairs between which hair lies: black, brown, blond, gray, and a colour without a name.
pub(super) const HAIR: [Colour; 10] = [
    Colour::hex(0x0c0b0d),
    Colour::hex(0x322e2c),
    Colour::hex(0x3a2010),
    Colour::hex(0x8a5c38),
    Colour::hex(0xa87a30),
    Colour::hex(0xf3dfa6),
    Colour::hex(0x5c5c61),
    Colour::hex(0xe2e2e4),
    Colour::hex(0x36090a),
    Colour::hex(0xf2a87e),
];

/// How a data set is drawn: what a network cannot carry over from its training set to the evaluation by palette alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Width of the line around shapes; 0 draws none.
    pub outline: f32,
    /// Width of strokes, as a multiple.
    pub stroke: f32,
    /// Hues of backgrounds and clothes: middle and half width, in turns.
    pub hues: (f32, f32),
    pub saturation: f32,
    /// How much of the light's grain is left in the picture.
    pub grain: f32,
}

impl Style {
    /// The pictures that models are compared on.
    pub(super) const EVALUATION: Style = Style { outline: 0.0, stroke: 1.0, hues: (0.08, 0.5), saturation: 0.32, grain: 0.020 };
    /// The pictures that networks learn from.
    pub(super) const TRAINING: Style = Style { outline: 0.9, stroke: 1.25, hues: (0.58, 0.3), saturation: 0.5, grain: 0.012 };

    pub(crate) fn any(&self, rng: &mut FaceRng, lightness: (f32, f32)) -> Colour {
        let hue = self.hues.0 + rng.between(-self.hues.1, self.hues.1);
        Colour::hsl(hue, self.saturation * rng.between(0.4, 1.3), rng.between(lightness.0, lightness.1))
    }
}
