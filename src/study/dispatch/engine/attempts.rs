//! What becomes of attempts: what workers answer, how they end, what is tried again.

use super::{AssignedJob, DispatchCommand, Engine, WorkerExit, WorkerSlot};
use std::time::Duration;
use visavis_core::{
    domain::{
        Key,
        event::{EventKind, WorkerAnswer},
        job::{Cause, JobState},
    },
    store::MOST_LINES,
};

/// A stage at which workers were taken away so often is given up: it may take longer than they are allowed to run.
const MOST_TAKEN: u32 = 10;

/// How an attempt ended badly: with its worker's exit, if that ended too.
pub(super) struct AttemptEnd {
    pub cause: Cause,
    pub why: String,
    pub exit: Option<WorkerExit>,
}

impl AttemptEnd {
    /// As the worker, or the dispatcher, says.
    pub(crate) fn told(cause: Cause, why: String) -> Self {
        AttemptEnd { cause, why, exit: None }
    }

    /// As the last words of a worker say that ended by itself.
    fn of_exit(exit: WorkerExit) -> Self {
        let is_of_memory = |line: &&String| {
            let line = line.to_lowercase();
            line.contains("out of memory") || line.contains("memory allocation of")
        };
        let (cause, why) = match exit.log.iter().rev().chain([&exit.status]).find(is_of_memory) {
            _ if exit.is_taken_away => (Cause::Stopped, format!("its worker was taken away: {}", exit.status)),
            Some(line) => (Cause::Memory, line.clone()),
            None => {
                // A worker that could not go on has said why.
                let said = exit.log.iter().rev().find_map(|line| line.strip_prefix("error: "));
                let said = said.map_or(String::new(), |said| format!(": {said}"));
                (Cause::Crash, format!("the worker ended before the stage did ({}){said}", exit.status))
            }
        };
        AttemptEnd { cause, why, exit: Some(exit) }
    }
}

impl WorkerSlot {
    /// Takes the job of a key off what was assigned.
    fn take_assigned(&mut self, key: Key) -> Option<AssignedJob> {
        let place = self.assigned.iter().position(|of| of.waiting.key == key)?;
        self.assigned.remove(place)
    }
}

impl Engine {
    pub(super) fn answered(&mut self, worker: u64, answer: WorkerAnswer, now: Duration) {
        let Some(slot) = self.slots.get_mut(&worker) else { return };
        slot.heard = now;
        match answer {
            WorkerAnswer::Beat => {}
            WorkerAnswer::Returned { keys } => self.returned(worker, &keys, now),
            WorkerAnswer::Begun { key } if slot.foreign.contains(&key) => self.began_foreign(worker),
            WorkerAnswer::Ready { journal } => {
                slot.journal.clone_from(&journal);
                self.commands.push(DispatchCommand::ReadJournal(journal));
            }
            // Before it has said which journal, there is nothing to read that `Ready` will not bring.
            WorkerAnswer::Kept if slot.journal.is_empty() => {}
            WorkerAnswer::Kept => self.commands.push(DispatchCommand::ReadJournal(slot.journal.clone())),
            WorkerAnswer::Begun { key } => {
                slot.printed = 0;
                // A stage has one key, whoever works it out: unless the programs were built from different sources.
                let Some(of) = slot.assigned.iter_mut().find(|of| of.waiting.key == key) else {
                    self.commands.push(DispatchCommand::RefuseBuild { program: slot.program });
                    return;
                };
                of.noted = true;
                (slot.begun, slot.unbegun) = (Some(now), None);
                let (of, journal, device, place) = (of.clone(), slot.journal.clone(), slot.device, slot.slot);
                let is_told_to_end = slot.ending.is_some();
                self.note_start(&of, journal, device, place);
                // It was cancelled when the worker could give it back no more.
                let job = of.waiting.job;
                if !is_told_to_end && self.requests.aside().get(&job) == Some(&JobState::Cancelled) {
                    self.stop_job(job, now);
                }
            }
            WorkerAnswer::Finished { key, seconds, first } => {
                (slot.begun, slot.unbegun) = (None, Some(now));
                let Some(AssignedJob { waiting, attempt, .. }) = slot.take_assigned(key) else { return };
                // A result that another process had made by then was not made here.
                if first {
                    self.ran += 1;
                    self.reckoned.learn(&waiting, seconds);
                    self.commands.push(DispatchCommand::Learn { step: waiting.step, seconds });
                }
                self.queued.remove(&waiting.job);
                self.note(EventKind::Finished { job: waiting.job, key, attempt, seconds, first });
                self.commands.push(DispatchCommand::LookUp { key, made: first });
            }
            WorkerAnswer::Failed { key, cause, why } => {
                (slot.begun, slot.unbegun) = (None, Some(now));
                let Some(of) = slot.take_assigned(key) else { return };
                self.failed(&of, AttemptEnd::told(cause, why));
            }
        }
    }

    fn note_start(&mut self, AssignedJob { waiting, attempt, .. }: &AssignedJob, worker: String, device: usize, slot: usize) {
        let (name, threads) = (self.devices[device].name.to_string(), self.devices[device].threads);
        let (job, key, seed) = (waiting.job, waiting.key, waiting.seed);
        self.attempts.insert(key, *attempt);
        self.note(EventKind::Started { job, key, attempt: *attempt, device: name, slot, threads, seed, worker });
    }

