//! Isomap (Tenenbaum, de Silva and Langford 2000), as scikit-learn has it: paths along the symmetric graph of five neighbours, and the first
//! two axes of classical scaling of their lengths. Parts of the graph are joined as there. Distances are held in single precision once
//! they are known. Beyond 20,000 images, lengths are those to 1,000 landmarks, and images are placed by them (landmark Isomap; de Silva
//! and Tenenbaum 2003), which scikit-learn does not have. linfa has no Isomap.

use super::{
    Projected, ProjectionInput, Projector,
    graph::Graph,
    landmarks::{self, HalvedSquares, MOST_WHOLE},
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    parts::{self, Parts},
    start,
};
use crate::{
    domain::{Fault, Result},
    numeric::{neighbours::NeighbourMetric, sum},
};
use rayon::prelude::*;
use std::{cmp::Reverse, collections::BinaryHeap};

const LANDMARKS: usize = 1_000;
/// Bytes of distances that are held, at most.
const MOST_BYTES: f64 = 5e9;
/// Sources of paths between two looks at whether to go on.
const TURN: usize = 256;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "isomap",
    title: "Isomap",
    about: "The lengths of shortest paths along the symmetric graph of exact neighbours, and the first two axes of their classical scaling (Tenenbaum, de Silva and Langford). Parts of the graph are joined by the shortest edge between every two, as in scikit-learn. Beyond 20,000 images by 1,000 landmarks (de Silva and Tenenbaum).",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "neighbors",
            kind: ParameterKind::Count { default: 5, least: 1, most: 10_000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec::METRIC,
    ],
    supervised: false,
    seeds: None,
    build: |of| {
        let neighbors = of.count("neighbors")?;
        if neighbors == 0 {
            return Err(Fault::asked("Isomap takes one of neighbors or more, not 0"));
        }
        Ok(Box::new(Isomap { neighbors, metric: of.metric("metric")?, whole: MOST_WHOLE, landmarks: LANDMARKS }))
    },
};

struct Isomap {
    /// The image itself does not count, as in scikit-learn.
    neighbors: usize,
    metric: NeighbourMetric,
    /// Images beyond which there are landmarks, and how many.
    whole: usize,
    landmarks: usize,
}

impl Projector for Isomap {
    /// N × 2. Facts: `components`, the parts of the graph, and `part_sizes`; `eigenvalues`; `residual_variance`: 1 − r² between lengths of
    /// paths and distances in the map; `landmarks`, where there are any.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let n = given.features.rows();
        parts::enough("Isomap", given, self.neighbors)?;
        let count = if n > self.whole { self.landmarks.min(n) } else { n };
        let bytes = 4.0 * count as f64 * n as f64;
        if bytes > MOST_BYTES {
            let fault = Fault::asked(format!("Isomap of {n} images would hold {:.0} GB of distances", bytes / 1e9));
            return Err(fault.next("take fewer images"));
        }
        let graph = parts::distances(&given.neighbours(self.neighbors, self.metric)?);
        given.watch.go_on()?;
        let parts = Parts::of(&graph, given, self.neighbors, self.metric)?;
        let graph = graph.with(&parts.joints);

        let sources: Vec<u32> = if count < n { landmarks::drawn(n, count) } else { (0..n as u32).collect() };
        // In units of about the longest edge, so that squares are numbers in single precision, too.
        let longest = graph.values().iter().copied().fold(0.0, f64::max);
        let unit = libm::scalbn(1.0, libm::ilogb(longest));
        let mut halves = vec![0.0f32; count * n];
        for (sources, rows) in sources.chunks(TURN).zip(halves.chunks_mut(TURN * n)) {
            given.watch.go_on()?;
            rows.par_chunks_mut(n).zip(sources).for_each_init(
                || Paths::new(n),
                |paths, (row, source)| {
                    crate::numeric::pulse::beat();
                    let lengths = paths.from(&graph, *source);
                    row.iter_mut().zip(lengths).for_each(|(half, length)| *half = (-0.5 * (length / unit).powi(2)) as f32);
                },
            );
        }
        let among: Vec<f32> = if count == n {
            std::mem::take(&mut halves)
        } else {
            halves.chunks_exact(n).flat_map(|row| sources.iter().map(|at| row[*at as usize])).collect()
        };
        let among = HalvedSquares::mirrored(count, among);
        let axes = among.axes(given)?;
        let points: Vec<[f64; 2]> = if count == n {
            axes.points()
        } else {
            (0..n).into_par_iter().map(|i| axes.place(halves.chunks_exact(n).map(|row| f64::from(row[i])))).collect()
        };
        let own: Vec<[f64; 2]> = sources.iter().map(|at| points[*at as usize]).collect();
        let mut facts = parts.facts();
        facts.push(("residual_variance".to_owned(), vec![residual_variance(&among, &own)]));
        facts.push(("eigenvalues".to_owned(), axes.values().iter().map(|value| value * unit * unit).collect()));
        if count < n {
            facts.push(("landmarks".to_owned(), vec![count as f64]));
        }
        let points: Vec<[f64; 2]> = points.into_iter().map(|point| point.map(|value| value * unit)).collect();
        facts.retain(|(_, numbers)| numbers.iter().all(|number| number.is_finite()));
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into_iter().collect() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let sources = if n > self.whole as f64 { self.landmarks as f64 } else { n };
        n * n * d + 60.0 * sources * n * (2.0 * self.neighbors as f64 + 10.0)
    }
}

