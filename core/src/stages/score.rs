//! `score`: every view of one projection, or of the features, on one question.

use super::{Inputs, StageOutput};
use crate::{
    dataset::array,
    domain::{Result, comparison::Question, projection::View, score::Statistics},
    scoring::{self, Setting},
};

pub fn score(question: &Question, views: &[View], statistics: &Statistics, seed: u64, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images("images")?, inputs.labels()?, inputs.identities()?);
    let points: Vec<_> = inputs.each("points/", |role| inputs.matrix(role))?.into_iter().map(|(_, matrix)| matrix).collect();
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let scored = scoring::score(&setting, &points, question, views, statistics, seed);
    Ok(StageOutput::default()
        .with_json("scores.json", &scored.scores)?
        .with("ranks.npy", array::to_npy(&scored.ranks))
        .with("permuted.npy", array::to_npy(&scored.permuted)))
}
