//! Spectral embedding, or Laplacian eigenmaps (Belkin and Niyogi 2003), as scikit-learn has it: the graph in which images are joined that
//! are among each other's nearest (weight 1) or of which one is among the other's (½), the normalised Laplacian, its eigenvectors after the
//! first, divided by the roots of degrees; each axis's largest coordinate is positive. `neighbors` counts the image itself, as there. Its
//! default is 15, where scikit-learn takes a tenth of the images: that joins everything when there are many. Parts of the graph are
//! joined by the shortest edges that join all; scikit-learn warns and leaves them.

use super::{
    Projected, ProjectionInput, Projector,
    graph::Graph,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    parts::{self, Parts},
    pca::fix_sign,
    start,
    walk::Walk,
};
use crate::{
    domain::{Fault, Result},
    numeric::neighbours::NeighbourMetric,
};

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "spectral",
    title: "Spectral embedding",
    about: "Laplacian eigenmaps (Belkin and Niyogi): eigenvectors of the normalised Laplacian of the graph of exact neighbours, without the first; each axis’s largest coordinate is positive. Parts of the graph are joined by the shortest edges that join all; they may still be seen as points.",
    version: 1,
    parameters: &[
        ParameterSpec {
            name: "neighbors",
            kind: ParameterKind::Count { default: 15, least: 2, most: 10_000 },
            added_later: false,
            variation: Variation::HalfAndTwice("{} neighbours"),
        },
        ParameterSpec::METRIC,
    ],
    supervised: false,
    seeds: None,
    build: |of| {
        let neighbors = of.count("neighbors")?;
        if neighbors < 2 {
            return Err(Fault::asked(format!("spectral embedding takes two neighbors or more, not {neighbors}")));
        }
        Ok(Box::new(Spectral { neighbors, metric: of.metric("metric")? }))
    },
};

struct Spectral {
    /// The image itself counts as its nearest.
    neighbors: usize,
    metric: NeighbourMetric,
}

impl Projector for Spectral {
    /// N × 2. Facts: `components`, the parts of the graph, and `part_sizes`; `eigenvalues` of the Laplacian; `residual`, how near they are.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        parts::enough("spectral embedding", given, self.neighbors - 1)?;
        let neighbours = given.neighbours(self.neighbors - 1, self.metric)?;
        given.watch.go_on()?;
        let directed = vec![0.5; neighbours.count() * neighbours.k()];
        let graph = Graph::joined(&neighbours, &directed, |p, q| p + q);
        let parts = Parts::of(&graph, given, self.neighbors, self.metric)?;
        let joints: Vec<(u32, u32, f64)> = parts.tree().into_iter().map(|(i, j, _)| (i, j, 1.0)).collect();
        let n = given.features.rows();
        let slowest = Walk { weights: graph.with(&joints), own: vec![0.0; n] }.slowest(given)?;
        let mut points = vec![[0.0; 2]; n];
        for (axis, mut vector) in slowest.vectors.into_iter().enumerate() {
            vector.iter_mut().zip(&slowest.degrees).for_each(|(value, degree)| *value /= degree.sqrt());
            fix_sign(&mut vector);
            points.iter_mut().zip(&vector).for_each(|(point, value)| point[axis] = *value);
        }
        let mut facts = parts.facts();
        facts.push(("eigenvalues".to_owned(), slowest.values.iter().map(|value| (1.0 - value).max(0.0)).collect()));
        facts.push(("residual".to_owned(), vec![slowest.residual]));
        Ok(Projected { coordinates: start::matrix(&points), facts: facts.into_iter().collect() })
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        n * n * d + 500.0 * n * (4.0 * self.neighbors as f64 + 300.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::beside;

    fn spectral(neighbors: usize) -> Spectral {
        Spectral { neighbors, metric: NeighbourMetric::Euclidean }
    }

    #[test]
    fn maps_are_scikit_learns_with_their_signs() {
        let fixture = beside::fixture();
        let features = beside::matrix(&fixture["curve"]);
        for peer in fixture["spectral"].as_array().unwrap() {
            let neighbors = peer["neighbors"].as_u64().unwrap() as usize;
            let found = spectral(neighbors).project(&ProjectionInput::alone(&features, 1)).unwrap();
            let theirs = beside::matrix(&peer["coordinates"]);
            let size = theirs.values().iter().fold(0.0f32, |size, value| size.max(value.abs()));
            let apart = found.coordinates.values().iter().zip(theirs.values()).map(|(a, b)| (a - b).abs() / size);
            assert!(apart.fold(0.0, f32::max) < 1e-5, "{neighbors} neighbours: {:?}", found.facts);
        }
    }

    #[test]
    fn parts_are_joined_told_and_apart() {
        let features = beside::matrix(&beside::fixture()["clusters"]);
        let found = spectral(6).project(&ProjectionInput::alone(&features, 1)).unwrap();
        assert_eq!(found.facts["part_sizes"], [25.0, 25.0, 10.0]);
        let of = |i: usize| found.coordinates.row(i).to_vec();
        let apart = |i: usize, j: usize| of(i).iter().zip(of(j)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart(0, 30) > 5.0 * apart(0, 10) && apart(30, 55) > 5.0 * apart(30, 40));
    }

    #[test]
    fn hard_features_are_placed_or_refused_whatever_the_threads() {
        beside::holds_on_hard_features(&|| Box::new(spectral(5)));
        assert_eq!(beside::refusal(&spectral(9), 8, 3), "spectral embedding with 8 neighbors needs 9 images, there are 8");
    }
}
