//! Which step of a study is in which state. Pure: whoever drives it looks up what is there and says what became of a step.
//!
//! A step is *due* once every step that it needs is settled: then it can be looked at, and its status set. What is set settles those
//! that wait for it: a step that will have no result bars all that need it, but for those that gather what there is.

use crate::study::steps::{Node, Step};
use std::collections::HashMap;
use visavis_core::domain::job::JobState;

/// How far a step has come.
#[derive(Clone, Debug, PartialEq)]
pub enum StageStatus {
    /// Something it consumes is not there yet.
    Open,
    Ready,
    Done,
    Failed(String),
    /// It waits for something missing, or for a stage that failed.
    Barred,
    /// A person paused or cancelled it.
    Aside(JobState),
}

impl StageStatus {
    /// Nothing will become of it in this run, or all that will has.
    fn is_settled(&self) -> bool {
        !matches!(self, StageStatus::Open | StageStatus::Ready | StageStatus::Aside(JobState::Paused))
    }

    /// It is settled and has no result.
    fn bars(&self) -> bool {
        matches!(self, StageStatus::Failed(_) | StageStatus::Barred | StageStatus::Aside(JobState::Cancelled))
    }

    /// A run could make it, now or later.
    pub fn is_to_come(&self) -> bool {
        matches!(self, StageStatus::Open | StageStatus::Ready)
    }
}

struct StepState {
    step: Step,
    /// By place, as everything here.
    needs: Vec<usize>,
    wanted_by: Vec<usize>,
    /// How many of the steps it needs are not settled yet.
    unsettled: usize,
    status: StageStatus,
}

/// Every step with its status, prerequisites first.
#[derive(Default)]
pub(crate) struct StepStates {
    states: Vec<StepState>,
    places: HashMap<Step, usize>,
    due: Vec<usize>,
}

impl StepStates {
    /// Takes more steps in, each after what it needs. A need that is not among the steps is no need.
    pub(crate) fn add(&mut self, nodes: Vec<Node>) {
        for Node { step, needs } in nodes {
            let place = self.states.len();
            let needs: Vec<usize> = needs.iter().filter_map(|need| self.places.get(need).copied()).collect();
            for &need in &needs {
                self.states[need].wanted_by.push(place);
            }
            let unsettled = needs.iter().filter(|&&need| !self.states[need].status.is_settled()).count();
            if unsettled == 0 {
                self.due.push(place);
            }
            self.states.push(StepState { step, needs, wanted_by: vec![], unsettled, status: StageStatus::Open });
            self.places.insert(step, place);
        }
    }

    /// Steps that have come to be due since this was last asked.
    pub(crate) fn take_due(&mut self) -> Vec<Step> {
        let due = std::mem::take(&mut self.due).into_iter().map(|place| &self.states[place]);
        due.filter(|state| state.status == StageStatus::Open).map(|state| state.step).collect()
    }

    /// Sets a step's status. Nothing becomes of a step that is not known.
    pub(crate) fn set(&mut self, step: Step, status: StageStatus) {
        if let Some(&place) = self.places.get(&step) {
            self.set_at(place, status);
        }
    }

    fn set_at(&mut self, place: usize, status: StageStatus) {
        let was_settled = self.states[place].status.is_settled();
        let (is_settled, bars) = (status.is_settled(), status.bars());
        self.states[place].status = status;
        if was_settled || !is_settled {
            return;
        }
        for wanting in self.states[place].wanted_by.clone() {
            let state = &mut self.states[wanting];
            state.unsettled -= 1;
            if state.status != StageStatus::Open {
                continue;
            }
            if bars && !state.step.gathers() {
                self.set_at(wanting, StageStatus::Barred);
            } else if state.unsettled == 0 {
                self.due.push(wanting);
            }
        }
    }

    pub(crate) fn contains(&self, step: Step) -> bool {
        self.places.contains_key(&step)
    }

    pub(crate) fn status(&self, step: Step) -> Option<&StageStatus> {
        self.places.get(&step).map(|&place| &self.states[place].status)
    }

