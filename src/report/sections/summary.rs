//! What was found, in a few sentences with numbers.

use super::{
    Contrasts, PairVerdict, Section, Training,
    overview::{OverviewRow, best_probe},
};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims, SpreadClaims},
        phrase::{Phrase, names},
        source::ReportSource,
        words::{list, list_of_some},
    },
    study::{People, ScoreOf, StudyOutcome},
};
use serde::Serialize;
use visavis_core::domain::{
    claim::NumberForm,
    index::{ComparisonIx, ModelIx},
    ledger::LedgerRow,
    simultaneous::ViewBesideFeatures,
};

/// Models that a sentence names before it says that there are others.
const MOST_NAMES: usize = 6;
/// Pairs of sides that the summary names.
const MOST_PAIRS: usize = 3;

#[derive(Serialize)]
pub(crate) struct Summary {
    /// Nobody said who is on the pictures.
    identities_unknown: bool,
    /// No view separates, so no figure was picked.
    none_separated: bool,
    threshold: ClaimId,
    /// How many cells are tested together.
    family: ClaimId,
    /// What is compared: models, and comparisons that are ranked.
    chart: Vec<OverviewRow>,
    /// Comparisons that some model separates.
    separated: Vec<FoundIn>,
    /// Those that none does, and that some model is above chance at.
    above_chance: Vec<FoundIn>,
    /// Comparisons on which no chosen view is above chance.
    not_above_chance: Option<Phrase>,
    /// Of these the ones that a linear probe of some features is better than chance at.
    only_by_probes: Option<Phrase>,
    /// Comparisons whose best probe is of features that were not trained.
    untrained: Vec<Untrained>,
    /// Comparisons of which some chosen view hides what its features contain, greatest loss first.
    lost: Option<Phrase>,
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

/// Comparisons, and the models that they were found in.
#[derive(Serialize)]
struct FoundIn {
    comparisons: Phrase,
    models: Phrase,
}

#[derive(Serialize)]
struct Untrained {
    comparison: String,
    model: String,
}

/// The models that recognise people best: that with the highest AUC, and those whose interval reaches into its own.
#[derive(Serialize)]
pub(crate) struct BestVerification {
    pub best: VerifiedModel,
    pub too_close: Vec<VerifiedModel>,
}

#[derive(Serialize)]
pub(crate) struct VerifiedModel {
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
        let tests = source.simultaneous_output("simultaneous tests".to_owned());
        let detectable = |field: &str, what: &str, of| source.claims.spread(&tests, &format!("/detectable/{field}"), what, of);
        let is_found = |comparison: ComparisonIx, is: IsFound| outcome.chosen_on(comparison).any(|(_, row)| is(outcome, row));
        let asked = || study.comparisons.keys().filter(|&comparison| outcome.chosen_on(comparison).next().is_some());
        let (separated, others): (Vec<ComparisonIx>, Vec<ComparisonIx>) =
            asked().partition(|&comparison| is_found(comparison, SEPARATES));
        let (above_chance, none): (Vec<ComparisonIx>, Vec<ComparisonIx>) =
            others.into_iter().partition(|&comparison| is_found(comparison, TELLS));
        let by_probes: Vec<ComparisonIx> = none.iter().copied().filter(|&comparison| probe_tells(source, comparison)).collect();
        let listed = |of: &[ComparisonIx]| {
            let names: Vec<Phrase> = of.iter().map(|comparison| Phrase::name(&study.comparisons[*comparison].name)).collect();
            (!names.is_empty()).then(|| list(&names))
        };
        Summary {
            identities_unknown: outcome.plan.people == People::Unknown,
            none_separated: separated.is_empty(),
            threshold: source.threshold(),
            family: source.chosen_cells(),
            chart: OverviewRow::all(source),
            separated: found_in(source, &separated, SEPARATES),
            above_chance: found_in(source, &above_chance, TELLS),
            not_above_chance: listed(&none),
            only_by_probes: listed(&by_probes),
            untrained: untrained(source),
            lost: lost(source),
            best_verification: training.and_then(Training::best),
            pairs: contrasts.map(|of| of.verdicts(MOST_PAIRS)).unwrap_or_default(),
            contrasts: contrasts.map(|of| Attribution {
                some_are_left_out: of.pairs() > MOST_PAIRS,
                some_are_of_models_only: outcome.held.iter().any(|held| !held.names_factor(study)),
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

/// What a chosen view must be, to be named.
type IsFound = fn(&StudyOutcome, &LedgerRow) -> bool;
const SEPARATES: IsFound = |outcome, row| outcome.separates(row);
const TELLS: IsFound = |outcome, row| outcome.tells(row);

/// Comparisons by the models whose chosen view is so; those of the same models together.
fn found_in(source: &ReportSource, of: &[ComparisonIx], is: IsFound) -> Vec<FoundIn> {
    let mut found: Vec<(Phrase, Vec<String>)> = Vec::new();
    for &comparison in of {
        let (models, asked) = (models_found(source, comparison, is), source.outcome.chosen_on(comparison).count());
        let is_every = models.len() == asked && asked > 1;
        let models = if is_every { Phrase::words("every model") } else { list_of_some(&names(&models), MOST_NAMES) };
        let models = models + unseen_by(source, comparison, is);
        let name = source.study().comparisons[comparison].name.clone();
        match found.iter_mut().find(|(known, _)| *known == models) {
            Some((_, comparisons)) => comparisons.push(name),
            None => found.push((models, vec![name])),
        }
    }
    found.into_iter().map(|(models, comparisons)| FoundIn { comparisons: list(&names(&comparisons)), models }).collect()
}

/// Is the best linear probe of any features better than chance, by the 95 % interval of its AUC on the evaluation half?
fn probe_tells(source: &ReportSource, comparison: ComparisonIx) -> bool {
    let probe = best_probe(source, comparison).and_then(|(model, layer)| {
        let found = source.outcome.scores.get(&ScoreOf { model, layer, projection: None, comparison })?;
        found.probe.as_ref()?.b?.low()
    });
    probe.is_some_and(|low| low > 0.5)
}

/// ` (not visible to a and b)`: those of the models that are named whose crop lacks what is asked.
fn unseen_by(source: &ReportSource, comparison: ComparisonIx, is: IsFound) -> Phrase {
    let outcome = source.outcome;
    let unseen = outcome
        .chosen_on(comparison)
        .filter(|(_, row)| is(outcome, row) && outcome.visibility.mark(row.candidate.cell.model, comparison).is_some());
    let models: Vec<String> = unseen.map(|(_, row)| source.model(&row.candidate.cell)).collect();
    if models.is_empty() {
        return Phrase::default();
    }
    Phrase::words(" (not visible to ") + list_of_some(&names(&models), MOST_NAMES) + ")"
}

/// Models whose chosen view is above chance on a comparison.
pub(crate) fn models_above_chance(source: &ReportSource, comparison: ComparisonIx) -> Vec<String> {
    models_found(source, comparison, TELLS)
}

fn models_found(source: &ReportSource, comparison: ComparisonIx, is: IsFound) -> Vec<String> {
    let rows = source.outcome.chosen_on(comparison).filter(|(_, row)| is(source.outcome, row));
    rows.map(|(_, row)| source.model(&row.candidate.cell)).collect()
}

/// Comparisons whose best probe on the selection half is of features that were not trained, where others were.
fn untrained(source: &ReportSource) -> Vec<Untrained> {
    let study = source.study();
    let is_untrained = |model: ModelIx| study.models[model].source.learned_nothing();
    if study.models.keys().all(is_untrained) {
        return vec![];
    }
    let best = |comparison: ComparisonIx| best_probe(source, comparison).map(|(model, _)| model);
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
fn lost(source: &ReportSource) -> Option<Phrase> {
    let mut found: Vec<&ViewBesideFeatures> = source.outcome.grid.beside.iter().filter(|of| of.word() == "lost").collect();
    found.sort_by(|one, other| one.kept.value.total_cmp(&other.kept.value));
    let mut lost: Vec<&str> = Vec::new();
    for of in found {
        let name = source.study().comparisons[of.comparison].name.as_str();
        if !lost.contains(&name) {
            lost.push(name);
        }
    }
    (!lost.is_empty()).then(|| list(&names(lost)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_summary_says_what_separates_where_and_how_sure_that_is() {
        let text = Fixture::new().text(|source| Some(Summary::of(source, None, Contrasts::of(source).as_ref())));
        for sentence in [
            "Separated: zero or one by pixels.",
            "No chosen map or axis of any model shows even or odd.",
            "By the chosen views, compared with pixels, blocks is lower on zero or one (Model against model).",
            "zero or one ● 0.900 (0.850–0.950) pixels, embedding, pca axis 1",
            "Pictures show less than features contain (lost), in some model, of zero or one (by model under Findings).",
            "Figures picked by the rule: 1 of 4 ranked cells; the study has 4 cells",
            "it does not say that loss, architecture or training set is the cause.",
            "on the half on which views were chosen, scores are +0.050 off on average",
        ] {
            assert!(text.contains(sentence), "{sentence}\n{text}");
        }
        assert!(!text.contains("Identities are not known"));
    }

    #[test]
    fn without_a_figure_the_summary_says_why() {
        let mut fixture = Fixture::new();
        fixture.ledger.picked = 0;
        fixture.ledger.rows.iter_mut().for_each(|row| row.low = Some(0.5));
        let text = fixture.text(|source| Some(Summary::of(source, None, Contrasts::of(source).as_ref())));
        assert!(
            text.contains("Nothing is separated, and no figure is picked. No lower bound on the evaluation half, corrected for all 4 cells, reaches 0.700"),
            "{text}"
        );
    }
}
