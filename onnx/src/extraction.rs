//! Features of an ONNX model, for every image, at all layers in one pass.

use crate::network::{OnnxNetwork, OnnxSource};
use std::sync::Arc;
use visavis_core::{
    domain::{
        Fault, Result,
        stage::{Extraction, ONNXRUNTIME},
        text::count,
    },
    stages::{Inputs, Listener, StageOutput, read_features},
};

/// Pictures at a time, where the model takes any number.
pub const BATCH: usize = 32;

/// Opens the model of a task.
///
/// # Errors
/// As [`OnnxNetwork::open`]; and a task of another runtime than this one.
pub fn open(of: &Extraction, inputs: &Inputs, threads: usize) -> Result<OnnxNetwork> {
    let whole = of.whole.as_ref().ok_or_else(|| Fault::unexpected("a network that is built here came to visavis-onnx"))?;
    if whole.runtime != format!("onnxruntime {ONNXRUNTIME}") || whole.optimisation != "all" {
        return Err(Fault::missing(format!("the task asks for {}, and this is onnxruntime {ONNXRUNTIME}", whole.runtime)));
    }
    let path = inputs.path(Extraction::WEIGHTS)?;
    let source = OnnxSource {
        bytes: inputs.bytes(Extraction::WEIGHTS)?,
        beside: inputs.each(Extraction::BESIDE, |role| inputs.bytes(role))?,
        path: &path,
        layers: &of.layers,
        reads: &whole.reads,
    };
    OnnxNetwork::open(source, &of.preparation, threads)
}

/// Features of the task's images.
///
/// # Errors
/// As [`open`]; pictures that cannot be read, features that are no numbers.
pub fn extract(of: &Extraction, inputs: &Inputs, threads: usize, listener: &dyn Listener) -> Result<StageOutput> {
    let mut network = open(of, inputs, threads)?;
    let batch = network.batch().unwrap_or(BATCH);
    if let Some(batch) = network.batch() {
        listener.line(&format!("the model takes {} at a time", count(batch, "picture")));
    }
    let album = Arc::new(inputs.album_of(of)?);
    let path = inputs.path(Extraction::WEIGHTS)?;
    let features = read_features(&album, &of.layers, of.embedding, batch, threads, listener, |batch| {
        network.layers(&batch.pixels).map_err(|fault| if fault.place.is_none() { fault.in_file(&path) } else { fault })
    });
    Ok(features?.fact("pictures_at_a_time", vec![batch as f64]))
}
