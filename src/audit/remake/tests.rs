use super::*;
use crate::audit::Reach;
use std::{collections::HashMap, path::Path};
use visavis_core::{
    dataset::array,
    domain::{
        Digest,
        loss::Loss,
        projection::Method,
        result::{Output, Provenance},
        stage::{IndexImages, Location, ProjectFeatures, Work},
        study::{Recipe, Tolerance},
    },
    numeric::Matrix,
    store::Workspace,
};

/// Gives its seed and what it consumed; seed 13 is none that ends well.
fn fake(task: &Task, _threads: usize, read: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
    let seed = task.work.seed().unwrap();
    assert_ne!(seed, 13, "a bug");
    let mut bytes = seed.to_string().into_bytes();
    for input in &task.inputs {
        bytes.extend(read(input)?);
    }
    Ok(Remade { outputs: vec![("o".to_owned(), bytes)], facts: Facts::new() })
}

fn manifest(work: Work, inputs: &[&[u8]], output: (&str, &[u8])) -> Manifest {
    let input = |bytes: &&[u8]| Input { role: "x".into(), digest: Digest::of(bytes), at: Location::Object };
    let task = Task { work, inputs: inputs.iter().map(input).collect() };
    let (key, stage) = (task.key(), task.work.kind());
    let (name, bytes) = output;
    let outputs = vec![Output { name: name.into(), digest: Digest::of(bytes), bytes: bytes.len() as u64 }];
    let provenance = Provenance { seconds: 1.0, ..Provenance::unknown() };
    let version = task.work.version();
    Manifest { format: 1, key, stage, version, work: task.work, inputs: task.inputs, outputs, facts: Facts::new(), provenance }
}

pub(super) fn project(seed: u64, inputs: &[&[u8]], output: &[u8]) -> Manifest {
    manifest(
        Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", 1), seed, labels: None }),
        inputs,
        ("o", output),
    )
}

fn run(manifests: Vec<Manifest>, recompute: Recompute, threads: usize, folder: &Path) -> Vec<String> {
    let workspace = Workspace::new(folder.to_owned(), None).unwrap();
    let sources = AuditSources {
        page: None,
        genuine: HashSet::new(),
        sizes: HashMap::new(),
        workspace: Some(workspace),
        reach: Reach::new(folder, &[]).unwrap(),
        tolerance: Tolerance { auc: 0.005, features: 0.0001 },
    };
    let again = Again { kinds: &[Kind::Train, Kind::Project, Kind::Features], sample: None };
    let mut remaking = Remaking::start(manifests, &again, sources, recompute, threads);
    while let Ok(news) = remaking.news.recv() {
        remaking.take(news);
    }
    assert_eq!(remaking.progress().0, remaking.progress().1);
    let word = |standing: Option<RemadeStatus>| match standing.unwrap() {
        RemadeStatus::Same => "same".to_owned(),
        RemadeStatus::Near(_) => "near".to_owned(),
        RemadeStatus::Other { .. } => "other".to_owned(),
        RemadeStatus::Unchecked(why) => format!("unchecked: {why}"),
        RemadeStatus::NotAttempted => "not attempted".to_owned(),
        RemadeStatus::Broken(why) => format!("broken: {why}"),
    };
    remaking.standings().into_iter().map(word).collect()
}

#[test]
fn a_stage_is_fed_with_what_others_gave_again() {
    let folder = tempfile::tempdir().unwrap();
    // Named before what they need; nothing but the first's inputs is anywhere.
    let chain = || {
        vec![project(3, &[b"21", b"1"], b"3211"), project(2, &[b"1"], b"21"), project(1, &[], b"1"), project(4, &[b"21"], b"421")]
    };
    for threads in [1, 2, 5] {
        assert_eq!(run(chain(), fake, threads, folder.path()), ["same"; 4], "{threads}");
    }
    // What comes out otherwise is no one's input.
    let mut forged = chain();
    forged[1] = project(2, &[b"1"], b"forged");
    forged[3] = project(4, &[b"forged"], b"4forged");
    let found = run(forged, fake, 2, folder.path());
    assert_eq!((found[1].as_str(), found[2].as_str()), ("other", "same"));
    assert!(found[0].starts_with("unchecked") && found[3].starts_with("unchecked"), "{found:?}");
}

