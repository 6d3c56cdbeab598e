//! Python's pickles, read without Python: a small machine that builds dicts, lists and tensors, and calls nothing.
//!
//! A pickle is a program for a machine with a stack (Python's `pickletools` documents every opcode). Its opcode `REDUCE` calls
//! a function that the file names, which is how a pickle can run anything. Here a name is only a name: what the dozen functions
//! of PyTorch and NumPy that weight files need would give is written in `calls.rs`, and any other call is refused.
//!
//! `machine.rs` has the opcodes, `node.rs` what is on the stack, `calls.rs` the functions, `tree.rs` makes the values, `pairs.rs` reads
//! sets of picture pairs. `source.rs` reads the file, `value.rs` is what comes out.
//! Every limit is in this file.

mod calls;
mod escapes;
mod machine;
mod node;
mod pairs;
pub(crate) mod source;
mod tree;
pub mod value;

pub(crate) use machine::unpickle;
pub(crate) use pairs::{PickledPairs, pairs};

/// Objects that a pickle may make. (A checkpoint of ResNet-100 with its optimizer makes about 20,000.)
const MOST_NODES: usize = 1 << 21;
/// Objects on the stack at a time. (Python writes a thousand items at a time.)
const MOST_STACKED: usize = 1 << 16;
/// Items in all lists and dicts together.
const MOST_ITEMS: usize = 1 << 22;
/// Dicts and lists within each other.
const MOST_DEPTH: usize = 64;
/// Values of a file, after what is shared was written out.
const MOST_VALUES: usize = 1 << 20;
/// Strings up to this length are kept; of longer ones only where they are in the file.
const KEPT_STRING: u64 = 1024;
/// Bytes of a line of protocol 0.
const MOST_LINE: usize = 1 << 20;
/// Storages that a pickle may name.
const MOST_STORAGES: usize = 1 << 18;
