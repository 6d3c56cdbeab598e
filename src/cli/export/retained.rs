//! `visavis export STUDY --what retained`: what models still know of altered pictures.

use super::table::ExportTable;
use crate::study::{Plan, StudyResults};
use visavis_core::domain::{
    Fault, Result,
    alteration::Alteration,
    retained::{AlteredAnswer, NothingToRetain},
    score::Estimate,
};

struct RetainedExportRow {
    /// Model, layer, comparison, key.
    names: [String; 4],
    alteration: Alteration,
    auc: Option<Estimate>,
    nothing: Option<NothingToRetain>,
    altered: AlteredAnswer,
}

/// One row a model, layer, comparison and alteration.
pub(super) fn retained(plan: &Plan) -> Result<ExportTable> {
    if plan.study.alterations.is_empty() {
        return Err(
            Fault::asked("the study alters no pictures").next("such as `alterations: [grey, patch_shuffled]` in its file")
        );
    }
    let results = StudyResults::of(plan);
    let names = results.names();
    let mut rows = Vec::new();
    for of in results.retained()? {
        let signal = &of.retained.value;
        for (answer, comparison) in signal.answers.iter().zip(&of.comparisons) {
            for (altered, alteration) in answer.altered.iter().zip(&signal.alterations) {
                rows.push(RetainedExportRow {
                    names: [
                        names.model(of.model).to_owned(),
                        names.layer(of.model, of.layer),
                        names.comparison(*comparison).to_owned(),
                        of.retained.key.to_string(),
                    ],
                    alteration: *alteration,
                    auc: answer.auc,
                    nothing: answer.nothing,
                    altered: *altered,
                });
            }
        }
    }
    let mut table = ExportTable::default();
    for (column, name) in ["model", "layer", "comparison"].into_iter().enumerate() {
        table.text(name, rows.iter().map(|row| Some(row.names[column].clone())));
    }
    table.text("alteration", rows.iter().map(|row| Some(row.alteration.word().to_owned())));
    type RowEstimate = fn(&RetainedExportRow) -> Option<Estimate>;
    let estimates: [(&str, RowEstimate); 4] = [
        ("auc", |row| row.auc),
        ("altered_auc", |row| row.altered.auc),
        ("retained", |row| row.altered.retained),
        ("beyond_control", |row| row.altered.beyond_control),
    ];
    for (name, of) in estimates {
        table.number(name, rows.iter().map(|row| Some(of(row)?.value)));
        table.number(&format!("{name}_low"), rows.iter().map(|row| of(row)?.low()));
        table.number(&format!("{name}_high"), rows.iter().map(|row| of(row)?.high()));
    }
    table.text("nothing_to_retain", rows.iter().map(|row| Some(row.nothing?.phrase().to_owned())));
    table.text("key", rows.iter().map(|row| Some(row.names[3].clone())));
    Ok(table)
}
