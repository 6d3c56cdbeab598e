//! `nuisances`: what is measured of the pictures of the evaluation that is no attribute.

use super::Stage;
use crate::domain::canonical::Value;
use serde::{Deserialize, Serialize};

/// [`role::IMAGES`](super::role::IMAGES) with where their pictures are, and [`role::LANDMARKS`](super::role::LANDMARKS) and
/// [`role::BOXES`](super::role::BOXES) where they are known → [`MeasureNuisances::TABLE`], [`MeasureNuisances::ABOUT`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureNuisances {
    /// The version of the measures.
    pub measures: u32,
}

impl MeasureNuisances {
    /// Images × columns, float32: every measure there is, NaN where it is not defined.
    pub const TABLE: &str = "nuisances.npy";
    /// A [`MeasuredPictures`](crate::domain::nuisance::MeasuredPictures).
    pub const ABOUT: &str = "nuisances.json";
}

impl Stage for MeasureNuisances {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let MeasureNuisances { measures } = self;
        Value::map().with("measures", Value::Int((*measures).into())).done()
    }
}
