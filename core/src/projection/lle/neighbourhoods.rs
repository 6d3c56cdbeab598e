//! What each neighbourhood says of a map: a small symmetric matrix that is 0 for maps that keep it as it is, summed over all into one
//! sparse matrix.
//!
//! scikit-learn's Hessian variant takes all columns of a QR decomposition where Donoho and Grimes take those of the Hessian; the
//! result is that of LTSA. Here it is the paper's.

use crate::{
    domain::{Fault, Result},
    numeric::{
        Matrix,
        cholesky::solve_small,
        eigen,
        sum::{dot, dot_lanes},
    },
};
use rayon::prelude::*;

/// Dimensions of the map.
const AXES: usize = 2;
/// A column is nothing new if less than this of it is left beside those before.
const NOTHING: f64 = 1e-9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    /// Roweis and Saul 2000.
    Standard,
    /// Zhang and Wang 2007.
    Modified,
    /// Donoho and Grimes 2003.
    Hessian,
    /// Local tangent space alignment, Zhang and Zha 2004.
    Ltsa,
}

/// What one neighbourhood says of some points: points × points, row by row.
pub(super) struct Said {
    points: Vec<u32>,
    matrix: Vec<f64>,
}

impl Variant {
    const ALL: [Variant; 4] = [Variant::Standard, Variant::Modified, Variant::Hessian, Variant::Ltsa];

    pub(super) fn of(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|of| of.word() == word);
        found.ok_or_else(|| Fault::asked(format!("LLE has no variant `{word}`")))
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Variant::Standard => "standard",
            Variant::Modified => "modified",
            Variant::Hessian => "hessian",
            Variant::Ltsa => "ltsa",
        }
    }

    pub(super) fn least_neighbors(self) -> usize {
        match self {
            Variant::Standard => 1,
            Variant::Modified | Variant::Ltsa => AXES + 1,
            // The constant, the tangents and the Hessian.
            Variant::Hessian => 1 + AXES * (AXES + 3) / 2,
        }
    }

    /// What the neighbourhood of each image says.
    ///
    /// # Errors
    /// Numbers beyond what eigenvectors are found of.
    pub(super) fn say(self, features: &Matrix, neighbourhoods: &[Vec<u32>], reg: f64) -> Result<Vec<Said>> {
        let unsolved = || Fault::asked("LLE: distances are beyond what double precision holds").next("scale the features");
        let of = |said: Vec<Option<Said>>| said.into_iter().collect::<Option<Vec<_>>>().ok_or_else(unsolved);
        let each = neighbourhoods.par_iter().enumerate();
        match self {
            Variant::Standard => of(each.map(|(i, near)| Some(standard(features, i as u32, near, reg))).collect()),
            Variant::Hessian => of(each.map(|(_, near)| tangents(features, near).map(|of| hessian(near, &of))).collect()),
            Variant::Ltsa => of(each.map(|(_, near)| tangents(features, near).map(|of| ltsa(near, &of))).collect()),
            Variant::Modified => {
                let spectra: Vec<Option<eigen::Eigen>> =
                    each.map(|(i, near)| eigen::symmetric(&gram(features, &row(features, i as u32), near), near.len())).collect();
                let spectra = spectra.into_iter().collect::<Option<Vec<_>>>().ok_or_else(unsolved)?;
                let flatness = median(spectra.iter().map(|of| after(&of.values, AXES)).collect());
                let said = spectra.par_iter().zip(neighbourhoods).enumerate();
                Ok(said.map(|(i, (spectrum, near))| modified(i as u32, near, spectrum, flatness)).collect())
            }
        }
    }
}

fn row(features: &Matrix, i: u32) -> Vec<f64> {
    features.row(i as usize).iter().map(|value| f64::from(*value)).collect()
}

/// Products of the neighbours with each other, as seen from a place.
fn gram(features: &Matrix, from: &[f64], near: &[u32]) -> Vec<f64> {
    let seen: Vec<Vec<f64>> =
        near.iter().map(|j| row(features, *j).iter().zip(from).map(|(x, from)| x - from).collect()).collect();
    let k = near.len();
    let mut products = vec![0.0; k * k];
    for a in 0..k {
        for b in 0..=a {
            let product = dot_lanes(&seen[a], &seen[b]);
            (products[a * k + b], products[b * k + a]) = (product, product);
        }
    }
    products
}

