//! Kernel PCA (Schölkopf, Smola and Müller 1998): PCA where a kernel's inner products are. scikit-learn's `KernelPCA`, its parameters and defaults
//! (`gamma: 0` says 1 / D), but the kernel is `rbf` unless a word says otherwise (`linear` is PCA). All images by themselves up to 5,000; beyond, the kernel is
//! Nyström's (Williams and Seeger 2001) by 2,000 images drawn with the seed: the kernel PCA of K_nm K_mm⁻¹ K_mn, exactly, without holding K_nm.
//!
//! linfa has kernels (`linfa-kernel`: in one thread, N × N, no landmarks) and no kernel PCA.

use super::{
    Placement, Projected, ProjectionInput, Projector, memory,
    method::{MethodSpec, ParameterKind, ParameterSpec, Variation},
    pca::fix_sign,
    placement::in_single,
    start::varies,
};
use crate::{
    domain::{Fault, Result, projection::Method},
    numeric::{
        Matrix, PhiloxStream, Purpose,
        block_lanczos::{self, Leading, SPARE},
        multiversion::multiversion,
        pivoted_cholesky::{self, Cholesky},
        special::exp_lane,
        sum,
        tiled::{self, Panels, WIDE},
    },
};
use rayon::prelude::*;

/// Images up to which all are compared with all.
const EXACT: usize = 5_000;
/// Images that all are compared with beyond.
const LANDMARKS: usize = 2_000;
/// Images whose kernel is held at a time.
const BLOCK: usize = 512;
/// Of eigenvectors, of the largest eigenvalue.
const RESIDUAL: f64 = 1e-9;
/// Vectors that are looked for at a time: the kernel is read from far more slowly than it is multiplied with.
const ABREAST: usize = 8;
/// A kernel's value beyond this is an overflow: squares are summed.
const LARGEST: f64 = 1e100;
/// Shares of variance below this are rounding; so is what an image adds to landmarks.
const FLOOR: f64 = 1e-10;

pub(super) const SPEC: MethodSpec = MethodSpec {
    word: "kernel_pca",
    title: "Kernel PCA",
    about: "PCA in the space of a kernel (Schölkopf, Smola and Müller): rbf, polynomial or cosine. Up to 5,000 images exactly; beyond, by Nyström’s approximation over 2,000 images drawn with the seed (<i>landmarks</i>). Shares of variance are of the kernel’s; each axis’s largest coordinate is positive.",
    version: 1,
    parameters: &[
        ParameterSpec::AXES,
        ParameterSpec {
            name: "kernel",
            kind: ParameterKind::Word { words: &["rbf", "poly", "cosine"] },
            added_later: false,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "gamma",
            kind: ParameterKind::Number { default: 0.0, least: 0.0, most: 1e4 },
            added_later: true,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "degree",
            kind: ParameterKind::Count { default: 3, least: 1, most: 20 },
            added_later: true,
            variation: Variation::None,
        },
        ParameterSpec {
            name: "coef0",
            kind: ParameterKind::Number { default: 1.0, least: 0.0, most: 1e4 },
            added_later: true,
            variation: Variation::None,
        },
    ],
    supervised: false,
    seeds: None,
    build: |of| {
        let asked = Asked { gamma: of.number("gamma")?, degree: of.count("degree")?, coef0: of.number("coef0")? };
        let kernel = asked.kernel(of.word("kernel")?.as_str())?;
        Ok(Box::new(KernelPca::new(of.count(Method::AXES)?, kernel)?))
    },
};

/// Parameters as they are asked for; not each kernel has each.
struct Asked {
    gamma: f64,
    degree: usize,
    coef0: f64,
}

