//! `score`, of a projection itself: how faithful is it to the features, whatever their labels?

use super::{Inputs, StageOutput};
use crate::{
    domain::{Result, projection::View},
    scoring,
};

pub fn quality(views: &[View], seed: u64, inputs: &Inputs) -> Result<StageOutput> {
    let features = inputs.matrix("features")?;
    let points: Vec<_> = inputs.each("points/", |role| inputs.matrix(role))?.into_iter().map(|(_, matrix)| matrix).collect();
    StageOutput::default().with_json("quality.json", &scoring::quality(&features, &points, views, seed))
}
