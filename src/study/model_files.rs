//! The files that a study's models consume.

use std::path::PathBuf;
use visavis_core::{
    domain::model::{ModelFile, ModelFormat, Source, Weights},
    weights::onnx,
};

/// The files that a model's stages consume: given features with their rows, or weights.
///
/// What an ONNX model keeps in files beside it is found in the model; nothing where it cannot be read, which `examine` tells.
pub(crate) fn files_of(source: &Source) -> Vec<PathBuf> {
    match source {
        Source::Given(given) => given.layers.values().chain([&given.images]).cloned().collect(),
        Source::Network(network) => {
            let file = network.weights.file().map(|(file, _)| file.clone());
            file.into_iter().chain(files_beside(&network.weights).into_iter().map(|(_, path)| path)).collect()
        }
        Source::Baseline { .. } => vec![],
    }
}

/// The files beside an ONNX model that hold its weights, by the names that it has for them.
pub(crate) fn files_beside(weights: &Weights) -> Vec<(String, PathBuf)> {
    match weights {
        Weights::Whole(ModelFile { file, format: ModelFormat::Onnx, .. }) => onnx::external_files(file).unwrap_or_default(),
        _ => vec![],
    }
}
