//! Losses with margins: embeddings and class weights have length 1, a logit is s times the cosine of the angle θ between them, and the
//! logit of the right class is made smaller.

use tch::Tensor;

/// A loss with a margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Margin {
    /// s: what cosines are multiplied by.
    pub scale: f64,
    pub penalty: Penalty,
}

/// AdaFace's code keeps cosines within ±(1 − ε), and angles within ε and π − ε.
const ADAPTIVE_ROOM: f64 = 1e-3;

/// What is done to the cosine of the right class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Penalty {
    /// cos θ: NormFace (Wang et al., MM 2017).
    None,
    /// cos(θ + m): ArcFace (Deng et al., CVPR 2019), as cos θ cos m − sin θ sin m; where θ + m would pass π, cos θ − m sin m, which goes
    /// on falling.
    Angle(f64),
    /// cos θ − m: CosFace (Wang et al., CVPR 2018).
    Cosine(f64),
    /// ψ(m₁θ + m₂) − m₃: the combined margin (Deng et al., CVPR 2019); ψ(m₁θ) is SphereFace (Liu et al., CVPR 2017). ψ(φ) is
    /// (−1)ᵏ cos φ − 2k for φ from kπ to (k + 1)π: cos φ up to π, and from there on it goes on falling.
    Combined { times: f64, plus: f64, minus: f64 },
    /// cos(θ − mk) − (m + mk): AdaFace (Kim et al., CVPR 2022), with the strength k of each picture, from −1 to 1.
    Adaptive(f64),
}

impl Margin {
    /// Logits without and with the margin, both N × C.
    ///
    /// `embeddings` N × d; `weight` C × d, or C × K × d: K centres a class, of which the nearest counts (sub-centre ArcFace, Deng et al.,
    /// ECCV 2020); `classes` N; `strength` N × 1, of which AdaFace alone knows.
    pub(crate) fn logits(
        self,
        embeddings: &Tensor,
        weight: &Tensor,
        classes: &Tensor,
        strength: Option<&Tensor>,
    ) -> (Tensor, Tensor) {
        let cosine = cosines(&unit(embeddings), weight);
        let cosine = match self.penalty {
            Penalty::Adaptive(_) => cosine.clamp(ADAPTIVE_ROOM - 1.0, 1.0 - ADAPTIVE_ROOM),
            _ => cosine,
        };
        let right = cosine.gather(1, &classes.unsqueeze(1), false);
        let change = self.penalty.of(&right, strength) - right;
        let with_margin = &cosine + cosine.zeros_like().scatter(1, &classes.unsqueeze(1), &change);
        (cosine * self.scale, with_margin * self.scale)
    }
}

impl Penalty {
    /// What stands for the cosines of right classes.
    fn of(self, right: &Tensor, strength: Option<&Tensor>) -> Tensor {
        match self {
            Penalty::None => right.shallow_clone(),
            Penalty::Cosine(m) => right - m,
            Penalty::Angle(m) => {
                let turned = right * libm::cos(m) - sine(right) * libm::sin(m);
                turned.where_self(&right.gt(-libm::cos(m)), &(right - m * libm::sin(m)))
            }
            Penalty::Combined { times, plus, minus } => {
                // The slope of the arc tangent at the ends is a number; that of the arc cosine is not.
                let angle = sine(right).atan2(right) * times + plus;
                let turns = (&angle / std::f64::consts::PI).floor();
                let sign = turns.remainder(2.0) * -2.0 + 1.0;
                sign * angle.cos() - turns * 2.0 - minus
            }
            Penalty::Adaptive(m) => {
                let of_angle = strength.map_or_else(|| right.zeros_like(), |strength| strength * m);
                let angle = (right.acos() - &of_angle).clamp(ADAPTIVE_ROOM, std::f64::consts::PI - ADAPTIVE_ROOM);
                angle.cos() - (of_angle + m)
            }
        }
    }
}

/// N × C, the greatest of each class where it has several centres.
fn cosines(embeddings: &Tensor, weight: &Tensor) -> Tensor {
    let &[classes, centres, width] = &weight.size()[..] else {
        return embeddings.linear(&unit(weight), None::<&Tensor>);
    };
    let all = embeddings.linear(&unit(&weight.reshape([-1, width])), None::<&Tensor>);
    all.reshape([-1, classes, centres]).max_dim(2, false).0
}

/// Sines of angles from 0 to π. The square root's slope at 0 is no number, so the least sine is above 0.
fn sine(cosine: &Tensor) -> Tensor {
    (cosine.square().neg() + 1.0).clamp_min(LEAST_SQUARED_SINE).sqrt()
}

/// Below what θ = 1e-4 has.
const LEAST_SQUARED_SINE: f64 = 1e-9;

