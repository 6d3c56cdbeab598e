//! `project`: features → coordinates.

use super::{Inputs, Listener, Made, Shelf};
use crate::{
    dataset::array,
    domain::{Digest, Result, projection::Method},
    numeric::{
        Matrix,
        neighbours::{Metric, Neighbours},
    },
    projection::{self, Given, Graphs, Watch},
};

pub fn project(method: &Method, seed: u64, inputs: &Inputs, shelf: &dyn Shelf, listener: &dyn Listener) -> Result<Made> {
    let features = inputs.matrix("features")?;
    let graphs = Shared { shelf, digest: inputs.digest("features")? };
    let given = Given { features: &features, seed, graphs: &graphs, watch: &Heard(listener) };
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

/// Neighbours from the shelf, or made and put there.
struct Shared<'a> {
    shelf: &'a dyn Shelf,
    digest: Digest,
}

impl Graphs for Shared<'_> {
    fn neighbours(&self, features: &Matrix, k: usize, metric: Metric) -> Result<Option<Neighbours>> {
        if let Some(kept) = self.shelf.take(self.digest, metric, k).filter(|kept| kept.count() == features.rows()) {
            return Ok(Some(kept));
        }
        let made = Neighbours::exact(features, k, metric);
        if let Some(made) = &made {
            self.shelf.put(self.digest, metric, made);
        }
        Ok(made)
    }
}
