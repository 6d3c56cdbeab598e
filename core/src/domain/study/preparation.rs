//! How a picture becomes what a network is given.

use crate::domain::{canonical::Value, shared_crop::FieldOfView, stage::role, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

vocabulary! {
    /// Which part of a picture is looked at.
    pub enum Crop {
        /// All of it.
        Whole = "whole",
        /// A square around the box of the face: see [`Preparation::margin`].
        Face = "face",
        /// The largest square in the middle.
        Centre = "centre",
        /// The face turned, scaled and moved so that its five landmarks lie where ArcFace's template has them.
        Aligned = "aligned",
    }
}

impl Crop {
    /// What must be known of the face in every picture; `None` where the picture is enough.
    pub const fn needs(self) -> Option<FaceMark> {
        match self {
            Crop::Whole | Crop::Centre => None,
            Crop::Face => Some(FaceMark::Box),
            Crop::Aligned => Some(FaceMark::Landmarks),
        }
    }
}

vocabulary! {
    /// What can be known of where the face is in a picture.
    pub enum FaceMark {
        /// Left edge, top edge, width and height of a box around it, in pixels.
        Box = "boxes",
        /// Five points, x and y each, in pixels: the eye on the picture's left, the eye on its right, the tip of the nose, the corner of
        /// the mouth on the left and that on the right.
        Landmarks = "landmarks",
    }
}

impl FaceMark {
    /// Numbers that a picture has of it.
    pub const fn numbers(self) -> usize {
        match self {
            FaceMark::Box => 4,
            FaceMark::Landmarks => 10,
        }
    }

    /// The role in which stages consume it, as a column: image → numbers, separated by blanks.
    pub const fn role(self) -> &'static str {
        match self {
            FaceMark::Box => role::BOXES,
            FaceMark::Landmarks => role::LANDMARKS,
        }
    }
}

vocabulary! {
    /// What is beside a picture that is no square, and outside it.
    pub enum Padding {
        /// The picture mirrored at its edge.
        Reflect = "reflect",
        /// Black.
        Zero = "zero",
        /// The outermost pixels.
        Edge = "edge",
    }
}

vocabulary! {
    /// How numbers of 0 … 255 become those that a network was trained with.
    pub enum PixelScale {
        /// As torchvision's models: less ImageNet's mean, over its deviation, by colour.
        Imagenet = "imagenet",
        /// As InsightFace's models: from −1 to 1, (x − 127.5) / 127.5.
        Symmetric = "symmetric",
        /// As Cao et al.'s models of VGGFace2: less the mean of the faces by colour; its own order of channels is blue, green, red.
        Vggface2 = "vggface2",
        /// From 0 to 1: x / 255.
        Unit = "unit",
        /// As facenet-pytorch's models: (x − 127.5) / 128.
        Facenet = "facenet",
        /// As they are.
        Raw = "raw",
    }
}

impl PixelScale {
    /// The order of channels of the networks that the scale is named after.
    pub const fn own_channels(self) -> Channels {
        match self {
            PixelScale::Vggface2 => Channels::Bgr,
            PixelScale::Imagenet | PixelScale::Symmetric | PixelScale::Unit | PixelScale::Facenet | PixelScale::Raw => {
                Channels::Rgb
            }
        }
    }
}

vocabulary! {
    /// In which order a network is given the channels of a picture.
    pub enum Channels {
        /// Red, green, blue.
        Rgb = "rgb",
        /// Blue, green, red: as pictures come from OpenCV.
        Bgr = "bgr",
    }
}

vocabulary! {
    /// What becomes of the note of a camera how a picture is to be turned.
    #[derive(Default)]
    pub enum Exif {
        /// The picture is turned upright.
        #[default]
        Apply = "apply",
        /// It is taken as it lies in its file.
        Ignore = "ignore",
    }
}

impl Exif {
    fn is_applied(&self) -> bool {
        *self == Exif::Apply
    }
}

/// How a picture becomes the square that a network is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Which part of the picture is taken.
    pub crop: Crop,
    /// Pixels a side of the square that a network is given.
    pub size: usize,
    /// What fills what the picture leaves of the square.
    pub pad: Padding,
    /// What values become.
    pub scale: PixelScale,
    /// Whether pictures are turned as their cameras noted. Boxes and landmarks are of the picture as it is after that.
    #[serde(default, skip_serializing_if = "Exif::is_applied")]
    pub exif: Exif,
    /// Of the crop `face`: the side of the square over the longer side of the box.
    #[serde(default = "usual_margin", skip_serializing_if = "is_usual_margin")]
    pub margin: f64,
    /// The order of channels, where it is another than that of the scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
}

vocabulary! {
    /// The fields of a preparation, as a study file calls them.
    pub enum PreparationField {
        /// [`Preparation::crop`].
        Crop = "crop",
        /// [`Preparation::size`].
        Size = "size",
        /// [`Preparation::pad`].
        Pad = "pad",
        /// [`Preparation::scale`].
        Scale = "scale",
        /// [`Preparation::channels`].
        Channels = "channels",
        /// [`Preparation::exif`].
        Exif = "exif",
        /// [`Preparation::margin`].
        Margin = "margin",
    }
}

