//! Keys forget nothing: every field of every stage, however deep, is changed, and the key must change with it.
//!
//! Tasks go to workers as JSON, so what is not in the JSON cannot decide a result. The JSON of a sample of every stage is
//! walked: every number, word, list and map is changed in several ways, read back as a task, and keyed.

use super::*;
use crate::domain::{
    Digest, Key,
    alteration::Alteration,
    clicks::ClickSettings,
    clusters::{ClusterCount, ClusterMethod},
    comparison::{Expression, Measured, Question},
    contrast::ContrastSides,
    embedding::{EmbeddingForm, Flip, Norm},
    image::Take,
    index::{ComparisonIx, LayerIx, ModelIx, ProjectionIx},
    loss::Loss,
    model::{Architecture, BaselineKind, ModelFormat, WeightFamily},
    nuisance::{Nuisance, PictureNuisance},
    projection::{LearnedLabels, Method, Metric, View},
    score::Statistics,
    shared_crop::FieldOfView,
    study::{
        Channels, Crop, DeviceClass, Exif, KeptWeights, Numerics, Optimizer, Padding, Precision, Preparation, Recipe, Schedule,
        Validation,
    },
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// What decides no result: of one sample, or of all, the field; and why. What a study says of how given features were made
/// (`made_with`) is words about what was done elsewhere: it is in no task, so it cannot be here (`study/tasks/tests.rs` sees that keys
/// stay).
const LEFT_OUT: [(&str, &str); 21] = [
    // Where bytes are.
    ("", "inputs.0.at"),
    ("", "inputs.0.at.file"),
    ("", "inputs.1.at"),
    // What separates is the ledger's business, which has a field of its own.
    ("", "work.score.statistics.separates_at"),
    ("", "work.space.statistics.separates_at"),
    ("", "work.grid.statistics.separates_at"),
    // Features are not permuted, and groups are neither permuted nor ranked.
    ("", "work.space.statistics.permutations"),
    ("", "work.fairness.statistics.permutations"),
    ("", "work.fairness.statistics.min_positives"),
    ("", "work.fairness.statistics.separates_at"),
    // Differences of layers and groups are not permuted.
    ("", "work.layers.statistics.permutations"),
    ("", "work.layers.statistics.separates_at"),
    ("", "work.subgroups.statistics.permutations"),
    ("", "work.subgroups.statistics.separates_at"),
    // Of a figure that is shown, nothing is permuted, and it was ranked before.
    ("", "work.adjusted.statistics.permutations"),
    ("", "work.adjusted.statistics.min_positives"),
    ("", "work.adjusted.statistics.separates_at"),
    ("", "work.retained.statistics.permutations"),
    ("", "work.retained.statistics.min_positives"),
    ("", "work.retained.statistics.separates_at"),
    // The name of the only array of a file. (A safetensors file holds several: there it enters.)
    ("features npy", "work.features.layer"),
];

/// Every field set, and set to something other than its default; every variant of every enum somewhere.
fn samples() -> Vec<(&'static str, Task)> {
    let statistics = Statistics { bootstraps: 11, permutations: 12, min_positives: 13, separates_at: 0.75 };
    let architecture = Architecture { word: "resnet34".into(), width: 0.5 };
    let loss = Loss { word: "arcface".into(), parameters: [("m".to_owned(), 0.5), ("s".to_owned(), 64.0)].into() };
    let preparation = Preparation { pad: Padding::Zero, exif: Exif::Ignore, ..Preparation::of(Crop::Whole, 32) };
    let of_faces = Preparation { margin: 1.5, channels: Some(Channels::Bgr), ..Preparation::of(Crop::Face, 32) };
    let recipe = Recipe {
        epochs: 4,
        batch: 8,
        optimizer: [("rate".to_owned(), 0.1)].into(),
        optimizer_word: Optimizer::Sgd,
        schedule: Schedule::Cosine,
        ..Recipe::default()
    };
    // What recipes got after the first release, which is in no key while it has its default value.
    let later = Recipe {
        schedule: Schedule::Polynomial,
        power: 1.5,
        warmup: 0.5,
        label_smoothing: 0.1,
        accumulate: 2,
        balanced: Some(4),
        partial_fc: 0.25,
        ..recipe.clone()
    };
    let validation = Some(Validation { share: 0.2, keep: KeptWeights::Last, patience: Some(3) });
    let validated = Recipe { validation, ..recipe.clone() };
    let numerics = Numerics { device: DeviceClass::Cpu, precision: Precision::Single, threads: Some(2) };
    let class = |text: &str| text.parse::<Expression>().expect("an expression");
    let question = Question {
        measured: Measured::Classes(vec![class("a and not b"), class("race=x or (c and d=\"y\")"), class("not a")]),
        within: Some(class("e=z")),
    };
    let quantity = Question { measured: Measured::Quantity("ink".into()), within: None };
    let questions = vec![question.clone(), quantity.clone()];
    let views = vec![View::Features, View::Axis(3), View::Pair(1, 2), View::Map];
    let slots = vec![
        ScoreSlot { model: ModelIx(1), layer: LayerIx(2), projection: ProjectionIx(3), comparison: ComparisonIx(4) },
        ScoreSlot { model: ModelIx(5), layer: LayerIx(6), projection: ProjectionIx(7), comparison: ComparisonIx(8) },
    ];
    let tsne = Method::new("tsne").with("perplexity", 30.0).with("metric", Metric::Cosine);
    let umap = Method::new("umap").with("neighbors", 15).with("min_dist", 0.1).with("metric", Metric::Cosine);
    let explained = AxisNames::Explained { method: "pca".into(), shares: vec![0.5, 0.25] };
    let drawn =
        |view, axes| Figure::View { view, question: question.clone(), classes: vec!["A".into(), "B".into()], axes, seed: 9 };
    let project = |method: Method| Work::Project(ProjectFeatures { method, seed: 7, labels: None });
    let training = Training {
        architecture: architecture.clone(),
        loss,
        preparation: preparation.clone(),
        recipe,
        seed: 3,
        numerics: numerics.clone(),
        pretended: Some("faces".into()),
    };
    let extract = Work::Extract;
    let extraction = Extraction {
        architecture,
        preparation: preparation.clone(),
        layers: vec!["layer1".into(), "embedding".into()],
        family: WeightFamily::own(),
        untrained: None,
        numerics,
        whole: None,
        embedding: EmbeddingForm::default(),
        alteration: None,
    };
    let flipped = EmbeddingForm { flip: Some(Flip::Sum), norm: Some(Norm::L2) };
    let reads = [("layer1".to_owned(), "683".to_owned())].into();
    let works = vec![
        ("index", Work::Index(IndexImages { take: Some(Take { images: 100, seed: 5 }) })),
        ("features npy", Work::Features(FeatureImport { layer: "layer1".into(), format: ArrayFormat::Npy })),
        ("features", Work::Features(FeatureImport { layer: "layer1".into(), format: ArrayFormat::Safetensors })),
        ("train", Work::Train(training.clone())),
        ("train later", Work::Train(Training { recipe: later, ..training.clone() })),
        ("train validated", Work::Train(Training { recipe: validated, ..training })),
        ("extract", extract(Extraction { untrained: Some(4), ..extraction.clone() })),
        ("extract whole", extract(Extraction { whole: Some(WholeNetwork::new(ModelFormat::Onnx, reads)), ..extraction.clone() })),
        ("extract altered", extract(Extraction { alteration: Some(Alteration::PatchShuffled), ..extraction.clone() })),
        ("extract flipped", extract(Extraction { embedding: flipped, ..extraction })),
        ("baseline", Work::Baseline(Baseline { word: BaselineKind::Pixels, preparation })),
        ("baseline faces", Work::Baseline(Baseline { word: BaselineKind::Pixels, preparation: of_faces })),
        ("hashes", Work::Hashes(HashPictures { hash: 1 })),
        ("thumbnails", Work::Thumbnails(MakeThumbnails { side: 64, sample: None, form: ThumbnailForm::Sheets })),
        (
            "thumbnails of some",
            Work::Thumbnails(MakeThumbnails { side: 64, sample: Some(Take { images: 6, seed: 5 }), form: ThumbnailForm::Row }),
        ),
        ("overlap", Work::Overlap(FindOverlap { is_one_data_set: true })),
        ("agreement", Work::Agreement(MeasureAgreement { attributes: vec!["race".into(), "age".into()] })),
        ("pca", project(Method::new("pca").with("axes", 10))),
        ("ica", project(Method::new("ica").with("axes", 10))),
        ("tsne", project(tsne.clone())),
        ("umap", project(umap.clone())),
        (
            "project supervised",
            Work::Project(ProjectFeatures {
                method: Method::new("lda").with("axes", 3),
                seed: 7,
                labels: Some(LearnedLabels::Classes(question.clone())),
            }),
        ),
        (
            "score",
            Work::Score(ScoreViews { question: question.clone(), views: views.clone(), statistics, seed: 7, supervised: false }),
        ),
        (
            "quantity",
            Work::Score(ScoreViews { question: quantity, views: views.clone(), statistics, seed: 7, supervised: false }),
        ),
        ("space", Work::FeatureScores(ScoreFeatures { questions: questions.clone(), statistics, seed: 7 })),
        (
            "steady",
            Work::Robustness(Robustness {
                question: question.clone(),
                view: View::Pair(1, 2),
                method: umap,
                projected: 8,
                seed: 7,
            }),
        ),
        (
            "fairness",
            Work::Fairness(GroupFairness {
                questions: questions.clone(),
                groups: vec!["race".into(), "Male".into()],
                depth: 2,
                statistics,
                seed: 7,
            }),
        ),
        ("nuisances", Work::Nuisances(MeasureNuisances { measures: 1 })),
        (
            "explained",
            Work::NuisanceScores(ScoreNuisances {
                nuisances: vec![Nuisance::Measured(PictureNuisance::Background), Nuisance::Column("year".into())],
                views: views.clone(),
                bootstraps: 11,
                seed: 7,
            }),
        ),
        (
            "adjusted",
            Work::AdjustedScores(AdjustScores {
                question: question.clone(),
                view: View::Pair(1, 2),
                held: vec![Nuisance::Column("year".into()), Nuisance::Measured(PictureNuisance::Pose)],
                statistics,
                seed: 7,
            }),
        ),
        ("verify", Work::Verify(VerifyIdentities { bootstraps: 10, seed: 7 })),
        ("pairs", Work::VerifyPairs(VerifyPairs { far: 0.01 })),
        (
            "clusters",
            Work::Clusters(FindClusters {
                views: views.clone(),
                method: ClusterMethod::GaussianMixture(ClusterCount::UpTo(12)),
                seed: 7,
            }),
        ),
        (
            "clicks",
            Work::Clicks(SimulateClicks {
                questions: questions.clone(),
                views: views.clone(),
                settings: ClickSettings { clusters: 9, draws: 30 },
                seed: 7,
            }),
        ),
        (
            "retrieval",
            Work::Retrieval(RetrieveImages {
                queries: vec!["a and not b=2 or c".parse().expect("an expression"), "a".parse().expect("an expression")],
                groups: vec!["race".into(), "Male".into()],
                depth: 2,
                bootstraps: 11,
                seed: 7,
            }),
        ),
        (
            "retained",
            Work::Retained(MeasureRetained {
                questions: questions.clone(),
                alterations: vec![Alteration::Grey, Alteration::Edges],
                statistics,
                seed: 7,
            }),
        ),
        (
            "attention",
            Work::Attention(ContrastAttention {
                models: vec![2.into(), 3.into(), 4.into()],
                held: vec![ContrastSides { contrast: 1, left: vec![2.into(), 3.into()], right: vec![4.into()] }],
            }),
        ),
        ("quality", Work::Quality(MeasureQuality { views, seed: 7 })),
        (
            "visible",
            Work::Visibility(MeasureVisibility {
                fields: [Crop::Aligned, Crop::Face].map(|crop| FieldOfView::of(&Preparation::of(crop, 32))).into(),
                regions: vec![vec![[1.5, 2.5, 3.5, 4.5]], vec![[-1.5, 2.5, 3.5, 4.5], [5.5, 6.5, 7.5, 8.5]]],
            }),
        ),
        (
            "grid",
            Work::Simultaneous(Simultaneous {
                slots: slots.clone(),
                spaces: vec![(1.into(), 2.into(), 3.into()), (4.into(), 5.into(), 6.into())],
                questions: questions.clone().into(),
                held: vec![ContrastSides { contrast: 1, left: vec![2.into(), 3.into()], right: vec![4.into()] }],
                statistics,
                seed: 7,
            }),
        ),
        (
            "subgroups",
            Work::Subgroups(FindSubgroups {
                question: questions[0].clone(),
                view: View::Pair(1, 2),
                groups: vec!["race".into()],
                depth: 2,
                statistics,
                seed: 7,
            }),
        ),
        (
            "layers",
            Work::LayerDifferences(CompareLayers {
                slots: slots.clone(),
                questions: questions.clone().into(),
                statistics,
                seed: 7,
            }),
        ),
        (
            "rank",
            Work::Rank(Ranking {
                slots,
                separates_at: 0.75,
                show: 12,
                seed: 7,
                attributes: vec!["a".into(), "b".into()],
                groups: vec!["race".into()],
                depth: 2,
                questions: questions.into(),
                probes: Probes { spaces: vec![(1.into(), 2.into()), (3.into(), 4.into())], asked: vec![0.into(), 2.into()] },
            }),
        ),
        ("view", Work::Draw(drawn(View::Axis(1), explained))),
        ("map", Work::Draw(drawn(View::Map, AxisNames::Map { method: "umap".into() }))),
        ("frequencies", Work::Draw(Figure::Frequencies)),
        ("curves", Work::Draw(Figure::Curves)),
    ];
    let inputs = vec![
        Input { role: "images".into(), digest: Digest::of(b"images"), at: Location::File("a".into()) },
        Input { role: "labels/a".into(), digest: Digest::of(b"labels"), at: Location::Object },
    ];
    works.into_iter().map(|(name, work)| (name, Task { work, inputs: inputs.clone() })).collect()
}

/// Other values of one node of the JSON, leaving the rest.
fn others(node: &Json) -> Vec<Json> {
    let mut others = vec![Json::Null];
    match node {
        // Whatever it may be: a number, a flag, or one of an enum's words, which the refusal of `?` tells.
        Json::Null => others.extend([json!(1), json!(0.5), json!(true), json!("?")]),
        Json::Bool(of) => others.push(json!(!of)),
        Json::Number(of) => match of.as_u64() {
            Some(of) => others.extend([json!(of + 1), json!(of + (1 << 40)), json!(0)]),
            None => {
                others.extend(of.as_f64().map(|of| [json!(of + 0.5), json!(of * (1.0 + f64::EPSILON))]).into_iter().flatten());
            }
        },
        Json::String(of) => {
            others.extend([json!(format!("{of}x")), json!(""), json!("none")]);
            // Another digest, where it is one.
            others.push(json!(of.chars().rev().collect::<String>()));
        }
        Json::Array(of) => {
            for place in 0..of.len() {
                let (mut fewer, mut more, mut turned) = (of.clone(), of.clone(), of.clone());
                fewer.remove(place);
                more.insert(place, of[place].clone());
                turned.rotate_left(place);
                others.extend([fewer, more, turned].map(Json::Array));
            }
        }
        Json::Object(of) => {
            for name in of.keys() {
                let mut fewer = of.clone();
                fewer.shift_remove(name);
                let mut renamed = fewer.clone();
                renamed.insert(format!("{name}x"), of[name].clone());
                others.extend([fewer, renamed].map(Json::Object));
            }
        }
    }
    others
}

/// The words that an enum knows, from the error that an unknown one gives.
fn known(error: &str) -> Vec<String> {
    let Some((_, expected)) = error.split_once("unknown variant").and_then(|(_, rest)| rest.split_once("expected")) else {
        return vec![];
    };
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Every node, by its path.
fn nodes(json: &Json, path: &str, into: &mut Vec<String>) {
    into.push(path.to_owned());
    match json {
        Json::Array(items) => items.iter().enumerate().for_each(|(place, item)| nodes(item, &format!("{path}/{place}"), into)),
        Json::Object(fields) => fields.iter().for_each(|(name, field)| nodes(field, &format!("{path}/{name}"), into)),
        _ => {}
    }
}

/// The task with another value at that path, in every way that is still a task and another one.
fn changed(task: &Task, path: &str) -> Vec<Task> {
    let whole = serde_json::to_value(task).expect("a task is JSON");
    let node = whole.pointer(path).expect("a path of its own").clone();
    let with = |other: Json| {
        let mut changed = whole.clone();
        *changed.pointer_mut(path).expect("a path of its own") = other;
        serde_json::from_value::<Task>(changed)
    };
    let mut all = Vec::new();
    for other in others(&node) {
        match with(other) {
            Ok(other) => all.push(other),
            Err(error) => {
                // A variant of an enum, without a value or around one.
                let variants = known(&error.to_string()).into_iter();
                let forms = variants.flat_map(|word| [json!(word), Json::Object([(word, json!("x"))].into_iter().collect())]);
                all.extend(forms.filter_map(|form| with(form).ok()));
            }
        }
    }
    all.retain(|other| other != task);
    all
}

#[test]
fn every_field_of_every_stage_changes_its_key() {
    let (mut blind, mut forgotten, mut left_out) = (vec![], vec![], BTreeSet::new());
    let mut seen: BTreeMap<Key, String> = BTreeMap::new();
    let mut tried = 0;
    for (stage, task) in samples() {
        let mut paths = Vec::new();
        nodes(&serde_json::to_value(&task).unwrap(), "", &mut paths);
        for path in &paths {
            let field = path.trim_start_matches('/').replace('/', ".");
            let changed = changed(&task, path);
            let leaf = !paths.iter().any(|other| other.starts_with(&format!("{path}/")));
            if leaf && changed.is_empty() {
                blind.push(format!("{stage}: {field}"));
            }
            for other in changed {
                tried += 1;
                let exempt = LEFT_OUT.iter().find(|(of, left)| (of.is_empty() || *of == stage) && field == *left);
                if other.key() != task.key() {
                    let text =
                        serde_json::to_string(&Task { inputs: other.inputs.iter().map(nowhere).collect(), ..other.clone() });
                    let text = text.unwrap();
                    let first = seen.entry(other.key()).or_insert_with(|| text.clone());
                    assert_eq!(*first, text, "two tasks have one key");
                } else if let Some(exempt) = exempt {
                    left_out.insert(exempt);
                } else {
                    forgotten.push(format!("{stage}: {field}"));
                }
            }
        }
    }
    assert_eq!(forgotten, Vec::<String>::new(), "these fields decide results and are not in their keys");
    assert_eq!(blind, Vec::<String>::new(), "these fields were not tried: give the sample another value of them");
    assert_eq!(left_out, LEFT_OUT.iter().collect(), "what is left out is listed, and nothing else");
    assert!(tried > 1500, "{tried}");
}

/// The same input wherever it lies.
fn nowhere(input: &Input) -> Input {
    Input { at: Location::Object, ..input.clone() }
}

/// The samples are of every stage: one that is added does not compile until it has a place here.
#[test]
fn every_stage_has_a_sample() {
    let place = |work: &Work| match work {
        Work::Index(_) => 0,
        Work::Features(_) => 1,
        Work::Train(_) => 2,
        Work::Extract(_) => 3,
        Work::Baseline(_) => 4,
        Work::Project(_) => 5,
        Work::Score(_) => 6,
        Work::FeatureScores(_) => 7,
        Work::Robustness(_) => 8,
        Work::Fairness(_) => 9,
        Work::Verify(_) => 10,
        Work::Quality(_) => 11,
        Work::Simultaneous(_) => 12,
        Work::Rank(_) => 13,
        Work::Draw(Figure::View { .. }) => 14,
        Work::Draw(Figure::Frequencies) => 15,
        Work::Draw(Figure::Curves) => 16,
        Work::Visibility(_) => 17,
        Work::Hashes(_) => 18,
        Work::Overlap(_) => 19,
        Work::Agreement(_) => 20,
        Work::VerifyPairs(_) => 21,
        Work::Clusters(_) => 22,
        Work::LayerDifferences(_) => 23,
        Work::Subgroups(_) => 24,
        Work::Retrieval(_) => 25,
        Work::Clicks(_) => 26,
        Work::Nuisances(_) => 27,
        Work::NuisanceScores(_) => 28,
        Work::AdjustedScores(_) => 29,
        Work::Retained(_) => 30,
        Work::Thumbnails(_) => 31,
        Work::Attention(_) => 32,
    };
    let places: BTreeSet<usize> = samples().iter().map(|(_, task)| place(&task.work)).collect();
    assert_eq!(places, (0..33).collect());
    let names: BTreeSet<StageName> = samples().iter().map(|(_, task)| task.work.name()).collect();
    assert_eq!(names, StageName::ALL.iter().copied().collect());
    // A word is the tag of the JSON, and one stage's only.
    assert_eq!(StageName::ALL.iter().map(|name| name.word()).collect::<BTreeSet<_>>().len(), StageName::ALL.len());
    for (_, task) in samples() {
        assert!(serde_json::to_value(&task.work).unwrap().get(task.work.word()).is_some(), "{}", task.work.word());
    }
}

/// What is learned of costs is looked up by the first words of a class: these must lead to the stage's kind.
#[test]
fn a_cost_class_begins_with_the_word_of_the_kind() {
    for (_, task) in samples() {
        let class = task.work.cost_class();
        assert_eq!(class.split(' ').next(), Some(task.work.kind().word()), "{class}");
        let coarse = task.work.name().cost_class();
        assert_eq!(coarse.split(' ').next(), Some(task.work.kind().word()), "{coarse}");
    }
}

/// Costs are stored by these words.
#[test]
fn the_cost_classes_are_pinned() {
    let found: BTreeMap<&str, String> = samples().into_iter().map(|(stage, task)| (stage, task.work.cost_class())).collect();
    let finer = [
        ("train", "train cpu resnet34-width0.5 arcface"),
        ("extract", "features cpu resnet34-width0.5"),
        ("extract flipped", "features cpu resnet34-width0.5 flipped"),
        ("baseline", "features baseline"),
        ("features npy", "features"),
        ("hashes", "features hashes"),
        ("overlap", "score overlap"),
        ("agreement", "score agreement"),
        ("pca", "project pca"),
        ("umap", "project umap"),
        ("score", "score"),
        ("space", "score features"),
        ("steady", "score again umap"),
        ("fairness", "score fairness"),
        ("verify", "score verification"),
        ("pairs", "score pairs"),
        ("quality", "score quality"),
        ("visible", "score visibility"),
        ("grid", "score grid"),
        ("rank", "rank"),
        ("view", "draw"),
        ("frequencies", "draw"),
        ("curves", "draw curves"),
    ];
    for (stage, class) in finer {
        assert_eq!(found[stage], class, "{stage}");
    }
    let (_, task) = samples().into_iter().find(|(stage, _)| *stage == "score").unwrap();
    let Work::Score(of) = task.work else { unreachable!() };
    // As results of the first release have it.
    assert_eq!(Work::Score(ScoreViews { views: vec![View::Features], ..of }).cost_class(), "score features");
}

/// A name that happens to be the word for "nothing" is still a name.
#[test]
fn no_name_is_taken_for_an_absence() {
    let key = |pretended: Option<&str>| {
        let (_, task) = samples().into_iter().find(|(stage, _)| *stage == "train").unwrap();
        let Work::Train(training) = task.work else { unreachable!() };
        Task { work: Work::Train(Training { pretended: pretended.map(str::to_owned), ..training }), inputs: vec![] }.key()
    };
    assert_ne!(key(Some("none")), key(None));
    assert_ne!(key(Some("")), key(None));
}

#[test]
fn a_thread_count_cannot_even_be_spelled_in_a_task_without_a_network() {
    for (stage, task) in samples() {
        let text = serde_json::to_string(&task).unwrap();
        assert!(
            matches!(
                stage,
                "train" | "train later" | "train validated" | "extract" | "extract whole" | "extract altered" | "extract flipped"
            ) || !text.contains("threads"),
            "{text}"
        );
        assert!(!text.contains("slots\":{"), "{text}");
    }
}

/// Keys of all samples, as they were in the first release: changed keys orphan stored results. A stage whose version is
/// raised gets new ones.
#[test]
fn the_keys_are_pinned() {
    let found: Vec<(&str, String)> = samples().into_iter().map(|(stage, task)| (stage, task.key().short())).collect();
    let pinned = PINNED.map(|(stage, key)| (stage, key.to_owned()));
    assert_eq!(found, pinned);
    let input = Input { role: "features".into(), digest: Digest::of(b"features"), at: Location::File("a".into()) };
    let work = Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", 10), seed: 2019, labels: None });
    assert_eq!(Task { work, inputs: vec![input] }.key_of_version(2).short(), "228dd188");
}

/// What was made by an earlier release has the key that follows from what it says it did, in that version of its stage: of stages
/// whose form is what it was.
#[test]
fn keys_of_earlier_results_follow_from_their_manifests() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/fixtures/v1/results");
    let mut stages = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let manifest: crate::domain::result::Manifest =
            serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        if matches!(manifest.work, Work::Score(_) | Work::Rank(_)) {
            continue;
        }
        stages.insert(manifest.work.word());
        let task = Task { work: manifest.work, inputs: manifest.inputs };
        assert_eq!(task.key_of_version(manifest.version), manifest.key, "{}", task.work.word());
    }
    assert_eq!(stages, ["draw", "extract", "index", "project", "train"].into());
}

