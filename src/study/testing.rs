//! Studies in memory, and results of their steps, for tests.

use super::steps::{Node, Step, drawing, robustness, steps};
use crate::config;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Digest, Key, matrix,
    result::{Facts, Manifest, Output, Provenance},
    stage::{
        FeatureImport, Index, Input, Location, ProjectFeatures, Ranking, ScoreFeatures, ScoreViews, Simultaneous, Training, Work,
        features_at, ranks_of,
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
evaluation: { dataset: faces, labels: [{ file: l.csv, attribute: glasses }] }
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

pub fn study() -> Study {
    config::parse(config::Text { path: "s.yaml".into(), source: STUDY.into() }).unwrap().study
}

/// Every step that a study can have, with all figures shown.
pub fn nodes(study: &Study) -> Vec<Node> {
    let cells = matrix::cells(study);
    let shown = cells.into_iter().flat_map(|cell| [robustness(study, cell), drawing(cell)]);
    steps(study).into_iter().chain(shown).collect()
}

pub fn input(role: &str) -> Input {
    Input { role: role.to_owned(), digest: Digest::of(role.as_bytes()), at: Location::Object }
}

pub fn output_of(step: Step, name: &str) -> Digest {
    Digest::of(format!("{step:?} {name}").as_bytes())
}

/// A result with every output that some stage has.
pub fn result(study: &Study, step: Step) -> Manifest {
    let fixed = [
        Index::IMAGES,
        FeatureImport::FEATURES,
        FeatureImport::OFFSETS,
        Training::WEIGHTS,
        Training::CURVES,
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
        work: Work::Index(Index { take: None }),
        inputs: vec![],
        outputs: outputs.collect(),
        facts: Facts::new(),
        provenance: Provenance {
            program: String::new(),
            host: String::new(),
            cpu: String::new(),
            system: String::new(),
            threads: 1,
            worker: String::new(),
            attempt: 1,
            started: 0,
            seconds: 0.0,
        },
    }
}
