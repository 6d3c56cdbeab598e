//! How well networks tell the pairs of verification sets apart.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{
    Result,
    index::{ModelIx, PairSetIx},
    pairs::PairVerification,
    stage::VerifyPairs,
};

/// A network asked of the pairs of a set.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedPairs {
    pub model: ModelIx,
    pub set: PairSetIx,
    pub verified: Sourced<PairVerification>,
}

impl StudyResults<'_> {
    /// Of every verification set those of every model that are there, both in the study's order.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn pairs(&self) -> Result<Vec<VerifiedPairs>> {
        let mut all = Vec::new();
        for set in self.study.verification.sets.keys() {
            for model in self.study.models.keys() {
                let verified = self.json(Step::VerifyPairs { model, set }, VerifyPairs::VERIFICATION)?;
                all.extend(verified.map(|verified| VerifiedPairs { model, set, verified }));
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, verified_pairs, with_verification};

    #[test]
    fn results_are_of_sets_and_then_of_models() {
        let study = with_verification();
        let mut results = MadeUpResults::default();
        for (model, set) in [(2, 0), (1, 1), (1, 0)] {
            let step = Step::VerifyPairs { model: ModelIx(model), set: PairSetIx(set) };
            results.put_json(step, VerifyPairs::VERIFICATION, &verified_pairs(0.9));
        }
        let all = results.of(&study).pairs().unwrap();
        let places: Vec<(usize, usize)> = all.iter().map(|of| (of.set.0, of.model.0)).collect();
        assert_eq!(places, [(0, 1), (0, 2), (1, 1)]);
        assert_eq!(all[0].verified.value, verified_pairs(0.9));
    }
}
