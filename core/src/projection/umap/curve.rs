//! How near two points of a map are taken to be: 1 / (1 + a d²ᵇ), fitted to 1 up to min_dist and e^−(d − min_dist) beyond.

use crate::numeric::special::{exp, ln};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LowDimensionalCurve {
    pub a: f64,
    pub b: f64,
}

impl LowDimensionalCurve {
    /// Least squares on 300 distances from 0 to 3, as umap-learn's `find_ab_params` at spread 1; by Levenberg (1944) and Marquardt
    /// (1963).
    pub(super) fn fitted(min_dist: f64) -> Self {
        let target = |d: f64| if d < min_dist { 1.0 } else { exp(min_dist - d) };
        let samples: Vec<(f64, f64)> = (0..300).map(|i| f64::from(i) * 3.0 / 299.0).map(|d| (d, target(d))).collect();
        let error = |curve: LowDimensionalCurve| samples.iter().map(|(d, y)| (curve.at(*d) - y).powi(2)).sum::<f64>();
        let (mut curve, mut damping) = (LowDimensionalCurve { a: 1.0, b: 1.0 }, 1e-3);
        for _ in 0..200 {
            // The normal equations of the two slopes.
            let (mut aa, mut ab, mut bb, mut ra, mut rb) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (d, y) in samples.iter().filter(|(d, _)| *d > 0.0) {
                let power = exp(2.0 * curve.b * ln(*d));
                let value = curve.at(*d);
                let (by_a, by_b) = (-value * value * power, -value * value * curve.a * power * 2.0 * ln(*d));
                let off = y - value;
                aa += by_a * by_a;
                ab += by_a * by_b;
                bb += by_b * by_b;
                ra += by_a * off;
                rb += by_b * off;
            }
            let (daa, dbb) = (aa * (1.0 + damping), bb * (1.0 + damping));
            let determinant = daa * dbb - ab * ab;
            let step = LowDimensionalCurve { a: (ra * dbb - rb * ab) / determinant, b: (rb * daa - ra * ab) / determinant };
            let next = LowDimensionalCurve { a: curve.a + step.a, b: curve.b + step.b };
            if next.a > 0.0 && next.b > 0.0 && error(next) <= error(curve) {
                (curve, damping) = (next, damping * 0.1);
                if step.a.abs() < 1e-12 && step.b.abs() < 1e-12 {
                    break;
                }
            } else {
                damping *= 10.0;
            }
        }
        curve
    }

    fn at(self, d: f64) -> f64 {
        if d == 0.0 { 1.0 } else { 1.0 / (1.0 + self.a * exp(2.0 * self.b * ln(d))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What umap-learn's `find_ab_params(1, min_dist)` gives.
    #[test]
    fn the_curve_is_umap_learns() {
        for (min_dist, a, b) in [(0.1, 1.576_943, 0.895_061), (0.0, 1.932_808, 0.790_495), (0.5, 0.583_030, 1.334_167)] {
            let curve = LowDimensionalCurve::fitted(min_dist);
            assert!((curve.a - a).abs() < 2e-3 && (curve.b - b).abs() < 2e-3, "{min_dist}: {curve:?}");
        }
    }
}
