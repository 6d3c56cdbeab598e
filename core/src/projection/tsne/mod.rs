//! t-SNE (van der Maaten and Hinton 2008), as openTSNE sets it up (Poličar et al. 2019; Belkina et al. 2019; Kobak and Berens
//! 2019): a PCA start of standard deviation 1e-4, 250 steps at exaggeration 12, then 500; momentum .8; the rate is N over the
//! exaggeration; 3 × perplexity neighbours. The repulsion is exact for few images, interpolated on a grid for many.

mod affinities;
mod place;
mod repulsion;

use super::{
    Placement, Projected, ProjectionInput, Projector,
    fitted::FittedRows,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    start,
};
use crate::{
    domain::{Fault, Result},
    numeric::{neighbours::NeighbourMetric, sum},
};
use affinities::Affinities;
use repulsion::Repulsion;

/// Phases: steps, exaggeration.
const PHASES: [(usize, f64); 2] = [(250, 12.0), (500, 1.0)];
const MOMENTUM: f64 = 0.8;
/// Gains grow by .2 where a step turns around, and shrink by a fifth where it does not (Jacobs 1988).
const MIN_GAIN: f64 = 0.01;
/// No point moves farther in one step.
const MAX_STEP: f64 = 5.0;
/// Iterations between two reports of the objective.
const TELL: usize = 50;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "tsne",
    title: "t-SNE",
    about: "Similarities of three times as many exact neighbours as the perplexity; a start from the principal axes; steps, exaggeration and rate as openTSNE (Belkina et al.; Kobak and Berens). With few images every pair repels; with many a grid approximates the far ones (Linderman et al.). KL is the divergence between the similarities of features and map. Distances between clusters mean little.",
    version: 2,
    parameters: &[
        ParameterSpec {
            name: "perplexity",
            kind: ParameterKind::Number { default: 30.0, least: 1.0, most: 10_000.0 },
            added_later: false,
            variation: Variation::HalfAndTwice("perplexity {}"),
        },
        ParameterSpec::METRIC,
    ],
    supervised: false,
    seeds: Some(5),
    build: |of| Ok(Box::new(Tsne::new(of.number("perplexity")?, of.metric("metric")?)?)),
};

struct Tsne {
    perplexity: f64,
    metric: NeighbourMetric,
}

impl Tsne {
    fn new(perplexity: f64, metric: NeighbourMetric) -> Result<Self> {
        if perplexity.is_finite() && perplexity >= 1.0 {
            return Ok(Tsne { perplexity, metric });
        }
        Err(Fault::asked(format!("t-SNE takes a perplexity of 1 or more, not {perplexity}")))
    }

    fn neighbours(&self) -> usize {
        (3.0 * self.perplexity) as usize
    }
}

impl Projector for Tsne {
    /// N × 2. Facts: `kl`, the Kullback–Leibler divergence of the map's similarities from the features'.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let (n, k) = (given.features.rows(), self.neighbours());
        if n < k + 2 {
            return Err(Fault::asked(format!("t-SNE with perplexity {} needs {} images, there are {n}", self.perplexity, k + 2))
                .next(format!("lower the perplexity to {} or less", (n.saturating_sub(2)) / 3)));
        }
        let mut map = MapState::start(start::principal_start(given.features, 1e-4, given.seed)?);
        let affinities = Affinities::new(&given.neighbours(k, self.metric)?, self.perplexity);
        given.watch.go_on()?;
        let mut repulsion = Repulsion::new(n);
        let mut step = 0;
        for (steps, exaggeration) in PHASES {
            for _ in 0..steps {
                given.watch.go_on()?;
                map.descend(&affinities, &mut repulsion, exaggeration);
                step += 1;
                if step % TELL == 0 {
                    given.watch.objective("kl", step, map.divergence(&affinities, &mut repulsion));
                }
            }
        }
        let kl = map.divergence(&affinities, &mut repulsion);
        Ok(Projected { coordinates: start::matrix(&map.points), facts: [("kl".to_owned(), vec![kl])].into() })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let fitted = FittedRows::new(given, self.metric)?;
        Ok(Some(Box::new(place::FittedTsne::new(fitted, self.project(given)?))))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let steps: f64 = PHASES.iter().map(|(steps, _)| *steps as f64).sum();
        let pairs = 2.0 * n * self.neighbours() as f64;
        n * n * d + n * d * d + steps * (30.0 * pairs + Repulsion::operations(n))
    }
}

/// Points, and how they move.
struct MapState {
    points: Vec<[f64; 2]>,
    moves: Vec<[f64; 2]>,
    gains: Vec<[f64; 2]>,
    /// The points as forces see them.
    seen: Vec<[f32; 2]>,
}

impl MapState {
    fn start(points: Vec<[f64; 2]>) -> Self {
        let n = points.len();
        let mut map = MapState { points, moves: vec![[0.0; 2]; n], gains: vec![[1.0; 2]; n], seen: vec![[0.0; 2]; n] };
        map.observe();
        map
    }

    fn observe(&mut self) {
        for (seen, point) in self.seen.iter_mut().zip(&self.points) {
            *seen = point.map(|value| value as f32);
        }
    }

    /// One step down the gradient 4 Σ (p − q) (yᵢ − yⱼ) / (1 + d²); the 4 is part of the rate.
    fn descend(&mut self, affinities: &Affinities, repulsion: &mut Repulsion, exaggeration: f64) {
        crate::numeric::pulse::beat();
        let attraction = affinities.attraction(&self.seen);
        let (total, repelled) = repulsion.of(&self.seen);
        let rate = self.points.len() as f64 / exaggeration;
        for i in 0..self.points.len() {
            for axis in 0..2 {
                let pull = f64::from(attraction[i][axis]) * exaggeration;
                let gradient = pull - f64::from(repelled[i][axis]) / total;
                let (step, gain) = (&mut self.moves[i][axis], &mut self.gains[i][axis]);
                *gain = if sign(*step) == sign(gradient) { *gain * 0.8 + MIN_GAIN } else { *gain + 0.2 };
                *step = MOMENTUM * *step - rate * *gain * gradient;
            }
            let length = (self.moves[i][0].powi(2) + self.moves[i][1].powi(2)).sqrt();
            if length > MAX_STEP {
                self.moves[i] = self.moves[i].map(|step| step / length * MAX_STEP);
            }
            self.points[i] = [self.points[i][0] + self.moves[i][0], self.points[i][1] + self.moves[i][1]];
        }
        start::centre(&mut self.points);
        self.observe();
    }

    /// Σ p ln (p / q).
    fn divergence(&self, affinities: &Affinities, repulsion: &mut Repulsion) -> f64 {
        let (total, _) = repulsion.of(&self.seen);
        affinities.entropy() - sum::sum(&affinities.closeness(&self.seen)) + libm::log(total)
    }
}

/// −1, 0 or 1.
fn sign(value: f64) -> i8 {
    i8::from(value > 0.0) - i8::from(value < 0.0)
}
