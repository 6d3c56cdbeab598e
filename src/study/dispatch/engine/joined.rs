//! Workers that come by themselves and are spoken with through a shared folder: they are given work before they run out of it, because a
//! letter takes seconds, and what they have not begun is taken back when another has nothing to do.

use super::{AssignedJob, DispatchCommand, Engine, Waiting, WorkerSlot};
use crate::study::{programs::WorkerProgram, queue::QueueLine};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use visavis_core::domain::{Key, event::EventKind};

/// A worker with less work than so many seconds is given more: as long as a letter to it and one back may take.
const AHEAD: f64 = 6.0;

/// Work of so many seconds is worth being taken back from a worker that has not begun it.
const WORTH: f64 = 3.0;

/// A worker that is at a job for so many seconds longer than was reckoned may be at it for hours: nothing is to wait behind it.
const LATE: f64 = 10.0;

/// A worker has so long to begin what it was given, and gives signs of life meanwhile: a letter to it and one back take some ten seconds, a
/// program that opens a card may take a minute. Then that is taken back. One that does not answer to that either for as long again is given up.
const BEGINS: Duration = Duration::from_secs(180);

/// A worker that was heard of within this time gives signs of life; one that is silent is given up for that.
const ALIVE: Duration = Duration::from_secs(60);

/// A worker that has had nothing to do for so long is let go, whatever is left.
const IDLE_ANYWAY: Duration = Duration::from_secs(300);

impl WorkerSlot {
    /// How many of its jobs it has begun: the first, or none.
    fn begun_jobs(&self) -> usize {
        usize::from(self.begun.is_some()).min(self.assigned.len())
    }

    /// The jobs that it has not begun.
    fn waiting(&self) -> impl DoubleEndedIterator<Item = &Waiting> {
        self.assigned.iter().skip(self.begun_jobs()).map(|of| &of.waiting)
    }

    /// How long it is at its first job, in seconds.
    fn worked(&self, now: Duration) -> f64 {
        self.begun.map_or(0.0, |begun| now.saturating_sub(begun).as_secs_f64())
    }
}

impl Engine {
    /// Seconds that a job takes, as far as is known.
    fn expected(&self, waiting: &Waiting) -> f64 {
        self.reckoned.expected(waiting)
    }

    /// Seconds until a worker has done all that it was assigned, as far as is known.
    fn ahead(&self, slot: &WorkerSlot, now: Duration) -> f64 {
        let all: f64 = slot.assigned.iter().map(|of| self.expected(&of.waiting)).sum();
        let first = slot.assigned.front().map_or(0.0, |of| self.expected(&of.waiting));
        all - slot.worked(now).min(first)
    }

    /// The job that a worker is at takes this much longer than was reckoned, in seconds.
    fn late(&self, slot: &WorkerSlot, now: Duration) -> f64 {
        let first = slot.assigned.front().filter(|_| slot.begun.is_some());
        first.map_or(0.0, |of| slot.worked(now) - self.expected(&of.waiting))
    }

    /// A worker has come. What it holds since before is its own if this run waits for it. If not, it is asked to give that back, or to stop
    /// where it is at it.
    pub(super) fn join(
        &mut self,
        worker: u64,
        (device, place): (usize, usize),
        program: Option<WorkerProgram>,
        holds: &[(Key, u32)],
        now: Duration,
    ) {
        let mut slot = self.slot(device, place, program, now);
        let mut holds = holds.iter();
        while let Some((key, attempt)) = holds.next() {
            match self.queue.take(*key) {
                // Its own journal has that attempt's number.
                Some(waiting) => slot.assigned.push_back(AssignedJob { waiting, attempt: *attempt, noted: false }),
                None => _ = slot.foreign.insert(*key),
            }
            if slot.assigned.is_empty() {
                // It is at the first: what comes after that is for others.
                slot.foreign.extend(holds.by_ref().map(|(key, _)| *key));
            }
        }
        slot.unbegun = (!slot.assigned.is_empty()).then_some(now);
        let keys: Vec<Key> = slot.foreign.iter().copied().collect();
        let is_at_foreign = slot.assigned.is_empty() && !keys.is_empty();
        self.slots.insert(worker, slot);
        if is_at_foreign {
            self.commands.push(DispatchCommand::Terminate { worker });
        } else if !keys.is_empty() {
            self.recall(worker, keys);
        }
    }

