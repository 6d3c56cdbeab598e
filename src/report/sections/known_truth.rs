//! Synthetic faces: what is known of them beside what was found.

use super::{Section, summary::models_above_chance};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, OutputSource},
        phrase::{Phrase, names},
        source::{Half, ReportSource},
        words::{Detection, list},
    },
    study::{Level, Planted, Truth},
};
use serde::Serialize;
use visavis_core::domain::{
    Result,
    claim::NumberForm,
    index::ComparisonIx,
    ledger::{LedgerRow, ProbeDetection, Recovered},
    stage::Ranking,
};

#[derive(Serialize)]
pub(crate) struct KnownTruth {
    images: ClaimId,
    recovery: Option<Recovery>,
    rows: Vec<TruthRow>,
}

/// How much of the truth was found, in counts of comparisons.
#[derive(Serialize)]
struct Recovery {
    drawn: ClaimId,
    above_chance: ClaimId,
    separated: ClaimId,
    by_probes: ClaimId,
    not_drawn: ClaimId,
    through_correlates: ClaimId,
    through_correlates_by_probes: ClaimId,
    contradicted: ClaimId,
}

#[derive(Serialize)]
struct TruthRow {
    comparison: String,
    attributes: Phrase,
    verdict: &'static str,
    /// Models whose chosen view is above chance.
    models: Phrase,
    best_view: Option<BestOf>,
    best_probe: Option<BestOf>,
    /// The number of the best probe.
    probe: Option<ClaimId>,
    ceiling: Option<ClaimId>,
    /// Share of the picture, by attribute; none where it is not drawn.
    areas: Vec<ClaimId>,
    /// Share of the images, by attribute.
    rates: Vec<ClaimId>,
    level: &'static str,
    correlates: Option<Phrase>,
}

#[derive(Serialize)]
struct BestOf {
    /// Model, and layer or view.
    place: Phrase,
    auc: Option<EstimateClaims>,
}

impl Section for KnownTruth {
    const ANCHOR: &'static str = "known-truth";
    const TITLE: &'static str = "Recovery of the known truth";
    const TEMPLATE: &'static str = "known_truth.html";
}

impl KnownTruth {
    /// `None` where the faces are not synthetic.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of(source: &ReportSource) -> Result<Option<Self>> {
        let Some(truth) = &source.outcome.truth else { return Ok(None) };
        let recovered = source.outcome.results.recovered()?;
        Ok(Some(KnownTruth::filled(source, truth, recovered.as_ref().map(|of| &of.value))))
    }

    fn filled(source: &ReportSource, truth: &Truth, recovered: Option<&Recovered>) -> Self {
        let rows = source.study().comparisons.iter_enumerated().filter_map(|(comparison, of)| {
            let asked = truth.asked_by(&of.question);
            (!asked.is_empty()).then(|| TruthRow::of(source, comparison, &asked, recovered))
        });
        KnownTruth {
            images: source.images(),
            rows: rows.collect(),
            recovery: recovered.map(|recovered| Recovery::of(source, recovered)),
        }
    }
}

fn recovered_output(source: &ReportSource) -> OutputSource {
    OutputSource { key: source.outcome.ranked, output: Ranking::RECOVERED, of: "recovery of the known truth".to_owned() }
}

impl Recovery {
    fn of(source: &ReportSource, recovered: &Recovered) -> Self {
        let output = recovered_output(source);
        let count = |field: &str, value: usize| source.claims.count(&output, &format!("/{field}"), field, value);
        Recovery {
            drawn: count("planted", recovered.planted),
            above_chance: count("beyond_chance", recovered.beyond_chance),
            separated: count("found", recovered.found),
            by_probes: count("told_by_probes", recovered.told_by_probes),
            not_drawn: count("undrawn", recovered.undrawn),
            through_correlates: count("through", recovered.through),
            through_correlates_by_probes: count("through_by_probes", recovered.through_by_probes),
            contradicted: count("wrong", recovered.wrong),
        }
    }
}

