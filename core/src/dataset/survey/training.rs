//! What networks learn from.

use super::found::{Absent, FaceMarks, Need, Survey, TrainingSet};
use crate::{
    dataset::{digests::DigestCache, duplicates::SharedNames, readers::collect, source::PictureSource},
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
        let is_same = study.is_evaluated_too(name);
        let learned_from: BTreeSet<&str> = match &set.identities {
            Some(identities) => images.ids().filter_map(|id| identities.get(id)).collect(),
            None => classes.values(),
        };
        survey.warnings.extend(survey.identities.as_ref().and_then(|of| shared(&of.values(), &learned_from, name, is_same)));
        survey.training.insert(name.clone(), TrainingSet { pictures: set.pictures, images, classes, marks: FaceMarks::new() });
    }
    Ok(())
}

/// What identities of the evaluation are also learned from, by name. Numbers say who somebody is within one data set only.
fn shared(evaluated: &BTreeSet<&str>, learned_from: &BTreeSet<&str>, training: &str, is_same: bool) -> Option<String> {
    let SharedNames { mut named, numbers } = SharedNames::of(evaluated, learned_from);
    if is_same {
        named.extend(numbers);
    }
    let first = named.first()?;
    let are = if named.len() == 1 { "identity of the evaluation is" } else { "identities of the evaluation are" };
    Some(format!(
        "{} {are}, by name, among those that networks learn from in `{training}`, such as `{first}`: their faces may be learned by heart",
        named.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_of_one_name_are_told_and_numbers_only_within_one_data_set() {
        let (evaluated, learned) = (BTreeSet::from(["Ann", "Bob", "7", "8"]), BTreeSet::from(["Bob", "7"]));
        let told = |is_same| shared(&evaluated, &learned, "faces", is_same).unwrap();
        assert!(told(false).starts_with("1 identity of the evaluation is, by name,") && told(false).contains("`Bob`"));
        assert!(told(true).starts_with("2 identities"), "{}", told(true));
        assert_eq!(shared(&evaluated, &BTreeSet::from(["7", "Eve"]), "faces", false), None);
    }
}
