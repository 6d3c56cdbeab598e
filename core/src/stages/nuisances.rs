//! `nuisances`: background, light, sharpness and whatever else of the pictures might explain a cluster.

use super::{Inputs, Listener, StageOutput};
use crate::{
    dataset::{PictureSource, array, measure_pictures},
    domain::{
        Fault, Result,
        nuisance::MEASURES,
        stage::{MeasureNuisances, role},
    },
};

pub(super) fn nuisances(stage: &MeasureNuisances, inputs: &Inputs, listener: &dyn Listener) -> Result<StageOutput> {
    if stage.measures != MEASURES {
        let what = format!("version {} of the measures of pictures is not this program's, which is {MEASURES}", stage.measures);
        return Err(Fault::asked(what));
    }
    let images = inputs.images(role::IMAGES)?;
    let source = PictureSource::open(&inputs.path(role::IMAGES)?)?;
    let column = |role: &str| if inputs.has(role) { inputs.column(role).map(Some) } else { Ok(None) };
    let (landmarks, boxes) = (column(role::LANDMARKS)?, column(role::BOXES)?);
    let mut done = 0;
    let (table, about) = measure_pictures(&source, &images, landmarks.as_ref(), boxes.as_ref(), |some| {
        done += some;
        listener.point("images", done as u64, done as f64);
    })?;
    StageOutput::default()
        .turned(about.turned, listener)
        .with(MeasureNuisances::TABLE, array::to_npy(&table))
        .with_json(MeasureNuisances::ABOUT, &about)
}
