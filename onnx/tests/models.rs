//! Models of `tests/fixtures/whole` beside what PyTorch and onnxruntime's Python gave, and models that cannot be run. They need the
//! library: `make test` sees to it, `scripts/onnxruntime` fetches it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use visavis_core::domain::{
    Ending, Result,
    study::{Crop, PixelScale, Preparation},
};
use visavis_onnx::network::{OnnxNetwork, OnnxSource};

const PICTURES: usize = 3;
const SIZE: usize = 16;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/whole").join(name)
}

/// The pictures of `make.py`.
fn pixels() -> Vec<u8> {
    (0..(PICTURES * 3 * SIZE * SIZE) as u64).map(|place| ((7 * place * place + 13 * place) / 5 % 256) as u8).collect()
}

fn preparation(size: usize) -> Preparation {
    Preparation { scale: PixelScale::Symmetric, ..Preparation::of(Crop::Whole, size) }
}

fn opened(name: &str, bytes: Vec<u8>, reads: &[(&str, &str)], size: usize, with_beside: bool) -> Result<OnnxNetwork> {
    let path = fixture(name);
    let beside = visavis_core::weights::onnx::external_files(&path).unwrap_or_default();
    let beside = beside.into_iter().filter(|_| with_beside).map(|(name, path)| (name, std::fs::read(path).unwrap())).collect();
    let layers: Vec<String> = reads.iter().map(|(layer, _)| (*layer).to_owned()).collect();
    let reads: BTreeMap<String, String> = reads.iter().map(|(layer, read)| ((*layer).to_owned(), (*read).to_owned())).collect();
    OnnxNetwork::open(OnnxSource { bytes, beside, path: &path, layers: &layers, reads: &reads }, &preparation(size), 1)
}

/// The same, of a fixture as it is.
fn open(name: &str, reads: &[(&str, &str)]) -> Result<OnnxNetwork> {
    opened(name, std::fs::read(fixture(name)).unwrap(), reads, SIZE, true)
}

/// The reason, with what to do.
fn told(result: Result<OnnxNetwork>) -> String {
    result.err().expect("it is refused").to_string()
}

#[test]
fn every_layer_is_what_pytorch_and_onnxruntime_give() {
    let answers: serde_json::Value = serde_json::from_slice(&std::fs::read(fixture("answers.json")).unwrap()).unwrap();
    let mut compared = 0;
    for (file, answer) in answers.as_object().unwrap() {
        let reads: Vec<(&str, &str)> =
            ["layer1", "layer2", "embedding"].map(|layer| (layer, answer["reads"][layer].as_str().unwrap())).to_vec();
        let mut network = open(file, &reads).unwrap();
        let pixels = pixels();
        // As extraction gives them: as many at a time as the model takes.
        let batch = network.batch().unwrap_or(PICTURES);
        let mut layers: Vec<Vec<f32>> = vec![vec![]; reads.len()];
        for part in pixels.chunks(batch * 3 * SIZE * SIZE) {
            network.layers(part).unwrap().into_iter().zip(&mut layers).for_each(|(values, layer)| layer.extend(values));
        }
        let tolerance = if file == "half.onnx" { 4e-3 } else { 1e-5 };
        for peer in ["torch", "onnxruntime"] {
            for ((layer, _), values) in reads.iter().zip(&layers) {
                let expected: Vec<f64> = answer[peer][layer]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(|row| row.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()))
                    .collect();
                assert_eq!(values.len(), expected.len(), "{file} {layer}");
                let largest = expected.iter().fold(0.0f64, |most, value| most.max(value.abs()));
                let apart = values.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                assert!(apart <= tolerance * largest, "{file} {layer} beside {peer}: {apart} of {largest}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 42, "seven models of three layers beside two peers");
}

#[test]
fn layers_have_the_same_bits_with_any_number_of_threads_and_pictures_at_a_time() {
    let reads = [("layer1", "/layer1/layer1.1/Relu_1"), ("embedding", "/Flatten_output_0")];
    let mut network = open("residual.onnx", &reads).unwrap();
    let pixels = pixels();
    let together = network.layers(&pixels).unwrap();
    let mut alone: Vec<Vec<f32>> = vec![vec![]; 2];
    for part in pixels.chunks(3 * SIZE * SIZE) {
        network.layers(part).unwrap().into_iter().zip(&mut alone).for_each(|(values, layer)| layer.extend(values));
    }
    assert_eq!(together, alone);
}

#[test]
fn a_model_that_takes_one_picture_at_a_time_is_given_one() {
    let network = open("fixed.onnx", &[("embedding", "scores")]).unwrap();
    assert_eq!(network.batch(), Some(1));
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    let layer = [("embedding", "scores")];
    let strange = told(open("strange.onnx", &layer));
    assert!(
        strange.contains("Frobnicate") && strange.contains("lacks an operator") && strange.contains("strange.onnx"),
        "{strange}"
    );
    let absent = told(open("faces.onnx", &[("layer1", "/layer1/Ad_output_0")]));
    assert!(absent.contains("layer `layer1`") && absent.contains("did you mean `/layer1/Add_output_0`?"), "{absent}");
    let whole = std::fs::read(fixture("faces.onnx")).unwrap();
    let cut = told(opened("faces.onnx", whole[..whole.len() / 2].to_vec(), &layer, SIZE, true));
    assert!(cut.contains("cut short"), "{cut}");
    let size = told(opened("faces.onnx", whole, &layer, 32, true));
    assert!(size.contains("takes pictures of 16 × 16 only, and the preparation gives 32 × 32"), "{size}");
    let outside = opened("outside.onnx", std::fs::read(fixture("outside.onnx")).unwrap(), &layer, SIZE, false).err().unwrap();
    assert!(outside.ending == Ending::Missing && outside.what.contains("`outside.onnx.data`, which is not here"), "{outside}");
}
