//! Every change puts in or takes out exactly what it says, in block and flow style, and what is typed stays within its place.

use super::*;
use proptest::{prelude::*, test_runner::TestRunner};
use std::{cell::Cell, path::Path};
use visavis_core::domain::{Result, text::is_steering};

const BLOCK: &str = r#"# A study.
format: 1
models:
  matrix:
    architecture:
      - resnet34: { width: 0.25 }   # small
      # - resnet50: too slow
    loss:
    - softmax
    # margins
    - arcface: { s: 64 }      # a margin

    - cosface
    prepare: [small, "large"]  # sizes
    train: { recipe: short }
  named:
    # Baselines.
    pixels: { baseline: pixels, prepare: small } # raw
    given:
      # mine
      features:
        embedding: mine.npy     # features
    # The end of models.

layers: [layer1, layer4]   # both ends

projections:
  - pca: { axes: 8 }
  - umap

comparisons:
  smile: { Smiling: "Smiling", Not: "not Smiling" }   # easy
  # hard:
  'it''s': { A: "a", B: "not a" }
  4: { Four: "digit=4", Other: "not digit=4" }
"#;

fn amended(source: &str, change: &Change) -> Result<String> {
    amend(source, Path::new("x.yaml"), change)
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

fn add_level(factor: &str, level: &str) -> Change {
    Change::AddLevel { factor: factor.into(), level: level.into() }
}

fn drop_level(factor: &str, place: usize) -> Change {
    Change::DropLevel { factor: factor.into(), place }
}

fn exclude(levels: &[(&str, &str)]) -> Change {
    Change::Exclude { levels: levels.iter().map(|(factor, level)| ((*factor).to_owned(), (*level).to_owned())).collect() }
}

fn add_comparison(name: &str, body: &str) -> Change {
    Change::AddComparison { name: name.into(), body: body.into() }
}

fn add_model(name: &str, body: &str) -> Change {
    Change::AddModel { name: name.into(), body: body.into() }
}

/// The change puts `with` where the text had `was`, and changes no other byte: with both kinds of line ends.
fn makes(source: &str, change: &Change, was: &str, with: &str) {
    assert_eq!(source.matches(was).count(), 1, "{was}");
    let expected = source.replace(was, with);
    assert_eq!(amended(source, change).unwrap(), expected, "{change:?}");
    assert_eq!(amended(&source.replace('\n', "\r\n"), change).unwrap(), expected.replace('\n', "\r\n"), "{change:?}");
}

fn refused(source: &str, change: &Change) -> String {
    let fault = amended(source, change).unwrap_err();
    assert_eq!(fault.ending, visavis_core::domain::fault::Ending::Asked);
    fault.to_string()
}

#[test]
fn levels_come_and_go() {
    makes(BLOCK, &add_level("architecture", "resnet50"), "# small\n", "# small\n      - resnet50\n");
    makes(BLOCK, &add_level("loss", "sphere: { m: 2 }"), "    - cosface\n", "    - cosface\n    - sphere: { m: 2 }\n");
    makes(BLOCK, &add_level("prepare", "tiny"), "\"large\"]", "\"large\", tiny]");
    makes(BLOCK, &drop_level("loss", 0), "    - softmax\n", "");
    makes(BLOCK, &drop_level("loss", 1), "    - arcface: { s: 64 }      # a margin\n", "");
    makes(BLOCK, &drop_level("loss", 2), "    - cosface\n", "");
    makes(BLOCK, &drop_level("prepare", 0), "[small, \"large\"]", "[\"large\"]");
    makes(BLOCK, &drop_level("prepare", 1), "[small, \"large\"]", "[small]");
}

#[test]
fn the_first_exclusion_makes_the_list_and_the_last_takes_it_away() {
    let (one, two) = (exclude(&[("loss", "arcface"), ("trained_on", "a, b")]), exclude(&[("loss", "softmax")]));
    let train = "    train: { recipe: short }\n";
    let made = format!("{train}    exclude:\n      - {{ loss: arcface, trained_on: \"a, b\" }}\n");
    makes(BLOCK, &one, train, &made);
    let with_one = amended(BLOCK, &one).unwrap();
    makes(&with_one, &two, &made, &format!("{made}      - {{ loss: softmax }}\n"));
    let with_both = amended(&with_one, &two).unwrap();
    assert_eq!(amended(&with_both, &Change::Include { place: 1 }).unwrap(), with_one);
    assert_eq!(amended(&with_one, &Change::Include { place: 0 }).unwrap(), BLOCK);
    assert!(refused(&with_one, &one).contains("is in models.matrix.exclude already"));
    assert!(refused(&with_one, &Change::Include { place: 1 }).contains("models.matrix.exclude has no entry 2"));
    assert!(refused(BLOCK, &Change::Include { place: 0 }).contains("models.matrix.exclude has no entry 1"));
    assert!(refused(BLOCK, &exclude(&[])).contains("everything"));
}

#[test]
fn models_come_and_go() {
    let given = "    given:\n      # mine\n      features:\n        embedding: mine.npy     # features\n";
    let more = format!("{given}    more: {{ baseline: colours, prepare: small }}\n");
    makes(BLOCK, &add_model("more", "{ baseline: colours, prepare: small }"), given, &more);
    makes(BLOCK, &Change::DropModel { name: "given".into() }, given, "");
    let raw = "    pixels: { baseline: pixels, prepare: small } # raw\n";
    makes(BLOCK, &Change::DropModel { name: "pixels".into() }, raw, "");
    // Without named models the section goes, and comes back with the first one.
    let one = "models:\n  matrix:\n    loss: [softmax]\n  named:\n    a: { baseline: pixels }\n";
    let none = amended(one, &Change::DropModel { name: "a".into() }).unwrap();
    assert_eq!(none, "models:\n  matrix:\n    loss: [softmax]\n");
    assert_eq!(amended(&none, &add_model("a", "{ baseline: pixels }")).unwrap(), one);
}

#[test]
fn comparisons_come_and_go() {
    let four = "  4: { Four: \"digit=4\", Other: \"not digit=4\" }\n";
    makes(BLOCK, &add_comparison("hair", "{ quantity: hair }"), four, &format!("{four}  hair: {{ quantity: hair }}\n"));
    makes(BLOCK, &Change::DropComparison { name: "4".into() }, four, "");
    makes(BLOCK, &Change::DropComparison { name: "it's".into() }, "  'it''s': { A: \"a\", B: \"not a\" }\n", "");
    let end = "comparisons:\n  a: { quantity: a }\n\n  # the end\n  b: { quantity: b } # last";
    makes(end, &Change::DropComparison { name: "b".into() }, "\n  b: { quantity: b } # last", "");
    makes(end, &add_comparison("c", "{ quantity: c }"), " # last", " # last\n  c: { quantity: c }");
    let smile = "  smile: { Smiling: \"Smiling\", Not: \"not Smiling\" }   # easy\n";
    makes(BLOCK, &Change::DropComparison { name: "smile".into() }, smile, "");
}

#[test]
fn projections_come_and_go() {
    let added = "  - umap\n  - tsne: { perplexity: 30 }\n";
    makes(BLOCK, &Change::AddProjection { projection: "tsne: { perplexity: 30 }".into() }, "  - umap\n", added);
    makes(BLOCK, &Change::DropProjection { place: 0 }, "  - pca: { axes: 8 }\n", "");
}

#[test]
fn layers_keep_their_lines_and_style() {
    let layers = |layers: &[&str]| Change::Layers(Some(layers.iter().map(|layer| (*layer).to_owned()).collect()));
    makes(BLOCK, &layers(&["layer1", "layer2", "layer4"]), "[layer1, layer4]", "[layer1, layer2, layer4]");
    makes(BLOCK, &layers(&["embedding"]), "[layer1, layer4]", "[embedding]");
    makes(BLOCK, &layers(&["layer4", "layer1"]), "[layer1, layer4]", "[layer4, layer1]");
    makes(BLOCK, &layers(&["layer1", "layer4"]), "format: 1", "format: 1");
    makes(BLOCK, &Change::Layers(None), "layers: [layer1, layer4]   # both ends\n", "");
    let without = amended(BLOCK, &Change::Layers(None)).unwrap();
    assert_eq!(amended(&without, &Change::Layers(None)).unwrap(), without);
    let end = "# features\n";
    makes(&without, &layers(&["layer1", "a: b"]), end, &format!("{end}layers: [layer1, \"a: b\"]\n"));

    let block = "layers:\n  # deep\n  - layer4   # four\n\n  - embedding # last\nmodels: {}\n";
    let change = layers(&["layer1", "embedding", "probe"]);
    makes(block, &change, block, "layers:\n  # deep\n\n  - layer1\n  - embedding # last\n  - probe\nmodels: {}\n");
    assert!(refused(block, &layers(&[])).contains("no layers"));
}

#[test]
fn flow_style_stays_flow_style() {
    let flow = "models: { matrix: { loss: [softmax, arcface: { s: 64 }, cosface] }, named: { a: { baseline: pixels } } }\n\
                projections: [\n  pca,  # axes\n  umap  # neighbours\n]\ncomparisons: { a: { quantity: a } } # one\n";
    makes(flow, &add_level("loss", "sphere: { m: 2 }"), "cosface]", "cosface, sphere: { m: 2 }]");
    makes(flow, &drop_level("loss", 1), "arcface: { s: 64 }, ", "");
    makes(flow, &drop_level("loss", 2), ", cosface", "");
    makes(flow, &exclude(&[("loss", "softmax")]), "cosface] }", "cosface], exclude: [{ loss: softmax }] }");
    makes(flow, &Change::DropModel { name: "a".into() }, ", named: { a: { baseline: pixels } }", "");
    makes(flow, &add_comparison("b, c", "{ quantity: b }"), "a } } #", "a }, \"b, c\": { quantity: b } } #");
    makes(flow, &Change::DropProjection { place: 0 }, "  pca,  # axes\n", "");
    makes(flow, &Change::DropProjection { place: 1 }, "  umap  # neighbours\n", "");
    makes(flow, &Change::AddProjection { projection: "ica".into() }, "  umap  #", "  umap, ica  #");
    // Empty ones, and keys with nothing behind them.
    makes("comparisons: {}\n", &add_comparison("a", "{ quantity: b }"), "{}", "{a: { quantity: b }}");
    let nothing = "models:\n  matrix:\n    exclude:   # none yet\n    loss: [softmax]\n";
    makes(nothing, &exclude(&[("loss", "softmax")]), "exclude:", "exclude: [{ loss: softmax }]");
}

#[test]
fn what_comes_and_goes_leaves_no_trace() {
    let files = [
        include_str!("../../../experiments/demo.yaml"),
        include_str!("../../../experiments/digits.yaml"),
        include_str!("../../../experiments/drawn-faces.yaml"),
        include_str!("../../../experiments/face-attributes.yaml"),
        include_str!("../../../templates/first.yaml"),
        BLOCK,
    ];
    for file in files {
        for file in
            [file.to_owned(), file.trim_end().to_owned(), file.replace('\n', "\r\n"), file.trim_end().replace('\n', "\r\n")]
        {
            let value = read(&file, Path::new("x.yaml")).unwrap();
            let length = |at: &[&str]| {
                at.iter()
                    .try_fold(&value, |value, key| value.get(key))
                    .map_or(0, |list| list.as_list().map_or(0, <[Written]>::len))
            };
            let mut both_ways = vec![
                (add_model("new one", "{ baseline: pixels, prepare: small }"), Change::DropModel { name: "new one".into() }),
                (add_comparison("a: b # c", "{ quantity: b }"), Change::DropComparison { name: "a: b # c".into() }),
                (
                    Change::AddProjection { projection: "x: { y: 1 }".into() },
                    Change::DropProjection { place: length(&["projections"]) },
                ),
            ];
            if value.get("models").and_then(|models| models.get("matrix")).is_some() {
                let place = length(&["models", "matrix", "loss"]);
                both_ways.push((add_level("loss", "x: { y: 1 }"), drop_level("loss", place)));
                both_ways.push((exclude(&[("loss", "softmax")]), Change::Include { place: 0 }));
            }
            if let Some(layers) = value.get("layers") {
                let layers: Vec<String> =
                    layers.as_list().unwrap().iter().map(|layer| layer.letters().unwrap().to_owned()).collect();
                both_ways.push((Change::Layers(Some([&texts(["new"])[..], &layers].concat())), Change::Layers(Some(layers))));
            } else {
                both_ways.push((Change::Layers(Some(texts(["embedding"]))), Change::Layers(None)));
            }
            for (there, back) in both_ways {
                let changed = amended(&file, &there).unwrap();
                assert_ne!(changed, file);
                assert_eq!(amended(&changed, &back).unwrap(), file, "{there:?}");
            }
        }
    }
}

#[test]
fn the_last_of_its_kind_stays() {
    let last = "models:\n  matrix: null\n  named: { a: { baseline: pixels } }\n\
                projections:\n- pca\ncomparisons:\n  a: { quantity: a }\n";
    assert!(refused(last, &Change::DropModel { name: "a".into() }).contains("the last model"));
    assert!(refused(last, &Change::DropProjection { place: 0 }).contains("the last projection"));
    assert!(refused(last, &Change::DropComparison { name: "a".into() }).contains("the last comparison"));
    assert!(refused(BLOCK, &drop_level("architecture", 0)).contains("the last level of this factor"));
}

#[test]
fn what_is_not_there_and_what_is_there_already_are_said() {
    assert!(refused("a: [", &Change::Layers(None)).contains("not valid YAML"));
    assert!(refused(BLOCK, &drop_level("loss", 3)).contains("models.matrix.loss has no entry 4"));
    assert!(refused(BLOCK, &add_level("los", "x")).contains("did you mean `loss`?"));
    assert!(refused(BLOCK, &add_level("trained_on", "x")).contains("the file has no `models.matrix.trained_on`"));
    assert!(refused("a: 1", &exclude(&[("loss", "x")])).contains("the file has no `models.matrix`"));
    assert!(refused(BLOCK, &add_level("loss", "arcface: {s: 64}")).contains("is in models.matrix.loss already"));
    assert!(refused(BLOCK, &Change::DropComparison { name: "smil".into() }).contains("did you mean `smile`?"));
    assert!(refused(BLOCK, &add_comparison("4", "{ quantity: a }")).contains("`4` is in comparisons already"));
    assert!(refused(BLOCK, &add_model("pixels", "{ baseline: pixels }")).contains("`pixels` is in models.named already"));
    assert!(refused(BLOCK, &Change::AddProjection { projection: "umap".into() }).contains("already"));
}

#[test]
fn what_is_typed_stays_within_its_place() {
    for body in [
        "",
        "a",
        "[a]",
        "{}",
        "a: b",
        "{ a: b",
        "{ a: b } # }",
        "{ a: &x b }",
        "{ a: *x }",
        "{ a: b }, c",
        "{ a:\n b }",
        "{ a: a: b }",
    ] {
        assert!(refused(BLOCK, &add_comparison("new", body)).contains("a map in braces, on one line"), "{body}");
    }
    for level in ["", "|", "a # b", "- a", "[a]", "{ a: 1, b: 2 }", "&x a", "*x", "--- a", "a\nb", "1", "'", "a: b: c"] {
        assert!(refused(BLOCK, &add_level("loss", level)).contains("is no level"), "{level}");
    }
    for level in ["a, b", "a]", "a}, b: {c"] {
        assert!(amended(BLOCK, &add_level("prepare", level)).is_err(), "{level}");
    }
    for name in ["", " a", "a ", "a\nb", "a\tb", "a\u{1b}[2J", "a\u{202e}b", "a\u{2028}b", &"a".repeat(121)] {
        assert!(refused(BLOCK, &add_comparison(name, "{ quantity: a }")).contains("1 to 120 visible characters"), "{name:?}");
    }
}

#[test]
fn a_style_that_cannot_be_changed_safely_is_left_to_its_author() {
    let shared = "models:\n  matrix:\n    loss: &l\n      - a\n      - b\n    prepare: *l\n";
    let tagged = "models:\n  matrix:\n    loss: !!seq [a, b]\n";
    let told = "models:\n  matrix:\n    loss: [a, # the first\n      b]\n";
    let explicit = "comparisons:\n  ? a\n  : { quantity: a }\n  b: { quantity: b }\n";
    for (file, change) in [
        (shared, drop_level("prepare", 0)),
        (shared, add_level("loss", "c")),
        (tagged, add_level("loss", "c")),
        (told, drop_level("loss", 1)),
        (explicit, Change::DropComparison { name: "a".into() }),
    ] {
        assert!(refused(file, &change).contains("press E to edit it by hand"), "{change:?}");
    }
}

fn there_and_back(file: &str, name: &str) {
    let with = amended(file, &add_comparison(name, "{ quantity: a }")).unwrap();
    let read = read(&with, Path::new("")).unwrap();
    assert!(read.get("comparisons").unwrap().keys().any(|other| other == name), "{with}");
    assert_eq!(amended(&with, &Change::DropComparison { name: name.into() }).unwrap(), file);
}

#[test]
fn hostile_names_read_back_as_themselves() {
    for name in [
        "a: b # c", "\"x\"", "'", "- y", "yes", "null", "~", "1", "1e3", "&a", "*a", "!t", "{", "]", "? a", "%", "@", "`", "a\\",
        "\\\"'", "男", "é.", "<<", "=", "a\u{a0}b", "😀",
    ] {
        there_and_back(BLOCK, name);
        there_and_back("comparisons: { z: { quantity: z } }", name);
        let bare = read(&amended("comparisons: {}", &add_comparison(name, "{ a: b }")).unwrap(), Path::new("")).unwrap();
        assert_eq!(bare.get("comparisons").unwrap().keys().next().unwrap(), name);
    }
}

proptest! {
    #[test]
    fn any_printable_name_reads_back_as_itself(name in "\\PC{1,40}") {
        let name = name.trim();
        prop_assume!(!name.is_empty() && name != "z" && !name.contains(is_steering));
        there_and_back("comparisons:\n  z: { quantity: z } # z", name);
        there_and_back("comparisons: { z: { quantity: z } }\n", name);
    }
}

/// What typed text is accepted changes the place it was typed for and nothing else, and can be taken back.
#[test]
fn nothing_typed_changes_anything_else() {
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let was = read(BLOCK, Path::new("")).unwrap();
    let changes_only_its_place = |typed: String| {
        let body = format!("{{ a: {typed} }}");
        for (section, change, back) in [
            ("models", add_level("loss", &typed), drop_level("loss", 3)),
            ("models", add_level("prepare", &typed), drop_level("prepare", 2)),
            ("comparisons", add_comparison(&typed, &body), Change::DropComparison { name: typed.clone() }),
            ("comparisons", add_comparison("new", &body), Change::DropComparison { name: "new".into() }),
        ] {
            let Ok(changed) = amended(BLOCK, &change) else {
                refused.set(refused.get() + 1);
                continue;
            };
            accepted.set(accepted.get() + 1);
            let is = read(&changed, Path::new("")).unwrap();
            for key in was.keys().filter(|key| *key != section) {
                prop_assert_eq!(was.get(key), is.get(key), "{}", changed);
            }
            prop_assert_ne!(was.get(section), is.get(section));
            prop_assert_eq!(amended(&changed, &back).unwrap(), BLOCK, "{}", changed);
        }
        Ok(())
    };
    let typed = prop_oneof!["[-a-c:,#&*!|>'\"{}\\[\\] ]{0,12}", "[a-c]{1,3}(: [a-c{}\\[\\],]{0,4})?", "[\"'][a-c:,# ]{0,6}[\"']"];
    TestRunner::deterministic().run(&typed, changes_only_its_place).unwrap();
    assert!(accepted.get() > 50 && refused.get() > 50, "{} were accepted, {} refused", accepted.get(), refused.get());
}

#[test]
fn a_baseline_comes_changes_and_goes_and_two_models_become_a_contrast() {
    let set = |model: &str| Change::Baseline(Some(model.to_owned()));
    let with = amended(BLOCK, &set("pixels")).unwrap();
    assert_eq!(with.replacen("baseline: pixels\n", "", 2).len() + "baseline: pixels\n".len(), with.len(), "{with}");
    let other = amended(&with, &set("it's")).unwrap();
    assert_eq!(other, with.replace("\nbaseline: pixels\n", "\nbaseline: \"it's\"\n"));
    assert_eq!(amended(&other, &Change::Baseline(None)).unwrap(), BLOCK);
    assert_eq!(amended(BLOCK, &Change::Baseline(None)).unwrap(), BLOCK);
    let contrast = Change::AddContrast { name: "a and b".to_owned(), models: ["a", "b"].map(str::to_owned) };
    let held = amended(BLOCK, &contrast).unwrap();
    assert!(held.starts_with(BLOCK) && held.ends_with("contrasts:\n  a and b: { pair: [a, b] }\n"), "{held}");
    assert!(refused(&held, &contrast).contains("already"));
}
