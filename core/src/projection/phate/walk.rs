//! A random walk between images, or between landmarks: from a landmark to an image near it and on to a landmark near that. With M the
//! affinities of images to landmarks, R and C its sums of rows and of columns, one step is C⁻¹ Mᵀ R⁻¹ M, which has the eigenvalues of the
//! symmetric C^−½ Mᵀ R⁻¹ M C^−½.

use crate::{
    numeric::{
        PhiloxStream, Purpose, eigen,
        special::{exp, ln},
        tiled::{Panels, WIDE, add_products},
    },
    projection::{graph::Graph, scaled::ScaledFeatures},
};
use rayon::prelude::*;

/// Smaller affinities are none.
const LEAST: f64 = 1e-4;

/// How near images are to each other; to itself each is as near as can be, 1, which is left out.
pub(super) struct Affinities {
    graph: Graph,
    /// The share of images with more neighbours than were looked for.
    pub(super) cut: f64,
}

impl Affinities {
    /// The mean of both directions of e^−(d / scale)^decay.
    pub(super) fn new(features: &ScaledFeatures, decay: f64) -> Self {
        let neighbours = &features.neighbours;
        let (n, k) = (neighbours.count(), neighbours.k());
        let mut directed = vec![0.0f32; n * k];
        directed.par_chunks_mut(k).enumerate().for_each(|(i, row)| {
            for (out, distance) in row.iter_mut().zip(neighbours.distances(i)) {
                let affinity = if distance > 0.0 { exp(-exp(decay * ln(distance / features.scale(i)))) } else { 1.0 };
                *out = if affinity >= LEAST { affinity as f32 } else { 0.0 };
            }
        });
        let last = directed.chunks_exact(k).filter(|row| k + 1 < n && row[k - 1] > 0.0).count();
        let graph = Graph::joined(neighbours, &directed, |p, q| (p + q) / 2.0).at_least(f32::MIN_POSITIVE);
        Affinities { graph, cut: last as f64 / n as f64 }
    }

    pub(super) fn components(&self) -> usize {
        self.graph.components()
    }
}

/// Of each image, the nearest of `count` drawn ones: numbers from 0, each that is nearest to none left out.
pub(super) fn landmarks(features: &ScaledFeatures, count: usize, seed: u64) -> Vec<u32> {
    let mut drawn: Vec<u32> = (0..features.images() as u32).collect();
    PhiloxStream::new(seed, Purpose::PhateLandmarks, 0).shuffle(&mut drawn);
    drawn.truncate(count);
    drawn.sort_unstable();
    let nearest = |i: usize| {
        let mut best = (f64::INFINITY, 0);
        features.squares(i, &drawn, |place, square| {
            if square < best.0 {
                best = (square, place);
            }
        });
        best.1 as u32
    };
    let nearest: Vec<u32> = (0..features.images()).into_par_iter().map(nearest).collect();
    let mut numbers = vec![u32::MAX; count];
    nearest.iter().for_each(|landmark| numbers[*landmark as usize] = 0);
    let used = numbers.iter_mut().filter(|number| **number == 0);
    used.zip(0..).for_each(|(number, of)| *number = of);
    nearest.into_iter().map(|landmark| numbers[landmark as usize]).collect()
}

/// One step of a walk.
pub(super) struct Walk {
    /// The symmetric matrix, m × m.
    symmetric: Vec<f64>,
    /// The roots of C, by landmark.
    roots: Vec<f64>,
    /// Rows of M, one an image: landmarks ascending, and affinities that sum to 1.
    rows: Vec<Vec<(u32, f64)>>,
}

impl Walk {
    /// Between images; or between landmarks, if the landmark of each image is given.
    pub(super) fn new(affinities: &Affinities, landmarks: Option<&[u32]>) -> Self {
        let n = affinities.graph.points();
        let landmark = |i: usize| landmarks.map_or(i as u32, |landmarks| landmarks[i]);
        let row = |i: usize| {
            let (columns, values) = affinities.graph.row(i);
            let others = columns.iter().zip(values).map(|(j, value)| (landmark(*j as usize), f64::from(*value)));
            let mut row: Vec<(u32, f64)> = others.chain([(landmark(i), 1.0)]).collect();
            row.sort_by_key(|(landmark, _)| *landmark);
            row.dedup_by(|(next, value), (kept, sum)| {
                let same = next == kept;
                if same {
                    *sum += *value;
                }
                same
            });
            row
        };
        let mut rows: Vec<Vec<(u32, f64)>> = (0..n).into_par_iter().map(row).collect();
        let m = landmarks.map_or(n, |landmarks| landmarks.iter().max().map_or(0, |last| *last as usize + 1));
        let (mut symmetric, mut sums) = (vec![0.0; m * m], vec![0.0; m]);
        for (i, row) in rows.iter_mut().enumerate() {
            let total: f64 = row.iter().map(|(_, value)| value).sum();
            for (one, value) in &*row {
                sums[*one as usize] += value;
                if landmarks.is_none() {
                    symmetric[i * m + *one as usize] = *value;
                    continue;
                }
                for (other, other_value) in &*row {
                    symmetric[*one as usize * m + *other as usize] += value * other_value / total;
                }
            }
            row.iter_mut().for_each(|(_, value)| *value /= total);
        }
        let roots: Vec<f64> = sums.into_iter().map(f64::sqrt).collect();
        for (row, root) in symmetric.chunks_exact_mut(m.max(1)).zip(&roots) {
            row.iter_mut().zip(&roots).for_each(|(value, other)| *value /= root * other);
        }
        Walk { symmetric, roots, rows }
    }

