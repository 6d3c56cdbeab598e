//! A stage that can be carried out, with what it consumes; and its key.

use super::Work;
use crate::domain::{Digest, Key, canonical::Value};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Something a stage consumes: its role, what it is, and where its bytes are (which never enters the key).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// What the stage knows it as, such as `images` or `labels/Male`.
    pub role: String,
    /// Of the bytes that are consumed.
    pub digest: Digest,
    /// Where the bytes are.
    pub at: Location,
}

/// Where the bytes of an input are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// An object of the workspace, found by its digest.
    Object,
    /// A file outside, verified against the digest when it is read. A relative path starts at the workspace's root.
    File(PathBuf),
    /// An object that lists pictures; these are below this folder, each verified when it is read.
    Pictures(PathBuf),
}

/// A stage that can be carried out: all it consumes exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The stage with its parameters.
    pub work: Work,
    /// In the plan's order, which is part of the key.
    pub inputs: Vec<Input>,
}

/// What a dispatcher asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// What is to be done.
    pub task: Task,
    /// What people call it.
    pub label: String,
    /// Which try at it this is, from 1.
    pub attempt: u32,
    /// The dispatcher's clock.
    pub clock: u64,
    /// Make it again even if its result is there; the new one takes the old one's place when it is ready.
    pub again: bool,
}

impl Input {
    /// Where a path is from the root of the workspace, it is from here.
    #[must_use]
    pub fn from_root(mut self, root: &Path) -> Self {
        if let Location::File(path) | Location::Pictures(path) = &mut self.at
            && path.is_relative()
            && root != Path::new(".")
        {
            *path = root.join(&path);
        }
        self
    }

    fn canonical(&self) -> Value {
        // Where the bytes are does not matter: they are known by their digest.
        let Input { role, digest, at: _ } = self;
        Value::List(vec![Value::text(role), Value::Digest(*digest)])
    }
}

impl Task {
    /// With every path from the root of the workspace made one from here.
    #[must_use]
    pub fn from_root(&self, root: &Path) -> Self {
        Task { work: self.work.clone(), inputs: self.inputs.iter().map(|input| input.clone().from_root(root)).collect() }
    }

    /// The digest of all that decides the result.
    pub fn key(&self) -> Key {
        self.key_of_version(self.work.version())
    }

    /// The key that a program with this version of the stage's code gives it.
    pub(super) fn key_of_version(&self, version: u32) -> Key {
        let Task { work, inputs } = self;
        let key = Value::map()
            .with("stage", Value::text(work.kind().word()))
            .with("version", Value::Int(version.into()))
            .with("work", work.canonical())
            .with("inputs", Value::list(inputs, Input::canonical));
        Key(key.done().digest())
    }
}
