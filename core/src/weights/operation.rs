//! What a network computes: a list of operations, in the order of the forward pass, each with the names of its tensors. A family
//! writes the list once. Tensors, layers and shapes are read off it here; `torch/src/network.rs` carries it out.

use super::{
    layout::{Role, TensorEntry},
    shape::{Shape, flow},
};
use crate::domain::{Fault, Result};

/// One step of a forward pass. It takes maps (N × channels × height × width) or vectors (N × columns), as said for each.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Maps → maps.
    Convolution(Convolution),
    /// Batch normalisation (Ioffe and Szegedy, ICML 2015) of maps or vectors, for each channel or column.
    Normalisation(Normalisation),
    /// x where it is above 0, otherwise 0.
    Relu,
    /// x where it is above 0, otherwise x times a slope that is learned for each channel of a map (He et al., ICCV 2015).
    Prelu {
        /// `{name}.weight`: the slopes.
        name: String,
        /// How many.
        channels: usize,
    },
    /// Maps → maps: the maximum of a square window.
    MaxPool {
        /// Height and width of the window, in places of the map.
        size: usize,
        /// How far the window moves.
        stride: usize,
        /// Places added at each edge, which never are the maximum.
        padding: usize,
        /// Whether a last window that is partly beyond the edge counts, as in Caffe.
        partial: bool,
    },
    /// Maps → maps: each channel times a factor in 0–1, computed from the means of all channels: convolution, ReLU, convolution,
    /// sigmoid. Squeeze and excitation (Hu, Shen and Sun, CVPR 2018).
    Excitation {
        /// All channels → few.
        reduce: Convolution,
        /// Few → all channels.
        expand: Convolution,
    },
    /// Maps → maps: what the body makes of them plus what the shortcut makes of them. An empty shortcut leaves them as they are.
    Residual {
        /// From which the result is different.
        body: Vec<Operation>,
        /// By which the maps come to the body's shape.
        shortcut: Vec<Operation>,
    },
    /// Maps → maps: what each branch makes of them, one's channels behind the other's. An empty branch leaves them as they are.
    Branches(Vec<Vec<Operation>>),
    /// Maps → maps: all numbers times this one.
    Times(f64),
    /// Maps → vectors of single precision: the mean of each channel.
    GlobalMean,
    /// Maps → vectors of single precision: all numbers, channel by channel, row by row.
    Flatten,
    /// Vectors → vectors.
    Linear {
        /// `{name}.weight`, outputs × inputs, and `{name}.bias`.
        name: String,
        /// Columns before.
        inputs: usize,
        /// Columns after.
        outputs: usize,
        /// Whether a constant is added to each column.
        bias: bool,
    },
    /// Vectors → vectors: each over its length, √Σx².
    UnitVector,
    /// Features are read here under this name: vectors as they are, maps as the mean of each channel. It changes nothing.
    Layer(&'static str),
}

/// A convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// `{name}.weight`, outputs × inputs × height × width, and `{name}.bias`.
    pub name: String,
    /// Channels before.
    pub inputs: usize,
    /// Channels after.
    pub outputs: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// How far the kernel moves, in places of the map.
    pub stride: usize,
    /// Zeros added above and below, left and right.
    pub padding: [usize; 2],
    /// Whether a constant is added to each channel.
    pub bias: bool,
}

/// A batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// `{name}.running_mean`, `{name}.running_var`, and, if it is affine, `{name}.weight`, `{name}.bias`.
    pub name: String,
    /// Channels or columns.
    pub channels: usize,
    /// Is added to the variance.
    pub epsilon: f64,
    /// Whether channels are scaled and shifted behind it, by numbers that are learned.
    pub affine: bool,
}

impl Convolution {
    /// A square kernel of odd size without bias; zeros are added so that the map keeps its size at stride 1.
    pub(super) fn new(name: impl Into<String>, inputs: usize, outputs: usize, size: usize, stride: usize) -> Self {
        let (kernel, padding) = ([size; 2], [size / 2; 2]);
        Convolution { name: name.into(), inputs, outputs, kernel, stride, padding, bias: false }
    }

