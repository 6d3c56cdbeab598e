//! Metric scaling to two dimensions by SMACOF (de Leeuw 1977) with relaxed steps (de Leeuw and Heiser 1980), from classical scaling
//! (Torgerson 1952): the sum of squared errors of distances falls with every step.

use crate::{
    domain::{Fault, Result},
    numeric::{Matrix, eigen, multiversion::multiversion, sum, tiled},
    projection::{ProjectionObserver, pca::fix_sign},
};
use rayon::prelude::*;

/// Steps at most, and between two looks at the stress.
const MOST_STEPS: usize = 300;
const LOOK: usize = 10;
/// Where the stress falls by less than this share between two looks, steps end.
const TOLERANCE: f64 = 1e-4;
/// Terms that are summed abreast.
const ABREAST: usize = 16;
/// Points moved in one piece.
const ROWS: usize = 16;

pub(super) struct Scaled {
    pub(super) points: Vec<[f64; 2]>,
    /// √(Σ (d − D)² / Σ D²)
    pub(super) stress: f64,
}

/// Of Euclidean distances between rows.
///
/// # Errors
/// An observer that stops it.
pub(super) fn scaled(rows: &Matrix, watch: &dyn ProjectionObserver) -> Result<Scaled> {
    let m = rows.rows();
    let products = tiled::gram(rows, &tiled::column_means(rows));
    let mut distances = vec![0.0f32; m * m];
    distances.par_chunks_mut(m).enumerate().for_each(|(i, out)| {
        for (j, out) in out.iter_mut().enumerate() {
            *out = (products[i * m + i] + products[j * m + j] - 2.0 * products[i * m + j]).max(0.0).sqrt() as f32;
        }
    });
    watch.go_on()?;
    let unsolved = || Fault::unexpected("distances of walks have no eigenvectors: are all values finite?");
    let spectrum = eigen::leading(products, m, 2.min(m)).ok_or_else(unsolved)?;
    let mut axes: [Vec<f32>; 2] = std::array::from_fn(|axis| {
        let (value, vector) = (spectrum.values.get(axis), spectrum.vectors.get(axis * m..(axis + 1) * m));
        let mut vector = vector.map_or_else(|| vec![0.0; m], <[f64]>::to_vec);
        fix_sign(&mut vector);
        let length = value.map_or(0.0, |value| value.max(0.0).sqrt());
        vector.into_iter().map(|x| (x * length) as f32).collect()
    });
    let size = sum::sum(
        &distances.par_chunks(m).map(|row| row.iter().map(|d| f64::from(*d) * f64::from(*d)).sum()).collect::<Vec<f64>>(),
    );
    let mut before = stress(&distances, &axes);
    for step in 1..=MOST_STEPS {
        watch.go_on()?;
        let looks = step % LOOK == 0;
        // A plain step before each look: relaxed ones swing in size.
        move_all(&distances, &mut axes, !looks);
        if looks {
            let now = stress(&distances, &axes);
            watch.objective("stress", step, root_share(now, size));
            if now > before * (1.0 - TOLERANCE) {
                break;
            }
            before = now;
        }
    }
    let stress = root_share(stress(&distances, &axes), size);
    let points = axes[0].iter().zip(&axes[1]).map(|(x, y)| [f64::from(*x), f64::from(*y)]).collect();
    Ok(Scaled { points, stress })
}

fn root_share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).sqrt() } else { 0.0 }
}

/// Σ (d − D)² over all ordered pairs.
fn stress(distances: &[f32], axes: &[Vec<f32>; 2]) -> f64 {
    let m = axes[0].len();
    let of_row = |(i, row): (usize, &[f32])| {
        let errors = row.iter().zip(axes[0].iter().zip(&axes[1])).map(|(distance, (x, y))| {
            let (dx, dy) = (f64::from(axes[0][i] - x), f64::from(axes[1][i] - y));
            (dx * dx + dy * dy).sqrt() - f64::from(*distance)
        });
        errors.map(|error| error * error).sum::<f64>()
    };
    sum::sum(&distances.par_chunks(m).enumerate().map(of_row).collect::<Vec<_>>())
}

