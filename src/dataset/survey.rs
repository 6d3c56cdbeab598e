//! What is there, before anything runs: the images of the evaluation, their labels, and what is missing.

use super::{DigestCache, features, labels, pictures};
use crate::domain::{
    Fault, Result,
    image::{Column, Images, Labels},
    model::{GivenFeatures, Source},
    study::{Dataset, Study},
};
use std::{collections::BTreeSet, path::PathBuf};

/// What was found of a study's data.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every image of the evaluation data set; `None` while that data set is missing.
    pub images: Option<Images>,
    pub labels: Labels,
    /// Image → identity; `None` where each image is its own.
    pub identities: Option<Column>,
    pub missing: Vec<Absent>,
    /// Oddities that stop nothing.
    pub warnings: Vec<String>,
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
    /// Those of this projection, by place.
    Projection(usize),
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
        let names: Vec<String> = table.labels.0.keys().cloned().collect();
        let Some(column) = table.labels.0.remove(&file.attribute) else {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return Err(Fault::asked(format!("the label file has no attribute `{}`", file.attribute))
                .in_file(&file.file)
                .next(crate::domain::nearest::suggestion(&file.attribute, &names)));
        };
        if survey.labels.0.insert(file.attribute.clone(), column).is_some() {
            return Err(Fault::asked(format!("the attribute `{}` has labels in two files", file.attribute))
                .in_file(&file.file)
                .next("rename it in one of them, or leave one out"));
        }
    }
    given(study, &mut survey)?;
    if let Some(images) = &survey.images {
        let known: BTreeSet<&str> = images.ids().collect();
        for (attribute, column) in &survey.labels.0 {
            let strange = column.0.keys().filter(|id| !known.contains(id.as_str())).count();
            if strange > 0 {
                survey.warnings.push(format!("{strange} labels of `{attribute}` are of images that the evaluation data set does not have; they are left out"));
            }
        }
    }
    Ok(survey)
}

fn evaluation(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    let Some(name) = &study.evaluation.dataset else {
        return Ok(());
    };
    let dataset = &study.datasets[name];
    let Dataset::Images { root, labels: label_file } = dataset else {
        let root = dataset.root();
        if root.is_dir() {
            survey.missing.push(Absent {
                input: format!("a reader for the data set `{name}` (this release reads `images` only)"),
                expected_at: None,
                need: Need::Everything,
            });
        } else {
            survey.missing.push(Absent {
                input: format!("evaluation data set `{name}`"),
                expected_at: Some(root.clone()),
                need: Need::Everything,
            });
        }
        return Ok(());
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
        let images = pictures::list(root, digests)?;
        if let Some(table) = &table {
            let unlabelled: Vec<&str> = images.ids().filter(|id| !table.images.contains(*id)).collect();
            if let Some(first) = unlabelled.first() {
                survey.warnings.push(format!(
                    "{} of {} pictures of `{name}` have no row in {}, such as `{first}`; they are in no class",
                    unlabelled.len(),
                    images.len(),
                    label_file.as_ref().map_or(String::new(), |file| file.display().to_string())
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
    }
    Ok(())
}

/// Files of models whose features or weights are given.
fn given(study: &Study, survey: &mut Survey) -> Result<()> {
    let mut lists: Vec<(&GivenFeatures, features::GivenRows)> = Vec::new();
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
        if given.images.is_file() {
            let bytes =
                std::fs::read(&given.images).map_err(|error| Fault::io("read the list of images", &given.images, &error))?;
            lists.push((given, features::read_rows(&bytes, &given.images)?));
        }
    }
    if study.evaluation.dataset.is_none()
        && let Some((_, rows)) = lists.first()
    {
        survey.images = Some(Images(rows.keys().map(|id| (id.clone(), None)).collect()));
    }
    if let Some(images) = &survey.images {
        for (given, rows) in &lists {
            features::unknown_rows(rows, images, &given.images)?;
        }
    }
    Ok(())
}
