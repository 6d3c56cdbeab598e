//! `quality`: how faithful every view is to the features.

use super::Stage;
use crate::domain::{canonical::Value, projection::View};
use serde::{Deserialize, Serialize};

/// `features`, `points/…` (one a projection seed) → [`MeasureQuality::QUALITY`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureQuality {
    /// One a quality that is wanted.
    pub views: Vec<View>,
    /// Of the images that are drawn where there are many.
    pub seed: u64,
}

impl MeasureQuality {
    /// A [`Quality`](crate::domain::score::Quality).
    pub const QUALITY: &str = "quality.json";
}

impl Stage for MeasureQuality {
    fn version(&self) -> u32 {
        // 2: ranks beside scores. 3: permuted scores in steps that are met equally often. 4: random numbers by purpose.
        4
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn canonical(&self) -> Value {
        let MeasureQuality { views, seed } = self;
        Value::map().with("quality", Value::list(views, View::canonical)).with("seed", Value::seed(*seed)).done()
    }
}
