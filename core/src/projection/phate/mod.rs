//! PHATE (Moon et al. 2019), with the defaults of the authors' package: an affinity e^−(d / ε)⁴⁰ with ε the distance to the fifth nearest, a
//! random walk of t steps, t at the knee of its von Neumann entropy, the distance between logarithms of where walks end, and metric
//! scaling of these to two dimensions. Different: neighbours are exact, and at most twenty times as many as ask for ε; beyond 2,000 images
//! walks go between images drawn at random and the others nearest to each (the package's `random_landmarking`), which takes no k-means;
//! entropy is of eigenvalues (as in the paper) and not of singular values; scaling is SMACOF, not stochastic. linfa has diffusion maps only.

mod entropy;
mod scaling;
mod walk;

use super::{
    Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    scaled::ScaledFeatures,
    start,
};
use crate::{
    domain::{Fault, Result},
    numeric::{
        Matrix,
        special::{exp, ln},
    },
};
use walk::{Affinities, Walk};

/// Neighbours that are looked for, for each that asks for the width.
const SEARCHED: usize = 20;
/// What is added to probabilities before their logarithm is taken.
const TINY: f64 = 1e-7;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "phate",
    title: "PHATE",
    about: "Distances between the logarithms of where random walks from two images end, brought to two dimensions by metric scaling (Moon et al. 2019); the walk’s affinities, its number of steps (the knee of the von Neumann entropy) and the logarithm as the authors’ package. Beyond as many images as landmarks, walks go between landmarks drawn at random, and the others lie between those that they walk to.",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "knn",
            kind: ParameterKind::Count { default: 5, least: 1, most: 500 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec {
            name: "decay",
            kind: ParameterKind::Number { default: 40.0, least: 1.0, most: 1000.0 },
            added_later: false,
            variation: Variation::None,
        },
        // Steps; 0: at the knee of the entropy.
        ParameterSpec {
            name: "t",
            kind: ParameterKind::Count { default: 0, least: 0, most: 1000 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "gamma",
            kind: ParameterKind::Number { default: 1.0, least: -1.0, most: 1.0 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "n_landmark",
            kind: ParameterKind::Count { default: 2000, least: 10, most: 5000 },
            added_later: false,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: Some(5),
    build: |of| {
        Ok(Box::new(Phate::new(
            of.count("knn")?,
            of.number("decay")?,
            of.count("t")?,
            of.number("gamma")?,
            of.count("n_landmark")?,
        )?))
    },
};

struct Phate {
    knn: usize,
    decay: f64,
    /// `None`: at the knee of the entropy.
    steps: Option<usize>,
    gamma: f64,
    landmarks: usize,
}

impl Phate {
    fn new(knn: usize, decay: f64, steps: usize, gamma: f64, landmarks: usize) -> Result<Self> {
        if knn == 0 || landmarks < 10 {
            return Err(Fault::asked("PHATE takes a knn of 1 or more and an n_landmark of 10 or more"));
        }
        if !(decay.is_finite() && decay >= 1.0 && (-1.0..=1.0).contains(&gamma)) {
            return Err(Fault::asked(format!(
                "PHATE takes a decay of 1 or more and a gamma from −1 to 1, not {decay} and {gamma}"
            )));
        }
        Ok(Phate { knn, decay, steps: (steps > 0).then_some(steps), gamma, landmarks })
    }

    /// What a probability counts for.
    fn potential(&self, probability: f64) -> f64 {
        let exponent = (1.0 - self.gamma) / 2.0;
        match () {
            () if self.gamma == 1.0 => -ln(probability + TINY),
            () if self.gamma == -1.0 || probability == 0.0 => probability,
            () => exp(exponent * ln(probability)) / exponent,
        }
    }
}

impl Projector for Phate {
    /// N × 2. Facts: `t`, the steps; `stress`, the root of squared errors of distances over squared distances; `landmarks`, 0 where every
    /// image is one; `components` of the graph; `cut`, the share of images with more neighbours than were looked for.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let n = given.features.rows();
        if n < self.knn + 3 {
            let fault = Fault::asked(format!("PHATE with a knn of {} needs {} images, there are {n}", self.knn, self.knn + 3));
            return Err(if n > 3 { fault.next(format!("lower knn to {} or less", n - 3)) } else { fault.next("add images") });
        }
        let features = ScaledFeatures::new(given, SEARCHED * self.knn, self.knn - 1..self.knn)?;
        let affinities = Affinities::new(&features, self.decay);
        let landmarks = (n > self.landmarks).then(|| walk::landmarks(&features, self.landmarks, given.seed));
        drop(features);
        given.watch.go_on()?;
        let (components, cut) = (affinities.components(), affinities.cut);
        let walk = Walk::new(&affinities, landmarks.as_deref());
        drop(affinities);
        let unsolved = || Fault::unexpected("the walk between the images has no eigenvalues: are all values finite?");
        let steps = match self.steps {
            Some(steps) => steps,
            None => entropy::knee(&entropy::entropies(&walk.eigenvalues().ok_or_else(unsolved)?)),
        };
        given.watch.go_on()?;
        let m = walk.size();
        let potentials = walk.after(steps).iter().map(|p| self.potential(*p) as f32).collect();
        let potentials = Matrix::new(m, m, potentials).expect("one row and one column a landmark");
        given.watch.go_on()?;
        let scaled = scaling::scaled(&potentials, given.watch)?;
        let facts = [
            ("t".to_owned(), vec![steps as f64]),
            ("stress".to_owned(), vec![scaled.stress]),
            ("landmarks".to_owned(), vec![if landmarks.is_some() { m as f64 } else { 0.0 }]),
            ("components".to_owned(), vec![components as f64]),
            ("cut".to_owned(), vec![cut]),
        ];
        let points = if landmarks.is_some() { walk.between(&scaled.points) } else { scaled.points };
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let m = n.min(self.landmarks as f64);
        let assigned = if n > m { n * m * d.min(100.0) } else { 0.0 };
        n * n * d.min(100.0) + n * d * d.min(n) + 4.0 * assigned + 30.0 * m.powi(3) + 3000.0 * m * m
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::projection::Method, numeric::PhiloxStream, projection::checks};

    fn method(knn: usize, landmarks: usize) -> Method {
        let method = Method::new("phate").with("knn", knn).with("decay", 40.0).with("t", 0usize);
        method.with("gamma", 1.0).with("n_landmark", landmarks)
    }

    #[test]
    fn groups_come_apart_and_neighbours_stay() {
        checks::keeps_groups(&method(5, 2000), |stream| PhiloxStream::for_test(8, stream));
        checks::keeps_groups(&method(5, 90), |stream| PhiloxStream::for_test(8, stream));
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let mut stream = PhiloxStream::for_test(4, 0);
        let values = (0..300 * 7).map(|_| stream.normals(1.0)[0] as f32).collect();
        checks::same_bits(&method(5, 80), &Matrix::new(300, 7, values).unwrap());
    }

    #[test]
    fn any_features_are_placed_or_refused() {
        checks::any_features(&method(3, 30), |stream| PhiloxStream::for_test(13, stream));
    }

    #[test]
    fn potentials_are_the_packages() {
        let of = |gamma: f64, p: f64| Phate::new(5, 40.0, 0, gamma, 100).unwrap().potential(p);
        assert!((of(1.0, 0.5) + 0.500_000_1f64.ln()).abs() < 1e-12);
        assert_eq!(of(-1.0, 0.25), 0.25);
        assert!((of(0.0, 0.25) - 1.0).abs() < 1e-12 && of(0.0, 0.0) == 0.0);
    }
}
