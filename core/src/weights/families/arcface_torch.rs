//! The networks of InsightFace's `arcface_torch`.

use super::{EPSILON, FOUR_STAGES, Input, NetworkFamily, NetworkSpec, iresnet};
use crate::domain::study::{Channels, Crop, PixelScale};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "arcface_torch",
    networks: &[
        NetworkSpec { word: "iresnet18", trunk: |width| iresnet::trunk([2, 2, 2, 2], width, EPSILON) },
        NetworkSpec { word: "iresnet34", trunk: |width| iresnet::trunk([3, 4, 6, 3], width, EPSILON) },
        NetworkSpec { word: "iresnet50", trunk: |width| iresnet::trunk([3, 4, 14, 3], width, EPSILON) },
        NetworkSpec { word: "iresnet100", trunk: |width| iresnet::trunk([3, 13, 30, 3], width, EPSILON) },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 112, channels: Channels::Rgb, scale: PixelScale::Symmetric, crop: Crop::Aligned },
    trained_here: false,
    ending: |channels, width| iresnet::ending(channels, width, EPSILON),
};

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// All entries of a state_dict of `arcface_torch`, and its parameters; the scale of `features`, which is kept at 1 there, among them.
    #[test]
    fn networks_are_as_large_as_arcface_torchs() {
        assert_eq!(size("iresnet18", "arcface_torch"), (187, 24_025_600));
        assert_eq!(size("iresnet34", "arcface_torch"), (331, 34_139_328));
        assert_eq!(size("iresnet50", "arcface_torch"), (475, 43_590_848));
        assert_eq!(size("iresnet100", "arcface_torch"), (925, 65_156_160));
    }
}
