//! Non-negative matrix factorisation: X ≈ W H, nothing negative (Lee and Seung 1999), the least sum of squares by coordinate descent (Cichocki and
//! Phan 2009; Hsieh and Dhillon 2011). Coordinates are the rows of W. scikit-learn's algorithm and defaults (`NMF`: `solver="cd"`, start
//! `nndsvda` of Boutsidis and Gallopoulos 2008), but for the start's singular vectors, which are exact here, and no more parts than the
//! features' rank. linfa has no such method.

use super::{
    Placement, Projected, ProjectionInput, Projector, memory,
    method::{MethodSpec, ParameterSpec},
    pca,
    placement::in_single,
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{
        Matrix,
        multiversion::multiversion,
        sum::{self, dot},
        tiled,
    },
};
use rayon::prelude::*;

/// scikit-learn's.
const MOST_ITERATIONS: usize = 200;
/// Of the first iteration's sum of gradients.
const TOLERANCE: f64 = 1e-4;
/// An entry of the start below this is none; scikit-learn's, of features about 1.
const NONE: f64 = 1e-6;
/// Rows whose shares of a product are summed together, before those of other rows: fixed, so that threads change nothing.
const ROWS: usize = 1024;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "nmf",
    title: "NMF",
    about: "Non-negative matrix factorisation, least squares, by coordinate descent from the positive parts of the singular vectors, as in scikit-learn: an image is a sum of parts, and its coordinates are their weights. Features must not be negative.",
    version: 1,
    parameters: &[ParameterSpec::AXES],
    supervised: false,
    seeds: None,
    build: |of| Ok(Box::new(Nmf::new(of.count(Method::AXES)?)?)),
};

struct Nmf {
    axes: usize,
}

/// W (N × k) and H (k × D), row by row.
struct Factorised {
    weights: Vec<f64>,
    parts: Vec<f64>,
    k: usize,
    rank: usize,
    iterations: usize,
}

impl Nmf {
    fn new(axes: usize) -> Result<Self> {
        if axes > 0 { Ok(Nmf { axes }) } else { Err(Fault::asked("NMF takes one axis or more")) }
    }

    fn factorise(&self, given: &ProjectionInput) -> Result<Factorised> {
        let features = given.features;
        let (n, d) = (features.rows(), features.columns());
        if n < 2 {
            return Err(Fault::asked(format!("NMF needs two images or more, there is {n}")));
        }
        refuse_negative(features, given.name)?;
        varies(features)?;
        let bytes = 24.0 * (n.min(d) as f64).powi(2);
        memory::affordable(&format!("NMF's start from {n} images × {d} columns"), bytes)?;
        let mut of = start(features, self.axes)?;
        let mut first = 0.0;
        for iteration in 1..=MOST_ITERATIONS {
            given.watch.go_on()?;
            crate::numeric::pulse::beat();
            let of_weights = {
                let square = products(&of.parts, of.k, d);
                let along = tiled::project(features, &vec![0.0; d], &of.parts);
                descend(&mut of.weights, &square, &along, of.k)
            };
            let of_parts = {
                let mut columns = transposed(&of.parts, d);
                let square = products(&transposed(&of.weights, of.k), of.k, n);
                let along = transposed(&with_weights(features, &of.weights, of.k), d);
                let violation = descend(&mut columns, &square, &along, of.k);
                of.parts = transposed(&columns, of.k);
                violation
            };
            let violation = of_weights + of_parts;
            of.iterations = iteration;
            if iteration == 1 {
                first = violation;
            }
            if first == 0.0 {
                break;
            }
            given.watch.objective("violation", iteration, violation / first);
            if violation / first <= TOLERANCE {
                break;
            }
        }
        Ok(of)
    }
}

impl Projector for Nmf {
    /// At most `axes` axes, none negative: no more than the features' rank. Facts: `loss` (root of the sum of squares that is left, as a share of
    /// that of the features), `turns` (iterations; all of them: it did not settle), `rank`.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let of = self.factorise(given)?;
        let n = given.features.rows();
        let [left, all] = squares_left(given.features, &of);
        let facts = [("loss", vec![(left / all).sqrt()]), ("turns", vec![of.iterations as f64]), ("rank", vec![of.rank as f64])];
        let facts = facts.map(|(name, numbers)| (name.to_owned(), numbers)).into();
        Ok(Projected { coordinates: in_single(n, &of.weights), facts })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        let Factorised { parts, k, .. } = self.factorise(given)?;
        Ok(Some(Box::new(Parts { parts, k })))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        pca::operations(n, d, self.axes) + MOST_ITERATIONS as f64 * 4.0 * n * d * self.axes as f64
    }
}

