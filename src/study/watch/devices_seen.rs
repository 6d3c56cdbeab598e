//! The devices of the latest run, and how busy they are.

use super::JobSeen;
use crate::study::{
    Timeline,
    devices::{self, GraphicsCard},
};
use visavis_core::domain::event::{Slots, WorkersStanding};

/// A device of the latest run, and how busy it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceSeen {
    /// `cpu`, `cuda:0`; of workers that a cluster starts, who starts them.
    pub name: String,
    pub slots: usize,
    pub busy: usize,
    /// Share of the device that works, and bytes used and there; `None` where nobody says.
    pub load: Option<f32>,
    pub memory: Option<(u64, u64)>,
    /// What it is; of workers that a cluster starts, how they stand.
    pub model: String,
}

/// Of a run that has ended nothing is measured: it would be somebody else's load.
pub(super) fn devices(run: &Timeline, jobs: &[JobSeen], live: bool) -> Vec<DeviceSeen> {
    let cards = if live && run.run.devices.iter().any(|of| of.device.starts_with("cuda")) { devices::cards().0 } else { vec![] };
    let of = |slots: &Slots| {
        let busy = jobs.iter().filter(|job| job.on.as_ref().is_some_and(|(device, ..)| *device == slots.device)).count();
        let card = slots.device.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        let card: Option<&GraphicsCard> = card.and_then(|number: u32| cards.iter().find(|card| card.number == number));
        // Of a cluster nothing is measured here; the last device is its.
        let workers = run.workers.as_ref().filter(|_| run.run.devices.last() == Some(slots));
        let (load, memory, model) = match card {
            _ if workers.is_some() => (None, None, workers.map_or(String::new(), WorkersStanding::told)),
            Some(card) => (Some(card.load as f32 / 100.0), Some((card.used, card.memory)), card.model.clone()),
            None if slots.device == "cpu" && live => {
                let (load, memory) = devices::processor();
                (Some(load), Some(memory), run.run.origin.cpu.clone())
            }
            None if slots.device == "cpu" => (None, None, run.run.origin.cpu.clone()),
            None => (None, None, String::new()),
        };
        // Devices of a cluster are numbered by its jobs: each has its own first card.
        let name = workers.map_or_else(|| slots.device.clone(), |of| of.by.clone());
        DeviceSeen { name, slots: slots.slots, busy, load, memory, model }
    };
    run.run.devices.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::{domain::event::RunOrigin, store::RunRow};

    #[test]
    fn of_a_cluster_nothing_is_measured_here_and_its_workers_are_told() {
        let slots = Slots { device: "cpu".to_owned(), slots: 4, threads: 1 };
        let run = RunRow {
            journal: String::new(),
            clock: 1,
            study: String::new(),
            file: String::new(),
            text: None,
            devices: vec![slots],
            origin: RunOrigin { cpu: "the login machine's".to_owned(), ..RunOrigin::default() },
            started: 0,
            ended: None,
            interrupted: false,
            counts: None,
        };
        let mut run = Timeline::for_tests(run, true);
        assert!(devices(&run, &[], true)[0].load.is_some(), "of a run here the processor is measured");
        let why = Some("waiting: Priority (jobs of a higher priority go first)".to_owned());
        run.workers = Some(WorkersStanding { by: "Slurm".to_owned(), here: 1, waiting: 3, why });
        let seen = &devices(&run, &[], true)[0];
        assert_eq!((seen.load, seen.memory, seen.name.as_str()), (None, None, "Slurm"));
        let told = "1 worker of Slurm here, 3 submitted (waiting: Priority (jobs of a higher priority go first))";
        assert_eq!(seen.model, told);
    }
}