    /// Gives workers that came by themselves something to do before they run out of it, and takes back what waits behind a job of which
    /// nobody knows how long it takes.
    pub(super) fn fill_joined(&mut self, now: Duration) {
        self.recall_from_late(now);
        let mut here = vec![0; self.devices.len()];
        self.slots.values().for_each(|slot| here[slot.device] += 1);
        let takes = |slot: &WorkerSlot| {
            let is_well = slot.ending.is_none() && slot.foreign.is_empty() && !slot.is_recalled && slot.becomes.is_none();
            let has_little = self.ahead(slot, now) < AHEAD && self.late(slot, now) < LATE;
            self.joining[slot.device] && is_well && (slot.assigned.is_empty() || has_little)
        };
        // Those with the least to do first.
        let mut takers: Vec<(u64, usize, usize)> = (self.slots.iter().filter(|(_, slot)| takes(slot)))
            .map(|(worker, slot)| (*worker, slot.device, slot.assigned.len()))
            .collect();
        takers.sort_by_key(|(_, _, assigned)| *assigned);
        let mut is_barren = vec![false; self.devices.len()];
        for (worker, place, assigned) in takers {
            match self.next_batch(worker, place, here[place]) {
                Some(batch) => batch.into_iter().for_each(|waiting| self.assign(worker, waiting, now)),
                None if assigned == 0 && self.go_on_as_needed(worker, place, now) => {}
                None if assigned == 0 => {
                    // Where nothing can be taken back for one, nothing can for a thousand.
                    is_barren[place] = is_barren[place] || !self.relieve(place, now);
                    self.dismiss_idle(worker, now);
                }
                None => {}
            }
        }
    }

    /// The next jobs for a worker, one of so many at a place, of those that its program can do.
    fn next_batch(&mut self, worker: u64, place: usize, workers: usize) -> Option<Vec<Waiting>> {
        if self.queue.is_empty() {
            return None;
        }
        let program = self.slots.get(&worker)?.program;
        let lines = self.lines(place).into_iter().filter(|line| !self.is_left_to_slots(*line));
        let (lines, reckoned): (Vec<_>, _) = (lines.collect(), &self.reckoned);
        let expected = |of: &Waiting| reckoned.expected(of);
        let mut batches = lines.into_iter().map(|line| self.queue.posted_batch(line, workers, program, &expected));
        batches.find(|batch| !batch.is_empty())
    }

    /// A worker has nothing to do that its program can: it goes on as another one that something waits for, unless as many do already. Does
    /// it?
    fn go_on_as_needed(&mut self, worker: u64, place: usize, now: Duration) -> bool {
        let lines: Vec<QueueLine> = self.lines(place).into_iter().filter(|line| !self.is_left_to_slots(*line)).collect();
        let own = self.slots.get(&worker).and_then(|slot| slot.program);
        let mut waiting: BTreeMap<WorkerProgram, usize> = BTreeMap::new();
        let needed = lines.into_iter().flat_map(|line| self.queue.programs(line));
        needed.filter(|(of, _)| Some(*of) != own).for_each(|(of, jobs)| *waiting.entry(of).or_default() += jobs);
        let is_free = |slot: &WorkerSlot| slot.assigned.is_empty() && slot.ending.is_none() && slot.becomes.is_none();
        let serves = |slot: &WorkerSlot, program| slot.becomes == Some(program) || is_free(slot) && slot.program == Some(program);
        let coming = |program| self.slots.values().filter(|slot| slot.device == place && serves(slot, program)).count();
        let Some((program, _)) = waiting.into_iter().find(|(program, jobs)| *jobs > coming(*program)) else { return false };
        if let Some(slot) = self.slots.get_mut(&worker) {
            // From here on it says nothing until it comes anew.
            (slot.becomes, slot.heard) = (Some(program), now);
        }
        self.commands.push(DispatchCommand::GoOnAs { worker, program });
        true
    }

    /// Takes back what workers that came by themselves were given, give signs of life, and do not begin. One that does not give it back is
    /// given up; the stages are not to blame, and their attempts do not count.
    pub(super) fn take_back_unbegun(&mut self, now: Duration) {
        let has_some = |slot: &WorkerSlot| self.joining[slot.device] && slot.ending.is_none() && !slot.assigned.is_empty();
        let waited = |slot: &WorkerSlot| match slot.unbegun {
            Some(since) if has_some(slot) && now.saturating_sub(slot.heard) < ALIVE => now.saturating_sub(since),
            _ => Duration::ZERO,
        };
        let overdue = self.slots.iter().filter(|(_, slot)| waited(slot) >= BEGINS);
        let overdue: Vec<(u64, bool)> = overdue.map(|(worker, slot)| (*worker, waited(slot) >= 2 * BEGINS)).collect();
        for (worker, is_deaf) in overdue {
            let Some(slot) = self.slots.get_mut(&worker) else { continue };
            if !is_deaf && std::mem::replace(&mut slot.is_recalled, true) {
                continue;
            }
            let given: Vec<AssignedJob> = slot.assigned.iter().cloned().collect();
            let (seconds, what) = match is_deaf {
                false => (BEGINS.as_secs(), "is taken back from it"),
                true => (2 * BEGINS.as_secs(), "goes to another, and the worker is ended"),
            };
            for AssignedJob { waiting, attempt, .. } in &given {
                let line = format!("its worker gives signs of life and has not begun it in {seconds} s: it {what}");
                self.note(EventKind::Logged { key: Some(waiting.key), attempt: *attempt, line });
            }
            if is_deaf {
                self.slots.remove(&worker);
                given.iter().for_each(|of| self.requeue(of));
                self.commands.push(DispatchCommand::Kill { worker });
            } else {
                let keys = given.iter().map(|of| of.waiting.key).collect();
                self.commands.push(DispatchCommand::Recall { worker, keys });
            }
        }
    }

