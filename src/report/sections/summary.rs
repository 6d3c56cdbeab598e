//! What was found, in a few sentences with numbers.

use super::{Contrasts, PairVerdict, Section, Training};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, SpreadClaims},
        phrase::{Phrase, names},
        source::ReportSource,
        words::{list, list_of_some},
    },
    study::People,
};
use serde::Serialize;
use visavis_core::domain::{
    claim::NumberForm,
    index::{ComparisonIx, ModelIx},
    ledger::ModelStanding,
    simultaneous::ViewBesideFeatures,
};

/// Models that a sentence names before it says that there are others.
const MOST_NAMES: usize = 6;
/// Pairs of sides that the summary names.
const MOST_PAIRS: usize = 4;

#[derive(Serialize)]
pub(crate) struct Summary {
    /// Nobody said who is on the pictures.
    identities_unknown: bool,
    /// No view separates, so no figure was picked.
    none_picked: bool,
    threshold: ClaimId,
    /// How many cells are tested together.
    family: ClaimId,
    /// Models that separate something, most comparisons first.
    separating: Vec<Separating>,
    /// Models in which no comparison separates.
    no_separation: Option<Phrase>,
    above_chance: Vec<AboveChance>,
    /// Comparisons on which no chosen view is above chance.
    not_above_chance: Option<Phrase>,
    /// Comparisons whose best probe is of features that were not trained.
    untrained: Vec<Untrained>,
    /// What chosen views hide of their features, greatest loss first.
    lost: Vec<Lost>,
    best_verification: Option<BestVerification>,
    /// The first pairs of sides, with the verdict on each.
    pairs: Vec<PairVerdict>,
    /// May a difference be attributed to a factor? Nothing where no models are compared.
    contrasts: Option<Attribution>,
    picked: ClaimId,
    ranked: ClaimId,
    cells: ClaimId,
    optimism: Option<ClaimId>,
    smallest_auc: Option<SpreadClaims>,
    smallest_difference: Option<SpreadClaims>,
    /// Notes and warnings about the data.
    remarks: Vec<String>,
    /// The name of the page's file.
    file: Phrase,
}

#[derive(Serialize)]
struct Separating {
    model: String,
    separates: ClaimId,
    compared: ClaimId,
    comparisons: Phrase,
}

#[derive(Serialize)]
struct AboveChance {
    comparisons: Phrase,
    models: Phrase,
}

#[derive(Serialize)]
struct Untrained {
    comparison: String,
    model: String,
}

#[derive(Serialize)]
struct Lost {
    comparison: String,
    models: Phrase,
}

#[derive(Serialize)]
pub(crate) struct BestVerification {
    pub model: String,
    pub auc: EstimateClaims,
}

#[derive(Serialize)]
struct Attribution {
    /// There are more pairs than the summary names.
    some_are_left_out: bool,
    /// Some contrast has fewer than three trainings on a side.
    some_are_of_models_only: bool,
}

impl Section for Summary {
    const ANCHOR: &'static str = "summary";
    const TITLE: &'static str = "Summary";
    const TEMPLATE: &'static str = "summary.html";
}

