//! Who is near whom in the features that a view is of, among the shown images.

use super::{ExplorerNeighbours, Notes, packed, shown::Shown};
use crate::study::{
    names::StudyNames,
    plan::Plan,
    steps::{features, features_name},
};
use std::path::Path;
use visavis_core::{
    dataset::array,
    domain::{
        Digest, Result,
        index::{LayerIx, ModelIx},
        text::count,
    },
    numeric::{
        Matrix,
        neighbours::{NeighbourMetric, Neighbours},
    },
    store::Graphs,
};

/// Nearest images of an image.
const NEAREST: usize = 15;

/// Of these layers, the first first, while there is room for so many bytes. `kept`: neighbours that projections were made with; without them all
/// are found anew, and are the same.
///
/// # Errors
/// Features that are damaged, or of other images.
pub(super) fn neighbours(
    plan: &Plan,
    names: StudyNames,
    shown: &Shown,
    (layers, room): (&[(ModelIx, LayerIx)], usize),
    kept: Option<&Graphs>,
    notes: &mut Notes,
) -> Result<Vec<ExplorerNeighbours>> {
    let k = NEAREST.min(shown.rows.len().saturating_sub(1));
    let are_halves = shown.rows.len() < usize::from(u16::MAX);
    let bytes = k * shown.rows.len() * if are_halves { 2 } else { 4 };
    let most = (room / bytes.max(1)).min(layers.len());
    notes.add_if(most < layers.len(), || {
        format!("The nearest faces are on this page for {most} of {}.", count(layers.len(), "layer"))
    });
    let mut all = vec![];
    for &(model, layer) in layers.iter().take(most).filter(|_| k > 0) {
        let (step, output) = (features(&plan.study, model, layer), features_name(&plan.study, model, layer));
        let digest = plan.result(step).and_then(|made| made.output(&output)).map(|output| output.digest);
        let Some((digest, bytes)) = digest.zip(plan.bytes(step, &output)?) else { continue };
        let of = near(shown, (digest, array::from_npy(&bytes, Path::new(&output))?, &output), k, kept)?;
        let halves = |of: &[u32]| packed::halves(&of.iter().map(|row| *row as u16).collect::<Vec<_>>());
        let of = if are_halves { halves(&of) } else { packed::wholes(&of) };
        all.push(ExplorerNeighbours { name: names.model_and_layer(model, layer), k, of });
    }
    Ok(all)
}

/// The rows of the `k` nearest of each shown image. Ties go by the order of all images.
fn near(shown: &Shown, (digest, features, name): (Digest, Matrix, &str), k: usize, kept: Option<&Graphs>) -> Result<Vec<u32>> {
    shown.held_by(features.rows(), name)?;
    let metric = NeighbourMetric::Euclidean;
    let is_of_all = shown.rows.len() == features.rows();
    let mut rows = shown.rows.clone();
    rows.sort_unstable();
    let found =
        kept.filter(|_| is_of_all).and_then(|kept| kept.get(digest, metric, k)).filter(|found| found.count() == rows.len());
    let features = if is_of_all { features } else { features.take(&rows) };
    let Some(found) = found.or_else(|| Neighbours::exact(&features, k, metric)) else { return Ok(vec![]) };
    if let Some(kept) = kept.filter(|_| is_of_all) {
        kept.put(digest, metric, &found);
    }
    let place = |row: &usize| rows.binary_search(row).unwrap_or_default();
    let mut shown_at = vec![0u32; rows.len()];
    shown.rows.iter().zip(0..).for_each(|(row, at)| shown_at[place(row)] = at);
    Ok(shown.rows.iter().flat_map(|row| found.of(place(row))).map(|near| shown_at[*near as usize]).collect())
}
