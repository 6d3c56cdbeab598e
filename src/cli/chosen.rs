//! Which model, layer and projection of a study an option of the command line names.

use crate::study::StudyNames;
use visavis_core::domain::{
    Fault, Result,
    index::{LayerIx, ModelIx, ProjectionIx},
    spelling::suggestion,
    study::Study,
};

/// The layer that is meant where none is named.
pub(super) enum UnnamedLayer {
    /// The model's only one; of several one must be named.
    Only,
    Last,
}

/// # Errors
/// No such model; none is named, of several.
pub(super) fn model(study: &Study, option: &str, wanted: Option<&str>) -> Result<ModelIx> {
    let names = StudyNames::of(study);
    let models: Vec<&str> = study.models.keys().map(|model| names.model(model)).collect();
    Ok(place(option, wanted, &models)?.into())
}

/// # Errors
/// No such layer of the model; none is named where one must be.
pub(super) fn layer(study: &Study, model: ModelIx, wanted: Option<&str>, unnamed: UnnamedLayer) -> Result<LayerIx> {
    let layers = StudyNames::of(study).layers(model);
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    match (wanted, unnamed) {
        (None, UnnamedLayer::Last) => Ok(layers.len().saturating_sub(1).into()),
        _ => Ok(place("--layer", wanted, &layers)?.into()),
    }
}

/// # Errors
/// No such projection; none is named, of several.
pub(super) fn projection(study: &Study, wanted: Option<&str>) -> Result<ProjectionIx> {
    let names = StudyNames::of(study);
    let projections: Vec<&str> = study.projections.keys().map(|projection| names.projection(projection)).collect();
    Ok(place("--projection", wanted, &projections)?.into())
}

/// Which of the names; the only one when none is said.
pub(super) fn place(option: &str, wanted: Option<&str>, names: &[&str]) -> Result<usize> {
    match wanted {
        None if names.len() == 1 => Ok(0),
        None => Err(Fault::asked(format!("say which: {option} NAME")).next(suggestion("", names))),
        Some(wanted) => names
            .iter()
            .position(|name| *name == wanted)
            .ok_or_else(|| Fault::asked(format!("{option}: there is no `{wanted}`")).next(suggestion(wanted, names))),
    }
}
