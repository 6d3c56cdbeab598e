//! What is there, before anything runs: the images of the evaluation, their labels, and what is missing.

use super::{
    DigestCache, collect,
    drawn::Truth,
    features,
    identities::{self, People},
    labels,
    matching::{RowList, list_of, matched},
    pictures,
};
use crate::domain::{
    Digest, Fault, Result,
    image::{Column, Images, Labels},
    model::Source,
    study::{Dataset, Identities, Study},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What was found of a study's data.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every image of the evaluation data set; `None` while that data set is missing.
    pub images: Option<Images>,
    pub labels: Labels,
    /// Image → identity; `None` where each image is its own.
    pub identities: Option<Column>,
    /// Whether that is known, said or only assumed.
    pub people: People,
    /// The folder in which the images' ids are paths; `None` where there are no pictures.
    pub pictures: Option<PathBuf>,
    /// What was planted in drawn faces.
    pub truth: Option<Vec<u8>>,
    /// What networks learn from, by the data set's name.
    pub training: BTreeMap<String, TrainingSet>,
    pub missing: Vec<Absent>,
    /// Oddities that stop nothing.
    pub warnings: Vec<String>,
    /// What was done and is as it should be: rows that were left out, headers that were recognised.
    pub notes: Vec<String>,
}

/// Pictures in classes.
#[derive(Debug)]
pub struct TrainingSet {
    pub pictures: PathBuf,
    pub images: Images,
    pub classes: Column,
}

/// Something the study names that is not there, or that this release cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub input: String,
    /// Where it is expected; `None` for an ability that is missing.
    pub expected_at: Option<PathBuf>,
    pub need: Need,
}

/// Which cells wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// All of them: it is the evaluation data.
    Everything,
    /// Those of these models, by place.
    Models(BTreeSet<usize>),
    /// Those of comparisons that name this attribute.
    Attribute(String),
}

