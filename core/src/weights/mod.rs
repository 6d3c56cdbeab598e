//! Networks and weight files, without libtorch: which networks there are ([`families`]), what each computes and with which tensors
//! ([`NetworkDescription`]), and files of weights, read strictly.

pub mod containers;
mod drawn;
pub mod families;
mod file;
mod inspect;
mod layout;
mod multiplications;
pub mod onnx;
mod operation;
mod shape;
pub mod torchscript;
pub mod whole;

pub use drawn::{draw, normals};
pub use families::describe;
pub use file::{Strict, Tensor, examine, read, tensors, write, write_half};
pub use inspect::{Inspected, inspect, recognised};
pub use layout::{Role, TensorEntry, layout};
pub use operation::{Convolution, NetworkDescription, Normalisation, Operation};
