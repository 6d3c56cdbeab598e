//! The fuzzy graph: how surely two images are near each other, each image's distances measured from its nearest and by a width of
//! its own (McInnes et al. 2018, algorithm 3; umap-learn's `smooth_knn_dist`).

use crate::{
    numeric::{neighbours::Neighbours, special::exp, sum},
    projection::graph::Graph,
};
use rayon::prelude::*;

/// A width is not less than this share of the mean distance.
const LEAST_WIDTH: f64 = 1e-3;
const TOLERANCE: f64 = 1e-5;
const MOST_BISECTIONS: usize = 64;

/// Entries that a layout of so many epochs would never meet are left out.
pub(super) fn graph(neighbours: &Neighbours, epochs: usize) -> Graph {
    often_met(&whole(neighbours), epochs)
}

pub(super) fn often_met(graph: &Graph, epochs: usize) -> Graph {
    let most = graph.values().iter().copied().fold(0.0, f32::max);
    graph.at_least(most / epochs as f32)
}

/// The graph with what is known of classes (umap-learn's `categorical_simplicial_set_intersection`): a weight falls by e where one of the
/// two has no class, by e^`apart` where their classes differ; then each image's weights are brought to a greatest of 1 again.
pub(super) fn with_classes(graph: &Graph, classes: &[Option<usize>], apart: f64) -> Graph {
    let (unknown, different) = (exp(-1.0) as f32, exp(-apart) as f32);
    let fallen = graph.mapped(|i, j, value| match (classes[i], classes[j]) {
        (Some(one), Some(other)) if one == other => value,
        (Some(_), Some(_)) => value * different,
        _ => value * unknown,
    });
    let greatest = |i: usize| fallen.row(i).1.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let greatest: Vec<f32> = (0..fallen.points()).map(greatest).collect();
    fallen.mapped(|i, j, value| {
        // In this order for both directions, so that both have the same bits.
        let (p, q) = (value / greatest[i.min(j)], value / greatest[i.max(j)]);
        p + q - p * q
    })
}

/// With all entries.
pub(super) fn whole(neighbours: &Neighbours) -> Graph {
    let (n, k) = (neighbours.count(), neighbours.k());
    let means: Vec<f64> = (0..n).map(|i| neighbours.distances(i).sum::<f64>()).collect();
    // The image itself counts, at distance 0, as in umap-learn.
    let mean = sum::sum(&means) / (n * (k + 1)) as f64;
    let mut directed = vec![0.0f32; n * k];
    directed.par_chunks_mut(k).enumerate().for_each(|(i, row)| {
        let distances: Vec<f64> = neighbours.distances(i).collect();
        memberships(&distances, mean, row);
    });
    Graph::joined(neighbours, &directed, |p, q| p + q - p * q)
}

/// e^−(d − nearest) / width, the width such that they and the image's own sum to log₂ of how many there are.
pub(super) fn memberships(distances: &[f64], mean: f64, out: &mut [f32]) {
    let target = libm::log2((distances.len() + 1) as f64);
    let nearest = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let membership = |d: f64, width: f64| if d > nearest { exp(-(d - nearest) / width) } else { 1.0 };
    let own = distances.iter().sum::<f64>() / (distances.len() + 1) as f64;
    // From the distances themselves, so that their unit does not matter.
    let (mut low, mut high, mut width) = (0.0, f64::INFINITY, if own > 0.0 { own } else { 1.0 });
    for _ in 0..MOST_BISECTIONS {
        let total: f64 = distances.iter().map(|d| membership(*d, width)).sum();
        if (total - target).abs() < TOLERANCE {
            break;
        }
        if total > target {
            high = width;
            width = f64::midpoint(low, high);
        } else {
            low = width;
            width = if high.is_finite() { f64::midpoint(low, high) } else { width * 2.0 };
        }
    }
    let width = width.max(LEAST_WIDTH * if nearest > 0.0 { own } else { mean });
    for (out, d) in out.iter_mut().zip(distances) {
        *out = if width > 0.0 { membership(*d, width) as f32 } else { 1.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_sum_to_the_logarithm_and_equal_images_are_sure() {
        let distances: Vec<f64> = (1..15).map(|i| f64::from(i) * 0.3).collect();
        let mut out = [0.0; 14];
        memberships(&distances, 1.0, &mut out);
        assert!((out.iter().sum::<f32>() - 15f32.log2()).abs() < 1e-4 && out[0] == 1.0);
        memberships(&[0.0; 14], 0.0, &mut out);
        assert_eq!(out, [1.0; 14]);
    }

    /// The numbers are umap-learn's for the same graph, classes and target weight (0.5).
    #[test]
    fn classes_part_images_and_unknown_ones_stay_in_between() {
        use crate::numeric::{Matrix, neighbours::NeighbourMetric};
        let matrix = Matrix::new(4, 1, vec![0.0, 1.0, 3.0, 7.0]).unwrap();
        let neighbours = Neighbours::exact(&matrix, 3, NeighbourMetric::Euclidean).unwrap();
        let graph = Graph::joined(&neighbours, &[0.5; 12], |p, q| p + q - p * q);
        let graph = with_classes(&graph, &[Some(0), Some(0), Some(1), None], 5.0);
        let value = |i: usize, j: u32| {
            let (columns, values) = graph.row(i);
            f64::from(values[columns.iter().position(|column| *column == j).unwrap()])
        };
        // Greatest weights after the fall: 0.75 twice, then 0.75 / e twice.
        let (far, unknown) = ((-5.0f64).exp(), (-1.0f64).exp());
        let joined = |p: f64, q: f64| p + q - p * q;
        assert!((value(0, 1) - 1.0).abs() < 1e-6);
        assert!((value(0, 2) - joined(far, far / unknown)).abs() < 1e-6 && value(0, 2) == value(2, 0));
        assert!((value(1, 3) - joined(unknown, 1.0)).abs() < 1e-6 && (value(2, 3) - 1.0).abs() < 1e-6);
    }
}