impl PreparationField {
    /// The fields that a network's training decides, in the order in which they are told.
    pub const TRAINED: [PreparationField; 4] =
        [PreparationField::Crop, PreparationField::Size, PreparationField::Scale, PreparationField::Channels];
}

/// What a study file writes of a preparation; the rest is filled in. A field that is not written is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of `Preparation`")]
pub struct WrittenPreparation {
    pub crop: Option<Crop>,
    pub size: Option<usize>,
    pub pad: Option<Padding>,
    pub scale: Option<PixelScale>,
    pub channels: Option<Channels>,
    pub exif: Option<Exif>,
    pub margin: Option<f64>,
}

impl WrittenPreparation {
    /// The fields that are written.
    pub fn fields(&self) -> BTreeSet<PreparationField> {
        let WrittenPreparation { crop, size, pad, scale, channels, exif, margin } = self;
        let written = [
            (crop.is_some(), PreparationField::Crop),
            (size.is_some(), PreparationField::Size),
            (pad.is_some(), PreparationField::Pad),
            (scale.is_some(), PreparationField::Scale),
            (channels.is_some(), PreparationField::Channels),
            (exif.is_some(), PreparationField::Exif),
            (margin.is_some(), PreparationField::Margin),
        ];
        written.into_iter().filter(|(is_written, _)| *is_written).map(|(_, field)| field).collect()
    }

    /// The preparation, with what is not written from another. Channels that neither says are in the order of the scale.
    pub fn filled(&self, rest: &Preparation) -> Preparation {
        let scale = self.scale.unwrap_or(rest.scale);
        Preparation {
            crop: self.crop.unwrap_or(rest.crop),
            size: self.size.unwrap_or(rest.size),
            pad: self.pad.unwrap_or(rest.pad),
            scale,
            exif: self.exif.unwrap_or(rest.exif),
            margin: self.margin.unwrap_or(rest.margin),
            // The order that the scale has anyway is not said again: two preparations that do the same have one key.
            channels: self.channels.or(rest.channels).filter(|of| *of != scale.own_channels()),
        }
    }
}

/// Where a preparation of a study comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreparationOrigin {
    /// What the study file calls it; `None` where it is that of models for which the file names none.
    pub name: Option<String>,
    /// What the study file writes of it.
    pub written: BTreeSet<PreparationField>,
}

/// As the faces of VGGFace2 were cut (Cao et al., FG 2018).
pub const USUAL_MARGIN: f64 = 1.3;

fn usual_margin() -> f64 {
    USUAL_MARGIN
}

fn is_usual_margin(margin: &f64) -> bool {
    *margin == USUAL_MARGIN
}

impl Preparation {
    /// The whole picture or a part of it, at a size; all else as usual: mirrored at the edge, ImageNet's scale.
    pub fn of(crop: Crop, size: usize) -> Self {
        Preparation {
            crop,
            size,
            pad: Padding::Reflect,
            scale: PixelScale::Imagenet,
            exif: Exif::Apply,
            margin: USUAL_MARGIN,
            channels: None,
        }
    }

    /// A field's value, in words.
    pub fn value(&self, field: PreparationField) -> String {
        match field {
            PreparationField::Crop => FieldOfView::of(self).to_string(),
            PreparationField::Size => self.size.to_string(),
            PreparationField::Scale => self.scale.to_string(),
            PreparationField::Channels => self.channels().to_string(),
            PreparationField::Pad => self.pad.to_string(),
            PreparationField::Exif => self.exif.to_string(),
            PreparationField::Margin => self.margin.to_string(),
        }
    }

    /// These fields with their values: `crop aligned, size 112`.
    pub fn phrase(&self, fields: impl IntoIterator<Item = PreparationField>) -> String {
        fields.into_iter().map(|field| format!("{field} {}", self.value(field))).collect::<Vec<_>>().join(", ")
    }

    /// The order in which a network is given the channels.
    pub fn channels(&self) -> Channels {
        self.channels.unwrap_or(self.scale.own_channels())
    }

    /// What of it enters a key: EXIF where it is not applied, the margin where it is not the usual one, channels where their order is
    /// not that of the scale.
    pub fn canonical(&self) -> Value {
        let Preparation { crop, size, pad, scale, exif, margin, channels } = self;
        Value::map()
            .with("crop", Value::text(crop.word()))
            .with("size", Value::count(*size))
            .with("pad", Value::text(pad.word()))
            .with("scale", Value::text(scale.word()))
            .unless("exif", Value::text(exif.word()), &Value::text(Exif::Apply.word()))
            .unless("margin", Value::Float(*margin), &Value::Float(USUAL_MARGIN))
            .optional("channels", channels.map(|channels| Value::text(channels.word())))
            .done()
    }
}
