//! What is there, before anything runs: the images of the evaluation, their labels, and what is missing.

use super::{
    defects::{Severity, name_of},
    digests::DigestCache,
    faces::Truth,
    identities::{self, People},
    matching::{RowList, list_of, matched},
    pictures,
    readers::{
        collect,
        labels::{self, LabelReading, LabelTable},
    },
    row_list::read_rows,
    tables::misfit,
};
use crate::domain::{
    Digest, Fault, Result,
    comparison::Question,
    image::{Column, ImageIndex, Images, Labels},
    index::ModelIx,
    ledger::CellId,
    missing::{MissingLabels, MissingWords},
    model::Source,
    study::{Dataset, DeviceClass, Identities, LabelFile, Partition, Study},
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
    /// What is read rightly, and worth knowing.
    pub notes: Vec<String>,
    /// How many labels of each attribute are missing, and how that is spelled.
    pub missing_labels: BTreeMap<String, MissingLabels>,
    /// The file that each attribute's labels are from.
    labelled_in: BTreeMap<String, PathBuf>,
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
    Models(BTreeSet<ModelIx>),
    /// Those of comparisons that name this attribute.
    Attribute(String),
}

impl Need {
    /// Does it keep the cell from being scored?
    pub fn concerns(&self, study: &Study, cell: &CellId) -> bool {
        match self {
            Need::Everything => true,
            Need::Models(models) => models.contains(&cell.model),
            Need::Attribute(attribute) => study.comparisons[cell.comparison].question.attributes().contains(attribute.as_str()),
        }
    }
}

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
    survey.warn_of_strangers();
    if let Some(images) = survey.images.take() {
        let found = matched(images, study.evaluation.take.as_ref(), study.evaluation.on_missing, &lists)?;
        survey.images = Some(found.images);
        survey.warnings.extend(found.warnings);
        survey.notes.extend(found.notes);
    }
    Ok(survey)
}

/// The images of the evaluation, or, while nothing else names them, those of given features.
fn known(study: &Study, survey: &Survey) -> Option<ImageIndex> {
    if let Some(images) = &survey.images {
        return ImageIndex::from_sorted(images.ids());
    }
    let list = study.models.iter().find_map(|model| match &model.source {
        Source::Given(given) if given.images.is_file() => Some(&given.images),
        _ => None,
    })?;
    let rows = read_rows(&std::fs::read(list).ok()?, list, None).ok()?;
    ImageIndex::from_sorted(rows.ids())
}

/// Which words of an attribute are missing labels.
fn missing_words(study: &Study, attribute: &str, instead: Option<&Vec<String>>) -> MissingWords {
    let values = study.evaluation.quoted.get(attribute).cloned().unwrap_or_default();
    MissingWords { instead: instead.cloned(), values }
}

/// The labels of one attribute, from a file of their own.
fn label_file(
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
            .next(crate::domain::spelling::suggestion(attribute, &names)));
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
    let of = table.missing.remove(attribute).unwrap_or_default();
    match (survey.labels.remove(attribute), survey.labelled_in.get(attribute)) {
        (Some(before), Some(other)) => {
            let merged = labels::merged(attribute, (&before, other), (&column, path))?;
            survey.notes.push(format!("the labels of `{attribute}` in {} and {} agree", name_of(other), name_of(path)));
            survey.missing_labels.entry(attribute.clone()).or_default().join(of);
            survey.labels.insert(attribute.clone(), merged);
        }
        _ => {
            survey.labels.insert(attribute.clone(), column);
            survey.missing_labels.insert(attribute.clone(), of);
        }
    }
    survey.labelled_in.insert(attribute.clone(), path.clone());
    Ok(())
}

