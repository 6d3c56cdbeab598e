//! What people do, from one end to the other.

use crate::desk::{Desk, Said};
use std::{collections::BTreeMap, fs};

const STUDY: &str = "experiments/small.yaml";

#[test]
fn a_second_run_runs_nothing_and_starts_no_worker() {
    let desk = Desk::with_digits();
    let (kinds, ran) = desk.ran(STUDY);
    assert_eq!(kinds, ["draw", "features", "index", "project", "rank", "score"]);
    assert!(ran > 15);
    let journals = fs::read_dir(desk.path("data/journals")).unwrap().count();
    assert_eq!(desk.ran(STUDY), (vec![], 0));
    assert_eq!(fs::read_dir(desk.path("data/journals")).unwrap().count(), journals, "a run of nothing writes no journal");
    let plan = desk.json(&["plan", STUDY]);
    assert!(plan["stages"].as_array().unwrap().iter().all(|stage| stage["to_run"] == 0 && stage["stored"] != 0), "{plan}");
}

/// How many stages of a kind the plan finds done.
fn stored(desk: &Desk) -> BTreeMap<String, u64> {
    let plan = desk.json(&["plan", STUDY]);
    let stages = plan["stages"].as_array().unwrap().iter();
    stages.map(|stage| (stage["kind"].as_str().unwrap().to_owned(), stage["stored"].as_u64().unwrap())).collect()
}

#[test]
fn a_changed_label_scores_ranks_and_draws_again_and_nothing_else() {
    let desk = Desk::with_digits();
    desk.ran(STUDY);
    desk.edit("data/digits/labels.csv", "0000.png,0,1", "0000.png,1,0");
    let kept = stored(&desk);
    let (kinds, ran) = desk.ran(STUDY);
    assert!(
        kinds.iter().all(|kind| ["score", "rank", "draw"].contains(&kind.as_str())) && kinds.contains(&"score".to_owned()),
        "{kinds:?}"
    );
    // Two models: three comparisons, their features, their groups and how faithful the projection is; the grid of all; of each figure
    // what it has beside it, and its subgroups. How many figures there are depends on who is in the classes, so they are counted: all
    // but the one of frequencies.
    let stored = stored(&desk);
    let figures = stored["draw"] - 1;
    assert!(figures >= 3);
    assert_eq!(stored["score"], 2 * (3 + 1 + 1 + 1) + 1 + 2 * figures);
    // Of ink there is no changed label, nor of how faithful the projections are.
    assert_eq!(kept["score"], 2 + 2, "{kept:?}");
    assert_eq!(ran, stored["score"] - kept["score"] + stored["rank"] + stored["draw"]);
    // And back: what was there is found again.
    desk.edit("data/digits/labels.csv", "0000.png,1,0", "0000.png,0,1");
    assert_eq!(desk.ran(STUDY).1, 0);
}

#[test]
fn every_experiment_of_this_repository_reads_well() {
    let desk = Desk::empty();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let name = format!("experiments/{}", file.file_name().unwrap().to_str().unwrap());
        desk.write(&name, &fs::read(&file).unwrap());
        assert!(desk.succeed(&["check", &name]).contains("reads well"), "{name}");
    }
}

#[test]
fn names_do_not_enter_keys() {
    let desk = Desk::with_digits();
    desk.ran(STUDY);
    desk.edit(STUDY, "study: small", "study: renamed");
    desk.edit(STUDY, "about: Do", "about: Whether");
    desk.edit(STUDY, "    pixels:", "    raw:");
    desk.edit(STUDY, "  zero or one:", "  nought or one:");
    assert_eq!(desk.ran(STUDY), (vec![], 0));
    // A class's name is in its picture.
    desk.edit(STUDY, "Zero:", "Nought:");
    assert_eq!(desk.ran(STUDY).0, ["draw"]);
}

