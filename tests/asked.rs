//! What a study asks is what is answered: names in the letters they were written in, values that labels really hold, people that
//! are known or said to be assumed, features of more images or fewer than are evaluated.

use crate::desk::{Desk, Said};
use visavis_core::numeric::Matrix;

const STUDY: &str = "experiments/s.yaml";

/// Twenty-four images of eight people; one feature that follows the smile, and two that follow nothing.
const TEXT: &str = r#"format: 1
study: s
seed: 3
datasets:
  faces: { images: { root: ../data/pictures, labels: ../data/l.csv, identities: { column: person } } }
evaluation: { dataset: faces }
models:
  named:
    a: { features: { embedding: ../data/f.npy, images: ../data/rows.txt } }
projections:
  - pca: { axes: 2 }
comparisons:
  smile: { Smiling: "smile", Not: "not smile" }
statistics: { bootstraps: 20, permutations: 20, min_positives: 2 }
selection: { show: 1 }
"#;

const N: usize = 24;

fn id(i: usize) -> String {
    format!("p{}/{i:02}.png", i % 8)
}

fn value(i: usize, column: usize) -> f32 {
    let noise = ((i * 7 + column * 13) % 11) as f32 / 11.0;
    if column == 0 { (i / 8 % 2) as f32 + noise } else { noise * noise + column as f32 * ((i * 5) % 7) as f32 }
}

fn features(rows: usize, change: impl Fn(usize, f32) -> f32) -> Vec<u8> {
    let values = (0..rows * 3).map(|at| change(at / 3, value(at / 3, at % 3))).collect();
    visavis_core::dataset::array::to_npy(&Matrix::new(rows, 3, values).unwrap())
}

fn list(ids: impl IntoIterator<Item = usize>) -> Vec<u8> {
    ids.into_iter().map(|i| id(i) + "\n").collect::<String>().into_bytes()
}

fn desk() -> Desk {
    let desk = Desk::empty();
    let row = |i: usize| {
        let race = ["asian", "black", "white"][i % 3];
        format!("{},{},{race},w{},{}\n", id(i), if i / 8 % 2 == 1 { "Yes" } else { "No" }, i % 8, i % 2)
    };
    let rows: String = (0..N).map(row).collect();
    desk.write("data/l.csv", format!("image_id,smile,race,person,1e3\n{rows}").as_bytes());
    desk.write("data/f.npy", &features(N, |_, value| value));
    desk.write("data/rows.txt", &list(0..N));
    desk.write(STUDY, TEXT.as_bytes());
    desk
}

/// With one thing replaced.
fn with(from: &str, to: &str) -> Desk {
    let desk = desk();
    desk.edit(STUDY, from, to);
    desk
}

/// All commands that look at a study refuse it, with these words and a place in the file.
fn refused(desk: &Desk, words: &[&str]) {
    for command in ["check", "plan", "run"] {
        let said = desk.visavis(&[command, STUDY]);
        assert_eq!(said.code, 2, "{command}: {}{}", said.out, said.err);
        for words in words {
            assert!(said.err.contains(words), "{command} lacks {words:?}:\n{}", said.err);
        }
    }
}

fn checked(desk: &Desk) -> Said {
    let said = desk.visavis(&["check", STUDY]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    said
}

fn scores(desk: &Desk) -> Vec<serde_json::Value> {
    desk.succeed(&["run", STUDY, "--quiet"]);
    let out = desk.succeed(&["export", STUDY, "--what", "scores", "--format", "jsonl"]);
    let rows: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!rows.is_empty());
    rows
}

