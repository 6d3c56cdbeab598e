//! Which pictures are labelled: those of a folder, or those that a study evaluates.

use super::super::{
    Context,
    chosen::{self, UnnamedLayer},
    output::remark,
};
use crate::study::{self, StudyNames};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{self, DigestCache, PictureSource, array},
    domain::{
        Fault, Result,
        image::{Column, ImageIndex, Images},
        text::{count, printable},
    },
    files,
    numeric::Matrix,
};

/// Pictures with their digests, and who is on them.
pub(super) struct LabelledImages {
    /// Where the pictures are: a folder, an archive or a file of records.
    pub pictures: PathBuf,
    pub images: Images,
    pub identities: Option<Column>,
}

/// Is a study file meant, and not a place of pictures?
pub(super) fn is_study(place: &Path) -> bool {
    place.extension().is_some_and(|ending| ["yaml", "yml"].iter().any(|of| ending.eq_ignore_ascii_case(of)))
}

impl LabelledImages {
    /// # Errors
    /// No such folder, or none with pictures; what is wrong with a study or its data.
    pub(super) fn find(place: &Path, context: &Context) -> Result<Self> {
        let found = if is_study(place) { Self::of_study(place, context)? } else { Self::of_folder(place, context)? };
        if found.images.is_empty() {
            return Err(Fault::asked("there is no picture to label").in_file(place));
        }
        Ok(found)
    }

    fn of_folder(folder: &Path, context: &Context) -> Result<Self> {
        let mut digests = DigestCache::open(context.workspace.digests());
        let set = dataset::collect(&dataset::recognise(folder), &mut digests)?;
        let source = PictureSource::open(&set.pictures)?;
        // A table may name more images than there are pictures.
        let ids = set.ids.into_iter().filter(|id| source.has(id)).collect();
        let images = source.digested(ids, &mut digests)?;
        digests.keep();
        let identities = set.identities.map(|identities| identities.restricted(&images));
        Ok(LabelledImages { pictures: set.pictures, images, identities })
    }

    fn of_study(file: &Path, context: &Context) -> Result<Self> {
        let (study, survey) = study::look_at(file, &context.workspace)?;
        let missing = || {
            Fault::missing("the study's pictures are not here")
                .in_file(file)
                .next("`visavis plan` on it names what is missing; or name a folder of pictures")
        };
        let images = survey.images.ok_or_else(missing)?;
        let images = dataset::taken(&images, study.evaluation.take.as_ref())?.into_owned();
        Ok(LabelledImages { pictures: survey.pictures.ok_or_else(missing)?, images, identities: survey.identities })
    }

    /// The places of the images that a list or a table names, in its order.
    pub(super) fn listed(&self, list: &Path, marked: Option<&str>, context: &Context) -> Result<Vec<usize>> {
        let bytes = files::read_up_to(list, files::LARGEST_TEXT).map_err(|error| Fault::io("read", list, &error))?;
        let listed = dataset::read_order(&bytes, list, ImageIndex::from_sorted(self.images.ids()).as_ref(), marked)?;
        let places: HashMap<&str, usize> = self.images.ids().zip(0..).collect();
        let (mut order, mut unknown) = (Vec::new(), Vec::new());
        for id in &listed.ids {
            match places.get(id.as_str()) {
                Some(place) => order.push(*place),
                None => unknown.push(id),
            }
        }
        let example = unknown.first().map(|id| format!(", such as `{}`", printable(id)));
        if order.is_empty() {
            let example = example.unwrap_or_default();
            return Err(Fault::asked(format!(
                "none of the list's images is one of the data set's {}{example}",
                self.images.len()
            ))
            .in_file(list)
            .next("a list has an image a line, or a table a column of them, named as the data set names them"));
        }
        for note in &listed.notes {
            remark(context, format!("note: {}", printable(&note.told(list))));
        }
        if listed.repeated > 0 {
            let what = count(listed.repeated, "row");
            remark(context, format!("note: {what} of {} name an image that was there before: it is asked once", list.display()));
        }
        if let Some(example) = example {
            let what = count(unknown.len(), "row");
            remark(context, format!("note: {what} of {} name no image of the data set{example}", list.display()));
        }
        Ok(order)
    }
}

/// The features of a model of a study at a layer (the last, if none is named), a row for each of the images.
pub(super) fn features(file: &Path, (model, layer): (&str, Option<&str>), images: &Images, context: &Context) -> Result<Matrix> {
    let opened = study::open(file, &context.workspace)?;
    let plan = study::plan(&opened, &context.workspace)?;
    let names = StudyNames::of(&plan.study);
    let model = chosen::model(&plan.study, "--unsure-of", Some(model))?;
    let layer = chosen::layer(&plan.study, model, layer, UnnamedLayer::Last)?;
    let absent = || {
        Fault::missing(format!("there are no features of `{}` yet", names.model(model)))
            .in_file(file)
            .next(format!("`{}` makes them", context.line(&["run", &file.display().to_string()])))
    };
    let output = study::features_name(&plan.study, model, layer);
    let bytes = plan.bytes(study::features(&plan.study, model, layer), &output)?.ok_or_else(absent)?;
    let matrix = array::from_npy(&bytes, Path::new(&output))?;
    let listed = plan.listed_images()?.ok_or_else(absent)?;
    let rows: HashMap<&str, usize> = listed.ids().enumerate().map(|(row, id)| (id, row)).collect();
    let rows: Option<Vec<usize>> = images.ids().map(|id| rows.get(id).copied()).collect();
    Ok(matrix.take(&rows.ok_or_else(absent)?))
}
