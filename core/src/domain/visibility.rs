//! Which attributes a crop leaves visible: the region of the head that an attribute needs, and the share of it that lies inside a crop.
//!
//! Regions are rectangles in the square of ArcFace's template (112 × 112; eyes at y 52, mouth at y 92, the tip of the chin near 116), so
//! they are placed by landmarks. There are two tables: of photographs, as CelebA's aligned pictures are cut, and of drawn faces, whose
//! hair and hats are smaller. The rule: an attribute is *not visible* in a crop that holds less than [`Visibility::least`] of its region, on
//! average over the images. Edges of the pictures are not considered: what a whole picture shows of a head is visible by definition.

use super::{comparison::Question, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Left, top, right, bottom, in the template's pixels.
pub type Rectangle = [f64; 4];

vocabulary! {
    /// A part of the head, as study files and results call it.
    pub enum FaceRegion {
        /// From the brows to the chin: what all of the face shows.
        Face = "face",
        /// Between hairline and brows.
        Forehead = "forehead",
        /// Where the hair begins.
        Hairline = "hairline",
        /// The brows.
        Brows = "brows",
        /// The eyes.
        Eyes = "eyes",
        /// Eyes, brows and temples: what glasses cover.
        Glasses = "glasses",
        /// The nose.
        Nose = "nose",
        /// The cheeks.
        Cheeks = "cheeks",
        /// The mouth.
        Mouth = "mouth",
        /// Between nose and mouth.
        UpperLip = "upper lip",
        /// Chin and the skin around it.
        Chin = "chin",
        /// From the cheeks to the chin: what a beard covers.
        Jaw = "jaw",
        /// Under the chin.
        Throat = "throat",
        /// The edges of the face before the ears.
        Temples = "temples",
        /// The ears and what hangs from them.
        Ears = "ears",
        /// The hair above the forehead and at both sides.
        Hair = "hair",
        /// The top of the head.
        Crown = "crown",
        /// The top of the head and what is on it.
        Hat = "hat",
        /// The neck and what hangs around it.
        Neck = "neck",
        /// The front below the neck.
        Chest = "chest",
    }
}

/// Whose heads regions are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heads {
    /// People on photographs.
    Photographed,
    /// The faces that this program draws.
    Drawn,
}

