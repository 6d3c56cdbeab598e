//! Whole networks in files, held against what a study asks of them, without the libraries that run them.

use super::{onnx, torchscript};
use crate::domain::{Result, model::ModelFormat};
use std::path::Path;

/// Holds a file against pictures of `size` × `size` and the layers that are to be read, each with what is read there; what is worth
/// saying.
///
/// # Errors
/// A file of something else, a damaged one, pictures that it does not take, layers that it does not have.
pub fn examine<'a>(
    format: ModelFormat,
    path: &Path,
    size: usize,
    reads: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<String>> {
    let remarks = match format {
        ModelFormat::Onnx => {
            let model = onnx::read(path)?;
            // Files that are not beside it are refused; those that are absent are missing, as any file.
            onnx::external_files(path)?;
            model.check(size, reads)
        }
        ModelFormat::TorchScript => torchscript::read(path)?.check(reads),
    };
    remarks.map_err(|fault| fault.in_file(path))
}
