//! `features`, given: somebody else's array, brought into the order of the images.

use super::{Inputs, Listener, StageOutput};
use crate::{
    dataset::{array, read_given, read_rows},
    domain::{
        Result,
        image::ImageIndex,
        stage::{FeatureImport, role},
    },
};

pub(super) fn features(stage: &FeatureImport, inputs: &Inputs, listener: &dyn Listener) -> Result<StageOutput> {
    let (path, list) = (inputs.path(FeatureImport::ARRAY)?, inputs.path(FeatureImport::ROWS)?);
    let images = inputs.images(role::IMAGES)?;
    let rows = read_rows(&inputs.bytes(FeatureImport::ROWS)?, &list, ImageIndex::from_sorted(images.ids()).as_ref())?;
    let given = read_given(&stage.layer, stage.format, &inputs.bytes(FeatureImport::ARRAY)?, &path, &rows, &list, &images)?;
    given.remarks.iter().for_each(|remark| listener.line(remark));
    let shape = vec![given.matrix.rows() as f64, given.matrix.columns() as f64];
    let made = StageOutput::default().with(FeatureImport::FEATURES, array::to_npy(&given.matrix)).fact("shape", shape);
    if given.offsets.is_empty() {
        return Ok(made);
    }
    made.fact("centred", vec![given.offsets.len() as f64]).with_json(FeatureImport::OFFSETS, &given.offsets)
}
