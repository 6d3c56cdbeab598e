//! CelebA's forty attributes in a drawing: which are drawn, where they are decided, and what a portrait has.

use super::{
    person::{Beard, HairColour, HairTexture, JAW, Person},
    rng::FaceRng,
    sitting::Sitting,
};
use crate::{dataset::readers::celeba::ATTRIBUTES, numeric::special};
use serde::{Deserialize, Serialize};

/// Where an attribute is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A person has it, on all images or none.
    Identity,
    /// Each image has it or not, whoever is on it.
    Image,
    /// A person tends to it, an image has it.
    Both,
}

/// Attributes that no stroke shows: they can be known through what goes with them alone.
pub(super) const UNDRAWN: [&str; 3] = ["Attractive", "High_Cheekbones", "Oval_Face"];

pub(super) fn level(attribute: &str) -> Level {
    match attribute {
        "Smiling" | "Mouth_Slightly_Open" | "Blurry" | "Wearing_Hat" | "High_Cheekbones" => Level::Image,
        "Attractive" | "Bags_Under_Eyes" | "Bald" | "Bangs" | "Eyeglasses" | "Heavy_Makeup" | "Oval_Face"
        | "Receding_Hairline" | "Rosy_Cheeks" | "Wearing_Earrings" | "Wearing_Lipstick" | "Wearing_Necklace"
        | "Wearing_Necktie" => Level::Both,
        _ => Level::Identity,
    }
}

/// How often a label that should be 1 says 0; as many that should be 0 say 1. Where annotators of CelebA disagree too.
pub(super) fn noise(attribute: &str) -> f64 {
    match attribute {
        "Arched_Eyebrows" | "Big_Lips" | "Pointy_Nose" | "Straight_Hair" => 0.03,
        "Bags_Under_Eyes" | "Big_Nose" | "Narrow_Eyes" | "Wavy_Hair" => 0.02,
        "Young" => 0.01,
        _ => 0.0,
    }
}

/// How likely the portrait has the attribute: 0 or 1 where it is drawn.
pub(super) fn likely(attribute: &str, person: &Person, sitting: &Sitting) -> f64 {
    let logistic = |x: f64| 1.0 / (1.0 + special::exp(-x));
    let when = |is: bool, by: f64| if is { by } else { 0.0 };
    match attribute {
        "Attractive" => logistic(
            -1.05 + when(person.young, 1.3) + when(sitting.makeup, 1.3) + when(sitting.smiling, 0.3)
                - when(person.chubby, 1.6)
                - when(person.big_nose, 0.8)
                - when(sitting.bags, 0.8)
                - when(sitting.glasses, 0.9),
        ),
        "High_Cheekbones" => logistic(-1.5 + when(sitting.smiling, 2.2) + when(sitting.makeup, 0.7)),
        "Oval_Face" => logistic(-1.35 + when(sitting.makeup, 0.8) + when(sitting.smiling, 0.4) - when(person.chubby, 1.5)),
        _ => f64::from(u8::from(drawn(attribute, person, sitting))),
    }
}

fn drawn(attribute: &str, person: &Person, sitting: &Sitting) -> bool {
    let hair = |colour: HairColour| !person.bald && person.hair == colour;
    let texture = |texture: HairTexture| !person.bald && person.texture == texture;
    match attribute {
        "5_o_Clock_Shadow" => person.beard == Beard::Shadow,
        "Arched_Eyebrows" => person.arched_brows,
        "Bags_Under_Eyes" => sitting.bags,
        "Bald" => person.bald && !sitting.hat,
        "Bangs" => sitting.bangs && !person.bald && !sitting.hat,
        "Big_Lips" => person.big_lips,
        "Big_Nose" => person.big_nose,
        "Black_Hair" => hair(HairColour::Black),
        "Blond_Hair" => hair(HairColour::Blond),
        "Blurry" => sitting.blurry,
        "Brown_Hair" => hair(HairColour::Brown),
        "Bushy_Eyebrows" => person.bushy_brows,
        "Chubby" => person.chubby,
        "Double_Chin" => person.double_chin,
        "Eyeglasses" => sitting.glasses,
        "Goatee" => matches!(person.beard, Beard::Goatee | Beard::GoateeAndMustache | Beard::Full),
        "Gray_Hair" => hair(HairColour::Gray),
        "Heavy_Makeup" => sitting.makeup,
        "Male" => person.male,
        "Mouth_Slightly_Open" => sitting.mouth_open,
        "Mustache" => matches!(person.beard, Beard::Mustache | Beard::GoateeAndMustache | Beard::Full),
        "Narrow_Eyes" => person.narrow_eyes,
        "No_Beard" => person.beard == Beard::None,
        "Pale_Skin" => person.pale,
        "Pointy_Nose" => person.pointy_nose,
        "Receding_Hairline" => person.receding && !sitting.hat,
        "Rosy_Cheeks" => sitting.rosy,
        "Sideburns" => person.sideburns && !person.bald,
        "Smiling" => sitting.smiling,
        "Straight_Hair" => texture(HairTexture::Straight),
        "Wavy_Hair" => texture(HairTexture::Wavy),
        "Wearing_Earrings" => sitting.earrings,
        "Wearing_Hat" => sitting.hat,
        "Wearing_Lipstick" => sitting.lipstick,
        "Wearing_Necklace" => sitting.necklace,
        "Wearing_Necktie" => sitting.necktie,
        "Young" => person.young,
        other => unreachable!("{other} is not one of CelebA's attributes that are drawn"),
    }
}

