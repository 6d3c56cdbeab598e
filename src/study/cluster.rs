//! How a study is run on a cluster: its settings, where its file says them, and what its workers are.

use super::devices::{Device, Name};
use crate::config::{PathStep, StudyFile};
use std::{collections::BTreeMap, path::PathBuf};
use visavis_core::domain::{
    Fault,
    study::{DispatcherPlace, RunOn, SlurmSettings, Study},
    text::count,
};

/// A file, a line and a column.
pub(crate) type SettingPlace = (PathBuf, usize, usize);

/// Where the stages of a run are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunPlaces {
    /// As the study file says.
    #[default]
    AsWritten,
    /// On this machine.
    Here,
    /// On a cluster.
    Cluster,
    /// Networks on a cluster, the rest on this machine.
    Both,
}

impl RunPlaces {
    /// As `--on` lists them; nothing listed: as the study file says.
    pub fn of(here: bool, cluster: bool) -> Self {
        match (here, cluster) {
            (false, false) => RunPlaces::AsWritten,
            (true, false) => RunPlaces::Here,
            (false, true) => RunPlaces::Cluster,
            (true, true) => RunPlaces::Both,
        }
    }

    /// Does a cluster have a part in it?
    pub fn is_on_cluster(self, study: &Study) -> bool {
        match self {
            RunPlaces::AsWritten => study.run != RunOn::Local,
            RunPlaces::Here => false,
            RunPlaces::Cluster | RunPlaces::Both => true,
        }
    }
}

/// What a run on Slurm is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterRun {
    pub(crate) settings: SlurmSettings,
    /// Where the study file says each of them, by its key: what Slurm refuses is told there.
    pub(crate) places: BTreeMap<String, SettingPlace>,
}

impl ClusterRun {
    /// As a study file asks; where it says nothing of Slurm, all is left to the cluster.
    pub fn of(file: &StudyFile) -> Self {
        let RunOn::Slurm(settings) = &file.study.run else {
            return ClusterRun::default();
        };
        let settings = (**settings).clone();
        let place = |key: &str| {
            let path = ["run", "slurm", key].map(|key| PathStep::Key(key.to_owned()));
            let (line, column) = file.text.position(&path, true);
            (file.text.path.clone(), line, column)
        };
        let keys = ["partition", "gres", "time", "account", "qos", "memory", "constraint", "cpus", "workers", "dispatcher"];
        let places = keys.into_iter().filter(|key| is_set(&settings, key)).map(|key| (key.to_owned(), place(key))).collect();
        ClusterRun { settings, places }
    }

    /// Where its dispatcher is to be.
    pub fn dispatcher(&self) -> &DispatcherPlace {
        &self.settings.dispatcher
    }

    /// A fault of what the study file says of the dispatcher.
    pub fn wrong_dispatcher(&self, what: &str) -> Fault {
        let fault = Fault::asked(what);
        match self.places.get("dispatcher") {
            Some((path, line, column)) => fault.at(path, *line, *column),
            None => fault,
        }
    }

    /// What the workers are to the dispatcher: one device, with as many slots as there may be workers. They also do what needs no card.
    pub fn device(&self, study: &Study) -> Device {
        let threads = self.settings.cpus.or(study.numerics.threads).unwrap_or(1);
        Device { name: Name { class: study.numerics.device, number: 0 }, slots: self.settings.workers, threads }
    }

    /// What it asks Slurm for, in words: `at most 4 workers of Slurm, partition gpu, gres gpu:1, 8 threads each`.
    pub fn told(&self, study: &Study) -> String {
        let SlurmSettings { partition, gres, qos, account, .. } = &self.settings;
        let named = [("partition", partition), ("gres", gres), ("qos", qos), ("account", account)];
        let named = named.into_iter().filter_map(|(key, value)| Some(format!(", {key} {}", value.as_ref()?)));
        let (workers, threads) = (count(self.settings.workers, "worker"), count(self.device(study).threads, "thread"));
        format!("at most {workers} of Slurm{}, {threads} each", named.collect::<String>())
    }
}