#[test]
fn stages_that_need_each_other_and_stages_that_fall_end() {
    let folder = tempfile::tempdir().unwrap();
    let found = run(vec![project(1, &[b"b"], b"a"), project(2, &[b"a"], b"b"), project(3, &[], b"3")], fake, 2, folder.path());
    assert!(found[0].starts_with("unchecked") && found[1].starts_with("unchecked") && found[2] == "same", "{found:?}");
    let found = run(vec![project(13, &[], b"13"), project(5, &[], b"5")], fake, 1, folder.path());
    assert!(found[0].starts_with("broken: cannot be made again") && found[1] == "same", "{found:?}");
}

#[test]
fn what_was_changed_or_is_of_another_version_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let (mut changed, mut older) = (project(1, &[], b"1"), project(2, &[], b"2"));
    changed.work = Work::Project(ProjectFeatures { method: Method::new("pca").with("axes", 2), seed: 1, labels: None });
    older.version += 1;
    let other = manifest(Work::Index(IndexImages { take: None }), &[], (IndexImages::IMAGES, b""));
    let twice = project(3, &[], b"3");
    let found = run(vec![changed, older, other, twice.clone(), twice], fake, 2, folder.path());
    assert!(found[0].contains("its key does not follow") && found[1].contains("made by version"), "{found:?}");
    assert_eq!(found[2..], ["not attempted", "same", "not attempted"]);
}

/// Weights that are not the recorded ones differ where they were trained on a processor as this one, and say nothing elsewhere.
#[test]
fn a_training_is_held_against_one_on_the_same_processor() {
    fn other(_: &Task, _: usize, _: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
        Ok(Remade { outputs: vec![("o".to_owned(), b"others".to_vec())], facts: Facts::new() })
    }
    let work: Work = serde_json::from_value(serde_json::json!({ "train": {
        "architecture": { "word": "resnet34", "width": 1.0 },
        "loss": Loss { word: "softmax".into(), parameters: [].into() },
        "preparation": { "crop": "whole", "size": 32, "pad": "zero", "scale": "imagenet" },
        "recipe": Recipe::default(), "seed": 1,
        "numerics": { "device": "cpu", "precision": "f32", "threads": 1 },
    } }))
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let found = |cpu: String, made: &[u8]| {
        let mut training = manifest(work.clone(), &[], ("o", made));
        training.provenance.cpu = cpu;
        run(vec![training], other, 1, folder.path()).remove(0)
    };
    let here = visavis_core::store::origin::cpu();
    assert_eq!([found(here.clone(), b"others"), found(here, b"recorded")], ["same", "other"]);
    let elsewhere = found("another processor".to_owned(), b"recorded");
    assert!(elsewhere.starts_with("unchecked: it was trained on another processor"), "{elsewhere}");
}

/// Features of a network that are off by a hundred-thousandth, and by a hundredth.
#[test]
fn a_networks_features_are_held_to_the_tolerance() {
    fn near(_: &Task, _: usize, _: &dyn Fn(&Input) -> Result<Vec<u8>>) -> Result<Remade> {
        Ok(Remade {
            outputs: vec![("o".to_owned(), array::to_npy(&Matrix::new(1, 2, vec![1.0, 2.00001]).unwrap()))],
            facts: Facts::new(),
        })
    }
    let work: Work = serde_json::from_value(serde_json::json!({ "extract": {
        "architecture": { "word": "resnet34", "width": 1.0 },
        "preparation": { "crop": "whole", "size": 32, "pad": "zero", "scale": "imagenet" },
        "layers": ["embedding"], "family": "visavis", "untrained": 1,
        "numerics": { "device": "cpu", "precision": "f32", "threads": null },
    } }))
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let objects = Workspace::new(folder.path().to_owned(), None).unwrap().objects();
    let of = |second: f32| {
        let recorded = array::to_npy(&Matrix::new(1, 2, vec![1.0, second]).unwrap());
        objects.put(&recorded).unwrap();
        run(vec![manifest(work.clone(), &[], ("o", &recorded))], near, 1, folder.path()).remove(0)
    };
    assert_eq!([of(2.00001), of(2.0), of(2.01), of(f32::NAN)], ["same", "near", "other", "other"]);
    // A stage that has the same bits everywhere is given no tolerance.
    let recorded = array::to_npy(&Matrix::new(1, 2, vec![1.0, 2.0]).unwrap());
    assert_eq!(run(vec![project(1, &[], &recorded)], near, 1, folder.path()), ["other"]);
}
