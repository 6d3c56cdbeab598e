//! `score`, of groups: how a model's probes fare among them.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{GroupFairness, role},
    },
    scoring::{
        Setting,
        fairness::groups::{FairnessInput, group_fairness},
    },
};

pub(super) fn fairness(stage: &GroupFairness, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let (features, decisions) = (inputs.matrix(role::FEATURES)?, inputs.matrix(GroupFairness::DECISIONS)?);
    let baseline = if inputs.has(GroupFairness::BASELINE) { Some(inputs.matrix(GroupFairness::BASELINE)?) } else { None };
    let input = FairnessInput {
        setting: &Setting { images: &images, labels: &labels, identities: identities.as_ref() },
        features: &features,
        decisions: &decisions,
        baseline: baseline.as_ref(),
        questions: &stage.questions,
        attributes: &stage.groups,
        depth: stage.depth,
        statistics: &stage.statistics,
        seed: stage.seed,
    };
    StageOutput::default().with_json(GroupFairness::GROUPS, &group_fairness(&input))
}
