//! What each axis shows, which layer shows what best, and what no model shows.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        phrase::Phrase,
        source::{Half, ReportSource},
        words::list,
    },
    study::{AxisFinding, LayersOn, Sourced},
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    index::{LayerIx, ModelIx},
    layer_difference::{LayerDifference, LayerDifferences},
};

#[derive(Serialize)]
pub(crate) struct LayersAndAxes {
    /// All ranked cells.
    ranked: ClaimId,
    /// Comparisons on which no view of any model is above chance.
    told_by_none: Option<Phrase>,
    models: Vec<ModelAxes>,
}

#[derive(Serialize)]
struct ModelAxes {
    model: String,
    /// Axes that may be named, those that show the most first.
    axes: Vec<AxisRow>,
    /// There are axes, and none of them may be named.
    names_none: bool,
    /// Some axes may not be named.
    leaves_some: bool,
    /// The model's layers with a ranked view, where there are several.
    layers: Vec<String>,
    comparisons: Vec<LayersRow>,
}

#[derive(Serialize)]
struct AxisRow {
    layer: String,
    axis: Phrase,
    comparison: Phrase,
    auc: Option<EstimateClaims>,
    lower_bound: Option<ClaimId>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct LayersRow {
    comparison: Phrase,
    /// The layer whose view the selection half prefers.
    best: String,
    /// By layer, in the order of the model's; nothing of a layer without a ranked view.
    aucs: Vec<LayerAuc>,
    /// Their numbers, as one line.
    course: Vec<Vec<Option<ClaimId>>>,
}

#[derive(Serialize)]
struct LayerAuc {
    auc: Option<EstimateClaims>,
    is_best: bool,
    /// The best layer less this one, where they were held against each other.
    difference: Option<EstimateClaims>,
    /// This layer is `lower`, `higher`, or it is inconclusive.
    verdict: &'static str,
}

impl Section for LayersAndAxes {
    const ANCHOR: &'static str = "axes";
    const TITLE: &'static str = "Layers and axes";
    const TEMPLATE: &'static str = "layers_and_axes.html";
}

impl LayersAndAxes {
    /// `None` where no axis is ranked and no model has several layers.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let (axes, layers) = (source.outcome.axes(), source.outcome.layers());
        let models = source.study().models.keys().map(|model| ModelAxes::of(source, model, &axes, &layers));
        let models: Vec<ModelAxes> = models.filter_map(Result::transpose).collect::<Result<_>>()?;
        let names: Vec<Phrase> =
            source.outcome.told_by_none().into_iter().map(|of| Phrase::name(source.names().comparison(of))).collect();
        Ok((!models.is_empty()).then(|| LayersAndAxes {
            ranked: source.ranked_cells(),
            told_by_none: (!names.is_empty()).then(|| list(&names)),
            models,
        }))
    }
}

impl ModelAxes {
    /// `None` of a model without a ranked axis and with a single layer.
    fn of(source: &ReportSource, model: ModelIx, axes: &[AxisFinding], layers: &[LayersOn]) -> Result<Option<Self>> {
        let axes: Vec<&AxisFinding> = axes.iter().filter(|of| of.model == model).collect();
        let layers: Vec<&LayersOn> = layers.iter().filter(|of| of.model == model).collect();
        let low = |of: &AxisFinding| source.outcome.ledger.rows[of.row].low.unwrap_or(f64::NEG_INFINITY);
        let mut named: Vec<&AxisFinding> = axes.iter().copied().filter(|of| of.is_named).collect();
        named.sort_by(|a, b| low(b).total_cmp(&low(a)).then(a.cmp(b)));
        let shown: BTreeSet<LayerIx> = layers.iter().flat_map(|of| of.rows.keys().copied()).collect();
        let differences = source.outcome.results.layer_differences(model)?;
        Ok((!axes.is_empty() || !layers.is_empty()).then(|| ModelAxes {
            model: source.names().model(model).to_owned(),
            names_none: !axes.is_empty() && named.is_empty(),
            leaves_some: !named.is_empty() && named.len() < axes.len(),
            axes: named.into_iter().map(|of| AxisRow::of(source, of)).collect(),
            layers: shown.iter().map(|&layer| source.layer(model, layer)).collect(),
            comparisons: layers.iter().map(|of| LayersRow::of(source, of, &shown, differences.as_ref())).collect(),
        }))
    }
}

impl AxisRow {
    fn of(source: &ReportSource, of: &AxisFinding) -> Self {
        let row = &source.outcome.ledger.rows[of.row];
        let cell = &row.candidate.cell;
        AxisRow {
            layer: source.layer(cell.model, cell.layer),
            axis: source.view(cell),
            comparison: source.marked_comparison(cell),
            auc: source.half(of.row, Half::Evaluation),
            lower_bound: source.lower_bound(of.row),
            verdict: source.outcome.verdict(row).word(),
        }
    }
}

impl LayersRow {
    fn of(
        source: &ReportSource,
        of: &LayersOn,
        shown: &BTreeSet<LayerIx>,
        differences: Option<&Sourced<LayerDifferences>>,
    ) -> Self {
        let auc = |layer: &LayerIx| {
            let difference = differences.and_then(|all| {
                let is_of =
                    |(_, it): &(usize, &LayerDifference)| (it.comparison, it.best, it.other) == (of.comparison, of.best, *layer);
                let (place, found) = all.value.differences.iter().enumerate().find(is_of)?;
                let names = [of.best, *layer].map(|layer| source.layer(of.model, layer));
                let output = source.output(all, format!("{} · {} − {}", source.names().model(of.model), names[0], names[1]));
                let at = format!("/differences/{place}/difference");
                let what = "best layer less the other";
                Some((source.claims.estimate(&output, &at, what, NumberForm::Difference, found.difference), found.word()))
            });
            let (difference, verdict) = difference.unzip();
            LayerAuc {
                auc: of.rows.get(layer).and_then(|&row| source.half(row, Half::Evaluation)),
                is_best: *layer == of.best,
                difference,
                verdict: verdict.unwrap_or_default(),
            }
        };
        let aucs: Vec<LayerAuc> = shown.iter().map(auc).collect();
        LayersRow {
            comparison: source.marked_comparison(&source.outcome.ledger.rows[of.rows[&of.best]].candidate.cell),
            best: source.layer(of.model, of.best),
            course: vec![aucs.iter().map(|of| Some(of.auc.as_ref()?.value.clone())).collect()],
            aucs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn an_axis_is_named_by_what_it_shows_above_chance() {
        let text = Fixture::new().text(|source| LayersAndAxes::of(source).unwrap());
        for sentence in [
            "No view of any model is above chance on even or odd.",
            "embedding pca axis 1 zero or one 0.900 (0.850–0.950) 0.800 separates",
            "embedding pca axis 1 zero or one 0.700 (0.650–0.750) 0.600 above chance",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
        assert!(!text.contains("layer by layer"), "one layer each\n{text}");
    }

    #[test]
    fn axes_of_noise_are_not_named() {
        let mut fixture = Fixture::new();
        fixture.grid.cells.iter_mut().for_each(|of| {
            of.all.adjusted = 0.5;
            of.chosen.as_mut().unwrap().adjusted = 0.5;
        });
        let text = fixture.text(|source| LayersAndAxes::of(source).unwrap());
        assert!(text.contains("No axis is above chance on any comparison"), "{text}");
        assert!(!text.contains("0.900"), "{text}");
    }
}
