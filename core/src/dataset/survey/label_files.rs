//! Labels that have a file of their own or were given in this workspace, and whether a table is of the evaluation's images.

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
        annotation::{AnnotatorLabels, Answers, CombinedLabels, labels_of},
        comparison::{Expression, Measured},
        image::{Column, ImageIndex, Images, Labels},
        missing::{MissingLabels, MissingWords},
        model::Source,
        spelling::suggestion,
        study::{LabelEntry, LabelSource, Study},
    },
};
use std::{collections::BTreeSet, path::Path};

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

/// See [`Survey::images_mark`].
pub(crate) fn images_mark(study: &Study, survey: &Survey, known: Option<&ImageIndex>) -> Option<String> {
    match (&survey.images, &study.evaluation.dataset) {
        (Some(images), _) => Some(Labels::mark_of(images)),
        (None, None) => known.map(|known| Labels::mark_of(&Images(known.iter().map(|name| (name.to_owned(), None)).collect()))),
        (None, Some(_)) => None,
    }
}

/// Which words of an attribute are missing labels.
pub(crate) fn missing_words(study: &Study, attribute: &str, instead: Option<&Vec<String>>) -> MissingWords {
    let values = study.evaluation.quoted.get(attribute).cloned().unwrap_or_default();
    MissingWords { instead: instead.cloned(), values, ..MissingWords::default() }
}

/// The labels of one attribute in one file.
struct FileLabels {
    column: Column,
    missing: MissingLabels,
}

/// Reads the labels of an entry's file; `None` where the file is absent.
fn file_labels(
    study: &Study,
    (entry, path): (&LabelEntry, &Path),
    known: Option<&ImageIndex>,
    digests: &mut DigestCache,
    survey: &mut Survey,
) -> Result<Option<FileLabels>> {
    let LabelEntry { attribute, missing, .. } = entry;
    if !path.exists() {
        survey.missing.push(Absent {
            input: format!("labels of `{attribute}`"),
            expected_at: Some(path.to_owned()),
            need: Need::Attribute(attribute.clone()),
        });
        return Ok(None);
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
    fits(&table, (study, known), survey, path)?;
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
    Ok(Some(FileLabels { column, missing: table.missing.remove(attribute).unwrap_or_default() }))
}

/// The labels of one attribute, from a file of their own.
pub(crate) fn label_file(
    study: &Study,
    (entry, path): (&LabelEntry, &Path),
    known: Option<&ImageIndex>,
    digests: &mut DigestCache,
    survey: &mut Survey,
) -> Result<()> {
    let Some(FileLabels { column, missing }) = file_labels(study, (entry, path), known, digests, survey)? else { return Ok(()) };
    let attribute = &entry.attribute;
    match (survey.labels.remove(attribute), survey.labelled_in.get(attribute)) {
        (Some(before), Some(other)) => {
            let merged = labels::merged(attribute, (&before, other), (&column, path))?;
            survey.notes.push(format!("the labels of `{attribute}` in {} and {} agree", name_of(other), name_of(path)));
            survey.missing_labels.entry(attribute.clone()).or_default().join(missing);
            survey.labels.insert(attribute.clone(), merged);
        }
        _ => {
            survey.labels.insert(attribute.clone(), column);
            survey.missing_labels.insert(attribute.clone(), missing);
        }
    }
    survey.labelled_in.insert(attribute.clone(), path.to_owned());
    Ok(())
}

/// The values of an attribute that the study's comparisons and queries ask for.
fn asked_values<'s>(study: &'s Study, attribute: &str) -> BTreeSet<&'s str> {
    let questions = study.comparisons.iter().map(|comparison| &comparison.question);
    let expressions = questions.flat_map(|question| {
        let classes = match &question.measured {
            Measured::Classes(classes) => classes.as_slice(),
            Measured::Quantity(_) => &[],
        };
        classes.iter().chain(&question.within)
    });
    let wanted = study.queries.iter().map(|query| &query.wanted);
    expressions
        .chain(wanted)
        .flat_map(Expression::asked)
        .filter(|(name, _)| *name == attribute)
        .filter_map(|(_, value)| value)
        .collect()
}

