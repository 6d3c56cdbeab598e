//! What a dispatcher and a worker write each other that share a folder only: one JSON value a letter.

use super::{Key, event::WorkerAnswer, stage::Order};
use serde::{Deserialize, Serialize};

/// The end of the name of a worker's letters; before it stands the random name of that start of the worker.
pub const ANSWERS: &str = ".answers";

/// The end of the name of the file that is there until a run's workers are to leave.
pub const OPEN: &str = ".open";

/// The end of the name of the dispatcher's letters to that worker.
pub const ORDERS: &str = ".orders";

/// What a worker writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerLetter {
    /// Its first letter.
    Hello(Box<Hello>),
    /// As it would print it, were it on the dispatcher's machine.
    Answer(WorkerAnswer),
    /// Its last letter.
    Left {
        /// Why it leaves, if it could not go on.
        why: Option<String>,
        /// It was asked to stop: its time is up, another job takes its place, or a person ended it.
        #[serde(default)]
        stopped: bool,
    },
}

/// What the dispatcher writes to one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatcherLetter {
    /// Carry this out, after what came before.
    Order(Box<Order>),
    /// Give back what makes these, unless it was begun; [`WorkerAnswer::Returned`] answers.
    Recall {
        /// The results that are not to be made by this worker.
        keys: Vec<Key>,
    },
    /// Stop what you are at, as if by SIGTERM.
    Stop,
    /// When all is done, go on as this program, in the same job: some stages need another one.
    Become {
        /// As its command line names it: `visavis-onnx`.
        program: String,
    },
    /// Nothing more comes: leave when all is done.
    End,
}

/// Who a worker is. Two starts of one job are two workers: Slurm may start a job again without saying so.
///
/// The dispatcher goes by `program`, `slurm` and `started`; `token` is also the name of the file. What else is here is for people who read the
/// letters of a run that went wrong: which process it was, and what the job gave it. What screens and commands tell of a worker's machine is
/// in its journal (`domain/machine.rs`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The random name of this start.
    pub token: String,
    /// The machine's name.
    pub host: String,
    /// The kernel's boot identifier.
    pub boot: String,
    /// The process number on its machine.
    pub pid: u32,
    /// The program and its version: `visavis-torch 0.1.0`.
    pub program: String,
    /// What Slurm says of it; `None` outside of it.
    pub slurm: Option<SlurmPlace>,
    /// Such as `cpu` or `cuda:0`, as the job counts them.
    pub device: String,
    /// The cards of the job, as `CUDA_VISIBLE_DEVICES` names them.
    pub cards: Option<String>,
    /// Threads that it computes with.
    pub threads: usize,
    /// When it started, in milliseconds since 1970 on its own clock: of two starts of one job the later one counts.
    #[serde(default)]
    pub started: u64,
}

/// A worker's place in Slurm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmPlace {
    /// The array's number.
    pub array: u64,
    /// Its element.
    pub index: u64,
    /// How often Slurm says it started this element again.
    pub restarts: u32,
}

/// What people and Slurm call it: `123_4`.
impl std::fmt::Display for SlurmPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.array, self.index)
    }
}

impl Hello {
    /// The name of its program.
    pub fn program_name(&self) -> &str {
        self.program.split(' ').next().unwrap_or_default()
    }
}

impl SlurmPlace {
    /// As the variables of a job say; `variable` gives one by its name.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse::<u64>().ok();
        Some(SlurmPlace {
            array: number("SLURM_ARRAY_JOB_ID")?,
            index: number("SLURM_ARRAY_TASK_ID")?,
            restarts: number("SLURM_RESTART_COUNT").unwrap_or(0) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_knows_its_place_by_array_and_index_and_a_first_start_has_no_count() {
        let variable = |name: &str| match name {
            "SLURM_ARRAY_JOB_ID" => Some("12".to_owned()),
            "SLURM_ARRAY_TASK_ID" => Some("3".to_owned()),
            _ => None,
        };
        assert_eq!(SlurmPlace::of(variable), Some(SlurmPlace { array: 12, index: 3, restarts: 0 }));
        assert_eq!(SlurmPlace::of(|_| None), None);
    }

    #[test]
    fn letters_keep_their_form() {
        let text = |letter: &WorkerLetter| serde_json::to_string(letter).unwrap();
        assert_eq!(text(&WorkerLetter::Answer(WorkerAnswer::Beat)), r#"{"answer":"beat"}"#);
        assert_eq!(text(&WorkerLetter::Left { why: None, stopped: false }), r#"{"left":{"why":null,"stopped":false}}"#);
        assert_eq!(serde_json::to_string(&DispatcherLetter::End).unwrap(), r#""end""#);
        let other = DispatcherLetter::Become { program: "visavis-onnx".to_owned() };
        assert_eq!(serde_json::to_string(&other).unwrap(), r#"{"become":{"program":"visavis-onnx"}}"#);
    }
}