/// # Errors
/// Features below 0.
fn refuse_negative(features: &Matrix, name: &dyn Fn(usize) -> String) -> Result<()> {
    let negative = |value: &&f32| **value < 0.0;
    let Some(first) = features.values().iter().position(|value| *value < 0.0) else { return Ok(()) };
    let (row, column) = (first / features.columns(), first % features.columns());
    let all = features.values().iter().filter(negative).count();
    let here = features.column(column).iter().filter(negative).count();
    Err(Fault::asked(format!(
        "NMF takes no features below 0: {all} are, {here} of them in column {column} (from 0), first of the image {}",
        name(row)
    ))
    .next("use a layer behind its ReLU, or another method, such as factor analysis"))
}

/// The parts of a fit: an image is placed by the weights of 0 or more that come nearest to it.
struct Parts {
    parts: Vec<f64>,
    k: usize,
}

impl Placement for Parts {
    /// By the same descent with the parts held, as `NMF.transform`, until it moves no more. An image of the fit comes near to its coordinates, as near as
    /// the fit had settled.
    fn place(&self, others: &Matrix) -> Result<Matrix> {
        const STILL: f64 = 1e-10;
        const MOST: usize = 5000;
        refuse_negative(others, &super::numbered)?;
        let d = others.columns();
        let square = products(&self.parts, self.k, d);
        let along = tiled::project(others, &vec![0.0; d], &self.parts);
        let mut weights = vec![0.0; others.rows() * self.k];
        let first = descend(&mut weights, &square, &along, self.k);
        for _ in 0..MOST {
            if descend(&mut weights, &square, &along, self.k) <= STILL * first {
                break;
            }
        }
        Ok(in_single(others.rows(), &weights))
    }
}

/// `nndsvda`: of each pair of singular vectors the larger of its positive and negative parts; the mean of the features where nothing is.
fn start(features: &Matrix, axes: usize) -> Result<Factorised> {
    let (n, d) = (features.rows(), features.columns());
    let singular = pca::about(features, vec![0.0; d], axes)?;
    let (k, exact) = (singular.axes(), singular.exact(features));
    let mean = sum::mean(&tiled::column_means(features));
    let none = NONE * mean.sqrt().min(1.0);
    let filled = |value: f64| if value < none { mean } else { value };
    let (mut weights, mut parts) = (vec![0.0; n * k], vec![0.0; k * d]);
    for axis in 0..k {
        let size = singular.values[axis].sqrt();
        let left: Vec<f64> = exact.iter().skip(axis).step_by(k).map(|value| value / size).collect();
        let right = &singular.loadings[axis * d..][..d];
        let part = |of: &[f64], sign: f64| -> Vec<f64> { of.iter().map(|value| (sign * value).max(0.0)).collect() };
        let length = |of: &[f64]| dot(of, of).sqrt();
        let pair = |sign: f64| {
            let (u, v) = (part(&left, sign), part(right, sign));
            let (u_length, v_length) = (length(&u), length(&v));
            (u, v, u_length, v_length)
        };
        let (positive, negative) = (pair(1.0), pair(-1.0));
        let (u, v, u_length, v_length) = if axis == 0 {
            // Of features without negative values the first vectors have one sign.
            let absolute = |of: &[f64]| of.iter().map(|value| value.abs()).collect::<Vec<f64>>();
            (absolute(&left), absolute(right), 1.0, 1.0)
        } else if positive.2 * positive.3 > negative.2 * negative.3 {
            positive
        } else {
            negative
        };
        let scale = (size * u_length * v_length).sqrt();
        let scaled = |value: f64, length: f64| filled(if length > 0.0 { scale * value / length } else { 0.0 });
        (0..n).for_each(|i| weights[i * k + axis] = scaled(u[i], u_length));
        (0..d).for_each(|j| parts[axis * d + j] = scaled(v[j], v_length));
    }
    Ok(Factorised { weights, parts, k, rank: singular.rank, iterations: 0 })
}