impl Asked {
    fn kernel(&self, word: &str) -> Result<Kernel> {
        let Asked { gamma, degree, coef0 } = *self;
        let is_allowed = |value: f64| value >= 0.0 && value.is_finite();
        if !is_allowed(gamma) || !is_allowed(coef0) || !(1..=20).contains(&degree) {
            return Err(Fault::asked("kernel PCA takes a `gamma` and a `coef0` of 0 or more, and a `degree` from 1 to 20"));
        }
        let unused = |name: &str, is: bool| {
            if is {
                Ok(())
            } else {
                Err(Fault::asked(format!("the kernel `{word}` has no `{name}`")).next(format!("leave `{name}` out")))
            }
        };
        if word != "poly" {
            unused("degree", degree == 3)?;
            unused("coef0", coef0 == 1.0)?;
        }
        Ok(match word {
            "poly" => Kernel::Poly { gamma, degree, coef0 },
            "cosine" => {
                unused("gamma", gamma == 0.0)?;
                Kernel::Cosine
            }
            _ => Kernel::Rbf { gamma },
        })
    }
}

/// Of x and y.
#[derive(Clone, Copy)]
enum Kernel {
    /// exp(−γ ‖x − y‖²)
    Rbf { gamma: f64 },
    /// (γ x·y + c)^degree
    Poly { gamma: f64, degree: usize, coef0: f64 },
    /// x·y / ‖x‖ ‖y‖
    Cosine,
}

struct KernelPca {
    axes: usize,
    kernel: Kernel,
    exact: usize,
    landmarks: usize,
}

impl KernelPca {
    fn new(axes: usize, kernel: Kernel) -> Result<Self> {
        if axes > 0 {
            Ok(KernelPca { axes, kernel, exact: EXACT, landmarks: LANDMARKS })
        } else {
            Err(Fault::asked("kernel PCA takes one axis or more"))
        }
    }
}

/// Images that others are compared with, and axes: coordinates are (k(x, points) − means) · weights.
struct KernelMap {
    points: Points,
    /// Of the kernel's columns over the images of the fit.
    means: Vec<f64>,
    /// k × points.
    weights: Vec<f64>,
}

/// The fit.
struct Fitted {
    map: KernelMap,
    /// N × k.
    coordinates: Vec<f64>,
    explained: Vec<f64>,
    residual: f64,
}

impl Projector for KernelPca {
    /// At most `axes` axes. Facts: `explained` (share of the kernel's variance), `residual` (of the eigenvectors, in parts of the first value);
    /// `landmarks` (how many) where not all images are compared with all.
    fn project(&self, given: &ProjectionInput) -> Result<Projected> {
        let n = given.features.rows();
        let Fitted { map, coordinates, explained, residual } = self.fitted(given)?;
        let mut facts = vec![("explained", explained), ("residual", vec![residual])];
        if n > self.exact {
            facts.push(("landmarks", vec![map.points.count as f64]));
        }
        let facts = facts.into_iter().map(|(name, numbers)| (name.to_owned(), numbers)).collect();
        Ok(Projected { coordinates: in_single(n, &coordinates), facts })
    }

    fn fit(&self, given: &ProjectionInput) -> Result<Option<Box<dyn Placement>>> {
        Ok(Some(Box::new(self.fitted(given)?.map)))
    }

    fn operations(&self, n: f64, d: f64) -> f64 {
        let (exact, m) = (self.exact as f64, self.landmarks as f64);
        if n <= exact {
            2.0 * n * n * d + 60.0 * n * n * (self.axes + SPARE) as f64
        } else {
            4.0 * n * m * d + n * m * m + m * m * m
        }
    }
}

impl KernelPca {
    fn fitted(&self, given: &ProjectionInput) -> Result<Fitted> {
        let (n, d) = (given.features.rows(), given.features.columns());
        if n < 2 {
            return Err(Fault::asked(format!("kernel PCA needs two images or more, there is {n}")));
        }
        varies(given.features)?;
        if let (Kernel::Cosine, Some(row)) = (self.kernel, first_zero(given.features)) {
            return Err(Fault::asked(format!(
                "the features of the image {} are all 0: they have no direction, so no cosine",
                (given.name)(row)
            ))
            .next("use `kernel: rbf`, or leave the image out"));
        }
        let kernel = self.kernel.of_columns(d);
        if n <= self.exact {
            memory::affordable(&format!("kernel PCA of {n} images"), 24.0 * (n as f64).powi(2))?;
            return self.all_with_all(kernel, given);
        }
        memory::affordable(&format!("kernel PCA of {d} columns"), 8.0 * self.landmarks as f64 * d as f64)?;
        self.by_landmarks(kernel, given)
    }

