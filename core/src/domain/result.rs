//! Results: a manifest and its objects, immutable. *Done means the manifest exists.*

use super::{
    Digest, Key,
    canonical::Value,
    stage::{Input, Kind, Task, Work},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `data/results/<key>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Which form of manifest this is.
    pub format: u32,
    /// The key of the task.
    pub key: Key,
    /// The kind of the stage.
    pub stage: Kind,
    /// The version of the stage's code that made it.
    pub version: u32,
    /// The stage with its parameters.
    pub work: Work,
    /// What was consumed, by content.
    pub inputs: Vec<Input>,
    /// Objects that it left, by name.
    pub outputs: Vec<Output>,
    /// Small numbers inline, each a list (`explained`, `images`).
    pub facts: Facts,
    /// Who made it, where and how.
    pub provenance: Provenance,
}

/// Small numbers of a result by name.
pub type Facts = BTreeMap<String, Vec<f64>>;

/// One object of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Unique among the outputs of a result, such as `scores.json`.
    pub name: String,
    /// What its bytes are, and where the object lies.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Who made it, where and how: never part of a key or of [`Manifest::content`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of visavis.
    pub program: String,
    /// The machine's name.
    pub host: String,
    /// The processor's model name.
    pub cpu: String,
    /// The graphics card's model, of a stage that computes on one; `None` where nobody wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The version of its driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The operating system and its release.
    pub system: String,
    /// Threads that the worker computed with.
    pub threads: usize,
    /// The journal of the worker that made it, and which attempt it was: they hold the rest.
    #[serde(default)]
    pub worker: String,
    /// From 1; 0 in results of before attempts were counted.
    #[serde(default)]
    pub attempt: u32,
    /// Milliseconds since 1970, UTC.
    pub started: u64,
    /// How long the computation took.
    pub seconds: f64,
}

impl Provenance {
    /// Of a result of which nobody wrote down who made it, where or when: of one that is made up, or carried out for its outputs
    /// alone.
    pub fn unknown() -> Self {
        Provenance {
            program: String::new(),
            host: String::new(),
            cpu: String::new(),
            card: None,
            driver: None,
            system: String::new(),
            threads: 1,
            worker: String::new(),
            attempt: 0,
            started: 0,
            seconds: 0.0,
        }
    }
}

impl Provenance {
    /// Program, machine and system in one phrase, as a report names them.
    pub fn environment(&self) -> String {
        let driver = self.driver.as_ref().map_or(String::new(), |driver| format!(", driver {driver}"));
        format!("{}, {}{driver}, {}", self.program, self.machine_kind(), self.system)
    }

    /// The models of the processor and of the card, if it used one: `Intel Xeon Gold 6342, NVIDIA H200`.
    pub fn machine_kind(&self) -> String {
        let card = self.card.as_ref().map_or(String::new(), |card| format!(", {card}"));
        format!("{}{card}", self.cpu)
    }
}

impl Manifest {
    /// The digest of what the stage gave: equal on every machine, with any number of threads.
    pub fn content(&self) -> Digest {
        let output = |Output { name, digest, bytes: _ }: &Output| Value::List(vec![Value::text(name), Value::Digest(*digest)]);
        let fact = |(name, numbers): (&String, &Vec<f64>)| {
            Value::List(vec![Value::text(name), Value::list(numbers, |n| Value::Float(*n))])
        };
        // What was asked has the key, and who answered is no part of the answer.
        let Manifest { outputs, facts, format: _, key: _, stage: _, version: _, work: _, inputs: _, provenance: _ } = self;
        Value::List(vec![Value::list(outputs, output), Value::list(facts, fact)]).digest()
    }

    /// Is it what its key says: the result of this work, at this version, on these inputs? `None` where that cannot be told here: the
    /// stage's code is at another version now.
    pub fn is_of_its_key(&self) -> Option<bool> {
        let task = Task { work: self.work.clone(), inputs: self.inputs.clone() };
        (self.version == self.work.version()).then(|| self.stage == self.work.kind() && task.key() == self.key)
    }

    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name == name)
    }

    /// The numbers of this name; empty where there are none.
    pub fn fact(&self, name: &str) -> &[f64] {
        self.facts.get(name).map_or(&[], Vec::as_slice)
    }
}
