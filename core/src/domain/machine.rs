//! The machine that a worker computes on, as its journal keeps it.

use super::post::SlurmPlace;
use serde::{Deserialize, Serialize};

/// Where a worker is. What is not known is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerMachine {
    /// The machine's name; of a cluster, the node's.
    pub host: String,
    /// The processor's model name.
    pub cpu: String,
    /// The graphics card that it computes on, if it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Its place in Slurm, if Slurm started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm: Option<SlurmPlace>,
}

/// A graphics card, as its driver tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Such as `NVIDIA H200`.
    pub model: String,
    /// What the maker calls this one card: numbers are of a job, and change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The driver's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

impl WorkerMachine {
    /// In one phrase: `n1 (Intel Xeon Gold 6342, NVIDIA H200 GPU-1f2e, driver 550.54), Slurm job 7_0, restarted 2 times`.
    pub fn told(&self) -> String {
        let what: Vec<String> = [Some(self.cpu.clone()), self.card.as_ref().map(Card::told)]
            .into_iter()
            .flatten()
            .filter(|of| !of.is_empty())
            .collect();
        let what = if what.is_empty() { String::new() } else { format!(" ({})", what.join(", ")) };
        let slurm = self.slurm.map_or(String::new(), |place| {
            let restarts = match place.restarts {
                0 => String::new(),
                1 => ", restarted once".to_owned(),
                some => format!(", restarted {some} times"),
            };
            format!(", Slurm job {place}{restarts}")
        });
        format!("{}{what}{slurm}", self.host)
    }

    /// Of a worker that Slurm started, where it is, in as few letters as can be: `n1 7_0`.
    pub fn on_cluster(&self) -> Option<String> {
        self.slurm.map(|place| format!("{} {place}", self.host))
    }
}

impl Card {
    /// `NVIDIA H200 GPU-1f2e, driver 550.54`
    fn told(&self) -> String {
        let uuid = self.uuid.as_ref().map_or(String::new(), |uuid| format!(" {uuid}"));
        let driver = self.driver.as_ref().map_or(String::new(), |driver| format!(", driver {driver}"));
        format!("{}{uuid}{driver}", self.model)
    }
}

/// Which of the cards that the driver shows a worker computes on: a place in `uuids`, which are in the driver's order. `device`: as workers
/// are told it, `cuda:0`. `visible`: what CUDA_VISIBLE_DEVICES holds, if it is set; it numbers the cards anew. `None` where that cannot be said.
pub fn card_in_use(device: &str, visible: Option<&str>, uuids: &[Option<String>]) -> Option<usize> {
    let number: usize = device.strip_prefix("cuda:")?.parse().ok()?;
    let Some(visible) = visible else { return Some(number).filter(|number| *number < uuids.len()) };
    let name = visible.split(',').nth(number)?.trim();
    if let Ok(place) = name.parse::<usize>() {
        return Some(place).filter(|place| *place < uuids.len());
    }
    // A card may be named by the beginning of its name, if that is enough to tell it.
    let mut fitting = uuids
        .iter()
        .enumerate()
        .filter(|(_, uuid)| uuid.as_ref().is_some_and(|uuid| name.len() > "GPU-".len() && uuid.starts_with(name)));
    match (fitting.next(), fitting.next()) {
        (Some((place, _)), None) => Some(place),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> WorkerMachine {
        let card = Card { model: "NVIDIA H200".into(), uuid: Some("GPU-1f2e".into()), driver: Some("550.54".into()) };
        let slurm = Some(SlurmPlace { array: 7, index: 0, restarts: 2 });
        WorkerMachine { host: "n1".into(), cpu: "Intel Xeon Gold 6342".into(), card: Some(card), slurm }
    }

    #[test]
    fn a_machine_is_told_in_one_phrase_and_what_is_unknown_is_left_out() {
        let whole = "n1 (Intel Xeon Gold 6342, NVIDIA H200 GPU-1f2e, driver 550.54), Slurm job 7_0, restarted 2 times";
        assert_eq!(machine().told(), whole);
        let plain = WorkerMachine { host: "desk".into(), ..WorkerMachine::default() };
        assert_eq!((plain.told(), plain.on_cluster()), ("desk".to_owned(), None));
        assert_eq!(machine().on_cluster().unwrap(), "n1 7_0");
    }

    #[test]
    fn nothing_is_written_for_what_is_unknown() {
        let plain = WorkerMachine { host: "desk".into(), cpu: "x".into(), ..WorkerMachine::default() };
        let text = serde_json::to_string(&plain).unwrap();
        assert_eq!(text, r#"{"host":"desk","cpu":"x"}"#);
        assert_eq!(serde_json::from_str::<WorkerMachine>(&text).unwrap(), plain);
    }

    #[test]
    fn a_card_is_found_by_number_and_by_name_as_the_job_counts_them() {
        let uuids = ["GPU-aa1", "GPU-aa2", "GPU-b"].map(|uuid| Some(uuid.to_owned()));
        let of = |device: &str, visible: Option<&str>| card_in_use(device, visible, &uuids);
        assert_eq!((of("cuda:1", None), of("cuda:0", Some("2,0")), of("cuda:1", Some("2,0"))), (Some(1), Some(2), Some(0)));
        assert_eq!((of("cuda:0", Some("GPU-b")), of("cuda:0", Some("GPU-aa2"))), (Some(2), Some(1)));
    }

    #[test]
    fn a_card_that_cannot_be_told_from_others_is_unknown() {
        let uuids = ["GPU-aa1", "GPU-aa2"].map(|uuid| Some(uuid.to_owned()));
        for (device, visible) in [
            ("cpu", None),
            ("cuda:2", None),
            ("cuda:0", Some("")),
            ("cuda:1", Some("0")),
            ("cuda:0", Some("7")),
            ("cuda:0", Some("GPU-aa")),
            ("cuda:0", Some("GPU-")),
            ("cuda:0", Some("MIG-x")),
            ("cuda:x", None),
        ] {
            assert_eq!(card_in_use(device, visible, &uuids), None, "{device} {visible:?}");
        }
    }
}
