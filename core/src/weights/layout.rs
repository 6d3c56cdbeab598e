//! The tensors of a network: names, shapes and roles. Weight files are held against this list, and first weights are drawn by it.

use super::families;
use crate::domain::{
    Result,
    model::{Architecture, WeightFamily},
};

/// A tensor that a network has.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorEntry {
    /// As weight files of its family call it.
    pub name: String,
    /// Its sizes, the slowest first: row-major.
    pub shape: Vec<usize>,
    /// What it is to the network.
    pub role: Role,
}

/// What a tensor is to the network: how it is drawn at the start, and whether it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of a convolution: out × in × height × width.
    Convolution,
    /// Of a linear layer: out × in.
    Linear,
    /// What a convolution or a linear layer adds to each output.
    Bias,
    /// What a batch normalisation multiplies each channel with.
    Scale,
    /// What a batch normalisation adds to each channel.
    Shift,
    /// The mean of each channel that a batch normalisation gathered in training.
    RunningMean,
    /// The variance of each channel that a batch normalisation gathered in training.
    RunningVariance,
    /// The slopes of a PReLU, one a channel.
    Slope,
}

impl Role {
    /// Whether training changes it by its gradient.
    pub fn learns(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// Every tensor of the network, its head aside, in the order of the forward pass.
///
/// # Errors
/// An architecture that is not built here, or not of that family.
pub fn layout(architecture: &Architecture, family: &WeightFamily) -> Result<Vec<TensorEntry>> {
    Ok(families::describe(architecture, family)?.tensors())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights are drawn by a tensor's place in this order: another order is other networks.
    #[test]
    fn the_order_of_the_tensors_is_pinned() {
        let digest = |word: &str, family: &str| {
            let layout = layout(&Architecture { word: word.into(), width: 0.5 }, &WeightFamily::of(family)).unwrap();
            let lines = layout.iter().map(|TensorEntry { name, shape, role }| format!("{name} {shape:?} {role:?}\n"));
            crate::domain::Digest::of(lines.collect::<String>().as_bytes()).short()
        };
        let found = [
            digest("resnet34", "torchvision"),
            digest("resnet34", "visavis"),
            digest("seresnet34", "timm"),
            digest("seresnet34", "visavis"),
        ];
        assert_eq!(found, ["f23a6ca0", "dd2e2e95", "4250aef3", "cc24b747"]);
    }
}
