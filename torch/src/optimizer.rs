//! How weights follow gradients. Written over tensors because libtorch's own optimizers keep their momentum to themselves, and an exact
//! resume needs it.

use crate::parameters::{Parameters, off, on};
use std::collections::BTreeMap;
use tch::{Kind, Tensor};
use visavis_core::{
    domain::study::{self, Recipe},
    weights,
};

pub(crate) struct Optimizer {
    rule: Rule,
    rate: f64,
    decay: f64,
    /// By name of the weight: what the rule remembers, in the order of [`Rule::slots`].
    memory: BTreeMap<String, Vec<Tensor>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// As PyTorch's: g ← g + λw; v ← μv + g; w ← w − ηv.
    Sgd { momentum: f64 },
    /// Loshchilov and Hutter (ICLR 2019), as PyTorch's, with β of .9 and .999 and ε of 1e-8.
    AdamW,
}

impl Rule {
    /// What it remembers of each weight, as checkpoints name it.
    fn slots(self) -> &'static [&'static str] {
        match self {
            Rule::Sgd { .. } => &["velocity"],
            Rule::AdamW => &["first", "second"],
        }
    }
}

/// Rows of a weight that a step looked at; the others stay, and so does what is remembered of them.
pub(crate) struct Rows<'a> {
    /// The weights of which only rows take part.
    pub names: &'a [&'a str],
    pub rows: &'a Tensor,
}

/// Gradients longer than this are shortened to it (arcface_torch's recipe).
const LONGEST: f64 = 5.0;

/// AdamW's β₁, β₂ and ε.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

impl Optimizer {
    pub(crate) fn new(recipe: &Recipe, parameters: &Parameters) -> Self {
        let number = |name: &str| recipe.optimizer.get(name).copied().unwrap_or_default();
        let rule = match recipe.optimizer_word {
            study::Optimizer::Sgd => Rule::Sgd { momentum: number("momentum") },
            study::Optimizer::AdamW => Rule::AdamW,
        };
        let empty = |tensor: &Tensor| rule.slots().iter().map(|_| tensor.zeros_like()).collect();
        Optimizer {
            rule,
            rate: number("rate"),
            decay: number("decay"),
            memory: parameters.learning().map(|(name, tensor)| (name.to_owned(), empty(tensor))).collect(),
        }
    }

    /// The step of that number, from 0, at a share of the rate; the gradients are used up.
    pub(crate) fn step(&mut self, parameters: &Parameters, step: usize, share: f64, only: Option<&Rows>) {
        tch::no_grad(|| {
            let learning: Vec<(&str, Tensor, Tensor)> = parameters
                .learning()
                .map(|(name, tensor)| (name, tensor.shallow_clone(), tensor.grad()))
                .filter(|(_, _, gradient)| gradient.defined())
                .collect();
            let squares: Vec<Tensor> = learning.iter().map(|(_, _, gradient)| gradient.square().sum(Kind::Float)).collect();
            let length = Tensor::stack(&squares, 0).sum(Kind::Float).sqrt();
            let shorten = (LONGEST / (length + 1e-6)).clamp_max(1.0);
            for (name, mut weight, mut gradient) in learning {
                let Some(memory) = self.memory.get_mut(name) else { continue };
                let rate = self.rate * share;
                match only.filter(|only| only.names.contains(&name)) {
                    None => self.rule.step(&mut weight, &(&gradient * &shorten), memory, step, rate, self.decay),
                    Some(Rows { rows, .. }) => {
                        let mut some = weight.index_select(0, rows);
                        let mut remembered: Vec<Tensor> = memory.iter().map(|of| of.index_select(0, rows)).collect();
                        let slope = gradient.index_select(0, rows) * &shorten;
                        self.rule.step(&mut some, &slope, &mut remembered, step, rate, self.decay);
                        let _ = weight.index_copy_(0, rows, &some);
                        for (all, some) in memory.iter_mut().zip(&remembered) {
                            let _ = all.index_copy_(0, rows, some);
                        }
                    }
                }
                let _ = gradient.zero_();
            }
        });
    }

    /// What it remembers, by slot and weight: `velocity/conv1.weight`.
    pub(crate) fn values(&self) -> BTreeMap<String, weights::Tensor> {
        let slots = self.rule.slots();
        let of = |(name, memory): (&String, &Vec<Tensor>)| -> Vec<(String, weights::Tensor)> {
            slots.iter().zip(memory).map(|(slot, tensor)| (format!("{slot}/{name}"), off(tensor))).collect()
        };
        self.memory.iter().flat_map(of).collect()
    }

    pub(crate) fn take(&mut self, tensors: &BTreeMap<String, weights::Tensor>) {
        for (name, memory) in &mut self.memory {
            for (slot, remembered) in self.rule.slots().iter().zip(memory) {
                if let Some(tensor) = tensors.get(&format!("{slot}/{name}")) {
                    remembered.copy_(&on(tensor, remembered.device()));
                }
            }
        }
    }
}

