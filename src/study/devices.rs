//! Devices: what jobs run on, and how many at a time.
//!
//! Cards are read from NVML where there is a driver. One that somebody else uses is left alone unless it is named.

use std::fmt;
use visavis_core::domain::{
    Fault, Result,
    study::{DeviceClass, Study},
    text::count,
};

/// `cpu`, `cuda:0`, `pretend:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub class: DeviceClass,
    pub number: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            DeviceClass::Cpu => f.write_str("cpu"),
            class => write!(f, "{}:{}", class.word(), self.number),
        }
    }
}

impl std::str::FromStr for Name {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self> {
        let name = match text.split_once(':') {
            None if text == "cpu" => Some(Name { class: DeviceClass::Cpu, number: 0 }),
            None => None,
            Some((word, number)) => [DeviceClass::Cuda, DeviceClass::Pretend]
                .into_iter()
                .find(|class| class.word() == word)
                .and_then(|class| Some(Name { class, number: number.parse().ok().filter(|_| !number.starts_with('+'))? })),
        };
        name.ok_or_else(|| Fault::asked(format!("there is no device `{text}`")).next("such as --devices cpu,cuda:0"))
    }
}

/// Room for some jobs on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub name: Name,
    pub slots: usize,
    /// Threads of each of its workers.
    pub threads: usize,
}

/// A graphics card, as its driver tells.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphicsCard {
    pub number: u32,
    pub model: String,
    /// Bytes.
    pub memory: u64,
    pub used: u64,
    /// Percent.
    pub load: u32,
    /// Processes on it.
    pub processes: usize,
}

impl GraphicsCard {
    /// Somebody works on it: a process, memory beyond what a driver keeps for itself, or load.
    pub fn busy(&self) -> bool {
        self.processes > 0 || self.used > (1 << 30) || self.load > 10
    }
}

/// The cards of this machine, and its driver; nothing where there is no driver.
pub fn cards() -> (Vec<GraphicsCard>, Option<String>) {
    let Ok(nvml) = nvml_wrapper::Nvml::init() else { return (vec![], None) };
    let card = |number: u32| {
        let device = nvml.device_by_index(number).ok()?;
        let memory = device.memory_info().ok();
        Some(GraphicsCard {
            number,
            model: device.name().unwrap_or_else(|_| "a card".to_owned()),
            memory: memory.as_ref().map_or(0, |memory| memory.total),
            used: memory.as_ref().map_or(0, |memory| memory.used),
            load: device.utilization_rates().map_or(0, |rates| rates.gpu),
            processes: device.running_compute_processes_count().unwrap_or(0) as usize,
        })
    };
    let cards = (0..nvml.device_count().unwrap_or(0)).filter_map(card).collect();
    (cards, nvml.sys_driver_version().ok())
}

/// Is there a graphics card? Asked of the driver once: cards do not come and go while a program runs.
pub fn has_cards() -> bool {
    static CARDS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *CARDS.get_or_init(|| nvml_wrapper::Nvml::init().is_ok_and(|nvml| nvml.device_count().is_ok_and(|count| count > 0)))
}

/// How much of this machine's processor works (its load over the last minute, a core being 1 of them), and bytes of memory in
/// use and there.
pub fn processor() -> (f32, (u64, u64)) {
    let about = rustix::system::sysinfo();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = about.loads[0] as f32 / 65536.0 / cores as f32;
    let (unit, total) = (u64::from(about.mem_unit), about.totalram as u64);
    let used = total.saturating_sub(about.freeram as u64 + about.bufferram as u64);
    (load.min(1.0), (used * unit, total * unit))
}

/// How many cores and which cards there are to choose from.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub threads: usize,
    pub cards: Vec<GraphicsCard>,
}

