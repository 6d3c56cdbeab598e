//! The files that a study's models consume.

use std::path::PathBuf;
use visavis_core::{
    domain::model::{ModelFile, ModelFormat, Network, Source, Weights},
    weights::onnx,
};

/// The files that a study file names for a model: given features with their rows, or weights.
pub(crate) fn files_named_by(source: &Source) -> Vec<PathBuf> {
    match source {
        Source::Given(given) => given.layers.values().chain([&given.images]).cloned().collect(),
        Source::Network(network) => network.weights.file().map(|(file, _)| file.clone()).into_iter().collect(),
        Source::Baseline { .. } => vec![],
    }
}

/// The files that a model's stages consume: those named, and what an ONNX model has beside it, as its file says; nothing where that cannot
/// be read, which `examine` tells.
pub(crate) fn files_of(source: &Source) -> Vec<PathBuf> {
    let mut files = files_named_by(source);
    if let Source::Network(Network { weights: Weights::Whole(file), .. }) = source {
        files.extend(files_beside(file).into_iter().map(|(_, path)| path));
    }
    files
}

/// The files beside an ONNX model that hold its weights, by the names that it has for them. Opens the model.
pub(crate) fn files_beside(model: &ModelFile) -> Vec<(String, PathBuf)> {
    match model.format {
        ModelFormat::Onnx => onnx::external_files(&model.file).unwrap_or_default(),
        ModelFormat::TorchScript => vec![],
    }
}