    fn start(&self, n: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = PhiloxStream::new(seed, Purpose::KernelStart, 0);
        (0..ABREAST.min(n)).map(|_| (0..n).map(|_| stream.uniform() - 0.5).collect()).collect()
    }

    fn all_with_all(&self, kernel: Kernel, given: &ProjectionInput) -> Result<Fitted> {
        let (features, n) = (given.features, given.features.rows());
        let points = Points::new(kernel, features, features);
        let mut square: Vec<f64> = Vec::with_capacity(n * n);
        for first in (0..n).step_by(BLOCK) {
            given.watch.go_on()?;
            square.extend(points.block(features, first..n.min(first + BLOCK), given.name)?);
        }
        // The kernel is the same number for (x, y) and (y, x): means of rows are those of columns.
        let means: Vec<f64> = square.par_chunks(n).map(sum::mean).collect();
        let mean = sum::mean(&means);
        let diagonal: Vec<f64> = (0..n).map(|i| square[i * n + i]).collect();
        let total = sum::sum(&diagonal) - n as f64 * mean;
        let largest = diagonal.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        refuse_flat(total, n, largest)?;
        if matches!(kernel, Kernel::Rbf { .. }) {
            // Copies of an image are alike under any kernel.
            let alike = |row: &[f64]| row.iter().copied().filter(|value| *value < 1.0 - FLOOR).fold(0.0, f64::max);
            let alike: Vec<f64> = square.par_chunks(n).map(alike).collect();
            refuse_blind(alike.into_iter().fold(0.0, f64::max))?;
        }
        let centred: Panels<f64, WIDE> = Panels::new(n, n, |i, j| square[i * n + j] - (means[i.min(j)] + means[i.max(j)]) + mean);
        drop(square);
        let times = |vectors: &[Vec<f64>]| {
            given.watch.go_on()?;
            let of: Panels<f64, WIDE> = Panels::new(vectors.len(), n, |vector, i| vectors[vector][i]);
            Ok(tiled::products(&of, vectors.len(), &centred, n).chunks_exact(n).map(<[f64]>::to_vec).collect())
        };
        let found = block_lanczos::leading(n, self.axes, self.start(n, given.seed), RESIDUAL, times)?;
        let Leading { values, mut vectors, residual } = found.ok_or_else(unsolved)?;
        let kept = axes_kept(&values, self.axes, total)?;
        vectors.truncate(kept * n);
        vectors.chunks_exact_mut(n).for_each(|axis| {
            fix_sign(axis);
        });
        let roots: Vec<f64> = values[..kept].iter().map(|value| value.sqrt()).collect();
        let coordinates = (0..n * kept).map(|at| vectors[at % kept * n + at / kept] * roots[at % kept]).collect();
        let weights = vectors.chunks_exact(n).zip(&roots).flat_map(|(row, root)| row.iter().map(move |value| value / root));
        let map = KernelMap { points, means, weights: weights.collect() };
        let explained = values[..kept].iter().map(|value| value / total).collect();
        Ok(Fitted { map, coordinates, explained, residual })
    }

