//! The group in which each model's probe tells the classes worst, and how sure it is that it is this one.

use super::{
    fairness::group_phrase,
    group_rates::{output, output_of_group},
};
use crate::{
    report::{
        claims::{ClaimId, EstimateClaims},
        phrase::Phrase,
        source::ReportSource,
    },
    study::ModelFairness,
};
use serde::Serialize;
use visavis_core::domain::{claim::NumberForm, index::ComparisonIx};

#[derive(Serialize)]
pub(crate) struct WorstServedRow {
    model: String,
    group: Phrase,
    auc: EstimateClaims,
    /// In how many of the resamples it is the worst.
    share: ClaimId,
    /// How many groups were looked at.
    among: ClaimId,
}

impl WorstServedRow {
    /// `None` where fewer than two groups have enough images of both classes.
    pub(crate) fn of(source: &ReportSource, of: &ModelFairness, comparison: ComparisonIx) -> Option<Self> {
        let (place, question) = of.question(comparison)?;
        let worst = question.worst_served?;
        let (own, in_group) = (output(source, of), output_of_group(source, of, worst.group));
        let pointer = |field: &str| format!("/asked/{place}/worst_served/{field}");
        let auc = question.cells[worst.group].auc?;
        let at = format!("/asked/{place}/cells/{}/auc", worst.group);
        let what = "resamples in which this group is the worst served";
        Some(WorstServedRow {
            model: own.of.clone(),
            group: group_phrase(source.study(), &of.fairness.groups[worst.group]),
            auc: source.claims.estimate(&in_group, &at, "auc", NumberForm::Score, auc),
            share: source.claims.enter(&in_group, &pointer("share"), what, NumberForm::Percent, worst.share),
            among: source.claims.count(&own, &pointer("among"), "groups looked at for the worst served", worst.among),
        })
    }
}
