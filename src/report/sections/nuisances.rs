//! Is it the background? How much of each nuisance every model holds, and what remains of shown scores while nuisances are held.

use super::Section;
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::Phrase,
        source::{Half, ReportSource},
    },
    study::{HeldNuisances, most_held},
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    index::ModelIx,
    ledger::CellId,
    nuisance::{AdjustingDoubt, AskedNuisance, HeldNuisance, MeasuredPictures, Nuisance},
    projection::View,
    score::Estimate,
    stage::ScoreNuisances,
};

#[derive(Serialize)]
pub(crate) struct Nuisances {
    measured: Option<Measured>,
    /// Neighbours whose mean is a prediction.
    neighbours: Option<ClaimId>,
    rows: Vec<NuisanceRow>,
    /// Nuisances that do not vary.
    constant: Vec<Phrase>,
    /// Nuisances that are not defined in all images.
    partly: Vec<PartlyDefined>,
    held: Vec<HeldRow>,
}

/// How the background was found, in how many pictures.
#[derive(Serialize)]
struct Measured {
    images: ClaimId,
    beside_head: ClaimId,
    border_unknown: ClaimId,
    border_filled: ClaimId,
}

#[derive(Serialize)]
struct PartlyDefined {
    nuisance: Phrase,
    defined: ClaimId,
    images: ClaimId,
}

/// One model and nuisance, in the view that holds most of it on the selection half.
#[derive(Serialize)]
struct NuisanceRow {
    model: String,
    nuisance: Phrase,
    view: Phrase,
    explained: Option<EstimateClaims>,
    /// |Spearman's ρ| along an axis.
    gradient: Option<EstimateClaims>,
    /// R² of the model's features, at the layer that holds most of it on the selection half.
    features: Option<EstimateClaims>,
    /// The comparison that this view separates best on the selection half, with its AUC on the other.
    attribute: Option<Beside>,
}

#[derive(Serialize)]
struct Beside {
    comparison: Phrase,
    auc: Option<EstimateClaims>,
}

/// One shown figure, one nuisance that is held.
#[derive(Serialize)]
struct HeldRow {
    comparison: String,
    model: String,
    view: Phrase,
    held: HeldClaims,
}

/// The numbers of one nuisance that is held: for tables, and for a figure's card.
#[derive(Clone, Serialize)]
pub(crate) struct HeldClaims {
    pub nuisance: Phrase,
    pub plain: Option<EstimateClaims>,
    pub adjusted: Option<EstimateClaims>,
    pub lost: Option<EstimateClaims>,
    pub alone: Option<EstimateClaims>,
    pub alike: Option<ClaimId>,
    pub images: ClaimId,
    pub undefined: ClaimId,
    /// Why the adjusted score says little.
    pub doubt: Option<&'static str>,
}

impl Section for Nuisances {
    const ANCHOR: &'static str = "nuisances";
    const TITLE: &'static str = "Is it the background?";
    const TEMPLATE: &'static str = "nuisances.html";
}

/// A name where a person gave it, else words.
pub(crate) fn title(nuisance: &Nuisance) -> Phrase {
    match nuisance {
        Nuisance::Measured(of) => Phrase::words(of.title()),
        Nuisance::Column(name) => Phrase::name(name),
    }
}

impl Nuisances {
    /// `None` where none are looked for, or none were yet.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let results = &source.outcome.results;
        let all = results.nuisances()?;
        let measured = results.measured_pictures()?;
        let measured = measured.map(|of| Measured::of(source, &source.output(&of, "pictures".to_owned()), &of.value));
        let mut held = Vec::new();
        for (cell, _) in &source.outcome.shown {
            held.extend(HeldClaims::of_figure(source, cell)?.into_iter().map(|held| HeldRow {
                comparison: source.comparison(cell),
                model: source.model(cell),
                view: source.layer_and_view(cell),
                held,
            }));
        }
        let Some(first) = all.first() else { return Ok(None) };
        let output = output(source, first);
        let count = |pointer: String, what: &str, n| source.claims.count(&output, &pointer, what, n);
        let asked = || first.scores.nuisances.iter().enumerate();
        let partly = |(place, of): (usize, &AskedNuisance)| PartlyDefined {
            nuisance: title(&of.nuisance),
            defined: count(format!("/nuisances/{place}/defined"), "images in which a nuisance is defined", of.defined),
            images: count("/images".to_owned(), "images", first.scores.images),
        };
        Ok(Some(Nuisances {
            neighbours: Some(count("/neighbours".to_owned(), "neighbours of a prediction", first.scores.neighbours)),
            constant: asked().filter(|(_, of)| of.constant && of.defined > 0).map(|(_, of)| title(&of.nuisance)).collect(),
            partly: asked().filter(|(_, of)| of.defined < first.scores.images).map(partly).collect(),
            rows: rows(source, &all),
            measured,
            held,
        }))
    }
}