#[test]
fn equal_labels_in_another_spelling_have_the_same_keys() {
    let desk = Desk::with_digits();
    desk.ran(STUDY);
    let text = desk.read("data/digits/labels.csv");
    let mut rows: Vec<Vec<String>> = text.lines().skip(1).map(|row| row.split(',').map(str::to_owned).collect()).collect();
    rows.reverse();
    rows.iter_mut().for_each(|row| row[2] = if row[2] == "1" { "1".into() } else { "-1".into() });
    let other: String = rows.iter().map(|row| row.join(",") + "\r\n").collect();
    desk.write("data/digits/labels.csv", format!("\u{feff}image_id,digit,even,bold,ink\r\n{other}").as_bytes());
    assert_eq!(desk.ran(STUDY), (vec![], 0));
}

#[test]
fn results_are_the_same_with_one_thread_and_with_two() {
    let contents = |threads: &str, jobs: &str| {
        let desk = Desk::with_digits();
        desk.succeed(&["run", STUDY, "--threads", threads, "--jobs", jobs, "--quiet"]);
        let shown = desk.json(&["show", STUDY]);
        let results = shown["results"].as_array().unwrap().clone();
        let content: BTreeMap<String, String> =
            results.iter().map(|r| (r["key"].as_str().unwrap().to_owned(), r["content"].as_str().unwrap().to_owned())).collect();
        desk.succeed(&["report", STUDY, "--quiet"]);
        content
    };
    let one = contents("1", "1");
    assert!(one.len() > 15);
    assert_eq!(one, contents("2", "1"));
    assert_eq!(one, contents("2", "2"));
}

#[test]
fn the_same_results_give_the_same_page() {
    let desk = Desk::with_digits();
    desk.ran(STUDY);
    desk.succeed(&["report", STUDY, "-o", "a.html"]);
    desk.succeed(&["report", STUDY, "-o", "b.html"]);
    assert_eq!(desk.read("a.html"), desk.read("b.html"));
}

#[test]
fn force_makes_every_result_again() {
    let desk = Desk::with_digits();
    let first = desk.ran(STUDY).1;
    let out = desk.succeed(&["run", STUDY, "--force", "--json"]);
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((last["ran"].as_u64(), last["stored"].as_u64()), (Some(first), Some(0)));
    assert_eq!(desk.ran(STUDY), (vec![], 0));
}

#[test]
fn only_runs_what_matches_and_what_it_needs() {
    let desk = Desk::with_digits();
    let out = desk.succeed(&["run", STUDY, "--only", "project pixels", "--json"]);
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(last["ran"], 3, "index, features, project");
    // A whole label is that stage alone, whatever other names hold its words.
    let out = desk.succeed(&["run", STUDY, "--only", "=score pixels · embedding · pca · zero or one", "--json"]);
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((last["ran"].as_u64(), last["stored"].as_u64()), (Some(1), Some(3)));
    assert_eq!(desk.visavis(&["run", STUDY, "--only", "=score pixels · embedding · pca"]).code, 2);
    let said = desk.visavis(&["run", STUDY, "--only", "nonsense"]);
    assert!(said.code == 2 && said.err.contains("no stage of the study matches `nonsense`"), "{}", said.err);
}

