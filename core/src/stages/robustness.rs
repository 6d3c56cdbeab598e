//! `score`, of a figure that is shown: measures beside it, and its score when it is projected again.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{Robustness, role},
    },
    projection::{self, ProjectionInput},
    scoring::{self, Setting},
};

pub fn robustness(of: &Robustness, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let (features, points) = (inputs.matrix(role::FEATURES)?, inputs.matrix(role::POINTS)?);
    let project = |method: &_, features: &_| {
        let given = ProjectionInput { features, seed: of.projected, graphs: &(), watch: &(), name: &projection::numbered };
        projection::project(method, &given).map(|projected| projected.coordinates)
    };
    let figure = scoring::ShownFigure {
        features: &features,
        points: &points,
        method: &of.method,
        other_settings: &projection::other_settings(&of.method),
        view: of.view,
    };
    let found = scoring::figure_robustness(&setting, &of.question, &figure, of.seed, project);
    StageOutput::default().with_json(Robustness::FIGURE, &found)
}
