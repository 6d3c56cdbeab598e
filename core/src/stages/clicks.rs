//! `clicks`: what labels are worth to a simulated person who labels whole clusters of a model's images at once.

use super::{Inputs, StageOutput};
use crate::{
    clustering,
    domain::{
        Result,
        clicks::{ClickWay, Clicks},
        clusters::{ClusterCount, ClusterMethod},
        stage::{SimulateClicks, role},
    },
    scoring::{self, ClickInput, Setting},
};

pub(super) fn clicks(stage: &SimulateClicks, inputs: &Inputs) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let features = inputs.matrix(role::FEATURES)?;
    let method = ClusterMethod::KMeans(ClusterCount::Fixed(stage.settings.clusters));
    let mut clusters = Vec::new();
    for (place, (points, view)) in inputs.points()?.iter().zip(&stage.views).enumerate() {
        let columns = view.columns(points.columns());
        if columns.iter().all(|column| *column < points.columns()) {
            clusters.push((ClickWay::View(place), clustering::cut(&points.select(&columns), method, stage.seed)));
        }
    }
    clusters.push((ClickWay::Features, clustering::cut(&features, method, stage.seed)));
    let questions = scoring::simulate_clicks(
        &ClickInput {
            setting: &Setting { images: &images, labels: &labels, identities: identities.as_ref() },
            features: &features,
            clusters: &clusters,
            draws: stage.settings.draws,
            seed: stage.seed,
        },
        &stage.questions,
    );
    StageOutput::default().with_json(SimulateClicks::CLICKS, &Clicks { format: 1, draws: stage.settings.draws, questions })
}
