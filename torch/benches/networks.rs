//! How fast pictures are loaded and features made, beside PyTorch (torchvision, DataLoader, Pillow, two workers), in one run:
//! `make bench`; PYTHON names a Python with torch 2.11 and torchvision 0.26.
//!
//! The limit of features is the forward pass alone, on pictures that are prepared already. torchvision's ResNet-34 and ResNet-50 at 112
//! pixels, and ResNet-50 at 224; batches of 32, single precision, drawn textures; images a second, medians of several runs; on a card
//! where there is one.

use std::{path::Path, process::Command, sync::Arc, time::Instant};
use tch::{Device, Tensor};
use visavis_core::{
    dataset::{Album, DigestCache, Loader, faces, list_pictures},
    domain::{
        Digest, Result,
        image::Images,
        model::{Architecture, WeightFamily},
        stage::{Extraction, Input, Location, Task, Work},
        study::{Crop, DeviceClass, Numerics, Precision, Preparation},
    },
    stages::Inputs,
    weights::families,
};
use visavis_torch::{
    device, extraction,
    feed::Scaler,
    network::{Mode, TorchNetwork},
    parameters::Parameters,
};

const PICTURES: usize = 960;
/// Architecture, pixels a side, and pictures of which features are made on a processor.
const NETWORKS: [(&str, usize, usize); 3] = [("resnet34", 112, 320), ("resnet50", 112, 320), ("resnet50", 224, 128)];
const BATCH: usize = 32;

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Images a second of work on so many.
fn rate(images: usize, turns: usize, mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let clock = Instant::now();
        work();
        images as f64 / clock.elapsed().as_secs_f64()
    };
    median((0..turns).map(once).collect())
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pictures = folder.path().join("pictures");
    let request = faces::Request { kind: faces::DrawnKind::Textures, people: 24, images: PICTURES, seed: 1 };
    faces::draw(&pictures, &request).expect("pictures are drawn");
    let images = list_pictures(&pictures, &mut DigestCache::none()).expect("they are listed");
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(2);
    tch::set_num_threads(threads as i32);
    let mut devices = vec![("cpu", Device::Cpu)];
    match device::open("cuda") {
        Ok(card) => devices.push(("cuda", card)),
        Err(fault) => println!("features on a card: not measured ({})", fault.what),
    }
    for (place, (word, size, of_features)) in NETWORKS.into_iter().enumerate() {
        let preparation = Preparation::of(Crop::Whole, size);
        let peer = peer(&pictures, word, size, of_features);
        if place == 0 {
            let album = album(&pictures, &images, &preparation);
            let order: Vec<usize> = (0..PICTURES).collect();
            let loader = rate(PICTURES, 5, || {
                Loader::start(&album, &order, BATCH, threads).for_each(|batch| drop(batch.expect("a batch")));
            });
            say("loader", loader, &[("PyTorch's DataLoader", peer.map(|peer| peer[0]), 3.0)]);
        }
        for (name, device) in &devices {
            let few = if *name == "cpu" { of_features } else { PICTURES };
            let few = Images(images.0[..few].to_vec());
            let (forward, whole) = features(&pictures, &few, (word, &preparation), (name, *device), threads);
            let mut peers = vec![("its forward pass alone", Some(forward), 0.95)];
            if *name == "cpu" {
                peers.push(("a PyTorch script", peer.map(|peer| peer[1]), 1.15));
            }
            say(&format!("{word} at {size}, {name}"), whole, &peers);
        }
        if let Some([_, _, forward]) = peer {
            println!("  (PyTorch's forward pass alone: {forward:.1} images/s)");
        }
    }
}

fn album(pictures: &Path, images: &Images, preparation: &Preparation) -> Arc<Album> {
    let album = Album::new(pictures, images.clone(), preparation.clone(), None);
    Arc::new(album.expect("whole pictures need no marks"))
}

/// Images a second: the forward pass alone, and features from files, turn by turn, so that what else the machine does meets both.
fn features(
    pictures: &Path,
    images: &Images,
    (word, preparation): (&str, &Preparation),
    (name, device): (&str, Device),
    threads: usize,
) -> (f64, f64) {
    let architecture = Architecture { word: word.into(), width: 1.0 };
    let family = WeightFamily::of("torchvision");
    let work = Work::Extract(Extraction {
        alteration: None,
        embedding: Default::default(),
        architecture: architecture.clone(),
        preparation: preparation.clone(),
        layers: families::layers_of(word, &family).iter().map(|layer| (*layer).to_owned()).collect(),
        family: family.clone(),
        untrained: Some(1),
        numerics: Numerics {
            device: DeviceClass::of_word(name).expect("a class of devices"),
            precision: Precision::Single,
            threads: None,
        },
        whole: None,
    });
    let listing = images.to_text().into_bytes();
    let input = Input { role: "images".into(), digest: Digest::of(&listing), at: Location::Pictures(pictures.to_owned()) };
    let task = Task { work: work.clone(), inputs: vec![input] };
    let read = |_: &Input| -> Result<Vec<u8>> { Ok(listing.clone()) };
    let Work::Extract(of) = &work else { unreachable!("made above") };
    let inputs = Inputs::new(&task, &read);
    let reader = extraction::FeatureReader::open(of, &inputs, device, &()).expect("a network");

    // The same pictures, prepared, through the same network: nothing else is left to do.
    let parameters = Parameters::draw(&architecture, &family, 1, device).expect("weights");
    let network = TorchNetwork::new(&architecture, &family, &parameters).expect("a network").folded();
    let scaler = Scaler::new(preparation, Precision::Single, device);
    let album = album(pictures, images, preparation);
    let order: Vec<usize> = (0..images.0.len()).collect();
    let side = preparation.size as i64;
    let ready: Vec<Tensor> = Loader::start(&album, &order, BATCH, threads)
        .map(|batch| Tensor::from_slice(&batch.expect("a batch").pixels).reshape([-1, 3, side, side]))
        .collect();
    let whole = || drop(reader.read(&album, threads, &()).expect("features"));
    let forward = || {
        for pixels in &ready {
            let layers = tch::no_grad(|| network.layers(&scaler.scaled(pixels), Mode::IsRead));
            layers.into_iter().for_each(|layer| drop(layer.to_device(Device::Cpu)));
        }
    };
    let (mut forwards, mut wholes) = (vec![], vec![]);
    for _ in 0..if name == "cpu" { 3 } else { 7 } {
        forwards.push(rate(images.0.len(), 1, forward));
        wholes.push(rate(images.0.len(), 1, whole));
    }
    (median(forwards), median(wholes))
}

fn say(what: &str, ours: f64, peers: &[(&str, Option<f64>, f64)]) {
    println!("{what:22} {ours:9.1} images/s");
    for (peer, rate, asked) in peers {
        match rate {
            Some(rate) => println!("  {peer:26} {rate:9.1} images/s   {:5.2} ×   (asked: {asked})", ours / rate),
            None => println!("  {peer:26} not measured: PYTHON names no Python with torch and torchvision"),
        }
    }
}

/// What PyTorch does on the same pictures: loader, features, forward pass alone.
fn peer(pictures: &Path, word: &str, size: usize, of_features: usize) -> Option<[f64; 3]> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.py");
    let numbers = [size, of_features].map(|number| number.to_string());
    let output = Command::new(std::env::var_os("PYTHON")?).arg(script).arg(pictures).arg(word).args(numbers).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.lines().last()?.split_whitespace().map(|number| number.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}