/// Is a key written? One that was written with its usual value is found to be so, for nothing was refused then.
fn is_set(settings: &SlurmSettings, key: &str) -> bool {
    let SlurmSettings { partition, gres, time, account, qos, memory, constraint, cpus, workers, dispatcher, .. } = settings;
    match key {
        "partition" => partition.is_some(),
        "gres" => gres.is_some(),
        "time" => time.is_some(),
        "account" => account.is_some(),
        "qos" => qos.is_some(),
        "memory" => memory.is_some(),
        "constraint" => constraint.is_some(),
        "cpus" => cpus.is_some(),
        "workers" => *workers != SlurmSettings::default().workers,
        "dispatcher" => *dispatcher != DispatcherPlace::Here,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Text, parse};
    use visavis_core::domain::study::DeviceClass;

    fn file(run: &str) -> StudyFile {
        let source = format!(
            "format: 1\nstudy: s\nmodels: {{ named: {{ m: {{ features: {{ embedding: a.npy, images: i.txt }} }} }} }}\nprojections: [pca]\ncomparisons: {{ x: {{ A: a, B: b }} }}\n{run}"
        );
        parse(Text { path: "s.yaml".into(), source }).unwrap()
    }

    #[test]
    fn each_setting_knows_its_line() {
        let run = ClusterRun::of(&file("run:\n  slurm:\n    partition: gpu\n    workers: 9\n"));
        assert_eq!(run.places.keys().collect::<Vec<_>>(), ["partition", "workers"]);
        assert_eq!(run.places["partition"].1, 8);
        assert_eq!(run.places["workers"].1, 9);
    }

    #[test]
    fn a_study_that_says_nothing_of_slurm_leaves_all_to_it() {
        let run = ClusterRun::of(&file(""));
        assert_eq!((run.settings, run.places.len()), (SlurmSettings::default(), 0));
    }

    #[test]
    fn workers_are_one_device_of_the_studys_class() {
        let file = file("run: { slurm: { workers: 9, cpus: 8 } }\n");
        let device = ClusterRun::of(&file).device(&file.study);
        assert_eq!((device.name.class, device.slots, device.threads), (DeviceClass::Cpu, 9, 8));
    }

    #[test]
    fn what_is_wrong_with_a_dispatcher_is_told_at_its_line() {
        let run = ClusterRun::of(&file("run:\n  slurm:\n    dispatcher: { job: { time: 1-00 } }\n"));
        assert_eq!(*run.dispatcher(), DispatcherPlace::Job { time: "24:00:00".parse().ok(), partition: None });
        assert!(run.wrong_dispatcher("no").to_string().contains("s.yaml:8:"));
    }

    #[test]
    fn the_places_that_are_asked_for_come_before_those_of_the_file() {
        let (here, there) = (file("").study, file("run: slurm\n").study);
        let on = |places: RunPlaces| [&here, &there].map(|study| places.is_on_cluster(study));
        assert_eq!(on(RunPlaces::of(false, false)), [false, true]);
        assert_eq!(on(RunPlaces::of(true, false)), [false, false]);
        assert_eq!(on(RunPlaces::of(false, true)), [true, true]);
        assert_eq!((on(RunPlaces::of(true, true)), RunPlaces::of(true, true)), ([true, true], RunPlaces::Both));
    }

    #[test]
    fn what_slurm_is_asked_for_is_told_in_one_line() {
        let told = |run: &str| {
            let file = file(run);
            ClusterRun::of(&file).told(&file.study)
        };
        assert_eq!(told(""), "at most 4 workers of Slurm, 1 thread each");
        let all = told("run: { slurm: { workers: 20, cpus: 8, partition: gpu, gres: 'gpu:1', account: us } }\n");
        assert_eq!(all, "at most 20 workers of Slurm, partition gpu, gres gpu:1, account us, 8 threads each");
    }
}
