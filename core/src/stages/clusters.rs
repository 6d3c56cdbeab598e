//! `clusters`: images that lie together in a projection, whatever their labels.

use super::{Inputs, StageOutput};
use crate::{
    clustering,
    dataset::array,
    domain::{Result, stage::FindClusters},
    numeric::Matrix,
};

pub(super) fn clusters(stage: &FindClusters, inputs: &Inputs) -> Result<StageOutput> {
    let points: Vec<_> = inputs.points()?;
    let (found, memberships) = clustering::clusters(&points, &stage.views, stage.method, stage.seed);
    let number = |cluster: Option<usize>| cluster.map_or(-1.0, |cluster| cluster as f32);
    let members = (0..found.images).flat_map(|row| memberships.iter().map(move |of| number(of[row]))).collect();
    let members = Matrix::new(found.images, stage.views.len(), members).unwrap_or_default();
    Ok(StageOutput::default().with_json(FindClusters::CLUSTERS, &found)?.with(FindClusters::MEMBERS, array::to_npy(&members)))
}
