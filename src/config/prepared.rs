//! Preparations as models get them: what a study file writes of one, and the rest filled in.
//!
//! For weights of a family the rest is what the family was trained with. So one preparation of a study file can be several: one for each
//! family whose models name it. A crop of the face is filled in only where the data set has what it needs, by what the study says.

use std::collections::{BTreeMap, BTreeSet};
use visavis_core::{
    domain::{
        model::{Model, Source, WeightFamily, Weights},
        study::{Crop, Dataset, Preparation, PreparationOrigin, WrittenPreparation},
    },
    weights::families,
};

/// The preparations of a study, by name.
pub(super) struct Prepared {
    pub(super) preparations: BTreeMap<String, Preparation>,
    pub(super) origins: BTreeMap<String, PreparationOrigin>,
}

/// Fills in what is not written, and gives models the names of what they got. `evaluated`: the data set whose pictures networks from
/// files are given.
pub(super) fn prepared(
    written: &BTreeMap<String, WrittenPreparation>,
    models: &mut [Model],
    evaluated: Option<&Dataset>,
) -> Prepared {
    let usual = Preparation::of(Crop::Whole, 112);
    let (mut preparations, mut origins) = (BTreeMap::new(), BTreeMap::new());
    for (name, of) in written {
        preparations.insert(name.clone(), of.filled(&usual));
        origins.insert(name.clone(), PreparationOrigin { name: Some(name.clone()), written: of.fields() });
    }
    // What each name means to the models that have it.
    let mut meanings: BTreeMap<String, Vec<(Option<WeightFamily>, Preparation)>> = BTreeMap::new();
    let unwritten = WrittenPreparation::default();
    let meaning = |name: &String, family: Option<&WeightFamily>| {
        let of = written.get(name).unwrap_or(&unwritten);
        let rest = family.and_then(families::input_of).map(|input| of_the_data(&input.preparation(), evaluated));
        of.filled(rest.as_ref().unwrap_or(&usual))
    };
    for model in models.iter() {
        let (Some(name), family) = (model.prepared_by(), family_of(model)) else { continue };
        let entry = (family.cloned(), meaning(&name.to_owned(), family));
        let known = meanings.entry(name.to_owned()).or_default();
        if !known.contains(&entry) {
            known.push(entry);
        }
    }
    for (name, of) in &meanings {
        let is_one = of.iter().all(|(_, preparation)| *preparation == of[0].1);
        if is_one {
            preparations.insert(name.clone(), of[0].1.clone());
            origins.entry(name.clone()).or_default();
            continue;
        }
        for (family, preparation) in of {
            let Some(family) = family.as_ref().filter(|_| preparations[name] != *preparation) else { continue };
            let mut own = format!("{name} ({family})");
            while written.contains_key(&own) {
                own.push('\'');
            }
            for model in models.iter_mut().filter(|model| model.prepared_by() == Some(name) && family_of(model) == Some(family)) {
                if let Source::Network(network) = &mut model.source {
                    network.prepare.clone_from(&own);
                }
            }
            origins.insert(own.clone(), origins[name].clone());
            preparations.insert(own, preparation.clone());
        }
    }
    share_names(models, written, &mut preparations, &mut origins);
    Prepared { preparations, origins }
}

/// Gives families whose filled in preparation is the same one name for it, so that models that differ in something else only are held
/// against each other: `as adaface, treb1en`.
fn share_names(
    models: &mut [Model],
    written: &BTreeMap<String, WrittenPreparation>,
    preparations: &mut BTreeMap<String, Preparation>,
    origins: &mut BTreeMap<String, PreparationOrigin>,
) {
    // Each family's name and preparation, by the written preparation that was filled in.
    let mut filled: BTreeMap<(Option<String>, WeightFamily), String> = BTreeMap::new();
    for model in models.iter() {
        let (Some(name), Some(family)) = (model.prepared_by(), family_of(model)) else { continue };
        if !written.contains_key(name) && preparations.contains_key(name) {
            let stem = origins.get(name).and_then(|origin| origin.name.clone());
            filled.insert((stem, family.clone()), name.to_owned());
        }
    }
    for ((stem, family), name) in &filled {
        let same = filled.iter().filter(|((other, _), own)| other == stem && preparations.get(*own) == preparations.get(name));
        let families: Vec<&str> = same.map(|((_, family), _)| family.word()).collect();
        if families.len() < 2 || !preparations.contains_key(name) {
            continue;
        }
        let shared = match stem {
            Some(stem) => format!("{stem} ({})", families.join(", ")),
            None => format!("as {}", families.join(", ")),
        };
        if written.contains_key(&shared) {
            continue;
        }
        preparations.insert(shared.clone(), preparations[name].clone());
        origins.insert(shared.clone(), origins[name].clone());
        for model in models.iter_mut().filter(|model| model.prepared_by() == Some(name) && family_of(model) == Some(family)) {
            if let Source::Network(network) = &mut model.source {
                network.prepare.clone_from(&shared);
            }
        }
    }
    // Names that no model has any more.
    let used: BTreeSet<String> = models.iter().filter_map(|model| model.prepared_by().map(str::to_owned)).collect();
    let stays = |name: &String| written.contains_key(name) || used.contains(name);
    preparations.retain(|name, _| stays(name));
    origins.retain(|name, _| stays(name));
}

/// The family that a model's weights are of, where they are in a file.
fn family_of(model: &Model) -> Option<&WeightFamily> {
    match &model.source {
        Source::Network(network) => match &network.weights {
            Weights::File { family, .. } => Some(family),
            Weights::Whole(_) | Weights::Recipe { .. } | Weights::Untrained { .. } => None,
        },
        Source::Given(_) | Source::Baseline { .. } => None,
    }
}

