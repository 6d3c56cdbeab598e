//! Labels that people bring: of annotators in files, in names of pictures, in tables of other sets; counted, drawn and written as tables.

use crate::desk::Desk;
use std::fs;

const STUDY: &str = r#"format: 1
study: brought
seed: 1
datasets: { set: { SET } }
preparations: { small: { crop: whole, size: 16 } }
evaluation: { dataset: set LABELS }
models: { named: { pixels: { baseline: pixels, prepare: small } } }
projections: [pca: { axes: 2 }]
comparisons: { gender: { Male: "gender=Male", Female: "gender=Female" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

/// Pictures in one folder, under these names.
fn with_pictures(names: &[String]) -> Desk {
    let desk = Desk::empty();
    let n = names.len().to_string();
    desk.succeed(&["data", "draw", "drawn", "--train", "textures", "--identities", "1", "--images", &n, "--quiet"]);
    let class = fs::read_dir(desk.path("drawn")).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    fs::create_dir(desk.path("set")).unwrap();
    for (from, name) in fs::read_dir(class).unwrap().zip(names) {
        fs::copy(from.unwrap().path(), desk.path("set").join(name)).unwrap();
    }
    desk
}

fn study(set: &str, labels: &str) -> Vec<u8> {
    STUDY.replace("SET", set).replace("LABELS", labels).into_bytes()
}

#[test]
fn check_tells_how_far_annotators_in_files_agree() {
    let names: Vec<String> = (0..60).map(|i| format!("{i:02}.jpg")).collect();
    let desk = with_pictures(&names);
    let of = |female: &dyn Fn(usize) -> bool| {
        let rows = names.iter().enumerate().map(|(i, name)| format!("{name},{}\n", if female(i) { "Female" } else { "Male" }));
        format!("image_id,gender\n{}", rows.collect::<String>())
    };
    desk.write("anna.csv", of(&|i| i % 2 == 0).as_bytes());
    desk.write("ben.csv", of(&|i| i % 2 == 0 || i % 4 == 1).as_bytes());
    let labels = ", labels: [{ file: anna.csv, attribute: gender, annotator: anna }, \
                  { file: ben.csv, attribute: gender, annotator: ben, rule: first }]";
    desk.write("brought.yaml", &study("images: { root: set, identities: each_image }", labels));
    let said = desk.visavis(&["check", "brought.yaml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    // By hand from Fleiss, Cohen and Everitt (1969), for the table 30, 0, 15, 15.
    assert!(said.err.contains("anna and ben agree on 45 of 60 images; Cohen's κ 0.500 (0.310–0.690)"), "{}", said.err);
    assert!(said.err.contains("60 of 60 labelled images have a label by the rule `first`"), "{}", said.err);
}

#[test]
fn names_of_utkface_are_labels_and_malformed_ones_are_told() {
    let mut names: Vec<String> =
        (0..20).map(|i| format!("{}_{}_{}_2017011616{i:07}.jpg.chip.jpg", 20 + i, i % 2, i % 5)).collect();
    names.push("39_1_20170116174525125.jpg.chip.jpg".to_owned());
    let desk = with_pictures(&names);
    desk.write("brought.yaml", &study("utkface: { root: set, identities: each_image }", ""));
    let said = desk.visavis(&["check", "brought.yaml"]);
    assert!(said.code == 0 && said.err.contains("1 × malformed-name"), "{}", said.err);
    assert!(said.err.contains("39_1_20170116174525125"), "{}", said.err);
    let checked = desk.visavis(&["data", "check", "set"]);
    assert!(checked.code == 2 && checked.out.contains("malformed-name"), "{}", checked.out);
    let stats = desk.json(&["data", "stats", "set"]);
    assert_eq!((stats["kind"].as_str(), stats["images"].as_u64()), (Some("utkface"), Some(21)), "{stats}");
    assert_eq!(stats["missing"]["race"]["count"], 1, "{stats}");
    desk.succeed(&["run", "brought.yaml", "--quiet"]);
}

#[test]
fn labels_are_written_as_csv_and_parquet_and_read_again() {
    let desk = Desk::empty();
    desk.succeed(&["data", "draw", "faces", "--identities", "20", "--images", "60", "--quiet"]);
    desk.succeed(&["data", "convert", "faces", "labels.csv"]);
    desk.succeed(&["data", "convert", "faces", "labels.parquet"]);
    let text = desk.read("labels.csv");
    assert!(text.starts_with("image_id,partition,identity,") && text.lines().count() == 61, "{}", &text[..200]);
    let (faces, table) =
        (desk.json(&["data", "stats", "faces"]), desk.json(&["data", "stats", "labels.csv", "--identities", "identity"]));
    // In the table the partition is a column like others.
    let pairs = |stats: &serde_json::Value| -> Vec<serde_json::Value> {
        let of_attributes =
            |pair: &&serde_json::Value| ["first", "second"].iter().all(|side| !pair[side].to_string().contains("partition"));
        stats["cooccurrence"].as_array().unwrap().iter().filter(of_attributes).cloned().collect()
    };
    assert_eq!(pairs(&faces), pairs(&table));
    assert_eq!(faces["sizes"], table["sizes"]);
    // A study cannot read Parquet, and says what to do.
    let said = desk.visavis(&["data", "check", "labels.parquet"]);
    assert!(said.code == 2 && said.err.contains("visavis data convert"), "{}", said.err);
    desk.succeed(&["data", "convert", "labels.parquet", "again.csv"]);
    let again = desk.json(&["data", "stats", "again.csv", "--identities", "identity"]);
    assert_eq!((&again["cooccurrence"], &again["frequencies"]), (&table["cooccurrence"], &table["frequencies"]));
    // A damaged file is refused.
    let mut bytes = fs::read(desk.path("labels.parquet")).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    desk.write("torn.parquet", &bytes);
    let said = desk.visavis(&["data", "convert", "torn.parquet", "torn.csv"]);
    assert!(said.code == 2 && !desk.path("torn.csv").exists(), "{} {}", said.code, said.err);
}

#[test]
fn stats_are_shown_in_eighty_columns_without_colour_and_drawn() {
    let desk = Desk::empty();
    desk.succeed(&["data", "draw", "faces", "--identities", "20", "--images", "60", "--quiet"]);
    let said = desk.visavis(&["data", "stats", "faces", "--figure", "stats.svg"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
    assert!(!said.out.contains('\u{1b}') && said.out.contains("the strongest pairs"), "{}", said.out);
    let drawn = desk.read("stats.svg");
    assert!(drawn.starts_with("<svg width=") && drawn.matches("<svg ").count() == 4 && drawn.contains("Wearing_Necktie"));
}
