//! What networks from files are given, held against what their family's weights were trained with: what is filled in from there, and what
//! a study gives otherwise.

use std::collections::BTreeMap;
use visavis_core::{
    domain::{
        index::ModelIx,
        model::{Model, Source, WeightFamily, Weights},
        shared_crop::FieldOfView,
        study::{Preparation, PreparationField, Study},
    },
    weights::families,
};

/// A model whose weights are of a family, with its pictures.
struct Trained<'s> {
    family: &'s WeightFamily,
    /// The name of the preparation.
    prepare: &'s str,
    /// As the family was trained.
    trained: Preparation,
    /// As the study has it.
    given: &'s Preparation,
}

impl<'s> Trained<'s> {
    /// `None`: no weights from a file, or those that were trained here, whose study says how.
    fn of(study: &'s Study, model: &'s Model) -> Option<Self> {
        let Source::Network(network) = &model.source else { return None };
        let Weights::File { family, .. } = &network.weights else { return None };
        let trained = families::input_of(family)?.preparation();
        Some(Trained { family, prepare: &network.prepare, trained, given: study.preparations.get(&network.prepare)? })
    }

    /// Does the study file write this field?
    fn is_written(&self, study: &Study, field: PreparationField) -> bool {
        study.origins.get(self.prepare).is_none_or(|origin| origin.written.contains(&field))
    }

    /// The fields that are written, or not, and that are as the family was trained, or not.
    fn fields(&self, study: &Study, is_written: bool, is_as_trained: bool) -> Vec<PreparationField> {
        let is = |field: &PreparationField| {
            self.is_written(study, *field) == is_written
                && (self.trained.value(*field) == self.given.value(*field)) == is_as_trained
        };
        PreparationField::TRAINED.into_iter().filter(is).collect()
    }
}

/// What of a model's preparation the study file leaves to its family, as the family was trained: `crop aligned, size 112`; `None`: nothing.
pub(crate) fn as_trained(study: &Study, model: &Model) -> Option<String> {
    let of = Trained::of(study, model)?;
    let filled = of.fields(study, false, true);
    (!filled.is_empty()).then(|| of.trained.phrase(filled))
}

/// Every model with what `said` says of it: one sentence for all models of which the same is said.
fn together(study: &Study, said: impl Fn(ModelIx, &Model) -> Option<String>) -> Vec<String> {
    let mut models: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, model) in study.models.iter_enumerated() {
        if let Some(said) = said(place, model) {
            models.entry(said).or_default().push(format!("`{}`", model.name));
        }
    }
    models.into_iter().map(|(said, models)| format!("{}: {said}", models.join(", "))).collect()
}

/// A sentence for everything that is filled in from what a family was trained with.
pub(crate) fn filled_in(study: &Study) -> Vec<String> {
    together(study, |_, model| {
        let family = Trained::of(study, model)?.family;
        Some(format!("pictures are prepared as the family {family} was trained: {}", as_trained(study, model)?))
    })
}

/// A sentence for each preparation that gives weights of a family what they were not trained with, with both values of each field; and for
/// what nobody says of whole networks.
pub(crate) fn other_preparations(study: &Study) -> Vec<String> {
    [
        together(study, |_, model| given_otherwise(study, model)),
        together(study, |_, model| not_cropped(study, model)),
        together(study, |place, model| not_stated(study, place, model)),
    ]
    .concat()
}

fn given_otherwise(study: &Study, model: &Model) -> Option<String> {
    let of = Trained::of(study, model)?;
    let different = of.fields(study, true, false);
    if different.is_empty() {
        return None;
    }
    let [trained, given] = [&of.trained, of.given].map(|of| of.phrase(different.iter().copied()));
    let narrows = FieldOfView::of(&of.trained).is_within(FieldOfView::of(of.given)) && of.trained.crop.needs().is_some();
    let cropped = if narrows { "; that is right for pictures that are cropped so already" } else { "" };
    let Trained { family, prepare, .. } = of;
    Some(format!(
        "weights of the family {family} were trained with {trained}; the preparation `{prepare}` gives {given}{cropped}"
    ))
}

