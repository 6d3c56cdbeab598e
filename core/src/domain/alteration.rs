//! Pictures that are altered on purpose, so that it is seen what a network attends to: what it still knows of a picture without its colour,
//! its fine texture, its shape or its background (Geirhos et al., ICLR 2019, on texture and shape).

use super::{canonical::Value, vocabulary::vocabulary};

vocabulary! {
    /// How the square that a network is given is altered: after crop, size and padding, before its numbers are scaled, so that every network
    /// is altered in the pixels that it sees. What is random is drawn from the picture's digest, so it is the same for all networks of
    /// one size.
    pub enum Alteration {
        /// Every channel is the luma (Rec. 601).
        Grey = "grey",
        /// Every colour is the one across the colour circle; the luma stays.
        HueTurned = "hue_turned",
        /// Every channel has the same mean and the same deviation in all pictures: those of ImageNet.
        ColourNormalised = "colour_normalised",
        /// A Gaussian blur whose deviation is 1/32 of the side.
        Blurred = "blurred",
        /// The patches of a grid, each put elsewhere.
        PatchShuffled = "patch_shuffled",
        /// How steep the luma is (Sobel's operator), and nothing else.
        Edges = "edges",
        /// What is not the head is grey.
        BackgroundMasked = "background_masked",
        /// The control of [`Alteration::PatchShuffled`]: every patch stays where it is, and the frame just inside its border is that of the
        /// patch that shuffling puts there. So there are the same borders, and the shape stays.
        EdgeArtefact = "edge_artefact",
    }
}

vocabulary! {
    /// What of a picture a network may attend to.
    pub enum Cue {
        /// Its colours.
        Colour = "colour",
        /// Its fine texture.
        Texture = "texture",
        /// Where its parts are.
        Shape = "shape",
        /// What is around the head.
        Background = "background",
    }
}

vocabulary! {
    /// What says where the background begins.
    pub enum MaskedBy {
        /// An ellipse around the head, placed by the five landmarks of the face.
        Landmarks = "landmarks",
        /// An ellipse around the box of the face.
        Box = "box",
        /// Nothing: a border of the square is masked, an eighth of the side.
        Border = "border",
    }
}

impl Alteration {
    /// In sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Alteration::Grey => "grey",
            Alteration::HueTurned => "hue turned",
            Alteration::ColourNormalised => "colours normalised",
            Alteration::Blurred => "blurred",
            Alteration::PatchShuffled => "patches shuffled",
            Alteration::Edges => "edges only",
            Alteration::BackgroundMasked => "background masked",
            Alteration::EdgeArtefact => "edge artefacts (control)",
        }
    }

    /// What an alteration makes beside what it takes away is borders where none were: is the control to be held beside it?
    pub const fn makes_borders(self) -> bool {
        matches!(self, Alteration::PatchShuffled | Alteration::BackgroundMasked)
    }

    /// What of it enters a key. Changed code gets another word here, so that features of other alterations keep their keys.
    pub fn canonical(self) -> Value {
        Value::text(self.word())
    }

    /// The alterations that a study carries out, in the order of [`Alteration::ALL`]: those it asks for, and the control where one of them
    /// makes borders.
    pub fn with_control(asked: &[Alteration]) -> Vec<Alteration> {
        let makes_borders = asked.iter().any(|of| of.makes_borders());
        let wanted = |of: &Alteration| asked.contains(of) || (makes_borders && *of == Alteration::EdgeArtefact);
        Alteration::ALL.into_iter().filter(wanted).collect()
    }
}

impl Cue {
    /// The alterations that take it away and leave the other cues nearly as they are; the first that was carried out speaks for the cue.
    pub const fn taken_by(self) -> &'static [Alteration] {
        match self {
            Cue::Colour => &[Alteration::Grey, Alteration::HueTurned, Alteration::ColourNormalised],
            Cue::Texture => &[Alteration::Blurred],
            Cue::Shape => &[Alteration::PatchShuffled],
            Cue::Background => &[Alteration::BackgroundMasked],
        }
    }

    /// The alteration that speaks for it among those that were carried out.
    pub fn spoken_for(self, carried_out: &[Alteration]) -> Option<Alteration> {
        self.taken_by().iter().copied().find(|of| carried_out.contains(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_comes_with_alterations_that_make_borders_and_is_asked_for_once() {
        let of = Alteration::with_control;
        assert_eq!(of(&[Alteration::Edges, Alteration::Grey]), [Alteration::Grey, Alteration::Edges]);
        assert_eq!(of(&[Alteration::PatchShuffled]), [Alteration::PatchShuffled, Alteration::EdgeArtefact]);
        assert_eq!(of(&[Alteration::EdgeArtefact, Alteration::BackgroundMasked]).len(), 2);
        assert_eq!(of(&[]), []);
    }

    #[test]
    fn every_cue_has_an_alteration_and_the_first_that_was_carried_out_speaks_for_it() {
        assert!(Cue::ALL.iter().all(|cue| cue.spoken_for(&Alteration::ALL).is_some()));
        assert_eq!(Cue::Colour.spoken_for(&[Alteration::Blurred, Alteration::HueTurned]), Some(Alteration::HueTurned));
        assert_eq!(Cue::Shape.spoken_for(&[Alteration::Edges]), None);
    }
}
