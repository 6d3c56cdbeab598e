//! What a network computes: a list of operations, in the order of the forward pass, each with the names of its tensors. A family
//! writes the list once. Tensors, layers and shapes are read off it here; `torch/src/network.rs` carries it out.

use super::layout::{Role, TensorEntry};
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
    /// `{name}.weight`, `{name}.bias`, `{name}.running_mean`, `{name}.running_var`.
    pub name: String,
    /// Channels or columns.
    pub channels: usize,
    /// Is added to the variance.
    pub epsilon: f64,
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
    Operation::Normalisation(Normalisation { name: name.into(), channels, epsilon })
}

/// What one image is between two operations.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Map { channels: usize, height: usize, width: usize },
    Vector { columns: usize },
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
            Operation::Normalisation(Normalisation { name, channels, .. }) => {
                add(format!("{name}.weight"), vec![*channels], Role::Scale);
                add(format!("{name}.bias"), vec![*channels], Role::Shift);
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
            Operation::Linear { name, inputs, outputs, bias } => {
                add(format!("{name}.weight"), vec![*outputs, *inputs], Role::Linear);
                if *bias {
                    add(format!("{name}.bias"), vec![*outputs], Role::Bias);
                }
            }
            Operation::Relu | Operation::MaxPool { .. } | Operation::GlobalMean | Operation::Flatten | Operation::Layer(_) => {}
        }
    }
}

fn tensors_of_convolution(Convolution { name, inputs, outputs, kernel, bias, .. }: &Convolution, add: &mut Add) {
    add(format!("{name}.weight"), vec![*outputs, *inputs, kernel[0], kernel[1]], Role::Convolution);
    if *bias {
        add(format!("{name}.bias"), vec![*outputs], Role::Bias);
    }
}

/// The shape behind the operations; `layers` gets the columns of those that are passed.
///
/// # Errors
/// The first operation that cannot take what comes to it, in words.
fn flow(
    operations: &[Operation],
    mut shape: Shape,
    layers: &mut Vec<(&'static str, usize)>,
) -> std::result::Result<Shape, String> {
    for operation in operations {
        shape = match (operation, shape) {
            (Operation::Convolution(of), shape) => convolved(of, shape)?,
            (Operation::Normalisation(Normalisation { name, channels, .. }) | Operation::Prelu { name, channels }, shape) => {
                let (Shape::Map { channels: found, .. } | Shape::Vector { columns: found }) = shape;
                if found != *channels {
                    return Err(format!("`{name}` takes {channels} channels, {found} come to it"));
                }
                shape
            }
            (Operation::Relu, shape) => shape,
            (Operation::MaxPool { size, stride, padding }, Shape::Map { channels, height, width }) => {
                let after = |places: usize| windows(places, *size, *stride, *padding);
                match (after(height), after(width)) {
                    (Some(height), Some(width)) => Shape::Map { channels, height, width },
                    _ => return Err(format!("a map of {height} × {width} is smaller than the window of a maximum")),
                }
            }
            (Operation::Excitation { reduce, expand }, Shape::Map { channels, .. }) => {
                let means = Shape::Map { channels, height: 1, width: 1 };
                if convolved(expand, convolved(reduce, means)?)? != means {
                    return Err(format!("`{}` does not give one factor a channel", expand.name));
                }
                shape
            }
            (Operation::Residual { body, shortcut }, shape) => {
                let (body, shortcut) = (flow(body, shape, layers)?, flow(shortcut, shape, layers)?);
                if body != shortcut {
                    return Err(format!("a body that gives {body:?} is added to a shortcut that gives {shortcut:?}"));
                }
                body
            }
            (Operation::GlobalMean, Shape::Map { channels, .. }) => Shape::Vector { columns: channels },
            (Operation::Flatten, Shape::Map { channels, height, width }) => Shape::Vector { columns: channels * height * width },
            (Operation::Linear { name, inputs, outputs, .. }, Shape::Vector { columns }) => {
                if columns != *inputs {
                    return Err(format!("`{name}` takes {inputs} numbers, {columns} come to it"));
                }
                Shape::Vector { columns: *outputs }
            }
            (Operation::Layer(name), shape) => {
                let (Shape::Map { channels: columns, .. } | Shape::Vector { columns }) = shape;
                layers.push((name, columns));
                shape
            }
            (operation, shape) => return Err(format!("{operation:?} does not take {shape:?}")),
        };
    }
    Ok(shape)
}

fn convolved(of: &Convolution, shape: Shape) -> std::result::Result<Shape, String> {
    let Shape::Map { channels, height, width } = shape else {
        return Err(format!("`{}` takes maps, vectors come to it", of.name));
    };
    if channels != of.inputs {
        return Err(format!("`{}` takes {} channels, {channels} come to it", of.name, of.inputs));
    }
    let after = |places: usize, side: usize| windows(places, of.kernel[side], of.stride, of.padding[side]);
    match (after(height, 0), after(width, 1)) {
        (Some(height), Some(width)) => Ok(Shape::Map { channels: of.outputs, height, width }),
        _ => Err(format!("the map of {height} × {width} that comes to `{}` is smaller than its kernel", of.name)),
    }
}

/// How many places a window has on a padded line; `None` if it is longer than the line.
fn windows(places: usize, size: usize, stride: usize, padding: usize) -> Option<usize> {
    Some((places + 2 * padding).checked_sub(size)? / stride + 1)
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
        let pool = Operation::MaxPool { size: 9, stride: 2, padding: 0 };
        refused(vec![pool], "smaller than the window");
        let excitation =
            Operation::Excitation { reduce: Convolution::new("a", 3, 8, 1, 1), expand: Convolution::new("b", 8, 4, 1, 1) };
        refused(vec![excitation], "does not give one factor a channel");
    }

    #[test]
    fn a_window_is_counted_where_it_fits() {
        assert_eq!(windows(112, 7, 2, 3), Some(56));
        assert_eq!(windows(56, 3, 2, 1), Some(28));
        assert_eq!(windows(5, 1, 2, 0), Some(3));
        assert_eq!(windows(2, 3, 1, 0), None);
    }
}
