//! The devices of the latest run, and how busy they are.

use super::JobSeen;
use crate::study::{
    Timeline,
    devices::{self, GraphicsCard},
};
use visavis_core::domain::event::Slots;

/// A device of the latest run, and how busy it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSeen {
    pub name: String,
    pub slots: usize,
    pub busy: usize,
    /// Share of the device that works, and bytes used and there; `None` where nobody says.
    pub load: Option<f32>,
    pub memory: Option<(u64, u64)>,
    pub model: String,
}

/// Of a run that has ended nothing is measured: it would be somebody else's load.
pub(super) fn devices(run: &Timeline, jobs: &[JobSeen], live: bool) -> Vec<DeviceSeen> {
    let cards = if live && run.run.devices.iter().any(|of| of.device.starts_with("cuda")) { devices::cards().0 } else { vec![] };
    let of = |slots: &Slots| {
        let busy = jobs.iter().filter(|job| job.on.as_ref().is_some_and(|(device, ..)| *device == slots.device)).count();
        let card = slots.device.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        let card: Option<&GraphicsCard> = card.and_then(|number: u32| cards.iter().find(|card| card.number == number));
        let (load, memory, model) = match card {
            Some(card) => (Some(card.load as f32 / 100.0), Some((card.used, card.memory)), card.model.clone()),
            None if slots.device == "cpu" && live => {
                let (load, memory) = devices::processor();
                (Some(load), Some(memory), run.run.origin.cpu.clone())
            }
            None if slots.device == "cpu" => (None, None, run.run.origin.cpu.clone()),
            None => (None, None, String::new()),
        };
        DeviceSeen { name: slots.device.clone(), slots: slots.slots, busy, load, memory, model }
    };
    run.run.devices.iter().map(of).collect()
}
