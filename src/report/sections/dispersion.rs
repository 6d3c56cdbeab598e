//! Measures over all groups at once, of one model's probe on one comparison.

use super::{fairness::is_by_definition, group_rates::QuestionPart};
use crate::report::{
    claims::ClaimId,
    phrase::{Phrase, names},
    words::{list, list_of_words},
};
use serde::Serialize;
use std::collections::BTreeSet;
use visavis_core::domain::{
    claim::NumberForm,
    dispersion::{Dispersion, GroupDispersion},
};

#[derive(Serialize)]
pub(crate) struct DispersionTable {
    measures: Vec<&'static str>,
    rows: Vec<DispersionRow>,
}

#[derive(Serialize)]
struct DispersionRow {
    attributes: Phrase,
    cells: Vec<DispersionCell>,
}

/// A value with the number of groups that carry it, or why there is none.
#[derive(Serialize)]
struct DispersionCell {
    value: Option<ClaimId>,
    groups: Option<ClaimId>,
    undefined: Option<&'static str>,
}

impl DispersionTable {
    /// One row a set of attributes; none of those that the question is about: their groups are in one class by definition. `None`
    /// without rows, as of results of an earlier version.
    pub(crate) fn of(part: &QuestionPart, asked: &BTreeSet<&str>) -> Option<Self> {
        let is_by_definition =
            |of: &GroupDispersion| of.groups.first().is_some_and(|at| is_by_definition(&part.groups[*at], asked));
        let all = part.question.dispersion.iter().enumerate().filter(|(_, of)| !is_by_definition(of));
        let rows: Vec<DispersionRow> = all.map(|(at, of)| DispersionRow::of(part, at, of)).collect();
        let measures = part.question.dispersion.first()?.measures().map(|(_, name, _)| name).to_vec();
        (!rows.is_empty()).then_some(DispersionTable { measures, rows })
    }
}

impl DispersionRow {
    fn of(part: &QuestionPart, at: usize, of: &GroupDispersion) -> Self {
        let output = part.output_named(&list_of_words(&of.attributes.iter().map(String::as_str).collect::<Vec<_>>()));
        let cell = |(field, name, of): (&str, &str, Dispersion)| match of {
            Dispersion::Undefined(why) => DispersionCell { value: None, groups: None, undefined: Some(why.reason()) },
            Dispersion::Defined { value, groups } => {
                let pointer = |end: &str| format!("/asked/{}/dispersion/{at}/{field}/defined/{end}", part.place);
                let value = part.source.claims.enter(&output, &pointer("value"), name, NumberForm::Score, value);
                let groups = part.source.claims.count(&output, &pointer("groups"), &format!("{name}: groups"), groups);
                DispersionCell { value: Some(value), groups: Some(groups), undefined: None }
            }
        };
        DispersionRow { cells: of.measures().map(cell).into(), attributes: list(&names(&of.attributes)) }
    }
}
