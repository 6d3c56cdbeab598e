//! Golden digests, one a stage kind: bits that change without a raised code version orphan every stored result unseen.
//! A stage that is meant to give other bits gets a higher `Kind::version`, and then a new digest here.

use crate::desk::Desk;
use std::collections::BTreeMap;

const GOLDEN: [(&str, &str); 6] = [
    ("index", "412109a6"),
    ("features", "60d0efce"),
    ("project", "68d4a1ce"),
    ("score", "7ea5fc6d"),
    ("rank", "9e4bfaff"),
    ("draw", "530e065d"),
];

/// Drawn faces, from their pictures to their verification, without a network.
const DRAWN: &str = "bab52618";

#[test]
fn drawn_faces_and_what_takes_no_network_are_the_bits_they_were() {
    let desk = crate::networks::desk();
    crate::networks::without_libtorch(&desk);
    let shown = desk.json(&["show", crate::networks::STUDY]);
    let contents: Vec<&str> =
        shown["results"].as_array().unwrap().iter().map(|result| result["content"].as_str().unwrap()).collect();
    assert!(contents.len() > 4);
    let mut bytes = contents.concat().into_bytes();
    bytes.extend(std::fs::read(desk.path("data/faces/truth.json")).unwrap());
    bytes.extend(std::fs::read(desk.path("data/people/person0003/0002.jpg")).unwrap());
    assert_eq!(visavis::domain::Digest::of(&bytes).short(), DRAWN);
}

#[test]
fn every_stage_gives_the_bits_it_gave() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", "experiments/small.yaml", "--quiet"]);
    let shown = desk.json(&["show", "experiments/small.yaml"]);
    let mut contents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for result in shown["results"].as_array().unwrap() {
        let kind = result["kind"].as_str().unwrap().to_owned();
        contents.entry(kind).or_default().extend(result["content"].as_str().unwrap().bytes());
    }
    let found: Vec<(String, String)> =
        contents.iter().map(|(kind, all)| (kind.clone(), visavis::domain::Digest::of(all).short())).collect();
    let mut golden = GOLDEN.map(|(kind, digest)| (kind.to_owned(), digest.to_owned())).to_vec();
    golden.sort();
    assert_eq!(found, golden);
}

/// One digest a method, of coordinates and facts: on the digits sample and, on t-SNE's grid, on a cloud of 4,100.
const PROJECTIONS: [(&str, &str); 5] =
    [("pca", "21d77d18"), ("ica", "be07dbb9"), ("tsne", "9418c716"), ("umap", "d8dfd5ef"), ("tsne many", "33afba42")];

/// The same on every machine; `make projections` prints such digests with fewer instructions and other threads.
#[test]
fn every_projection_gives_the_bits_it_gave() {
    use visavis::{
        dataset::array,
        domain::projection::{Method, Metric},
        numeric::{Matrix, Stream},
        projection::{self, Given},
    };
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/pixels.npy");
    let digits = array::from_npy(&std::fs::read(&file).unwrap(), &file).unwrap();
    let mut stream = Stream::new(4, 4);
    let cloud = Matrix::new(4100, 5, (0..4100 * 5).map(|_| stream.uniform() as f32).collect()).unwrap();
    let tsne = Method::Tsne { perplexity: 10.0, metric: Metric::Euclidean };
    let all = [
        ("pca", Method::Pca { axes: 10 }, &digits),
        ("ica", Method::Ica { axes: 10 }, &digits),
        ("tsne", tsne.clone(), &digits),
        ("umap", Method::Umap { neighbors: 15, min_dist: 0.1, metric: Metric::Cosine }, &digits),
        ("tsne many", tsne, &cloud),
    ];
    let found = all.map(|(word, method, features)| {
        let given = Given { features, seed: 7, graphs: &(), watch: &(), name: &projection::numbered };
        let projected = projection::project(&method, &given).unwrap();
        let facts: Vec<u8> = projected.facts.values().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let digest = visavis::domain::Digest::of(&[array::to_npy(&projected.coordinates), facts].concat());
        (word, digest.short())
    });
    assert_eq!(found, PROJECTIONS.map(|(word, digest)| (word, digest.to_owned())));
}
