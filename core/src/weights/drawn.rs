//! Weights before any training: drawn from a seed.

use super::{
    file::Tensor,
    layout::{Role, TensorEntry, layout},
};
use crate::{
    domain::{
        Result,
        model::{Architecture, WeightFamily},
    },
    numeric::{PhiloxStream, Purpose},
};
use std::collections::BTreeMap;

/// The tensors of a network, by their family's names: the same bits from a seed everywhere. Convolutions as He et al. (ICCV 2015), fan
/// out, as torchvision; linear layers normal with σ = 1/√fan in; what normalises changes nothing.
///
/// # Errors
/// An architecture that is not in the register.
pub fn draw(architecture: &Architecture, family: &WeightFamily, seed: u64) -> Result<BTreeMap<String, Tensor>> {
    let drawn = |(place, TensorEntry { name, shape, role }): (usize, TensorEntry)| {
        let count = shape.iter().product();
        let values = match role {
            Role::Convolution => {
                let fan_out = (shape[0] * shape[2] * shape[3]) as f64;
                normals(seed, place as u64, count, (2.0 / fan_out).sqrt())
            }
            Role::Linear => normals(seed, place as u64, count, (1.0 / shape[1] as f64).sqrt()),
            Role::Scale | Role::RunningVariance => vec![1.0; count],
            // PyTorch's.
            Role::Slope => vec![0.25; count],
            Role::Bias | Role::Shift | Role::RunningMean => vec![0.0; count],
        };
        (name, Tensor { shape, values })
    };
    Ok(layout(architecture, family)?.into_iter().enumerate().map(drawn).collect())
}

/// Numbers from a normal distribution around 0: the first of the sequence of this seed and place.
pub fn normals(seed: u64, place: u64, count: usize, deviation: f64) -> Vec<f32> {
    let mut stream = PhiloxStream::new(seed, Purpose::FirstWeights, place);
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        values.extend(stream.normals(deviation).map(|value| value as f32));
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tensor_of_the_layout_is_drawn_and_another_seed_draws_others() {
        let architecture = Architecture { word: "irse50".into(), width: 0.125 };
        let family = WeightFamily::of("treb1en");
        let drawn = draw(&architecture, &family, 1).unwrap();
        for TensorEntry { name, shape, .. } in layout(&architecture, &family).unwrap() {
            let tensor = &drawn[&name];
            assert_eq!((&tensor.shape, tensor.values.len()), (&shape, shape.iter().product()), "{name}");
        }
        let values = |seed: u64| draw(&architecture, &family, seed).unwrap()["input_layer.0.weight"].values.clone();
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
    }
}
