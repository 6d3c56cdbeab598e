//! What is kept about where something was made.

use super::Injection;
use crate::domain::{
    machine::{Card, WorkerMachine, card_in_use},
    post::SlurmPlace,
};
use std::{collections::BTreeMap, fs};

/// What the kernel calls its present run, a new one at each start; empty where it does not say.
pub fn boot() -> String {
    Injection::Node
        .value()
        .unwrap_or_else(|| fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned())
}

/// This process's random name: 16 hexadecimal digits.
pub fn random() -> String {
    super::writer::token()
}

/// Where process numbers mean something: the process namespace, as the kernel names it.
pub fn process_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// The machine's name.
pub fn host() -> String {
    if let Some(name) = Injection::Node.value() {
        return name;
    }
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The processor, as the system names it.
pub fn cpu() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, name)| name.trim().to_owned());
    model.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Where this process is, as a worker on a device (`cpu`, `cuda:0`).
pub fn machine(device: &str) -> WorkerMachine {
    let variable = |name: &str| std::env::var(name).ok();
    WorkerMachine { host: host(), cpu: cpu(), card: card(device), slurm: SlurmPlace::of(variable) }
}

/// The graphics card that a worker on this device computes on, as the driver tells. Where the driver's order may be another than CUDA's
/// (the fastest first, unless CUDA_DEVICE_ORDER says otherwise), only cards of one model are taken for known.
fn card(device: &str) -> Option<Card> {
    if !device.starts_with("cuda") {
        return None;
    }
    let nvml = nvml_wrapper::Nvml::init().ok()?;
    let driver = nvml.sys_driver_version().ok();
    let cards: Vec<Card> = (0..nvml.device_count().ok()?)
        .filter_map(|number| nvml.device_by_index(number).ok())
        .map(|of| Card { model: of.name().unwrap_or_default(), uuid: of.uuid().ok(), driver: driver.clone() })
        .collect();
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let uuids: Vec<Option<String>> = cards.iter().map(|card| card.uuid.clone()).collect();
    let card = cards.get(card_in_use(device, visible.as_deref(), &uuids)?)?;
    let is_sure = visible.is_some_and(|names| names.contains("GPU-"))
        || std::env::var("CUDA_DEVICE_ORDER").is_ok_and(|order| order == "PCI_BUS_ID")
        || cards.iter().all(|other| other.model == card.model);
    (is_sure && !card.model.is_empty()).then(|| card.clone())
}

/// The system: `Linux 6.1.0 x86_64`.
pub fn system() -> String {
    let about = rustix::system::uname();
    let parts = [about.sysname(), about.release(), about.machine()];
    parts.map(|part| part.to_string_lossy().into_owned()).join(" ")
}

/// Who asks: the user's name, or number.
pub fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw()))
}

/// The variables that can change what is computed, or where. Nothing else of the environment is kept: it may hold secrets.
pub fn environment() -> BTreeMap<String, String> {
    const MATTER: [&str; 9] = [
        "CUDA_VISIBLE_DEVICES",
        "CUBLAS_WORKSPACE_CONFIG",
        "OMP_NUM_THREADS",
        "MKL_NUM_THREADS",
        "RAYON_NUM_THREADS",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LIBTORCH",
        "TZ",
    ];
    let matters = |name: &str| MATTER.contains(&name) || name.starts_with("VISAVIS_") || name.starts_with("SLURM_JOB");
    let held =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    held.filter(|(name, _)| matters(name)).collect()
}