/// Pictures that would be cropped as the family was trained, if it were known where the faces are.
fn not_cropped(study: &Study, model: &Model) -> Option<String> {
    let of = Trained::of(study, model)?;
    let mark = of.trained.crop.needs()?;
    if of.is_written(study, PreparationField::Crop) || of.trained.crop == of.given.crop {
        return None;
    }
    let [trained, given] = [&of.trained, of.given].map(|of| FieldOfView::of(of).to_string());
    let set = study.evaluation.dataset.as_deref().unwrap_or_default();
    Some(format!(
        "the family {} was trained with the crop {trained}, which needs {mark}, and the data set `{set}` names no table of them: the crop \
         is {given}; name the table at the data set ({mark}: ../{mark}.csv), or write the crop that your pictures need",
        of.family
    ))
}

/// A whole network of which neither its file nor the study says what its pictures were.
fn not_stated(study: &Study, place: ModelIx, model: &Model) -> Option<String> {
    let (unstated, prepare) = (study.unstated(place), model.prepared_by()?);
    let preparation = study.preparations.get(prepare).filter(|_| !unstated.is_empty())?;
    let words = unstated.iter().map(|field| field.word()).collect::<Vec<_>>().join(", ");
    let channels = unstated.contains(&PreparationField::Channels);
    let harm = if channels { "; a network that learned from bgr and is given rgb runs all the same, and is wrong" } else { "" };
    Some(format!(
        "what the network was trained with is not stated: the preparation `{prepare}` writes no {words}; taken: \
         {}{harm}; write what it was trained with",
        preparation.phrase(unstated)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};

    /// A study of one model of this architecture and family, whose preparation says so much.
    fn with(family: [&str; 2], data: &str, prepared: Option<&str>) -> Study {
        let [architecture, family] = family;
        let (preparations, prepare) = match prepared {
            Some(said) => (format!("preparations: {{ small: {{ {said} }} }}\n"), "prepare: small, "),
            None => (String::new(), ""),
        };
        let source = format!(
            "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f{data} }} }} }}\nevaluation: {{ dataset: f }}\n{preparations}models: \
             {{ named: {{ m: {{ architecture: {architecture}, loss: softmax, trained_on: x, {prepare}weights: {{ file: w, family: {family} }} }} \
             }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
        );
        parse(Text { path: "s.yaml".into(), source }).unwrap().study
    }

    fn warned(family: [&str; 2], prepared: &str) -> Vec<String> {
        other_preparations(&with(family, ", landmarks: l.csv, boxes: b.csv", Some(prepared)))
    }

    const TORCHVISION: [&str; 2] = ["resnet34", "torchvision"];
    const ADAFACE: [&str; 2] = ["ir50", "adaface"];

    #[test]
    fn weights_that_are_given_what_they_were_not_trained_with_are_warned_of_with_both_values_of_each_field() {
        assert_eq!(
            warned(TORCHVISION, "crop: whole, size: 112, scale: symmetric"),
            ["`m`: weights of the family torchvision were trained with crop centre, size 224, scale imagenet; \
              the preparation `small` gives crop whole, size 112, scale symmetric"]
        );
        assert_eq!(
            warned(ADAFACE, "crop: whole, scale: vggface2"),
            [
                "`m`: weights of the family adaface were trained with crop aligned, scale symmetric; the preparation `small` gives crop whole, \
              scale vggface2; that is right for pictures that are cropped so already"
            ]
        );
        assert_eq!(
            warned(["senet50", "cydonia"], "crop: face, margin: 2"),
            [
                "`m`: weights of the family cydonia were trained with crop face × 1.3; the preparation `small` gives crop face × 2; that is \
              right for pictures that are cropped so already"
            ]
        );
        assert!(
            warned(["ir50", "treb1en"], "channels: rgb")[0]
                .contains("trained with channels bgr; the preparation `small` gives channels rgb")
        );
    }

    #[test]
    fn weights_that_are_given_what_they_were_trained_with_are_not_warned_of() {
        assert!(warned(TORCHVISION, "crop: centre, size: 224, scale: imagenet, pad: zero").is_empty());
        assert!(warned(["senet50", "cydonia"], "crop: face, size: 224, scale: vggface2").is_empty());
        assert!(warned(["inceptionresnetv1", "facenet_pytorch"], "crop: face, size: 160, scale: facenet").is_empty());
        // What is left out is the family's.
        assert!(warned(ADAFACE, "pad: zero").is_empty());
        // Whoever trained here says so in the study.
        assert!(warned(["resnet34", "visavis"], "size: 32, scale: raw").is_empty());
    }

    #[test]
    fn what_is_filled_in_from_the_family_is_said_field_by_field() {
        let study = with(ADAFACE, ", landmarks: l.csv", None);
        assert!(other_preparations(&study).is_empty());
        let all = "crop aligned, size 112, scale symmetric, channels bgr";
        assert_eq!(filled_in(&study), [format!("`m`: pictures are prepared as the family adaface was trained: {all}")]);
        let study = with(ADAFACE, ", landmarks: l.csv", Some("size: 112, scale: unit"));
        assert_eq!(as_trained(&study, &study.models.raw[0]).unwrap(), "crop aligned, channels bgr");
        let study = with(TORCHVISION, "", Some("crop: whole, size: 224, scale: imagenet, channels: rgb"));
        assert_eq!(as_trained(&study, &study.models.raw[0]), None);
    }

    #[test]
    fn where_it_is_not_known_where_faces_are_it_is_said_what_is_missing_and_what_is_done() {
        let study = with(ADAFACE, "", None);
        let told = other_preparations(&study);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(
                "`m`: the family adaface was trained with the crop aligned, which needs landmarks, and the data set `f` names no table of \
                 them: the crop is whole; name the table at the data set (landmarks: ../landmarks.csv)"
            ),
            "{told:?}"
        );
        assert!(!filled_in(&study)[0].contains("crop"), "{:?}", filled_in(&study));
    }

    #[test]
    fn what_neither_the_file_of_a_whole_network_nor_the_study_says_is_not_stated() {
        let study = |said: &str| {
            let source = format!(
                "format: 1\nstudy: s\ndatasets: {{ f: {{ folders: {{ root: f }} }} }}\nevaluation: {{ dataset: f }}\npreparations: {{ p: {{ \
                 {said} }} }}\nmodels: {{ named: {{ m: {{ architecture: r50, loss: softmax, trained_on: x, prepare: p, weights: {{ file: w, \
                 family: onnx }}, layers: {{ embedding: x }} }} }} }}\nprojections: [pca: {{ axes: 1 }}]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n"
            );
            parse(Text { path: "s.yaml".into(), source }).unwrap().study
        };
        let model = ModelIx(0);
        let all = study("crop: whole, size: 112, scale: symmetric, channels: rgb");
        assert!(other_preparations(&all).is_empty() && all.how_made(model).is_none());
        let but_channels = study("crop: whole, size: 112, scale: symmetric");
        let told = &other_preparations(&but_channels)[0];
        assert!(told.contains("`p` writes no channels; taken: channels rgb; a network that learned from bgr"), "{told}");
        assert_eq!(
            but_channels.how_made(model).unwrap(),
            "crop whole; size 112; scale symmetric; not stated: channels (taken: channels rgb)"
        );
        let told = &other_preparations(&study("channels: bgr"))[0];
        assert!(told.contains("writes no crop, size, scale; taken: crop whole, size 112, scale imagenet; write"), "{told}");
    }
}
