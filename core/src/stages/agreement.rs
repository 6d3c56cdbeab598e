//! `agreement`: how far annotators agree on the images that are evaluated.

use super::{Inputs, StageOutput};
use crate::{
    domain::{
        Fault, Result,
        agreement::{Agreements, AnnotatorCount, AttributeAgreement},
        annotation::{AnnotatorLabels, annotators_from_text},
        stage::{MeasureAgreement, role},
    },
    scoring,
};

pub(super) fn agreement(stage: &MeasureAgreement, inputs: &Inputs) -> Result<StageOutput> {
    let images = inputs.images(role::IMAGES)?;
    let of = |attribute: &String| {
        let role = role::annotators(attribute);
        let damaged = || Fault::unexpected(format!("the input `{role}` is not what it should be"));
        let given = annotators_from_text(&inputs.text(&role)?).ok_or_else(damaged)?;
        let labels: Vec<AnnotatorLabels> = given
            .into_iter()
            .map(|of| AnnotatorLabels { labels: of.labels.restricted(&images), annotator: of.annotator })
            .collect();
        let count = |of: &AnnotatorLabels| AnnotatorCount { annotator: of.annotator.clone(), images: of.labels.len() };
        Ok(AttributeAgreement {
            attribute: attribute.clone(),
            annotators: labels.iter().map(count).collect(),
            pairs: scoring::agreements(&labels),
        })
    };
    let attributes = stage.attributes.iter().map(of).collect::<Result<_>>()?;
    StageOutput::default().with_json(MeasureAgreement::AGREEMENT, &Agreements { format: 1, attributes })
}
