//! What networks from files are given, held against what their family's weights were trained with: what is filled in from there, and what
//! a study gives otherwise.

use std::collections::BTreeMap;
use visavis_core::{
    domain::{
        model::{Model, Source, WeightFamily, Weights},
        shared_crop::FieldOfView,
        study::{Preparation, PreparationField, Study},
    },
    weights::families,
};

/// The fields that a family's training decides, in the order in which they are told.
const TRAINED: [PreparationField; 4] =
    [PreparationField::Crop, PreparationField::Size, PreparationField::Scale, PreparationField::Channels];

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

    fn fields(&self, study: &Study, wanted: impl Fn(bool, [&str; 2]) -> bool) -> Vec<(PreparationField, [String; 2])> {
        let both = |field| (field, [&self.trained, self.given].map(|of| value(of, field)));
        let is_wanted = |(field, [trained, given]): &(PreparationField, [String; 2])| {
            wanted(self.is_written(study, *field), [trained.as_str(), given.as_str()])
        };
        TRAINED.into_iter().map(both).filter(is_wanted).collect()
    }
}

/// A field's value, in words.
fn value(of: &Preparation, field: PreparationField) -> String {
    match field {
        PreparationField::Crop => FieldOfView::of(of).to_string(),
        PreparationField::Size => of.size.to_string(),
        PreparationField::Scale => of.scale.to_string(),
        PreparationField::Channels => of.channels().to_string(),
        PreparationField::Pad => of.pad.to_string(),
        PreparationField::Exif => of.exif.to_string(),
        PreparationField::Margin => of.margin.to_string(),
    }
}

/// `crop aligned, size 112`.
fn phrase<'f>(fields: impl IntoIterator<Item = (PreparationField, &'f String)>) -> String {
    fields.into_iter().map(|(field, value)| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
}

/// What of a model's preparation the study file leaves to its family, as the family was trained: `crop aligned, size 112`; `None`: nothing.
pub(crate) fn as_trained(study: &Study, model: &Model) -> Option<String> {
    let of = Trained::of(study, model)?;
    let filled = of.fields(study, |is_written, [trained, given]| !is_written && trained == given);
    (!filled.is_empty()).then(|| phrase(filled.iter().map(|(field, [trained, _])| (*field, trained))))
}

/// Every model with what `said` says of it: one sentence for all models of which the same is said.
fn together(study: &Study, said: impl Fn(&Model) -> Option<String>) -> Vec<String> {
    let mut models: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for model in &study.models {
        if let Some(said) = said(model) {
            models.entry(said).or_default().push(format!("`{}`", model.name));
        }
    }
    models.into_iter().map(|(said, models)| format!("{}: {said}", models.join(", "))).collect()
}

/// A sentence for everything that is filled in from what a family was trained with.
pub(crate) fn filled_in(study: &Study) -> Vec<String> {
    together(study, |model| {
        let family = Trained::of(study, model)?.family;
        Some(format!("pictures are prepared as the family {family} was trained: {}", as_trained(study, model)?))
    })
}

/// A sentence for each preparation that gives weights of a family what they were not trained with, with both values of each field.
pub(crate) fn other_preparations(study: &Study) -> Vec<String> {
    [together(study, |model| given_otherwise(study, model)), together(study, |model| not_cropped(study, model))].concat()
}

fn given_otherwise(study: &Study, model: &Model) -> Option<String> {
    let of = Trained::of(study, model)?;
    let different = of.fields(study, |is_written, [trained, given]| is_written && trained != given);
    if different.is_empty() {
        return None;
    }
    let trained = phrase(different.iter().map(|(field, [trained, _])| (*field, trained)));
    let given = phrase(different.iter().map(|(field, [_, given])| (*field, given)));
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
}
