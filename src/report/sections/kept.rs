//! Chosen views beside their features: what a projection lost, or inflated.

use crate::report::{
    claims::{ClaimId, EstimateClaims},
    phrase::Phrase,
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{claim::NumberForm, simultaneous::ViewBesideFeatures};

#[derive(Serialize)]
pub(crate) struct Kept {
    model: String,
    comparison: String,
    view: Phrase,
    features: Option<ClaimId>,
    probe: Option<ClaimId>,
    /// The view less the better of both.
    difference: EstimateClaims,
    verdict: &'static str,
}

impl Kept {
    pub(crate) fn all(source: &ReportSource) -> Vec<Self> {
        source.outcome.grid.beside.iter().enumerate().map(|(place, of)| Kept::of(source, place, of)).collect()
    }

    fn of(source: &ReportSource, place: usize, of: &ViewBesideFeatures) -> Self {
        let output = source.simultaneous_output(source.cell(&of.cell));
        let at = |field: &str| format!("/beside/{place}/{field}");
        let score = |field: &str, what: &str, value: Option<f64>| {
            value.map(|value| source.claims.enter(&output, &at(field), what, NumberForm::Score, value))
        };
        let what = "view less the better of features and probe";
        Kept {
            model: source.study().models[of.model].name.clone(),
            comparison: source.study().comparisons[of.comparison].name.clone(),
            view: source.layer_and_view(&of.cell),
            features: score("features", "AUC of the features on the evaluation half", of.features),
            probe: score("probe", "AUC of the probe on the evaluation half", of.probe),
            difference: source.claims.estimate(&output, &at("kept"), what, NumberForm::Difference, of.kept),
            verdict: of.word(),
        }
    }
}
