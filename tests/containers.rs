//! Data sets in containers: RecordIO, tar archives, pickles of pairs, typed as people type them.

use crate::desk::Desk;
use std::{fs, path::Path, process::Command};

const STUDY: &str = r#"format: 1
study: contained
seed: 1
datasets: { set: { folders: { root: data/set, identities: each_image } } }
preparations: { small: { crop: whole, size: 16 } }
evaluation: { dataset: set, labels: [{ file: labels.csv, attribute: round }] }
models: { named: { pixels: { baseline: pixels, prepare: small } } }
projections: [pca: { axes: 2 }]
comparisons: { round: { Round: "round", Not: "not round" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

/// Twelve pictures of three classes, and a study of them.
fn desk() -> Desk {
    let desk = Desk::empty();
    desk.succeed(&["data", "draw", "data/set", "--train", "textures", "--identities", "3", "--images", "12", "--quiet"]);
    desk.write("contained.yaml", STUDY.as_bytes());
    let labels = |ids: &[String]| {
        let rows = ids.iter().enumerate().map(|(place, id)| format!("{id},{}\n", u8::from(place % 2 == 0)));
        format!("image_id,round\n{}", rows.collect::<String>())
    };
    desk.write("labels.csv", labels(&pictures(&desk.path("data/set"))).as_bytes());
    let keys: Vec<String> = (1..=12).map(|key| format!("{key:08}")).collect();
    desk.write("keys.csv", labels(&keys).as_bytes());
    desk
}

/// Paths below a folder of folders, sorted.
fn pictures(root: &Path) -> Vec<String> {
    let names =
        |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let mut classes: Vec<String> = names(root);
    classes.retain(|class| root.join(class).is_dir());
    let mut paths: Vec<String> = classes
        .iter()
        .flat_map(|class| names(&root.join(class)).into_iter().map(|name: String| format!("{class}/{name}")).collect::<Vec<_>>())
        .collect();
    paths.sort();
    paths
}

fn to_run(desk: &Desk) -> u64 {
    let plan = desk.json(&["plan", "contained.yaml"]);
    plan["stages"].as_array().unwrap().iter().map(|of| of["to_run"].as_u64().unwrap()).sum()
}

#[test]
fn an_archive_of_archives_has_the_results_of_the_folders_it_would_unpack_to() {
    let desk = desk();
    desk.succeed(&["run", "contained.yaml", "--quiet"]);
    assert_eq!(to_run(&desk), 0);
    // As ImageNet is handed out: a tar of a tar a class.
    let set = desk.path("data/set");
    fs::create_dir(desk.path("tars")).unwrap();
    let tar = |archive: &Path, from: &Path, what: &[String]| {
        assert!(Command::new("tar").arg("-cf").arg(archive).arg("-C").arg(from).args(what).status().unwrap().success());
    };
    let mut classes: Vec<String> = pictures(&set).iter().map(|id| id.split_once('/').unwrap().0.to_owned()).collect();
    classes.dedup();
    for class in &classes {
        let own = set.join(class);
        let names: Vec<String> =
            fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        tar(&desk.path("tars").join(format!("{class}.tar")), &own, &names);
    }
    let archives: Vec<String> = classes.iter().map(|class| format!("{class}.tar")).collect();
    tar(&desk.path("data/set.tar"), &desk.path("tars"), &archives);
    fs::remove_dir_all(&set).unwrap();
    desk.edit("contained.yaml", "root: data/set,", "root: data/set.tar,");
    assert_eq!(to_run(&desk), 0, "ids and bytes are the same");
    // And its pictures are read where they stand.
    desk.edit("contained.yaml", "size: 16", "size: 24");
    desk.succeed(&["run", "contained.yaml", "--quiet"]);
    let found = desk.json(&["data", "check", "data/set.tar"]);
    assert_eq!((&found["kind"], &found["images"]), (&"folders".into(), &12.into()), "{found}");
    desk.succeed(&["data", "convert", "data/set.tar", "data/rec"]);
    assert_eq!(desk.json(&["data", "stats", "data/rec"])["classes"], 3);
}

#[test]
fn records_are_checked_converted_studied_and_audited() {
    let desk = desk();
    let made = desk.json(&["data", "convert", "data/set", "data/rec"]);
    assert_eq!((&made["to"], &made["images"], &made["classes"]), (&"recordio".into(), &12.into(), &3.into()), "{made}");
    desk.succeed(&["data", "convert", "data/rec", "data/again"]);
    let ids = pictures(&desk.path("data/set"));
    assert_eq!(pictures(&desk.path("data/again")), ids);
    for id in ids {
        let bytes = |root: &str| fs::read(desk.path(root).join(&id)).unwrap();
        assert!(bytes("data/again") == bytes("data/set"), "{id}");
    }
    let found = desk.json(&["data", "check", "data/rec"]);
    assert_eq!(
        (&found["kind"], &found["identities"], &found["defects"]),
        (&"recordio".into(), &3.into(), &serde_json::json!([]))
    );
    desk.edit("contained.yaml", "folders: { root: data/set, identities: each_image }", "recordio: { root: data/rec }");
    desk.edit("contained.yaml", "labels.csv", "keys.csv");
    desk.succeed(&["run", "contained.yaml", "--quiet"]);
    assert_eq!(to_run(&desk), 0);
    desk.succeed(&["report", "contained.yaml", "-o", "page.html", "--quiet"]);
    let audit = desk.visavis(&["audit", "page.html", "--recompute", "features"]);
    assert_eq!(audit.code, 0, "{}{}", audit.out, audit.err);
    // A picture that changed is named by its record, and the file is read anew.
    let rec = desk.path("data/rec/train.rec");
    let bytes = fs::read(&rec).unwrap();
    fs::write(&rec, &bytes[..bytes.len() - 10]).unwrap();
    let torn = desk.visavis(&["data", "check", "data/rec"]);
    assert_eq!(torn.code, 2, "{}{}", torn.out, torn.err);
    assert!(torn.out.contains("1 × torn-record") && torn.out.contains("train.rec, record 0"), "{}", torn.out);
    fs::write(&rec, &bytes[..bytes.len() / 2]).unwrap();
    let cut = desk.visavis(&["check", "contained.yaml"]);
    assert!(cut.code == 2 && cut.err.contains("begin behind the end of the file"), "{}{}", cut.out, cut.err);
}

#[test]
fn what_mxnet_wrote_and_pickled_pairs_are_checked_by_name() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let desk = Desk::empty();
    let check = |name: &str| desk.visavis(&["data", "check", fixtures.join(name).to_str().unwrap(), "--json"]);
    let told = |name: &str| serde_json::from_str::<serde_json::Value>(&check(name).out).unwrap();
    assert_eq!(told("recordio/insightface")["identities"], 3);
    assert_eq!(told("recordio/scanned/train.rec")["images"], 4);
    assert_eq!(told("recordio/parts")["attributes"], 2);
    assert_eq!(told("pairs/python2.bin")["images"], 6);
    let evil = check("pairs/calls.bin");
    assert!(evil.code == 2 && evil.err.contains("would call `posix.system`"), "{}{}", evil.out, evil.err);
}
