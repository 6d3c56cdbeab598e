//! Whole networks in files, ONNX models and TorchScript modules, from `weights inspect` to features; and those that cannot be had.

use crate::desk::{Desk, needs_beside};
use serde_json::json;
use std::{fs, path::Path};

pub(crate) const STUDY: &str = "experiments/whole.yaml";

/// An ONNX model, the same that takes one picture at a time, and a TorchScript module, on one slot: two programs take turns.
const TINY: &str = r#"format: 1
study: whole
seed: 3
numerics: { device: cpu, threads: 1 }
datasets:
  faces: { celeba: { root: ../data/faces } }
preparations:
  tiny: { crop: whole, size: 16, pad: reflect, scale: symmetric }
evaluation: { dataset: faces }
models:
  named:
    any:
      architecture: a small residual network
      loss: softmax
      trained_on: nothing
      prepare: tiny
      weights: { file: ../data/residual.onnx, family: onnx }
      layers: { layer1: /layer1/layer1.1/Relu_1, embedding: /Flatten_output_0 }
    one: { architecture: small, loss: softmax, trained_on: nothing, prepare: tiny, weights: { file: ../data/fixed.onnx, family: onnx }, layers: { layer1: /layer1/layer1.1/Relu_1_output_0, embedding: /Flatten } }
    script: { architecture: small, loss: arcface, trained_on: nothing, prepare: tiny, weights: { file: ../data/tuple.pt, family: torchscript }, layers: { layer1: "0", embedding: "2" } }
projections: [pca: { axes: 2 }]
comparisons:
  smile: { Smiling: "Smiling", Not: "not Smiling" }
statistics: { bootstraps: 20, min_positives: 2 }
resources:
  cpu: { slots: 1 }
"#;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/whole").join(name)).unwrap()
}

pub(crate) fn desk() -> Desk {
    needs_beside("visavis-onnx");
    let desk = Desk::empty();
    desk.write(STUDY, TINY.as_bytes());
    for name in ["residual.onnx", "fixed.onnx", "tuple.pt"] {
        desk.write(&format!("data/{name}"), &fixture(name));
    }
    desk.succeed(&["data", "draw", "data/faces", "--identities", "14", "--images", "42", "--quiet"]);
    desk
}

/// The manifests of extractions.
fn extractions(desk: &Desk) -> Vec<serde_json::Value> {
    let results = fs::read_dir(desk.path("data/results")).unwrap();
    let manifests =
        results.map(|entry| serde_json::from_slice::<serde_json::Value>(&fs::read(entry.unwrap().path()).unwrap()).unwrap());
    manifests.filter(|manifest| !manifest["work"]["extract"].is_null()).collect()
}

/// The features of an extraction at a layer.
fn features(desk: &Desk, manifest: &serde_json::Value, layer: &str) -> Vec<f32> {
    let outputs = manifest["outputs"].as_array().unwrap();
    let output = outputs.iter().find(|output| output["name"] == format!("{layer}.npy")).unwrap();
    let digest = output["digest"].as_str().unwrap();
    let path = desk.path(&format!("data/objects/{}/{}", &digest[..2], &digest[2..]));
    let matrix = visavis_core::dataset::array::from_npy(&fs::read(&path).unwrap(), &path).unwrap();
    (0..matrix.rows()).flat_map(|row| matrix.row(row).to_vec()).collect()
}

#[test]
fn onnx_models_and_torchscript_modules_are_compared_in_one_study() {
    let desk = desk();
    let said = desk.visavis(&["check", STUDY]);
    assert!(said.code == 0, "{}{}", said.out, said.err);
    let all = said.out + &said.err;
    assert!(all.contains("takes 1 picture at a time") && all.contains("is a program"), "{all}");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let made = extractions(&desk);
    assert_eq!(made.len(), 3);
    let of = |batch: f64, format: &str| {
        let is = |manifest: &&serde_json::Value| {
            manifest["facts"]["pictures_at_a_time"] == json!([batch]) && manifest["work"]["extract"]["whole"]["format"] == format
        };
        made.iter().find(is).unwrap()
    };
    let (any, one) = (of(32.0, "onnx"), of(1.0, "onnx"));
    assert_eq!(any["work"]["extract"]["whole"]["runtime"], "onnxruntime 1.32.0");
    for layer in ["layer1", "embedding"] {
        let (any, one) = (features(&desk, any, layer), features(&desk, one, layer));
        assert_eq!(any.len(), one.len());
        let largest = any.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(any.iter().zip(&one).all(|(a, b)| (a - b).abs() <= 1e-5 * largest), "{layer}");
    }
    assert_eq!(desk.ran(STUDY).1, 0, "what is there is not made again");
    // What a study calls its architecture is a label; another layer is another result.
    desk.edit(STUDY, "a small residual network", "another name");
    assert_eq!(desk.ran(STUDY).1, 0);
    desk.edit(STUDY, "layer1: /layer1/layer1.1/Relu_1, ", "layer2: /layer2/layer2.0/Relu_1, ");
    assert!(desk.ran(STUDY).0.contains(&"features".to_owned()));
    assert_eq!(extractions(&desk).len(), 4);
    let report = desk.succeed(&["report", STUDY]);
    assert!(!report.is_empty());
}