/// The labels that several annotators gave of one attribute, in files and in this workspace: one label an image, by the study's rule.
pub(crate) fn annotators(
    study: &Study,
    attribute: &str,
    answers: &Answers,
    digests: &mut DigestCache,
    survey: &mut Survey,
) -> Result<()> {
    let known = known(study, survey);
    if survey.labels.get(attribute).is_some() {
        return Err(Fault::asked(format!(
            "`{attribute}` is labelled by annotators, and in a table of the evaluation's data set too"
        ))
        .next("give the annotators' labels another name: attribute: NAME"));
    }
    let mut found: Vec<AnnotatorLabels> = Vec::new();
    // Places in it of labels that are in no file.
    let mut typed: Vec<usize> = Vec::new();
    for entry in study.evaluation.labels.iter().filter(|entry| entry.attribute == attribute) {
        match &entry.source {
            LabelSource::File { file, annotator } => {
                let labels = file_labels(study, (entry, file), known.as_ref(), digests, survey)?;
                let annotator = annotator.clone().unwrap_or_default();
                let evaluated = |column: Column| match &survey.images {
                    Some(images) => column.restricted(images),
                    None => column,
                };
                found.extend(labels.map(|of| AnnotatorLabels { annotator, labels: evaluated(of.column) }));
            }
            LabelSource::Journal { asked } => {
                let nobody = |why: &str| Absent {
                    input: format!("labels of `{asked}`: {why}"),
                    expected_at: Some("data/journals".into()),
                    need: Need::Attribute(attribute.to_owned()),
                };
                let Some(images) = &survey.images else {
                    survey.missing.push(nobody("the pictures that were labelled are not here to be told by"));
                    continue;
                };
                let (labels, elsewhere) = labels_of(answers.get(asked).map_or(&[], Vec::as_slice), images);
                if labels.is_empty() {
                    survey.missing.push(nobody("nobody has labelled these pictures; `visavis label` is where"));
                }
                if elsewhere > 0 {
                    survey
                        .notes
                        .push(format!("{elsewhere} answers on `{asked}` are on other pictures than those that are evaluated"));
                }
                typed.extend(found.len()..found.len() + labels.len());
                found.extend(labels);
            }
        }
    }
    if let Some(twice) =
        found.iter().enumerate().find(|(at, of)| found[..*at].iter().any(|other| other.annotator == of.annotator))
    {
        let name = &twice.1.annotator;
        return Err(Fault::asked(format!("the annotator `{name}` of `{attribute}` is in a file and in the journal"))
            .next("give the file's annotator another name, or leave one of the two out"));
    }
    // Which words mean yes and no was decided file by file. It is decided for all typed labels together, and not beside a file in which they
    // are words.
    let is_of_words =
        |place: usize| !typed.contains(&place) && !found[place].labels.is_empty() && !found[place].labels.is_binary();
    if !(0..found.len()).any(is_of_words) {
        let columns: Vec<&Column> = typed.iter().map(|place| &found[*place].labels).collect();
        let spelled = labels::spelled(&columns);
        typed.iter().zip(spelled).for_each(|(place, labels)| found[*place].labels = labels);
    }
    let (yes_no, other): (Vec<&AnnotatorLabels>, Vec<&AnnotatorLabels>) =
        found.iter().filter(|of| !of.labels.is_empty()).partition(|of| of.labels.is_binary());
    if let ([one, ..], [another, ..]) = (&yes_no[..], &other[..]) {
        return Err(Fault::asked(format!(
            "`{attribute}` is yes or no by `{}`, and has other values by `{}`",
            one.annotator, another.annotator
        ))
        .next("write the labels of all annotators with the same words, or give one of them another attribute: NAME"));
    }
    let rule = study.evaluation.label_rule(attribute);
    let combined = CombinedLabels::of(&found, rule);
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|of| of.annotator.as_str()).collect();
        survey.notes.push(format!(
            "`{attribute}`: {} of {} labelled images have a label by the rule `{rule}` of {}; {} of the {} that two or more labelled differ",
            combined.labels.len(),
            combined.labelled,
            names.join(", "),
            combined.differ,
            combined.shared
        ));
    }
    // While people label, some classes come later than others: what asks for them waits.
    let values = combined.labels.values();
    let awaited: BTreeSet<&str> = asked_values(study, attribute).into_iter().filter(|value| !values.contains(value)).collect();
    if !found.is_empty() && !awaited.is_empty() && !values.is_empty() && !combined.labels.is_binary() {
        let classes = awaited.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        survey.missing.push(Absent {
            input: format!("labels of `{attribute}`: none is {classes} yet"),
            expected_at: Some("data/journals".into()),
            need: Need::Attribute(attribute.to_owned()),
        });
        survey.annotators.insert(attribute.to_owned(), found);
        return Ok(());
    }
    if !found.is_empty() {
        survey.labels.insert(attribute.to_owned(), combined.labels);
        survey.missing_labels.remove(attribute);
        survey.annotators.insert(attribute.to_owned(), found);
    }
    Ok(())
}

/// A table none of whose images is known says nothing; neither does one that says it is of other images.
pub(crate) fn fits(
    table: &LabelTable,
    (study, known): (&Study, Option<&ImageIndex>),
    survey: &Survey,
    path: &Path,
) -> Result<()> {
    if let Some(said) = table.labels.get(Labels::MARK)
        && let Some(own) = images_mark(study, survey, known)
        && let Some(other) = said.values().into_iter().find(|said| Labels::are_of_others(said, &own))
    {
        let mark = Labels::MARK;
        return Err(Fault::asked(format!(
            "the labels were saved of other images: `{mark}` is `{other}`, and here it is `{own}`"
        ))
        .in_file(path)
        .next(format!(
            "read them in a study of the same pictures (data set, partition); if the same names mean the same pictures, take the \
                 column `{mark}` out"
        )));
    }
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
