//! `retrieval`: are the images that a query wants found by features at one layer?

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{RetrieveImages, role},
    },
    scoring::{self, RetrievalInput, Setting},
};

pub(super) fn retrieval(stage: &RetrieveImages, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let found = scoring::retrieve(&RetrievalInput {
        setting: &Setting { images: &images, labels: &labels, identities: identities.as_ref() },
        features: &inputs.matrix(role::FEATURES)?,
        queries: &stage.queries,
        groups: (&stage.groups, stage.depth),
        bootstraps: stage.bootstraps,
        seed: stage.seed,
    });
    StageOutput::default().with_json(RetrieveImages::RETRIEVAL, &found)
}
