//! How fast pictures are loaded from a RecordIO file, beside a Python reader of the same file with PyTorch's DataLoader and Pillow
//! (`records.py`), two workers each, in one run: `cargo bench --bench records`, with PYTHON naming a Python that has torch, torchvision
//! and Pillow.
//!
//! Two sets of JPEG pictures in InsightFace's form: 112 × 112, as its own sets have them, of which nothing need be resized; and of the
//! size that pictures are drawn in, made 112 × 112. Batches of 32 numbers that a network can be given. Asked for: three times as many
//! pictures a second. Medians of five passes here, of three there; both read the same bytes, which their SHA-256 shows.

use sha2::{Digest as _, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Instant,
};
use visavis_core::{
    dataset::{self, Album, DigestCache, Loader, PictureSource, Target, collect, convert, faces, recognise},
    domain::{
        image::Images,
        study::{Crop, Preparation},
    },
};

/// Pictures that are drawn, and how often each is in the set.
const DRAWN: usize = 960;
const TIMES: usize = 5;
const CLASSES: usize = 24;
const SIDE: usize = 112;
const BATCH: usize = 32;
const WORKERS: usize = 2;
/// How many times as fast as the Python reader.
const ASKED: f64 = 3.0;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let drawn = folder.path().join("drawn");
    let request =
        faces::Request { kind: faces::DrawnKind::Training(faces::Variety::Varied), people: CLASSES, images: DRAWN, seed: 1 };
    faces::draw(&drawn, &request).expect("pictures are drawn");
    for (what, is_small) in [("112 × 112", true), ("as drawn", false)] {
        let records = records(&drawn, folder.path(), is_small);
        let (at, images) = listed(&records);
        let ours = ours(&at, &images);
        println!("RecordIO, {what:10} {ours:9.1} images/s of {}", images.len());
        match peer(&at) {
            Some((theirs, digest)) => {
                assert_eq!(digest, contents(&at, &images), "both read the same pictures");
                println!("  Python, DataLoader, Pillow {theirs:9.1} images/s   {:5.2} ×   (asked: {ASKED})", ours / theirs);
            }
            None => {
                println!("  Python, DataLoader, Pillow not measured: PYTHON names no Python with torch, torchvision and Pillow");
            }
        }
    }
}

/// A RecordIO set of the drawn pictures, several times each; small ones are JPEG of quality 95, 112 × 112.
fn records(drawn: &Path, folder: &Path, is_small: bool) -> PathBuf {
    let name = if is_small { "small" } else { "whole" };
    let (classes, records) = (folder.join(format!("{name}-folders")), folder.join(name));
    for image in dataset::list_pictures(drawn, &mut DigestCache::none()).expect("they are listed").ids() {
        let bytes = fs::read(drawn.join(image)).expect("a picture");
        let bytes = if is_small { shrunk(&bytes) } else { bytes };
        let (class, file) = image.split_once('/').expect("a folder a class");
        fs::create_dir_all(classes.join(class)).expect("a folder");
        for time in 0..TIMES {
            fs::write(classes.join(class).join(format!("{time}-{file}")), &bytes).expect("a picture");
        }
    }
    let set = collect(&recognise(&classes), &mut DigestCache::none()).expect("folders of classes");
    convert(&set, &records, Target::RecordIo).expect("a RecordIO file");
    records
}

fn shrunk(jpeg: &[u8]) -> Vec<u8> {
    let side = SIDE as u32;
    let picture =
        image::load_from_memory(jpeg).expect("a picture").resize_exact(side, side, image::imageops::FilterType::Triangle);
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    picture.to_rgb8().write_with_encoder(encoder).expect("memory");
    bytes
}

/// The file of a set, and its pictures.
fn listed(records: &Path) -> (PathBuf, Images) {
    let set = collect(&recognise(records), &mut DigestCache::none()).expect("a RecordIO set");
    let source = PictureSource::open(&set.pictures).expect("a RecordIO file");
    let images = source.digested(set.ids, &mut DigestCache::none()).expect("pictures");
    (set.pictures, images)
}

/// Images a second.
fn ours(at: &Path, images: &Images) -> f64 {
    let preparation = Preparation::of(Crop::Whole, SIDE);
    let album = Arc::new(Album::new(at, images.clone(), preparation, None).expect("whole pictures need no marks"));
    let order: Vec<usize> = (0..images.len()).collect();
    let pass = |_| {
        let clock = Instant::now();
        Loader::start(&album, &order, BATCH, WORKERS).for_each(|batch| drop(batch.expect("a batch")));
        images.len() as f64 / clock.elapsed().as_secs_f64()
    };
    let mut rates: Vec<f64> = (0..5).map(pass).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// SHA-256 of all pictures after each other, in the order of their keys.
fn contents(at: &Path, images: &Images) -> String {
    let source = PictureSource::open(at).expect("a RecordIO file");
    let mut hasher = Sha256::new();
    images.ids().for_each(|id| hasher.update(source.read(id).expect("a picture")));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the Python reader does with the same file: images a second, and the SHA-256 of its pictures.
fn peer(at: &Path) -> Option<(f64, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/records.py");
    let arguments = [SIDE, BATCH, WORKERS].map(|number| number.to_string());
    let output = Command::new(std::env::var_os("PYTHON")?).arg(script).arg(at).args(arguments).output().ok()?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (rate, digest) = text.lines().last()?.split_once(' ')?;
    Some((rate.parse().ok()?, digest.to_owned()))
}