/// One network as an ONNX model and as a TorchScript module: each program sums what it gives for a picture and for its mirror image.
#[test]
fn an_embedding_of_both_ways_is_the_same_from_onnxruntime_and_from_libtorch() {
    let desk = desk();
    desk.write("data/faces.onnx", &fixture("faces.onnx"));
    desk.edit(STUDY, "../data/residual.onnx", "../data/faces.onnx");
    desk.edit(STUDY, "{ layer1: /layer1/layer1.1/Relu_1, embedding: /Flatten_output_0 }", "{ embedding: scores }");
    desk.edit(STUDY, "layers: { layer1: \"0\", embedding: \"2\" }", "layers: { embedding: \"2\" }");
    let embeddings = || {
        desk.succeed(&["run", STUDY, "--quiet"]);
        extractions(&desk)
    };
    let plain = embeddings();
    desk.edit(STUDY, "{ embedding: scores }", "{ embedding: scores }\n      embedding: { flip: sum }");
    desk.edit(STUDY, "layers: { embedding: \"2\" }", "layers: { embedding: \"2\" }, embedding: { flip: sum }");
    let both_ways: Vec<_> = embeddings().into_iter().filter(|manifest| !plain.contains(manifest)).collect();
    let of = |manifests: &[serde_json::Value], format: &str| {
        let of_faces = |manifest: &&serde_json::Value| {
            manifest["work"]["extract"]["whole"]["format"] == format && manifest["facts"]["pictures_at_a_time"] != json!([1.0])
        };
        let values = features(&desk, manifests.iter().find(of_faces).unwrap(), "embedding");
        values.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    let [plain, onnx, script] = [of(&plain, "onnx"), of(&both_ways, "onnx"), of(&both_ways, "torchscript")];
    let largest = onnx.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(onnx.len() == script.len() && apart(&onnx, &script) <= 1e-5 * largest, "{}", apart(&onnx, &script));
    let twice: Vec<f64> = plain.iter().map(|value| 2.0 * value).collect();
    assert!(apart(&onnx, &twice) > 1e-3 * largest, "a mirror image gives something else");
}

#[test]
fn what_is_wrong_with_a_whole_network_is_told_before_a_run() {
    let desk = desk();
    let told = |desk: &Desk| {
        let said = desk.visavis(&["check", STUDY]);
        (said.code, said.out + &said.err)
    };
    desk.edit(STUDY, "/layer1/layer1.1/Relu_1, ", "/layer1/layer1.1/Reul_1, ");
    let (code, said) = told(&desk);
    assert!(
        code == 2 && said.contains("no tensor and no node") && said.contains("did you mean `/layer1/layer1.1/Relu_1`?"),
        "{said}"
    );
    desk.edit(STUDY, "Reul_1", "Relu_1");
    desk.edit(STUDY, "size: 16", "size: 20");
    let (code, said) = told(&desk);
    assert!(code == 2 && said.contains("takes pictures of 16 × 16 only"), "{said}");
    desk.edit(STUDY, "size: 20", "size: 16");
    desk.edit(STUDY, "embedding: \"2\"", "embedding: \"7\"");
    let (code, said) = told(&desk);
    assert!(code == 2 && said.contains("has no output 7"), "{said}");
    desk.edit(STUDY, "embedding: \"7\"", "embedding: \"2\"");
    let whole = fixture("residual.onnx");
    desk.write("data/residual.onnx", &whole[..whole.len() / 2]);
    let (code, said) = told(&desk);
    assert!(code == 2 && said.contains("cut short"), "{said}");
}

#[test]
fn weights_beside_a_model_are_waited_for_and_a_strange_operator_fails_its_job_alone() {
    let desk = desk();
    desk.edit(STUDY, "../data/residual.onnx", "../data/outside.onnx");
    desk.edit(STUDY, "layer1: /layer1/layer1.1/Relu_1, embedding: /Flatten_output_0", "layer1: /layer1/Add, embedding: scores");
    desk.write("data/outside.onnx", &fixture("outside.onnx"));
    let plan: serde_json::Value = serde_json::from_str(&desk.visavis(&["plan", STUDY, "--json"]).out).unwrap();
    let missing = plan["missing"].as_array().unwrap();
    assert!(missing.iter().any(|of| of["expected_at"].as_str().unwrap().ends_with("outside.onnx.data")), "{plan}");
    desk.write("data/outside.onnx.data", &fixture("outside.onnx.data"));
    desk.succeed(&["run", STUDY, "--quiet"]);
    assert_eq!(extractions(&desk).len(), 3);
    desk.edit(STUDY, "../data/outside.onnx", "../data/strange.onnx");
    desk.write("data/strange.onnx", &fixture("strange.onnx"));
    let run = desk.visavis(&["run", STUDY]);
    let all = run.out + &run.err;
    assert!(run.code == 3 && all.contains("Frobnicate") && all.contains("lacks an operator"), "{all}");
    let attempts = desk.succeed(&["export", STUDY, "--what", "attempts", "--format", "csv"]);
    assert_eq!(attempts.lines().filter(|line| line.contains("Frobnicate")).count(), 1, "it is not tried again: {attempts}");
}

#[test]
fn without_the_library_only_the_models_wait_that_need_it() {
    let desk = desk();
    let mut run = desk.command(&["run", STUDY]);
    let output = run.env("ONNXRUNTIME", "/nowhere/libonnxruntime.so").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("ONNX models cannot run here: the variable ONNXRUNTIME names no library"), "{said}");
    assert_eq!(extractions(&desk).len(), 1, "the module ran");
}

