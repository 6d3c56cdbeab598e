//! In which order stages are made again, and what is kept of their outputs. No threads here: `workers.rs` asks and reports.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
    sync::Arc,
};
use visavis_core::domain::{Digest, result::Manifest, stage::Input};

/// What a thread is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NextStage {
    /// Make the stage at this place again, with so many threads.
    Make { place: usize, threads: usize },
    /// Ask again after a stage is finished.
    Wait,
    /// Nothing is left, or no further stage is to begin.
    End,
}

pub(crate) struct RemakeQueue {
    /// Stages that wait for none, the one with the longest way to the end first.
    ready: BinaryHeap<(u64, Reverse<usize>)>,
    /// By stage: the stages that wait for it.
    consumers: Vec<Vec<usize>>,
    /// By stage: for how many others it still waits.
    waits_for: Vec<usize>,
    /// By stage: how long the way to the end is, in milliseconds.
    ways: Vec<u64>,
    running: usize,
    left: usize,
    is_stopped: bool,
    /// What stages give that others consume.
    given: HashMap<Digest, RemakeInput>,
}

struct RemakeInput {
    /// From when its stage is finished until the last consumer is.
    bytes: Option<Arc<Vec<u8>>>,
    /// How many stages still consume it.
    wanted: usize,
}

impl RemakeQueue {
    /// `jobs`: the places of the stages that are made again; `is_stored`: can this input be read without making it?
    pub(crate) fn new(manifests: &[Manifest], jobs: &[usize], is_stored: impl Fn(&Input) -> bool) -> Self {
        let mut makers: HashMap<Digest, usize> = HashMap::new();
        for &place in jobs.iter().rev() {
            makers.extend(manifests[place].outputs.iter().map(|output| (output.digest, place)));
        }
        let mut queue = RemakeQueue {
            ready: BinaryHeap::new(),
            consumers: vec![vec![]; manifests.len()],
            waits_for: vec![0; manifests.len()],
            ways: vec![0; manifests.len()],
            running: 0,
            left: jobs.len(),
            is_stopped: false,
            given: HashMap::new(),
        };
        for &place in jobs {
            let mut waits_for = BTreeSet::new();
            for input in &manifests[place].inputs {
                let maker = makers.get(&input.digest).filter(|maker| **maker != place);
                if let Some(maker) = maker.filter(|_| !is_stored(input)) {
                    waits_for.insert(*maker);
                    queue.given.entry(input.digest).or_insert(RemakeInput { bytes: None, wanted: 0 }).wanted += 1;
                }
            }
            queue.waits_for[place] = waits_for.len();
            waits_for.into_iter().for_each(|maker| queue.consumers[maker].push(place));
        }
        queue.measure(jobs, manifests);
        queue.ready = jobs.iter().filter(|place| queue.waits_for[**place] == 0).map(|&place| queue.entry(place)).collect();
        queue
    }

    fn entry(&self, place: usize) -> (u64, Reverse<usize>) {
        (self.ways[place], Reverse(place))
    }

    /// How long the way from each stage to the end is, by how long stages took when they were made.
    fn measure(&mut self, jobs: &[usize], manifests: &[Manifest]) {
        let mut waits_for = self.waits_for.clone();
        let mut order: Vec<usize> = jobs.iter().copied().filter(|place| waits_for[*place] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            for &next in &self.consumers[order[at]] {
                waits_for[next] -= 1;
                if waits_for[next] == 0 {
                    order.push(next);
                }
            }
            at += 1;
        }
        for &place in order.iter().rev() {
            let own = (manifests[place].provenance.seconds.clamp(0.0, 1e6) * 1000.0) as u64;
            let further = self.consumers[place].iter().map(|next| self.ways[*next]).max().unwrap_or(0);
            self.ways[place] = 1 + own + further;
        }
    }

    /// The next stage, and its share of all `threads`.
    pub(crate) fn next(&mut self, threads: usize) -> NextStage {
        if self.is_stopped || self.left == 0 {
            return NextStage::End;
        }
        if self.ready.is_empty() && self.running == 0 {
            // What is left waits for itself: no study is like that, a page may be. It is tried as it is.
            let Some(stuck) = self.waits_for.iter().position(|count| *count > 0) else { return NextStage::End };
            self.waits_for[stuck] = 0;
            self.ready.push(self.entry(stuck));
        }
        match self.ready.pop() {
            Some((_, Reverse(place))) => {
                self.running += 1;
                NextStage::Make { place, threads: (threads / (self.running + self.ready.len())).max(1) }
            }
            None => NextStage::Wait,
        }
    }

