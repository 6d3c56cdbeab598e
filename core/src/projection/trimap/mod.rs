//! TriMap (Amid and Warmuth 2019), as the authors' package sets it up: triplets (an image, one near it, one farther away) of 12 near images
//! with four farther ones each and three drawn at random, weighted by how different the two distances are; 400 steps of momentum with
//! gains (delta-bar-delta, Jacobs 1988) from the principal axes; features of more than 100 columns reduced to 100 axes first. Different:
//! neighbours are exact, the start does not depend on the features' unit and has a little noise from the seed, and the farther images of a
//! near one are all different. linfa has no TriMap.

mod layout;
mod mentions;
mod triplets;

use super::{
    Projected, ProjectionInput, Projector,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    scaled::ScaledFeatures,
    start,
};
use crate::domain::{Fault, Result};
use layout::{Layout, STEPS};
use std::ops::Range;
use triplets::Triplets;

/// Among so many more than the near images asked for are the nearest looked for, as scales differ.
const EXTRA: usize = 49;
/// An image's scale is the mean distance to the third, fourth and fifth nearest.
const SCALE: Range<usize> = 2..5;
/// Steps between two reports of the objective.
const TELL: usize = 50;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "trimap",
    title: "TriMap",
    about: "Triplets of an image, one near it and one farther away keep their order: twelve near images with four farther ones each, and three drawn triplets, weighted by how different the distances are (Amid and Warmuth 2019); a start from the principal axes, neighbours exact on at most 100 of them, 400 steps and weights as the authors’ package. Forces are summed in a fixed order, so the result does not depend on the number of threads.",
    version: 2,
    parameters: &[
        ParameterSpec {
            name: "n_inliers",
            kind: ParameterKind::Count { default: 12, least: 1, most: 1000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} near images"),
        },
        ParameterSpec {
            name: "n_outliers",
            kind: ParameterKind::Count { default: 4, least: 1, most: 100 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "n_random",
            kind: ParameterKind::Count { default: 3, least: 0, most: 1000 },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "weight_temp",
            kind: ParameterKind::Number { default: 0.5, least: 0.0, most: 1.0 },
            added_later: false,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: Some(5),
    build: |of| {
        let counts =
            TripletCounts { inliers: of.count("n_inliers")?, outliers: of.count("n_outliers")?, random: of.count("n_random")? };
        Ok(Box::new(Trimap::new(counts, of.number("weight_temp")?)?))
    },
};

struct Trimap {
    counts: TripletCounts,
    /// Of the logarithm that weights go through.
    temperature: f64,
}

/// Near images of an image, farther ones of a near one, and triplets drawn at random.
#[derive(Clone, Copy)]
struct TripletCounts {
    inliers: usize,
    outliers: usize,
    random: usize,
}

impl TripletCounts {
    /// Of an image.
    fn triplets(self) -> usize {
        self.inliers * self.outliers + self.random
    }

    /// So many images are needed.
    fn least_images(self) -> usize {
        self.inliers + self.outliers + 2
    }
}

impl Trimap {
    fn new(counts: TripletCounts, temperature: f64) -> Result<Self> {
        if counts.inliers == 0 || counts.outliers == 0 {
            return Err(Fault::asked("TriMap takes one of n_inliers and n_outliers or more, not 0"));
        }
        if !(0.0..=1.0).contains(&temperature) {
            return Err(Fault::asked(format!("TriMap takes a weight_temp from 0 to 1, not {temperature}")));
        }
        Ok(Trimap { counts, temperature })
    }
}

impl Projector for Trimap {
    /// N × 2. Facts: `loss` (a triplet), `violated` (the share of triplets whose order the map turns around).
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let (n, least) = (given.features.rows(), self.counts.least_images());
        if n < least {
            let fault =
                Fault::asked(format!("TriMap with {} n_inliers needs {least} images, there are {n}", self.counts.inliers));
            let would_do = n.saturating_sub(self.counts.outliers + 2);
            return Err(if would_do > 0 {
                fault.next(format!("lower n_inliers to {would_do} or less"))
            } else {
                fault.next("add images")
            });
        }
        let features = ScaledFeatures::new(given, self.counts.inliers + EXTRA, SCALE)?;
        let triplets = Triplets::new(&features, self.counts, self.temperature, given.seed);
        given.watch.go_on()?;
        let mut layout = Layout::new(&triplets, &features.start);
        drop(features);
        for step in 0..STEPS {
            given.watch.go_on()?;
            layout.step(step);
            if (step + 1) % TELL == 0 {
                given.watch.objective("loss", step + 1, layout.loss().loss);
            }
        }
        let loss = layout.loss();
        let facts = [("loss".to_owned(), vec![loss.loss]), ("violated".to_owned(), vec![loss.violated])];
        Ok(Projected { coordinates: start::matrix(&layout.points()), facts: facts.into() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        n * n * d.min(100.0) + n * d * d.min(n) + 60.0 * STEPS as f64 * n * self.counts.triplets() as f64
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

    fn method(inliers: usize) -> Method {
        let method = crate::projection::current("trimap").with("n_inliers", inliers).with("n_outliers", 4usize);
        method.with("n_random", 3usize).with("weight_temp", 0.5)
    }

    #[test]
    fn groups_come_apart_and_neighbours_stay() {
        checks::keeps_groups(&method(12), |stream| PhiloxStream::for_test(8, stream));
    }

    #[test]
    fn the_bits_depend_neither_on_threads_nor_on_the_machines_lanes() {
        let mut stream = PhiloxStream::for_test(4, 0);
        for (n, d) in [(300, 7), (200, 130)] {
            let values = (0..n * d).map(|_| stream.normals(1.0)[0] as f32).collect();
            checks::same_bits(&method(5), &Matrix::new(n, d, values).unwrap());
        }
    }

    #[test]
    fn any_features_are_placed_or_refused() {
        checks::any_features(&method(3), |stream| PhiloxStream::for_test(12, stream));
    }

    #[test]
    fn too_few_images_are_refused_with_what_would_do() {
        let features = Matrix::new(12, 2, (0..24).map(|i| (i * i % 17) as f32).collect()).unwrap();
        let fault = crate::projection::project(&method(12), &ProjectionInput::alone(&features, 1)).unwrap_err();
        assert_eq!(fault.what, "TriMap with 12 n_inliers needs 18 images, there are 12");
        assert_eq!(fault.next.as_deref(), Some("lower n_inliers to 6 or less"));
        assert!(crate::projection::project(&method(6), &ProjectionInput::alone(&features, 1)).is_ok());
    }
}
