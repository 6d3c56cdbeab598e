//! torchvision's ResNets: He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (CVPR 2016).

use super::{
    FOUR_STAGES, Input, NetworkFamily, NetworkSpec, mean,
    residual::{self, Dialect},
};
use crate::domain::study::{Channels, Crop, PixelScale};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "torchvision",
    networks: &[
        NetworkSpec { word: "resnet18", trunk: |width| residual::basic([2, 2, 2, 2], width, |_, _| None) },
        NetworkSpec { word: "resnet34", trunk: |width| residual::basic([3, 4, 6, 3], width, |_, _| None) },
        NetworkSpec { word: "resnet50", trunk: |width| residual::bottleneck([3, 4, 6, 3], width, Dialect::Torch, |_, _| None) },
        NetworkSpec { word: "resnet101", trunk: |width| residual::bottleneck([3, 4, 23, 3], width, Dialect::Torch, |_, _| None) },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 224, channels: Channels::Rgb, scale: PixelScale::Imagenet, crop: Crop::Centre },
    trained_here: true,
    ending: mean,
};

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// torchvision 0.26, less the head: 1000 classes, each with a weight a column and a bias.
    #[test]
    fn networks_are_as_large_as_torchvisions() {
        assert_eq!(size("resnet18", "torchvision"), (122 - 2, 11_689_512 - 513_000));
        assert_eq!(size("resnet34", "torchvision"), (218 - 2, 21_797_672 - 513_000));
        assert_eq!(size("resnet50", "torchvision"), (320 - 2, 25_557_032 - 2_049_000));
        assert_eq!(size("resnet101", "torchvision"), (626 - 2, 44_549_160 - 2_049_000));
    }
}
