//! The spectral start (Belkin and Niyogi 2003): the second and third eigenvectors of the graph's normalised weights
//! D^−½ W D^−½, by Lanczos' method with thick restarts (Wu and Simon 2000), from several vectors at once, for one alone
//! meets of two equal values only one vector (Golub and Underwood 1977). The first eigenvector is known, and left out.

use crate::{
    numeric::{PhiloxStream, Purpose, eigen, pulse, sum::dot_lanes},
    projection::graph::Graph,
};
use rayon::prelude::*;
use std::collections::VecDeque;

/// Vectors to start from.
const ABREAST: usize = 3;
/// The basis that is grown before it is cut back to the best few.
const BASIS: usize = 60;
const KEPT: usize = 15;
const RESTARTS: usize = 40;
/// The residual, relative to 1 − eigenvalue, at which iteration ends.
const TOLERANCE: f64 = 0.005;

/// N × 2. The graph has one component.
pub(super) fn start(graph: &Graph) -> Vec<[f64; 2]> {
    let n = graph.points();
    let degrees: Vec<f64> = (0..n).map(|i| graph.row(i).1.iter().map(|w| f64::from(*w)).sum()).collect();
    let roots: Vec<f64> = degrees.iter().map(|degree| degree.max(f64::MIN_POSITIVE).sqrt()).collect();
    let weights = ScaledGraph { graph, roots: &roots };
    let vectors = leading(&weights, &unit(roots.clone()).unwrap_or_else(|| vec![0.0; n]));
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

/// Orthonormal eigenvectors of the two greatest eigenvalues after the one whose vector is known.
fn leading(weights: &ScaledGraph, known: &[f64]) -> Vec<Vec<f64>> {
    let n = known.len();
    let room = BASIS.min(n.saturating_sub(1));
    let mut stream = PhiloxStream::new(0x5EED, Purpose::SpectralStart, 0);
    let random = |stream: &mut PhiloxStream| -> Vec<f64> { (0..n).map(|_| stream.uniform() - 0.5).collect() };
    // Of the basis: its vectors, what the matrix makes of them; and of these the ones that it is to be grown by.
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (vec![], vec![]);
    let mut next: VecDeque<Vec<f64>> = (0..ABREAST).map(|_| random(&mut stream)).collect();
    let mut best = vec![];
    for _ in 0..RESTARTS {
        while basis.len() < room {
            pulse::beat();
            // Where the basis holds a whole invariant space, another direction.
            let candidate = next.pop_front().unwrap_or_else(|| random(&mut stream));
            let Some(vector) = orthogonal(candidate, known, &basis) else { continue };
            let image = weights.times(&vector);
            next.push_back(image.clone());
            basis.push(vector);
            images.push(image);
        }
        let m = basis.len();
        let products: Vec<f64> =
            (0..m * m).into_par_iter().map(|at| dot_lanes(&basis[(at / m).min(at % m)], &images[(at / m).max(at % m)])).collect();
        let Some(ritz) = eigen::symmetric(&products, m) else { break };
        let kept = KEPT.min(m);
        let ritz_vector = |basis: &[Vec<f64>], i: usize| combined(basis, &ritz.vectors[i * m..][..m]);
        let kept_basis: Vec<Vec<f64>> = (0..kept).map(|i| ritz_vector(&basis, i)).collect();
        let kept_images: Vec<Vec<f64>> = (0..kept).map(|i| ritz_vector(&images, i)).collect();
        let residual = |place: usize| {
            let value = ritz.values[place];
            let off: Vec<f64> = kept_images[place].iter().zip(&kept_basis[place]).map(|(image, x)| image - value * x).collect();
            dot_lanes(&off, &off).sqrt()
        };
        let settled = (0..2.min(kept)).all(|place| residual(place) < TOLERANCE * (1.0 - ritz.values[place]));
        best = kept_basis[..2.min(kept)].to_vec();
        if settled {
            break;
        }
        // What the last images leave beyond the whole basis goes on.
        next = next.into_iter().filter_map(|image| orthogonal(image, known, &basis)).collect();
        (basis, images) = (kept_basis, kept_images);
    }
    best.iter_mut().for_each(|vector| {
        super::super::pca::fix_sign(vector);
    });
    best
}

/// Σ weight · vector.
fn combined(vectors: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; vectors[0].len()];
    out.par_chunks_mut(4096).enumerate().for_each(|(block, out)| {
        for (vector, weight) in vectors.iter().zip(weights) {
            out.iter_mut().zip(&vector[block * 4096..]).for_each(|(sum, x)| *sum += weight * x);
        }
    });
    out
}

/// The part of `x` that is orthogonal to all these, of length 1; `None` when nothing is left.
fn orthogonal(x: Vec<f64>, known: &[f64], basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    let mut x = unit(x)?;
    // Twice is enough (Kahan, in Parlett 1980).
    for _ in 0..2 {
        let along: Vec<f64> = basis.par_iter().map(|other| dot_lanes(other, &x)).collect();
        let own = dot_lanes(known, &x);
        x.par_chunks_mut(4096).enumerate().for_each(|(block, x)| {
            let first = block * 4096;
            x.iter_mut().zip(&known[first..]).for_each(|(x, other)| *x -= own * other);
            for (other, along) in basis.iter().zip(&along) {
                x.iter_mut().zip(&other[first..]).for_each(|(x, other)| *x -= along * other);
            }
        });
        if dot_lanes(&x, &x).sqrt() < 1e-12 {
            return None;
        }
        x = unit(x)?;
    }
    Some(x)
}

fn unit(mut x: Vec<f64>) -> Option<Vec<f64>> {
    let norm = dot_lanes(&x, &x).sqrt();
    if !(norm.is_normal()) {
        return None;
    }
    x.iter_mut().for_each(|x| *x /= norm);
    Some(x)
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
