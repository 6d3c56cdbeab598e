//! Networks, for visavis: the only code that knows libtorch. The program around it is `main.rs`.

mod batches;
mod checkpoint;
pub mod device;
pub mod extraction;
pub mod feed;
mod head;
mod held_out;
mod margin;
pub mod network;
mod norms;
mod optimizer;
pub mod parameters;
mod partial;
mod schedule;
mod script;
mod training;
mod triplet;
pub mod worker;