/// Shortest paths from one point to all (Dijkstra 1959).
struct Paths {
    lengths: Vec<f64>,
    /// Lengths are not negative, so they are in the order of their bits.
    open: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Paths {
    fn new(n: usize) -> Self {
        Paths { lengths: vec![0.0; n], open: BinaryHeap::new() }
    }

    /// Lengths of the shortest paths to all points: infinite to those that cannot be reached.
    fn from(&mut self, graph: &Graph<f64>, source: u32) -> &[f64] {
        self.lengths.fill(f64::INFINITY);
        self.lengths[source as usize] = 0.0;
        self.open.push(Reverse((0, source)));
        while let Some(Reverse((bits, point))) = self.open.pop() {
            let length = f64::from_bits(bits);
            if length > self.lengths[point as usize] {
                continue;
            }
            let (columns, edges) = graph.row(point as usize);
            for (other, edge) in columns.iter().zip(edges) {
                let through = length + edge;
                if through < self.lengths[*other as usize] {
                    self.lengths[*other as usize] = through;
                    self.open.push(Reverse((through.to_bits(), *other)));
                }
            }
        }
        &self.lengths
    }
}

/// What distances in the map leave unexplained of those along paths, over all pairs.
fn residual_variance(halves: &HalvedSquares, points: &[[f64; 2]]) -> f64 {
    let sums: Vec<[f64; 5]> = points
        .par_iter()
        .enumerate()
        .map(|(i, a)| {
            let mut sums = [0.0; 5];
            for (half, b) in halves.row(i).iter().zip(points) {
                let along = (-2.0 * f64::from(*half)).sqrt();
                let straight = ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
                for (sum, term) in sums.iter_mut().zip([along, straight, along * along, straight * straight, along * straight]) {
                    *sum += term;
                }
            }
            sums
        })
        .collect();
    let pairs = (points.len() * points.len()) as f64;
    let [a, s, aa, ss, both] = std::array::from_fn(|k| sum::sum(&sums.iter().map(|of| of[k]).collect::<Vec<_>>()) / pairs);
    let variances = (aa - a * a) * (ss - s * s);
    if variances > 0.0 { 1.0 - (both - a * s).powi(2) / variances } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::beside};

    fn usual(neighbors: usize) -> Isomap {
        Isomap { neighbors, metric: NeighbourMetric::Euclidean, whole: MOST_WHOLE, landmarks: LANDMARKS }
    }

    fn graph(features: &Matrix, neighbors: usize) -> Graph<f64> {
        let given = ProjectionInput::alone(features, 1);
        let graph = parts::distances(&given.neighbours(neighbors, NeighbourMetric::Euclidean).unwrap());
        let parts = Parts::of(&graph, &given, neighbors, NeighbourMetric::Euclidean).unwrap();
        graph.with(&parts.joints)
    }

    #[test]
    fn lengths_of_paths_and_maps_are_scikit_learns_in_one_part_and_in_several() {
        let fixture = beside::fixture();
        for (features, of) in [("curve", "isomap"), ("clusters", "isomap_of_clusters")] {
            let (features, peer) = (beside::matrix(&fixture[features]), &fixture[of]);
            let neighbors = peer["neighbors"].as_u64().unwrap() as usize;
            let (graph, mut paths) = (graph(&features, neighbors), Paths::new(features.rows()));
            for (source, row) in beside::rows(&peer["geodesic"]).iter().enumerate() {
                for (ours, theirs) in paths.from(&graph, source as u32).iter().zip(row) {
                    assert!((ours - theirs).abs() <= 1e-12 * theirs, "{of}: {ours} {theirs}");
                }
            }
            let found = usual(neighbors).project(&ProjectionInput::alone(&features, 1)).unwrap();
            let apart = beside::furthest(&found.coordinates, &peer["coordinates"]);
            assert!(apart < 1e-6, "{of}: {apart:e}");
            assert_eq!(found.facts["components"], [if of == "isomap" { 1.0 } else { 3.0 }]);
        }
    }

    #[test]
    fn landmarks_place_all_nearly_where_all_lengths_do() {
        let features = beside::matrix(&beside::fixture()["curve"]);
        let given = ProjectionInput::alone(&features, 1);
        let whole = usual(7).project(&given).unwrap();
        let few = Isomap { whole: 100, landmarks: 60, ..usual(7) }.project(&given).unwrap();
        assert_eq!(few.facts["landmarks"], [60.0]);
        let apart = beside::furthest_of(&few.coordinates, &whole.coordinates);
        assert!(apart < 0.2 && whole.facts["residual_variance"][0] < 0.01, "{apart} {:?}", whole.facts);
    }

    #[test]
    fn hard_features_are_placed_or_refused_whatever_the_threads() {
        beside::holds_on_hard_features(&|| Box::new(usual(4)));
        beside::holds_on_hard_features(&|| Box::new(Isomap { whole: 20, landmarks: 12, ..usual(3) }));
        assert_eq!(beside::refusal(&usual(9), 9, 3), "Isomap with 9 neighbors needs 10 images, there are 9");
    }
}
