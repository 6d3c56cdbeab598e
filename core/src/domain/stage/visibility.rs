//! `visible`: how much of the regions of a face lies inside of crops.

use super::Stage;
use crate::domain::{canonical::Value, shared_crop::FieldOfView, visibility::Rectangle};
use serde::{Deserialize, Serialize};

/// `images`, and `landmarks` and `boxes` as far as they are there → [`MeasureVisibility::SHARES`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureVisibility {
    /// The parts of pictures that models are given.
    pub fields: Vec<FieldOfView>,
    /// Each region's rectangles.
    pub regions: Vec<Vec<Rectangle>>,
}

impl MeasureVisibility {
    /// A [`VisibleShares`](crate::domain::visibility::VisibleShares).
    pub const SHARES: &str = "visible.json";
}

impl Stage for MeasureVisibility {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let MeasureVisibility { fields, regions } = self;
        let rectangle = |of: &Rectangle| Value::list(of, |&edge| Value::Float(edge));
        Value::map()
            .with("fields", Value::list(fields, FieldOfView::canonical))
            .with("regions", Value::list(regions, |region| Value::list(region, rectangle)))
            .done()
    }
}
