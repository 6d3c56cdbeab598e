//! Every model's probe beside the baseline's, group by group.

use super::{fairness::group_phrase, group_rates::output_of_group};
use crate::{
    report::{claims::EstimateClaims, phrase::Phrase, source::ReportSource},
    study::ModelFairness,
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{claim::NumberForm, contrast, fairness::BesideBaseline, index::ComparisonIx, simultaneous::DISCOVERY};

/// Models are columns.
#[derive(Serialize)]
pub(crate) struct BaselineTable {
    baseline: String,
    models: Vec<String>,
    rows: Vec<BaselineRow>,
}

#[derive(Serialize)]
struct BaselineRow {
    group: Phrase,
    /// By model; `None` where too few images were asked of both.
    cells: Vec<Option<BaselineCell>>,
}

#[derive(Serialize)]
struct BaselineCell {
    difference: EstimateClaims,
    is_discovery: bool,
}

impl BaselineTable {
    /// `None` where the study has no baseline, or nothing was compared with it.
    pub(crate) fn of(source: &ReportSource, all: &[ModelFairness], comparison: ComparisonIx) -> Option<Self> {
        let baseline = contrast::baseline(source.study())?;
        let beside = |of: &ModelFairness| -> Vec<BesideBaseline> {
            of.question(comparison).map_or(vec![], |(_, question)| question.beside_baseline.clone())
        };
        let compared: Vec<&ModelFairness> = all.iter().filter(|of| !beside(of).is_empty()).collect();
        let groups: BTreeSet<usize> = compared.iter().flat_map(|of| beside(of)).map(|of| of.group).collect();
        let groups_of = &compared.first()?.fairness.groups;
        let row = |group: usize| BaselineRow {
            group: group_phrase(source.study(), &groups_of[group]),
            cells: compared.iter().map(|of| BaselineCell::of(source, of, comparison, group)).collect(),
        };
        Some(BaselineTable {
            baseline: source.names().model(baseline).to_owned(),
            models: compared.iter().map(|of| source.names().model(of.model).to_owned()).collect(),
            rows: groups.into_iter().map(row).collect(),
        })
    }
}

impl BaselineCell {
    fn of(source: &ReportSource, of: &ModelFairness, comparison: ComparisonIx, group: usize) -> Option<Self> {
        let (place, question) = of.question(comparison)?;
        let (at, found) = question.beside_baseline.iter().enumerate().find(|(_, found)| found.group == group)?;
        let pointer = format!("/asked/{place}/beside_baseline/{at}/auc");
        let output = output_of_group(source, of, group);
        Some(BaselineCell {
            difference: source.claims.estimate(&output, &pointer, "auc less the baseline’s", NumberForm::Difference, found.auc),
            is_discovery: found.q.is_some_and(|q| q <= DISCOVERY),
        })
    }
}
