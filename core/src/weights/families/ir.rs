//! What the IR and IR-SE networks share, under the names of TreB1eN's `InsightFace_Pytorch`: ArcFace's residual networks (Deng et al.,
//! CVPR 2019), their blocks numbered through. They take pictures of 112 × 112 pixels. Programs differ in what is between a block's
//! convolutions and behind the last normalisation.

use super::{
    EPSILON, Trunk,
    iresnet::LAST_SIDE,
    narrowed,
    residual::{self, BlockPlace},
};
use crate::{
    domain::model::EMBEDDING,
    weights::operation::{Convolution, Normalisation, Operation, convolution, normalisation, prelu},
};

/// Blocks of the stages of IR-50.
pub(super) const IR50: [usize; 4] = [3, 4, 14, 3];

/// The stem keeps the size of the picture; all four stages halve it. `body`: what a block adds to its shortcut. A layer is the sum that ends
/// a stage, without an activation.
pub(super) fn trunk(depths: [usize; 4], width: f64, body: impl Fn(&BlockPlace) -> Vec<Operation>) -> Trunk {
    let first = residual::first_channels(width);
    let mut operations = vec![
        convolution("input_layer.0", 3, first, 3, 1),
        normalisation("input_layer.1", first, EPSILON),
        prelu("input_layer.2", first),
    ];
    let name = |stage: usize, block: usize| format!("body.{}", depths[..stage].iter().sum::<usize>() + block);
    let block = |at: &BlockPlace| vec![Operation::Residual { body: body(at), shortcut: shortcut(at) }];
    let stages = residual::stages(depths, width, 0, name, |channels| channels, block);
    operations.extend(stages.operations);
    Trunk { operations, channels: stages.channels }
}

/// Where only the size of the map changes, the shortcut takes every second place, and has no tensors.
fn shortcut(at: &BlockPlace) -> Vec<Operation> {
    let &BlockPlace { inputs, channels, stride, .. } = at;
    if inputs != channels {
        return vec![
            convolution(at.name("shortcut_layer.0"), inputs, channels, 1, stride),
            normalisation(at.name("shortcut_layer.1"), channels, EPSILON),
        ];
    }
    if stride == 1 { vec![] } else { vec![Operation::MaxPool { size: 1, stride, padding: 0, partial: false }] }
}

/// Squeeze and excitation without biases, a sixteenth of the channels between.
pub(super) fn excitation(at: &BlockPlace, name: &str) -> Operation {
    let (channels, few) = (at.channels, (at.channels / 16).max(1));
    Operation::Excitation {
        reduce: Convolution::new(at.name(&format!("{name}.fc1")), channels, few, 1, 1),
        expand: Convolution::new(at.name(&format!("{name}.fc2")), few, channels, 1, 1),
    }
}

/// What the last normalisation of a family is, and whether the embedding has a length of its own.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    /// Whether columns are scaled and shifted behind the last normalisation.
    pub(super) affine: bool,
    /// Whether the embedding is brought to length 1.
    pub(super) unit: bool,
}

pub(super) fn ending(channels: usize, width: f64, Ending { affine, unit }: Ending) -> Vec<Operation> {
    let (inputs, outputs) = (channels * LAST_SIDE * LAST_SIDE, narrowed(512, width));
    let last = Normalisation { name: "output_layer.4".into(), channels: outputs, epsilon: EPSILON, affine };
    let mut operations = vec![
        normalisation("output_layer.0", channels, EPSILON),
        Operation::Flatten,
        Operation::Linear { name: "output_layer.3".into(), inputs, outputs, bias: true },
        Operation::Normalisation(last),
    ];
    operations.extend(unit.then_some(Operation::UnitVector));
    operations.push(Operation::Layer(EMBEDDING));
    operations
}