    /// The same with a bias.
    pub(super) fn with_bias(self) -> Self {
        Convolution { bias: true, ..self }
    }
}

/// [`Convolution::new`] as an operation.
pub(super) fn convolution(name: impl Into<String>, inputs: usize, outputs: usize, size: usize, stride: usize) -> Operation {
    Operation::Convolution(Convolution::new(name, inputs, outputs, size, stride))
}

/// A normalisation as an operation.
pub(super) fn normalisation(name: impl Into<String>, channels: usize, epsilon: f64) -> Operation {
    Operation::Normalisation(Normalisation { name: name.into(), channels, epsilon, affine: true })
}

/// A PReLU as an operation.
pub(super) fn prelu(name: impl Into<String>, channels: usize) -> Operation {
    Operation::Prelu { name: name.into(), channels }
}

/// A network: all its operations, its head aside.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkDescription {
    /// How messages call it: `resnet34 (torchvision)`.
    pub(super) title: String,
    pub(super) operations: Vec<Operation>,
}

impl NetworkDescription {
    /// In the order of the forward pass.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Every tensor, in the order of the forward pass; a block's shortcut comes after its body. First weights are drawn by the place in
    /// this order: another order is other networks.
    pub fn tensors(&self) -> Vec<TensorEntry> {
        let mut tensors = Vec::new();
        tensors_of(&self.operations, &mut |name, shape, role| tensors.push(TensorEntry { name, shape, role }));
        tensors
    }

    /// Names of the layers, in order of depth.
    pub fn layers(&self) -> Vec<&'static str> {
        let name = |operation: &Operation| if let Operation::Layer(name) = operation { Some(*name) } else { None };
        self.operations.iter().filter_map(name).collect()
    }

    /// The layers with the number of columns that each gives for pictures of `side` × `side` pixels in three channels.
    ///
    /// # Errors
    /// Pictures of a size that the network cannot take.
    pub fn columns(&self, side: usize) -> Result<Vec<(&'static str, usize)>> {
        let mut layers = Vec::new();
        flow(&self.operations, Shape::Map { channels: 3, height: side, width: side }, &mut layers).map_err(|why| {
            Fault::asked(format!("{} takes no pictures of {side} × {side} pixels: {why}", self.title))
                .next("give it a preparation of another `size`")
        })?;
        Ok(layers)
    }
}

type Add<'a> = dyn FnMut(String, Vec<usize>, Role) + 'a;

fn tensors_of(operations: &[Operation], add: &mut Add) {
    for operation in operations {
        match operation {
            Operation::Convolution(of) => tensors_of_convolution(of, add),
            Operation::Normalisation(Normalisation { name, channels, affine, .. }) => {
                if *affine {
                    add(format!("{name}.weight"), vec![*channels], Role::Scale);
                    add(format!("{name}.bias"), vec![*channels], Role::Shift);
                }
                add(format!("{name}.running_mean"), vec![*channels], Role::RunningMean);
                add(format!("{name}.running_var"), vec![*channels], Role::RunningVariance);
            }
            Operation::Prelu { name, channels } => add(format!("{name}.weight"), vec![*channels], Role::Slope),
            Operation::Excitation { reduce, expand } => {
                tensors_of_convolution(reduce, add);
                tensors_of_convolution(expand, add);
            }
            Operation::Residual { body, shortcut } => {
                tensors_of(body, add);
                tensors_of(shortcut, add);
            }
            Operation::Branches(branches) => {
                for branch in branches {
                    tensors_of(branch, add);
                }
            }
            Operation::Linear { name, inputs, outputs, bias } => {
                add(format!("{name}.weight"), vec![*outputs, *inputs], Role::Linear);
                if *bias {
                    add(format!("{name}.bias"), vec![*outputs], Role::Bias);
                }
            }
            Operation::Relu
            | Operation::MaxPool { .. }
            | Operation::Times(_)
            | Operation::GlobalMean
            | Operation::Flatten
            | Operation::UnitVector
            | Operation::Layer(_) => {}
        }
    }
}

