//! `score`, of the groups of a shown figure.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{FindSubgroups, role},
    },
    scoring::{self, Setting, SubgroupSearch},
};

pub(super) fn subgroups(of: &FindSubgroups, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let points = inputs.matrix(role::POINTS)?;
    let search = SubgroupSearch {
        setting: &setting,
        question: &of.question,
        points: &points,
        view: of.view,
        groups: &of.groups,
        depth: of.depth,
        statistics: &of.statistics,
        seed: of.seed,
    };
    StageOutput::default().with_json(FindSubgroups::SUBGROUPS, &scoring::subgroups(&search))
}
