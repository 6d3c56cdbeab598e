//! Who is in a class is one definition: scores, figures, frequencies, forms and `check` count the same images, also where label
//! files cover different ones.

use crate::desk::Desk;
use std::{collections::BTreeMap, fs};
use visavis_core::domain::{
    comparison::{Measured, Question},
    image::{Column, Images, Labels},
    ledger::Frequencies,
    membership::Members,
    result::Manifest,
    score::Scores,
    stage::{Figure, Ranking, ScoreViews, Work},
};

const STUDY: &str = "experiments/small.yaml";

/// The odd digits and the bold ones: of these alone there are enough for a rank, and some are even too.
fn is_framed(of: &[String]) -> bool {
    of[2] == "0" || of[3] == "1"
}

/// The digits, with a label file of every other image, one of the first two thirds, and a group of two values.
fn desk() -> (Desk, Vec<Vec<String>>) {
    let desk = Desk::with_digits();
    let labels = desk.read("data/digits/labels.csv");
    // Image, digit, even, bold, ink.
    let ids: Vec<Vec<String>> = labels.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let table = |name: &str, takes: &dyn Fn(usize) -> bool, value: &dyn Fn(usize) -> bool| {
        let rows = ids.iter().enumerate().filter(|(i, _)| takes(*i));
        let rows: String = rows.map(|(i, of)| format!("{},{}\n", of[0], u8::from(value(i)))).collect();
        desk.write(&format!("data/{name}.csv"), format!("image_id,{name}\n{rows}").as_bytes());
    };
    table("striped", &|i| i % 2 == 0, &|i| ids[i][2] == "1");
    table("framed", &|i| i * 3 < ids.len() * 2, &|i| is_framed(&ids[i]));
    table("side", &|_| true, &|i| i % 7 < 3);
    let file = |name: &str| format!("    - {{ file: ../data/{name}.csv, attribute: {name} }}\n");
    let files = format!("evaluation:\n  labels:\n{}{}{}", file("striped"), file("framed"), file("side"));
    desk.edit(STUDY, "evaluation:\n", &files);
    desk.edit(STUDY, "groups: [bold]", "groups: [side]");
    let asked = "  striped or framed: { Striped: \"striped\", Framed: \"framed\" }\n  \
                 within: { A: \"striped or even\", B: \"not striped\", C: \"framed and even\", within: \"even or bold\" }\n";
    desk.edit(STUDY, "  ink: { quantity: ink }\n", asked);
    desk.edit(STUDY, "selection: { show: 3 }", "selection: { show: 40 }");
    desk.edit(STUDY, "statistics: {", "statistics: { min_positives: 2,");
    (desk, ids)
}

