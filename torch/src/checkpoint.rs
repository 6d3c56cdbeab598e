//! Where a training stands, kept so that it goes on exactly: weights, running statistics, what the optimizer remembers, step, and what was
//! seen.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use visavis_core::{
    domain::{Digest, Fault, Result},
    weights::{self, Tensor},
};

/// What is not a tensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrainingProgress {
    /// Steps taken.
    pub step: usize,
    /// Pictures at a time within a step; fewer than a batch once memory ran out.
    pub part: usize,
    /// Mean loss and share of right answers of each epoch that is over.
    pub loss: Vec<f64>,
    pub accuracy: Vec<f64>,
    /// The AUC of held-out identities after each of them, where some are held out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<f64>,
    /// Sums of the epoch that is not.
    pub losses: f64,
    pub right: f64,
    pub seen: f64,
}

impl TrainingProgress {
    /// Can a training of so many steps in all, so many an epoch, with batches of so many pictures, stand here? `validates`: identities are held out.
    pub(crate) fn fits(&self, steps: usize, of_an_epoch: usize, batch: usize, validates: bool) -> bool {
        let epochs = self.step / of_an_epoch.max(1);
        let sums = [self.losses, self.right, self.seen];
        self.step <= steps
            && (1..=batch).contains(&self.part)
            && [self.loss.len(), self.accuracy.len()] == [epochs; 2]
            && self.validation.len() == if validates { epochs } else { 0 }
            && self.loss.iter().chain(&self.accuracy).chain(&self.validation).chain(&sums).all(|number| number.is_finite())
    }
}

pub(crate) struct Checkpoint {
    pub progress: TrainingProgress,
    pub tensors: BTreeMap<String, Tensor>,
    /// What the optimizer remembers, by slot and weight: `velocity/conv1.weight`.
    pub optimizer: BTreeMap<String, Tensor>,
    /// The weights of the best epoch so far, where they are kept.
    pub best: BTreeMap<String, Tensor>,
}

/// Between a slot of the optimizer and the name of a weight, which has none.
const SLOT: char = '/';
/// What stands before the names of the best epoch's weights. No optimizer has such a slot.
const BEST: &str = "best/";

impl Checkpoint {
    /// The digest of what follows, a line of JSON, the tensors.
    ///
    /// # Errors
    /// None that data can cause.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let told = |error: serde_json::Error| Fault::unexpected(error.to_string());
        let mut bytes = serde_json::to_vec(&self.progress).map_err(told)?;
        bytes.push(b'\n');
        let best: Vec<(String, &Tensor)> = self.best.iter().map(|(name, tensor)| (format!("{BEST}{name}"), tensor)).collect();
        let best = best.iter().map(|(name, tensor)| (name.as_str(), *tensor));
        let all = self.tensors.iter().chain(&self.optimizer).map(|(name, tensor)| (name.as_str(), tensor));
        bytes.extend(weights::write(all.chain(best))?);
        Ok([format!("{}\n", Digest::of(&bytes)).as_bytes(), &bytes].concat())
    }

    /// `None` for bytes that are no whole checkpoint: training then begins anew.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (digest, bytes) = (&bytes[..end], &bytes[end + 1..]);
        if digest != Digest::of(bytes).to_string().as_bytes() {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let progress = serde_json::from_slice(&bytes[..end]).ok()?;
        let all = weights::tensors(&bytes[end + 1..])?;
        let (best, all): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(name, _)| name.starts_with(BEST));
        let best = best.into_iter().map(|(name, tensor)| (name[BEST.len()..].to_owned(), tensor)).collect();
        let (optimizer, tensors) = all.into_iter().partition(|(name, _)| name.contains(SLOT));
        Some(Checkpoint { progress, tensors, optimizer, best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_beyond_the_last_step_or_of_another_training_does_not_fit() {
        let at = |step, epochs: usize| TrainingProgress {
            step,
            part: 8,
            loss: vec![0.5; epochs],
            accuracy: vec![0.5; epochs],
            ..TrainingProgress::default()
        };
        let fits = |progress: TrainingProgress, batch| progress.fits(20, 10, batch, false);
        assert!(fits(at(0, 0), 8) && fits(at(10, 1), 8) && fits(at(20, 2), 8));
        assert!(!fits(at(21, 2), 8), "beyond the last step");
        assert!(!fits(at(15, 2), 8), "more epochs than its steps make");
        assert!(!fits(at(5, 0), 4), "parts larger than a batch");
        assert!(!fits(TrainingProgress { losses: f64::NAN, ..at(5, 0) }, 8));
        let validated = TrainingProgress { validation: vec![0.75], ..at(10, 1) };
        assert!(validated.fits(20, 10, 8, true) && !fits(validated, 8), "nobody is held out");
        assert!(!at(10, 1).fits(20, 10, 8, true), "an epoch without its AUC");
    }

    #[test]
    fn a_checkpoint_comes_back_with_the_weights_of_the_best_epoch() {
        let tensors = |value: f32, prefix: &str| {
            let tensor = Tensor { shape: vec![1], values: vec![value] };
            BTreeMap::from([(format!("{prefix}conv1.weight"), tensor)])
        };
        let kept = Checkpoint {
            progress: TrainingProgress { step: 3, validation: vec![0.75], ..TrainingProgress::default() },
            tensors: tensors(1.0, ""),
            optimizer: tensors(2.0, "velocity/"),
            best: tensors(3.0, ""),
        };
        let found = Checkpoint::from_bytes(&kept.to_bytes().unwrap()).unwrap();
        assert_eq!(found.progress, kept.progress);
        assert_eq!([found.tensors, found.optimizer, found.best], [kept.tensors, kept.optimizer, kept.best]);
    }
}