impl Summary {
    pub(crate) fn of(source: &ReportSource, training: Option<&Training>, contrasts: Option<&Contrasts>) -> Self {
        let (outcome, study) = (source.outcome, source.study());
        let (ledger, output) = (&outcome.ledger, source.ledger_output());
        let count = |pointer: &str, what: &str, value| source.claims.count(&output, pointer, what, value);
        let mut standings: Vec<(usize, &ModelStanding)> = ledger.standings.iter().enumerate().collect();
        standings.sort_by_key(|(_, of)| std::cmp::Reverse(of.separates));
        let (some, none): (Vec<_>, Vec<_>) = standings.into_iter().partition(|(_, of)| of.separates > 0);
        let separating = |(place, of): (usize, &ModelStanding)| {
            let rows = outcome.chosen_of(of.model).filter(|(_, row)| outcome.separates(row));
            let comparisons: Vec<Phrase> = rows.map(|(_, row)| source.marked_comparison(&row.candidate.cell)).collect();
            Separating {
                model: study.models[of.model].name.clone(),
                separates: source.comparisons_separated(place),
                compared: count(&format!("/standings/{place}/compared"), "comparisons ranked", of.compared),
                comparisons: list(&comparisons),
            }
        };
        let none: Vec<&str> = none.iter().map(|(_, of)| study.models[of.model].name.as_str()).collect();
        let (above_chance, not_above_chance) = above_chance(source);
        let tests = source.simultaneous_output("simultaneous tests".to_owned());
        let detectable = |field: &str, what: &str, of| source.claims.spread(&tests, &format!("/detectable/{field}"), what, of);
        Summary {
            identities_unknown: outcome.plan.people == People::Unknown,
            none_picked: ledger.picked == 0,
            threshold: source.threshold(),
            family: source.chosen_cells(),
            separating: some.into_iter().map(separating).collect(),
            no_separation: (!none.is_empty()).then(|| list(&names(&none))),
            above_chance,
            not_above_chance: (!not_above_chance.is_empty()).then(|| list(&names(&not_above_chance))),
            untrained: untrained(source),
            lost: lost(source),
            best_verification: training.and_then(Training::best),
            pairs: contrasts.map(|of| of.verdicts(MOST_PAIRS)).unwrap_or_default(),
            contrasts: contrasts.map(|of| Attribution {
                some_are_left_out: of.pairs() > MOST_PAIRS,
                some_are_of_models_only: outcome.held.iter().any(|held| !held.names_factor()),
            }),
            picked: count("/picked", "figures picked", ledger.picked),
            ranked: source.ranked_cells(),
            cells: count("/cells", "cells", ledger.cells),
            optimism: ledger.optimism.map(|value| {
                let what = "mean of selection half less evaluation half over chosen views";
                source.claims.enter(&output, "/optimism", what, NumberForm::Difference, value)
            }),
            smallest_auc: outcome.grid.detectable.auc.map(|of| detectable("auc", "AUC that is above chance", of)),
            smallest_difference: outcome
                .grid
                .detectable
                .difference
                .map(|of| detectable("difference", "difference that is detected", of)),
            remarks: outcome.plan.remarks.clone(),
            file: Phrase::name(&study.name) + ".html",
        }
    }
}

/// Comparisons by the models whose chosen view is above chance on them; and the comparisons without one.
fn above_chance(source: &ReportSource) -> (Vec<AboveChance>, Vec<String>) {
    let (mut some, mut none): (Vec<(Phrase, Vec<String>)>, Vec<String>) = (Vec::new(), Vec::new());
    for (place, comparison) in source.study().comparisons.iter_enumerated() {
        let asked = source.outcome.chosen_on(place).count();
        let models = models_above_chance(source, place);
        let name = comparison.name.clone();
        if asked > 0 && models.is_empty() {
            none.push(name);
        } else if asked > 0 {
            let is_every = models.len() == asked;
            let models = if is_every { Phrase::words("every model") } else { list_of_some(&names(&models), MOST_NAMES) };
            let models = models + unseen_by(source, place);
            match some.iter_mut().find(|(known, _)| *known == models) {
                Some((_, comparisons)) => comparisons.push(name),
                None => some.push((models, vec![name])),
            }
        }
    }
    let some = some.into_iter().map(|(models, comparisons)| AboveChance { comparisons: list(&names(&comparisons)), models });
    (some.collect(), none)
}

/// ` (not visible to a and b)`: those of the models above chance whose crop lacks what is asked.
fn unseen_by(source: &ReportSource, comparison: ComparisonIx) -> Phrase {
    let outcome = source.outcome;
    let unseen = outcome
        .chosen_on(comparison)
        .filter(|(_, row)| outcome.tells(row) && outcome.visibility.mark(row.candidate.cell.model, comparison).is_some());
    let models: Vec<String> = unseen.map(|(_, row)| source.model(&row.candidate.cell)).collect();
    if models.is_empty() {
        return Phrase::default();
    }
    Phrase::words(" (not visible to ") + list_of_some(&names(&models), MOST_NAMES) + ")"
}