#[test]
fn inspecting_a_whole_network_lists_it_and_writes_a_model_of_a_study() {
    let desk = desk();
    let said = desk.succeed(&["weights", "inspect", "data/residual.onnx"]);
    for words in [
        "ONNX model of pytorch 2.11.0, opset 17",
        "takes pictures: float32 [batch, 3, 16, 16]",
        "gives scores: float32 [batch, 5]",
        "read as layer1: /layer1/layer1.1/Relu_1_output_0",
        "read as layer2: /layer2/layer2.0/Relu_1_output_0",
        "read as embedding: /Flatten_output_0",
        "its output looks like scores of classes",
        "blake3 ",
        "family: onnx",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    for (file, layers) in [("residual.onnx", 3), ("tuple.pt", 3)] {
        let found = desk.json(&["weights", "inspect", &format!("data/{file}")]);
        assert_eq!(found["layers"].as_object().unwrap().len(), layers, "{found}");
        let yaml = found["yaml"].as_str().unwrap().replace("size: 224", "size: 16");
        let study = format!(
            "format: 1\nstudy: suggested\nseed: 1\nevaluation: {{ dataset: f }}\ndatasets: {{ f: {{ celeba: {{ root: data/faces }} }} \
             }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: Smiling, B: not Smiling }} }}\n{yaml}"
        );
        desk.write("s.yaml", study.as_bytes());
        let said = desk.visavis(&["check", "s.yaml"]);
        assert_eq!(said.code, 0, "{}{}\n{study}", said.out, said.err);
    }
    desk.write("data/outside.onnx", &fixture("outside.onnx"));
    let said = desk.succeed(&["weights", "inspect", "data/outside.onnx"]);
    assert!(said.contains("has weights in the file outside.onnx.data beside it, which is not here"), "{said}");
    let said = desk.succeed(&["weights", "inspect", "data/fixed.onnx"]);
    assert!(said.contains("takes 1 picture at a time, and no other number"), "{said}");
    let converted = desk.visavis(&["weights", "convert", "data/residual.onnx", "o.safetensors"]);
    assert!(converted.code == 2 && converted.err.contains("the file is an ONNX model"), "{}", converted.err);
    let whole = fixture("faces.onnx");
    desk.write("cut.onnx", &whole[..whole.len() / 2]);
    let cut = desk.visavis(&["weights", "inspect", "cut.onnx"]);
    assert!(cut.code == 2 && cut.err.contains("cut short") && cut.err.contains("cut.onnx"), "{}", cut.err);
}
