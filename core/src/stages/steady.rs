//! `score`, of a figure that is shown: measures beside it, and its score when it is projected again.

use super::{Inputs, Made};
use crate::{
    domain::{Result, stage::Shown},
    projection::{self, Given},
    scoring::{self, Setting},
};

pub fn steady(of: &Shown, inputs: &Inputs) -> Result<Made> {
    let (images, labels, identities) = (inputs.images("images")?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let (features, points) = (inputs.matrix("features")?, inputs.matrix("points")?);
    let project = |method: &_, features: &_| {
        let given = Given { features, seed: of.projected, graphs: &(), watch: &(), name: &projection::numbered };
        projection::project(method, &given).map(|projected| projected.coordinates)
    };
    let figure = scoring::Figure { features: &features, points: &points, method: &of.method, view: of.view };
    let steady = scoring::steady(&setting, &of.question, &figure, of.seed, project);
    Made::default().with_json("steady.json", &steady)
}
