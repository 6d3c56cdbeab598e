//! `score`: every view of one projection, or of the features, on one question.

use super::{Inputs, StageOutput};
use crate::{
    dataset::array,
    domain::{
        Result,
        score::SUPERVISED,
        stage::{ScoreViews, role},
    },
    scoring::{self, Setting},
};

pub(super) fn score(stage: &ScoreViews, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let points: Vec<_> = inputs.points()?;
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let scored = scoring::score(&setting, &points, &stage.question, &stage.views, &stage.statistics, stage.seed);
    let mut scores = scored.scores;
    if stage.supervised {
        scores.unranked.get_or_insert_with(|| SUPERVISED.to_owned());
    }
    Ok(StageOutput::default()
        .with_json(ScoreViews::SCORES, &scores)?
        .with(ScoreViews::RANKS, array::to_npy(&scored.ranks))
        .with(ScoreViews::PERMUTED, array::to_npy(&scored.permuted)))
}
