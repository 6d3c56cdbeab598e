//! Improved residual networks (Duta et al., ICPR 2020) with the embedding of ArcFace (Deng et al., CVPR 2019), under the names of
//! InsightFace's `arcface_torch`. They take pictures of 112 × 112 pixels. Programs differ in the epsilon of their normalisations.

use super::{
    Trunk, narrowed,
    residual::{self, BlockPlace},
};
use crate::{
    domain::model::EMBEDDING,
    weights::operation::{Operation, convolution, normalisation, prelu},
};

/// Height and width of the last map, for pictures of 112 × 112 pixels.
pub(super) const LAST_SIDE: usize = 7;

/// The stem keeps the size of the picture; all four stages halve it. A layer is the sum that ends a stage, without an activation.
pub(super) fn trunk(depths: [usize; 4], width: f64, epsilon: f64) -> Trunk {
    let first = residual::first_channels(width);
    let mut operations = vec![convolution("conv1", 3, first, 3, 1), normalisation("bn1", first, epsilon), prelu("prelu", first)];
    let stages = residual::stages(depths, width, 0, residual::block_name, |channels| channels, |at| block(at, epsilon));
    operations.extend(stages.operations);
    Trunk { operations, channels: stages.channels }
}

/// A normalisation before the first convolution, the stride in the second one, and nothing behind the sum.
fn block(at: &BlockPlace, epsilon: f64) -> Vec<Operation> {
    let &BlockPlace { inputs, channels, stride, .. } = at;
    let body = vec![
        normalisation(at.name("bn1"), inputs, epsilon),
        convolution(at.name("conv1"), inputs, channels, 3, 1),
        normalisation(at.name("bn2"), channels, epsilon),
        prelu(at.name("prelu"), channels),
        convolution(at.name("conv2"), channels, channels, 3, stride),
        normalisation(at.name("bn3"), channels, epsilon),
    ];
    vec![Operation::Residual { body, shortcut: residual::shortcut(at, channels, epsilon) }]
}

/// The embedding is what the last normalisation gives: its length is kept.
pub(super) fn ending(channels: usize, width: f64, epsilon: f64) -> Vec<Operation> {
    let (inputs, outputs) = (channels * LAST_SIDE * LAST_SIDE, narrowed(512, width));
    vec![
        normalisation("bn2", channels, epsilon),
        Operation::Flatten,
        Operation::Linear { name: "fc".into(), inputs, outputs, bias: true },
        normalisation("features", outputs, epsilon),
        Operation::Layer(EMBEDDING),
    ]
}
