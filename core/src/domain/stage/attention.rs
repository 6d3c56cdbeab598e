//! `attention`: what two sides of a contrast attend to, held against each other.

use super::Stage;
use crate::domain::{canonical::Value, contrast::ContrastSides, index::ModelIx};
use serde::{Deserialize, Serialize};

/// `retained/…`, `resampled/…` (one a model, numbered) → [`ContrastAttention::ATTENTION`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContrastAttention {
    /// One a `retained/…` and `resampled/…` input: whose they are, at its last layer.
    pub models: Vec<ModelIx>,
    /// The pairs of sides of the study's contrasts.
    pub held: Vec<ContrastSides>,
}

impl ContrastAttention {
    /// Inputs, one a model: [`MeasureRetained::RETAINED`](super::MeasureRetained::RETAINED).
    pub const RETAINED: &str = "retained/";
    /// Inputs, one a model: [`MeasureRetained::RESAMPLED`](super::MeasureRetained::RESAMPLED).
    pub const RESAMPLED: &str = "resampled/";
    /// An [`AttentionContrasts`](crate::domain::attention::AttentionContrasts).
    pub const ATTENTION: &str = "attention.json";
}

impl Stage for ContrastAttention {
    fn version(&self) -> u32 {
        1
    }

    fn canonical(&self) -> Value {
        let ContrastAttention { models, held } = self;
        Value::map()
            .with("attention", super::places(models.iter().map(|&model| model.into())))
            .with("held", Value::list(held, ContrastSides::canonical))
            .done()
    }
}