#[test]
fn exports_hold_what_was_found() {
    let desk = Desk::with_digits();
    desk.ran(STUDY);
    let scores = desk.succeed(&["export", STUDY, "--what", "scores"]);
    assert!(scores.starts_with(
        "model,layer,projection,view,comparison,score,value,low,high,n,positives,identities,seeds,ranked,reason,key,visible,visible_share\n"
    ));
    assert!(scores.contains("pixels,embedding,pca,axis 1,zero or one,monotone_auc,"));
    assert!(scores.contains("pixels,embedding,pca,axis 1,ink,spearman,"));
    let coordinates = desk.succeed(&["export", STUDY, "--what", "coordinates", "--model", "pixels"]);
    assert!(coordinates.starts_with("image,a1,a2,a3\n0000.png,") && coordinates.lines().count() == 701);
    let ledger = desk.succeed(&["export", STUDY, "--what", "ledger", "--format", "jsonl"]);
    let rows: Vec<serde_json::Value> = ledger.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len() as u64, desk.json(&["plan", STUDY])["cells"].as_u64().unwrap());
    assert!(rows.iter().all(|row| row["reason"].as_str().is_some_and(|reason| !reason.is_empty())));
    desk.succeed(&["export", STUDY, "--what", "scores", "--format", "parquet", "-o", "scores.parquet"]);
    let parquet = fs::read(desk.path("scores.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    desk.succeed(&["export", STUDY, "--what", "coordinates", "--model", "pixels", "--format", "npy", "-o", "x.npy"]);
    assert!(fs::read(desk.path("x.npy")).unwrap().starts_with(b"\x93NUMPY"));
    let said = desk.visavis(&["export", STUDY, "--what", "coordinates", "--model", "pixel"]);
    assert!(said.code == 2 && said.err.contains("did you mean `pixels`?"), "{}", said.err);
}

#[test]
fn a_new_workspace_has_a_study_that_reads_well() {
    let desk = Desk::empty();
    desk.succeed(&["init", "mine"]);
    let out = desk.succeed(&["plan", "mine/experiments/first.yaml"]);
    assert!(out.contains("missing:") && out.contains("mine/data/faces.csv"), "{out}");
    desk.write("mine/experiments/first.yaml", b"mine");
    desk.succeed(&["init", "mine"]);
    assert_eq!(desk.read("mine/experiments/first.yaml"), "mine", "what is there is left as it is");
}

#[test]
fn the_demo_runs_from_any_folder_and_audits_clean() {
    let desk = Desk::empty();
    desk.succeed(&["demo", "--digits", "--quiet"]);
    let audit = desk.json(&["audit", "reports/digits.html", "--recompute", "features"]);
    assert_eq!(
        (audit["verdict"].as_str(), audit["differs"].as_u64(), audit["unchecked"].as_u64()),
        (Some("identical"), Some(0), Some(0)),
        "{audit}"
    );
    assert!(fs::metadata(desk.path("reports/digits.html")).unwrap().len() < 3_000_000);
    crate::screens::pictures_are_true(&desk);
}

#[test]
fn the_source_study_names_all_it_waits_for() {
    let desk = Desk::empty();
    let study = format!("{}/experiments/face-attributes.yaml", env!("CARGO_MANIFEST_DIR"));
    let without_torch = |arguments: &[&str]| {
        let output = desk.command(arguments).env("VISAVIS_TORCH", "/nowhere").output().unwrap();
        Said::from(output)
    };
    let plan: serde_json::Value = serde_json::from_str(&without_torch(&["plan", &study, "--json"]).out).unwrap();
    assert_eq!(plan["cells"], 13 * 5 * 24 * 14);
    assert_eq!(plan["waiting"], plan["cells"]);
    let missing: Vec<&str> = plan["missing"].as_array().unwrap().iter().map(|m| m["input"].as_str().unwrap()).collect();
    for input in ["celeba", "labels of `race`", "training set `vggface2`", "weights of irse50-arcface-emore", "visavis-torch"] {
        assert!(missing.iter().any(|missing| missing.contains(input)), "{input} is not among {missing:?}");
    }
    assert_eq!(desk.visavis(&["check", &study]).code, 0, "missing inputs are no mistake");
    assert_eq!(without_torch(&["run", &study]).code, 5);
}

#[test]
fn status_tells_what_became_of_the_latest_run() {
    let desk = Desk::with_digits();
    assert!(desk.succeed(&["status"]).contains("nothing was run"));
    let ran = desk.ran(STUDY).1;
    let status = desk.json(&["status"]);
    assert_eq!(
        (status["study"].as_str(), status["jobs"]["done"].as_u64(), status["jobs"]["running"].as_u64()),
        (Some("small"), Some(ran), Some(0))
    );
}