    /// A line of a worker's log: of what it is at.
    pub(super) fn printed(&mut self, worker: u64, line: String) {
        let (mut key, mut attempt) = (None, 0);
        if let Some(slot) = self.slots.get_mut(&worker) {
            slot.printed += 1;
            if slot.printed > MOST_LINES {
                return;
            }
            if let Some(first) = slot.assigned.front().filter(|_| slot.begun.is_some()) {
                (key, attempt) = (Some(first.waiting.key), first.attempt);
            }
        }
        self.note(EventKind::Logged { key, attempt, line });
    }

    /// A worker has ended: what it was on failed, the rest of its batch goes back.
    pub(super) fn exited(&mut self, worker: u64, exit: WorkerExit) {
        let Some(mut slot) = self.slots.remove(&worker) else { return };
        if !slot.journal.is_empty() {
            self.commands.push(DispatchCommand::ReadJournal(slot.journal.clone()));
        }
        let was_at_foreign = !slot.foreign.is_empty();
        if slot.begun.is_none() && (was_at_foreign || exit.is_taken_away && slot.ending.is_none()) {
            // It had begun nothing of this run.
            return slot.assigned.iter().for_each(|of| self.requeue(of));
        }
        let Some(mut first) = slot.assigned.pop_front() else { return };
        for of in slot.assigned {
            self.requeue(&of);
        }
        let end = match slot.ending {
            Some(ending) if ending.key == first.waiting.key => {
                AttemptEnd { cause: ending.cause, why: ending.why, exit: Some(exit) }
            }
            // The worker was ended for another job, which it had done by then.
            Some(_) if slot.begun.is_some() => {
                let why = "its worker was ended for another job".to_owned();
                AttemptEnd { cause: Cause::Stopped, why, exit: Some(exit) }
            }
            Some(_) => return self.requeue(&first),
            None => self.of_exit(first.waiting.key, exit),
        };
        if !first.noted {
            // It did not come to the job. That counts all the same, or a worker that never starts is spawned for ever.
            first.noted = true;
            self.note_start(&first, slot.journal, slot.device, slot.slot);
        }
        self.failed(&first, end);
    }

    /// A worker ended by itself, or was taken away: that is no fault of the stage, unless it happens again and again.
    fn of_exit(&mut self, key: Key, exit: WorkerExit) -> AttemptEnd {
        let end = AttemptEnd::of_exit(exit);
        if end.cause != Cause::Stopped {
            return end;
        }
        let taken = self.taken.entry(key).or_default();
        *taken += 1;
        if *taken < MOST_TAKEN {
            return end;
        }
        self.spent.insert(key, self.limits.attempts);
        let why = format!(
            "workers were taken away {taken} times while they were at it, as when it takes longer than a job may; {}",
            end.why
        );
        AttemptEnd { cause: Cause::Timeout, why, ..end }
    }

    /// Back into the queue, unless a person has set it aside.
    pub(super) fn requeue(&mut self, of: &AssignedJob) {
        if !self.requests.aside().contains_key(&of.waiting.job) {
            self.queue.push(of.waiting.clone());
        }
    }

    fn failed(&mut self, of: &AssignedJob, end: AttemptEnd) {
        let (key, job) = (of.waiting.key, of.waiting.job);
        if matches!(end.cause, Cause::Cancelled | Cause::Stopped) {
            self.note_failure(of, end, true);
            if self.requests.aside().contains_key(&job) {
                self.queued.remove(&job);
                self.note(EventKind::Cancelled { jobs: vec![job] });
            }
            // Or it was asked for again before its worker had ended.
            return self.requeue(of);
        }
        let spent = self.spent.entry(key).or_default();
        *spent += 1;
        let again = end.cause.worth_another_try() && *spent < self.limits.attempts;
        let why = end.why.clone();
        self.note_failure(of, end, again);
        if again {
            return self.requeue(of);
        }
        self.queued.remove(&job);
        self.commands.push(DispatchCommand::GiveUp { key, why });
        self.commands.push(DispatchCommand::TakeNews);
    }

    pub(super) fn note_failure(&mut self, of: &AssignedJob, AttemptEnd { cause, why, exit }: AttemptEnd, again: bool) {
        debug_assert!(of.noted, "an attempt ends that was never noted");
        let (job, key, attempt) = (of.waiting.job, of.waiting.key, of.attempt);
        let (exit, log) = exit.map_or((None, vec![]), |WorkerExit { status, log, .. }| (Some(status), log));
        self.note(EventKind::Failed { job, key, attempt, cause, why, exit, log, again });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(status: &str, line: &str, is_taken_away: bool) -> Cause {
        AttemptEnd::of_exit(WorkerExit { status: status.to_owned(), log: vec![line.to_owned()], is_taken_away }).cause
    }

    #[test]
    fn a_worker_that_was_taken_away_is_no_fault_of_the_stage() {
        assert_eq!(cause("ended: its node failed", "Out of memory", true), Cause::Stopped);
        assert_eq!(cause("ended with an error", "a line", false), Cause::Crash);
        assert_eq!(cause("ended: out of memory", "a line", false), Cause::Memory);
        assert_eq!(cause("signal: 9", "CUDA out of memory", false), Cause::Memory);
    }
}
