//! `score`, of given pairs: are their pictures of one identity?

use super::{Inputs, StageOutput};
use crate::{
    domain::{Fault, Result, pairs::Pairs, stage::VerifyPairs},
    scoring,
};

pub(super) fn verify_pairs(stage: &VerifyPairs, inputs: &Inputs) -> Result<StageOutput> {
    let features = inputs.matrix(VerifyPairs::FEATURES)?;
    let pairs = Pairs::from_text(&inputs.text(VerifyPairs::PAIRS)?, features.rows())
        .ok_or_else(|| Fault::unexpected("the pairs are not those of the features"))?;
    let distances = scoring::pair_distances(&features, &pairs);
    let verification = scoring::verify_pairs(&distances, &pairs.is_same, stage.far)
        .map_err(|error| Fault::asked(format!("the pairs cannot be verified: {error}")))?;
    StageOutput::default().with_json(VerifyPairs::VERIFICATION, &verification)
}
