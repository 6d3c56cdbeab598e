//! Losses: embeddings and classes → one number to make smaller.
//!
//! With margins, embeddings and class weights are of length 1 and a logit is s times the cosine of the angle θ between them;
//! that of the right class is made harder.

use crate::parameters::Parameters;
use tch::{Device, Kind, Reduction, Tensor};
use visavis::domain::{Fault, Result, model::Loss};

pub struct Head {
    weight: Tensor,
    bias: Option<Tensor>,
    margin: Option<Margin>,
}

/// What is done to the logit of the right class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    pub scale: f64,
    pub kind: Kindof,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kindof {
    /// cos θ: NormFace (Wang et al., MM 2017).
    None,
    /// cos(θ + m): ArcFace (Deng et al., CVPR 2019), in its first form: cos θ cos m − sin θ sin m, and where θ + m would pass
    /// π, cos θ − m sin m, which goes on falling.
    Angle(f64),
    /// cos θ − m: CosFace (Wang et al., CVPR 2018).
    Cosine(f64),
}

pub const WEIGHT: &str = "head.weight";
const BIAS: &str = "head.bias";

impl Margin {
    /// The margin a loss names; `None` for plain softmax.
    ///
    /// # Errors
    /// A loss that is not built here.
    pub fn of(loss: &Loss) -> Result<Option<Self>> {
        let number = |name: &str| loss.parameters.get(name).copied().unwrap_or_default();
        let kind = match loss.word.as_str() {
            "softmax" => return Ok(None),
            "normface" => Kindof::None,
            "arcface" => Kindof::Angle(number("m")),
            "cosface" => Kindof::Cosine(number("m")),
            other => return Err(Fault::missing(format!("the loss {other} is not built here"))),
        };
        Ok(Some(Margin { scale: number("s"), kind }))
    }
}

impl Head {
    /// # Errors
    /// A loss that is not built here.
    pub fn new(
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
        Ok(Head { weight: parameters.get(WEIGHT), bias, margin })
    }

    /// N × width, N → the mean loss, and how many were right.
    pub fn loss(&self, embeddings: &Tensor, classes: &Tensor) -> (Tensor, Tensor) {
        let embeddings = embeddings.to_kind(Kind::Float);
        let (plain, logits) = logits(&embeddings, &self.weight, self.bias.as_ref(), self.margin, classes);
        let right = plain.argmax(1, false).eq_tensor(classes).sum(Kind::Float);
        (logits.cross_entropy_loss(classes, None::<Tensor>, Reduction::Mean, -100, 0.0), right)
    }
}

/// Logits without and with the margin.
pub fn logits(
    embeddings: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    margin: Option<Margin>,
    classes: &Tensor,
) -> (Tensor, Tensor) {
    let Some(Margin { scale, kind }) = margin else {
        let logits = embeddings.linear(weight, bias);
        return (logits.shallow_clone(), logits);
    };
    let cosine = unit(embeddings).linear(&unit(weight), None::<&Tensor>);
    let right = cosine.gather(1, &classes.unsqueeze(1), false);
    let harder = match kind {
        Kindof::None => right.shallow_clone(),
        Kindof::Cosine(m) => &right - m,
        Kindof::Angle(m) => {
            // The square root's slope at 0 is no number.
            let sine = (right.square().neg() + 1.0).clamp_min(LEAST_SQUARED_SINE).sqrt();
            let turned = &right * m.cos() - sine * m.sin();
            turned.where_self(&right.gt(-m.cos()), &(&right - m * m.sin()))
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
