//! `visavis export STUDY --what clicks`: what labels of clusters are worth beside labels of single images, click by click.

use super::table::ExportTable;
use crate::study::{ModelClicks, StudyNames, StudyResults};
use visavis_core::domain::{
    Fault, Result,
    clicks::{BesideProbe, COMPARED, ClickPoint, ClickWay},
};

struct ClicksRow {
    /// Model, comparison, way, view, key.
    text: [String; 5],
    images: usize,
    identities: usize,
    point: ClickPoint,
    /// Of clusters, at the number of clicks at which ways are compared.
    beside: Option<BesideProbe>,
}

/// One row a model, comparison, way of spending clicks and number of clicks: the points of all curves.
pub(super) fn clicks(results: &StudyResults) -> Result<ExportTable> {
    let study = results.study();
    if study.clicks.is_none() {
        return Err(Fault::asked("the study simulates no clicks").next("`clicks: {}` in its file does"));
    }
    let names = results.names();
    let mut rows = Vec::new();
    for of in results.clicks()? {
        for (comparison, asked) in study.comparisons.iter_enumerated() {
            let Some((_, question)) = of.question(comparison) else { continue };
            for curve in &question.curves {
                let text = [
                    names.model(of.model).to_owned(),
                    asked.name.clone(),
                    way(curve.way).to_owned(),
                    view(&of, curve.way, names),
                    of.key.to_string(),
                ];
                rows.extend(curve.points.iter().enumerate().map(|(place, &point)| ClicksRow {
                    text: text.clone(),
                    images: question.images,
                    identities: question.identities,
                    point,
                    beside: curve.beside_probe.filter(|_| place == COMPARED),
                }));
            }
        }
    }
    let mut table = ExportTable::default();
    for (column, name) in ["model", "comparison", "clicks_on", "view"].into_iter().enumerate() {
        table.text(name, rows.iter().map(|row| Some(row.text[column].clone())));
    }
    table.whole("clicks", rows.iter().map(|row| Some(row.point.clicks)));
    table.number("accuracy", rows.iter().map(|row| Some(row.point.accuracy)));
    table.number("low", rows.iter().map(|row| Some(row.point.low)));
    table.number("high", rows.iter().map(|row| Some(row.point.high)));
    table.whole("needed_by_probe", rows.iter().map(|row| row.beside?.needed));
    table.whole("saved", rows.iter().map(|row| row.beside?.saved));
    table.whole("images", rows.iter().map(|row| Some(row.images)));
    table.whole("identities", rows.iter().map(|row| Some(row.identities)));
    table.text("key", rows.iter().map(|row| Some(row.text[4].clone())));
    Ok(table)
}

fn way(way: ClickWay) -> &'static str {
    match way {
        ClickWay::View(_) => "clusters of a view",
        ClickWay::Features => "clusters of features",
        ClickWay::Random => "images at random",
        ClickWay::Active => "images at the boundary",
        ClickWay::Probe => "images for a probe",
    }
}

/// The view whose clusters are labelled.
fn view(of: &ModelClicks, way: ClickWay, names: StudyNames) -> String {
    let ClickWay::View(place) = way else { return String::new() };
    of.views.get(place).map_or(String::new(), |&(projection, view)| format!("{} {view}", names.projection(projection)))
}
