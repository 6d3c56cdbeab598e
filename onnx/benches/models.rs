//! How fast features of an ONNX model are made, beside onnxruntime's Python on as many threads: `make bench`. PYTHON names a Python
//! with onnxruntime 1.32; ONNX_MODEL an ONNX model of 112 × 112 pixels, such as `w600k_r50.onnx`. Images a second, medians.
//!
//! The peer runs the model alone, on pictures that are ready. Ours is given pictures of bytes, which it scales, and gives all layers.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Instant};
use visavis_core::{
    domain::study::{Crop, PixelScale, Preparation},
    weights::onnx,
};
use visavis_onnx::{
    extraction::BATCH,
    network::{OnnxNetwork, OnnxSource},
};

const IMAGES: usize = 64;
const TURNS: usize = 5;

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
    // Before and after the peer, so that what else the machine does meets both.
    let mut rates: Vec<f64> = (0..TURNS).map(|_| once()).collect();
    let peer = peer(&path, size, threads, batch);
    rates.extend((0..TURNS).map(|_| once()));
    rates.sort_by(f64::total_cmp);
    let ours = rates[rates.len() / 2];
    println!("features of {} at {} layers {ours:9.1} images/s", path.display(), layers.len());
    match peer {
        Some(peer) => {
            println!("  onnxruntime's Python, the model alone {peer:9.1} images/s   {:5.2} ×   (asked: 1.0)", ours / peer)
        }
        None => println!("  onnxruntime's Python: not measured: PYTHON names no Python with onnxruntime"),
    }
}

fn peer(path: &std::path::Path, size: usize, threads: usize, batch: usize) -> Option<f64> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.py");
    let numbers = [IMAGES, size, threads, batch].map(|number| number.to_string());
    let output = Command::new(std::env::var_os("PYTHON")?).arg(script).arg(path).args(numbers).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}
