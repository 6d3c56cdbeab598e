//! Rates and gaps of the models' probes among groups, by model and comparison.

use super::StudyResults;
use crate::study::steps::Step;
use typed_index_collections::TiVec;
use visavis_core::domain::{
    Key, Result,
    fairness::{Fairness, QuestionFairness},
    index::{ComparisonIx, ModelIx},
    stage::{GroupFairness, Work},
};

/// What was found of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelFairness {
    pub model: ModelIx,
    pub key: Key,
    pub fairness: Fairness,
    /// By comparison: the place of its question among those that were asked.
    pub places: TiVec<ComparisonIx, Option<usize>>,
}

impl ModelFairness {
    /// What was found on a comparison, and its place in the result.
    pub fn question(&self, comparison: ComparisonIx) -> Option<(usize, &QuestionFairness)> {
        let place = (*self.places.get(comparison)?)?;
        Some((place, self.fairness.asked.get(place)?))
    }
}

impl StudyResults<'_> {
    /// Of every model that was looked at, in the study's order.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn fairness(&self) -> Result<Vec<ModelFairness>> {
        let mut all = Vec::new();
        for model in self.study.models.keys() {
            let step = Step::Fairness { model };
            let Some(Work::Fairness(of)) = self.result(step).map(|manifest| &manifest.work) else { continue };
            let Some(found) = self.json::<Fairness>(step, GroupFairness::GROUPS)? else { continue };
            let place = |question| of.questions.iter().position(|other| other == question);
            let places = self.study.comparisons.iter().map(|of| place(&of.question)).collect();
            all.push(ModelFairness { model, key: found.key, fairness: found.value, places });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};
    use visavis_core::domain::fairness::GroupGap;

    #[test]
    fn a_comparison_has_what_was_found_of_its_question() {
        let study = study_of(&[("one", "1.npy"), ("other", "2.npy")]);
        let question = study.comparisons[ComparisonIx(0)].question.clone();
        let mut other = question.clone();
        other.within = Some("glasses".parse().unwrap());
        let asked = |parity: f64| QuestionFairness {
            cells: vec![],
            gaps: vec![GroupGap {
                group: 0,
                reference: 1,
                parity: Some(parity),
                impact: None,
                tpr: None,
                fpr: None,
                auc: None,
                odds: None,
                average: None,
                p: None,
                q: None,
            }],
            reweighed: vec![],
            dispersion: vec![],
            worst_served: None,
            beside_baseline: vec![],
        };
        let found = Fairness { format: 1, groups: vec![], tests: 0, asked: vec![asked(0.1), asked(0.2)] };
        let work = |questions| {
            Work::Fairness(GroupFairness { questions, groups: vec![], depth: 1, statistics: study.statistics, seed: 1 })
        };
        let mut results = MadeUpResults::default();
        let step = Step::Fairness { model: ModelIx(1) };
        results.put(step, work(vec![other.clone(), question]), GroupFairness::GROUPS, &found);
        let all = results.of(&study).fairness().unwrap();
        assert_eq!(all.len(), 1, "the first model was not looked at");
        assert_eq!((all[0].model, all[0].key), (ModelIx(1), results.key(step)));
        assert_eq!(all[0].question(ComparisonIx(0)), Some((1, &asked(0.2))));
        results.put(step, work(vec![other]), GroupFairness::GROUPS, &found);
        assert_eq!(results.of(&study).fairness().unwrap()[0].question(ComparisonIx(0)), None, "it was not asked");
    }
}
