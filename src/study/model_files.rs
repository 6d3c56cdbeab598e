//! The files that a study's models consume.

use std::path::{Path, PathBuf};
use visavis_core::{
    domain::{
        Fault, Result,
        model::{ModelFile, ModelFormat, Network, Source, Weights},
        text::size,
    },
    store::stamp,
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

/// In bytes.
pub(crate) fn memory_of_this_machine() -> u64 {
    let about = rustix::system::sysinfo();
    about.totalram.saturating_mul(about.mem_unit.into())
}

/// # Errors
/// A file of features or weights that no stage could hold.
pub(crate) fn fits_memory(path: &Path, memory: u64) -> Result<()> {
    let bytes = stamp(path).map_or(0, |(_, bytes)| bytes);
    if bytes <= memory {
        return Ok(());
    }
    Err(Fault::asked(format!("the file has {}, and is held in memory, of which this machine has {}", size(bytes), size(memory)))
        .in_file(path)
        .next("use a machine with more memory, or keep only the rows and columns that are compared"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_memory_holds_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let fault = fits_memory(&path, 16 << 30).unwrap_err();
        assert!(fault.what.contains("held in memory") && fault.place.is_some() && fault.next.is_some(), "{fault}");
        assert!(fits_memory(&path, 1 << 40).is_ok() && memory_of_this_machine() > 1 << 27);
    }
}
