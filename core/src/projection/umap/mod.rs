//! UMAP (McInnes, Healy and Melville 2018), as umap-learn sets it up: a fuzzy graph of exact neighbours, a spectral start brought to
//! 0 … 10 along each axis, 500 epochs up to 10,000 images and 200 beyond, five random images a meeting.

mod curve;
mod fuzzy;
mod layout;
mod place;
mod spectral;
pub(super) mod supervised;

use super::{
    Placement, Projected, ProjectionInput, Projector,
    fitted::FittedRows,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    start,
};
use crate::{
    domain::{Fault, Result},
    numeric::neighbours::{NeighbourMetric, Neighbours},
    projection::graph::Graph,
};
use curve::LowDimensionalCurve;
use layout::Layout;

/// The start's width, and the noise on it.
const WIDTH: f64 = 10.0;
const NOISE: f64 = 1e-4;
/// Epochs between two reports of the objective.
const TELL: usize = 50;

/// Of UMAP, with labels and without.
const NEIGHBORS: ParameterSpec = ParameterSpec {
    name: "neighbors",
    kind: ParameterKind::Count { default: 15, least: 2, most: 10_000 },
    added_later: false,
    variation: Variation::HalfAndTwice("{} neighbours"),
};
/// The same.
const MIN_DIST: ParameterSpec = ParameterSpec {
    name: "min_dist",
    kind: ParameterKind::Number { default: 0.1, least: 0.0, most: 1.0 },
    added_later: false,
    variation: Variation::None,
};

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "umap",
    title: "UMAP",
    about: "The fuzzy graph of exact neighbours, a spectral start, and as many epochs as umap-learn; from the principal axes where the graph is in several parts. Each point is updated by one thread in a fixed order, so the result does not depend on the number of threads. Distances between clusters mean little.",
    version: 2,
    parameters: &[NEIGHBORS, MIN_DIST, ParameterSpec::METRIC],
    supervised: false,
    seeds: Some(5),
    build: |of| Ok(Box::new(Umap::new(of.count("neighbors")?, of.number("min_dist")?, of.metric("metric")?)?)),
};

struct Umap {
    /// The image itself counts as its nearest, as in umap-learn.
    neighbors: usize,
    curve: LowDimensionalCurve,
    metric: NeighbourMetric,
}

impl Umap {
    fn new(neighbors: usize, min_dist: f64, metric: NeighbourMetric) -> Result<Self> {
        if neighbors < 2 {
            return Err(Fault::asked(format!("UMAP takes two neighbors or more, not {neighbors}")));
        }
        if !(0.0..=1.0).contains(&min_dist) {
            return Err(Fault::asked(format!("UMAP takes a min_dist from 0 to 1, not {min_dist}")));
        }
        Ok(Umap { neighbors, curve: LowDimensionalCurve::fitted(min_dist), metric })
    }
}

/// As umap-learn's.
fn epochs(n: usize) -> usize {
    if n <= 10_000 { 500 } else { 200 }
}

impl Umap {
    /// # Errors
    /// Fewer images than neighbours, or images that are all the same; an observer that stops it.
    fn nearest(&self, given: &ProjectionInput) -> Result<Neighbours> {
        let n = given.features.rows();
        if n <= self.neighbors {
            return Err(Fault::asked(format!(
                "UMAP with {} neighbors needs {} images, there are {n}",
                self.neighbors,
                self.neighbors + 1
            ))
            .next(format!("lower neighbors to {} or less", n.saturating_sub(1))));
        }
        start::varies(given.features)?;
        let neighbours = given.neighbours(self.neighbors - 1, self.metric)?;
        given.watch.go_on()?;
        Ok(neighbours)
    }

    fn operations_of_start(&self, n: f64, d: f64) -> f64 {
        n * n * d + n * d * d + 300.0 * n * (4.0 * self.neighbors as f64 + 300.0)
    }

    fn operations_of_layout(&self, n: f64) -> f64 {
        400.0 * epochs(n as usize) as f64 * n * self.neighbors as f64 * 0.5
    }
}

/// Where the points of a graph start, and the graph's parts.
fn first_points(graph: &Graph, given: &ProjectionInput) -> Result<(Vec<[f64; 2]>, usize)> {
    let components = graph.components();
    let mut points =
        if components == 1 { spectral::start(graph) } else { start::principal_start(given.features, 1.0, given.seed)? };
    fit_width(&mut points);
    start::jitter(&mut points, NOISE, given.seed);
    fit_width(&mut points);
    given.watch.go_on()?;
    Ok((points, components))
}

/// The layout after all epochs. `before`: epochs of other layouts, that the objective's curve goes on from.
fn laid_out(
    graph: &Graph,
    points: &[[f64; 2]],
    curve: LowDimensionalCurve,
    given: &ProjectionInput,
    before: usize,
) -> Result<Layout> {
    let epochs = epochs(points.len());
    let mut layout = Layout::new(graph, points, curve, given.seed);
    for epoch in 0..epochs {
        given.watch.go_on()?;
        layout.step(epoch, epochs);
        if (epoch + 1) % TELL == 0 {
            given.watch.objective("loss", before + epoch + 1, layout.loss());
        }
    }
    Ok(layout)
}

impl Projector for Umap {
    /// N × 2. Facts: `loss`, the mean over the graph's weights of what the layout makes small; `components`, the parts of the graph.
    /// More than one has no spectral start (each part would lie at one point): the map then starts from the principal axes.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let neighbours = self.nearest(given)?;
        let graph = fuzzy::graph(&neighbours, epochs(neighbours.count()));
        let (points, components) = first_points(&graph, given)?;
        let layout = laid_out(&graph, &points, self.curve, given, 0)?;
        let facts = [("loss".to_owned(), vec![layout.loss()]), ("components".to_owned(), vec![components as f64])];
        Ok(Projected { coordinates: start::matrix(&layout.points()), facts: facts.into() })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let fitted = FittedRows::new(given, self.metric)?;
        let projected = self.project(given)?;
        Ok(Some(Box::new(place::FittedUmap::new(fitted, projected, self.neighbors, self.curve, given.seed))))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        self.operations_of_start(n, d) + self.operations_of_layout(n)
    }
}

/// Each axis from 0 to `WIDTH`.
fn fit_width(points: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let (low, high) =
            points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p[axis]), high.max(p[axis])));
        let scale = if high > low { WIDTH / (high - low) } else { 0.0 };
        points.iter_mut().for_each(|point| point[axis] = (point[axis] - low) * scale);
    }
}

/// Points on a circle: what the parts are tried on.
#[cfg(test)]
fn ring(n: usize) -> super::graph::Graph {
    use crate::numeric::{Matrix, neighbours::Neighbours};
    let angle = |i: usize| std::f64::consts::TAU * i as f64 / n as f64;
    let values = (0..n).flat_map(|i| [angle(i).cos() as f32, angle(i).sin() as f32]).collect();
    let neighbours = Neighbours::exact(&Matrix::new(n, 2, values).unwrap(), 4, NeighbourMetric::Euclidean).unwrap();
    fuzzy::graph(&neighbours, 500)
}
