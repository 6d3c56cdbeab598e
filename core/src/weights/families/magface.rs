//! MagFace's networks: Meng, Zhao, Huang and Zhou, "MagFace: A universal representation for face recognition and quality assessment" (CVPR
//! 2021). They are arcface_torch's, with the same tensors; another epsilon and other pictures are expected. The length of the embedding says
//! how good a picture is, so it is kept.

use super::{FOUR_STAGES, Input, NetworkFamily, NetworkSpec, iresnet};
use crate::domain::study::{Channels, Crop, PixelScale};

/// Is added to variances.
const EPSILON: f64 = 2e-5;

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "magface",
    networks: &[
        NetworkSpec { word: "iresnet18", trunk: |width| iresnet::trunk([2, 2, 2, 2], width, EPSILON) },
        NetworkSpec { word: "iresnet50", trunk: |width| iresnet::trunk([3, 4, 14, 3], width, EPSILON) },
        NetworkSpec { word: "iresnet100", trunk: |width| iresnet::trunk([3, 13, 30, 3], width, EPSILON) },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 112, channels: Channels::Bgr, scale: PixelScale::Unit, crop: Crop::Aligned },
    trained_here: false,
    ending: |channels, width| iresnet::ending(channels, width, EPSILON),
};

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    #[test]
    fn networks_have_the_tensors_of_arcface_torchs() {
        for word in ["iresnet18", "iresnet50", "iresnet100"] {
            assert_eq!(size(word, "magface"), size(word, "arcface_torch"));
        }
    }
}
