//! What networks learn from.

use super::found::{Absent, FaceMarks, Need, Survey, TrainingSet};
use crate::{
    dataset::{digests::DigestCache, readers::collect, source::PictureSource},
    domain::{
        Digest, Fault, Result,
        study::{DeviceClass, Partition, Study},
    },
};
use std::collections::BTreeSet;

/// What networks of this study learn from.
pub(crate) fn training(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    if study.numerics.device == DeviceClass::Pretend {
        return Ok(());
    }
    let learns = |name: &String| study.models.iter().any(|model| model.learns_from(name));
    for (name, dataset) in study.datasets.iter().filter(|(name, dataset)| learns(name) && dataset.is_here()) {
        let set = collect(dataset, digests)?;
        if !PictureSource::is_here(&set.pictures) {
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
        let images = PictureSource::open(&set.pictures)?.digested(ids, digests)?;
        let classes = classes.restricted(&images);
        let evaluated: BTreeSet<Digest> =
            survey.images.iter().flat_map(|images| &images.0).filter_map(|(_, digest)| *digest).collect();
        let learned = images.0.iter().filter(|(_, digest)| digest.is_some_and(|digest| evaluated.contains(&digest))).count();
        if learned > 0 {
            survey.warnings.push(format!(
                "{learned} pictures of the evaluation are among those that networks learn from in `{name}`: what is found there may be learned by heart"
            ));
        }
        survey.training.insert(name.clone(), TrainingSet { pictures: set.pictures, images, classes, marks: FaceMarks::new() });
    }
    Ok(())
}
