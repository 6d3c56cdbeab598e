//! What of the pictures is no attribute: how much of it views and features hold, and what of shown scores remains while it is held.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{
    Key, Result,
    index::{LayerIx, ModelIx, ProjectionIx},
    ledger::CellId,
    nuisance::{AdjustedScores, MeasuredPictures, Nuisance, NuisanceScores},
    stage::{AdjustScores, MeasureNuisances, ScoreNuisances},
};

/// How much of each nuisance one projection's views hold, or the features of a model at a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldNuisances {
    pub model: ModelIx,
    pub layer: LayerIx,
    /// `None`: of the features.
    pub projection: Option<ProjectionIx>,
    pub key: Key,
    pub scores: NuisanceScores,
}

/// Of some results the view that holds most of a nuisance on the selection half; of equals the first: the places of the result, of the view
/// and of the nuisance in it.
pub(crate) fn most_held(
    all: &[HeldNuisances],
    nuisance: &Nuisance,
    is_taken: impl Fn(&HeldNuisances) -> bool,
) -> Option<[usize; 3]> {
    let mut best: Option<([usize; 3], f64)> = None;
    for (result, of) in all.iter().enumerate().filter(|(_, of)| is_taken(of)) {
        let Some(place) = of.scores.nuisances.iter().position(|of| of.nuisance == *nuisance) else { continue };
        for (view, scores) in of.scores.views.iter().enumerate() {
            let Some(a) = scores.scores.get(place).and_then(|score| score.a) else { continue };
            if best.is_none_or(|(_, most)| a.value > most) {
                best = Some(([result, view, place], a.value));
            }
        }
    }
    best.map(|(places, _)| places)
}

impl StudyResults<'_> {
    /// What was measured of the pictures.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn measured_pictures(&self) -> Result<Option<Sourced<MeasuredPictures>>> {
        self.json(Step::Nuisances, MeasureNuisances::ABOUT)
    }

    /// Of every projection and of all features in which nuisances were looked for.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn nuisances(&self) -> Result<Vec<HeldNuisances>> {
        let mut all = Vec::new();
        for &step in self.known.keys() {
            let (model, layer, projection) = match step {
                Step::NuisanceScores { model, layer, projection } => (model, layer, Some(projection)),
                Step::FeatureNuisances { model, layer } => (model, layer, None),
                _ => continue,
            };
            let Some(found) = self.json::<NuisanceScores>(step, ScoreNuisances::SCORES)? else { continue };
            all.push(HeldNuisances { model, layer, projection, key: found.key, scores: found.value });
        }
        all.sort_by_key(|of| (of.model, of.layer, of.projection));
        Ok(all)
    }

    /// What remains of a shown figure's score while nuisances are held.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn adjusted(&self, cell: &CellId) -> Result<Option<Sourced<AdjustedScores>>> {
        self.json(Step::AdjustedScores(*cell), AdjustScores::SCORES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};

    #[test]
    fn features_come_before_projections_of_a_layer() {
        let study = study_of(&[("one", "1.npy")]);
        let (model, layer, projection) = (ModelIx(0), LayerIx(0), ProjectionIx(0));
        let scores =
            NuisanceScores { format: 1, neighbours: 20, images: 4, identities: 4, seeds: 1, nuisances: vec![], views: vec![] };
        let mut results = MadeUpResults::default();
        results.put_json(Step::NuisanceScores { model, layer, projection }, ScoreNuisances::SCORES, &scores);
        results.put_json(Step::FeatureNuisances { model, layer }, ScoreNuisances::SCORES, &scores);
        let all = results.of(&study).nuisances().unwrap();
        assert_eq!(all.iter().map(|of| of.projection).collect::<Vec<_>>(), [None, Some(projection)]);
        assert!(results.of(&study).measured_pictures().unwrap().is_none());
    }
}
