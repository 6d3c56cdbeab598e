//! Studies of the further projections: lists of values, labels that are learned, clusters without labels; from the file to an audited page.

use crate::desk::{Desk, SMALL};
use std::collections::{BTreeMap, BTreeSet};

const STUDY: &str = "experiments/many.yaml";

fn table(desk: &Desk, what: &str) -> Vec<BTreeMap<String, String>> {
    let text = desk.succeed(&["export", STUDY, "--what", what]);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// `SMALL` with these projections, and what else is added at its end.
fn study(desk: &Desk, projections: &str, more: &str) {
    let small = SMALL.replace("study: small", "study: many");
    let (before, after) = small.split_once("projections:\n").expect("a study with projections");
    let (_, after) = after.split_once("\ncomparisons:").expect("comparisons after them");
    desk.write(STUDY, format!("{before}projections:\n{projections}comparisons:{after}{more}").as_bytes());
}

#[test]
fn lists_labels_and_clusters_come_through_to_an_audited_page() {
    let desk = Desk::with_digits();
    let projections = "  - pca: { axes: 2 }\n  - isomap: { neighbors: [5, 10] }\n  - lda: { labels: even or odd }\n  - kernel_pca: { kernel: cosine, axes: 2 }\n";
    study(&desk, projections, "clusters: { k_means: { up_to: 4 } }\n");
    desk.succeed(&["run", STUDY, "--quiet"]);

    let ledger = table(&desk, "ledger");
    let names: BTreeSet<&str> = ledger.iter().map(|row| row["projection"].as_str()).collect();
    assert_eq!(names, ["isomap-neighbors10", "isomap-neighbors5", "kernel_pca", "lda", "pca"].into());
    for row in ledger.iter().filter(|row| row["projection"] == "lda") {
        assert_eq!(row["ranked"], "false", "{row:?}");
        let why = &row["reason"];
        assert!(why.contains("supervised: the projection has learned from labels") || row["comparison"] == "ink", "{why}");
    }
    assert!(ledger.iter().any(|row| row["ranked"] == "true"));
    // It has learned what is even: its only axis tells that on images whose labels it did not know.
    let scores = table(&desk, "scores");
    let learned =
        scores.iter().find(|row| row["projection"] == "lda" && row["comparison"] == "even or odd" && row["score"] == "knn_auc_b");
    assert!(learned.unwrap()["value"].parse::<f64>().unwrap() > 0.75, "{learned:?}");

    let members = table(&desk, "clusters");
    let numbers: BTreeSet<&str> = members.iter().map(|row| row["cluster"].as_str()).collect();
    assert!(numbers.contains("1") && numbers.contains("2") && numbers.len() <= 4, "{numbers:?}");
    let images: BTreeSet<&str> = members.iter().map(|row| row["image"].as_str()).collect();
    let views: BTreeSet<_> = members.iter().map(|row| [&row["model"], &row["layer"], &row["projection"], &row["view"]]).collect();
    assert_eq!(members.len(), images.len() * views.len());

    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/many.html");
    assert!(page.contains("Clusters without labels") && page.contains("(k-means)"));
    assert!(page.contains("<dt>Isomap</dt>") && !page.contains("<dt>t-SNE</dt>"), "the page tells of its own projections");
    desk.succeed(&["audit", "reports/many.html", "--recompute", "features"]);
}

#[test]
fn a_study_without_clusters_has_none_to_export() {
    let desk = Desk::with_digits();
    study(&desk, "  - pca: { axes: 2 }\n", "");
    let said = desk.visavis(&["export", STUDY, "--what", "clusters"]);
    assert!(said.code != 0 && said.err.contains("the study looks for no clusters"), "{}", said.err);
}

/// A map places images that it was fitted to where they are, and says how faithful that is; what it cannot place it refuses.
#[test]
fn other_images_are_placed_on_a_map_of_the_study() {
    let desk = Desk::with_digits();
    study(&desk, "  - pca: { axes: 2 }\n  - isomap: { neighbors: 10 }\n  - lda: { labels: even or odd }\n", "");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let map = ["--model", "pixels", "--projection", "pca"];
    let place = |more: &[&str]| desk.visavis(&[&["place", STUDY, "--features", "data/digits/pixels.npy"], more].concat());
    let said = place(&[&map[..], &["--rows", "data/digits/images.txt"]].concat());
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.err.contains("of the 15 nearest by features"), "{}", said.err);
    let rows = |text: &str| -> BTreeMap<String, BTreeMap<String, String>> {
        let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
        rows.map(|row| (row["image"].clone(), row)).collect()
    };
    let (placed, own) = (rows(&said.out), rows(&desk.succeed(&[&["export", STUDY, "--what", "coordinates"], &map[..]].concat())));
    assert!(placed.keys().eq(own.keys()));
    for (image, row) in &placed {
        for axis in ["a1", "a2"] {
            let [found, wanted] = [&row[axis], &own[image][axis]].map(|value| value.parse::<f64>().unwrap());
            assert!((found - wanted).abs() < 1e-4 * (1.0 + wanted.abs()), "{image} {axis}: {found} {wanted}");
        }
    }
    let kept: f64 = placed.values().map(|row| row["neighbours_kept"].parse::<f64>().unwrap()).sum::<f64>() / placed.len() as f64;
    assert!(kept > 0.15, "{kept}");
    for (projection, features, why) in [
        ("isomap", "pixels", "cannot place images that were not in the fit"),
        ("lda", "pixels", "learned from labels"),
        ("pca", "blocks", "columns are to be placed"),
    ] {
        let features = format!("data/digits/{features}.npy");
        let said = desk.visavis(&["place", STUDY, "--features", &features, "--model", "pixels", "--projection", projection]);
        assert!(said.code == 2 && said.err.contains(why), "{projection}: {} {}", said.code, said.err);
    }
}
