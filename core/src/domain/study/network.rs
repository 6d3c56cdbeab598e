//! What a study says of its networks: how they compute and how they are trained.

use crate::domain::{canonical::Value, loss::Loss, model::parameters, vocabulary::vocabulary};
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
        /// A power of what is left of the way, down to zero.
        Polynomial = "poly",
    }
}

vocabulary! {
    /// Which weights of a training are kept.
    pub enum KeptWeights {
        /// Those after the last epoch.
        Last = "last",
        /// Those after the epoch in which held-out identities were told apart best; of equal epochs the first.
        Best = "best",
    }
}

/// Identities of the training set that a network does not learn from: after every epoch it is asked which pictures show one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// The share of the identities that are held out.
    pub share: f64,
    /// Which weights are kept.
    pub keep: KeptWeights,
    /// The training ends after so many epochs in a row that were no better than the best before; `None`: it runs all epochs.
    pub patience: Option<usize>,
}

impl Default for Validation {
    /// That of a study that says `validation: {}`.
    fn default() -> Self {
        Validation { share: 0.1, keep: KeptWeights::Best, patience: None }
    }
}

impl Validation {
    /// The epoch that was best so far, from 0; of equal ones the first. `curve`: a number an epoch.
    pub fn best(curve: &[f64]) -> Option<usize> {
        (0..curve.len()).reduce(|best, epoch| if curve[epoch] > curve[best] { epoch } else { best })
    }

    /// Has the training come to its end, by patience?
    pub fn is_over(&self, curve: &[f64]) -> bool {
        let waited = Self::best(curve).map_or(0, |best| curve.len() - 1 - best);
        self.patience.is_some_and(|patience| waited >= patience)
    }

    fn canonical(&self) -> Value {
        let Validation { share, keep, patience } = self;
        Value::map()
            .with("share", Value::Float(*share))
            .with("keep", Value::text(keep.word()))
            .optional("patience", patience.map(Value::count))
            .done()
    }
}

/// Fewer classes are all looked at, in every step: [`Recipe::partial_fc`] begins here.
pub const PARTIAL_FC_FROM: usize = 50_000;

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
    /// The power of the schedule `poly`.
    #[serde(default = "squared", skip_serializing_if = "is_squared")]
    pub power: f64,
    /// Epochs in which the rate rises to its whole.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warmup: f64,
    /// ε: the right class has 1 − ε, and all have ε over their number (Szegedy et al., CVPR 2016).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// Batches of a step: the gradient is the mean of theirs.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// Pictures of each identity of a batch; `None` where batches are drawn of all pictures alike, or the loss decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced: Option<usize>,
    /// The share of classes that a step looks at, from 50,000 classes on (An et al., CVPR 2022).
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub partial_fc: f64,
    /// Identities that are held out; `None` where all are learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
}

fn squared() -> f64 {
    2.0
}

fn is_squared(power: &f64) -> bool {
    *power == squared()
}

fn whole() -> f64 {
    1.0
}

fn is_whole(share: &f64) -> bool {
    *share == whole()
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == one()
}

impl Default for Recipe {
    /// That of a study that says nothing: InsightFace's for faces, at one card's batch.
    fn default() -> Self {
        Recipe {
            epochs: 8,
            batch: 128,
            optimizer: Optimizer::Sgd.usual(),
            optimizer_word: Optimizer::Sgd,
            schedule: Schedule::Cosine,
            power: squared(),
            warmup: 0.0,
            label_smoothing: 0.0,
            accumulate: one(),
            balanced: None,
            partial_fc: whole(),
            validation: None,
        }
    }
}

impl Optimizer {
    /// The numbers that it takes, by name, with their usual values: of InsightFace's recipe, and of AdamW's paper.
    pub fn usual(self) -> BTreeMap<String, f64> {
        let all: &[(&str, f64)] = match self {
            Optimizer::Sgd => &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.0005)],
            Optimizer::AdamW => &[("rate", 0.001), ("decay", 0.01)],
        };
        all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }
}

impl Recipe {
    /// Pictures of each identity in a batch; `None` where batches are drawn of all pictures alike. A loss that compares pictures has
    /// four, or two of a small batch.
    pub fn pictures_of_each(&self, loss: &Loss) -> Option<usize> {
        let compares = loss.spec().is_some_and(|of| of.compares_pictures);
        self.balanced.or_else(|| compares.then_some(if self.batch < 8 { 2 } else { 4 }))
    }

    /// What of it enters a key; what the first release had not only where it is not as it was then.
    pub fn canonical(&self) -> Value {
        let Recipe {
            epochs,
            batch,
            optimizer,
            optimizer_word,
            schedule,
            power,
            warmup,
            label_smoothing,
            accumulate,
            balanced,
            partial_fc,
            validation,
        } = self;
        Value::map()
            .with("epochs", Value::count(*epochs))
            .with("batch", Value::count(*batch))
            .with("optimizer", Value::text(optimizer_word.word()))
            .with("parameters", parameters(optimizer))
            .with("schedule", Value::text(schedule.word()))
            .unless("power", Value::Float(*power), &Value::Float(squared()))
            .unless("warmup", Value::Float(*warmup), &Value::Float(0.0))
            .unless("label_smoothing", Value::Float(*label_smoothing), &Value::Float(0.0))
            .unless("accumulate", Value::count(*accumulate), &Value::count(one()))
            .optional("balanced", balanced.map(Value::count))
            .unless("partial_fc", Value::Float(*partial_fc), &Value::Float(whole()))
            .optional("validation", validation.as_ref().map(Validation::canonical))
            .done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::loss::LossSpec;

    #[test]
    fn a_recipe_of_the_first_release_is_read_and_keyed_as_it_was() {
        let first = r#"{"epochs":8,"batch":128,"optimizer":{"decay":0.0005,"momentum":0.9,"rate":0.1},"optimizer_word":"sgd","schedule":"cosine"}"#;
        let recipe: Recipe = serde_json::from_str(first).unwrap();
        assert_eq!(recipe, Recipe::default());
        assert_eq!(serde_json::to_string(&recipe).unwrap(), first);
        let Value::Map(fields) = recipe.canonical() else { unreachable!() };
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["batch", "epochs", "optimizer", "parameters", "schedule"]);
    }

    #[test]
    fn patience_counts_epochs_since_the_first_of_the_best() {
        let of = |patience| Validation { patience, ..Validation::default() };
        assert_eq!(Validation::best(&[]), None);
        assert_eq!(Validation::best(&[0.6, 0.8, 0.8, 0.7]), Some(1));
        assert!(!of(Some(3)).is_over(&[0.6, 0.8, 0.8, 0.7]) && of(Some(2)).is_over(&[0.6, 0.8, 0.8, 0.7]));
        assert!(!of(Some(1)).is_over(&[0.6]) && !of(None).is_over(&[0.6, 0.5, 0.4]));
    }

    #[test]
    fn only_a_loss_that_compares_pictures_asks_for_several_of_each_identity() {
        let each = |word: &str, batch, balanced| {
            Recipe { batch, balanced, ..Recipe::default() }.pictures_of_each(&LossSpec::of(word).unwrap().usual())
        };
        assert_eq!((each("arcface", 64, None), each("arcface", 64, Some(3))), (None, Some(3)));
        assert_eq!(
            (each("triplet", 64, None), each("triplet", 6, None), each("triplet", 64, Some(8))),
            (Some(4), Some(2), Some(8))
        );
    }
}
