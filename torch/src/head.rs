//! Losses: embeddings and classes → one number to make smaller.
//!
//! With margins, embeddings and class weights are of length 1 and a logit is s times the cosine of the angle θ between them;
//! that of the right class is made harder.

use crate::parameters::Parameters;
use tch::{Device, Kind, Reduction, Tensor};
use visavis_core::domain::{Fault, Result, loss::Loss};

pub(crate) struct LossHead {
    weight: Tensor,
    bias: Option<Tensor>,
    margin: Option<Margin>,
}

/// What is done to the logit of the right class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Margin {
    pub scale: f64,
    pub penalty: Penalty,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Penalty {
    /// cos θ: NormFace (Wang et al., MM 2017).
    None,
    /// cos(θ + m): ArcFace (Deng et al., CVPR 2019), in its first form: cos θ cos m − sin θ sin m, and where θ + m would pass
    /// π, cos θ − m sin m, which goes on falling.
    Angle(f64),
    /// cos θ − m: CosFace (Wang et al., CVPR 2018).
    Cosine(f64),
}

pub(crate) const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

impl Margin {
    /// The margin a loss names; `None` for plain softmax.
    ///
    /// # Errors
    /// A loss that is not built here.
    pub(crate) fn of(loss: &Loss) -> Result<Option<Self>> {
        let number = |name: &str| loss.parameters.get(name).copied().unwrap_or_default();
        let penalty = match loss.word.as_str() {
            "softmax" => return Ok(None),
            "normface" => Penalty::None,
            "arcface" => Penalty::Angle(number("m")),
            "cosface" => Penalty::Cosine(number("m")),
            other => return Err(Fault::missing(format!("the loss {other} is not built here"))),
        };
        Ok(Some(Margin { scale: number("s"), penalty }))
    }
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
        let margin = Margin::of(loss)?;
        // σ = .01, as arcface_torch draws it.
        parameters.add_normal(WEIGHT, vec![classes, width], 0.01, seed, device);
        if margin.is_none() {
            parameters.add_zeros(BIAS, vec![classes], device);
        }
        let bias = margin.is_none().then(|| parameters.get(BIAS));
        Ok(LossHead { weight: parameters.get(WEIGHT), bias, margin })
    }

    /// N × width, N → the mean loss, and how many were right.
    pub(crate) fn loss(&self, embeddings: &Tensor, classes: &Tensor) -> (Tensor, Tensor) {
        let embeddings = embeddings.to_kind(Kind::Float);
        let (plain, logits) = logits(&embeddings, &self.weight, self.bias.as_ref(), self.margin, classes);
        let right = plain.argmax(1, false).eq_tensor(classes).sum(Kind::Float);
        (logits.cross_entropy_loss(classes, None::<Tensor>, Reduction::Mean, -100, 0.0), right)
    }
}

/// Logits without and with the margin.
pub(crate) fn logits(
    embeddings: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    margin: Option<Margin>,
    classes: &Tensor,
) -> (Tensor, Tensor) {
    let Some(Margin { scale, penalty }) = margin else {
        let logits = embeddings.linear(weight, bias);
        return (logits.shallow_clone(), logits);
    };
    let cosine = unit(embeddings).linear(&unit(weight), None::<&Tensor>);
    let right = cosine.gather(1, &classes.unsqueeze(1), false);
    let harder = match penalty {
        Penalty::None => right.shallow_clone(),
        Penalty::Cosine(m) => &right - m,
        Penalty::Angle(m) => {
            // The square root's slope at 0 is no number.
            let sine = (right.square().neg() + 1.0).clamp_min(LEAST_SQUARED_SINE).sqrt();
            let turned = &right * libm::cos(m) - sine * libm::sin(m);
            turned.where_self(&right.gt(-libm::cos(m)), &(&right - m * libm::sin(m)))
        }
    };
    let change = harder - right;
    let with_margin = &cosine + cosine.zeros_like().scatter(1, &classes.unsqueeze(1), &change);
    (cosine * scale, with_margin * scale)
}

/// Below what θ = 1e-4 has.
const LEAST_SQUARED_SINE: f64 = 1e-9;

