//! What follows from who is drawn: colours, and where CelebA marks a face.

use super::{
    canvas::CanvasPoint,
    colour::{Colour, HAIR, SKIN},
    person::{HairColour, Person},
};

/// Colours that follow from who is drawn.
pub(super) struct Tones {
    pub skin: Colour,
    pub shade: Colour,
    pub hair: Colour,
    pub line: Colour,
}

impl Tones {
    pub(super) fn of(person: &Person) -> Self {
        let (low, share) = (person.tone as usize, person.tone.fract());
        let plain = SKIN[low.min(9)].mix(SKIN[(low + 1).min(9)], share);
        // The scale's swatches are surfaces; faces are warmer, and the darkest keep room for shadows.
        let warm = if person.tone > 5.0 { Colour::hex(0x9c5f3a) } else { Colour::hex(0xd98b5f) };
        let skin = if person.pale { plain.mix(Colour::hex(0xd2ccdf), 0.75) } else { plain.mix(warm, 0.20 + 0.012 * person.tone) };
        let hair = match person.hair {
            HairColour::Black => HAIR[0].mix(HAIR[1], person.shape.hair_shade),
            HairColour::Brown => HAIR[2].mix(HAIR[3], person.shape.hair_shade),
            HairColour::Blond => HAIR[4].mix(HAIR[5], person.shape.hair_shade),
            HairColour::Gray => HAIR[6].mix(HAIR[7], person.shape.hair_shade),
            HairColour::Other => HAIR[8].mix(HAIR[9], person.shape.hair_shade),
        };
        let dark = skin.luminance() < 0.25;
        let line = if dark { skin.darker(0.72) } else { skin.mix(Colour::hex(0x5a2d1c), 0.62) };
        Tones { skin, shade: skin.mix(Colour::hex(0x6b3a24), if dark { 0.12 } else { 0.22 }).darker(0.08), hair, line }
    }
}

/// Where CelebA marks a face: eyes, nose, corners of the mouth.
pub(super) type Landmarks = [CanvasPoint; 5];
