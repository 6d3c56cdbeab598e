//! What a model trained here has learned from, and how that ended: facts of its training.

use crate::{
    report::{
        claims::{ClaimId, OutputSource},
        source::ReportSource,
    },
    study::Step,
};
use serde::Serialize;
use visavis_core::domain::{claim::NumberForm, index::ModelIx};

#[derive(Serialize)]
pub(super) struct TrainingSet {
    pub(super) images: ClaimId,
    pub(super) classes: ClaimId,
}

impl TrainingSet {
    /// `None` of a model that was not trained here.
    pub(super) fn of(source: &ReportSource, model: ModelIx) -> Option<Self> {
        let count = |fact: &str, what: &str| last_fact(source, model, fact, what, NumberForm::Count);
        Some(TrainingSet { images: count("images", "images trained on")?, classes: count("classes", "classes trained on")? })
    }
}

/// The claim of a fact as it was in the last epoch; `None` of a model that was not trained here.
pub(super) fn last_fact(source: &ReportSource, model: ModelIx, name: &str, what: &str, form: NumberForm) -> Option<ClaimId> {
    let manifest = source.outcome.results.result(Step::Train { model })?;
    fact(source, model, name, manifest.fact(name).len().checked_sub(1)?, what, form)
}

/// The claim of one number of a fact, from 0; `None` where there is none.
pub(super) fn fact(
    source: &ReportSource,
    model: ModelIx,
    name: &str,
    at: usize,
    what: &str,
    form: NumberForm,
) -> Option<ClaimId> {
    let manifest = source.outcome.results.result(Step::Train { model })?;
    let value = *manifest.fact(name).get(at)?;
    let named = format!("{} · training", source.names().model(model));
    let output = OutputSource { key: manifest.key, output: "facts", of: named };
    Some(source.claims.enter(&output, &format!("/{name}/{at}"), what, form, value))
}
