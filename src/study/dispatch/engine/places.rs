//! Which stages go where, in a run that has slots of this machine and workers of a cluster. Networks are for the cluster. What needs none is
//! for the slots of this machine; the cluster helps where they have more than they can soon do.

use super::{DispatchCommand, Engine, WorkerSlot};
use crate::study::queue::QueueLine;
use std::time::Duration;
use visavis_core::domain::study::DeviceClass;

/// What waits is too much for the slots of this machine when it takes each of them longer, in seconds: a stage that goes to a worker of a
/// cluster is on its way for some seconds, so less is not worth it.
const BEARABLE: f64 = 20.0;

/// Workers of a cluster that are more than are wanted, and have nothing to do for so long, are let go: they hold cards that others wait for.
const IDLE_SURPLUS: Duration = Duration::from_secs(60);

/// What is wanted of a cluster.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Stages that its workers may still take; `None`: nobody has said.
    stages: Option<usize>,
    /// Since when some of its workers are too many.
    too_many_since: Option<Duration>,
}

impl Engine {
    /// So many stages are still to be made that workers of a cluster may take.
    pub(crate) fn want(&mut self, stages: usize) {
        self.wanted.stages = Some(stages);
    }

    /// Lets workers of a cluster go that have had nothing to do for a while, but for as many as are wanted.
    pub(super) fn let_superfluous_go(&mut self, now: Duration) {
        let joining = &self.joining;
        let has_nothing = |slot: &WorkerSlot| joining[slot.device] && slot.assigned.is_empty();
        self.slots.values_mut().filter(|slot| has_nothing(slot)).for_each(|slot| _ = slot.idle.get_or_insert(now));
        let Some(stages) = self.wanted.stages else { return };
        let joined = || self.slots.iter().filter(|(_, slot)| self.joining[slot.device] && slot.ending.is_none());
        let idle = joined().filter(|(_, slot)| slot.assigned.is_empty() && slot.becomes.is_none());
        let mut idle: Vec<(Duration, u64)> = idle.map(|(worker, slot)| (slot.idle.unwrap_or(now), *worker)).collect();
        let more = joined().count().saturating_sub(stages).min(idle.len());
        if more == 0 {
            self.wanted.too_many_since = None;
            return;
        }
        let since = *self.wanted.too_many_since.get_or_insert(now);
        if now.saturating_sub(since) < IDLE_SURPLUS {
            return;
        }
        // Those that have waited longest; one that has just finished may be the next that something comes for.
        idle.sort();
        let long = idle.into_iter().take_while(|(idle, _)| now.saturating_sub(*idle) >= IDLE_SURPLUS);
        long.take(more).collect::<Vec<_>>().into_iter().for_each(|(_, worker)| self.let_go(worker));
    }

    /// Lets a worker that has nothing to do end by itself.
    pub(super) fn let_go(&mut self, worker: u64) {
        if let Some(slot) = self.slots.remove(&worker)
            && !slot.journal.is_empty()
        {
            self.commands.push(DispatchCommand::ReadJournal(slot.journal));
        }
        self.commands.push(DispatchCommand::Dismiss { worker });
    }

    /// Workers are spawned here, and others come by themselves.
    pub(super) fn is_mixed(joining: &[bool]) -> bool {
        joining.contains(&true) && joining.contains(&false)
    }

    /// The lines of the queue that workers of a device take from, in their order.
    pub(super) fn lines(&self, place: usize) -> Vec<QueueLine> {
        let own = QueueLine::Class(self.devices[place].name.class);
        if !self.joining[place] {
            return vec![own];
        }
        let processors = QueueLine::Class(DeviceClass::Cpu);
        let apart = Self::is_mixed(&self.joining).then_some(QueueLine::Networks);
        let networks = (own != processors).then_some(own).into_iter().chain(apart);
        networks.chain([processors]).collect()
    }

    /// Do workers of a cluster leave this line to the slots of this machine, for now?
    pub(super) fn is_left_to_slots(&self, line: QueueLine) -> bool {
        line == QueueLine::Class(DeviceClass::Cpu) && Self::is_mixed(&self.joining) && self.unbearable() == 0
    }

    /// How many of the stages that wait and need no network are too many for the slots of this machine.
    pub(crate) fn unbearable(&self) -> usize {
        let slots = (0..self.devices.len()).filter(|place| !self.joining[*place]).map(|place| &self.devices[place]);
        let slots: usize = slots.filter(|device| device.name.class == DeviceClass::Cpu).map(|device| device.slots).sum();
        self.queue.beyond(DeviceClass::Cpu, slots as f64 * BEARABLE)
    }
}
