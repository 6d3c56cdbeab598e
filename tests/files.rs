//! Outside files: what is believed of them between runs, and what is said of those that are not what they seem.

use crate::desk::Desk;
use std::{fs, path::Path, time::SystemTime};
use visavis::{dataset::array::to_npy, numeric::Matrix};

/// Forty images of two classes; their features tell the classes apart or not.
fn features(tell: bool) -> Vec<u8> {
    let value = |image: usize, column: usize| {
        let noise = ((image * 7 + column * 13) * 2_654_435_761 % 1000) as f32 / 1000.0;
        noise + if tell && column == 0 { 5.0 * (image % 2) as f32 } else { 0.0 }
    };
    let values = (0..40 * 3).map(|at| value(at / 3, at % 3)).collect();
    to_npy(&Matrix::new(40, 3, values).unwrap())
}

const GIVEN: &str = r#"format: 1
study: given
seed: 1
evaluation: { dataset: f }
datasets: { f: { images: { root: nopics, labels: labels.csv } } }
models: { named: { a: { features: { embedding: a.npy, images: rows.txt } } } }
projections: [pca: { axes: 1 }]
comparisons: { x: { A: "x", B: "not x" } }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
"#;

/// A study of given features, in this folder of the desk.
fn given(desk: &Desk, folder: &str, tell: bool) {
    let ids = |line: &dyn Fn(usize) -> String| (0..40).map(line).collect::<String>();
    desk.write(&format!("{folder}/given.yaml"), GIVEN.as_bytes());
    desk.write(&format!("{folder}/a.npy"), &features(tell));
    desk.write(&format!("{folder}/rows.txt"), ids(&|i| format!("{i:02}.png\n")).as_bytes());
    desk.write(
        &format!("{folder}/labels.csv"),
        ("image_id,x\n".to_owned() + &ids(&|i| format!("{i:02}.png,{}\n", i % 2))).as_bytes(),
    );
}

/// Sets the time of modification, as `touch -r`, `cp -p`, `rsync -t` and archives do.
fn set_modified(path: &Path, to: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(to).unwrap();
}

/// The scores of a study, as they are exported.
fn scores(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let out = desk.succeed(&[arguments, &["--what", "scores"]].concat());
    out.lines().filter(|line| line.contains("knn_auc,")).map(|line| line.split(',').nth(6).unwrap().to_owned()).collect()
}

#[test]
fn features_made_again_with_the_old_ones_size_and_time_are_read_again() {
    let desk = Desk::empty();
    given(&desk, ".", true);
    desk.succeed(&["run", "given.yaml", "-q"]);
    let told_apart = scores(&desk, &["export", "given.yaml"]);
    let path = desk.path("a.npy");
    // Long enough after its last writing for its digest to be kept.
    let kept = fs::metadata(&path).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2100));
    desk.succeed(&["plan", "given.yaml"]);
    assert!(desk.read("data/cache/digests.tsv").contains("a.npy"), "what was still for long is kept");
    fs::write(&path, features(false)).unwrap();
    set_modified(&path, kept);
    desk.succeed(&["run", "given.yaml", "-q"]);
    assert_ne!(scores(&desk, &["export", "given.yaml"]), told_apart);
}

#[test]
fn two_folders_with_the_same_relative_names_in_one_workspace_are_two() {
    let desk = Desk::empty();
    let archived = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(86_400 * 365 * 20);
    let mut found = Vec::new();
    fs::create_dir(desk.path("shared")).unwrap();
    for (folder, tell) in [("one", true), ("two", false), ("one", true)] {
        given(&desk, folder, tell);
        set_modified(&desk.path(&format!("{folder}/a.npy")), archived);
        let said = desk.command(&["--workspace", "../shared", "run", "given.yaml", "-q"]).current_dir(desk.path(folder)).output();
        assert!(said.unwrap().status.success());
        found.push(scores(&desk, &["--workspace", "shared", "export", &format!("{folder}/given.yaml")]));
    }
    assert!(found[0] != found[1] && found[0] == found[2], "{found:?}");
}

#[test]
fn results_name_files_from_the_root_of_the_workspace() {
    let desk = Desk::empty();
    given(&desk, "deep/er", true);
    let elsewhere = desk.command(&["--workspace", "../..", "run", "given.yaml", "-q"]).current_dir(desk.path("deep/er")).output();
    assert!(elsewhere.unwrap().status.success());
    // The audit is given in another folder than the run was: it finds the files all the same, and what became of them.
    let audit = |expected: i32| {
        let said = desk.visavis(&["audit", "deep/er/given.yaml", "--recompute", "features", "--json"]);
        assert_eq!(said.code, expected, "{}{}", said.out, said.err);
        serde_json::from_str::<serde_json::Value>(said.out.lines().last().unwrap()).unwrap()
    };
    assert_eq!(audit(0)["unchecked"], 0);
}
