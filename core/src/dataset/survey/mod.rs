//! What is there, before anything runs: the images of the evaluation, their labels, and what is missing.

mod evaluation;
mod found;
mod given;
mod label_files;
mod marks;
mod training;

use super::{digests::DigestCache, matching::matched};
use crate::domain::{Result, study::Study};
use evaluation::evaluation;
pub use found::{FaceMarks, Need, Survey, TrainingSet};
use given::given;
use label_files::{known, label_file};
use training::training;

/// Looks at everything the study names.
///
/// # Errors
/// Files that are there and cannot be used. What is absent is no error: see [`Survey::missing`].
pub fn survey(study: &Study, digests: &mut DigestCache) -> Result<Survey> {
    let mut survey = Survey::default();
    evaluation(study, digests, &mut survey)?;
    let known = known(study, &survey);
    for file in &study.evaluation.labels {
        label_file(study, file, known.as_ref(), digests, &mut survey)?;
    }
    survey.note_missing_labels();
    let lists = given(study, &mut survey)?;
    training(study, digests, &mut survey)?;
    marks::of_training(study, &mut survey)?;
    let faces = marks::of_evaluation(study, &mut survey)?;
    survey.warn_of_strangers();
    if let Some(images) = survey.images.take() {
        let found = matched(images, study.evaluation.take.as_ref(), study.evaluation.on_missing, &lists)?;
        survey.images = Some(found.images);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    marks::keep(faces, study, &mut survey)?;
    Ok(survey)
}
