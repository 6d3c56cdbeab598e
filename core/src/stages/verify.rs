//! `score`, of identities: are two pictures of the same person?

use super::{Inputs, StageOutput};
use crate::{domain::Result, scoring};

pub fn verify(bootstraps: usize, seed: u64, inputs: &Inputs) -> Result<StageOutput> {
    let (images, features) = (inputs.images("images")?, inputs.matrix("points/0")?);
    let identities = inputs.column("identities")?;
    StageOutput::default().with_json("verification.json", &scoring::verify(&features, &images, &identities, bootstraps, seed))
}