/// How many images scores are of: of a half by its own name, all others of the whole.
fn counted(scores: &[serde_json::Value]) -> Vec<u64> {
    let is_of_a_half = |score: &str| score.ends_with("_a") || score.ends_with("_b");
    let whole = scores.iter().filter(|row| !is_of_a_half(row["score"].as_str().unwrap()));
    let mut counts: Vec<u64> = whole.map(|row| row["n"].as_u64().unwrap()).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The distinct words of a column of the scores.
fn words(scores: &[serde_json::Value], column: &str) -> Vec<String> {
    let mut words: Vec<String> = scores.iter().map(|row| row[column].as_str().unwrap().to_owned()).collect();
    words.sort();
    words.dedup();
    words
}

#[test]
fn names_keep_the_letters_they_are_written_in() {
    let desk = desk();
    let features = "{ features: { 1.0: ../data/f.npy, images: ../data/rows.txt } }";
    let names = ["0x10", "1.1", "1.10", "2024-10-01", "2e3", "No", "null", "on", "~"];
    let models: String = names.iter().map(|name| format!("    {name}: {features}\n")).collect();
    desk.edit(STUDY, "    a: { features: { embedding: ../data/f.npy, images: ../data/rows.txt } }\n", &models);
    desk.edit(STUDY, "study: s", "study: 1.10");
    desk.edit(
        STUDY,
        "  smile: { Smiling: \"smile\", Not: \"not smile\" }",
        "  2024.10: { Yes: smile, No: not smile }\n  1_0: { 1.10: 1e3, 1.1: not 1e3=1 }",
    );
    desk.edit(
        STUDY,
        "selection:",
        "contrasts: { 007: { pair: [1.10, \"1.1\"] } }\nfairness: { groups: [1e3] }\nlayers: [1.0]\nselection:",
    );
    checked(&desk);
    let found = scores(&desk);
    assert_eq!(words(&found, "model"), names);
    assert_eq!(words(&found, "layer"), ["1.0"]);
    assert_eq!(words(&found, "comparison"), ["1_0", "2024.10"]);
    desk.succeed(&["export", STUDY, "--what", "coordinates", "--model", "1.10", "--layer", "1.0", "--projection", "pca"]);
    desk.succeed(&["report", STUDY, "--quiet"]);
    let page = desk.read("reports/1.10.html");
    for name in names.iter().chain(&["2024.10", "1_0", "1e3", "007"]) {
        assert!(page.contains(name), "the report lacks {name}");
    }
    // A number is still a number where one is wanted, however it is written.
    desk.edit(STUDY, "seed: 3", "seed: 0x3");
    assert!(words(&scores(&desk), "key") == words(&found, "key"), "the seed is the same");
}

#[test]
fn two_names_that_are_equal_numbers_are_two_and_one_name_twice_is_refused() {
    let features = "{ features: { embedding: ../data/f.npy, images: ../data/rows.txt } }";
    let desk = with("projections:", &format!("    1.0: {features}\n    1.00: {features}\n    1: {features}\nprojections:"));
    assert!(checked(&desk).out.contains("4 models"));
    for (first, second) in [("2e3", "2e3"), ("0x10", "\"0x10\""), ("No", "'No'"), ("null", "null")] {
        let desk = with("projections:", &format!("    {first}: {features}\n    {second}: {features}\nprojections:"));
        refused(&desk, &["is written twice", "s.yaml:11:5"]);
    }
}

#[test]
fn a_value_that_no_label_holds_is_refused_wherever_it_is_asked() {
    let not = "Not: \"not smile\" }";
    for (from, to, column) in [
        (not, "Not: \"not smile\", within: \"not race=asain\" }", ":56"),
        (not, "Not: \"not smile and (race=white or race=asain)\" }", ":35"),
        ("Smiling: \"smile\"", "Smiling: \"race=asain\"", ":21"),
    ] {
        let desk = with(from, to);
        let place = format!("s.yaml:13{column}");
        refused(&desk, &["no label of `race` is `asain`", "did you mean `asian`? there are: asian, black, white", &place]);
        desk.edit(STUDY, " }\nstatistics", ", may_be_absent: true }\nstatistics");
        let said = desk.visavis(&["check", STUDY]);
        assert!(said.err.contains("no label of `race` is `asain`"), "{}", said.err);
        // Where a class is empty because of it, nothing can be scored.
        assert_eq!(said.code, if to.starts_with("Smiling") { 2 } else { 0 }, "{}", said.err);
    }
    refused(&with("\"smile\", Not", "\"race=Asian\", Not"), &["did you mean `asian`?"]);
    refused(&with("\"smile\", Not", "\"smile=sometimes\", Not"), &["write `smile` or `not smile`"]);
    refused(
        &with("selection:", "fairness: { groups: [Race] }\nselection:"),
        &["there is no attribute `Race`", "did you mean `race`?"],
    );
    refused(
        &with("\"smile\", Not", "\"smile and not smile\", Not"),
        &["this study can score nothing", "no image is in the class `Smiling`"],
    );
}

/// The same faces as CelebA has them, with an attribute of its own.
fn celeba(attribute: &str) -> Desk {
    let desk = with(
        "images: { root: ../data/pictures, labels: ../data/l.csv, identities: { column: person } }",
        "celeba: { root: ../data/celeba }",
    );
    desk.edit(STUDY, "\"smile\", Not: \"not smile\"", &format!("\"{attribute}\", Not: \"not {attribute}\""));
    let rows = |of: &dyn Fn(usize) -> String| (0..N).map(|i| format!("{} {}\n", id(i), of(i))).collect::<String>();
    let labels = rows(&|i| if i / 8 % 2 == 1 { "1" } else { "-1" }.to_owned());
    desk.write("data/celeba/list_attr_celeba.txt", format!("{N}\nsmiling\n{labels}").as_bytes());
    desk.write("data/celeba/list_eval_partition.txt", rows(&|i| if i < 16 { "2" } else { "0" }.to_owned()).as_bytes());
    desk
}

#[test]
fn an_attribute_that_the_table_read_does_not_have_is_unknown() {
    refused(&celeba("Smiling"), &["there is no attribute `Smiling`", "did you mean `smiling`?", "s.yaml:13:"]);
    let desk = celeba("smiling");
    let told = "1 attribute where CelebA has 40: 5_o_Clock_Shadow, Arched_Eyebrows, Attractive, … are not there";
    let said = checked(&desk).err;
    assert!(said.contains("note: ") && said.contains(told), "{said}");
    // It is read rightly, so it is no defect.
    let found = desk.json(&["data", "check", "data/celeba"]);
    assert!(found["defects"].as_array().unwrap().is_empty() && found["notes"].to_string().contains(told), "{found}");
    assert_eq!(found["attributes"], 1);
    // A table that names no attribute says nothing.
    desk.write("data/celeba/list_attr_celeba.txt", (0..N).map(|i| id(i) + "\n").collect::<String>().as_bytes());
    refused(&desk, &["list_attr_celeba.txt:1:1"]);
}

#[test]
fn identities_that_nobody_knows_are_said_wherever_people_look() {
    const UNKNOWN: &str = "identities are not known";
    for desk in [celeba("smiling"), with(", identities: { column: person }", "")] {
        let told = |arguments: &[&str]| {
            let said = desk.visavis(arguments);
            assert_eq!(said.code, 0, "{}", said.err);
            assert_eq!(said.err.matches(UNKNOWN).count(), 1, "{arguments:?}: {}", said.err);
        };
        for command in ["check", "plan", "run", "show"] {
            told(&[command, STUDY]);
        }
        if desk.path("data/celeba").exists() {
            told(&["data", "check", "data/celeba"]);
            told(&["data", "stats", "data/celeba"]);
        }
        desk.succeed(&["report", STUDY, "--quiet"]);
        let page = desk.read("reports/s.html");
        let head = &page[..page.find("id=\"matrix\"").unwrap()];
        assert!(head.contains("<strong>Identities are not known.</strong>"), "at the head of the summary");
        // Saying that no person occurs twice changes what is said, and no result.
        let keys = words(&scores(&desk), "key");
        let root = if desk.read(STUDY).contains("celeba:") { "../data/celeba" } else { "../data/l.csv" };
        desk.edit(STUDY, root, &format!("{root}, identities: each_image"));
        assert!(!checked(&desk).err.contains(UNKNOWN));
        assert_eq!(words(&scores(&desk), "key"), keys);
        desk.succeed(&["report", STUDY, "--quiet"]);
        assert!(!desk.read("reports/s.html").contains("Identities are not known"));
    }
}

#[test]
fn identities_are_the_same_wherever_they_are_written() {
    let column = scores(&desk());
    let rows: String = (0..N).map(|i| format!("{},w{}\n", id(i), i % 8)).collect();
    let said = |how: &str| with("{ column: person }", how);
    let file = said("{ file: ../data/who.csv }");
    file.write("data/who.csv", format!("image,identity\n{rows}").as_bytes());
    let headless = said("{ file: ../data/who.csv }");
    headless.write("data/who.csv", rows.as_bytes());
    // Columns in another order, one that is neither, and blanks as in CelebA's file.
    let wide = said("{ file: ../data/who.csv }");
    let row = |i: usize| format!("{},w{},{}\n", 20 + i, i % 8, id(i));
    wide.write("data/who.csv", format!("age,person,image\n{}", (0..N).map(row).collect::<String>()).as_bytes());
    let note = "the column `person` says who is who; another is left out: `age`";
    assert!(checked(&wide).err.contains(note), "{}", checked(&wide).err);
    let blanks = said("{ file: ../data/who.csv }");
    blanks.write("data/who.csv", rows.replace(',', "  ").as_bytes());
    for desk in [said("person"), file, headless, wide, blanks] {
        let found = scores(&desk);
        assert_eq!(words(&found, "key"), words(&column, "key"));
        assert!(!checked(&desk).err.contains("not known"));
    }
    // By folder, people have other names: the same halves need not come of them, but as many people.
    let folder = scores(&said("folder"));
    assert_eq!(folder[0]["identities"], column[0]["identities"]);
    let each = scores(&said("each_image"));
    assert_ne!(each[0]["identities"], column[0]["identities"]);
}

#[test]
fn identities_that_do_not_fit_are_refused_or_counted() {
    let file = |text: &str| {
        let desk = with("{ column: person }", "{ file: ../data/who.csv }");
        desk.write("data/who.csv", text.as_bytes());
        desk
    };
    refused(
        &file("image,identity\nx1.jpg,1\nx2.jpg,2\nx3.jpg,3\nx4.jpg,4\n"),
        &[
            "the identity file is of other images",
            "here `x1.jpg`, `x2.jpg`, `x3.jpg`, …",
            "has `p0/00.png`, `p0/08.png`, `p0/16.png`, …",
        ],
    );
    let half: String = (0..12).map(|i| format!("{},w{}\n", id(i), i % 8)).collect();
    let said = checked(&file(&half));
    assert!(said.err.contains("12 of 24 images are without identity"), "{}", said.err);
    refused(&with("{ column: person }", "{ column: persn }"), &["no column `persn`", "did you mean `person`?"]);
    refused(&with("{ column: person }", "each_imgae"), &["no column `each_imgae`", "did you mean `each_image`?"]);
    refused(&with(", labels: ../data/l.csv", ""), &["the column `person` is of a label CSV", "s.yaml:5:"]);
    // What is not here yet is waited for.
    let absent = with("{ column: person }", "{ file: ../data/who.csv }");
    assert_eq!(absent.visavis(&["check", STUDY]).code, 0);
    assert_eq!(absent.visavis(&["run", STUDY]).code, 5);
}

#[test]
fn features_of_more_images_than_are_evaluated_are_cut_and_what_else_they_hold_does_not_matter() {
    let desk = celeba("smiling");
    desk.edit(STUDY, "dataset: faces }", "dataset: faces, partition: test }");
    let said = checked(&desk);
    assert!(said.err.contains("note: `a`: 8 of 24 rows of features are of images that are not evaluated"), "{}", said.err);
    let whole = scores(&desk);
    assert_eq!(counted(&whole), [16]);
    // Exactly those rows give the same numbers.
    desk.write("data/f.npy", &features(16, |_, value| value));
    desk.write("data/rows.txt", &list(0..16));
    assert!(!checked(&desk).err.contains("not evaluated"));
    assert_eq!(words(&scores(&desk), "key"), words(&whole, "key"));
    // NaN in a row that nobody evaluates is nothing; in one that is, it names the image.
    desk.write("data/rows.txt", &list(0..N));
    desk.write("data/f.npy", &features(N, |row, value| if row == 20 { f32::NAN } else { value }));
    assert_eq!(words(&scores(&desk), "key"), words(&whole, "key"));
    desk.write("data/f.npy", &features(N, |row, value| if row == 3 { f32::NAN } else { value }));
    let said = desk.visavis(&["check", STUDY]);
    assert!(said.code == 2 && said.err.contains("the features of the image `p3/03.png` hold NaN: row 3"), "{}", said.err);
    // A run does what does not need them, and ends as a run with failed jobs does.
    let said = desk.visavis(&["run", STUDY]);
    assert!(said.code == 3 && said.err.contains("the features of the image `p3/03.png` hold NaN: row 3"), "{}", said.err);
}

#[test]
fn lists_of_images_may_be_tables_and_have_a_header() {
    for desk in [desk(), with("dataset: faces }", "dataset: faces, take: { images: 16, seed: 1 } }")] {
        let whole = scores(&desk);
        let table: String = (0..N).map(|i| format!("{i},{},\"1,5\"\n", id(i))).collect();
        let headed: String = (0..N).map(|i| id(i) + "\r\n").collect();
        for (text, note) in [
            (format!("row,image,x\n{table}"), "other columns of the list of images are left out: row, x (rows.txt:1:1)"),
            (table, "images are named in column 2"),
            (format!("\u{feff}faces\r\n{headed}\r\n"), "the first line, `faces`, is taken for a header (rows.txt:1:1)"),
        ] {
            desk.write("data/rows.txt", text.as_bytes());
            let said = checked(&desk);
            assert!(said.err.contains(note), "{}", said.err);
            assert_eq!(words(&scores(&desk), "key"), words(&whole, "key"), "{text}");
        }
    }
    // A first line that the array has a row for is none of a header.
    let desk = desk();
    desk.write("data/rows.txt", &[b"faces\n", &list(1..N)[..]].concat());
    desk.edit(STUDY, "dataset: faces }", "dataset: faces, on_missing: leave_out }");
    let said = desk.visavis(&["check", STUDY]);
    assert_eq!(said.code, 2, "{}", said.err);
    for words in ["24 rows of features, but 23 image ids", "`faces`, was taken for a header"] {
        assert!(said.err.contains(words), "{}", said.err);
    }
    assert_eq!(desk.visavis(&["run", STUDY]).code, 3);
}

#[test]
fn a_draw_needs_no_features_of_what_it_did_not_take() {
    let desk = with("dataset: faces }", "dataset: faces, take: { images: 16, seed: 1 } }");
    let whole = scores(&desk);
    assert_eq!(counted(&whole), [16]);
    assert!(checked(&desk).err.contains("8 of 24 rows of features are of images that are not evaluated"));
    refused(&with("dataset: faces }", "dataset: faces, take: { images: 25 } }"), &["takes 25 images, the data set has 24"]);
}

#[test]
fn images_without_features_stop_the_study_or_are_left_out_for_all() {
    let desk = desk();
    let features_of = |model: &str, rows: std::ops::Range<usize>| {
        let (first, count) = (rows.start, rows.len());
        let all = (0..count * 3).map(|at| value(first + at / 3, at % 3)).collect();
        desk.write(&format!("data/{model}.npy"), &visavis_core::dataset::array::to_npy(&Matrix::new(count, 3, all).unwrap()));
        desk.write(&format!("data/{model}.txt"), &list(rows));
    };
    features_of("b", 2..N);
    features_of("c", 0..N - 1);
    let model =
        |name: &str| format!("    {name}: {{ features: {{ embedding: ../data/{name}.npy, images: ../data/{name}.txt }} }}\n");
    desk.edit(STUDY, "projections:", &format!("{}{}projections:", model("b"), model("c")));
    refused(
        &desk,
        &["`b` has no features of 2 of the 24 images that are evaluated: `p0/00.png`, `p1/01.png`", "on_missing: leave_out"],
    );
    desk.edit(STUDY, "dataset: faces }", "dataset: faces, on_missing: leave_out }");
    let said = checked(&desk);
    for words in ["3 of 24 images are left out for all models alike", "`b` has none of 2; `c` has none of 1"] {
        assert!(said.err.contains(words), "{}", said.err);
    }
    let found = scores(&desk);
    assert_eq!(words(&found, "model"), ["a", "b", "c"]);
    assert_eq!(counted(&found), [21], "the same images for every model");
    for command in ["plan", "run", "show"] {
        assert!(desk.visavis(&[command, STUDY]).err.contains("3 of 24 images are left out"), "{command}");
    }
    desk.succeed(&["report", STUDY, "--quiet"]);
    assert!(desk.page("reports/s.html").contains("<code>3 of 24 images are left out for all models alike"));
    refused(&with("dataset: faces }", "dataset: faces, on_missing: skip }"), &["`skip` is not known", "s.yaml:6:"]);
}

#[test]
fn features_of_other_images_and_of_none_are_told() {
    let desk = desk();
    let faces = (0..N).map(|i| format!("face{i}.jpg\n")).collect::<String>();
    desk.write("data/rows.txt", faces.as_bytes());
    // Without pictures, nobody can tell which of the two names the images rightly: both are shown.
    refused(
        &desk,
        &[
            "none of the table's 24 image ids is one of the 24 that features are given of",
            "here `p0/00.png`, `p0/08.png`, `p0/16.png`, …; the list of features has `face0.jpg`, `face1.jpg`, `face10.jpg`",
            "l.csv",
        ],
    );
    // Where other features fit the labels, the list is what is wrong.
    let other = with("projections:", "    b: { features: { embedding: ../data/f.npy, images: ../data/b.txt } }\nprojections:");
    other.write("data/b.txt", faces.as_bytes());
    refused(
        &other,
        &["`b`", "here `face0.jpg`, `face1.jpg`, `face2.jpg`, …", "has `p0/00.png`, `p0/08.png`, `p0/16.png`, …", "b.txt"],
    );
    desk.write("data/rows.txt", b"");
    refused(&desk, &["features of 0 images", "rows.txt"]);
    let desk = self::desk();
    desk.write("data/f.npy", &features(0, |_, value| value));
    let said = desk.visavis(&["check", STUDY]);
    assert!(said.code == 2 && said.err.contains("0 rows"), "{}", said.err);
    let said = desk.visavis(&["run", STUDY]);
    assert!(said.code == 3 && said.err.contains("0 rows"), "{}", said.err);
}

#[test]
fn an_image_without_direction_is_called_by_its_name() {
    for (projection, row) in
        [("umap: { neighbors: 5, metric: cosine, seeds: 1 }", 13), ("tsne: { perplexity: 5, metric: cosine, seeds: 1 }", 2)]
    {
        let desk = with("pca: { axes: 2 }", projection);
        desk.write("data/f.npy", &features(N, |of, value| if of == row { 0.0 } else { value }));
        let said = desk.visavis(&["check", STUDY]);
        assert!(said.code == 2 && said.err.contains(&format!("`{}`", id(row))), "{}", said.err);
        // One job fails, the others are done: that is 3.
        let said = desk.visavis(&["run", STUDY]);
        let named = format!("the features of the image `{}` are all 0", id(row));
        assert!(said.code == 3 && said.err.contains(&named) && said.err.contains("metric: euclidean"), "{}", said.err);
        assert!(!said.err.contains("row "), "no place in a sorted list: {}", said.err);
        let status = desk.succeed(&["status", "--json"]);
        assert!(status.contains(&id(row)), "and so afterwards: {status}");
    }
}

#[test]
fn paths_expand_as_in_a_shell() {
    for (path, variable) in [
        ("$VISAVIS_TEST_DATA/f.npy", "VISAVIS_TEST_DATA"),
        ("\"${VISAVIS_TEST_DATA}/f.npy\"", "VISAVIS_TEST_DATA"),
        ("~/f.npy", "HOME"),
    ] {
        let desk = with("embedding: ../data/f.npy", &format!("embedding: {path}"));
        let said: Said = desk.command(&["check", STUDY]).env(variable, desk.path("data")).output().unwrap().into();
        assert!(said.code == 0 && !said.out.contains("missing"), "{path}: {}{}", said.out, said.err);
    }
    let desk = with("embedding: ../data/f.npy", "embedding: $VISAVIS_NOT_SET/f.npy");
    refused(&desk, &["the environment variable `VISAVIS_NOT_SET` is not set", "s.yaml:9:33"]);
}

#[test]
fn smile_is_asked_in_any_spelling() {
    let spelled = [("smile", "not smile"), ("smile=yes", "smile=NO"), ("smile=True", "smile=-1"), ("smile=1", "not smile=1.0")];
    let keys: Vec<Vec<String>> = spelled
        .iter()
        .map(|(yes, no)| {
            let desk = with("\"smile\", Not: \"not smile\"", &format!("\"{yes}\", Not: \"{no}\""));
            let found = scores(&desk);
            assert_eq!(counted(&found), [24], "{yes} {no}");
            words(&found, "key")
        })
        .collect();
    assert!(keys.iter().all(|of| *of == keys[0]), "one question has one key");
}