/// The weights, which sum to 1, by which the neighbours make up the image as nearly as they can.
pub(super) fn barycentre(features: &Matrix, i: u32, near: &[u32], reg: f64) -> Vec<f64> {
    let k = near.len();
    let mut products = gram(features, &row(features, i), near);
    // Only their proportions matter; so they are brought to about 1, where nothing is too small or too large.
    let trace: f64 = (0..k).map(|a| products[a * k + a]).sum();
    if trace > 0.0 {
        products.iter_mut().for_each(|value| *value /= trace);
    }
    (0..k).for_each(|a| products[a * k + a] += reg);
    let mut weights = vec![1.0; k];
    if solve_small(&mut products, &mut weights).is_none() {
        weights.fill(1.0);
    }
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// The image is what its neighbours make up.
fn standard(features: &Matrix, i: u32, near: &[u32], reg: f64) -> Said {
    let weights = barycentre(features, i, near, reg);
    let points = [&[i], near].concat();
    let v: Vec<f64> = std::iter::once(1.0).chain(weights.iter().map(|weight| -weight)).collect();
    let matrix = v.iter().flat_map(|a| v.iter().map(move |b| a * b)).collect();
    Said { points, matrix }
}

/// The constant and the two tangents of a neighbourhood, orthonormal; fewer where it has fewer dimensions.
fn tangents(features: &Matrix, near: &[u32]) -> Option<Vec<Vec<f64>>> {
    let k = near.len();
    let mut middle = vec![0.0; features.columns()];
    for j in near {
        middle.iter_mut().zip(features.row(*j as usize)).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    middle.iter_mut().for_each(|sum| *sum /= k as f64);
    let spectrum = eigen::symmetric(&gram(features, &middle, near), k)?;
    let mut basis = vec![];
    add(&mut basis, vec![1.0; k]);
    for axis in 0..AXES.min(k) {
        if spectrum.values[axis] > spectrum.values[0] * f64::EPSILON * k as f64 {
            add(&mut basis, spectrum.vectors[axis * k..][..k].to_vec());
        }
    }
    Some(basis)
}

/// Adds what of a vector is new beside the basis, brought to length 1 (Gram and Schmidt, twice).
fn add(basis: &mut Vec<Vec<f64>>, mut x: Vec<f64>) {
    let whole = dot(&x, &x).sqrt();
    for _ in 0..2 {
        for other in &*basis {
            let along = dot(other, &x);
            x.iter_mut().zip(other).for_each(|(x, other)| *x -= along * other);
        }
    }
    let left = dot(&x, &x).sqrt();
    if left > NOTHING * whole {
        x.iter_mut().for_each(|x| *x /= left);
        basis.push(x);
    }
}

/// A map is linear in the tangents: it has no part that is orthogonal to them and to the constant.
fn ltsa(near: &[u32], tangents: &[Vec<f64>]) -> Said {
    let k = near.len();
    let mut matrix = vec![0.0; k * k];
    for a in 0..k {
        for b in 0..k {
            let along: f64 = tangents.iter().map(|of| of[a] * of[b]).sum();
            matrix[a * k + b] = f64::from(u8::from(a == b)) - along;
        }
    }
    Said { points: near.to_vec(), matrix }
}

/// A map has no Hessian in the tangents.
fn hessian(near: &[u32], tangents: &[Vec<f64>]) -> Said {
    let k = near.len();
    let mut basis = tangents.to_vec();
    let first = basis.len();
    for a in 1..first {
        for b in a..first {
            add(&mut basis, tangents[a].iter().zip(&tangents[b]).map(|(x, y)| x * y).collect());
        }
    }
    let mut matrix = vec![0.0; k * k];
    for a in 0..k {
        for b in 0..k {
            matrix[a * k + b] = basis[first..].iter().map(|of| of[a] * of[b]).sum();
        }
    }
    Said { points: near.to_vec(), matrix }
}

/// The sum of eigenvalues after the first `axes`, relative to that of the first; 0 where there is nothing.
fn after(values: &[f64], axes: usize) -> f64 {
    let of = |values: &[f64]| values.iter().map(|value| value.max(0.0)).sum::<f64>();
    let (first, rest) = (of(&values[..axes.min(values.len())]), of(&values[axes.min(values.len())..]));
    if first > 0.0 { rest / first } else { 0.0 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// The image is what its neighbours make up by several sets of weights: as many as there are directions in which the neighbourhood is as
/// good as flat, beside the median neighbourhood.
fn modified(i: u32, near: &[u32], spectrum: &eigen::Eigen, flatness: f64) -> Said {
    /// scikit-learn's, which does not hang on `reg`.
    const REG: f64 = 1e-3;
    const STRAIGHT: f64 = 1e-12;
    let k = near.len();
    let vector = |at: usize| &spectrum.vectors[at * k..][..k];
    let values: Vec<f64> = spectrum.values.iter().map(|value| value.max(0.0)).collect();
    let total: f64 = values.iter().sum();
    let reg = if total > 0.0 { REG * total } else { 1.0 };
    let mut weights = vec![0.0; k];
    for (at, value) in values.iter().enumerate() {
        let along = vector(at).iter().sum::<f64>() / (value + reg);
        weights.iter_mut().zip(vector(at)).for_each(|(weight, x)| *weight += along * x);
    }
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);

    let flat = (1..k).filter(|axes| after(&values, *axes) < flatness).count();
    let sets = flat.max(1);
    let bottom: Vec<&[f64]> = (k - sets..k).map(vector).collect();
    let sums: Vec<f64> = bottom.iter().map(|of| of.iter().sum()).collect();
    let alpha = (dot(&sums, &sums) / sets as f64).sqrt();
    // The reflection that makes all of these sums equal.
    let mut h: Vec<f64> = sums.iter().map(|sum| alpha - sum).collect();
    let length = dot(&h, &h).sqrt();
    h.iter_mut().for_each(|h| *h = if length < STRAIGHT { 0.0 } else { *h / length });
    // k × sets, row by row, below the image's own −1.
    let points = [&[i], near].concat();
    let mut w = vec![-1.0; sets];
    for (place, weight) in weights.iter().enumerate() {
        let along: f64 = bottom.iter().zip(&h).map(|(of, h)| of[place] * h).sum();
        w.extend(bottom.iter().zip(&h).map(|(of, h)| of[place] - 2.0 * along * h + (1.0 - alpha) * weight));
    }
    let rows: Vec<&[f64]> = w.chunks_exact(sets).collect();
    let matrix = rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect();
    Said { points, matrix }
}

/// The sum of what all say, row by row, columns ascending; entries are added in the order of the neighbourhoods.
pub(super) fn summed(n: usize, all: &[Said]) -> Vec<Vec<(u32, f64)>> {
    let mut rows: Vec<Vec<(u32, f64)>> = vec![vec![]; n];
    for said in all {
        for (point, values) in said.points.iter().zip(said.matrix.chunks_exact(said.points.len())) {
            rows[*point as usize].extend(said.points.iter().copied().zip(values.iter().copied()));
        }
    }
    rows.into_par_iter()
        .map(|mut row| {
            row.sort_by_key(|(column, _)| *column);
            let mut out: Vec<(u32, f64)> = vec![];
            for (column, value) in row {
                match out.last_mut() {
                    Some((last, sum)) if *last == column => *sum += value,
                    _ => out.push((column, value)),
                }
            }
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::beside;

    #[test]
    fn weights_make_up_a_point_of_its_neighbours() {
        let features = Matrix::new(4, 2, vec![1.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 2.0]).unwrap();
        let weights = barycentre(&features, 0, &[1, 2, 3], 1e-9);
        for (weight, wanted) in weights.iter().zip([0.25, 0.25, 0.5]) {
            assert!((weight - wanted).abs() < 1e-6, "{weights:?}");
        }
    }

    #[test]
    fn every_variant_says_nothing_against_a_constant_map() {
        let features = beside::matrix(&beside::fixture()["curve"]);
        let near: Vec<Vec<u32>> = (0..20).map(|i| (0..8).map(|k| (i * 11 + 7 * k + 1) % 240).collect()).collect();
        for variant in Variant::ALL {
            for said in variant.say(&features, &near, 1e-3).unwrap() {
                for row in said.matrix.chunks_exact(said.points.len()) {
                    assert!(row.iter().sum::<f64>().abs() < 1e-9, "{variant:?}");
                }
            }
        }
    }

    #[test]
    fn the_sum_has_each_entry_once() {
        let said = |points: [u32; 2]| Said { points: points.to_vec(), matrix: vec![1.0, 2.0, 2.0, 3.0] };
        let rows = summed(3, &[said([0, 1]), said([1, 0]), said([2, 0])]);
        assert_eq!(rows, [vec![(0, 7.0), (1, 4.0), (2, 2.0)], vec![(0, 4.0), (1, 4.0)], vec![(0, 2.0), (2, 1.0)]]);
    }
}
