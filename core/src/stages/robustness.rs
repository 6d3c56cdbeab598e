//! `score`, of a figure that is shown: measures beside it, its score when it is projected again, and when it is placed in another fit.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        stage::{Robustness, role},
    },
    projection::{self, ProjectionInput},
    scoring::{self, Setting},
};

pub(crate) fn robustness(stage: &Robustness, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let (features, points) = (inputs.matrix(role::FEATURES)?, inputs.matrix(role::POINTS)?);
    let project = |method: &_, features: &_| {
        let given = ProjectionInput::alone(features, stage.projected);
        projection::project(method, &given).map(|projected| projected.coordinates)
    };
    let place = |fitted_on: &_, others: &_| {
        let given = ProjectionInput::alone(fitted_on, stage.projected);
        projection::place(&stage.method, &given, others).map(|placed| placed.coordinates)
    };
    let figure = scoring::ShownFigure {
        features: &features,
        points: &points,
        method: &stage.method,
        other_settings: &projection::other_settings(&stage.method),
        view: stage.view,
    };
    let found = scoring::figure_robustness(&setting, &stage.question, &figure, stage.seed, project, place);
    StageOutput::default().with_json(Robustness::FIGURE, &found)
}
