//! Labels that people give by looking: typed, taken back, killed, gone on with, by two people; and a study that reads them.

use crate::desk::Desk;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

const STUDY: &str = "format: 1
study: seen
about: Do pixels separate what people see?
seed: 1
datasets:
  faces: { celeba: { root: ../faces } }
evaluation:
  dataset: faces
  labels:
    - { journal: look }
preparations:
  small: { crop: whole, size: 16 }
models:
  named:
    pixels: { baseline: pixels, prepare: small }
projections:
  - pca: { axes: 2, pairs: [[1, 2]] }
comparisons:
  look: { Light: \"look=light\", Dark: \"look=dark\" }
  gender: { Male: \"Male\", Female: \"not Male\" }
statistics: { bootstraps: 50, permutations: 50, min_positives: 2 }
";

/// A workspace with drawn faces.
fn desk(images: usize) -> Desk {
    let desk = Desk::empty();
    desk.succeed(&["data", "draw", "faces", "--identities", "20", "--images", &images.to_string()]);
    desk
}

const LABEL: [&str; 6] = ["label", "faces", "--attribute", "look", "--classes", "light,dark"];

/// Answers typed as lines, and what was said.
fn typed(desk: &Desk, annotator: &str, answers: &str) -> (i32, String, String) {
    let mut child = desk
        .command(&[&LABEL[..], &["--annotator", annotator]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).ok();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Image → class, as exported.
fn exported(desk: &Desk, annotator: &str) -> BTreeMap<String, String> {
    desk.succeed(&["label", "faces", "--attribute", "look", "--annotator", annotator, "--export", "out.csv"]);
    let table = desk.read("out.csv");
    let row = |line: &str| {
        let mut cells = line.split(',').map(str::to_owned);
        Some((cells.next()?, cells.next()?))
    };
    table.lines().skip(1).filter_map(row).collect()
}

#[test]
fn labels_are_typed_taken_back_and_gone_on_with() {
    let desk = desk(20);
    let (code, out, _) = typed(&desk, "ann", "1\ndark\nskip\no\nu\n2\nq\n");
    assert_eq!(code, 0);
    assert!(out.contains("look by ann: light 1 · dark 2 · not obvious 0 · skipped 1 · 16 left"), "{out}");
    let before = exported(&desk, "ann");
    assert_eq!(before.len(), 3);
    // The same command goes on: none of the four is asked again before the others.
    let (_, out, _) = typed(&desk, "ann", &"1\n".repeat(16));
    let asked: Vec<&str> = out.lines().filter(|line| line.ends_with(".jpg")).take(16).collect();
    assert!(asked.iter().all(|image| !before.contains_key(*image)), "{asked:?}");
    assert_eq!(exported(&desk, "ann").len(), 19);
}

#[test]
fn a_second_annotator_is_blind_to_the_first_and_their_agreement_is_told() {
    let desk = desk(30);
    typed(&desk, "ann", &"1\n2\n".repeat(15));
    let (_, out, _) = typed(&desk, "ben", &"1\n2\n1\n".repeat(10));
    assert!(out.contains("light 20 · dark 10") && out.contains("0 left"), "{out}");
    let summary = desk.json(&["label", "faces", "--attribute", "look", "--summary"]);
    let agreement = &summary["agreements"][0];
    assert_eq!((agreement["shared"].as_u64(), agreement["differ"].as_u64()), (Some(30), Some(15)), "{summary}");
    assert!(agreement["low"].as_f64() < agreement["kappa"].as_f64(), "{summary}");
}

#[test]
fn a_study_reads_the_labels_and_only_scores_again_when_they_change() {
    let desk = desk(60);
    desk.write("experiments/seen.yaml", STUDY.as_bytes());
    let plan = desk.json(&["plan", "experiments/seen.yaml"]);
    assert!(plan["missing"].to_string().contains("nobody has labelled"), "{plan}");
    typed(&desk, "ann", &"1\n2\n".repeat(20));
    let (kinds, _) = desk.ran("experiments/seen.yaml");
    assert!(kinds.iter().any(|kind| kind == "project"), "{kinds:?}");
    // Twenty more labels, and a second annotator who agrees on all but some.
    typed(&desk, "ann", &"1\n2\n".repeat(10));
    let (kinds, _) = desk.ran("experiments/seen.yaml");
    let network = ["index", "features", "project", "train", "prepare"];
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| !network.contains(&kind.as_str())), "{kinds:?}");
    typed(&desk, "ben", &"1\n2\n1\n1\n".repeat(15));
    let said = desk.visavis(&["check", "experiments/seen.yaml"]);
    assert!(said.err.contains("45 of 60 labelled images have a label by the rule `agree` of ann, ben"), "{}", said.err);
    assert!(said.err.contains("ann and ben agree on 45 of 60 images; Cohen's κ"), "{}", said.err);
    let page = "reports/seen.html";
    desk.succeed(&["run", "experiments/seen.yaml"]);
    desk.succeed(&["report", "experiments/seen.yaml"]);
    let html = desk.page(page);
    let row = html
        .split("<th scope=\"row\">look</th><td class=\"text\">ann and ben</td>")
        .nth(1)
        .expect("the report says how far they agree");
    let row = &row[..row.find("</tr>").unwrap()];
    assert!(row.contains(">60</data>") && row.contains(">15</data>") && row.matches("data-claim").count() == 7, "{row}");
    desk.succeed(&["audit", page]);
}

#[test]
fn a_study_is_labelled_before_its_questions_can_be_answered_and_waits_for_classes_that_nobody_named_yet() {
    let desk = desk(40);
    desk.write(
        "experiments/seen.yaml",
        STUDY.replace("  dataset: faces\n", "  dataset: faces\n  take: { images: 30, seed: 1 }\n").as_bytes(),
    );
    let label = |answers: &str, more: &[&str]| {
        let words = ["label", "experiments/seen.yaml", "--attribute", "look", "--annotator", "ann"];
        let mut child = desk.command(&[&words[..], more].concat()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let out = label("1\n1\nq\n", &["--classes", "light,dark,grey", "--quota", "9"]);
    assert!(out.contains("light 2 · dark 0 · grey 0") && out.contains("28 left"), "{out}");
    let plan = desk.json(&["plan", "experiments/seen.yaml"]);
    assert!(plan["missing"].to_string().contains("none is `dark` yet"), "{plan}");
    // The next session goes on with the same classes and quota, without being told them.
    let out = label(&"2\n".repeat(9), &[]);
    assert!(out.contains("light 2 · dark 9 · grey 0") && out.contains("19 left"), "{out}");
    assert_eq!(desk.json(&["plan", "experiments/seen.yaml"])["missing"].as_array().unwrap().len(), 0);
}

#[test]
fn words_of_a_file_and_of_the_journal_are_one_label() {
    let desk = desk(20);
    let answers = |annotator: &str| {
        let words = ["label", "faces", "--attribute", "smile", "--classes", "yes,no", "--annotator", annotator];
        let mut child = desk.command(&words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all("1\n2\n".repeat(10).as_bytes()).ok();
        assert!(child.wait().unwrap().success());
    };
    answers("ann");
    desk.succeed(&["label", "faces", "--attribute", "smile", "--annotator", "ann", "--export", "smile.csv"]);
    let study = STUDY.replace(
        "    - { journal: look }",
        "    - { journal: smile }\n    - { file: ../smile.csv, attribute: smile, annotator: paper }",
    );
    desk.write(
        "experiments/s.yaml",
        study
            .replace("look: { Light: \"look=light\", Dark: \"look=dark\" }", "smile: { Smile: \"smile\", None: \"not smile\" }")
            .as_bytes(),
    );
    let said = desk.visavis(&["check", "experiments/s.yaml"]);
    assert!(said.code == 0 && said.err.contains("agree on 20 of 20 images"), "{}{}", said.out, said.err);
}

#[test]
fn who_and_what_is_wrong_is_said() {
    let desk = desk(20);
    typed(&desk, "ann", "1\n");
    let as_other = |arguments: &[&str]| {
        let output = desk.command(arguments).env("USER", "somebody").stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = as_other(&[&LABEL[..], &["--annotator", "ann"]].concat());
    assert!(code == 2 && said.contains("two people need two names"), "{code} {said}");
    for (arguments, words) in [
        (&["label", "nowhere", "--attribute", "look", "--classes", "a,b"][..], "nowhere"),
        (&["label", "faces", "--attribute", "age", "--annotator", "new"], "--classes"),
        (&["label", "faces", "--attribute", "look", "--classes", "light"], "two classes"),
        (&["label", "faces", "--attribute", "look", "--classes", "light,none"], "missing label"),
        (&["label", "faces", "--attribute", "look", "--classes", "x,y", "--annotator", "ann"], "no class now"),
        (&["label", "faces", "--attribute", "look", "--export", "a.csv", "--annotator", "nobody"], "--summary"),
    ] {
        let said = desk.visavis(arguments);
        assert!(said.code == 2 && said.err.contains(words), "{arguments:?}: {} {}", said.code, said.err);
    }
    desk.write("list.csv", b"image_id\nnot-there.jpg\n");
    let said = desk.visavis(&[&LABEL[..], &["--list", "list.csv"]].concat());
    assert!(said.code == 2 && said.err.contains("none of the list's images"), "{}", said.err);
}

#[test]
fn a_picture_that_cannot_be_decoded_is_passed_over_and_counted() {
    let desk = desk(20);
    desk.write("faces/img_align_celeba/000004.jpg", b"\xff\xd8\xff\xe0 no picture");
    let (code, out, err) = typed(&desk, "ann", &"1\n".repeat(19));
    assert!(code == 0 && out.contains("light 19"), "{out}");
    assert!(err.contains("1 picture could not be shown, such as 000004.jpg"), "{err}");
}

#[test]
fn two_windows_under_one_name_are_refused() {
    let desk = desk(20);
    let (mut child, _input, mut output) = session(&desk, "ann");
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let said = desk.visavis(&[&LABEL[..], &["--annotator", "ann"]].concat());
    assert!(said.code == 2 && said.err.contains("in another window"), "{}", said.err);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A session that speaks JSON lines.
fn session(desk: &Desk, annotator: &str) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut child = desk
        .command(&[&LABEL[..], &["--annotator", annotator, "--json"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    (child, input, output)
}

/// Every label that was acknowledged before a kill -9 is there after it; a thousand kills with VISAVIS_LONG=1.
#[test]
fn no_label_is_lost_when_labelling_is_killed() {
    const KILLS_OF_ONE: usize = 5;
    let kills = if std::env::var_os("VISAVIS_LONG").is_some() { 1000 } else { 15 };
    let desk = desk(40);
    for block in 0..kills / KILLS_OF_ONE {
        let annotator = format!("a{block}");
        let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
        for kill in 0..KILLS_OF_ONE {
            let (mut child, mut input, output) = session(&desk, &annotator);
            let class = if kill % 2 == 0 { "dark" } else { "light" };
            // Some answers are sent and not waited for: the kill falls before, while or after they are kept.
            let (sent, waited) = (2 + kill, 1 + kill % 3);
            input.write_all(format!("{class}\n").repeat(sent).as_bytes()).unwrap();
            let mut seen = 0;
            for line in output.lines().map_while(Result::ok) {
                let said: serde_json::Value = serde_json::from_str(&line).unwrap();
                let Some(choice) = said.get("kept") else { continue };
                acknowledged.insert(said["image"].as_str().unwrap().to_owned(), choice["class"].as_str().unwrap().to_owned());
                seen += 1;
                if seen == waited {
                    // Lines that were said before the kill are read after it, and count too.
                    child.kill().unwrap();
                }
            }
            child.kill().ok();
            child.wait().unwrap();
        }
        let kept = exported(&desk, &annotator);
        let lost: Vec<_> = acknowledged.iter().filter(|(image, class)| kept.get(*image) != Some(class)).collect();
        assert!(lost.is_empty() && acknowledged.len() >= KILLS_OF_ONE, "{lost:?}");
    }
}
