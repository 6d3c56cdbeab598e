//! Counts of a plan: what is stored, what a run here would make, what waits.

use super::{Plan, StageStatus};
use crate::study::steps::{Step, program};
use std::collections::{BTreeMap, HashSet};
use visavis_core::domain::{job::JobState, matrix, stage::Kind, study::DeviceClass};

/// Stages of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub stored: usize,
    /// What a run here would make.
    pub to_run: usize,
    /// What it would not: something is missing, failed, or was set aside by a person.
    pub waiting: usize,
}

impl Plan {
    /// What is stored and what would run, by kind, in the order of work.
    pub fn tally(&self) -> Vec<(Kind, Tally)> {
        let would_run: HashSet<Step> = self.states.would_run().into_iter().collect();
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        for (step, status) in self.states.iter() {
            let tally = tallies.entry(step.kind()).or_default();
            match status {
                StageStatus::Done => tally.stored += 1,
                _ if would_run.contains(&step) => tally.to_run += 1,
                _ => tally.waiting += 1,
            }
        }
        if let Some(tally) = tallies.get_mut(&Kind::Draw) {
            tally.to_run += self.figures_to_come(&would_run);
        }
        tallies.into_iter().collect()
    }

    /// How many stages a run here would make.
    pub fn to_run(&self) -> usize {
        self.tally().iter().map(|(_, tally)| tally.to_run).sum()
    }

    /// How many of them train a network or look through one.
    pub fn networks_to_run(&self) -> usize {
        let is_network = |step: &&Step| program(&self.study, **step).is_some() || step.class(&self.study) != DeviceClass::Cpu;
        self.states.would_run().iter().filter(is_network).count()
    }

    /// The steps that a run here would make.
    pub fn runs(&self) -> Vec<Step> {
        self.states.would_run()
    }

    /// Figures that the ledger will show, as far as can be said before it is there.
    fn figures_to_come(&self, would_run: &HashSet<Step>) -> usize {
        let draws = self.states.contains(Step::DrawFrequencies) && would_run.contains(&Step::Rank);
        if draws && self.study.show > 0 {
            self.study.show.min(self.study.models.len() * self.study.comparisons.len()) + 3
        } else {
            0
        }
    }

    pub fn failures(&self) -> usize {
        self.states.iter().filter(|(_, status)| matches!(status, StageStatus::Failed(_))).count()
    }

    /// How many stages people paused or cancelled.
    pub fn count_aside(&self, state: JobState) -> usize {
        self.states.of(&StageStatus::Aside(state)).len()
    }

    /// How many results are there that this run did not make.
    pub fn stored(&self) -> usize {
        self.results.keys().filter(|step| !self.made.contains(step)).count()
    }

    pub fn cells(&self) -> usize {
        matrix::cells(&self.study).len()
    }

    /// The cells that a step scores.
    fn cells_of(&self, step: Step) -> usize {
        match step {
            Step::Score { projection, .. } => self.study.projections[projection].views().len(),
            _ => 0,
        }
    }

    /// Cells whose score is there.
    pub fn cells_done(&self) -> usize {
        self.results.keys().map(|step| self.cells_of(*step)).sum()
    }

    /// Cells that wait for something missing (each once).
    pub fn cells_waiting(&self) -> usize {
        self.states.of(&StageStatus::Barred).into_iter().map(|step| self.cells_of(step)).sum()
    }
}
