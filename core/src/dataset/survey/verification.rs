//! Verification sets: which pictures their pairs are of.

use super::{
    found::{Absent, FaceMarks, Need, PicturePairs, Survey},
    marks,
};
use crate::{
    dataset::{
        digests::DigestCache,
        pair_sets::{PairSet, pair_set},
        source::PictureSource,
    },
    domain::{
        Digest, Fault, Result,
        image::{ImageId, Images},
        index::PairSetIx,
        model::Source,
        pairs::Pairs,
        study::{DeviceClass, FaceMark, Study, VerificationSet},
        text::count,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The pairs of every verification set of the study whose files are there.
pub(super) fn verification(study: &Study, digests: &mut DigestCache, survey: &mut Survey) -> Result<()> {
    for (place, set) in study.verification.sets.iter_enumerated() {
        let named = |fault: Fault| Fault { what: format!("verification.sets.{}: {}", set.name, fault.what), ..fault };
        if let Some(pairs) = pairs_of(study, place, set, digests, survey).map_err(named)? {
            survey.warnings.extend(learned(&set.name, &pairs.images, survey));
            survey.verification.insert(place, pairs);
        }
    }
    Ok(())
}

/// `None`: a file of it is absent, which is noted.
fn pairs_of(
    study: &Study,
    place: PairSetIx,
    set: &VerificationSet,
    digests: &mut DigestCache,
    survey: &mut Survey,
) -> Result<Option<PicturePairs>> {
    let name = &set.name;
    let mut absent = |what: String, at: &Path| {
        survey.missing.push(Absent { input: what, expected_at: Some(at.to_owned()), need: Need::Pairs(place) });
    };
    if !set.source.file().exists() {
        absent(format!("pairs of the verification set `{name}`"), set.source.file());
        return Ok(None);
    }
    if !PictureSource::is_here(set.source.pictures()) {
        absent(format!("pictures of the verification set `{name}`"), set.source.pictures());
        return Ok(None);
    }
    let found = pair_set(set.source.file(), set.source.pictures())?;
    // A pair that is left out would move all that follow it to other folds.
    if let Some(finding) = found.defects.all().next()
        && let Some(first) = finding.examples.first()
    {
        let next = match finding.count - 1 {
            0 => "bring the picture, or take its pairs out of the list".to_owned(),
            more => format!("{} more; bring the pictures, or take their pairs out of the list", count(more, "pair")),
        };
        return Err(first.clone().next(next));
    }
    let PairSet { pictures, pairs, is_same, .. } = found;
    let (ids, pairs) = by_place(&pairs, is_same);
    let images = PictureSource::open(&pictures)?.digested(ids, digests)?;
    let mut marks = FaceMarks::new();
    for kind in needed(study) {
        let Some(file) = set.source.faces().and_then(|faces| faces.of(kind)) else { continue };
        if !file.exists() {
            let input = format!("{kind} of the verification set `{name}`");
            survey.missing.push(Absent { input, expected_at: Some(file.clone()), need: Need::Pairs(place) });
            return Ok(None);
        }
        marks.insert(kind, marks::of_pairs(kind, file, &images, survey)?);
    }
    Ok(Some(PicturePairs { pictures, images, pairs, marks }))
}

/// The pictures of pairs, sorted, each once; and the pairs by their places.
fn by_place(pairs: &[[ImageId; 2]], is_same: Vec<bool>) -> (Vec<ImageId>, Pairs) {
    let ids: BTreeSet<&ImageId> = pairs.iter().flatten().collect();
    let places: BTreeMap<&ImageId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    let rows = pairs.iter().map(|pair| pair.each_ref().map(|id| places[id])).collect();
    (ids.into_iter().cloned().collect(), Pairs { rows, is_same })
}

/// What must be known of faces for the crops of the models that are asked.
fn needed(study: &Study) -> BTreeSet<FaceMark> {
    let pretends = study.numerics.device == DeviceClass::Pretend;
    let asked = study.models.iter().filter(|model| matches!(model.source, Source::Network(_)) && !pretends);
    let prepared = asked.filter(|model| model.gives_no_embeddings().is_none()).filter_map(|model| model.prepared_by());
    prepared.filter_map(|name| study.preparations.get(name)?.crop.needs()).collect()
}

/// What networks learn from of a set's pictures, by their bytes.
fn learned(name: &str, images: &Images, survey: &Survey) -> Vec<String> {
    let verified: BTreeSet<Digest> = images.0.iter().filter_map(|(_, digest)| *digest).collect();
    let told = |(training, learned): (&String, usize)| {
        format!(
            "{} of the verification set `{name}` are among those that networks learn from in `{training}`: what is verified there may be \
             learned by heart",
            count(learned, "picture")
        )
    };
    let shared = survey.training.iter().map(|(training, set)| {
        (training, set.images.0.iter().filter(|(_, digest)| digest.is_some_and(|digest| verified.contains(&digest))).count())
    });
    shared.filter(|(_, learned)| *learned > 0).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::TrainingSet;

    #[test]
    fn a_picture_of_several_pairs_is_listed_once() {
        let id = |name: &str| name.to_owned();
        let pairs = [[id("b"), id("a")], [id("a"), id("c")], [id("c"), id("c")]];
        let (ids, pairs) = by_place(&pairs, vec![true, false, true]);
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(pairs.rows, [[1, 0], [0, 2], [2, 2]]);
    }

    #[test]
    fn pictures_that_networks_learn_from_are_told_by_their_bytes() {
        let images =
            |names: &[&str]| Images(names.iter().map(|name| ((*name).to_owned(), Some(Digest::of(name.as_bytes())))).collect());
        let set = TrainingSet {
            pictures: "p".into(),
            images: images(&["a", "b", "c"]),
            classes: Default::default(),
            marks: FaceMarks::new(),
        };
        let survey = Survey { training: [("people".to_owned(), set)].into(), ..Survey::default() };
        let told = learned("lfw", &images(&["b", "c", "d"]), &survey);
        assert!(
            told[0].starts_with("2 pictures of the verification set `lfw` are among") && told[0].contains("`people`"),
            "{told:?}"
        );
        assert!(learned("lfw", &images(&["d"]), &survey).is_empty());
    }
}
