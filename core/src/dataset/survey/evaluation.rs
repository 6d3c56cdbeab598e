//! The images that models are compared on: their pictures, labels and identities.

use super::{
    found::{Absent, Need, Survey},
    label_files::{fits, known, missing_words},
};
use crate::{
    dataset::{
        defects::{Severity, name_of},
        digests::DigestCache,
        faces::Truth,
        identities::{self, People},
        pictures,
        readers::{
            collect,
            labels::{self, LabelReading, LabelTable},
        },
        source::PictureSource,
    },
    domain::{
        Fault, Result,
        image::{Images, Labels},
        study::{Dataset, Identities, Partition, Study},
    },
};
use std::path::Path;

pub(crate) fn evaluation(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    let Some(name) = &study.evaluation.dataset else {
        return Ok(());
    };
    let dataset = &study.datasets[name];
    let Dataset::Images { root, labels: label_file, identities, missing, faces: _ } = dataset else {
        return collected(study, dataset, digests, survey);
    };
    if PictureSource::is_here(root) {
        let found = pictures::some(root)?;
        survey.warnings.extend(found.passed_over().map(|passed| format!("`{name}`: {passed}")));
        survey.images = Some(PictureSource::open(root)?.digested(found.ids, digests)?);
        survey.pictures = Some(root.clone());
    }
    let known = known(study, survey);
    let rule = |attribute: &str| missing_words(study, attribute, missing.as_ref());
    let reading = LabelReading { known: known.as_ref(), alone: None, missing: &rule };
    let table = match label_file {
        Some(file) if file.exists() => {
            let mut table = labels::read(file, &reading, digests)?;
            asked_of(study, identities, &table)?;
            fits(&table, (study, known.as_ref()), survey, file)?;
            table.labels.remove(Labels::MARK);
            survey.note_table(&table, file);
            Some((table, file))
        }
        Some(file) => {
            survey.missing.push(Absent {
                input: format!("labels of the data set `{name}`"),
                expected_at: Some(file.clone()),
                need: Need::Everything,
            });
            None
        }
        None => None,
    };
    if study.evaluation.partition.is_some() {
        survey.warnings.push(format!("`{name}` has no partitions: `evaluation.partition` is passed over"));
    }
    let Some((table, file)) = table else {
        if label_file.is_none() && survey.images.is_none() {
            survey.missing.push(Absent {
                input: format!("evaluation data set `{name}`"),
                expected_at: Some(root.clone()),
                need: Need::Everything,
            });
        }
        if !matches!(identities, Identities::Column(_)) {
            take_identities(survey, identities, None)?;
        }
        return Ok(());
    };
    match &survey.images {
        Some(images) => {
            let rows = table.images.rows(images.ids());
            let unlabelled: Vec<&str> = images.ids().zip(&rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id).collect();
            if let Some(first) = unlabelled.first() {
                survey.warnings.push(format!(
                    "{} of {} pictures of `{name}` have no row in {}, such as `{first}`; they are in no class",
                    unlabelled.len(),
                    images.len(),
                    name_of(file)
                ));
            }
        }
        // The pictures may be absent: the features are given, the labels name the images.
        None => survey.images = Some(Images(table.images.iter().map(|id| (id.to_owned(), None)).collect())),
    }
    survey.labelled_in.extend(table.labels.names().map(|attribute| (attribute.to_owned(), file.clone())));
    survey.labels = table.labels;
    survey.missing_labels = table.missing;
    take_identities(survey, identities, Some(file.as_path()))
}

