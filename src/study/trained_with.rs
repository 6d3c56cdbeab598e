//! What networks from files are given, held against what their family's weights were trained with.

use std::collections::BTreeMap;
use visavis_core::{
    domain::{
        model::{Source, WeightFamily, Weights},
        study::{Preparation, Study},
    },
    weights::families::{self, Input},
};

/// A sentence for each preparation that gives weights of a family what they were not trained with, with both values.
///
/// The crop is not compared: pictures of a data set may be cropped and aligned already.
pub(crate) fn other_preparations(study: &Study) -> Vec<String> {
    let mut models: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for model in &study.models {
        let Source::Network(network) = &model.source else { continue };
        let Weights::File { family, .. } = &network.weights else { continue };
        models.entry((family.word(), &network.prepare)).or_default().push(format!("`{}`", model.name));
    }
    let warning = |((family, prepare), models): ((&str, &str), Vec<String>)| {
        let input = families::input_of(&WeightFamily::of(family))?;
        let [trained, given] = different(&input, study.preparations.get(prepare)?)?;
        let models = models.join(", ");
        Some(format!(
            "{models}: weights of the family {family} were trained with {trained}; the preparation `{prepare}` gives {given}"
        ))
    };
    models.into_iter().filter_map(warning).collect()
}

/// What differs, as the family has it and as the preparation gives it.
fn different(input: &Input, preparation: &Preparation) -> Option<[String; 2]> {
    let Input { size, channels, scale, crop: _ } = *input;
    let compared = [
        ("size", size.to_string(), preparation.size.to_string()),
        ("scale", scale.word().to_owned(), preparation.scale.word().to_owned()),
        ("channels", channels.word().to_owned(), preparation.channels().word().to_owned()),
    ];
    let different: Vec<_> = compared.iter().filter(|(_, trained, given)| trained != given).collect();
    if different.is_empty() {
        return None;
    }
    let trained: Vec<String> = different.iter().map(|(key, trained, _)| format!("{key} {trained}")).collect();
    let given: Vec<String> = different.iter().map(|(key, _, given)| format!("{key} {given}")).collect();
    Some([trained.join(", "), given.join(", ")])
}

#[cfg(test)]
mod tests {
    use super::{super::testing::study, *};
    use visavis_core::domain::study::PixelScale;

    /// The sentences of the study in memory, whose trained network comes from a file instead.
    fn warned(family: &str, size: usize, scale: PixelScale) -> Vec<String> {
        let mut study = study();
        let preparation = study.preparations.get_mut("small").unwrap();
        (preparation.size, preparation.scale) = (size, scale);
        for model in study.models.raw.iter_mut().filter(|model| model.name == "trained") {
            let Source::Network(network) = &mut model.source else { unreachable!("`trained` is a network") };
            network.weights = Weights::File { file: "w.safetensors".into(), family: WeightFamily::of(family), blake3: None };
        }
        other_preparations(&study)
    }

    #[test]
    fn weights_that_are_given_what_they_were_not_trained_with_are_warned_of_with_both_values() {
        assert_eq!(
            warned("torchvision", 112, PixelScale::Symmetric),
            ["`trained`: weights of the family torchvision were trained with size 224, scale imagenet; \
              the preparation `small` gives size 112, scale symmetric"]
        );
        assert_eq!(
            warned("adaface", 112, PixelScale::Vggface2),
            [
                "`trained`: weights of the family adaface were trained with scale symmetric; the preparation `small` gives scale vggface2"
            ]
        );
        assert!(
            warned("treb1en", 112, PixelScale::Symmetric)[0]
                .contains("trained with channels bgr; the preparation `small` gives channels rgb")
        );
    }

    #[test]
    fn weights_that_are_given_what_they_were_trained_with_are_not_warned_of() {
        assert!(warned("torchvision", 224, PixelScale::Imagenet).is_empty());
        assert!(warned("cydonia", 224, PixelScale::Vggface2).is_empty());
        assert!(warned("facenet_pytorch", 160, PixelScale::Facenet).is_empty());
        // Whoever trained here says so in the study.
        assert!(warned("visavis", 32, PixelScale::Raw).is_empty());
    }
}
