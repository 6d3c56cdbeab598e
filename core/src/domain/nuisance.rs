//! Nuisances: what might explain instead that images lie together. Is it the attribute, or is it the background?

use super::{canonical::Value, projection::View, score::Estimate, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What is measured of a picture.
    pub enum PictureNuisance {
        /// The colour beside the head.
        Background = "background",
        /// How light the picture is.
        Brightness = "brightness",
        /// How far light and dark are apart.
        Contrast = "contrast",
        /// How sudden its edges are.
        Sharpness = "sharpness",
        /// Its grain.
        Noise = "noise",
        /// How finely its JPEG keeps it.
        JpegQuality = "jpeg_quality",
        /// How far the head is turned and tilted.
        Pose = "pose",
        /// How much of the picture the face takes.
        FaceSize = "face_size",
    }
}

/// Raised when a picture gets another measure: part of the keys of what is measured.
pub const MEASURES: u32 = 1;
/// Columns of what is measured of pictures, in all.
pub const MEASURED_COLUMNS: usize = 12;
/// Below this chroma in OKLab a colour has no hue: greys of a JPEG stay below 0.01.
pub const LEAST_CHROMA: f64 = 0.02;
/// From this AUC on, a nuisance alone tells the classes: to hold it is to hold the attribute.
pub const TELLS_CLASSES: f64 = 0.80;
/// Where fewer of the images have others alike in the other class, an adjusted score rests on a few.
pub const FEW_ALIKE: f64 = 0.5;
/// Where fewer have, there is no adjusted score.
pub const NONE_ALIKE: f64 = 0.1;

impl PictureNuisance {
    /// What its columns are called: in OKLab (Ottosson 2020) the lightness, the chroma and the hue of a colour.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            PictureNuisance::Background => {
                &["background_lightness", "background_chroma", "background_hue_cosine", "background_hue_sine"]
            }
            PictureNuisance::Brightness => &["brightness"],
            PictureNuisance::Contrast => &["contrast"],
            PictureNuisance::Sharpness => &["sharpness"],
            PictureNuisance::Noise => &["noise"],
            PictureNuisance::JpegQuality => &["jpeg_quality"],
            PictureNuisance::Pose => &["pose_yaw", "pose_roll"],
            PictureNuisance::FaceSize => &["face_size"],
        }
    }

    /// The place of its first column among all that are measured.
    pub fn first_column(self) -> usize {
        Self::ALL.iter().take_while(|other| **other != self).map(|other| other.columns().len()).sum()
    }

    /// In sentences.
    pub fn title(self) -> &'static str {
        match self {
            PictureNuisance::Background => "background colour",
            PictureNuisance::Brightness => "brightness",
            PictureNuisance::Contrast => "contrast",
            PictureNuisance::Sharpness => "sharpness",
            PictureNuisance::Noise => "noise",
            PictureNuisance::JpegQuality => "JPEG quality",
            PictureNuisance::Pose => "pose",
            PictureNuisance::FaceSize => "face size",
        }
    }
}

/// One nuisance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nuisance {
    /// It is measured of the pictures.
    Measured(PictureNuisance),
    /// It is a column of the labels whose values are numbers.
    Column(String),
}

impl Nuisance {
    /// As study files write it.
    pub fn word(&self) -> &str {
        match self {
            Nuisance::Measured(of) => of.word(),
            Nuisance::Column(name) => name,
        }
    }

    /// In sentences.
    pub fn title(&self) -> &str {
        match self {
            Nuisance::Measured(of) => of.title(),
            Nuisance::Column(name) => name,
        }
    }

    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        match self {
            Nuisance::Measured(of) => Value::text(of.word()),
            Nuisance::Column(name) => Value::map().with("column", Value::text(name)).done(),
        }
    }
}

/// The nuisances that a study asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WantedNuisances {
    /// All that can be measured of its pictures; the background is held.
    #[default]
    Usual,
    /// These, and each is held; none of them: nothing is measured.
    Listed(Vec<Nuisance>),
}

impl WantedNuisances {
    /// Those that are looked for. `pictures`: there are pictures to measure.
    pub fn looked_for(&self, pictures: bool) -> Vec<Nuisance> {
        let measured = || PictureNuisance::ALL.iter().copied().map(Nuisance::Measured);
        match self {
            WantedNuisances::Usual if pictures => measured().collect(),
            WantedNuisances::Usual => vec![],
            WantedNuisances::Listed(listed) => {
                listed.iter().filter(|of| pictures || matches!(of, Nuisance::Column(_))).cloned().collect()
            }
        }
    }

    /// Those that are held while a figure is scored again, each by itself.
    pub fn held(&self, pictures: bool) -> Vec<Nuisance> {
        match self {
            WantedNuisances::Usual => self
                .looked_for(pictures)
                .into_iter()
                .filter(|of| *of == Nuisance::Measured(PictureNuisance::Background))
                .collect(),
            WantedNuisances::Listed(_) => self.looked_for(pictures),
        }
    }

    /// The columns of labels among them.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let listed = match self {
            WantedNuisances::Usual => &[][..],
            WantedNuisances::Listed(listed) => listed,
        };
        listed.iter().filter_map(|of| match of {
            Nuisance::Column(name) => Some(name.as_str()),
            Nuisance::Measured(_) => None,
        })
    }
}

/// What a `nuisances` stage leaves beside its table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredPictures {
    /// 1.
    pub format: u32,
    /// Pictures that were measured.
    pub images: usize,
    /// One a column of the table.
    pub columns: Vec<MeasuredColumn>,
    /// How the background was found.
    pub background: BackgroundFound,
    /// How large the face is was read from.
    pub face_size: FaceSizeFound,
    /// Pictures that were turned to be upright, as their cameras noted.
    pub turned: usize,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasuredColumn {
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub of: PictureNuisance,
    /// Images of which it is not defined.
    pub undefined: usize,
}