    /// The stage at this place is finished: it consumed `inputs`, and gave `outputs` that others may consume.
    pub(crate) fn finish(&mut self, place: usize, inputs: &[Input], outputs: Vec<Vec<u8>>) {
        for bytes in outputs {
            let digest = Digest::of(&bytes);
            if let Some(given) = self.given.get_mut(&digest).filter(|given| given.wanted > 0) {
                given.bytes = Some(Arc::new(bytes));
            }
        }
        for input in inputs {
            if let Some(given) = self.given.get_mut(&input.digest) {
                given.wanted = given.wanted.saturating_sub(1);
                if given.wanted == 0 {
                    given.bytes = None;
                }
            }
        }
        for next in std::mem::take(&mut self.consumers[place]) {
            if self.waits_for[next] > 0 {
                self.waits_for[next] -= 1;
                if self.waits_for[next] == 0 {
                    self.ready.push(self.entry(next));
                }
            }
        }
        self.running -= 1;
        self.left -= 1;
    }

    /// Begins no further stage.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// What a stage that was made again gave.
    pub(crate) fn given(&self, digest: Digest) -> Option<Arc<Vec<u8>>> {
        self.given.get(&digest)?.bytes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::remake::tests::project;

    fn queue(manifests: &[Manifest]) -> RemakeQueue {
        RemakeQueue::new(manifests, &(0..manifests.len()).collect::<Vec<_>>(), |_| false)
    }

    fn make(place: usize, threads: usize) -> NextStage {
        NextStage::Make { place, threads }
    }

    #[test]
    fn the_stage_with_the_longest_way_to_the_end_is_first_and_threads_are_shared() {
        let mut slow = project(2, &[b"1"], b"21");
        slow.provenance.seconds = 60.0;
        let manifests = [project(0, &[], b"0"), project(1, &[], b"1"), slow];
        let mut queue = queue(&manifests);
        assert_eq!(queue.next(4), make(1, 2));
        assert_eq!(queue.next(4), make(0, 2));
        assert_eq!(queue.next(4), NextStage::Wait);
        queue.finish(1, &[], vec![b"1".to_vec()]);
        assert_eq!(queue.next(4), make(2, 2));
        queue.finish(0, &[], vec![]);
        queue.finish(2, &manifests[2].inputs, vec![]);
        assert_eq!(queue.next(4), NextStage::End);
    }

    #[test]
    fn an_output_is_kept_until_its_last_consumer_is_finished() {
        let manifests = [project(1, &[], b"1"), project(2, &[b"1"], b"21"), project(3, &[b"1"], b"31")];
        let (mut queue, digest) = (queue(&manifests), Digest::of(b"1"));
        queue.next(1);
        assert!(queue.given(digest).is_none());
        queue.finish(0, &[], vec![b"1".to_vec()]);
        queue.next(1);
        queue.finish(1, &manifests[1].inputs, vec![b"21".to_vec()]);
        assert_eq!(queue.given(digest).as_deref(), Some(&b"1".to_vec()));
        // Nobody consumes it.
        assert!(queue.given(Digest::of(b"21")).is_none());
        queue.next(1);
        queue.finish(2, &manifests[2].inputs, vec![]);
        assert!(queue.given(digest).is_none());
    }

    #[test]
    fn an_input_that_is_stored_is_not_waited_for() {
        let manifests = [project(1, &[b"0"], b"1"), project(0, &[], b"0")];
        let mut waiting = queue(&manifests);
        assert_eq!((waiting.next(1), waiting.next(1)), (make(1, 1), NextStage::Wait));
        let mut queue = RemakeQueue::new(&manifests, &[0, 1], |_| true);
        assert_eq!((queue.next(1), queue.next(1)), (make(0, 1), make(1, 1)));
    }

    #[test]
    fn stages_that_wait_for_each_other_are_tried_and_a_stopped_queue_ends() {
        let manifests = [project(1, &[b"2"], b"1"), project(2, &[b"1"], b"2")];
        let mut queue = queue(&manifests);
        assert_eq!((queue.next(1), queue.next(1)), (make(0, 1), NextStage::Wait));
        queue.stop();
        assert_eq!(queue.next(1), NextStage::End);
    }
}