/// Rows of length 1.
pub(crate) fn unit(x: &Tensor) -> Tensor {
    x / x.norm_scalaropt_dim(2.0, &[1i64][..], true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;
    use tch::{Kind, Reduction};

    /// AdaFace's k of the three pictures.
    const STRENGTHS: [f64; 3] = [0.6, -0.4, 1.0];

    /// (−1)ᵏ cos φ − 2k, by its definition.
    fn falling(angle: f64) -> f64 {
        let turns = (angle / PI).floor();
        if turns as i64 % 2 == 0 { angle.cos() - 2.0 * turns } else { -angle.cos() - 2.0 * turns }
    }

    /// A loss by its definition, in double precision: the mean of −ln softmax over s·cos θ, that of the right class with its penalty.
    /// Weights of several centres a class lie one after the other.
    fn by_definition(embeddings: &[Vec<f64>], weights: &[Vec<f64>], classes: &[usize], margin: Margin) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let one = |(picture, (embedding, &class)): (usize, (&Vec<f64>, &usize))| {
            let logit = |(place, centres): (usize, &[Vec<f64>])| {
                let of = |weight: &Vec<f64>| dot(embedding, weight) / (dot(embedding, embedding) * dot(weight, weight)).sqrt();
                let mut cosine = centres.iter().map(of).fold(-1.0, f64::max);
                if let Penalty::Adaptive(_) = margin.penalty {
                    cosine = cosine.clamp(-0.999, 0.999);
                }
                let angle = cosine.acos();
                if place != class {
                    return margin.scale * cosine;
                }
                margin.scale
                    * match margin.penalty {
                        Penalty::None => cosine,
                        Penalty::Angle(m) if angle + m < PI => (angle + m).cos(),
                        Penalty::Angle(m) => cosine - m * m.sin(),
                        Penalty::Cosine(m) => cosine - m,
                        Penalty::Combined { times, plus, minus } => falling(times * angle + plus) - minus,
                        Penalty::Adaptive(m) => {
                            let of_angle = m * STRENGTHS[picture % 3];
                            (angle - of_angle).clamp(1e-3, PI - 1e-3).cos() - m - of_angle
                        }
                    }
            };
            let logits: Vec<f64> = weights.chunks(weights.len() / 3).enumerate().map(logit).collect();
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln() - logits[class]
        };
        embeddings.iter().zip(classes).enumerate().map(one).sum::<f64>() / classes.len() as f64
    }

    fn tensor(rows: &[Vec<f64>], kind: Kind) -> Tensor {
        let flat: Vec<f64> = rows.concat();
        Tensor::from_slice(&flat).reshape([rows.len() as i64, -1]).to_kind(kind).set_requires_grad(true)
    }

    fn loss(embeddings: &Tensor, weights: &Tensor, classes: &[usize], margin: Margin) -> Tensor {
        let strength = Tensor::from_slice(&STRENGTHS[..classes.len()]).unsqueeze(1).to_kind(embeddings.kind());
        let classes = Tensor::from_slice(&classes.iter().map(|class| *class as i64).collect::<Vec<_>>());
        let weights = match weights.size()[0] {
            6 => weights.reshape([3, 2, 2]),
            _ => weights.shallow_clone(),
        };
        let (_, logits) = margin.logits(embeddings, &weights, &classes, Some(&strength));
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

    const TURN: f64 = 1.9;

    fn agrees_with_its_definition(margin: Margin) {
        agrees(margin, 1);
    }

    /// With so many centres a class, the second 1.9 radians from the first: no embedding lies along it, and none between the two.
    fn agrees(margin: Margin, centres: usize) {
        // From nearly along to nearly against; −cos m, where the two forms of ArcFace meet, is left out: there is no slope there.
        for angle in [1e-4, 1e-3, 0.01, 0.3, 1.0, PI / 2.0, 2.0, 2.5, 2.8, 3.0, PI - 0.01, PI - 1e-4] {
            let (embeddings, weights, classes) = at_angles(&[angle, 0.5, 1.2]);
            let turned =
                |w: &[f64]| vec![0.8 * (TURN.cos() * w[0] - TURN.sin() * w[1]), 0.8 * (TURN.sin() * w[0] + TURN.cos() * w[1])];
            let beside = |weight: &Vec<f64>| [weight.clone(), turned(weight)].into_iter().take(centres);
            let weights: Vec<Vec<f64>> = weights.iter().flat_map(beside).collect();
            let wanted = by_definition(&embeddings, &weights, &classes, margin);
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
                            by_definition(e, w, &classes, margin)
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

    const fn margin(scale: f64, penalty: Penalty) -> Margin {
        Margin { scale, penalty }
    }

    #[test]
    fn normface_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(64.0, Penalty::None));
    }

    #[test]
    fn arcface_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(64.0, Penalty::Angle(0.5)));
        agrees_with_its_definition(margin(16.0, Penalty::Angle(0.2)));
    }

    #[test]
    fn cosface_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(64.0, Penalty::Cosine(0.35)));
    }

    #[test]
    fn the_combined_margin_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(64.0, Penalty::Combined { times: 1.0, plus: 0.3, minus: 0.2 }));
        agrees_with_its_definition(margin(16.0, Penalty::Combined { times: 0.9, plus: 0.4, minus: 0.15 }));
    }

    #[test]
    fn sphereface_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(30.0, Penalty::Combined { times: 1.5, plus: 0.0, minus: 0.0 }));
        agrees_with_its_definition(margin(30.0, Penalty::Combined { times: 4.0, plus: 0.0, minus: 0.0 }));
    }

    #[test]
    fn adaface_and_its_slope_agree_with_their_definition() {
        agrees_with_its_definition(margin(64.0, Penalty::Adaptive(0.4)));
    }

    #[test]
    fn sub_centre_arcface_and_its_slope_agree_with_their_definition() {
        agrees(margin(64.0, Penalty::Angle(0.5)), 2);
    }

    #[test]
    fn an_embedding_along_its_weight_has_a_slope() {
        for penalty in [Penalty::Angle(0.5), Penalty::Adaptive(0.4), Penalty::Combined { times: 4.0, plus: 0.1, minus: 0.1 }] {
            for turned in [1.0, -1.0] {
                let (x, w) = (tensor(&[vec![turned, 0.0]], Kind::Float), tensor(&[vec![2.0, 0.0], vec![0.0, 1.0]], Kind::Float));
                loss(&x, &w, &[0], margin(64.0, penalty)).backward();
                let slope = Vec::<f32>::try_from(&x.grad().flatten(0, -1)).unwrap();
                assert!(slope.iter().all(|value| value.is_finite()), "{penalty:?}: {slope:?}");
            }
        }
    }
}
