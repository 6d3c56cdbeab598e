//! `visavis export STUDY --what clusters`: in which cluster of each view each image is.

use super::table::ExportTable;
use crate::study::{Plan, Step, StudyResults};
use std::path::Path;
use visavis_core::{
    dataset::array,
    domain::{Fault, Result, image::Images, stage::FindClusters},
};

/// One row an image and view. Clusters are numbered from 1, the largest first; none where the image is in no cluster.
pub(super) fn clusters(plan: &Plan, images: impl FnOnce() -> Result<Images>) -> Result<ExportTable> {
    if plan.study.clusters.is_none() {
        return Err(Fault::asked("the study looks for no clusters").next("such as `clusters: gaussian_mixture` in its file"));
    }
    let images = images()?;
    let results = StudyResults::of(plan);
    let names = results.names();
    let mut rows: Vec<([String; 5], Option<usize>)> = Vec::new();
    for of in results.clusters()? {
        let step = Step::Clusters { model: of.model, layer: of.layer, projection: of.projection };
        let Some(bytes) = plan.bytes(step, FindClusters::MEMBERS)? else { continue };
        let members = array::from_npy(&bytes, Path::new(FindClusters::MEMBERS))?;
        for (place, view) in of.found.views.iter().enumerate().take(members.columns()) {
            for (row, id) in images.ids().enumerate().take(members.rows()) {
                let text = [
                    id.to_owned(),
                    names.model(of.model).to_owned(),
                    names.layer(of.model, of.layer),
                    names.projection(of.projection).to_owned(),
                    view.view.to_string(),
                ];
                let cluster = members.row(row)[place];
                rows.push((text, (cluster >= 0.0).then_some(cluster as usize + 1)));
            }
        }
    }
    let mut table = ExportTable::default();
    for (column, name) in ["image", "model", "layer", "projection", "view"].into_iter().enumerate() {
        table.text(name, rows.iter().map(|(text, _)| Some(text[column].clone())));
    }
    table.whole("cluster", rows.iter().map(|(_, cluster)| *cluster));
    Ok(table)
}
