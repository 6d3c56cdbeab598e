//! `score`, of nuisances: how much of each the views of a projection hold, or the features do.

use super::{Caches, Inputs, StageOutput};
use crate::{
    domain::{
        Result,
        image::Images,
        nuisance::Nuisance,
        projection::View,
        stage::{ScoreNuisances, role},
    },
    numeric::neighbours::NeighbourMetric,
    projection::NeighborGraphs,
    scoring::{self, NuisanceValues, Setting},
};

pub(super) fn nuisance_scores(stage: &ScoreNuisances, inputs: &Inputs, caches: Option<&Caches>) -> Result<StageOutput> {
    let (images, labels, identities) = (inputs.images(role::IMAGES)?, inputs.labels()?, inputs.identities()?);
    let setting = Setting { images: &images, labels: &labels, identities: identities.as_ref() };
    let asked = values(inputs, &images, &stage.nuisances)?;
    let scores = if stage.views == [View::Features] {
        let features = inputs.matrix(role::FEATURES)?;
        let is_finite = features.first_not_finite().is_none() && features.columns() > 0;
        let graphs = super::project::CachedNeighbors::of(caches.map(|of| &of.graphs), inputs.digest(role::FEATURES)?);
        let neighbours = if is_finite { graphs.neighbours(&features, scoring::REACH, NeighbourMetric::Euclidean)? } else { None };
        scoring::score_nuisances_of_features(&setting, neighbours.as_ref(), &asked, stage.bootstraps, stage.seed)
    } else {
        scoring::score_nuisances(&setting, &inputs.points()?, &stage.views, &asked, stage.bootstraps, stage.seed)
    };
    StageOutput::default().with_json(ScoreNuisances::SCORES, &scores)
}

/// The values of nuisances, by the order of the images: from the table of what was measured, and from columns of labels. A label that is no
/// number is none.
pub(super) fn values(inputs: &Inputs, images: &Images, nuisances: &[Nuisance]) -> Result<Vec<NuisanceValues>> {
    let table = if inputs.has(ScoreNuisances::TABLE) { Some(inputs.matrix(ScoreNuisances::TABLE)?) } else { None };
    let undefined = || vec![f64::NAN; images.len()];
    let of = |nuisance: &Nuisance| -> Result<NuisanceValues> {
        let columns = match nuisance {
            Nuisance::Measured(of) => {
                let first = of.first_column();
                let column = |place: usize| {
                    let table = table.as_ref().filter(|table| place < table.columns() && table.rows() == images.len());
                    table.map_or_else(undefined, |table| table.column(place).into_iter().map(f64::from).collect())
                };
                (first..first + of.columns().len()).map(column).collect()
            }
            Nuisance::Column(name) => {
                let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok()).unwrap_or(f64::NAN);
                let column = inputs.column(&role::labels(name))?;
                vec![
                    column.aligned(images).into_iter().map(number).map(|of| if of.is_finite() { of } else { f64::NAN }).collect(),
                ]
            }
        };
        Ok(NuisanceValues { nuisance: nuisance.clone(), columns })
    };
    nuisances.iter().map(of).collect()
}