impl FaceRegion {
    /// What it covers, in the template's pixels.
    pub const fn rectangles(self, heads: Heads) -> &'static [Rectangle] {
        match (self, heads) {
            (FaceRegion::Face, _) => &[[20.0, 34.0, 92.0, 114.0]],
            (FaceRegion::Forehead, Heads::Photographed) => &[[26.0, 8.0, 86.0, 38.0]],
            (FaceRegion::Forehead, Heads::Drawn) => &[[24.0, 20.0, 88.0, 40.0]],
            (FaceRegion::Hairline, Heads::Photographed) => &[[22.0, -6.0, 90.0, 20.0]],
            (FaceRegion::Hairline, Heads::Drawn) => &[[22.0, 6.0, 90.0, 30.0]],
            (FaceRegion::Brows, _) => &[[24.0, 32.0, 88.0, 46.0]],
            (FaceRegion::Eyes, _) => &[[24.0, 44.0, 88.0, 62.0]],
            (FaceRegion::Glasses, _) => &[[16.0, 38.0, 96.0, 68.0]],
            (FaceRegion::Nose, _) => &[[44.0, 50.0, 68.0, 80.0]],
            (FaceRegion::Cheeks, _) => &[[20.0, 62.0, 44.0, 94.0], [68.0, 62.0, 92.0, 94.0]],
            (FaceRegion::Mouth, _) => &[[38.0, 82.0, 74.0, 104.0]],
            (FaceRegion::UpperLip, _) => &[[40.0, 76.0, 72.0, 90.0]],
            (FaceRegion::Chin, _) => &[[38.0, 96.0, 74.0, 118.0]],
            (FaceRegion::Jaw, _) => &[[24.0, 80.0, 88.0, 118.0]],
            (FaceRegion::Throat, _) => &[[32.0, 106.0, 80.0, 130.0]],
            (FaceRegion::Temples, _) => &[[12.0, 46.0, 26.0, 86.0], [86.0, 46.0, 100.0, 86.0]],
            (FaceRegion::Ears, _) => &[[4.0, 58.0, 20.0, 100.0], [92.0, 58.0, 108.0, 100.0]],
            (FaceRegion::Hair, Heads::Photographed) => {
                &[[-10.0, -24.0, 122.0, 12.0], [-10.0, 12.0, 16.0, 80.0], [96.0, 12.0, 122.0, 80.0]]
            }
            (FaceRegion::Hair, Heads::Drawn) => &[[14.0, -6.0, 98.0, 20.0], [12.0, 20.0, 24.0, 60.0], [88.0, 20.0, 100.0, 60.0]],
            (FaceRegion::Crown, Heads::Photographed) => &[[12.0, -26.0, 100.0, 10.0]],
            (FaceRegion::Crown, Heads::Drawn) => &[[18.0, -6.0, 94.0, 20.0]],
            (FaceRegion::Hat, Heads::Photographed) => &[[4.0, -44.0, 108.0, 12.0]],
            (FaceRegion::Hat, Heads::Drawn) => &[[14.0, -20.0, 98.0, 30.0]],
            (FaceRegion::Neck, _) => &[[24.0, 116.0, 88.0, 152.0]],
            (FaceRegion::Chest, _) => &[[36.0, 122.0, 76.0, 170.0]],
        }
    }

    /// The region that an attribute of CelebA needs, or one of the tables of drawn faces; `None` of an attribute that is not known.
    pub fn of_attribute(attribute: &str) -> Option<Self> {
        Some(match attribute {
            "Attractive" | "Blurry" | "Chubby" | "Heavy_Makeup" | "Male" | "Oval_Face" | "Pale_Skin" | "Young" | "skin_tone"
            | "tone" => FaceRegion::Face,
            "Bangs" => FaceRegion::Forehead,
            "Receding_Hairline" => FaceRegion::Hairline,
            "Arched_Eyebrows" | "Bushy_Eyebrows" => FaceRegion::Brows,
            "Bags_Under_Eyes" | "Narrow_Eyes" => FaceRegion::Eyes,
            "Eyeglasses" => FaceRegion::Glasses,
            "Big_Nose" | "Pointy_Nose" => FaceRegion::Nose,
            "High_Cheekbones" | "Rosy_Cheeks" => FaceRegion::Cheeks,
            "Big_Lips" | "Mouth_Slightly_Open" | "Smiling" | "Wearing_Lipstick" => FaceRegion::Mouth,
            "Mustache" => FaceRegion::UpperLip,
            "Goatee" => FaceRegion::Chin,
            "5_o_Clock_Shadow" | "No_Beard" => FaceRegion::Jaw,
            "Double_Chin" => FaceRegion::Throat,
            "Sideburns" => FaceRegion::Temples,
            "Wearing_Earrings" => FaceRegion::Ears,
            "Black_Hair" | "Blond_Hair" | "Brown_Hair" | "Gray_Hair" | "Straight_Hair" | "Wavy_Hair" | "hair_length" => {
                FaceRegion::Hair
            }
            "Bald" => FaceRegion::Crown,
            "Wearing_Hat" => FaceRegion::Hat,
            "Wearing_Necklace" => FaceRegion::Neck,
            "Wearing_Necktie" => FaceRegion::Chest,
            _ => return None,
        })
    }
}

/// What a study says of visibility.
#[derive(Clone, Debug, PartialEq)]
pub struct Visibility {
    /// The share of a region from which on an attribute is visible, above 0 up to 1.
    pub least: f64,
    /// Attribute → the region that it needs, where the study names one.
    pub regions: BTreeMap<String, FaceRegion>,
}

impl Default for Visibility {
    fn default() -> Self {
        Visibility { least: 0.5, regions: BTreeMap::new() }
    }
}

impl Visibility {
    /// The region that an attribute needs: what the study says, else what is known of it.
    pub fn region(&self, attribute: &str) -> Option<FaceRegion> {
        self.regions.get(attribute).copied().or_else(|| FaceRegion::of_attribute(attribute))
    }

    /// The regions that these questions ask about, each once.
    pub fn regions_of<'a>(&self, questions: impl IntoIterator<Item = &'a Question>) -> Vec<FaceRegion> {
        let attributes = questions.into_iter().flat_map(Question::asked);
        let regions: BTreeSet<FaceRegion> = attributes.filter_map(|attribute| self.region(attribute)).collect();
        regions.into_iter().collect()
    }

    /// How well a question can be seen: by its attribute of which the crop holds least, the first of equals. `None` where the region of
    /// no attribute is known.
    pub fn of<'a>(&self, question: &'a Question, share: impl Fn(FaceRegion) -> Option<f64>) -> Option<SeenShare<'a>> {
        let seen = |attribute: &'a str| {
            let region = self.region(attribute)?;
            Some(SeenShare { attribute, region, share: share(region)? })
        };
        question.asked().into_iter().filter_map(seen).reduce(|least, of| if of.share < least.share { of } else { least })
    }

    /// Is so much of a region enough?
    pub fn is_enough(&self, share: f64) -> bool {
        share >= self.least
    }
}

