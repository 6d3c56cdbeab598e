//! The spectral start (Belkin and Niyogi 2003): the second and third eigenvectors of the graph's normalised weights
//! D^−½ W D^−½, by Lanczos' method (`numeric::krylov`). The first eigenvector is known, and left out.

use crate::{
    numeric::{
        Purpose,
        krylov::{self, Search},
    },
    projection::{graph::Graph, pca::fix_sign},
};
use rayon::prelude::*;
use std::convert::Infallible;

const SEARCH: Search = Search { wanted: 2, abreast: 3, basis: 60, kept: 15, restarts: 40, purpose: Purpose::SpectralStart };
/// The residual, relative to 1 − eigenvalue, at which iteration ends.
const TOLERANCE: f64 = 0.005;

/// N × 2. The graph has one component.
pub(super) fn start(graph: &Graph) -> Vec<[f64; 2]> {
    let n = graph.points();
    let degrees: Vec<f64> = (0..n).map(|i| graph.row(i).1.iter().map(|w| f64::from(*w)).sum()).collect();
    let roots: Vec<f64> = degrees.iter().map(|degree| degree.max(f64::MIN_POSITIVE).sqrt()).collect();
    let weights = ScaledGraph { graph, roots: &roots };
    let known = krylov::unit(roots.clone()).unwrap_or_else(|| vec![0.0; n]);
    let near = |value: f64, residual: f64| residual < TOLERANCE * (1.0 - value);
    let Ok(found) = krylov::leading(n, &[known], SEARCH, |x| weights.times(x), near, |_, _| Ok::<(), Infallible>(()));
    let mut vectors = found.vectors;
    vectors.iter_mut().for_each(|vector| {
        fix_sign(vector);
    });
    (0..n).map(|i| std::array::from_fn(|axis| vectors.get(axis).map_or(0.0, |vector| vector[i]))).collect()
}

struct ScaledGraph<'a> {
    graph: &'a Graph,
    roots: &'a [f64],
}

impl ScaledGraph<'_> {
    /// (1 + D^−½ W D^−½) / 2, so that all eigenvalues are from 0 to 1.
    fn times(&self, x: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = x.iter().zip(self.roots).map(|(x, root)| x / root).collect();
        let row = |i: usize| {
            let (columns, values) = self.graph.row(i);
            let sum = columns.iter().zip(values).fold(0.0, |sum, (j, w)| sum + f64::from(*w) * scaled[*j as usize]);
            0.5 * (x[i] + sum / self.roots[i])
        };
        (0..x.len()).into_par_iter().with_min_len(512).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::umap::ring;

    #[test]
    fn a_ring_starts_as_a_ring() {
        let points = start(&ring(300));
        let radii: Vec<f64> = points.iter().map(|[x, y]| (x * x + y * y).sqrt()).collect();
        let (least, most) = radii.iter().fold((f64::MAX, 0.0f64), |(least, most), r| (least.min(*r), most.max(*r)));
        assert!(least > 0.7 * most, "{least} {most}");
        let apart = |a: [f64; 2], b: [f64; 2]| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
        assert!(apart(points[0], points[1]) < 0.1 * apart(points[0], points[150]));
    }

    #[test]
    fn few_points_are_no_trouble() {
        assert_eq!(start(&ring(6)).len(), 6);
    }
}
