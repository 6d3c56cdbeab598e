//! What is there, before anything runs: the images of the evaluation, their labels, and what is missing.

mod evaluation;
mod found;
mod given;
mod label_files;
mod marks;
mod training;
mod verification;

use super::{
    digests::DigestCache,
    matching::{matched, taken},
};
use crate::domain::{Result, annotation::Answers, study::Study};
use evaluation::evaluation;
pub use found::{FaceMarks, Need, PicturePairs, Survey, TrainingSet};
use given::given;
use label_files::{annotators, images_mark, known, label_file};
use std::collections::BTreeSet;
use training::training;

/// Looks at everything the study names. `answers`: what annotators said in this workspace, of the attributes that the study reads from
/// there.
///
/// # Errors
/// Files that are there and cannot be used. What is absent is no error: see [`Survey::missing`].
pub fn survey(study: &Study, answers: &Answers, digests: &mut DigestCache) -> Result<Survey> {
    let mut survey = Survey::default();
    evaluation(study, digests, &mut survey)?;
    let known = known(study, &survey);
    survey.images_mark = images_mark(study, &survey, known.as_ref());
    let entries = &study.evaluation.labels;
    for entry in entries.iter().filter(|entry| !entry.is_by_annotators()) {
        if let Some(file) = entry.file() {
            label_file(study, (entry, file), known.as_ref(), digests, &mut survey)?;
        }
    }
    let by_annotators: BTreeSet<&str> =
        entries.iter().filter(|entry| entry.is_by_annotators()).map(|entry| entry.attribute.as_str()).collect();
    for attribute in by_annotators {
        annotators(study, attribute, answers, digests, &mut survey)?;
    }
    survey.note_missing_labels();
    let lists = given(study, &mut survey)?;
    training(study, digests, &mut survey)?;
    verification::verification(study, digests, &mut survey)?;
    marks::of_training(study, &mut survey)?;
    let faces = marks::of_evaluation(study, &mut survey)?;
    survey.warn_of_strangers();
    if let Some(images) = survey.images.take() {
        let found = matched(images, study.evaluation.take.as_ref(), study.evaluation.on_missing, &lists)?;
        // What annotators said of other images says nothing here.
        let evaluated = taken(&found.images, study.evaluation.take.as_ref())?;
        for of in survey.annotators.values_mut().flatten() {
            of.labels = of.labels.restricted(&evaluated);
        }
        survey.images = Some(found.images);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    marks::keep(faces, study, &mut survey)?;
    marks::seen(study, &mut survey);
    Ok(survey)
}
