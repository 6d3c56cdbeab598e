//! What a study says of its networks: how they compute and how they are trained.

use crate::domain::{canonical::Value, model::parameters, vocabulary::vocabulary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

vocabulary! {
    /// A kind of device; a job runs on one kind only, for its numbers may depend on it.
    pub enum DeviceClass {
        /// Processors.
        Cpu = "cpu",
        /// Cards.
        Cuda = "cuda",
        /// Networks that only pretend to learn, for trying everything around them.
        Pretend = "pretend",
    }
}

vocabulary! {
    /// What networks calculate in; weights are kept in single precision.
    pub enum Precision {
        /// 32-bit floating point.
        Single = "f32",
        /// bfloat16: eight bits of exponent, seven of fraction.
        Brain = "bf16",
    }
}

/// What libtorch's bits depend on; torch-free stages have the same bits everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerics {
    /// What networks run on.
    pub device: DeviceClass,
    /// In what numbers they compute.
    pub precision: Precision,
    /// Threads of libtorch on the processor; `None` where the study does not fix them.
    pub threads: Option<usize>,
}

impl Numerics {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Numerics { device, precision, threads } = self;
        Value::map()
            .with("device", Value::text(device.word()))
            .with("precision", Value::text(precision.word()))
            .optional("threads", threads.map(Value::count))
            .done()
    }
}

vocabulary! {
    /// How weights follow gradients.
    pub enum Optimizer {
        /// Stochastic gradient descent with momentum and weight decay.
        Sgd = "sgd",
        /// Loshchilov and Hutter (ICLR 2019).
        AdamW = "adamw",
    }
}

vocabulary! {
    /// How the rate falls over the steps of a training.
    pub enum Schedule {
        /// Half a cosine wave, down to zero.
        Cosine = "cosine",
        /// In a straight line, down to zero.
        Linear = "linear",
        /// To a tenth at half the way, to a hundredth at three quarters.
        Step = "step",
        /// It does not fall.
        Constant = "constant",
    }
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training set.
    pub epochs: usize,
    /// Pictures a step.
    pub batch: usize,
    /// The optimizer's numbers, by name.
    pub optimizer: BTreeMap<String, f64>,
    /// Which optimizer.
    pub optimizer_word: Optimizer,
    /// How the learning rate goes on.
    pub schedule: Schedule,
}

impl Recipe {
    /// What of it enters a key.
    pub fn canonical(&self) -> Value {
        let Recipe { epochs, batch, optimizer, optimizer_word, schedule } = self;
        Value::map()
            .with("epochs", Value::count(*epochs))
            .with("batch", Value::count(*batch))
            .with("optimizer", Value::text(optimizer_word.word()))
            .with("parameters", parameters(optimizer))
            .with("schedule", Value::text(schedule.word()))
            .done()
    }
}
