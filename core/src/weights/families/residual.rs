//! What residual networks of four stages share: ResNet (He, Zhang, Ren and Sun, CVPR 2016), torchvision's names.

use super::{EPSILON, FOUR_STAGES, Trunk, narrowed};
use crate::weights::operation::{Operation, convolution, normalisation};

/// Channels of the four stages at width 1.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];

/// Channels of the maps that the stem gives to the first stage.
pub(super) fn first_channels(width: f64) -> usize {
    narrowed(CHANNELS[0], width)
}

/// A block and where it is.
pub(super) struct BlockPlace {
    /// What the names of its tensors begin with: `layer1.0`.
    pub(super) name: String,
    /// Channels of the maps that come to it.
    pub(super) inputs: usize,
    /// Channels of its stage.
    pub(super) channels: usize,
    /// 2 where the map is halved.
    pub(super) stride: usize,
}

impl BlockPlace {
    /// The name of one of its tensors.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }
}

/// What the names of a block's tensors begin with in most families. Stages and blocks are counted from 0.
pub(super) fn block_name(stage: usize, block: usize) -> String {
    format!("layer{}.{block}", stage + 1)
}

/// Four stages of blocks. `depths`: blocks of each stage; `name`: of a block, by its stage and its place there, counted from 0;
/// `outputs`: channels behind a block of a stage; a layer ends every stage. Stages from `halved_from` (counted from 0) begin with a block
/// that halves the map.
pub(super) fn stages(
    depths: [usize; 4],
    width: f64,
    halved_from: usize,
    name: impl Fn(usize, usize) -> String,
    outputs: impl Fn(usize) -> usize,
    block: impl Fn(&BlockPlace) -> Vec<Operation>,
) -> Trunk {
    let mut operations = Vec::new();
    let mut inputs = first_channels(width);
    for stage in 0..4 {
        let channels = narrowed(CHANNELS[stage], width);
        for number in 0..depths[stage] {
            let stride = if number == 0 && stage >= halved_from { 2 } else { 1 };
            operations.extend(block(&BlockPlace { name: name(stage, number), inputs, channels, stride }));
            inputs = outputs(channels);
        }
        operations.push(Operation::Layer(FOUR_STAGES[stage]));
    }
    Trunk { operations, channels: inputs }
}

/// ResNet-18 and -34: blocks of two convolutions. `excitation`: what follows the second one for that many channels.
pub(super) fn basic(depths: [usize; 4], width: f64, excitation: impl Fn(&BlockPlace, usize) -> Option<Operation>) -> Trunk {
    let block = |at: &BlockPlace| {
        let &BlockPlace { inputs, channels, stride, .. } = at;
        let mut body = vec![
            convolution(at.name("conv1"), inputs, channels, 3, stride),
            normalisation(at.name("bn1"), channels, EPSILON),
            Operation::Relu,
            convolution(at.name("conv2"), channels, channels, 3, 1),
            normalisation(at.name("bn2"), channels, EPSILON),
        ];
        body.extend(excitation(at, channels));
        vec![Operation::Residual { body, shortcut: shortcut(at, channels, EPSILON) }, Operation::Relu]
    };
    stemmed(width, Dialect::Torch, stages(depths, width, 1, block_name, |channels| channels, block))
}

/// Where programs differ in the arithmetic of one ResNet. Tensors have the same names and shapes in both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// torchvision's: a bottleneck's stride is in its convolution of 3 × 3 places; the stem's pool has a place added at each edge.
    Torch,
    /// The one of networks that were trained in Caffe: a bottleneck's stride is in its first convolution; the stem's pool adds nothing, and
    /// its last windows are partly beyond the edge.
    Caffe,
}

/// ResNet-50 and -101: blocks of three convolutions, the one of 3 × 3 places between two of one place. `excitation`: what follows the
/// third one for that many channels.
pub(super) fn bottleneck(
    depths: [usize; 4],
    width: f64,
    dialect: Dialect,
    excitation: impl Fn(&BlockPlace, usize) -> Option<Operation>,
) -> Trunk {
    let outputs = |channels| 4 * channels;
    let block = |at: &BlockPlace| {
        let &BlockPlace { inputs, channels, stride, .. } = at;
        let (first, middle) = match dialect {
            Dialect::Torch => (1, stride),
            Dialect::Caffe => (stride, 1),
        };
        let mut body = vec![
            convolution(at.name("conv1"), inputs, channels, 1, first),
            normalisation(at.name("bn1"), channels, EPSILON),
            Operation::Relu,
            convolution(at.name("conv2"), channels, channels, 3, middle),
            normalisation(at.name("bn2"), channels, EPSILON),
            Operation::Relu,
            convolution(at.name("conv3"), channels, outputs(channels), 1, 1),
            normalisation(at.name("bn3"), outputs(channels), EPSILON),
        ];
        body.extend(excitation(at, outputs(channels)));
        vec![Operation::Residual { body, shortcut: shortcut(at, outputs(channels), EPSILON) }, Operation::Relu]
    };
    stemmed(width, dialect, stages(depths, width, 1, block_name, outputs, block))
}

/// The shortcut of a block whose maps change: a convolution of one place, and a normalisation.
pub(super) fn shortcut(at: &BlockPlace, outputs: usize, epsilon: f64) -> Vec<Operation> {
    if at.stride == 1 && at.inputs == outputs {
        return vec![];
    }
    vec![
        convolution(at.name("downsample.0"), at.inputs, outputs, 1, at.stride),
        normalisation(at.name("downsample.1"), outputs, epsilon),
    ]
}

/// The trunk behind ResNet's stem, which quarters the picture.
fn stemmed(width: f64, dialect: Dialect, Trunk { operations, channels }: Trunk) -> Trunk {
    let first = first_channels(width);
    let caffe = dialect == Dialect::Caffe;
    let mut all = vec![
        convolution("conv1", 3, first, 7, 2),
        normalisation("bn1", first, EPSILON),
        Operation::Relu,
        Operation::MaxPool { size: 3, stride: 2, padding: usize::from(!caffe), partial: caffe },
    ];
    all.extend(operations);
    Trunk { operations: all, channels }
}
