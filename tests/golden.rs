//! Golden digests, one a stage: bits that change without a raised code version orphan every stored result unseen.
//! A stage that is meant to give other bits gets a higher `Work::version`, and then a new digest here.

use crate::desk::{Desk, SMALL};
use std::{collections::BTreeMap, fs};
use visavis_core::{
    dataset::{Numbers, array},
    domain::{Digest, result::Manifest, stage::Training},
};

/// Of the digits sample: two given feature sets, three projections of none.
const DIGITS: [(&str, &str); 12] = [
    ("draw", "3ffb622b"),
    ("fairness", "de595519"),
    ("features", "5e660bcb"),
    ("grid", "d0eb91fe"),
    ("index", "412109a6"),
    ("project", "68d4a1ce"),
    ("quality", "8ddf12c8"),
    ("rank", "40e9b85d"),
    ("score", "b31026be"),
    ("space", "14aab19b"),
    ("steady", "0b300ed5"),
    ("subgroups", "e742b61a"),
];

/// Of networks that pretend.
const PRETENDED: [(&str, &str); 2] = [("extract", "d7ae48a4"), ("train", "046564f6")];

/// Of what such networks give for altered pictures.
const RETAINED: [(&str, &str); 2] = [("extract", "e8c67cbb"), ("retained", "7beeb956")];

/// Of drawn faces, what takes no network.
const DRAWN: [(&str, &str); 15] = [
    ("baseline", "98b89420"),
    ("draw", "f3b25c81"),
    ("explained", "0f9d8103"),
    ("grid", "6c80fc3d"),
    ("hashes", "ba019c8f"),
    ("index", "8b04cc19"),
    ("nuisances", "93c35641"),
    ("overlap", "1310a86b"),
    ("project", "6bc1f785"),
    ("quality", "4a431595"),
    ("rank", "a70a4dbe"),
    ("score", "0137f165"),
    ("space", "ff8a4749"),
    ("thumbnails", "44413acb"),
    ("verify", "6598769c"),
];

/// Of drawn faces on two crops: what of a face each leaves visible.
const CROPPED: [(&str, &str); 1] = [("visible", "48206db7")];

/// Of the digits sample, what only studies have that ask for it.
const ASKED: [(&str, &str); 2] = [("clicks", "82017774"), ("retrieval", "58ead3c5")];

/// Drawn faces themselves: their truth and one of their pictures.
const FACES: &str = "499317fc";

/// What a network of a tenth of the width learned in four epochs, and what it and an untrained one give.
const LEARNED: [(&str, f64); 5] = [
    ("extract trained embedding.npy", 0.217_304),
    ("extract trained layer2.npy", 0.434_718),
    ("extract untrained embedding.npy", 0.523_868),
    ("extract untrained layer2.npy", 0.363_706),
    ("train loss", 1.401_039),
];

/// The digest of all that each stage left in a workspace. One digest a stage, so that a change names the stage that changed.
fn left(desk: &Desk) -> Vec<(String, String)> {
    let mut contents: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for manifest in manifests(desk) {
        contents.entry(manifest.work.word().to_owned()).or_default().push(manifest.content().to_string());
    }
    let digest = |mut all: Vec<String>| {
        all.sort();
        Digest::of(all.concat().as_bytes()).short()
    };
    contents.into_iter().map(|(stage, all)| (stage, digest(all))).collect()
}

