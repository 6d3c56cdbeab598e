//! What is said of few: no interval, no rank, and the same mark in the ledger, on the page and in every export.

use crate::desk::{Desk, SMALL};
use std::collections::BTreeMap;

/// Digits with a rare class of 24 images, and groups of four, of five without the class asked, and of the rest.
fn desk(class: usize) -> Desk {
    let desk = Desk::with_digits();
    let digits = desk.read("data/digits/labels.csv");
    let row = |(place, line): (usize, &str)| {
        let mut cells = line.split(',');
        let (id, digit) = (cells.next().unwrap(), cells.next().unwrap());
        let even = u8::from(digit.parse::<u8>().unwrap().is_multiple_of(2));
        let (group, even) = match place {
            0..4 => ("few", u8::from(place % 2 == 0)),
            4..9 => ("odd", 0),
            _ => ("rest", even),
        };
        format!("{id},{digit},{even},{},{group}\n", u8::from((20..20 + class).contains(&place)))
    };
    let rows: String = digits.lines().skip(1).enumerate().map(row).collect();
    desk.write("data/few.csv", format!("image_id,digit,even,rare,group\n{rows}").as_bytes());
    let study = SMALL
        .replace("labels: ../data/digits/labels.csv", "labels: ../data/few.csv")
        .replace("  ink: { quantity: ink }\n", "  rare: { Rare: \"rare\", Usual: \"not rare\" }\n")
        .replace("bootstraps: 60", "bootstraps: 60, permutations: 60, min_positives: 5")
        .replace("groups: [bold]", "groups: [group]");
    desk.write("experiments/few.yaml", study.as_bytes());
    desk.succeed(&["run", "experiments/few.yaml", "--quiet"]);
    desk
}

fn table(desk: &Desk, what: &str) -> Vec<BTreeMap<String, String>> {
    let text = desk.succeed(&["export", "experiments/few.yaml", "--what", what]);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn a_class_of_few_has_scores_without_intervals_and_every_table_says_why() {
    let desk = desk(24);
    let scores = table(&desk, "scores");
    let (rare, others): (Vec<_>, Vec<_>) = scores.iter().partition(|row| row["comparison"] == "rare");
    let why = "too few to say: “Rare” has 11 identities in the selection half, 20 are needed";
    for row in rare.iter().filter(|row| row["score"] == "knn_auc_a" || row["score"] == "knn_auc_b") {
        assert_eq!((&*row["low"], &*row["high"], &*row["ranked"], &*row["reason"]), ("", "", "false", why), "{row:?}");
        assert!(row["value"].parse::<f64>().is_ok());
    }
    // Over all images there are 24: enough for an interval, and not ranked all the same.
    let whole = |row: &&&BTreeMap<String, String>| row["score"] == "knn_auc" && row["projection"] == "pca";
    assert!(rare.iter().filter(whole).all(|row| !row["low"].is_empty() && row["ranked"] == "false" && row["reason"] == why));
    assert!(others.iter().filter(whole).all(|row| !row["low"].is_empty() && row["ranked"] == "true" && row["reason"].is_empty()));

    let ledger = table(&desk, "ledger");
    let (rare, others): (Vec<_>, Vec<_>) = ledger.iter().partition(|row| row["comparison"] == "rare");
    assert!(!rare.is_empty() && !others.is_empty());
    for row in rare {
        assert_eq!((&*row["ranked"], &*row["low"], &*row["simultaneous_low"], &*row["family"]), ("false", "", "", ""), "{row:?}");
        assert_eq!(row["reason"].split(';').next(), Some(&*format!("not ranked: {why}")));
    }
    // Two models by two comparisons were chosen; another cell is spoken of beside all.
    let families: Vec<&str> = others.iter().map(|row| &*row["family"]).collect();
    let all = others.len().to_string();
    let beside = |size: &str| families.iter().filter(|family| **family == size).count();
    assert!(beside("4") == 4 && beside("4") + beside(&all) == families.len(), "{families:?}");

    let shown = desk.succeed(&["show", "experiments/few.yaml"]);
    assert!(
        shown.contains(&format!("rare: not ranked: {why}")) && shown.contains("the lower bound, corrected for all 4 cells"),
        "{shown}"
    );
    let lines = desk.succeed(&["export", "experiments/few.yaml", "--what", "scores", "--format", "jsonl"]);
    let line = lines.lines().find(|line| line.contains("\"rare\"") && line.contains("\"knn_auc_b\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert!(line["low"].is_null() && line["high"].is_null() && line["ranked"] == false && line["value"].is_number(), "{line}");
}

#[test]
fn groups_of_few_are_marked_in_exports_as_in_the_report() {
    let desk = desk(60);
    let rows = table(&desk, "fairness");
    let of = |group: &str, measure: &str| -> Vec<&BTreeMap<String, String>> {
        let is = |row: &&BTreeMap<String, String>| {
            row["group"] == format!("group={group}") && row["measure"] == measure && row["comparison"] == "even or odd"
        };
        rows.iter().filter(is).collect()
    };
    for measure in ["TPR", "FPR", "AUC", "TPR gap", "FPR gap", "AUC gap"] {
        let few = of("few", measure);
        assert!(!few.is_empty(), "{measure}");
        for row in few {
            assert_eq!((&*row["low"], &*row["high"], &*row["mark"], &*row["q"]), ("", "", "too few", ""), "{row:?}");
        }
    }
    // Nobody of the group is in the class: undefined, never 0 or fair.
    for measure in ["TPR", "TPR gap", "AUC", "equalized odds difference"] {
        for row in of("odd", measure) {
            assert_eq!((&*row["share"], &*row["low"], &*row["mark"]), ("", "", "undefined"), "{row:?}");
        }
    }
    assert!(of("odd", "disparate impact of labels").iter().all(|row| row["mark"] == "too few"));
    assert!(of("rest", "TPR").iter().all(|row| row["mark"].is_empty() && !row["low"].is_empty()));
    desk.succeed(&["report", "experiments/few.yaml", "--quiet"]);
    let page = desk.read("reports/small.html");
    assert!(page.contains("too few") && page.contains("corrected lower bound"));
}
