//! The study that is pretended: which stages there are, what each needs and how long it takes.

use super::Draw;
use crate::study::{queue::Waiting, steps::Step};
use std::collections::HashMap;
use visavis_core::domain::{
    Digest, Key,
    job::{JobId, PlannedJob},
    stage::Kind,
    study::DeviceClass,
};

/// A kind of stage: the median of its seconds, their spread (of the logarithm), and what none of them exceeds.
struct Durations(f64, f64, f64);

const TRAIN: Durations = Durations(120.0, 0.6, 3600.0);
const EXTRACT: Durations = Durations(40.0, 0.8, 1200.0);
const PROJECT: Durations = Durations(12.0, 1.2, 1200.0);
const SCORE: Durations = Durations(2.5, 0.8, 300.0);

pub(super) struct Stage {
    pub key: Key,
    pub seconds: f64,
    /// What the queue takes for its seconds: the median of its kind.
    estimated: f64,
    /// Its seconds and those of the longest chain behind it: as estimated, and as they are.
    upward_rank: f64,
    chain: f64,
    job: JobId,
    leads_to: Vec<usize>,
    /// How many of the stages that it needs are not done.
    lacks: usize,
}

/// First a listing, then for each model a training, an extraction, and pairs of a projection and a score; then one stage that needs all.
pub(super) struct Study {
    pub stages: Vec<Stage>,
    by_key: HashMap<Key, usize>,
    done: usize,
}

impl Study {
    pub(super) fn draw(stages: usize, draw: &mut Draw) -> Self {
        let mut study = Study { stages: vec![], by_key: HashMap::new(), done: 0 };
        let listing = study.push(2.0, 2.0, None);
        let has_room = |study: &Study| study.stages.len() < stages - 1;
        while has_room(&study) {
            let train = study.drawn(&TRAIN, listing, draw);
            let mut pairs = draw.between(20.0, 80.0) as usize;
            if has_room(&study) {
                let extract = study.drawn(&EXTRACT, train, draw);
                while pairs > 0 && has_room(&study) {
                    pairs -= 1;
                    let project = study.drawn(&PROJECT, extract, draw);
                    if has_room(&study) {
                        study.drawn(&SCORE, project, draw);
                    }
                }
            }
        }
        let ends: Vec<usize> = (0..study.stages.len()).filter(|stage| study.stages[*stage].leads_to.is_empty()).collect();
        let last = study.push(5.0, 5.0, None);
        study.stages[last].lacks = ends.len();
        ends.into_iter().for_each(|end| study.stages[end].leads_to.push(last));
        for stage in (0..study.stages.len()).rev() {
            let after = study.stages[stage].leads_to.iter().map(|next| &study.stages[*next]);
            let (rank, chain) =
                after.fold((0.0f64, 0.0f64), |(rank, chain), next| (rank.max(next.upward_rank), chain.max(next.chain)));
            let of = &mut study.stages[stage];
            (of.upward_rank, of.chain) = (rank + of.estimated, chain + of.seconds);
        }
        study.by_key = study.stages.iter().enumerate().map(|(place, stage)| (stage.key, place)).collect();
        study
    }

    fn drawn(&mut self, Durations(median, spread, most): &Durations, needs: usize, draw: &mut Draw) -> usize {
        let seconds = (median * (spread * draw.normal()).exp()).min(*most);
        self.push(seconds, *median, Some(needs))
    }

    fn push(&mut self, seconds: f64, estimated: f64, needs: Option<usize>) -> usize {
        let place = self.stages.len();
        let key = Key(Digest::of(&place.to_le_bytes()));
        let job = JobId::of("simulated", &place.to_string());
        let lacks = usize::from(needs.is_some());
        self.stages.push(Stage { key, seconds, estimated, upward_rank: 0.0, chain: 0.0, job, leads_to: vec![], lacks });
        needs.into_iter().for_each(|needs| self.stages[needs].leads_to.push(place));
        place
    }

    pub(super) fn place(&self, key: Key) -> usize {
        self.by_key[&key]
    }

    pub(super) fn left(&self) -> usize {
        self.stages.len() - self.done
    }

    /// The sum of all seconds, and the longest chain.
    pub(super) fn seconds(&self) -> (f64, f64) {
        (self.stages.iter().map(|stage| stage.seconds).sum(), self.stages.iter().map(|stage| stage.chain).fold(0.0, f64::max))
    }

    pub(super) fn jobs(&self) -> Vec<(PlannedJob, bool)> {
        let planned = |(place, stage): (usize, &Stage)| {
            (PlannedJob { job: stage.job, stage: Kind::Index, label: format!("stage {place}") }, true)
        };
        self.stages.iter().enumerate().map(planned).collect()
    }

    pub(super) fn waiting(&self, place: usize) -> Waiting {
        let stage = &self.stages[place];
        Waiting {
            key: stage.key,
            step: Step::Train { model: place.into() },
            job: stage.job,
            seed: None,
            class: DeviceClass::Cpu,
            program: None,
            upward_rank: stage.upward_rank,
            seconds: stage.estimated,
        }
    }

    /// A result is seen: the stages that are ready by it.
    pub(super) fn finish(&mut self, place: usize) -> Vec<Waiting> {
        self.done += 1;
        let mut ready = vec![];
        for next in self.stages[place].leads_to.clone() {
            self.stages[next].lacks -= 1;
            if self.stages[next].lacks == 0 {
                ready.push(self.waiting(next));
            }
        }
        ready
    }
}
