//! What a study says of its networks: how they compute, what they are given, how they are trained.

use crate::domain::{canonical::Value, model::parameters, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

vocabulary! {
    /// A kind of device; a job runs on one kind only, for its numbers may depend on it.
    pub enum DeviceClass {
        /// Processors.
        Cpu = "cpu",
        /// Cards.
        Cuda = "cuda",
        /// Networks that only pretend to learn, for trying everything around them.
        Pretend = "pretend",
    }
}

vocabulary! {
    /// What networks calculate in; weights are kept in single precision.
    pub enum Precision {
        /// 32-bit floating point.
        Single = "f32",
        /// bfloat16: eight bits of exponent, seven of fraction.
        Brain = "bf16",
    }
}

/// What libtorch's bits depend on; torch-free stages have the same bits everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerics {
    /// What networks run on.
    pub device: DeviceClass,
    /// In what numbers they compute.
    pub precision: Precision,
    /// Threads of libtorch on the processor; `None` where the study does not fix them.
    pub threads: Option<usize>,
}

impl Numerics {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device.word()))
            .with("precision", Value::text(precision.word()))
            .optional("threads", threads.map(Value::count))
            .done()
    }
}

vocabulary! {
    /// Which part of a picture is looked at.
    pub enum Crop {
        /// All of it.
        Whole = "whole",
        /// A box around the face.
        Face = "face",
        /// The largest square in the middle.
        Centre = "centre",
        /// The face with its landmarks at fixed places.
        Aligned = "aligned",
    }
}

impl Crop {
    /// Is nothing needed but the picture: neither boxes nor landmarks?
    pub const fn is_of_picture_alone(self) -> bool {
        match self {
            Crop::Whole | Crop::Centre => true,
            Crop::Face | Crop::Aligned => false,
        }
    }
}

vocabulary! {
    /// What is beside a picture that is no square.
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
        /// As torchvision's models: less ImageNet's mean, over its deviation, by channel.
        Imagenet = "imagenet",
        /// As InsightFace's models: from −1 to 1.
        Symmetric = "symmetric",
        /// As Cao et al.'s models of VGGFace2: blue first, less the means of the faces.
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
    /// Whether pictures are turned as their cameras noted.
    #[serde(default, skip_serializing_if = "Exif::is_applied")]
    pub exif: Exif,
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

impl Preparation {
    /// The order in which the network is given the channels.
    pub const fn channels(&self) -> Channels {
        self.scale.own_channels()
    }

    /// What of it enters a key; EXIF where it is not applied.
    pub fn canonical(&self) -> Value {
        let Preparation { crop, size, pad, scale, exif } = self;
        Value::map()
            .with("crop", Value::text(crop.word()))
            .with("size", Value::count(*size))
            .with("pad", Value::text(pad.word()))
            .with("scale", Value::text(scale.word()))
            .unless("exif", Value::text(exif.word()), &Value::text(Exif::Apply.word()))
            .done()
    }
}

vocabulary! {
    /// How weights follow gradients.
    pub enum Optimizer {
        /// Stochastic gradient descent with momentum and weight decay.
        Sgd = "sgd",
        /// Loshchilov and Hutter (ICLR 2019).
        AdamW = "adamw",
    }
}

vocabulary! {
    /// How the rate falls over the steps of a training.
    pub enum Schedule {
        /// Half a cosine wave, down to zero.
        Cosine = "cosine",
        /// In a straight line, down to zero.
        Linear = "linear",
        /// To a tenth at half the way, to a hundredth at three quarters.
        Step = "step",
        /// It does not fall.
        Constant = "constant",
    }
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: usize,
    /// Pictures a step.
    pub batch: usize,
    /// The optimizer's numbers, by name.
    pub optimizer: BTreeMap<String, f64>,
    /// Which optimizer.
    pub optimizer_word: Optimizer,
    /// How the learning rate goes on.
    pub schedule: Schedule,
}

impl Recipe {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Recipe { epochs, batch, optimizer, optimizer_word, schedule } = self;
        Value::map()
            .with("epochs", Value::count(*epochs))
            .with("batch", Value::count(*batch))
            .with("optimizer", Value::text(optimizer_word.word()))
            .with("parameters", parameters(optimizer))
            .with("schedule", Value::text(schedule.word()))
            .done()
    }
}
