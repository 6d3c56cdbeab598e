//! `score`, of crops: how much of the regions of a face lies inside?

use super::{Inputs, StageOutput};
use crate::{
    dataset::{KnownFaces, visible_shares},
    domain::{
        Result,
        stage::{MeasureVisibility, role},
    },
};

pub(super) fn visibility(stage: &MeasureVisibility, inputs: &Inputs) -> Result<StageOutput> {
    let images = inputs.images(role::IMAGES)?;
    let column = |role: &str| if inputs.has(role) { inputs.column(role).map(Some) } else { Ok(None) };
    let (landmarks, boxes) = (column(role::LANDMARKS)?, column(role::BOXES)?);
    let faces = KnownFaces::of(&images, landmarks.as_ref(), boxes.as_ref())?;
    let shares = visible_shares(&stage.fields, &stage.regions, images.len(), &faces);
    StageOutput::default().with_json(MeasureVisibility::SHARES, &shares)
}
