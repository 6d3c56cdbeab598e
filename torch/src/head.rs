//! Losses: embeddings and classes → one number to make smaller.

use crate::{
    margin::{Margin, Penalty},
    parameters::Parameters,
};
use tch::{Device, Kind, Reduction, Tensor};
use visavis_core::domain::{Fault, Result, loss::Loss};

/// A loss with what it learns.
pub(crate) enum LossHead {
    /// A linear layer.
    Linear { weight: Tensor, bias: Tensor },
    /// Weights of classes, as directions.
    Margin { weight: Tensor, margin: Margin },
}

const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

/// The margin that a loss names; `None` for a loss without.
fn margin(loss: &Loss) -> Option<Margin> {
    let number = |name: &str| loss.parameters.get(name).copied().unwrap_or_default();
    let penalty = match loss.word.as_str() {
        "normface" => Penalty::None,
        "arcface" => Penalty::Angle(number("m")),
        "cosface" => Penalty::Cosine(number("m")),
        "combined" => Penalty::Combined { times: number("m1"), plus: number("m2"), minus: number("m3") },
        "sphereface" => Penalty::Combined { times: number("m"), plus: 0.0, minus: 0.0 },
        _ => return None,
    };
    Some(Margin { scale: number("s"), penalty })
}

impl LossHead {
    /// # Errors
    /// A loss that is not built here.
    pub(crate) fn new(
        loss: &Loss,
        parameters: &mut Parameters,
        width: usize,
        classes: usize,
        seed: u64,
        device: Device,
    ) -> Result<Self> {
        // σ = .01, as arcface_torch draws it.
        let mut weight = |parameters: &mut Parameters| {
            parameters.add_normal(WEIGHT, vec![classes, width], 0.01, seed, device);
            parameters.get(WEIGHT)
        };
        if let Some(margin) = margin(loss) {
            return Ok(LossHead::Margin { weight: weight(parameters), margin });
        }
        match loss.word.as_str() {
            "softmax" => {
                let weight = weight(parameters);
                parameters.add_zeros(BIAS, vec![classes], device);
                Ok(LossHead::Linear { weight, bias: parameters.get(BIAS) })
            }
            other => Err(Fault::missing(format!("the loss {other} is not built here"))),
        }
    }

    /// N × width, N → the mean loss, and how many were right.
    pub(crate) fn loss(&self, embeddings: &Tensor, classes: &Tensor) -> (Tensor, Tensor) {
        let embeddings = embeddings.to_kind(Kind::Float);
        let (plain, logits) = match self {
            LossHead::Linear { weight, bias } => {
                let logits = embeddings.linear(weight, Some(bias));
                (logits.shallow_clone(), logits)
            }
            LossHead::Margin { weight, margin } => margin.logits(&embeddings, weight, classes),
        };
        let right = plain.argmax(1, false).eq_tensor(classes).sum(Kind::Float);
        (logits.cross_entropy_loss(classes, None::<Tensor>, Reduction::Mean, -100, 0.0), right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of −ln softmax of a linear layer, and its slope (softmax − 1 at the right class) · x / N, in double precision.
    #[test]
    fn softmax_and_its_slope_agree_with_their_definition() {
        let (x, w, b) = ([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], [[0.3, 0.7], [-1.1, 0.4]], [0.2, -0.1]);
        let classes = [0_usize, 1, 1];
        let (mut wanted, mut slope) = (0.0, [[0.0; 2]; 2]);
        for (x, &class) in x.iter().zip(&classes) {
            let logits: [f64; 2] = std::array::from_fn(|k| w[k][0] * x[0] + w[k][1] * x[1] + b[k]);
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            wanted -= (logits[class].exp() / sum).ln() / 3.0;
            for k in 0..2 {
                for column in 0..2 {
                    slope[k][column] += (logits[k].exp() / sum - f64::from(u8::from(k == class))) * x[column] / 3.0;
                }
            }
        }
        let tensor = |rows: &[f64], shape: &[i64]| Tensor::from_slice(rows).to_kind(Kind::Float).reshape(shape);
        let weight = tensor(&w.concat(), &[2, 2]).set_requires_grad(true);
        let head = LossHead::Linear { weight: weight.shallow_clone(), bias: tensor(&b, &[2]) };
        let (loss, right) = head.loss(&tensor(&x.concat(), &[3, 2]), &Tensor::from_slice(&[0i64, 1, 1]));
        assert!((loss.double_value(&[]) - wanted).abs() < 1e-6, "{} {wanted}", loss.double_value(&[]));
        assert_eq!(right.double_value(&[]), 2.0, "the second is taken for the first class");
        loss.backward();
        for (k, row) in slope.iter().enumerate() {
            for (column, wanted) in row.iter().enumerate() {
                let found = weight.grad().double_value(&[k as i64, column as i64]);
                assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
            }
        }
    }
}
