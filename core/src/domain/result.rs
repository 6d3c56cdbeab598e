//! Results: a manifest and its objects, immutable. *Done means the manifest exists.*

use super::{
    Digest, Key,
    canonical::Value,
    stage::{Input, Kind, Work},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `data/results/<key>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub key: Key,
    pub stage: Kind,
    pub version: u32,
    pub work: Work,
    /// What was consumed, by content.
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
    /// Small numbers inline, each a list (`explained`, `images`).
    pub facts: Facts,
    pub provenance: Provenance,
}

pub type Facts = BTreeMap<String, Vec<f64>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    pub name: String,
    pub digest: Digest,
    pub bytes: u64,
}

/// Who made it, where and how: never part of a key or of [`Manifest::content`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub program: String,
    pub host: String,
    pub cpu: String,
    pub system: String,
    pub threads: usize,
    /// The journal of the worker that made it, and which attempt it was: they hold the rest.
    #[serde(default)]
    pub worker: String,
    #[serde(default)]
    pub attempt: u32,
    /// Milliseconds since 1970, UTC.
    pub started: u64,
    pub seconds: f64,
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

    pub fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.name == name)
    }

    pub fn fact(&self, name: &str) -> &[f64] {
        self.facts.get(name).map_or(&[], Vec::as_slice)
    }
}
