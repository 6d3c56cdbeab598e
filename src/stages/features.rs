//! `features`, given: somebody else's array, brought into the order of the images.

use super::{Inputs, Made};
use crate::{
    dataset::{array, read_given, read_rows},
    domain::{Result, stage::ArrayFormat},
};

pub fn features(tap: &str, format: ArrayFormat, inputs: &Inputs) -> Result<Made> {
    let (path, list) = (inputs.path("array")?, inputs.path("rows")?);
    let rows = read_rows(&inputs.bytes("rows")?, &list)?;
    let features = read_given(tap, format, &inputs.bytes("array")?, &path, &rows, &list, &inputs.images("images")?)?;
    let shape = vec![features.rows() as f64, features.columns() as f64];
    Ok(Made::default().with("features.npy", array::to_npy(&features)).fact("shape", shape))
}
