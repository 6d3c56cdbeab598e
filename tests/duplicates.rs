//! `data check --deep`: faults between pictures, in a set and between two.

use crate::desk::Desk;
use std::{fs, path::Path};

/// Folders of a folder, sorted.
fn folders(root: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| root.join(name).is_dir());
    names.sort();
    names
}

/// How often a kind of finding was found, among `defects` or `notes`.
fn count(found: &serde_json::Value, of: &str, word: &str) -> u64 {
    let all = found[of].as_array().unwrap();
    all.iter().find(|entry| entry["defect"] == word).map_or(0, |entry| entry["count"].as_u64().unwrap())
}

/// Training folders that share 50 pictures and 20 identities with an evaluation set.
#[test]
fn what_a_training_set_shares_with_the_evaluation_set_is_found_and_named() {
    let desk = Desk::empty();
    let draw = |set: &str, seed: &str| {
        let words =
            ["data", "draw", set, "--train", "textures", "--identities", "30", "--images", "120", "--seed", seed, "--quiet"];
        desk.succeed(&words);
    };
    draw("train", "1");
    draw("drawn", "2");
    // The evaluation set: other textures under names of its own, but for twenty; and fifty pictures of the training set.
    let (train, drawn) = (folders(&desk.path("train")), folders(&desk.path("drawn")));
    for (place, name) in drawn.iter().enumerate() {
        let called = if place < 20 { format!("person{place:02}") } else { format!("other{place:02}") };
        let to = desk.path(&format!("eval/{called}"));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(desk.path(&format!("drawn/{name}")), &to).unwrap();
    }
    for (place, name) in train.iter().enumerate() {
        let called = if place < 20 { format!("person{place:02}") } else { format!("else{place:02}") };
        fs::rename(desk.path(&format!("train/{name}")), desk.path(&format!("train/{called}"))).unwrap();
    }
    let mut copied = 0;
    for name in folders(&desk.path("train")) {
        let mut pictures: Vec<_> =
            fs::read_dir(desk.path(&format!("train/{name}"))).unwrap().map(|entry| entry.unwrap().path()).collect();
        pictures.sort();
        for picture in pictures.iter().take(2).take(50 - copied) {
            fs::copy(picture, desk.path(&format!("eval/other25/shared{copied:02}.jpg"))).unwrap();
            copied += 1;
        }
    }
    assert_eq!(copied, 50);
    let said = desk.visavis(&["data", "check", "train", "--deep", "--against", "eval", "--json"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(count(&found, "defects", "picture-in-both-sets"), 50);
    assert_eq!(count(&found, "notes", "identity-in-both-sets"), 20);
    let named = found["defects"].to_string() + &found["notes"].to_string();
    assert!(named.contains("other25/shared") && named.contains("`person00`"), "{named}");
    assert_eq!(found["deep"]["looked_at_before"], 0);
    // What was looked at is kept.
    let again: serde_json::Value =
        serde_json::from_str(&desk.visavis(&["data", "check", "train", "--deep", "--json"]).out).unwrap();
    assert_eq!(again["deep"]["looked_at_before"], 120);
}

#[test]
fn a_picture_under_two_identities_is_a_defect_and_one_that_only_looks_alike_a_note() {
    let desk = Desk::empty();
    let words = ["data", "draw", "set", "--train", "varied", "--identities", "4", "--images", "8", "--seed", "3", "--quiet"];
    desk.succeed(&words);
    let names = folders(&desk.path("set"));
    let picture = |name: &str| {
        let mut all: Vec<_> =
            fs::read_dir(desk.path(&format!("set/{name}"))).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all.remove(0)
    };
    let clean = desk.visavis(&["data", "check", "set", "--deep", "--json"]);
    assert_eq!(clean.code, 0, "{}{}", clean.out, clean.err);
    let original = image::open(picture(&names[0])).unwrap();
    original.save(desk.path(&format!("set/{}/again.png", names[1]))).unwrap();
    let near: serde_json::Value = serde_json::from_str(&desk.succeed(&["data", "check", "set", "--deep", "--json"])).unwrap();
    assert_eq!(count(&near, "notes", "near-duplicate-two-identities"), 1, "{near}");
    fs::copy(picture(&names[2]), desk.path(&format!("set/{}/same.jpg", names[3]))).unwrap();
    let said = desk.visavis(&["data", "check", "set", "--deep"]);
    assert_eq!(said.code, 2);
    let lines =
        ["same-picture-two-identities", &format!("`{}/same.jpg` of `{}`; this one is of `{}`", names[3], names[3], names[2])];
    assert!(lines.iter().all(|line| said.out.contains(line)), "{}", said.out);
}
