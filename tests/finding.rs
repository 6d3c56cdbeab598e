//! Images that a study looks for: from its queries to an audited page, and `visavis find`.

use crate::desk::{Desk, SMALL};
use std::collections::{BTreeMap, BTreeSet};

const STUDY: &str = "experiments/finding.yaml";
const QUERIES: &str =
    "queries:\n  bold threes: \"digit=3 and bold\"\n  even: even\n  both: \"even and not even\"\nfairness: { groups: [bold] }\n";

fn study(desk: &Desk, more: &str) {
    desk.write(STUDY, (SMALL.replace("study: small", "study: finding") + more).as_bytes());
}

fn table(desk: &Desk, what: &str) -> Vec<BTreeMap<String, String>> {
    let text = desk.succeed(&["export", STUDY, "--what", what]);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn queries_come_through_to_an_audited_page() {
    let desk = Desk::with_digits();
    let fairness = SMALL.lines().any(|line| line.starts_with("fairness"));
    let queries = if fairness { QUERIES.rsplit_once("fairness").unwrap().0 } else { QUERIES };
    study(&desk, queries);
    desk.succeed(&["run", STUDY, "--quiet"]);
    let rows = table(&desk, "retrieval");
    let number = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<f64>().unwrap();
    let ways: BTreeSet<&str> = rows.iter().map(|row| row["asked_by"].as_str()).collect();
    assert_eq!(ways, ["", "example", "five examples", "probe"].into());
    let threes = |by: &str| {
        rows.iter().find(|row| row["query"] == "bold threes" && row["asked_by"] == by && row["model"] == "pixels").unwrap()
    };
    let (one, probe) = (threes("example"), threes("probe"));
    assert!(number(one, "average_precision") > 2.0 * number(one, "by_chance"), "{one:?}");
    assert!(number(probe, "average_precision") > number(one, "average_precision"), "{probe:?}");
    assert!(number(one, "low") < number(one, "average_precision") && number(one, "high") < 1.0, "{one:?}");
    let both: Vec<_> = rows.iter().filter(|row| row["query"] == "both").collect();
    assert!(
        !both.is_empty() && both.iter().all(|row| row["unscored"] == "no image meets it" && row["average_precision"].is_empty())
    );
    assert!(rows.iter().any(|row| row["group"].contains(" = ")), "by group");

    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/finding.html");
    assert!(page.contains("Finding faces") && page.contains("bold threes") && page.contains("no image meets it"));
    desk.succeed(&["audit", "reports/finding.html", "--recompute", "features"]);
}

#[test]
fn labels_that_clusters_save_come_through_to_an_audited_page() {
    let desk = Desk::with_digits();
    study(&desk, "clicks: { clusters: 8, draws: 20 }\n");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let rows = table(&desk, "clicks");
    let of = |way: &str| -> Vec<(usize, f64)> {
        let of_way =
            rows.iter().filter(|row| row["model"] == "pixels" && row["comparison"] == "zero or one" && row["clicks_on"] == way);
        of_way.map(|row| (row["clicks"].parse().unwrap(), row["accuracy"].parse().unwrap())).collect()
    };
    let (clusters, at_random) = (of("clusters of features"), of("images at random"));
    assert!(clusters.len() == 5 && clusters.windows(2).all(|two| two[0].0 < two[1].0), "{clusters:?}");
    assert_eq!(clusters.len(), at_random.len());
    assert!(clusters[0].1 > 0.9, "zeros and ones lie apart: {clusters:?}");
    assert!(rows.iter().any(|row| row["clicks_on"] == "clusters of a view" && row["view"].contains("axes")));
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.page("reports/finding.html");
    assert!(page.contains("Labels saved") && page.contains("zero or one") && page.contains("simulated people"));
    desk.succeed(&["audit", "reports/finding.html", "--recompute", "features"]);
}

#[test]
fn what_is_like_an_image_and_what_fits_a_condition_is_found() {
    let desk = Desk::with_digits();
    study(&desk, "queries: { bold threes: \"digit=3 and bold\" }\n");
    let early = desk.visavis(&["find", STUDY, "--model", "pixels", "even"]);
    assert!(early.code == 5 && early.err.contains("visavis run experiments/finding.yaml"), "{}", early.err);
    desk.succeed(&["run", STUDY, "--quiet"]);
    let found = |words: &[&str]| -> Vec<(String, f64)> {
        let text = desk.succeed(&[&["find", STUDY, "--model", "pixels", "--json"], words].concat());
        let rows: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
        assert!(rows.iter().all(|row| row.keys().eq(["image", "score"])));
        rows.iter().map(|row| (row["image"].as_str().unwrap().to_owned(), row["score"].as_f64().unwrap())).collect()
    };
    let labels = String::from_utf8(std::fs::read(desk.path("data/digits/labels.csv")).unwrap()).unwrap();
    let digit: BTreeMap<&str, &str> =
        labels.lines().skip(1).map(|line| line.split_once(',').unwrap()).map(|(id, rest)| (id, &rest[..1])).collect();
    let like = found(&["--like", "0003.png", "--top", "10"]);
    assert_eq!(like.len(), 10);
    assert!(like.iter().all(|(image, _)| image != "0003.png") && like.windows(2).all(|two| two[0].1 >= two[1].1));
    assert!(like.iter().filter(|(image, _)| digit[image.as_str()] == digit["0003.png"]).count() >= 7, "{like:?}");
    let fives = found(&["digit=5"]);
    assert_eq!(fives.len(), 20);
    assert_eq!(found(&["--like", "digit=5"]), fives, "a condition may be what is like");
    assert!(fives.iter().filter(|(image, _)| digit[image.as_str()] == "5").count() >= 18, "{fives:?}");

    let table = desk.succeed(&["find", STUDY, "--model", "pixels", "bold threes", "--top", "3"]);
    assert!(table.contains("digit=3 and bold") && table.contains("log-odds") && table.contains("fits"), "{table}");
    let said = desk.visavis(&["find", STUDY, "--model", "pixels", "--like", "0003.png", "--top", "3", "--html", "strip.html"]);
    assert!(said.code == 0 && said.err.contains("wrote strip.html"), "{}", said.err);
    let page = desk.page("strip.html");
    assert!(page.contains("Like 0003.png") && page.contains("not shown") && !page.contains("<script"), "without pictures");
}

#[test]
fn what_cannot_be_found_is_said_with_the_nearest_spelling() {
    let desk = Desk::with_digits();
    study(&desk, "");
    desk.succeed(&["run", STUDY, "--quiet"]);
    let refused = |words: &[&str]| {
        let said = desk.visavis(&[&["find", STUDY], words].concat());
        assert_eq!(said.code, 2, "{words:?}: {}", said.err);
        said.err
    };
    assert!(refused(&["--model", "pixls", "even"]).contains("pixels"));
    assert!(refused(&["even"]).contains("--model"), "two models");
    assert!(refused(&["--model", "pixels", "--layer", "embeding", "even"]).contains("embedding"));
    assert!(refused(&["--model", "pixels", "--like", "003.png"]).contains("0003.png"));
    assert!(refused(&["--model", "pixels", "evn"]).contains("`even`"));
    assert!(refused(&["--model", "pixels", "even and"]).contains("at character"));
    assert!(refused(&["--model", "pixels", "even and not even"]).contains("no image meets it"));
    assert!(refused(&["--model", "pixels", "even or not even"]).contains("every image meets it"));
    assert!(refused(&["--model", "pixels"]).contains("EXPRESSION"), "neither a condition nor an image");
    assert!(refused(&["--model", "pixels", "even", "--like", "0003.png"]).contains("cannot be used with"));
}
