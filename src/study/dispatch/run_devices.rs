//! The devices of a run: those of this machine, and behind them a cluster, whose workers come by themselves.

use super::Dispatch;
use crate::study::devices::Device;
use visavis_core::domain::event::Slots;

impl Dispatch<'_> {
    /// Of each device: do its workers come by themselves?
    pub(super) fn joining(&self) -> Vec<bool> {
        (1..=self.devices.len()).map(|number| self.cluster.is_some() && number == self.devices.len()).collect()
    }

    /// It has slots of this machine and workers of a cluster.
    pub(super) fn is_mixed(&self) -> bool {
        self.cluster.is_some() && self.devices.len() > 1
    }

    /// The slots of each device, as they are told: those of a cluster count with those of this machine that are called alike.
    pub(super) fn slots(&self) -> Vec<Slots> {
        let mut all: Vec<Slots> = Vec::new();
        for Device { name, slots, threads } in &self.devices {
            let device = name.to_string();
            match all.iter_mut().find(|of| of.device == device) {
                Some(of) => of.slots += slots,
                None => all.push(Slots { device, slots: *slots, threads: *threads }),
            }
        }
        all
    }

    /// The first slot of a cluster's workers: those of this machine on a device that is called alike come before.
    pub(super) fn first_of_cluster(&self) -> usize {
        let Some((cluster, here)) = self.devices.split_last() else { return 0 };
        here.iter().filter(|device| device.name == cluster.name).map(|device| device.slots).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{ClusterRun, devices::Name};
    use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Duration};
    use visavis_core::{
        domain::{event::RunOrigin, study::DeviceClass},
        store::Workspace,
    };

    /// What is told of a run with these devices.
    fn told(devices: &[(DeviceClass, usize)], is_on_cluster: bool) -> (Vec<bool>, Vec<(String, usize)>, usize) {
        let (workspace, stop) = (Workspace::new(".".into(), None).unwrap(), AtomicBool::new(false));
        let cluster = is_on_cluster.then(ClusterRun::default);
        let device = |&(class, slots): &(DeviceClass, usize)| Device { name: Name { class, number: 0 }, slots, threads: 1 };
        let how = Dispatch {
            workspace: &workspace,
            program: "visavis".into(),
            programs: BTreeMap::new(),
            devices: devices.iter().map(device).collect(),
            file: String::new(),
            text: "",
            origin: RunOrigin::default(),
            cluster,
            attempts: 1,
            patience: Duration::ZERO,
            limit: None,
            stop: &stop,
            refused: None,
            remark: &|_| {},
        };
        let slots = how.slots().into_iter().map(|of| (of.device, of.slots)).collect();
        (how.joining(), slots, how.first_of_cluster())
    }

    #[test]
    fn the_last_device_of_a_run_on_a_cluster_is_the_cluster() {
        let (cpu, cuda) = (DeviceClass::Cpu, DeviceClass::Cuda);
        let name = |name: &str, slots| (name.to_owned(), slots);
        assert_eq!(told(&[(cpu, 2), (cuda, 1)], false).0, [false, false]);
        assert_eq!(told(&[(cuda, 9)], true), (vec![true], vec![name("cuda:0", 9)], 0));
        assert_eq!(told(&[(cpu, 2), (cuda, 9)], true), (vec![false, true], vec![name("cpu", 2), name("cuda:0", 9)], 0));
        // Devices that are called alike are one for whoever looks, the slots of this machine first.
        assert_eq!(told(&[(cpu, 2), (cpu, 9)], true), (vec![false, true], vec![name("cpu", 11)], 2));
    }
}
