//! `index`: which images the evaluation is about.

use super::{Inputs, Made};
use crate::{
    domain::{
        Fault, Result,
        image::{Images, Take},
    },
    numeric::{Purpose, Stream},
};

pub fn index(take: Option<&Take>, inputs: &Inputs) -> Result<Made> {
    let mut images = inputs.images("listing")?;
    if let Some(take) = take {
        if take.images > images.len() {
            return Err(Fault::asked(format!("the study takes {} images, the data set has {}", take.images, images.len()))
                .next("lower `evaluation.take.images`, or leave `take` out"));
        }
        Stream::new(take.seed, Purpose::Take, 0).shuffle(&mut images.0);
        images.0.truncate(take.images);
        images.0.sort();
    }
    let count = images.len() as f64;
    Ok(Made::default().with("images", Images::to_text(&images).into_bytes()).fact("images", vec![count]))
}
