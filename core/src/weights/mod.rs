//! Weight files, and the names that families give their tensors; without libtorch.

pub mod containers;
mod file;
mod layout;

pub use file::{Inspected, Strict, Tensor, examine, inspect, read, tensors, write};
pub use layout::{Residual, Role, TensorEntry, layout};
