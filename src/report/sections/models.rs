//! The models: what each is, and the features at its layers.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, OutputSource},
        source::ReportSource,
    },
    study,
};
use serde::Serialize;
use visavis_core::domain::{
    index::{LayerIx, ModelIx},
    model::{Model, Source},
    result::Manifest,
    stage::WEIGHTS_PREFIX,
};

#[derive(Serialize)]
pub struct Models {
    rows: Vec<ModelRow>,
}

#[derive(Serialize)]
struct ModelRow {
    name: String,
    description: String,
    layers: Vec<LayerRow>,
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
    pub fn of(source: &ReportSource) -> Self {
        let models = source.study().models.iter_enumerated();
        Models { rows: models.map(|(place, of)| ModelRow::of(source, place, of)).collect() }
    }
}

impl ModelRow {
    fn of(source: &ReportSource, place: ModelIx, of: &Model) -> Self {
        let layers = of.layers(source.study().layers.as_deref());
        let layer = |(layer, name): (LayerIx, &String)| {
            let manifest = source.outcome.plan.result(study::features(source.study(), place, layer));
            LayerRow::of(source, of, name, manifest)
        };
        ModelRow { name: of.name.clone(), description: description(of), layers: layers.iter_enumerated().map(layer).collect() }
    }
}

/// What a model is, in words.
fn description(of: &Model) -> String {
    match &of.source {
        Source::Given(_) => "given features".to_owned(),
        Source::Baseline { word, prepare } => format!("{word} of the pictures, no network, prepare {prepare}"),
        Source::Network(_) => {
            of.factors().iter().map(|(factor, level)| format!("{factor} {level}")).collect::<Vec<_>>().join(", ")
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

    #[test]
    fn each_model_is_described_with_its_layers() {
        let text = Fixture::new().text(|source| Some(Models::of(source)));
        assert!(text.contains("pixels given features embedding blocks given features embedding"), "{text}");
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
        let row = ModelRow { name: "resnet".to_owned(), description: "loss softmax".to_owned(), layers: vec![layer] };
        let text = text_of(&Models { rows: vec![row] }, &claims);
        assert!(
            text.contains("layer4: 1,797 × 512 (3 columns lie far from 0: they were centred before they were kept"),
            "{text}"
        );
        assert!(text.contains("(prefix module. removed from tensor names)"), "{text}");
    }
}
