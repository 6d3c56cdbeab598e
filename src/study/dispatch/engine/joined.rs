//! Workers that come by themselves and are spoken with through a shared folder: they are given work before they run out of it, because a
//! letter takes seconds, and what they have not begun is taken back when another has nothing to do.

use super::{AssignedJob, DispatchCommand, Engine, WorkerSlot};
use std::{collections::VecDeque, time::Duration};
use visavis_core::domain::Key;

/// A worker with less work than so many seconds is given more: as long as a letter to it and one back may take.
const AHEAD: f64 = 6.0;

/// Work of so many seconds is worth being taken back from a worker that has not begun it.
const WORTH: f64 = 3.0;

/// A worker that has had nothing to do for so long is let go.
const IDLE: Duration = Duration::from_secs(300);

impl WorkerSlot {
    /// How many of its jobs it has begun: the first, or none.
    fn begun_jobs(&self) -> usize {
        usize::from(self.begun.is_some())
    }

    /// Seconds until it has done all that it was assigned, as far as is known.
    fn ahead(&self, now: Duration) -> f64 {
        let worked = self.begun.map_or(0.0, |begun| now.saturating_sub(begun).as_secs_f64());
        let first = self.assigned.front().map_or(0.0, |of| (of.waiting.seconds - worked).max(0.0));
        first + self.assigned.iter().skip(1).map(|of| of.waiting.seconds).sum::<f64>()
    }

    /// The first of its jobs takes this much longer than was reckoned, in seconds.
    fn late(&self, now: Duration) -> f64 {
        let Some((begun, first)) = self.begun.zip(self.assigned.front()) else { return 0.0 };
        now.saturating_sub(begun).as_secs_f64() - first.waiting.seconds
    }
}

impl Engine {
    /// A worker has come. What it holds since before is its own if this run waits for it. If not, it is asked to give that back, or to stop
    /// where it is at it.
    pub(super) fn join(&mut self, worker: u64, (device, place): (usize, usize), holds: &[Key], now: Duration) {
        let mut slot = self.slot(device, place, None, now);
        let mut holds = holds.iter();
        while let Some(key) = holds.next() {
            match self.queue.take(*key) {
                Some(waiting) => {
                    let attempt = self.attempts.get(key).copied().unwrap_or(0) + 1;
                    slot.assigned.push_back(AssignedJob { waiting, attempt, noted: false });
                }
                None => _ = slot.foreign.insert(*key),
            }
            if slot.assigned.is_empty() {
                // It is at the first: what comes after that is for others.
                slot.foreign.extend(holds.by_ref());
            }
        }
        let keys: Vec<Key> = slot.foreign.iter().copied().collect();
        let is_at_foreign = slot.assigned.is_empty() && !keys.is_empty();
        self.slots.insert(worker, slot);
        if is_at_foreign {
            self.commands.push(DispatchCommand::Terminate { worker });
        } else if !keys.is_empty() {
            self.recall(worker, keys);
        }
    }

    /// Gives workers that came by themselves something to do before they run out of it.
    pub(super) fn fill_joined(&mut self, now: Duration) {
        let mut here = vec![0; self.devices.len()];
        self.slots.values().for_each(|slot| here[slot.device] += 1);
        let takes = |slot: &WorkerSlot| {
            let is_well = slot.ending.is_none() && slot.foreign.is_empty() && !slot.is_recalled;
            // One waits behind the one that it is at, however long that is reckoned to take: it may take less, and can be taken back.
            self.joining[slot.device] && is_well && (slot.assigned.len() < 2 || slot.ahead(now) < AHEAD)
        };
        // Those with the least to do first.
        let mut takers: Vec<(u64, usize, usize)> = (self.slots.iter().filter(|(_, slot)| takes(slot)))
            .map(|(worker, slot)| (*worker, slot.device, slot.assigned.len()))
            .collect();
        takers.sort_by_key(|(_, _, assigned)| *assigned);
        for (worker, place, assigned) in takers {
            let lines = self.lines(place).into_iter();
            let mut batches =
                lines.map(|line| if self.is_left_to_slots(line) { vec![] } else { self.queue.posted_batch(line, here[place]) });
            match batches.find(|batch| !batch.is_empty()) {
                Some(batch) => batch.into_iter().for_each(|waiting| self.assign(worker, waiting, now)),
                None if assigned == 0 => {
                    self.relieve(place, now);
                    self.dismiss_idle(worker, now);
                }
                None => {}
            }
        }
    }

    /// Lets a worker go that has had nothing to do for long: it holds what others wait for. Another comes when there is something again.
    fn dismiss_idle(&mut self, worker: u64, now: Duration) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        if now.saturating_sub(*slot.idle.get_or_insert(now)) >= IDLE {
            self.has_dismissed = true;
            self.let_go(worker);
        }
    }

    /// A worker at this place has nothing to do: half of what the busiest of the others has not begun is taken back.
    fn relieve(&mut self, place: usize, now: Duration) {
        if self.slots.values().any(|slot| slot.device == place && slot.is_recalled) {
            return;
        }
        let worth = |slot: &WorkerSlot| {
            let waits = slot.assigned.len() - slot.begun_jobs().min(slot.assigned.len());
            let is_worth_it = slot.ahead(now) > WORTH || slot.late(now) > WORTH;
            slot.device == place && slot.ending.is_none() && waits > 0 && slot.assigned.len() > 1 && is_worth_it
        };
        let busiest = self.slots.iter().filter(|(_, slot)| worth(slot)).max_by(|a, b| a.1.ahead(now).total_cmp(&b.1.ahead(now)));
        let Some((&worker, slot)) = busiest else { return };
        let waits = slot.assigned.len() - slot.begun_jobs();
        let keys: Vec<Key> = slot.assigned.iter().rev().take(waits.div_ceil(2)).map(|of| of.waiting.key).collect();
        self.recall(worker, keys);
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
            let waits = slot.assigned.iter().skip(slot.begun_jobs());
            waits.filter(|of| is_held || aside.contains_key(&of.waiting.job)).map(|of| of.waiting.key).collect()
        };
        let asked: Vec<(u64, Vec<Key>)> = (self.slots.iter())
            .filter(|(_, slot)| self.joining[slot.device])
            .map(|(worker, slot)| (*worker, unwanted(slot)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        asked.into_iter().for_each(|(worker, keys)| self.recall(worker, keys));
    }

    /// A worker gave back what it had not begun.
    pub(super) fn returned(&mut self, worker: u64, keys: &[Key]) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.is_recalled = false;
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
