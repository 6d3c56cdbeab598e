//! `visavis export STUDY --what contrasts`: models compared with each other.

use super::table::ExportTable;
use crate::study::StudyOutcome;
use visavis_core::domain::{contrast::ContrastSides, score::Estimate, simultaneous::Difference};

/// One row a pair of sides and comparison.
pub(crate) fn contrasts(outcome: &StudyOutcome) -> ExportTable {
    let (study, names) = (&outcome.plan.study, outcome.names());
    let rows: Vec<(&ContrastSides, &Difference)> =
        outcome.grid.differences.iter().map(|of| (&outcome.held[of.held], of)).collect();
    let mut table = ExportTable::default();
    let mut text =
        |name: &str, value: &dyn Fn(&ContrastSides) -> String| table.text(name, rows.iter().map(|(held, _)| Some(value(held))));
    text("contrast", &|held| study.contrasts[held.contrast].name().to_owned());
    text("left", &|held| names.side(&held.left).to_owned());
    text("right", &|held| names.side(&held.right).to_owned());
    text("differs", &|held| held.differences(study).join(" "));
    text("said_of", &|held| if held.names_factor() { "factor" } else { "checkpoints" }.to_owned());
    table.whole("trainings", rows.iter().map(|(held, _)| Some(held.left.len().min(held.right.len()))));
    table.text("comparison", rows.iter().map(|(_, of)| Some(names.comparison(of.comparison).to_owned())));
    let mut number =
        |name: &str, value: &dyn Fn(&Difference) -> Option<f64>| table.number(name, rows.iter().map(|(_, of)| value(of)));
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
    table.flag("shown", rows.iter().map(|(_, of)| of.is_shown()));
    table.text("verdict", outcome.verdicts.iter().map(|verdict| Some(verdict.word().to_owned())));
    table.text("key", rows.iter().map(|_| Some(outcome.gridded.to_string())));
    table
}
