//! Who is drawn: what an identity fixes, and how likely it is. Rates and their dependence on sex and age follow CelebA's.

use super::rng::FaceRng;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum HairColour {
    Black,
    Blond,
    Brown,
    Gray,
    /// None of those that have a name: red, or dyed.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum HairTexture {
    Straight,
    Wavy,
    Neither,
}

/// Hair on a man's face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beard {
    None,
    /// What is there in the evening of a shaven day.
    Shadow,
    Goatee,
    Mustache,
    GoateeAndMustache,
    Full,
}

/// How much wider a man's jaw is, as a share of the head.
pub(super) const JAW: f32 = 0.16;

#[derive(Clone, Debug)]
pub(super) struct Person {
    pub male: bool,
    pub young: bool,
    /// Place on the Monk scale, 0 light … 9 dark, between tones.
    pub tone: f32,
    pub pale: bool,
    pub hair: HairColour,
    pub texture: HairTexture,
    pub bald: bool,
    pub receding: bool,
    /// 0 cropped … 1 below the shoulders.
    pub hair_length: f32,
    pub beard: Beard,
    pub sideburns: bool,
    pub chubby: bool,
    pub double_chin: bool,
    pub big_lips: bool,
    pub big_nose: bool,
    pub pointy_nose: bool,
    pub narrow_eyes: bool,
    pub arched_brows: bool,
    pub bushy_brows: bool,
    /// How often, over that of others of their kind, this person has what images vary.
    pub habits: Habits,
    pub shape: FaceShape,
}

/// What a person tends to; images decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub bags: f64,
    pub bangs: f64,
    pub makeup: f64,
    pub earrings: f64,
    pub necklace: f64,
    pub necktie: f64,
    pub glasses: f64,
}

/// Measures that no attribute names: what tells one person from another of their kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct FaceShape {
    /// Half the width of the head, in pixels of the aligned picture; so are the others.
    pub width: f32,
    pub chin: f32,
    /// Half the jaw's width, as a share of the head's.
    pub jaw: f32,
    pub eye_distance: f32,
    pub eye_size: f32,
    pub eye_slant: f32,
    pub brow_height: f32,
    pub nose_length: f32,
    pub mouth_width: f32,
    pub mouth_height: f32,
    pub ear: f32,
    /// Hues of iris and hair, within what their names allow; 0 … 1.
    pub iris: f32,
    pub hair_shade: f32,
    /// Where the hair parts: −1 … 1.
    pub parting: f32,
    pub mole: Option<(f32, f32)>,
}

impl Person {
    pub(crate) fn draw(rng: &mut FaceRng) -> Self {
        let male = rng.chance(0.417);
        let young = rng.chance(if male { 0.66 } else { 0.86 });
        let tone = rng.between(0.0, 9.0);
        let bald = male && rng.chance(if young { 0.02 } else { 0.12 });
        let receding = !bald
            && rng.chance(match (male, young) {
                (true, false) => 0.30,
                (true, true) => 0.085,
                (false, false) => 0.12,
                (false, true) => 0.02,
            });
        let gray = !young && rng.chance(if male { 0.22 } else { 0.12 });
        let dark = tone > 5.5;
        let named = rng.weighted(&match (male, dark) {
            (_, true) => [(HairColour::Black, 0.46), (HairColour::Blond, 0.03), (HairColour::Brown, 0.15)],
            (true, false) => [(HairColour::Black, 0.20), (HairColour::Blond, 0.06), (HairColour::Brown, 0.20)],
            (false, false) => [(HairColour::Black, 0.10), (HairColour::Blond, 0.36), (HairColour::Brown, 0.28)],
        });
        let hair = if gray { HairColour::Gray } else { named.unwrap_or(HairColour::Other) };
        let texture = rng.weighted(&[
            (HairTexture::Straight, if male { 0.28 } else { 0.16 }),
            (HairTexture::Wavy, if male { 0.14 } else { 0.46 }),
        ]);
        let beard = rng.weighted(&[
            (Beard::Shadow, 0.22),
            (Beard::Goatee, 0.06),
            (Beard::Mustache, 0.035),
            (Beard::GoateeAndMustache, 0.03),
            (Beard::Full, 0.055),
        ]);
        let beard = beard.filter(|_| male).unwrap_or(Beard::None);
        let sideburns = male && rng.chance(if beard == Beard::Full { 0.6 } else { 0.11 });
        let chubby = rng.chance(match (male, young) {
            (true, false) => 0.18,
            (true, true) => 0.06,
            (false, false) => 0.09,
            (false, true) => 0.025,
        });
        let double_chin = rng.chance(if chubby {
            0.5
        } else if young {
            0.01
        } else {
            0.06
        });
        Person {
            male,
            young,
            tone,
            pale: tone < 4.0 && rng.chance(0.095),
            hair,
            texture: texture.unwrap_or(HairTexture::Neither),
            bald,
            receding,
            hair_length: hair_length(male, rng),
            beard,
            sideburns,
            chubby,
            double_chin,
            big_lips: rng.chance(if male { 0.16 } else { 0.28 } + if dark { 0.05 } else { -0.02 }),
            big_nose: rng.chance(if male { 0.40 } else { 0.115 }),
            pointy_nose: rng.chance(if male { 0.16 } else { 0.36 }),
            narrow_eyes: rng.chance(if male { 0.13 } else { 0.105 }),
            arched_brows: rng.chance(if male { 0.05 } else { 0.42 }),
            bushy_brows: rng.chance(if male { 0.25 } else { 0.065 }),
            habits: Habits::draw(rng, male, young, bald || receding),
            shape: FaceShape::draw(rng, male),
        }
    }
}

