//! Shared crops: models whose pictures are cropped differently, looked at through one crop.
//!
//! The rule: of two crops the narrower one is shared. `whole` is wider than `centre`, and `centre` wider than any crop of the face. Crops of
//! the face are ordered by their side in boxes of the face: the margin of `face`, and [`ALIGNED_SIDE`] of `aligned`. The model of the wider
//! crop is given that part of the pictures; its own size, padding, scale and channels stay. The other model is as it was.

use super::{
    canonical::Value,
    contrast::{self, ContrastSides},
    index::ModelIx,
    made_with::{MadeItem, NOT_STATED},
    model::{GivenFeatures, Model, Source, Weights},
    study::{Crop, Exif, Preparation, Study},
};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::HashMap, fmt};
use typed_index_collections::TiVec;

/// The side of an aligned face, in longer sides of the box of the face: ArcFace's template is 3.2 distances of the eyes wide, and a box as
/// CelebA has them about 4.
pub const ALIGNED_SIDE: f64 = 0.8;

/// The part of a picture that a preparation takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldOfView {
    crop: Crop,
    /// Of the crop `face`; 1 of others.
    margin: f64,
}

impl FieldOfView {
    /// What this preparation takes.
    pub fn of(preparation: &Preparation) -> Self {
        FieldOfView { crop: preparation.crop, margin: if preparation.crop == Crop::Face { preparation.margin } else { 1.0 } }
    }

    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let FieldOfView { crop, margin } = self;
        Value::List(vec![Value::text(crop.word()), Value::Float(*margin)])
    }

    /// Which crop it is of.
    pub fn crop(self) -> Crop {
        self.crop
    }

    /// Of the crop `face`: the side of the square over the longer side of the box; 1 of others.
    pub fn margin(self) -> f64 {
        self.margin
    }

    /// Its side in boxes of the face, as the rule has it.
    fn side(self) -> f64 {
        match self.crop {
            Crop::Whole => f64::INFINITY,
            Crop::Centre => f64::MAX,
            Crop::Face => self.margin,
            Crop::Aligned => ALIGNED_SIDE,
        }
    }

    /// Is it the narrower of the two, by the rule?
    pub fn is_within(self, other: Self) -> bool {
        self.side().total_cmp(&other.side()) == Ordering::Less
    }
}

impl fmt::Display for FieldOfView {
    /// `whole`, `aligned`, `face × 1.3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.crop.word())?;
        if self.crop == Crop::Face { write!(f, " × {}", self.margin) } else { Ok(()) }
    }
}

impl Preparation {
    /// This preparation of the part of the pictures that another takes: size, padding, scale and channels stay.
    pub fn cropped_like(&self, other: &Preparation) -> Preparation {
        // Boxes and landmarks are of pictures that are turned as the other says.
        Preparation { crop: other.crop, margin: other.margin, exif: other.exif, ..self.clone() }
    }
}

/// A model that is looked at through the crop of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recropped {
    /// Whose weights these are.
    pub model: ModelIx,
    /// Whose crop it is: the first model of the study that has it.
    pub like: ModelIx,
}

impl Recropped {
    /// How the pictures are prepared; `None` of given features, which are not made here.
    pub fn preparation(self, study: &Study) -> Option<Preparation> {
        let of = |model: ModelIx| study.preparations.get(study.models[model].prepared_by()?);
        Some(of(self.model)?.cropped_like(of(self.like)?))
    }
}

/// A model as one side of a contrast on a shared crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelOnCrop {
    /// Its own crop is the shared one.
    Own(ModelIx),
    /// It is given another crop.
    Recropped(Recropped),
}

/// A contrast that is scored on a shared crop, too.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedContrast {
    /// The place of its sides in [`contrast::held`].
    pub held: usize,
    /// The same sides, by their places in [`SharedCrops::models`].
    pub sides: ContrastSides,
}

/// Every contrast of a study whose sides are cropped differently, on a shared crop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedCrops {
    /// The models of all of them, each once; their places are those of the tests on shared crops.
    pub models: TiVec<ModelIx, ModelOnCrop>,
    /// In the order of [`contrast::held`].
    pub contrasts: Vec<SharedContrast>,
}

impl SharedCrops {
    /// Those of a study; empty where no contrast needs one.
    pub fn of(study: &Study) -> Self {
        let (mut shared, mut places) = (SharedCrops::default(), HashMap::new());
        let firsts = firsts_of_crops(study);
        for (held, sides) in contrast::held(study).into_iter().enumerate() {
            let SideCrops::Differ { fields: [left, right], is_one_model: false } = SideCrops::of(&sides, study) else { continue };
            // The models of a side with the crop of another, if they are given one.
            let mut side = |models: &[ModelIx], like: Option<&[ModelIx]>| -> Vec<ModelIx> {
                let like = like.and_then(|like| firsts[*like.first()?]);
                let on_crop =
                    |model| like.map_or(ModelOnCrop::Own(model), |like| ModelOnCrop::Recropped(Recropped { model, like }));
                let place = |&model: &ModelIx| {
                    let of = on_crop(model);
                    *places.entry(of).or_insert_with(|| shared.models.push_and_get_key(of))
                };
                models.iter().map(place).collect()
            };
            let sides = ContrastSides {
                contrast: sides.contrast,
                left: side(&sides.left, right.is_within(left).then_some(&sides.right[..])),
                right: side(&sides.right, (!right.is_within(left)).then_some(&sides.left[..])),
            };
            shared.contrasts.push(SharedContrast { held, sides });
        }
        shared
    }