/// The devices a run uses: those named, or the processor and what the study's networks run on. `jobs`: slots of the processor.
/// Says what it left alone, and why.
///
/// # Errors
/// A card that is named and not here.
pub fn choose(study: &Study, named: &[Name], jobs: Option<usize>, machine: &Machine) -> Result<(Vec<Device>, Vec<String>)> {
    let cpu = jobs.unwrap_or_else(|| study.resources.cpu_slots.min(machine.threads)).max(1);
    let device = |name: Name| {
        let slots = if name.class == DeviceClass::Cpu { cpu } else { study.resources.gpu_slots };
        Device { name, slots, threads: (machine.threads / slots).max(1) }
    };
    let mut remarks = Vec::new();
    let mut names = named.to_vec();
    if named.is_empty() {
        match study.numerics.device {
            DeviceClass::Cpu => {}
            DeviceClass::Pretend => names.push(Name { class: DeviceClass::Pretend, number: 0 }),
            DeviceClass::Cuda => {
                for card in &machine.cards {
                    let name = Name { class: DeviceClass::Cuda, number: card.number };
                    if card.busy() {
                        remarks.push(format!(
                            "{name} is left alone: {} on it, {} % load, {:.1} of {:.1} GB used; --devices cpu,{name} uses it nevertheless",
                            count(card.processes, "process"),
                            card.load,
                            card.used as f64 / 1e9,
                            card.memory as f64 / 1e9
                        ));
                    } else {
                        names.push(name);
                    }
                }
            }
        }
    }
    // Whatever card is named, what needs none needs the processor.
    names.push(Name { class: DeviceClass::Cpu, number: 0 });
    names.sort();
    names.dedup();
    let absent = |name: &&Name| name.class == DeviceClass::Cuda && machine.cards.iter().all(|card| card.number != name.number);
    if let Some(name) = names.iter().find(absent) {
        let there = match machine.cards.len() {
            0 => "this machine has no card that its driver knows".to_owned(),
            some => format!("this machine has {}, numbered from 0", count(some, "card")),
        };
        return Err(Fault::missing(format!("the device {name} is not here: {there}")).next("`visavis doctor` says what is"));
    }
    Ok((names.into_iter().map(device).collect(), remarks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn study(device: &str) -> Study {
        let text = format!(
            "format: 1\nstudy: s\nnumerics: {{ device: {device} }}\nmodels: {{ named: {{ a: {{ features: {{ embedding: a.npy, images: a.txt }} }} }} }}\nprojections: [pca]\ncomparisons: {{ c: {{ A: \"x\", B: \"not x\" }} }}\nresources:\n  cpu: {{ slots: 4 }}\n  gpu: {{ slots: 2 }}\n"
        );
        config::parse(config::Text { path: "s.yaml".into(), source: text }).unwrap().study
    }

    fn machine() -> Machine {
        let card =
            |number, used, load, processes| GraphicsCard { number, model: "H".into(), memory: 80 << 30, used, load, processes };
        Machine { threads: 8, cards: vec![card(0, 40 << 30, 97, 1), card(1, 400 << 20, 0, 0), card(2, 0, 55, 0)] }
    }

    fn names(devices: &[Device]) -> Vec<String> {
        devices.iter().map(|device| device.name.to_string()).collect()
    }

    #[test]
    fn a_busy_card_is_left_alone_unless_it_is_named() {
        let (devices, remarks) = choose(&study("cuda"), &[], None, &machine()).unwrap();
        assert_eq!(names(&devices), ["cpu", "cuda:1"]);
        assert!(remarks.len() == 2 && remarks[0].contains("cuda:0 is left alone: 1 process on it, 97 % load"), "{remarks:?}");
        let named = ["cuda:0".parse().unwrap()];
        assert_eq!(names(&choose(&study("cuda"), &named, None, &machine()).unwrap().0), ["cpu", "cuda:0"]);
    }

    #[test]
    fn slots_and_threads_follow_the_study_and_the_machine() {
        let (devices, _) = choose(&study("pretend"), &[], None, &machine()).unwrap();
        assert_eq!(names(&devices), ["cpu", "pretend:0"]);
        assert_eq!((devices[0].slots, devices[0].threads, devices[1].slots, devices[1].threads), (4, 2, 2, 4));
        assert_eq!(choose(&study("cpu"), &[], Some(8), &machine()).unwrap().0[0].threads, 1);
    }

    #[test]
    fn a_card_that_is_named_and_absent_is_missing_and_nonsense_is_refused() {
        let fault = choose(&study("cuda"), &["cuda:7".parse().unwrap()], None, &machine()).unwrap_err();
        assert!(fault.what.contains("cuda:7 is not here: this machine has 3 cards"), "{fault}");
        assert!(["gpu", "cuda", "cuda:", "cuda:+1", "cuda:x", "cpu:0", ""].iter().all(|text| text.parse::<Name>().is_err()));
    }
}
