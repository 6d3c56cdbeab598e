//! Altered pictures of a study: whose pictures are altered, and what is odd about it.

use visavis_core::domain::{
    alteration::Alteration,
    model::Source,
    study::{Crop, Study},
};

/// A sentence for models whose pictures cannot be altered, and for alterations that say little of how pictures are prepared.
pub(crate) fn warnings(study: &Study) -> Vec<String> {
    if study.alterations.is_empty() {
        return vec![];
    }
    let (mut others, mut aligned) = (Vec::new(), Vec::new());
    for (place, model) in study.models.iter_enumerated() {
        let crop = model.prepared_by().and_then(|name| study.preparations.get(name)).map(|of| of.crop);
        if study.alterations_of(place).is_empty() {
            let why = match model.source {
                Source::Given(_) => "its features are given",
                Source::Baseline { .. } | Source::Network(_) => "it is no network",
            };
            others.push(format!("`{}` ({why})", model.name));
        } else if crop == Some(Crop::Aligned) {
            aligned.push(format!("`{}`", model.name));
        }
    }
    let mut said = Vec::new();
    if others.len() == study.models.len() {
        said.push("`alterations`: no model of the study is a network, so no pictures are altered".to_owned());
    } else if !others.is_empty() {
        said.push(format!("`alterations`: pictures are altered for networks alone, so not for {}", others.join(", ")));
    }
    if study.alterations.contains(&Alteration::BackgroundMasked) && !aligned.is_empty() {
        said.push(format!(
            "`alterations`: aligned faces show hardly any background, so masking it says little of {}",
            aligned.join(", ")
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::study;

    #[test]
    fn models_without_altered_pictures_are_named_with_the_reason() {
        let mut study = study();
        assert!(warnings(&study).is_empty());
        study.alterations = vec![Alteration::Grey];
        let said = warnings(&study);
        assert_eq!(
            said,
            [
                "`alterations`: pictures are altered for networks alone, so not for `given` (its features are given), `pixels` (it is no network)"
            ]
        );
        study.models.retain(|model| !matches!(model.source, Source::Network(_)));
        assert!(warnings(&study)[0].contains("no model of the study is a network"));
    }

    #[test]
    fn masking_the_background_of_aligned_faces_is_said_to_say_little() {
        let mut study = study();
        study.alterations = vec![Alteration::BackgroundMasked];
        assert_eq!(warnings(&study).len(), 1);
        study.preparations.get_mut("small").unwrap().crop = Crop::Aligned;
        let said = warnings(&study);
        assert!(said[1].ends_with("says little of `trained`, `untrained`"), "{said:?}");
    }
}