    /// Of Φ = K_nm L⁻ᵀ, with K_mm = L Lᵀ, is Nyström's kernel Φ Φᵀ. Its PCA needs only the scatter of the rows of K_nm, m × m.
    fn by_landmarks(&self, kernel: Kernel, given: &ProjectionInput) -> Result<Fitted> {
        let (features, n) = (given.features, given.features.rows());
        let mut drawn: Vec<usize> = (0..n).collect();
        PhiloxStream::new(given.seed, Purpose::KernelLandmarks, 0).shuffle(&mut drawn);
        drawn.truncate(self.landmarks.min(n));
        drawn.sort_unstable();
        let (points, factor, square) = independent(kernel, features, &drawn, given.name)?;
        let m = points.count;
        // Rows are summed about the landmarks' mean, so that little is lost when that of all is taken out.
        let centre: Vec<f64> = square.chunks_exact(m).map(sum::mean).collect();
        let (mut sums, mut own, mut fault) = (vec![0.0; m], vec![], None);
        let blocks = (0..n).step_by(BLOCK).map_while(|first| {
            let rows = first..n.min(first + BLOCK);
            let count = rows.len();
            let block = match given.watch.go_on().and_then(|()| points.block(features, rows.clone(), given.name)) {
                Ok(block) => block,
                Err(stopped) => {
                    fault = Some(stopped);
                    return None;
                }
            };
            for row in block.chunks_exact(m) {
                sums.iter_mut().zip(row).zip(&centre).for_each(|((sum, value), centre)| *sum += value - centre);
            }
            own.extend(rows.map(|row| points.with_itself(features, row)));
            Some(Panels::new(m, count, |point, row| block[row * m + point] - centre[point]))
        });
        let mut scatter = tiled::symmetric_products(m, blocks);
        if let Some(fault) = fault {
            return Err(fault);
        }
        for (i, row) in scatter.chunks_exact_mut(m).enumerate() {
            row.iter_mut().zip(&sums).for_each(|(value, other)| *value -= sums[i] * other / n as f64);
        }
        let means: Vec<f64> = centre.iter().zip(&sums).map(|(centre, sum)| centre + sum / n as f64).collect();
        // What the kernel varies by: its own diagonal, less the square of the mean image as the landmarks see it.
        let mut middle = means.clone();
        factor.forward(&mut middle);
        let total = sum::sum(&own) - n as f64 * sum::dot_lanes(&middle, &middle);
        let largest = own.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        refuse_flat(total, n, largest)?;
        let scatter: Panels<f64, WIDE> = Panels::new(m, m, |i, j| scatter[i.min(j) * m + i.max(j)]);
        let times = |vectors: &[Vec<f64>]| {
            given.watch.go_on()?;
            let mut turned = vectors.to_vec();
            turned.par_iter_mut().for_each(|vector| factor.backward(vector));
            let of: Panels<f64, WIDE> = Panels::new(turned.len(), m, |vector, i| turned[vector][i]);
            let mut out: Vec<Vec<f64>> =
                tiled::products(&of, turned.len(), &scatter, m).chunks_exact(m).map(<[f64]>::to_vec).collect();
            out.par_iter_mut().for_each(|vector| factor.forward(vector));
            Ok(out)
        };
        let found = block_lanczos::leading(m, self.axes, self.start(m, given.seed), RESIDUAL, times)?;
        let Leading { values, mut vectors, residual } = found.ok_or_else(unsolved)?;
        let kept = axes_kept(&values, self.axes, total)?;
        vectors.truncate(kept * m);
        vectors.chunks_exact_mut(m).for_each(|vector| factor.backward(vector));
        let mut map = KernelMap { points, means, weights: vectors };
        let mut coordinates = map.exact(features, given)?;
        for axis in 0..kept {
            let mut along: Vec<f64> = coordinates.iter().skip(axis).step_by(kept).copied().collect();
            let before = along.clone();
            fix_sign(&mut along);
            if along != before {
                coordinates.iter_mut().skip(axis).step_by(kept).for_each(|value| *value = -*value);
                map.weights[axis * m..][..m].iter_mut().for_each(|weight| *weight = -*weight);
            }
        }
        let explained = values[..kept].iter().map(|value| value / total).collect();
        Ok(Fitted { map, coordinates, explained, residual })
    }
}