/// One pass of coordinate descent over rows of k, each by itself: `square` is k × k, `along` rows × k. The sum of the gradients that could still be
/// followed.
fn descend(rows: &mut [f64], square: &[f64], along: &[f64], k: usize) -> f64 {
    let pass = |(row, along): (&mut [f64], &[f64])| {
        let mut violation = 0.0;
        for t in 0..k {
            let curvature = square[t * k + t];
            let gradient = dot(&square[t * k..][..k], row) - along[t];
            violation += if row[t] == 0.0 { gradient.min(0.0) } else { gradient }.abs();
            if curvature != 0.0 {
                row[t] = (row[t] - gradient / curvature).max(0.0);
            }
        }
        violation
    };
    let violations: Vec<f64> = rows.par_chunks_mut(k).zip(along.par_chunks(k)).with_min_len(64).map(pass).collect();
    sum::sum(&violations)
}

/// Of `k` vectors of one length with each other.
fn products(vectors: &[f64], k: usize, length: usize) -> Vec<f64> {
    let vector = |i: usize| &vectors[i * length..][..length];
    let of = |at: usize| sum::dot_lanes(vector((at / k).min(at % k)), vector((at / k).max(at % k)));
    (0..k * k).into_par_iter().map(of).collect()
}

fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    let rows = values.len() / columns;
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

/// Wᵀ X: k × D.
fn with_weights(features: &Matrix, weights: &[f64], k: usize) -> Vec<f64> {
    let d = features.columns();
    let share = |(rows, weights): (&[f32], &[f64])| {
        crate::numeric::pulse::beat();
        let (mut share, mut wide) = (vec![0.0; k * d], vec![0.0; TOGETHER * d]);
        for (rows, weights) in rows.chunks(TOGETHER * d).zip(weights.chunks(TOGETHER * k)) {
            wide.iter_mut().zip(rows).for_each(|(wide, value)| *wide = f64::from(*value));
            // Rows that are not there have weight 0.
            wide[rows.len()..].fill(0.0);
            for (t, sums) in share.chunks_exact_mut(d).enumerate() {
                let of = std::array::from_fn(|row| weights.get(row * k + t).copied().unwrap_or(0.0));
                add_scaled(&of, &wide, sums);
            }
        }
        share
    };
    let shares: Vec<Vec<f64>> = features.values().par_chunks(ROWS * d).zip(weights.par_chunks(ROWS * k)).map(share).collect();
    let mut total = vec![0.0; k * d];
    shares.iter().for_each(|share| total.iter_mut().zip(share).for_each(|(sum, value)| *sum += value));
    total
}

/// Rows that are added at a time.
const TOGETHER: usize = 8;

multiversion! { fn add_scaled(weights: &[f64; TOGETHER], rows: &[f64], sums: &mut [f64]) = add_scaled_kernel }

#[inline(always)]
fn add_scaled_kernel(weights: &[f64; TOGETHER], rows: &[f64], sums: &mut [f64]) {
    let d = sums.len();
    let rows: [&[f64]; TOGETHER] = std::array::from_fn(|row| &rows[row * d..][..d]);
    for j in 0..d {
        let mut sum = sums[j];
        for row in 0..TOGETHER {
            sum = weights[row].mul_add(rows[row][j], sum);
        }
        sums[j] = sum;
    }
}

/// Σ (X − W H)², and Σ X².
fn squares_left(features: &Matrix, of: &Factorised) -> [f64; 2] {
    let d = features.columns();
    let of_row = |row: usize| {
        let mut left: Vec<f64> = features.row(row).iter().map(|value| f64::from(*value)).collect();
        let all = dot(&left, &left);
        for (part, weight) in of.parts.chunks_exact(d).zip(&of.weights[row * of.k..]) {
            left.iter_mut().zip(part).for_each(|(left, part)| *left -= weight * part);
        }
        [dot(&left, &left), all]
    };
    let rows: Vec<[f64; 2]> = (0..features.rows()).into_par_iter().map(of_row).collect();
    [0, 1].map(|which| sum::sum(&rows.iter().map(|of| of[which]).collect::<Vec<_>>()))
}
