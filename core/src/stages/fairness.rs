//! `score`, of groups: how a model's probes fare among them.

use super::{Inputs, Made};
use crate::{
    domain::{Result, stage::Fair},
    scoring::{
        Setting,
        fairness::groups::{Given, gaps},
    },
};

pub fn fairness(of: &Fair, inputs: &Inputs) -> Result<Made> {
    let (images, labels, identities) = (inputs.images("images")?, inputs.labels()?, inputs.identities()?);
    let (features, decisions) = (inputs.matrix("features")?, inputs.matrix("decisions")?);
    let given = Given {
        setting: &Setting { images: &images, labels: &labels, identities: identities.as_ref() },
        features: &features,
        decisions: &decisions,
        questions: &of.questions,
        attributes: &of.groups,
        depth: of.depth,
        statistics: &of.statistics,
        seed: of.seed,
    };
    Made::default().with_json("fairness.json", &gaps(&given))
}
