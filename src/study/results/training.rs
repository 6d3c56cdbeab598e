//! What models learned: verification of identities, and the facts of their training.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{Result, index::ModelIx, result::Manifest, score::Verification, stage::VerifyIdentities};

/// What is known of one model's training. A model may be verified that was not trained here, and the other way round.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelTraining<'a> {
    pub model: ModelIx,
    /// `None` in it where verification is undefined: too few pairs of pictures.
    pub verified: Option<Sourced<Option<Verification>>>,
    /// The result of its training here.
    pub trained: Option<&'a Manifest>,
}

impl ModelTraining<'_> {
    pub fn verification(&self) -> Option<&Verification> {
        self.verified.as_ref()?.value.as_ref()
    }

    /// A fact of the training, epoch by epoch: `loss`, `accuracy`; of one value `images`, `classes`.
    pub fn fact(&self, name: &str) -> &[f64] {
        self.trained.map_or(&[], |manifest| manifest.fact(name))
    }
}

impl<'a> StudyResults<'a> {
    /// Of every model that was trained or verified, in the study's order.
    ///
    /// # Errors
    /// A result that is damaged.
    pub fn training(&self) -> Result<Vec<ModelTraining<'a>>> {
        let mut all = Vec::new();
        for model in self.study.models.keys() {
            let verified = self.json(Step::Verify { model }, VerifyIdentities::VERIFICATION)?;
            let trained = self.result(Step::Train { model });
            if verified.is_some() || trained.is_some() {
                all.push(ModelTraining { model, verified, trained });
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study_of};

    #[test]
    fn a_model_may_be_trained_verified_or_both() {
        let study = study_of(&[("one", "1.npy"), ("other", "2.npy"), ("third", "3.npy")]);
        let mut results = MadeUpResults::default();
        results.put_json(Step::Verify { model: ModelIx(0) }, VerifyIdentities::VERIFICATION, &());
        results.put_fact(Step::Train { model: ModelIx(2) }, "accuracy", vec![0.5, 0.75]);
        let of = results.of(&study);
        let all = of.training().unwrap();
        assert_eq!(all.iter().map(|of| of.model).collect::<Vec<_>>(), [ModelIx(0), ModelIx(2)]);
        assert!(all[0].verified.is_some() && all[0].verification().is_none(), "undefined: there are too few pairs");
        assert!(all[1].verified.is_none());
        assert_eq!((all[0].fact("accuracy"), all[1].fact("accuracy")), (&[][..], &[0.5, 0.75][..]));
    }
}