impl Habits {
    /// `bare_front`: no hair falls over the forehead.
    fn draw(rng: &mut FaceRng, male: bool, young: bool, bare_front: bool) -> Self {
        let often = |rng: &mut FaceRng, rate: f64| if rng.chance(0.5) { rate * 1.6 } else { rate * 0.4 };
        Habits {
            bags: often(
                rng,
                if male {
                    if young { 0.28 } else { 0.43 }
                } else if young {
                    0.09
                } else {
                    0.25
                },
            ),
            bangs: if bare_front { 0.0 } else { often(rng, if male { 0.075 } else { 0.22 }) },
            makeup: if male { 0.004 } else { often(rng, 0.55).clamp(0.45, 0.9) },
            earrings: if male { 0.02 } else { often(rng, 0.31) },
            necklace: if male { 0.015 } else { often(rng, 0.20) },
            necktie: if male { often(rng, 0.17) } else { 0.003 },
            glasses: often(rng, if male { if young { 0.08 } else { 0.19 } } else { 0.027 }),
        }
    }
}

impl FaceShape {
    fn draw(rng: &mut FaceRng, male: bool) -> Self {
        FaceShape {
            width: rng.near(44.0, 1.8),
            chin: rng.near(57.0, 2.5) + if male { 1.5 } else { 0.0 },
            jaw: rng.near(0.65, 0.035) + if male { JAW } else { 0.0 },
            eye_distance: rng.near(19.5, 0.9),
            eye_size: rng.near(1.0, 0.07),
            eye_slant: rng.near(0.0, 1.1),
            brow_height: rng.near(14.5, 1.2),
            nose_length: rng.near(24.0, 2.0),
            mouth_width: rng.near(16.0, 1.4),
            mouth_height: rng.near(28.0, 1.3),
            ear: rng.near(1.0, 0.12),
            iris: rng.between(0.0, 1.0),
            hair_shade: rng.between(0.0, 1.0),
            parting: rng.between(-1.0, 1.0),
            mole: rng.chance(0.12).then(|| (rng.between(-28.0, 28.0), rng.between(0.0, 38.0))),
        }
    }
}

impl Person {
    /// Half the width of the head, and of the hair around it.
    pub(super) fn width(&self) -> f32 {
        self.shape.width * if self.chubby { 1.21 } else { 1.0 }
    }

    pub(super) fn hair_width(&self) -> f32 {
        self.shape.width * if self.chubby { 1.16 } else { 1.0 }
    }
}

/// Most men wear it short and most women long; one in five does not.
fn hair_length(male: bool, rng: &mut FaceRng) -> f32 {
    if male != rng.chance(0.22) { rng.near(0.12, 0.08).max(0.0) } else { rng.near(0.64, 0.17) }
}