fn manifests(desk: &Desk) -> Vec<Manifest> {
    let files = fs::read_dir(desk.path("data/results")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn pinned(digests: &[(&str, &str)]) -> Vec<(String, String)> {
    digests.iter().map(|(stage, digest)| ((*stage).to_owned(), (*digest).to_owned())).collect()
}

#[test]
fn drawn_faces_and_what_takes_no_network_are_the_bits_they_were() {
    let desk = crate::networks::desk();
    crate::networks::without_libtorch(&desk);
    assert_eq!(left(&desk), pinned(&DRAWN));
    let mut bytes = fs::read(desk.path("data/faces/truth.json")).unwrap();
    bytes.extend(fs::read(desk.path("data/people/person0003/0002.jpg")).unwrap());
    assert_eq!(Digest::of(&bytes).short(), FACES);
}

#[test]
fn every_stage_gives_the_bits_it_gave() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", "experiments/small.yaml", "--quiet"]);
    assert_eq!(left(&desk), pinned(&DIGITS));
}

#[test]
fn what_is_looked_for_and_clicked_on_is_found_as_it_was() {
    let desk = Desk::with_digits();
    desk.write(
        "experiments/asked.yaml",
        (SMALL.to_owned() + "queries: { even: even }\nclicks: { clusters: 6, draws: 20 }\n").as_bytes(),
    );
    desk.succeed(&["run", "experiments/asked.yaml", "--quiet"]);
    let found = left(&desk).into_iter().filter(|(stage, _)| matches!(stage.as_str(), "clicks" | "retrieval")).collect::<Vec<_>>();
    assert_eq!(found, pinned(&ASKED));
}

#[test]
fn networks_that_pretend_give_the_bits_they_gave() {
    let desk = Desk::with_pretence();
    desk.succeed(&["run", "experiments/micro.yaml", "--quiet"]);
    let found = left(&desk).into_iter().filter(|(stage, _)| matches!(stage.as_str(), "train" | "extract")).collect::<Vec<_>>();
    assert_eq!(found, pinned(&PRETENDED));
}

#[test]
fn what_altered_pictures_retain_is_the_bits_it_was() {
    let desk = Desk::with_pretence();
    desk.edit("experiments/micro.yaml", "selection:", "alterations: [patch_shuffled, grey]\nselection:");
    desk.succeed(&["run", "experiments/micro.yaml", "--quiet"]);
    let found = left(&desk).into_iter().filter(|(stage, _)| matches!(stage.as_str(), "retained" | "extract")).collect::<Vec<_>>();
    assert_eq!(found, pinned(&RETAINED));
}

#[test]
fn what_crops_leave_visible_is_the_bits_it_was() {
    let desk = crate::crops::desk();
    desk.succeed(&["run", crate::crops::ALIGNED, "--quiet"]);
    let found = left(&desk).into_iter().filter(|(stage, _)| stage == "visible").collect::<Vec<_>>();
    assert_eq!(found, pinned(&CROPPED));
}

/// libtorch's last bits are the processor's, so what networks learn and give is pinned as numbers: within a thousandth, where
/// another order of pictures, other mirroring or other first weights move them by hundredths. Training is short and slow, on larger
/// pictures: where a few steps are large, or deviations are taken over few values, last bits soon are hundredths.
#[test]
fn networks_learn_what_they_learned_and_give_what_they_gave() {
    let desk = crate::networks::desk();
    for (usual, here) in [("epochs: 4", "epochs: 1"), ("rate: 0.05", "rate: 0.001"), ("size: 32", "size: 64")] {
        desk.edit(crate::networks::STUDY, usual, here);
    }
    desk.succeed(&["run", crate::networks::STUDY, "--quiet"]);
    let object = |digest: &Digest| {
        let name = digest.to_string();
        fs::read(desk.path(&format!("data/objects/{}/{}", &name[..2], &name[2..]))).unwrap()
    };
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    for manifest in manifests(&desk) {
        let stage = manifest.work.word();
        let name = if manifest.inputs.iter().any(|input| input.role == "weights") { "trained" } else { "untrained" };
        for output in manifest.outputs.iter().filter(|_| matches!(stage, "train" | "extract")) {
            let bytes = object(&output.digest);
            if output.name == Training::CURVES {
                let curves: BTreeMap<String, Vec<f64>> = serde_json::from_slice(&bytes).unwrap();
                found.insert("train loss".to_owned(), *curves["loss"].last().unwrap());
            } else if output.name.ends_with(".npy") {
                let features = array::from_npy(&bytes, output.name.as_ref()).unwrap();
                let all = (0..features.rows()).flat_map(|row| features.row(row));
                let mean = all.map(|of| f64::from(*of).abs()).sum::<f64>() / (features.rows() * features.columns()) as f64;
                found.insert(format!("extract {name} {}", output.name), mean);
            }
        }
    }
    let names = |of: &mut dyn Iterator<Item = &str>| of.map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&mut found.keys().map(String::as_str)), names(&mut LEARNED.iter().map(|(name, _)| *name)), "{found:?}");
    for (name, was) in LEARNED {
        assert!((found[name] / was - 1.0).abs() < 1e-3, "{name} was {was} and is {}", found[name]);
    }
}

/// One digest a method, of coordinates and facts: on the digits sample and, on t-SNE's grid, on a cloud of 4,100.
const PROJECTIONS: [(&str, &str); 5] =
    [("pca", "21d77d18"), ("ica", "eb5b044a"), ("tsne", "2e60fd58"), ("umap", "6415950d"), ("tsne many", "8511860b")];

/// The same on every machine; `make projections` prints such digests with fewer instructions and other threads.
#[test]
fn every_projection_gives_the_bits_it_gave() {
    use visavis_core::{
        domain::projection::Metric,
        numeric::{Matrix, PhiloxStream},
        projection::{self, ProjectionInput},
    };
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/pixels.npy");
    let bytes = fs::read(&file).unwrap();
    let digits = Numbers::of_npy(&bytes, &file).unwrap().in_single();
    let mut stream = PhiloxStream::for_test(4, 4);
    let cloud = Matrix::new(4100, 5, (0..4100 * 5).map(|_| stream.uniform() as f32).collect()).unwrap();
    let tsne = projection::current("tsne").with("perplexity", 10.0);
    let all = [
        ("pca", projection::current("pca").with("axes", 10), &digits),
        ("ica", projection::current("ica").with("axes", 10), &digits),
        ("tsne", tsne.clone(), &digits),
        ("umap", projection::current("umap").with("neighbors", 15).with("min_dist", 0.1).with("metric", Metric::Cosine), &digits),
        ("tsne many", tsne, &cloud),
    ];
    let found = all.map(|(word, method, features)| {
        let given = ProjectionInput::alone(features, 7);
        let projected = projection::project(&method, &given).unwrap();
        let facts: Vec<u8> = projected.facts.values().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let digest = Digest::of(&[array::to_npy(&projected.coordinates), facts].concat());
        (word, digest.short())
    });
    assert_eq!(found, PROJECTIONS.map(|(word, digest)| (word, digest.to_owned())));
}
