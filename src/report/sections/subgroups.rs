//! Groups in which a shown figure separates its classes better, or worse, than elsewhere.

use super::fairness::group_phrase;
use crate::report::{
    claims::{ClaimId, EstimateClaims, OutputSource},
    phrase::Phrase,
    source::ReportSource,
};
use serde::Serialize;
use visavis_core::domain::{Result, claim::NumberForm, ledger::CellId, score::Estimate, subgroups::SubgroupFinding};

#[derive(Serialize)]
pub(crate) struct FigureSubgroups {
    /// Groups that the selection half was searched for, and those with too few images.
    searched: ClaimId,
    too_few: ClaimId,
    has_too_few: bool,
    /// Those that the evaluation half confirms.
    confirmed: Vec<ConfirmedGroup>,
}

#[derive(Serialize)]
struct ConfirmedGroup {
    group: Phrase,
    /// `better` or `worse`.
    word: &'static str,
    inside: EstimateClaims,
    outside: EstimateClaims,
    difference: EstimateClaims,
    q: ClaimId,
}

impl FigureSubgroups {
    /// `None` where the study has no groups, the figure other than two classes, or the stage was not run.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn of_figure(source: &ReportSource, cell: &CellId) -> Result<Option<Self>> {
        let Some(found) = source.outcome.results.subgroups(cell)? else { return Ok(None) };
        let output = source.output(&found, source.cell(cell));
        let count = |name: &str, what: &str, n| source.claims.count(&output, &format!("/{name}"), what, n);
        let confirmed = found.value.found.iter().enumerate().filter(|(_, of)| of.is_confirmed());
        Ok(Some(FigureSubgroups {
            searched: count("searched", "groups searched", found.value.searched),
            too_few: count("too_few", "groups with too few images", found.value.too_few),
            has_too_few: found.value.too_few > 0,
            confirmed: confirmed.map(|(place, of)| ConfirmedGroup::of(source, &output, place, of)).collect(),
        }))
    }
}

impl ConfirmedGroup {
    fn of(source: &ReportSource, output: &OutputSource, place: usize, of: &SubgroupFinding) -> Self {
        let at = |field: &str| format!("/found/{place}/{field}");
        let estimate =
            |field: &str, what: &str, form: NumberForm, of: Estimate| source.claims.estimate(output, &at(field), what, form, of);
        ConfirmedGroup {
            group: group_phrase(source.study(), &of.members),
            word: if of.difference.value > 0.0 { "better" } else { "worse" },
            inside: estimate("inside", "AUC inside the group", NumberForm::Score, of.inside),
            outside: estimate("outside", "AUC outside the group", NumberForm::Score, of.outside),
            difference: estimate("difference", "inside less outside", NumberForm::Difference, of.difference),
            q: source.claims.enter(output, &at("q"), "false discovery rate", NumberForm::Score, of.q),
        }
    }
}
