//! `index`: which images the evaluation is about.

use super::{Inputs, StageOutput};
use crate::{
    dataset::taken,
    domain::{Result, image::Images, stage::IndexImages},
};

pub(crate) fn index(stage: &IndexImages, inputs: &Inputs) -> Result<StageOutput> {
    let listing = inputs.images(IndexImages::LISTING)?;
    let images = taken(&listing, stage.take.as_ref())?;
    let count = images.len() as f64;
    Ok(StageOutput::default().with(IndexImages::IMAGES, Images::to_text(&images).into_bytes()).fact("images", vec![count]))
}