/// A table none of whose images is known says nothing.
fn fits(table: &LabelTable, known: Option<&ImageIndex>, survey: &Survey, path: &Path) -> Result<()> {
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

impl Survey {
    fn note_table(&mut self, table: &LabelTable, path: &Path) {
        for note in &table.notes {
            let note = note.told(path);
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    fn note_missing_labels(&mut self) {
        for (attribute, of) in &self.missing_labels {
            if of.count() > 0 {
                self.notes.push(format!("`{attribute}`: {}", of.sentence()));
            }
            for (word, count) in &of.kept {
                self.notes.push(format!(
                    "`{attribute}`: `{word}` is a value ({count} images) and no missing label, for the study asks for it in quotes"
                ));
            }
        }
    }

    /// Labels of images that nobody evaluates.
    fn warn_of_strangers(&mut self) {
        let Some(images) = &self.images else { return };
        let known = ImageIndex::from_sorted(images.ids()).unwrap_or_default();
        for (attribute, column) in self.labels.iter() {
            let rows = known.rows(column.images());
            let strange = || column.images().zip(&rows).filter(|(_, row)| row.is_none()).map(|(image, _)| image);
            if let Some(first) = strange().next() {
                self.warnings.push(format!(
                    "{} labels of `{attribute}` are of images that the evaluation data set does not have, such as `{first}`; they are left out",
                    strange().count()
                ));
            }
        }
    }
}

fn evaluation(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    let Some(name) = &study.evaluation.dataset else {
        return Ok(());
    };
    let dataset = &study.datasets[name];
    let Dataset::Images { root, labels: label_file, identities, missing } = dataset else {
        return collected(study, dataset, digests, survey);
    };
    if root.is_dir() {
        let found = pictures::some(root)?;
        survey.warnings.extend(found.passed_over().map(|passed| format!("`{name}`: {passed}")));
        survey.images = Some(pictures::digested(root, found.ids, digests)?);
        survey.pictures = Some(root.clone());
    }
    let known = known(study, survey);
    let rule = |attribute: &str| missing_words(study, attribute, missing.as_ref());
    let reading = LabelReading { known: known.as_ref(), alone: None, missing: &rule };
    let table = match label_file {
        Some(file) if file.exists() => {
            let table = labels::read(file, &reading, digests)?;
            asked_of(study, identities, &table)?;
            fits(&table, known.as_ref(), survey, file)?;
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
    let questions = study.comparisons.iter().map(|comparison| &comparison.question);
    let mut asked: BTreeSet<&str> = questions.flat_map(Question::attributes).collect();
    asked.extend(study.fairness.groups.iter().map(String::as_str));
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
    let images = if set.pictures.is_dir() {
        survey.pictures = Some(set.pictures.clone());
        pictures::digested(&set.pictures, ids, digests)?
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
    if study.numerics.device == DeviceClass::Pretend {
        return Ok(());
    }
    let learns = |name: &String| study.models.iter().any(|model| model.learns_from(name));
    for (name, dataset) in study.datasets.iter().filter(|(name, dataset)| learns(name) && dataset.is_here()) {
        let set = collect(dataset, digests)?;
        if !set.pictures.is_dir() {
            let models = study.models.iter_enumerated().filter(|(_, model)| model.learns_from(name)).map(|(model, _)| model);
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
        let part =
            |id: &String| set.partitions.as_ref().is_none_or(|of| of.get(id).is_some_and(|part| part == Partition::Train.word()));
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
    let known = survey.images.as_ref().and_then(|images| ImageIndex::from_sorted(images.ids()));
    for (place, model) in study.models.iter_enumerated() {
        let Source::Given(given) = &model.source else { continue };
        let files = given.layers.iter().map(|(layer, file)| (format!("features of `{}` at {layer}", model.name), file));
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
                let rows = read_rows(&bytes, &given.images, known.as_ref())?;
                survey.notes.extend(rows.notes.iter().map(|note| note.told(&given.images)));
                lists.push(RowList { models: vec![model.name.clone()], file: given.images.clone(), rows });
            }
            None => {}
        }
    }
    if study.evaluation.dataset.is_none()
        && let Some(list) = lists.first()
    {
        survey.images = Some(Images(list.rows.ids().map(|id| (id.to_owned(), None)).collect()));
    }
    Ok(lists)
}
