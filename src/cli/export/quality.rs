//! `visavis export STUDY --what quality`: how well views agree with their features.

use super::table::ExportTable;
use crate::study::{self, Step};
use visavis_core::domain::{
    Result,
    projection::View,
    score::{Quality, Spread, ViewQuality},
    stage::MeasureQuality,
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
pub fn quality(plan: &study::Plan) -> Result<ExportTable> {
    let study = &plan.study;
    let mut rows = Vec::new();
    for (step, manifest) in plan.results() {
        let Step::Quality { model, layer, projection } = step else { continue };
        let Some(of): Option<Quality> = plan.json(step, MeasureQuality::QUALITY)? else { continue };
        let projected = plan.result(Step::Project { model, layer, projection, seed: 0 });
        let fact = |name: &str| projected.map_or(&[][..], |manifest| manifest.fact(name));
        for view in of.views {
            let shares = || view.view.columns(0).into_iter().map(|axis| fact("explained").get(axis)).sum();
            rows.push(QualityExportRow {
                names: [
                    study.models[model].name.clone(),
                    study.models[model].layers(study.layers.as_deref())[layer].clone(),
                    study.projections[projection].name.clone(),
                    view.view.to_string(),
                    manifest.key.to_string(),
                ],
                asked: of.asked,
                seeds: of.seeds,
                explained: match view.view {
                    View::Axis(_) | View::Pair(..) => shares(),
                    View::Features | View::Map => None,
                },
                kl: fact("kl").first().copied(),
                view,
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
