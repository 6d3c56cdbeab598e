//! Studies in memory, and results of their steps, for tests.

use super::{
    model_files::files_of,
    plan::{ResultLookup, StoredResult, sources::Sources},
    results::StudyResults,
    steps::{Node, Step, adjusted, drawing, robustness, steps, subgroups},
};
use crate::config;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};
use visavis_core::domain::{
    Digest, Fault, Key, Result, matrix,
    pairs::{OverFolds, PairVerification},
    result::{Facts, Manifest, Output, Provenance},
    stage::{
        FeatureImport, HashPictures, IndexImages, MeasureNuisances, MeasureRetained, ProjectFeatures, Ranking, ScoreFeatures,
        ScoreViews, Simultaneous, Training, Work, features_at, ranks_of, role,
    },
    study::Study,
};

/// Every kind of model: given, trained, never trained, without a network.
const STUDY: &str = "format: 1
study: s
datasets:
  faces: { folders: { root: faces, identities: folder } }
  people: { folders: { root: people } }
preparations: { small: { size: 32 } }
recipes: { short: {} }
evaluation: { dataset: faces, labels: [{ file: l.csv, attribute: glasses }, { file: a.csv, attribute: hat, annotator: anna }] }
models:
  named:
    given: { features: { embedding: a.npy, images: rows.txt } }
    trained: { architecture: resnet34, loss: arcface, trained_on: people, prepare: small, train: { recipe: short } }
    untrained: { baseline: untrained, architecture: resnet34, prepare: small }
    pixels: { baseline: pixels, prepare: small }
projections: [pca: { axes: 2 }, umap: { metric: cosine, seeds: 2 }]
comparisons: { x: { A: glasses, B: not glasses } }
fairness: { groups: [glasses] }
";

pub(crate) fn study() -> Study {
    config::parse(config::Text { path: "s.yaml".into(), source: STUDY.into() }).unwrap().study
}

/// The same with two verification sets: a pickle, and a list with landmarks.
pub(crate) fn with_verification() -> Study {
    let sets = "{ lfw: lfw.bin, own: { pairs: p.txt, root: own, landmarks: l.txt } }";
    let source = format!("{STUDY}verification: {{ far: 0.01, sets: {sets} }}\n");
    config::parse(config::Text { path: "s.yaml".into(), source }).unwrap().study
}

/// What a network may have made of pairs.
pub(crate) fn verified_pairs(accuracy: f64) -> PairVerification {
    let of = |mean: f64| OverFolds { mean, deviation: 0.01 };
    let (accuracy, tar) = (of(accuracy), of(accuracy - 0.1));
    PairVerification { format: 1, same: 30, different: 30, accuracy, thresholds: vec![1.0; 10], target_far: 0.01, tar, far: 0.02 }
}

/// Every step that a study can have, with all figures shown.
pub(crate) fn nodes(study: &Study) -> Vec<Node> {
    let cells = matrix::cells(study);
    let of_cell = |cell| {
        [robustness(study, cell)].into_iter().chain(subgroups(study, cell)).chain(adjusted(study, cell)).chain([drawing(cell)])
    };
    let shown = cells.into_iter().flat_map(of_cell);
    steps(study).into_iter().chain(shown).collect()
}

pub(crate) fn output_of(step: Step, name: &str) -> Digest {
    Digest::of(format!("{step:?} {name}").as_bytes())
}

/// A result with every output that some stage has.
pub(crate) fn result(study: &Study, step: Step) -> Manifest {
    let fixed = [
        IndexImages::IMAGES,
        FeatureImport::FEATURES,
        FeatureImport::OFFSETS,
        Training::WEIGHTS,
        Training::CURVES,
        HashPictures::HASHES,
        MeasureNuisances::TABLE,
        MeasureRetained::RETAINED,
        MeasureRetained::RESAMPLED,
        ProjectFeatures::COORDINATES,
        ScoreViews::SCORES,
        ScoreViews::RANKS,
        ScoreViews::PERMUTED,
        ScoreFeatures::SCORES,
        ScoreFeatures::DECISIONS,
        Simultaneous::TESTS,
        Ranking::FREQUENCIES,
    ];
    let layers = study.models.iter().flat_map(|model| model.layers(None)).map(|layer| features_at(&layer));
    let names: BTreeSet<String> = fixed.map(str::to_owned).into_iter().chain(layers).chain([ranks_of(0)]).collect();
    let outputs = names.into_iter().map(|name| Output { digest: output_of(step, &name), name, bytes: 1 });
    Manifest {
        format: 1,
        key: Key(Digest::of(b"key")),
        stage: step.kind(),
        version: 1,
        work: Work::Index(IndexImages { take: None }),
        inputs: vec![],
        outputs: outputs.collect(),
        facts: Facts::new(),
        provenance: Provenance::unknown(),
    }
}