/// Who is on the images, where the study says so; an identity file that is absent is waited for.
fn take_identities(survey: &mut Survey, said: &Identities, table: Option<&Path>) -> Result<()> {
    let Some(images) = &survey.images else { return Ok(()) };
    if let Identities::File(file) = said
        && !file.exists()
    {
        survey.missing.push(Absent {
            input: "identities of the evaluation's images".to_owned(),
            expected_at: Some(file.clone()),
            need: Need::Everything,
        });
        // Who is on the pictures decides every score: none is made before it is known.
        survey.images = None;
        return Ok(());
    }
    if *said == Identities::EachImage {
        survey.people = People::EachImage;
        survey.identities = None;
    }
    if let Some(found) = identities::said(said, images, &mut survey.labels, table)? {
        if let Identities::Column(column) = said {
            survey.missing_labels.remove(column);
        }
        survey.people = People::Known;
        survey.identities = Some(found.column);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    Ok(())
}

/// An attribute that the study asks for must be readable.
fn asked_of(study: &Study, identities: &Identities, table: &LabelTable) -> Result<()> {
    let mut asked = study.asked_attributes();
    asked.extend(study.fairness.groups.iter().map(String::as_str));
    asked.extend(study.nuisances.columns());
    if let Identities::Column(column) = identities {
        asked.insert(column);
    }
    // Those that have a file of their own are not read here.
    let elsewhere = |attribute: &str| study.evaluation.labels.iter().any(|file| file.attribute == attribute);
    match asked.into_iter().filter(|attribute| !elsewhere(attribute)).find_map(|attribute| table.unusable.get(attribute)) {
        Some(fault) => Err(fault.clone()),
        None => Ok(()),
    }
}

/// The evaluation's images, where the data set is of a known format.
fn collected(study: &Study, dataset: &Dataset, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    let name = study.evaluation.dataset.as_deref().unwrap_or_default();
    if !dataset.is_here() {
        survey.missing.push(Absent {
            input: format!("evaluation data set `{name}`"),
            expected_at: Some(dataset.root().clone()),
            need: Need::Everything,
        });
        return Ok(());
    }
    let set = collect(dataset, digests)?;
    if let Some(fault) = set.defects.first_fatal() {
        return Err(fault);
    }
    for found in set.defects.all() {
        let example = found.examples.first().map_or(String::new(), |fault| format!(": {}", fault.what));
        let sentence = format!("`{name}`: {} × {}{example}", found.count, found.word);
        // Missing labels are told attribute by attribute.
        match found.severity {
            Severity::Note if found.word != "missing-labels" => survey.notes.push(sentence),
            Severity::Note => {}
            Severity::Defect | Severity::Fatal => survey.warnings.push(sentence),
        }
    }
    let wanted = study.evaluation.partition.filter(|partition| *partition != Partition::All);
    let ids: Vec<String> = match (wanted, &set.partitions) {
        (None, _) => set.ids,
        (Some(wanted), Some(of)) => {
            set.ids.into_iter().filter(|id| of.get(id).is_some_and(|part| part == wanted.word())).collect()
        }
        (Some(_), None) => {
            survey.warnings.push(format!("`{name}` has no partitions: `evaluation.partition` is passed over"));
            set.ids
        }
    };
    if ids.is_empty() {
        return Err(Fault::asked(format!("the data set `{name}` has no image here, or none in the partition that is asked for"))
            .in_file(dataset.root()));
    }
    let images = if PictureSource::is_here(&set.pictures) {
        survey.pictures = Some(set.pictures.clone());
        PictureSource::open(&set.pictures)?.digested(ids, digests)?
    } else {
        // The tables name the images; who needs their pictures waits.
        Images(ids.into_iter().map(|id| (id, None)).collect())
    };
    if let Some(file) = &set.labelled_in {
        survey.labelled_in.extend(set.labels.names().map(|attribute| (attribute.to_owned(), file.clone())));
    }
    survey.labels = set.labels.restricted(&images);
    survey.missing_labels = set.missing;
    survey.identities = set.identities.map(|identities| identities.restricted(&images));
    survey.people = if survey.identities.is_some() { People::Known } else { People::Unknown };
    survey.images = Some(images);
    take_identities(survey, dataset.identities(), None)?;
    let truth = dataset.root().join("truth.json");
    if truth.exists() {
        let bytes =
            crate::files::read_up_to(&truth, crate::files::LARGEST_TEXT).map_err(|error| Fault::io("read", &truth, &error))?;
        match serde_json::from_slice::<Truth>(&bytes) {
            Ok(_) => survey.truth = Some(bytes),
            Err(error) => {
                survey.warnings.push(format!("`{name}`: truth.json says nothing of drawn faces ({error}); it is passed over"));
            }
        }
    }
    Ok(())
}