/// An attribute and how much of its region a crop holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenShare<'a> {
    /// The attribute's name.
    pub attribute: &'a str,
    /// What it needs.
    pub region: FaceRegion,
    /// From 0 to 1, the mean over images.
    pub share: f64,
}

/// What the `visible` stage leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisibleShares {
    /// 1.
    pub format: u32,
    /// How many images the shares are means over.
    pub images: usize,
    /// By field of view, then by region, in the order of the stage's parameters: the share of the region that lies inside; `None` where
    /// it is not known where the faces are.
    pub shares: Vec<Vec<Option<f64>>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::comparison::Measured;

    fn question(classes: [&str; 2], within: Option<&str>) -> Question {
        let class = |text: &str| text.parse().expect("an expression");
        Question { measured: Measured::Classes(classes.map(class).into()), within: within.map(class) }
    }

    /// Of the template's own square.
    fn inside(region: FaceRegion, heads: Heads) -> f64 {
        let area = |[left, top, right, bottom]: &Rectangle| (right - left).max(0.0) * (bottom - top).max(0.0);
        let cut = |[left, top, right, bottom]: &Rectangle| [left.max(0.0), top.max(0.0), right.min(112.0), bottom.min(112.0)];
        let all = region.rectangles(heads);
        all.iter().map(|of| area(&cut(of))).sum::<f64>() / all.iter().map(area).sum::<f64>()
    }

    #[test]
    fn a_tight_crop_hides_hats_hair_and_necks_and_shows_the_face() {
        let visibility = Visibility::default();
        let hidden = |heads| -> Vec<FaceRegion> {
            FaceRegion::ALL.into_iter().filter(|region| !visibility.is_enough(inside(*region, heads))).collect()
        };
        let [neck, chest] = [FaceRegion::Neck, FaceRegion::Chest];
        let [throat, hair, crown, hat] = [FaceRegion::Throat, FaceRegion::Hair, FaceRegion::Crown, FaceRegion::Hat];
        assert_eq!(hidden(Heads::Photographed), [throat, hair, crown, hat, neck, chest]);
        assert_eq!(hidden(Heads::Drawn), [throat, neck, chest], "hats and hair of drawn faces are small");
    }

    #[test]
    fn every_region_has_an_area() {
        for region in FaceRegion::ALL {
            for heads in [Heads::Photographed, Heads::Drawn] {
                let all = region.rectangles(heads);
                assert!(all.iter().all(|[left, top, right, bottom]| left < right && top < bottom), "{region}");
            }
        }
    }

    #[test]
    fn a_study_may_say_what_an_attribute_needs_and_overrule_what_is_known() {
        let regions = [("badge".to_owned(), FaceRegion::Chest), ("Bangs".to_owned(), FaceRegion::Hair)].into();
        let visibility = Visibility { regions, ..Visibility::default() };
        let region = |attribute| visibility.region(attribute);
        assert_eq!(
            [region("badge"), region("Bangs"), region("Smiling")].map(Option::unwrap),
            [FaceRegion::Chest, FaceRegion::Hair, FaceRegion::Mouth]
        );
        assert_eq!(region("mood"), None);
    }

    #[test]
    fn a_question_is_as_visible_as_its_least_visible_attribute() {
        let visibility = Visibility::default();
        let share = |region| Some(inside(region, Heads::Photographed));
        let asked = question(["Smiling and Wearing_Hat", "not Smiling"], Some("Wearing_Necktie"));
        let seen = visibility.of(&asked, share).unwrap();
        assert_eq!((seen.attribute, seen.region), ("Wearing_Hat", FaceRegion::Hat), "`within` is not asked about");
        assert!(!visibility.is_enough(seen.share));
        assert_eq!(visibility.of(&question(["mood", "not mood"], None), share), None);
        assert_eq!(visibility.of(&asked, |_| None), None, "nobody knows where the faces are");
        assert_eq!(visibility.regions_of([&asked]), [FaceRegion::Mouth, FaceRegion::Hat]);
    }
}
