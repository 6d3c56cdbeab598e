//! Inception-ResNet-v1 (Szegedy, Ioffe, Vanhoucke and Alemi, AAAI 2017) of `facenet-pytorch`. Its embedding has length 1.

use super::{Input, NetworkFamily, NetworkSpec, Trunk, narrowed};
use crate::{
    domain::{
        model::EMBEDDING,
        study::{Channels, Crop, PixelScale},
    },
    weights::operation::{Convolution, Operation, normalisation},
};

pub(super) const FAMILY: NetworkFamily = NetworkFamily {
    word: "facenet_pytorch",
    networks: &[NetworkSpec { word: "inceptionresnetv1", trunk }],
    layers: &["repeat_1", "mixed_6a", "repeat_2", "mixed_7a", "repeat_3", "block8", EMBEDDING],
    input: Input { size: 160, channels: Channels::Rgb, scale: PixelScale::Facenet, crop: Crop::Face },
    trained_here: false,
    ending,
};

/// Is added to variances: TensorFlow's.
const EPSILON: f64 = 1e-3;

/// The kernel of a convolution, how far it moves, and whether zeros are added so that a map keeps its size at stride 1.
#[derive(Clone, Copy)]
struct Kernel {
    size: [usize; 2],
    stride: usize,
    padded: bool,
}

const ONE: Kernel = Kernel { size: [1, 1], stride: 1, padded: false };
const THREE: Kernel = Kernel { size: [3, 3], stride: 1, padded: true };
const SHRINKING: Kernel = Kernel { size: [3, 3], stride: 1, padded: false };
const HALVING: Kernel = Kernel { size: [3, 3], stride: 2, padded: false };

/// A kernel along a line of a map.
const fn line(height: usize, width: usize) -> Kernel {
    Kernel { size: [height, width], stride: 1, padded: true }
}

/// A row of convolutions, each with its normalisation and activation.
struct Row {
    operations: Vec<Operation>,
    channels: usize,
}

impl Row {
    fn from(channels: usize) -> Self {
        Row { operations: vec![], channels }
    }

    fn then(mut self, name: &str, outputs: usize, Kernel { size, stride, padded }: Kernel) -> Self {
        let padding = size.map(|side| if padded { side / 2 } else { 0 });
        let of =
            Convolution { kernel: size, padding, ..Convolution::new(format!("{name}.conv"), self.channels, outputs, 1, stride) };
        self.operations.push(Operation::Convolution(of));
        self.operations.push(normalisation(format!("{name}.bn"), outputs, EPSILON));
        self.operations.push(Operation::Relu);
        Row { channels: outputs, ..self }
    }

    fn pooled(mut self) -> Self {
        self.operations.push(HALVED);
        self
    }
}

const HALVED: Operation = Operation::MaxPool { size: 3, stride: 2, padding: 0, partial: false };

/// Branches whose maps are put one behind the other.
fn branches(rows: Vec<Row>) -> Row {
    let channels = rows.iter().map(|row| row.channels).sum();
    Row { operations: vec![Operation::Branches(rows.into_iter().map(|row| row.operations).collect())], channels }
}

/// A branch of several convolutions: `name.0`, `name.1`, …
fn branch(name: &str, inputs: usize, convolutions: &[(usize, Kernel)]) -> Row {
    let numbered = convolutions.iter().enumerate();
    numbered.fold(Row::from(inputs), |row, (place, (outputs, kernel))| row.then(&format!("{name}.{place}"), *outputs, *kernel))
}

/// A block: branches, brought to the block's channels by a convolution, times `scale`, are added to its maps.
fn block(name: &str, channels: usize, scale: f64, rows: Vec<Row>) -> Operation {
    let Row { operations: mut body, channels: inner } = branches(rows);
    body.push(Operation::Convolution(Convolution::new(format!("{name}.conv2d"), inner, channels, 1, 1).with_bias()));
    // Times 1 is left out.
    body.extend((scale != 1.0).then_some(Operation::Times(scale)));
    Operation::Residual { body, shortcut: vec![] }
}

