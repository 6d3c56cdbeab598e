//! The chart of the summary: each comparison by the model that is best at it, beside all others and the best probe.

use crate::report::{
    claims::{ClaimId, EstimateClaims},
    phrase::Phrase,
    source::{Half, ReportSource},
    words,
};
use serde::Serialize;
use visavis_core::domain::{
    index::{ComparisonIx, LayerIx, ModelIx},
    ledger::LedgerRow,
};

/// A comparison: one row of the chart.
#[derive(Serialize)]
pub(super) struct OverviewRow {
    comparison: String,
    noise: Option<String>,
    /// On the evaluation half, of the view that ranks first on the selection half.
    auc: EstimateClaims,
    /// The same of the other models.
    others: Vec<ClaimId>,
    /// The best linear probe of any features, chosen and scored likewise.
    probe: Option<ClaimId>,
    /// Whose view it is.
    place: Phrase,
    /// The best verdict of any model's chosen view.
    sign: Option<&'static str>,
    verdict: &'static str,
    #[serde(skip)]
    order: f64,
}

impl OverviewRow {
    /// Every comparison that is ranked, the highest AUC first.
    pub(super) fn all(source: &ReportSource) -> Vec<Self> {
        let mut rows: Vec<OverviewRow> =
            source.study().comparisons.keys().filter_map(|comparison| OverviewRow::of(source, comparison)).collect();
        rows.sort_by(|one, other| other.order.total_cmp(&one.order));
        rows
    }

    fn of(source: &ReportSource, comparison: ComparisonIx) -> Option<Self> {
        let outcome = source.outcome;
        let chosen: Vec<(usize, &LedgerRow)> = outcome.chosen_on(comparison).collect();
        let &(place, best) = chosen.iter().min_by_key(|(_, row)| row.rank)?;
        let cell = &best.candidate.cell;
        let others = chosen.iter().filter(|(other, _)| *other != place);
        let verdict = chosen.iter().map(|(_, row)| outcome.verdict(row)).min()?;
        Some(OverviewRow {
            comparison: source.comparison(cell),
            noise: source.label_noise(comparison),
            auc: source.half(place, Half::Evaluation)?,
            others: others.filter_map(|(other, _)| Some(source.half(*other, Half::Evaluation)?.value)).collect(),
            probe: best_probe(source, comparison)
                .and_then(|(model, layer)| Some(source.features(model, layer, comparison)?.probe?.value)),
            place: Phrase::name(&source.model(cell)) + ", " + source.layer_and_view(cell),
            sign: words::sign(verdict),
            verdict: verdict.word(),
            order: best.candidate.b?.value,
        })
    }
}

/// The features whose linear probe is best at a comparison on the selection half.
pub(super) fn best_probe(source: &ReportSource, comparison: ComparisonIx) -> Option<(ModelIx, LayerIx)> {
    let features = source.outcome.scores.iter().filter(|(of, _)| of.projection.is_none() && of.comparison == comparison);
    let probes = features.filter_map(|(of, scored)| Some(((of.model, of.layer), scored.probe.as_ref()?.a?.value)));
    probes.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(place, _)| place)
}