/// One step of all points: to the mean of where each other one wants it (Guttman 1968), and as far again if relaxed.
fn move_all(distances: &[f32], axes: &mut [Vec<f32>; 2], relaxed: bool) {
    crate::numeric::pulse::beat();
    let m = axes[0].len();
    let mut moved = vec![[0.0f32; 2]; m];
    moved.par_chunks_mut(ROWS).enumerate().for_each(|(block, moved)| {
        let rows = &distances[block * ROWS * m..];
        pull(rows, &axes[0], &axes[1], block * ROWS, moved);
    });
    for (i, point) in moved.iter().enumerate() {
        for axis in 0..2 {
            let (own, to) = (axes[axis][i], point[axis] / m as f32);
            axes[axis][i] = if relaxed { 2.0 * to - own } else { to };
        }
    }
}

multiversion! {
    /// Σⱼ D / d (xᵢ − xⱼ) of the points from the `first` on, whose distances are the first rows.
    fn pull(distances: &[f32], xs: &[f32], ys: &[f32], first: usize, moved: &mut [[f32; 2]]) = pull_kernel
}

#[inline(always)]
fn pull_kernel(distances: &[f32], xs: &[f32], ys: &[f32], first: usize, moved: &mut [[f32; 2]]) {
    let m = xs.len();
    for ((i, moved), row) in (first..).zip(moved).zip(distances.chunks_exact(m)) {
        let (x, y) = (xs[i], ys[i]);
        let (mut along_x, mut along_y) = ([0.0f32; ABREAST], [0.0f32; ABREAST]);
        let mut add = |row: &[f32; ABREAST], xs: &[f32; ABREAST], ys: &[f32; ABREAST]| {
            for k in 0..ABREAST {
                let (dx, dy) = (x - xs[k], y - ys[k]);
                let square = dx * dx + dy * dy;
                let square = if square > 1e-30 { square } else { 1e-30 };
                let ratio = row[k] / square.sqrt();
                along_x[k] += ratio * dx;
                along_y[k] += ratio * dy;
            }
        };
        let (rows, row_rest) = row.as_chunks::<ABREAST>();
        let ((xs, xs_rest), (ys, ys_rest)) = (xs.as_chunks::<ABREAST>(), ys.as_chunks::<ABREAST>());
        for ((row, xs), ys) in rows.iter().zip(xs).zip(ys) {
            add(row, xs, ys);
        }
        // What is left over lies where the point itself does.
        let (mut last, mut last_xs, mut last_ys) = ([0.0; ABREAST], [x; ABREAST], [y; ABREAST]);
        last[..row_rest.len()].copy_from_slice(row_rest);
        last_xs[..xs_rest.len()].copy_from_slice(xs_rest);
        last_ys[..ys_rest.len()].copy_from_slice(ys_rest);
        add(&last, &last_xs, &last_ys);
        for half in [8, 4, 2, 1] {
            for k in 0..half {
                along_x[k] += along_x[k + half];
                along_y[k] += along_y[k + half];
            }
        }
        *moved = [along_x[0], along_y[0]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::PhiloxStream;

    #[test]
    fn what_is_flat_is_found_again_and_what_is_not_keeps_its_distances_better_than_at_the_start() {
        let mut stream = PhiloxStream::for_test(5, 0);
        let flat = Matrix::new(60, 2, (0..120).map(|_| stream.normals(2.0)[0] as f32).collect()).unwrap();
        assert!(scaled(&flat, &()).unwrap().stress < 1e-3);
        let solid = Matrix::new(60, 5, (0..300).map(|_| stream.normals(2.0)[0] as f32).collect()).unwrap();
        struct Falling(std::cell::Cell<f64>);
        impl ProjectionObserver for Falling {
            fn objective(&self, _: &str, _: usize, value: f64) {
                assert!(value <= self.0.get() + 1e-6);
                self.0.set(value);
            }
        }
        let found = scaled(&solid, &Falling(std::cell::Cell::new(f64::INFINITY))).unwrap();
        assert!(found.stress > 0.05 && found.stress < 0.35, "{}", found.stress);
    }
}
