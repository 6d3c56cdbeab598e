//! `visavis export STUDY --what contrasts`: models compared with each other.

use super::table::ExportTable;
use crate::study::{OnSharedCrop, StudyOutcome};
use visavis_core::domain::{
    Key,
    contrast::ContrastSides,
    score::Estimate,
    simultaneous::{Difference, DifferenceVerdict},
};

/// A comparison of a pair of sides, on their own crops or on a shared one.
struct ContrastRow<'a> {
    held: &'a ContrastSides,
    of: &'a Difference,
    verdict: DifferenceVerdict,
    is_shared: bool,
    key: Key,
}

/// One row a pair of sides and comparison; then those of contrasts whose crops differ, on a shared crop.
pub(crate) fn contrasts(outcome: &StudyOutcome) -> ExportTable {
    let (study, names) = (&outcome.plan.study, outcome.names());
    let row = |(held, of, verdict): (usize, _, _), is_shared: bool, key: Key| ContrastRow {
        held: &outcome.held[held],
        of,
        verdict,
        is_shared,
        key,
    };
    let own = outcome.grid.differences.iter().zip(&outcome.verdicts).map(|(of, verdict)| (of.held, of, *verdict));
    let mut rows: Vec<ContrastRow> = own.map(|of| row(of, false, outcome.gridded)).collect();
    if let Some(tests) = &outcome.shared_crops.tests {
        rows.extend(outcome.shared_crops.all().map(|of| row(of, true, tests.key)));
    }
    let mut table = ExportTable::default();
    let mut text = |name: &str, value: &dyn Fn(&ContrastSides) -> String| {
        table.text(name, rows.iter().map(|row| Some(value(row.held))));
    };
    text("contrast", &|held| study.contrasts[held.contrast].name().to_owned());
    text("left", &|held| names.side(&held.left).to_owned());
    text("right", &|held| names.side(&held.right).to_owned());
    text("differs", &|held| held.differences(study).join(" "));
    text("said_of", &|held| if held.names_factor(study) { "factor" } else { "checkpoints" }.to_owned());
    table.whole("trainings", rows.iter().map(|row| Some(row.held.left.len().min(row.held.right.len()))));
    table.text("comparison", rows.iter().map(|row| Some(names.comparison(row.of.comparison).to_owned())));
    let mut number =
        |name: &str, value: &dyn Fn(&Difference) -> Option<f64>| table.number(name, rows.iter().map(|row| value(row.of)));
    number("left_value", &|of| Some(of.left));
    number("right_value", &|of| Some(of.right));
    number("difference", &|of| Some(of.difference.value));
    number("low", &|of| of.difference.low());
    number("high", &|of| of.difference.high());
    number("p", &|of| Some(of.p));
    number("q", &|of| Some(of.q));
    let beyond = |pick: fn(Estimate) -> Option<f64>| move |of: &Difference| of.beyond.and_then(pick);
    number("beyond", &beyond(|of| Some(of.value)));
    number("beyond_low", &beyond(Estimate::low));
    number("beyond_high", &beyond(Estimate::high));
    table.flag("shown", rows.iter().map(|row| row.of.is_shown()));
    table.text("verdict", rows.iter().map(|row| Some(row.verdict.word().to_owned())));
    table.text("key", rows.iter().map(|row| Some(row.key.to_string())));
    let crop = |row: &ContrastRow| match OnSharedCrop::of(row.held, study) {
        OnSharedCrop::Scored { shared, .. } if row.is_shared => format!("shared: {shared}"),
        _ => "own".to_owned(),
    };
    table.text("crop", rows.iter().map(|row| Some(crop(row))));
    table.text("crops", rows.iter().map(|row| OnSharedCrop::of(row.held, study).phrase()));
    table
}
