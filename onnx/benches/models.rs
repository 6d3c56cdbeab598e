//! How fast features of an ONNX model are made, beside onnxruntime's Python on as many threads: `make bench`. PYTHON names a Python
//! with onnxruntime 1.32; ONNX_MODEL an ONNX model, such as `w600k_r50.onnx`. Images a second, medians, in turns.
//!
//! Both are given pictures of bytes and give the same layers; the model alone, on pictures that are ready, is printed beside.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use visavis_core::{
    domain::study::{Crop, PixelScale, Preparation},
    weights::onnx,
};
use visavis_onnx::{
    extraction::BATCH,
    network::{OnnxNetwork, OnnxSource},
};

const IMAGES: usize = 64;
const TURNS: usize = 3;

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let Some(path) = std::env::var_os("ONNX_MODEL").map(PathBuf::from) else {
        return println!("ONNX models: not measured (ONNX_MODEL names none)");
    };
    let bytes = std::fs::read(&path).expect("the model can be read");
    let model = onnx::of_bytes(&bytes, &path).expect("an ONNX model");
    let input = model.picture_input().expect("it takes pictures");
    let size = input.size[0].unwrap_or(112) as usize;
    let batch = input.batch.unwrap_or(BATCH);
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(2);
    let reads: BTreeMap<String, String> = onnx::stage_ends(&model).layers().into_iter().collect();
    let layers: Vec<String> = reads.keys().cloned().collect();
    let preparation = Preparation { scale: PixelScale::Symmetric, ..Preparation::of(Crop::Whole, size) };
    let names: Vec<&str> = reads.values().map(String::as_str).collect();
    let added = names.iter().copied().filter(|name| model.outputs.iter().all(|output| output.name != *name));
    let with_outputs = std::env::temp_dir().join(format!("visavis-bench-{}.onnx", std::process::id()));
    std::fs::write(&with_outputs, onnx::with_outputs(bytes.clone(), added)).expect("the peer's model is written");
    let source = OnnxSource { bytes, beside: vec![], path: &path, layers: &layers, reads: &reads };
    let mut network = OnnxNetwork::open(source, &preparation, threads).expect("onnxruntime runs it");
    let pixels: Vec<u8> = (0..IMAGES * 3 * size * size).map(|place| (place * 31 % 251) as u8).collect();
    let mut once = || {
        let clock = Instant::now();
        for part in pixels.chunks(batch * 3 * size * size) {
            drop(network.layers(part).expect("features"));
        }
        IMAGES as f64 / clock.elapsed().as_secs_f64()
    };
    once();
    let (mut ours, mut theirs, mut alone) = (vec![], vec![], vec![]);
    for _ in 0..TURNS {
        ours.push(median((0..3).map(|_| once()).collect()));
        if let Some([features, forward]) = peer([&path, &with_outputs], [IMAGES, size, threads, batch], &names) {
            theirs.push(features);
            alone.push(forward);
        }
    }
    std::fs::remove_file(&with_outputs).ok();
    let ours = median(ours);
    println!("features of {} at {} layers on {threads} threads {ours:9.1} images/s", path.display(), layers.len());
    if theirs.is_empty() {
        return println!("  onnxruntime's Python: not measured: PYTHON names no Python with onnxruntime");
    }
    let (theirs, alone) = (median(theirs), median(alone));
    println!("  the same by onnxruntime's Python {theirs:9.1} images/s   {:5.2} ×   (asked: 1.0)", ours / theirs);
    println!("  (the model alone there           {alone:9.1} images/s   {:5.2} ×)", ours / alone);
}

/// What onnxruntime's Python does: features, and the model alone.
fn peer(models: [&Path; 2], numbers: [usize; 4], names: &[&str]) -> Option<[f64; 2]> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.py");
    let numbers = numbers.map(|number| number.to_string());
    let output = Command::new(std::env::var_os("PYTHON")?).arg(script).args(models).args(numbers).args(names).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??])
}
