//! `score`, of a projection itself: how faithful is it to the features, whatever their labels?

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{MeasureQuality, role},
    },
    scoring,
};

pub(super) fn quality(stage: &MeasureQuality, inputs: &Inputs) -> Result<StageOutput> {
    let features = inputs.matrix(role::FEATURES)?;
    let points: Vec<_> = inputs.points()?;
    StageOutput::default().with_json(MeasureQuality::QUALITY, &scoring::quality(&features, &points, &stage.views, stage.seed))
}
