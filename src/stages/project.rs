//! `project`: features → coordinates.

use super::{Inputs, Listener, Made};
use crate::{
    dataset::array,
    domain::{Result, projection::Method},
    projection::{self, Given, Watch},
};

pub fn project(method: &Method, seed: u64, inputs: &Inputs, listener: &dyn Listener) -> Result<Made> {
    let features = inputs.matrix("features")?;
    let given = Given { features: &features, seed, graphs: &(), watch: &Heard(listener) };
    let projected = projection::project(method, &given)?;
    Ok(Made { facts: projected.facts, ..Made::default() }.with("coordinates.npy", array::to_npy(&projected.coordinates)))
}

/// Objectives are points of the attempt's series.
struct Heard<'a>(&'a dyn Listener);

impl Watch for Heard<'_> {
    fn objective(&self, series: &str, step: usize, value: f64) {
        self.0.point(series, step as u64, value);
    }
}
