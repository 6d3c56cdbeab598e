//! Losses: embeddings and classes → one number to make smaller.

use crate::{
    margin::{Margin, Penalty},
    norms::NormStatistics,
    optimizer::Rows,
    parameters::Parameters,
    partial::ClassSample,
    triplet,
};
use tch::{Device, Kind, Reduction, Tensor};
use visavis_core::domain::{Fault, Result, loss::Loss, study::Recipe};

/// A loss with what it learns.
pub(crate) struct LossHead {
    rule: LossRule,
    /// ε of label smoothing.
    smoothing: f64,
    sample: Option<ClassSample>,
    /// The classes that the present step looks at, where they are not all.
    looked_at: Option<LookedAt>,
}

enum LossRule {
    /// A linear layer.
    Linear { weight: Tensor, bias: Tensor },
    /// Weights of classes, as directions.
    Margin { weight: Tensor, margin: Margin, norms: Option<NormStatistics> },
    /// Pictures are compared with each other: there is nothing to learn.
    Triplet { margin: f64 },
}

struct LookedAt {
    rows: Tensor,
    /// By class: its place among the rows; −1 for a class that is not looked at.
    places: Tensor,
}

const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

/// What is drawn at the start: classes, the seed.
pub(crate) struct HeadShape {
    pub width: usize,
    pub classes: usize,
    pub seed: u64,
    pub device: Device,
}

impl LossRule {
    fn new(loss: &Loss, parameters: &mut Parameters, shape: &HeadShape) -> Result<Self> {
        let &HeadShape { width, classes, seed, device } = shape;
        let number = |name: &str| loss.parameters.get(name).copied().unwrap_or_default();
        // σ = .01, as arcface_torch draws it.
        let weight = |parameters: &mut Parameters, shape: Vec<usize>| {
            parameters.add_normal(WEIGHT, shape, 0.01, seed, device);
            parameters.get(WEIGHT)
        };
        let (penalty, centres) = match loss.word.as_str() {
            "softmax" => {
                let weight = weight(parameters, vec![classes, width]);
                parameters.add_zeros(BIAS, vec![classes], device);
                return Ok(LossRule::Linear { weight, bias: parameters.get(BIAS) });
            }
            "triplet" => return Ok(LossRule::Triplet { margin: number("margin") }),
            "normface" => (Penalty::None, 1),
            "arcface" => (Penalty::Angle(number("m")), 1),
            "cosface" => (Penalty::Cosine(number("m")), 1),
            "combined" => (Penalty::Combined { times: number("m1"), plus: number("m2"), minus: number("m3") }, 1),
            "sphereface" => (Penalty::Combined { times: number("m"), plus: 0.0, minus: 0.0 }, 1),
            "subcentre" => (Penalty::Angle(number("m")), number("k") as usize),
            "adaface" => (Penalty::Adaptive(number("m")), 1),
            other => return Err(Fault::missing(format!("the loss {other} is not built here"))),
        };
        let shape = if centres > 1 { vec![classes, centres, width] } else { vec![classes, width] };
        let weight = weight(parameters, shape);
        let adapts = matches!(penalty, Penalty::Adaptive(_));
        let norms = adapts.then(|| NormStatistics::new(parameters, number("h"), device));
        Ok(LossRule::Margin { weight, margin: Margin { scale: number("s"), penalty }, norms })
    }
}

impl LossHead {
    /// # Errors
    /// A loss that is not built here.
    pub(crate) fn new(loss: &Loss, recipe: &Recipe, parameters: &mut Parameters, shape: &HeadShape) -> Result<Self> {
        let rule = LossRule::new(loss, parameters, shape)?;
        let sample = match rule {
            LossRule::Triplet { .. } => None,
            LossRule::Linear { .. } | LossRule::Margin { .. } => ClassSample::of(shape.classes, recipe.partial_fc, shape.seed),
        };
        Ok(LossHead { rule, smoothing: recipe.label_smoothing, sample, looked_at: None })
    }

