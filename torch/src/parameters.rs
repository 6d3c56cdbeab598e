//! A network's tensors, by name: drawn, read from a file, written to one.

use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};
use visavis_core::{
    domain::{
        Result,
        model::{Architecture, WeightFamily},
    },
    weights::{self, layout},
};

/// Tensors in the order of their names; those that learn ask libtorch for gradients.
pub struct Parameters(BTreeMap<String, Tensor>);

impl Parameters {
    /// Draws the tensors of an architecture: the same bits from a seed on every device.
    ///
    /// # Errors
    /// An architecture that is not built here.
    pub fn draw(architecture: &Architecture, family: &WeightFamily, seed: u64, device: Device) -> Result<Self> {
        let learning: BTreeMap<String, bool> =
            layout(architecture, family)?.into_iter().map(|entry| (entry.name, entry.role.learns())).collect();
        let mut parameters = Parameters(BTreeMap::new());
        for (name, tensor) in weights::draw(architecture, family, seed)? {
            let learns = learning[&name];
            parameters.add(name, &tensor, learns, device);
        }
        Ok(parameters)
    }

    /// Those of a file that was read strictly: for reading features, none learns.
    pub fn of(tensors: &BTreeMap<String, weights::Tensor>, device: Device) -> Self {
        let mut parameters = Parameters(BTreeMap::new());
        for (name, tensor) in tensors {
            parameters.add(name.clone(), tensor, false, device);
        }
        parameters
    }

    /// Adds a tensor drawn from a normal distribution.
    pub fn add_normal(&mut self, name: &str, shape: Vec<usize>, deviation: f64, seed: u64, device: Device) {
        let count = shape.iter().product();
        let values = weights::normals(seed, u64::MAX >> 24, count, deviation);
        self.add(name.to_owned(), &weights::Tensor { shape, values }, true, device);
    }

    pub fn add_zeros(&mut self, name: &str, shape: Vec<usize>, device: Device) {
        let values = vec![0.0; shape.iter().product()];
        self.add(name.to_owned(), &weights::Tensor { shape, values }, true, device);
    }

    /// Adds one number that does not learn but runs along.
    pub fn add_running(&mut self, name: &str, value: f32, device: Device) {
        self.add(name.to_owned(), &weights::Tensor { shape: vec![1], values: vec![value] }, false, device);
    }

    fn add(&mut self, name: String, tensor: &weights::Tensor, learns: bool, device: Device) {
        self.0.insert(name, on(tensor, device).set_requires_grad(learns));
    }

    /// A tensor that shares its numbers with the one kept here.
    pub fn get(&self, name: &str) -> Tensor {
        self.0[name].shallow_clone()
    }

    pub fn learning(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().filter(|(_, tensor)| tensor.requires_grad()).map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Gives every tensor the numbers of the one of its name.
    pub fn take(&mut self, tensors: &BTreeMap<String, weights::Tensor>, device: Device) {
        tch::no_grad(|| {
            for (name, parameter) in &mut self.0 {
                if let Some(tensor) = tensors.get(name) {
                    parameter.copy_(&on(tensor, device));
                }
            }
        });
    }

    /// Copies of what does not learn: running means and variances.
    pub fn running(&self) -> Vec<Tensor> {
        self.0.values().filter(|tensor| !tensor.requires_grad()).map(Tensor::copy).collect()
    }

    pub fn set_running(&mut self, running: &[Tensor]) {
        tch::no_grad(|| {
            for (tensor, before) in self.0.values_mut().filter(|tensor| !tensor.requires_grad()).zip(running) {
                tensor.copy_(before);
            }
        });
    }

    /// Their numbers.
    pub fn values(&self) -> BTreeMap<String, weights::Tensor> {
        self.0.iter().map(|(name, tensor)| (name.clone(), off(tensor))).collect()
    }
}

pub fn on(tensor: &weights::Tensor, device: Device) -> Tensor {
    let shape: Vec<i64> = tensor.shape.iter().map(|side| *side as i64).collect();
    Tensor::from_slice(&tensor.values).reshape(shape).to_device(device)
}

pub fn off(tensor: &Tensor) -> weights::Tensor {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous().flatten(0, -1);
    let values = Vec::<f32>::try_from(&flat).expect("a flat tensor of single precision on the processor");
    weights::Tensor { shape: tensor.size().iter().map(|side| *side as usize).collect(), values }
}