    /// Takes back what waits behind jobs that take longer than was reckoned.
    fn recall_from_late(&mut self, now: Duration) {
        let is_stuck = |slot: &WorkerSlot| {
            self.joining[slot.device] && slot.ending.is_none() && !slot.is_recalled && self.late(slot, now) >= LATE
        };
        let stuck = self.slots.iter().filter(|(_, slot)| is_stuck(slot));
        let stuck: Vec<(u64, Vec<Key>)> =
            stuck.map(|(worker, slot)| (*worker, slot.waiting().map(|of| of.key).collect())).collect();
        stuck.into_iter().filter(|(_, keys)| !keys.is_empty()).for_each(|(worker, keys)| self.recall(worker, keys));
    }

    /// Lets a worker go that has had nothing to do for long: it holds what others wait for. Another comes when there is something again.
    fn dismiss_idle(&mut self, worker: u64, now: Duration) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if now.saturating_sub(*slot.idle.get_or_insert(now)) >= IDLE_ANYWAY {
            self.has_dismissed = true;
            self.let_go(worker);
        }
    }

    /// A worker at this place has nothing to do: half of what the busiest of the others has not begun is taken back. Is there anything?
    fn relieve(&mut self, place: usize, now: Duration) -> bool {
        let worth = |slot: &WorkerSlot| {
            let is_worth_it = slot.assigned.len() > 1 && (self.ahead(slot, now) > WORTH || self.late(slot, now) > WORTH);
            slot.device == place && slot.ending.is_none() && !slot.is_recalled && slot.waiting().count() > 0 && is_worth_it
        };
        let ahead = |of: &(&u64, &WorkerSlot)| self.ahead(of.1, now);
        let busiest = self.slots.iter().filter(|(_, slot)| worth(slot)).max_by(|a, b| ahead(a).total_cmp(&ahead(b)));
        let Some((&worker, slot)) = busiest else { return false };
        let half = slot.waiting().count().div_ceil(2);
        let keys = slot.waiting().rev().take(half).map(|of| of.key).collect();
        self.recall(worker, keys);
        true
    }

    fn recall(&mut self, worker: u64, keys: Vec<Key>) {
        if let Some(slot) = self.slots.get_mut(&worker) {
            slot.is_recalled = true;
            self.commands.push(DispatchCommand::Recall { worker, keys });
        }
    }

    /// Takes back what workers that came by themselves were given and have not begun, of what must not start now. Workers that are spawned
    /// here are given so little at a time that this is not worth it.
    pub(super) fn recall_unwanted(&mut self) {
        let (is_held, aside) = (self.requests.paused_all || self.is_draining, self.requests.aside());
        let unwanted = |slot: &WorkerSlot| -> Vec<Key> {
            slot.waiting().filter(|of| is_held || aside.contains_key(&of.job)).map(|of| of.key).collect()
        };
        let asked: Vec<(u64, Vec<Key>)> = (self.slots.iter())
            .filter(|(_, slot)| self.joining[slot.device])
            .map(|(worker, slot)| (*worker, unwanted(slot)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        asked.into_iter().for_each(|(worker, keys)| self.recall(worker, keys));
    }

    /// A worker gave back what it had not begun.
    pub(super) fn returned(&mut self, worker: u64, keys: &[Key], now: Duration) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        (slot.is_recalled, slot.unbegun) = (false, slot.unbegun.map(|_| now));
        slot.foreign.retain(|key| !keys.contains(key));
        let (back, stay): (VecDeque<_>, VecDeque<_>) = slot.assigned.drain(..).partition(|of| keys.contains(&of.waiting.key));
        slot.assigned = stay;
        back.iter().for_each(|of| self.requeue(of));
        self.note_aside();
    }

    /// A worker has begun what a dispatcher before this one gave it and what this run does not wait for: it is asked to stop.
    pub(super) fn began_foreign(&mut self, worker: u64) {
        self.commands.push(DispatchCommand::Terminate { worker });
    }
}
