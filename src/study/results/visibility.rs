//! What each model can see of what is asked: the attributes that lie outside of its crop.

use super::StudyResults;
use crate::study::{
    names::{Piece, text_of},
    steps::{Step, field_of_view},
};
use std::collections::BTreeMap;
use visavis_core::domain::{
    Key, Result,
    index::{ComparisonIx, ModelIx},
    stage::{MeasureVisibility, Work},
    visibility::{FaceRegion, VisibleShares},
};

/// How much of what a comparison asks about lies inside of a model's crop: of its least visible attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub attribute: String,
    /// The region of the face that it needs.
    pub region: FaceRegion,
    /// From 0 to 1, the mean over the images.
    pub share: f64,
    /// Is that enough, as the study says?
    pub is_visible: bool,
    /// Where the share stands in its result.
    pub key: Key,
    pub pointer: String,
}

impl Seen {
    /// `not visible: Wearing_Hat`; nothing of what is visible.
    pub fn mark(&self) -> Option<String> {
        self.mark_in_pieces().map(|pieces| text_of(&pieces))
    }

    pub(crate) fn mark_in_pieces(&self) -> Option<[Piece; 2]> {
        (!self.is_visible).then(|| [Piece::words("not visible: "), Piece::name(&*self.attribute)])
    }
}

/// By model and comparison, where it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyVisibility(BTreeMap<(ModelIx, ComparisonIx), Seen>);

impl StudyVisibility {
    /// What is known of a model and a comparison. Nothing of given features, of attributes whose region nobody says, of centres of
    /// pictures; and nothing of a study in which every model is given whole pictures.
    pub fn of(&self, model: ModelIx, comparison: ComparisonIx) -> Option<&Seen> {
        self.0.get(&(model, comparison))
    }

    /// The mark of what is not visible.
    pub fn mark(&self, model: ModelIx, comparison: ComparisonIx) -> Option<String> {
        self.of(model, comparison)?.mark()
    }
}

impl StudyResults<'_> {
    /// What is there of it.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn visibility(&self) -> Result<StudyVisibility> {
        let (study, visibility) = (self.study, &self.study.visibility);
        let Some(Work::Visibility(of)) = self.result(Step::Visibility).map(|manifest| &manifest.work) else {
            return Ok(StudyVisibility::default());
        };
        let Some(found) = self.json::<VisibleShares>(Step::Visibility, MeasureVisibility::SHARES)? else {
            return Ok(StudyVisibility::default());
        };
        let regions = visibility.regions_of(study.comparisons.iter().map(|comparison| &comparison.question));
        let mut seen = BTreeMap::new();
        for (model, of_model) in study.models.iter_enumerated() {
            let field = field_of_view(study, of_model).and_then(|field| of.fields.iter().position(|of| *of == field));
            let Some(field) = field else { continue };
            let place = |region: FaceRegion| regions.iter().position(|of| *of == region);
            let share = |region: FaceRegion| *found.value.shares.get(field)?.get(place(region)?)?;
            for (comparison, asked) in study.comparisons.iter_enumerated() {
                let Some(least) = visibility.of(&asked.question, share) else { continue };
                let Some(place) = place(least.region) else { continue };
                let of = Seen {
                    attribute: least.attribute.to_owned(),
                    region: least.region,
                    share: least.share,
                    is_visible: visibility.is_enough(least.share),
                    key: found.key,
                    pointer: format!("/shares/{field}/{place}"),
                };
                seen.insert((model, comparison), of);
            }
        }
        Ok(StudyVisibility(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{
        steps::fields_of_view,
        testing::{MadeUpResults, study},
    };
    use visavis_core::domain::study::{Crop, Preparation};

    #[test]
    fn a_model_sees_what_lies_inside_of_its_crop_and_nothing_is_known_of_given_features() {
        let mut study = study();
        study.preparations.insert("small".to_owned(), Preparation::of(Crop::Aligned, 32));
        study.visibility.regions.insert("glasses".to_owned(), FaceRegion::Glasses);
        let mut results = MadeUpResults::default();
        let work = || Work::Visibility(MeasureVisibility { fields: fields_of_view(&study), regions: vec![vec![]] });
        let shares = |share: Option<f64>| VisibleShares { format: 1, images: 3, shares: vec![vec![share]] };
        let known = |results: &MadeUpResults| -> Vec<Option<String>> {
            let all = results.of(&study).visibility().unwrap();
            study.models.keys().map(|model| all.of(model, ComparisonIx(0)).map(|seen| seen.mark().unwrap_or_default())).collect()
        };
        assert_eq!(known(&results), [None, None, None, None], "nothing is there yet");
        results.put(Step::Visibility, work(), MeasureVisibility::SHARES, &shares(Some(0.49)));
        let mark = Some("not visible: glasses".to_owned());
        assert_eq!(known(&results), [None, mark.clone(), mark.clone(), mark]);
        results.put(Step::Visibility, work(), MeasureVisibility::SHARES, &shares(Some(0.5)));
        assert_eq!(known(&results)[1..], [Some(String::new()), Some(String::new()), Some(String::new())]);
        results.put(Step::Visibility, work(), MeasureVisibility::SHARES, &shares(None));
        assert_eq!(known(&results), [None, None, None, None]);
    }
}