fn tensors_of_convolution(Convolution { name, inputs, outputs, kernel, bias, .. }: &Convolution, add: &mut Add) {
    add(format!("{name}.weight"), vec![*outputs, *inputs, kernel[0], kernel[1]], Role::Convolution);
    if *bias {
        add(format!("{name}.bias"), vec![*outputs], Role::Bias);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(operations: Vec<Operation>) -> NetworkDescription {
        NetworkDescription { title: "net (test)".into(), operations }
    }

    fn block(shortcut: Vec<Operation>) -> Operation {
        Operation::Residual { body: vec![convolution("a", 3, 3, 3, 2), normalisation("b", 3, 1e-5)], shortcut }
    }

    #[test]
    fn tensors_are_listed_in_the_order_of_the_forward_pass_the_shortcut_after_the_body() {
        let of = network(vec![block(vec![convolution("c", 3, 3, 1, 2)]), Operation::Prelu { name: "d".into(), channels: 3 }]);
        let names: Vec<String> = of.tensors().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["a.weight", "b.weight", "b.bias", "b.running_mean", "b.running_var", "c.weight", "d.weight"]);
    }

    #[test]
    fn a_layer_has_a_column_a_channel_or_those_of_its_vector() {
        let fc = Operation::Linear { name: "fc".into(), inputs: 75, outputs: 7, bias: true };
        let of = network(vec![
            block(vec![convolution("c", 3, 3, 1, 2)]),
            Operation::Layer("map"),
            Operation::Flatten,
            fc,
            Operation::Layer("vector"),
        ]);
        assert_eq!(of.columns(10).unwrap(), [("map", 3), ("vector", 7)]);
        assert_eq!(of.layers(), ["map", "vector"]);
        let fault = of.columns(12).unwrap_err();
        assert!(fault.what.contains("no pictures of 12 × 12") && fault.what.contains("`fc` takes 75 numbers, 108"), "{fault}");
    }

    #[test]
    fn operations_that_do_not_fit_together_are_found() {
        let refused = |operations: Vec<Operation>, why: &str| {
            let fault = network(operations).columns(8).unwrap_err();
            assert!(fault.what.contains(why), "{fault}");
        };
        refused(vec![block(vec![])], "is added to a shortcut");
        refused(vec![convolution("a", 4, 4, 3, 1)], "`a` takes 4 channels, 3 come to it");
        refused(vec![normalisation("b", 5, 1e-5)], "`b` takes 5 channels, 3 come to it");
        refused(vec![Operation::GlobalMean, Operation::GlobalMean], "does not take");
        let pool = Operation::MaxPool { size: 9, stride: 2, padding: 0, partial: false };
        refused(vec![pool], "smaller than the window");
        let excitation =
            Operation::Excitation { reduce: Convolution::new("a", 3, 8, 1, 1), expand: Convolution::new("b", 8, 4, 1, 1) };
        refused(vec![excitation], "does not give one factor a channel");
        refused(vec![Operation::Branches(vec![vec![], vec![convolution("a", 3, 3, 3, 2)]])], "cannot be put behind the others");
        refused(vec![Operation::UnitVector], "does not take");
    }

    #[test]
    fn branches_give_the_channels_of_all_of_them() {
        let of = network(vec![
            Operation::Branches(vec![vec![convolution("a", 3, 5, 3, 1)], vec![], vec![convolution("b", 3, 7, 1, 1)]]),
            Operation::Times(0.5),
            Operation::Layer("map"),
        ]);
        assert_eq!(of.columns(8).unwrap(), [("map", 5 + 3 + 7)]);
        assert_eq!(of.tensors().len(), 2);
    }

    #[test]
    fn a_normalisation_that_is_not_affine_has_its_statistics_alone() {
        let plain = Operation::Normalisation(Normalisation { name: "n".into(), channels: 3, epsilon: 1e-5, affine: false });
        let names: Vec<String> = network(vec![plain]).tensors().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["n.running_mean", "n.running_var"]);
    }
}
