//! The models: one line that says what each is, and the features at its layers.

use super::{Section, training_set::TrainingSet};
use crate::{
    report::{
        claims::{ClaimId, OutputSource},
        phrase::Phrase,
        source::ReportSource,
    },
    study::as_trained,
};
use serde::Serialize;
use std::path::Path;
use visavis_core::domain::{
    index::{LayerIx, ModelIx},
    model::{BaselineKind, Model, ModelFile, ModelFormat, Source, Weights},
    result::Manifest,
    stage::WEIGHTS_PREFIX,
};

#[derive(Serialize)]
pub(crate) struct Models {
    images: ClaimId,
    rows: Vec<ModelRow>,
}

#[derive(Serialize)]
struct ModelRow {
    name: String,
    description: Description,
    layers: Vec<LayerRow>,
}

/// What a model is: what kind, its parts by name, and what it was trained on, where it was trained here.
#[derive(Serialize)]
struct Description {
    kind: &'static str,
    parts: Vec<Part>,
    trained_on: Option<TrainingSet>,
}

/// One property of a model: what it is called, and its value as the study file has it.
#[derive(Debug, PartialEq, Serialize)]
struct Part {
    name: &'static str,
    value: Phrase,
}

#[derive(Serialize)]
struct LayerRow {
    name: String,
    /// Images × columns, where the features were made.
    shape: Option<Shape>,
    /// Columns that were centred on the way, pictures that were turned, and what was left out of the weights' names.
    centred: Option<ClaimId>,
    turned: Option<ClaimId>,
    prefix: Option<String>,
}

#[derive(Serialize)]
struct Shape {
    rows: ClaimId,
    columns: ClaimId,
}

impl Section for Models {
    const ANCHOR: &'static str = "models";
    const TITLE: &'static str = "Models";
    const TEMPLATE: &'static str = "models.html";
}

impl Models {
    pub(crate) fn of(source: &ReportSource) -> Self {
        let models = source.study().models.iter_enumerated();
        Models { images: source.images(), rows: models.map(|(place, of)| ModelRow::of(source, place, of)).collect() }
    }
}

impl ModelRow {
    fn of(source: &ReportSource, place: ModelIx, of: &Model) -> Self {
        let layers = source.names().layers(place);
        let layer =
            |(layer, name): (LayerIx, &String)| LayerRow::of(source, of, name, source.outcome.results.features(place, layer));
        ModelRow {
            name: of.name.clone(),
            description: Description::of(source, place, &of.source),
            layers: layers.iter_enumerated().map(layer).collect(),
        }
    }
}

impl Description {
    fn of(source: &ReportSource, place: ModelIx, model: &Source) -> Self {
        let shareable = |path: &Path| source.outcome.plan.workspace().shareable(path).display().to_string();
        let filled = as_trained(source.study(), &source.study().models[place]);
        let filled = filled.map(|value| Part { name: "as its family was trained:", value: Phrase::name(&value) });
        let parts = parts(model, &shareable).into_iter().chain(filled).collect();
        Description { kind: kind(model), parts, trained_on: TrainingSet::of(source, place) }
    }
}

/// What kind of model it is.
fn kind(model: &Source) -> &'static str {
    match model {
        Source::Given(_) => "Given features: computed elsewhere and read from files; no network was run here",
        Source::Baseline { word: BaselineKind::Pixels, .. } => "Baseline: the pixels of the prepared pictures; no network",
        Source::Baseline { word: BaselineKind::Colours, .. } => "Baseline: how often each colour occurs; no network",
        Source::Network(network) => match network.weights {
            Weights::File { .. } => "Network with given weights, trained elsewhere",
            Weights::Whole(ModelFile { format: ModelFormat::Onnx, .. }) => "Whole network in a file (ONNX), trained elsewhere",
            Weights::Whole(ModelFile { format: ModelFormat::TorchScript, .. }) => {
                "Whole network in a file (TorchScript), trained elsewhere"
            }
            Weights::Recipe { .. } => "Network trained here",
            Weights::Untrained { .. } => "Network with random weights, not trained",
        },
    }
}