/// Inception-ResNet-A.
fn block35(name: &str, channels: usize, w: impl Fn(usize) -> usize) -> Operation {
    let n = |branch: usize| format!("{name}.branch{branch}");
    let rows = vec![
        Row::from(channels).then(&n(0), w(32), ONE),
        branch(&n(1), channels, &[(w(32), ONE), (w(32), THREE)]),
        branch(&n(2), channels, &[(w(32), ONE), (w(32), THREE), (w(32), THREE)]),
    ];
    block(name, channels, 0.17, rows)
}

/// Inception-ResNet-B (a line of 7 places, 128 channels) and -C (3 places, 192 channels).
fn crossed(name: &str, channels: usize, scale: f64, inner: usize, length: usize) -> Operation {
    let rows = vec![
        Row::from(channels).then(&format!("{name}.branch0"), inner, ONE),
        branch(&format!("{name}.branch1"), channels, &[(inner, ONE), (inner, line(1, length)), (inner, line(length, 1))]),
    ];
    block(name, channels, scale, rows)
}

fn trunk(width: f64) -> Trunk {
    let w = |channels: usize| narrowed(channels, width);
    let stem = Row::from(3)
        .then("conv2d_1a", w(32), HALVING)
        .then("conv2d_2a", w(32), SHRINKING)
        .then("conv2d_2b", w(64), THREE)
        .pooled()
        .then("conv2d_3b", w(80), ONE)
        .then("conv2d_4a", w(192), SHRINKING)
        .then("conv2d_4b", w(256), HALVING);
    let Row { mut operations, channels } = stem;
    for number in 0..5 {
        operations.extend([block35(&format!("repeat_1.{number}"), channels, w), Operation::Relu]);
    }
    operations.push(Operation::Layer("repeat_1"));

    let mixed = branches(vec![
        Row::from(channels).then("mixed_6a.branch0", w(384), HALVING),
        branch("mixed_6a.branch1", channels, &[(w(192), ONE), (w(192), THREE), (w(256), HALVING)]),
        Row::from(channels).pooled(),
    ]);
    let channels = mixed.channels;
    operations.extend(mixed.operations);
    operations.push(Operation::Layer("mixed_6a"));
    for number in 0..10 {
        operations.extend([crossed(&format!("repeat_2.{number}"), channels, 0.1, w(128), 7), Operation::Relu]);
    }
    operations.push(Operation::Layer("repeat_2"));

    let mixed = branches(vec![
        branch("mixed_7a.branch0", channels, &[(w(256), ONE), (w(384), HALVING)]),
        branch("mixed_7a.branch1", channels, &[(w(256), ONE), (w(256), HALVING)]),
        branch("mixed_7a.branch2", channels, &[(w(256), ONE), (w(256), THREE), (w(256), HALVING)]),
        Row::from(channels).pooled(),
    ]);
    let channels = mixed.channels;
    operations.extend(mixed.operations);
    operations.push(Operation::Layer("mixed_7a"));
    for number in 0..5 {
        operations.extend([crossed(&format!("repeat_3.{number}"), channels, 0.2, w(192), 3), Operation::Relu]);
    }
    operations.push(Operation::Layer("repeat_3"));
    // The last block has no activation.
    operations.extend([crossed("block8", channels, 1.0, w(192), 3), Operation::Layer("block8")]);
    Trunk { operations, channels }
}

fn ending(channels: usize, width: f64) -> Vec<Operation> {
    let outputs = narrowed(512, width);
    vec![
        Operation::GlobalMean,
        Operation::Linear { name: "last_linear".into(), inputs: channels, outputs, bias: false },
        normalisation("last_bn", outputs, EPSILON),
        Operation::UnitVector,
        Operation::Layer(EMBEDDING),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::size;

    /// All entries of a state_dict, and its parameters; without a head.
    #[test]
    fn the_network_is_as_large_as_facenet_pytorchs() {
        assert_eq!(size("inceptionresnetv1", "facenet_pytorch"), (714, 23_482_624));
    }
}
