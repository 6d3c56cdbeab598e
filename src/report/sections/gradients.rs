//! Along single axes: the one with the largest lower bound, a model and comparison.

use crate::{
    report::{
        claims::{EstimateClaims, OutputSource},
        phrase::Phrase,
        source::ReportSource,
    },
    study::{ScoreOf, ScoreSource},
};
use serde::Serialize;
use visavis_core::domain::{
    claim::NumberForm,
    comparison::Measured,
    index::{ComparisonIx, ModelIx},
    ledger::CellId,
    score::{Estimate, ViewScore},
    stage::ScoreViews,
};

#[derive(Serialize)]
pub(crate) struct Gradient {
    comparison: String,
    model: String,
    view: Phrase,
    measure: &'static str,
    score: EstimateClaims,
}

impl Gradient {
    pub(crate) fn all(source: &ReportSource) -> Vec<Self> {
        let study = source.study();
        let of_comparison =
            |comparison: ComparisonIx| study.models.keys().filter_map(move |model| steepest(source, model, comparison));
        study.comparisons.keys().flat_map(of_comparison).collect()
    }
}

fn steepest(source: &ReportSource, model: ModelIx, comparison: ComparisonIx) -> Option<Gradient> {
    let study = source.study();
    let is_large = |scored: &ScoreSource| scored.scores.counts.exclusive.iter().all(|n| *n >= study.statistics.min_positives);
    let scores =
        source.outcome.scores.iter().filter(|(of, scored)| {
            of.model == model && of.comparison == comparison && of.projection.is_some() && is_large(scored)
        });
    let views = scores.flat_map(|(of, scored)| {
        let axes = scored.scores.views.iter().enumerate();
        axes.filter_map(move |(place, view)| Some(Axis { of, scored, place, view, score: view.monotone? }))
    });
    let low = |of: &Axis| of.score.low().unwrap_or(f64::NEG_INFINITY);
    let axis = views.max_by(|a, b| low(a).total_cmp(&low(b)).then(b.place.cmp(&a.place)))?;
    let projection = axis.of.projection.unwrap_or_default();
    let cell = CellId { model, layer: axis.of.layer, projection, view: axis.view.view, comparison };
    let output = OutputSource { key: axis.scored.key, output: ScoreViews::SCORES, of: source.cell(&cell) };
    let is_quantity = matches!(study.comparisons[comparison].question.measured, Measured::Quantity(_));
    let measure = if is_quantity { "Spearman’s ρ" } else { "monotone AUC" };
    let pointer = format!("/views/{}/monotone", axis.place);
    Some(Gradient {
        comparison: source.comparison(&cell),
        model: source.model(&cell),
        view: source.view(&cell),
        measure,
        score: source.claims.estimate(&output, &pointer, measure, NumberForm::Score, axis.score),
    })
}

/// An axis of a projection with its score on a comparison.
struct Axis<'a> {
    of: &'a ScoreOf,
    scored: &'a ScoreSource,
    place: usize,
    view: &'a ViewScore,
    score: Estimate,
}
