//! `visavis export STUDY --what nuisances`: how much of each nuisance views and features hold, and what of shown scores remains while it is
//! held.

use super::table::ExportTable;
use crate::study::{StudyNames, StudyOutcome};
use visavis_core::domain::{
    Fault, Result,
    ledger::CellId,
    nuisance::{AdjustedScores, AdjustingDoubt},
    projection::View,
    score::Estimate,
};

/// What is measured of a view and a nuisance: `explained` (R² on the evaluation half), `explained_selection`, `gradient`; of shown figures
/// `plain`, `adjusted`, `lost` and `alone`.
struct NuisanceExportRow {
    /// Model, layer, projection, view, comparison, nuisance, measure.
    names: [Option<String>; 7],
    estimate: Estimate,
    /// Images in which the nuisance is defined.
    images: usize,
    doubt: Option<&'static str>,
    key: String,
}

/// One row a view, nuisance and measure that is defined.
pub(super) fn nuisances(outcome: &StudyOutcome) -> Result<ExportTable> {
    let (study, results) = (&outcome.plan.study, &outcome.results);
    if study.nuisances_looked_for().is_empty() {
        return Err(Fault::asked("the study looks for no nuisances").next("such as `nuisances: [background, pose]` in its file"));
    }
    let names = results.names();
    let mut rows = Vec::new();
    for of in results.nuisances()? {
        for view in &of.scores.views {
            for (asked, score) in of.scores.nuisances.iter().zip(&view.scores) {
                let measures = [("explained", score.b), ("explained_selection", score.a), ("gradient", score.monotone)];
                rows.extend(measures.into_iter().filter_map(|(measure, estimate)| {
                    Some(NuisanceExportRow {
                        names: [
                            Some(names.model(of.model).to_owned()),
                            Some(names.layer(of.model, of.layer)),
                            of.projection.map(|projection| names.projection(projection).to_owned()),
                            (view.view != View::Features).then(|| view.view.to_string()),
                            None,
                            Some(asked.nuisance.word().to_owned()),
                            Some(measure.to_owned()),
                        ],
                        estimate: estimate?,
                        images: asked.partly,
                        doubt: None,
                        key: of.key.to_string(),
                    })
                }));
            }
        }
    }
    for (cell, _) in &outcome.shown {
        if let Some(found) = results.adjusted(cell)? {
            rows.extend(held(&names, cell, &found.value, &found.key.to_string()));
        }
    }
    Ok(table(&rows))
}

fn held(names: &StudyNames, cell: &CellId, found: &AdjustedScores, key: &str) -> Vec<NuisanceExportRow> {
    let mut rows = Vec::new();
    for of in &found.held {
        let measures = [("plain", of.plain), ("adjusted", of.adjusted), ("lost", of.lost), ("alone", of.alone)];
        rows.extend(measures.into_iter().filter_map(|(measure, estimate)| {
            Some(NuisanceExportRow {
                names: [
                    Some(names.model(cell.model).to_owned()),
                    Some(names.layer(cell.model, cell.layer)),
                    Some(names.projection(cell.projection).to_owned()),
                    Some(cell.view.to_string()),
                    Some(names.comparison(cell.comparison).to_owned()),
                    Some(of.nuisance.word().to_owned()),
                    Some(measure.to_owned()),
                ],
                estimate: estimate?,
                images: of.images,
                doubt: of.doubt.map(AdjustingDoubt::phrase),
                key: key.to_owned(),
            })
        }));
    }
    rows
}

fn table(rows: &[NuisanceExportRow]) -> ExportTable {
    let mut table = ExportTable::default();
    for (column, name) in ["model", "layer", "projection", "view", "comparison", "nuisance", "measure"].into_iter().enumerate() {
        table.text(name, rows.iter().map(|row| row.names[column].clone()));
    }
    table.number("value", rows.iter().map(|row| Some(row.estimate.value)));
    table.number("low", rows.iter().map(|row| row.estimate.low()));
    table.number("high", rows.iter().map(|row| row.estimate.high()));
    table.whole("images", rows.iter().map(|row| Some(row.images)));
    table.text("doubt", rows.iter().map(|row| row.doubt.map(str::to_owned)));
    table.text("key", rows.iter().map(|row| Some(row.key.clone())));
    table
}
