//! PaCMAP (Wang, Huang, Rudin and Shaposhnik 2021), as the authors' package sets it up: three kinds of pairs (near, at a middle distance,
//! far), 450 steps of Adam in three phases, a start from the principal axes, features of more than 100 columns reduced to 100 axes first.
//! Different: neighbours are exact, the start does not depend on the features' unit and has a little noise from the seed, and beyond 10,000
//! images the number of neighbours grows as the package's does when it is left to choose. linfa has no PaCMAP.

mod layout;
mod pairs;

use super::{
    Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    scaled::ScaledFeatures,
    start,
};
use crate::domain::{Fault, Result};
use layout::{Layout, STEPS};
use pairs::Pairs;
use std::ops::Range;

/// Among so many more than the pairs asked for are the nearest looked for, as scales differ.
const EXTRA: usize = 50;
/// An image's scale is the mean distance to the 4th, 5th and 6th nearest.
const SCALE: Range<usize> = 3..6;
/// Steps between two reports of the objective.
const TELL: usize = 50;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "pacmap",
    title: "PaCMAP",
    about: "Pairs of near images, of images at a middle distance and of far images pull and push in three phases, 450 steps of Adam in all (Wang et al. 2021); a start from the principal axes, neighbours exact on at most 100 of them, steps and weights as the authors’ package. Each point sums the forces of its pairs in a fixed order, so the result does not depend on the number of threads.",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "neighbors",
            kind: ParameterKind::Count { default: 10, least: 1, most: 1000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec {
            name: "mn_ratio",
            kind: ParameterKind::Number { default: 0.5, least: 0.0, most: 10.0 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "fp_ratio",
            kind: ParameterKind::Number { default: 2.0, least: 0.0, most: 10.0 },
            added_later: false,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: Some(5),
    build: |of| Ok(Box::new(Pacmap::new(of.count("neighbors")?, of.number("mn_ratio")?, of.number("fp_ratio")?)?)),
};

struct Pacmap {
    neighbors: usize,
    /// Pairs at a middle distance, and far pairs, a pair of neighbours.
    ratios: [f64; 2],
}

/// Pairs an image begins.
#[derive(Clone, Copy)]
struct PairCounts {
    near: usize,
    middle: usize,
    far: usize,
}

impl Pacmap {
    fn new(neighbors: usize, mn_ratio: f64, fp_ratio: f64) -> Result<Self> {
        if neighbors == 0 {
            return Err(Fault::asked("PaCMAP takes one neighbor or more, not 0"));
        }
        for (name, ratio) in [("mn_ratio", mn_ratio), ("fp_ratio", fp_ratio)] {
            if !(0.0..=10.0).contains(&ratio) {
                return Err(Fault::asked(format!("PaCMAP takes a {name} from 0 to 10, not {ratio}")));
            }
        }
        Ok(Pacmap { neighbors, ratios: [mn_ratio, fp_ratio] })
    }

    /// Beyond 10,000 images, 15 neighbours more for each tenfold more images.
    fn counts(&self, n: usize) -> PairCounts {
        let more = if n > 10_000 { 15.0 * (libm::log10(n as f64) - 4.0) } else { 0.0 };
        self.counts_of((self.neighbors as f64 + more).round_ties_even() as usize)
    }

    fn counts_of(&self, near: usize) -> PairCounts {
        let [middle, far] = self.ratios.map(|ratio| (near as f64 * ratio).round_ties_even() as usize);
        PairCounts { near, middle, far }
    }
}

impl PairCounts {
    /// So many images are needed, for the pairs to be of different ones.
    fn least_images(self) -> usize {
        (self.near + self.middle + self.far + 1).max(self.middle + pairs::CANDIDATES + 1)
    }
}

impl Projector for Pacmap {
    /// N × 2. Facts: `loss` (with the last phase's weights, an image), `neighbors` (pairs of neighbours an image begins).
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let n = given.features.rows();
        let counts = self.counts(n);
        if n < counts.least_images() {
            let would_do = (1..counts.near).rev().find(|near| self.counts_of(*near).least_images() <= n);
            let fault = Fault::asked(format!(
                "PaCMAP with {} neighbors needs {} images, there are {n}",
                counts.near,
                counts.least_images()
            ));
            return Err(match would_do {
                Some(near) => fault.next(format!("lower neighbors to {near} or less")),
                None => fault.next("add images"),
            });
        }
        let features = ScaledFeatures::new(given, counts.near + EXTRA, SCALE)?;
        let pairs = Pairs::new(&features, counts, given.seed);
        given.watch.go_on()?;
        let mut layout = Layout::new(&pairs, &features.start);
        drop(features);
        for step in 0..STEPS {
            given.watch.go_on()?;
            layout.step(step);
            if (step + 1) % TELL == 0 {
                given.watch.objective("loss", step + 1, layout.loss());
            }
        }
        let facts = [("loss".to_owned(), vec![layout.loss()]), ("neighbors".to_owned(), vec![counts.near as f64])];
        Ok(Projected { coordinates: start::matrix(&layout.points()), facts: facts.into() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let counts = self.counts(n as usize);
        let pairs = 2.0 * (counts.near + counts.middle + counts.far) as f64;
        n * n * d.min(100.0) + n * d * d.min(n) + 20.0 * STEPS as f64 * n * pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::projection::Method,
        numeric::{Matrix, PhiloxStream},
        projection::checks,
    };

    fn method(neighbors: usize) -> Method {
        Method::new("pacmap").with("neighbors", neighbors).with("mn_ratio", 0.5).with("fp_ratio", 2.0)
    }

    #[test]
    fn neighbours_grow_with_the_images_as_in_the_package() {
        let counts = |n| {
            let PairCounts { near, middle, far } = Pacmap::new(10, 0.5, 2.0).unwrap().counts(n);
            [near, middle, far]
        };
        assert_eq!(counts(10_000), [10, 5, 20]);
        assert_eq!(counts(100_000), [25, 12, 50]);
    }

    #[test]
    fn groups_come_apart_and_neighbours_stay() {
        checks::keeps_groups(&method(10), |stream| PhiloxStream::for_test(7, stream));
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let mut stream = PhiloxStream::for_test(3, 0);
        for (n, d) in [(300, 7), (200, 130)] {
            let values = (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect();
            checks::same_bits(&method(6), &Matrix::new(n, d, values).unwrap());
        }
    }

    #[test]
    fn any_features_are_placed_or_refused() {
        checks::any_features(&method(2), |stream| PhiloxStream::for_test(11, stream));
    }

    #[test]
    fn too_few_images_are_refused_with_what_would_do() {
        let features = Matrix::new(20, 2, (0..40).map(|i| (i * i % 17) as f32).collect()).unwrap();
        let fault = crate::projection::project(&method(10), &ProjectionInput::alone(&features, 1)).unwrap_err();
        assert_eq!(fault.what, "PaCMAP with 10 neighbors needs 36 images, there are 20");
        assert_eq!(fault.next.as_deref(), Some("lower neighbors to 5 or less"));
        assert!(crate::projection::project(&method(5), &ProjectionInput::alone(&features, 1)).is_ok());
        assert!(Pacmap::new(0, 0.5, 2.0).is_err() && Pacmap::new(5, f64::NAN, 2.0).is_err());
    }
}