/// Rows of length 1.
fn unit(x: &Tensor) -> Tensor {
    x / x.norm_scalaropt_dim(2.0, &[1i64][..], true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ArcFace by its own words, in double precision: the mean of −ln softmax over s·cos θ, that of the right class at
    /// cos(θ + m), or past π at cos θ − m sin m.
    fn by_the_words(embeddings: &[Vec<f64>], weights: &[Vec<f64>], classes: &[usize], margin: Option<Margin>) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let one = |(embedding, &class): (&Vec<f64>, &usize)| {
            let logit = |(place, weight): (usize, &Vec<f64>)| match margin {
                None => dot(embedding, weight),
                Some(Margin { scale, penalty }) => {
                    let cosine = dot(embedding, weight) / (dot(embedding, embedding) * dot(weight, weight)).sqrt();
                    let angle = cosine.acos();
                    scale
                        * match penalty {
                            Penalty::Angle(m) if place == class && angle + m < std::f64::consts::PI => (angle + m).cos(),
                            Penalty::Angle(m) if place == class => cosine - m * m.sin(),
                            Penalty::Cosine(m) if place == class => cosine - m,
                            _ => cosine,
                        }
                }
            };
            let logits: Vec<f64> = weights.iter().enumerate().map(logit).collect();
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln() - logits[class]
        };
        embeddings.iter().zip(classes).map(one).sum::<f64>() / classes.len() as f64
    }

    fn tensor(rows: &[Vec<f64>], kind: Kind) -> Tensor {
        let flat: Vec<f64> = rows.concat();
        Tensor::from_slice(&flat).reshape([rows.len() as i64, -1]).to_kind(kind).set_requires_grad(true)
    }

    fn loss(embeddings: &Tensor, weights: &Tensor, classes: &[usize], margin: Option<Margin>) -> Tensor {
        let classes = Tensor::from_slice(&classes.iter().map(|class| *class as i64).collect::<Vec<_>>());
        let (_, logits) = logits(embeddings, weights, None, margin, &classes);
        logits.cross_entropy_loss(&classes, None::<Tensor>, Reduction::Mean, -100, 0.0)
    }

    /// Two-dimensional embeddings at these angles from the weights of their classes, and other classes around.
    fn at_angles(angles: &[f64]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>, Vec<usize>) {
        let weights: Vec<Vec<f64>> = [0.3, 1.7, 4.0].iter().map(|turn: &f64| vec![1.3 * turn.cos(), 1.3 * turn.sin()]).collect();
        let embedding = |(place, angle): (usize, &f64)| {
            let turn = [0.3, 1.7, 4.0][place % 3] + angle;
            vec![2.0 * turn.cos(), 2.0 * turn.sin()]
        };
        let embeddings = angles.iter().enumerate().map(embedding).collect();
        (embeddings, weights, (0..angles.len()).map(|place| place % 3).collect())
    }

    #[test]
    fn losses_and_their_slopes_are_those_of_the_words() {
        let pi = std::f64::consts::PI;
        // From nearly along to nearly against; −cos m, where the two forms meet, is left out: there is no slope there.
        let angles = [1e-4, 1e-3, 0.01, 0.3, 1.0, pi / 2.0, 2.0, 2.5, 2.8, 3.0, pi - 0.01, pi - 1e-4];
        let margins = [
            None,
            Some(Margin { scale: 64.0, penalty: Penalty::None }),
            Some(Margin { scale: 64.0, penalty: Penalty::Angle(0.5) }),
            Some(Margin { scale: 16.0, penalty: Penalty::Angle(0.2) }),
            Some(Margin { scale: 64.0, penalty: Penalty::Cosine(0.35) }),
        ];
        for margin in margins {
            for angle in angles {
                let (embeddings, weights, classes) = at_angles(&[angle, 0.5, 1.2]);
                let wanted = by_the_words(&embeddings, &weights, &classes, margin);
                let (x, w) = (tensor(&embeddings, Kind::Double), tensor(&weights, Kind::Double));
                let double = loss(&x, &w, &classes, margin);
                let found = double.double_value(&[]);
                assert!((found - wanted).abs() < 1e-8 * wanted.abs().max(1.0), "{margin:?} at {angle}: {found}, not {wanted}");
                let single = loss(&tensor(&embeddings, Kind::Float), &tensor(&weights, Kind::Float), &classes, margin);
                let (single, room) = (single.double_value(&[]), 2e-5 * wanted.abs().max(1.0) / angle.sin().clamp(1e-3, 1.0));
                assert!((single - wanted).abs() < room, "{margin:?} at {angle} in single precision: {single}, not {wanted}");

                double.backward();
                for (of, gradient, is_embedding) in [(&embeddings, x.grad(), true), (&weights, w.grad(), false)] {
                    for row in 0..of.len() {
                        for column in 0..2 {
                            let step = 1e-7;
                            let moved = |by: f64| {
                                let mut moved = of.clone();
                                moved[row][column] += by;
                                let (e, w) = if is_embedding { (&moved, &weights) } else { (&embeddings, &moved) };
                                by_the_words(e, w, &classes, margin)
                            };
                            let slope = (moved(step) - moved(-step)) / (2.0 * step);
                            let found = gradient.double_value(&[row as i64, column as i64]);
                            // acos itself is of little use near its ends, and so is what is held against.
                            let room = 1e-5 * slope.abs().max(1.0) / angle.sin().clamp(1e-4, 1.0).powi(2).max(1e-3);
                            assert!((found - slope).abs() < room, "{margin:?} at {angle}: slope {found}, not {slope}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn an_embedding_along_its_weight_has_a_slope() {
        let margin = Some(Margin { scale: 64.0, penalty: Penalty::Angle(0.5) });
        let (x, w) = (tensor(&[vec![1.0, 0.0]], Kind::Float), tensor(&[vec![2.0, 0.0], vec![0.0, 1.0]], Kind::Float));
        loss(&x, &w, &[0], margin).backward();
        assert!(Vec::<f32>::try_from(&x.grad().flatten(0, -1)).unwrap().iter().all(|value| value.is_finite()));
    }
}
