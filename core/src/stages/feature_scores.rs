//! `score`, of features themselves: the yardstick for their projections, on all questions at once.

use super::{Inputs, StageOutput};
use crate::{
    dataset::array,
    domain::{
        Result,
        stage::{ScoreFeatures, ranks_of, role},
    },
    scoring::{self, Setting},
};

pub(crate) fn feature_scores(stage: &ScoreFeatures, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let scored =
        scoring::score_features(&setting, &inputs.matrix(role::FEATURES)?, &stage.questions, &stage.statistics, stage.seed);
    let mut made = StageOutput::default().with_json(ScoreFeatures::SCORES, &scored.scores)?;
    for (question, ranks) in scored.ranks.iter().enumerate() {
        made = made.with(&ranks_of(question), array::to_npy(ranks));
    }
    Ok(made.with(ScoreFeatures::DECISIONS, array::to_npy(&scored.decisions)))
}