/// In how many pictures the background was found how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundFound {
    /// Beside the head, whose place landmarks say.
    pub beside_head: usize,
    /// At the border, because landmarks are not known.
    pub border_unknown: usize,
    /// At the border, because the head takes the picture.
    pub border_filled: usize,
}

/// In how many pictures the face's size is known from what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceSizeFound {
    /// From a box.
    pub by_box: usize,
    /// From landmarks.
    pub by_landmarks: usize,
}

/// What an `explained` stage leaves: how much of each nuisance the views of one projection hold, or the features do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NuisanceScores {
    /// 1.
    pub format: u32,
    /// Neighbours whose mean is a prediction.
    pub neighbours: usize,
    /// Images of the evaluation.
    pub images: usize,
    /// Their identities.
    pub identities: usize,
    /// Projection seeds.
    pub seeds: usize,
    /// One a nuisance.
    pub nuisances: Vec<AskedNuisance>,
    /// One a view; of the features the one.
    pub views: Vec<ViewNuisances>,
}

/// A nuisance that views were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedNuisance {
    /// Which it is.
    pub nuisance: Nuisance,
    /// Images in which all of it is defined.
    pub defined: usize,
    /// Images in which some of it is.
    pub partly: usize,
    /// It does not vary, so nothing can tell it: it is not scored.
    pub constant: bool,
}

/// How much of each nuisance a view holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewNuisances {
    /// Which view it is.
    pub view: View,
    /// One a nuisance, in their order.
    pub scores: Vec<NuisanceScore>,
}

/// How much of a nuisance a view holds; undefined where the nuisance or the view is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NuisanceScore {
    /// The share of its variance that neighbours in the view tell (R²), over all images. Below 0 where they tell nothing: then the mean of
    /// all would be nearer.
    pub whole: Option<Estimate>,
    /// The same on the selection half.
    pub a: Option<Estimate>,
    /// The same on the evaluation half.
    pub b: Option<Estimate>,
    /// |Spearman's ρ| along an axis, of a nuisance that is one number: a gradient, as quantities have it.
    pub monotone: Option<Estimate>,
}

/// What an `adjusted` stage leaves: the score of a shown figure while nuisances are held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdjustedScores {
    /// 1.
    pub format: u32,
    /// Images of the other class that an image is held against.
    pub neighbours: usize,
    /// One a nuisance that is held.
    pub held: Vec<HeldNuisance>,
}

/// A figure's score on the evaluation half while one nuisance is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldNuisance {
    /// Which it is.
    pub nuisance: Nuisance,
    /// Images of the evaluation half with class and nuisance, and those whose nuisance is not defined.
    pub images: usize,
    /// They are left out on both sides.
    pub undefined: usize,
    /// As it is without holding it, over the same images.
    pub plain: Option<Estimate>,
    /// Adjusted.
    pub adjusted: Option<Estimate>,
    /// Plain less adjusted, resampled together.
    pub lost: Option<Estimate>,
    /// How well the nuisance alone tells the classes: the same score in the space of the nuisance.
    pub alone: Option<Estimate>,
    /// The share of the rarer class that has others alike in the other.
    pub alike: Option<f64>,
    /// Why the adjusted score says less than it seems.
    pub doubt: Option<AdjustingDoubt>,
}

/// Why an adjusted score says little, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustingDoubt {
    /// Over-adjusted: the nuisance alone tells the classes, so holding it takes away what is asked about.
    TellsClasses,
    /// Over-adjusted: too few images have others alike in the other class.
    FewAlike,
    /// The nuisance is the attribute, or nearly: almost no image has others alike in the other class, so there is no adjusted score.
    IsTheAttribute,
    /// It does not vary: there is nothing to hold.
    Constant,
}

impl AdjustingDoubt {
    /// In a phrase.
    pub fn phrase(self) -> &'static str {
        match self {
            AdjustingDoubt::TellsClasses => "over-adjusted: it alone tells the classes",
            AdjustingDoubt::FewAlike => "over-adjusted: few images have others alike in the other class",
            AdjustingDoubt::IsTheAttribute => "not adjusted: it is nearly the attribute itself",
            AdjustingDoubt::Constant => "not adjusted: it does not vary",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_each_other() {
        let mut next = 0;
        for nuisance in PictureNuisance::ALL.iter().copied() {
            assert_eq!(nuisance.first_column(), next);
            next += nuisance.columns().len();
        }
        assert_eq!(next, MEASURED_COLUMNS);
    }

    #[test]
    fn without_pictures_own_columns_are_looked_for_alone_and_none_means_none() {
        let camera = Nuisance::Column("camera_year".into());
        let pose = Nuisance::Measured(PictureNuisance::Pose);
        let listed = WantedNuisances::Listed(vec![pose.clone(), camera.clone()]);
        assert_eq!(listed.looked_for(false), std::slice::from_ref(&camera));
        assert_eq!(listed.held(true), [pose, camera]);
        assert_eq!(listed.columns().collect::<Vec<_>>(), ["camera_year"]);
        assert_eq!(WantedNuisances::Usual.looked_for(false), []);
        assert_eq!(WantedNuisances::Usual.looked_for(true).len(), PictureNuisance::ALL.len());
        assert_eq!(WantedNuisances::Usual.held(true), [Nuisance::Measured(PictureNuisance::Background)]);
        assert_eq!(WantedNuisances::Listed(vec![]).looked_for(true), []);
    }
}
