//! ONNX models, without a runtime: what a model takes and gives, the names of what it computes on the way, and whether a study's
//! pictures and layers fit it. The runtime itself is in `onnx/` (visavis-onnx).

mod fit;
mod model;
mod stage_ends;
mod wire;

pub use fit::{Layout, PictureInput};
pub use model::{Axis, OnnxModel, OnnxNode, TensorType};
pub use stage_ends::{StageEnds, stage_ends};

use crate::domain::{
    Fault, Result,
    file_kind::{ExpectedFile, FileKind},
};
use crate::pickle::source::Source;
use std::path::{Path, PathBuf};

/// Looks through a model's file: names, types and shapes. Its weights are not read.
///
/// # Errors
/// A file that cannot be read, that is no ONNX model or a damaged one, or that claims more than it has.
pub fn read(path: &Path) -> Result<OnnxModel> {
    look_through(&Source::open(path)?).map_err(|fault| fault.in_file(path))
}

/// The same, of a model whose bytes are in memory; `path` is for messages.
///
/// # Errors
/// As [`read`].
pub fn of_bytes(bytes: &[u8], path: &Path) -> Result<OnnxModel> {
    look_through(&Source::Bytes(bytes)).map_err(|fault| fault.in_file(path))
}

/// Does the file begin as an ONNX model does? `false` for one that cannot be read.
pub fn is_model(path: &Path) -> bool {
    Source::open(path).and_then(|source| source.head(1024)).is_ok_and(|head| FileKind::of(&head) == FileKind::Onnx)
}

fn look_through(source: &Source) -> Result<OnnxModel> {
    let kind = FileKind::of(&source.head(1024)?);
    if kind != FileKind::Onnx {
        let next = match kind {
            FileKind::TorchZip | FileKind::TorchOld => {
                "export the model where its class is: torch.onnx.export(model, example, 'model.onnx')"
            }
            _ => kind.advice(ExpectedFile::Weights),
        };
        return Err(Fault::asked(format!("not an ONNX model: the file is {}", kind.words())).next(next));
    }
    model::model(source)
}

/// The files beside a model that hold its weights, in the order of their names.
///
/// # Errors
/// As [`read`]; a model that names a file outside of its own folder.
pub fn external_files(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let model = read(path)?;
    model
        .external
        .iter()
        .map(|name| Ok((name.clone(), external_file(folder, name).map_err(|fault| fault.in_file(path))?)))
        .collect()
}

/// Where a file of weights lies that a model in `folder` names.
fn external_file(folder: &Path, name: &str) -> Result<PathBuf> {
    use std::path::Component;
    let is_below =
        !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_below || name.chars().any(char::is_control) {
        let name = crate::domain::text::printable(&crate::domain::text::shorten(name, 80));
        return Err(Fault::asked(format!("the ONNX model keeps weights in `{name}`, which is not beside it"))
            .next("make one file of it: onnx.save(onnx.load(PATH), 'one.onnx')"));
    }
    Ok(folder.join(name))
}

/// The model's bytes with more outputs: a protobuf message followed by another is their union, so a graph of outputs is appended.
/// The runtime infers their types.
pub fn with_outputs<'a>(mut bytes: Vec<u8>, names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    const GRAPH: u64 = 7;
    const OUTPUT: u64 = 12;
    const NAME: u64 = 1;
    for name in names {
        bytes.extend(wire::field(GRAPH, &wire::field(OUTPUT, &wire::field(NAME, name.as_bytes()))));
    }
    bytes
}

#[cfg(test)]
mod tests;