impl TruthRow {
    fn of(source: &ReportSource, comparison: ComparisonIx, asked: &[(usize, &Planted)], recovered: Option<&Recovered>) -> Self {
        let outcome = source.outcome;
        let chosen: Vec<(usize, &LedgerRow)> = outcome.chosen_on(comparison).collect();
        let models = models_above_chance(source, comparison);
        let probes = recovered.map_or(&[][..], |recovered| &recovered.probes);
        let probe = probes.iter().enumerate().find(|(_, of)| of.comparison == comparison);
        let is_drawn = asked.iter().all(|(_, of)| of.drawn);
        let detection = Detection {
            is_ranked: !chosen.is_empty(),
            is_drawn,
            is_detectable: is_drawn || asked.iter().any(|(_, of)| of.can_be_told()),
            separates: chosen.iter().any(|(_, row)| outcome.separates(row)),
            is_above_chance: !models.is_empty(),
            by_probe: probe.is_some_and(|(_, of)| of.is_told()),
        };
        let output = OutputSource { key: outcome.ranked, output: Ranking::PLANTED, of: "known truth".to_owned() };
        let numbers = |field: &str, what: &str, form: NumberForm, value: fn(&Planted) -> f64| -> Vec<ClaimId> {
            let enter = |(place, of): &(usize, &Planted)| {
                let pointer = format!("/attributes/{place}/{field}");
                source.claims.enter(&output, &pointer, &format!("{what} of {}", of.attribute), form, value(of))
            };
            asked.iter().map(enter).collect()
        };
        let one = if let [(_, one)] = asked { Some(*one) } else { None };
        let ceiling = |_| numbers("ceiling", "best AUC its labels allow", NumberForm::Score, |of| of.ceiling).pop();
        let best_probe = probe.map(|(place, of)| best_probe(source, place, of));
        TruthRow {
            comparison: source.study().comparisons[comparison].name.clone(),
            attributes: list(&names(asked.iter().map(|(_, of)| &of.attribute))),
            verdict: detection.words(),
            models: list(&names(&models)),
            best_view: chosen.iter().min_by_key(|(_, row)| row.rank).map(|&(place, row)| {
                let cell = &row.candidate.cell;
                let at = Phrase::name(&source.model(cell)) + ", " + source.view(cell);
                BestOf { place: at, auc: source.half(place, Half::Evaluation) }
            }),
            probe: best_probe.as_ref().and_then(|of| Some(of.auc.as_ref()?.value.clone())),
            best_probe,
            ceiling: one.and_then(ceiling),
            areas: if is_drawn { numbers("area", "share of the picture", NumberForm::Percent, |of| of.area) } else { vec![] },
            rates: numbers("rate", "share of images", NumberForm::Percent, |of| of.rate),
            level: asked.first().map_or("", |(_, of)| level(of.level)),
            correlates: one.map(|of| list(&names(of.correlates.iter().take(2).map(|(name, _)| name)))),
        }
    }
}

fn level(of: Level) -> &'static str {
    match of {
        Level::Identity => "identity",
        Level::Image => "image",
        Level::Both => "both",
    }
}

fn best_probe(source: &ReportSource, place: usize, of: &ProbeDetection) -> BestOf {
    let of_study = source.names();
    let (model, layers) = (Phrase::name(of_study.model(of.model)), of_study.layers(of.model));
    let what = format!("{}, best probe, AUC on the evaluation half", of_study.comparison(of.comparison));
    let pointer = format!("/probes/{place}/b");
    BestOf {
        place: if layers.len() > 1 { model + ", " + Phrase::name(&layers[of.layer]) } else { model },
        auc: Some(source.claims.estimate(&recovered_output(source), &pointer, &what, NumberForm::Score, of.b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use visavis_core::domain::index::{LayerIx, ModelIx};
    use visavis_core::domain::score::Estimate;

    fn truth() -> Truth {
        let even = Planted {
            attribute: "even".to_owned(),
            drawn: true,
            level: Level::Image,
            rate: 0.5,
            area: 0.125,
            label_noise: 0.0,
            correlates: vec![("bold".to_owned(), 0.4)],
            ceiling: 0.97,
        };
        Truth {
            format: 1,
            about: String::new(),
            seed: 1,
            people: 2,
            images: 4,
            twin: "a".to_owned(),
            necktie_on_dark: 0.0,
            attributes: vec![even],
        }
    }

    #[test]
    fn the_known_answer_stands_beside_what_was_found() {
        let probe = ProbeDetection {
            comparison: ComparisonIx(1),
            model: ModelIx(1),
            layer: LayerIx(0),
            b: Estimate::new(0.9, 0.8, 0.95),
            adjusted: 0.01,
        };
        let recovered =
            Recovered { planted: 3, beyond_chance: 2, found: 1, told_by_probes: 3, probes: vec![probe], ..Recovered::default() };
        let text = Fixture::new().text(|source| Some(KnownTruth::filled(source, &truth(), Some(&recovered))));
        for sentence in [
            "Of 3 ranked comparisons of drawn attributes: 2 above chance in a view (corrected for all cells tested together), 1 separated, 3 detected by a probe.",
            "Findings that the truth contradicts: 0.",
            "even or odd even detected by a probe only",
            "0.900 (0.800–0.950) blocks 0.970",
            "12.5 % 50.0 % image bold",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
    }
}