/// Everything outside that the study's stages consume.
pub(crate) fn sources(study: &Study) -> Sources {
    let objects = [
        IndexImages::LISTING,
        "labels/glasses",
        "annotators/hat",
        role::IDENTITIES,
        "pictures/people",
        "classes/people",
        role::LANDMARKS,
        "landmarks/people",
        "verification images/lfw",
        "verification pairs/lfw",
        "verification images/own",
        "verification pairs/own",
        "verification landmarks/own",
    ];
    let files: Vec<PathBuf> = study.models.iter().flat_map(|model| files_of(&model.source)).collect();
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    Sources::made_up(&objects.map(|name| (name, name)), &files, "faces", &[("people", "people")])
}

/// A study of given features: a model each, all of one layer, one projection and one comparison.
pub(crate) fn study_of(models: &[(&str, &str)]) -> Study {
    let given = |(name, file): &(&str, &str)| format!("    {name}: {{ features: {{ embedding: {file}, images: rows.txt }} }}\n");
    let models: String = models.iter().map(given).collect();
    let text = format!(
        "format: 1
study: s
datasets: {{ faces: {{ folders: {{ root: faces, identities: folder }} }} }}
evaluation: {{ dataset: faces, labels: [{{ file: l.csv, attribute: glasses }}] }}
models:
  named:
{models}projections: [pca: {{ axes: 1 }}]
comparisons: {{ x: {{ A: glasses, B: not glasses }} }}
"
    );
    config::parse(config::Text { path: "s.yaml".into(), source: text }).unwrap().study
}

/// Results in memory, as a plan looks them up. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct ResultMap(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    results: HashMap<Key, StoredResult>,
    objects: HashMap<Digest, Vec<u8>>,
    /// Results that a shared folder does not list yet.
    unlisted: HashSet<Key>,
    is_shared: bool,
}

impl ResultMap {
    pub(crate) fn put(&self, key: Key, result: StoredResult) {
        self.0.lock().unwrap().results.insert(key, result);
    }

    pub(crate) fn put_object(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.0.lock().unwrap().objects.insert(digest, bytes.to_vec());
        digest
    }

    /// On a shared folder, where this result does not show yet; or, without one, where all show.
    pub(crate) fn share(&self, unlisted: Option<Key>) {
        let mut stored = self.0.lock().unwrap();
        (stored.is_shared, stored.unlisted) = (true, unlisted.into_iter().collect());
    }
}

impl ResultLookup for ResultMap {
    fn listed(&self) -> Result<Option<HashSet<Key>>> {
        let stored = self.0.lock().unwrap();
        Ok(stored.is_shared.then(|| stored.results.keys().copied().filter(|key| !stored.unlisted.contains(key)).collect()))
    }

    fn look_up(&self, key: Key) -> Result<StoredResult> {
        Ok(self.0.lock().unwrap().results.get(&key).cloned().unwrap_or(StoredResult::Nothing))
    }

    fn object(&self, digest: Digest) -> Result<Vec<u8>> {
        self.0.lock().unwrap().objects.get(&digest).cloned().ok_or_else(|| Fault::missing("no such object"))
    }
}

/// Results of a study's steps in memory, for what reads them.
#[derive(Default)]
pub(crate) struct MadeUpResults {
    known: BTreeMap<Step, Manifest>,
    objects: ResultMap,
}

impl MadeUpResults {
    fn put_manifest(&mut self, step: Step, work: Work, outputs: Vec<Output>, facts: Facts) {
        let (key, stage) = (Key(output_of(step, "key")), step.kind());
        let provenance = Provenance::unknown();
        self.known.insert(step, Manifest { format: 1, key, stage, version: 1, work, inputs: vec![], outputs, facts, provenance });
    }

    /// A result of this work with one output.
    pub(crate) fn put(&mut self, step: Step, work: Work, output: &str, value: &impl Serialize) {
        let bytes = serde_json::to_vec(value).unwrap();
        let output = Output { name: output.to_owned(), digest: self.objects.put_object(&bytes), bytes: bytes.len() as u64 };
        self.put_manifest(step, work, vec![output], Facts::new());
    }

    /// A result with one output, of some work.
    pub(crate) fn put_json(&mut self, step: Step, output: &str, value: &impl Serialize) {
        self.put(step, Work::Index(IndexImages { take: None }), output, value);
    }

    /// A result with one fact.
    pub(crate) fn put_fact(&mut self, step: Step, name: &str, values: Vec<f64>) {
        self.put_manifest(step, Work::Index(IndexImages { take: None }), vec![], [(name.to_owned(), values)].into());
    }

    pub(crate) fn key(&self, step: Step) -> Key {
        self.known[&step].key
    }

    pub(crate) fn of<'a>(&'a self, study: &'a Study) -> StudyResults<'a> {
        StudyResults::in_memory(study, &self.known, &self.objects)
    }
}

/// A program that does what a shell script says. Another process writes it: were it open for writing here while a test forks, it could not
/// be started ("text file busy").
pub(crate) fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("program");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod +x \"$2\"";
    let status = Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status().unwrap();
    assert!(status.success());
    path
}
