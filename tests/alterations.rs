//! Studies that alter the pictures of their networks, from the file to an audited page.

use crate::desk::{Desk, needs_beside};
use std::collections::{BTreeMap, BTreeSet};

fn retained(desk: &Desk, study: &str) -> Vec<BTreeMap<String, String>> {
    let text = desk.succeed(&["export", study, "--what", "retained"]);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn words<'a>(rows: &'a [BTreeMap<String, String>], column: &str) -> BTreeSet<&'a str> {
    rows.iter().map(|row| row[column].as_str()).collect()
}

#[test]
fn networks_that_pretend_are_shown_altered_pictures_too() {
    const STUDY: &str = "experiments/micro.yaml";
    let desk = Desk::with_pretence();
    let said = desk.visavis(&["export", STUDY, "--what", "retained"]);
    assert!(said.code != 0 && said.err.contains("the study alters no pictures"), "{}", said.err);
    desk.succeed(&["run", STUDY, "--quiet"]);
    let before = desk.json(&["plan", STUDY])["to_run"].as_u64();
    desk.edit(STUDY, "selection:", "alterations: [patch_shuffled, grey]\nselection:");
    desk.succeed(&["run", STUDY, "--quiet"]);
    assert_eq!(desk.json(&["plan", STUDY])["to_run"].as_u64(), before, "nothing is left to do");
    let rows = retained(&desk, STUDY);
    assert_eq!(words(&rows, "alteration"), ["edge_artefact", "grey", "patch_shuffled"].into(), "the control comes with them");
    assert_eq!(rows.len(), 4 * 2 * 2 * 3, "models, layers, comparisons, alterations");
    // Some of so many intervals are clear of chance by chance.
    assert!(rows.iter().all(|row| row["nothing_to_retain"].is_empty() != row["retained"].is_empty()), "{rows:?}");
    let nothing = rows.iter().filter(|row| !row["nothing_to_retain"].is_empty()).count();
    assert!(nothing > rows.len() / 2, "{rows:?}");
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/micro.html");
    assert!(page.contains("What each model attends to") && page.contains("patches shuffled"));
    desk.succeed(&["audit", "reports/micro.html", "--recompute", "features"]);
}

const LOOKS: &str = r#"format: 1
study: looks
seed: 3
numerics: { device: cpu, threads: 1 }
datasets: { faces: { celeba: { root: ../data/faces } } }
preparations:
  whole: { crop: whole, size: 32, scale: symmetric }
evaluation: { dataset: faces, partition: all }
models:
  named:
    untrained: { baseline: untrained, architecture: { resnet34: { width: 0.1 } }, prepare: whole }
    wider: { baseline: untrained, architecture: { resnet34: { width: 0.2 } }, prepare: whole }
    pixels: { baseline: pixels, prepare: whole }
layers: [embedding]
projections: [pca: { axes: 2 }]
comparisons:
  smile: { Smiling: "Smiling", Not: "not Smiling" }
  shirt: { Male: "Male", Not: "not Male" }
alterations: [hue_turned, blurred, patch_shuffled, background_masked]
contrasts: { widths: { pair: [untrained, wider] }, pixels: { pair: [untrained, pixels] } }
claims:
  Networks that learned nothing attend to colour: { model: [untrained, wider], attends_to: colour }
  A wider one attends to it more: { contrast: widths, higher: wider, attends_to: colour }
  Pixels attend to it: { model: pixels, attends_to: colour }
statistics: { bootstraps: 50, permutations: 20, min_positives: 2 }
"#;

#[test]
fn a_network_is_run_on_altered_pictures_with_the_head_where_the_landmarks_are() {
    const STUDY: &str = "experiments/looks.yaml";
    needs_beside("visavis-torch");
    let desk = Desk::empty();
    desk.write(STUDY, LOOKS.as_bytes());
    desk.succeed(&["data", "draw", "data/faces", "--identities", "60", "--images", "120", "--quiet"]);
    let said = desk.visavis(&["check", STUDY]);
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("pictures are altered for networks alone, so not for `pixels`"), "{told}");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let rows = retained(&desk, STUDY);
    assert_eq!(words(&rows, "model"), ["untrained", "wider"].into());
    assert_eq!(words(&rows, "alteration").len(), 5);
    let altered = rows.iter().filter(|row| row["altered_auc"] != row["auc"]).count();
    assert!(altered > rows.len() / 2, "features of altered pictures are others: {rows:?}");
    // Networks that learned nothing know nothing to lose; who is asked, and who is not altered, is said all the same.
    let claims = desk.succeed(&["export", STUDY, "--what", "claims"]);
    assert_eq!(claims.matches(",inconclusive,").count(), 7, "{claims}");
    assert!(claims.lines().any(|line| line.starts_with("Pixels attend to it,inconclusive,pixels,,inconclusive")), "{claims}");
    let results = desk.succeed(&["show", STUDY, "--results"]);
    assert!(results.contains("contrasts · altered pictures"), "{results}");
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/looks.html");
    // A page of drawn faces can be rendered from what it carries.
    assert!(page.contains("\"is_whole\":true"));
    desk.succeed(&["audit", "reports/looks.html", "--quick"]);
    assert!(page.contains("placed by the landmarks of the face") && page.contains("not altered: "));
    desk.succeed(&["audit", "reports/looks.html", "--recompute", "features"]);
}
