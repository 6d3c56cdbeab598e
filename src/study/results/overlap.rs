//! What training sets share with the evaluation.

use super::{Sourced, StudyResults};
use crate::study::steps::Step;
use visavis_core::domain::{Result, index::DatasetIx, overlap::Overlap, stage::FindOverlap};

/// A data set that networks learn from, and what it shares with the evaluation; `None` while nobody has looked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TrainingOverlap {
    pub set: DatasetIx,
    pub found: Option<Sourced<Overlap>>,
}

impl StudyResults<'_> {
    /// Of every data set that networks of the study learn from, by name.
    ///
    /// # Errors
    /// A result that is damaged.
    pub(crate) fn overlaps(&self) -> Result<Vec<TrainingOverlap>> {
        let of = |set| Ok(TrainingOverlap { set, found: self.json(Step::Overlap { set }, FindOverlap::OVERLAP)? });
        self.study.training_sets().into_iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::{MadeUpResults, study};
    use visavis_core::domain::{
        overlap::{IdentityNames, OverlapSide, SharedIdentities, SharedPictures},
        study::DeviceClass,
    };

    #[test]
    fn every_training_set_is_there_and_what_nobody_looked_at_is_told_apart_from_nothing_shared() {
        let mut study = study();
        let mut results = MadeUpResults::default();
        let set = study.training_sets()[0];
        assert_eq!(study.dataset(set).unwrap().0, "people", "faces are evaluated only");
        assert_eq!(results.of(&study).overlaps().unwrap(), [TrainingOverlap { set, found: None }]);
        let side = OverlapSide { pictures: 3, plain: 0, names: 2 };
        let by = IdentityNames::Identities;
        let nothing = Overlap {
            format: 1,
            evaluated: side.clone(),
            learned: side,
            same: SharedPictures::default(),
            near: None,
            identities: SharedIdentities { by, shared: 0, pictures: 0, first: vec![], numbers: 0 },
        };
        results.put_json(Step::Overlap { set }, FindOverlap::OVERLAP, &nothing);
        assert_eq!(results.of(&study).overlaps().unwrap()[0].found.as_ref().unwrap().value, nothing);
        study.numerics.device = DeviceClass::Pretend;
        assert_eq!(results.of(&study).overlaps().unwrap(), [], "networks that pretend learn from nothing");
    }
}
