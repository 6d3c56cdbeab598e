//! ONNX models, for visavis: the only code that knows onnxruntime. The program around it is `main.rs`.

pub mod extraction;
pub mod library;
pub mod network;
pub mod worker;