    /// What a step needs, of the steps there are.
    pub(crate) fn needs(&self, step: Step) -> Vec<Step> {
        let needs = self.places.get(&step).map_or(&[][..], |&place| &self.states[place].needs);
        needs.iter().map(|&need| self.states[need].step).collect()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (Step, &StageStatus)> {
        self.states.iter().map(|state| (state.step, &state.status))
    }

    /// The steps of a status.
    pub(crate) fn of(&self, status: &StageStatus) -> Vec<Step> {
        self.iter().filter(|(_, other)| *other == status).map(|(step, _)| step).collect()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node> {
        self.states.iter().map(|state| Node { step: state.step, needs: self.needs(state.step) })
    }

    /// The steps that a run here would make: those to come, whose needs are there or would be made. What gathers makes do with some of
    /// its needs, and with none not.
    pub(crate) fn would_run(&self) -> Vec<Step> {
        let mut runs: Vec<bool> = Vec::with_capacity(self.states.len());
        for state in &self.states {
            let comes = |need: &usize| runs[*need] || self.states[*need].status == StageStatus::Done;
            let is_gathered = |need: &&usize| self.states[**need].step != Step::Index;
            let has_needs = || {
                let has_some = state.needs.iter().filter(is_gathered).any(comes);
                if state.step.gathers() { has_some } else { state.needs.iter().all(comes) }
            };
            let would_run = state.status.is_to_come() && has_needs();
            runs.push(would_run);
        }
        self.states.iter().zip(runs).filter(|(_, would_run)| *would_run).map(|(state, _)| state.step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::index::{LayerIx, ModelIx};

    const FEATURES: Step = Step::Features { model: ModelIx(0), layer: LayerIx(0) };
    const OTHER: Step = Step::Features { model: ModelIx(1), layer: LayerIx(0) };
    const SCORES: Step = Step::FeatureScores { model: ModelIx(0), layer: LayerIx(0) };
    const OTHER_SCORES: Step = Step::FeatureScores { model: ModelIx(1), layer: LayerIx(0) };

    /// Two models' features, the scores of each, and the ledger of both.
    fn states() -> StepStates {
        let mut states = StepStates::default();
        let node = |step: Step, needs: &[Step]| Node { step, needs: needs.to_vec() };
        states.add(vec![
            node(Step::Index, &[]),
            node(FEATURES, &[Step::Index]),
            node(OTHER, &[Step::Index]),
            node(SCORES, &[FEATURES]),
            node(OTHER_SCORES, &[OTHER]),
            node(Step::Rank, &[Step::Index, SCORES, OTHER_SCORES]),
            node(Step::DrawFrequencies, &[Step::Rank]),
        ]);
        states
    }

    fn done(states: &mut StepStates, steps: &[Step]) {
        steps.iter().for_each(|step| states.set(*step, StageStatus::Done));
    }

    #[test]
    fn a_step_is_due_once_when_all_it_needs_is_done() {
        let mut states = states();
        assert_eq!(states.take_due(), [Step::Index]);
        assert!(states.take_due().is_empty(), "it was told already");
        done(&mut states, &[Step::Index]);
        assert_eq!(states.take_due(), [FEATURES, OTHER]);
        done(&mut states, &[FEATURES, SCORES, OTHER]);
        assert_eq!(states.take_due(), [OTHER_SCORES], "what is done is not due");
        done(&mut states, &[OTHER_SCORES]);
        assert_eq!(states.take_due(), [Step::Rank]);
    }

    #[test]
    fn a_failure_bars_what_needs_it_but_not_what_gathers() {
        let mut states = states();
        done(&mut states, &[Step::Index, FEATURES, SCORES]);
        states.set(OTHER, StageStatus::Failed("no memory".into()));
        assert_eq!(states.status(OTHER_SCORES), Some(&StageStatus::Barred));
        assert!(states.take_due().contains(&Step::Rank), "a ledger of the cells that can be scored is better than none");
        states.set(Step::Rank, StageStatus::Barred);
        assert_eq!(states.status(Step::DrawFrequencies), Some(&StageStatus::Barred));
    }

    #[test]
    fn what_is_paused_holds_the_ledger_up_and_what_is_cancelled_does_not() {
        let mut states = states();
        done(&mut states, &[Step::Index, FEATURES, SCORES]);
        states.set(OTHER, StageStatus::Aside(JobState::Paused));
        states.take_due();
        assert_eq!(states.status(OTHER_SCORES), Some(&StageStatus::Open));
        assert!(states.take_due().is_empty());
        states.set(OTHER, StageStatus::Aside(JobState::Cancelled));
        assert_eq!(states.status(OTHER_SCORES), Some(&StageStatus::Barred));
        assert_eq!(states.take_due(), [Step::Rank]);
    }

    #[test]
    fn steps_that_come_later_wait_only_for_what_is_not_settled() {
        let mut states = states();
        done(&mut states, &[Step::Index]);
        states.take_due();
        let later = Step::Verify { model: ModelIx(0) };
        states.add(vec![Node { step: later, needs: vec![Step::Index, Step::Train { model: ModelIx(7) }] }]);
        assert_eq!(states.take_due(), [later], "a need that is no step is no need");
        assert_eq!(states.needs(later), [Step::Index]);
    }

    #[test]
    fn a_run_makes_what_can_come_and_gathers_what_there_is() {
        let mut states = states();
        assert_eq!(states.would_run().len(), 7, "nothing is there, all can be made");
        states.set(OTHER, StageStatus::Barred);
        assert_eq!(states.would_run(), [Step::Index, FEATURES, SCORES, Step::Rank, Step::DrawFrequencies]);
        states.set(FEATURES, StageStatus::Barred);
        assert_eq!(states.would_run(), [Step::Index], "a ledger of no cells is none");
    }
}
