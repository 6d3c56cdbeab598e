//! One picture of a person: what images vary.

use super::{
    colour::{Colour, Style},
    person::Person,
    rng::FaceRng,
};
use crate::numeric::special;

/// Which of the two evaluation sets is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twin {
    /// The necktie follows a dark background (φ ≈ .4).
    A,
    /// It does not; all else is as likely.
    B,
}

/// How much the pictures of one person differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variety {
    /// Pose, light, expression and what is worn differ from picture to picture.
    Varied,
    /// One pose, one light.
    Uniform,
}

#[derive(Clone, Debug)]
pub(super) struct Sitting {
    pub smiling: bool,
    pub mouth_open: bool,
    pub bags: bool,
    pub bangs: bool,
    pub blurry: bool,
    pub glasses: bool,
    pub makeup: bool,
    pub lipstick: bool,
    pub rosy: bool,
    pub earrings: bool,
    pub hat: bool,
    pub necklace: bool,
    pub necktie: bool,
    pub dark_background: bool,
    pub pose: Pose,
    pub light: Light,
    /// What is worn, and where one is: colours and kinds.
    pub things: Things,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// Turned to a side and up or down, −1 … 1.
    pub yaw: f32,
    pub pitch: f32,
    /// Degrees.
    pub roll: f32,
    pub scale: f32,
    /// Pixels off the aligned place.
    pub off: (f32, f32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Light {
    /// Where it comes from, in turns.
    pub from: f32,
    /// How much darker the far side is.
    pub fall: f32,
    pub gain: f32,
    /// Warm above 0, cold below.
    pub warmth: f32,
    /// Green above 0, magenta below.
    pub green: f32,
    /// Of the camera's colours, over those that were there.
    pub saturation: f32,
    /// The exponent of its curve: above 1 darkens what is neither black nor white.
    pub gamma: f32,
    /// How far black is from black: a veil of stray light.
    pub veil: f32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Things {
    pub background: [Colour; 3],
    pub cloth: Colour,
    pub garment: Garment,
    /// What shows between collar or lapels.
    pub shirt: Colour,
    pub hat: (usize, Colour),
    pub frame: (usize, Colour),
    pub metal: Colour,
    pub lip: Colour,
    pub shadow: Colour,
    pub tie: (Colour, Colour),
    /// For small irregularities.
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Garment {
    Round,
    Pointed,
    Collar,
    Jacket,
    Stripes,
}

/// How often a background is dark: low, so that a necktie, as rare as CelebA's, can follow it with φ = .4.
const DARK: f64 = 0.2;

impl Sitting {
    pub(crate) fn draw(person: &Person, style: &Style, twin: Twin, variety: Variety, rng: &mut FaceRng) -> Self {
        let dark_background = rng.chance(DARK);
        // Twin A moves neckties from light backgrounds to dark ones, and leaves their number as it is.
        let with_tie = match (twin, dark_background) {
            (Twin::B, _) => person.habits.necktie,
            (Twin::A, true) => person.habits.necktie * 3.9,
            (Twin::A, false) => person.habits.necktie * 0.275,
        };
        let necktie = rng.chance(with_tie.min(1.0));
        let smiling = rng.chance(if person.male { 0.41 } else { 0.53 });
        let makeup = rng.chance(person.habits.makeup);
        let hat = rng.chance(if person.male { 0.075 } else { 0.030 });
        let female = !person.male;
        let lightness = if dark_background { (0.06, 0.2) } else { (0.45, 0.9) };
        let background = std::array::from_fn(|_| style.any(rng, lightness));
        let cloth = style.any(rng, (0.1, 0.85));
        let garment = if necktie {
            rng.pick(&[Garment::Collar, Garment::Jacket])
        } else {
            rng.pick(&[Garment::Round, Garment::Pointed, Garment::Collar, Garment::Jacket, Garment::Stripes])
        };
        let shirt = if rng.chance(0.4) { Colour::hex(0xf2f2f0) } else { style.any(rng, (0.35, 0.92)) };
        let varied = Sitting {
            smiling,
            mouth_open: rng.chance(if smiling { 0.63 } else { 0.35 }),
            bags: rng.chance(person.habits.bags),
            bangs: rng.chance(person.habits.bangs) && !hat,
            blurry: rng.chance(0.051),
            glasses: rng.chance(person.habits.glasses),
            makeup,
            lipstick: rng.chance(if makeup {
                0.96
            } else if female {
                0.42
            } else {
                0.008
            }),
            rosy: rng.chance(if makeup { 0.16 } else { 0.012 }),
            earrings: rng.chance(person.habits.earrings),
            hat,
            necklace: rng.chance(person.habits.necklace) && !necktie,
            necktie,
            dark_background,
            pose: Pose {
                yaw: rng.near(0.0, 0.6),
                pitch: rng.near(0.0, 0.6),
                roll: rng.near(0.0, 6.5),
                scale: rng.near(0.97, 0.075),
                off: (rng.near(0.0, 8.0), rng.near(-3.0, 6.5)),
            },
            light: Light {
                from: rng.between(0.0, 1.0),
                fall: rng.between(0.05, 0.5),
                gain: rng.near(0.95, 0.22),
                warmth: rng.near(0.0, 0.12),
                green: rng.near(0.0, 0.04),
                saturation: rng.between(0.4, 1.15),
                gamma: special::exp(f64::from(rng.near(0.0, 0.42))) as f32,
                veil: rng.between(0.0, 0.22),
            },
            things: Things {
                background,
                cloth,
                garment,
                shirt,
                hat: (rng.below(3), style.any(rng, (0.08, 0.85))),
                frame: (rng.below(3), rng.pick(&[0x1b1b1f, 0x3a2418, 0x70262c, 0x20364f, 0x6a6a70].map(Colour::hex))),
                metal: rng.pick(&[0xd9b44a, 0xcfd3d8, 0xb87333].map(Colour::hex)),
                lip: rng.pick(&[0xb0122c, 0xc2185b, 0x8e1538, 0xd0342c, 0xa3305f, 0x7a2f2a, 0x94425e].map(Colour::hex)),
                shadow: rng.pick(&[0x4b3a78, 0x2f4f6f, 0x5b3a2e, 0x3f3f46, 0x6b3b5e].map(Colour::hex)),
                tie: (style.any(rng, (0.12, 0.7)), style.any(rng, (0.2, 0.9))),
                seed: rng.below(1 << 40) as u64,
            },
        };
        match variety {
            Variety::Varied => varied,
            Variety::Uniform => varied.uniform(),
        }
    }

    fn uniform(mut self) -> Self {
        self.pose = Pose { yaw: 0.0, pitch: 0.0, roll: 0.0, scale: 1.0, off: (0.0, 0.0) };
        self.light = Light { from: 0.1, fall: 0.15, gain: 1.0, warmth: 0.0, green: 0.0, saturation: 1.0, gamma: 1.0, veil: 0.0 };
        self.things.background = [Colour::hex(0x8fa3b5); 3];
        self.dark_background = false;
        self.blurry = false;
        self
    }
}

/// Who is on a picture, and how.
pub(super) struct DrawnPicture {
    pub identity: usize,
    pub person: Person,
    pub sitting: Sitting,
    pub style: Style,
}
