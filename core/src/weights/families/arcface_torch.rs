//! The networks of InsightFace's `arcface_torch`: improved residual networks (Duta et al., ICPR 2020) with the embedding of ArcFace (Deng
//! et al., CVPR 2019). They take pictures of 112 × 112 pixels.

use super::{
    EPSILON, FOUR_STAGES, NetworkFamily, NetworkSpec, Trunk, narrowed,
    residual::{self, BlockPlace},
};
use crate::{
    domain::model::EMBEDDING,
    weights::operation::{Operation, convolution, normalisation},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "arcface_torch",
    networks: &[
        NetworkSpec { word: "iresnet18", trunk: |width| trunk([2, 2, 2, 2], width) },
        NetworkSpec { word: "iresnet34", trunk: |width| trunk([3, 4, 6, 3], width) },
        NetworkSpec { word: "iresnet50", trunk: |width| trunk([3, 4, 14, 3], width) },
        NetworkSpec { word: "iresnet100", trunk: |width| trunk([3, 13, 30, 3], width) },
    ],
    layers: &FOUR_STAGES,
    trained_here: false,
    ending,
};

/// Height and width of the last map.
const LAST_SIDE: usize = 7;

/// The stem keeps the size of the picture; all four stages halve it.
fn trunk(depths: [usize; 4], width: f64) -> Trunk {
    let first = residual::first_channels(width);
    let mut operations = vec![convolution("conv1", 3, first, 3, 1), normalisation("bn1", first, EPSILON), prelu("prelu", first)];
    let stages = residual::stages(depths, width, 0, |channels| channels, block);
    operations.extend(stages.operations);
    Trunk { operations, channels: stages.channels }
}

/// A normalisation before the first convolution, the stride in the second one, and nothing behind the sum.
fn block(at: &BlockPlace) -> Vec<Operation> {
    let &BlockPlace { inputs, channels, stride, .. } = at;
    let body = vec![
        normalisation(at.name("bn1"), inputs, EPSILON),
        convolution(at.name("conv1"), inputs, channels, 3, 1),
        normalisation(at.name("bn2"), channels, EPSILON),
        prelu(at.name("prelu"), channels),
        convolution(at.name("conv2"), channels, channels, 3, stride),
        normalisation(at.name("bn3"), channels, EPSILON),
    ];
    vec![Operation::Residual { body, shortcut: residual::shortcut(at, channels) }]
}

fn ending(channels: usize, width: f64) -> Vec<Operation> {
    let (inputs, outputs) = (channels * LAST_SIDE * LAST_SIDE, narrowed(512, width));
    vec![
        normalisation("bn2", channels, EPSILON),
        Operation::Flatten,
        Operation::Linear { name: "fc".into(), inputs, outputs, bias: true },
        normalisation("features", outputs, EPSILON),
        Operation::Layer(EMBEDDING),
    ]
}

fn prelu(name: impl Into<String>, channels: usize) -> Operation {
    Operation::Prelu { name: name.into(), channels }
}

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
