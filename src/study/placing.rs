//! Images that are not in a study, placed on a map of it by features of the same layer of the same model.

use super::{
    Plan,
    steps::{Step, features, features_name},
};
use std::path::Path;
use visavis_core::{
    dataset::array,
    domain::{
        Fault, Result,
        index::{LayerIx, ModelIx, ProjectionIx},
        stage::{ProjectFeatures, Work},
    },
    numeric::Matrix,
    projection::{self, ProjectionInput},
    scoring,
};

/// Nearest images that are looked at to say how faithful the placement is: as many as maps are measured by.
pub const NEAREST: usize = 15;

/// A map of the study, and the features that it was fitted to.
pub struct FittedMap {
    work: ProjectFeatures,
    features: Matrix,
    coordinates: Matrix,
}

/// Other images on a map.
pub struct PlacedImages {
    /// One row an image, in the coordinates of the map.
    pub coordinates: Matrix,
    /// Of each image: which share of its [`NEAREST`] by features is among its nearest on the map.
    pub neighbours_kept: Vec<f64>,
    /// The mean of these shares.
    pub mean: f64,
    /// What it would be by chance.
    pub by_chance: f64,
    /// Images of the map.
    pub fitted: usize,
}

impl FittedMap {
    /// `seed`: from 0.
    ///
    /// # Errors
    /// A map that is not there yet, or that cannot place others.
    pub fn of(plan: &Plan, (model, layer, projection): (ModelIx, LayerIx, ProjectionIx), seed: usize) -> Result<Self> {
        let step = Step::Project { model, layer, projection, seed };
        let absent = || Fault::missing("there is no such map yet").next("run the study first");
        let manifest = plan.result(step).ok_or_else(absent)?;
        let Work::Project(work) = &manifest.work else { return Err(absent()) };
        if work.labels.is_some() {
            return Err(Fault::asked("this projection learned from labels, which other images do not have")
                .next("name another with --projection"));
        }
        if manifest.inputs.iter().any(|input| input.role == ProjectFeatures::OFFSETS) {
            return Err(Fault::asked(
                "these features were centred, for their columns lie far from 0: others cannot be placed beside them",
            )
            .next("take the offsets out of both arrays, and save them as float32"));
        }
        let array = |step: Step, output: &str| -> Result<Matrix> {
            array::from_npy(&plan.bytes(step, output)?.ok_or_else(absent)?, Path::new(output))
        };
        Ok(FittedMap {
            work: work.clone(),
            features: array(features(&plan.study, model, layer), &features_name(&plan.study, model, layer))?,
            coordinates: array(step, ProjectFeatures::COORDINATES)?,
        })
    }

    /// Fits the map again, and places the others in it.
    ///
    /// # Errors
    /// A method that cannot place images that were not in the fit; features of other columns.
    pub fn place(&self, others: &Matrix) -> Result<PlacedImages> {
        let fitted_on = ProjectionInput::alone(&self.features, self.work.seed);
        let coordinates = projection::place(&self.work.method, &fitted_on, others)?.coordinates;
        let kept = scoring::neighbours_kept(&self.features, &self.coordinates, others, &coordinates, NEAREST);
        let fitted = self.features.rows();
        Ok(PlacedImages {
            mean: kept.iter().sum::<f64>() / kept.len().max(1) as f64,
            by_chance: NEAREST.min(fitted) as f64 / fitted.max(1) as f64,
            neighbours_kept: kept,
            coordinates,
            fitted,
        })
    }
}
