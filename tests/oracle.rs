//! Beside the peers: PCA and scores against scikit-learn and a plain bootstrap, on the digits sample. The fixture is
//! written by `tests/oracle.py`; `make oracle` prints the table.

use crate::desk::Desk;
use std::collections::BTreeMap;

/// view → score → (value, low, high) of one model and comparison.
type Found = BTreeMap<(String, String), (f64, f64, f64)>;

fn found(desk: &Desk, model: &str, comparison: &str) -> Found {
    let table = desk.succeed(&["export", "experiments/digits.yaml", "--what", "scores", "--format", "jsonl"]);
    let rows = table.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let wanted = rows.filter(|row| row["model"] == model && row["comparison"] == comparison && row["projection"] == "pca");
    let number = |row: &serde_json::Value, name: &str| row[name].as_f64().unwrap();
    let entry = |row: serde_json::Value| {
        let place = (row["view"].as_str().unwrap().to_owned(), row["score"].as_str().unwrap().to_owned());
        (place, (number(&row, "value"), number(&row, "low"), number(&row, "high")))
    };
    wanted.map(entry).collect()
}

#[test]
fn pca_and_scores_agree_with_scikit_learn_and_a_plain_bootstrap() {
    let fixture: serde_json::Value = serde_json::from_str(include_str!("fixtures/oracle.json")).unwrap();
    let desk = Desk::empty();
    desk.succeed(&["demo", "--digits", "--quiet"]);
    println!("model   axis  AUC      peer     low      peer     high     peer     coordinates off");
    for model in ["pixels", "blocks", "noisy"] {
        let peer = &fixture[model];
        let of = |list: &str, axis: usize| {
            peer[list][axis].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>()
        };
        let coordinates = desk.succeed(&[
            "export",
            "experiments/digits.yaml",
            "--what",
            "coordinates",
            "--projection",
            "pca",
            "--model",
            model,
        ]);
        let rows: Vec<Vec<f64>> = coordinates
            .lines()
            .skip(1)
            .take(20)
            .map(|row| row.split(',').skip(1).map(|x| x.parse().unwrap()).collect())
            .collect();
        let [pair, ink, even] = ["zero or one", "ink", "even or odd"].map(|comparison| found(&desk, model, comparison));
        for axis in 0..10 {
            let own: Vec<f64> = rows.iter().map(|row| row[axis]).collect();
            let theirs: Vec<f64> = (0..20).map(|row| peer["rows"][row][axis].as_f64().unwrap()).collect();
            // Up to sign, and to f32.
            let sign = if own[0] * theirs[0] < 0.0 { -1.0 } else { 1.0 };
            let scale = peer["sizes"][axis].as_f64().unwrap() / 700.0;
            let off = own.iter().zip(&theirs).map(|(a, b)| (a - sign * b).abs() / scale).fold(0.0, f64::max);
            assert!(off < 1e-4, "{model} axis {}: off by {off}", axis + 1);

            let view = format!("axis {}", axis + 1);
            let (value, low, high) = pair[&(view.clone(), "monotone_auc".to_owned())];
            let theirs = of("zero or one", axis);
            println!(
                "{model:7} {:4}  {value:.4}   {:.4}   {low:.4}   {:.4}   {high:.4}   {:.4}   {off:.1e}",
                axis + 1,
                theirs[0],
                theirs[1],
                theirs[2]
            );
            // The same coordinates to f32: a tie may break.
            assert!((value - theirs[0]).abs() < 1e-3, "{model} {view}: {value} beside {}", theirs[0]);
            assert!(
                (low - theirs[1]).abs() < 0.02 && (high - theirs[2]).abs() < 0.02,
                "{model} {view}: {low}–{high} beside {theirs:?}"
            );

            let (value, low, high) = ink[&(view.clone(), "spearman".to_owned())];
            let theirs = of("ink", axis);
            assert!((value - theirs[0]).abs() < 1e-3, "{model} {view}: ρ {value} beside {}", theirs[0]);
            assert!(
                (low - theirs[1]).abs() < 0.025 && (high - theirs[2]).abs() < 0.025,
                "{model} {view}: ρ {low}–{high} beside {theirs:?}"
            );

            // Folds differ, so the score does a little.
            let (value, ..) = even[&(view.clone(), "knn_auc".to_owned())];
            let theirs = peer["knn"][axis].as_f64().unwrap();
            assert!((value - theirs).abs() < 0.04, "{model} {view}: kNN {value} beside {theirs}");
        }
    }
}
