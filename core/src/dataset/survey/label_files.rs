//! Labels that have a file of their own, and whether a table is of the evaluation's images.

use super::found::{Absent, Need, Survey};
use crate::{
    dataset::{
        defects::name_of,
        digests::DigestCache,
        readers::labels::{self, LabelReading, LabelTable},
        row_list::read_rows,
        tables::misfit,
    },
    domain::{
        Fault, Result,
        image::ImageIndex,
        missing::MissingWords,
        model::Source,
        spelling::suggestion,
        study::{LabelFile, Study},
    },
};
use std::path::Path;

/// The images of the evaluation, or, while nothing else names them, those of given features.
pub(crate) fn known(study: &Study, survey: &Survey) -> Option<ImageIndex> {
    if let Some(images) = &survey.images {
        return ImageIndex::from_sorted(images.ids());
    }
    let list = study.models.iter().find_map(|model| match &model.source {
        Source::Given(given) if given.images.exists() => Some(&given.images),
        _ => None,
    })?;
    let rows = read_rows(&crate::files::read_up_to(list, crate::files::LARGEST_TEXT).ok()?, list, None).ok()?;
    ImageIndex::from_sorted(rows.ids())
}

/// Which words of an attribute are missing labels.
pub(crate) fn missing_words(study: &Study, attribute: &str, instead: Option<&Vec<String>>) -> MissingWords {
    let values = study.evaluation.quoted.get(attribute).cloned().unwrap_or_default();
    MissingWords { instead: instead.cloned(), values }
}

/// The labels of one attribute, from a file of their own.
pub(crate) fn label_file(
    study: &Study,
    file: &LabelFile,
    known: Option<&ImageIndex>,
    digests: &mut DigestCache,
    survey: &mut Survey,
) -> Result<()> {
    let LabelFile { file: path, attribute, missing, .. } = file;
    if !path.exists() {
        survey.missing.push(Absent {
            input: format!("labels of `{attribute}`"),
            expected_at: Some(path.clone()),
            need: Need::Attribute(attribute.clone()),
        });
        return Ok(());
    }
    let rule = |attribute: &str| missing_words(study, attribute, missing.as_ref());
    let reading = LabelReading { known, alone: Some(attribute), missing: &rule };
    let mut table = labels::read(path, &reading, digests)?;
    if let Some(fault) = table.unusable.get(attribute) {
        return Err(fault.clone());
    }
    let Some(column) = table.labels.remove(attribute) else {
        let names: Vec<&str> = table.labels.names().collect();
        return Err(Fault::asked(format!("the label file has no attribute `{attribute}`"))
            .in_file(path)
            .next(suggestion(attribute, &names)));
    };
    fits(&table, known, survey, path)?;
    if let Some(known) = known {
        let rows = table.images.rows(known.iter());
        let mut without = known.iter().zip(&rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id);
        if let Some(first) = without.next() {
            let (without, known, name) = (1 + without.count(), known.len(), name_of(path));
            survey.warnings.push(format!(
                "{without} of {known} images have no row in {name}, such as `{first}`: no label of `{attribute}` from there"
            ));
        }
    }
    survey.note_table(&table, path);
    let missing_here = table.missing.remove(attribute).unwrap_or_default();
    match (survey.labels.remove(attribute), survey.labelled_in.get(attribute)) {
        (Some(before), Some(other)) => {
            let merged = labels::merged(attribute, (&before, other), (&column, path))?;
            survey.notes.push(format!("the labels of `{attribute}` in {} and {} agree", name_of(other), name_of(path)));
            survey.missing_labels.entry(attribute.clone()).or_default().join(missing_here);
            survey.labels.insert(attribute.clone(), merged);
        }
        _ => {
            survey.labels.insert(attribute.clone(), column);
            survey.missing_labels.insert(attribute.clone(), missing_here);
        }
    }
    survey.labelled_in.insert(attribute.clone(), path.clone());
    Ok(())
}

/// A table none of whose images is known says nothing.
pub(crate) fn fits(table: &LabelTable, known: Option<&ImageIndex>, survey: &Survey, path: &Path) -> Result<()> {
    let Some(known) = known.filter(|known| !known.is_empty() && !table.images.is_empty()) else { return Ok(()) };
    if known.rows(table.images.iter()).iter().any(Option::is_some) {
        return Ok(());
    }
    // Which of the two is of other images cannot be told while features alone name the images.
    let (those, whose) = match &survey.images {
        Some(_) => (format!("the evaluation's {}", known.len()), "the evaluation has"),
        None => (format!("the {} that features are given of", known.len()), "the list of features has"),
    };
    let (sides, next) = misfit(table.images.iter(), known.iter(), whose);
    let what = format!("none of the table's {} image ids is one of {those}: {sides}", table.images.len());
    Err(Fault::asked(what).in_file(path).next(next))
}
