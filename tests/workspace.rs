//! Nothing bricks a workspace: what is asked twice is refused with its place, and a result that the store cannot take in is set
//! aside and named, never in the way of others.

use crate::desk::Desk;
use std::fs;
use visavis_core::{
    domain::{Digest, Key, result::Manifest, stage::ScoreViews},
    store::Workspace,
};

const SMALL: &str = "experiments/small.yaml";
const MICRO: &str = "experiments/micro.yaml";

/// `visavis check` refuses the edited study, with these words and on this line.
fn refused(study: &str, from: &str, to: &str, line: &str, words: &[&str]) {
    let desk = if study == SMALL { Desk::with_digits() } else { Desk::with_pretence() };
    desk.edit(study, from, to);
    let at = desk.read(study).lines().position(|text| text.contains(line)).unwrap() + 1;
    let said = desk.visavis(&["check", study]);
    assert_eq!(said.code, 2, "{to}: {}{}", said.out, said.err);
    for word in words {
        assert!(said.err.contains(word), "{to}: {}", said.err);
    }
    assert!(said.err.contains(&format!("{study}:{at}:")), "{to}: line {at}: {}", said.err);
}

#[test]
fn what_a_study_file_lists_twice_is_refused_with_its_place() {
    let pairs = "pairs: [[1, 2]]";
    refused(SMALL, pairs, "pairs: [[1, 2], [1, 2]]", "pairs", &["the axes 1 and 2 are listed twice", "remove one"]);
    refused(
        SMALL,
        pairs,
        "pairs: [[1, 2], [1, 3], [2, 1]]",
        "pairs",
        &["the axes 2 and 1 are listed twice, the other way round"],
    );
    refused(SMALL, "groups: [bold]", "groups: [bold, even, bold]", "groups", &["`bold` is listed twice"]);
    let zero = "  zero or one: { Zero: \"digit=0\", One: \"digit=1\" }\n";
    let same = "  one or nought: { I: \"digit=1\", O: \"digit=0\" }\n";
    refused(SMALL, zero, &format!("{zero}{same}"), "nought", &["`zero or one` and `one or nought` ask the same"]);
    let ink = "  ink: { quantity: ink }\n";
    refused(
        SMALL,
        ink,
        &format!("{ink}  \"how black\": {{ quantity: ink }}\n"),
        "black",
        &["`ink` and `how black` ask the same"],
    );
    let within =
        "  a: { X: even, Y: not even, within: digit=1 or bold }\n  b: { Y: not even, X: even, within: bold or digit=1 }\n";
    refused(SMALL, ink, within, "  b:", &["`a` and `b` ask the same"]);
    refused(SMALL, ink, "  a: { X: even and bold, Y: bold and even }\n", "  a:", &["are the same"]);
    let contrasts = "contrasts:\n  one: { pair: [pixels, blocks] }\n  two: { pair: [blocks, pixels] }\nstatistics";
    refused(SMALL, "statistics", contrasts, "  two:", &["the contrast `one` asks the same"]);
    let factors = "contrasts:\n  one: { factor: loss }\n  two: { factor: loss }\nstatistics";
    refused(MICRO, "statistics", factors, "  two:", &["the contrast `one` asks the same"]);
    let labels =
        "evaluation:\n  labels:\n    - { file: ../data/a.csv, attribute: x }\n    - { file: ./../data/a.csv, attribute: x }\n";
    refused(SMALL, "evaluation:\n", labels, "./../data/a.csv", &["the attribute `x` is read from", "twice"]);
    let exclude = "    exclude:\n      - { loss: arcface }\n      - { loss: arcface }\n    train";
    // The second of two equal lines is meant.
    let desk = Desk::with_pretence();
    desk.edit(MICRO, "    train", exclude);
    let said = desk.visavis(&["check", MICRO]);
    assert!(said.code == 2 && said.err.contains("entry 1 excludes the same"), "{}", said.err);
    refused(MICRO, "layers: [layer4, embedding]", "layers: [layer4, layer4]", "layers", &["`layer4` is listed twice"]);
    refused(MICRO, "      - seresnet34\n", "      - resnet34\n", "matrix:", &["a level is written twice"]);
    let twice = "features: { layer1: ../data/digits/pixels.npy, embedding: ../data/digits/pixels.npy,";
    refused(SMALL, "features: { embedding: ../data/digits/pixels.npy,", twice, "layer1", &["`layer1` has the same file"]);
}

