//! Multidimensional scaling. Classical scaling of Euclidean distances (Torgerson 1952) gives the principal axes (Gower 1966), so it is
//! computed from the features, not from their distances: for any number of images. Metric scaling makes the stress of distances small by
//! SMACOF (de Leeuw 1977), with scikit-learn's rule of ending, from the classical map: the start that scikit-learn announces for 1.10;
//! so the map does not depend on a seed, and one run is all runs. Beyond 20,000 images, 2,000 landmarks are scaled, and every other image is
//! placed by the same steps between them (Bae, Qiu and Fox 2010). linfa has no MDS.

mod stress;

use super::{
    Projected, ProjectionInput, Projector, landmarks,
    landmarks::MOST_WHOLE,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    pca::{self, principal},
    squares::{Squares, TOGETHER},
    start,
};
use crate::domain::{Fault, Result};
use rayon::prelude::*;
use stress::Scaling;

/// Landmarks of metric scaling; and the images that the stress of a classical map is measured on.
const LANDMARKS: usize = 2_000;
/// scikit-learn's.
const MOST_STEPS: usize = 300;
const TOLERANCE: f64 = 1e-6;
/// Steps between two reports of the stress.
const TELL: usize = 10;
/// Steps of an image between landmarks, at most; it has settled when it moves less than this of the map's width.
const MOST_MOVES: usize = 100;
const SETTLED: f64 = 1e-6;
/// Images placed between two looks at whether to go on.
const TURN: usize = 4096;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "mds",
    title: "MDS",
    about: "Multidimensional scaling of Euclidean distances. <i>Classical</i>: Torgerson’s, which is the map of the first two principal axes. <i>Metric</i>: least stress by SMACOF from the classical map, until a step lessens the stress by less than a millionth of the squared distances, 300 steps at most; beyond 20,000 images 2,000 landmarks are scaled and the others placed between them. Stress is normalised (Kruskal’s stress 1).",
    version: 1,
    parameters: &[ParameterSpec {
        name: "kind",
        kind: ParameterKind::Word { words: &["classical", "metric"] },
        added_later: false,
        variation: Variation::None,
    }],
    supervised: false,
    seeds: None,
    build: |of| {
        let metric = of.word("kind")?.as_str() == "metric";
        Ok(Box::new(Mds { metric, whole: MOST_WHOLE, landmarks: LANDMARKS }))
    },
};

struct Mds {
    /// Or classical.
    metric: bool,
    /// Images beyond which there are landmarks, and how many.
    whole: usize,
    landmarks: usize,
}

impl Projector for Mds {
    /// N × 2. Facts: `stress`, normalised, and `images`, on how many it was measured where not on all. Of a classical map `explained`, the
    /// axes' shares of variance; of a metric one `steps` and, where there are any, `landmarks`.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let n = given.features.rows();
        if n < 2 {
            return Err(Fault::asked(format!("MDS needs two images or more, there is {n}")));
        }
        start::varies(given.features)?;
        let principal = principal(given.features, 2)?;
        let axes = principal.axes();
        let mut points: Vec<[f64; 2]> =
            principal.exact(given.features).chunks_exact(axes).map(|at| [at[0], at.get(1).copied().unwrap_or(0.0)]).collect();
        given.watch.go_on()?;
        let whole = if self.metric { self.whole } else { self.landmarks };
        let rows: Vec<u32> = if n > whole { landmarks::drawn(n, self.landmarks) } else { (0..n as u32).collect() };
        let own: Vec<[f64; 2]> = rows.iter().map(|row| points[*row as usize]).collect();
        let mut scaling = Scaling::new(given.features, &rows, &own);
        let mut facts = vec![];
        if self.metric {
            let steps = lessen(&mut scaling, given)?;
            facts.push(("steps".to_owned(), vec![steps as f64]));
            if rows.len() == n {
                points = scaling.points();
            } else {
                facts.push(("landmarks".to_owned(), vec![rows.len() as f64]));
                place(&scaling, &rows, given, &mut points)?;
            }
            let mut flat: Vec<[f64; 2]> = std::mem::take(&mut points);
            start::centre(&mut flat);
            points = flat;
        } else {
            facts.push(("explained".to_owned(), principal.explained()));
        }
        facts.push(("stress".to_owned(), vec![scaling.look().0.normalised()]));
        if rows.len() < n {
            facts.push(("images".to_owned(), vec![rows.len() as f64]));
        }
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into_iter().collect() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let scaled = if n > self.whole as f64 { self.landmarks as f64 } else { n };
        let metric = scaled * n * d + MOST_STEPS as f64 * 12.0 * scaled * scaled + 400.0 * scaled * (n - scaled);
        pca::operations(n, d, 2) + if self.metric { metric } else { (self.landmarks as f64).min(n).powi(2) * d }
    }
}