impl Measured {
    fn of(source: &ReportSource, output: &OutputSource, found: &MeasuredPictures) -> Self {
        let count = |pointer: &str, what: &str, n| source.claims.count(output, pointer, what, n);
        let background = &found.background;
        Measured {
            images: count("/images", "pictures measured", found.images),
            beside_head: count("/background/beside_head", "backgrounds beside the head", background.beside_head),
            border_unknown: count("/background/border_unknown", "backgrounds at the border", background.border_unknown),
            border_filled: count("/background/border_filled", "backgrounds at the border", background.border_filled),
        }
    }
}

/// Where the numbers of one result stand.
pub(super) fn output(source: &ReportSource, of: &HeldNuisances) -> OutputSource {
    let at = source.names().model_and_layer(of.model, of.layer);
    let named =
        of.projection.map_or_else(|| at.clone(), |projection| format!("{at} · {}", source.names().projection(projection)));
    OutputSource { key: of.key, output: ScoreNuisances::SCORES, of: named }
}

/// Where a nuisance is held: which of the results, which of its views.
pub(super) type Place<'a> = (&'a HeldNuisances, usize);

/// One row a model and nuisance.
fn rows(source: &ReportSource, all: &[HeldNuisances]) -> Vec<NuisanceRow> {
    let models: BTreeSet<ModelIx> = all.iter().map(|of| of.model).collect();
    let nuisances: Vec<&Nuisance> = all.first().map_or(vec![], |of| of.scores.nuisances.iter().map(|of| &of.nuisance).collect());
    let mut rows = Vec::new();
    for model in models {
        for nuisance in &nuisances {
            let most = |is_of_features: bool| {
                most_held(all, nuisance, |of| of.model == model && of.projection.is_none() == is_of_features)
            };
            let (in_view, in_features) = (most(false), most(true));
            if in_view.is_none() && in_features.is_none() {
                continue;
            }
            let estimate = |[result, view, place]: [usize; 3], field: &str, what: &str, estimate: Option<Estimate>| {
                let pointer = format!("/views/{view}/scores/{place}/{field}");
                Some(source.claims.estimate(&output(source, &all[result]), &pointer, what, NumberForm::Score, estimate?))
            };
            let score = |[result, view, place]: [usize; 3]| all[result].scores.views[view].scores[place];
            let told = |at: Option<[usize; 3]>| at.and_then(|at| estimate(at, "b", "R² on the evaluation half", score(at).b));
            let gradient = in_view.and_then(|at| estimate(at, "monotone", "gradient of a nuisance", score(at).monotone));
            let place = in_view.map(|[result, view, _]| (&all[result], view));
            rows.push(NuisanceRow {
                model: source.names().model(model).to_owned(),
                nuisance: title(nuisance),
                view: place.map_or_else(Phrase::default, |at| view_phrase(source, at)),
                explained: told(in_view),
                gradient,
                features: told(in_features),
                attribute: place.and_then(|at| best_attribute(source, at)),
            });
        }
    }
    rows
}

/// Layer, projection and view.
pub(super) fn view_phrase(source: &ReportSource, (of, view): Place) -> Phrase {
    let layer = Phrase::name(&source.layer(of.model, of.layer));
    let projection = of.projection.map_or_else(Phrase::default, |of| Phrase::name(source.names().projection(of)));
    layer + ", " + projection + format!(" {}", of.scores.views[view].view).as_str()
}

