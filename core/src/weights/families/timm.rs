//! timm's ResNets with squeeze and excitation: Hu, Shen and Sun, "Squeeze-and-excitation networks" (CVPR 2018).

use super::{
    FOUR_STAGES, Input, NetworkFamily, NetworkSpec, mean,
    residual::{self, Dialect},
};
use crate::{
    domain::study::{Channels, Crop, PixelScale},
    weights::operation::{Convolution, Operation},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "timm",
    networks: &[
        NetworkSpec {
            word: "seresnet34",
            trunk: |width| residual::basic([3, 4, 6, 3], width, |at, channels| Some(excitation(at, channels))),
        },
        NetworkSpec {
            word: "seresnet50",
            trunk: |width| {
                residual::bottleneck([3, 4, 6, 3], width, Dialect::Torch, |at, channels| Some(excitation(at, channels)))
            },
        },
    ],
    layers: &FOUR_STAGES,
    input: Input { size: 224, channels: Channels::Rgb, scale: PixelScale::Imagenet, crop: Crop::Centre },
    trained_here: true,
    ending: mean,
};

fn excitation(at: &residual::BlockPlace, channels: usize) -> Operation {
    let few = squeezed(channels);
    Operation::Excitation {
        reduce: Convolution::new(at.name("se.fc1"), channels, few, 1, 1).with_bias(),
        expand: Convolution::new(at.name("se.fc2"), few, channels, 1, 1).with_bias(),
    }
}

/// Channels between the two convolutions: a sixteenth, in eights, as timm rounds.
fn squeezed(channels: usize) -> usize {
    ((channels as f64 / 16.0 + 4.0) as usize / 8 * 8).max(8)
}

#[cfg(test)]
mod tests {
    use super::{super::tests::size, *};

    /// timm 1.0, less the head.
    #[test]
    fn networks_are_as_large_as_timms() {
        assert_eq!(size("seresnet34", "timm"), (282 - 2, 21_960_416 - 513_000));
        assert_eq!(size("seresnet50", "timm"), (384 - 2, 28_088_024 - 2_049_000));
    }

    #[test]
    fn a_sixteenth_is_rounded_to_eights() {
        assert_eq!([64, 128, 256, 512].map(squeezed), [8, 8, 16, 32]);
    }
}