fn manifests(desk: &Desk) -> Vec<Manifest> {
    let files = fs::read_dir(desk.path("data/results")).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

fn object(desk: &Desk, digest: &visavis_core::domain::Digest) -> String {
    let name = digest.to_string();
    desk.read(&format!("data/objects/{}/{}", &name[..2], &name[2..]))
}

fn output(desk: &Desk, manifest: &Manifest, name: &str) -> String {
    object(desk, &manifest.output(name).unwrap().digest)
}

/// Of the labels that a result consumed: the sizes of the question's classes.
fn sizes(desk: &Desk, manifest: &Manifest, question: &Question) -> Vec<usize> {
    let input = |role: &str| manifest.inputs.iter().find(|input| input.role == role).unwrap();
    let images = Images::from_text(&object(desk, &input("images").digest)).unwrap();
    let column = |attribute: &str| Column::from_text(&object(desk, &input(&format!("labels/{attribute}")).digest)).unwrap();
    let labels: Labels = question.attributes().into_iter().map(|attribute| (attribute, column(attribute))).collect();
    Members::of(&images, &labels, question).sizes()
}

/// The counts in a figure's legend: `1,234 · 56 %`.
fn legend(svg: &str) -> Vec<usize> {
    let texts = svg.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    let counts = texts.filter_map(|text| text.strip_suffix(" %").and_then(|text| text.split_once(" · ")));
    counts.map(|(count, _)| count.replace(',', "").parse().unwrap()).collect()
}

#[test]
fn scores_figures_frequencies_and_check_count_the_same_images() {
    let (desk, ids) = desk();
    let check = desk.visavis(&["check", STUDY]);
    assert_eq!(check.code, 0, "{}", check.err);
    desk.succeed(&["run", STUDY, "--quiet"]);
    let mut scored: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let (mut figures, mut of_files, mut groups) = (0, 0, 0);
    let all = manifests(&desk);
    for manifest in &all {
        if let Work::Score(ScoreViews { question, .. }) = &manifest.work
            && matches!(question.measured, Measured::Classes(_))
        {
            let scores: Scores = serde_json::from_str(&output(&desk, manifest, ScoreViews::SCORES)).unwrap();
            assert_eq!(scores.counts.classes, sizes(&desk, manifest, question), "{question:?}");
            scored.insert(serde_json::to_string(question).unwrap(), scores.counts.classes);
        }
    }
    assert_eq!(scored.len(), 4);
    for manifest in &all {
        match &manifest.work {
            Work::Draw(Figure::View { question, .. }) => {
                let found = legend(&output(&desk, manifest, Figure::SVG));
                assert_eq!(found, scored[&serde_json::to_string(question).unwrap()], "{question:?}");
                figures += 1;
                of_files += usize::from(question.attributes().contains("framed"));
            }
            Work::Rank(ranking) => {
                let counted: Frequencies = serde_json::from_str(&output(&desk, manifest, Ranking::FREQUENCIES)).unwrap();
                // Every image is on one side, so both sides together are everybody.
                for (place, question) in ranking.questions.iter_enumerated() {
                    let wanted = &scored[&serde_json::to_string(question).unwrap()];
                    for (class, wanted) in wanted.iter().enumerate() {
                        let of: usize = counted.groups.iter().map(|group| group.rates[place][class].positives).sum();
                        assert_eq!(of, *wanted, "{question:?}");
                    }
                    groups += 1;
                }
            }
            _ => {}
        }
    }
    assert!(figures > 3 && of_files > 0 && groups == 4, "{figures} figures, {of_files} of them, {groups} questions");

    // By hand: both labels are there for every other of the first two thirds.
    let both = |i: &usize| i.is_multiple_of(2) && i * 3 < ids.len() * 2;
    let count = |is: &dyn Fn(usize) -> bool| (0..ids.len()).filter(both).filter(|i| is(*i)).count();
    let wanted = [count(&|i| ids[i][2] == "1"), count(&|i| is_framed(&ids[i]))];
    assert!(scored.values().any(|sizes| *sizes == wanted), "{scored:?} {wanted:?}");
    let said = check.out + &check.err;
    let line = said.lines().find(|line| line.contains("striped or framed:") && line.contains("take no part")).unwrap();
    assert!(line.ends_with(&format!("Striped {}, Framed {}", wanted[0], wanted[1])), "{line}");
}

/// Where one file labels nobody of the other's, nothing is left to compare, and `check` says so.
#[test]
fn files_of_different_images_leave_classes_empty_and_check_says_so() {
    let (desk, ids) = desk();
    let rows = |takes: &dyn Fn(usize) -> bool| {
        ids.iter().enumerate().filter(|(i, _)| takes(*i)).map(|(_, of)| &of[0]).collect::<Vec<_>>()
    };
    let text = |name: &str, ids: Vec<&String>| {
        format!("image_id,{name}\n{}", ids.iter().enumerate().map(|(i, id)| format!("{id},{}\n", i % 2)).collect::<String>())
    };
    desk.write("data/striped.csv", text("striped", rows(&|i| i < 200)).as_bytes());
    desk.write("data/framed.csv", text("framed", rows(&|i| i >= 200)).as_bytes());
    let said = desk.visavis(&["check", STUDY]);
    let said = said.out + &said.err;
    assert!(said.contains("striped or framed: no image is in the class `Striped`"), "{said}");
    assert!(said.contains("What is compared: Striped 0, Framed 0"), "{said}");
}
