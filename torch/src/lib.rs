//! Networks, for visavis: the only code that knows libtorch. The program around it is `main.rs`.

mod checkpoint;
pub mod device;
pub mod extraction;
pub mod feed;
mod head;
pub mod network;
pub mod parameters;
mod script;
mod sgd;
mod training;
pub mod worker;
