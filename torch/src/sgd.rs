//! Stochastic gradient descent with momentum and weight decay, as PyTorch's: g ← g + λw; v ← μv + g; w ← w − ηv. Written over
//! tensors because libtorch's own keeps its momentum to itself, and an exact resume needs it.

use crate::parameters::Parameters;
use std::collections::BTreeMap;
use tch::Tensor;
use visavis_core::{
    domain::study::{Recipe, Schedule},
    weights,
};

pub(crate) struct Sgd {
    rate: f64,
    momentum: f64,
    decay: f64,
    velocity: BTreeMap<String, Tensor>,
}

/// Gradients longer than this are shortened to it (arcface_torch's recipe).
const LONGEST: f64 = 5.0;

impl Sgd {
    pub(crate) fn new(recipe: &Recipe, parameters: &Parameters) -> Self {
        let number = |name: &str| recipe.optimizer.get(name).copied().unwrap_or_default();
        Sgd {
            rate: number("rate"),
            momentum: number("momentum"),
            decay: number("decay"),
            velocity: parameters.learning().map(|(name, tensor)| (name.to_owned(), tensor.zeros_like())).collect(),
        }
    }

    /// One step at a share of the rate; the gradients are used up.
    pub(crate) fn step(&mut self, parameters: &Parameters, share: f64) {
        tch::no_grad(|| {
            let learning: Vec<(&str, Tensor, Tensor)> = parameters
                .learning()
                .map(|(name, tensor)| (name, tensor.shallow_clone(), tensor.grad()))
                .filter(|(_, _, gradient)| gradient.defined())
                .collect();
            let squares: Vec<Tensor> = learning.iter().map(|(_, _, gradient)| gradient.square().sum(tch::Kind::Float)).collect();
            let length = Tensor::stack(&squares, 0).sum(tch::Kind::Float).sqrt();
            let shorten = (LONGEST / (length + 1e-6)).clamp_max(1.0);
            for (name, mut weight, mut gradient) in learning {
                let step = &gradient * &shorten + &weight * self.decay;
                if let Some(velocity) = self.velocity.get_mut(name) {
                    let _ = velocity.g_mul_scalar_(self.momentum).g_add_(&step);
                    let _ = weight.g_sub_(&(&*velocity * (self.rate * share)));
                }
                let _ = gradient.zero_();
            }
        });
    }

    pub(crate) fn values(&self) -> BTreeMap<String, weights::Tensor> {
        self.velocity.iter().map(|(name, tensor)| (name.clone(), crate::parameters::off(tensor))).collect()
    }

    pub(crate) fn take(&mut self, tensors: &BTreeMap<String, weights::Tensor>) {
        for (name, velocity) in &mut self.velocity {
            if let Some(tensor) = tensors.get(name) {
                velocity.copy_(&crate::parameters::on(tensor, velocity.device()));
            }
        }
    }
}

/// The share of the rate at a step of so many.
pub(crate) fn share(schedule: Schedule, step: usize, steps: usize) -> f64 {
    let at = step as f64 / steps.max(1) as f64;
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Linear => 1.0 - at,
        // A tenth at half the way, a hundredth at three quarters.
        Schedule::Step => 0.1f64.powi(i32::from(at >= 0.5) + i32::from(at >= 0.75)),
        // Loshchilov and Hutter (ICLR 2017), without restarts.
        Schedule::Cosine => 0.5 * (1.0 + libm::cos(std::f64::consts::PI * at)),
    }
}
