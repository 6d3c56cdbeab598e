//! `project`: features → coordinates.

use super::{Inputs, Made};
use crate::{
    dataset::array,
    domain::{Result, projection::Method},
    projection,
};

pub fn project(method: &Method, seed: u64, inputs: &Inputs) -> Result<Made> {
    let projected = projection::project(method, &inputs.matrix("features")?, seed)?;
    Ok(Made { facts: projected.facts, ..Made::default() }.with("coordinates.npy", array::to_npy(&projected.coordinates)))
}