/// What makes a model, as far as its kind has it: architecture, loss, training set, weights, files, preparation.
fn parts(model: &Source, shareable: &dyn Fn(&Path) -> String) -> Vec<Part> {
    let part = |name: &'static str, value: String| Part { name, value: Phrase::name(&value) };
    match model {
        Source::Given(given) => {
            let files = given.layers.values().map(|file| part("features", shareable(file)));
            files.chain([part("rows", shareable(&given.images)), part("made with", given.made_with.phrase())]).collect()
        }
        Source::Baseline { prepare, .. } => vec![part("preparation", prepare.clone())],
        Source::Network(network) => {
            let learned = [part("loss", network.loss.to_string()), part("training set", network.trained_on.clone())];
            let (is_trained, weights) = match &network.weights {
                Weights::File { file, family, .. } => {
                    (true, vec![part("weights", shareable(file)), part("tensors named as by", family.to_string())])
                }
                Weights::Whole(of) => {
                    let reads = of.reads.iter().map(|(layer, read)| Phrase::name(layer) + ": " + Phrase::name(read));
                    let reads = reads.reduce(|one, other| one + ", " + other).unwrap_or_default();
                    (true, vec![part("network", shareable(&of.file)), Part { name: "layers read at", value: reads }])
                }
                Weights::Recipe { recipe, .. } => (true, vec![part("recipe", recipe.clone())]),
                Weights::Untrained { .. } => (false, vec![]),
            };
            let architecture = part("architecture", network.architecture.to_string());
            let learned = learned.into_iter().filter(|_| is_trained);
            [architecture]
                .into_iter()
                .chain(learned)
                .chain(weights)
                .chain((!network.embedding.is_plain()).then(|| part("embedding made with", network.embedding.to_string())))
                .chain([part("preparation", network.prepare.clone())])
                .collect()
        }
    }
}

impl LayerRow {
    fn of(source: &ReportSource, model: &Model, name: &str, manifest: Option<&Manifest>) -> Self {
        let count = |fact: &str, at: usize, what: &str| {
            let manifest = manifest?;
            let value = *manifest.fact(fact).get(at)?;
            let output = OutputSource { key: manifest.key, output: "facts", of: format!("{} · {name}", model.name) };
            Some(source.claims.count(&output, &format!("/{fact}/{at}"), what, value as usize))
        };
        let fact = if matches!(model.source, Source::Given(_)) { "shape" } else { name };
        let (rows, columns) = (count(fact, 0, "rows of features"), count(fact, 1, "columns of features"));
        let prefix = manifest.and_then(|of| of.facts.keys().find_map(|fact| fact.strip_prefix(WEIGHTS_PREFIX)));
        LayerRow {
            name: name.to_owned(),
            shape: rows.zip(columns).map(|(rows, columns)| Shape { rows, columns }),
            centred: count("centred", 0, "columns centred"),
            turned: count("turned", 0, "pictures turned"),
            prefix: prefix.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output, text_of};
    use visavis_core::domain::{
        embedding::EmbeddingForm,
        loss::Loss,
        model::{Architecture, Network, WeightFamily},
    };

    #[test]
    fn each_model_is_described_with_its_layers() {
        let text = Fixture::new().text(|source| Some(Models::of(source)));
        assert!(
            text.contains("pixels Given features: computed elsewhere and read from files; no network was run here"),
            "{text}"
        );
        assert!(text.contains("; features pixels.npy, rows rows.txt, made with not stated: detector, alignment, size, mean, scale, channels, flip, weights. embedding"), "{text}");
    }

    #[test]
    fn a_network_is_described_by_what_made_it() {
        let network = |weights: Weights| {
            Source::Network(Network {
                architecture: Architecture { word: "resnet34".to_owned(), width: 1.0 },
                loss: Loss { word: "softmax".to_owned(), parameters: [].into() },
                trained_on: "faces".to_owned(),
                prepare: "whole".to_owned(),
                embedding: EmbeddingForm::default(),
                layers: vec![],
                weights,
            })
        };
        let described = |weights: Weights| {
            let source = network(weights);
            let parts = parts(&source, &|path| path.display().to_string());
            let parts: Vec<String> = parts.into_iter().map(|part| format!("{} {}", part.name, part.value.text())).collect();
            format!("{}; {}", kind(&source), parts.join(", "))
        };
        assert_eq!(
            described(Weights::Recipe { recipe: "short".to_owned(), seed: 1 }),
            "Network trained here; architecture resnet34, loss softmax, training set faces, recipe short, preparation whole"
        );
        assert_eq!(
            described(Weights::Untrained { seed: 1 }),
            "Network with random weights, not trained; architecture resnet34, preparation whole"
        );
        let file = Weights::File { file: "w.safetensors".into(), family: WeightFamily::of("timm"), blake3: None };
        assert!(described(file).contains("training set faces, weights w.safetensors, tensors named as by timm"));
    }

    #[test]
    fn what_was_done_to_features_is_said() {
        let claims = crate::report::claims::Claims::default();
        let count = |at: &str, n| claims.count(&output(), at, "x", n);
        let layer = LayerRow {
            name: "layer4".to_owned(),
            shape: Some(Shape { rows: count("/0", 1797), columns: count("/1", 512) }),
            centred: Some(count("/2", 3)),
            turned: None,
            prefix: Some("module.".to_owned()),
        };
        let description = Description { kind: "Network", parts: vec![], trained_on: None };
        let row = ModelRow { name: "resnet".to_owned(), description, layers: vec![layer] };
        let text = text_of(&Models { images: count("/3", 1797), rows: vec![row] }, &claims);
        assert!(
            text.contains("layer4: 1,797 × 512 (3 columns lie far from 0: they were centred before they were kept"),
            "{text}"
        );
        assert!(text.contains("(prefix module. removed from tensor names)"), "{text}");
    }
}
