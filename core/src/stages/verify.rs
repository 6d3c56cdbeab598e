//! `score`, of identities: are two pictures of the same person?

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{VerifyIdentities, role},
    },
    scoring,
};

pub(super) fn verify(stage: &VerifyIdentities, inputs: &Inputs) -> Result<StageOutput> {
    let (images, features) = (inputs.images(role::IMAGES)?, inputs.matrix(VerifyIdentities::FEATURES)?);
    let identities = inputs.column(role::IDENTITIES)?;
    let verification = scoring::verify(&features, &images, &identities, stage.bootstraps, stage.seed);
    StageOutput::default().with_json(VerifyIdentities::VERIFICATION, &verification)
}