    pub(super) fn size(&self) -> usize {
        self.roots.len()
    }

    /// `None` where they are not found.
    pub(super) fn eigenvalues(&self) -> Option<Vec<f64>> {
        Some(eigen::leading(self.symmetric.clone(), self.size(), 1)?.values)
    }

    /// Where walks of so many steps end, m × m: one row a start. At least one step.
    pub(super) fn after(&self, steps: usize) -> Vec<f64> {
        let m = self.size();
        let (mut left, mut power, mut found) = (steps, self.symmetric.clone(), None);
        loop {
            if left % 2 == 1 {
                found = Some(found.map_or_else(|| power.clone(), |found: Vec<f64>| product(&found, &power, m)));
            }
            left /= 2;
            if left == 0 {
                break;
            }
            power = product(&power, &power, m);
        }
        let mut found = found.unwrap_or_default();
        for (row, root) in found.chunks_exact_mut(m.max(1)).zip(&self.roots) {
            row.iter_mut().zip(&self.roots).for_each(|(value, other)| *value = (*value * other / root).max(0.0));
        }
        found
    }

    /// Images between the landmarks at these points that they walk to.
    pub(super) fn between(&self, points: &[[f64; 2]]) -> Vec<[f64; 2]> {
        let of = |row: &Vec<(u32, f64)>| {
            row.iter().fold([0.0; 2], |[x, y], (landmark, share)| {
                let point = points[*landmark as usize];
                [x + share * point[0], y + share * point[1]]
            })
        };
        self.rows.iter().map(of).collect()
    }
}

/// The product of two powers of one symmetric m × m matrix, which is symmetric: half is computed.
fn product(a: &[f64], b: &[f64], m: usize) -> Vec<f64> {
    let panels = |of: &[f64]| -> Panels<f64, WIDE> { Panels::new(m, m, |row, column| of[row * m + column]) };
    let (a, b) = (panels(a), panels(b));
    let mut out = vec![0.0; m * m];
    out.par_chunks_mut(WIDE * m).enumerate().for_each(|(i, out)| {
        crate::numeric::pulse::beat();
        for j in 0..=i {
            let mut tile = [0.0; WIDE * WIDE];
            add_products(a.panel(i), b.panel(j), &mut tile);
            let width = WIDE.min(m - j * WIDE);
            for (out, tile) in out.chunks_exact_mut(m).zip(tile.chunks_exact(WIDE)) {
                out[j * WIDE..][..width].copy_from_slice(&tile[..width]);
            }
        }
    });
    for i in 0..m {
        for j in i + 1..m {
            out[i * m + j] = out[j * m + i];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{numeric::Matrix, projection::ProjectionInput};

    fn walk(landmarked: bool) -> Walk {
        let mut stream = PhiloxStream::for_test(3, 0);
        let features = Matrix::new(90, 3, (0..270).map(|_| stream.normals(1.0)[0] as f32).collect()).unwrap();
        let scaled = ScaledFeatures::new(&ProjectionInput::alone(&features, 5), 60, 2..3).unwrap();
        let affinities = Affinities::new(&scaled, 10.0);
        let landmarks = landmarks(&scaled, 30, 5);
        Walk::new(&affinities, landmarked.then_some(&landmarks))
    }

    #[test]
    fn walks_end_somewhere_and_seven_steps_are_seven_times_one() {
        for landmarked in [false, true] {
            let walk = walk(landmarked);
            let (m, one, seven) = (walk.size(), walk.after(1), walk.after(7));
            assert_eq!(m, if landmarked { 30 } else { 90 });
            assert!(seven.chunks_exact(m).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-9));
            let mut by_hand: Vec<f64> = (0..m).map(|j| f64::from(u8::from(j == 4))).collect();
            for _ in 0..7 {
                by_hand = (0..m).map(|j| (0..m).map(|i| by_hand[i] * one[i * m + j]).sum()).collect();
            }
            assert!(by_hand.iter().zip(&seven[4 * m..]).all(|(a, b)| (a - b).abs() < 1e-12));
            assert!((walk.eigenvalues().unwrap()[0] - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn images_lie_between_landmarks() {
        let walk = walk(true);
        let points = walk.between(&[[2.0, -1.0]; 30]);
        assert!(points.len() == 90 && points.iter().all(|[x, y]| (x - 2.0).abs() < 1e-12 && (y + 1.0).abs() < 1e-12));
    }
}
