//! Golden digests, one a stage kind: bits that change without a raised code version orphan every stored result unseen.
//! A stage that is meant to give other bits gets a higher `Kind::version`, and then a new digest here.

use crate::desk::Desk;
use std::collections::BTreeMap;

const GOLDEN: [(&str, &str); 6] = [
    ("index", "412109a6"),
    ("features", "60d0efce"),
    ("project", "68d4a1ce"),
    ("score", "65e77cb4"),
    ("rank", "98ec2526"),
    ("draw", "530e065d"),
];

/// Drawn faces, from their pictures to their verification, without a network.
const DRAWN: &str = "8dece7c3";

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
