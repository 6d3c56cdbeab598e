//! What labels of whole clusters save, by model.

use super::StudyResults;
use crate::study::steps::{Step, clicked_views};
use visavis_core::domain::{
    Key, Result,
    clicks::{Clicks, QuestionClicks},
    index::{ComparisonIx, ModelIx, ProjectionIx},
    projection::View,
    stage::{SimulateClicks, Work},
};

/// What was simulated of one model's last layer.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelClicks {
    pub model: ModelIx,
    pub key: Key,
    pub clicks: Clicks,
    /// The views whose clusters were labelled, in the order of their places.
    pub views: Vec<(ProjectionIx, View)>,
    /// By comparison of the study: its place among those that were asked.
    places: Vec<Option<usize>>,
}

impl ModelClicks {
    /// What was found of a comparison, with its place in the output; `None` where it was not asked.
    pub fn question(&self, comparison: ComparisonIx) -> Option<(usize, &QuestionClicks)> {
        let place = self.places.get(usize::from(comparison)).copied().flatten()?;
        Some((place, self.clicks.questions.get(place)?))
    }
}

impl StudyResults<'_> {
    /// Of every model whose clicks were simulated.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn clicks(&self) -> Result<Vec<ModelClicks>> {
        let mut all = Vec::new();
        for &step in self.known.keys() {
            let Step::Clicks { model } = step else { continue };
            let Some(Work::Clicks(of)) = self.result(step).map(|manifest| &manifest.work) else { continue };
            let Some(found) = self.json::<Clicks>(step, SimulateClicks::CLICKS)? else { continue };
            let place = |question| of.questions.iter().position(|other| other == question);
            let places = self.study.comparisons.iter().map(|of| place(&of.question)).collect();
            all.push(ModelClicks { model, key: found.key, clicks: found.value, views: clicked_views(self.study), places });
        }
        Ok(all)
    }
}