/// Looks at everything the study names.
///
/// # Errors
/// Files that are there and cannot be used. What is absent is no error: see [`Survey::missing`].
pub fn survey(study: &Study, digests: &mut DigestCache) -> Result<Survey> {
    let mut survey = Survey::default();
    evaluation(study, digests, &mut survey)?;
    for file in &study.evaluation.labels {
        if !file.file.exists() {
            survey.missing.push(Absent {
                input: format!("labels of `{}`", file.attribute),
                expected_at: Some(file.file.clone()),
                need: Need::Attribute(file.attribute.clone()),
            });
            continue;
        }
        let mut table = labels::read(&file.file)?;
        let names: Vec<String> = table.labels.names().map(str::to_owned).collect();
        let Some(column) = table.labels.remove(&file.attribute) else {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return Err(Fault::asked(format!("the label file has no attribute `{}`", file.attribute))
                .in_file(&file.file)
                .next(crate::domain::nearest::suggestion(&file.attribute, &names)));
        };
        if survey.labels.insert(file.attribute.clone(), column).is_some() {
            return Err(Fault::asked(format!("the attribute `{}` has labels in two files", file.attribute))
                .in_file(&file.file)
                .next("rename it in one of them, or leave one out"));
        }
    }
    let lists = given(study, &mut survey)?;
    training(study, digests, &mut survey)?;
    if let Some(images) = &survey.images {
        let known: BTreeSet<&str> = images.ids().collect();
        for (attribute, column) in survey.labels.iter() {
            let strange = column.images().filter(|id| !known.contains(id)).count();
            if strange > 0 {
                survey.warnings.push(format!("{strange} labels of `{attribute}` are of images that the evaluation data set does not have; they are left out"));
            }
        }
    }
    if let Some(images) = survey.images.take() {
        let found = matched(images, study.evaluation.take.as_ref(), study.evaluation.on_missing, &lists)?;
        survey.images = Some(found.images);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    Ok(survey)
}

fn evaluation(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    let Some(name) = &study.evaluation.dataset else {
        return Ok(());
    };
    let dataset = &study.datasets[name];
    let Dataset::Images { root, labels: label_file, identities } = dataset else {
        return collected(study, dataset, digests, survey);
    };
    let table = match label_file {
        Some(file) if file.exists() => Some(labels::read(file)?),
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
    if root.is_dir() {
        let found = pictures::some(root)?;
        survey.warnings.extend(found.passed_over().map(|passed| format!("`{name}`: {passed}")));
        let images = pictures::digested(root, found.ids, digests)?;
        survey.pictures = Some(root.clone());
        if let Some(table) = &table {
            let unlabelled: Vec<&str> = images.ids().filter(|id| !table.images.contains(*id)).collect();
            if let Some(first) = unlabelled.first() {
                survey.warnings.push(format!(
                    "{} of {} pictures of `{name}` have no row in {}, such as `{first}`; they are in no class",
                    unlabelled.len(),
                    images.len(),
                    label_file
                        .as_ref()
                        .and_then(|file| file.file_name())
                        .map_or(String::new(), |name| name.to_string_lossy().into_owned())
                ));
            }
        }
        survey.images = Some(images);
    } else if let Some(table) = &table {
        // The pictures may be absent: the features are given, the labels name the images.
        survey.images = Some(Images(table.images.iter().map(|id| (id.clone(), None)).collect()));
    } else if label_file.is_none() {
        survey.missing.push(Absent {
            input: format!("evaluation data set `{name}`"),
            expected_at: Some(root.clone()),
            need: Need::Everything,
        });
    }
    if let Some(table) = table {
        survey.labels = table.labels;
        take_identities(survey, identities, label_file.as_deref())?;
    } else if !matches!(identities, Identities::Column(_)) {
        take_identities(survey, identities, None)?;
    }
    Ok(())
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
        survey.people = People::Known;
        survey.identities = Some(found.column);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    Ok(())
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
    let set = collect(dataset)?;
    if let Some(fault) = set.defects.first_fatal() {
        return Err(fault);
    }
    for defect in set.defects.all() {
        let example = defect.examples.first().map_or(String::new(), |fault| format!(": {}", fault.what));
        survey.warnings.push(format!("`{name}`: {} × {}{example}", defect.count, defect.word));
    }
    let wanted = study.evaluation.partition.as_deref().filter(|partition| *partition != "all");
    let ids: Vec<String> = match (wanted, &set.partitions) {
        (None, _) => set.ids,
        (Some(wanted), Some(of)) => set.ids.into_iter().filter(|id| of.get(id).is_some_and(|part| part == wanted)).collect(),
        (Some(_), None) => {
            survey.warnings.push(format!("`{name}` has no partitions: `evaluation.partition` is passed over"));
            set.ids
        }
    };
    if ids.is_empty() {
        return Err(Fault::asked(format!("the data set `{name}` has no image here, or none in the partition that is asked for"))
            .in_file(dataset.root()));
    }
    let images = if set.pictures.is_dir() {
        survey.pictures = Some(set.pictures.clone());
        pictures::digested(&set.pictures, ids, digests)?
    } else {
        // The tables name the images; who needs their pictures waits.
        Images(ids.into_iter().map(|id| (id, None)).collect())
    };
    survey.labels = set.labels.restricted(&images);
    survey.identities = set.identities.map(|identities| identities.restricted(&images));
    survey.people = if survey.identities.is_some() { People::Known } else { People::Unknown };
    survey.images = Some(images);
    take_identities(survey, dataset.identities(), None)?;
    let truth = dataset.root().join("truth.json");
    if truth.is_file() {
        let bytes = std::fs::read(&truth).map_err(|error| Fault::io("read", &truth, &error))?;
        match serde_json::from_slice::<Truth>(&bytes) {
            Ok(_) => survey.truth = Some(bytes),
            Err(error) => {
                survey.warnings.push(format!("`{name}`: truth.json says nothing of drawn faces ({error}); it is passed over"));
            }
        }
    }
    Ok(())
}

/// What networks of this study learn from.
fn training(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    if study.numerics.device == "pretend" {
        return Ok(());
    }
    let learns = |name: &String| study.models.iter().any(|model| model.learns_from(name));
    for (name, dataset) in study.datasets.iter().filter(|(name, dataset)| learns(name) && dataset.is_here()) {
        let set = collect(dataset)?;
        if !set.pictures.is_dir() {
            let models = study.models.iter().enumerate().filter(|(_, model)| model.learns_from(name)).map(|(place, _)| place);
            survey.missing.push(Absent {
                input: format!("pictures of the training set `{name}`"),
                expected_at: Some(set.pictures),
                need: Need::Models(models.collect()),
            });
            continue;
        }
        if let Some(fault) = set.defects.first_fatal() {
            return Err(fault);
        }
        let Some(classes) = set.classes else {
            return Err(Fault::asked(format!("a network cannot learn from `{name}`: its images are in no classes"))
                .in_file(dataset.root())
                .next("one folder a class is `folders`; CelebA's classes are its identities"));
        };
        // Who is tested is never learned.
        let part = |id: &String| set.partitions.as_ref().is_none_or(|of| of.get(id).is_some_and(|part| part == "train"));
        let ids: Vec<String> = set.ids.into_iter().filter(|id| part(id) && classes.get(id).is_some()).collect();
        let kept: BTreeSet<&str> = ids.iter().filter_map(|id| classes.get(id)).collect();
        if kept.len() < 2 {
            return Err(Fault::asked(format!("`{name}` has fewer than two classes to learn")).in_file(dataset.root()));
        }
        let images = pictures::digested(&set.pictures, ids, digests)?;
        let classes = classes.restricted(&images);
        let evaluated: BTreeSet<Digest> =
            survey.images.iter().flat_map(|images| &images.0).filter_map(|(_, digest)| *digest).collect();
        let learned = images.0.iter().filter(|(_, digest)| digest.is_some_and(|digest| evaluated.contains(&digest))).count();
        if learned > 0 {
            survey.warnings.push(format!(
                "{learned} pictures of the evaluation are among those that networks learn from in `{name}`: what is found there may be learned by heart"
            ));
        }
        survey.training.insert(name.clone(), TrainingSet { pictures: set.pictures, images, classes });
    }
    Ok(())
}

/// Files of models whose features are given, and the lists of their rows.
fn given(study: &Study, survey: &mut Survey) -> Result<Vec<RowList>> {
    let mut lists: Vec<RowList> = Vec::new();
    for (place, model) in study.models.iter().enumerate() {
        let Source::Given(given) = &model.source else { continue };
        let files = given.taps.iter().map(|(tap, file)| (format!("features of `{}` at {tap}", model.name), file));
        for (input, file) in files.chain([(format!("image list of `{}`", model.name), &given.images)]) {
            if !file.is_file() {
                match survey.missing.iter_mut().find(|absent| absent.expected_at.as_ref() == Some(file)) {
                    Some(Absent { need: Need::Models(models), .. }) => _ = models.insert(place),
                    _ => {
                        survey.missing.push(Absent {
                            input,
                            expected_at: Some(file.clone()),
                            need: Need::Models([place].into()),
                        });
                    }
                }
            }
        }
        match list_of(&mut lists, &given.images) {
            Some(list) => list.models.push(model.name.clone()),
            None if given.images.is_file() => {
                let bytes =
                    std::fs::read(&given.images).map_err(|error| Fault::io("read the list of images", &given.images, &error))?;
                let rows = features::read_rows(&bytes, &given.images)?;
                lists.push(RowList { models: vec![model.name.clone()], file: given.images.clone(), rows });
            }
            None => {}
        }
    }
    if study.evaluation.dataset.is_none()
        && let Some(list) = lists.first()
    {
        survey.images = Some(Images(list.rows.keys().map(|id| (id.clone(), None)).collect()));
    }
    Ok(lists)
}
