//! Where the faces are in the pictures that are looked at, for the crops that need it.

use super::found::{Absent, Need, Survey};
use crate::{
    dataset::{
        matching::taken,
        readers::{
            face_table,
            marks::{FoundMarks, read},
        },
    },
    domain::{
        Fault, Result,
        alteration::Alteration,
        image::{Column, Images},
        index::ModelIx,
        model::{Model, Source},
        nuisance::Nuisance,
        study::{DeviceClass, FaceMark, OnMissing, Study},
        text::{count, thousands},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A table that was read.
pub(super) struct MarkTable {
    kind: FaceMark,
    file: PathBuf,
    found: FoundMarks,
}

/// The models that need each kind, of those that are wanted.
fn needed(study: &Study, wanted: impl Fn(&Model) -> bool) -> BTreeMap<FaceMark, BTreeSet<ModelIx>> {
    let mut needed: BTreeMap<FaceMark, BTreeSet<ModelIx>> = BTreeMap::new();
    for (place, model) in study.models.iter_enumerated().filter(|(_, model)| wanted(model)) {
        // Pretending takes no pictures.
        if matches!(model.source, Source::Network(_)) && study.numerics.device == DeviceClass::Pretend {
            continue;
        }
        let Some(prepare) = model.prepared_by() else { continue };
        if let Some(kind) = study.preparations.get(prepare).and_then(|preparation| preparation.crop.needs()) {
            needed.entry(kind).or_default().insert(place);
        }
    }
    needed
}

/// Reads what is needed of a data set; a table that is absent is noted.
fn tables(
    study: &Study,
    name: &str,
    needed: BTreeMap<FaceMark, BTreeSet<ModelIx>>,
    images: &Images,
    survey: &mut Survey,
) -> Result<Vec<MarkTable>> {
    let mut tables = Vec::new();
    for (kind, models) in needed {
        let Some(file) = face_table(&study.datasets[name], kind)? else {
            let preparation = models.first().and_then(|&model| study.models[model].prepared_by());
            let preparation = preparation.map_or(String::new(), |name| format!("the crop of `{name}` "));
            return Err(Fault::asked(format!("{preparation}needs {kind}, and the data set `{name}` names no table of them"))
                .next(format!("name one at the data set: {kind}: ../{kind}.csv")));
        };
        if !file.exists() {
            match survey.missing.iter_mut().find(|absent| absent.expected_at.as_ref() == Some(&file)) {
                Some(Absent { need: Need::Models(waiting), .. }) => waiting.extend(models),
                _ => {
                    let input = format!("{kind} of the data set `{name}`");
                    survey.missing.push(Absent { input, expected_at: Some(file), need: Need::Models(models) });
                }
            }
            continue;
        }
        let found = read(&file, kind, images)?;
        survey.notes.extend(found.notes.iter().cloned());
        tables.push(MarkTable { kind, file, found });
    }
    Ok(tables)
}

/// What is needed of the evaluation's pictures. Images without it are left out here, if the study asks for that.
pub(super) fn of_evaluation(study: &Study, survey: &mut Survey) -> Result<Vec<MarkTable>> {
    let (Some(name), Some(_)) = (&study.evaluation.dataset, &survey.pictures) else { return Ok(vec![]) };
    let Some(images) = survey.images.take() else { return Ok(vec![]) };
    let tables = tables(study, name, needed(study, |_| true), &images, survey)?;
    let before = images.len();
    let images = match study.evaluation.on_missing {
        OnMissing::Stop => images,
        OnMissing::LeaveOut => {
            let has = |id: &str| tables.iter().all(|table| table.found.column.get(id).is_some());
            Images(images.0.into_iter().filter(|(id, _)| has(id)).collect())
        }
    };
    if images.len() < before {
        let what = tables.iter().map(|table| table.kind.word()).collect::<Vec<_>>().join(" or ");
        if images.is_empty() {
            return Err(Fault::asked(format!("no image has {what}, so there is nothing to evaluate"))
                .next("find the faces anew, or take another crop"));
        }
        survey.warnings.push(format!(
            "{} of {} left out for all models alike, as `on_missing: leave_out` asks: they have no {what}",
            thousands(before - images.len()),
            count(before, "image") + if before - images.len() == 1 { " is" } else { " are" }
        ));
    }
    survey.images = Some(images);
    Ok(tables)
}

/// Keeps what is needed of the evaluation's pictures, once it is known which they are.
///
/// # Errors
/// An image that is evaluated and has none.
pub(super) fn keep(tables: Vec<MarkTable>, study: &Study, survey: &mut Survey) -> Result<()> {
    let Some(images) = &survey.images else { return Ok(()) };
    let evaluated = taken(images, study.evaluation.take.as_ref())?;
    for table in &tables {
        none_lacks(table, &evaluated, "`on_missing: leave_out` leaves such images out for all models alike")?;
    }
    survey.marks = tables.into_iter().map(|table| (table.kind, table.found.column.restricted(images))).collect();
    for_masks(study, survey)
}

/// Where the heads are, for masks of backgrounds: landmarks of the evaluation's pictures where the data set has some. None are missed.
fn for_masks(study: &Study, survey: &mut Survey) -> Result<()> {
    let masks = study.models.keys().any(|model| study.alterations_of(model).contains(&Alteration::BackgroundMasked));
    let (true, Some(name), Some(images)) = (masks && !study.pretends(), &study.evaluation.dataset, &survey.images) else {
        return Ok(());
    };
    if survey.marks.contains_key(&FaceMark::Landmarks) {
        return Ok(());
    }
    let Some(file) = face_table(&study.datasets[name], FaceMark::Landmarks)?.filter(|file| file.exists()) else { return Ok(()) };
    let found = read(&file, FaceMark::Landmarks, images)?;
    survey.marks.insert(FaceMark::Landmarks, found.column.restricted(images));
    survey.notes.extend(found.notes);
    Ok(())
}

/// Where the faces are, as far as the data set says, for measures of its pictures. A table that cannot be read is told, and done without.
pub(super) fn seen(study: &Study, survey: &mut Survey) {
    let is_measured = study.nuisances_looked_for().iter().any(|of| matches!(of, Nuisance::Measured(_)));
    let (Some(name), Some(images), true) = (&study.evaluation.dataset, &survey.images, is_measured) else { return };
    for kind in FaceMark::ALL {
        let Ok(Some(file)) = face_table(&study.datasets[name], kind) else { continue };
        if !file.exists() {
            continue;
        }
        match read(&file, kind, images) {
            Ok(found) if !found.column.is_empty() => {
                survey.seen_faces.insert(kind, found.column.restricted(images));
            }
            Ok(_) => {}
            Err(fault) => {
                survey.warnings.push(format!("pictures are measured without {kind}, whose table cannot be read: {}", fault.what));
            }
        }
    }
}

/// What is needed of the pictures that networks learn from.
///
/// # Errors
/// A picture without it.
pub(super) fn of_training(study: &Study, survey: &mut Survey) -> Result<()> {
    for name in survey.training.keys().cloned().collect::<Vec<_>>() {
        let images = survey.training[&name].images.clone();
        let tables = tables(study, &name, needed(study, |model| model.learns_from(&name)), &images, survey)?;
        for table in &tables {
            none_lacks(table, &images, "take the picture out of the training set, or find its face")?;
        }
        if let Some(set) = survey.training.get_mut(&name) {
            set.marks = tables.into_iter().map(|table| (table.kind, table.found.column)).collect();
        }
    }
    Ok(())
}

/// Where the faces are in the pictures of a verification set.
///
/// # Errors
/// A table that cannot be used; a picture without it.
pub(super) fn of_pairs(kind: FaceMark, file: &Path, images: &Images, survey: &mut Survey) -> Result<Column> {
    let found = read(file, kind, images)?;
    survey.notes.extend(found.notes.iter().cloned());
    let table = MarkTable { kind, file: file.to_owned(), found };
    none_lacks(&table, images, "take its pairs out of the list, or find its face")?;
    Ok(table.found.column.restricted(images))
}

fn none_lacks(table: &MarkTable, images: &Images, next: &str) -> Result<()> {
    let MarkTable { kind, file, found } = table;
    if let Some(fault) = images.ids().find_map(|id| found.unusable.get(id)) {
        return Err(fault.clone().next(next));
    }
    let without: Vec<&str> =
        images.ids().zip(found.column.aligned(images)).filter(|(_, mark)| mark.is_none()).map(|(id, _)| id).collect();
    match without.first() {
        None => Ok(()),
        Some(first) => {
            let what =
                format!("{} of {} have no {kind} here, such as {first}", thousands(without.len()), count(images.len(), "image"));
            Err(Fault::asked(what).in_file(file).next(next))
        }
    }
}