const PINNED: [(&str, &str); 47] = [
    ("index", "1111dc2e"),
    ("features npy", "43ab0afb"),
    ("features", "0a61f4f7"),
    ("train", "7df8145e"),
    ("train later", "0f345f81"),
    ("train validated", "faea33e1"),
    ("extract", "a6340fe4"),
    ("extract whole", "72d2da8e"),
    ("extract altered", "a0dff80a"),
    ("extract flipped", "71fcb80a"),
    ("baseline", "dbdf1e4b"),
    ("baseline faces", "1de8e3a5"),
    ("hashes", "3177ec0d"),
    ("thumbnails", "6c64169e"),
    ("thumbnails of some", "ffb4f3f7"),
    ("overlap", "20a4e62f"),
    ("agreement", "f1c1dbde"),
    ("pca", "2f6fe9ea"),
    ("ica", "7461b1cf"),
    ("tsne", "551eb795"),
    ("umap", "4eeea084"),
    ("project supervised", "fce054ba"),
    ("score", "2f0d2de5"),
    ("quantity", "d344ca35"),
    ("space", "14deaacb"),
    ("steady", "1564d1c9"),
    ("fairness", "d494d2c8"),
    ("nuisances", "2515e6de"),
    ("explained", "8a46e808"),
    ("adjusted", "cdba9b9c"),
    ("verify", "459a9f38"),
    ("pairs", "bc7dc476"),
    ("clusters", "a1c34c67"),
    ("clicks", "64a617a0"),
    ("retrieval", "300fddbc"),
    ("retained", "59a26c1f"),
    ("attention", "b2ad934a"),
    ("quality", "6ce6471b"),
    ("visible", "26ab81e2"),
    ("grid", "6d886e6a"),
    ("subgroups", "ab57af98"),
    ("layers", "553b7f47"),
    ("rank", "d5cfb802"),
    ("view", "6cbdbd1a"),
    ("map", "f42b38fb"),
    ("frequencies", "84b8a13a"),
    ("curves", "d07513c4"),
];