/// Models whose chosen view is above chance on a comparison.
pub(crate) fn models_above_chance(source: &ReportSource, comparison: ComparisonIx) -> Vec<String> {
    let rows = source.outcome.chosen_on(comparison).filter(|(_, row)| source.outcome.tells(row));
    rows.map(|(_, row)| source.model(&row.candidate.cell)).collect()
}

/// Comparisons whose best probe on the selection half is of features that were not trained, where others were.
fn untrained(source: &ReportSource) -> Vec<Untrained> {
    let study = source.study();
    let is_untrained = |model: ModelIx| study.models[model].source.learned_nothing();
    if study.models.keys().all(is_untrained) {
        return vec![];
    }
    let best = |comparison: ComparisonIx| {
        let features = source.outcome.scores.iter().filter(|(of, _)| of.projection.is_none() && of.comparison == comparison);
        let probes = features.filter_map(|(of, scored)| Some((of.model, scored.probe.as_ref()?.a?.value)));
        probes.reduce(|best, other| if other.1 > best.1 { other } else { best }).map(|(model, _)| model)
    };
    study
        .comparisons
        .keys()
        .filter(|&comparison| source.outcome.chosen_on(comparison).next().is_some())
        .filter_map(|comparison| Some((comparison, best(comparison).filter(|model| is_untrained(*model))?)))
        .map(|(comparison, model)| Untrained {
            comparison: study.comparisons[comparison].name.clone(),
            model: study.models[model].name.clone(),
        })
        .collect()
}

/// Comparisons that a chosen view shows less of than its features contain, greatest loss first.
fn lost(source: &ReportSource) -> Vec<Lost> {
    let outcome = source.outcome;
    let mut found: Vec<&ViewBesideFeatures> = outcome.grid.beside.iter().filter(|of| of.word() == "lost").collect();
    found.sort_by(|one, other| one.kept.value.total_cmp(&other.kept.value));
    let mut lost: Vec<(ComparisonIx, Vec<String>)> = Vec::new();
    for of in found {
        let model = source.study().models[of.model].name.clone();
        match lost.iter_mut().find(|(comparison, _)| *comparison == of.comparison) {
            Some((_, models)) => models.push(model),
            None => lost.push((of.comparison, vec![model])),
        }
    }
    let named = lost.into_iter().map(|(comparison, models)| Lost {
        comparison: source.study().comparisons[comparison].name.clone(),
        models: list_of_some(&names(&models), MOST_NAMES),
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_summary_says_what_separates_where_and_how_sure_that_is() {
        let text = Fixture::new().text(|source| Some(Summary::of(source, None, Contrasts::of(source).as_ref())));
        for sentence in [
            "pixels separates 1 of 2 comparisons: zero or one.",
            "In blocks, no comparison separates.",
            "Above chance, corrected for all 4 cells, at 5 %: zero or one in every model.",
            "No chosen view is above chance on even or odd.",
            "Compared with pixels, blocks is lower on zero or one (Model against model).",
            "The chosen view shows less than the features contain (lost): zero or one in pixels (Findings).",
            "Figures picked by the rule: 1 of 4 ranked cells; the study has 4 cells",
            "a difference says nothing about its cause.",
            "on the half on which views were chosen, their mean score differs by +0.050",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
        assert!(!text.contains("Identities are not known"));
    }

    #[test]
    fn without_a_figure_the_summary_says_why() {
        let mut fixture = Fixture::new();
        fixture.ledger.picked = 0;
        let text = fixture.text(|source| Some(Summary::of(source, None, Contrasts::of(source).as_ref())));
        assert!(
            text.contains("No figure is picked. No lower bound on the evaluation half, corrected for all 4 cells, reaches 0.700"),
            "{text}"
        );
    }
}
