//! How long stages take beside what was reckoned, as those of this run show.

use crate::study::queue::Waiting;
use std::collections::HashMap;
use visavis_core::domain::stage::Kind;

/// So many seconds of stages that took what was reckoned are taken for granted of each kind: one that is short says little.
const GRANTED: f64 = 1.0;

/// Seconds that were reckoned and seconds that it took, of the stages of each kind.
#[derive(Debug, Default)]
pub(super) struct Reckoned(HashMap<Kind, (f64, f64)>);

impl Reckoned {
    /// A stage took so many seconds.
    pub(super) fn learn(&mut self, waiting: &Waiting, seconds: f64) {
        let (reckoned, took) = self.0.entry(waiting.step.kind()).or_insert((GRANTED, GRANTED));
        *reckoned += waiting.seconds;
        *took += seconds;
    }

    /// Seconds that a job takes, as far as is known.
    pub(super) fn expected(&self, waiting: &Waiting) -> f64 {
        let (reckoned, took) = self.0.get(&waiting.step.kind()).copied().unwrap_or((GRANTED, GRANTED));
        waiting.seconds * took / reckoned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::steps::Step;
    use visavis_core::domain::{Digest, Key, job::JobId, study::DeviceClass};

    fn job(seconds: f64) -> Waiting {
        Waiting {
            key: Key(Digest::of(b"k")),
            step: Step::Index,
            job: JobId::of("s", "j"),
            seed: None,
            class: DeviceClass::Cpu,
            program: None,
            upward_rank: 1.0,
            seconds,
        }
    }

    #[test]
    fn long_stages_say_how_long_others_take_and_short_ones_hardly_do() {
        let mut reckoned = Reckoned::default();
        assert_eq!(reckoned.expected(&job(60.0)), 60.0);
        reckoned.learn(&job(0.01), 0.06);
        assert!((reckoned.expected(&job(60.0)) - 60.0).abs() < 4.0);
        reckoned.learn(&job(60.0), 1.0);
        assert!(reckoned.expected(&job(60.0)) < 3.0);
    }
}
