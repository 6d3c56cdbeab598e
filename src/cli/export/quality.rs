//! `visavis export STUDY --what quality`: how well views agree with their features.

use super::table::ExportTable;
use crate::study::StudyResults;
use visavis_core::domain::{
    Result,
    score::{Spread, ViewQuality},
};

struct QualityExportRow {
    /// Model, layer, projection, view, key.
    names: [String; 5],
    asked: usize,
    seeds: usize,
    view: ViewQuality,
    explained: Option<f64>,
    kl: Option<f64>,
}

type QualityMeasure = fn(&ViewQuality) -> Option<Spread>;

const MEASURES: [(&str, QualityMeasure); 5] = [
    ("trustworthiness", |view| view.trustworthiness),
    ("continuity", |view| view.continuity),
    ("recall", |view| view.recall),
    ("distances", |view| view.distances),
    ("stability", |view| view.stability),
];

/// One row a view; medians over seeds, with their ranges.
pub(crate) fn quality(results: &StudyResults) -> Result<ExportTable> {
    let names = results.names();
    let mut rows = Vec::new();
    for of in results.quality()? {
        for view in &of.quality.views {
            rows.push(QualityExportRow {
                names: [
                    names.model(of.model).to_owned(),
                    names.layer(of.model, of.layer),
                    names.projection(of.projection).to_owned(),
                    view.view.to_string(),
                    of.key.to_string(),
                ],
                asked: of.quality.asked,
                seeds: of.quality.seeds,
                explained: of.explained(view.view),
                kl: of.fact("kl").first().copied(),
                view: view.clone(),
            });
        }
    }
    let mut table = ExportTable::default();
    let mut text = |column: usize, name: &str| table.text(name, rows.iter().map(|row| Some(row.names[column].clone())));
    ["model", "layer", "projection", "view"].into_iter().enumerate().for_each(|(column, name)| text(column, name));
    for (name, measure) in MEASURES {
        table.number(name, rows.iter().map(|row| Some(measure(&row.view)?.median)));
        table.number(&format!("{name}_low"), rows.iter().map(|row| Some(measure(&row.view)?.low)));
        table.number(&format!("{name}_high"), rows.iter().map(|row| Some(measure(&row.view)?.high)));
    }
    table.number("explained", rows.iter().map(|row| row.explained));
    table.number("kl", rows.iter().map(|row| row.kl));
    table.whole("asked", rows.iter().map(|row| Some(row.asked)));
    table.whole("seeds", rows.iter().map(|row| Some(row.seeds)));
    table.text("key", rows.iter().map(|row| Some(row.names[4].clone())));
    Ok(table)
}
