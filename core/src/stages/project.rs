//! `project`: features → coordinates.

use super::{Inputs, Listener, StageOutput};
use crate::{
    dataset::array,
    domain::{
        Digest, Fault, Result,
        projection::LearnedLabels,
        stage::{ProjectFeatures, role},
    },
    numeric::{
        Matrix,
        neighbours::{NeighbourMetric, Neighbours},
    },
    projection::{self, NeighborGraphs, ProjectionInput, ProjectionObserver, Supervision},
    scoring::{LearnedClasses, Setting},
    store,
};

pub(super) fn project(
    of: &ProjectFeatures,
    inputs: &Inputs,
    kept: Option<&store::Graphs>,
    listener: &dyn Listener,
) -> Result<StageOutput> {
    let features = inputs.matrix(role::FEATURES)?;
    let graphs = CachedNeighbors::of(kept, inputs.digest(role::FEATURES)?);
    if of.method.is_of_cosines() && inputs.has(ProjectFeatures::OFFSETS) {
        return Err(Fault::asked("cosines of these features say nothing: columns of theirs lie so far from 0 that they were centred, and cosines depend on where 0 is")
            .next("use `metric: euclidean`; or take the offsets out of the features yourself, and save them as float32"));
    }
    let images = if inputs.has(role::IMAGES) { Some(inputs.images(role::IMAGES)?) } else { None };
    let name = |row: usize| match images.as_ref().and_then(|images| images.0.get(row)) {
        Some((id, _)) => format!("`{id}`"),
        None => projection::numbered(row),
    };
    let learned = of.labels.as_ref().map(|labels| learned(labels, of.seed, inputs)).transpose()?;
    let given = ProjectionInput {
        supervision: learned.as_ref().map(|of| Supervision { classes: &of.classes, folds: &of.folds }),
        graphs: &graphs,
        watch: &ObjectiveSeries(listener),
        name: &name,
        ..ProjectionInput::alone(&features, of.seed)
    };
    let projected = projection::project(&of.method, &given)?;
    Ok(StageOutput { facts: projected.facts, ..StageOutput::default() }
        .with(ProjectFeatures::COORDINATES, array::to_npy(&projected.coordinates)))
}

/// The classes that a supervised method learns, and folds that keep an image's label from its own coordinates.
fn learned(of: &LearnedLabels, seed: u64, inputs: &Inputs) -> Result<LearnedClasses> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    Ok(LearnedClasses::of(&setting, of, seed))
}

/// Objectives are points of the attempt's series.
struct ObjectiveSeries<'a>(&'a dyn Listener);

impl ProjectionObserver for ObjectiveSeries<'_> {
    fn objective(&self, series: &str, step: usize, value: f64) {
        self.0.point(series, step as u64, value);
    }
}

/// Neighbours that were kept, or made and kept for others.
pub(super) struct CachedNeighbors<'a> {
    kept: Option<&'a store::Graphs>,
    digest: Digest,
}

impl<'a> CachedNeighbors<'a> {
    /// Of the features of this digest; without `kept` they are made each time.
    pub(super) fn of(kept: Option<&'a store::Graphs>, digest: Digest) -> Self {
        CachedNeighbors { kept, digest }
    }
}

impl NeighborGraphs for CachedNeighbors<'_> {
    fn neighbours(&self, features: &Matrix, k: usize, metric: NeighbourMetric) -> Result<Option<Neighbours>> {
        let found = self.kept.and_then(|kept| kept.get(self.digest, metric, k));
        if let Some(found) = found.filter(|found| found.count() == features.rows()) {
            return Ok(Some(found));
        }
        let made = Neighbours::exact(features, k, metric);
        if let (Some(kept), Some(made)) = (self.kept, &made) {
            kept.put(self.digest, metric, made);
        }
        Ok(made)
    }
}