/// A family's preparation for the pictures of a data set: whole ones, where it is not said where the faces are.
fn of_the_data(trained: &Preparation, evaluated: Option<&Dataset>) -> Preparation {
    let is_known = trained.crop.needs().is_none_or(|mark| evaluated.is_some_and(|set| set.has_marks(mark)));
    Preparation { crop: if is_known { trained.crop } else { Crop::Whole }, ..trained.clone() }
}

#[cfg(test)]
mod tests {
    use crate::config::{Text, parse};
    use visavis_core::domain::study::{Channels, Crop, PixelScale, Preparation, PreparationField, Study};

    /// A study of these data, preparations and models.
    fn study(data: &str, preparations: &str, models: &str) -> Study {
        let source = format!(
            "format: 1\nstudy: s\ndatasets: {{ f: {{ {data} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ {preparations} }}\n\
             models: {{ named: {{ {models} }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        parse(Text { path: "s.yaml".into(), source }).unwrap().study
    }

    const FOLDERS: &str = "folders: { root: f }";
    const MARKED: &str = "folders: { root: f, landmarks: l.csv, boxes: b.csv }";

    fn model(name: &str, architecture: &str, family: &str, prepare: &str) -> String {
        format!(
            "{name}: {{ architecture: {architecture}, loss: softmax, trained_on: x, {prepare} weights: {{ file: w, family: {family} }} }}"
        )
    }

    fn of<'s>(study: &'s Study, model: &str) -> (&'s str, &'s Preparation) {
        let name = study.models.iter().find(|of| of.name == model).and_then(|of| of.prepared_by()).unwrap();
        (name, &study.preparations[name])
    }

    #[test]
    fn a_model_without_a_preparation_gets_its_familys() {
        let study = study(MARKED, "", &[model("m", "ir50", "adaface", ""), model("n", "senet50", "cydonia", "")].join(", "));
        let (name, prepared) = of(&study, "m");
        assert_eq!(name, "as adaface");
        let expected =
            Preparation { scale: PixelScale::Symmetric, channels: Some(Channels::Bgr), ..Preparation::of(Crop::Aligned, 112) };
        assert_eq!(*prepared, expected);
        assert_eq!(study.origins[name].name, None);
        // Blue is first by the scale itself: not said again.
        let (_, prepared) = of(&study, "n");
        assert_eq!((prepared.crop, prepared.size, prepared.scale), (Crop::Face, 224, PixelScale::Vggface2));
        assert_eq!((prepared.channels, prepared.channels()), (None, Channels::Bgr));
    }

    #[test]
    fn a_crop_of_the_face_is_filled_in_only_where_the_study_says_where_faces_are() {
        let model = model("m", "ir50", "adaface", "");
        assert_eq!(of(&study(FOLDERS, "", &model), "m").1.crop, Crop::Whole);
        assert_eq!(of(&study("folders: { root: f, boxes: b.csv }", "", &model), "m").1.crop, Crop::Whole);
        assert_eq!(of(&study("celeba: { root: c }", "", &model), "m").1.crop, Crop::Aligned);
    }

    #[test]
    fn what_a_preparation_leaves_out_is_the_familys() {
        let study = study(MARKED, "p: { crop: whole, scale: unit }", &model("m", "ir50", "treb1en", "prepare: p,"));
        let (name, prepared) = of(&study, "m");
        assert_eq!(name, "p", "nobody else has it, so it keeps its name");
        assert_eq!((prepared.crop, prepared.size, prepared.scale), (Crop::Whole, 112, PixelScale::Unit));
        assert_eq!(prepared.channels(), Channels::Bgr);
        assert_eq!(study.origins[name].written, [PreparationField::Crop, PreparationField::Scale].into());
    }

    #[test]
    fn a_preparation_of_several_families_is_one_for_each_that_fills_it_in_otherwise() {
        let models = [
            model("a", "ir50", "treb1en", "prepare: p,"),
            model("b", "ir50", "face_evolve", "prepare: p,"),
            "c: { baseline: pixels, prepare: p }".to_owned(),
        ];
        let study = study(FOLDERS, "p: { size: 112, scale: symmetric, crop: whole }", &models.join(", "));
        assert_eq!(of(&study, "a").0, "p (treb1en)");
        assert_eq!(of(&study, "a").1.channels(), Channels::Bgr);
        assert_eq!((of(&study, "b").0, of(&study, "c").0), ("p", "p"), "red is first in both");
    }

    #[test]
    fn families_that_fill_in_the_same_share_a_name() {
        let two = [model("a", "ir50", "treb1en", ""), model("b", "ir50", "adaface", ""), model("c", "ir50", "face_evolve", "")];
        let study = study(MARKED, "", &two.join(", "));
        assert_eq!((of(&study, "a").0, of(&study, "b").0), ("as adaface, treb1en", "as adaface, treb1en"));
        assert_eq!(of(&study, "c").0, "as face_evolve", "red is first there");
        let names: Vec<&str> = study.preparations.keys().map(String::as_str).collect();
        assert_eq!(names, ["as adaface, treb1en", "as face_evolve"]);
    }

    #[test]
    fn what_a_study_writes_stays() {
        let written = "p: { crop: whole, size: 112, scale: symmetric, channels: rgb }";
        let study = study(MARKED, written, &model("m", "ir50", "treb1en", "prepare: p,"));
        let expected = Preparation { scale: PixelScale::Symmetric, ..Preparation::of(Crop::Whole, 112) };
        assert_eq!(of(&study, "m"), ("p", &expected));
        assert_eq!(of(&study, "m").1.canonical(), expected.canonical());
    }
}
