//! What models still know of altered pictures.

use super::{Sourced, StudyResults};
use crate::study::steps::{Step, last_layer};
use visavis_core::domain::{
    Key, Result,
    alteration::{Alteration, MaskedBy},
    comparison::Question,
    index::{ComparisonIx, LayerIx, ModelIx},
    retained::RetainedSignal,
    stage::{MASKED_BY, MeasureRetained, Work},
};

/// What the features of one model at one layer hold of altered pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRetained {
    pub model: ModelIx,
    pub layer: LayerIx,
    pub retained: Sourced<RetainedSignal>,
    /// The comparison of each answer.
    pub comparisons: Vec<ComparisonIx>,
    /// Is it the embedding, or what is nearest to one?
    pub is_last_layer: bool,
}

/// How the background of a model's pictures was masked.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedBackground {
    pub model: ModelIx,
    pub by: MaskedBy,
    /// Of the result whose facts say so.
    pub key: Key,
    /// Images, and the mean share of the square that was masked.
    pub facts: [f64; 2],
}

impl StudyResults<'_> {
    /// Of every model and layer whose pictures were altered, by model and layer.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn retained(&self) -> Result<Vec<ModelRetained>> {
        let mut all = Vec::new();
        for (&step, manifest) in &self.known {
            let Step::Retained { model, layer } = step else { continue };
            let Some(retained) = self.json::<RetainedSignal>(step, MeasureRetained::RETAINED)? else { continue };
            let questions = if let Work::Retained(work) = &manifest.work { &work.questions[..] } else { &[] };
            let comparisons = self.asked(questions);
            let is_last_layer = layer == last_layer(self.study, model);
            all.push(ModelRetained { model, layer, retained, comparisons, is_last_layer });
        }
        Ok(all)
    }

    /// The comparisons that ask these questions, in their order: of two that ask the same, the first twice.
    fn asked(&self, questions: &[Question]) -> Vec<ComparisonIx> {
        let comparison = |question: &Question| {
            self.study.comparisons.iter_enumerated().find(|(_, of)| of.question == *question).map(|(place, _)| place)
        };
        questions.iter().filter_map(comparison).collect()
    }

    /// How backgrounds were masked, by model.
    pub fn masked_backgrounds(&self) -> Vec<MaskedBackground> {
        let mut all = Vec::new();
        for (&step, manifest) in &self.known {
            let Step::ExtractAltered { model, alteration: Alteration::BackgroundMasked } = step else { continue };
            for by in MaskedBy::ALL {
                if let [images, share] = manifest.fact(&format!("{MASKED_BY}{by}")) {
                    all.push(MaskedBackground { model, by, key: manifest.key, facts: [*images, *share] });
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study};
    use visavis_core::domain::{retained::AttendedCues, score::Statistics};

    #[test]
    fn answers_are_of_the_comparisons_that_were_asked_and_masks_are_told() {
        let study = study();
        let (model, layer) = (ModelIx(2), LayerIx(0));
        let step = Step::Retained { model, layer };
        let cues = AttendedCues { questions: vec![], counted: 0, left_out: 0, shares: vec![] };
        let signal = RetainedSignal { format: 1, alterations: vec![Alteration::Grey], answers: vec![], cues };
        let questions = study.comparisons.iter().map(|of| of.question.clone()).collect();
        let work = MeasureRetained { questions, alterations: vec![Alteration::Grey], statistics: Statistics::default(), seed: 0 };
        let mut results = MadeUpResults::default();
        results.put(step, Work::Retained(work), MeasureRetained::RETAINED, &signal);
        let masked = Step::ExtractAltered { model, alteration: Alteration::BackgroundMasked };
        results.put_fact(masked, "masked by border", vec![5.0, 0.4375]);
        let results = results.of(&study);
        let all = results.retained().unwrap();
        assert_eq!((all.len(), &all[0].comparisons[..], &all[0].retained.value), (1, &[ComparisonIx(0)][..], &signal));
        let masks = results.masked_backgrounds();
        assert_eq!((masks.len(), masks[0].by, masks[0].facts), (1, MaskedBy::Border, [5.0, 0.4375]));
    }
}