/// A model under two names may be meant, as a control: it is said, and the study runs.
#[test]
fn one_model_under_two_names_is_said() {
    let desk = Desk::with_digits();
    desk.edit(SMALL, "../data/digits/blocks.npy", "../data/digits/pixels.npy");
    let said = desk.visavis(&["check", SMALL]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!((said.out + &said.err).contains("the models `pixels` and `blocks` are one under two names"));
    desk.succeed(&["run", SMALL, "--quiet"]);
    desk.succeed(&["run", SMALL, "--quiet"]);
}

/// The result of a score stage under another key, its scores changed by `change`.
fn plant(desk: &Desk, name: &str, change: impl Fn(&mut serde_json::Value) -> Vec<u8>) -> Key {
    let workspace = Workspace::new(desk.path("."), None).unwrap();
    let (results, objects) = (workspace.results(), workspace.objects());
    let manifests = results.all().unwrap().into_iter().map(|key| results.get(key).unwrap().unwrap());
    let mut manifest: Manifest = manifests.into_iter().find(|manifest| manifest.output(ScoreViews::SCORES).is_some()).unwrap();
    let digest = manifest.output(ScoreViews::SCORES).unwrap().digest;
    let mut scores: serde_json::Value = serde_json::from_slice(&objects.get(digest).unwrap()).unwrap();
    let bytes = change(&mut scores);
    manifest.key = Key(Digest::of(name.as_bytes()));
    let output = manifest.outputs.iter_mut().find(|output| output.name == ScoreViews::SCORES).unwrap();
    (output.digest, output.bytes) = (objects.put(&bytes).unwrap(), bytes.len() as u64);
    assert!(results.publish(&manifest).unwrap());
    manifest.key
}

#[test]
fn results_that_the_store_cannot_take_in_are_named_and_in_nobodys_way() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", SMALL, "--quiet"]);
    let text = |scores: &serde_json::Value| serde_json::to_vec(scores).unwrap();
    // As `pairs: [[1, 2], [1, 2]]` once left them.
    let twice = plant(&desk, "twice", |scores| {
        let views = scores["views"].as_array_mut().unwrap();
        views.push(views[0].clone());
        text(scores)
    });
    let later = plant(&desk, "later", |scores| {
        scores["format"] = 99.into();
        text(scores)
    });
    let torn = plant(&desk, "torn", |scores| text(scores)[..40].to_vec());
    let damaged = Key(Digest::of(b"damaged"));
    desk.write(&format!("data/results/{damaged}.json"), b"{ \"format\": 1,");
    let all = [twice, later, torn, damaged];

    // Everything else goes on: looking, running this study and another one, making the store again.
    let status = desk.visavis(&["status"]);
    assert_eq!(status.code, 0, "{}", status.err);
    assert!(
        status.out.contains("4 results set aside") && all.iter().all(|key| status.out.contains(&key.short())),
        "{}",
        status.out
    );
    assert_eq!(desk.json(&["status"])["set_aside"].as_array().unwrap().len(), 4);
    desk.succeed(&["plan", SMALL]);
    desk.write(
        "experiments/other.yaml",
        desk.read(SMALL).replace("study: small", "study: other").replace("seed: 7", "seed: 8").as_bytes(),
    );
    let run = desk.visavis(&["run", "experiments/other.yaml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("4 results set aside"), "{}", run.out);
    desk.succeed(&["show", "experiments/other.yaml"]);
    desk.succeed(&["report", "experiments/other.yaml"]);
    let rebuilt = desk.json(&["store", "rebuild"]);
    assert_eq!(rebuilt["equal"], true, "{rebuilt}");
    assert_eq!(rebuilt["damaged"].as_array().unwrap().len(), 4);
    desk.succeed(&["store", "dump"]);

    // Each is a defect with its reason.
    let check = desk.visavis(&["store", "check"]);
    assert!(check.code != 0, "{}", check.out);
    for why in
        ["is in them twice", "are of format 99, and this visavis reads up to 1", "EOF while parsing", "the result is damaged"]
    {
        assert!(check.out.contains(why), "{why}: {}", check.out);
    }
    assert!(check.err.contains("4 defects"), "{}", check.err);

    // Removed with what no study uses, they are forgotten.
    desk.succeed(&["store", "gc", SMALL, "experiments/other.yaml", "--yes"]);
    assert!(all.iter().all(|key| !desk.path(&format!("data/results/{key}.json")).exists()));
    desk.succeed(&["store", "check"]);
    assert!(!desk.succeed(&["status"]).contains("set aside"));
    assert_eq!(fs::read_dir(desk.path("data/results")).unwrap().count(), desk.json(&["store", "rebuild"])["results"]);
}

/// With the data away nobody knows which results are the study's: none is removed. What is removed can be brought back.
#[test]
fn removing_what_no_study_uses_is_refused_while_data_are_away_and_can_be_undone() {
    let desk = Desk::with_digits();
    desk.succeed(&["run", SMALL, "--quiet"]);
    let results = || fs::read_dir(desk.path("data/results")).unwrap().count();
    let all = results();
    fs::rename(desk.path("data/digits"), desk.path("unmounted")).unwrap();
    let said = desk.visavis(&["store", "gc", "--yes", SMALL]);
    assert_eq!((said.code, results()), (5, all), "{}{}", said.out, said.err);
    assert!(
        said.err.contains("which results the study `small` uses is not known") && said.err.contains("digits"),
        "{}",
        said.err
    );
    fs::rename(desk.path("unmounted"), desk.path("data/digits")).unwrap();
    assert!(desk.succeed(&["store", "gc", "--yes", SMALL]).contains("nothing to remove"));

    desk.edit(SMALL, "  ink: { quantity: ink }\n", "");
    desk.succeed(&["run", SMALL, "--quiet"]);
    let with_both = results();
    let said = desk.succeed(&["store", "gc", "--yes", SMALL]);
    assert!(said.contains("removed") && said.contains("for 14 days") && results() < with_both, "{said}");
    desk.succeed(&["store", "check"]);
    assert!(desk.succeed(&["store", "gc", "--undo"]).contains("brought back"));
    assert_eq!(results(), with_both);
    desk.succeed(&["store", "check"]);
    let said = desk.visavis(&["store", "gc", "--undo"]);
    assert!(said.code == 2 && said.err.contains("no removal to undo"), "{}", said.err);
    // A folder is no journal, and in nobody's way.
    desk.write("data/journals/000000000000001-1.journal/x", b"");
    desk.succeed(&["status"]);
    let said = desk.visavis(&["store", "check"]);
    assert!(said.code == 4 && said.out.contains("no journal:"), "{}{}", said.out, said.err);
}
