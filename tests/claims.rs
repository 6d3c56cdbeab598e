//! Sentences that a study tests, what its axes and layers show, and groups that stand out in its figures; from the file to an audited page.

use crate::desk::Desk;
use std::collections::BTreeMap;
use visavis_core::numeric::{Matrix, PhiloxStream};

const STUDY: &str = "experiments/s.yaml";

/// 800 images of 400 people. Deep features tell old from young among women, and women from men; shallow ones tell women from men a little; other
/// features tell nothing. Nobody's tell glasses.
const TEXT: &str = r#"format: 1
study: s
seed: 3
datasets:
  faces: { images: { root: ../data/pictures, labels: ../data/l.csv, identities: { column: person } } }
evaluation: { dataset: faces }
models:
  named:
    knowing: { features: { shallow: ../data/shallow.npy, deep: ../data/deep.npy, images: ../data/rows.txt } }
    noise: { features: { deep: ../data/noise.npy, images: ../data/rows.txt } }
projections:
  - pca: { axes: 2, pairs: [[1, 2]] }
  - random_projection: { axes: 2 }
comparisons:
  sex: { Woman: "woman", Man: "not woman" }
  age: { Old: "old", Young: "not old" }
  glasses: { Glasses: "glasses", None: "not glasses" }
contrasts: { models: { pair: [noise, knowing] } }
claims:
  The knowing model tells women from men: { model: knowing, separates: sex }
  So does noise: { model: noise, separates: sex }
  Nobody tells glasses: { model: all, misses: glasses }
  Knowledge is higher: { contrast: models, higher: knowing, on: [sex, age] }
  Noise is higher: { contrast: models, higher: noise }
  Shallow features miss age: { model: knowing, misses: age, layer: shallow }
  PCA is better: { projection: pca, better_than: random_projection }
statistics: { bootstraps: 200, permutations: 100, min_positives: 20 }
selection: { show: 4 }
fairness: { groups: [woman, glasses], depth: 1 }
"#;

const N: usize = 800;

fn woman(i: usize) -> bool {
    (i / 2).is_multiple_of(2)
}

fn old(i: usize) -> bool {
    (i / 4).is_multiple_of(2)
}

fn glasses(i: usize) -> bool {
    (i / 8).is_multiple_of(2)
}

fn desk() -> Desk {
    let desk = Desk::empty();
    let id = |i: usize| format!("{i:04}.png");
    let yes = u8::from;
    let row = |i: usize| format!("{},{},{},{},p{}\n", id(i), yes(woman(i)), yes(old(i)), yes(glasses(i)), i / 2);
    desk.write("data/l.csv", format!("image_id,woman,old,glasses,person\n{}", (0..N).map(row).collect::<String>()).as_bytes());
    desk.write("data/rows.txt", (0..N).map(|i| id(i) + "\n").collect::<String>().as_bytes());
    let mut rng = PhiloxStream::for_test(5, 1);
    let mut array = |name: &str, sex: f64, age: f64| {
        let shift = |i: usize, column: usize| match column {
            0 if woman(i) => sex,
            1 if woman(i) && old(i) => age,
            _ => 0.0,
        };
        let values = (0..3 * N).map(|at| (rng.normals(1.0)[0] + shift(at / 3, at % 3)) as f32).collect();
        desk.write(name, &visavis_core::dataset::array::to_npy(&Matrix::new(N, 3, values).unwrap()));
    };
    array("data/shallow.npy", 1.0, 0.0);
    array("data/deep.npy", 4.0, 4.0);
    array("data/noise.npy", 0.0, 0.0);
    desk.write(STUDY, TEXT.as_bytes());
    desk
}

fn table(desk: &Desk, what: &str) -> Vec<BTreeMap<String, String>> {
    let text = desk.succeed(&["export", STUDY, "--what", what]);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn claims_are_supported_or_refuted_and_axes_layers_and_groups_are_named() {
    let desk = desk();
    desk.succeed(&["run", STUDY, "--quiet"]);
    let claims = table(&desk, "claims");
    let verdict = |sentence: &str| claims.iter().find(|row| row["claim"] == sentence).unwrap()["verdict"].clone();
    for (sentence, expected) in [
        ("The knowing model tells women from men", "supported"),
        ("So does noise", "refuted"),
        ("Nobody tells glasses", "supported"),
        ("Knowledge is higher", "supported"),
        ("Noise is higher", "refuted"),
        ("Shallow features miss age", "supported"),
        ("PCA is better", "inconclusive"),
    ] {
        assert_eq!(verdict(sentence), expected, "{sentence}: {claims:?}");
    }

    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/s.html");
    let text = page.split("<section id=\"axes\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(text.contains("is above chance on glasses"), "no model tells glasses");
    assert!(text.contains("layer by layer") && text.contains(" lower</td>"), "the shallow layer is lower\n{text}");
    let figures = page.split("<section id=\"figures\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(figures.contains("Separates better within sex: Woman"), "{figures}");
    let audited = desk.succeed(&["audit", "reports/s.html", "--recompute", "features"]);
    assert!(audited.contains("identical"), "{audited}");
}

#[test]
fn a_study_without_claims_has_none_to_export() {
    let desk = desk();
    let (before, after) = TEXT.split_once("claims:\n").unwrap();
    let (_, after) = after.split_once("statistics:").unwrap();
    desk.write(STUDY, format!("{before}statistics:{after}").as_bytes());
    let said = desk.visavis(&["export", STUDY, "--what", "claims"]);
    assert!(said.code != 0, "{}", said.out);
    desk.succeed(&["run", STUDY, "--quiet"]);
    let said = desk.visavis(&["export", STUDY, "--what", "claims"]);
    assert!(said.code == 2 && said.err.contains("the study claims nothing"), "{}", said.err);
}