    /// The models that are given another crop.
    pub fn recropped(&self) -> impl Iterator<Item = Recropped> {
        self.models.iter().filter_map(|of| match of {
            ModelOnCrop::Own(_) => None,
            ModelOnCrop::Recropped(of) => Some(*of),
        })
    }
}

/// Of each model the first of the study that takes the same part of its pictures, so that each crop has one name; `None` of given features.
fn firsts_of_crops(study: &Study) -> TiVec<ModelIx, Option<ModelIx>> {
    let mut firsts: HashMap<(Crop, u64, Exif), ModelIx> = HashMap::new();
    let mut first = |(place, model): (ModelIx, &Model)| {
        let preparation = study.preparations.get(model.prepared_by()?)?;
        let field = FieldOfView::of(preparation);
        Some(*firsts.entry((field.crop, field.margin.to_bits(), preparation.exif)).or_insert(place))
    };
    study.models.iter_enumerated().map(&mut first).collect()
}

/// How the pictures of a contrast's two sides are cropped, one beside the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SideCrops {
    /// Alike, as far as the study says.
    Alike,
    /// Differently, and what lies outside of one crop can tell the sides apart.
    Differ {
        /// Left and right.
        fields: [FieldOfView; 2],
        /// With one crop the two sides are one model: all that they differ by is the crop.
        is_one_model: bool,
    },
    /// Features of a side are given, so they cannot be made again on another crop.
    Given {
        /// The study says so; otherwise nothing is stated of it.
        differ: bool,
    },
}

impl SideCrops {
    /// How those of these sides are.
    pub fn of(sides: &ContrastSides, study: &Study) -> Self {
        let (Some(&left), Some(&right)) = (sides.left.first(), sides.right.first()) else { return SideCrops::Alike };
        let (left, right) = (&study.models[left], &study.models[right]);
        if let (Source::Given(left), Source::Given(right)) = (&left.source, &right.source) {
            let stated = |of: MadeItem| {
                let text = |given: &GivenFeatures| {
                    given
                        .made_with
                        .items()
                        .find(|(item, _)| *item == of)
                        .map_or(NOT_STATED.to_owned(), |(_, text)| text.to_owned())
                };
                [text(left), text(right)]
            };
            let differ = [MadeItem::Detector, MadeItem::Alignment].map(stated).iter().any(|[left, right]| left != right);
            return if differ { SideCrops::Given { differ } } else { SideCrops::Alike };
        }
        let preparation = |model: &Model| study.preparations.get(model.prepared_by()?);
        let [Some(of_left), Some(of_right)] = [preparation(left), preparation(right)] else {
            return SideCrops::Given { differ: false };
        };
        let fields = [of_left, of_right].map(FieldOfView::of);
        if fields[0] == fields[1] {
            return SideCrops::Alike;
        }
        let [wide, narrow] = if fields[1].is_within(fields[0]) { [of_left, of_right] } else { [of_right, of_left] };
        SideCrops::Differ { fields, is_one_model: wide.cropped_like(narrow) == *narrow && are_one_but_for_pictures(left, right) }
    }

    /// The crop that the sides share.
    pub fn shared(self) -> Option<FieldOfView> {
        match self {
            SideCrops::Differ { fields: [left, right], .. } => Some(if right.is_within(left) { right } else { left }),
            SideCrops::Alike | SideCrops::Given { .. } => None,
        }
    }
}

/// Do two models compute the same of the same input? A network that is trained here has learned from its own crop.
fn are_one_but_for_pictures(left: &Model, right: &Model) -> bool {
    match (&left.source, &right.source) {
        (Source::Network(left), Source::Network(right)) => {
            left.architecture == right.architecture
                && left.embedding == right.embedding
                && match (&left.weights, &right.weights) {
                    (Weights::Recipe { .. }, _) | (_, Weights::Recipe { .. }) => false,
                    (Weights::File { file, family, .. }, Weights::File { file: other, family: of, .. }) => {
                        file == other && family == of
                    }
                    (left, right) => left == right,
                }
        }
        (Source::Baseline { word, .. }, Source::Baseline { word: other, .. }) => word == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(crop: Crop, margin: f64) -> FieldOfView {
        FieldOfView::of(&Preparation { margin, ..Preparation::of(crop, 16) })
    }

    #[test]
    fn the_whole_is_wider_than_the_centre_and_that_wider_than_any_crop_of_the_face() {
        let by_width = [
            field(Crop::Whole, 1.3),
            field(Crop::Centre, 1.3),
            field(Crop::Face, 2.0),
            field(Crop::Face, 1.3),
            field(Crop::Aligned, 1.3),
            field(Crop::Face, 0.5),
        ];
        for pair in by_width.windows(2) {
            assert!(pair[1].is_within(pair[0]) && !pair[0].is_within(pair[1]), "{} and {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn a_margin_tells_crops_of_faces_apart_and_no_others() {
        assert_eq!(field(Crop::Whole, 1.3), field(Crop::Whole, 2.0));
        assert_ne!(field(Crop::Face, 1.3), field(Crop::Face, 2.0));
        assert_eq!([field(Crop::Face, 1.3), field(Crop::Aligned, 1.3)].map(|of| of.to_string()), ["face × 1.3", "aligned"]);
    }

    #[test]
    fn another_crop_leaves_size_padding_scale_and_channels() {
        let own = Preparation { channels: Some(crate::domain::study::Channels::Bgr), ..Preparation::of(Crop::Whole, 224) };
        let narrow = Preparation { margin: 2.0, exif: Exif::Ignore, ..Preparation::of(Crop::Face, 112) };
        let expected = Preparation { crop: Crop::Face, margin: 2.0, exif: Exif::Ignore, ..own.clone() };
        assert_eq!(own.cropped_like(&narrow), expected);
    }
}
