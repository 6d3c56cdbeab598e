//! `index`: which images the evaluation is about.

use super::{Inputs, StageOutput};
use crate::{
    dataset::taken,
    domain::{
        Result,
        image::{Images, Take},
    },
};

pub fn index(take: Option<&Take>, inputs: &Inputs) -> Result<StageOutput> {
    let listing = inputs.images("listing")?;
    let images = taken(&listing, take)?;
    let count = images.len() as f64;
    Ok(StageOutput::default().with("images", Images::to_text(&images).into_bytes()).fact("images", vec![count]))
}
