//! Which stages go where, in a run that has slots of this machine and workers of a cluster. Networks are for the cluster. What needs none is
//! for the slots of this machine; the cluster helps where they have more than they can soon do.

use super::Engine;
use crate::study::queue::QueueLine;
use visavis_core::domain::study::DeviceClass;

/// What waits is too much for the slots of this machine when it takes each of them longer, in seconds: a stage that goes to a worker of a
/// cluster is on its way for some seconds, so less is not worth it.
const BEARABLE: f64 = 20.0;

impl Engine {
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