/// The same portrait with this attribute alone the other way round.
pub(super) fn flip(attribute: &str, person: &mut Person, sitting: &mut Sitting) {
    let to = !drawn(attribute, person, sitting);
    let hair = |colour| if to { colour } else { HairColour::Other };
    let texture = |texture| if to { texture } else { HairTexture::Neither };
    let beard = |beard| if to { beard } else { Beard::None };
    match attribute {
        "5_o_Clock_Shadow" => person.beard = beard(Beard::Shadow),
        "Arched_Eyebrows" => person.arched_brows = to,
        "Bags_Under_Eyes" => sitting.bags = to,
        "Bald" => person.bald = to,
        "Bangs" => sitting.bangs = to,
        "Big_Lips" => person.big_lips = to,
        "Big_Nose" => person.big_nose = to,
        "Black_Hair" => person.hair = hair(HairColour::Black),
        "Blond_Hair" => person.hair = hair(HairColour::Blond),
        "Blurry" => sitting.blurry = to,
        "Brown_Hair" => person.hair = hair(HairColour::Brown),
        "Bushy_Eyebrows" => person.bushy_brows = to,
        "Chubby" => person.chubby = to,
        "Double_Chin" => person.double_chin = to,
        "Eyeglasses" => sitting.glasses = to,
        "Goatee" => {
            person.beard = match person.beard {
                Beard::Full | Beard::GoateeAndMustache => Beard::Mustache,
                Beard::Mustache => Beard::GoateeAndMustache,
                _ => beard(Beard::Goatee),
            }
        }
        "Gray_Hair" => person.hair = hair(HairColour::Gray),
        "Heavy_Makeup" => sitting.makeup = to,
        "Male" => {
            person.male = to;
            person.shape.jaw += if to { JAW } else { -JAW };
        }
        "Mouth_Slightly_Open" => sitting.mouth_open = to,
        "Mustache" => {
            person.beard = match person.beard {
                Beard::Full | Beard::GoateeAndMustache => Beard::Goatee,
                Beard::Goatee => Beard::GoateeAndMustache,
                _ => beard(Beard::Mustache),
            }
        }
        "Narrow_Eyes" => person.narrow_eyes = to,
        "No_Beard" => person.beard = if to { Beard::None } else { Beard::Full },
        "Pale_Skin" => person.pale = to,
        "Pointy_Nose" => person.pointy_nose = to,
        "Receding_Hairline" => person.receding = to,
        "Rosy_Cheeks" => sitting.rosy = to,
        "Sideburns" => person.sideburns = to,
        "Smiling" => sitting.smiling = to,
        "Straight_Hair" => person.texture = texture(HairTexture::Straight),
        "Wavy_Hair" => person.texture = texture(HairTexture::Wavy),
        "Wearing_Earrings" => sitting.earrings = to,
        "Wearing_Hat" => sitting.hat = to,
        "Wearing_Lipstick" => sitting.lipstick = to,
        "Wearing_Necklace" => sitting.necklace = to,
        "Wearing_Necktie" => sitting.necktie = to,
        "Young" => person.young = to,
        other => unreachable!("{other} is not one of CelebA's attributes that are drawn"),
    }
}

/// What an image's labels are drawn from: chances and what became of them, in CelebA's order.
pub(super) struct DrawnLabels {
    pub likely: [f64; 40],
    /// Before annotators erred.
    pub has: [bool; 40],
}

impl DrawnLabels {
    pub(crate) fn of(person: &Person, sitting: &Sitting, rng: &mut FaceRng) -> Self {
        let likely = ATTRIBUTES.map(|attribute| likely(attribute, person, sitting));
        DrawnLabels { likely, has: likely.map(|chance| rng.chance(chance)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::faces::{
        colour::Style,
        sitting::{Twin, Variety},
    };
    use crate::numeric::Purpose;

    #[test]
    fn an_attribute_that_is_drawn_can_be_turned_round_and_back() {
        for seed in 0..40 {
            let mut rng = FaceRng::new(seed, Purpose::DrawnPeople, 0);
            let mut person = Person::draw(&mut rng);
            let mut sitting = Sitting::draw(&person, &Style::EVALUATION, Twin::A, Variety::Varied, &mut rng);
            (person.bald, sitting.hat) = (false, false);
            for attribute in ATTRIBUTES.into_iter().filter(|attribute| !UNDRAWN.contains(attribute)) {
                let before = drawn(attribute, &person, &sitting);
                flip(attribute, &mut person, &mut sitting);
                assert_ne!(drawn(attribute, &person, &sitting), before, "{attribute}");
                if attribute == "Bald" || attribute == "Wearing_Hat" {
                    flip(attribute, &mut person, &mut sitting);
                }
            }
        }
    }
}