/// The landmarks that add something to those before them, Cholesky's factor of their kernel in this order, and the kernel.
fn independent(
    kernel: Kernel,
    features: &Matrix,
    drawn: &[usize],
    name: &dyn Fn(usize) -> String,
) -> Result<(Points, Cholesky, Vec<f64>)> {
    let named = |row: usize| name(drawn[row]);
    let chosen = features.take(drawn);
    let points = Points::new(kernel, &chosen, features);
    let square = points.block(&chosen, 0..drawn.len(), &named)?;
    if matches!(kernel, Kernel::Rbf { .. }) {
        refuse_blind(square.iter().copied().filter(|value| *value < 1.0 - FLOOR).fold(0.0, f64::max))?;
    }
    let mut factor = pivoted_cholesky::pivoted(&square, drawn.len(), FLOOR);
    let rows: Vec<usize> = factor.order.clone();
    let m = rows.len();
    let square = (0..m * m).map(|at| square[rows[at / m] * drawn.len() + rows[at % m]]).collect();
    factor.order = (0..m).collect();
    Ok((Points::new(kernel, &chosen.take(&rows), features), factor, square))
}

fn unsolved() -> Fault {
    Fault::unexpected("the kernel of the features has no eigenvectors: are all values finite?")
}

/// # Errors
/// A kernel that is the same for all pairs.
fn refuse_flat(total: f64, n: usize, largest: f64) -> Result<()> {
    if total > n as f64 * largest * 1e-13 {
        return Ok(());
    }
    Err(Fault::asked("the kernel is the same for all pairs of images, to rounding").next("raise gamma, or scale the features"))
}

/// # Errors
/// A kernel under which no two images are alike; `alike` is the largest value of two that differ, 0 where none differ.
fn refuse_blind(alike: f64) -> Result<()> {
    if alike > 1e-8 {
        return Ok(());
    }
    Err(Fault::asked("the kernel is 0 for all images that differ: none has anything in common with another")
        .next("lower gamma, or scale the features"))
}

/// How many axes are more than rounding.
fn axes_kept(values: &[f64], axes: usize, total: f64) -> Result<usize> {
    let kept = values.iter().take(axes).take_while(|value| **value > FLOOR * total).count();
    if kept > 0 { Ok(kept) } else { Err(unsolved()) }
}

fn first_zero(features: &Matrix) -> Option<usize> {
    (0..features.rows()).find(|row| features.row(*row).iter().all(|value| *value == 0.0))
}

impl KernelMap {
    /// N × k.
    fn exact(&self, features: &Matrix, given: &ProjectionInput) -> Result<Vec<f64>> {
        self.placed(features, given.name, |_| given.watch.go_on())
    }

    fn placed(&self, features: &Matrix, name: &dyn Fn(usize) -> String, go_on: impl Fn(usize) -> Result<()>) -> Result<Vec<f64>> {
        let (n, m) = (features.rows(), self.points.count);
        let k = self.weights.len() / m;
        let weights: Panels<f64, WIDE> = Panels::new(k, m, |axis, point| self.weights[axis * m + point]);
        let mut out = Vec::with_capacity(n * k);
        for first in (0..n).step_by(BLOCK) {
            go_on(first)?;
            let rows = first..n.min(first + BLOCK);
            let count = rows.len();
            let block = self.points.block(features, rows, name)?;
            let block: Panels<f64, WIDE> = Panels::new(count, m, |row, point| block[row * m + point] - self.means[point]);
            // Axes are few: images are what is shared out.
            let by_axis = tiled::products(&weights, k, &block, count);
            out.extend((0..count * k).map(|at| by_axis[at % k * count + at / k]));
        }
        Ok(out)
    }
}

impl Placement for KernelMap {
    fn place(&self, others: &Matrix) -> Result<Matrix> {
        if let (Kernel::Cosine, Some(row)) = (self.points.kernel, first_zero(others)) {
            return Err(Fault::asked(format!(
                "the features of the image {} are all 0: they have no cosine",
                super::numbered(row)
            )));
        }
        Ok(in_single(others.rows(), &self.placed(others, &super::numbered, |_| Ok(()))?))
    }
}

/// Images that others are compared with.
struct Points {
    kernel: Kernel,
    count: usize,
    /// Taken from all features before anything: distances do not see it, and lose less.
    shift: Vec<f64>,
    panels: Panels<f64, WIDE>,
    squares: Vec<f64>,
}