impl Rule {
    fn step(self, weight: &mut Tensor, gradient: &Tensor, memory: &mut [Tensor], step: usize, rate: f64, decay: f64) {
        match (self, memory) {
            (Rule::Sgd { momentum }, [velocity]) => {
                let slope = gradient + &*weight * decay;
                let _ = velocity.g_mul_scalar_(momentum).g_add_(&slope);
                let _ = weight.g_sub_(&(&*velocity * rate));
            }
            (Rule::AdamW, [first, second]) => {
                let [whole_first, whole_second] = BETAS.map(|beta| 1.0 - libm::pow(beta, (step + 1) as f64));
                let _ = weight.g_mul_scalar_(1.0 - rate * decay);
                let _ = first.g_mul_scalar_(BETAS[0]).g_add_(&(gradient * (1.0 - BETAS[0])));
                let _ = second.g_mul_scalar_(BETAS[1]).g_add_(&(gradient.square() * (1.0 - BETAS[1])));
                let length = second.sqrt() / whole_second.sqrt() + EPSILON;
                let _ = weight.g_sub_(&(&*first / length * (rate / whole_first)));
            }
            _ => unreachable!("memory has as many tensors as the rule has slots"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;
    use visavis_core::domain::study::Recipe;

    const NAME: &str = "w";

    fn recipe(word: study::Optimizer, numbers: &[(&str, f64)]) -> Recipe {
        let optimizer = numbers.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Recipe { optimizer_word: word, optimizer, ..Recipe::default() }
    }

    fn parameters() -> Parameters {
        let mut parameters = Parameters::of(&BTreeMap::new(), Device::Cpu);
        parameters.add_zeros(NAME, vec![3, 2], Device::Cpu);
        tch::no_grad(|| parameters.get(NAME).copy_(&Tensor::from_slice(&FIRST).reshape([3, 2])));
        parameters
    }

    const FIRST: [f32; 6] = [0.5, -1.0, 2.0, 0.0, 0.25, -0.75];
    const SLOPE: [f64; 6] = [0.3, -0.2, 0.1, 0.4, -0.5, 0.6];

    /// One step along a gradient of SLOPE times that number.
    fn step(optimizer: &mut Optimizer, parameters: &Parameters, number: usize, share: f64, only: Option<&Rows>) {
        let slope = Tensor::from_slice(&SLOPE).to_kind(Kind::Float).reshape([3, 2]) * (number + 1) as f64;
        (parameters.get(NAME) * slope).sum(Kind::Float).backward();
        optimizer.step(parameters, number, share, only);
    }

    fn values(parameters: &Parameters) -> Vec<f32> {
        parameters.values()[NAME].values.clone()
    }

    fn holds(found: &[f32], wanted: &[f64]) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((f64::from(*found) - wanted).abs() < 1e-6, "{found}, not {wanted}");
        }
    }

    #[test]
    fn sgd_is_that_of_its_definition() {
        let recipe = recipe(study::Optimizer::Sgd, &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.01)]);
        let parameters = parameters();
        let mut optimizer = Optimizer::new(&recipe, &parameters);
        let (mut wanted, mut velocity) = (FIRST.map(f64::from), [0.0; 6]);
        for (number, share) in [1.0, 0.5, 0.25].into_iter().enumerate() {
            step(&mut optimizer, &parameters, number, share, None);
            for k in 0..6 {
                velocity[k] = 0.9 * velocity[k] + SLOPE[k] * (number + 1) as f64 + 0.01 * wanted[k];
                wanted[k] -= 0.1 * share * velocity[k];
            }
        }
        holds(&values(&parameters), &wanted);
    }

    #[test]
    fn adamw_is_that_of_its_definition() {
        let recipe = recipe(study::Optimizer::AdamW, &[("rate", 0.01), ("decay", 0.1)]);
        let parameters = parameters();
        let mut optimizer = Optimizer::new(&recipe, &parameters);
        let (mut wanted, mut first, mut second) = (FIRST.map(f64::from), [0.0; 6], [0.0; 6]);
        for (number, share) in [1.0, 0.5, 0.25].into_iter().enumerate() {
            step(&mut optimizer, &parameters, number, share, None);
            let (rate, t) = (0.01 * share, number as i32 + 1);
            for k in 0..6 {
                let slope = SLOPE[k] * f64::from(t);
                first[k] = 0.9 * first[k] + 0.1 * slope;
                second[k] = 0.999 * second[k] + 0.001 * slope * slope;
                let (mean, square) = (first[k] / (1.0 - 0.9f64.powi(t)), second[k] / (1.0 - 0.999f64.powi(t)));
                wanted[k] = wanted[k] * (1.0 - rate * 0.1) - rate * mean / (square.sqrt() + 1e-8);
            }
        }
        holds(&values(&parameters), &wanted);
    }

    #[test]
    fn what_an_optimizer_remembers_is_kept_whole() {
        for word in [study::Optimizer::Sgd, study::Optimizer::AdamW] {
            let recipe = recipe(word, &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.01)]);
            let undisturbed = parameters();
            let mut optimizer = Optimizer::new(&recipe, &undisturbed);
            (0..2).for_each(|number| step(&mut optimizer, &undisturbed, number, 1.0, None));
            let mut resumed = parameters();
            let mut again = Optimizer::new(&recipe, &resumed);
            resumed.take(&undisturbed.values(), Device::Cpu);
            again.take(&optimizer.values());
            step(&mut optimizer, &undisturbed, 2, 1.0, None);
            step(&mut again, &resumed, 2, 1.0, None);
            assert_eq!(values(&undisturbed), values(&resumed), "{word}");
        }
    }

    #[test]
    fn rows_that_a_step_did_not_look_at_stay() {
        let recipe = recipe(study::Optimizer::Sgd, &[("rate", 0.1), ("momentum", 0.9), ("decay", 0.01)]);
        let (all, some) = (parameters(), parameters());
        let (mut of_all, mut of_some) = (Optimizer::new(&recipe, &all), Optimizer::new(&recipe, &some));
        let rows = Tensor::from_slice(&[0i64, 2]);
        step(&mut of_all, &all, 0, 1.0, None);
        step(&mut of_some, &some, 0, 1.0, Some(&Rows { names: &[NAME], rows: &rows }));
        assert_eq!(values(&some)[2..4], FIRST[2..4]);
        assert_eq!((&values(&some)[..2], &values(&some)[4..]), (&values(&all)[..2], &values(&all)[4..]));
        assert_eq!(of_some.values()["velocity/w"].values[2..4], [0.0; 2]);
    }
}