/// Steps of SMACOF, until one more is not worth it; how many.
fn lessen(scaling: &mut Scaling, given: &ProjectionInput) -> Result<usize> {
    let mut before = f64::INFINITY;
    for step in 0..MOST_STEPS {
        given.watch.go_on()?;
        // Of the points before this step.
        let (stress, next) = scaling.look();
        if step % TELL == 0 {
            given.watch.objective("stress", step, stress.normalised());
        }
        // The first step is not looked at, as in scikit-learn.
        if step > 1 && before - stress.stress < TOLERANCE * stress.squares {
            return Ok(step);
        }
        before = if step == 0 { f64::INFINITY } else { stress.stress };
        scaling.go(next);
    }
    Ok(MOST_STEPS)
}

/// Moves every image that is no landmark to where its distances to the landmarks bring it, and landmarks to where they are.
fn place(scaling: &Scaling, rows: &[u32], given: &ProjectionInput, points: &mut [[f64; 2]]) -> Result<()> {
    let settled = SETTLED * scaling.width();
    let all: Vec<u32> = (0..points.len() as u32).collect();
    let squares = Squares::new(given.features, rows);
    let go = |point: &mut [f64; 2], wanted: &[f32]| {
        for _ in 0..MOST_MOVES {
            let next = scaling.moved(*point, wanted);
            let far = (next[0] - point[0]).abs().max((next[1] - point[1]).abs());
            *point = next;
            if far <= settled {
                break;
            }
        }
    };
    for (points, images) in points.chunks_mut(TURN).zip(all.chunks(TURN)) {
        given.watch.go_on()?;
        points.par_chunks_mut(TOGETHER).zip(images.par_chunks(TOGETHER)).for_each(|(points, images)| {
            let squares = squares.from(images, rows.len());
            points.iter_mut().zip(squares.chunks_exact(rows.len())).for_each(|(point, own)| go(point, &scaling.distances(own)));
        });
    }
    rows.iter().zip(scaling.points()).for_each(|(row, point)| points[*row as usize] = point);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::beside};

    fn mds(metric: bool) -> Mds {
        Mds { metric, whole: MOST_WHOLE, landmarks: LANDMARKS }
    }

    fn placed(of: &Mds, features: &Matrix) -> Projected {
        of.project(&ProjectionInput::alone(features, 1)).unwrap()
    }

    #[test]
    fn a_classical_map_is_scikit_learns() {
        let fixture = beside::fixture();
        let found = placed(&mds(false), &beside::matrix(&fixture["curve"]));
        let apart = beside::furthest(&found.coordinates, &fixture["classical"]);
        assert!(apart < 1e-6, "{apart:e}");
    }

    #[test]
    fn a_metric_map_is_scikit_learns_after_as_many_steps() {
        let fixture = beside::fixture();
        for (features, of) in [("curve", "metric"), ("clusters", "metric_of_clusters")] {
            let (found, peer) = (placed(&mds(true), &beside::matrix(&fixture[features])), &fixture[of]);
            assert_eq!(found.facts["steps"], [peer["iterations"].as_f64().unwrap()], "{of}");
            let stress = found.facts["stress"][0];
            assert!((stress / peer["stress"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{of}: {stress} {}", peer["stress"]);
            let apart = beside::furthest(&found.coordinates, &peer["coordinates"]);
            assert!(apart < 1e-5, "{of}: {apart:e}");
        }
    }

    #[test]
    fn metric_scaling_has_less_stress_and_landmarks_nearly_as_little() {
        let features = beside::matrix(&beside::fixture()["curve"]);
        let (classical, metric) = (placed(&mds(false), &features), placed(&mds(true), &features));
        assert!(metric.facts["stress"][0] < 0.9 * classical.facts["stress"][0]);
        let few = placed(&Mds { whole: 100, landmarks: 80, metric: true }, &features);
        assert_eq!((few.facts["landmarks"][0], few.facts["images"][0]), (80.0, 80.0));
        let rows: Vec<u32> = (0..240).collect();
        let points: Vec<[f64; 2]> =
            (0..240).map(|i| [f64::from(few.coordinates.row(i)[0]), f64::from(few.coordinates.row(i)[1])]).collect();
        let stress = Scaling::new(&features, &rows, &points).look().0.normalised();
        assert!(stress < 1.05 * metric.facts["stress"][0], "{stress} {:?}", metric.facts);
    }

    #[test]
    fn hard_features_are_placed_or_refused_whatever_the_threads() {
        beside::holds_on_hard_features(&|| Box::new(mds(false)));
        beside::holds_on_hard_features(&|| Box::new(mds(true)));
        beside::holds_on_hard_features(&|| Box::new(Mds { metric: true, whole: 10, landmarks: 9 }));
        assert_eq!(beside::refusal(&mds(true), 1, 3), "MDS needs two images or more, there is 1");
    }
}