impl Kernel {
    /// With what `gamma: 0` says.
    fn of_columns(self, d: usize) -> Self {
        let usual = |gamma: f64| if gamma == 0.0 { 1.0 / d.max(1) as f64 } else { gamma };
        match self {
            Kernel::Rbf { gamma } => Kernel::Rbf { gamma: usual(gamma) },
            Kernel::Poly { gamma, degree, coef0 } => Kernel::Poly { gamma: usual(gamma), degree, coef0 },
            Kernel::Cosine => Kernel::Cosine,
        }
    }

    /// Inner products of one image with the points → kernels. `own` and `squares`: of each with itself.
    fn bend(self, products: &mut [f64], own: f64, squares: &[f64]) {
        match self {
            Kernel::Rbf { gamma } => bend_rbf(gamma, products, own, squares),
            Kernel::Poly { gamma, degree, coef0 } => {
                for value in products {
                    let base = gamma * *value + coef0;
                    *value = (1..degree).fold(base, |power, _| power * base);
                }
            }
            Kernel::Cosine => {
                products.iter_mut().zip(squares).for_each(|(value, square)| *value /= (own * square).sqrt());
            }
        }
    }
}

multiversion! { fn bend_rbf(gamma: f64, products: &mut [f64], own: f64, squares: &[f64]) = bend_rbf_kernel }

#[inline(always)]
fn bend_rbf_kernel(gamma: f64, products: &mut [f64], own: f64, squares: &[f64]) {
    for (value, square) in products.iter_mut().zip(squares) {
        let distance = (own + square - 2.0 * *value).max(0.0);
        // Beyond what the exponential holds the kernel is 0.
        let power = -gamma * distance;
        *value = if power < -700.0 { 0.0 } else { exp_lane(power) };
    }
}

impl Points {
    /// `all` are the features of the fit.
    fn new(kernel: Kernel, points: &Matrix, all: &Matrix) -> Self {
        let (count, d) = (points.rows(), points.columns());
        let shift = if matches!(kernel, Kernel::Rbf { .. }) { tiled::column_means(all) } else { vec![0.0; d] };
        let panels = Panels::new(count, d, |point, column| f64::from(points.row(point)[column]) - shift[column]);
        let squares = (0..count).into_par_iter().map(|point| square_of(points.row(point), &shift)).collect();
        Points { kernel, count, shift, panels, squares }
    }

    fn with_itself(&self, features: &Matrix, row: usize) -> f64 {
        let own = square_of(features.row(row), &self.shift);
        let mut value = [own];
        self.kernel.bend(&mut value, own, &[own]);
        value[0]
    }

    /// The kernel of these rows with the points: rows × points.
    fn block(&self, features: &Matrix, rows: std::ops::Range<usize>, name: &dyn Fn(usize) -> String) -> Result<Vec<f64>> {
        let m = self.count;
        let mut out = vec![0.0; rows.len() * m];
        out.par_chunks_mut(WIDE * m).enumerate().for_each(|(group, out)| {
            crate::numeric::pulse::beat();
            let first = rows.start + group * WIDE;
            let here = out.len() / m;
            let mut own = vec![0.0; WIDE * self.shift.len()];
            for lane in 0..here {
                for (column, (value, shift)) in features.row(first + lane).iter().zip(&self.shift).enumerate() {
                    own[column * WIDE + lane] = f64::from(*value) - shift;
                }
            }
            for second in 0..m.div_ceil(WIDE) {
                let mut tile = [0.0; WIDE * WIDE];
                tiled::add_products(&own, self.panels.panel(second), &mut tile);
                let width = WIDE.min(m - second * WIDE);
                for (out, tile) in out.chunks_exact_mut(m).zip(tile.chunks_exact(WIDE)) {
                    out[second * WIDE..][..width].copy_from_slice(&tile[..width]);
                }
            }
            for (lane, out) in out.chunks_exact_mut(m).enumerate() {
                self.kernel.bend(out, square_of(features.row(first + lane), &self.shift), &self.squares);
            }
        });
        match out.iter().position(|value| value.is_nan() || value.abs() > LARGEST) {
            None => Ok(out),
            Some(at) => {
                Err(Fault::asked(format!("the kernel overflows: of the image {} it is beyond 1e100", name(rows.start + at / m)))
                    .next("scale the features, or lower gamma or degree"))
            }
        }
    }
}