/// What the view separates best, of all comparisons, chosen on the selection half.
fn best_attribute(source: &ReportSource, (of, view): Place) -> Option<Beside> {
    let wanted: View = of.scores.views[view].view;
    let rows = source.outcome.ledger.rows.iter().enumerate();
    let of_view = rows.filter(|(_, row)| {
        let cell = &row.candidate.cell;
        cell.model == of.model && cell.layer == of.layer && Some(cell.projection) == of.projection && cell.view == wanted
    });
    let value = |estimate: Option<Estimate>| estimate.map_or(f64::NEG_INFINITY, |estimate| estimate.value);
    let best =
        of_view.max_by(|(a, one), (b, other)| value(one.candidate.a).total_cmp(&value(other.candidate.a)).then(b.cmp(a)))?;
    let (place, row) = best;
    row.candidate.a?;
    Some(Beside { comparison: Phrase::name(&source.comparison(&row.candidate.cell)), auc: source.half(place, Half::Evaluation) })
}

impl HeldClaims {
    /// Of every nuisance that is held while a shown figure is scored again.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of_figure(source: &ReportSource, cell: &CellId) -> Result<Vec<Self>> {
        let Some(found) = source.outcome.results.adjusted(cell)? else { return Ok(vec![]) };
        let output = source.output(&found, source.cell(cell));
        Ok(found.value.held.iter().enumerate().map(|(place, of)| HeldClaims::of(source, &output, place, of)).collect())
    }

    pub(crate) fn of(source: &ReportSource, output: &OutputSource, place: usize, of: &HeldNuisance) -> Self {
        let at = |field: &str| format!("/held/{place}/{field}");
        let estimate = |field: &str, what: &str, form: NumberForm, estimate: Option<Estimate>| {
            Some(source.claims.estimate(output, &at(field), what, form, estimate?))
        };
        let alike = "images with others alike in the other class";
        HeldClaims {
            nuisance: title(&of.nuisance),
            plain: estimate("plain", "AUC on the evaluation half", NumberForm::Score, of.plain),
            adjusted: estimate("adjusted", "AUC while a nuisance is held", NumberForm::Score, of.adjusted),
            lost: estimate("lost", "AUC lost while a nuisance is held", NumberForm::Difference, of.lost),
            alone: estimate("alone", "AUC of a nuisance alone", NumberForm::Score, of.alone),
            alike: of.alike.map(|share| source.claims.enter(output, &at("alike"), alike, NumberForm::Percent, share)),
            images: source.claims.count(output, &at("images"), "images on the evaluation half", of.images),
            undefined: source.claims.count(output, &at("undefined"), "images without the nuisance", of.undefined),
            doubt: of.doubt.map(AdjustingDoubt::phrase),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{Fixture, output};
    use visavis_core::domain::nuisance::PictureNuisance;

    #[test]
    fn a_figure_is_shown_with_its_score_while_the_background_is_held() {
        let held = HeldNuisance {
            nuisance: Nuisance::Measured(PictureNuisance::Background),
            images: 1700,
            undefined: 3,
            plain: Some(Estimate::new(0.86, 0.83, 0.89)),
            adjusted: Some(Estimate::new(0.61, 0.56, 0.66)),
            lost: Some(Estimate::new(0.25, 0.2, 0.3)),
            alone: Some(Estimate::new(0.84, 0.8, 0.88)),
            alike: Some(0.7),
            doubt: Some(AdjustingDoubt::TellsClasses),
        };
        let text = Fixture::new().with_scores().text(|source| {
            let held = HeldClaims::of(source, &output(), 0, &held);
            let row = HeldRow { comparison: "hair colour".into(), model: "pixels".into(), view: Phrase::name("layer4"), held };
            Some(Nuisances { measured: None, neighbours: None, rows: vec![], constant: vec![], partly: vec![], held: vec![row] })
        });
        for words in [
            "background colour",
            "0.860 (0.830–0.890)",
            "0.610 (0.560–0.660)",
            "+0.250 (+0.200 to +0.300)",
            "over-adjusted: it alone tells the classes",
            "70.0 %",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
    }
}