    /// Does it need all pictures of a batch at once?
    pub(crate) fn compares_pictures(&self) -> bool {
        matches!(self.rule, LossRule::Triplet { .. })
    }

    /// Classes that a step looks at, where they are not all.
    pub(crate) fn classes_at_a_time(&self) -> Option<usize> {
        self.sample.as_ref().map(ClassSample::count)
    }

    /// A step begins, with pictures of these classes, which are N and on the processor.
    pub(crate) fn begin(&mut self, step: usize, classes: &Tensor, device: Device) {
        let Some(sample) = &self.sample else { return };
        let present = Vec::<i64>::try_from(classes).expect("classes are whole numbers on the processor");
        let rows = sample.drawn(step, &present);
        let mut places = vec![-1i64; sample.classes()];
        rows.iter().zip(0..).for_each(|(class, place)| places[*class as usize] = place);
        let on_device = |numbers: &[i64]| Tensor::from_slice(numbers).to_device(device);
        self.looked_at = Some(LookedAt { rows: on_device(&rows), places: on_device(&places) });
    }

    /// The rows of its weights that the present step looks at, where they are not all.
    pub(crate) fn rows(&self) -> Option<Rows<'_>> {
        self.looked_at.as_ref().map(|LookedAt { rows, .. }| Rows { names: &[WEIGHT, BIAS], rows })
    }

    /// N × width, N → the mean loss, and how many were right.
    pub(crate) fn loss(&mut self, embeddings: &Tensor, classes: &Tensor) -> (Tensor, Tensor) {
        let embeddings = embeddings.to_kind(Kind::Float);
        let looked_at = self.looked_at.as_ref();
        let some = |of: &Tensor| looked_at.map_or_else(|| of.shallow_clone(), |LookedAt { rows, .. }| of.index_select(0, rows));
        let classes =
            &looked_at.map_or_else(|| classes.shallow_clone(), |LookedAt { places, .. }| places.index_select(0, classes));
        let (plain, logits) = match &mut self.rule {
            LossRule::Triplet { margin } => return triplet::batch_hard(&embeddings, classes, *margin),
            LossRule::Linear { weight, bias } => {
                let logits = embeddings.linear(&some(weight), Some(&some(bias)));
                (logits.shallow_clone(), logits)
            }
            LossRule::Margin { weight, margin, norms } => {
                let strength = norms.as_mut().map(|norms| norms.strength(&embeddings));
                margin.logits(&embeddings, &some(weight), classes, strength.as_ref())
            }
        };
        let right = plain.argmax(1, false).eq_tensor(classes).sum(Kind::Float);
        (logits.cross_entropy_loss(classes, None::<Tensor>, Reduction::Mean, -100, self.smoothing), right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis_core::domain::loss::LOSSES;

    fn head(rule: LossRule, smoothing: f64) -> LossHead {
        LossHead { rule, smoothing, sample: None, looked_at: None }
    }

    fn made(loss: &Loss, recipe: &Recipe, classes: usize) -> (Parameters, LossHead) {
        let mut parameters = Parameters::of(&std::collections::BTreeMap::new(), Device::Cpu);
        let shape = HeadShape { width: 4, classes, seed: 1, device: Device::Cpu };
        let head = LossHead::new(loss, recipe, &mut parameters, &shape).unwrap();
        (parameters, head)
    }

    fn pictures() -> Tensor {
        let rows = Tensor::from_slice(&[1f32, 2., 3., -4., 2., 0., 1., 1., -1., 3., 0., 2., 1., 1., 5., 1.]).reshape([4, 4]);
        rows.set_requires_grad(true)
    }

    #[test]
    fn softmax_and_its_slope_agree_with_their_definition() {
        softmax_agrees(0.0);
    }

    #[test]
    fn label_smoothing_and_its_slope_agree_with_their_definition() {
        softmax_agrees(0.1);
    }

    /// The mean of −ln softmax of a linear layer, and its slope (softmax − target) · x / N, in double precision. A target is 1 at the
    /// right class and 0 at others, less ε of it, which all classes share.
    fn softmax_agrees(smoothing: f64) {
        let (x, w, b) = ([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], [[0.3, 0.7], [-1.1, 0.4]], [0.2, -0.1]);
        let classes = [0_usize, 1, 1];
        let (mut wanted, mut slope) = (0.0, [[0.0; 2]; 2]);
        for (x, &class) in x.iter().zip(&classes) {
            let logits: [f64; 2] = std::array::from_fn(|k| w[k][0] * x[0] + w[k][1] * x[1] + b[k]);
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            for k in 0..2 {
                let target = (1.0 - smoothing) * f64::from(u8::from(k == class)) + smoothing / 2.0;
                wanted -= target * (logits[k].exp() / sum).ln() / 3.0;
                for column in 0..2 {
                    slope[k][column] += (logits[k].exp() / sum - target) * x[column] / 3.0;
                }
            }
        }
        let tensor = |rows: &[f64], shape: &[i64]| Tensor::from_slice(rows).to_kind(Kind::Float).reshape(shape);
        let weight = tensor(&w.concat(), &[2, 2]).set_requires_grad(true);
        let mut head = head(LossRule::Linear { weight: weight.shallow_clone(), bias: tensor(&b, &[2]) }, smoothing);
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

    /// Every row of the register can be trained: its loss is a number, and something learns from it.
    #[test]
    fn every_loss_of_the_register_is_built() {
        for of in &LOSSES {
            let (_parameters, mut head) = made(&of.usual(), &Recipe::default(), 3);
            assert_eq!(head.compares_pictures(), of.compares_pictures, "{}", of.word);
            let x = pictures();
            let (loss, _) = head.loss(&x, &Tensor::from_slice(&[0i64, 0, 1, 1]));
            assert!(loss.double_value(&[]) > 0.0, "{}", of.word);
            loss.backward();
            assert!(x.grad().abs().sum(Kind::Double).double_value(&[]) > 0.0, "{}", of.word);
        }
    }

    /// Of many classes some are looked at: the loss is that over these alone, and only their weights have a slope.
    #[test]
    fn partial_fc_is_the_same_loss_over_the_classes_that_are_looked_at() {
        let many = visavis_core::domain::study::PARTIAL_FC_FROM;
        let recipe = Recipe { partial_fc: 0.0002, ..Recipe::default() };
        for word in ["softmax", "arcface", "subcentre"] {
            let loss = visavis_core::domain::loss::LossSpec::of(word).unwrap().usual();
            let (parameters, mut head) = made(&loss, &recipe, many);
            let classes = Tensor::from_slice(&[7i64, 40_000, 7, 49_999]);
            assert_eq!(head.classes_at_a_time(), Some(10));
            head.begin(3, &classes, Device::Cpu);
            let rows = Vec::<i64>::try_from(head.rows().unwrap().rows).unwrap();
            assert!(rows.len() == 10 && [7, 40_000, 49_999].iter().all(|class| rows.contains(class)), "{rows:?}");
            let (found, _) = head.loss(&pictures(), &classes);
            found.backward();
            // The same of a loss with these ten classes only.
            let (few_parameters, mut few) = made(&loss, &Recipe::default(), 10);
            let chosen = parameters.get(WEIGHT).index_select(0, &Tensor::from_slice(&rows));
            tch::no_grad(|| few_parameters.get(WEIGHT).copy_(&chosen));
            let place = |class: i64| rows.iter().position(|row| *row == class).unwrap() as i64;
            let (wanted, _) = few.loss(&pictures(), &Tensor::from_slice(&[7, 40_000, 7, 49_999].map(place)));
            wanted.backward();
            assert_eq!(found.double_value(&[]), wanted.double_value(&[]), "{word}");
            let slope = parameters.get(WEIGHT).grad();
            let of_rows = slope.index_select(0, &Tensor::from_slice(&rows));
            assert_eq!(of_rows, few_parameters.get(WEIGHT).grad(), "{word}");
            assert_eq!(slope.abs().sum(Kind::Double).double_value(&[]), of_rows.abs().sum(Kind::Double).double_value(&[]));
        }
    }
}