/// One chain, as products are: an image's distance to itself is 0.
fn square_of(row: &[f32], shift: &[f64]) -> f64 {
    row.iter().zip(shift).fold(0.0, |sum: f64, (value, shift)| {
        let centred = f64::from(*value) - shift;
        centred.mul_add(centred, sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(n: usize, d: usize) -> Matrix {
        let mut stream = PhiloxStream::for_test(21, 1);
        // Two rings, one in the other, and noise.
        let row = |i: usize, stream: &mut PhiloxStream| {
            let (radius, angle) = (1.0 + 2.0 * (i % 2) as f64, std::f64::consts::TAU * stream.uniform());
            let mut row = vec![radius * libm::cos(angle), radius * libm::sin(angle)];
            row.extend((2..d).map(|_| stream.normals(0.1)[0]));
            row.into_iter().map(|value| value as f32).collect::<Vec<_>>()
        };
        Matrix::new(n, d, (0..n).flat_map(|i| row(i, &mut stream)).collect()).unwrap()
    }

    #[test]
    fn landmarks_give_nearly_what_all_images_give() {
        let features = cloud(600, 4);
        for kernel in [Kernel::Rbf { gamma: 0.5 }, Kernel::Poly { gamma: 0.5, degree: 3, coef0: 1.0 }, Kernel::Cosine] {
            let with = |exact: usize| {
                let method = KernelPca { axes: 3, kernel, exact, landmarks: 150 };
                method.project(&ProjectionInput::alone(&features, 4)).unwrap()
            };
            let (all, few) = (with(600), with(100));
            assert!(few.facts["landmarks"][0] <= 150.0 && !all.facts.contains_key("landmarks"));
            for axis in 0..3 {
                let (a, b) = (all.coordinates.column(axis), few.coordinates.column(axis));
                let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
                let along = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
                assert!(along > 0.999, "axis {axis}: {along}");
                assert!((all.facts["explained"][axis] / few.facts["explained"][axis] - 1.0).abs() < 0.01);
            }
        }
    }

    #[test]
    fn a_kernel_that_overflows_or_says_nothing_is_refused() {
        let features = cloud(60, 4);
        let refused = |kernel: Kernel, features: &Matrix, why: &str| {
            let ended = KernelPca::new(3, kernel).unwrap().project(&ProjectionInput::alone(features, 1));
            let fault = ended.unwrap_err();
            assert!(fault.what.contains(why) && fault.next.is_some(), "{fault}");
        };
        let scaled = |by: f32| Matrix::new(60, 4, features.values().iter().map(|value| value * by).collect()).unwrap();
        refused(Kernel::Poly { gamma: 1.0, degree: 20, coef0: 1.0 }, &scaled(1e9), "the kernel overflows: of the image in row");
        refused(Kernel::Rbf { gamma: 1e9 }, &features, "the kernel is 0 for all images that differ");
        refused(Kernel::Rbf { gamma: 1e-20 }, &features, "the kernel is the same for all pairs");
        let mut values = features.values().to_vec();
        values[8..12].fill(0.0);
        refused(Kernel::Cosine, &Matrix::new(60, 4, values).unwrap(), "image in row 2 (from 0) are all 0");
    }

    #[test]
    fn parameters_that_a_kernel_does_not_have_are_refused() {
        let asked = |gamma, degree, coef0| Asked { gamma, degree, coef0 };
        assert!(asked(0.0, 3, 1.0).kernel("rbf").is_ok() && asked(0.1, 2, 0.0).kernel("poly").is_ok());
        for (of, word, name) in [(asked(0.5, 3, 1.0), "cosine", "gamma"), (asked(0.0, 2, 1.0), "rbf", "degree")] {
            let fault = of.kernel(word).err().unwrap();
            assert_eq!(fault.what, format!("the kernel `{word}` has no `{name}`"));
        }
        assert!(asked(f64::NAN, 3, 1.0).kernel("rbf").is_err());
    }
}
