//! `attention`: what two sides of a contrast attend to, held against each other.

use super::{Inputs, StageOutput, inputs::damaged};
use crate::{
    domain::{
        Result,
        attention::AttentionContrasts,
        stage::{ContrastAttention, role},
    },
    scoring::{ModelRetains, attention_contrasts},
};

pub(super) fn attention(of: &ContrastAttention, inputs: &Inputs) -> Result<StageOutput> {
    let retains = |(place, &model)| {
        let (retained, resampled) =
            (role::numbered(ContrastAttention::RETAINED, place), role::numbered(ContrastAttention::RESAMPLED, place));
        ModelRetains::new(model, inputs.json(&retained)?, inputs.matrix(&resampled)?).ok_or_else(|| damaged(&resampled))
    };
    let models = of.models.iter().enumerate().map(retains).collect::<Result<Vec<_>>>()?;
    let contrasts = attention_contrasts(&models, &of.held);
    StageOutput::default().with_json(ContrastAttention::ATTENTION, &AttentionContrasts { format: 1, contrasts })
}
