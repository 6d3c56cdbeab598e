//! Opens what a study names, so that `check` tells before a run what the run would meet: every array of given features, every
//! weight file, and pictures spread over each data set (`data check` opens them all).

use super::OpenedStudy;
use rayon::prelude::*;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use visavis_core::{
    dataset::{FaceMarks, Mark, PictureSource, examine_given, examine_picture, taken},
    domain::{
        Ending, Fault, Result,
        image::Images,
        model::{GivenFeatures, Model, Network, Source, Weights},
        study::{Exif, PixelScale, Study},
        text::{count, printable},
    },
    weights::{self, whole},
};

/// Pictures that are opened of a data set.
const PICTURES: usize = 64;

/// What opening everything shows.
#[derive(Debug, Default)]
pub struct Examined {
    /// What cannot be used, each file once.
    pub faults: Vec<Fault>,
    /// What is done with files that are not quite as they should be.
    pub remarks: Vec<String>,
}

impl Examined {
    fn take(&mut self, whose: &str, path: &Path, examined: Result<Vec<String>>) {
        match examined {
            // What this release cannot do is told with what is missing.
            Err(fault) if fault.ending == Ending::Missing => {}
            Err(fault) => self.faults.push(fault),
            Ok(remarks) => {
                let remark = |remark: String| format!("{whose} ({}): {remark}", printable(&path.to_string_lossy()));
                self.remarks.extend(remarks.into_iter().map(remark));
            }
        }
    }
}

/// Opens the files of a study; those that are not there are told elsewhere.
pub fn examine(opened: &OpenedStudy) -> Examined {
    let (study, survey) = (&opened.file.study, &opened.survey);
    let mut examined = Examined::default();
    let mut seen: BTreeSet<(PathBuf, String, PathBuf)> = BTreeSet::new();
    // What is not drawn need not be there.
    let drawn = survey.images.as_ref().and_then(|images| taken(images, study.evaluation.take.as_ref()).ok());
    for model in &study.models {
        match &model.source {
            Source::Given(given) => {
                if let Some(images) = &drawn {
                    examine_arrays(study, model, given, images, &mut seen, &mut examined);
                }
            }
            Source::Network(Network { weights: Weights::File { file, family, .. }, architecture, .. }) if file.exists() => {
                if seen.insert((file.clone(), format!("{architecture} {family}"), PathBuf::new())) {
                    let found = weights::examine(file, architecture, family);
                    examined.take(&format!("weights of `{}`", model.name), file, found);
                }
            }
            Source::Network(Network { weights: Weights::Whole(of), prepare, .. }) if of.file.exists() => {
                let preparation = study.preparations.get(prepare);
                let (size, scale) = preparation.map_or((0, PixelScale::Raw), |of| (of.size, of.scale));
                if seen.insert((of.file.clone(), format!("{size} {scale:?} {:?}", of.reads), PathBuf::new())) {
                    let asked = model.layers(study.layers.as_deref());
                    let reads = of.reads.iter().filter(|(layer, _)| asked.contains(layer));
                    let reads = reads.map(|(layer, read)| (layer.as_str(), read.as_str()));
                    let found = whole::examine(of.format, &of.file, size, scale, reads);
                    examined.take(&format!("network of `{}`", model.name), &of.file, found);
                }
            }
            Source::Network(_) | Source::Baseline { .. } => {}
        }
    }
    let looks = |model: &Model| !matches!(model.source, Source::Given(_));
    if let (true, Some(at), Some(images)) = (study.models.iter().any(looks), &survey.pictures, &drawn) {
        pictures(study, at, images, &survey.marks, &mut examined);
    }
    for set in survey.training.values() {
        pictures(study, &set.pictures, &set.images, &set.marks, &mut examined);
    }
    for set in survey.verification.values() {
        pictures(study, &set.pictures, &set.images, &set.marks, &mut examined);
    }
    examined
}

fn examine_arrays(
    study: &Study,
    model: &Model,
    given: &GivenFeatures,
    images: &Images,
    seen: &mut BTreeSet<(PathBuf, String, PathBuf)>,
    examined: &mut Examined,
) {
    if !given.images.exists() {
        return;
    }
    let cosines = study.projections.iter().any(|projection| projection.method.is_of_cosines());
    for layer in model.layers(study.layers.as_deref()) {
        let file = &given.layers[&layer];
        if !file.exists() || !seen.insert((file.clone(), layer.clone(), given.images.clone())) {
            continue;
        }
        let found = examine_given(&layer, file, &given.images, images, cosines);
        examined.take(&format!("features of `{}` at {layer}", model.name), file, found);
    }
}

/// Opens pictures spread evenly over a set, and sees that the faces lie in them.
fn pictures(study: &Study, at: &Path, images: &Images, marks: &FaceMarks, examined: &mut Examined) {
    let taken = images.len().min(PICTURES);
    let applies = study.preparations.values().any(|preparation| preparation.exif == Exif::Apply);
    let ids: Vec<&str> = (0..taken).map(|place| images.0[place * images.len() / taken].0.as_str()).collect();
    let source = match PictureSource::open(at) {
        Ok(source) => source,
        Err(fault) => return examined.faults.push(fault),
    };
    let open = |id: &&str| {
        let picture = examine_picture(&source, id)?;
        let turned = picture.lies();
        let picture = if turned && applies { picture.upright() } else { picture };
        for (&kind, column) in marks {
            if let Some(mark) = column.get(id).and_then(|text| Mark::from_text(kind, text)) {
                mark.fits(picture.width, picture.height).map_err(|fault| fault.in_file(source.place(id)))?;
            }
        }
        Ok(turned)
    };
    let opened: Vec<Result<bool>> = ids.par_iter().map(open).collect();
    let turned = opened.iter().filter(|turned| matches!(turned, Ok(true))).count();
    if turned > 0 && applies {
        examined.remarks.push(format!(
            "{turned} of {} that were opened in {} are turned to be upright, as the camera noted (EXIF); `exif: ignore` in a preparation \
             leaves pictures as they lie",
            count(taken, "picture"),
            printable(&at.to_string_lossy())
        ));
    }
    examined.faults.extend(opened.into_iter().filter_map(Result::err));
}
