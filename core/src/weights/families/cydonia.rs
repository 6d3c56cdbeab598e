//! ResNet-50 and SENet-50 of VGGFace2 (Cao et al., FG 2018), as `cydonia999/VGGFace2-pytorch` has them. They were trained in Caffe and
//! compute as it does. ResNet-50 has the tensors of torchvision's: no file tells the two apart once its head is gone.
//!
//! The embedding is the mean over the whole last map. That is what the program computes for its 224 × 224 pixels; pictures of other sizes,
//! which it refuses, are taken here.

use super::{
    FOUR_STAGES, Input, NetworkFamily, NetworkSpec, mean,
    residual::{self, BlockPlace, Dialect},
};
use crate::{
    domain::study::{Channels, Crop, PixelScale},
    weights::operation::{Convolution, Operation},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "cydonia",
    networks: &[
        NetworkSpec { word: "resnet50", trunk: |width| residual::bottleneck([3, 4, 6, 3], width, Dialect::Caffe, |_, _| None) },
        NetworkSpec {
            word: "senet50",
            trunk: |width| {
                residual::bottleneck([3, 4, 6, 3], width, Dialect::Caffe, |at, channels| Some(excitation(at, channels)))
            },
        },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 224, channels: Channels::Bgr, scale: PixelScale::Vggface2, crop: Crop::Face },
    trained_here: false,
    ending: mean,
};

/// A sixteenth of the channels between the two convolutions.
fn excitation(at: &BlockPlace, channels: usize) -> Operation {
    let few = channels / 16;
    Operation::Excitation {
        reduce: Convolution::new(at.name("conv4"), channels, few, 1, 1).with_bias(),
        expand: Convolution::new(at.name("conv5"), few, channels, 1, 1).with_bias(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// All entries of a state_dict, and its parameters, less the head: 8631 classes, each with a weight a column and a bias.
    #[test]
    fn networks_are_as_large_as_cydonias() {
        assert_eq!(size("resnet50", "cydonia"), (320 - 2, 41_192_951 - 8631 * 2049));
        assert_eq!(size("senet50", "cydonia"), (384 - 2, 43_723_943 - 8631 * 2049));
    }

    #[test]
    fn resnet50_has_the_tensors_of_torchvisions() {
        let tensors = |family: &str| {
            let architecture = crate::domain::model::Architecture { word: "resnet50".into(), width: 1.0 };
            super::super::describe(&architecture, &crate::domain::model::WeightFamily::of(family)).unwrap().tensors()
        };
        assert_eq!(tensors("cydonia"), tensors("torchvision"));
    }
}
